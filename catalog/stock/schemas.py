"""What callers send and get about stock."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from catalog.stock.rules import MovementKind
from shop.core.errors import BadValue
from shop.core.quantities import MAX_QUANTITY, QuantityOut, ShortText, plain_number

#: As a quantity, but with a sign.
Change = Annotated[
    Decimal,
    BeforeValidator(plain_number),
    Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY, max_digits=13, decimal_places=3, allow_inf_nan=False),
]


class MovementIn(BaseModel):
    """Goods that came in, or a correction after counting: more or, with a minus sign, less."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"kind": "receive", "quantity": "200"},
                {"kind": "adjust", "quantity": "-3", "reason": "盘点损耗"},
            ]
        },
    )

    kind: Literal[MovementKind.RECEIVE, MovementKind.ADJUST]
    quantity: Change
    reason: ShortText | None = Field(default=None, description="needed to adjust")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.quantity == 0:
            raise BadValue("数量不能为零", "the quantity must not be zero", "quantity")
        if self.kind == MovementKind.RECEIVE and self.quantity < 0:
            raise BadValue("收货数量须大于零", "what is received is more than nothing", "quantity")
        if self.kind == MovementKind.ADJUST and self.reason is None:
            raise BadValue("调整须说明原因", "an adjustment needs a reason", "reason")
        return self


class StockOut(BaseModel):
    sku_id: int
    on_hand: QuantityOut
    reserved: QuantityOut = Field(description="promised to orders")
    available: QuantityOut


class MovementOut(BaseModel):
    id: int
    sku_id: int
    kind: MovementKind
    on_hand: QuantityOut = Field(description="change of what lies in the store")
    reserved: QuantityOut = Field(description="change of what is promised to orders")
    order_line_id: int | None
    actor_id: int | None
    reason: str | None
    at: datetime
