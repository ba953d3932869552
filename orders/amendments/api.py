"""Proposed changes of confirmed orders over HTTP."""

from typing import Annotated, Literal

from fastapi import Query

from orders.amendments import actions, queries
from orders.amendments.schemas import AmendmentIn, AmendmentOut, RefusalIn
from orders.amendments.states import AmendmentStatus
from orders.purchasing import queries as purchasing
from orders.purchasing.schemas import FreightIn, SupplierOrderOut
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("amendments", "/v1")


@routes.post("/supplier-orders/{supplier_order_id}/amendments", Permission.AMENDMENTS_MANAGE)
def propose(call: Call, supplier_order_id: Id, body: AmendmentIn) -> AmendmentOut:
    """Propose another pack, price, quantity or day, or the cancellation, of what is not shipped. The other side answers."""
    amendment_id = actions.propose(call.session, call.actor, supplier_order_id, body)
    return queries.amendment(call.session, call.actor, amendment_id)


@routes.get("/supplier-orders/{supplier_order_id}/amendments", Permission.ORDERS_READ)
def amendments_of_order(call: Call, supplier_order_id: Id, limit: Limit = 50, after: After = None) -> Page[AmendmentOut]:
    """The changes of one order, newest first."""
    purchasing.require_reach(call.session, call.actor, supplier_order_id)
    return queries.amendments(call.session, call.actor, supplier_order_id=supplier_order_id, limit=limit, after=after)


@routes.post("/supplier-orders/{supplier_order_id}/freight/agree", Permission.AMENDMENTS_MANAGE, status=200)
def agree_freight(call: Call, supplier_order_id: Id, body: FreightIn) -> SupplierOrderOut:
    """The buyer agrees to the freight that the supplier asks for (`freight_asked`); then the order can be confirmed."""
    actions.agree_freight(call.session, call.actor, supplier_order_id, body.freight)
    return purchasing.supplier_order(call.session, call.actor, supplier_order_id)


@routes.get("/amendments", Permission.ORDERS_READ)
def amendments(
    call: Call,
    status: Annotated[AmendmentStatus | None, Query()] = None,
    waiting_for: Annotated[
        Literal["me", "others"] | None, Query(description="those that the own side has to answer, or the other")
    ] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[AmendmentOut]:
    """Changes of the own orders (officers: of their region's), newest first."""
    return queries.amendments(call.session, call.actor, status=status, waiting_for=waiting_for, limit=limit, after=after)


@routes.get("/amendments/{amendment_id}", Permission.ORDERS_READ)
def amendment(call: Call, amendment_id: Id) -> AmendmentOut:
    return queries.amendment(call.session, call.actor, amendment_id)


@routes.post("/amendments/{amendment_id}/accept", Permission.AMENDMENTS_MANAGE, status=200)
def accept(call: Call, amendment_id: Id) -> AmendmentOut:
    """Agree: lines, stock and totals change at once, and the contract gets a supplement."""
    actions.accept(call.session, call.actor, amendment_id, call.if_match)
    return queries.amendment(call.session, call.actor, amendment_id)


@routes.post("/amendments/{amendment_id}/refuse", Permission.AMENDMENTS_MANAGE, status=200)
def refuse(call: Call, amendment_id: Id, body: RefusalIn) -> AmendmentOut:
    """Say no, with the reason; the order stays as it is."""
    actions.refuse(call.session, call.actor, amendment_id, body.reason, call.if_match)
    return queries.amendment(call.session, call.actor, amendment_id)


@routes.post("/amendments/{amendment_id}/withdraw", Permission.AMENDMENTS_MANAGE, status=200)
def withdraw(call: Call, amendment_id: Id) -> AmendmentOut:
    """Take back what the own side proposed."""
    actions.withdraw(call.session, call.actor, amendment_id, call.if_match)
    return queries.amendment(call.session, call.actor, amendment_id)
