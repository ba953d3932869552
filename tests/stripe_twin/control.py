"""``/_twin``: what tests and people tell the twin. The real Stripe has nothing of this."""

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.stripe_twin import pages
from tests.stripe_twin.check import differences
from tests.stripe_twin.errors import StripeError
from tests.stripe_twin.objects import accounts, disputes, intents, payouts, refunds
from tests.stripe_twin.objects.webhook_endpoints import roll
from tests.stripe_twin.runner import Runner
from tests.stripe_twin.webhooks import Post
from tests.stripe_twin.world import World

Told = dict[str, Any]
Endpoint = Callable[[Request], Awaitable[Response]]


async def told(request: Request) -> Told:
    """What was sent: JSON, or a form from a page."""
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(body.decode(errors="replace")))
    sent = json.loads(body) if body else {}
    if not isinstance(sent, dict):
        raise ValueError("a JSON object is expected")
    return sent


def plainly(world: World, endpoint: Callable[..., Awaitable[Response]]) -> Endpoint:
    """What is wrong is said with 400, or as Stripe says it."""

    @functools.wraps(endpoint)
    async def wrapped(request: Request) -> Response:
        try:
            done = await endpoint(request, **request.path_params)
            world.changes += request.method == "POST"
            return done
        except StripeError as error:
            return JSONResponse(error.body(), error.status)
        except (ValueError, TypeError, KeyError) as error:
            return JSONResponse({"error": {"type": "twin", "message": str(error)}}, 400)

    return wrapped


