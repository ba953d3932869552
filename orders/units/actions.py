"""Keeping the addresses and settings of a unit."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlmodel import Session

from orders.units import queries
from orders.units.errors import AddressNotInUse, NotAboveUnit, NotABuyingUnit, RequiredAbove
from orders.units.schemas import DeliveryAddressIn
from shop.core import audit, clock
from shop.core.errors import IfMatch, NotFound
from shop.identity import queries as identity
from shop.identity import rules as identity_rules
from shop.identity.actor import Actor
from shop.identity.permissions import Role
from shop.identity.queries import UPWARDS
from shop.programmes import queries as programmes
from shop.programmes.payment import PaymentTerms

_TERMS: TypeAdapter[PaymentTerms] = TypeAdapter(PaymentTerms)

_ADD = text(
    """
    INSERT INTO delivery_address (organisation_id, name, address, contact, phone, is_default)
    VALUES (:organisation_id, :name, :address, :contact, :phone, :is_default) RETURNING id
    """
)
_NO_DEFAULT = text(
    "UPDATE delivery_address SET is_default = false, version = version + 1 WHERE organisation_id = :id AND is_default"
)
_CHANGE = text(
    """
    UPDATE delivery_address SET name = coalesce(:name, name), address = coalesce(:address, address),
        contact = CASE WHEN :has_contact THEN :contact ELSE contact END, phone = CASE WHEN :has_phone THEN :phone ELSE phone END,
        is_default = coalesce(:is_default, is_default) AND coalesce(:active, active), active = coalesce(:active, active), version = version + 1
    WHERE id = :id
    """
)
_LOCK_ADDRESS = text("SELECT version, organisation_id, active FROM delivery_address WHERE id = :id FOR NO KEY UPDATE")
#: A row that says nothing is as good as none: it is there to be locked.
_NO_SETTINGS = text("INSERT INTO buying_settings (organisation_id) VALUES (:id) ON CONFLICT DO NOTHING")
_LOCK_SETTINGS = text("SELECT version FROM buying_settings WHERE organisation_id = :id FOR NO KEY UPDATE")
_SETTINGS = text(
    """
    UPDATE buying_settings SET budget_unit_id = CASE WHEN :has_unit THEN CAST(:budget_unit_id AS bigint) ELSE budget_unit_id END,
        budget_required = CASE WHEN :has_required THEN CAST(:budget_required AS boolean) ELSE budget_required END,
        payment_terms = CASE WHEN :has_terms THEN CAST(:payment_terms AS jsonb) ELSE payment_terms END, version = version + 1
    WHERE organisation_id = :id
    """
)
#: What the nearest unit above the caller's says.
_REQUIRED_ABOVE = text(
    f"""
    SELECT s.budget_required FROM {UPWARDS.format(path="CAST(:path AS text)")} JOIN buying_settings s ON s.organisation_id = up.id
    WHERE up.id <> :unit_id AND s.budget_required IS NOT NULL ORDER BY up.depth DESC LIMIT 1
    """  # noqa: S608
)


def add_address(session: Session, actor: Actor, body: DeliveryAddressIn) -> int:
    """Add an address to the own unit or one below it; a new default one takes the place of the old.

    Raises:
        NotFound: not a unit of the caller's branch (404).
        NotABuyingUnit: it does not buy (409).
    """
    organisation_id = body.organisation_id or actor.organisation
    _buying_unit(session, actor, organisation_id)
    if body.is_default:
        session.execute(_NO_DEFAULT, {"id": organisation_id})
    address_id: int = session.execute(
        _ADD, {**body.model_dump(exclude={"organisation_id"}), "organisation_id": organisation_id}
    ).scalar_one()
    audit.record(session, actor, "delivery_address.added", "delivery_address", address_id, organisation_id=organisation_id)
    return address_id


def change_address(session: Session, actor: Actor, address_id: int, changes: Mapping[str, Any], if_match: IfMatch) -> None:
    """Change an address; orders placed before keep what they were sent to.

    Raises:
        NotFound: none in the caller's branch (404). Changed: somebody else was faster (412).
        AddressNotInUse: it cannot be the default one (409).
    """
    queries.address(session, actor, address_id)
    found = session.execute(_LOCK_ADDRESS, {"id": address_id}).one()
    if_match(found.version)
    active = found.active if changes.get("active") is None else changes["active"]
    if changes.get("is_default") and not active:
        raise AddressNotInUse
    if changes.get("is_default"):
        session.execute(_NO_DEFAULT, {"id": found.organisation_id})
    fields = ("name", "address", "contact", "phone", "is_default", "active")
    session.execute(
        _CHANGE,
        {
            "id": address_id,
            **{field: changes.get(field) for field in fields},
            "has_contact": "contact" in changes,
            "has_phone": "phone" in changes,
        },
    )
    audit.record(session, actor, "delivery_address.changed", "delivery_address", address_id, fields=sorted(changes))


def set_up(session: Session, actor: Actor, organisation_id: int, changes: Mapping[str, Any], if_match: IfMatch) -> None:
    """Say whose budget the unit buys on, whether it needs one, and by when it usually pays.

    Raises:
        NotFound: not a unit of the caller's branch (404). NotABuyingUnit: it does not buy (409).
        NotAboveUnit: the budget unit lies elsewhere, or above the caller's own unit (422).
        PaymentTooLate: see there (422).
        RequiredAbove: a unit above the caller's wants budgets (403).
    """
    path = _buying_unit(session, actor, organisation_id)
    session.execute(_NO_SETTINGS, {"id": organisation_id})
    if_match(session.execute(_LOCK_SETTINGS, {"id": organisation_id}).scalar_one())
    if budget_unit := changes.get("budget_unit_id"):
        above = session.execute(text("SELECT path FROM organisation WHERE id = :id"), {"id": budget_unit}).scalar()
        # nobody lends the budget of a unit above the own one
        if above is None or not path.startswith(above) or not actor.within_branch(above):
            raise NotAboveUnit
    if changes.get("budget_required") is False and queries.settings(session, actor, organisation_id).budget_required:
        own = {"path": actor.organisation_path, "unit_id": actor.organisation}
        if session.execute(_REQUIRED_ABOVE, own).scalar():
            raise RequiredAbove
    terms = changes.get("payment_terms")
    if terms:
        settled = programmes.config_of(session, clock.today()).payment.settled(_TERMS.validate_python(terms))
        terms = settled.model_dump(mode="json")
    session.execute(
        _SETTINGS,
        {
            "id": organisation_id,
            "budget_unit_id": changes.get("budget_unit_id"),
            "budget_required": changes.get("budget_required"),
            "has_unit": "budget_unit_id" in changes,
            "has_required": "budget_required" in changes,
            "payment_terms": json.dumps(terms) if terms else None,
            "has_terms": "payment_terms" in changes,
        },
    )
    audit.record(session, actor, "buying_settings.changed", "organisation", organisation_id, **changes)


def _buying_unit(session: Session, actor: Actor, organisation_id: int) -> str:
    """The path of a unit of the caller's branch that buys."""
    path = session.execute(text("SELECT path FROM organisation WHERE id = :id"), {"id": organisation_id}).scalar()
    if path is None or not actor.within_branch(path):
        raise NotFound
    if Role.PURCHASER not in identity_rules.grantable_roles(identity.capacities(session, organisation_id, clock.today())):
        raise NotABuyingUnit
    return str(path)
