"""What callers send and get about purchase orders."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from orders.budgets.schemas import FundSource as FundSource
from orders.purchasing.rules import SourceKind
from orders.purchasing.states import SupplierOrderAction, SupplierOrderStatus
from shop.core.money import YuanOut
from shop.core.quantities import Day, Id, Name, Quantity, QuantityOut, ShortText

Platform = Literal["marketplace", "social_network"]

MAX_LINES = 10_000


class OrderHeadIn(BaseModel):
    """Everything of an order but its lines."""

    model_config = ConfigDict(extra="forbid")

    fund_source: FundSource
    buyer_id: Id | None = Field(
        default=None,
        description="the budget unit: the own unit, one below it, or the one whose budget it buys on, which is the default",
    )
    buyer_reference: Name | None = Field(default=None, description="the buyer's own order number")
    cost_centre: Name | None = None
    deliver_by: Day | None = Field(default=None, description="Shanghai date by which the goods are wanted")
    delivery_address: ShortText | None = Field(default=None, description="default: the address named, or the unit's usual one")
    delivery_address_id: Id | None = Field(default=None, description="an address of the unit, in place of writing it down")
    delivery_contact: Name | None = None
    delivery_phone: Annotated[str, Field(pattern=r"^[0-9+\- ]{5,30}$")] | None = None
    platform: Platform = "marketplace"
    declared_relation_id: Id | None = Field(default=None, description="the support relation that this purchase serves")


class OrderLineIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sku_id: Id
    quantity: Quantity


class PurchaseOrderIn(OrderHeadIn):
    lines: list[OrderLineIn] = Field(min_length=1, max_length=MAX_LINES)

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "fund_source": "canteen",
                    "delivery_address": "重庆市沙坪坝区大学城中路 1 号食堂",
                    "lines": [{"sku_id": 1, "quantity": "20"}, {"sku_id": 2, "quantity": "5"}],
                }
            ]
        },
    )


class OrderSearch(BaseModel):
    """Which orders a list shows."""

    model_config = ConfigDict(extra="forbid")

    buyer_id: Id | None = None
    status: SupplierOrderStatus | None = Field(default=None, description="orders with a part in this status")
    fund_source: FundSource | None = None
    cost_centre: Name | None = None
    placed_from: Day | None = Field(default=None, description="Shanghai date")
    placed_to: Day | None = Field(default=None, description="Shanghai date, included")
    q: Name | None = Field(default=None, description="the order's number, or part of the buyer's own")
    limit: int = Field(default=50, ge=1, le=200, description="rows in a page")
    after: str | None = Field(default=None, max_length=500, description="cursor: `next` of the page before")


class SupplierOrderBrief(BaseModel):
    id: int
    supplier_id: int
    supplier_name: str
    status: SupplierOrderStatus
    reason: str | None = None
    total: YuanOut
    total_grams: int


class PurchaseOrderOut(BaseModel):
    id: int
    number: str
    buyer_id: int
    buyer_name: str
    ordering_unit_id: int = Field(description="the unit that ordered")
    purchase_request_id: int | None = Field(description="the approved request that it carries out")
    fund_source: FundSource
    platform: Platform
    buyer_reference: str | None
    cost_centre: str | None
    deliver_by: date | None
    source_kind: SourceKind
    source_id: int | None = Field(description="id of the import, quotation request or agreement that it came from")
    declared_relation_id: int | None
    delivery_address: str
    delivery_contact: str | None
    delivery_phone: str | None
    placed_at: datetime
    line_count: int
    total: YuanOut
    total_grams: int
    payable: YuanOut | None = Field(description="cost less cancelled parts and rejected goods; for the buyer's side")
    paid: YuanOut | None = Field(description="for the buyer's side")
    supplier_orders: list[SupplierOrderBrief]


class PurchaseOrderRow(BaseModel):
    id: int
    number: str
    buyer_id: int
    buyer_name: str
    buyer_reference: str | None
    cost_centre: str | None
    ordering_unit_id: int
    fund_source: FundSource
    placed_at: datetime
    line_count: int
    total: YuanOut
    total_grams: int
    statuses: dict[SupplierOrderStatus, int] = Field(description="how many supplier orders are in which status")


class OrderLineOut(BaseModel):
    id: int
    line_no: int
    supplier_order_id: int
    sku_id: int
    sku_code: str
    product_id: int
    product_name: str
    pack: str
    unit: str
    quantity: QuantityOut
    unit_price: YuanOut
    amount: YuanOut
    vat: YuanOut
    grams: int
    shipped_quantity: QuantityOut
    accepted_quantity: QuantityOut
    rejected_quantity: QuantityOut


class SupplierOrderRow(BaseModel):
    id: int
    purchase_order_id: int
    purchase_order_number: str
    supplier_id: int
    supplier_name: str
    buyer_id: int
    buyer_name: str
    status: SupplierOrderStatus
    reason: str | None
    placed_at: datetime
    total: YuanOut
    total_grams: int
    version: int


class SupplierOrderOut(SupplierOrderRow):
    delivery_address: str
    delivery_contact: str | None
    delivery_phone: str | None
    possible_actions: list[SupplierOrderAction]
    lines: list[OrderLineOut]


class ReasonIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class MatchedRow(BaseModel):
    """One row of a spreadsheet and the SKU that it was understood as."""

    row: int
    product_name: str
    sku_id: int
    sku_code: str
    pack: str
    quantity: QuantityOut


class SpreadsheetPreview(BaseModel):
    """What an order from this file would hold; nothing was ordered."""

    lines: list[MatchedRow]
