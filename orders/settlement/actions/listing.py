"""Lists of payouts for the bank: made of what is released, handed over, or made void by another person where one never was."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money.queries.shown import is_sum_left, lines_of
from orders.settlement.actions.paying import lock, pass_over
from orders.settlement.errors import ListExecuted, NothingLeft, NothingToSend, SamePerson
from orders.settlement.models import PayoutFile
from orders.settlement.queries.left import transfers_of
from orders.settlement.states import PAYOUT, PAYOUT_FILE, PayoutFileMove, PayoutFileStatus, PayoutMove, PayoutStatus
from shop.core import audit, clock, numbers, outbox
from shop.core.audit import Who
from shop.core.db import array
from shop.core.errors import NotFound
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_TO_SEND = text(
    """
    SELECT p.id, p.amount_fen, s.number AS settlement_number, a.passed_line_id
    FROM payout p JOIN organisation o ON o.id = p.supplier_id JOIN settlement s ON s.id = p.settlement_id
    JOIN payout_attempt a ON a.payout_id = p.id AND a.outcome IS NULL
    WHERE p.status = 'released' AND p.method = 'bank' AND o.region_code LIKE ANY (CAST(:regions AS text[]))
    ORDER BY s.id, p.id FOR UPDATE OF s, p
    """
)
_SEND = text(
    """
    WITH sent AS (
        UPDATE payout SET status = 'sent', reference = :number, version = version + 1 WHERE id = ANY (CAST(:ids AS bigint[])) RETURNING id
    ), listed AS (
        UPDATE payout_attempt a SET sent_at = :now, reference = :number FROM sent WHERE a.payout_id = sent.id AND a.outcome IS NULL RETURNING a.id
    )
    INSERT INTO payout_file_line (payout_file_id, attempt_id) SELECT :file_id, id FROM listed ORDER BY id
    """
)
_LOCK = text("SELECT * FROM payout_file WHERE id = :id FOR UPDATE")
_ON_LIST = text(
    """
    SELECT p.id, p.status, a.id AS attempt_id, a.outcome, a.passed_line_id, s.number AS settlement_number, o.region_code
    FROM payout_file_line l JOIN payout_attempt a ON a.id = l.attempt_id JOIN payout p ON p.id = a.payout_id
    JOIN settlement s ON s.id = p.settlement_id JOIN organisation o ON o.id = p.supplier_id WHERE l.payout_file_id = :id ORDER BY a.id
    """
)
_HAND_OVER = text(
    "UPDATE payout_file SET status = :status, sent_by = :user_id, sent_at = :now, reference = :reference WHERE id = :id"
)
_RECALL = text(
    """
    WITH back AS (
        UPDATE payout SET status = 'released', reference = NULL, version = version + 1 WHERE id = ANY (CAST(:ids AS bigint[])) RETURNING id
    ), taken AS (
        UPDATE payout_attempt a SET sent_at = NULL, reference = NULL FROM back WHERE a.payout_id = back.id AND a.outcome IS NULL
    ), off AS (
        UPDATE payout_file_line SET void = true WHERE payout_file_id = :file_id
    )
    UPDATE payout_file SET status = :status, voided_by = :user_id, voided_at = :now, void_reason = :reason WHERE id = :file_id
    """
)


def make(session: Session, actor: Actor, despite: str | None = None) -> int:
    """Put every released payout by bank on a list for the bank; returns the list's id. Each is on one list at most. ``despite``: why it goes on it
    although a line of the bank that came since its release shows that an earlier one may have left, or it itself by a list that is void.

    Raises:
        NothingToSend: there is none (409). LeftBefore: of one of them there is such a line (409).
    """
    regions = actor.region_patterns(Permission.MONEY_MANAGE)
    found = session.execute(_TO_SEND, {"regions": regions}).all()
    if not found:
        raise NothingToSend
    passed = pass_over(session, {row.id: row for row in found}, despite)
    now = clock.now()
    year = clock.shanghai_date(now).year
    number = f"FK{year}-{numbers.next_number(session, f'payout_file:{year}'):06}"
    total = sum(row.amount_fen for row in found)
    made = PayoutFile(number=number, payout_count=len(found), amount_fen=total, made_by=actor.user_id or 0, made_at=now)
    session.add(made)
    session.flush()
    ids = [row.id for row in found]
    session.execute(_SEND, {"ids": array(ids), "number": number, "file_id": made.id, "now": now})
    audit.record(
        session,
        actor,
        "payout_file.made",
        "payout_file",
        made.id,
        reason=despite if passed else None,
        payouts=ids,
        amount_fen=total,
    )
    return made.id


def send(session: Session, actor: Actor, file_id: int, reference: str, despite: str | None = None) -> None:
    """Say that a list was handed to the bank, with the bank's number of it. From now on it may be said of each payout on it what became of it.
    ``despite``: as when it is made, of lines that came since the releases.

    Raises:
        NotFound: there is none, or the caller does not keep the money of every supplier on it (404). IllegalMove: it was sent, or is void (409).
        NothingLeft: everything on it has failed (409). LeftBefore: of one of them there is such a line (409).
    """
    row, listed = _locked(session, actor, file_id)
    status = PAYOUT_FILE.after(row.status, PayoutFileMove.SEND)
    if all(each.outcome == "failed" for each in listed):
        raise NothingLeft
    passed = pass_over(session, {each.id: each for each in listed if each.outcome is None}, despite)
    values = {"id": file_id, "status": status, "user_id": actor.user_id, "now": clock.now(), "reference": reference}
    session.execute(_HAND_OVER, values)
    reason = despite if passed else None
    audit.record(session, actor, "payout_file.sent", "payout_file", file_id, reason=reason, reference=reference)


def shown(session: Session, who: Who, file_id: int, reference: str) -> None:
    """A line of the bank shows a list as a whole: it was handed over, though nobody said so, nor who did it when. The caller has it locked."""
    row = session.execute(_LOCK, {"id": file_id}).one()
    if row.status != PayoutFileStatus.MADE:
        return
    status = PAYOUT_FILE.after(row.status, PayoutFileMove.SEND)
    session.execute(_HAND_OVER, {"id": file_id, "status": status, "user_id": None, "now": None, "reference": reference})
    audit.record(session, who, "payout_file.sent", "payout_file", file_id, reference=reference)


def void(session: Session, actor: Actor, file_id: int, reason: str) -> None:
    """Say that a list was never handed to the bank: its payouts are released as before and go on the next one. The list stays on record.

    Raises:
        NotFound: there is none, or the caller does not keep the money of every supplier on it (404). IllegalMove: it was sent, or is void (409).
        SamePerson: the caller made it (403). ListExecuted: the bank, or somebody who heard it of the bank, shows a payment of it (409).
    """
    row, listed = _locked(session, actor, file_id)
    status = PAYOUT_FILE.after(row.status, PayoutFileMove.VOID)
    if row.made_by == actor.user_id:
        raise SamePerson
    shown = lines_of(session, transfers_of(session, [each.attempt_id for each in listed]))
    if (
        any(each.outcome or each.status != PayoutStatus.SENT for each in listed)
        or any(line is not None for line in shown)
        or is_sum_left(session, row.amount_fen, clock.shanghai_date(row.made_at))
    ):
        raise ListExecuted
    ids = [each.id for each in listed]
    values = {
        "ids": array(ids),
        "file_id": file_id,
        "status": status,
        "user_id": actor.user_id,
        "now": clock.now(),
        "reason": reason,
    }
    session.execute(_RECALL, values)
    audit.record(session, actor, "payout_file.void", "payout_file", file_id, reason=reason, payouts=ids)
    moves = {"from_status": str(PayoutStatus.SENT), "to_status": str(PAYOUT.after(PayoutStatus.SENT, PayoutMove.RECALL))}
    audit.record_each(session, actor, "payout.recall", "payout", [(each, moves) for each in ids])
    outbox.publish(session, "payout_file.voided", payout_file_id=file_id)


def _locked(session: Session, actor: Actor, file_id: int) -> tuple[Any, list[Any]]:
    """A list with its payouts, all locked. Raises NotFound."""
    row = session.execute(_LOCK, {"id": file_id}).first()
    if row is None:
        raise NotFound
    # first the locks, then what is there after waiting for them
    lock(session, [each.id for each in _on_list(session, file_id)])
    listed = _on_list(session, file_id)
    if not all(actor.covers_region(Permission.MONEY_MANAGE, each.region_code) for each in listed):
        raise NotFound
    return row, listed


def _on_list(session: Session, file_id: int) -> list[Any]:
    return list(session.execute(_ON_LIST, {"id": file_id}))
