"""Reading monthly reports, and who has none yet."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.closing.rules import days_of
from orders.reports import forms, rules
from orders.reports.forms import Form, Scope
from orders.reports.rules import Value
from orders.reports.schemas import (
    FieldOut,
    FormOut,
    ReportOut,
    ReportRow,
    StepOut,
    UnreportedOut,
    UnreportedRow,
    ValueOut,
)
from orders.reports.states import REPORT, ReportMove, ReportStatus
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.programmes.reporting import ReportingRules

#: SQL: the unit's own branch, or a region; ``r`` has a district, ``o`` is the unit (none for a county's report).
REACH = "(coalesce(o.path LIKE CAST(:branch AS text), false) OR r.region_code LIKE ANY (CAST(:regions AS text[])))"
_NAMED = """
    FROM report r LEFT JOIN organisation o ON o.id = r.organisation_id JOIN region d ON d.code = r.region_code
"""
_COLUMNS = "r.*, o.name AS unit_name, o.path, d.name_zh, d.name_en"
_REPORT = text(f"SELECT {_COLUMNS} {_NAMED} WHERE r.id = :id AND {REACH}")
_REPORTS = text(
    f"""
    SELECT {_COLUMNS} {_NAMED} WHERE {REACH}
      AND (CAST(:month AS date) IS NULL OR r.month = :month) AND (CAST(:form AS text) IS NULL OR r.form_code = :form)
      AND (CAST(:status AS text) IS NULL OR r.status = :status) AND (CAST(:district AS text) IS NULL OR r.region_code = :district)
      AND (CAST(:start AS bigint) IS NULL OR r.id < :start)
    ORDER BY r.id DESC LIMIT :rows
    """
)
_VALUES = text("SELECT report_id, field, ledger, own, explanation FROM report_value WHERE report_id = ANY (:ids)")
_STEPS = text(
    "SELECT s.move, s.at, s.by, u.name AS by_name, s.reason FROM report_step s JOIN app_user u ON u.id = s.by"
    " WHERE s.report_id = :id ORDER BY s.id"
)
_IN_FORCE = "({0}.valid_from IS NULL OR {0}.valid_from <= :last) AND ({0}.valid_to IS NULL OR {0}.valid_to > :{1})"

# Who has to report a month: ``r`` stands for whoever it is, with its district; ``o`` is the unit.
_EXPECTED = f"""
    SELECT o.id AS organisation_id, o.name AS unit_name, o.path, left(o.region_code, 6) AS region_code
    FROM organisation o
    WHERE :scope = 'organisation' AND o.status = 'approved' AND EXISTS (
        SELECT FROM organisation_role w WHERE w.organisation_id = o.id AND w.role = ANY (CAST(:roles AS text[]))
          AND {_IN_FORCE.format("w", "first")})
    UNION ALL
    SELECT NULL, NULL, NULL, g.code FROM region g
    WHERE :scope = 'county' AND length(g.code) = 6 AND {_IN_FORCE.format("g", "last")} AND EXISTS (
        SELECT FROM region_designation w WHERE w.region_code = g.code AND w.designation = :designation AND {_IN_FORCE.format("w", "last")})
"""
#: The same with what became of it.
EXPECTED = f"""
    expected AS MATERIALIZED (
        SELECT o.organisation_id, o.unit_name, o.path, o.region_code, p.id AS report_id, coalesce(p.status, 'missing') AS status
        FROM ({_EXPECTED}) o
        LEFT JOIN report p ON p.month = :first AND p.form_code = :form
             AND p.organisation_id IS NOT DISTINCT FROM o.organisation_id AND (o.organisation_id IS NOT NULL OR p.region_code = o.region_code)
    )
