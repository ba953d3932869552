"""Online payments over HTTP."""

from typing import Annotated, Literal

from fastapi import Depends, Query, Request, Response

from orders.online import queries, sheets
from orders.online.actions import connecting, paying, receiving
from orders.online.schemas import (
    AccountIn,
    AccountOut,
    ChargeDisputeOut,
    EntrySearch,
    LinkIn,
    OnlinePaymentIn,
    OnlinePaymentOut,
    PayableOut,
    ProviderEntryOut,
    StandingOut,
)
from orders.online.states import DisputeStatus, OnlineStatus
from shop.core import exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import PROBLEM, Call, Routes
from shop.identity.permissions import Permission

routes = Routes("online payments", "/v1")

Format = Annotated[Literal["json", "csv", "xlsx"], Query(description="a file holds every row, whatever the limit")]


@routes.post("/purchase-orders/{purchase_order_id}/online-payments", Permission.ONLINE_PAYMENTS_MAKE)
def begin(call: Call, purchase_order_id: Id, body: OnlinePaymentIn) -> PayableOut:
    """Begin to pay online. The provider is asked in the background: read it again, within a second or two, for what the payer is to do."""
    online_payment_id = paying.begin(call.session, call.actor, purchase_order_id, body)
    return queries.online_payment(call.session, call.actor, online_payment_id)


@routes.get("/online-payments", Permission.MONEY_READ, answer=Page[OnlinePaymentOut], responses=exports.FILES)
def online_payments(
    call: Call,
    status: OnlineStatus | None = None,
    purchase_order_id: Id | None = None,
    format: Format = "json",
    limit: Limit = 50,
    after: After = None,
) -> Page[OnlinePaymentOut] | Response:
    """Online payments of the own branch, or of those whose money one keeps; newest first; as a file for the books."""
    rows, start = (limit, after) if format == "json" else (exports.MAX_LINES, None)
    found = queries.online_payments(
        call.session, call.actor, status=status, purchase_order_id=purchase_order_id, limit=rows, after=start
    )
    return found if format == "json" else sheets.online_payments(format, call.language, exports.whole(found, exports.MAX_LINES))


@routes.get("/online-payments/{online_payment_id}", Permission.ORDERS_READ)
def online_payment(call: Call, online_payment_id: Id) -> PayableOut:
    """How it stands; and for who may pay, what it is paid with: a card form's secret, the wallet's page, a QR code."""
    return queries.online_payment(call.session, call.actor, online_payment_id)


@routes.post("/online-payments/{online_payment_id}/cancel", Permission.ONLINE_PAYMENTS_MAKE)
def cancel(call: Call, online_payment_id: Id) -> PayableOut:
    """Stop a payment that nobody has paid yet. The provider has the last word: what was paid meanwhile counts."""
    paying.cancel(call.session, call.actor, online_payment_id)
    return queries.online_payment(call.session, call.actor, online_payment_id)


@routes.get("/charge-disputes", Permission.MONEY_READ, answer=Page[ChargeDisputeOut], responses=exports.FILES)
def charge_disputes(
    call: Call, status: DisputeStatus | None = None, format: Format = "json", limit: Limit = 50, after: After = None
) -> Page[ChargeDisputeOut] | Response:
    """Online payments that payers' banks took back or ask about; newest first; as a file for the books."""
    rows, start = (limit, after) if format == "json" else (exports.MAX_LINES, None)
    found = queries.charge_disputes(call.session, call.actor, status=status, limit=rows, after=start)
    return found if format == "json" else sheets.charge_disputes(format, call.language, exports.whole(found, exports.MAX_LINES))


@routes.get("/provider-entries", Permission.MONEY_MANAGE, answer=Page[ProviderEntryOut], responses=exports.FILES)
def provider_entries(call: Call, asked: Annotated[EntrySearch, Query()]) -> Page[ProviderEntryOut] | Response:
    """The provider's statement as it was read, newest first: what moved our balance there, and whether something here explains it. The city's, as
    the balance is; as a file for the books."""
    rows, start = (asked.limit, asked.after) if asked.format == "json" else (exports.MAX_LINES, None)
    found = queries.provider_entries(call.session, call.actor, asked, limit=rows, after=start)
    return (
        found
        if asked.format == "json"
        else sheets.provider_entries(asked.format, call.language, exports.whole(found, exports.MAX_LINES))
    )


@routes.get("/online-payment-standing", Permission.MONEY_MANAGE)
def standing(call: Call) -> StandingOut:
    """What is open, unknown or unexplained, and whether the ledger agrees with the provider's statement. The city's, as the
    online balance is."""
    return queries.standing(call.session, call.actor)


@routes.post("/connected-account", Permission.CONNECTED_ACCOUNTS_MANAGE)
def open_account(call: Call, body: AccountIn) -> AccountOut:
    """Have an account at the provider opened for the own organisation, to be paid out by it."""
    connecting.open_account(call.session, call.actor, body.country)
    return queries.connected_account(call.session, call.actor)


@routes.get("/connected-account", Permission.CONNECTED_ACCOUNTS_MANAGE, responses={409: PROBLEM})
def connected_account(call: Call) -> AccountOut:
    return queries.connected_account(call.session, call.actor)


@routes.post("/connected-account/link", Permission.CONNECTED_ACCOUNTS_MANAGE)
def ask_for_link(call: Call, body: LinkIn) -> AccountOut:
    """Have the page made where the provider is told what it wants to know; read the account again for its address."""
    connecting.ask_for_link(call.session, call.actor, body.return_url)
    return queries.connected_account(call.session, call.actor)


async def _raw(request: Request) -> bytes:
    """The body as it came: its signature is over these very bytes."""
    return await request.body()


@routes.post("/stripe/webhooks", signed=True, status=200)
def receive(call: Call, body: Annotated[bytes, Depends(_raw)]) -> Response:
    """Stripe's events. Each is noted once, however often it comes, and what it is about is then looked at."""
    receiving.receive(call.session, body, call.request.headers.get("stripe-signature"))
    return Response(status_code=200)
