"""Addresses and settings of buying units over HTTP."""

from typing import Annotated

from fastapi import Query

from orders.units import actions, queries
from orders.units.schemas import (
    BuyingSettingsOut,
    BuyingSettingsPatch,
    DeliveryAddressIn,
    DeliveryAddressOut,
    DeliveryAddressPatch,
)
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("units", "/v1")


@routes.get("/delivery-addresses", Permission.ORDERS_READ)
def delivery_addresses(
    call: Call,
    organisation_id: Annotated[Id | None, Query()] = None,
    active: bool | None = True,
    limit: Limit = 50,
    after: After = None,
) -> Page[DeliveryAddressOut]:
    """Where the units of the own branch have goods delivered."""
    return queries.addresses(call.session, call.actor, organisation_id=organisation_id, active=active, limit=limit, after=after)


@routes.post("/delivery-addresses", Permission.DELIVERY_ADDRESSES_MANAGE)
def add_delivery_address(call: Call, body: DeliveryAddressIn) -> DeliveryAddressOut:
    """Add an address to the own unit or one below it."""
    return queries.address(call.session, call.actor, actions.add_address(call.session, call.actor, body))


@routes.patch("/delivery-addresses/{address_id}", Permission.DELIVERY_ADDRESSES_MANAGE)
def change_delivery_address(call: Call, address_id: Id, body: DeliveryAddressPatch) -> DeliveryAddressOut:
    """Change an address, make it the default one, or take it out of use."""
    actions.change_address(call.session, call.actor, address_id, body.model_dump(exclude_unset=True), call.if_match)
    return queries.address(call.session, call.actor, address_id)


@routes.get("/organisations/{organisation_id}/buying-settings", Permission.ORDERS_READ)
def buying_settings(call: Call, organisation_id: Id) -> BuyingSettingsOut:
    """Whose budget the unit buys on, and whether it needs one."""
    return queries.settings(call.session, call.actor, organisation_id)


@routes.patch("/organisations/{organisation_id}/buying-settings", Permission.UNITS_MANAGE)
def change_buying_settings(call: Call, organisation_id: Id, body: BuyingSettingsPatch) -> BuyingSettingsOut:
    """Let a unit buy on the budget of one above it, or refuse its orders without a budget."""
    actions.set_up(call.session, call.actor, organisation_id, body.model_dump(exclude_unset=True), call.if_match)
    return queries.settings(call.session, call.actor, organisation_id)
