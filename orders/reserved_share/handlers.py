"""Who hears of filings, and who is reminded."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.reserved_share import rules
from orders.reserved_share.queries import progress
from orders.reserved_share.queries.progress import listed
from shop.core import clock
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.notifications.actions import notify, notify_each
from shop.programmes.errors import NoProgramme

_FILED = text(
    """
    SELECT s.id, s.year, s.organisation_id, o.name, o.parent_id, left(o.region_code, 6) AS district_code, v.reserved_fen, v.decision,
           v.decision_reason
    FROM reserved_share s
    JOIN reserved_share_revision v ON v.reserved_share_id = s.id AND v.number = :number
    JOIN organisation o ON o.id = s.organisation_id
    WHERE s.id = :id
    """
)


def _filed(session: Session, payload: dict[str, Any]) -> None:
    """The department hears of it; of a unit without one, the officers of its county."""
    row = session.execute(_FILED, {"id": payload["reserved_share_id"], "number": payload["number"]}).one()
    to: dict[str, Any] = {"organisation_id": row.parent_id} if row.parent_id else {"region_code": row.district_code}
    notify(
        session,
        origin=f"reserved_share.filed:{row.id}:{payload['number']}",
        kind="reserved_share.filed",
        subject_type="reserved_shares",
        subject_id=row.year,
        unit=row.name,
        year=row.year,
        **to,
    )


def _reviewed(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_FILED, {"id": payload["reserved_share_id"], "number": payload["number"]}).one()
    notify(
        session,
        origin=f"reserved_share.{row.decision}:{row.id}:{payload['number']}",
        kind=f"reserved_share.{row.decision}",
        subject_type="reserved_share",
        subject_id=row.year,
        organisation_id=row.organisation_id,
        year=row.year,
        reserved=yuan_from_fen(row.reserved_fen),
        reason=row.decision_reason,
    )


# Units that were told are left out here, so that a second run costs one look.
_TO_REMIND = text(
    f"""
    WITH {listed()}, lacking AS (
        SELECT listed.*, CASE
            WHEN waits AND CAST(:today AS date) > :due_on THEN 'overdue'
            WHEN waits AND CAST(:mark AS text) IS NOT NULL THEN 'due'
            WHEN 'behind' = ANY (lacks) AND CAST(:late_in_year AS boolean) THEN 'behind' END AS what
        FROM (SELECT listed.*, status IN ('missing', 'draft', 'returned') AND NOT in_force AS waits FROM listed) listed
    )
    SELECT id, what, share, done, rate_bp, origin FROM (
        SELECT lacking.*, 'reserved_share.' || what || ':' || CAST(:year AS int) || CASE what WHEN 'due' THEN ':' || CAST(:mark AS text) ELSE '' END
               AS origin
        FROM lacking WHERE what IS NOT NULL
    ) each
    WHERE NOT EXISTS (SELECT FROM notification n WHERE n.origin = each.origin || ':' || each.id)
    ORDER BY id
    """  # noqa: S608
)


def remind(session: Session) -> int:
    """Tell units, each once: that the day of filing comes near, that it has passed, and late in the year that they are behind. Returns how many
    were told. Safe to run at any time and any number of times.
    """
    today = clock.today()
    try:
        year = progress.year_of(session, today.year)
    except NoProgramme:
        return 0
    left = (year.due_on - today).days
    mark = min((days for days in year.config.reminder_days if 0 <= left <= days), default=None)
    values = {
        **year.values(),
        "mark": None if mark is None else str(mark),
        "late_in_year": today.month >= year.config.behind_from_month,
    }
    rows = session.execute(_TO_REMIND, values).all()
    told: dict[tuple[str, str], dict[int, dict[str, Any]]] = {}
    for row in rows:
        figures = {"due": year.due_on.isoformat()}
        if row.what == "behind":
            figures = {"rate": rules.percent(row.rate_bp), "missing": yuan_from_fen(row.share - row.done)}
        told.setdefault((row.what, row.origin), {})[row.id] = {"year": year.year, **figures}
    for (what, origin), units in told.items():
        kind = f"reserved_share.{what}"
        notify_each(session, units, origin=origin, kind=kind, subject_type="reserved_share", subject_id=year.year)
    return len(rows)


HANDLERS: dict[str, Handler] = {
    "reserved_share.filed": _filed,
    "reserved_share.reviewed": _reviewed,
}
