"""Linked campaigns over HTTP."""

from typing import Annotated

from fastapi import Query
from fastapi.responses import Response

from orders.promotions import actions, queries, sheets
from orders.promotions.schemas import EffectOut, PromotionIn, PromotionOut, PromotionRow, ReasonIn
from orders.promotions.states import PromotionAction, PromotionStatus
from orders.statistics.tables import Filled, Format, TableOut
from shop.core import clock, exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import PROBLEM, Call, Routes
from shop.identity.permissions import Permission

routes = Routes("promotions", "/v1/promotions")


def _out(call: Call, promotion_id: int) -> PromotionOut:
    return queries.promotion(call.session, call.actor, promotion_id, call.language)


@routes.get("", Permission.MONITORING_READ)
def list_promotions(
    call: Call, status: PromotionStatus | None = None, limit: Limit = 50, after: After = None
) -> Page[PromotionRow]:
    """The campaigns of the own region, the last one first."""
    return queries.promotions(call.session, call.actor, call.language, status=status, limit=limit, after=after)


@routes.post("", Permission.PROMOTIONS_MANAGE)
def draft(call: Call, body: PromotionIn) -> PromotionOut:
    """Draft a campaign that sells the same goods on the net and at outlets (线上线下联动促销)."""
    return _out(call, actions.draft(call.session, call.actor, body))


@routes.get("/{promotion_id}", Permission.MONITORING_READ)
def read_promotion(call: Call, promotion_id: Id) -> PromotionOut:
    """One campaign with its prices and outlets."""
    return _out(call, promotion_id)


@routes.put("/{promotion_id}", Permission.PROMOTIONS_MANAGE)
def edit(call: Call, promotion_id: Id, body: PromotionIn) -> PromotionOut:
    """Write a draft anew."""
    actions.edit(call.session, call.actor, promotion_id, body, call.if_match)
    return _out(call, promotion_id)


@routes.post("/{promotion_id}/publish", Permission.PROMOTIONS_MANAGE, status=200)
def publish(call: Call, promotion_id: Id) -> PromotionOut:
    """Publish it, once its prices hold in both places and lie within the ceiling of each certification."""
    actions.publish(call.session, call.actor, promotion_id, if_match=call.if_match)
    return _out(call, promotion_id)


@routes.post("/{promotion_id}/end", Permission.PROMOTIONS_MANAGE, status=200)
def end(call: Call, promotion_id: Id, body: ReasonIn) -> PromotionOut:
    """End it today, before its last day."""
    actions.stop(call.session, call.actor, promotion_id, PromotionAction.END, body.reason, if_match=call.if_match)
    return _out(call, promotion_id)


@routes.post("/{promotion_id}/cancel", Permission.PROMOTIONS_MANAGE, status=200)
def cancel(call: Call, promotion_id: Id, body: ReasonIn) -> PromotionOut:
    """Cancel it."""
    actions.stop(call.session, call.actor, promotion_id, PromotionAction.CANCEL, body.reason, if_match=call.if_match)
    return _out(call, promotion_id)


@routes.get("/{promotion_id}/effect", Permission.MONITORING_READ, answer=EffectOut, responses={**exports.FILES, 409: PROBLEM})
def effect(
    call: Call,
    promotion_id: Id,
    weeks: Annotated[
        int | None, Query(ge=1, le=26, description="weeks before it to compare with; default: the programme's")
    ] = None,
    format: Format = "json",
) -> TableOut | Response:
    """What it brought so far, by product, online and offline apart, against the same weekdays of the weeks before; and which other campaigns
    of the same products lay in these weeks."""
    found = queries.effect(call.session, call.actor, promotion_id, call.language, weeks)
    table = Filled(sheets.EFFECT, found.rows, clock.now(), found.total, first=found.first, last=found.last)
    if format == "json":
        return EffectOut(**table.shown(call.language).model_dump(), others=found.others)
    return table.answer(call.language, format)
