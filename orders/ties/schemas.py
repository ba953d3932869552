"""How chains of documents look from outside."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from orders.ledger.schemas import SaleEntryOut
from orders.purchasing.states import SupplierOrderStatus
from shop.core.money import YuanOut
from shop.core.paging import Page
from shop.core.quantities import Day, Id


class TiesAsked(BaseModel):
    """Which chains are asked for."""

    placed_from: Day | None = Field(default=None, description="Shanghai date")
    placed_to: Day | None = Field(default=None, description="Shanghai date, included")
    district: str | None = Field(default=None, pattern=r"^[0-9]{6}$", description="of origin of any of the goods")
    supplier_id: Id | None = None
    buyer_id: Id | None = None
    untied: bool = Field(default=False, description="only those in which something does not tie")


class TiesSearch(TiesAsked):
    limit: int = Field(default=50, ge=1, le=200, description="rows in a page")
    after: str | None = Field(default=None, max_length=500, description="cursor: `next` of the page before")


class DaysSearch(BaseModel):
    """Which batches or claims are asked for, by their days."""

    first: Day | None = Field(default=None, alias="from", description="Shanghai date")
    last: Day | None = Field(default=None, alias="to", description="Shanghai date, included")
    untied: bool = Field(default=False, description="only those in which something does not tie")
    limit: int = Field(default=50, ge=1, le=200, description="rows in a page")
    after: str | None = Field(default=None, max_length=500, description="cursor: `next` of the page before")


class BatchesSearch(DaysSearch):
    outlet_id: Id | None = None


class ExternalSalesSearch(DaysSearch):
    supplier_id: Id | None = None


class ReasonOut(BaseModel):
    """What does not tie."""

    code: str
    label: str


class ChainOut(BaseModel):
    """A part of an order from the order to the statistic. Amounts of goods, but for those that say otherwise; null: there is no such link yet.

    Order, part, its contract and invoices are read by their ids, as those do who follow a sale to them."""

    purchase_order_id: int
    supplier_order_id: int
    number: str
    placed_at: datetime
    buyer_id: int
    buyer_name: str
    supplier_id: int
    supplier_name: str
    status: SupplierOrderStatus
    contract_number: str | None
    waybills: list[str]
    invoice_ids: list[int]
    invoice_numbers: list[str]
    ordered: YuanOut
    contracted: YuanOut | None
    shipped: YuanOut
    accepted: YuanOut
    #: In the statistics: what was accepted, less what was returned or corrected since.
    booked: YuanOut
    allowed: YuanOut = Field(description="what disputes gave back without goods")
    invoiced: YuanOut = Field(
        description="invoices of goods, less credit notes; what disputes gave back also as far as the freight bears it"
    )
    invoice_difference: YuanOut | None = Field(
        description="`invoiced` less what should be: `booked` less `allowed`. Above zero a credit note is due, below it an invoice"
    )
    #: What the whole part costs by now, with its freight.
    payable: YuanOut
    paid: YuanOut
    announced: YuanOut
    overpaid: YuanOut = Field(description="of the whole order: what was paid beyond what it costs by now, a credit of the buyer's")
    ties: bool
    reasons: list[ReasonOut]


class OrderChainsOut(BaseModel):
    purchase_order_id: int
    number: str
    ties: bool
    parts: list[ChainOut]


class BatchTieOut(BaseModel):
    """A batch of an outlet: what it says of itself, its lines, and the ledger."""

    id: int
    outlet_id: int
    outlet_number: str
    outlet_name: str
    batch_id: str
    status: str
    received_at: datetime
    batch: YuanOut
    lines: YuanOut
    #: What its lines give back of sales, of this batch or of others; batch and lines leave it out.
    refunds: YuanOut
    #: Lines that count as sales of the list less refunds of such, and what the ledger booked for the one first and took back for the other.
    counted: YuanOut
    booked: YuanOut
    ties: bool
    reasons: list[ReasonOut]


class ExternalTieOut(BaseModel):
    """A claim: its papers, its lines, and the ledger."""

    id: int
    number: str
    supplier_id: int
    supplier_name: str
    buyer_name: str
    sold_on: date
    status: str
    claimed: YuanOut
    documents: YuanOut
    lines: YuanOut
    booked: YuanOut
    ties: bool
    reasons: list[ReasonOut]


class DocumentOut(BaseModel):
    """A document behind a sale. ``path`` leads to it; null: there is no such page, or the caller's role does not read it."""

    kind: Literal[
        "order",
        "supplier_order",
        "contract",
        "shipment",
        "acceptance",
        "invoice",
        "credit_note",
        "tax_invoice",
        "due",
        "correction",
        "reversed_entry",
        "outlet_batch",
        "external_sale",
        "evidence",
    ]
    id: int
    number: str | None
    dated_on: date | None
    amount: YuanOut | None
    path: str | None


class SaleEntryDetailOut(SaleEntryOut):
    """One sale with everything behind it."""

    documents: list[DocumentOut]


class DataCheckOut(BaseModel):
    """One daily check of the figures."""

    day: date
    ran_at: datetime
    seconds: float
    #: Cells of rollups that were counted again from the lines.
    cells: int
    #: Those that differ, by rollup.
    differing_cells: dict[str, int]
    #: What the reconciliation of all books found, by check.
    reconciliation: dict[str, int]
    differences: int


class DataChecksOut(Page[DataCheckOut]):
    next_from: datetime = Field(
        description="from when on the next one is made, within half an hour: now where it is due; without rows none was made yet"
    )
