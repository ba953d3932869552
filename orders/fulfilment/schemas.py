"""What callers send and get about deliveries."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from orders.fulfilment.rules import RejectReason
from orders.purchasing.schemas import MAX_LINES
from shop.core.money import YuanOut
from shop.core.quantities import Day, Grams, Id, Moment, Name, Quantity, QuantityOrZero, QuantityOut, ShortText, each_once


class ShipmentLineIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    order_line_id: Id
    quantity: Quantity
    grams: Grams | None = Field(default=None, description="weighed net grams; default: quantity times the SKU's net weight")
    short: bool = Field(default=False, description="for goods that are weighed: this is all, the rest of the line will not come")
    lot: Name | None = Field(default=None, description="the producer's batch number")
    origin: Name | None = Field(default=None, description="village or producer that it comes from")
    produced_on: Day | None = None
    best_before: Day | None = None


class ShipmentIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    carrier: Name | None = None
    waybill: Name | None = None
    expected_on: Day | None = Field(default=None, description="Shanghai date on which it should arrive")
    lines: Annotated[list[ShipmentLineIn], Field(min_length=1, max_length=MAX_LINES)] | None = Field(
        default=None, description="default: everything that is still open"
    )
    before_payment: bool = Field(default=False, description="ship although what is due before shipping is not paid")


class WaybillIn(BaseModel):
    """What was wrong about the transport; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    carrier: Name | None = None
    waybill: Name | None = None
    expected_on: Day | None = None


class TrackingIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: ShortText
    happened_at: Moment | None = Field(default=None, description="default: now")


class HoldIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class AcceptanceLineIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    order_line_id: Id
    accepted_quantity: QuantityOrZero
    accepted_grams: Grams | None = Field(default=None, description="as weighed; default: the shipped weight in proportion")
    rejected_quantity: QuantityOrZero = Field(default=Decimal(0))
    rejected_grams: Grams | None = None
    difference_quantity: QuantityOrZero = Field(
        default=Decimal(0),
        description="shipped, but did not arrive, such as weight lost on the way; it is not paid",
    )
    reason_code: RejectReason | None = Field(default=None, description="why something was rejected or is missing; default: other")
    reason: ShortText | None = Field(default=None, description="needed where something is rejected or missing and no code says why")
    photo_ids: Annotated[list[Id], Field(max_length=20), AfterValidator(each_once)] = Field(
        default=[], description="photos that were uploaded for the shipment"
    )


class AcceptanceIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lines: Annotated[list[AcceptanceLineIn], Field(min_length=1, max_length=MAX_LINES)] | None = Field(
        default=None, description="default: all of the shipment is accepted"
    )


class ShipmentLineOut(BaseModel):
    order_line_id: int
    product_name: str
    quantity: QuantityOut
    closed_quantity: QuantityOut = Field(description="of the line, will not come")
    grams: int
    lot: str | None
    origin: str | None
    produced_on: date | None
    best_before: date | None
    accepted_quantity: QuantityOut | None
    accepted_grams: int | None
    rejected_quantity: QuantityOut | None
    rejected_grams: int | None
    difference_quantity: QuantityOut | None
    amount: YuanOut | None = Field(description="price of the accepted quantity")
    corrected_quantity: QuantityOut | None = Field(
        description="accepted in truth: as both sides agreed since (corrections), else as accepted; null: not answered yet"
    )
    corrected_grams: int | None = Field(description="the weight of it")
    returned_quantity: QuantityOut | None = Field(description="given back of it; what is left is sold and paid")
    reason_code: RejectReason | None
    reason: str | None
    photo_ids: list[int] | None


class TrackingOut(BaseModel):
    text: str
    happened_at: datetime
    recorded_at: datetime


class PhotoOut(BaseModel):
    id: int
    name: str
    content_type: str
    size: int
    sha256: str
    uploaded_at: datetime


class ShipmentOut(BaseModel):
    id: int
    number: str
    supplier_order_id: int
    carrier: str | None
    waybill: str | None
    expected_on: date | None
    shipped_at: datetime
    accept_by: datetime | None = Field(description="when it is accepted by itself unless the buyer answers or holds it")
    held_at: datetime | None
    hold_reason: str | None
    accepted_at: datetime | None
    accepted_automatically: bool
    tracking: list[TrackingOut]
    lines: list[ShipmentLineOut]
