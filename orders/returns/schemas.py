"""What callers send and get about returns and corrections."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from orders.purchasing.schemas import MAX_LINES
from orders.returns.rules import ReturnReason
from orders.returns.states import CorrectionMove, CorrectionStatus, ReturnKind, ReturnMove, ReturnStatus
from shop.core.money import YuanOut
from shop.core.quantities import Grams, Id, Name, Quantity, QuantityOrZero, QuantityOut, ShortText


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReturnLineIn(In):
    order_line_id: Id
    quantity: Quantity


class ReturnIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "return",
                    "reason_code": "spoiled",
                    "reason": "到货三天后多箱腐烂",
                    "lines": [{"order_line_id": 1, "quantity": "3"}],
                }
            ]
        },
    )

    kind: ReturnKind = ReturnKind.RETURN
    reason_code: ReturnReason
    reason: ShortText
    lines: Annotated[list[ReturnLineIn], Field(min_length=1, max_length=MAX_LINES)] | None = Field(
        default=None, description="default: everything of the shipment that was accepted and not given back"
    )


class ApproveIn(In):
    without_goods: bool = Field(
        default=False, description="nothing comes back; the sale is taken back at once (an exchange: replaced)"
    )
    note: ShortText | None = None


class RefuseIn(In):
    reason: ShortText


class NoteIn(In):
    note: ShortText | None = None


class SendIn(In):
    carrier: Name | None = None
    waybill: Name | None = None


class ReceiptLineIn(In):
    id: Id = Field(description="of the return's line")
    received_quantity: QuantityOrZero
    restock_quantity: QuantityOrZero = Field(default=0, description="goes back into stock")  # type: ignore[assignment]


class ReceiptIn(In):
    lines: Annotated[list[ReceiptLineIn], Field(min_length=1, max_length=MAX_LINES)] | None = Field(
        default=None, description="default, for every line not named: all of it arrived and none goes back into stock"
    )


class ReturnLineOut(BaseModel):
    id: int
    order_line_id: int
    line_no: int
    product_name: str
    sku_code: str
    pack: str
    unit: str
    quantity: QuantityOut
    received_quantity: QuantityOut
    restocked_quantity: QuantityOut
    replaced_quantity: QuantityOut
    returned_quantity: QuantityOut = Field(description="taken back in the sales ledger, with grams and amount")
    grams: int
    amount: YuanOut


class ReturnFileOut(BaseModel):
    id: int
    name: str
    content_type: str
    size: int
    sha256: str
    uploaded_at: datetime
    by_buyer: bool


class ReturnRow(BaseModel):
    id: int
    number: str
    kind: ReturnKind
    status: ReturnStatus
    supplier_order_id: int
    shipment_id: int
    purchase_order_id: int
    purchase_order_number: str
    buyer_id: int
    buyer_name: str
    supplier_id: int
    supplier_name: str
    reason_code: ReturnReason
    reason: str
    without_goods: bool
    requested_at: datetime
    decided_at: datetime | None
    refund: YuanOut
    version: int


class ReturnOut(ReturnRow):
    decision_note: str | None
    carrier: str | None
    waybill: str | None
    received_at: datetime | None
    replacement_carrier: str | None
    replacement_waybill: str | None
    lines: list[ReturnLineOut]
    files: list[ReturnFileOut]
    possible_actions: list[ReturnMove]


class ReturnableLineOut(BaseModel):
    order_line_id: int
    accepted_quantity: QuantityOut
    left_quantity: QuantityOut = Field(description="can still be asked back")


class ReturnableOut(BaseModel):
    """What of a shipment can be given back, and until when."""

    shipment_id: int
    accepted_at: datetime
    until: date
    until_for_quality: date
    lines: list[ReturnableLineOut]


class CorrectionLineIn(In):
    order_line_id: Id
    accepted_quantity: QuantityOrZero
    accepted_grams: Grams | None = Field(
        default=None, description="default: what was accepted where the quantity stays, else the shipped weight in proportion"
    )


class CorrectionIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "reason": "复秤：实收 48.6 公斤",
                    "lines": [{"order_line_id": 1, "accepted_quantity": "10", "accepted_grams": 48600}],
                }
            ]
        },
    )

    reason: ShortText
    lines: Annotated[list[CorrectionLineIn], Field(min_length=1, max_length=MAX_LINES)]


class CorrectionLineOut(BaseModel):
    order_line_id: int
    product_name: str
    accepted_quantity: QuantityOut = Field(description="what was accepted in truth")
    accepted_grams: int
    before_quantity: QuantityOut | None = Field(description="what stood in the ledger; null until the other side agrees")
    before_grams: int | None
    before: YuanOut | None
    after_quantity: QuantityOut | None
    after_grams: int | None
    after: YuanOut | None


class CorrectionRow(BaseModel):
    id: int
    number: str
    status: CorrectionStatus
    supplier_order_id: int
    shipment_id: int
    purchase_order_number: str
    buyer_name: str
    supplier_name: str
    reason: str
    proposed_side: str
    proposed_at: datetime
    answered_at: datetime | None
    note: str | None
    version: int


class CorrectionOut(CorrectionRow):
    lines: list[CorrectionLineOut]
    possible_actions: list[CorrectionMove]
