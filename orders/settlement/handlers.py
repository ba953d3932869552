"""Who hears of settlements, payouts, changed bank accounts and advances."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.settlement.actions import losing
from orders.settlement.states import AccountStatus, AdvanceStatus, PayoutStatus
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.identity.actor import CITY
from shop.identity.permissions import Permission
from shop.notifications.actions import notify, notify_persons, notify_second

_OF_RUN = text(
    "SELECT id, number, supplier_id, due_fen, period_end, objections_until FROM settlement WHERE run_id = :id ORDER BY id"
)
_SETTLEMENT = text(
    "SELECT s.id, s.number, s.supplier_id, s.objections_until, o.region_code FROM settlement s JOIN organisation o ON o.id = s.supplier_id WHERE s.id = :id"
)
_PAYOUT = text(
    """
    SELECT p.*, s.number, o.region_code, o.name AS supplier
    FROM payout p JOIN settlement s ON s.id = p.settlement_id JOIN organisation o ON o.id = p.supplier_id WHERE p.id = :id
    """
)
_LOSS = text(
    """
    SELECT l.id, l.amount_fen, l.supplier_order_id, so.supplier_id, po.number FROM loss_share l
    JOIN supplier_order so ON so.id = l.supplier_order_id JOIN purchase_order po ON po.id = so.purchase_order_id WHERE l.id = :id
    """
)
_ORDER_OF_PAYMENT = text("SELECT purchase_order_id FROM payment WHERE id = :id")
_ACCOUNT = text(
    "SELECT a.*, o.region_code, o.name AS supplier FROM payout_account a JOIN organisation o ON o.id = a.supplier_id WHERE a.id = :id"
)
_ADVANCE = text(
    "SELECT v.*, o.region_code, o.name AS supplier FROM advance v JOIN organisation o ON o.id = v.supplier_id WHERE v.id = :id"
)
_FILE = text("SELECT id, number, made_by, void_reason FROM payout_file WHERE id = :id")


def _made(session: Session, payload: dict[str, Any]) -> None:
    """Every supplier hears of its statement, and until when it may object."""
    for row in session.execute(_OF_RUN, {"id": payload["run_id"]}):
        notify(
            session,
            origin=f"settlement.made:{row.id}",
            kind="settlement.made",
            subject_type="settlement",
            subject_id=row.id,
            organisation_id=row.supplier_id,
            number=row.number,
            amount=yuan_from_fen(row.due_fen),
            period_end=str(row.period_end),
            until=str(row.objections_until),
        )


def _objected(session: Session, payload: dict[str, Any]) -> None:
    """The city's platform finance hears that a supplier waits for its answer."""
    row = session.execute(_SETTLEMENT, {"id": payload["settlement_id"]}).one()
    _tell_of(session, row, "settlement.objected", payload["version"], region_code=CITY)


def _answered(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_SETTLEMENT, {"id": payload["settlement_id"]}).one()
    until = str(row.objections_until)
    _tell_of(session, row, "settlement.answered", payload["version"], organisation_id=row.supplier_id, until=until)


def _tell_of(session: Session, row: Any, kind: str, version: int, **addressee: Any) -> None:
    notify(
        session,
        origin=f"{kind}:{row.id}:{version}",
        kind=kind,
        subject_type="settlement",
        subject_id=row.id,
        number=row.number,
        **addressee,
    )


def _released(session: Session, payload: dict[str, Any]) -> None:
    _tell_of_payout(session, payload, "payout.released")


def _ended(session: Session, payload: dict[str, Any]) -> None:
    """The supplier hears that it was paid, or that it was not and why that need not worry it; and who may, that it has to be approved again, or that
    it need not be as it had left after all."""
    _tell_of_payout(session, payload, f"payout.{payload['outcome']}")
    row = session.execute(_PAYOUT, {"id": payload["payout_id"]}).one()
    if row.status == PayoutStatus.FAILED:
        _payout_waits(session, row, "payout.failed_waiting")
    elif row.status == PayoutStatus.PAID and payload.get("reinstated"):
        _payout_waits(session, row, "payout.left_after_all")


def _approved(session: Session, payload: dict[str, Any]) -> None:
    """Whoever neither drafted nor approved a payout hears that it waits for its release."""
    row = session.execute(_PAYOUT, {"id": payload["payout_id"]}).one()
    if row.status == PayoutStatus.APPROVED:
        _payout_waits(session, row, "payout.waiting", row.drafted_by, row.approved_by)


def _payout_waits(session: Session, row: Any, kind: str, *but: int | None) -> None:
    _waits(session, row, kind, f"{row.id}:{row.version}", but=[*but], amount=yuan_from_fen(row.amount_fen))


def _waits(session: Session, row: Any, kind: str, origin: str, *, but: list[int | None], **data: Any) -> None:
    notify_second(
        session,
        Permission.MONEY_MANAGE,
        row.region_code,
        but=but,
        origin=f"{kind}:{origin}",
        kind=kind,
        subject_type=kind.partition(".")[0],
        subject_id=row.id,
        supplier=row.supplier,
        number=getattr(row, "number", None),
        **data,
    )


