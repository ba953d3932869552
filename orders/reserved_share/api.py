"""Reserved shares over HTTP."""

from typing import Annotated, Literal

from fastapi import File, Form, Path, Query, UploadFile
from fastapi.responses import Response

from catalog.products.schemas import DistrictCode
from orders.reserved_share import rules, sheets
from orders.reserved_share.actions import filing, importing
from orders.reserved_share.queries import shares, units
from orders.reserved_share.queries.units import Filters
from orders.reserved_share.schemas import (
    FilingIn,
    ImportOut,
    Lack,
    ReservedShareIn,
    ReservedShareOut,
    ReviewIn,
    RevisionOut,
    SharesOut,
    ViewStatus,
)
from shop.core import clock, exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.core.sheets import SheetName
from shop.identity.access import PROBLEM, Call, Routes
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

routes = Routes("reserved_shares", "/v1")

Year = Annotated[int, Path(ge=1, le=999_999_999, examples=[2026])]
OfYear = Annotated[int | None, Query(ge=2000, le=2100, description="default: the present year")]
Unit = Annotated[Id | None, Query(description="default: the own unit")]
District = Annotated[DistrictCode | None, Query()]


def _share(call: Call, year: int, unit_id: int | None) -> ReservedShareOut:
    return shares.share(call.session, call.actor, year, unit_id)


@routes.get("/reserved-shares", Permission.RESERVED_SHARE_READ)
def list_shares(
    call: Call,
    year: OfYear = None,
    status: ViewStatus | None = None,
    district: District = None,
    limit: Limit = 50,
    after: After = None,
) -> SharesOut:
    """The units of the own branch or region with what they reserved and how far they are, by rank; totals are over all of them."""
    filters = Filters(status, district=district)
    return units.shares(call.session, call.actor, year or clock.today().year, filters, limit=limit, after=after)


@routes.get("/reserved-shares/{year}", Permission.RESERVED_SHARE_READ, responses={409: PROBLEM})
def read_share(call: Call, year: Year, unit_id: Unit = None) -> ReservedShareOut:
    """What a unit filed for a year, what holds of it, and how far it is, with the last sale that was accepted."""
    return _share(call, year, unit_id)


@routes.put("/reserved-shares/{year}", Permission.RESERVED_SHARE_FILE)
def write_share(call: Call, year: Year, body: ReservedShareIn, unit_id: Unit = None) -> ReservedShareOut:
    """Write down what the own unit, or one below it, is going to file."""
    filing.save(call.session, call.actor, year, unit_id, body, call.if_match)
    return _share(call, year, unit_id)


@routes.post("/reserved-shares/{year}/file", Permission.RESERVED_SHARE_FILE, status=200)
def file_share(call: Call, year: Year, body: FilingIn, unit_id: Unit = None) -> ReservedShareOut:
    """Hand it to the department for review."""
    filing.file(call.session, call.actor, year, unit_id, body, if_match=call.if_match)
    return _share(call, year, unit_id)


@routes.post("/reserved-shares/{year}/review", Permission.RESERVED_SHARE_REVIEW, status=200)
def review_share(
    call: Call, year: Year, body: ReviewIn, unit_id: Annotated[Id, Query(description="the unit that filed it")]
) -> ReservedShareOut:
    """Accept what a unit filed, or return it: the department above it, or the officers of its region where there is none."""
    filing.review(call.session, call.actor, year, unit_id, body, if_match=call.if_match)
    return _share(call, year, unit_id)


@routes.get("/reserved-shares/{year}/revisions", Permission.RESERVED_SHARE_READ)
def list_revisions(call: Call, year: Year, unit_id: Unit = None, limit: Limit = 50, after: After = None) -> Page[RevisionOut]:
    """Every version that a unit filed, the newest first."""
    return shares.revisions(call.session, call.actor, year, unit_id, limit=limit, after=after)


@routes.get("/reserved-shares/{year}/reminders", Permission.RESERVED_SHARE_READ)
def list_reminders(
    call: Call, year: Year, lack: Lack | None = None, district: District = None, limit: Limit = 50, after: After = None
) -> SharesOut:
    """The units that did not file in time, whose filing was returned, or that are behind the time of year."""
    filters = Filters(lack=lack, district=district, lacking=True)
    return units.shares(call.session, call.actor, year, filters, limit=limit, after=after)


@routes.get("/reserved-shares/{year}/export", Permission.RESERVED_SHARE_READ, responses=exports.FILES)
def export_shares(
    call: Call,
    year: Year,
    status: ViewStatus | None = None,
    district: District = None,
    format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx",
) -> Response:
    """The same view as a table."""
    found = units.shares(call.session, call.actor, year, Filters(status, district=district), limit=None, after=None)
    config = programmes.config_of(call.session, rules.first_and_last(year)[1])
    rows = sheets.cells(found.items, config, call.language)
    return exports.file(format, f"reserved_shares_{year}", sheets.HEADER[call.language], rows, sheets.TITLE[call.language])


@routes.post("/reserved-shares/{year}/import", Permission.RESERVED_SHARE_FILE, status=200)
def import_bases(
    call: Call,
    year: Year,
    file: Annotated[
        UploadFile, File(description="XLSX or CSV with the columns 统一社会信用代码, 食堂采购基数, 预留比例 (may be left out)")
    ],
    dry_run: Annotated[bool, Form(description="only look whether it would be accepted")] = False,
    sheet: SheetName = None,
) -> ImportOut:
    """Write the bases of many units of the own branch as drafts, which they then file. Every fault by row and column."""
    return importing.take_over(call.session, call.actor, year, file.file.read(), sheet, dry_run=dry_run)
