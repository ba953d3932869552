"""What an outlet sold on a day, and in its ten days, month and year; and what that adds to the days and months of its county."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from orders.outlet_sales.rules import LineStatus
from shop.core.db import array

#: Outlet, day, what it is, fen, grams and number of sales; negative for what is taken away.
Figure = tuple[int, date, str, int, int, int]

#: The sums of each table.
SUMS = ("certified_fen", "other_fen", "resale_fen", "grams", "lines")
_ADDED = ", ".join(f"{name} = d.{name} + excluded.{name}" for name in SUMS)
_NAMES = ", ".join(SUMS)
_SUMMED = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
#: SQL: the tables of sums, and what a day belongs to in each.
_UNITS = {
    "day": "day",
    "ten_days": "date_trunc('month', day::timestamp)::date + 10 * least((extract(day FROM day)::int - 1) / 10, 2)",
    "month": "date_trunc('month', day::timestamp)::date",
    "year": "extract(year FROM day)::int",
}


def _into_outlets(unit: str) -> str:
    return f"""{unit}_sold AS (SELECT outlet_id, {_UNITS[unit]} AS {unit}, {_SUMMED} FROM sold GROUP BY 1, 2), into_{unit} AS (
        INSERT INTO outlet_{unit} AS d (outlet_id, {unit}, {_NAMES}) SELECT * FROM {unit}_sold ORDER BY 1, 2
        ON CONFLICT (outlet_id, {unit}) DO UPDATE SET {_ADDED} RETURNING outlet_id, {unit}, lines AS lines_now
    )"""


def _into_counties(unit: str) -> str:
    """An outlet that sells for the first time on a day is one more that sold on it; one whose last sale is taken away is one less."""
    return f"""INSERT INTO county_pending_{unit} ({unit}, region_code, kind, {_NAMES}, outlets)
        SELECT {unit}, region_code, kind, {_SUMMED}, sum((lines_now > 0)::int - (lines_now - lines > 0)::int)
        FROM {unit}_sold JOIN into_{unit} USING (outlet_id, {unit}) JOIN place USING (outlet_id) GROUP BY 1, 2, 3"""


# All in one statement, in one order: whoever comes at once waits at the first row that they share. An outlet whose place is being changed is waited for,
# and taken for what it is then.
_ADD = text(
    f"""
    WITH sold AS (
        SELECT * FROM unnest(CAST(:outlets AS bigint[]), CAST(:days AS date[]), CAST(:certified AS bigint[]), CAST(:others AS bigint[]),
                             CAST(:resale AS bigint[]), CAST(:grams AS bigint[]), CAST(:lines AS int[])) AS s (outlet_id, day, {_NAMES})
    ), place AS (
        SELECT id AS outlet_id, region_code, kind FROM outlet WHERE id = ANY (CAST(:outlets AS bigint[])) ORDER BY id FOR KEY SHARE
    ), {", ".join(map(_into_outlets, _UNITS))}, into_counties AS ({_into_counties("month")})
    {_into_counties("day")}
    """
)


def add_to_days(session: Session, figures: Iterable[Figure]) -> None:
    """Add sales to their outlets' days, ten days, months and years, or take them away, and leave for the county what that changes
    (:mod:`orders.outlet_sales.actions.counties`), in one statement."""
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
