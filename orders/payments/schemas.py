"""What callers send and get about payments."""

from datetime import date, datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from shop.core.money import PositiveYuanIn, YuanOut
from shop.core.quantities import AnyDay, Code, Id, Name, ShortText

Method = Literal["bank_transfer", "card", "alipay", "wechat_pay"]
Source = Literal["announced", "unallocated", "online"]


class PaymentIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: PositiveYuanIn
    bank_reference: Code
    payer_name: Name
    paid_on: AnyDay


class PaymentOut(BaseModel):
    id: int
    purchase_order_id: int
    method: Method
    source: Source = Field(description="announced: the buyer says so, and the bank's statement has not shown it yet")
    amount: YuanOut
    bank_reference: str
    payer_name: str
    paid_on: date
    recorded_at: datetime
    shown_at: datetime | None = Field(description="when a line of the bank showed it; none: announced only, or paid online")
    undone_at: datetime | None = Field(description="from then on it does not count")
    undo_reason: str | None
    order_total: YuanOut
    order_due: YuanOut = Field(description="below zero: paid too much; it can be refunded, or count for another order")


class UndoIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class CreditMoveIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to_order_id: Id
    amount: PositiveYuanIn
    reason: ShortText


class CreditMoveOut(BaseModel):
    id: int
    from_order_id: int
    to_order_id: int
    amount: YuanOut
    from_order_due: YuanOut = Field(description="after it; below zero: still paid too much, as in `order_due`")
    to_order_due: YuanOut


class Taken(NamedTuple):
    """Money that came for an order, in fen."""

    purchase_order_id: int
    amount_fen: int
    method: Method
    source: str
    #: The bank's or the provider's.
    reference: str
    payer_name: str
    paid_on: date
