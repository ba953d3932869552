"""Files of released refunds for the online bank: each refund goes into one file only, however many people make one at once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.errors import NoSuchRefund, NothingToSend, OwnRefundFile, RefundFileExecuted, RefundTaken
from orders.banking.models import RefundFile
from orders.banking.schemas.payers import RefundFileIn
from orders.banking.states import REFUND_FILE, FileMove
from orders.money.queries.reach import require_keeper
from orders.money.queries.shown import is_sum_left, lines_of
from orders.payments import actions as payments
from orders.purchasing.queries.costs import CREDIT
from orders.refunds import actions as refunds
from orders.refunds.errors import MoneyGone
from orders.refunds.queries.left import left_before, transfers_of
from orders.refunds.states import RefundStatus
from shop.core import audit, clock, locks, numbers
from shop.core.db import array
from shop.core.errors import IfMatch, NotFound, any_version
from shop.core.money import yuan_from_fen
from shop.identity.actor import CITY, Actor
from shop.identity.permissions import Permission

#: Refunds in one file; online banks take about as many.
MOST = 1000
_TAKE = text(
    f"""
    SELECT * FROM (
        SELECT r.id, r.number, r.purchase_order_id, r.amount_fen, {CREDIT.format(order="r.purchase_order_id")} AS credit_fen,
               EXISTS (SELECT FROM refund_file_line l WHERE l.refund_id = r.id AND NOT l.void) AS taken
        FROM refund r WHERE r.method = 'bank_transfer' AND r.status = 'approved'
          AND (CAST(:ids AS bigint[]) IS NULL OR r.id = ANY (CAST(:ids AS bigint[])))
    ) r WHERE :named OR NOT taken AND credit_fen >= 0 ORDER BY id LIMIT :most
    """  # noqa: S608
)
_LINES = text(
    "INSERT INTO refund_file_line (refund_file_id, refund_id, line_no, void)"
    " SELECT :file_id, id, number, false FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS u (id, number)"
)
_LOCK = text("SELECT * FROM refund_file WHERE id = :id FOR UPDATE")
_IN_FILE = text(
    "SELECT r.id, r.purchase_order_id, r.status FROM refund_file_line l JOIN refund r ON r.id = l.refund_id WHERE l.refund_file_id = :id ORDER BY r.id"
)
_VOID_LINES = text("UPDATE refund_file_line SET void = true WHERE refund_file_id = :id")


def make(session: Session, actor: Actor, body: RefundFileIn) -> int:
    """Put released refunds into a file for the online bank; returns the file's id.

    Raises:
        Forbidden: the caller keeps the money of a district only (403). NothingToSend: there is none (409). RefundTaken: one of them is in another
        file (409). NoSuchRefund: one is not a released refund by bank transfer (404). MoneyGone: one that is named is not covered any more (409);
        LeftBefore: of one that is named a line, new since its release, shows that another of the order may have left (409); where none is named these
        are left out.
    """
    require_keeper(actor)
    take_turns(session)
    ids = sorted(set(body.refund_ids)) if body.refund_ids else None
    asked = {"ids": None if ids is None else array(ids), "named": ids is not None, "most": MOST}
    found = session.execute(_TAKE, asked).all()
    payments.locked(session, sorted({row.purchase_order_id for row in found}))
    # looked at again, now that nobody else takes back what was paid for their orders
    rows = session.execute(_TAKE, {**asked, "ids": array(row.id for row in found)}).all()
    if missing := set(ids or ()) - {row.id for row in rows}:
        raise NoSuchRefund(refund_id=min(missing))
    if any(row.taken for row in rows):
        raise RefundTaken
    for row in rows:
        if row.credit_fen < 0:
            raise MoneyGone(number=row.number, missing=yuan_from_fen(-row.credit_fen))
    left = left_before(session, [row.id for row in rows])
    if ids is not None and left:
        raise left[min(left)]
    rows = [row for row in rows if row.id not in left]
    if not rows:
        raise NothingToSend
    now = clock.now()
    year = clock.shanghai_date(now).year
    made = RefundFile(
        number=f"TKP{year}-{numbers.next_number(session, f'refund_file:{year}'):05}",
        layout=body.layout,
        refund_count=len(rows),
        total_fen=sum(row.amount_fen for row in rows),
        made_by=actor.user_id or 0,
        made_at=now,
    )
    session.add(made)
    session.flush()
    session.execute(_LINES, {"file_id": made.id, "ids": array(row.id for row in rows)})
    audit.record(session, actor, "refund_file.made", "refund_file", made.id, refunds=len(rows), total_fen=made.total_fen)
    return made.id


def take_turns(session: Session) -> None:
    """Let nobody else make a file until this transaction ends."""
    locks.hold(session, "refund_files")


def send(
    session: Session, actor: Actor, file_id: int, reference: str, despite: str | None = None, if_match: IfMatch = any_version
) -> None:
    """Say that the file was uploaded: each of its refunds is sent. One that a line of the bank shows already is left alone. ``despite``: why
    those go whose money is not there any more, or that a line shows to have left before.

    Raises:
        NotFound: there is none, or the caller keeps the money of a district only (404). IllegalMove: it was sent, or is void (409).
        MoneyGone: what one of them was released on is not there any more (409). LeftBefore: see :func:`orders.refunds.actions.send` (409).
    """
    row = _locked(session, actor, file_id)
    if_match(row.version)
    status = REFUND_FILE.after(row.status, FileMove.SEND)
    waiting = [each.id for each in _refunds(session, file_id) if each.status == RefundStatus.APPROVED]
    refunds.send_each(session, actor, waiting, reference, despite)
    _end(session, file_id, status, reference=reference)
    audit.record(session, actor, "refund_file.sent", "refund_file", file_id, reference=reference)


def void(session: Session, actor: Actor, file_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Say that the file was never uploaded: its refunds may go into another. It stays on record.

    Raises:
        NotFound: there is none, or the caller keeps the money of a district only (404). IllegalMove: it was sent, or is void (409).
        OwnRefundFile: the caller made it (403). RefundFileExecuted: the bank shows a refund of it, or may show one (409).
    """
    row = _locked(session, actor, file_id)
    if_match(row.version)
    status = REFUND_FILE.after(row.status, FileMove.VOID)
    if row.made_by == actor.user_id:
        raise OwnRefundFile
    listed = _refunds(session, file_id)
    shown = lines_of(session, transfers_of(session, [each.id for each in listed]))
    if (
        any(each.status != RefundStatus.APPROVED for each in listed)
        or any(line is not None for line in shown)
        or is_sum_left(session, row.total_fen, clock.shanghai_date(row.made_at))
    ):
        raise RefundFileExecuted
    session.execute(_VOID_LINES, {"id": file_id})
    _end(session, file_id, status, void_reason=reason, voided_by=actor.user_id)
    audit.record(session, actor, "refund_file.void", "refund_file", file_id, reason=reason)


def _locked(session: Session, actor: Actor, file_id: int) -> Any:
    row = session.execute(_LOCK, {"id": file_id}).first()
    if row is None or not actor.covers_region(Permission.MONEY_MANAGE, CITY):
        raise NotFound
    return row


def _refunds(session: Session, file_id: int) -> Sequence[Any]:
    """The refunds of a file, with their orders locked."""
    payments.locked(session, sorted({row.purchase_order_id for row in session.execute(_IN_FILE, {"id": file_id})}))
    return session.execute(_IN_FILE, {"id": file_id}).all()


def _end(
    session: Session,
    file_id: int,
    status: str,
    *,
    reference: str | None = None,
    void_reason: str | None = None,
    voided_by: int | None = None,
) -> None:
    session.execute(
        text(
            "UPDATE refund_file SET status = :status, reference = :reference, void_reason = :void_reason,"
            " voided_by = :voided_by, ended_at = :now, version = version + 1 WHERE id = :id"
        ),
        {
            "id": file_id,
            "status": status,
            "reference": reference,
            "void_reason": void_reason,
            "voided_by": voided_by,
            "now": clock.now(),
        },
    )
