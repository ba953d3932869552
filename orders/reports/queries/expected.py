"""Who has to report a month, and who has no report that was accepted."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.reports import forms, rules
from orders.reports.forms import Form, Scope
from orders.reports.queries.reach import REACH, seen_from
from orders.reports.schemas import UnreportedOut, UnreportedRow
from shop.core import clock, paging
from shop.core.errors import Language
from shop.core.months import days_of, month_end
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.programmes import queries as programmes
from shop.programmes.reporting import ReportingRules

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


def asked_of(form: Form, month: date) -> dict[str, Any]:
    """The values of :data:`EXPECTED`."""
    designation = str(form.designation) if form.designation else None
    return {
        "first": month,
        "last": month_end(month),
        "form": form.code,
        "scope": form.scope,
        "roles": list(form.roles),
        "designation": designation,
    }


def deadlines(session: Session, month: date) -> ReportingRules:
    """The rules of reporting in force at the end of a month."""
    return programmes.config_of(session, month_end(month)).reporting


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
    due_on = rules.due_on(first, deadlines(session, first).due_days)
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
