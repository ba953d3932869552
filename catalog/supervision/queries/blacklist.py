"""Reads of suppliers that are barred."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.supervision.schemas.blacklist import BarOut
from shop.core import clock, paging
from shop.core.errors import NotFound
from shop.core.paging import Page

_ACTIVE = "(b.lifted_at IS NULL AND b.from_on <= :today AND b.until_on >= :today)"
_BAR = f"""
    SELECT b.*, o.name AS organisation_name, o.uscc AS organisation_uscc, o.region_code, {_ACTIVE} AS active
    FROM blacklist_entry b JOIN organisation o ON o.id = b.organisation_id
"""
_ONE = text(f"{_BAR} WHERE b.id = :id")
_BARS = text(
    f"""{_BAR} WHERE (CAST(:active AS boolean) IS NULL OR {_ACTIVE} = :active)
    AND (CAST(:district AS text) IS NULL OR starts_with(o.region_code, :district))
    AND (CAST(:before AS bigint) IS NULL OR b.id < :before) ORDER BY b.id DESC LIMIT :rows"""
)


def bar(session: Session, entry_id: int) -> BarOut:
    """One entry.

    Raises:
        NotFound: there is none (404).
    """
    row = session.execute(_ONE, {"id": entry_id, "today": clock.today()}).first()
    if row is None:
        raise NotFound
    return _out(row)


def bars(
    session: Session, *, active: bool | None = None, district: str | None = None, limit: int = 50, after: str | None = None
) -> Page[BarOut]:
    """Who is or was barred, everywhere: a supplier barred in one county shall not try the next. The newest first."""
    start = paging.position(after, int)
    values = {"active": active, "district": district, "today": clock.today(), "before": start[0] if start else None}
    return paging.page(session.execute(_BARS, {**values, "rows": limit + 1}).all(), limit, _out, lambda row: [row.id])


def _out(row: Row[Any]) -> BarOut:
    return BarOut.model_validate(row, from_attributes=True)
