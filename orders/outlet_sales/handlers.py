"""What follows on decisions about held sales, and who hears of them."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.counting.rules import HoldStatus, Subject
from orders.outlet_sales.actions import deciding, receiving, taking, trying
from orders.outlet_sales.rules import BatchStatus
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.notifications.actions import notify

#: With what of it counts, and what is held or waits, as the batch shows it; of one that only takes another back what counts of that.
_BATCH = text(
    f"""
    SELECT w.id, w.batch_id, w.status, o.number, o.operator_id, l.certified, l.undecided,
           CASE WHEN w.line_count = 0 THEN w.corrects END AS takes_back,
           coalesce((SELECT ({taking.COUNTS}) FROM sales_batch b WHERE b.outlet_id = w.outlet_id AND b.batch_id = w.corrects), 0) AS stays
    FROM sales_batch w JOIN outlet o ON o.id = w.outlet_id CROSS JOIN LATERAL (
        SELECT coalesce(sum(fen) FILTER (WHERE status = 'counted'), 0)::bigint AS certified,
               coalesce(sum(fen) FILTER (WHERE status IN ('held', 'waiting')), 0)::bigint AS undecided
        FROM (SELECT status, CASE WHEN refunds_line_id IS NULL THEN amount_fen ELSE -amount_fen END AS fen
              FROM sales_batch_line WHERE batch_id = w.id) signed
    ) l WHERE w.id = :id
    """  # noqa: S608
)

_HOLD = text("SELECT id, subject_kind, subject_id, status, amount_fen, decided_by, decision FROM counting_hold WHERE id = :id")
#: The batch that a doubt is about, or of which a line is.
_BATCH_OF = {
    Subject.SALES_BATCH: text("SELECT id FROM sales_batch WHERE id = :id"),
    Subject.SALES_BATCH_LINE: text("SELECT batch_id FROM sales_batch_line WHERE id = :id"),
}


def _held(session: Session, payload: dict[str, Any]) -> None:
    """The operator hears that something of a batch is held, or that it is not taken back yet."""
    batch = session.execute(_BATCH, {"id": payload["batch_id"]}).one()
    if batch.takes_back:
        _tell(session, "sales_batch.take_back_held", batch, batch.id, amount=yuan_from_fen(batch.stays))
    else:
        _tell(session, "sales_batch.held", batch, batch.id)


def _decided(session: Session, payload: dict[str, Any]) -> None:
    """What was held needs no decision any more, and is done as if somebody had decided so. What an officer decided is done by then: the operator hears
    of it."""
    deciding.decided(session, [payload["hold_id"]])
    hold = session.execute(_HOLD, {"id": payload["hold_id"]}).one()
    if hold.decided_by is not None and hold.subject_kind in _BATCH_OF:
        batch_id = session.execute(_BATCH_OF[hold.subject_kind], {"id": hold.subject_id}).scalar_one()
        batch = session.execute(_BATCH, {"id": batch_id}).one()
        if not batch.takes_back:
            _tell(session, f"sales_batch.{hold.status}", batch, hold.id, reason=hold.decision)
        elif hold.status == HoldStatus.VOID:
            _tell(session, "sales_batch.take_back_refused", batch, hold.id, amount=yuan_from_fen(batch.stays), reason=hold.decision)
        elif batch.status == BatchStatus.ACCEPTED:  # no other doubt is open
            _tell(session, "sales_batch.taken_back", batch, hold.id, amount=yuan_from_fen(hold.amount_fen), reason=hold.decision)


def _open(session: Session, payload: dict[str, Any]) -> None:
    """More of a long chain is taken; of a revoked device what waits for what will not come is held."""
    receiving.continue_chain(session, payload["device_id"])


def _tell(session: Session, kind: str, batch: Row[Any], origin: int, **more: Any) -> None:
    notify(
        session,
        origin=f"{kind}:{origin}",
        kind=kind,
        subject_type="sales_batch",
        subject_id=batch.id,
        organisation_id=batch.operator_id,
        number=batch.number,
        batch=batch.batch_id,
        certified=yuan_from_fen(batch.certified),
        undecided=yuan_from_fen(batch.undecided),
        takes_back=batch.takes_back,
        **more,
    )


def _read_file(session: Session, payload: dict[str, Any]) -> None:
    trying.read(session, payload["trial_id"])


def _try_file(session: Session, payload: dict[str, Any]) -> None:
    trying.attempt(session, payload["trial_id"])


HANDLERS: dict[str, Handler] = {
    "counting_hold.decided": _decided,
    "outlet_device.revoked": _open,
    "sales_batch.held": _held,
    "sales_chain.open": _open,
    "sales_trial.asked": _read_file,
    "sales_trial.read": _try_file,
}
