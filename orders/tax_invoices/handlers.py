"""Who hears of tax invoices: both sides of whatever becomes of them, and who decides of numbers that came twice."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.tax_invoices.states import TaxInvoiceStatus
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.identity.actor import CITY
from shop.notifications.actions import notify

_TAX_INVOICE = text("SELECT id, number, gross_fen, seller_id, buyer_id, ordering_unit_id, decision FROM tax_invoice WHERE id = :id")
#: Who decides: the city's platform finance, and that of the regions of either side, each of the last registration of the number that lies there.
_DECIDING = text(
    """
    SELECT CAST(:city AS text) AS region_code, CAST(:id AS bigint) AS id
    UNION ALL
    SELECT r.region_code, max(s.id) FROM tax_invoice t
    JOIN tax_invoice s ON s.number = t.number AND s.code IS NOT DISTINCT FROM t.code AND s.status IN ('registered', 'held', 'cleared')
    JOIN organisation o ON o.id IN (s.seller_id, s.buyer_id)
    JOIN user_role r ON r.role = 'platform_finance' AND starts_with(o.region_code, r.region_code)
    JOIN app_user u ON u.id = r.user_id AND u.active
    WHERE t.id = :id GROUP BY 1 ORDER BY 1
    """
)
#: What the seller did itself, only the buyer hears of.
_BY_SELLER = frozenset({TaxInvoiceStatus.REGISTERED, TaxInvoiceStatus.VOID})


def _moved(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_TAX_INVOICE, {"id": payload["tax_invoice_id"]}).one()
    status = payload["status"]
    buyers = sorted({row.buyer_id, row.ordering_unit_id})
    for organisation_id in [*buyers, *([] if status in _BY_SELLER else [row.seller_id])]:
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


def _repeated(session: Session, payload: dict[str, Any]) -> None:
    """A number came twice: who keeps the money of either side has to decide."""
    row = session.execute(_TAX_INVOICE, {"id": payload["tax_invoice_id"]}).one()
    for told in session.execute(_DECIDING, {"city": CITY, "id": row.id}).all():
        notify(
            session,
            origin=f"tax_invoice.to_decide:{row.id}:{told.region_code}",
            kind="tax_invoice.to_decide",
            subject_type="tax_invoice",
            subject_id=told.id,
            region_code=told.region_code,
            number=row.number,
            amount=yuan_from_fen(row.gross_fen),
        )


HANDLERS: dict[str, Handler] = {"tax_invoice.moved": _moved, "tax_invoice.repeated": _repeated}
