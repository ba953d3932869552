"""What callers send and get about proposed changes."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orders.amendments.states import AmendmentAction, AmendmentStatus
from shop.core.errors import BadValue
from shop.core.money import PositiveYuanIn, YuanOut
from shop.core.quantities import Day, Id, QuantityOrZero, QuantityOut, ShortText


class ChangeIn(BaseModel):
    """What shall become of the quantity of a line that is not shipped."""

    model_config = ConfigDict(extra="forbid")

    order_line_id: Id
    quantity: QuantityOrZero | None = Field(
        default=None, description="instead of what is open; default: all of it; 0: it does not come"
    )
    sku_id: Id | None = Field(default=None, description="another pack or product of the same supplier")
    unit_price: PositiveYuanIn | None = Field(default=None, description="default: as before; of a substitute, that of the list")


class AmendmentIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText
    lines: Annotated[list[ChangeIn], Field(max_length=200)] = []
    deliver_by: Day | None = Field(default=None, description="another day by which the goods shall come")
    cancels: bool = Field(default=False, description="the whole order, before any of it is shipped; nothing else then")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.cancels == bool(self.lines or self.deliver_by):
            raise BadValue("须填写变更内容，或仅提出取消", "say what shall change, or that the order shall be cancelled")
        if len({line.order_line_id for line in self.lines}) < len(self.lines):
            raise BadValue("同一行只能出现一次", "each line once", "lines")
        return self


class RefusalIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class ChangeOut(BaseModel):
    order_line_id: int
    line_no: int
    product_name: str
    open_quantity: QuantityOut
    quantity: QuantityOut
    old_unit_price: YuanOut
    sku_id: int | None
    substitute: str | None = Field(description="name and pack of what comes instead")
    unit_price: YuanOut | None
    new_line_id: int | None


class AmendmentOut(BaseModel):
    id: int
    supplier_order_id: int
    purchase_order_number: str
    status: AmendmentStatus
    side: Literal["supplier", "buyer"] = Field(description="who proposed it; the other side answers")
    reason: str
    cancels: bool
    deliver_by: date | None
    proposed_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    answer: str | None
    change: YuanOut | None = Field(description="by how much the order's total changed")
    supplement_number: str | None = Field(description="of the supplement to the contract")
    possible_actions: list[AmendmentAction]
    lines: list[ChangeOut]
    version: int
