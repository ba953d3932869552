"""What callers send and get about purchase requests."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from orders.purchasing.rules import SourceKind
from orders.purchasing.schemas import FundSource, Platform, PurchaseOrderIn, PurchaseOrderOut
from orders.requests.states import RequestMove, RequestStatus
from orders.terms.schemas import PaymentTerms
from shop.core.money import YuanOut
from shop.core.quantities import QuantityOut, ShortText


class PurchaseRequestIn(PurchaseOrderIn):
    """An order with the reason why it is wanted."""

    reason: ShortText | None = None


class StepOut(BaseModel):
    position: int
    name: str
    organisation_id: int
    role: str | None
    user_ids: list[int]
    status: Literal["waiting", "approved", "rejected", "returned"]
    decided_by: int | None
    decided_by_name: str | None
    decided_for: int | None
    decided_at: datetime | None
    reason: str | None


class PurchaseRequestRow(BaseModel):
    id: int
    number: str
    status: RequestStatus
    buyer_id: int
    buyer_name: str
    ordering_unit_id: int
    requested_by: int
    requested_by_name: str
    requested_at: datetime
    reason: str | None
    fund_source: FundSource
    buyer_reference: str | None
    cost_centre: str | None
    line_count: int
    total: YuanOut
    next_step: str | None
    purchase_order_id: int | None
    version: int


class PurchaseRequestOut(PurchaseRequestRow):
    platform: Platform
    declared_relation_id: int | None
    deliver_by: date | None
    delivery_address: str
    delivery_contact: str | None
    delivery_phone: str | None
    payment_terms: PaymentTerms | None
    source_kind: SourceKind
    source_id: int | None
    round: int
    decided_at: datetime | None
    faults: list[dict[str, Any]] | None
    steps: list[StepOut]
    possible_actions: list[RequestMove]
    mine_to_decide: bool


class RequestLineOut(BaseModel):
    line_no: int
    sku_id: int
    sku_code: str
    product_name: str
    pack: str
    unit: str
    quantity: QuantityOut
    unit_price: YuanOut
    amount: YuanOut
    agreed: bool
    above_comparable: bool = Field(
        description="further above the comparable price, gram for gram, than the programme tolerates: to approve it needs a reason"
    )


class SubmittedOut(BaseModel):
    """An order where nobody has to approve it, else the request that waits."""

    purchase_order: PurchaseOrderOut | None = None
    purchase_request: PurchaseRequestOut | None = None


class ApprovalIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText | None = None


class PurchaseFileOut(BaseModel):
    id: int
    name: str
    title: str | None
    content_type: str
    size: int
    uploaded_by: int
    uploaded_at: datetime
