"""Writing the ledger: sales at acceptance, and their reversal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import Session

from orders.ledger.booking import (
    BOOK,
    BOOK_AFTER_ALL,
    BOOK_EXTERNAL_LINES,
    BOOK_OUTLET_LINES,
    BOOK_REASSIGNED,
    LEFT_OF_CLAIMS,
    LOCK,
    LOCK_ORDER,
    OF_CLAIMS,
    REBOOK,
    RELEASE,
    REVERSE,
    REVERSE_ORDER,
    REVERSE_PARTS,
    TAKEN_BACK,
    UNDO_CLAIMS,
)
from orders.ledger.errors import NothingLeftToReverse, NotReversible
from orders.ledger.rules import Claim, Part, part_to_reverse
from shop.core import audit, clock
from shop.core.audit import Who
from shop.core.db import array
from shop.core.errors import NotFound
from shop.core.quantities import plain


def book_acceptance(session: Session, acceptance_id: int) -> int:
    """Book the accepted lines of one acceptance, in its transaction. Returns how many entries that makes."""
    return book_acceptances(session, [acceptance_id])


def book_acceptances(session: Session, acceptance_ids: Sequence[int]) -> int:
    """Book the accepted lines of many acceptances in one statement; each at the moment of its acceptance, by the rules in force then.

    Amounts (fen) and weights (grams) are those of the acceptance. Returns the number of entries. A line booked before is refused by the
    database (one sale, one count).
    """
    booked = session.execute(BOOK, {"acceptance_ids": list(acceptance_ids)})
    return int(booked.rowcount)  # type: ignore[attr-defined]


def book_corrections(session: Session, correction_line_ids: Sequence[int]) -> dict[int, tuple[int, Part]]:
    """Book what corrections say was accepted of lines that had no sale, today, by the rules in force today. Returns the new entries' ids and
    what they say, by the corrections' lines."""
    now = clock.now()
    values = {"correction_line_ids": list(correction_line_ids), "on": clock.shanghai_date(now), "now": now}
    rows = session.execute(BOOK_AFTER_ALL, values)
    return {row.origin_id: (row.id, Part(row.quantity, int(row.grams), int(row.amount_fen))) for row in rows}


_BOOK_CLAIMED = {Claim.OUTLET_LINE: BOOK_OUTLET_LINES, Claim.EXTERNAL_LINE: BOOK_EXTERNAL_LINES}


def book_claims(session: Session, claim: Claim, line_ids: Sequence[int]) -> int:
    """Book lines of outlets' batches or of external sales, by the rules in force on the day of the sale. Returns how many entries that makes.

    A sale of a month that is closed counts on the first day that is open; ``occurred_on`` keeps the day on which it was made. A line booked
    before is refused by the database.
    """
    booked = session.execute(_BOOK_CLAIMED[claim], {"line_ids": array(line_ids), "now": clock.now()})
    return int(booked.rowcount)  # type: ignore[attr-defined]


def take_back(session: Session, claim: Claim, line_ids: Sequence[int]) -> list[int]:
    """Take back whatever the entries of claimed lines still hold, as sales that were not made as it was claimed: on the days on which they
    counted first, so that what is claimed in their place stands alone; of a month that is closed by now on the first day that is open. What was
    given back of them is released before, so that nothing is left on its day either. Returns the reversals. The caller puts
    on record why, and may book them again by :func:`release`."""
    ids = {"claim": claim, "line_ids": array(line_ids)}
    entries = session.execute(OF_CLAIMS, ids).scalars().all()
    if not entries:
        return []
    session.execute(LOCK, {"entry_ids": list(entries)})
    return list(session.execute(UNDO_CLAIMS, {**ids, "now": clock.now()}).scalars())


def taken_back(session: Session, claim: Claim, line_ids: Sequence[int]) -> list[int]:
    """The reversals by which claimed lines stand at nothing: what :func:`take_back` took and nobody released."""
    return list(session.execute(TAKEN_BACK, {"claim": claim, "line_ids": array(line_ids)}).scalars())


