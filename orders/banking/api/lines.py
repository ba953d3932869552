"""Lines of the bank over HTTP: the queue of those that are not explained, and what they are matched with."""

from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response
from pydantic import Field

from orders.banking.actions import keeping, matching, undoing, writing_off
from orders.banking.queries import lines as queries
from orders.banking.queries import write_offs
from orders.banking.schemas.lines import (
    AssignIn,
    BankLineOut,
    BankLineRow,
    BankLineSearch,
    MatchIn,
    NoteIn,
    UndoMatchIn,
    WriteOffIn,
    WriteOffOut,
)
from orders.banking.schemas.payers import DecisionIn
from orders.banking.states import WriteOffStatus
from shop.core import exports
from shop.core.paging import After, Limit, Page
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
    return exports.file(asked.format, "bank_lines", queries.HEADER[call.language], cells, queries.TITLE[call.language])


@routes.get("/bank-lines/{line_id}", Permission.MONEY_MANAGE)
def line(call: Call, line_id: Id) -> BankLineOut:
    """One line with its matches and notes, and what is left of it may be for, with the reasons."""
    return _line(call, line_id)


@routes.post("/bank-lines/{line_id}/matches", Permission.MONEY_MANAGE)
def match_line(call: Call, line_id: Id, body: MatchIn) -> BankLineOut:
    """Say what a line, or parts of it, were for: orders, announced transfers, refunds, payouts, other movements of the books."""
    matching.match(call.session, call.actor, line_id, body, call.if_match)
    return _line(call, line_id)


@routes.post("/bank-matches/{match_id}/undo", Permission.MONEY_MANAGE, status=200)
def undo_match(call: Call, match_id: Id, body: UndoMatchIn) -> BankLineOut:
    """Take a match back, and with a payout of a list that was matched as a whole the whole list. The line is open again, and is not matched by rule
    any more."""
    return _line(call, undoing.undo(call.session, call.actor, match_id, body.reason))


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


@routes.post("/bank-lines/{line_id}/write-offs", Permission.MONEY_MANAGE)
def write_line_off(call: Call, line_id: Id, body: WriteOffIn) -> WriteOffOut:
    """Ask to write a line, or a part of it, off as the bank's own fees, interest or other entry; or as a payout that left once more, which
    its supplier holds ahead until the next settlements use it up. Another person approves it."""
    made = writing_off.request(call.session, call.actor, line_id, body, call.if_match)
    return write_offs.write_off(call.session, call.actor, made)


@routes.get("/bank-write-offs", Permission.MONEY_MANAGE)
def list_write_offs(call: Call, status: WriteOffStatus | None = None, limit: Limit = 50, after: After = None) -> Page[WriteOffOut]:
    """What is to be, or was, written off; newest first."""
    return write_offs.write_offs(call.session, call.actor, status=status, limit=limit, after=after)


@routes.get("/bank-write-offs/{write_off_id}", Permission.MONEY_MANAGE)
def write_off(call: Call, write_off_id: Id) -> WriteOffOut:
    return write_offs.write_off(call.session, call.actor, write_off_id)


@routes.post("/bank-write-offs/{write_off_id}/approve", Permission.MONEY_MANAGE, status=200)
def approve_write_off(call: Call, write_off_id: Id, body: DecisionIn) -> WriteOffOut:
    """Approve what somebody else asked for: the line is matched by it."""
    writing_off.approve(call.session, call.actor, write_off_id, body.reason, if_match=call.if_match)
    return write_offs.write_off(call.session, call.actor, write_off_id)


@routes.post("/bank-write-offs/{write_off_id}/refuse", Permission.MONEY_MANAGE, status=200)
def refuse_write_off(call: Call, write_off_id: Id, body: DecisionIn) -> WriteOffOut:
    writing_off.refuse(call.session, call.actor, write_off_id, body.reason, if_match=call.if_match)
    return write_offs.write_off(call.session, call.actor, write_off_id)


@routes.post("/bank-write-offs/{write_off_id}/withdraw", Permission.MONEY_MANAGE, status=200)
def withdraw_write_off(call: Call, write_off_id: Id, body: DecisionIn) -> WriteOffOut:
    """Take a request back that is not decided."""
    writing_off.withdraw(call.session, call.actor, write_off_id, body.reason, if_match=call.if_match)
    return write_offs.write_off(call.session, call.actor, write_off_id)
