"""The register of official tax invoices."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from orders.tax_invoices.states import COUNTED, TaxInvoiceStatus
from shop.core.db import fen, key, moment, ref

_COUNTED = ",".join(f"'{status}'" for status in COUNTED)
_ALL = ",".join(f"'{status}'" for status in TaxInvoiceStatus)


class TaxInvoice(SQLModel, table=True):
    """An invoice that the tax authority's system numbered, as its seller registered it. A wrong one is voided and stays on record."""

    __tablename__ = "tax_invoice"
    __table_args__ = (
        CheckConstraint(f"status IN ({_ALL})", name="status"),
        # fully digitalised (数电票): 20 digits; before that: a code and a number
        CheckConstraint(
            "CASE WHEN code IS NULL THEN number ~ '^[0-9]{20}$' ELSE code ~ '^([0-9]{10}|[0-9]{12})$' AND number ~ '^[0-9]{8}$' END",
            name="number",
        ),
        CheckConstraint("type IN ('special','ordinary')", name="type"),
        CheckConstraint("gross_fen > 0 AND vat_fen BETWEEN 0 AND gross_fen", name="amounts"),
        CheckConstraint("red OR red_letter_of_id IS NULL", name="red"),
        CheckConstraint("status NOT IN ('cleared','refused','void') OR decision IS NOT NULL", name="decision"),
        # one number counts once, whoever registers it
        Index(
            "uq_tax_invoice_number",
            text("coalesce(code, '')"),
            "number",
            unique=True,
            postgresql_where=text(f"status IN ({_COUNTED})"),
        ),
        Index(None, "number"),
        Index(None, "seller_id", "id"),
        Index(None, "buyer_id", "id"),
        Index(None, "ordering_unit_id", "id"),
        Index(None, "red_letter_of_id", postgresql_where=text("red_letter_of_id IS NOT NULL")),
        Index(None, "status", "id", postgresql_where=text("status = 'held'")),
    )

    id: int = key()
    code: str | None = None
    number: str
    #: A special one (专用发票) lets the buyer deduct its VAT.
    type: str
    #: Red letter (红字): takes back what another one says; its amounts are above zero all the same.
    red: bool = False
    red_letter_of_id: int | None = ref("tax_invoice.id", nullable=True)
    #: Shanghai date.
    issued_on: date
    gross_fen: int = fen()
    #: None: it was uploaded as a paper of an order, without.
    vat_fen: int | None = fen(nullable=True)
    seller_id: int = ref("organisation.id")
    buyer_id: int = ref("organisation.id")
    ordering_unit_id: int = ref("organisation.id")
    note: str | None = None
    file_id: int | None = ref("stored_file.id", nullable=True)
    status: str
    registered_by: int = ref("app_user.id")
    registered_at: datetime = moment()
    #: Why it was cleared, refused or voided.
    decision: str | None = None
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class TaxInvoiceCover(SQLModel, table=True):
    """What a tax invoice is for: an invoice or credit note of the own books, an accepted delivery; or a part of an order as such."""

    __tablename__ = "tax_invoice_cover"
    __table_args__ = (
        CheckConstraint("num_nonnulls(invoice_id, credit_note_id, acceptance_id) <= 1", name="what"),
        Index(
            "uq_tax_invoice_cover_once",
            "tax_invoice_id",
            "supplier_order_id",
            "invoice_id",
            "credit_note_id",
            "acceptance_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index(None, "supplier_order_id"),
        Index(None, "invoice_id", postgresql_where=text("invoice_id IS NOT NULL")),
        Index(None, "credit_note_id", postgresql_where=text("credit_note_id IS NOT NULL")),
        Index(None, "acceptance_id", postgresql_where=text("acceptance_id IS NOT NULL")),
    )

    id: int = key()
    tax_invoice_id: int = ref("tax_invoice.id")
    supplier_order_id: int = ref("supplier_order.id")
    invoice_id: int | None = ref("invoice.id", nullable=True)
    credit_note_id: int | None = ref("credit_note.id", nullable=True)
    acceptance_id: int | None = ref("acceptance.id", nullable=True)