def left_of_claims(session: Session, claim: Claim, line_ids: Sequence[int]) -> dict[int, list[tuple[int, Decimal]]]:
    """What the entries of claimed lines still hold, by line: pairs of entry and quantity, the oldest first."""
    found: dict[int, list[tuple[int, Decimal]]] = {}
    for row in session.execute(LEFT_OF_CLAIMS, {"claim": claim, "line_ids": array(line_ids)}):
        found.setdefault(row.line_id, []).append((row.id, row.left))
    return found


def release(session: Session, reversal_ids: Sequence[int]) -> int:
    """Book again what was taken back, on the day on which it was, or the first that is open. Returns how many entries that makes; a reversal is
    released once at most."""
    return len(session.execute(RELEASE, {"reversal_ids": array(reversal_ids), "now": clock.now()}).scalars().all())


def reverse(session: Session, actor: Who, entry_id: int, *, reason: str, quantity: Decimal | None = None) -> int:
    """Take back a sale, or ``quantity`` of it, by an entry of the opposite sign in the current month. Returns that entry's id.

    The entry itself stays as it is: a month that was published is never rewritten.

    Raises:
        NotFound: no such entry.
        NotReversible: it is a correction itself (409).
        NothingLeftToReverse: more than the entry still holds (409).
    """
    session.execute(LOCK, {"entry_ids": [entry_id]})
    entry = session.execute(
        text("SELECT quantity, grams, amount_fen, reverses_id FROM sale_entry WHERE id = :id"), {"id": entry_id}
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
    session.execute(LOCK_ORDER, {"order_id": order_id})
    taken = session.execute(REVERSE_ORDER, {"order_id": order_id, "on": clock.shanghai_date(now), "now": now}).scalars().all()
    if taken:
        session.execute(BOOK_REASSIGNED, {"correction_ids": list(taken), "now": now})
        audit.record(session, actor, "sale_entry.reassigned", "purchase_order", order_id, reason=reason, entries=len(taken))
    return len(taken)


@dataclass(frozen=True, slots=True)
class Reversed:
    """A part of an entry that was taken back, as positive numbers, and the entry that did it."""

    correction_id: int
    part: Part


def reverse_parts(session: Session, parts: Mapping[int, Decimal]) -> dict[int, Reversed]:
    """Take back parts of many entries, by entry id: as :func:`reverse` for each, in two statements however many. The caller puts on record why.

    Raises:
        NothingLeftToReverse: more than one of the entries still holds (409).
    """
    values = {"entry_ids": list(parts), "quantities": list(parts.values()), "on": clock.today(), "now": clock.now()}
    session.execute(LOCK, {"entry_ids": list(parts)})
    done = {
        row.reverses_id: Reversed(row.id, Part(row.quantity, int(row.grams), int(row.amount_fen)))
        for row in session.execute(REVERSE_PARTS, values)
    }
    if len(done) < len(parts):
        raise NothingLeftToReverse
    return done


@dataclass(frozen=True, slots=True)
class Rebooked:
    """What an entry is to say in truth; ``origin_id`` is the line of the correction that says so."""

    entry_id: int
    origin_id: int
    part: Part


def rebook(session: Session, lines: Sequence[Rebooked]) -> dict[int, int]:
    """Book what was accepted in truth, after what was booked wrongly has been taken back; on today's date, with the snapshot of the first
    booking. Returns the new entries' ids by the corrections' lines."""
    rows = session.execute(
        REBOOK,
        {
            "entry_ids": [line.entry_id for line in lines],
            "origin_ids": [line.origin_id for line in lines],
            "quantities": [line.part.quantity for line in lines],
            "grams": [line.part.grams for line in lines],
            "amounts": [line.part.amount_fen for line in lines],
            "on": clock.today(),
            "now": clock.now(),
        },
    )
    return {row.origin_id: row.id for row in rows}
