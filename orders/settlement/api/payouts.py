"""Payouts over HTTP."""

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

from orders.settlement import sheets
from orders.settlement.actions import listing, paying
from orders.settlement.actions.accounts import number_of
from orders.settlement.queries import payouts as queries
from orders.settlement.schemas.payouts import (
    ApproveIn,
    ConfirmIn,
    FileSentIn,
    Method,
    PayoutFileIn,
    PayoutFileOut,
    PayoutOut,
    PayoutRow,
    ReleaseIn,
    SentIn,
)
from orders.settlement.schemas.settlements import Format, ReasonIn
from orders.settlement.states import PayoutFileStatus, PayoutStatus
from shop.core import exports
from shop.core.exports import whole
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("payouts", "/v1")


@routes.get("/payouts", Permission.MONEY_READ, responses=exports.FILES, answer=Page[PayoutRow])
def payouts(
    call: Call,
    supplier_id: Id | None = None,
    status: PayoutStatus | None = None,
    method: Method | None = None,
    format: Format = "json",
    limit: Limit = 50,
    after: After = None,
) -> Page[PayoutRow] | Response:
    """Payouts to the own branch, or to those whose money one keeps; newest first."""
    asked: dict[str, Any] = {"supplier_id": supplier_id, "status": status, "method": method}
    if format == "json":
        return queries.payouts(call.session, call.actor, **asked, limit=limit, after=after)
    rows = whole(queries.payouts(call.session, call.actor, **asked, limit=exports.MAX_LINES, after=None), exports.MAX_LINES)
    return exports.file(
        format,
        "payouts",
        sheets.PAYOUTS_HEADER[call.language],
        sheets.payout_cells(rows, call.language),
        sheets.TITLES["payouts"][call.language],
    )


@routes.get("/payouts/{payout_id}", Permission.MONEY_READ)
def payout(call: Call, payout_id: Id) -> PayoutOut:
    """One payout with all its releases."""
    return queries.payout(call.session, call.actor, payout_id)


@routes.post("/payouts/{payout_id}/approve", Permission.MONEY_MANAGE, status=200)
def approve(call: Call, payout_id: Id, body: ApproveIn) -> PayoutOut:
    """Say that it is right, and by what way it goes; again after it failed. Another person releases it."""
    paying.approve(call.session, call.actor, payout_id, body.method, body.despite, if_match=call.if_match)
    return queries.payout(call.session, call.actor, payout_id)


@routes.post("/payouts/{payout_id}/withdraw", Permission.MONEY_MANAGE, status=200)
def withdraw(call: Call, payout_id: Id, body: ReasonIn) -> PayoutOut:
    """Take its approval back, before it is released."""
    paying.withdraw(call.session, call.actor, payout_id, body.reason, if_match=call.if_match)
    return queries.payout(call.session, call.actor, payout_id)


@routes.post("/payouts/{payout_id}/release", Permission.MONEY_MANAGE, status=200)
def release(call: Call, payout_id: Id, body: ReleaseIn | None = None) -> PayoutOut:
    """Let it go, after another person approved it."""
    paying.release(call.session, call.actor, payout_id, body.despite if body else None, if_match=call.if_match)
    return queries.payout(call.session, call.actor, payout_id)


@routes.post("/payouts/{payout_id}/send", Permission.MONEY_MANAGE, status=200)
def send(call: Call, payout_id: Id, body: SentIn) -> PayoutOut:
    """Say that it was handed to the bank by itself, with the bank's reference."""
    paying.send(call.session, call.actor, payout_id, body.reference, body.despite, if_match=call.if_match)
    return queries.payout(call.session, call.actor, payout_id)


@routes.post("/payouts/{payout_id}/confirm", Permission.MONEY_MANAGE, status=200)
def confirm(call: Call, payout_id: Id, body: ConfirmIn) -> PayoutOut:
    """Say that the bank carried it out, where no statement is imported."""
    paying.confirm(call.session, call.actor, payout_id, body.reference, body.despite, if_match=call.if_match)
    return queries.payout(call.session, call.actor, payout_id)


@routes.post("/payout-files", Permission.MONEY_MANAGE)
def make_payout_file(call: Call, body: PayoutFileIn | None = None) -> PayoutFileOut:
    """Put every released payout by bank on one list for the bank."""
    made = listing.make(call.session, call.actor, body.despite if body else None)
    return queries.payout_file(call.session, call.actor, made)


@routes.get("/payout-files", Permission.MONEY_MANAGE)
def payout_files(call: Call, status: PayoutFileStatus | None = None, limit: Limit = 50, after: After = None) -> Page[PayoutFileOut]:
    """Lists for the bank, newest first."""
    return queries.payout_files(call.session, call.actor, status=status, limit=limit, after=after)


@routes.get("/payout-files/{payout_file_id}", Permission.MONEY_MANAGE)
def payout_file(call: Call, payout_file_id: Id) -> PayoutFileOut:
    return queries.payout_file(call.session, call.actor, payout_file_id)


@routes.get("/payout-files/{payout_file_id}/content", Permission.MONEY_MANAGE, responses=exports.FILES)
def payout_file_content(call: Call, payout_file_id: Id, format: Annotated[str, Query(pattern="^(csv|xlsx)$")] = "xlsx") -> Response:
    """The list as the bank takes it: without what failed, which another release pays, and before it is sent without what was paid. A void one is told
    as it was, and says by its name what it is."""
    found = queries.payout_file(call.session, call.actor, payout_file_id)
    rows = queries.file_rows(call.session, payout_file_id)
    cells = sheets.bank_cells(rows, [number_of(row) for row in rows])
    name = f"{found.number}-void" if found.status is PayoutFileStatus.VOID else found.number
    return exports.file(format, name, sheets.BANK_HEADER, cells, found.number)


@routes.post("/payout-files/{payout_file_id}/send", Permission.MONEY_MANAGE, status=200)
def send_payout_file(call: Call, payout_file_id: Id, body: FileSentIn) -> PayoutFileOut:
    """Say that it was handed to the bank, with the bank's number of the upload."""
    listing.send(call.session, call.actor, payout_file_id, body.reference, body.despite)
    return queries.payout_file(call.session, call.actor, payout_file_id)


@routes.post("/payout-files/{payout_file_id}/void", Permission.MONEY_MANAGE, status=200)
def void_payout_file(call: Call, payout_file_id: Id, body: ReasonIn) -> PayoutFileOut:
    """Say that it was never handed to the bank: its payouts go on the next list. Only by another person than who made it."""
    listing.void(call.session, call.actor, payout_file_id, body.reason)
    return queries.payout_file(call.session, call.actor, payout_file_id)
