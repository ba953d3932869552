"""Sales of outlets over HTTP."""

from functools import partial
from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response

from orders.outlet_sales import queries, sheets
from orders.outlet_sales.actions import importing, receiving, trying
from orders.outlet_sales.rules import BatchStatus, Doubt, LineStatus
from orders.outlet_sales.schemas import (
    Group,
    OutletSalesOut,
    SalesBatchesIn,
    SalesBatchesOut,
    SalesBatchIn,
    SalesBatchOut,
    SalesImportedOut,
    SalesLineOut,
    SalesTrialOut,
    TakeBackIn,
    TakenBackOut,
)
from orders.outlets.api import DryRun, Region, Sheet, VenueFilter, Word
from orders.outlets.queries import Filters
from orders.outlets.states import OutletKind
from shop.core import clock, exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Day, Id
from shop.core.sheets import SheetName
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.regions import queries as regions

routes = Routes("outlet_sales", "/v1")

First = Annotated[Day | None, Query(alias="from", description="default: the first day of the month of `to`")]
Last = Annotated[Day | None, Query(alias="to", description="default: today")]
#: A list, so that two are refused and not the last of them taken.
GroupBy = Annotated[list[Group], Query(min_length=1, max_length=1)]


@routes.post("/sales-batches", Permission.OUTLET_SALES_REPORT)
def send_batch(call: Call, body: SalesBatchIn) -> SalesBatchOut:
    """A device sends a batch of sales. Sent again it gives the same answer and counts once."""
    batch_id = receiving.receive_one(call.session, call.actor, body)
    return queries.batch(call.session, call.actor, batch_id)


@routes.post("/sales-batches/bulk", Permission.OUTLET_SALES_REPORT)
def send_batches(call: Call, body: SalesBatchesIn) -> SalesBatchesOut:
    """A device that was offline sends many batches at once, up to 20,000 lines. The answer tells of each what became of it."""
    return SalesBatchesOut(batches=receiving.receive(call.session, call.actor, body.each))


@routes.post("/sales-batches/import", Permission.OUTLETS_MANAGE, status=200)
def import_sales(call: Call, file: Sheet, dry_run: DryRun = False, sheet: SheetName = None) -> SalesImportedOut:
    """An operator's file of sales, up to 19,998 rows: all of them or none. Every fault by row and column; the same file twice is refused.
    The answer tells what counts of it and what does not."""
    return importing.import_file(call.session, call.actor, file.filename, file.file.read(), sheet, dry_run=dry_run)


@routes.post("/sales-file-trials", Permission.OUTLETS_MANAGE, status=202)
def try_file(call: Call, file: Sheet, sheet: SheetName = None) -> SalesTrialOut:
    """Have a file tried in the background, as `dry_run` of an import does at once: for files of thousands of rows, which take a while. Look at its status."""
    trial_id = trying.ask(call.session, call.actor, file.filename, file.file.read(), sheet)
    return queries.trial(call.session, call.actor, trial_id, call.language)


@routes.get("/sales-file-trials/{trial_id}", Permission.OUTLETS_MANAGE)
def read_trial(call: Call, trial_id: Id) -> SalesTrialOut:
    """How far the own trial of a file is, and what came of it; kept for 30 days."""
    return queries.trial(call.session, call.actor, trial_id, call.language)


@routes.post("/sales-batches/take-back", Permission.OUTLETS_MANAGE, status=200)
def take_back(call: Call, body: TakeBackIn) -> TakenBackOut:
    """Take wrong files back by their batches, up to 200 at once, all or none; the right file is then imported as any other. Where more counts of them,
    together with what was taken out at these outlets before on the same day, than `withdrawal_yuan` of the programme, an officer other than the caller has to agree first (`POST /v1/counting-holds/{id}/count`)."""
    held = importing.take_back(call.session, call.actor, body.ids, body.reason)
    return TakenBackOut(taken_back=len(body.ids) - held, held=held)


