"""Advisory locks by name, and the order in which rows are locked.

Lock order, everywhere: quotation request -> harvest of a supplier (by name) -> agreement (by id) -> its changes, drafts, instalments
-> certification case -> supplier orders (by id) -> order lines -> stock (by SKU id) -> number series
-> certificates (by id; FOR KEY SHARE by orders, FOR UPDATE by what changes their force, which reads the clock after that).
Freeing capacity needs no lock. Prefer one conditional UPDATE to a lock.
"""

import hashlib

from sqlalchemy import text
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
