"""What an outlet sold on a day."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from orders.outlet_sales.rules import LineStatus
from shop.core.db import array

#: Outlet, day, what it is, fen, grams and number of sales; negative for what is taken away.
Figure = tuple[int, date, str, int, int, int]

_ADD = text(
    """
    INSERT INTO outlet_day AS d (outlet_id, day, certified_fen, other_fen, resale_fen, grams, lines)
    SELECT * FROM unnest(CAST(:outlets AS bigint[]), CAST(:days AS date[]), CAST(:certified AS bigint[]), CAST(:others AS bigint[]),
                         CAST(:resale AS bigint[]), CAST(:grams AS bigint[]), CAST(:lines AS int[])) ORDER BY 1, 2
    ON CONFLICT (outlet_id, day) DO UPDATE
    SET certified_fen = d.certified_fen + excluded.certified_fen, other_fen = d.other_fen + excluded.other_fen,
        resale_fen = d.resale_fen + excluded.resale_fen, grams = d.grams + excluded.grams, lines = d.lines + excluded.lines
    """
)


def add_to_days(session: Session, figures: Iterable[Figure]) -> None:
    """Add sales to their outlets' days, or take them away, in one statement."""
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
