"""Reading monthly reports, their values and their forms."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.reports import filling, forms, rules
from orders.reports.filling import Ledger
from orders.reports.forms import Form
from orders.reports.queries.expected import deadlines
from orders.reports.queries.moved import since_accepted
from orders.reports.queries.reach import COLUMNS, NAMED, REACH, may_review, may_write, row_of, seen_from
from orders.reports.rules import Value
from orders.reports.schemas import FieldOut, FormOut, ReportOut, ReportRow, StepOut, StepValueOut, ValueOut
from orders.reports.states import REPORT, ReportMove, ReportStatus
from shop.core import clock, paging
from shop.core.errors import Invalid, Language
from shop.core.months import days_of
from shop.core.paging import Page
from shop.identity.actor import Actor

_REPORTS = text(
    f"""
    SELECT {COLUMNS} {NAMED} WHERE {REACH}
      AND (CAST(:month AS date) IS NULL OR r.month = :month) AND (CAST(:form AS text) IS NULL OR r.form_code = :form)
      AND (CAST(:status AS text) IS NULL OR r.status = :status) AND (CAST(:district AS text) IS NULL OR r.region_code = :district)
      AND (CAST(:ids AS bigint[]) IS NULL OR r.id = ANY (CAST(:ids AS bigint[]))) AND (CAST(:start AS bigint) IS NULL OR r.id < :start)
    ORDER BY r.id DESC LIMIT :rows
    """
)
_VALUES = text("SELECT report_id, field, ledger, own, explanation FROM report_value WHERE report_id = ANY (:ids)")
_STEPS = text(
    "SELECT s.move, s.at, s.by, u.name AS by_name, s.reason, s.content FROM report_step s JOIN app_user u ON u.id = s.by"
    " WHERE s.report_id = :id ORDER BY s.id"
)


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
                minimum=rules.shown(field.unit, field.minimum),
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


def report(session: Session, actor: Actor, report_id: int, language: Language) -> ReportOut:
    """One report with its values and what happened to it.

    Raises:
        NotFound: none within reach (404).
    """
    row = row_of(session, actor, report_id)
    form = forms.version(row.form_code, row.form_version)
    due_on = rules.due_on(row.month, deadlines(session, row.month).due_days)
    now = filling.ledger_values(session, form, row.month, row.organisation_id, row.region_code)
    submitted = None if row.submitted_at is None else clock.shanghai_date(row.submitted_at)
    return ReportOut(
        **_row(row, language).model_dump(),
        label=form.in_(language),
        due_on=due_on,
        late=(submitted or clock.today()) > due_on,
        filled_at=row.filled_at,
        note=row.note,
        reason=row.reason,
        values=values_out(form, values(session, [row.id])[row.id], now, language),
        steps=_steps(form, session.execute(_STEPS, {"id": row.id}).all()),
        possible_actions=_possible(actor, row),
    )


def values_out(form: Form, found: Mapping[str, Value], now: Ledger, language: Language) -> list[ValueOut]:
    """The lines of a report in the order of its form, with what the ledger says now."""
    moved_by = rules.moved({field: value.ledger for field, value in found.items()}, now)
    return [
        ValueOut(
            field=field.code,
            label=field.in_(language),
            unit=field.unit,
            ledger=rules.shown(field.unit, value.ledger),
            ledger_now=rules.shown(field.unit, now[field.code]),
            ledger_moved=rules.shown(field.unit, moved_by.get(field.code)),
            value=rules.shown(field.unit, value.own),
            difference=rules.shown(field.unit, value.difference),
            explanation=value.explanation,
        )
        for field in form.fields
        for value in [found.get(field.code, Value())]
    ]


def _steps(form: Form, rows: Sequence[Row[Any]]) -> list[StepOut]:
    """The steps of a report, each with its values beside those of the step before."""
    contents = [{field: Value(*kept) for field, kept in row.content.items()} for row in rows]
    return [
        StepOut(
            **{name: getattr(row, name) for name in ("move", "at", "by", "by_name", "reason")},
            values=[
                StepValueOut(
                    field=field.code,
                    ledger=rules.shown(field.unit, value.ledger),
                    value=rules.shown(field.unit, value.own),
                    explanation=value.explanation,
                    changed=before is not None and value != before.get(field.code, Value()),
                )
                for field in form.fields
                for value in [content.get(field.code, Value())]
            ],
        )
        for row, content, before in zip(rows, contents, [None, *contents], strict=False)
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
    moved: bool,
    limit: int,
    after: str | None,
) -> Page[ReportRow]:
    """Reports within reach, the newest first; ``moved``: accepted ones whose figures in the ledger have moved since.

    Raises:
        Invalid: of which month they may have moved is not said (422).
    """
    ids = None
    if moved:
        if month is None:
            raise Invalid.one("month", "month_missing", "查询台账变动须指明月份", "Say of which month they may have moved")
        ids = list(since_accepted(session, days_of(month)[0], form=form, districts=None if district is None else [district]))
    return paging.page(
        listed(session, actor, month=month, form=form, status=status, district=district, ids=ids, limit=limit, after=after),
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
    ids: list[int] | None = None,
    limit: int,
    after: str | None = None,
) -> list[Row[Any]]:
    """The rows of reports within reach, one more than asked for; with ``ids`` some of these."""
    start = paging.position(after, int)
    asked = {
        "month": days_of(month)[0] if month else None,
        "form": form,
        "status": status,
        "district": district,
        "ids": ids,
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
