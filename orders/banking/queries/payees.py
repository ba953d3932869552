"""Under which names and accounts suppliers were, or may be, paid."""

from collections.abc import Collection

from sqlalchemy import text
from sqlmodel import Session

from orders.money.names import plain_name
from orders.money.references import plain
from orders.settlement.actions.accounts import number_of
from shop.core.db import array

_KNOWN = text(
    """
    SELECT o.id, o.name, a.holder, a.sealed_number FROM organisation o
    LEFT JOIN payout_account a ON a.supplier_id = o.id AND a.status = 'approved' WHERE o.id = ANY (CAST(:ids AS bigint[]))
    """
)


def payees_of(session: Session, supplier_ids: Collection[int]) -> dict[int, tuple[frozenset[str], frozenset[str]]]:
    """The plain names and the plain account numbers of suppliers, by their ids."""
    names: dict[int, set[str]] = {supplier_id: set() for supplier_id in supplier_ids}
    accounts: dict[int, set[str]] = {supplier_id: set() for supplier_id in supplier_ids}
    for row in session.execute(_KNOWN, {"ids": array(supplier_ids)}) if supplier_ids else ():
        names[row.id] |= {plain_name(name) for name in (row.name, row.holder) if name}
        accounts[row.id] |= {plain(number_of(row))} if row.sealed_number else set()
    return {supplier_id: (frozenset(names[supplier_id]), frozenset(accounts[supplier_id])) for supplier_id in supplier_ids}
