"""Keyset paging: ``?limit=50&after=<cursor>``. A page costs the same wherever it lies, and nothing is skipped or shown twice."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from shop.core.errors import Invalid
from shop.core.quantities import storable

T = TypeVar("T")
R = TypeVar("R")


class Page(BaseModel, Generic[T]):
    """One page of a list; ``next`` is the cursor for the following one, null on the last."""

    items: list[T]
    next: str | None = None


Limit = Annotated[int, Query(ge=1, le=200, description="rows in a page")]
After = Annotated[
    str | None, Query(max_length=500, description="cursor: `next` of the page before, of the same list with the same filters")
]


#: Which list is read just now: a part of its cursors.
_LIST: ContextVar[str | None] = ContextVar("list", default=None)
#: Parameters that say how much of a list is shown, and how, not what is in it.
_SHOWN = frozenset({"after", "limit", "format"})


@contextmanager
def of_list(address: str, filters: Iterable[tuple[str, str]] = ()) -> Iterator[None]:
    """Cursors that are made and read within belong to the list at an address with its filters, as they were given: those of another would begin
    somewhere in it, and look right."""
    asked = sorted((name, value) for name, value in filters if value and name not in _SHOWN)
    before = _LIST.set(hashlib.sha256(json.dumps([address, asked]).encode()).hexdigest()[:8])
    try:
        yield
    finally:
        _LIST.reset(before)


def cursor(values: Sequence[Any]) -> str:
    """An opaque cursor for the sort values of the last row of a page."""
    place = base64.urlsafe_b64encode(json.dumps([_plain(v) for v in values], ensure_ascii=False).encode()).decode().rstrip("=")
    return f"{place}.{of}" if (of := _LIST.get()) else place


def position(after: str | None, *kinds: type) -> list[Any] | None:
    """The sort values that a cursor holds, one per kind (``int``, ``str``), or None without a cursor.

    Raises:
        Invalid: the cursor is not one of ours, or of another list or other filters.
    """
    if after is None:
        return None
    place, _, of = after.partition(".")
    if of and of != _LIST.get():
        raise Invalid.one(
            "after",
            "cursor_of_another_list",
            "该分页游标属于另一列表，或另一筛选条件",
            "The cursor is of another list, or of other filters",
        )
    try:
        if not of and _LIST.get():
            raise ValueError
        values = json.loads(base64.urlsafe_b64decode(place + "=" * (-len(place) % 4)))
        if not isinstance(values, list) or len(values) != len(kinds):
            raise ValueError
        for value, kind in zip(values, kinds, strict=True):
            if type(value) is not kind or (isinstance(value, int) and abs(value) >= 2**63):
                raise ValueError
            if isinstance(value, str):
                storable(value)
    except (ValueError, binascii.Error, RecursionError):
        raise Invalid.one("after", "bad_cursor", "分页游标无效", "The cursor is not valid") from None
    return values


def day(value: str) -> date:
    """The day that a cursor holds as ``2026-11-25``.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Invalid.one("after", "bad_cursor", "分页游标无效", "The cursor is not valid") from None


def page(rows: Sequence[R], limit: int, shown: Callable[[R], T], sort_values: Callable[[R], Sequence[Any]]) -> Page[T]:
    """Build a page from up to ``limit + 1`` rows; the extra row only tells that there is more."""
    more = len(rows) > limit
    kept = rows[:limit]
    return Page(
        items=[shown(row) for row in kept],
        next=cursor(sort_values(kept[-1])) if more else None,
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str) else str(value)
