"""What finance sees of the money books of a month."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from orders.closing.rules import Gap
from orders.invoices.schemas import Paged, PartOfOrder
from shop.core.money import YuanOut
from shop.core.months import Month
from shop.core.paging import Page
from shop.core.quantities import Id

Only = Gap | Literal["unpaid"]


class CloseFilter(BaseModel):
    month: Month | None = Field(default=None, description="Shanghai month; default: the one that was over last")
    seller_id: Id | None = None
    buyer_id: Id | None = None
    missing: bool = Field(default=False, description="only what lacks something")
    only: Only | None = Field(default=None, description="only what lacks this; or what is accepted and not paid (`unpaid`)")


class CloseSearch(CloseFilter, Paged):
    pass


class DeliveryOut(BaseModel):
    shipment_id: int
    accepted_on: date


class CloseInvoiceOut(BaseModel):
    """An invoice with the deliveries that stand in it and the tax invoices for it that count."""

    id: int
    number: str
    issued_on: date
    gross: YuanOut
    held: YuanOut = Field(description="less what was credited by now")
    shipment_ids: list[int]
    tax_invoices: list[str]


class CloseCreditNoteOut(BaseModel):
    id: int
    number: str
    invoice_number: str
    gross: YuanOut
    tax_invoices: list[str] = Field(description="red-letter ones")


class ClosePaymentOut(BaseModel):
    """A payment for the whole order."""

    id: int
    reference: str
    paid_on: date
    amount: YuanOut


class Turnover(BaseModel):
    """What a month moved between the ledger and the invoices. opening + booked - invoiced + credited = closing, to the fen and for ever."""

    opening: YuanOut = Field(description="owed and not invoiced before the month; below zero: invoiced beyond what was owed")
    booked: YuanOut = Field(description="by the ledger: sales, freight, less returns, corrections, and what disputes gave back")
    invoiced: YuanOut
    credited: YuanOut
    closing: YuanOut = Field(description="owed and not invoiced at the end of the month")
    vat: YuanOut = Field(description="in the month's invoices less its credit notes")


class State(BaseModel):
    """What is missing by now, whatever the month."""

    uninvoiced: YuanOut = Field(
        description="accepted and in no invoice; of a moved order with the freight that its former buyer's invoice holds"
    )
    credit_due: YuanOut
    waiting: YuanOut = Field(description="what disputes gave back and no invoice has room for yet")
    unexplained: YuanOut = Field(description="zero, or the ledger and the invoices disagree")
    unpaid_unexplained: YuanOut = Field(
        description="zero, or what the buyer owes for the whole order by the ledger is not what its dues say; told of one part of the order"
    )
    without_tax_invoice: YuanOut = Field(description="held by invoices up to the month's end")
    without_red_letter: YuanOut
    paid: YuanOut = Field(description="what has arrived")
    announced: YuanOut = Field(description="announced by the buyer, or argued over with its bank: it has not arrived")
    unpaid: YuanOut = Field(description="accepted, and neither paid nor announced: what the ledger says that the buyer owes")
    paid_ahead: YuanOut = Field(description="paid or announced beyond what is accepted so far")
    not_accepted: YuanOut = Field(
        description="of what the part costs, not accepted yet; unpaid − paid_ahead + this = what its dues leave open"
    )
    overdue: YuanOut = Field(description="by the dues, those that come before the acceptance too")


class CloseRow(Turnover, State, PartOfOrder):
    """A part of an order, with what moved in the month and what is missing by now."""

    gaps: list[Gap]
    due_on: date | None = Field(description="of the oldest amount that is not paid")
    deliveries: list[DeliveryOut] = Field(description="accepted in the month")
    invoices: list[CloseInvoiceOut] = Field(description="issued up to the month's end, those credited whole before it left out")
    credit_notes: list[CloseCreditNoteOut] = Field(description="issued in the month")
    payments: list[ClosePaymentOut] = Field(description="of the whole order; for its buyer, and who keeps the money in its region")
    settlements: list[str] = Field(description="that took up the part; for its supplier, and who keeps the money in its region")


class CloseOwedOut(BaseModel):
    """应收采购单位: how what is not paid of the list ties to the ledger and to the dues, by now, for the buyers within reach."""

    receivable: YuanOut = Field(description="by the ledger, as /v1/money/balances says")
    unpaid: YuanOut = Field(description="of what is listed")
    paid_ahead: YuanOut = Field(description="of what is listed")
    elsewhere: YuanOut = Field(description="unpaid − paid_ahead of what is not listed: of later months, or left out by a filter")
    credit: YuanOut = Field(description="paid beyond what orders cost")
    unexplained: YuanOut = Field(
        description="receivable − (unpaid − paid_ahead + elsewhere − credit): zero, or somebody has to look"
    )
    not_accepted: YuanOut = Field(description="ordered and not accepted yet, whether listed or not")
    dues: YuanOut = Field(description="receivable + credit + not_accepted: the `open` of /v1/dues/totals")


class CloseUnallocatedOut(BaseModel):
    """待认领款项: what the bank had shown at the month's end and nobody had said yet what it was for."""

    at_end: YuanOut = Field(description="at the end of the month's last day, as the trial balance says; what went out is taken off")
    matched_since: YuanOut = Field(description="of that: explained since, which is booked on the day on which it was said")
    waiting: YuanOut = Field(description="of that: still not explained")


class CloseTotals(Turnover, State):
    owed: CloseOwedOut | None = Field(
        description="none where one seller is asked for (buyers pay orders, not parts), and for who buys nothing"
    )
    parts: int
    gaps: dict[Gap, int] = Field(description="how many parts lack what")


class ClosePage(Page[CloseRow]):
    month: str
    unallocated: CloseUnallocatedOut | None = Field(description="for who keeps the money of the whole city")
    total: CloseTotals = Field(description="of all parts, whatever the page")
