"""What callers send and get about purchase orders."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.certificates.states import Stop
from orders.budgets.schemas import FundSource as FundSource
from orders.purchasing.rules import Reason, SourceKind
from orders.purchasing.states import EndReason, SupplierOrderAction, SupplierOrderStatus
from orders.terms.schemas import DueOut, PaymentTerms
from shop.core.money import YuanIn, YuanOut
from shop.core.quantities import Day, Id, Name, OneLine, ProperName, Quantity, QuantityOut, ShortText
from shop.identity.schemas import Phone

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
    delivery_address: OneLine | None = Field(default=None, description="default: the address named, or the unit's usual one")
    delivery_address_id: Id | None = Field(default=None, description="an address of the unit, in place of writing it down")
    delivery_contact: ProperName | None = None
    delivery_phone: Phone | None = None
    platform: Platform = "marketplace"
    declared_relation_id: Id | None = Field(default=None, description="the support relation that this purchase serves")
    payment_terms: PaymentTerms | None = Field(
        default=None, description="default: what the unit usually has, or else the programme"
    )


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
    reason_code: EndReason | None = None
    total: YuanOut
    total_grams: int
    freight: YuanOut
    confirm_by: datetime | None = Field(description="until when the supplier has to confirm; then the part is released")


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
    delivery_address: str | None = Field(description="null, as contact and phone, for those who only follow a sale to it")
    delivery_contact: str | None
    delivery_phone: str | None
    placed_at: datetime
    line_count: int
    total: YuanOut
    total_grams: int
    freight: YuanOut = Field(description="of the parts that are neither rejected nor cancelled")
    payable: YuanOut | None = Field(
        description="goods and freight, less cancelled parts and what was not accepted; for the buyer's side"
    )
    paid: YuanOut | None = Field(description="what has arrived; for the buyer's side")
    announced: YuanOut | None = Field(
        description="not there: the buyer says that it was sent, or its bank took it back and argues; for the buyer's side"
    )
    due: YuanOut | None = Field(
        description="what is still to be paid: payable less what is paid or announced; below zero: paid too much; for the buyer's side"
    )
    refundable: YuanOut | None = Field(
        description="what may be asked back by now: what has arrived above what is payable, less what is asked back already; for the buyer's side"
    )
    payment_terms: PaymentTerms
    payment_extended_days: int = Field(description="by so many days its prepayment was put off")
    dues: list[DueOut] = Field(description="what is due when, the oldest first; together they are what the order costs")
    payment_reference: str | None = Field(description="to be written into the text of a bank transfer; for the buyer's side")
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
    supplier_name: str
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
    difference_quantity: QuantityOut = Field(description="sent, but did not arrive")
    corrected_quantity: QuantityOut = Field(
        description="accepted in truth: as both sides agreed since (corrections), else as accepted; the first answers stay in `accepted_quantity`"
    )
    returned_quantity: QuantityOut = Field(description="given back of it; what is left is sold and paid")
    closed_quantity: QuantityOut = Field(description="will not come: the supplier delivered the whole by a lower weight")
    certificate_id: int
    certificate_number: str = Field(description="the certificate under which it was ordered")
    certificate_stop: Stop | None = Field(
        description="what stands against that certificate now; goods that were not sent yet then wait for the buyer's choice; null: nothing"
    )
    replaces_id: int | None = Field(description="the line in whose place an agreed change put this one")


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
    reason_code: EndReason | None
    placed_at: datetime
    confirm_by: datetime | None
    confirmed_at: datetime | None
    deliver_by: date | None = Field(description="by when the goods are wanted, or a later day that both sides agreed on")
    total: YuanOut = Field(description="the goods as ordered")
    freight: YuanOut
    freight_asked: YuanOut | None = Field(description="what the supplier asks for; it counts when the buyer agrees")
    payable: YuanOut = Field(description="goods and freight, less what was not accepted; nothing for a part that is over")
    paid: YuanOut = Field(description="of what the buyer paid for the order, so much has arrived for this part")
    announced: YuanOut = Field(description="not there: the buyer says that it was sent, or its bank took it back and argues")
    due: YuanOut = Field(description="what the buyer has still to pay: payable less what is paid or announced")
    total_grams: int
    in_dispute: bool = Field(description="one side has opened a dispute that is not decided")
    version: int


class SupplierOrderOut(SupplierOrderRow):
    delivery_address: str | None = Field(description="null, as contact and phone, for those who only follow a sale to it")
    delivery_contact: str | None
    delivery_phone: str | None
    payment_terms: PaymentTerms
    dues: list[DueOut] = Field(description="what the buyer pays for it and when, the oldest first")
    possible_actions: list[SupplierOrderAction]
    lines: list[OrderLineOut]


class ReasonIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class CancelIn(ReasonIn):
    reason_code: Literal["not_needed", "wrong_details", "wrong_unit", "freight", "other"] = "other"


class RejectIn(ReasonIn):
    reason_code: Literal["out_of_stock", "cannot_deliver", "price", "other"] = "other"


class FreightIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    freight: Annotated[YuanIn, Field(ge=0, description="what the transport costs; 0: nothing")]


class SubstituteOut(BaseModel):
    """Another SKU of the same category that could be ordered in its place."""

    sku_id: int
    sku_code: str
    product_id: int
    product_name: str
    pack: str
    district_name: str
    supplier_name: str
    unit_price: YuanOut = Field(description="at the quantity that was asked for")
    available: QuantityOut


class LineFaultOut(BaseModel):
    """Why a line cannot be ordered as it is, and what would have been possible."""

    code: Reason
    message: str
    available: QuantityOut | None = None
    min_quantity: QuantityOut | None = None
    step: QuantityOut | None = None


class CheckedLineOut(BaseModel):
    """One line at today's price; price, amount and weight are null where there is none."""

    line_no: int
    sku_id: int
    sku_code: str | None
    product_name: str | None
    pack: str | None
    unit: str | None
    quantity: QuantityOut
    unit_price: YuanOut | None
    amount: YuanOut | None
    grams: int | None
    fault: LineFaultOut | None
    substitutes: list[SubstituteOut]


class CheckOut(BaseModel):
    """What an order of these lines would be at this moment. Nothing was ordered or reserved."""

    orderable: int
    faulty: int
    total: YuanOut = Field(description="of the lines that can be ordered")
    total_grams: int
    lines: list[CheckedLineOut]
