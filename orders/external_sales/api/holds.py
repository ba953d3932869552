"""Deciding about claims that are held, over HTTP. It stands above the claims, because what is decided is carried out in the same transaction."""

from orders.counting import queries
from orders.counting.rules import Verdict
from orders.counting.schemas import HoldOut
from orders.external_sales.actions import judging
from orders.external_sales.schemas import DecidedOut, DecisionIn, DecisionsIn
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("counting", "/v1/counting-holds")


def _decide(call: Call, hold_id: int, verdict: Verdict, body: DecisionIn) -> HoldOut:
    other = Verdict(body.other) if body.other else None
    judging.decide(call.session, call.actor, hold_id, verdict, other, body.reason)
    return queries.hold(call.session, call.actor, hold_id)


@routes.post("/decide", Permission.COUNTING_DECIDE, status=200)
def decide(call: Call, body: DecisionsIn) -> DecidedOut:
    """Decide about up to 200 claims alike, all or none: each is a sale of its own, or each is none. Of two that are held against each other the one
    that is not named is the opposite, as one of the two is the sale."""
    judging.decide_all(call.session, call.actor, body.ids, body.verdict, body.reason)
    return DecidedOut(decided=len(body.ids))


@routes.post("/{hold_id}/count", Permission.COUNTING_DECIDE, status=200)
def count(call: Call, hold_id: Id, body: DecisionIn) -> HoldOut:
    """Decide that the claim is a sale of its own. The other claim is then none, unless it is said to be another sale."""
    return _decide(call, hold_id, Verdict.COUNT, body)


@routes.post("/{hold_id}/void", Permission.COUNTING_DECIDE, status=200)
def void(call: Call, hold_id: Id, body: DecisionIn) -> HoldOut:
    """Decide that the claim is none. The other one then counts, unless it is said to be none either."""
    return _decide(call, hold_id, Verdict.VOID, body)
