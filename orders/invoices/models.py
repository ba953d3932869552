"""Invoices and credit notes of the marketplace's own books. What they say never changes; how much of an invoice was credited is counted beside it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from orders.invoices.rules import CreditReason
from orders.invoices.states import InvoiceStatus
from shop.core import db
from shop.core.db import codes, fen, key, moment, ref
from shop.programmes.invoicing import Exemption


class Invoice(SQLModel, table=True):
    """What one seller charges one buyer for accepted goods of one order. A trigger refuses every change but that of status, sending and credit."""

    __tablename__ = "invoice"
    __table_args__ = (
        CheckConstraint(f"status IN ({codes(InvoiceStatus)})", name="status"),
        CheckConstraint("gross_fen > 0 AND vat_fen BETWEEN 0 AND gross_fen", name="amounts"),
        CheckConstraint("credited_fen BETWEEN 0 AND gross_fen", name="credited_fen"),
        CheckConstraint("(status = 'credited') = (credited_fen = gross_fen)", name="credited"),
        CheckConstraint("year = date_part('year', issued_on)", name="year"),
        # without gaps: the serial comes from the series of the seller's year
        UniqueConstraint("seller_id", "year", "serial"),
        Index(None, "seller_id", "id"),
        Index(None, "buyer_id", "id"),
        Index(None, "ordering_unit_id", "id"),
        Index(None, "supplier_order_id"),
    )

    id: int = key()
    #: FP2026-000017-000001: year, seller, serial.
    number: str = Field(unique=True)
    seller_id: int = ref("organisation.id")
    year: int
    serial: int
    #: To whom the order belonged when it was issued.
    buyer_id: int = ref("organisation.id")
    ordering_unit_id: int = ref("organisation.id")
    purchase_order_id: int = ref("purchase_order.id")
    supplier_order_id: int = ref("supplier_order.id")
    #: Name, code and address of either side as they were: {"name", "uscc", "address"}.
    seller: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    buyer: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    #: Shanghai date.
    issued_on: date
    issued_at: datetime = moment()
    #: None: by the programme's rule, with the acceptance.
    issued_by: int | None = ref("app_user.id", nullable=True)
    note: str | None = None
    line_count: int
    gross_fen: int = fen()
    vat_fen: int = fen()
    status: str = Field(default="issued", sa_column_kwargs={"server_default": "issued"})
    sent_at: datetime | None = moment(nullable=True)
    sent_by: int | None = ref("app_user.id", nullable=True)
    credited_fen: int = fen(default=0)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class InvoiceLine(SQLModel, table=True):
    """One accepted line, as much of it as was sold when the invoice was issued; or the freight of the order's part."""

    __tablename__ = "invoice_line"
    __table_args__ = (
        CheckConstraint("kind IN ('goods','freight')", name="kind"),
        CheckConstraint(
            "CASE kind WHEN 'goods' THEN sale_entry_id IS NOT NULL AND order_line_id IS NOT NULL AND acceptance_id IS NOT NULL"
            " ELSE sale_entry_id IS NULL AND order_line_id IS NULL AND acceptance_id IS NULL END",
            name="place",
        ),
        CheckConstraint("quantity > 0 AND amount_fen > 0", name="amount_fen"),
        CheckConstraint("vat_bp BETWEEN 0 AND 10000", name="vat_bp"),
        CheckConstraint("vat_fen = round(amount_fen::numeric * vat_bp / (10000 + vat_bp))", name="vat_fen"),
        CheckConstraint("(vat_bp = 0) = (exemption IS NOT NULL)", name="exempt"),
        CheckConstraint(f"exemption IN ({codes(Exemption)})", name="exemption"),
        CheckConstraint("returned_quantity BETWEEN 0 AND quantity", name="returned_quantity"),
        # never more than the line holds
        CheckConstraint("returned_fen >= 0 AND reduced_fen >= 0 AND returned_fen + reduced_fen <= amount_fen", name="credited"),
        UniqueConstraint("invoice_id", "line_no"),
        # what was accepted is invoiced once; what was credited whole because it should not have been, again
        Index(
            "uq_invoice_line_sale",
            "sale_entry_id",
            unique=True,
            postgresql_where=text("sale_entry_id IS NOT NULL AND returned_fen < amount_fen"),
        ),
        Index(
            "uq_invoice_line_freight",
            "supplier_order_id",
            unique=True,
            postgresql_where=text("kind = 'freight' AND returned_fen < amount_fen"),
        ),
        Index(None, "sale_entry_id", postgresql_where=text("sale_entry_id IS NOT NULL")),
        Index(None, "supplier_order_id"),
    )

    id: int = key()
    invoice_id: int = ref("invoice.id")
    line_no: int
    kind: str
    #: The invoice's own, here too so that freight counts once for it.
    supplier_order_id: int = ref("supplier_order.id")
    sale_entry_id: int | None = ref("sale_entry.id", nullable=True)
    acceptance_id: int | None = ref("acceptance.id", nullable=True)
    order_line_id: int | None = ref("order_line.id", nullable=True)
    name: str
    sku_code: str | None = None
    pack: str | None = None
    unit: str | None = None
    quantity: Decimal = db.quantity()
    #: What was agreed, VAT included.
    unit_price_fen: int = fen()
    #: Gross, and the VAT in it.
    amount_fen: int = fen()
    vat_bp: int
    vat_fen: int = fen()
    #: Why there is no VAT in it.
    exemption: str | None = None
    #: What credit notes took back: because it is no longer sold, and as reductions of the price.
    returned_quantity: Decimal = db.quantity(default=Decimal(0))
    returned_fen: int = fen(default=0)
    reduced_fen: int = fen(default=0)


