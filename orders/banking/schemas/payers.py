"""What a transfer has to say, who else may pay, and files of refunds."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orders.banking.rules import PayerReason
from shop.core.money import YuanOut
from shop.core.quantities import Id, Name, ShortText


class TransferInstructionsOut(BaseModel):
    """What a bank transfer for an order has to say."""

    purchase_order_id: int
    purchase_order_number: str
    payee_name: str
    payee_account: str
    payee_bank: str | None
    payee_bank_code: str | None = Field(description="联行号")
    amount: YuanOut = Field(description="what is due; 0.00 when nothing is")
    credit: YuanOut = Field(description="what was paid beyond what the order costs by now")
    due_on: date | None = Field(description="the last day in time for the oldest amount; none: nothing has a date yet")
    payment_reference: str = Field(description="to be written into the text of the transfer (附言), nothing else is needed")
    payment_reference_printed: str
    payer_name: str = Field(description="the transfer has to come from an account of this name")
    approved_payers: list[str] = Field(description="others that were approved to pay")
    announced: YuanOut = Field(description="announced by the buyer, not shown by the bank yet")


class PayerDeclarationIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "payer_name": "沙坪坝区财政局国库集中支付中心",
                    "reason_code": "treasury",
                    "reason": "国库集中支付",
                    "all_orders": True,
                }
            ]
        },
    )

    payer_name: Name
    reason_code: PayerReason
    reason: ShortText
    all_orders: bool = Field(default=False, description="for all orders of the buyer, not this one only")


class DecisionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText | None = None


class PayerDeclarationOut(BaseModel):
    id: int
    buyer_id: int
    buyer_name: str
    purchase_order_id: int | None = Field(description="none: all orders of the buyer")
    payer_name: str
    reason_code: PayerReason
    reason: str
    status: Literal["declared", "approved", "refused", "withdrawn"]
    declared_by: int
    declared_by_name: str
    declared_at: datetime
    decided_by: int | None
    decided_by_name: str | None
    decided_at: datetime | None
    decision_reason: str | None
    version: int


class RefundFileIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    layout: Literal["icbc", "ccb", "cmb", "generic"] = "generic"
    refund_ids: list[Id] | None = Field(
        default=None, min_length=1, max_length=1000, description="default: all released ones that are in no file, at most 1,000"
    )


class RefundFileVoidIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class RefundFileOut(BaseModel):
    id: int
    number: str
    layout: str
    status: Literal["made", "sent", "void"]
    refund_count: int
    total: YuanOut
    refund_ids: list[int]
    made_at: datetime
    made_by_name: str
    reference: str | None
    ended_at: datetime | None
    void_reason: str | None
    voided_by_name: str | None
    version: int
