"""Asking the provider what is to be asked.

A sender claims one call (try counted, lease and moment taken, committed), asks outside of any transaction, and writes what came of it together
with its effect in one transaction. Killed in between, the call is due again after its lease. Whatever may have reached the provider before is
looked for there first: only what is not there is sent again, with the same key while that can be trusted, else as a new attempt.
"""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Row, text
from sqlmodel import Session

from orders.online import rules, seen
from orders.online.actions import connecting, refunding, settling
from orders.online.actions.applying import apply
from orders.online.provider import NotBegun, Provider, Refused, Unsure
from orders.online.states import OPEN, CallStatus, Operation
from shop.core import clock
from shop.core.db import Database

log = structlog.get_logger()

#: Longer than it takes to look, and then to send.
LEASE = timedelta(seconds=90)
#: What is left of the lease when something is sent: a call with all its retries (see ``provider``), and to write down what came of it.
SENDING = timedelta(seconds=45)
#: After so many seconds a round ends, so that it does not keep a worker from other work.
ROUND_SECONDS = 20
SENDERS = 4

_CLAIM = text(
    """
    WITH next AS MATERIALIZED (
        SELECT id, sent_at FROM provider_call WHERE status IN ('due', 'sending', 'unknown') AND next_attempt_at <= :now
        ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE provider_call c SET status = 'sending', tries = tries + 1, next_attempt_at = :lease_ends, sent_at = coalesce(c.sent_at, :now)
    FROM next WHERE c.id = next.id RETURNING c.*, next.sent_at AS sent_before
    """
)
_DONE = text(
    "UPDATE provider_call SET status = 'done', object_id = coalesce(:object_id, object_id), last_error = NULL, ended_at = :now WHERE id = :id"
)
_REFUSED = text("UPDATE provider_call SET status = 'refused', last_error = :error, ended_at = :now WHERE id = :id")
#: What failed counts only if no other sender has claimed the call since.
_LATER = text(
    "UPDATE provider_call SET status = :status, spent = spent OR :spent, last_error = :error, next_attempt_at = :next"
    " WHERE id = :id AND status = 'sending' AND tries = :tries"
)
_ANEW = text(
    "UPDATE provider_call SET attempt = attempt + 1, key = :key, spent = false, sent_at = :now WHERE id = :id AND tries = :tries RETURNING *"
)
_PAY = text(
    "SELECT o.*, po.number, po.placed_at FROM online_payment o JOIN purchase_order po ON po.id = o.purchase_order_id WHERE o.id = :id"
)
_ROW = {
    Operation.TRANSFER: text("SELECT * FROM online_transfer WHERE id = :id"),
    Operation.ACCOUNT: text("SELECT * FROM connected_account WHERE id = :id"),
    Operation.LINK: text("SELECT * FROM connected_account WHERE id = :id"),
    Operation.CANCEL: text("SELECT * FROM online_payment WHERE id = :id"),
    Operation.PAY: _PAY,
}


class _NotNeeded(Exception):
    """What the call was for has been overtaken."""


def send_due(database: Database, provider: Provider, *, seconds: float = ROUND_SECONDS, senders: int = SENDERS) -> int:
    """Ask what is due, for some seconds; returns how many calls were made. Any number of rounds may run at once."""
    first = claim(database)
    if first is None:
        return 0
    ends = time.monotonic() + seconds

    def run(mine: Row[Any] | None) -> int:
        made = 0
        while time.monotonic() < ends and (mine := mine or claim(database)) is not None:
            perform(database, provider, mine)
            made, mine = made + 1, None
        return made

    with ThreadPoolExecutor(senders, thread_name_prefix="provider") as pool:
        return sum(pool.map(run, [first, *[None] * (senders - 1)]))


def claim(database: Database) -> Row[Any] | None:
    """Take the call that is due for the longest time, for one lease; None when none is due."""
    with database.unit_of_work() as session:
        now = clock.now()
        return session.execute(_CLAIM, {"now": now, "lease_ends": now + LEASE}).first()


def perform(database: Database, provider: Provider, call: Row[Any]) -> None:
    """Ask what was claimed, and write down what came of it."""
    try:
        _perform(database, provider, call)
    except (NotBegun, Unsure) as error:
        log.warning("provider_unsure", operation=call.operation, subject=call.subject_id, error=str(error))
        _later(database, call, error)
    except Exception as error:  # a fault of ours: nothing is lost, and after some tries a person looks at it
        log.error("provider_call_failed", operation=call.operation, subject=call.subject_id, exc_info=error)
        _later(database, call, error)


def _perform(database: Database, provider: Provider, call: Row[Any]) -> None:
    try:
        observed = _ask(database, provider, call)
    except _NotNeeded as error:
        _close(database, call, str(error), lambda session: None)
        return
    except Refused as error:
        log.warning("provider_refused", operation=call.operation, subject=call.subject_id, code=error.code)
        refused = error
        _close(database, call, str(error), lambda session: _refuse(session, call, refused))
        return
    with database.unit_of_work() as session:
        _take_over(session, call, observed)
        session.execute(_DONE, {"id": call.id, "object_id": getattr(observed, "id", None), "now": clock.now()})


def _ask(database: Database, provider: Provider, call: Row[Any]) -> seen.Seen | None:
    if call.operation == Operation.LOOK:
        return provider.look(call.object_id)
    with database.unit_of_work() as session:
        row = _subject(session, call)
    # a refund or a transfer is money at once: one more look costs little
    cautious = call.operation in (Operation.REFUND, Operation.TRANSFER)
    if call.sent_before is not None or cautious:
        try:
            found = _find(provider, call, row)
        except (Unsure, Refused) as error:  # a look that failed says nothing of what is looked for, or of the key
            raise Unsure(f"not found out: {error}") from None
        if found is not None:
            return found
        if call.sent_before is not None and _is_used_up(call):
            with database.unit_of_work() as session:
                again = session.execute(
                    _ANEW, {"id": call.id, "tries": call.tries, "key": _next_key(call), "now": clock.now()}
                ).first()
            if again is None:
                raise _NotNeeded("another sender has it")
            call = again
    if clock.now() > call.next_attempt_at - SENDING:
        raise NotBegun("the lease is nearly over")  # another sender may be about to look, and must see what this one sent
    return _send(provider, call, row)