class Control:
    runner: Runner
    post: Post

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        table: list[tuple[str, str, Callable[..., Awaitable[Response]]]] = [
            ("GET", "health", self.health),
            ("POST", "reset", self.reset),
            ("GET", "state", self.state),
            ("GET", "check", self.check),
            ("GET", "clock", self.clock),
            ("POST", "clock", self.clock),
            ("GET", "faults", self.faults),
            ("POST", "faults", self.faults),
            ("GET", "webhooks", self.webhooks),
            ("POST", "webhooks", self.webhooks),
            ("GET", "settings", self.settings),
            ("POST", "settings", self.settings),
            ("POST", "settle", self.settle),
            ("GET", "pay/{id}", self.pay_page),
            ("POST", "pay/{id}", self.pay),
            ("GET", "pay/{id}/qr.{kind}", self.qr),
            ("GET", "onboard/{id}", self.onboard_page),
            ("POST", "onboard/{id}", self.onboard),
            ("POST", "accounts/{id}", self.account),
            ("POST", "refunds/{id}", self.refund),
            ("POST", "disputes", self.dispute),
            ("POST", "disputes/{id}", self.decide),
            ("POST", "payouts/{id}", self.payout),
            ("POST", "webhook_endpoints/{id}/roll", self.roll),
            ("POST", "events/{id}/resend", self.resend),
        ]
        return [Route(f"/_twin/{path}", plainly(self.world, endpoint), methods=[method]) for method, path, endpoint in table]

    async def health(self, request: Request) -> Response:
        return JSONResponse({"twin": "stripe", "now": self.world.clock.seconds()})

    async def reset(self, request: Request) -> Response:
        self.world.forget()
        self.post.set({})
        return JSONResponse({"reset": True})

    async def state(self, request: Request) -> Response:
        """Everything, or the objects of one kind: ``?kind=charge``."""
        ledger = self.world.ledger
        if kind := request.query_params.get("kind"):
            return JSONResponse({"objects": {kind: self.world.all(kind)}})
        return JSONResponse(
            {
                "now": self.world.clock.seconds(),
                "objects": {kind: list(kept.values()) for kind, kept in self.world.objects.items()},
                "owners": {id: owner for id, owner in self.world.owners.items() if id.startswith(("po_", "txn_", "py_"))},
                "balances": [
                    {"account": account, "currency": currency, "amount": amount}
                    for (account, currency), amount in sorted(ledger.balances.items())
                ],
                "movements": len(ledger.movements),
                "waiting": len(self.world.jobs),
            }
        )

    async def check(self, request: Request) -> Response:
        found = differences(self.world)
        return JSONResponse({"differences": len(found), "found": found, "movements": len(self.world.ledger.movements)})

    async def clock(self, request: Request) -> Response:
        if request.method == "POST":
            seconds = float((await told(request))["advance"])
            if seconds < 0:
                raise ValueError("the clock never goes back")
            await self.runner.advance(seconds)
        return JSONResponse({"now": self.world.clock.seconds(), "ahead": self.world.clock.ahead})

    async def faults(self, request: Request) -> Response:
        if request.method == "POST":
            self.world.faults.set(await told(request))
        return JSONResponse(self.world.faults.report())

    async def webhooks(self, request: Request) -> Response:
        if request.method == "POST":
            self.post.set(await told(request))
        return JSONResponse(self.post.report())

    async def settings(self, request: Request) -> Response:
        if request.method == "POST":
            self.world.settings.set(await told(request))
        return JSONResponse(vars(self.world.settings))

    async def settle(self, request: Request) -> Response:
        patience = float((await told(request)).get("patience", 10))
        return JSONResponse({"settled": await self.runner.settle(patience)})

    async def pay_page(self, request: Request, id: str) -> Response:
        return HTMLResponse(pages.pay(self.world, self.world.get("payment_intent", id, param="intent")))

    async def pay(self, request: Request, id: str) -> Response:
        """A person (or a test) approves or declines; a browser is then sent back where the shop wants it."""
        sent = await told(request)
        outcome = sent.get("outcome", "approve")
        if outcome not in intents.OUTCOMES:
            raise ValueError(f"outcome is one of {list(intents.OUTCOMES)}")
        intent = intents.decide(self.world, self.world.get("payment_intent", id, param="intent"), outcome)
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse(intent)
        back = self.world.note(id).get("return_url")
        if not back:
            return RedirectResponse(f"/_twin/pay/{id}", 303)
        tail = urlencode(
            {
                "payment_intent": id,
                "payment_intent_client_secret": intent["client_secret"],
                "redirect_status": "succeeded" if intent["status"] in ("succeeded", "requires_capture", "processing") else "failed",
            }
        )
        return RedirectResponse(f"{back}{'&' if '?' in back else '?'}{tail}", 303)

    async def qr(self, request: Request, id: str, kind: str) -> Response:
        intent = self.world.get("payment_intent", id, param="intent")
        if kind not in ("png", "svg"):
            raise ValueError("png or svg")
        code = await asyncio.to_thread(intents.qr_code, intents.page_of(self.world, intent), kind)
        return Response(code, media_type="image/png" if kind == "png" else "image/svg+xml")

    async def onboard_page(self, request: Request, id: str) -> Response:
        return HTMLResponse(pages.onboard(self.world.get("account", id)))

    async def onboard(self, request: Request, id: str) -> Response:
        account = self.world.get("account", id)
        accounts.onboard(self.world, account)
        back = self.world.note(id).get("return_url")
        if back and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(back, 303)
        return JSONResponse(account)

    async def account(self, request: Request, id: str) -> Response:
        """``{"rejected": "rejected.fraud"}`` closes an account, ``null`` opens it again."""
        account = self.world.get("account", id)
        self.world.note(id)["rejected"] = (await told(request)).get("rejected")
        accounts.stand(self.world, account)
        return JSONResponse(account)

    async def refund(self, request: Request, id: str) -> Response:
        sent = await told(request)
        refund = self.world.get("refund", id)
        if sent.get("status") not in refunds.ENDS:
            raise ValueError(f"status is one of {list(refunds.ENDS)}")
        if sent["status"] == "failed":
            refunds.fail(self.world, id, str(sent.get("reason", "expired_or_canceled_card")))
        else:
            refunds.succeed(self.world, id)
        return JSONResponse(refund)

    async def dispute(self, request: Request) -> Response:
        sent = await told(request)
        charge = self.world.get("charge", str(sent["charge"]))
        amount = int(sent["amount"]) if sent.get("amount") else None
        return JSONResponse(
            disputes.begin(self.world, charge, amount, str(sent.get("reason", "fraudulent")), bool(sent.get("inquiry", False)))
        )

    async def decide(self, request: Request, id: str) -> Response:
        outcome = (await told(request)).get("outcome")
        if outcome not in ("won", "lost"):
            raise ValueError("outcome is won or lost")
        return JSONResponse(disputes.decide(self.world, self.world.get("dispute", id), outcome == "won"))

    async def payout(self, request: Request, id: str) -> Response:
        sent = await told(request)
        payout = self.world.objects.get("payout", {})[id]
        if sent.get("status") == "failed":
            return JSONResponse(payouts.fail(self.world, payout, str(sent.get("reason", "account_closed"))))
        payouts.arrive(self.world, id)
        return JSONResponse(payout)

    async def roll(self, request: Request, id: str) -> Response:
        old_for = float((await told(request)).get("old_for", 24 * 60 * 60))
        return JSONResponse({"secret": roll(self.world, self.world.get("webhook_endpoint", id), old_for)})

    async def resend(self, request: Request, id: str) -> Response:
        return JSONResponse({"sent": self.post.resend(self.world.objects.get("event", {})[id])})
