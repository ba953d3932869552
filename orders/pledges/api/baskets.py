"""Baskets that fit a budget, over HTTP."""

from orders.pledges.actions import proposing
from orders.pledges.queries import baskets as queries
from orders.pledges.schemas import OrderedOut, ProposalIn, ProposalOrderIn, ProposalOut, ProposalRow
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("basket_proposals", "/v1")


@routes.post("/pledges/{pledge_id}/basket-proposals", Permission.PLEDGES_MANAGE, status=202)
def ask(call: Call, pledge_id: Id, body: ProposalIn) -> ProposalOut:
    """Ask for a basket from the pledged regions that fits a budget. It is worked out in the background; read it again until it is ready, or
    says which limit stands in the way."""
    return queries.proposal(call.session, call.actor, proposing.ask(call.session, call.actor, pledge_id, body))


@routes.get("/pledges/{pledge_id}/basket-proposals", Permission.PLEDGES_READ)
def list_proposals(call: Call, pledge_id: Id, limit: Limit = 50, after: After = None) -> Page[ProposalRow]:
    """The baskets that were asked for, newest first."""
    return queries.proposals(call.session, call.actor, pledge_id, limit=limit, after=after)


@routes.get("/basket-proposals/{proposal_id}", Permission.PLEDGES_READ)
def read(call: Call, proposal_id: Id) -> ProposalOut:
    """A basket, how it meets what was asked, and a greedy one's figures beside it."""
    return queries.proposal(call.session, call.actor, proposal_id)


@routes.post("/basket-proposals/{proposal_id}/order", Permission.PLEDGES_MANAGE)
def order(call: Call, proposal_id: Id, body: ProposalOrderIn) -> OrderedOut:
    """Order a basket as it is; the order counts towards its pledge."""
    return proposing.order(call.session, call.actor, proposal_id, body)
