"""Doubts and books over HTTP. What is decided about doubts stands in ``orders.external_sales.api.holds``."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from orders.counting import books, matching, queries, sheets
from orders.counting.schemas import (
    BookSearch,
    HoldOut,
    HoldRow,
    HoldSearch,
    MatchIn,
    MatchOut,
    PairOut,
    UnmatchedRow,
    UnmatchedSearch,
    UnmatchIn,
)
from shop.core import exports
from shop.core.exports import Worksheet
from shop.core.paging import Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.regions import queries as regions

routes = Routes("counting", "/v1")


@routes.get("/counting-holds", Permission.COUNTING_READ, answer=Page[HoldRow], responses=exports.FILES)
def list_holds(call: Call, asked: Annotated[HoldSearch, Query()]) -> Page[HoldRow] | Response:
    """What does not count until somebody has decided, newest first, with both sides."""
    if asked.format == "json":
        return queries.holds(call.session, call.actor, asked, limit=asked.limit, after=asked.after)
    rows = exports.whole(queries.holds(call.session, call.actor, asked, limit=exports.MAX_ROWS, after=None))
    district = regions.names(call.session, {row.district_code for row in rows}, call.language)
    cells = sheets.hold_cells(rows, district, call.language)
    return exports.file(asked.format, "counting_holds", sheets.HOLDS_HEADER[call.language], cells, sheets.HOLDS[call.language])


@routes.get("/counting-holds/{hold_id}", Permission.COUNTING_READ)
def read_hold(call: Call, hold_id: Id) -> HoldOut:
    return queries.hold(call.session, call.actor, hold_id)


@routes.get("/books", Permission.STATISTICS_READ, answer=Page[PairOut], responses=exports.FILES)
def read_books(call: Call, asked: Annotated[BookSearch, Query()]) -> Page[PairOut] | Response:
    """Seller's book beside buyer's, for each pair of the own branch or region; a workbook holds what is unmatched too."""
    if asked.format == "json":
        return books.pairs(call.session, call.actor, asked, limit=asked.limit, after=asked.after)
    rows = exports.whole(books.pairs(call.session, call.actor, asked, limit=exports.MAX_ROWS, after=None))
    if asked.format == "csv":
        header, title = sheets.PAIRS_HEADER[call.language], sheets.PAIRS[call.language]
        return exports.file("csv", "books", header, map(sheets.pair_cells, rows), title)
    alone = UnmatchedSearch(**asked.model_dump(exclude={"limit", "after", "format"}))
    left = exports.whole(books.unmatched(call.session, call.actor, alone, limit=exports.MAX_ROWS, after=None))
    language = call.language
    return exports.workbook(
        "books",
        [
            Worksheet(sheets.PAIRS[language], sheets.PAIRS_HEADER[language], map(sheets.pair_cells, rows)),
            Worksheet(
                sheets.UNMATCHED[language],
                sheets.UNMATCHED_HEADER[language],
                (sheets.unmatched_cells(row, language) for row in left),
            ),
        ],
        [*rows, *left],
    )


@routes.get("/books/unmatched", Permission.STATISTICS_READ)
def read_unmatched(call: Call, asked: Annotated[UnmatchedSearch, Query()]) -> Page[UnmatchedRow]:
    """What stands in one of the two books only, and why."""
    return books.unmatched(call.session, call.actor, asked, limit=asked.limit, after=asked.after)


@routes.post("/books/matches", Permission.COUNTING_DECIDE)
def match(call: Call, body: MatchIn) -> MatchOut:
    """Say that a buyer's claim is a sale of the seller's book."""
    matching.by_hand(call.session, call.actor, body.buyer_sale_id, body.seller_kind, body.seller_id, body.reason)
    return books.match(call.session, call.actor, body.buyer_sale_id)


@routes.post("/books/matches/{buyer_sale_id}/part", Permission.COUNTING_DECIDE, status=204)
def part(call: Call, buyer_sale_id: Id, body: UnmatchIn) -> None:
    """Say that the two are not the same."""
    matching.take_apart(call.session, call.actor, buyer_sale_id, body.reason)