"""
_SEEN = f"SELECT r.* FROM expected r CROSS JOIN LATERAL (SELECT r.path) o WHERE {REACH}"
_UNREPORTED = text(
    f"""
    WITH {EXPECTED}, seen AS MATERIALIZED ({_SEEN})
    SELECT n.*, d.name_zh, d.name_en, t.expected, t.accepted
    FROM (SELECT count(*) AS expected, count(*) FILTER (WHERE status = 'accepted') AS accepted FROM seen) t
    LEFT JOIN (
        SELECT * FROM seen WHERE status <> 'accepted' AND (CAST(:district AS text) IS NULL OR region_code = :district)
          AND (CAST(:start AS text) IS NULL OR (region_code, coalesce(organisation_id, 0)) > (CAST(:start AS text), CAST(:start_id AS bigint)))
        ORDER BY region_code, coalesce(organisation_id, 0) LIMIT :rows
    ) n ON true
    LEFT JOIN region d ON d.code = n.region_code
    ORDER BY n.region_code, coalesce(n.organisation_id, 0)
    """
)
_NOT_ACCEPTED = text(f"WITH {EXPECTED} SELECT region_code, count(*) FROM expected WHERE status <> 'accepted' GROUP BY 1")
_EXPECTED_ONE = text(
    f"WITH {EXPECTED} SELECT count(*) FROM expected WHERE organisation_id IS NOT DISTINCT FROM CAST(:organisation_id AS bigint)"
    " AND (organisation_id IS NOT NULL OR region_code = :region_code)"
)


def seen_from(actor: Actor, permission: Permission = Permission.REPORTS_READ) -> dict[str, Any]:
    """The values of :data:`REACH`."""
    branch = f"{actor.organisation_path}%" if actor.organisation_path else None
    return {"branch": branch, "regions": [f"{prefix}%" for prefix in actor.regions(permission)]}


def asked_of(form: Form, month: date) -> dict[str, Any]:
    """The values of :data:`EXPECTED`."""
    first, last = days_of(f"{month:%Y-%m}")
    designation = str(form.designation) if form.designation else None
    return {
        "first": first,
        "last": last,
        "form": form.code,
        "scope": form.scope,
        "roles": list(form.roles),
        "designation": designation,
    }


def deadlines(session: Session, month: date) -> ReportingRules:
    """The rules of reporting in force at the end of a month."""
    return programmes.config_of(session, days_of(f"{month:%Y-%m}")[1]).reporting


def has_to_report(session: Session, form: Form, month: date, organisation_id: int | None, region_code: str) -> bool:
    """Whether a form is asked of an organisation, or of a county."""
    asked = {**asked_of(form, month), "organisation_id": organisation_id, "region_code": region_code}
    return bool(session.execute(_EXPECTED_ONE, asked).scalar_one())


def not_accepted(session: Session, scope: Scope, month: date) -> dict[str, int]:
    """How many reports of a month are not accepted yet, by district."""
    found: dict[str, int] = {}
    for form in forms.of_scope(scope, month):
        for region_code, count in session.execute(_NOT_ACCEPTED, asked_of(form, month)):
            found[region_code] = found.get(region_code, 0) + count
    return found


def form_out(form: Form, language: Language) -> FormOut:
    return FormOut(
        code=form.code,
        version=form.version,
        scope=form.scope,
        label=form.in_(language),
        valid_from=form.valid_from,
        valid_to=form.valid_to,
        fields=[
            FieldOut(
                code=field.code,
                label=field.in_(language),
                unit=field.unit,
                prefilled=field.prefill is not None,
                required=field.required,
            )
            for field in form.fields
        ],
    )


def values(session: Session, ids: list[int]) -> dict[int, dict[str, Value]]:
    """The values of reports by field."""
    found: dict[int, dict[str, Value]] = {each: {} for each in ids}
    for row in session.execute(_VALUES, {"ids": ids}):
        found[row.report_id][row.field] = Value(row.ledger, row.own, row.explanation)
    return found


def row_of(session: Session, actor: Actor, report_id: int) -> Row[Any]:
    """A report within reach.

    Raises:
        NotFound: none (404).
    """
    row = session.execute(_REPORT, {"id": report_id, **seen_from(actor)}).first()
    if row is None:
        raise NotFound
    return row


def may_write(actor: Actor, row: Row[Any]) -> bool:
    """Whether a report is the actor's own to write: of its branch, or of the county whose officer it is."""
    if not actor.may(Permission.REPORTS_SUBMIT):
        return False
    if row.organisation_id is not None:
        return actor.within_branch(row.path)
    return actor.covers_region(Permission.REPORTS_SUBMIT, row.region_code)


def may_review(actor: Actor, row: Row[Any]) -> bool:
    """Whether the review is the actor's office: of officers of the county for its units, of the city's for counties."""
    if row.organisation_id is None:
        return "" in actor.regions(Permission.REPORTS_REVIEW)
    return actor.covers_region(Permission.REPORTS_REVIEW, row.region_code) and not actor.is_related(row.path)


