"""What callers send and get about services, vouchers and bookings."""

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from orders.bookings.states import VoucherMove, VoucherStatus
from shop.core.quantities import Day, Id, Name, each_once, whole


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class IssueIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"valid_until": "2027-06-30"}]})

    valid_from: Day | None = Field(default=None, description="Shanghai date; default: today")
    valid_until: Day = Field(description="Shanghai date, included")
    before_payment: bool = Field(default=False, description="issue them although what is due before shipping is not paid")


class VoucherOut(BaseModel):
    id: int
    number: str
    code: str | None = Field(description="what the guest shows; only the buyer's side sees it")
    status: VoucherStatus
    supplier_order_id: int
    order_line_id: int
    sku_id: int
    product_name: str
    pack: str
    supplier_name: str
    buyer_name: str
    valid_from: date
    valid_until: date
    booked_for: date | None
    guest: str | None
    redeemed_at: datetime | None
    version: int
    possible_actions: list[VoucherMove]


class BookIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"voucher_ids": [1, 2], "day": "2027-05-01", "guest": "工会第一批"}]}
    )

    voucher_ids: Annotated[list[Id], Field(min_length=1, max_length=1000), AfterValidator(each_once)]
    day: Day
    guest: Name | None = None


class ReleaseIn(In):
    voucher_ids: Annotated[list[Id], Field(min_length=1, max_length=1000), AfterValidator(each_once)]


class RedeemIn(In):
    code: Name = Field(examples=["FW-7K3M9XQ2TVBNHJ4C"])


class CapacityDayIn(In):
    day: Day
    units: Annotated[int, Field(ge=0, le=100_000), whole]


class CapacityIn(In):
    days: Annotated[list[CapacityDayIn], Field(min_length=1, max_length=800)]


class CapacityDayOut(BaseModel):
    day: date
    units: int
    booked: int
    free: int
