"""What callers send and get about refunds."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orders.money.names import AccountNumber
from orders.refunds.states import RefundMove, RefundStatus
from shop.core.money import PositiveYuanIn, YuanOut
from shop.core.quantities import Code, Day, Id, Name, ProperName, ShortText

RefundMethod = Literal["bank_transfer", "online"]


class Payee(BaseModel):
    """The bank account that money goes to."""

    model_config = ConfigDict(extra="forbid")

    name: ProperName
    account: AccountNumber
    bank: Name | None = None


class RefundIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "amount": "120.00",
                    "reason": "部分退货",
                    "payee": {"name": "沙坪坝中学", "account": "3100021009014400123", "bank": "工商银行"},
                }
            ]
        },
    )

    amount: PositiveYuanIn
    reason: ShortText
    payee: Payee | None = Field(default=None, description="for a refund by bank transfer")
    payment_id: Id | None = Field(default=None, description="the online payment that is given back by its own way")


class SentIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reference: Code
    despite: ShortText | None = Field(
        default=None,
        description="why it goes back though what was paid too much has been taken back since, or the order costs more by now; or, where it is said"
        " to be sent or paid, though a line of the bank, new since its release, shows that it, or another refund of the order, may have left",
    )


class ApproveIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    despite: ShortText | None = Field(
        default=None,
        description="why it goes back though a line of the bank shows that another refund of the order, said to have failed, may have left",
    )


class EndIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class RefundFilter(BaseModel):
    """Which refunds a list shows."""

    status: RefundStatus | None = None
    method: RefundMethod | None = None
    buyer_id: Id | None = None
    purchase_order_id: Id | None = None
    requested_from: Day | None = None
    requested_to: Day | None = Field(default=None, description="included")


class RefundOut(BaseModel):
    id: int
    number: str
    purchase_order_id: int
    purchase_order_number: str
    buyer_id: int
    buyer_name: str
    method: RefundMethod
    payment_id: int | None
    payee_name: str | None
    payee_account: str | None
    payee_bank: str | None
    payee_is_payer: bool | None = Field(
        description="whether the payee is the buyer, the unit that ordered, or somebody who paid for the order, by name, and from the account if lines"
        " of the bank tell it; if not, find out why before it is released. None: it goes back online"
    )
    amount: YuanOut
    reason: str
    status: RefundStatus
    requested_by: int | None = Field(description="none: the provider shows it, and the request was lost")
    requested_by_name: str | None
    requested_at: datetime
    approved_by: int | None = Field(
        description="who released it; none: nobody yet, or the provider shows it, or the bank paid another one once more"
    )
    approved_by_name: str | None
    approved_at: datetime | None
    reference: str | None
    sent_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None
    failure_report_id: int | None = Field(
        description="one person says that it failed after it was paid, and another has to confirm it"
    )
    version: int
    possible_actions: list[RefundMove]
