"""Who hears of invoices and credit notes."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.notifications.actions import notify

_INVOICE = text(
    "SELECT i.id, i.number, i.gross_fen, i.credited_fen, i.seller_id, i.buyer_id, i.ordering_unit_id, po.number AS order_number"
    " FROM invoice i JOIN purchase_order po ON po.id = i.purchase_order_id WHERE i.id = :id"
)
_CREDIT_NOTE = text(
    "SELECT c.id, c.number, c.gross_fen, c.issued_by, c.seller_id, c.buyer_id, c.ordering_unit_id, i.number AS invoice_number"
    " FROM credit_note c JOIN invoice i ON i.id = c.invoice_id WHERE c.id = :id"
)


def _buyers(row: Row[Any]) -> list[int]:
    """The buyer, and the unit that ordered in its place."""
    return sorted({row.buyer_id, row.ordering_unit_id})


def _sent(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_INVOICE, {"id": payload["invoice_id"]}).one()
    for organisation_id in _buyers(row):
        notify(
            session,
            origin=f"invoice.sent:{row.id}:{organisation_id}",
            kind="invoice.sent",
            subject_type="invoice",
            subject_id=row.id,
            organisation_id=organisation_id,
            number=row.number,
            order=row.order_number,
            amount=yuan_from_fen(row.gross_fen),
        )


def _credit_due(session: Session, payload: dict[str, Any]) -> None:
    """The seller has a credit note to write."""
    row = session.execute(_INVOICE, {"id": payload["invoice_id"]}).one()
    notify(
        session,
        origin=f"invoice.credit_due:{row.id}:{row.credited_fen}:{payload['due_fen']}",
        kind="invoice.credit_due",
        subject_type="invoice",
        subject_id=row.id,
        organisation_id=row.seller_id,
        number=row.number,
        amount=yuan_from_fen(payload["due_fen"]),
    )


def _credited(session: Session, payload: dict[str, Any]) -> None:
    """The buyer hears of it; and the seller, if the programme's rule wrote it."""
    row = session.execute(_CREDIT_NOTE, {"id": payload["credit_note_id"]}).one()
    for organisation_id in [*_buyers(row), *([] if row.issued_by else [row.seller_id])]:
        notify(
            session,
            origin=f"credit_note.issued:{row.id}:{organisation_id}",
            kind="credit_note.issued",
            subject_type="credit_note",
            subject_id=row.id,
            organisation_id=organisation_id,
            number=row.number,
            invoice=row.invoice_number,
            amount=yuan_from_fen(row.gross_fen),
        )


HANDLERS: dict[str, Handler] = {
    "credit_note.issued": _credited,
    "invoice.credit_due": _credit_due,
    "invoice.sent": _sent,
}
