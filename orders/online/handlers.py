"""What follows from releases elsewhere, and who hears of online payments."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.online.actions import refunding
from orders.online.states import DisputeStatus, OnlineStatus, TransferStatus
from orders.refunds.states import RefundStatus
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.identity.actor import CITY
from shop.notifications.actions import notify

_PAYMENT = text(
    """
    SELECT o.*, po.buyer_id, po.number, buyer.region_code FROM online_payment o JOIN purchase_order po ON po.id = o.purchase_order_id
    JOIN organisation buyer ON buyer.id = po.buyer_id WHERE o.id = :id
    """
)
_DISPUTE = text(
    """
    SELECT d.*, po.buyer_id, po.number FROM charge_dispute d JOIN online_payment o ON o.id = d.online_payment_id
    JOIN purchase_order po ON po.id = o.purchase_order_id WHERE d.id = :id
    """
)
_ACCOUNT = text("SELECT * FROM connected_account WHERE id = :id")
_ENTRY = text("SELECT * FROM provider_entry WHERE id = :id")
_TRANSFER = text(
    "SELECT t.*, supplier.name FROM online_transfer t JOIN organisation supplier ON supplier.id = t.supplier_id WHERE t.id = :id"
)


def _refund_moved(session: Session, payload: dict[str, Any]) -> None:
    """A released refund of an online payment is asked for at the provider."""
    if payload["status"] == RefundStatus.APPROVED:
        refunding.start(session, payload["refund_id"])


def _payment_moved(session: Session, payload: dict[str, Any]) -> None:
    """The buyer hears how its payment ended; what it stopped itself it knows."""
    if payload["status"] == OnlineStatus.CANCELLED:
        return
    row = session.execute(_PAYMENT, {"id": payload["online_payment_id"]}).one()
    kind = f"online_payment.{payload['status']}"
    came = row.received_fen if payload["status"] == OnlineStatus.SUCCEEDED else row.amount_fen
    notify(
        session,
        origin=f"{kind}:{row.id}",
        kind=kind,
        subject_type="online_payment",
        subject_id=row.id,
        organisation_id=row.buyer_id,
        order=row.number,
        amount=yuan_from_fen(came),
    )


def _dispute_moved(session: Session, payload: dict[str, Any]) -> None:
    """Finance hears of every step; the buyer when its order is owed again."""
    row = session.execute(_DISPUTE, {"id": payload["charge_dispute_id"]}).one()
    kind = f"charge_dispute.{payload['status']}"
    told = {"order": row.number, "amount": yuan_from_fen(row.amount_fen)}
    _tell_finance(session, kind, "charge_dispute", row.id, **told)
    if payload["status"] == DisputeStatus.LOST:
        notify(
            session,
            origin=f"{kind}:{row.id}:buyer",
            kind=kind,
            subject_type="charge_dispute",
            subject_id=row.id,
            organisation_id=row.buyer_id,
            **told,
        )


def _account_moved(session: Session, payload: dict[str, Any]) -> None:
    """The supplier hears whether it can be paid by its account at the provider."""
    row = session.execute(_ACCOUNT, {"id": payload["connected_account_id"]}).one()
    kind = "connected_account.enabled" if payload["enabled"] else "connected_account.disabled"
    notify(
        session,
        origin=f"{kind}:{row.id}:{payload['at']}",
        kind=kind,
        subject_type="connected_account",
        subject_id=row.id,
        organisation_id=row.supplier_id,
    )


def _unexplained(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_ENTRY, {"id": payload["provider_entry_id"]}).one()
    amount = yuan_from_fen(row.amount_fen)
    _tell_finance(session, "provider_entry.unexplained", "provider_entry", row.id, source=row.source_id or row.type, amount=amount)


def _transfer_moved(session: Session, payload: dict[str, Any]) -> None:
    """Finance hears of what did not reach a supplier, and of what did though nobody here released it."""
    if payload["status"] == TransferStatus.PAID:
        return
    row = session.execute(_TRANSFER, {"id": payload["online_transfer_id"]}).one()
    kind = f"online_transfer.{payload['status']}"
    _tell_finance(session, kind, "online_transfer", row.id, supplier=row.name, amount=yuan_from_fen(row.amount_fen))


def _tell_finance(session: Session, kind: str, subject_type: str, subject_id: int, **told: Any) -> None:
    notify(
        session,
        origin=f"{kind}:{subject_id}",
        kind=kind,
        subject_type=subject_type,
        subject_id=subject_id,
        region_code=CITY,
        **told,
    )


HANDLERS: dict[str, Handler] = {
    "charge_dispute.moved": _dispute_moved,
    "connected_account.moved": _account_moved,
    "online_payment.moved": _payment_moved,
    "online_transfer.moved": _transfer_moved,
    "provider_entry.unexplained": _unexplained,
    "refund.moved": _refund_moved,
}
