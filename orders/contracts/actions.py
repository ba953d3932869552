"""Making contracts: at the supplier's confirmation, and a supplement for every change that both sides agreed on."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.contracts import rules
from orders.purchasing import actions as purchasing
from orders.terms import queries as terms
from orders.terms import rules as payment
from shop.core import clock
from shop.core.db import array
from shop.core.errors import IfMatch, any_version
from shop.core.money import yuan_from_fen
from shop.core.numbers import next_numbers
from shop.core.quantities import plain
from shop.identity.actor import Actor
from shop.programmes import queries as programmes
from shop.programmes.schemas import ProgrammeConfig

#: As many contracts are put together at once.
_AT_ONCE = 2_000

_HEADS = text(
    """
    SELECT so.id, so.total_fen, so.freight_fen, coalesce(so.deliver_by, po.deliver_by) AS deliver_by,
           po.number AS order_number, po.placed_at, po.programme_code, po.delivery_address, po.delivery_contact, po.delivery_phone,
           g.name_zh AS programme, s.name AS s_name, s.uscc AS s_uscc, s.address AS s_address, b.name AS b_name, b.uscc AS b_uscc,
           b.address AS b_address, u.name AS u_name, q.terms
    FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id JOIN programme g ON g.code = po.programme_code
    JOIN organisation s ON s.id = so.supplier_id JOIN organisation b ON b.id = po.buyer_id JOIN organisation u ON u.id = po.ordering_unit_id
    JOIN payment_plan q ON q.purchase_order_id = po.id
    WHERE so.id = ANY (CAST(:ids AS bigint[]))
    """
)
_LINES = text(
    """
    SELECT l.supplier_order_id, l.line_no, p.name AS product, s.code AS sku_code, s.pack, s.unit, l.quantity, l.unit_price_fen, l.amount_fen,
           l.vat_bp, l.vat_fen, concat(d.name_zh, t.name_zh, p.village) AS origin, c.number AS certificate
    FROM order_line l JOIN product p ON p.id = l.product_id JOIN sku s ON s.id = l.sku_id JOIN certificate c ON c.id = l.certificate_id
    JOIN region d ON d.code = p.district_code LEFT JOIN region t ON t.code = p.township_code
    WHERE l.supplier_order_id = ANY (CAST(:ids AS bigint[])) AND l.quantity > 0 ORDER BY l.supplier_order_id, l.line_no
    """
)
_SUPPLIERS = text("SELECT id, supplier_id FROM supplier_order WHERE id = ANY (CAST(:ids AS bigint[]))")
_LATEST = text(
    """
    SELECT c.number, (SELECT max(supplement_no) FROM contract WHERE supplier_order_id = :id) AS supplement_no
    FROM contract c WHERE c.supplier_order_id = :id AND c.supplement_no = 0
    """
)
_WRITE = text(
    """
    INSERT INTO contract (supplier_order_id, supplement_no, number, amendment_id, content, sha256, made_at)
    VALUES (:order, :supplement_no, :number, :amendment_id, CAST(:content AS jsonb), :sha256, :made_at)
    """
)


def confirm(session: Session, actor: Actor, supplier_order_id: int, if_match: IfMatch = any_version) -> None:
    """Confirm an order and make its contract, in one transaction: from now on the text stands, whatever becomes of names and prices.

    Raises:
        NotFound, IllegalMove, ConfirmedTooLate: as ``purchasing.confirm``.
    """
    purchasing.confirm(session, actor, supplier_order_id, if_match)
    make(session, {supplier_order_id: clock.now()})


def make(session: Session, confirmed_at: Mapping[int, datetime]) -> None:
    """Make the contracts of orders that were confirmed at these moments, numbered in their order."""
    ids = sorted(confirmed_at, key=lambda each: (confirmed_at[each], each))
    suppliers = {row.id: row.supplier_id for row in session.execute(_SUPPLIERS, {"ids": array(ids)})}
    series = [(clock.shanghai_date(confirmed_at[each]).year, suppliers[each]) for each in ids]
    # each series is locked until the end: always in one order
    drawn = {key: iter(next_numbers(session, rules.series(*key), count)) for key, count in sorted(Counter(series).items())}
    numbers = {each: rules.contract_number(*key, next(drawn[key])) for each, key in zip(ids, series, strict=True)}
    for start in range(0, len(ids), _AT_ONCE):
        some = {each: (numbers[each], confirmed_at[each]) for each in ids[start : start + _AT_ONCE]}
        session.execute(
            _WRITE,
            [
                _row(supplier_order_id, content, 0, None, some[supplier_order_id][1])
                for supplier_order_id, content in _contents(session, some)
            ],
        )


def supplement(session: Session, supplier_order_id: int, amendment_id: int, changes: Sequence[str]) -> str | None:
    """Write down what both sides agreed to change (``changes``: sentences in Chinese) with the order as it stands since; the order is
    locked by the caller. Returns its number, or None for an order that was confirmed before there were contracts."""
    latest = session.execute(_LATEST, {"id": supplier_order_id}).first()
    if latest is None:
        return None
    supplement_no, now = latest.supplement_no + 1, clock.now()
    number = rules.supplement_number(latest.number, supplement_no)
    [(_, content)] = _contents(session, {supplier_order_id: (number, now)})
    session.execute(_WRITE, _row(supplier_order_id, {**content, "changes": list(changes)}, supplement_no, amendment_id, now))
    return number


def _row(
    supplier_order_id: int, content: Mapping[str, Any], supplement_no: int, amendment_id: int | None, made_at: datetime
) -> dict[str, Any]:
    said, sha256 = rules.sealed(content)
    return {
        "order": supplier_order_id,
        "supplement_no": supplement_no,
        "number": content["number"],
        "amendment_id": amendment_id,
        "content": said,
        "sha256": sha256,
        "made_at": made_at,
    }


def _contents(session: Session, wanted: Mapping[int, tuple[str, datetime]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """What the contracts of orders say, each by its number and when it is made; in the order of ``wanted``."""
    asked = {"ids": array(wanted)}
    heads = {row.id: row for row in session.execute(_HEADS, asked)}
    grouped = groupby(session.execute(_LINES, asked), key=lambda row: row.supplier_order_id)
    lines = {supplier_order_id: list(rows) for supplier_order_id, rows in grouped}
    rules_then: dict[date, ProgrammeConfig] = {}
    for supplier_order_id, (number, made_at) in wanted.items():
        head = heads[supplier_order_id]
        ordered_on = clock.shanghai_date(head.placed_at)
        if ordered_on not in rules_then:
            rules_then[ordered_on] = programmes.config_of(session, ordered_on)
        goods = lines.get(supplier_order_id, [])
        yield supplier_order_id, _content(head, goods, rules_then[ordered_on], number, clock.shanghai_date(made_at))


def _content(head: Any, lines: Sequence[Any], rules_then: ProgrammeConfig, number: str, made_on: date) -> dict[str, Any]:
    """Everything that binds the two sides, in words and decimal strings."""
    return {
        "number": number,
        "made_on": made_on.isoformat(),
        "order_number": head.order_number,
        "ordered_on": clock.shanghai_date(head.placed_at).isoformat(),
        "programme": {"code": head.programme_code, "name": head.programme},
        "supplier": {"name": head.s_name, "uscc": head.s_uscc, "address": head.s_address},
        "buyer": {"name": head.b_name, "uscc": head.b_uscc, "address": head.b_address, "ordering_unit": head.u_name},
        "lines": [
            {
                "line_no": row.line_no,
                "product": row.product,
                "sku_code": row.sku_code,
                "pack": row.pack,
                "unit": row.unit,
                "quantity": plain(row.quantity),
                "unit_price": yuan_from_fen(row.unit_price_fen),
                "amount": yuan_from_fen(row.amount_fen),
                "vat_rate": rules.percent(row.vat_bp),
                "vat": yuan_from_fen(row.vat_fen),
                "origin": row.origin,
                "certificate": row.certificate,
            }
            for row in lines
        ],
        "goods": yuan_from_fen(head.total_fen),
        "freight": yuan_from_fen(head.freight_fen),
        "total": yuan_from_fen(head.total_fen + head.freight_fen),
        "delivery": {
            "address": head.delivery_address,
            "contact": head.delivery_contact,
            "phone": head.delivery_phone,
            "deliver_by": head.deliver_by.isoformat() if head.deliver_by else None,
        },
        "payment": payment.words(terms.read(head.terms), rules_then.payment.extension_days),
        "terms": [
            term.format(acceptance=rules_then.ordering.acceptance_working_days) for term in rules_then.ordering.contract_terms
        ],
    }
