"""The money ledger over HTTP: balances, statements, ages, and what has not come to its end."""

from datetime import date
from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response

from orders.money import sheets
from orders.money.queries import accounts, open_items, trial
from orders.money.queries.accounts import Statement
from orders.money.rules import Account, Kind
from orders.money.schemas import AgeingOut, AsOf, BalanceOut, By, ClearingPage, EntriesOut, Side, TransactionOut, TrialBalanceOut
from shop.core import clock, exports
from shop.core.errors import Invalid
from shop.core.exports import MAX_LINES, whole
from shop.core.months import month_start
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Day, Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("money", "/v1/money")

Format = Annotated[Literal["json", "csv", "xlsx"], Query(description="csv and xlsx: all rows, whatever the page")]


@routes.get("/balances", Permission.MONEY_READ, answer=Page[BalanceOut], responses=exports.FILES)
def balances(
    call: Call,
    by: By = By.PARTY,
    account: Account | None = None,
    party_id: Id | None = None,
    as_of: AsOf = None,
    format: Format = "json",
    limit: Limit = 50,
    after: After = None,
) -> Page[BalanceOut] | Response:
    """What the own branch owes and is owed; for who keeps the money, all accounts. Even accounts are left out."""
    rows, start = (limit, after) if format == "json" else (MAX_LINES, None)
    found = accounts.balances(
        call.session, call.actor, call.language, by=by, account=account, party_id=party_id, as_of=as_of, limit=rows, after=start
    )
    return found if format == "json" else sheets.balances(format, call.language, whole(found, MAX_LINES))


@routes.get("/trial-balance", Permission.MONEY_READ, answer=TrialBalanceOut, responses=exports.FILES)
def trial_balance(
    call: Call,
    first: Annotated[Day | None, Query(alias="from", description="default: the first day of the month of `to`")] = None,
    last: Annotated[Day | None, Query(alias="to", description="default: today")] = None,
    by: By = By.ACCOUNT,
    account: Account | None = None,
    party_id: Id | None = None,
    format: Format = "json",
    limit: Limit = 50,
    after: After = None,
) -> TrialBalanceOut | Response:
    """What each account held before a period, what was booked on either side of it, and what it held at its end (科目余额表)."""
    until = last or clock.today()
    since = first or month_start(until)
    _require_order(since, until)
    rows, start = (limit, after) if format == "json" else (MAX_LINES, None)
    found = trial.trial_balance(
        call.session,
        call.actor,
        call.language,
        first=since,
        last=until,
        by=by,
        account=account,
        party_id=party_id,
        limit=rows,
        after=start,
    )
    return found if format == "json" else sheets.trial_balance(format, call.language, whole(found, MAX_LINES), found)


def _require_order(first: date, last: date) -> None:
    if first > last:
        raise Invalid.one("from", "period_backwards", "起始日期晚于结束日期", "the period ends before it begins")


@routes.get("/entries", Permission.MONEY_READ, answer=EntriesOut, responses=exports.FILES)
def entries(
    call: Call,
    account: Account | None = None,
    party_id: Id | None = None,
    purchase_order_id: Id | None = None,
    supplier_order_id: Id | None = None,
    kind: Kind | None = None,
    first: Annotated[Day | None, Query(alias="from")] = None,
    last: Annotated[Day | None, Query(alias="to")] = None,
    format: Format = "json",
    limit: Limit = 50,
    after: After = None,
) -> EntriesOut | Response:
    """The statement of an account, oldest first, with the balance after each line."""
    if account is None:  # after the caller's permission, which a required parameter would come before
        raise Invalid.one("account", "missing", "请填写账户", "say which account")
    if first and last:
        _require_order(first, last)
    asked = Statement(account, party_id, purchase_order_id, supplier_order_id, kind, first, last)
    rows, start = (limit, after) if format == "json" else (MAX_LINES, None)
    found = accounts.entries(call.session, call.actor, call.language, asked, limit=rows, after=start)
    return found if format == "json" else sheets.entries(format, call.language, whole(found, MAX_LINES))


@routes.get("/transactions/{transaction_id}", Permission.MONEY_READ)
def transaction(call: Call, transaction_id: Id) -> TransactionOut:
    """One transaction, with its postings on the accounts that the caller sees."""
    return accounts.transaction(call.session, call.actor, call.language, transaction_id)


@routes.get("/ageing", Permission.MONEY_READ, answer=AgeingOut, responses=exports.FILES)
def ageing(
    call: Call,
    side: Side = "receivable",
    as_of: Annotated[Day | None, Query(description="the end of that day; default: today")] = None,
    party_id: Id | None = None,
    format: Format = "json",
    limit: Limit = 50,
    after: After = None,
) -> AgeingOut | Response:
    """How old what buyers owe, or what suppliers are owed, is; by party, the oldest first."""
    rows, start = (limit, after) if format == "json" else (MAX_LINES, None)
    found = open_items.ageing(
        call.session, call.actor, side=side, as_of=as_of or clock.today(), party_id=party_id, limit=rows, after=start
    )
    return found if format == "json" else sheets.ageing(format, call.language, whole(found, MAX_LINES), found)


@routes.get("/clearing", Permission.MONEY_MANAGE, answer=ClearingPage, responses=exports.FILES)
def clearing(
    call: Call,
    account: Account | None = None,
    explained: bool | None = None,
    format: Format = "json",
    limit: Limit = 50,
    after: After = None,
) -> ClearingPage | Response:
    """What stands on clearing accounts, since when, and for what: first what somebody has to explain, then what runs its course; of each the
    oldest first."""
    rows, start = (limit, after) if format == "json" else (MAX_LINES, None)
    found = open_items.clearing(
        call.session, call.actor, call.language, account=account, explained=explained, limit=rows, after=start
    )
    return found if format == "json" else sheets.clearing(format, call.language, whole(found, MAX_LINES))
