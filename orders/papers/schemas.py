"""What callers send and get about papers of orders."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from orders.papers.rules import PaperKind
from shop.core.money import YuanOut
from shop.core.quantities import Code, ShortText

Number = Annotated[Code, Field(description="number of the invoice or report")]


class VoidIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class PaperOut(BaseModel):
    id: int
    supplier_order_id: int
    kind: PaperKind
    number: str | None
    issued_on: date | None
    amount: YuanOut | None
    note: str | None
    file_name: str
    content_type: str
    size: int
    sha256: str
    uploaded_at: datetime
    voided_at: datetime | None
    void_reason: str | None
    tax_invoice_id: int | None
