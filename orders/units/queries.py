"""Reading addresses and settings of units, within the caller's branch."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.units.errors import AddressMissing, UnknownAddress
from orders.units.schemas import BuyingSettingsOut, DeliveryAddressOut
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.queries import UPWARDS

_ADDRESS = """
    SELECT a.id, a.organisation_id, o.name AS organisation_name, a.name, a.address, a.contact, a.phone, a.is_default, a.active, a.version
    FROM delivery_address a JOIN organisation o ON o.id = a.organisation_id
"""
_OWN = "o.path LIKE CAST(:branch AS text)"
_LIST = text(
    f"""{_ADDRESS} WHERE {_OWN} AND (CAST(:organisation_id AS bigint) IS NULL OR a.organisation_id = :organisation_id)
    AND (CAST(:active AS boolean) IS NULL OR a.active = :active) AND a.id > :start ORDER BY a.id LIMIT :rows"""
)
_ONE = text(f"{_ADDRESS} WHERE {_OWN} AND a.id = :id")
#: The address of an order: the one named, of the unit that orders, of the budget unit or below either, or the unit's default one.
_FOR_ORDER = text(
    """
    SELECT a.address, a.contact, a.phone FROM delivery_address a JOIN organisation o ON o.id = a.organisation_id
    WHERE a.active AND (o.path LIKE ANY (CAST(:branches AS text[])))
      AND CASE WHEN CAST(:id AS bigint) IS NULL THEN a.is_default AND a.organisation_id = ANY (CAST(:units AS bigint[])) ELSE a.id = :id END
    ORDER BY a.organisation_id = :first DESC LIMIT 1
    """
)

# Settings come down the tree: the nearest unit that says something is heard.
SETTINGS_ABOVE = f"""
    SELECT s.{{column}} FROM {UPWARDS} JOIN buying_settings s ON s.organisation_id = up.id AND s.{{column}} IS NOT NULL
    ORDER BY up.depth DESC LIMIT 1
"""  # noqa: S608
_SETTINGS = text(
    f"""
    SELECT o.id AS organisation_id, b.id AS budget_unit_id, b.name AS budget_unit_name,
           coalesce(({SETTINGS_ABOVE.format(column="budget_required", path="o.path")}), false) AS budget_required,
           ({SETTINGS_ABOVE.format(column="payment_terms", path="o.path")}) AS payment_terms, coalesce(s.version, 1) AS version
    FROM organisation o
    LEFT JOIN buying_settings s ON s.organisation_id = o.id
    JOIN organisation b ON b.id = coalesce(s.budget_unit_id, o.id)
    WHERE o.id = :id AND {_OWN}
    """  # noqa: S608
)


def branch(actor: Actor) -> str | None:
    """The LIKE pattern of the caller's branch; None for who has none."""
    return f"{actor.organisation_path}%" if actor.organisation_path else None


def addresses(
    session: Session, actor: Actor, *, organisation_id: int | None, active: bool | None, limit: int, after: str | None
) -> Page[DeliveryAddressOut]:
    """Addresses of the own branch, by id."""
    start = paging.position(after, int)
    rows = session.execute(
        _LIST,
        {
            "branch": branch(actor),
            "organisation_id": organisation_id,
            "active": active,
            "start": start[0] if start else 0,
            "rows": limit + 1,
        },
    ).all()
    return paging.page(rows, limit, _shown, lambda row: [row.id])


def address(session: Session, actor: Actor, address_id: int) -> DeliveryAddressOut:
    """One address.

    Raises:
        NotFound: none in the caller's branch.
    """
    row = session.execute(_ONE, {"branch": branch(actor), "id": address_id}).first()
    if row is None:
        raise NotFound
    return _shown(row)


def _shown(row: Row[Any]) -> DeliveryAddressOut:
    return DeliveryAddressOut.model_validate(row, from_attributes=True)


def address_for_order(session: Session, address_id: int | None, unit_id: int, buyer_id: int, paths: Sequence[str]) -> Row[Any]:
    """Where an order goes that writes no address down: the address named, or the default one of the unit that orders, else of its budget
    unit. ``paths``: those of both units, below which the address may lie.

    Raises:
        UnknownAddress, AddressMissing: none such (422).
    """
    row = session.execute(
        _FOR_ORDER,
        {"id": address_id, "units": [unit_id, buyer_id], "first": unit_id, "branches": [f"{path}%" for path in paths]},
    ).first()
    if row is None:
        raise AddressMissing if address_id is None else UnknownAddress
    return row


def settings(session: Session, actor: Actor, organisation_id: int) -> BuyingSettingsOut:
    """What holds for the orders of a unit.

    Raises:
        NotFound: none in the caller's branch.
    """
    row = session.execute(_SETTINGS, {"id": organisation_id, "branch": branch(actor)}).first()
    if row is None:
        raise NotFound
    return BuyingSettingsOut.model_validate(row, from_attributes=True)
