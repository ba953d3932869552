"""What callers send and get about orders and sales of one certificate."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from catalog.certificates.states import Stop
from orders.effects.rules import Choice
from orders.purchasing.states import SupplierOrderStatus
from shop.core.money import YuanOut
from shop.core.paging import Page
from shop.core.quantities import Id, QuantityOut, ShortText


class OpenOrderOut(BaseModel):
    supplier_order_id: int
    purchase_order_id: int
    purchase_order_number: str
    supplier_id: int
    buyer_id: int
    buyer_name: str
    status: SupplierOrderStatus
    placed_at: datetime
    quantity_open: QuantityOut = Field(description="ordered less shipped, of this certificate's lines")
    amount_open: YuanOut
    choice: Choice | None = Field(description="what the buyer chose since the measure was taken")
    reason: str | None
    chosen_at: datetime | None
    choices: list[Choice] = Field(description="what the programme leaves to the buyer; none while nothing stands against it")
    waiting: bool = Field(description="nothing of it is shipped until the buyer has chosen delivery")


class OpenOrdersOut(Page[OpenOrderOut]):
    certificate_id: int
    certificate_number: str
    stop: Stop | None = Field(description="what stands against the certificate now")
    stopped_at: datetime | None


class DispositionIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"certificate_id": 1, "choice": "deliver", "reason": "已验看样品"}]}
    )

    certificate_id: Id
    choice: Choice
    reason: ShortText


class DispositionOut(BaseModel):
    id: int
    supplier_order_id: int
    certificate_id: int
    choice: Choice
    reason: str
    at: datetime
    status: SupplierOrderStatus = Field(description="of the supplier order, after the choice")


class SaleOut(BaseModel):
    """One entry of the sales ledger; a correction has negative figures."""

    id: int
    sold_on: date
    purchase_order_id: int | None
    purchase_order_number: str | None = Field(description="null for sales taken over from before")
    agreement: str | None = Field(description="the purchase agreement behind the order")
    buyer_id: int | None = Field(description="null for whoever is not registered, and for everybody who buys at a till")
    buyer_name: str | None
    district_code: str = Field(description="where the buyer lies")
    district_name: str
    sku_code: str | None
    pack: str | None
    unit: str | None
    quantity: QuantityOut
    grams: int
    amount: YuanOut
    is_correction: bool


class SaleTotalsOut(BaseModel):
    """Over all sales of the certificate, less corrections."""

    amount: YuanOut
    grams: int
    entries: int
    buyers: int
    districts: int
    first_sold_on: date | None
    last_sold_on: date | None


class CertificateSalesOut(Page[SaleOut]):
    certificate_id: int
    certificate_number: str
    product_name: str
    supplier_name: str
    totals: SaleTotalsOut
