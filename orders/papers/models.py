"""Papers of an order: invoices, acceptance reports, proofs of delivery."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import SQLModel

from shop.core.db import fen, key, moment, ref


class OrderPaper(SQLModel, table=True):
    """A paper that one side uploaded. A wrong one is voided and stays on record."""

    __tablename__ = "order_paper"
    __table_args__ = (
        CheckConstraint("kind IN ('invoice','acceptance_report','delivery_proof','other')", name="kind"),
        CheckConstraint(
            "kind <> 'invoice' OR (number IS NOT NULL AND issued_on IS NOT NULL AND amount_fen IS NOT NULL)", name="invoice"
        ),
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("(voided_at IS NULL) = (void_reason IS NULL)", name="void"),
        CheckConstraint("kind = 'invoice' OR tax_invoice_id IS NULL", name="tax_invoice"),
        Index(None, "supplier_order_id", "id"),
        Index(None, "tax_invoice_id", postgresql_where=text("tax_invoice_id IS NOT NULL")),
    )

    id: int = key()
    supplier_order_id: int = ref("supplier_order.id")
    supplier_id: int = ref("organisation.id")
    kind: str
    number: str | None = None
    issued_on: date | None = None
    amount_fen: int | None = fen(nullable=True)
    note: str | None = None
    file_id: int = ref("stored_file.id")
    #: The place of an invoice in the register of tax invoices, where its number counts once.
    tax_invoice_id: int | None = ref("tax_invoice.id", nullable=True)
    uploaded_by: int = ref("app_user.id")
    uploaded_at: datetime = moment()
    voided_by: int | None = ref("app_user.id", nullable=True)
    voided_at: datetime | None = moment(nullable=True)
    void_reason: str | None = None
