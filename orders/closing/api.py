"""The month's list of the money books over HTTP. Figures of sales are closed in :mod:`orders.bulletins`; nothing is closed here."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from orders.closing import queries, sheets
from orders.closing.schemas import ClosePage, CloseSearch
from shop.core import exports
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("closing", "/v1")


@routes.get("/month-close", Permission.MONEY_READ, answer=ClosePage, responses=exports.FILES)
def month_close(call: Call, asked: Annotated[CloseSearch, Query()]) -> ClosePage | Response:
    """One list for the books of a month: every part of an order that moved in it, came into it open or is not paid, with its deliveries, invoices, tax invoice
    numbers, payments and settlements; what lacks something on top. As a file for the books."""
    if asked.format == "json":
        return queries.close(call.session, call.actor, asked, limit=asked.limit, after=asked.after)
    found = queries.close(call.session, call.actor, asked, limit=exports.MAX_ROWS, after=None)
    title, header = sheets.TITLE[call.language], sheets.HEADER[call.language]
    exports.whole(found)  # or it is refused
    return exports.file(asked.format, f"close_{found.month}", header, sheets.rows(found, call.language), title)
