"""What the outlets of a county sold on a day and in a month: taken over from what their sales left to be added."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from sqlalchemy import text
from sqlmodel import Session

from orders.outlet_sales.actions.days import SUMS
from shop.core import locks

_LOCK = "outlet_sales.take_over"
_FIGURES = (*SUMS, "outlets")
_NAMES = ", ".join(_FIGURES)


def _take_over(unit: str) -> str:
    return f"""
    WITH taken AS (
        DELETE FROM county_pending_{unit} WHERE id IN (SELECT id FROM county_pending_{unit} ORDER BY id LIMIT :most)
        RETURNING {unit}, region_code, kind, {_NAMES}
    ), added AS (
        INSERT INTO county_{unit} AS c ({unit}, region_code, kind, {_NAMES})
        SELECT {unit}, region_code, kind, {", ".join(f"sum({name})" for name in _FIGURES)} FROM taken GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT ({unit}, region_code, kind) DO UPDATE SET {", ".join(f"{name} = c.{name} + excluded.{name}" for name in _FIGURES)}
    )
    SELECT count(*) FROM taken
    """


_TAKE_OVER = [text(_take_over(unit)) for unit in ("day", "month")]


def take_over(session: Session, most: int = 20_000) -> int:
    """Add up to ``most`` rows that wait to the days of counties, and as many to their months; returns how many.

    One at a time: a second one finds the lock taken and leaves the work to the first. Who sells and who reads waits for nobody; a reader finds
    each sale either here or waiting, whatever moment it sees (ADR 2).
    """
    if not locks.try_hold(session, _LOCK):
        return 0
    return sum(int(session.execute(statement, {"most": most}).scalar_one()) for statement in _TAKE_OVER)