def _voided(session: Session, payload: dict[str, Any]) -> None:
    """Whoever made a list hears that another person made it void."""
    row = session.execute(_FILE, {"id": payload["payout_file_id"]}).one()
    notify_persons(
        session,
        [row.made_by],
        origin=f"payout_file.void:{row.id}",
        kind="payout_file.void",
        subject_type="payout_file",
        subject_id=row.id,
        number=row.number,
        reason=row.void_reason,
    )


def _tell_of_payout(session: Session, payload: dict[str, Any], kind: str) -> None:
    row = session.execute(_PAYOUT, {"id": payload["payout_id"]}).one()
    # one release may be paid, fail, and be paid after all; events from before that was told say no version
    version = f":{payload['version']}" if "version" in payload else ""
    notify(
        session,
        origin=f"{kind}:{payload['attempt_id']}{version}",
        kind=kind,
        subject_type="payout",
        subject_id=row.id,
        organisation_id=row.supplier_id,
        number=row.number,
        amount=yuan_from_fen(row.amount_fen),
    )


def _account_moved(session: Session, payload: dict[str, Any]) -> None:
    """Everybody at the supplier hears of a change of its account, so that one that nobody there made is seen in time; and who may approve it."""
    row = session.execute(_ACCOUNT, {"id": payload["account_id"]}).one()
    notify(
        session,
        origin=f"payout_account.{payload['status']}:{row.id}",
        kind=f"payout_account.{payload['status']}",
        subject_type="payout_account",
        subject_id=row.id,
        organisation_id=row.supplier_id,
        tail=row.tail,
        usable_from=str(row.usable_from) if row.usable_from else None,
    )
    if row.status == payload["status"] == AccountStatus.REQUESTED:
        _waits(session, row, "payout_account.waiting", str(row.id), but=[row.requested_by], tail=row.tail)


def _advance_requested(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_ADVANCE, {"id": payload["advance_id"]}).one()
    if row.status == AdvanceStatus.REQUESTED:
        _waits(session, row, "advance.waiting", str(row.id), but=[row.requested_by], amount=yuan_from_fen(row.amount_fen))


def _advance_return_reported(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_ADVANCE, {"id": payload["advance_id"]}).one()
    if row.status == AdvanceStatus.RETURNING and row.version == payload["version"]:
        amount = yuan_from_fen(row.return_fen)
        _waits(session, row, "advance.return_waiting", f"{row.id}:{row.version}", but=[row.return_asked_by], amount=amount)


def _advance_paid(session: Session, payload: dict[str, Any]) -> None:
    row = session.execute(_ADVANCE, {"id": payload["advance_id"]}).one()
    _tell_of_advance(session, row, "advance.paid", str(row.id), row.amount_fen)


def _advance_returned(session: Session, payload: dict[str, Any]) -> None:
    """Each time that something of it came back is told, with what came back then. Events from before there were parts say neither."""
    row = session.execute(_ADVANCE, {"id": payload["advance_id"]}).one()
    cause = f"{row.id}:{payload['turn']}" if "turn" in payload else str(row.id)
    _tell_of_advance(session, row, "advance.returned", cause, payload.get("amount_fen", row.returned_fen))


def _tell_of_advance(session: Session, row: Any, kind: str, cause: str, amount_fen: int) -> None:
    notify(
        session,
        origin=f"{kind}:{cause}",
        kind=kind,
        subject_type="advance",
        subject_id=row.id,
        organisation_id=row.supplier_id,
        number=row.number,
        amount=yuan_from_fen(amount_fen),
    )


def _loss_booked(session: Session, payload: dict[str, Any]) -> None:
    """The supplier hears what it bears of a payment that was lost, and what it gets back."""
    row = session.execute(_LOSS, {"id": payload["loss_share_id"]}).one()
    kind = "loss_share.borne" if row.amount_fen > 0 else "loss_share.returned"
    notify(
        session,
        origin=f"{kind}:{row.id}",
        kind=kind,
        subject_type="supplier_order",
        subject_id=row.supplier_order_id,
        organisation_id=row.supplier_id,
        number=row.number,
        amount=yuan_from_fen(abs(row.amount_fen)),
    )


def _paid(session: Session, payload: dict[str, Any]) -> None:
    """What suppliers bear of the order is theirs again as far as it is paid."""
    losing.give_back(session, session.execute(_ORDER_OF_PAYMENT, {"id": payload["payment_id"]}).scalar_one())


def _credit_moved(session: Session, payload: dict[str, Any]) -> None:
    losing.give_back(session, payload["purchase_order_id"])


HANDLERS: dict[str, Handler] = {
    "credit.moved": _credit_moved,
    "loss_share.booked": _loss_booked,
    "payment.arrived": _paid,
    "payment.recorded": _paid,
    "settlement_run.made": _made,
    "settlement.objected": _objected,
    "settlement.answered": _answered,
    "payout.approved": _approved,
    "payout.released": _released,
    "payout.ended": _ended,
    "payout_account.moved": _account_moved,
    "payout_file.voided": _voided,
    "advance.requested": _advance_requested,
    "advance.paid": _advance_paid,
    "advance.return_reported": _advance_return_reported,
    "advance.returned": _advance_returned,
}
