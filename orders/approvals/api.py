"""Approval rules and deputies over HTTP."""

from typing import Annotated

from fastapi import Query

from orders.approvals import actions, queries
from orders.approvals.schemas import ApprovalRuleIn, ApprovalRuleOut, ApprovalRulePatch, DeputyIn, DeputyOut
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("approvals", "/v1")


@routes.post("/approval-rules", Permission.UNITS_MANAGE)
def add_approval_rule(call: Call, body: ApprovalRuleIn) -> ApprovalRuleOut:
    """Have orders approved, by amount, category, fund source or what was spent in the year, in one or several steps."""
    return queries.rule(call.session, call.actor, actions.add_rule(call.session, call.actor, body))


@routes.get("/approval-rules", Permission.ORDERS_READ)
def approval_rules(
    call: Call,
    organisation_id: Annotated[Id | None, Query()] = None,
    active: bool | None = True,
    limit: Limit = 50,
    after: After = None,
) -> Page[ApprovalRuleOut]:
    """The rules of the own branch, and those of the units above it."""
    return queries.rules(call.session, call.actor, organisation_id=organisation_id, active=active, limit=limit, after=after)


@routes.patch("/approval-rules/{rule_id}", Permission.UNITS_MANAGE)
def switch_approval_rule(call: Call, rule_id: Id, body: ApprovalRulePatch) -> ApprovalRuleOut:
    """Switch a rule off or on again; a changed rule is a new one."""
    actions.switch_rule(call.session, call.actor, rule_id, body.active, call.if_match)
    return queries.rule(call.session, call.actor, rule_id)


def _admin(call: Call) -> bool:
    return call.actor.may(Permission.UNITS_MANAGE)


@routes.post("/approval-deputies", Permission.PURCHASE_REQUESTS_DECIDE)
def appoint_deputy(call: Call, body: DeputyIn) -> DeputyOut:
    """Have a colleague approve in the own place, or administrators in that of somebody of the branch, from the first to the last day."""
    made = actions.appoint_deputy(call.session, call.actor, body, admin=_admin(call))
    return queries.deputy(call.session, call.actor, made, admin=_admin(call))


@routes.get("/approval-deputies", Permission.PURCHASE_REQUESTS_DECIDE)
def approval_deputies(call: Call, current: bool = True, limit: Limit = 50, after: After = None) -> Page[DeputyOut]:
    """Who stands in for whom."""
    return queries.deputies(call.session, call.actor, admin=_admin(call), current=current, limit=limit, after=after)


@routes.post("/approval-deputies/{deputy_id}/revoke", Permission.PURCHASE_REQUESTS_DECIDE, status=200)
def revoke_deputy(call: Call, deputy_id: Id) -> DeputyOut:
    """End a deputy's time at once."""
    actions.revoke_deputy(call.session, call.actor, deputy_id, admin=_admin(call))
    return queries.deputy(call.session, call.actor, deputy_id, admin=_admin(call))
