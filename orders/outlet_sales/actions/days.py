"""What an outlet sold on a day, and in its ten days, month and year."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from orders.outlet_sales.rules import LineStatus
from shop.core.db import array

#: Outlet, day, what it is, fen, grams and number of sales; negative for what is taken away.
Figure = tuple[int, date, str, int, int, int]

_SUMS = ("certified_fen", "other_fen", "resale_fen", "grams", "lines")
_ADDED = ", ".join(f"{name} = d.{name} + excluded.{name}" for name in _SUMS)
_NAMES = ", ".join(_SUMS)
_SUMMED = ", ".join(f"sum({name})" for name in _SUMS)
#: SQL: the tables of sums besides that of days, and what a day belongs to in each.
_LONGER = {
    "ten_days": "date_trunc('month', day::timestamp)::date + 10 * least((extract(day FROM day)::int - 1) / 10, 2)",
    "month": "date_trunc('month', day::timestamp)::date",
    "year": "extract(year FROM day)::int",
}


def _added(unit: str, rows: str) -> str:
    return (
        f"INSERT INTO outlet_{unit} AS d (outlet_id, {unit}, {_NAMES}) {rows} ORDER BY 1, 2"
        f" ON CONFLICT (outlet_id, {unit}) DO UPDATE SET {_ADDED}"
    )


_STEPS = "".join(
    f", into_{unit} AS ({_added(unit, f'SELECT outlet_id, {taken}, {_SUMMED} FROM sold GROUP BY 1, 2')})"  # noqa: S608
    for unit, taken in _LONGER.items()
)
# all in one statement, in one order: whoever comes at once waits at the first row that they share
_ADD = text(
    f"""
    WITH sold AS (
        SELECT * FROM unnest(CAST(:outlets AS bigint[]), CAST(:days AS date[]), CAST(:certified AS bigint[]), CAST(:others AS bigint[]),
                             CAST(:resale AS bigint[]), CAST(:grams AS bigint[]), CAST(:lines AS int[])) AS s (outlet_id, day, {_NAMES})
    ){_STEPS}
    {_added("day", "SELECT * FROM sold")}
    """  # noqa: S608
)


def add_to_days(session: Session, figures: Iterable[Figure]) -> None:
    """Add sales to their outlets' days, ten days, months and years, or take them away, in one statement."""
    sums: dict[tuple[int, date], list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    places = {LineStatus.COUNTED: 0, LineStatus.OTHER: 1, LineStatus.RESALE: 2}
    for outlet_id, day, status, amount_fen, grams, lines in figures:
        held = sums[outlet_id, day]
        held[places[LineStatus(status)]] += amount_fen
        held[3] += grams if status == LineStatus.COUNTED else 0
        held[4] += lines
    if not sums:
        return
    columns = zip(*sums.values(), strict=True)
    certified, others, resale, grams_sums, line_sums = (array(column) for column in columns)
    values = {
        "outlets": array(key[0] for key in sums),
        "days": [key[1] for key in sums],
        "certified": certified,
        "others": others,
        "resale": resale,
        "grams": grams_sums,
        "lines": line_sums,
    }
    session.execute(_ADD, values)
