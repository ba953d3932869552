"""What callers send and get about payments."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from shop.core.money import PositiveYuanIn, YuanOut
from shop.core.quantities import Code, Name


class PaymentIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: PositiveYuanIn
    bank_reference: Code
    payer_name: Name
    paid_on: date


class PaymentOut(BaseModel):
    id: int
    purchase_order_id: int
    method: str
    amount: YuanOut
    bank_reference: str
    payer_name: str
    paid_on: date
    recorded_at: datetime
    order_total: YuanOut
    order_due: YuanOut
