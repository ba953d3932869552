"""Refunds over HTTP."""

from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response

from orders.refunds import actions, sheets
from orders.refunds.queries import refunds as queries
from orders.refunds.schemas import ApproveIn, EndIn, RefundFilter, RefundIn, RefundOut, SentIn
from shop.core import exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("refunds", "/v1")


@routes.post("/purchase-orders/{purchase_order_id}/refunds", Permission.REFUNDS_REQUEST)
def request(call: Call, purchase_order_id: Id, body: RefundIn) -> RefundOut:
    """Ask for what was paid too much for an order. Another person releases it."""
    return queries.refund(call.session, call.actor, actions.request(call.session, call.actor, purchase_order_id, body))


@routes.get("/refunds", Permission.MONEY_READ, answer=Page[RefundOut], responses=exports.FILES)
def refunds(
    call: Call,
    asked: Annotated[RefundFilter, Query()],
    format: Annotated[Literal["json", "csv", "xlsx"], Query(description="csv and xlsx: all rows, whatever the page")] = "json",
    limit: Limit = 50,
    after: After = None,
) -> Page[RefundOut] | Response:
    """Refunds of the own branch, or of those whose money one keeps; newest first."""
    if format == "json":
        return queries.refunds(call.session, call.actor, asked, limit=limit, after=after)
    return sheets.refunds(format, call.language, queries.all_refunds(call.session, call.actor, asked))


@routes.get("/refunds/{refund_id}", Permission.MONEY_READ)
def refund(call: Call, refund_id: Id) -> RefundOut:
    return queries.refund(call.session, call.actor, refund_id)


@routes.post("/refunds/{refund_id}/approve", Permission.MONEY_MANAGE, status=200)
def approve(call: Call, refund_id: Id, body: ApproveIn | None = None) -> RefundOut:
    """Release a refund that somebody else asked for."""
    actions.approve(call.session, call.actor, refund_id, body.despite if body else None, if_match=call.if_match)
    return queries.refund(call.session, call.actor, refund_id)


@routes.post("/refunds/{refund_id}/refuse", Permission.MONEY_MANAGE, status=200)
def refuse(call: Call, refund_id: Id, body: EndIn) -> RefundOut:
    actions.refuse(call.session, call.actor, refund_id, body.reason, if_match=call.if_match)
    return queries.refund(call.session, call.actor, refund_id)


@routes.post("/refunds/{refund_id}/cancel", Permission.REFUNDS_REQUEST, status=200)
def cancel(call: Call, refund_id: Id, body: EndIn) -> RefundOut:
    """Take a refund back that is not released yet."""
    actions.cancel(call.session, call.actor, refund_id, body.reason, if_match=call.if_match)
    return queries.refund(call.session, call.actor, refund_id)


@routes.post("/refunds/{refund_id}/send", Permission.MONEY_MANAGE, status=200)
def send(call: Call, refund_id: Id, body: SentIn) -> RefundOut:
    """Say that it was handed to the bank, with the bank's reference."""
    actions.send(call.session, call.actor, refund_id, body.reference, body.despite, if_match=call.if_match)
    return queries.refund(call.session, call.actor, refund_id)


@routes.post("/refunds/{refund_id}/confirm", Permission.MONEY_MANAGE, status=200)
def confirm(call: Call, refund_id: Id, body: SentIn) -> RefundOut:
    """Say that the bank carried it out, where no statement is imported."""
    actions.confirm(call.session, call.actor, refund_id, body.reference, body.despite, if_match=call.if_match)
    return queries.refund(call.session, call.actor, refund_id)
