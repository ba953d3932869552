"""Reading papers, each within the reach of its order."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.papers.rules import PaperKind
from orders.papers.schemas import PaperOut
from orders.purchasing import queries as purchasing
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor

_PAPER = """
    SELECT p.*, p.amount_fen AS amount, f.name AS file_name, f.name, f.content_type, f.size, f.sha256, f.storage_key
    FROM order_paper p JOIN stored_file f ON f.id = p.file_id WHERE p.supplier_order_id = :id
"""
_PAGE = text(
    f"""{_PAPER}
      AND (CAST(:kind AS text) IS NULL OR p.kind = :kind) AND (CAST(:start AS bigint) IS NULL OR p.id > :start)
    ORDER BY p.id LIMIT :rows
    """
)


def papers(
    session: Session, actor: Actor, supplier_order_id: int, *, kind: PaperKind | None, limit: int, after: str | None
) -> Page[PaperOut]:
    """The papers of an order, oldest first, for both sides and the officers of either region.

    Raises:
        NotFound: no such order within the caller's reach.
    """
    purchasing.require_reach(session, actor, supplier_order_id)
    start = paging.position(after, int)
    values = {"id": supplier_order_id, "kind": kind, "start": start[0] if start else None, "rows": limit + 1}
    return paging.page(session.execute(_PAGE, values).all(), limit, _shown, lambda row: [row.id])


def paper(session: Session, actor: Actor, supplier_order_id: int, paper_id: int) -> PaperOut:
    """One of them.

    Raises:
        NotFound: no such paper within the caller's reach.
    """
    return _shown(file(session, actor, supplier_order_id, paper_id))


def file(session: Session, actor: Actor, supplier_order_id: int, paper_id: int) -> Any:
    """One paper's row with its stored file.

    Raises:
        NotFound: as :func:`paper`.
    """
    purchasing.require_reach(session, actor, supplier_order_id)
    row = session.execute(text(f"{_PAPER} AND p.id = :paper"), {"id": supplier_order_id, "paper": paper_id}).first()
    if row is None:
        raise NotFound
    return row


def _shown(row: Any) -> PaperOut:
    return PaperOut(**{name: getattr(row, name) for name in PaperOut.model_fields})