def report(session: Session, actor: Actor, report_id: int, language: Language) -> ReportOut:
    """One report with its values and what happened to it.

    Raises:
        NotFound: none within reach (404).
    """
    row = row_of(session, actor, report_id)
    form = forms.version(row.form_code, row.form_version)
    due_on = rules.due_on(f"{row.month:%Y-%m}", deadlines(session, row.month).due_days)
    submitted = None if row.submitted_at is None else clock.shanghai_date(row.submitted_at)
    return ReportOut(
        **_row(row, language).model_dump(),
        label=form.in_(language),
        due_on=due_on,
        late=(submitted or clock.today()) > due_on,
        filled_at=row.filled_at,
        note=row.note,
        reason=row.reason,
        values=values_out(form, values(session, [row.id])[row.id], language),
        steps=[StepOut.model_validate(step, from_attributes=True) for step in session.execute(_STEPS, {"id": row.id})],
        possible_actions=_possible(actor, row),
    )


def values_out(form: Form, found: Mapping[str, Value], language: Language) -> list[ValueOut]:
    """The lines of a report in the order of its form."""
    return [
        ValueOut(
            field=field.code,
            label=field.in_(language),
            unit=field.unit,
            ledger=rules.shown(field.unit, value.ledger),
            value=rules.shown(field.unit, value.own),
            difference=rules.shown(field.unit, value.difference),
            explanation=value.explanation,
        )
        for field in form.fields
        for value in [found.get(field.code, Value())]
    ]


def _possible(actor: Actor, row: Row[Any]) -> list[ReportMove]:
    mine = {
        ReportMove.EDIT: may_write(actor, row),
        ReportMove.SUBMIT: may_write(actor, row),
        ReportMove.ACCEPT: may_review(actor, row) and row.submitted_by != actor.user_id,
        ReportMove.RETURN: may_review(actor, row) and row.submitted_by != actor.user_id,
    }
    return [move for move in REPORT.possible(row.status) if mine[move]]


def reports(
    session: Session,
    actor: Actor,
    language: Language,
    *,
    month: str | None,
    form: str | None,
    status: ReportStatus | None,
    district: str | None,
    limit: int,
    after: str | None,
) -> Page[ReportRow]:
    """Reports within reach, the newest first."""
    return paging.page(
        listed(session, actor, month=month, form=form, status=status, district=district, limit=limit, after=after),
        limit,
        lambda row: _row(row, language),
        lambda row: [row.id],
    )


def listed(
    session: Session,
    actor: Actor,
    *,
    month: str | None,
    form: str | None,
    status: ReportStatus | None = None,
    district: str | None = None,
    limit: int,
    after: str | None = None,
) -> list[Row[Any]]:
    """The rows of reports within reach, one more than asked for."""
    start = paging.position(after, int)
    asked = {
        "month": days_of(month)[0] if month else None,
        "form": form,
        "status": status,
        "district": district,
        "start": start[0] if start else None,
        "rows": limit + 1,
    }
    return list(session.execute(_REPORTS, {**asked, **seen_from(actor)}))


def _row(row: Row[Any], language: Language) -> ReportRow:
    return ReportRow(
        id=row.id,
        form=row.form_code,
        form_version=row.form_version,
        month=f"{row.month:%Y-%m}",
        unit_id=row.organisation_id,
        unit_name=row.unit_name,
        district=row.region_code,
        district_name=row.name_zh if language == "zh" else row.name_en,
        status=ReportStatus(row.status),
        submitted_at=row.submitted_at,
        decided_at=row.decided_at,
        version=row.version,
    )


def unreported(
    session: Session,
    actor: Actor,
    language: Language,
    *,
    form: str,
    month: str,
    district: str | None,
    limit: int,
    after: str | None,
) -> UnreportedOut:
    """Who has to report a month, and has no report that was accepted; within reach.

    Raises:
        NoForm: there was no such form then (404).
    """
    first = days_of(month)[0]
    found = forms.in_force(form, first)
    start = paging.position(after, str, int) or [None, 0]
    asked = {**asked_of(found, first), "district": district, "start": start[0], "start_id": start[1], "rows": limit + 1}
    rows = session.execute(_UNREPORTED, {**asked, **seen_from(actor)}).all()
    due_on = rules.due_on(month, deadlines(session, first).due_days)
    page: Page[UnreportedRow] = paging.page(
        [row for row in rows if row.region_code is not None],
        limit,
        lambda row: UnreportedRow(
            unit_id=row.organisation_id,
            unit_name=row.unit_name,
            district=row.region_code,
            district_name=row.name_zh if language == "zh" else row.name_en,
            report_id=row.report_id,
            status=row.status,
        ),
        lambda row: [row.region_code, row.organisation_id or 0],
    )
    return UnreportedOut(
        items=page.items,
        next=page.next,
        form=form,
        month=month,
        due_on=due_on,
        overdue=clock.today() > due_on,
        expected=rows[0].expected,
        accepted=rows[0].accepted,
    )
