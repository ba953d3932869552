"""What callers send and get about online payments."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from orders.online.states import DisputeStatus, OnlineMove, OnlineStatus
from shop.core.money import PositiveYuanIn, YuanOut
from shop.core.paging import After, Limit
from shop.core.quantities import Day

OnlineMethod = Literal["card", "alipay", "wechat_pay"]
WebAddress = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[A-Za-z0-9.\-\[\]:]+(/[!-~]*)?$", max_length=1000),
    Field(examples=["https://canteen.example.cn/paid"]),
]


class OnlinePaymentIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"method": "wechat_pay"}]})

    method: OnlineMethod
    amount: PositiveYuanIn | None = Field(default=None, description="at most what is due; all of it if left out")
    return_url: WebAddress | None = Field(default=None, description="where the payer comes back to; Alipay needs it")


class OnlinePaymentOut(BaseModel):
    id: int
    purchase_order_id: int
    purchase_order_number: str
    method: OnlineMethod
    amount: YuanOut
    status: OnlineStatus = Field(
        description="unknown: the provider was asked and its answer was lost; it is looked up until it is known, do not pay again"
    )
    received: YuanOut = Field(description="what came, once it has succeeded; it may differ from what was asked for")
    payment_id: int | None
    error_code: str | None = Field(description="why the last attempt was declined, by the provider's code")
    error_text: str | None
    created_at: datetime
    ended_at: datetime | None
    version: int
    possible_actions: list[OnlineMove]


class PayableOut(OnlinePaymentOut):
    """With what the payer's browser or phone needs."""

    publishable_key: str | None = Field(description="for the provider's card form")
    client_secret: str | None = Field(description="for the provider's card form, while the payer has something to do")
    action_url: str | None = Field(description="where to send the payer: the wallet's page")
    qr_code: str | None = Field(description="what to show as a QR code, to be scanned with WeChat")


class ChargeDisputeOut(BaseModel):
    id: int
    purchase_order_id: int
    purchase_order_number: str
    online_payment_id: int
    amount: YuanOut
    reason: str
    status: DisputeStatus = Field(
        description="inquiry: no money has moved; open: the money is gone for the time; lost: the order is owed again"
    )
    evidence_by: datetime | None = Field(description="until then evidence may be given, in the provider's dashboard")
    opened_at: datetime
    ended_at: datetime | None


class AccountIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    country: Literal["CN", "HK"] = "CN"


class LinkIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    return_url: WebAddress


class AccountOut(BaseModel):
    id: int
    supplier_id: int
    country: str
    opened: bool = Field(description="the provider has made it")
    enabled: bool = Field(description="it may be sent money, and pays it out to the bank")
    refused: str | None = Field(
        description="why the provider would not make it, in its words; ask again, with another country where that was it"
    )
    details_submitted: bool
    still_due: list[str] = Field(description="what the provider still wants to know, by its own names")
    link_url: str | None = Field(description="the provider's page where it is told; ask for a new one when it has run out")
    link_until: datetime | None


class EntryFilter(BaseModel):
    """What of the provider's statement is asked for; days are Shanghai dates."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,60}$")] | None = Field(
        default=None, description="by the provider's own name, such as `charge`"
    )
    matched: bool | None = Field(default=None, description="false: what nothing here explains, or could not be taken over")
    first: Day | None = Field(default=None, alias="from")
    last: Day | None = Field(default=None, alias="to")


class EntrySearch(EntryFilter):
    format: Literal["json", "csv", "xlsx"] = Field(default="json", description="a file holds every row, whatever the limit")
    limit: Limit = 50
    after: After = None


class ProviderEntryOut(BaseModel):
    """A movement of our balance at the provider, as its own statement shows it."""

    id: int
    entry_id: str = Field(description="the provider's number of the line")
    type: str = Field(description="by the provider's own name")
    source_id: str | None = Field(description="the provider's number of what moved it: a charge, refund, transfer, payout")
    purchase_order_number: str | None = Field(description="of a charge: the order that was paid")
    amount: YuanOut
    fee: YuanOut
    net: YuanOut
    created_at: datetime
    state: Literal["matched", "unexplained", "failed"] = Field(
        description="unexplained: booked as money that nobody knows for what; failed: not booked yet, tried again each minute"
    )


class StandingOut(BaseModel):
    """How online payment stands, for who keeps the money."""

    on: bool
    stand_in: bool = Field(description="a stand-in that moves no money")
    open_payments: int
    unknown_payments: int
    oldest_unknown: datetime | None
    waiting_calls: int
    oldest_waiting: datetime | None
    parked_calls: int = Field(description="that somebody has to look at")
    open_disputes: int
    unexplained_entries: int
    failed_entries: int = Field(description="lines of the statement over which our program stumbled; tried again each minute")
    statement_read_to: datetime | None
    at_provider: YuanOut = Field(description="what the provider's statement sums to")
    difference: YuanOut = Field(
        description="our ledger less that statement; lines that come late are a difference for some minutes"
    )
