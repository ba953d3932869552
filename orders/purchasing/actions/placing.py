"""Placing a purchase order: price, reserve, write. Three statements, whether it has one line or ten thousand.

From the commit of a suspension, a hold or a revocation on, no order takes the product. Reserving also locks the certificates FOR KEY SHARE,
and whatever ends a certificate's force locks its row FOR UPDATE: so either the order commits first, or it finds the lock taken and waits.
Writing is a statement of its own, whose snapshot is taken after the locks; it writes nothing unless every certificate is still in force.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.states import in_force_sql, paused_sql
from orders.approvals.errors import ApprovalNeeded
from orders.budgets import actions as budgets
from orders.budgets.errors import BudgetMissing
from orders.budgets.rules import Holder
from orders.money.references import payment_reference
from orders.purchasing import rules
from orders.purchasing.actions.pricing import Prepared, Wanted, prepare, require_day, steps_of
from orders.purchasing.errors import AboveApproved, LinesRefused
from orders.purchasing.rules import LineFacts, Reason, Source
from orders.purchasing.schemas import OrderHeadIn, PurchaseOrderOut, SupplierOrderBrief
from orders.terms import actions as terms
from shop.core import clock
from shop.core.db import array
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor

# Rows are locked in the order of their ids, so that two orders with the same goods never wait for each other in a circle. The UPDATE looks
# at the newest version of each row: of two orders for the last unit one finds nothing left, whatever both of them read before.
# Certificates come after the stock: orders that wait for the same goods hold no certificate meanwhile, so a suspension gets its turn.
_RESERVE = text(
    """
    WITH wanted AS (
        SELECT sku_id, quantity FROM unnest(CAST(:skus AS bigint[]), CAST(:quantities AS numeric[])) AS u (sku_id, quantity)
    ), locked AS MATERIALIZED (
        SELECT sku_id FROM stock WHERE sku_id = ANY (CAST(:skus AS bigint[])) ORDER BY sku_id FOR UPDATE
    ), held AS MATERIALIZED (
        SELECT id FROM certificate WHERE id = ANY (CAST(:certificates AS bigint[])) AND (SELECT count(*) FROM locked) >= 0
        ORDER BY id FOR KEY SHARE
    )
    UPDATE stock SET reserved = stock.reserved + wanted.quantity
    FROM wanted JOIN locked USING (sku_id)
    WHERE stock.sku_id = wanted.sku_id AND stock.on_hand - stock.reserved >= wanted.quantity
      AND (SELECT count(*) FROM held) >= 0
    RETURNING stock.sku_id
    """
)

# A certificate of the order that is not in force. The condition is null, not false, for a suspension without an end.
_ENDED = (
    f"SELECT c.id, {paused_sql('c')} AS paused FROM certificate c"  # noqa: S608
    f" WHERE c.id = ANY (CAST(:certificates AS bigint[])) AND {in_force_sql('c')} IS NOT TRUE"
)
_WHICH_ENDED = text(_ENDED)

_WRITE = text(
    f"""
    WITH placed AS (
        INSERT INTO purchase_order (id, number, buyer_id, ordering_unit_id, purchase_request_id, placed_by, programme_code, fund_source, platform,
            declared_relation_id, buyer_reference, cost_centre, deliver_by, delivery_address, delivery_contact, delivery_phone, source_kind,
            source_id, line_count, total_fen, total_grams, placed_at)
        SELECT n.id, 'PO' || CAST(:day AS text) || lpad(n.id::text, greatest(6, length(n.id::text)), '0'), :buyer_id,
            :ordering_unit_id, CAST(:purchase_request_id AS bigint), :user_id, :programme_code, :fund_source, :platform, CAST(:declared_relation_id AS bigint), :buyer_reference,
            :cost_centre, CAST(:deliver_by AS date), :delivery_address, :delivery_contact, :delivery_phone, :source_kind,
            CAST(:source_id AS bigint), :line_count, :total_fen, :total_grams, :now
        FROM (SELECT nextval(pg_get_serial_sequence('purchase_order', 'id')) AS id) n
        WHERE NOT EXISTS ({_ENDED})
        RETURNING id, number
    ), wanted AS (
        SELECT * FROM unnest(CAST(:line_nos AS int[]), CAST(:skus AS bigint[]), CAST(:products AS bigint[]), CAST(:suppliers AS bigint[]),
            CAST(:certificates AS bigint[]), CAST(:quantities AS numeric[]), CAST(:prices AS bigint[]), CAST(:amounts AS bigint[]),
            CAST(:vat_bps AS int[]), CAST(:vats AS bigint[]), CAST(:grams AS bigint[]), CAST(:agreement_lines AS bigint[]))
          AS u (line_no, sku_id, product_id, supplier_id, certificate_id, quantity, unit_price_fen, amount_fen, vat_bp, vat_fen, grams,
                agreement_line_id)
    ), split AS (
        INSERT INTO supplier_order (purchase_order_id, supplier_id, total_fen, total_grams, confirm_by)
        SELECT placed.id, w.supplier_id, sum(w.amount_fen), sum(w.grams), CAST(:confirm_by AS timestamptz)
        FROM wanted w CROSS JOIN placed GROUP BY placed.id, w.supplier_id ORDER BY w.supplier_id
        RETURNING id, supplier_id, total_fen, total_grams
    ), lines AS (
        INSERT INTO order_line (purchase_order_id, supplier_order_id, line_no, sku_id, product_id, certificate_id, quantity,
            unit_price_fen, amount_fen, vat_bp, vat_fen, grams, agreement_line_id)
        SELECT placed.id, split.id, w.line_no, w.sku_id, w.product_id, w.certificate_id, w.quantity,
            w.unit_price_fen, w.amount_fen, w.vat_bp, w.vat_fen, w.grams, w.agreement_line_id
        FROM wanted w JOIN split USING (supplier_id) CROSS JOIN placed
        RETURNING id, sku_id, quantity
    ), moved AS (
        INSERT INTO stock_movement (sku_id, kind, on_hand, reserved, order_line_id, at)
        SELECT sku_id, 'reserve', 0, quantity, id, :now FROM lines
    ), audited AS (
        INSERT INTO audit_event (at, actor_id, actor_role, action, subject_type, subject_id, detail)
        SELECT :now, :user_id, :actor_role, 'purchase_order.placed', 'purchase_order', placed.id, CAST(:detail AS jsonb) FROM placed
    ), told AS (
        INSERT INTO outbox_event (name, payload, created_at, next_attempt_at)
        SELECT 'purchase_order.placed', jsonb_build_object('purchase_order_id', placed.id), :now, :now FROM placed
    )
    SELECT placed.id, placed.number, split.id AS supplier_order_id, split.supplier_id, o.name AS supplier_name, split.total_fen,
        split.total_grams
    FROM placed CROSS JOIN split JOIN organisation o ON o.id = split.supplier_id
    ORDER BY split.id
    """  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Approved:
    """The request that an order carries out, and up to which amount (fen) it was approved."""

    request_id: int
    total_fen: int


def place(
    session: Session, actor: Actor, head: OrderHeadIn, lines: Sequence[Wanted], source: Source = rules.DIRECT
) -> PurchaseOrderOut:
    """Order all lines or none: priced by tier or as agreed, stock reserved, split into one order per supplier.

    Raises:
        NotFound, NotYourUnit: the budget unit is unknown, or not the caller's own or one below it.
        BuyerNotApproved, OutsideProgramme: nobody can order in this state of affairs (409).
        AddressMissing, UnknownAddress: it is not said where the goods go (422).
        LinesRefused: lines that cannot be met, each with its reason (422).
        ApprovalNeeded: somebody has to approve it; see :mod:`orders.requests` (409).
        BudgetExceeded, BudgetMissing, CreditNeeded, CreditExceeded: see there (409).
    """
    require_day(head, source)
    prepared = prepare(session, actor, head, lines)
    if steps := steps_of(session, actor, prepared):
        raise ApprovalNeeded(steps=", ".join(step.name for step in steps))
    return carry_out(session, actor, prepared, source)


def carry_out(
    session: Session, actor: Actor, prepared: Prepared, source: Source, approved: Approved | None = None
) -> PurchaseOrderOut:
    """Reserve stock and budget and write the order.

    Raises:
        AboveApproved: it costs more by now than was approved (409). LinesRefused, BudgetExceeded, BudgetMissing, CreditExceeded: as for :func:`place`.
    """
    if approved and prepared.total_fen > approved.total_fen:
        raise AboveApproved(total=yuan_from_fen(prepared.total_fen), approved=yuan_from_fen(approved.total_fen))
    reserve(session, prepared.facts, rules.wanted_by_sku(prepared.facts))
    order = _write(session, actor, prepared, source, approved.request_id if approved else None)
    if approved:
        _give_back(session, prepared, approved.request_id)
    draw_on_budget(session, prepared, Holder.PURCHASE_ORDER, order.id)
    terms.draw(session, order.buyer_id, order.id, prepared.terms, prepared.total_fen)
    costs = {part.id: part.total for part in order.supplier_orders}
    return order.model_copy(update={"dues": terms.settle_terms(session, order.id, prepared.terms, costs)})


def draw_on_budget(session: Session, prepared: Prepared, holder: Holder, holder_id: int) -> None:
    """Hold the cost of an order in the budget of its unit.

    Raises:
        BudgetExceeded, BudgetMissing: there is not enough, or none where there has to be one (409).
    """
    buyer = prepared.buyer
    if buyer.budget_id is not None:
        budgets.reserve(session, buyer.budget_id, holder, holder_id, prepared.total_fen)
    elif buyer.budget_required:
        raise BudgetMissing(year=clock.today().year, fund_source=prepared.head.fund_source)


def redraw_on_budget(session: Session, prepared: Prepared, request_id: int) -> None:
    """Have a request hold what it costs by now, in the budget of its unit, in place of what it held.

    Raises:
        As for :func:`draw_on_budget`.
    """
    _give_back(session, prepared, request_id)
    draw_on_budget(session, prepared, Holder.PURCHASE_REQUEST, request_id)


def _give_back(session: Session, prepared: Prepared, request_id: int) -> None:
    """What a request holds goes back to its budget, which need not be the one that is drawn on next."""
    budgets.lock_both(session, Holder.PURCHASE_REQUEST, request_id, prepared.buyer.budget_id)
    budgets.release(session, Holder.PURCHASE_REQUEST, request_id)


def reserve(session: Session, facts: list[LineFacts], wanted: dict[int, Decimal]) -> None:
    """Reserve so much of each SKU and hold the certificates of the lines, until the transaction ends.

    Raises:
        LinesRefused: there is not enough of one (422).
    """
    skus = sorted(wanted)
    certificates = sorted({line.certificate_id for line in facts if line.certificate_id})
    values = {"skus": array(skus), "quantities": array(wanted[sku] for sku in skus), "certificates": array(certificates)}
    met = set(session.execute(_RESERVE, values).scalars())
    if len(met) < len(skus):
        short = [line for line in facts if line.sku_id not in met]
        raise LinesRefused(count=len(short), faults=[rules.fault(line, Reason.STOCK_SHORT) for line in short])


def _write(session: Session, actor: Actor, prepared: Prepared, source: Source, request_id: int | None) -> PurchaseOrderOut:
    buyer, head, priced = prepared.buyer, prepared.head, prepared.priced
    # read under the locks: an order and what ended its certificate bear the times of the order in which they were committed
    now = clock.now()
    force = {"certificates": array(line.certificate_id for line in priced), "now": now, "today": clock.shanghai_date(now)}
    total_fen = prepared.total_fen
    total_grams = sum(line.grams for line in priced)
    confirm_by = clock.end_of_day(buyer.confirm_on)
    rows = session.execute(
        _WRITE,
        {
            **head.model_dump(exclude={"lines", "delivery_address_id", "payment_terms"}),
            **force,
            "buyer_id": buyer.id,
            "ordering_unit_id": actor.organisation,
            "purchase_request_id": request_id,
            "source_kind": source.kind,
            "source_id": source.id,
            "user_id": actor.user_id,
            "actor_role": actor.role_name,
            "programme_code": buyer.programme_code,
            "day": clock.shanghai_date(now).strftime("%Y%m%d"),
            "confirm_by": confirm_by,
            "line_count": len(priced),
            "total_fen": total_fen,
            "total_grams": total_grams,
            "detail": json.dumps({"buyer_id": buyer.id, "lines": len(priced), "total_fen": total_fen}),
            "line_nos": array(line.line_no for line in priced),
            "skus": array(line.sku_id for line in priced),
            "products": array(line.product_id for line in priced),
            "suppliers": array(line.supplier_id for line in priced),
            "quantities": array(line.quantity for line in priced),
            "prices": array(line.unit_price_fen for line in priced),
            "amounts": array(line.amount_fen for line in priced),
            "vat_bps": array(line.vat_bp for line in priced),
            "vats": array(line.vat_fen for line in priced),
            "grams": array(line.grams for line in priced),
            "agreement_lines": array(line.agreement_line_id for line in priced),
        },
    ).all()
    if not rows:
        ended = {row.id: row.paused for row in session.execute(_WHICH_ENDED, force)}
        refused = [
            rules.fault(line, Reason.CERTIFICATE_SUSPENDED if ended[line.certificate_id] else Reason.NOT_CERTIFIED)
            for line in prepared.facts
            if line.certificate_id in ended
        ]
        raise LinesRefused(count=len(refused), faults=refused)
    return PurchaseOrderOut(
        **head.model_dump(exclude={"lines", "buyer_id", "delivery_address", "delivery_address_id", "payment_terms"}),
        delivery_address=head.delivery_address or "",
        ordering_unit_id=actor.organisation,
        purchase_request_id=request_id,
        id=rows[0].id,
        number=rows[0].number,
        buyer_id=buyer.id,
        buyer_name=buyer.name,
        source_kind=source.kind,
        source_id=source.id,
        placed_at=now,
        line_count=len(priced),
        total=total_fen,
        total_grams=total_grams,
        freight=0,
        payable=total_fen,
        paid=0,
        announced=0,
        due=total_fen,
        refundable=0,
        payment_terms=prepared.terms,
        payment_extended_days=0,
        dues=[],
        payment_reference=payment_reference(rows[0].id),
        supplier_orders=[
            SupplierOrderBrief(
                id=row.supplier_order_id,
                supplier_id=row.supplier_id,
                supplier_name=row.supplier_name,
                status="placed",
                total=row.total_fen,
                total_grams=row.total_grams,
                freight=0,
                confirm_by=confirm_by,
            )
            for row in rows
        ],
    )
