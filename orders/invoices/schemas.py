"""What callers send and get about invoices and credit notes."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from orders.invoices.rules import CreditReason
from orders.invoices.states import InvoiceMove, InvoiceStatus
from shop.core.money import YuanOut
from shop.core.quantities import Day, Id, Name, QuantityOut, ShortText, each_once
from shop.programmes.invoicing import Exemption

Format = Annotated[Literal["json", "csv", "xlsx"], Field(description="a file holds every row, whatever the limit")]


class IssueIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"exemptions": ["cooperative"], "send": True}]})

    shipment_ids: Annotated[list[Id], Field(min_length=1, max_length=500), AfterValidator(each_once)] | None = Field(
        default=None, description="the accepted deliveries to invoice; without it all that are not invoiced yet"
    )
    exemptions: Annotated[list[Exemption], Field(max_length=len(Exemption)), AfterValidator(each_once)] = Field(
        default=[],
        description="what exempts the lines without VAT: each takes the first that is for such goods; of produce of cooperatives and farms it "
        "follows from the seller",
    )
    note: ShortText | None = None
    send: bool = Field(default=True, description="send it to the buyer at once")


class CreditIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "return", "note": "退货 TH2026-000001"}]})

    reason: CreditReason = Field(
        description="`issued_in_error` takes back all that the invoice holds; any other what it holds beyond what is owed by the books"
    )
    note: ShortText | None = None


class Search(BaseModel):
    """Which invoices or credit notes a list shows."""

    seller_id: Id | None = None
    buyer_id: Id | None = None
    purchase_order_id: Id | None = None
    supplier_order_id: Id | None = None
    issued_from: Day | None = Field(default=None, description="Shanghai date")
    issued_to: Day | None = Field(default=None, description="Shanghai date, included")
    number: Name | None = Field(default=None, description="the beginning of the number")


class Paged(BaseModel):
    limit: int = Field(default=50, ge=1, le=200, description="rows in a page")
    after: str | None = Field(default=None, max_length=500, description="cursor: `next` of the page before")
    format: Format = "json"


class InvoiceFilter(Search):
    status: InvoiceStatus | None = None


class InvoiceSearch(InvoiceFilter, Paged):
    pass


class CreditNoteFilter(Search):
    invoice_id: Id | None = None
    reason: CreditReason | None = None


class CreditNoteSearch(CreditNoteFilter, Paged):
    pass


class OpenFilter(BaseModel):
    """Of whom parts of orders are shown that wait for an invoice or a credit note."""

    seller_id: Id | None = None
    buyer_id: Id | None = None


class OpenSearch(OpenFilter, Paged):
    pass


class PartyOut(BaseModel):
    """A side as it was when the invoice was issued."""

    name: str
    uscc: str
    address: str | None = Field(description="null, as notes, for those who only follow a sale to the paper")


class ExemptionOut(BaseModel):
    code: Exemption
    label: str
    source: str = Field(description="what the exemption rests on")


class InvoiceRow(BaseModel):
    id: int
    number: str
    status: InvoiceStatus
    issued_on: date
    seller_id: int
    seller_name: str
    buyer_id: int
    buyer_name: str
    purchase_order_id: int
    purchase_order_number: str
    supplier_order_id: int
    line_count: int
    net: YuanOut
    vat: YuanOut
    gross: YuanOut
    credited: YuanOut
    held: YuanOut = Field(description="gross less what was credited")
    sent_at: datetime | None
    version: int


class InvoiceLineOut(BaseModel):
    id: int
    line_no: int
    kind: Literal["goods", "freight"]
    acceptance_id: int | None
    order_line_id: int | None
    name: str
    sku_code: str | None
    pack: str | None
    unit: str | None
    quantity: QuantityOut
    unit_price: YuanOut = Field(description="as agreed, VAT included")
    net: YuanOut
    vat_bp: int
    vat: YuanOut
    gross: YuanOut
    exemption: ExemptionOut | None
    returned_quantity: QuantityOut
    returned: YuanOut
    reduced: YuanOut


class VatOut(BaseModel):
    """All lines of one rate."""

    vat_bp: int
    net: YuanOut
    vat: YuanOut
    gross: YuanOut


class InvoiceOut(InvoiceRow):
    seller: PartyOut
    buyer: PartyOut
    issued_at: datetime
    automatic: bool = Field(description="issued by the programme's rule, with the acceptance")
    note: str | None
    in_words: str = Field(description="the gross amount in Chinese capitals")
    to_credit: YuanOut = Field(description="what it holds beyond what is owed by now: a credit note is due")
    vat_by_rate: list[VatOut]
    lines: list[InvoiceLineOut]
    credit_notes: list["CreditNoteRow"]
    possible_actions: list[InvoiceMove]


class CreditNoteRow(BaseModel):
    id: int
    number: str
    invoice_id: int
    invoice_number: str
    reason: CreditReason
    note: str | None
    issued_on: date
    seller_id: int
    seller_name: str
    buyer_id: int
    buyer_name: str
    purchase_order_id: int
    net: YuanOut
    vat: YuanOut
    gross: YuanOut


class CreditNoteLineOut(BaseModel):
    id: int
    invoice_line_id: int
    line_no: int
    name: str
    sku_code: str | None
    pack: str | None
    unit: str | None
    quantity: QuantityOut
    vat_bp: int
    net: YuanOut
    vat: YuanOut
    gross: YuanOut
    reduced: YuanOut = Field(description="how much of the gross is a reduction of the price")
    exemption: ExemptionOut | None


class CreditNoteOut(CreditNoteRow):
    seller: PartyOut
    buyer: PartyOut
    issued_at: datetime
    in_words: str
    lines: list[CreditNoteLineOut]


class TotalsOut(BaseModel):
    count: int
    net: YuanOut
    vat: YuanOut
    gross: YuanOut
    credited: YuanOut
    held: YuanOut


class PartOfOrder(BaseModel):
    """A part of an order, with its sides."""

    supplier_order_id: int
    purchase_order_id: int
    purchase_order_number: str
    seller_id: int
    seller_name: str
    buyer_id: int
    buyer_name: str


class UninvoicedRow(PartOfOrder):
    """A part of an order of which something was accepted and is not invoiced."""

    lines: int
    goods: YuanOut
    freight: YuanOut
    total: YuanOut
    first_sold_on: date | None


class CreditDueRow(PartOfOrder):
    """A part of an order whose invoices hold more than is owed."""

    invoice_ids: list[int]
    held: YuanOut
    owed: YuanOut
    due: YuanOut


class ExemptionGroundOut(BaseModel):
    code: Exemption
    label: str
    source: str
    valid_until: date | None = Field(description="the last Shanghai day; null: until further notice")
    categories: list[str] = Field(description="what it is for; empty: anything, services too")
    presumed_of: list[str] = Field(description="kinds of suppliers that need not say it")
