"""What heals whatever was lost: calls without an outcome, events that never came, a database that was restored to the past.

Every minute what is open is looked at, and the provider's statement of our balance is read on from where it was read before. Each of its lines
must be explained by something here; what is not is fetched and taken over, and what cannot be told is booked as such and told to finance. A line
over which our own program stumbles is kept and tried again until it is taken over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row, text
from sqlmodel import Session

from orders.money import actions as money
from orders.money.rules import Account, Kind, Place, Posting, carry
from orders.online import rules, seen
from orders.online.actions import paying
from orders.online.actions.applying import apply
from orders.online.actions.asking import look_at
from orders.online.actions.sending import send_due
from orders.online.provider import NotBegun, Provider, Refused, Unsure
from orders.online.queries import difference_fen
from orders.online.states import OPEN
from shop.core import clock, outbox
from shop.core.db import Database

log = structlog.get_logger()

#: The statement is read again for so long before its last known line: lines may come late. Twice an hour it is read for longer.
OVERLAP, LONG_OVERLAP = timedelta(hours=2), timedelta(days=3)
#: Lines that are taken over in one transaction.
BATCH = 200
#: How long one cycle may ask what is due.
SECONDS = 40

_OPEN = text(
    "SELECT intent_id, created_at, coalesce(looked_at, created_at) AS looked_at FROM online_payment"
    " WHERE status = ANY (:open) AND intent_id IS NOT NULL"
)
_REFUNDS = text(
    "SELECT reference FROM refund WHERE method = 'online' AND status = 'sent' AND reference IS NOT NULL AND sent_at < :before"
)
_DISPUTES = text("SELECT dispute_id FROM charge_dispute WHERE status IN ('inquiry', 'open')")
_ACCOUNTS = text(
    "SELECT account_id FROM connected_account WHERE account_id IS NOT NULL AND NOT enabled AND coalesce(looked_at, created_at) < :before"
)
_LAST = text("SELECT max(created_at) FROM provider_entry")
_KNOWN = text("SELECT entry_id FROM provider_entry WHERE entry_id = ANY (:ids) AND NOT failed")
_FAILED = text("SELECT * FROM provider_entry WHERE failed ORDER BY created_at, id LIMIT :rows")
_INSERT = """
    INSERT INTO provider_entry (entry_id, type, source_id, behind, amount_fen, fee_fen, net_fen, created_at, failed)
    VALUES (:entry_id, :type, :source_id, :behind, :amount_fen, :fee_fen, :net_fen, :created_at, :failed)
    """
_NOTE = text(f"{_INSERT} ON CONFLICT (entry_id) DO UPDATE SET failed = false WHERE provider_entry.failed RETURNING id")
_NOTE_FAILED = text(f"{_INSERT} ON CONFLICT (entry_id) DO NOTHING")
#: Which of these is explained: a payment that is booked, a refund that stands where the line says, a dispute, a transfer.
_EXPLAINED = text(
    """
    SELECT charge_id AS id FROM online_payment WHERE charge_id = ANY (:ids) AND payment_id IS NOT NULL
    UNION SELECT reference FROM refund WHERE reference = ANY (:ids) AND method = 'online' AND status IN ('paid', 'failed')
    UNION SELECT dispute_id FROM charge_dispute WHERE dispute_id = ANY (:ids)
    UNION SELECT transfer_id FROM online_transfer WHERE transfer_id = ANY (:ids)
    """
)
_UNEXPLAINED = text("UPDATE provider_entry SET unexplained = true WHERE id = :id")

#: Lines about the provider and ourselves alone: what it charges, and what it pays to our bank.
_CHARGED = frozenset({"stripe_fee", "stripe_fx_fee", "network_cost"})
_TO_OUR_BANK = frozenset({"payout", "payout_cancel", "payout_failure"})
#: Lines after which their source has another state than before.
_CHANGING = frozenset(
    {"refund_failure", "payment_failure_refund", "adjustment", "transfer_refund", "transfer_cancel", "transfer_failure"}
)


@dataclass
class Report:
    """What a cycle did."""

    looked: int = 0
    #: Lines of the statement that were new.
    entries: int = 0
    #: Objects that were fetched because nothing here explained their line.
    fetched: int = 0
    unexplained: int = 0
    #: Lines that could not be taken over, by a fault of ours; they are kept, and tried again in each cycle.
    failed: int = 0
    #: Lines in another currency, which our books do not hold.
    foreign: int = 0
    #: What our ledger says of the account at the provider, less what its statement sums to; 0 is what it should be.
    difference_fen: int = 0


def reconcile(database: Database, provider: Provider, *, patience: timedelta | None = None, seconds: float = SECONDS) -> Report:
    """One cycle. ``patience``: how long open payments are left alone since they were last looked at; by their age if it is not given."""
    with database.unit_of_work() as session:
        paying.stop_overdue(session)
        look_at(session, _to_look_at(session, patience))
    report = Report(looked=send_due(database, provider, seconds=seconds))
    try:
        _read_statement(database, provider, report)
    except (NotBegun, Unsure, Refused) as error:
        log.warning("statement_not_read", error=str(error))
    with database.unit_of_work() as session:
        report.difference_fen = difference_fen(session)
    return report


def _to_look_at(session: Session, patience: timedelta | None) -> list[str]:
    now = clock.now()

    def waits(created_at: datetime, looked_at: datetime) -> bool:
        return now - looked_at >= (rules.look_again_after(now - created_at) if patience is None else patience)

    rows = session.execute(_OPEN, {"open": list(OPEN)}).all()
    ids = [row.intent_id for row in rows if waits(row.created_at, row.looked_at)]
    ids += session.execute(_REFUNDS, {"before": now - timedelta(minutes=1)}).scalars().all()
    ids += session.execute(_ACCOUNTS, {"before": now - timedelta(minutes=10)}).scalars().all()
    if _half_hourly() or patience is not None:  # banks take days
        ids += session.execute(_DISPUTES).scalars().all()
    return ids


def _half_hourly() -> bool:
    return clock.now().minute % 30 == 0


def _read_statement(database: Database, provider: Provider, report: Report) -> None:
    with database.unit_of_work() as session:
        last = session.execute(_LAST).scalar()
        failed = {row.entry_id: _entry(row) for row in session.execute(_FAILED, {"rows": BATCH})}
    since = last - (LONG_OVERLAP if _half_hourly() else OVERLAP) if last else None
    listed = list(provider.entries_since(since))
    ours = {each.id: each for each in listed if each.currency == seen.CURRENCY}
    report.foreign = len(listed) - len(ours)
    fresh = _unknown(database, failed | ours)
    # oldest first: a cycle that is cut off leaves no gap before the line that the next one begins with
    fresh.sort(key=lambda each: each.created_at)
    for start in range(0, len(fresh), BATCH):
        _take_over(database, provider, fresh[start : start + BATCH], report)


def _entry(row: Row[Any]) -> seen.Entry:
    """A line that was kept, as it was seen."""
    return seen.Entry(
        id=row.entry_id,
        type=row.type,
        source_id=row.source_id,
        amount_fen=row.amount_fen,
        fee_fen=row.fee_fen,
        net_fen=row.net_fen,
        currency=seen.CURRENCY,
        created_at=row.created_at,
        behind=row.behind,
    )


def _unknown(database: Database, listed: Mapping[str, seen.Entry]) -> list[seen.Entry]:
    with database.unit_of_work() as session:
        known = set(session.execute(_KNOWN, {"ids": list(listed)}).scalars())
    return [each for each in listed.values() if each.id not in known]


def _take_over(database: Database, provider: Provider, entries: Sequence[seen.Entry], report: Report) -> None:
    """Have each line explained first, by fetching what is behind it where need be; then note the lines."""
    about_others = [each for each in entries if each.type not in _CHARGED | _TO_OUR_BANK]
    with database.unit_of_work() as session:
        explained = set(session.execute(_EXPLAINED, {"ids": [each.source_id for each in about_others if each.source_id]}).scalars())
    failed: set[str] = set()
    for each in about_others:
        if each.source_id and (each.source_id not in explained or each.type in _CHANGING):
            observed = provider.look(each.behind) if each.behind else None
            report.fetched += 1
            try:
                with database.unit_of_work() as session:
                    if apply(session, observed):
                        explained.add(each.source_id)
            except Exception as error:  # of one line: it must not keep the others from being healed
                log.error("line_not_taken_over", entry=each.id, exc_info=error)
                failed.add(each.id)
                report.failed += 1
    with database.unit_of_work() as session:
        for each in entries:
            if each.id in failed:
                session.execute(_NOTE_FAILED, {**_values(each), "failed": True})
                continue
            report.entries += 1
            report.unexplained += _note(session, each, explained)


def _values(entry: seen.Entry) -> dict[str, Any]:
    return {
        "entry_id": entry.id,
        "type": entry.type,
        "source_id": entry.source_id,
        "behind": entry.behind,
        "amount_fen": entry.amount_fen,
        "fee_fen": entry.fee_fen,
        "net_fen": entry.net_fen,
        "created_at": entry.created_at,
    }


def _note(session: Session, entry: seen.Entry, explained: set[str]) -> bool:
    """Note a line, and book what it alone tells; returns whether nobody knows what it is."""
    noted = session.execute(_NOTE, {**_values(entry), "failed": False}).scalar()
    if noted is None:
        return False
    online, fees = Place(Account.ONLINE), Place(Account.FEES)
    charged = entry.fee_fen - (entry.amount_fen if entry.type in _CHARGED else 0)
    if charged:
        money.book(session, Kind.FEE, noted, carry(charged, to=fees, out_of=online))
    if entry.type in _CHARGED:
        return False
    if entry.type in _TO_OUR_BANK:
        # on its way, until the bank's statement shows it
        _book(session, Kind.ONLINE_PAYOUT, noted, entry.amount_fen, Account.BANK)
        return False
    if entry.source_id in explained:
        return False
    _book(session, Kind.ONLINE_FOUND, noted, entry.amount_fen, Account.UNALLOCATED)
    session.execute(_UNEXPLAINED, {"id": noted})
    outbox.publish(session, "provider_entry.unexplained", provider_entry_id=noted)
    return True


def _book(session: Session, kind: Kind, entry_id: int, amount_fen: int, against: Account) -> None:
    if amount_fen:
        money.book(session, kind, entry_id, [Posting(Place(Account.ONLINE), amount_fen), Posting(Place(against), -amount_fen)])
