"""Writing the ledger: sales at acceptance, and their reversal."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import Session

from orders.ledger.booking import BOOK, BOOK_REASSIGNED, REVERSE, REVERSE_ORDER
from orders.ledger.errors import NothingLeftToReverse, NotReversible
from orders.ledger.rules import Part, part_to_reverse
from shop.core import audit, clock
from shop.core.audit import Who
from shop.core.errors import NotFound
from shop.core.quantities import plain


def book_acceptance(session: Session, acceptance_id: int) -> int:
    """Book the accepted lines of one acceptance, in its transaction. Returns how many entries that makes."""
    return book_acceptances(session, [acceptance_id])


def book_acceptances(session: Session, acceptance_ids: Sequence[int]) -> int:
    """Book the accepted lines of many acceptances in one statement; each on its own Shanghai date, by the rules in force then.

    Amounts (fen) and weights (grams) are those of the acceptance. Returns the number of entries. A line booked before is refused by the
    database (one sale, one count).
    """
    booked = session.execute(BOOK, {"acceptance_ids": list(acceptance_ids), "now": clock.now()})
    return int(booked.rowcount)  # type: ignore[attr-defined]


def reverse(session: Session, actor: Who, entry_id: int, *, reason: str, quantity: Decimal | None = None) -> int:
    """Take back a sale, or ``quantity`` of it, by an entry of the opposite sign in the current month. Returns that entry's id.

    The entry itself stays as it is: a month that was published is never rewritten.

    Raises:
        NotFound: no such entry.
        NotReversible: it is a correction itself (409).
        NothingLeftToReverse: more than the entry still holds (409).
    """
    entry = session.execute(
        text("SELECT quantity, grams, amount_fen, reverses_id FROM sale_entry WHERE id = :id FOR UPDATE"), {"id": entry_id}
    ).first()
    if entry is None:
        raise NotFound
    if entry.reverses_id is not None:
        raise NotReversible
    before = session.execute(
        text(
            "SELECT -coalesce(sum(quantity), 0), -coalesce(sum(grams), 0)::bigint, -coalesce(sum(amount_fen), 0)::bigint"
            " FROM sale_entry WHERE reverses_id = :id"
        ),
        {"id": entry_id},
    ).one()
    left = entry.quantity - before[0]
    taken = left if quantity is None else quantity
    if not 0 < taken <= left:
        raise NothingLeftToReverse(left=plain(left))
    part = part_to_reverse(Part(entry.quantity, entry.grams, entry.amount_fen), Part(*before), taken)
    correction_id: int = session.execute(
        REVERSE,
        {
            "entry_id": entry_id,
            "on": clock.today(),
            "now": clock.now(),
            "quantity": part.quantity,
            "grams": part.grams,
            "amount_fen": part.amount_fen,
        },
    ).scalar_one()
    audit.record(
        session,
        actor,
        "sale_entry.reversed",
        "sale_entry",
        entry_id,
        reason=reason,
        correction_id=correction_id,
        quantity=plain(part.quantity),
        amount_fen=part.amount_fen,
    )
    return correction_id


def reassign(session: Session, actor: Who, order_id: int, *, reason: str) -> int:
    """Take the sales of an order back from the buyer that they were booked for, and book them for the one to which the order belongs by now:
    both today, so that no published month is rewritten. Returns how many entries were moved. The caller holds the order's parts locked.
    """
    now = clock.now()
    taken = session.execute(REVERSE_ORDER, {"order_id": order_id, "on": clock.shanghai_date(now), "now": now}).scalars().all()
    if taken:
        session.execute(BOOK_REASSIGNED, {"correction_ids": list(taken), "now": now})
        audit.record(session, actor, "sale_entry.reassigned", "purchase_order", order_id, reason=reason, entries=len(taken))
    return len(taken)
