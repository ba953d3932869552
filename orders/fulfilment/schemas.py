"""What callers send and get about deliveries."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from orders.purchasing.schemas import MAX_LINES
from shop.core.money import YuanOut
from shop.core.quantities import Grams, Id, Name, Quantity, QuantityOrZero, QuantityOut, ShortText


class ShipmentLineIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    order_line_id: Id
    quantity: Quantity
    grams: Grams | None = Field(default=None, description="weighed net grams; default: quantity times the SKU's net weight")


class ShipmentIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    carrier: Name | None = None
    waybill: Name | None = None
    lines: Annotated[list[ShipmentLineIn], Field(min_length=1, max_length=MAX_LINES)] | None = Field(
        default=None, description="default: everything that is still open"
    )


class AcceptanceLineIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    order_line_id: Id
    accepted_quantity: QuantityOrZero
    accepted_grams: Grams | None = Field(default=None, description="as weighed; default: the shipped weight in proportion")
    rejected_quantity: QuantityOrZero = Field(default=0)  # type: ignore[assignment]
    rejected_grams: Grams | None = None
    reason: ShortText | None = Field(default=None, description="needed where something is rejected")


class AcceptanceIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lines: Annotated[list[AcceptanceLineIn], Field(min_length=1, max_length=MAX_LINES)] | None = Field(
        default=None, description="default: all of the shipment is accepted"
    )


class ShipmentLineOut(BaseModel):
    order_line_id: int
    product_name: str
    quantity: QuantityOut
    grams: int
    accepted_quantity: QuantityOut | None
    accepted_grams: int | None
    rejected_quantity: QuantityOut | None
    rejected_grams: int | None
    amount: YuanOut | None = Field(description="price of the accepted quantity")
    reason: str | None


class ShipmentOut(BaseModel):
    id: int
    supplier_order_id: int
    carrier: str | None
    waybill: str | None
    shipped_at: datetime
    accepted_at: datetime | None
    lines: list[ShipmentLineOut]
