"""Writing, submitting and reviewing monthly reports."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.reports import filling, forms, rules
from orders.reports.errors import MonthNotOver, NotReporting, NotReviewing, OwnReport, ReportRefused, ReportThere
from orders.reports.forms import Form
from orders.reports.models import Report
from orders.reports.queries import expected, reach, reports
from orders.reports.rules import Value
from orders.reports.schemas import ReportEdit, ReportIn
from orders.reports.states import REPORT, ReportMove
from shop.core import audit, clock, locks, outbox
from shop.core.errors import Fault, Forbidden, IfMatch, Invalid, NotFound
from shop.core.months import days_of
from shop.identity.actor import CITY, Actor
from shop.identity.permissions import Permission

_UNIT = text("SELECT id, path, left(region_code, 6) AS region_code FROM organisation WHERE id = :id AND status = 'approved'")
_THERE = text(
    "SELECT id FROM report WHERE month = :month AND form_code = :form AND organisation_id IS NOT DISTINCT FROM CAST(:organisation_id AS bigint)"
    " AND (organisation_id IS NOT NULL OR region_code = :region_code)"
)
_LOCK = text("SELECT id FROM report WHERE id = :id FOR UPDATE")
_FILL = text(
    "INSERT INTO report_value AS v (report_id, field, ledger) SELECT :id, f.key, f.value::bigint FROM jsonb_each_text(CAST(:ledger AS jsonb)) f"
    " ON CONFLICT (report_id, field) DO UPDATE SET ledger = excluded.ledger"
)
#: What is as the ledger said, with nothing to explain, is the ledger's figure: it goes along with the ledger.
_FOLLOW = text(
    "UPDATE report_value SET own = (CAST(:ledger AS jsonb) ->> field)::bigint"
    " WHERE report_id = :id AND own = ledger AND explanation IS NULL AND CAST(:ledger AS jsonb) ->> field IS NOT NULL"
)
_WRITE = text(
    "INSERT INTO report_value (report_id, field, own, explanation) VALUES (:id, :field, :own, :explanation)"
    " ON CONFLICT (report_id, field) DO UPDATE SET own = excluded.own, explanation = excluded.explanation"
)
_FILLED = text("UPDATE report SET filled_at = :now WHERE id = :id")
_EDIT = text("UPDATE report SET status = :status, note = coalesce(:note, note), version = version + 1 WHERE id = :id")
_SUBMIT = text(
    "UPDATE report SET status = :status, submitted_by = :by, submitted_at = :now, decided_by = NULL, decided_at = NULL,"
    " reason = NULL, version = version + 1 WHERE id = :id"
)
_DECIDE = text(
    "UPDATE report SET status = :status, decided_by = :by, decided_at = :now, reason = :reason, version = version + 1 WHERE id = :id"
)
_STEP = text(
    "INSERT INTO report_step (report_id, move, at, by, reason, content) VALUES (:id, :move, :now, :by, :reason, CAST(:content AS jsonb))"
    " RETURNING id"
)


def draft(session: Session, actor: Actor, body: ReportIn) -> int:
    """Begin a report, filled in with what the ledger says; returns its id.

    Raises:
        NoForm: there was no such form then (404). NotFound: no such unit in the caller's branch, or county in its region (404).
        MonthNotOver, NotReporting, ReportThere: see there (409).
    """
    first, last = days_of(body.month)
    form = forms.in_force(body.form, first)
    if last >= clock.today():
        raise MonthNotOver(month=body.month)
    organisation_id, region_code = _county(actor, body) if form.scope == "county" else _unit(session, actor, body)
    if not expected.has_to_report(session, form, first, organisation_id, region_code):
        raise NotReporting(month=body.month)
    _only_one(session, form, first, organisation_id, region_code)
    now = clock.now()
    report = Report(
        form_code=form.code,
        form_version=form.version,
        month=first,
        organisation_id=organisation_id,
        region_code=region_code,
        filled_at=now,
        created_by=actor.person,
        created_at=now,
    )
    session.add(report)
    session.flush()
    _fill(session, report.id, form, first, organisation_id, region_code)
    audit.record(session, actor, "report.drafted", "report", report.id, form=form.code, month=body.month)
    return report.id


def _only_one(session: Session, form: Form, month: date, organisation_id: int | None, region_code: str) -> None:
    """Of several who begin the same report at once one does; the others are told which it is.

    Raises:
        ReportThere: see there (409).
    """
    asked = {"month": month, "form": form.code, "organisation_id": organisation_id, "region_code": region_code}
    locks.hold(session, f"report:{form.code}:{month}:{organisation_id or region_code}")
    there = session.execute(_THERE, asked).scalar()
    if there is not None:
        raise ReportThere(month=f"{month:%Y-%m}", report_id=there)


def _unit(session: Session, actor: Actor, body: ReportIn) -> tuple[int, str]:
    if body.district is not None:
        raise Invalid.one("district", "not_of_a_county", "此表由单位填报", "Units report this form; it names no county")
    row = session.execute(_UNIT, {"id": body.unit_id if body.unit_id is not None else actor.organisation}).first()
    if row is None or not actor.within_branch(row.path):
        raise NotFound
    return row.id, row.region_code


def _county(actor: Actor, body: ReportIn) -> tuple[None, str]:
    if body.unit_id is not None:
        raise Invalid.one("unit_id", "not_of_a_unit", "此表由区县填报", "Counties report this form; it names no unit")
    own = [prefix for prefix in actor.own_regions(Permission.REPORTS_SUBMIT) if len(prefix) == len(CITY)]
    region_code = body.district or (own[0] if len(own) == 1 else None)
    if region_code is None or not actor.covers_region(Permission.REPORTS_SUBMIT, region_code):
        raise NotFound
    return None, region_code


def save(session: Session, actor: Actor, report_id: int, body: ReportEdit, if_match: IfMatch) -> None:
    """Write down values and explanations.

    Raises:
        NotFound: no report within reach (404). Forbidden: it is not the caller's to write (403).
        IllegalMove: it was submitted (409). Changed: somebody else wrote meanwhile (412). ReportRefused: a value cannot be read (422).
    """
    row = _locked(session, actor, report_id, ReportMove.EDIT, if_match)
    form = forms.version(row.form_code, row.form_version)
    for field, own, explanation in _written(form, body):
        session.execute(_WRITE, {"id": row.id, "field": field, "own": own, "explanation": explanation})
    session.execute(_EDIT, {"id": row.id, "status": REPORT.after(row.status, ReportMove.EDIT), "note": body.note})
    audit.record(session, actor, "report.edited", "report", row.id, fields=sorted(body.values))


def _written(form: Form, body: ReportEdit) -> list[tuple[str, int | None, str | None]]:
    units = {field.code: field.unit for field in form.fields}
    found: list[tuple[str, int | None, str | None]] = []
    faults = []
    for code, value in sorted(body.values.items()):
        if code not in units:
            faults.append(Fault(f"values.{code}", "no_such_field", "表中没有此项", "The form has no such field"))
            continue
        try:
            own = None if value.value is None else rules.read(units[code], value.value)
        except ValueError as bad:
            faults.append(Fault(f"values.{code}.value", "bad_value", getattr(bad, "zh", "数值有误"), str(bad)))
            continue
        found.append((code, own, value.explanation))
    if faults:
        raise ReportRefused(count=len(faults), faults=faults)
    return found


def refill(session: Session, actor: Actor, report_id: int, if_match: IfMatch) -> None:
    """Ask the ledger again. What the unit wrote stays; what was as the ledger said, with nothing to explain, is as it says now.

    Raises:
        As :func:`save`.
    """
    row = _locked(session, actor, report_id, ReportMove.EDIT, if_match)
    form = forms.version(row.form_code, row.form_version)
    _fill(session, row.id, form, row.month, row.organisation_id, row.region_code, follow=True)
    session.execute(_EDIT, {"id": row.id, "status": row.status, "note": None})
    audit.record(session, actor, "report.refilled", "report", row.id)


def submit(session: Session, actor: Actor, report_id: int, if_match: IfMatch) -> None:
    """Hand a report to the office that reviews it. The ledger is asked once more, so that what is explained is the difference as it is now.

    Raises:
        NotFound, Forbidden, IllegalMove, Changed: as :func:`save`. ReportRefused: something is missing or not explained (422).
    """
    row = _locked(session, actor, report_id, ReportMove.SUBMIT, if_match)
    form = forms.version(row.form_code, row.form_version)
    _fill(session, row.id, form, row.month, row.organisation_id, row.region_code)
    values = reports.values(session, [row.id])[row.id]
    if found := rules.faults(form, values):
        raise ReportRefused(count=len(found), faults=found)
    moved = {"id": row.id, "by": actor.user_id, "now": clock.now()}
    session.execute(_SUBMIT, {**moved, "status": REPORT.after(row.status, ReportMove.SUBMIT)})
    step_id = _step(session, moved, ReportMove.SUBMIT, None, values)
    audit.record(session, actor, "report.submitted", "report", row.id)
    outbox.publish(session, "report.submitted", report_id=row.id, step_id=step_id)


def accept(session: Session, actor: Actor, report_id: int, if_match: IfMatch) -> None:
    """Accept what was submitted.

    Raises:
        NotFound: no report within reach (404). NotReviewing, OwnReport: somebody else's to do (403).
        IllegalMove: nothing awaits review (409). Changed: it is not what the caller read (412).
    """
    _review(session, actor, report_id, ReportMove.ACCEPT, None, if_match)


def send_back(session: Session, actor: Actor, report_id: int, reason: str, if_match: IfMatch) -> None:
    """Return a report with the reason: one that was submitted, or accepted before.

    Raises:
        As :func:`accept`.
    """
    _review(session, actor, report_id, ReportMove.RETURN, reason, if_match)


def _review(session: Session, actor: Actor, report_id: int, move: ReportMove, reason: str | None, if_match: IfMatch) -> None:
    session.execute(_LOCK, {"id": report_id})
    row = reach.row_of(session, actor, report_id)
    if not reach.may_review(actor, row):
        raise NotReviewing
    if row.submitted_by == actor.user_id:
        raise OwnReport
    if_match(row.version)
    status = REPORT.after(row.status, move)
    moved = {"id": row.id, "by": actor.user_id, "now": clock.now()}
    session.execute(_DECIDE, {**moved, "status": status, "reason": reason})
    step_id = _step(session, moved, move, reason, reports.values(session, [row.id])[row.id])
    audit.record(session, actor, f"report.{status}", "report", row.id, reason=reason)
    outbox.publish(session, "report.reviewed", report_id=row.id, step_id=step_id)


def _locked(session: Session, actor: Actor, report_id: int, move: ReportMove, if_match: IfMatch) -> Row[Any]:
    """A report that its writer may move, locked."""
    session.execute(_LOCK, {"id": report_id})
    row = reach.row_of(session, actor, report_id)
    if not reach.may_write(actor, row):
        raise Forbidden
    if_match(row.version)
    REPORT.after(row.status, move)
    return row


def _fill(
    session: Session,
    report_id: int,
    form: Form,
    month: date,
    organisation_id: int | None,
    region_code: str,
    *,
    follow: bool = False,
) -> None:
    ledger = filling.ledger_values(session, form, month, organisation_id, region_code)
    filled = {"id": report_id, "ledger": json.dumps(ledger)}
    # not when it is submitted: nobody hands in a figure that nobody saw
    if follow:
        session.execute(_FOLLOW, filled)
    session.execute(_FILL, filled)
    session.execute(_FILLED, {"id": report_id, "now": clock.now()})


def _step(session: Session, moved: Mapping[str, Any], move: ReportMove, reason: str | None, values: Mapping[str, Value]) -> int:
    content = {field: [value.ledger, value.own, value.explanation] for field, value in values.items()}
    step = {**moved, "move": move, "reason": reason, "content": json.dumps(content, ensure_ascii=False)}
    return int(session.execute(_STEP, step).scalar_one())
