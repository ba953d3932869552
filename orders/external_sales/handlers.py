"""Who hears of claims, and documents of orders that claims may rest on."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.counting import actions as counting
from orders.counting.actions import Use
from orders.counting.rules import DocumentKind, Subject
from orders.external_sales.actions import judging
from orders.external_sales.states import SaleMove
from orders.statistics import actions as statistics
from orders.tax_invoices.states import LIVE
from shop.core import clock
from shop.core.audit import SYSTEM
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.notifications.actions import notify

_SALE = text("SELECT id, number, side, claimant_id, district_code, total_fen, reason FROM external_sale WHERE id = :id")
_HOLD = text("SELECT id, reason_code, district_code, amount_fen, status, decided_by, decision FROM counting_hold WHERE id = :id")
_INVOICE = text(
    """
    SELECT t.status, t.red, t.code, t.number, t.gross_fen, array_agg(DISTINCT so.purchase_order_id) AS orders
    FROM tax_invoice t JOIN tax_invoice_cover c ON c.tax_invoice_id = t.id JOIN supplier_order so ON so.id = c.supplier_order_id
    WHERE t.id = :id GROUP BY t.id
    """
)
_SHIPMENT = text(
    """
    SELECT s.carrier, s.waybill, so.purchase_order_id FROM shipment s JOIN supplier_order so ON so.id = s.supplier_order_id
    WHERE s.id = :id AND s.waybill IS NOT NULL
    """
)
_FREE_INVOICE = text(
    """
    UPDATE document_use SET released_at = :now WHERE kind = 'invoice' AND number = :number AND subject_kind = 'purchase_order'
      AND subject_id = ANY (CAST(:orders AS bigint[])) AND released_at IS NULL
    """
)
#: Moves of which the district's officers hear, as they have to act; of all others whoever claimed.
_FOR_OFFICERS = frozenset({SaleMove.SUBMIT, SaleMove.RELEASE})
_SILENT = frozenset({SaleMove.EDIT, SaleMove.WITHDRAW})


def _moved(session: Session, payload: dict[str, Any]) -> None:
    """Whoever has to act next hears of it; what counts, or does not any more, goes into the figures."""
    move = payload["move"]
    if move in _SILENT:
        return
    row = session.execute(_SALE, {"id": payload["sale_id"]}).one()
    officers = move in _FOR_OFFICERS
    notify(
        session,
        origin=f"external_sale.{move}:{row.id}:{payload['at']}",
        kind=f"external_sale.{move}",
        subject_type="external_sale",
        subject_id=row.id,
        organisation_id=None if officers else row.claimant_id,
        region_code=row.district_code if officers else None,
        number=row.number,
        amount=yuan_from_fen(row.total_fen),
        reason=row.reason,
    )
    statistics.refresh(session)


def _opened(session: Session, payload: dict[str, Any]) -> None:
    """The officers of the district have a doubt to decide."""
    row = session.execute(_HOLD, {"id": payload["hold_id"]}).one()
    notify(
        session,
        origin=f"counting_hold.opened:{row.id}",
        kind=f"counting_hold.{row.reason_code}",
        subject_type="counting_hold",
        subject_id=row.id,
        region_code=row.district_code,
        amount=yuan_from_fen(row.amount_fen),
    )


def _decided(session: Session, payload: dict[str, Any]) -> None:
    """The officers of the district hear what somebody decided about a doubt of theirs; whoever claimed hears what became of the claim."""
    row = session.execute(_HOLD, {"id": payload["hold_id"]}).one()
    if row.decided_by is None:
        return
    notify(
        session,
        origin=f"counting_hold.decided:{row.id}",
        kind=f"counting_hold.{row.status}",
        subject_type="counting_hold",
        subject_id=row.id,
        region_code=row.district_code,
        amount=yuan_from_fen(row.amount_fen),
        reason=row.decision,
    )


def _invoiced(session: Session, payload: dict[str, Any]) -> None:
    """An invoice of an order is a document of the order: a claim that rests on it is held."""
    row = session.execute(_INVOICE, {"id": payload["tax_invoice_id"]}).first()
    if row is None or row.red:
        return
    number = f"{row.code or ''}{row.number}"
    if row.status in LIVE:
        uses = [Use(order, DocumentKind.INVOICE, number, None, row.gross_fen) for order in row.orders]
        _used(session, uses)
        return
    counting.alone(session)
    beside = counting.claims_beside(session, row.orders)
    session.execute(_FREE_INVOICE, {"number": number, "orders": row.orders, "now": clock.now()})
    counting.relieve(session, beside, f"{number}: {row.status}")
    judging.settle(session, SYSTEM, beside)


def _sent(session: Session, payload: dict[str, Any]) -> None:
    """So is the waybill of its delivery."""
    row = session.execute(_SHIPMENT, {"id": payload["shipment_id"]}).first()
    if row is not None:
        _used(session, [Use(row.purchase_order_id, DocumentKind.WAYBILL, row.waybill, row.carrier)])


def _used(session: Session, uses: Sequence[Use]) -> None:
    counting.alone(session)
    counting.use(session, Subject.PURCHASE_ORDER, uses)
    judging.judge(session, counting.claims_beside(session, [each.subject_id for each in uses]))


HANDLERS: dict[str, Handler] = {
    "counting_hold.decided": _decided,
    "counting_hold.opened": _opened,
    "external_sale.moved": _moved,
    "shipment.corrected": _sent,
    "shipment.sent": _sent,
    "tax_invoice.moved": _invoiced,
}
