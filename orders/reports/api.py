"""Monthly reports over HTTP."""

from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response

from orders.ledger.filters import RegionCode
from orders.reports import actions, filling, forms, sheets
from orders.reports.queries import expected
from orders.reports.queries import reports as queries
from orders.reports.schemas import FormCode, FormOut, ReportEdit, ReportIn, ReportOut, ReportRow, ReturnIn, UnreportedOut
from orders.reports.states import ReportStatus
from shop.core import clock, exports
from shop.core.errors import Invalid
from shop.core.months import Month, days_of, month_before
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("reports", "/v1")

OfMonth = Annotated[Month | None, Query(description="Shanghai month; default: the one that was over last")]
OfForm = Annotated[FormCode, Query(description="default: that of buying units")]
District = Annotated[RegionCode | None, Query()]


def _over(month: str | None) -> str:
    """The month asked for, of which there are reports once it is over.

    Raises:
        Invalid: it is not over (422).
    """
    of = month or month_before(clock.today())
    if days_of(of)[1] >= clock.today():
        raise Invalid.one("month", "not_over", "该月尚未结束", "is not over")
    return of


def _begun(month: str | None) -> str:
    """The month asked for; who is missing of one that runs is asked for by the list of its close.

    Raises:
        Invalid: it has not begun (422).
    """
    of = month or month_before(clock.today())
    if days_of(of)[0] > clock.today():
        raise Invalid.one("month", "not_begun", "该月尚未开始", "has not begun")
    return of


def _report(call: Call, report_id: int) -> ReportOut:
    return queries.report(call.session, call.actor, report_id, call.language)


@routes.get("/report-forms", Permission.REPORTS_READ)
def list_forms(call: Call) -> list[FormOut]:
    """Every version of every form, with its fields and from when on it holds."""
    return [queries.form_out(form, call.language) for form in forms.forms()]


@routes.get("/reports", Permission.REPORTS_READ)
def list_reports(
    call: Call,
    month: Annotated[Month | None, Query()] = None,
    form: Annotated[FormCode | None, Query()] = None,
    status: ReportStatus | None = None,
    district: District = None,
    moved: Annotated[bool, Query(description="accepted ones of the month whose figures in the ledger have moved since")] = False,
    limit: Limit = 50,
    after: After = None,
) -> Page[ReportRow]:
    """The reports of the own branch or region, the newest first."""
    filters = {"month": month, "form": form, "status": status, "district": district, "moved": moved}
    return queries.reports(call.session, call.actor, call.language, **filters, limit=limit, after=after)  # type: ignore[arg-type]


@routes.post("/reports", Permission.REPORTS_SUBMIT)
def draft_report(call: Call, body: ReportIn) -> ReportOut:
    """Begin the report of a month that is over, filled in with what the ledger says."""
    return _report(call, actions.draft(call.session, call.actor, body))


@routes.get("/reports/unreported", Permission.REPORTS_READ, answer=UnreportedOut, responses=exports.FILES)
def list_unreported(
    call: Call,
    form: OfForm = "unit_monthly",
    month: OfMonth = None,
    district: District = None,
    limit: Limit = 50,
    after: After = None,
    format: Annotated[Literal["json", "csv", "xlsx"], Query()] = "json",
) -> UnreportedOut | Response:
    """Who has to report a month and has no report that was accepted."""
    of = _begun(month)
    rows, start = (limit, after) if format == "json" else (exports.MAX_ROWS, None)
    found = expected.unreported(
        call.session, call.actor, call.language, form=form, month=of, district=district, limit=rows, after=start
    )
    if format == "json":
        return found
    title, header = sheets.UNREPORTED_TITLE[call.language], sheets.UNREPORTED_HEADER[call.language]
    return exports.file(format, f"unreported_{of}", header, sheets.unreported_cells(exports.whole(found), call.language), title)


@routes.get("/reports/export", Permission.REPORTS_READ, responses=exports.FILES)
def export_reports(
    call: Call, form: OfForm = "unit_monthly", month: OfMonth = None, format: Annotated[Literal["csv", "xlsx"], Query()] = "xlsx"
) -> Response:
    """All reports of a month by one form: what the ledger said when it was asked, what it says now, and what was reported."""
    of = _over(month)
    shown = forms.in_force(form, days_of(of)[0])
    rows = queries.listed(call.session, call.actor, month=of, form=form, limit=exports.MAX_ROWS)
    exports.require_whole(rows, exports.MAX_ROWS)
    values = queries.values(call.session, [row.id for row in rows])
    whose = {row.id: (row.organisation_id, row.region_code) for row in rows}
    now = filling.ledger_values_of(call.session, shown, days_of(of)[0], whose)
    cells = (sheets.cells(shown, row, values[row.id], now[row.id], call.language) for row in rows)
    return exports.file(format, f"reports_{of}", sheets.header(shown, call.language), cells, sheets.TITLE[call.language])


@routes.get("/reports/{report_id}", Permission.REPORTS_READ)
def read_report(call: Call, report_id: Id) -> ReportOut:
    """A report: by field what the ledger says, what the unit says, and why the two differ; and by step the values as they were then."""
    return _report(call, report_id)


@routes.put("/reports/{report_id}", Permission.REPORTS_SUBMIT)
def write_report(call: Call, report_id: Id, body: ReportEdit) -> ReportOut:
    """Write down values and explanations."""
    actions.save(call.session, call.actor, report_id, body, call.if_match)
    return _report(call, report_id)


@routes.post("/reports/{report_id}/refill", Permission.REPORTS_SUBMIT, status=200)
def refill_report(call: Call, report_id: Id) -> ReportOut:
    """Ask the ledger again. What the unit wrote stays; what was as the ledger said, with nothing to explain, is as it says now."""
    actions.refill(call.session, call.actor, report_id, call.if_match)
    return _report(call, report_id)


@routes.post("/reports/{report_id}/submit", Permission.REPORTS_SUBMIT, status=200)
def submit_report(call: Call, report_id: Id) -> ReportOut:
    """Hand it to the county, or the county's own to the city. Where it differs from the ledger, it says why."""
    actions.submit(call.session, call.actor, report_id, call.if_match)
    return _report(call, report_id)


@routes.post("/reports/{report_id}/accept", Permission.REPORTS_REVIEW, status=200)
def accept_report(call: Call, report_id: Id) -> ReportOut:
    """Accept what was submitted: the county of its units, the city of counties."""
    actions.accept(call.session, call.actor, report_id, call.if_match)
    return _report(call, report_id)


@routes.post("/reports/{report_id}/return", Permission.REPORTS_REVIEW, status=200)
def return_report(call: Call, report_id: Id, body: ReturnIn) -> ReportOut:
    """Return it with the reason."""
    actions.send_back(call.session, call.actor, report_id, body.reason, call.if_match)
    return _report(call, report_id)
