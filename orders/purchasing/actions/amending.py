"""Changing the lines of a bound order where both sides agreed; ``orders.amendments`` has their agreement.

Only what is not shipped changes. A smaller quantity stays on its line. Another pack or price becomes a line of its own in the place of
what was open, so that every line keeps one pack and one price, and the stock's movements stay true.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.stock.actions import release
from orders.purchasing import rules
from orders.purchasing.actions.placing import reserve
from orders.purchasing.actions.pricing import facts_of
from orders.purchasing.actions.totals import hold_totals, total_changed
from orders.purchasing.errors import LinesRefused
from orders.purchasing.rules import AgreedLine, LineChange, LineFacts, WantedLine
from shop.core import clock
from shop.core.money import half_up, line_amount, vat_in_gross

_LINES = text("SELECT * FROM order_line WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id FOR UPDATE")
_LOCK_STOCK = text("SELECT sku_id FROM stock WHERE sku_id = ANY (CAST(:skus AS bigint[])) ORDER BY sku_id FOR UPDATE")
_REDUCE = text(
    """
    UPDATE order_line l SET quantity = n.quantity, amount_fen = n.amount_fen, grams = n.grams,
           vat_fen = round(n.amount_fen::numeric * l.vat_bp / (10000 + l.vat_bp))
    FROM (SELECT o.id, o.quantity - u.less AS quantity, round((o.quantity - u.less) * o.unit_price_fen)::bigint AS amount_fen,
                 round(o.grams * (o.quantity - u.less) / o.quantity)::bigint AS grams
          FROM order_line o JOIN unnest(CAST(:ids AS bigint[]), CAST(:less AS numeric[])) AS u (id, less) ON u.id = o.id) n
    WHERE l.id = n.id
    """
)
_ADD = text(
    """
    WITH added AS (
        INSERT INTO order_line (purchase_order_id, supplier_order_id, line_no, sku_id, product_id, certificate_id, quantity, unit_price_fen,
            amount_fen, vat_bp, vat_fen, grams, agreement_line_id, replaces_id, agreed_at)
        SELECT :purchase_order_id, :supplier_order_id,
               (SELECT max(line_no) FROM order_line WHERE purchase_order_id = :purchase_order_id) + u.place,
               u.sku_id, u.product_id, u.certificate_id, u.quantity, u.price, u.amount, u.vat_bp, u.vat, u.grams, u.agreement_line_id,
               u.replaces_id, u.agreed_at
        FROM unnest(CAST(:skus AS bigint[]), CAST(:products AS bigint[]), CAST(:certificates AS bigint[]), CAST(:quantities AS numeric[]),
                CAST(:prices AS bigint[]), CAST(:amounts AS bigint[]), CAST(:vat_bps AS int[]), CAST(:vats AS bigint[]),
                CAST(:grams AS bigint[]), CAST(:agreement_lines AS bigint[]), CAST(:replaced AS bigint[]), CAST(:agreed AS timestamptz[]))
            WITH ORDINALITY AS u (sku_id, product_id, certificate_id, quantity, price, amount, vat_bp, vat, grams, agreement_line_id,
                replaces_id, agreed_at, place)
        RETURNING id, replaces_id, sku_id, quantity
    ), moved AS (
        INSERT INTO stock_movement (sku_id, kind, on_hand, reserved, order_line_id, at)
        SELECT sku_id, 'reserve', 0, quantity, id, :now FROM added
    )
    SELECT id, replaces_id FROM added
    """
)


def amend_lines(session: Session, order: Any, changes: Sequence[LineChange]) -> dict[int, int]:
    """Carry agreed changes out on a supplier order that the caller has locked; returns the new line for each line that was replaced.

    Locks the purchase order, the lines, the stock of all packs concerned (by SKU id) and then the certificates of new ones.

    Raises:
        LinesRefused: a new pack cannot be had: withdrawn, not certified, not enough of it (422).
    """
    hold_totals(session, order.purchase_order_id)
    lines = {row.id: row for row in session.execute(_LINES, {"ids": [change.order_line_id for change in changes]})}
    skus = {line.sku_id for line in lines.values()} | {change.sku_id for change in changes if change.sku_id}
    session.execute(_LOCK_STOCK, {"skus": sorted(skus)})
    less = [change for change in changes if change.given_up]
    release(
        session,
        sku_ids=[lines[change.order_line_id].sku_id for change in less],
        quantities=[change.given_up for change in less],
        order_line_ids=[change.order_line_id for change in less],
    )
    session.execute(_REDUCE, {"ids": [c.order_line_id for c in less], "less": [c.given_up for c in less]})
    added = _add(session, order, lines, [change for change in changes if change.replaces])
    total_changed(session, order.purchase_order_id)
    return added


def substitutes(session: Session, changes: Sequence[LineChange]) -> list[LineFacts]:
    """What the catalogue knows of the other packs that changes put in, each at its agreed price or else that of the list."""
    asked = [
        AgreedLine(change.sku_id, change.quantity, change.unit_price_fen)
        if change.unit_price_fen
        else WantedLine(change.sku_id, change.quantity)
        for change in changes
        if change.sku_id
    ]
    return facts_of(session, asked) if asked else []


def _add(session: Session, order: Any, lines: dict[int, Any], changes: Sequence[LineChange]) -> dict[int, int]:
    if not changes:
        return {}
    new = [change for change in changes if change.sku_id]
    facts = {change.order_line_id: line for change, line in zip(new, substitutes(session, new), strict=True)}
    _refuse_faults(facts.values(), order.buyer_id)
    kept = [_kept(lines[change.order_line_id], change) for change in changes if not change.sku_id]
    wanted = rules.wanted_by_sku([*facts.values(), *kept])
    reserve(session, [*facts.values(), *kept], wanted)
    # once more under the locks: a certificate that ended meanwhile is seen now, and none can end before this is committed
    _refuse_faults(_without_stock(substitutes(session, new)), order.buyer_id)
    now = clock.now()
    made = [_values(lines[change.order_line_id], change, facts.get(change.order_line_id), now) for change in changes]
    names = list(made[0])
    rows = session.execute(
        _ADD,
        {
            **{name: [each[name] for each in made] for name in names},
            "purchase_order_id": order.purchase_order_id,
            "supplier_order_id": order.id,
            "now": now,
        },
    )
    return {row.replaces_id: row.id for row in rows}


def _values(line: Any, change: LineChange, facts: LineFacts | None, now: datetime) -> dict[str, Any]:
    price = change.unit_price_fen or line.unit_price_fen
    amount = line_amount(change.quantity, price)
    new = rules.priced(facts) if facts else None
    vat_bp = new.vat_bp if new else line.vat_bp
    return {
        "skus": new.sku_id if new else line.sku_id,
        "products": new.product_id if new else line.product_id,
        "certificates": new.certificate_id if new else line.certificate_id,
        "quantities": change.quantity,
        "prices": price,
        "amounts": amount,
        "vat_bps": vat_bp,
        "vats": vat_in_gross(amount, vat_bp),
        "grams": new.grams if new else half_up(line.grams * change.quantity / line.quantity),
        "agreement_lines": None if new else line.agreement_line_id,
        "replaced": line.id,
        "agreed": now if new else line.agreed_at,
    }


def _kept(line: Any, change: LineChange) -> LineFacts:
    """The same pack at another price: nothing about it is asked again, its certificate is that under which it was ordered."""
    return LineFacts(
        line_no=line.line_no,
        sku_id=line.sku_id,
        quantity=change.quantity,
        product_id=line.product_id,
        supplier_id=None,
        supplier_approved=True,
        active=True,
        certificate_id=line.certificate_id,
        net_grams=None,
        step=None,
        min_quantity=None,
        vat_bp=line.vat_bp,
        unit_price_fen=change.unit_price_fen,
        available=None,
    )


def _without_stock(facts: list[LineFacts]) -> list[LineFacts]:
    """What is reserved by now is not to be had again."""
    wanted = rules.wanted_by_sku(facts)
    return [replace(line, available=wanted[line.sku_id]) for line in facts]


def _refuse_faults(facts: Iterable[LineFacts], buyer_id: int) -> None:
    lines = list(facts)
    if faults := rules.faults_of(lines, buyer_id, rules.wanted_by_sku(lines)):
        raise LinesRefused(count=len(faults), faults=faults)
