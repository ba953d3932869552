"""What follows from releases elsewhere, and who hears of online payments."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.online.actions import connecting, refunding
from orders.online.actions.paying import stop_if_nothing_due
from orders.online.errors import AlreadyTransferred, NoAccount
from orders.online.states import DisputeStatus, OnlineStatus, TransferStatus
from orders.refunds.states import RefundStatus
from orders.settlement.actions import losing, paying
from orders.settlement.states import PayoutStatus
from shop.core import clock
from shop.core.audit import SYSTEM
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.identity.actor import CITY
from shop.notifications.actions import notify

#: For so long a call may be without an outcome before finance hears of it; most are settled within two minutes.
STUCK_AFTER = timedelta(hours=1)

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
_REFUSED_ACCOUNT = text(
    "SELECT a.id, a.supplier_id, c.last_error FROM connected_account a JOIN provider_call c ON c.operation = 'account' AND c.subject_id = a.id"
    " WHERE a.id = :id AND c.status = 'refused' ORDER BY c.id DESC LIMIT 1"
)
_ENTRY = text("SELECT * FROM provider_entry WHERE id = :id")
_TRANSFER = text(
    "SELECT t.*, supplier.name FROM online_transfer t JOIN organisation supplier ON supplier.id = t.supplier_id WHERE t.id = :id"
)


#: The release of a payout that stands, if the provider carries it out.
_RELEASE = text(
    "SELECT released_at FROM payout_attempt WHERE payout_id = :id AND method = 'stripe' AND outcome IS DISTINCT FROM 'failed'"
)


_STUCK = text(
    """
    SELECT count(*) AS calls, min(id) AS id, min(created_at) AS oldest
    FROM provider_call WHERE status = 'parked' OR (status IN ('due', 'sending', 'unknown') AND created_at < :before)
    """
)


def remind(session: Session) -> int:
    """Tell finance, once a day, of what the provider was asked and nobody knows the outcome of; returns how many there are."""
    now = clock.now()
    stuck = session.execute(_STUCK, {"before": now - STUCK_AFTER}).one()
    if stuck.calls:
        hours = int((now - stuck.oldest).total_seconds() // 3600)
        kind = "provider_call.stuck"
        notify(
            session,
            origin=f"{kind}:{clock.shanghai_date(now)}",
            kind=kind,
            subject_type="provider_call",
            subject_id=stuck.id,
            region_code=CITY,
            count=stuck.calls,
            hours=hours,
        )
    return int(stuck.calls)


def _refund_moved(session: Session, payload: dict[str, Any]) -> None:
    """A released refund of an online payment is asked for at the provider."""
    if payload["status"] == RefundStatus.APPROVED:
        refunding.start(session, payload["refund_id"])


_ORDER_OF_PART = text("SELECT purchase_order_id FROM supplier_order WHERE id = :id")
_ORDER_OF_PAYMENT = text("SELECT purchase_order_id FROM payment WHERE id = :id")


def _order_changed(session: Session, payload: dict[str, Any]) -> None:
    """An order that owes nothing any more is not to be paid: it was cancelled, costs less, or a credit counts for it."""
    stop_if_nothing_due(session, payload["purchase_order_id"])


def _part_rejected(session: Session, payload: dict[str, Any]) -> None:
    stop_if_nothing_due(session, session.execute(_ORDER_OF_PART, {"id": payload["supplier_order_id"]}).scalar_one())


def _paid(session: Session, payload: dict[str, Any]) -> None:
    stop_if_nothing_due(session, session.execute(_ORDER_OF_PAYMENT, {"id": payload["payment_id"]}).scalar_one())


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
    """Finance hears of every step; the buyer when its order is owed again. Who bears the loss, or gets it back, is settled then."""
    if payload["status"] == DisputeStatus.LOST:
        losing.bear(session, payload["charge_dispute_id"])
    elif payload["status"] == DisputeStatus.WON:
        losing.reinstate(session, payload["charge_dispute_id"])
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


def _account_refused(session: Session, payload: dict[str, Any]) -> None:
    """The supplier hears why the provider opened no account for it."""
    row = session.execute(_REFUSED_ACCOUNT, {"id": payload["connected_account_id"]}).one()
    notify(
        session,
        origin=f"connected_account.refused:{row.id}:{payload['at']}",
        kind="connected_account.refused",
        subject_type="connected_account",
        subject_id=row.id,
        organisation_id=row.supplier_id,
        reason=row.last_error,
    )


def _unexplained(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_ENTRY, {"id": payload["provider_entry_id"]}).one()
    amount = yuan_from_fen(row.amount_fen)
    _tell_finance(session, "provider_entry.unexplained", "provider_entry", row.id, source=row.source_id or row.type, amount=amount)


def _payout_released(session: Session, payload: dict[str, Any]) -> None:
    """A payout by the provider is transferred to the supplier's account there; without one it fails, and can go by the bank."""
    if payload["method"] != "stripe":
        return
    released_at = datetime.fromisoformat(payload["released_at"])
    try:
        connecting.transfer(session, payload["payout_id"], payload["supplier_id"], payload["amount_fen"], released_at)
    except (NoAccount, AlreadyTransferred) as error:
        if _payout_status(session, payload["payout_id"]) == PayoutStatus.RELEASED:
            paying.failed(session, SYSTEM, payload["payout_id"], error.zh)


