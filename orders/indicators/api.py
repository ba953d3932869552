"""Reported indicators over HTTP."""

from typing import Annotated, Literal

from fastapi import Depends, File, Form, Query, UploadFile
from fastapi.responses import Response

from orders.indicators import actions, queries, sheets
from orders.indicators.queries import Filters
from orders.indicators.rules import Grain
from orders.indicators.schemas import (
    FigureOut,
    ImportedOut,
    IndicatorCode,
    ReportedOut,
    ReportIn,
    ReviewIn,
    ReviseIn,
)
from orders.indicators.states import ValueStatus
from shop.core import exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Day, Id, LongText
from shop.core.sheets import SheetName
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.regions.schemas import DistrictCode

routes = Routes("indicators", "/v1/indicators")


def _filters(
    indicator: Annotated[IndicatorCode | None, Query()] = None,
    region: Annotated[DistrictCode | None, Query()] = None,
    grain: Grain | None = None,
    status: ValueStatus | None = None,
    first: Annotated[Day | None, Query(alias="from", description="periods that begin on this day or later")] = None,
    last: Annotated[Day | None, Query(alias="to", description="periods that end on this day or earlier")] = None,
) -> Filters:
    return Filters(indicator, region, grain, status, first, last)


Asked = Annotated[Filters, Depends(_filters)]


@routes.get("", Permission.MONITORING_READ)
def list_values(call: Call, filters: Asked, limit: Limit = 50, after: After = None) -> Page[ReportedOut]:
    """What was reported of the own region, the last reported first."""
    return queries.values(call.session, call.actor, filters, call.language, limit=limit, after=after)


@routes.post("", Permission.INDICATORS_REPORT)
def report(call: Call, body: ReportIn) -> ReportedOut:
    """Report a figure that others counted, such as the rural online retail of a county (农村网络零售额)."""
    value_id = actions.report(call.session, call.actor, body)
    return queries.value(call.session, call.actor, value_id, call.language)


@routes.get("/template", Permission.INDICATORS_REPORT, responses=exports.FILES)
def template(call: Call, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
    """An empty sheet of figures with its headings and an example."""
    return exports.template(format, "reported_values", sheets.COLUMNS, sheets.EXAMPLE, sheets.TITLE["zh"], sheets.CODES)


@routes.post("/import", Permission.INDICATORS_REPORT, status=200)
def import_values(
    call: Call,
    file: Annotated[
        UploadFile, File(description="XLSX or CSV with the columns 指标代码, 区划代码, 期间, 数值, 数据来源, 统计方法")
    ],
    reason: Annotated[LongText | None, Form(description="what was reported before is revised for this reason")] = None,
    dry_run: Annotated[bool, Form(description="only look whether it would be accepted")] = False,
    sheet: SheetName = None,
) -> ImportedOut:
    """Report the rows of a spreadsheet, all or none. Every fault by row and column."""
    return actions.take_over(call.session, call.actor, file.file.read(), sheet, reason=reason, dry_run=dry_run)


@routes.get("/export", Permission.MONITORING_READ, responses=exports.FILES)
def export(call: Call, filters: Asked, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
    """The list as a table."""
    found = queries.values(call.session, call.actor, filters, call.language, limit=None, after=None)
    rows = sheets.cells(found.items, call.language)
    return exports.file(format, "indicators", sheets.HEADER[call.language], rows, sheets.TITLE[call.language])


@routes.get("/{value_id}", Permission.MONITORING_READ)
def read_value(call: Call, value_id: Id) -> ReportedOut:
    """One value: what was reported last, and what holds."""
    return queries.value(call.session, call.actor, value_id, call.language)


@routes.get("/{value_id}/revisions", Permission.MONITORING_READ)
def list_revisions(call: Call, value_id: Id, limit: Limit = 50, after: After = None) -> Page[FigureOut]:
    """Everything that was reported of it, the newest first."""
    return queries.revisions(call.session, call.actor, value_id, limit=limit, after=after)


@routes.post("/{value_id}/revisions", Permission.INDICATORS_REPORT)
def revise(call: Call, value_id: Id, body: ReviseIn) -> ReportedOut:
    """Report it anew, with the reason. What was accepted holds until this is accepted."""
    actions.revise(call.session, call.actor, value_id, body, body.reason, if_match=call.if_match)
    return queries.value(call.session, call.actor, value_id, call.language)


@routes.post("/{value_id}/review", Permission.INDICATORS_REVIEW, status=200)
def review(call: Call, value_id: Id, body: ReviewIn) -> ReportedOut:
    """Accept it, or return it with a reason; by another person than the one who reported it."""
    actions.review(call.session, call.actor, value_id, body, if_match=call.if_match)
    return queries.value(call.session, call.actor, value_id, call.language)
