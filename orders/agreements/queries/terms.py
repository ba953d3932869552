"""The terms of an agreement as one document: what both sides sign, and its hash."""

import hashlib
import json
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

_HEAD = text(
    """
    SELECT a.number, a.title, a.fund_source, a.valid_from, a.valid_until, a.terminated_on, a.amount_cap_fen, a.tolerance_percent,
           a.minimum_amount_fen, a.call_off_lead_days, a.auto_order, a.terms, a.payment_terms, buyer.uscc AS buyer, supplier.uscc AS supplier
    FROM agreement a JOIN organisation buyer ON buyer.id = a.buyer_id JOIN organisation supplier ON supplier.id = a.supplier_id
    WHERE a.id = :id
    """
)
_LINES = text(
    """
    SELECT l.line_no, s.code AS sku, p.name AS product, s.pack, l.price_kind, l.unit_price_fen, l.percent_off, l.quantity_cap,
           l.amount_cap_fen, l.minimum_quantity,
           (SELECT jsonb_agg(jsonb_build_array(t.min_quantity::text, t.unit_price_fen) ORDER BY t.min_quantity)
            FROM agreement_price_tier t WHERE t.agreement_line_id = l.id) AS tiers
    FROM agreement_line l JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id WHERE l.agreement_id = :id ORDER BY l.line_no
    """
)
_PLACES = text("SELECT name, address, contact, phone, unit_id FROM delivery_place WHERE agreement_id = :id ORDER BY id")
_ENTRIES = text(
    """
    SELECT l.line_no, d.name AS place, e.weekdays, e.every_weeks, e.quantity, e.starts_on, e.ends_on, e.in_term_only, e.skips_public_holidays
    FROM schedule_entry e JOIN agreement_line l ON l.id = e.agreement_line_id JOIN delivery_place d ON d.id = e.delivery_place_id
    WHERE l.agreement_id = :id AND NOT e.ended ORDER BY e.id
    """
)


def document_of(session: Session, agreement_id: int) -> tuple[str, str]:
    """The present terms as canonical JSON (sorted keys, dates and decimals as text, amounts in fen), and its SHA-256 in hexadecimal."""
    parts = {name: _rows(session, statement, agreement_id) for name, statement in _PARTS.items()}
    document = json.dumps(
        {**_rows(session, _HEAD, agreement_id)[0], **parts}, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str
    )
    return document, hashlib.sha256(document.encode()).hexdigest()


_PARTS = {"lines": _LINES, "places": _PLACES, "schedule": _ENTRIES}


def _rows(session: Session, statement: Any, agreement_id: int) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in session.execute(statement, {"id": agreement_id})]
