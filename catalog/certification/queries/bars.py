"""Whether a supplier is barred (its entry in the blacklist): nothing of it is handed in, passed or certified until the bar ends."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certification.errors import Blacklisted, SupplierBlacklisted
from shop.core import clock

_BAR = text(
    "SELECT b.id, b.from_on, b.until_on, o.name FROM blacklist_entry b JOIN organisation o ON o.id = b.organisation_id"
    " WHERE b.organisation_id = :supplier_id AND b.lifted_at IS NULL AND b.from_on <= :today AND b.until_on >= :today"
    " ORDER BY b.until_on DESC LIMIT 1"
)
_BARS = text(
    "SELECT DISTINCT ON (b.organisation_id) b.id, b.organisation_id, b.from_on, b.until_on, o.name"
    " FROM blacklist_entry b JOIN organisation o ON o.id = b.organisation_id"
    " WHERE b.organisation_id = ANY (:supplier_ids) AND b.lifted_at IS NULL AND b.from_on <= :today AND b.until_on >= :today"
    " ORDER BY b.organisation_id, b.until_on DESC"
)
#: A bar holds this row until it has suspended what its supplier has.
_HOLD = text("SELECT FROM organisation WHERE id = ANY (:supplier_ids) ORDER BY id FOR SHARE")


def bar(session: Session, supplier_id: int) -> Row[Any] | None:
    """The bar of a supplier that lasts longest; None: it is not barred."""
    return session.execute(_BAR, {"supplier_id": supplier_id, "today": clock.today()}).first()


def refuse_barred(session: Session, supplier_id: int) -> None:
    """Refuse what a barred supplier asks for.

    Raises:
        Blacklisted: see there (409).
    """
    if found := bar(session, supplier_id):
        raise Blacklisted(until=found.until_on.isoformat())


def barred(session: Session, supplier_ids: Collection[int]) -> dict[int, SupplierBlacklisted]:
    """Why nothing of some suppliers may be passed or certified: supplier -> refusal, of those that are barred. Until this transaction ends nobody bars
    any of them: a bar that comes at the same time finds the certificates that are given here, or is found by this."""
    session.execute(_HOLD, {"supplier_ids": list(supplier_ids)})
    found = session.execute(_BARS, {"supplier_ids": list(supplier_ids), "today": clock.today()})
    return {
        row.organisation_id: SupplierBlacklisted(
            supplier=row.name, since=row.from_on.isoformat(), until=row.until_on.isoformat(), bar_id=row.id
        )
        for row in found
    }
