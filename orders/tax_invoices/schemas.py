"""What callers send and get about tax invoices."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from orders.invoices.schemas import Paged
from orders.tax_invoices.rules import TaxInvoiceType, normal
from orders.tax_invoices.states import TaxInvoiceMove, TaxInvoiceStatus
from shop.core.errors import BadValue
from shop.core.money import PositiveYuanIn, YuanIn, YuanOut
from shop.core.paging import Page
from shop.core.quantities import Day, Id, Name, ShortText, each_once

Written = Annotated[Name, AfterValidator(normal)]
Ids = Annotated[list[Id], Field(max_length=500), AfterValidator(each_once)]


class TaxInvoiceIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "number": "26502000000012345678",
                    "type": "ordinary",
                    "issued_on": "2026-11-20",
                    "gross": "699.00",
                    "vat": "57.72",
                    "invoice_ids": [1],
                }
            ]
        },
    )

    code: Written | None = Field(default=None, description="of older invoices: 10 or 12 digits")
    number: Written = Field(description="20 digits (数电票); with a code 8")
    type: TaxInvoiceType
    red: bool = Field(default=False, description="a red-letter invoice (红字): for credit notes")
    red_letter_of_id: Id | None = Field(default=None, description="the registered invoice that a red-letter one takes back")
    issued_on: Day
    gross: PositiveYuanIn = Field(description="above zero, of a red-letter invoice too")
    vat: YuanIn
    note: ShortText | None = None
    invoice_ids: Ids = []
    credit_note_ids: Ids = []
    shipment_ids: Ids = Field(default=[], description="accepted deliveries, where there is no invoice of the own books")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not 0 <= self.vat <= self.gross:
            raise BadValue("税额须在零与价税合计之间", "the VAT lies between zero and the gross amount", "vat")
        if self.red != bool(self.credit_note_ids) or (self.red and (self.invoice_ids or self.shipment_ids)):
            wrong = "credit_note_ids"
            if self.red and self.credit_note_ids:
                wrong = "invoice_ids" if self.invoice_ids else "shipment_ids"
            raise BadValue(
                "红字发票对应红字结算发票，蓝字发票不对应", "a red-letter invoice is for credit notes, another one is not", wrong
            )
        if self.red_letter_of_id and not self.red:
            raise BadValue("只有红字发票可以注明原发票", "only a red-letter invoice takes another one back", "red_letter_of_id")
        return self


class ClaimIn(BaseModel):
    """Tax invoices that are registered together: all of them, or none."""

    model_config = ConfigDict(extra="forbid")

    invoices: Annotated[list[TaxInvoiceIn], Field(min_length=1, max_length=200)]


class DecisionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class TaxInvoiceFilter(BaseModel):
    """Which tax invoices a list shows."""

    status: TaxInvoiceStatus | None = None
    type: TaxInvoiceType | None = None
    red: bool | None = None
    seller_id: Id | None = None
    buyer_id: Id | None = None
    purchase_order_id: Id | None = None
    supplier_order_id: Id | None = None
    issued_from: Day | None = Field(default=None, description="Shanghai date")
    issued_to: Day | None = Field(default=None, description="Shanghai date, included")
    number: Written | None = Field(default=None, description="the beginning of the number")


class TaxInvoiceSearch(TaxInvoiceFilter, Paged):
    pass


class SidesAndDays(BaseModel):
    seller_id: Id | None = None
    buyer_id: Id | None = None
    issued_from: Day | None = Field(default=None, description="Shanghai date")
    issued_to: Day | None = Field(default=None, description="Shanghai date, included")


class MissingFilter(SidesAndDays):
    """Which invoices, or credit notes, without a tax invoice a list shows."""

    credit_notes: bool = Field(default=False, description="credit notes without a red-letter invoice instead")


class MissingSearch(MissingFilter, Paged):
    pass


class By(StrEnum):
    STATUS = "status"
    SELLER = "seller"
    MONTH = "month"


class TotalsFilter(SidesAndDays):
    by: By = By.STATUS


class TotalsSearch(TotalsFilter, Paged):
    pass


class CoverOut(BaseModel):
    """What it is for, and what that comes to; no amounts for a part of an order as such."""

    supplier_order_id: int
    invoice_id: int | None
    credit_note_id: int | None
    acceptance_id: int | None
    number: str | None
    gross: YuanOut | None
    vat: YuanOut | None


class SameNumberOut(BaseModel):
    """Another registration of the number, for who decides."""

    id: int
    seller_name: str
    buyer_name: str
    status: TaxInvoiceStatus
    gross: YuanOut
    registered_at: datetime


class TaxInvoiceRow(BaseModel):
    id: int
    code: str | None
    number: str
    type: TaxInvoiceType
    red: bool
    issued_on: date
    gross: YuanOut
    vat: YuanOut | None
    seller_id: int
    seller_name: str
    buyer_id: int
    buyer_name: str
    status: TaxInvoiceStatus
    decision: str | None
    has_file: bool
    registered_at: datetime
    expected: YuanOut | None = Field(description="what is covered comes to, gross")
    expected_vat: YuanOut | None = Field(description="and its VAT")
    difference: YuanOut | None = Field(
        description="this and the other tax invoices for the same, less what is covered; zero where they agree"
    )
    vat_difference: YuanOut | None = Field(description="the same of their VAT; none where one of them does not say it")
    other_province: bool = Field(
        description="its digits name another province than the seller's credit code: somebody should look at it; it counts nevertheless"
    )
    version: int


class TaxInvoiceOut(TaxInvoiceRow):
    red_letter_of_id: int | None
    note: str | None = Field(description="null, as `decision`, for those who only follow a sale to it")
    covers: list[CoverOut]
    same_number: list[SameNumberOut] = Field(description="only for who decides")
    possible_actions: list[TaxInvoiceMove]


class MissingRow(BaseModel):
    """An invoice or credit note of the own books for which no tax invoice is registered."""

    kind: Literal["invoice", "credit_note"]
    id: int
    number: str
    issued_on: date
    seller_id: int
    seller_name: str
    buyer_id: int
    buyer_name: str
    gross: YuanOut
    vat: YuanOut


class SumOut(BaseModel):
    count: int
    gross: YuanOut
    vat: YuanOut = Field(description="of those that say it")


class TotalsOut(BaseModel):
    """Sums of the register, and of the own books for the same."""

    blue: SumOut = Field(description="those that count; by state: all in that state")
    red: SumOut = Field(description="red-letter ones, above zero")
    unlinked: YuanOut = Field(description="of `blue`: for deliveries or orders that no invoice of the own books is for")
    held: int = Field(description="wait for a decision; they count for nothing")
    invoiced: YuanOut | None = Field(default=None, description="own books: invoices; none by state")
    credited: YuanOut | None = Field(default=None, description="own books: credited of these invoices by now")
    missing: YuanOut | None = Field(default=None, description="what invoices without a tax invoice hold")
    red_missing: YuanOut | None = Field(default=None, description="credit notes without a red-letter invoice")
    difference: YuanOut | None = Field(
        default=None,
        description="blue - unlinked - red - (invoiced - credited - missing + red_missing): zero where all agree; told by seller and in sum, of all days",
    )


class TotalsRow(TotalsOut):
    place: str = Field(description="the state, the seller's id in 19 digits, or the month")
    seller_name: str | None


class TotalsPage(Page[TotalsRow]):
    total: TotalsOut
