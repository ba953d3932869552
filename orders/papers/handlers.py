"""Who hears of papers."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.purchasing.handlers import part, tell
from shop.core.outbox import Handler

_BY_SUPPLIER = text(
    """
    SELECT p.supplier_order_id, u.organisation_id = p.supplier_id AS by_supplier
    FROM order_paper p JOIN app_user u ON u.id = p.uploaded_by WHERE p.id = :id
    """
)


def _uploaded(session: Session, payload: dict[str, Any]) -> None:
    """The other side has a paper to look at."""
    paper = session.execute(_BY_SUPPLIER, {"id": payload["paper_id"]}).one()
    each = part(session, paper.supplier_order_id)
    tell(session, "paper.uploaded", payload["paper_id"], each, each.buyer_id if paper.by_supplier else each.supplier_id)


HANDLERS: dict[str, Handler] = {"paper.uploaded": _uploaded}
