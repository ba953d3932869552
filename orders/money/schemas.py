"""What callers get to see of the money ledger."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from orders.money.rules import Account, Kind
from shop.core.money import YuanOut
from shop.core.paging import Page
from shop.core.quantities import Day

_SIGN = "above zero: owed to the marketplace, or held by it; below zero: owed by it, or earned"


AsOf = Annotated[Day | None, Query(description="the end of that day; default: now")]
_BEFORE = (
    "of the bank, unless a party is asked for: what it held before its first statement, which no posting holds and `{}` leaves out"
)


class By(StrEnum):
    """What balances are told by."""

    ACCOUNT = "account"
    PARTY = "party"


class BalanceOut(BaseModel):
    account: Account
    label: str
    clearing: bool = Field(description="money only passes through: what stays there has to be explained")
    party_id: int | None
    party_name: str | None
    balance: YuanOut = Field(description=_SIGN)
    before_books: YuanOut | None = Field(default=None, description=_BEFORE.format("balance"))


class TrialOut(BaseModel):
    """A line of the trial balance (科目余额表): each balance stands on its own side, and what was booked on both."""

    opening_debit: YuanOut = Field(description="before the first day")
    opening_credit: YuanOut
    debit: YuanOut = Field(description="booked in the period")
    credit: YuanOut
    closing_debit: YuanOut = Field(description="at the end of the last day")
    closing_credit: YuanOut


class TrialRowOut(TrialOut):
    account: Account
    label: str
    party_id: int | None
    party_name: str | None
    before_books: YuanOut | None = Field(default=None, description=_BEFORE.format("opening"))


class TrialBalanceOut(Page[TrialRowOut]):
    first: date
    last: date
    totals: TrialOut = Field(description="of all lines; of all accounts, each debit is its credit")


class PostingOut(BaseModel):
    id: int
    account: Account
    label: str
    amount: YuanOut = Field(description="above zero: a debit; below zero: a credit")
    party_id: int | None
    party_name: str | None
    purchase_order_id: int | None
    purchase_order_number: str | None
    supplier_order_id: int | None


class EntryOut(PostingOut):
    """A line of an account's statement."""

    transaction_id: int
    kind: Kind
    kind_label: str
    booked_on: date
    recorded_at: datetime = Field(
        description="when it was written; of what a line of the bank shows that may be days after `booked_on`"
    )
    balance: YuanOut = Field(
        description="of the account, as far as the caller sees it, with this line; whatever the filters leave out"
    )


class EntriesOut(Page[EntryOut]):
    opening: YuanOut = Field(description="the balance before the first day")
    closing: YuanOut = Field(description="the balance at the end of the last day")
    debit: YuanOut = Field(
        description="what the lines that are chosen debit, whatever the page; `kind=receipt` of the bank: what its statements show as come in"
    )
    credit: YuanOut = Field(description="what they credit; of the bank's `receipt`: what its statements show as gone out")


class TransactionOut(BaseModel):
    id: int
    kind: Kind
    label: str
    origin_id: int = Field(description="what caused it: the id of the payment, refund, settlement; of sales, their first entry")
    booked_on: date
    recorded_at: datetime
    postings: list[PostingOut] = Field(description="those within the caller's reach; all of them sum to zero")


Side = Literal["receivable", "payable"]


class AgeOut(BaseModel):
    """How old open amounts are, counted from the day on which they were booked."""

    days_0_30: YuanOut
    days_31_60: YuanOut
    days_61_90: YuanOut
    days_over_90: YuanOut
    open: YuanOut = Field(description="the four together")
    credit: YuanOut = Field(description="paid or taken back beyond what an order costs; it is not set against other orders")
    balance: YuanOut = Field(description="open less credit: what the account says")


class PartyAgeOut(AgeOut):
    party_id: int
    party_name: str
    oldest_on: date | None = Field(description="the day of the oldest open amount")


class AgeingOut(Page[PartyAgeOut]):
    side: Side
    as_of: date
    totals: AgeOut


class ClearingOut(BaseModel):
    """An amount that stands on a clearing account, and what it is about."""

    posting_id: int
    account: Account
    label: str
    amount: YuanOut = Field(description="what is open of it; " + _SIGN)
    since: date
    days: int
    party_id: int | None
    party_name: str | None
    purchase_order_id: int | None
    purchase_order_number: str | None
    transaction_id: int
    kind: Kind
    kind_label: str
    origin_id: int
    explained: bool = Field(
        description="a document runs its course: a transfer announced, a refund or payout on its way, a dispute; false: somebody has to say what it is for"
    )
    reference: str | None = Field(
        description="the number of the refund, the bank's reference of the transfer that was announced, or of the line that shows it"
    )


class ClearingTotal(BaseModel):
    account: Account
    label: str
    balance: YuanOut
    items: int


class ClearingPage(Page[ClearingOut]):
    totals: list[ClearingTotal] = Field(description="of every clearing account on which something stands, explained or not")
