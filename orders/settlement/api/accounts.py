"""Suppliers' bank accounts and advances over HTTP."""

from typing import Annotated

from fastapi import Query

from orders.settlement.actions import accounts, advances
from orders.settlement.queries import payouts as queries
from orders.settlement.schemas.payouts import (
    AccountIn,
    AccountOut,
    AdvanceAgreementOut,
    AdvanceIn,
    AdvanceOut,
    AdvanceReturnIn,
    NoteIn,
    OptionalNoteIn,
    SentIn,
)
from orders.settlement.schemas.settlements import ReasonIn
from orders.settlement.states import AccountStatus, AdvanceStatus
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id, ShortText
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("payout_accounts", "/v1")


@routes.post("/payout-accounts", Permission.SETTLEMENTS_ANSWER)
def request_account(call: Call, body: AccountIn) -> AccountOut:
    """Say to which account the own organisation wants to be paid. Another person approves it; a changed one is used some days later."""
    return queries.account(call.session, call.actor, accounts.request(call.session, call.actor, body))


@routes.get("/payout-accounts", Permission.MONEY_READ)
def list_accounts(
    call: Call, supplier_id: Id | None = None, status: AccountStatus | None = None, limit: Limit = 50, after: After = None
) -> Page[AccountOut]:
    """Accounts of the own branch, or of those whose money one keeps; newest first."""
    return queries.accounts(call.session, call.actor, supplier_id=supplier_id, status=status, limit=limit, after=after)


@routes.get("/payout-accounts/{payout_account_id}", Permission.MONEY_READ)
def account(call: Call, payout_account_id: Id) -> AccountOut:
    return queries.account(call.session, call.actor, payout_account_id)


@routes.post("/payout-accounts/{payout_account_id}/approve", Permission.MONEY_MANAGE, status=200)
def approve_account(call: Call, payout_account_id: Id, body: OptionalNoteIn) -> AccountOut:
    """Approve an account that somebody else asked for, after asking the supplier back by another way; above all where the holder is not the
    supplier (``holder_is_supplier``)."""
    accounts.approve(call.session, call.actor, payout_account_id, body.note)
    return queries.account(call.session, call.actor, payout_account_id)


@routes.post("/payout-accounts/{payout_account_id}/refuse", Permission.MONEY_MANAGE, status=200)
def refuse_account(call: Call, payout_account_id: Id, body: NoteIn) -> AccountOut:
    accounts.refuse(call.session, call.actor, payout_account_id, body.note)
    return queries.account(call.session, call.actor, payout_account_id)


@routes.post("/payout-accounts/{payout_account_id}/withdraw", Permission.SETTLEMENTS_ANSWER, status=200)
def withdraw_account(call: Call, payout_account_id: Id, body: NoteIn) -> AccountOut:
    """Take a change back that is not decided."""
    accounts.withdraw(call.session, call.actor, payout_account_id, body.note)
    return queries.account(call.session, call.actor, payout_account_id)


@routes.post("/advances", Permission.MONEY_MANAGE)
def request_advance(call: Call, body: AdvanceIn) -> AdvanceOut:
    """Ask for money to be paid to a supplier ahead, for a signed agreement."""
    return queries.advance(call.session, call.actor, advances.request(call.session, call.actor, body))


@routes.get("/advances", Permission.MONEY_READ)
def list_advances(
    call: Call, supplier_id: Id | None = None, status: AdvanceStatus | None = None, limit: Limit = 50, after: After = None
) -> Page[AdvanceOut]:
    """Advances to the own branch, or to those whose money one keeps; newest first."""
    return queries.advances(call.session, call.actor, supplier_id=supplier_id, status=status, limit=limit, after=after)


@routes.get("/advances/agreements", Permission.MONEY_MANAGE)
def advance_agreements(
    call: Call,
    supplier_id: Id | None = None,
    q: Annotated[ShortText | None, Query(description="part of the number, the title, or either side's name")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[AdvanceAgreementOut]:
    """Agreements that money may be paid ahead for, with their ids; newest first. Their terms are not told."""
    return queries.agreements(call.session, call.actor, supplier_id=supplier_id, q=q, limit=limit, after=after)


@routes.get("/advances/{advance_id}", Permission.MONEY_READ)
def advance(call: Call, advance_id: Id) -> AdvanceOut:
    return queries.advance(call.session, call.actor, advance_id)


@routes.post("/advances/{advance_id}/approve", Permission.MONEY_MANAGE, status=200)
def approve_advance(call: Call, advance_id: Id) -> AdvanceOut:
    """Approve an advance that somebody else asked for."""
    advances.approve(call.session, call.actor, advance_id, if_match=call.if_match)
    return queries.advance(call.session, call.actor, advance_id)


@routes.post("/advances/{advance_id}/refuse", Permission.MONEY_MANAGE, status=200)
def refuse_advance(call: Call, advance_id: Id, body: ReasonIn) -> AdvanceOut:
    advances.refuse(call.session, call.actor, advance_id, body.reason, if_match=call.if_match)
    return queries.advance(call.session, call.actor, advance_id)


@routes.post("/advances/{advance_id}/pay", Permission.MONEY_MANAGE, status=200)
def pay_advance(call: Call, advance_id: Id, body: SentIn) -> AdvanceOut:
    """Say that the bank paid it."""
    advances.pay(call.session, call.actor, advance_id, body.reference, if_match=call.if_match)
    return queries.advance(call.session, call.actor, advance_id)


@routes.post("/advances/{advance_id}/return", Permission.MONEY_MANAGE, status=200)
def return_advance(call: Call, advance_id: Id, body: AdvanceReturnIn) -> AdvanceOut:
    """Say that it, or a part of it, came back, or never left: `paid` → `returning`, until another person confirms it."""
    advances.report_return(call.session, call.actor, advance_id, body, if_match=call.if_match)
    return queries.advance(call.session, call.actor, advance_id)


@routes.post("/advances/{advance_id}/confirm-return", Permission.MONEY_MANAGE, status=200)
def confirm_return_of_advance(call: Call, advance_id: Id) -> AdvanceOut:
    """Confirm what somebody else said: `returning` → `returned`; or → `paid`, as long as a part is still with the supplier."""
    advances.confirm_return(call.session, call.actor, advance_id, if_match=call.if_match)
    return queries.advance(call.session, call.actor, advance_id)


@routes.post("/advances/{advance_id}/refuse-return", Permission.MONEY_MANAGE, status=200)
def refuse_return_of_advance(call: Call, advance_id: Id, body: ReasonIn) -> AdvanceOut:
    """Say that it did not come back, or take it back: `returning` → `paid`."""
    advances.refuse_return(call.session, call.actor, advance_id, body.reason, if_match=call.if_match)
    return queries.advance(call.session, call.actor, advance_id)
