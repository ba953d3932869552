"""What schedules ask for beyond the caps of their agreements."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Iterable
from itertools import groupby

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements.queries.kept import PRICE
from orders.agreements.rules import Caps, Drawn, Scheduled, beyond_caps
from shop.core import clock
from shop.core.db import array
from shop.core.errors import Fault

# What is ordered of a schedule is drawn; what was due before today and not drafted is not asked for any more.
_SCHEDULED = text(
    f"""
    SELECT a.id, a.amount_cap_fen AS whole_cap_fen, a.tolerance_percent, l.line_no, l.quantity_cap, l.amount_cap_fen, drawn.*, planned.*
    FROM agreement a JOIN agreement_line l ON l.agreement_id = a.id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(d.quantity), 0) AS drawn, coalesce(sum(d.amount_fen), 0)::bigint AS drawn_fen
        FROM agreement_drawn d WHERE d.agreement_line_id = l.id
    ) drawn
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(i.quantity * i.times), 0) AS planned,
               coalesce(sum(round(i.quantity * coalesce({PRICE}, 0)) * i.times), 0)::bigint AS planned_fen
        FROM (SELECT quantity, count(*) AS times FROM instalment
              WHERE agreement_line_id = l.id AND (status = 'drafted' OR status = 'planned' AND due_on >= :today) GROUP BY quantity) i
    ) planned
    WHERE a.id = ANY (CAST(:ids AS bigint[]))
      AND EXISTS (SELECT FROM agreement_line s JOIN schedule_entry e ON e.agreement_line_id = s.id WHERE s.agreement_id = a.id AND NOT e.ended)
    ORDER BY a.id, l.line_no
    """
)


def beyond(session: Session, agreement_ids: Iterable[int]) -> dict[int, list[Fault]]:
    """Every cap that keeps the schedule of an agreement from being ordered to its end, by agreement; one statement however many there are."""
    rows = session.execute(_SCHEDULED, {"ids": array(agreement_ids), "today": clock.today()}).all()
    found = {}
    for agreement_id, group in groupby(rows, lambda row: int(row.id)):
        of = list(group)
        lines = [
            Scheduled(
                row.line_no,
                Caps(row.quantity_cap, row.amount_cap_fen),
                Drawn(row.drawn, row.drawn_fen),
                Drawn(row.planned, row.planned_fen),
            )
            for row in of
        ]
        drawn, planned = (
            Drawn(amount_fen=sum(part.amount_fen for part in parts))
            for parts in ([line.drawn for line in lines], [line.planned for line in lines])
        )
        whole = Scheduled(None, Caps(amount_fen=of[0].whole_cap_fen), drawn, planned)
        found[agreement_id] = beyond_caps([*lines, whole], of[0].tolerance_percent)
    return found
