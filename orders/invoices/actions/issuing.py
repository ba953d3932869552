"""Issuing invoices for what was accepted, and sending them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.invoices import positions, rules
from orders.invoices.actions.crediting import credit_note_series, follow, hold
from orders.invoices.errors import ExemptionNeeded, NotAccepted, NothingToInvoice
from orders.invoices.rules import CreditReason
from orders.invoices.schemas import IssueIn
from orders.invoices.states import INVOICE, InvoiceMove, possible
from orders.ledger.booking import LOCK
from orders.purchasing.actions.moving import locked
from shop.core import audit, clock, numbers, outbox
from shop.core.audit import SYSTEM, Who
from shop.core.db import array
from shop.core.errors import Fault, IfMatch, NotFound, any_version
from shop.core.money import vat_in_gross
from shop.core.quantities import THOUSANDTH
from shop.core.states import IllegalMove
from shop.identity.actor import Actor
from shop.programmes import queries as programmes
from shop.programmes.invoicing import Exemption, Ground, grounds_on

_SALES = text(
    """
    SELECT e.id FROM sale_entry e JOIN supplier_order so ON so.purchase_order_id = e.order_id AND so.id = e.supplier_order_id
    WHERE so.id = :id AND e.reverses_id IS NULL ORDER BY e.id
    """
)
# every order its suppliers in one order, so that two that move never wait for each other's number series in a ring
_PARTS = text(
    "SELECT id FROM supplier_order WHERE purchase_order_id = :id AND status IN ('partly_accepted', 'accepted') ORDER BY supplier_id, id"
)
_OPEN = text(positions.OPEN_LINES)
_HEAD = text(
    f"""
    SELECT so.id, so.purchase_order_id, so.supplier_id, supplier.kind AS seller_kind, {positions.FREIGHT_LEFT.format(part="so.id")} AS freight_fen,
           rated.vat_bp AS freight_bp, rated.product_kind AS freight_kind, rated.category AS freight_category
    FROM supplier_order so JOIN organisation supplier ON supplier.id = so.supplier_id
    CROSS JOIN LATERAL (
        SELECT l.vat_bp, p.kind AS product_kind, p.category
        FROM order_line l JOIN product p ON p.id = l.product_id WHERE l.supplier_order_id = so.id
        ORDER BY CASE WHEN :main THEN sum(l.amount_fen) OVER (PARTITION BY l.vat_bp) END DESC NULLS LAST, l.vat_bp DESC, l.amount_fen DESC, l.id LIMIT 1
    ) rated
    WHERE so.id = :id
    """  # noqa: S608
)
_ACCEPTED = text(
    "SELECT shipment_id, id FROM acceptance WHERE supplier_order_id = :id AND shipment_id = ANY (CAST(:shipments AS bigint[]))"
)
_SIDE = "jsonb_build_object('name', {0}.name, 'uscc', {0}.uscc, 'address', {0}.address)"
_WRITE = text(
    f"""
    WITH given AS (
        SELECT * FROM unnest(CAST(:sales AS bigint[]), CAST(:acceptances AS bigint[]), CAST(:order_lines AS bigint[]), CAST(:quantities AS numeric[]),
            CAST(:amounts AS bigint[]), CAST(:rates AS int[]), CAST(:vats AS bigint[]), CAST(:exemptions AS text[])) WITH ORDINALITY
          AS u (sale_entry_id, acceptance_id, order_line_id, quantity, amount_fen, vat_bp, vat_fen, exemption, line_no)
    ), made AS (
        INSERT INTO invoice (number, seller_id, year, serial, buyer_id, ordering_unit_id, purchase_order_id, supplier_order_id, seller, buyer,
            issued_on, issued_at, issued_by, note, line_count, gross_fen, vat_fen, status, credited_fen)
        SELECT :number, so.supplier_id, :year, :serial, po.buyer_id, po.ordering_unit_id, po.id, so.id, {_SIDE.format("supplier")},
               {_SIDE.format("buyer")}, :today, :now, :user, :note, (SELECT count(*) FROM given), (SELECT sum(amount_fen) FROM given),
               (SELECT sum(vat_fen) FROM given), 'issued', 0
        FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id
        JOIN organisation supplier ON supplier.id = so.supplier_id JOIN organisation buyer ON buyer.id = po.buyer_id
        WHERE so.id = :id RETURNING id, supplier_order_id, gross_fen
    ), lines AS (
        INSERT INTO invoice_line (invoice_id, line_no, kind, supplier_order_id, sale_entry_id, acceptance_id, order_line_id, name, sku_code, pack,
            unit, quantity, unit_price_fen, amount_fen, vat_bp, vat_fen, exemption, returned_quantity, returned_fen, reduced_fen)
        SELECT made.id, g.line_no, CASE WHEN g.sale_entry_id IS NULL THEN 'freight' ELSE 'goods' END, made.supplier_order_id, g.sale_entry_id,
               g.acceptance_id, g.order_line_id, coalesce(p.name, '运费'), s.code, s.pack, s.unit, g.quantity,
               coalesce(l.unit_price_fen, g.amount_fen), g.amount_fen, g.vat_bp, g.vat_fen, g.exemption, 0, 0, 0
        FROM given g CROSS JOIN made
        LEFT JOIN order_line l ON l.id = g.order_line_id LEFT JOIN sku s ON s.id = l.sku_id LEFT JOIN product p ON p.id = l.product_id
    )
    SELECT id, gross_fen FROM made
    """  # noqa: S608
)
_LOCK = text(
    """
    SELECT i.id, i.status, i.version, i.sent_at, supplier.path FROM invoice i JOIN organisation supplier ON supplier.id = i.seller_id
    WHERE i.id = :id FOR UPDATE OF i
    """
)
_SEND = text("UPDATE invoice SET status = :status, sent_at = :now, sent_by = :user, version = version + 1 WHERE id = :id")


def issue(session: Session, actor: Actor, supplier_order_id: int, body: IssueIn) -> int:
    """Invoice what was accepted of a part of an order and is not invoiced yet: all of it, or the deliveries named; freight goes with the first
    invoice. Returns the invoice's id.

    The order and its sales are locked: what was accepted is invoiced once, and as much of it as is sold at this moment.

    Raises:
        NotFound: not an order to the caller's organisation (404). NothingToInvoice: nothing is left (409).
        NotAccepted: a delivery that is not of this order, or not accepted (422). ExemptionNeeded: a line without VAT needs a reason (422).
    """
    locked(session, actor, supplier_order_id, "supplier")
    acceptances = None
    if body.shipment_ids:
        wanted = {"id": supplier_order_id, "shipments": array(body.shipment_ids)}
        accepted = {row.shipment_id: row.id for row in session.execute(_ACCEPTED, wanted)}
        acceptances = list(accepted.values())
        if unknown := [index for index, one in enumerate(body.shipment_ids) if one not in accepted]:
            raise NotAccepted(
                faults=[Fault(f"shipment_ids[{n}]", NotAccepted.code, NotAccepted.zh, NotAccepted.en) for n in unknown]
            )
    # as returns and corrections lock what they take back
    session.execute(LOCK, {"entry_ids": session.execute(_SALES, {"id": supplier_order_id}).scalars().all()})
    invoice_id = _issue(session, actor, supplier_order_id, acceptances, said=body.exemptions, note=body.note)
    if body.send:
        send(session, actor, invoice_id)
    return invoice_id


def after_acceptance(
    session: Session, supplier_order_id: int, acceptance_id: int | None = None, sale_ids: Sequence[int] | None = None
) -> None:
    """Issue and send the invoice of what was booked just now, if the programme has it so: of an acceptance, of some of its sales, or of all that
    is open of the order's part. The caller booked these sales itself, or holds them locked, so that nobody takes them back meanwhile.

    Where a line needs a reason for its exemption that only the seller can say, nothing is issued: it stays among what is not invoiced.
    """
    if programmes.config_of(session, clock.today()).invoicing.invoices != "acceptance":
        return
    acceptances = [acceptance_id] if acceptance_id else None
    try:
        invoice_id = _issue(session, SYSTEM, supplier_order_id, acceptances, sale_ids=sale_ids)
    except (ExemptionNeeded, NothingToInvoice):
        return
    _send(session, SYSTEM, session.execute(_LOCK, {"id": invoice_id}).one())


def move(session: Session, purchase_order_id: int) -> None:
    """An order belongs to another buyer from now on: its invoices are credited, and issued to the new one, as the programme has it."""
    for supplier_order_id in session.execute(_PARTS, {"id": purchase_order_id}).scalars().all():
        follow(session, supplier_order_id, CreditReason.REASSIGNMENT)
        after_acceptance(session, supplier_order_id, None)


def send(session: Session, actor: Actor, invoice_id: int, if_match: IfMatch = any_version) -> None:
    """Send an invoice to its buyer.

    Raises:
        NotFound: not an invoice of the caller's organisation (404). IllegalMove: it was sent before (409).
    """
    row = session.execute(_LOCK, {"id": invoice_id}).first()
    if row is None or not actor.within_branch(row.path):
        raise NotFound
    if_match(row.version)
    _send(session, actor, row)


def _send(session: Session, who: Who, row: Any) -> None:
    if row.sent_at is not None:
        raise IllegalMove(state=row.status, action=InvoiceMove.SEND, allowed=possible(row.status, sent=True))
    status = INVOICE.after(row.status, InvoiceMove.SEND)
    session.execute(_SEND, {"id": row.id, "status": status, "now": clock.now(), "user": who.user_id})
    audit.record(session, who, "invoice.sent", "invoice", row.id)
    outbox.publish(session, "invoice.sent", invoice_id=row.id)


def _issue(
    session: Session,
    who: Who,
    supplier_order_id: int,
    acceptances: Sequence[int] | None,
    *,
    said: Sequence[Exemption] = (),
    note: str | None = None,
    sale_ids: Sequence[int] | None = None,
) -> int:
    reduced = hold(session, supplier_order_id)
    now = clock.now()
    today = clock.shanghai_date(now)
    invoicing = programmes.config_of(session, today).invoicing
    grounds = grounds_on(invoicing.exemptions, today)
    head = session.execute(_HEAD, {"id": supplier_order_id, "main": invoicing.freight_rate == "main"}).one()
    wanted = {
        "id": supplier_order_id,
        "acceptances": array(acceptances) if acceptances else None,
        "sales": None if sale_ids is None else array(sale_ids),
    }
    lines = session.execute(_OPEN, wanted).all()
    if not lines and not (head.freight_fen and not acceptances):
        raise NothingToInvoice
    rows: list[tuple[Any, ...]] = [
        (
            line.sale_entry_id,
            line.acceptance_id,
            line.order_line_id,
            line.quantity,
            line.amount_fen,
            line.vat_bp,
            _exemption(grounds, head, line.product_kind, line.category, said) if line.vat_bp == 0 else None,
        )
        for line in lines
    ]
    if head.freight_fen:
        # freight is part of the price of the goods, and exempt where they are
        reason = _exemption(grounds, head, head.freight_kind, head.freight_category, said) if head.freight_bp == 0 else None
        rows.append((None, None, None, THOUSANDTH * 1000, head.freight_fen, head.freight_bp, reason))
    sales, of_acceptances, order_lines, quantities, amounts, rates, exemptions = zip(*rows, strict=True)
    year = today.year
    if reduced:  # whoever needs numbers of both series takes that of credit notes first
        numbers.next_numbers(session, credit_note_series(head.supplier_id, year), 0)
    serial = numbers.next_number(session, f"invoice:{head.supplier_id}:{year}")
    made = session.execute(
        _WRITE,
        {
            "now": now,
            "today": today,
            "id": supplier_order_id,
            "number": f"FP{year}-{head.supplier_id:06}-{serial:06}",
            "year": year,
            "serial": serial,
            "user": who.user_id,
            "note": note,
            "sales": array(sales),
            "acceptances": array(of_acceptances),
            "order_lines": array(order_lines),
            "quantities": array(quantities),
            "amounts": array(amounts),
            "rates": array(rates),
            "vats": array(vat_in_gross(amount, rate) for amount, rate in zip(amounts, rates, strict=True)),
            "exemptions": list(exemptions),
        },
    ).one()
    audit.record(session, who, "invoice.issued", "invoice", made.id, gross_fen=made.gross_fen, lines=len(rows))
    if reduced:  # what a dispute gave back before it was invoiced
        follow(session, supplier_order_id, CreditReason.PRICE_REDUCTION)
    return int(made.id)


def _exemption(grounds: Sequence[Ground], head: Any, product_kind: str, category: str, said: Sequence[Exemption]) -> Exemption:
    found = rules.exemption_of(grounds, head.seller_kind, product_kind, category, said)
    if found is None:
        raise ExemptionNeeded(faults=[Fault("exemptions", ExemptionNeeded.code, ExemptionNeeded.zh, ExemptionNeeded.en)])
    return found
