"""What callers send and get about saved lists and re-orders."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orders.purchasing.schemas import MAX_LINES, CheckOut, OrderHeadIn, OrderLineIn, PurchaseOrderOut
from shop.core.errors import BadValue
from shop.core.quantities import Id, Name, Quantity, QuantityOut

Lines = Annotated[list[OrderLineIn], Field(min_length=1, max_length=MAX_LINES)]


class LinesIn(BaseModel):
    """Goods to add to a list, from one source; what stands in it already is added up."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"lines": [{"sku_id": 1, "quantity": "20"}]}, {"from_purchase_order_id": 1}]},
    )

    lines: Lines | None = None
    from_purchase_order_id: Id | None = Field(default=None, description="the lines of an order of the own branch")
    from_order_import_id: Id | None = Field(default=None, description="the rows of an uploaded list whose SKU is known")

    @model_validator(mode="after")
    def _one_source(self) -> "LinesIn":
        if self._sources() != 1:
            raise BadValue("请选择一种来源", "name one source of lines")
        return self

    def _sources(self) -> int:
        return sum(each is not None for each in (self.lines, self.from_purchase_order_id, self.from_order_import_id))


class SavedListIn(LinesIn):
    """A new list, empty or with lines."""

    name: Name
    shared: bool = Field(default=False, description="for everybody in the organisation, the units below it and above it")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "每周蔬菜", "shared": True, "lines": [{"sku_id": 1, "quantity": "20"}]}]},
    )

    @model_validator(mode="after")
    def _one_source(self) -> "SavedListIn":
        if self._sources() > 1:
            raise BadValue("请选择一种来源", "name one source of lines at most")
        return self


class SavedListPatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    shared: bool | None = None


class QuantityIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    quantity: Quantity


class SavedListOut(BaseModel):
    id: int
    name: str
    shared: bool
    organisation_id: int
    owner_id: int
    line_count: int
    created_at: datetime
    updated_at: datetime
    editable: bool = Field(description="whether the caller may change it")
    version: int


class SavedLineOut(BaseModel):
    sku_id: int
    sku_code: str
    product_id: int
    product_name: str
    pack: str
    unit: str
    quantity: QuantityOut


class ListCheckIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    buyer_id: Id | None = Field(default=None, description="the budget unit; default: the caller's own")


class ListOrderIn(OrderHeadIn):
    leave_out_faulty: bool = Field(default=False, description="order the other lines although some cannot be ordered")


class ReorderIn(BaseModel):
    """The same lines again: tried, or (`dry_run` false) ordered."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = True
    leave_out_faulty: bool = Field(default=False, description="order the other lines although some cannot be ordered")
    head: OrderHeadIn | None = Field(
        default=None, description="default: as the order before, without its own number (buyer_reference) and its day of delivery"
    )


class OrderedOut(BaseModel):
    """What the lines cost at this moment, and what became of them: an order, a request that waits for approval, or (tried only) neither."""

    check: CheckOut
    purchase_order: PurchaseOrderOut | None = None
    purchase_request_id: int | None = None
