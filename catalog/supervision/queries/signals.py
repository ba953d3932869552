"""Reads of signals of low ratings."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.reach import IN_REGION, regions
from catalog.supervision.schemas.signals import QualitySignalOut
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_SIGNAL = f"""
    SELECT q.*, c.number AS certificate_number, c.product_id, c.product_name, c.supplier_id, c.supplier_name, c.district_code,
           o.path AS supplier_path
    FROM quality_signal q JOIN certificate c ON c.id = q.certificate_id JOIN organisation o ON o.id = c.supplier_id
    WHERE {IN_REGION}
"""
_ONE = text(f"{_SIGNAL} AND q.id = :id")
_PAGE = text(
    f"{_SIGNAL} AND (CAST(:open AS boolean) IS NULL OR (q.cleared_at IS NULL) = :open)"
    " AND (CAST(:district AS text) IS NULL OR c.district_code = :district)"
    " AND (CAST(:start AS bigint) IS NULL OR q.id < :start) ORDER BY q.id DESC LIMIT :rows"
)


def signal_row(session: Session, actor: Actor, signal_id: int) -> Row[Any]:
    """One signal.

    Raises:
        NotFound: there is none within the caller's reach (404).
    """
    row = session.execute(_ONE, {"id": signal_id, **regions(actor, Permission.SUPERVISION_READ)}).first()
    if row is None:
        raise NotFound
    return row


def signal(session: Session, actor: Actor, signal_id: int) -> QualitySignalOut:
    """The same, to be shown. Raises as :func:`signal_row`."""
    return _out(signal_row(session, actor, signal_id))


def signals(
    session: Session, actor: Actor, *, open: bool | None, district: str | None, limit: int, after: str | None
) -> Page[QualitySignalOut]:
    """The signals of the caller's region, the newest first."""
    start = paging.position(after, int)
    values = {"open": open, "district": district, "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_PAGE, {**values, **regions(actor, Permission.SUPERVISION_READ)}).all()
    return paging.page(rows, limit, _out, lambda row: [row.id])


def _out(row: Row[Any]) -> QualitySignalOut:
    return QualitySignalOut.model_validate(row, from_attributes=True)
