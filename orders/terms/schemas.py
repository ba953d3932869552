"""What callers send and get about payment terms, dues and credit."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from orders.terms.rules import After, Bucket
from shop.core.money import YuanIn, YuanOut
from shop.core.quantities import Day, Id, ShortText
from shop.programmes.payment import PaymentTerms as PaymentTerms


class DueStatus(StrEnum):
    #: Not before something that has not happened yet.
    UNDATED = "undated"
    OPEN = "open"
    OVERDUE = "overdue"
    #: The buyer says that all of it was sent, and not all of it has arrived.
    ANNOUNCED = "announced"
    PAID = "paid"


DUE_STATUS: Mapping[str, tuple[str, str]] = {
    DueStatus.UNDATED: ("未到付款条件", "not due before something else"),
    DueStatus.OPEN: ("未到期", "not due yet"),
    DueStatus.OVERDUE: ("已逾期", "overdue"),
    DueStatus.ANNOUNCED: ("待到账", "sent, not arrived"),
    DueStatus.PAID: ("已付清", "paid"),
}


class DueOut(BaseModel):
    """An amount of one part of an order."""

    supplier_order_id: int
    counted_from: After = Field(description="what its days count from; confirmation: it is paid before shipping")
    due_on: date | None = Field(description="the last day to pay in time; null: not before something that has not happened yet")
    amount: YuanOut
    paid: YuanOut = Field(description="what has arrived")
    announced: YuanOut = Field(description="not there: the buyer says that it was sent, or its bank took it back and argues")
    open: YuanOut = Field(description="what is still to be paid: the amount less what is paid or announced")
    status: DueStatus
    overdue_days: int


class DueRow(DueOut):
    id: int
    purchase_order_id: int
    number: str
    buyer_id: int
    buyer_name: str
    supplier_id: int
    supplier_name: str
    bucket: Bucket | None


class DueFilter(BaseModel):
    """Which dues a list shows and a total counts."""

    status: DueStatus | None = None
    bucket: Bucket | None = Field(default=None, description="overdue by so many days")
    buyer_id: Id | None = None
    supplier_id: Id | None = None
    purchase_order_id: Id | None = None
    due_from: Day | None = None
    due_to: Day | None = Field(default=None, description="included")


class DueSearch(DueFilter):
    limit: int = Field(default=50, ge=1, le=200, description="rows in a page")
    after: str | None = Field(default=None, max_length=500, description="cursor: `next` of the page before")


class BucketOut(BaseModel):
    bucket: Bucket
    count: int
    open: YuanOut


class DueTotalsOut(BaseModel):
    """All dues that the filter names, together."""

    count: int
    amount: YuanOut
    paid: YuanOut
    announced: YuanOut
    open: YuanOut
    overdue: YuanOut
    buckets: list[BucketOut]


class ExtensionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class ExtensionOut(BaseModel):
    purchase_order_id: int
    extended_days: int
    dues: list[DueOut]


class CreditLimitIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"limit": "50000.00", "reason": "按上年采购额核定"}]})

    limit: Annotated[YuanIn, Field(ge=0)] | None = Field(description="0: nothing may be owed; null: no limit of its own any more")
    reason: ShortText


class CreditLimitOut(BaseModel):
    organisation_id: int
    organisation_name: str
    limit: YuanOut | None = Field(description="null: it has none of its own any more")
    used: YuanOut = Field(
        description="what its orders cost and has not arrived, announced or not; those that are paid ahead do not count"
    )
    available: YuanOut | None = Field(description="below zero where payments were taken back; null: without a limit")
    reason: str
    set_at: datetime
    version: int


class CreditDrawOut(BaseModel):
    id: int
    purchase_order_id: int
    number: str
    amount: YuanOut
