"""Who hears of tax invoices: both sides, of whatever becomes of them."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.tax_invoices.states import TaxInvoiceStatus
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.notifications.actions import notify

_TAX_INVOICE = text("SELECT id, number, gross_fen, seller_id, buyer_id, decision FROM tax_invoice WHERE id = :id")
#: What the seller did itself, only the buyer hears of.
_BY_SELLER = frozenset({TaxInvoiceStatus.REGISTERED, TaxInvoiceStatus.VOID})


def _moved(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_TAX_INVOICE, {"id": payload["tax_invoice_id"]}).one()
    status = payload["status"]
    for organisation_id in [row.buyer_id, *([] if status in _BY_SELLER else [row.seller_id])]:
        notify(
            session,
            origin=f"tax_invoice.{status}:{row.id}:{payload['version']}:{organisation_id}",
            kind=f"tax_invoice.{status}",
            subject_type="tax_invoice",
            subject_id=row.id,
            organisation_id=organisation_id,
            number=row.number,
            amount=yuan_from_fen(row.gross_fen),
            reason=row.decision,
        )


HANDLERS: dict[str, Handler] = {"tax_invoice.moved": _moved}
