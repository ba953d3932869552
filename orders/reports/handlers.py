"""Who hears of reports, and who is reminded."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.reports import forms, rules
from orders.reports.queries import expected
from orders.reports.queries.expected import EXPECTED
from shop.core import clock
from shop.core.months import days_of, month_before
from shop.core.outbox import Handler
from shop.identity.actor import CITY
from shop.notifications.actions import notify, notify_each
from shop.programmes.errors import NoProgramme

_STEP = text(
    """
    SELECT s.id, s.move, s.reason, r.id AS report_id, r.month, r.organisation_id, r.region_code, coalesce(o.name, d.name_zh) AS who
    FROM report_step s JOIN report r ON r.id = s.report_id LEFT JOIN organisation o ON o.id = r.organisation_id
    JOIN region d ON d.code = r.region_code WHERE s.id = :step_id
    """
)
# Who was told is left out, so that a second run costs one look.
_TO_REMIND = text(
    f"""
    WITH {EXPECTED} SELECT organisation_id, region_code FROM expected e
    WHERE status IN ('missing', 'draft', 'returned') AND NOT EXISTS (
        SELECT FROM notification n
        WHERE n.origin = CAST(:origin AS text) || ':' || coalesce(CAST(e.organisation_id AS text), e.region_code))
    ORDER BY organisation_id, region_code
    """  # noqa: S608
)


def _submitted(session: Session, payload: dict[str, Any]) -> None:
    """The county hears of what its units report, the city of what counties do."""
    row = session.execute(_STEP, {"step_id": payload["step_id"]}).one()
    notify(
        session,
        origin=f"report.submitted:{row.id}",
        kind="report.submitted",
        subject_type="report",
        subject_id=row.report_id,
        region_code=CITY if row.organisation_id is None else row.region_code,
        who=row.who,
        month=f"{row.month:%Y-%m}",
    )


def _reviewed(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_STEP, {"step_id": payload["step_id"]}).one()
    kind = "report.accepted" if row.move == "accept" else "report.returned"
    to: dict[str, Any] = {"organisation_id": row.organisation_id} if row.organisation_id else {"region_code": row.region_code}
    notify(
        session,
        origin=f"{kind}:{row.id}",
        kind=kind,
        subject_type="report",
        subject_id=row.report_id,
        month=f"{row.month:%Y-%m}",
        reason=row.reason,
        **to,
    )


def remind(session: Session) -> int:
    """Tell units and counties, each once: that the day of reporting comes near, and that it has passed. Returns how many were told. Safe to run at
    any time and any number of times."""
    today = clock.today()
    month = month_before(today)
    first = days_of(month)[0]
    try:
        deadlines = expected.deadlines(session, first)
    except NoProgramme:
        return 0
    due_on = rules.due_on(first, deadlines.due_days)
    left = (due_on - today).days
    mark = min((days for days in deadlines.reminder_days if 0 <= left <= days), default=None)
    if mark is None and left >= 0:
        return 0
    kind = "report.overdue" if left < 0 else "report.due"
    told = 0
    for form in (*forms.of_scope("organisation", first), *forms.of_scope("county", first)):
        origin = f"{kind}:{form.code}:{month}" + ("" if left < 0 else f":{mark}")
        rows = session.execute(_TO_REMIND, {**expected.asked_of(form, first), "origin": origin}).all()
        told += len(rows)
        data: dict[str, Any] = {"form": form.zh, "month": month, "due": due_on.isoformat()}
        units = {row.organisation_id: data for row in rows if row.organisation_id is not None}
        notify_each(session, units, origin=origin, kind=kind, subject_type="reports", subject_id=0)
        for row in rows:
            if row.organisation_id is None:
                notify(
                    session,
                    origin=f"{origin}:{row.region_code}",
                    kind=kind,
                    subject_type="reports",
                    subject_id=0,
                    region_code=row.region_code,
                    **data,
                )
    return told


HANDLERS: dict[str, Handler] = {"report.submitted": _submitted, "report.reviewed": _reviewed}
