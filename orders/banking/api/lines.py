"""Lines of the bank over HTTP: the queue of those that are not explained, and what they are matched with."""

from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response
from pydantic import Field

from orders.banking.actions import keeping, matching
from orders.banking.queries import lines as queries
from orders.banking.schemas.lines import AssignIn, BankLineOut, BankLineRow, BankLineSearch, MatchIn, NoteIn, UndoMatchIn
from shop.core import exports
from shop.core.paging import Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("bank_lines", "/v1")


class ListedSearch(BankLineSearch):
    """The same with paging, in one model, as query parameters are taken."""

    limit: int = Field(default=50, ge=1, le=200, description="rows in a page")
    after: str | None = Field(default=None, max_length=500, description="cursor: `next` of the page before")


class ExportSearch(BankLineSearch):
    format: Literal["xlsx", "csv"] = "xlsx"


def _line(call: Call, line_id: int) -> BankLineOut:
    return queries.line(call.session, call.actor, line_id, call.language)


@routes.get("/bank-lines", Permission.MONEY_MANAGE)
def lines(call: Call, asked: Annotated[ListedSearch, Query()]) -> Page[BankLineRow]:
    """Lines of the account, newest first; `unmatched=true` is the queue of those that are not explained."""
    return queries.lines(call.session, call.actor, asked, limit=asked.limit, after=asked.after)


@routes.get("/bank-lines/export", Permission.MONEY_MANAGE, responses=exports.FILES)
def export_lines(call: Call, asked: Annotated[ExportSearch, Query()]) -> Response:
    """The same lines as a table."""
    cells = queries.cells(call.session, call.actor, asked, call.language)
    return exports.file(asked.format, "bank_lines", queries.HEADER[call.language], cells)


@routes.get("/bank-lines/{line_id}", Permission.MONEY_MANAGE)
def line(call: Call, line_id: Id) -> BankLineOut:
    """One line with its matches and notes, and what is left of it may be for, with the reasons."""
    return _line(call, line_id)


@routes.post("/bank-lines/{line_id}/matches", Permission.MONEY_MANAGE)
def match_line(call: Call, line_id: Id, body: MatchIn) -> BankLineOut:
    """Say what a line, or parts of it, were for: orders, announced transfers, refunds, the bank's own entries, other movements of the books."""
    matching.match(call.session, call.actor, line_id, body, call.if_match)
    return _line(call, line_id)


@routes.post("/bank-matches/{match_id}/undo", Permission.MONEY_MANAGE, status=200)
def undo_match(call: Call, match_id: Id, body: UndoMatchIn) -> BankLineOut:
    """Take a match back. The line is open again, and is not matched by rule any more."""
    return _line(call, matching.undo(call.session, call.actor, match_id, body.reason))


@routes.post("/bank-lines/{line_id}/notes", Permission.MONEY_MANAGE)
def note_line(call: Call, line_id: Id, body: NoteIn) -> BankLineOut:
    """Write down what was found out about a line."""
    keeping.note(call.session, call.actor, line_id, body.note)
    return _line(call, line_id)


@routes.put("/bank-lines/{line_id}/assignment", Permission.MONEY_MANAGE)
def assign_line(call: Call, line_id: Id, body: AssignIn) -> BankLineOut:
    """Give a line to somebody of platform finance to look into."""
    keeping.assign(call.session, call.actor, line_id, body.user_id)
    return _line(call, line_id)
