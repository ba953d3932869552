"""Advisory locks by name, and the order in which rows are locked.

Lock order, everywhere, each by id:
pledge (FOR SHARE by what adds to it) -> baskets asked for by an organisation (by name) -> basket proposal or proof -> quotation request ->
harvest of a supplier (by name) -> agreement -> its changes, drafts, instalments -> certification case -> its supplier (FOR SHARE;
FOR NO KEY UPDATE by a bar, which then locks its certificates) -> purchase request -> uploaded lists
of the same content -> spending of a unit (by name) -> settlement run (by name) -> dispute -> imports of an account's
statements and files of refunds (by name) -> bank lines -> lists of payouts -> payer declaration or file of refunds -> online payment, its charge dispute,
connected account, transfer -> supplier orders -> tax invoices (by number) -> application for another budget unit -> purchase order (its
totals, what is paid for it) -> refund -> settlement -> payout -> advance -> goods return or correction -> claims of sales made elsewhere (all of
them, by name) -> pulses of outlets (by outlet) -> doubts about claims -> external sales -> vouchers -> service capacity (by SKU and day) ->
acceptance balances (by line) -> resale of an operator (by name) -> sale entries -> order lines -> stock (by SKU) -> invoices of a
part -> number series (of credit notes before invoices) -> certificates
(FOR KEY SHARE by orders; FOR UPDATE by what changes their force, which reads the clock after that) -> budget draws -> budgets -> credit of a
buyer (by name; shared by what draws) -> credit limits -> payment plans.
Freeing capacity needs no lock. A webhook endpoint comes before its deliveries, a unit's reserved share before the lock of the year's shared
canteens, a supplier order before its evaluation, a month's close (by name) before the months that the ledger has closed, a month's bulletin (by
name) before its number series. What payments for an order are told by (by name) is held alone. Prefer one conditional UPDATE to a lock.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text
from sqlmodel import Session


def number(name: str) -> int:
    """A stable signed 64-bit key for a lock's name."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def hold(session: Session, name: str) -> None:
    """Wait for the lock; it is let go at the end of the transaction."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": number(name)})


def try_hold(session: Session, name: str) -> bool:
    """Take the lock if nobody holds it; it is let go at the end of the transaction."""
    return bool(session.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": number(name)}).scalar_one())


@contextmanager
def alone(engine: Engine, name: str) -> Iterator[bool]:
    """Whether nobody else does ``name`` now. Holds it on a connection of its own, with no transaction open, and lets go at the end;
    so does the server when the process dies.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"key": number(name)}
        held = bool(connection.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar_one())
        try:
            yield held
        finally:
            if held:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
