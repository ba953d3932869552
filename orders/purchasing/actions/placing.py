"""Placing a purchase order: price, reserve, write. Three statements, whether it has one line or ten thousand."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.purchasing import rules
from orders.purchasing.errors import BuyerNotApproved, LinesRefused, NotYourUnit, OutsideProgramme
from orders.purchasing.rules import LineFacts, PricedLine, Reason
from orders.purchasing.schemas import OrderHeadIn, OrderLineIn, PurchaseOrderOut, SupplierOrderBrief
from shop.core import clock
from shop.core.errors import NotFound
from shop.core.money import MAX_FEN
from shop.identity.actor import Actor

_BUYER = text(
    """
    SELECT o.id, o.name, o.status, o.path,
           (SELECT p.code FROM programme p WHERE p.valid_from <= :today AND (p.valid_to IS NULL OR p.valid_to > :today)) AS programme_code
    FROM organisation o WHERE o.id = :buyer_id
    """
)

_FACTS = text(
    """
    SELECT w.line_no::int, w.sku_id, w.quantity, p.id AS product_id, p.supplier_id, o.status = 'approved' AS supplier_approved,
           (s.status = 'active' AND p.status = 'active') AS active, c.id AS certificate_id, s.net_grams, s.step, s.min_quantity,
           s.vat_bp, t.unit_price_fen, k.on_hand - k.reserved AS available
    FROM unnest(CAST(:skus AS bigint[]), CAST(:quantities AS numeric[])) WITH ORDINALITY AS w (sku_id, quantity, line_no)
    LEFT JOIN sku s ON s.id = w.sku_id
    LEFT JOIN product p ON p.id = s.product_id
    LEFT JOIN organisation o ON o.id = p.supplier_id
    LEFT JOIN stock k ON k.sku_id = s.id
    LEFT JOIN LATERAL (
        SELECT unit_price_fen FROM price_tier WHERE sku_id = s.id AND min_quantity <= w.quantity ORDER BY min_quantity DESC LIMIT 1
    ) t ON true
    LEFT JOIN LATERAL (
        SELECT id FROM certificate
        WHERE product_id = p.id AND supplier_id = p.supplier_id AND valid_until >= :today AND valid_from <= :today
          AND suspended_at IS NULL AND revoked_at IS NULL
        ORDER BY valid_until DESC LIMIT 1
    ) c ON true
    ORDER BY w.line_no
    """
)

# Rows are locked in the order of their ids, so that two orders with the same goods never wait for each other in a circle. The UPDATE looks
# at the newest version of each row: of two orders for the last unit one finds nothing left, whatever both of them read before.
_RESERVE = text(
    """
    WITH wanted AS (
        SELECT sku_id, quantity FROM unnest(CAST(:skus AS bigint[]), CAST(:quantities AS numeric[])) AS u (sku_id, quantity)
    ), locked AS MATERIALIZED (
        SELECT sku_id FROM stock WHERE sku_id = ANY (CAST(:skus AS bigint[])) ORDER BY sku_id FOR UPDATE
    )
    UPDATE stock SET reserved = stock.reserved + wanted.quantity
    FROM wanted JOIN locked USING (sku_id)
    WHERE stock.sku_id = wanted.sku_id AND stock.on_hand - stock.reserved >= wanted.quantity
    RETURNING stock.sku_id
    """
)

_WRITE = text(
    """
    WITH placed AS (
        INSERT INTO purchase_order (id, number, buyer_id, placed_by, programme_code, fund_source, platform, declared_relation_id,
            buyer_reference, delivery_address, delivery_contact, delivery_phone, line_count, total_fen, total_grams, placed_at)
        SELECT n.id, 'PO' || CAST(:day AS text) || lpad(n.id::text, greatest(6, length(n.id::text)), '0'), :buyer_id, :user_id,
            :programme_code, :fund_source, :platform, CAST(:declared_relation_id AS bigint), :buyer_reference, :delivery_address,
            :delivery_contact, :delivery_phone, :line_count, :total_fen, :total_grams, :now
        FROM (SELECT nextval(pg_get_serial_sequence('purchase_order', 'id')) AS id) n
        RETURNING id, number
    ), wanted AS (
        SELECT * FROM unnest(CAST(:line_nos AS int[]), CAST(:skus AS bigint[]), CAST(:products AS bigint[]), CAST(:suppliers AS bigint[]),
            CAST(:certificates AS bigint[]), CAST(:quantities AS numeric[]), CAST(:prices AS bigint[]), CAST(:amounts AS bigint[]),
            CAST(:vat_bps AS int[]), CAST(:vats AS bigint[]), CAST(:grams AS bigint[]))
          AS u (line_no, sku_id, product_id, supplier_id, certificate_id, quantity, unit_price_fen, amount_fen, vat_bp, vat_fen, grams)
    ), split AS (
        INSERT INTO supplier_order (purchase_order_id, supplier_id, total_fen, total_grams)
        SELECT placed.id, w.supplier_id, sum(w.amount_fen), sum(w.grams)
        FROM wanted w CROSS JOIN placed GROUP BY placed.id, w.supplier_id ORDER BY w.supplier_id
        RETURNING id, supplier_id, total_fen, total_grams
    ), lines AS (
        INSERT INTO order_line (purchase_order_id, supplier_order_id, line_no, sku_id, product_id, certificate_id, quantity,
            unit_price_fen, amount_fen, vat_bp, vat_fen, grams)
        SELECT placed.id, split.id, w.line_no, w.sku_id, w.product_id, w.certificate_id, w.quantity,
            w.unit_price_fen, w.amount_fen, w.vat_bp, w.vat_fen, w.grams
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
    """
)


def place(session: Session, actor: Actor, head: OrderHeadIn, lines: Sequence[OrderLineIn]) -> PurchaseOrderOut:
    """Order all lines or none: priced by tier, stock reserved, split into one order per supplier.

    Raises:
        NotFound, NotYourUnit: the budget unit is unknown, or not the caller's own or one below it.
        BuyerNotApproved, OutsideProgramme: nobody can order in this state of affairs (409).
        LinesRefused: lines that cannot be met, each with its reason (422).
    """
    buyer = _buyer(session, actor, head.buyer_id)
    facts = _facts(session, lines)
    wanted = rules.wanted_by_sku(facts)
    if faults := rules.faults_of(facts, buyer.id, wanted):
        raise LinesRefused(count=len(faults), faults=faults)
    priced = [rules.priced(line) for line in facts]
    _check_total(facts, priced)
    _reserve(session, facts, wanted)
    return _write(session, actor, head, buyer, priced)


def _buyer(session: Session, actor: Actor, buyer_id: int | None) -> Any:
    row = session.execute(_BUYER, {"buyer_id": buyer_id or actor.organisation, "today": clock.today()}).first()
    if row is None:
        raise NotFound
    if not actor.within_branch(row.path):
        raise NotYourUnit
    if row.status != "approved":
        raise BuyerNotApproved
    if row.programme_code is None:
        raise OutsideProgramme
    return row


def _facts(session: Session, lines: Sequence[OrderLineIn]) -> list[LineFacts]:
    rows = session.execute(
        _FACTS,
        {
            "skus": [line.sku_id for line in lines],
            "quantities": [line.quantity for line in lines],
            "today": clock.today(),
        },
    )
    return [LineFacts(*row) for row in rows]


def _check_total(facts: list[LineFacts], priced: list[PricedLine]) -> None:
    if sum(line.amount_fen for line in priced) > MAX_FEN:
        largest = max(range(len(priced)), key=lambda i: priced[i].amount_fen)
        raise LinesRefused(count=1, faults=[rules.fault(facts[largest], Reason.AMOUNT_TOO_LARGE)])


def _reserve(session: Session, facts: list[LineFacts], wanted: dict[int, Decimal]) -> None:
    skus = sorted(wanted)
    met = set(session.execute(_RESERVE, {"skus": skus, "quantities": [wanted[sku] for sku in skus]}).scalars())
    if len(met) < len(skus):
        short = [line for line in facts if line.sku_id not in met]
        raise LinesRefused(count=len(short), faults=[rules.fault(line, Reason.STOCK_SHORT) for line in short])


def _write(session: Session, actor: Actor, head: OrderHeadIn, buyer: Any, priced: list[PricedLine]) -> PurchaseOrderOut:
    now = clock.now()
    total_fen = sum(line.amount_fen for line in priced)
    total_grams = sum(line.grams for line in priced)
    rows = session.execute(
        _WRITE,
        {
            **head.model_dump(exclude={"lines"}),
            "buyer_id": buyer.id,
            "user_id": actor.user_id,
            "actor_role": actor.role_name,
            "programme_code": buyer.programme_code,
            "day": clock.shanghai_date(now).strftime("%Y%m%d"),
            "now": now,
            "line_count": len(priced),
            "total_fen": total_fen,
            "total_grams": total_grams,
            "detail": json.dumps({"buyer_id": buyer.id, "lines": len(priced), "total_fen": total_fen}),
            "line_nos": [line.line_no for line in priced],
            "skus": [line.sku_id for line in priced],
            "products": [line.product_id for line in priced],
            "suppliers": [line.supplier_id for line in priced],
            "certificates": [line.certificate_id for line in priced],
            "quantities": [line.quantity for line in priced],
            "prices": [line.unit_price_fen for line in priced],
            "amounts": [line.amount_fen for line in priced],
            "vat_bps": [line.vat_bp for line in priced],
            "vats": [line.vat_fen for line in priced],
            "grams": [line.grams for line in priced],
        },
    ).all()
    return PurchaseOrderOut(
        **head.model_dump(exclude={"lines", "buyer_id"}),
        id=rows[0].id,
        number=rows[0].number,
        buyer_id=buyer.id,
        buyer_name=buyer.name,
        placed_at=now,
        line_count=len(priced),
        total=total_fen,
        total_grams=total_grams,
        payable=total_fen,
        paid=0,
        supplier_orders=[
            SupplierOrderBrief(
                id=row.supplier_order_id,
                supplier_id=row.supplier_id,
                supplier_name=row.supplier_name,
                status="placed",
                total=row.total_fen,
                total_grams=row.total_grams,
            )
            for row in rows
        ],
    )
