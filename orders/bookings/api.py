"""Services, vouchers and bookings over HTTP."""

from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response

from orders.bookings import queries, sheets
from orders.bookings.actions import booking, issuing, redeeming
from orders.bookings.errors import TooManyForPdf
from orders.bookings.schemas import BookIn, CapacityDayOut, CapacityIn, IssueIn, RedeemIn, ReleaseIn, VoucherOut
from orders.bookings.states import VoucherStatus
from orders.purchasing import queries as purchasing
from shop.core import exports
from shop.core.errors import Forbidden
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Day, Id
from shop.identity.access import PROBLEM, Call, Routes
from shop.identity.permissions import Permission

routes = Routes("bookings", "/v1")

Status = Annotated[VoucherStatus | None, Query()]


@routes.put("/skus/{sku_id}/capacity", Permission.STOCK_EDIT)
def declare_capacity(call: Call, sku_id: Id, body: CapacityIn) -> list[CapacityDayOut]:
    """The supplier's calendar of a service: how many units it takes on each day."""
    booking.declare(call.session, call.actor, sku_id, body.days)
    days = [one.day for one in body.days]
    return queries.capacity(call.session, sku_id, min(days), max(days))


@routes.get("/skus/{sku_id}/capacity", Permission.PRODUCTS_READ)
def capacity(
    call: Call,
    sku_id: Id,
    first: Annotated[Day | None, Query(alias="from", description="default: today")] = None,
    last: Annotated[Day | None, Query(alias="to", description="default: ninety days later")] = None,
) -> list[CapacityDayOut]:
    """What is free on the days that the supplier has opened."""
    return queries.capacity(call.session, sku_id, first, last)


@routes.post("/supplier-orders/{supplier_order_id}/vouchers", Permission.SHIPMENTS_CREATE)
def issue(call: Call, supplier_order_id: Id, body: IssueIn) -> Page[VoucherOut]:
    """The supplier issues one voucher for each unit of each service; these lines are redeemed from then on, no longer shipped."""
    issuing.issue(call.session, call.actor, supplier_order_id, body)
    return queries.vouchers(call.session, call.actor, supplier_order_id=supplier_order_id, limit=50, after=None)


@routes.get(
    "/supplier-orders/{supplier_order_id}/vouchers",
    Permission.ORDERS_READ,
    answer=Page[VoucherOut],
    responses={**exports.FILES, 409: PROBLEM},
)
def vouchers_of_order(
    call: Call,
    supplier_order_id: Id,
    status: Status = None,
    limit: Limit = 50,
    after: After = None,
    format: Annotated[Literal["json", "csv", "xlsx", "pdf"], Query(description="a file holds every voucher")] = "json",
) -> Page[VoucherOut] | Response:
    """The vouchers of an order; as a table or, for the buyer's side, as a sheet with QR codes to hand out."""
    purchasing.require_reach(call.session, call.actor, supplier_order_id)
    if format == "json":
        return queries.vouchers(
            call.session, call.actor, supplier_order_id=supplier_order_id, status=status, limit=limit, after=after
        )
    found = queries.all_of_order(call.session, call.actor, supplier_order_id)
    if format == "pdf":
        if found[0].code is None:  # a sheet to hand out is for who sees the codes
            raise Forbidden
        if len(found) > sheets.MOST_PRINTED:
            raise TooManyForPdf(count=len(found))
        disposition = f'attachment; filename="vouchers_{supplier_order_id}.pdf"'
        return Response(sheets.pdf(found), media_type="application/pdf", headers={"Content-Disposition": disposition})
    name, title = f"vouchers_{supplier_order_id}", sheets.TITLE[call.language]
    return exports.file(format, name, sheets.HEADER[call.language], sheets.cells(found, call.language), title)


@routes.get("/vouchers", Permission.ORDERS_READ)
def list_vouchers(
    call: Call,
    status: Status = None,
    day: Annotated[Day | None, Query(description="booked for this day: the list of guests")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[VoucherOut]:
    return queries.vouchers(call.session, call.actor, status=status, day=day, limit=limit, after=after)


@routes.get("/vouchers/{voucher_id}", Permission.ORDERS_READ)
def read_voucher(call: Call, voucher_id: Id) -> VoucherOut:
    return queries.voucher(call.session, call.actor, voucher_id)


@routes.post("/vouchers/book", Permission.VOUCHERS_BOOK, status=200)
def book(call: Call, body: BookIn) -> list[VoucherOut]:
    """The buyer books vouchers for a day, or moves them to another: all or none."""
    booking.book(call.session, call.actor, body)
    return queries.by_ids(call.session, call.actor, body.voucher_ids)


@routes.post("/vouchers/release", Permission.VOUCHERS_BOOK, status=200)
def release(call: Call, body: ReleaseIn) -> list[VoucherOut]:
    """The buyer gives bookings up; the vouchers can be booked again."""
    booking.release(call.session, call.actor, body.voucher_ids)
    return queries.by_ids(call.session, call.actor, body.voucher_ids)


@routes.post("/vouchers/redeem", Permission.VOUCHERS_REDEEM, status=200)
def redeem(call: Call, body: RedeemIn) -> VoucherOut:
    """The guest is there: the voucher is redeemed, once; its unit is delivered, accepted and sold."""
    voucher_id = redeeming.redeem(call.session, call.actor, body.code)
    return queries.voucher(call.session, call.actor, voucher_id)
