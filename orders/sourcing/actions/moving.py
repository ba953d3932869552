"""One move of a request for quotation: locked, opened if its time is over, checked against the state table, kept with its record.

A quotation is written under the same lock, so every move of the request finds it committed or comes first.
"""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.sourcing.states import QUOTATION_REQUEST, RequestAction, RequestStatus, request_status
from shop.core import audit, clock, outbox
from shop.core.audit import SYSTEM, Who
from shop.core.errors import NotFound
from shop.identity.actor import Actor

#: Acts whose reason stands with the request, where suppliers read it. That of an award is the buyer's own.
_REASON_TOLD = frozenset({RequestAction.EXTEND, RequestAction.CANCEL, RequestAction.FINISH})

_LOCK = text("SELECT * FROM quotation_request WHERE id = :id FOR UPDATE")
_BUYER_PATH = text("SELECT b.path FROM quotation_request q JOIN organisation b ON b.id = q.buyer_id WHERE q.id = :id")

# Whoever is first opens, whether a reader or the sweep. The row is locked: quotations that are being written are waited for, and what comes
# after this finds the request opened, even where its own clock were slow.
_OPEN = """
    UPDATE quotation_request SET opened_at = :now
    WHERE id IN (SELECT id FROM quotation_request WHERE status = 'open' AND opened_at IS NULL AND closes_at <= :now {0} ORDER BY id FOR UPDATE)
    RETURNING id
"""
_OPEN_ONE = text(_OPEN.format("AND id = :id"))
_OPEN_ALL = text(_OPEN.format("").replace("FOR UPDATE", "FOR UPDATE SKIP LOCKED"))


def open_quotations(session: Session, request_id: int | None = None, actor: Who = SYSTEM) -> int:
    """Open the quotations of a request whose time is over, or of all such; returns of how many. Done once for each."""
    now = clock.now()
    statement, values = (_OPEN_ALL, {"now": now}) if request_id is None else (_OPEN_ONE, {"now": now, "id": request_id})
    opened = session.execute(statement, values).scalars().all()
    for each in opened:
        audit.record(session, actor, "quotation_request.opened", "quotation_request", each)
        outbox.publish(session, "quotation_request.closed", quotation_request_id=each)
    return len(opened)


def locked(session: Session, actor: Actor, request_id: int, action: RequestAction | None = None) -> Row[Any]:
    """A request of the caller's branch as it stands now, locked until the transaction ends.

    Raises:
        NotFound: no such request of the caller's branch (404).
        IllegalMove: the state table has no such move (409).
    """
    path = session.execute(_BUYER_PATH, {"id": request_id}).scalar()
    if path is None or not actor.within_branch(path):
        raise NotFound
    row = lock(session, request_id)
    # one reading of the clock, under the lock: what is closed by it is opened before anything is done with it
    status = status_now(row)
    if status is RequestStatus.CLOSED and row.opened_at is None:
        open_quotations(session, request_id, actor)
        row = lock(session, request_id)
    if action is not None:
        QUOTATION_REQUEST.after(status, action)
    return row


def lock(session: Session, request_id: int) -> Row[Any]:
    """The row itself, locked: of any two that want it one waits."""
    return session.execute(_LOCK, {"id": request_id}).one()


def status_now(row: Row[Any]) -> RequestStatus:
    """The status at this moment, to be read under the lock."""
    return request_status(row.status, row.closes_at, row.opened_at, clock.now())


def keep(session: Session, actor: Who, row: Row[Any], action: RequestAction, *, reason: str | None = None, **detail: Any) -> None:
    """Write the status that an action leads to, with its record."""
    before = status_now(row)
    after = QUOTATION_REQUEST.after(before, action)
    session.execute(
        text(
            "UPDATE quotation_request SET status = :status, reason = coalesce(:reason, reason), version = version + 1 WHERE id = :id"
        ),
        {
            "id": row.id,
            "status": RequestStatus.OPEN if after is RequestStatus.CLOSED else after,
            "reason": reason if action in _REASON_TOLD else None,
        },
    )
    moved = {"from_status": str(before), "to_status": str(after)}
    audit.record(session, actor, f"quotation_request.{action}", "quotation_request", row.id, reason=reason, **moved, **detail)