def _settle_payout(session: Session, row: Any, status: str) -> str:
    """The payout ends as its transfer did, if that is of the release that stands; told twice, or too late, it stays as it is. Returns what finance is
    to hear: a transfer that reached the supplier after its release had failed is in advance."""
    before = _payout_status(session, row.payout_id)
    release = session.execute(_RELEASE, {"id": row.payout_id}).first() if before else None
    if release is None or connecting.reference_of(row.payout_id, release.released_at) != row.reference:
        if (
            before is None
            or (status, row.status) != (TransferStatus.PAID, TransferStatus.PAID)
            or connecting.is_ahead(session, row.id)
        ):
            return status
        connecting.count_ahead(session, row.id, row.supplier_id, row.amount_fen)
        return "found"
    on_its_way = before in (PayoutStatus.RELEASED, PayoutStatus.SENT)
    if status == TransferStatus.FAILED and on_its_way:
        paying.failed(session, SYSTEM, row.payout_id, row.error_text or status)
    if status == TransferStatus.REVERSED and (on_its_way or before == PayoutStatus.PAID):
        paying.failed(session, SYSTEM, row.payout_id, "支付服务商已撤回转账")
    if status == TransferStatus.PAID and on_its_way:
        paying.paid(session, SYSTEM, row.payout_id, row.transfer_id)
    if status == TransferStatus.PAID and row.reversed_fen and (on_its_way or before == PayoutStatus.PAID):
        paying.returned(session, SYSTEM, row.payout_id, row.reversed_fen)
    return status


def _payout_status(session: Session, payout_id: int | None) -> str | None:
    if payout_id is None:
        return None
    paying.lock(session, [payout_id])
    found: str | None = session.execute(text("SELECT status FROM payout WHERE id = :id"), {"id": payout_id}).scalar()
    return found


def _transfer_moved(session: Session, payload: dict[str, Any]) -> None:
    """Finance hears of what did not reach a supplier, and of what did though nobody here released it."""
    row = session.execute(_TRANSFER, {"id": payload["online_transfer_id"]}).one()
    status = _settle_payout(session, row, payload["status"])
    if status == TransferStatus.PAID and not row.reversed_fen:
        return
    status = TransferStatus.REVERSED if row.reversed_fen else status
    amount = row.reversed_fen or row.amount_fen
    kind = f"online_transfer.{status}"
    origin = f"{kind}:{row.id}:{amount}"
    _tell_finance(session, kind, "online_transfer", row.id, origin=origin, supplier=row.name, amount=yuan_from_fen(amount))


def _tell_finance(
    session: Session, kind: str, subject_type: str, subject_id: int, *, origin: str | None = None, **told: Any
) -> None:
    notify(
        session,
        origin=origin or f"{kind}:{subject_id}",
        kind=kind,
        subject_type=subject_type,
        subject_id=subject_id,
        region_code=CITY,
        **told,
    )


HANDLERS: dict[str, Handler] = {
    "charge_dispute.moved": _dispute_moved,
    "connected_account.moved": _account_moved,
    "connected_account.refused": _account_refused,
    "credit.moved": _order_changed,
    "online_payment.moved": _payment_moved,
    "online_transfer.moved": _transfer_moved,
    "payment.recorded": _paid,
    "payout.released": _payout_released,
    "provider_entry.unexplained": _unexplained,
    "purchase_order.amended": _order_changed,
    "purchase_order.cancelled": _order_changed,
    "refund.moved": _refund_moved,
    "supplier_order.rejected": _part_rejected,
}