@routes.get("/sales-batches/template", Permission.OUTLETS_MANAGE, responses=exports.FILES)
def sales_template(call: Call, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
    """An empty file of sales with its headings and an example."""
    return exports.template(format, "outlet_sales", sheets.SALES_COLUMNS, sheets.SALES_EXAMPLE, "网点销售", sheets.SALES_CODES)


@routes.get("/sales-batches", Permission.OUTLETS_READ)
def list_batches(
    call: Call,
    outlet_id: Id | None = None,
    status: Annotated[
        BatchStatus | None, Query(description="waiting: a batch before it has not come; held: an officer looks at it")
    ] = None,
    reason_code: Annotated[Doubt | None, Query()] = None,
    waits: Annotated[
        bool | None, Query(description="whether a batch before it, or the sale that a refund in it gives back of, has not come")
    ] = None,
    region: Region = None,
    sold_to: Annotated[Day | None, Query(description="whose first sale was made up to this day")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[SalesBatchOut]:
    """Batches, the newest first."""
    return queries.batches(
        call.session,
        call.actor,
        outlet_id=outlet_id,
        status=status,
        reason=reason_code,
        waits=waits,
        region=regions.prefix_asked(call.session, region),
        sold_to=sold_to,
        limit=limit,
        after=after,
    )


@routes.get("/sales-batches/{batch_id}", Permission.OUTLETS_READ)
def read_batch(call: Call, batch_id: Id) -> SalesBatchOut:
    """A batch of an outlet within reach. Of one of another region's outlet officers and monitors see what was sold of their own region's goods: its
    sums and lines are those."""
    return queries.batch(call.session, call.actor, batch_id)


@routes.get("/sales-batches/{batch_id}/lines", Permission.OUTLETS_READ)
def list_lines(
    call: Call,
    batch_id: Id,
    status: Annotated[LineStatus | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[SalesLineOut]:
    """What was sold, and what became of each line; as much of it as the batch shows."""
    return queries.lines(call.session, call.actor, batch_id, status=status, limit=limit, after=after)


@routes.get("/outlet-sales", Permission.OUTLETS_READ)
def outlet_sales(
    call: Call,
    group_by: GroupBy = ["outlet"],  # noqa: B006  FastAPI copies it
    first: First = None,
    last: Last = None,
    kind: OutletKind | None = None,
    online: bool | None = None,
    region: Region = None,
    operator_id: Id | None = None,
    venue: VenueFilter = None,
    q: Word = None,
    limit: Limit = 50,
    after: After = None,
) -> OutletSalesOut:
    """What outlets sold, certified goods and others apart, with growth against the same days a year before."""
    filters = Filters(kind, online, None, regions.prefix_asked(call.session, region), operator_id, venue, None, q)
    return queries.sales(
        call.session, call.actor, group_by[0], filters, first=first, last=last, limit=limit, after=after, language=call.language
    )


@routes.get("/outlet-sales/export", Permission.OUTLETS_READ, responses=exports.FILES)
def export_outlet_sales(
    call: Call,
    group_by: GroupBy = ["outlet"],  # noqa: B006  FastAPI copies it
    first: First = None,
    last: Last = None,
    kind: OutletKind | None = None,
    online: bool | None = None,
    region: Region = None,
    operator_id: Id | None = None,
    venue: VenueFilter = None,
    q: Word = None,
    format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx",
) -> Response:
    """The same as a table, all of it."""
    filters = Filters(kind, online, None, regions.prefix_asked(call.session, region), operator_id, venue, None, q)
    found = queries.sales(
        call.session,
        call.actor,
        group_by[0],
        filters,
        first=first,
        last=last,
        limit=exports.MAX_ROWS,
        after=None,
        language=call.language,
    )
    header, title = sheets.HEADER[call.language], sheets.TITLE[call.language]
    term = programmes.terms(call.session, clock.today(), call.language)
    cells = sheets.cells(exports.whole(found), partial(term, "outlet_kind") if group_by == ["kind"] else None)
    asked = sheets.filters(call.language, region=region, kind=kind, online=online, operator_id=operator_id, venue=venue, q=q)
    about = exports.About(call.language, found.definition, found.exact_to, first=found.first, last=found.last, filters=list(asked))
    return exports.file(format, "outlet_sales", header, exports.totalled(cells, call.language, {sheets.GROWTH}), title, about)
