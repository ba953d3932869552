"""What waits for a second person over HTTP."""

from typing import Annotated

from fastapi import Query

from orders.waiting import queries
from orders.waiting.schemas import WaitingKind, WaitingOut
from shop.core.paging import After, Limit, Page
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("waiting", "/v1")


@routes.get("/finance/waiting", Permission.MONEY_MANAGE)
def waiting(
    call: Call,
    kind: WaitingKind | None = None,
    own: Annotated[bool | None, Query(description="true: what the caller asked for; false: what the caller may decide on")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[WaitingOut]:
    """What one person asked for and another has to approve or release: refunds, payouts, bank accounts, advances, declared payers, lines of the
    bank that are written off, failures of what was paid or listed for the bank. The oldest first."""
    return queries.waiting(call.session, call.actor, kind=kind, own=own, limit=limit, after=after)
