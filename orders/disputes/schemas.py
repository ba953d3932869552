"""What callers send and get about disputes."""

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from orders.disputes.states import DisputeKind, DisputeMove, DisputeStatus, Outcome
from orders.fulfilment.schemas import AcceptanceIn
from shop.core.errors import BadValue
from shop.core.money import YuanIn, YuanOut
from shop.core.quantities import Id, LongText


def _not_negative(fen: int) -> int:
    if fen < 0:
        raise BadValue("不能小于零", "must not be below zero")
    return fen


Amount = Annotated[YuanIn, AfterValidator(_not_negative)]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DisputeIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"kind": "quality", "claim": "三成果实腐烂，供应商拒绝退货", "claimed": "209.70", "shipment_id": 1}]
        },
    )

    kind: DisputeKind
    claim: LongText
    claimed: Amount = 0
    shipment_id: Id | None = None
    return_id: Id | None = None


class AnswerIn(In):
    answer: LongText


class ProposalIn(In):
    proposal: LongText
    refund: Amount = Field(default=0, description="what the supplier would owe the buyer")


class DecisionIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"outcome": "partial", "refund": "100.00", "reason": "照片显示约三成腐烂，双方各担一半"}]},
    )

    outcome: Outcome = Field(description="how far who opened it is right")
    refund: Amount = Field(default=0, description="what the supplier owes the buyer, besides what a return takes back")
    reason: LongText
    approve_return: bool = Field(default=False, description="the disputed return is approved in the supplier's place")
    acceptance: AcceptanceIn | None = Field(default=None, description="the disputed shipment is answered so, in the buyer's place")


class DisputeFileOut(BaseModel):
    id: int
    name: str
    content_type: str
    size: int
    sha256: str
    uploaded_at: datetime
    by_supplier: bool


class DisputeRow(BaseModel):
    id: int
    number: str
    kind: DisputeKind
    status: DisputeStatus
    supplier_order_id: int
    purchase_order_number: str
    shipment_id: int | None
    return_id: int | None
    buyer_id: int
    buyer_name: str
    supplier_id: int
    supplier_name: str
    opened_side: str
    opened_at: datetime
    claimed: YuanOut
    answer_due_on: date = Field(description="the last working day for the answer")
    decision_due_on: date = Field(description="the last working day for the decision")
    overdue: bool
    outcome: Outcome | None
    refund: YuanOut
    version: int


class DisputeOut(DisputeRow):
    claim: str
    answer: str | None
    answered_at: datetime | None
    proposal: str | None
    proposed: YuanOut
    buyer_agreed_at: datetime | None
    supplier_agreed_at: datetime | None
    decision: str | None
    decided_at: datetime | None
    files: list[DisputeFileOut]
    possible_actions: list[DisputeMove]