class CreditNote(SQLModel, table=True):
    """Takes back a part of an invoice, or all of it. Triggers refuse UPDATE, DELETE and TRUNCATE."""

    __tablename__ = "credit_note"
    __table_args__ = (
        CheckConstraint(f"reason_code IN ({codes(CreditReason)})", name="reason_code"),
        CheckConstraint("gross_fen >= 0 AND vat_fen BETWEEN 0 AND gross_fen", name="amounts"),
        CheckConstraint("year = date_part('year', issued_on)", name="year"),
        UniqueConstraint("seller_id", "year", "serial"),
        Index(None, "invoice_id"),
        Index(None, "seller_id", "id"),
        Index(None, "buyer_id", "id"),
        Index(None, "ordering_unit_id", "id"),
    )

    id: int = key()
    #: HC2026-000017-000001: year, seller, serial.
    number: str = Field(unique=True)
    invoice_id: int = ref("invoice.id")
    #: As the invoice has them.
    seller_id: int = ref("organisation.id")
    buyer_id: int = ref("organisation.id")
    ordering_unit_id: int = ref("organisation.id")
    year: int
    serial: int
    reason_code: str
    note: str | None = None
    issued_on: date
    issued_at: datetime = moment()
    issued_by: int | None = ref("app_user.id", nullable=True)
    line_count: int
    gross_fen: int = fen()
    vat_fen: int = fen()


class CreditNoteLine(SQLModel, table=True):
    """What is taken back of one line of the invoice. A reduction that goods took along when they went back is below zero here, and counts as returned."""

    __tablename__ = "credit_note_line"
    __table_args__ = (
        CheckConstraint("quantity >= 0 AND returned_fen >= 0", name="returned"),
        CheckConstraint("amount_fen = returned_fen + reduced_fen AND amount_fen >= 0", name="amount_fen"),
        CheckConstraint("vat_fen BETWEEN 0 AND amount_fen", name="vat_fen"),
        UniqueConstraint("credit_note_id", "invoice_line_id"),
        Index(None, "invoice_line_id"),
    )

    id: int = key()
    credit_note_id: int = ref("credit_note.id")
    invoice_line_id: int = ref("invoice_line.id")
    quantity: Decimal = db.quantity()
    returned_fen: int = fen()
    reduced_fen: int = fen()
    amount_fen: int = fen()
    vat_fen: int = fen()
