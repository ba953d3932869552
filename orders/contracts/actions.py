"""Making contracts: at the supplier's confirmation, and a supplement for every change that both sides agreed on."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.contracts import rules
from orders.purchasing import actions as purchasing
from orders.terms import queries as terms
from orders.terms import rules as payment
from shop.core import clock
from shop.core.money import yuan_from_fen
from shop.core.numbers import next_number
from shop.core.quantities import plain
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

_HEAD = text(
    """
    SELECT so.id, so.purchase_order_id, so.supplier_id, so.total_fen, so.freight_fen, coalesce(so.deliver_by, po.deliver_by) AS deliver_by,
           po.number AS order_number, po.placed_at, po.programme_code, po.delivery_address, po.delivery_contact, po.delivery_phone,
           g.name_zh AS programme, s.name AS s_name, s.uscc AS s_uscc, s.address AS s_address, b.name AS b_name, b.uscc AS b_uscc,
           b.address AS b_address, u.name AS u_name
    FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id JOIN programme g ON g.code = po.programme_code
    JOIN organisation s ON s.id = so.supplier_id JOIN organisation b ON b.id = po.buyer_id JOIN organisation u ON u.id = po.ordering_unit_id
    WHERE so.id = :id
    """
)
_LINES = text(
    """
    SELECT l.line_no, p.name AS product, s.code AS sku_code, s.pack, s.unit, l.quantity, l.unit_price_fen, l.amount_fen, l.vat_bp, l.vat_fen,
           concat(d.name_zh, t.name_zh, p.village) AS origin, c.number AS certificate
    FROM order_line l JOIN product p ON p.id = l.product_id JOIN sku s ON s.id = l.sku_id JOIN certificate c ON c.id = l.certificate_id
    JOIN region d ON d.code = p.district_code LEFT JOIN region t ON t.code = p.township_code
    WHERE l.supplier_order_id = :id AND l.quantity > 0 ORDER BY l.line_no
    """
)
_LATEST = text(
    """
    SELECT c.number, (SELECT max(supplement_no) FROM contract WHERE supplier_order_id = :id) AS supplement_no
    FROM contract c WHERE c.supplier_order_id = :id AND c.supplement_no = 0
    """
)
_WRITE = text(
    """
    INSERT INTO contract (supplier_order_id, supplement_no, number, amendment_id, content, sha256, made_at)
    VALUES (:order, :supplement_no, :number, :amendment_id, CAST(:content AS jsonb), :sha256, :now)
    """
)


def confirm(session: Session, actor: Actor, supplier_order_id: int) -> None:
    """Confirm an order and make its contract, in one transaction: from now on the text stands, whatever becomes of names and prices.

    Raises:
        NotFound, IllegalMove, ConfirmedTooLate: as ``purchasing.confirm``.
    """
    purchasing.confirm(session, actor, supplier_order_id)
    head = session.execute(_HEAD, {"id": supplier_order_id}).one()
    year = clock.today().year
    number = rules.contract_number(year, head.supplier_id, next_number(session, rules.series(year, head.supplier_id)))
    _write(session, head, number, 0, None, [])


def supplement(session: Session, supplier_order_id: int, amendment_id: int, changes: Sequence[str]) -> str | None:
    """Write down what both sides agreed to change (``changes``: sentences in Chinese) with the order as it stands since; the order is
    locked by the caller. Returns its number, or None for an order that was confirmed before there were contracts."""
    latest = session.execute(_LATEST, {"id": supplier_order_id}).first()
    if latest is None:
        return None
    head = session.execute(_HEAD, {"id": supplier_order_id}).one()
    supplement_no = latest.supplement_no + 1
    number = rules.supplement_number(latest.number, supplement_no)
    _write(session, head, number, supplement_no, amendment_id, changes)
    return number


def _write(session: Session, head: Any, number: str, supplement_no: int, amendment_id: int | None, changes: Sequence[str]) -> None:
    content = _content(session, head, number) | ({"changes": list(changes)} if supplement_no else {})
    session.execute(
        _WRITE,
        {
            "order": head.id,
            "supplement_no": supplement_no,
            "number": number,
            "amendment_id": amendment_id,
            "content": json.dumps(content, ensure_ascii=False),
            "sha256": rules.digest(content),
            "now": clock.now(),
        },
    )


def _content(session: Session, head: Any, number: str) -> dict[str, Any]:
    """Everything that binds the two sides, in words and decimal strings."""
    rules_then = programmes.config_of(session, clock.shanghai_date(head.placed_at))
    plan = terms.plan(session, head.purchase_order_id)
    return {
        "number": number,
        "made_on": clock.today().isoformat(),
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
            for row in session.execute(_LINES, {"id": head.id})
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
        "payment": payment.words(terms.read(plan.terms), rules_then.payment.extension_days),
        "terms": [
            term.format(acceptance=rules_then.ordering.acceptance_working_days) for term in rules_then.ordering.contract_terms
        ],
    }