def _is_used_up(call: Row[Any]) -> bool:
    """Whether the key may no longer be sent: it keeps a fault, or the provider may have forgotten it, by whichever clock."""
    age = clock.now() - call.sent_before
    return call.spent or not timedelta(0) <= age < rules.KEY_LIVES


def _next_key(call: Row[Any]) -> str:
    operation, reference, _ = call.key.split(":")
    return rules.key_of(operation, reference, call.attempt + 1)


def _subject(session: Session, call: Row[Any]) -> Any:
    """What the call is for, as it stands now.

    Raises:
        _NotNeeded: there is nothing to do for it any more.
    """
    if call.operation == Operation.REFUND:
        row = refunding.to_send(session, call.subject_id)
        if row is None:
            raise _NotNeeded("the refund is not waiting any more")
        return row
    row = session.execute(_ROW[Operation(call.operation)], {"id": call.subject_id}).one()
    if call.operation == Operation.PAY and (row.status not in OPEN or row.intent_id):
        raise _NotNeeded("the payment has gone on without it")
    return row


def _find(provider: Provider, call: Row[Any], row: Any) -> seen.Seen | None:
    """What an earlier try may have led to."""
    match Operation(call.operation):
        case Operation.PAY:
            return provider.find_payment(row.reference, since=row.created_at - timedelta(hours=1))
        case Operation.CANCEL:
            found = provider.look(call.object_id)
            return found if isinstance(found, seen.Intent) and found.status in ("canceled", "succeeded") else None
        case Operation.REFUND:
            return provider.find_refund(refunding.reference_of(row), row.intent_id)
        case Operation.TRANSFER:
            return provider.find_transfer(row.reference)
        case Operation.ACCOUNT:
            return provider.find_account(row.reference)
    return None


def _send(provider: Provider, call: Row[Any], row: Any) -> seen.Seen:
    match Operation(call.operation):
        case Operation.PAY:
            return provider.pay(
                call.key,
                amount_fen=row.amount_fen,
                method=row.method,
                return_url=row.return_url,
                metadata=settling.metadata_of(row, row.placed_at),
                description=row.number,
            )
        case Operation.CANCEL:
            return provider.cancel(call.key, call.object_id)
        case Operation.REFUND:
            named = {"refund": str(row.id), "reference": refunding.reference_of(row)}
            return provider.refund(call.key, intent_id=row.intent_id, amount_fen=row.amount_fen, metadata=named)
        case Operation.TRANSFER:
            named = {"payout": str(row.payout_id), "reference": row.reference}
            return provider.transfer(
                call.key, amount_fen=row.amount_fen, account_id=row.account_id, group=row.reference, metadata=named
            )
        case Operation.ACCOUNT:
            named = {"supplier": str(row.supplier_id), "reference": row.reference}
            return provider.open_account(call.key, country=row.country, metadata=named)
        case Operation.LINK:
            return provider.link(call.key, account_id=row.account_id, return_url=row.return_url)
    raise AssertionError(call.operation)


def _take_over(session: Session, call: Row[Any], observed: seen.Seen | None) -> None:
    if isinstance(observed, seen.Link):
        connecting.keep_link(session, call.subject_id, observed)
    elif isinstance(observed, seen.Intent) and call.operation in (Operation.PAY, Operation.CANCEL):
        settling.settle_outcome(session, call.subject_id, observed)
    else:
        apply(session, observed)


def _refuse(session: Session, call: Row[Any], refused: Refused) -> None:
    match Operation(call.operation):
        case Operation.PAY:
            settling.refuse(session, call.subject_id, refused.code, refused.words)
        case Operation.CANCEL if refused.code == "resource_missing":
            settling.forget(session, call.subject_id)
        case Operation.REFUND:
            refunding.refuse(session, call.subject_id, refused.words)
        case Operation.TRANSFER:
            connecting.refuse_transfer(session, call.subject_id, refused.words)
        case Operation.ACCOUNT:
            connecting.refuse_account(session, call.subject_id)


def _close(database: Database, call: Row[Any], error: str, effect: Callable[[Session], None]) -> None:
    with database.unit_of_work() as session:
        effect(session)
        session.execute(_REFUSED, {"id": call.id, "error": error[:500], "now": clock.now()})


def _later(database: Database, call: Row[Any], error: Exception) -> None:
    known = isinstance(error, NotBegun | Unsure)
    status = CallStatus.UNKNOWN if known or call.tries < rules.MAX_TRIES else CallStatus.PARKED
    # S311: it spreads retries and hides nothing
    wait = rules.wait_before_retry(call.tries, random.random(), awaited=known)  # noqa: S311
    with database.unit_of_work() as session:
        session.execute(
            _LATER,
            {
                "id": call.id,
                "tries": call.tries,
                "status": status,
                "spent": isinstance(error, Unsure) and error.answered,
                "error": f"{type(error).__name__}: {error}"[:500],
                "next": clock.now() + wait,
            },
        )
        if isinstance(error, Unsure) and call.operation == Operation.PAY:
            settling.leave_unknown(session, call.subject_id)
        if isinstance(error, Unsure) and call.operation == Operation.TRANSFER:
            connecting.leave_unknown(session, call.subject_id)
