"""The HTTP side: keys, parameters, idempotency, faults, and answers in Stripe's form."""

import asyncio
import base64
import contextlib
import json
import logging
import re
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.stripe_twin import faults, objects
from tests.stripe_twin.errors import StripeError, invalid, not_modelled
from tests.stripe_twin.expanding import check, expanded
from tests.stripe_twin.given import Given, parse
from tests.stripe_twin.idempotency import in_use
from tests.stripe_twin.routing import ENTRIES, Entry
from tests.stripe_twin.runner import Runner
from tests.stripe_twin.store import Store
from tests.stripe_twin.webhooks import Post
from tests.stripe_twin.world import API_VERSION, PLATFORM, Call, World

assert objects.__all__  # importing them made their routes known
log = logging.getLogger("stripe_twin")
KEY = "sk_test_twin_"
Answer = tuple[int, bytes]


class Protocol(HttpToolsProtocol):
    """Remembers its connections, so that a fault can cut one off."""

    open: dict[tuple[str, int], asyncio.Transport] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client:
            self.open[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.client:
            self.open.pop(self.client, None)
        super().connection_lost(exc)


async def cut(request: Request) -> Response:
    """Resets the connection; the answer that is returned goes nowhere."""
    transport = Protocol.open.get(request.scope["client"])
    if transport is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        while request.scope["client"] in Protocol.open:
            await asyncio.sleep(0)
    return Response()


def encode(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _api_error(message: str) -> bytes:
    return encode({"error": {"type": "api_error", "message": message}})


def _authenticate(request: Request) -> None:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        with contextlib.suppress(ValueError):
            value = base64.b64decode(value).decode(errors="replace").partition(":")[0]
    if not value:
        raise StripeError(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g."
            " 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
            began=False,
        )
    if not value.startswith(KEY):
        raise StripeError(f"Invalid API Key provided: {value[:8]}{'*' * 12}{value[-4:]}", status=401, began=False)


def _version(request: Request) -> str:
    """The twin speaks one major version of the API; it does not pretend to know others."""
    version = request.headers.get("stripe-version", API_VERSION)
    if not re.fullmatch(rf"\d{{4}}-\d{{2}}-\d{{2}}\.{API_VERSION.split('.')[1]}", version):
        raise invalid(f"Invalid Stripe API version: {version}. The twin knows {API_VERSION}.")
    return version


class Api:
    """Stripe's API over one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        return [Route(each.path, self._endpoint(each), methods=[each.method]) for each in ENTRIES]

    def _endpoint(self, entry: Entry) -> Any:
        async def endpoint(request: Request) -> Response:
            return await self.answer(entry, request)

        return endpoint

    async def answer(self, entry: Entry, request: Request) -> Response:
        id = self.world.new_id("req", 14)
        headers = {"Request-Id": id, "Stripe-Version": API_VERSION}
        try:
            _authenticate(request)
            headers["Stripe-Version"] = _version(request)
            account = self._account(entry, request)
            values = await _parameters(request)
            expand = _expand(values)
            return await self._meet(entry, request, Call(Given(values), account, id), values, expand, headers)
        except StripeError as error:
            return _respond((error.status, encode(error.body())), headers | error.headers)

    def _account(self, entry: Entry, request: Request) -> str:
        account = request.headers.get("stripe-account")
        if account is None:
            return PLATFORM
        if not entry.connected:
            raise not_modelled(f"{entry.method} {entry.path} for a connected account (the header Stripe-Account)")
        if account not in self.world.objects.get("account", {}):
            raise StripeError(
                f"The provided key does not have access to account '{account}' (or that account does not exist). Application access may"
                " have been revoked.",
                status=403,
                code="account_invalid",
                began=False,
            )
        return account

    async def _meet(
        self, entry: Entry, request: Request, call: Call, values: dict[str, Any], expand: list[str], headers: dict[str, str]
    ) -> Response:
        """The request meets its fault, if the seed has one for it, and else its idempotency key."""
        world, path = self.world, request.url.path
        fault = world.faults.draw(entry.method, path)
        key = request.headers.get("idempotency-key") if entry.method == "POST" else None
        if fault in faults.BEFORE:
            world.faults.count(fault)
            return await _unreached(fault, request, key, headers)
        if key is None:
            done = await self._run(entry, request, call, expand, fault)
            return await self._send(request, done, headers, fault)
        call.key = key
        headers["Idempotency-Key"] = key
        earlier = world.keys.begin(call.account, key, path, values | {"expand": expand}, call.request_id or "")
        if earlier is not None:
            headers |= {"Idempotent-Replayed": "true", "Original-Request": earlier.request_id}
            return await self._send(request, (earlier.status or 500, earlier.body), headers, fault)
        headers["Original-Request"] = call.request_id or ""
        keys = world.keys  # the world may begin anew while this one runs
        try:
            done = await self._run(entry, request, call, expand, fault)
        except StripeError:
            keys.release(call.account, key)
            raise
        keys.keep(call.account, key, *done)
        return await self._send(request, done, headers, fault)

    async def _run(self, entry: Entry, request: Request, call: Call, expand: list[str], fault: str | None) -> Answer:
        """The endpoint itself.

        Raises:
            StripeError: before it began.
        """
        world = self.world
        if world.settings.latency:
            await asyncio.sleep(world.settings.latency)
        if fault == "500_before":
            world.faults.count(fault)
            return 500, _api_error("An unknown error occurred (the twin: before the effect)")
        world.call = call
        try:
            done = 200, encode(expanded(world, entry.handler(world, call, **request.path_params), expand))
        except StripeError as error:
            if not error.began:
                raise
            done = error.status, encode(error.body())
        except Exception:
            log.exception("%s %s", entry.method, request.url.path)
            done = 500, _api_error("stripe_twin itself is at fault: see its log")
        finally:
            world.call = None
            world.changes += entry.method != "GET"
        if fault == "500_after":
            world.faults.count(fault)
            return 500, _api_error("An unknown error occurred (the twin: after the effect)")
        return done

    async def _send(self, request: Request, done: Answer, headers: dict[str, str], fault: str | None) -> Response:
        """The answer, if it arrives."""
        if fault == "timeout_after":
            self.world.faults.count(fault)
            await asyncio.sleep(self.world.faults.hang)
            return await cut(request)
        if fault == "reset_after":
            self.world.faults.count(fault)
            return await cut(request)
        if done[0] >= 500:
            headers["Stripe-Should-Retry"] = "false"
        return _respond(done, headers)


def _respond(done: Answer, headers: dict[str, str]) -> Response:
    # a header is Latin-1; a key that is not is not told again
    plain = {name: value for name, value in headers.items() if value.isascii()}
    return Response(done[1], done[0], plain, media_type="application/json")


async def _unreached(fault: str, request: Request, key: str | None, headers: dict[str, str]) -> Response:
    """Answers of whatever stands before the endpoint."""
    if fault == "reset_before":
        return await cut(request)
    if fault == "409":
        raise in_use(key or "")
    if fault == "429":
        raise StripeError(
            "Request rate limit exceeded. Learn more about rate limits here https://docs.stripe.com/rate-limits.",
            status=429,
            code="rate_limit",
            began=False,
            headers={"Stripe-Rate-Limited-Reason": "global-rate"},
        )
    if fault == "503":
        return _respond((503, _api_error("Stripe is temporarily unavailable (the twin: not reached)")), headers)
    raise invalid("The twin refuses this request, as it was told to.")


async def _parameters(request: Request) -> dict[str, Any]:
    if request.method != "POST":
        return parse(request.url.query)
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0]
    if body and kind != "application/x-www-form-urlencoded":
        raise invalid(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have questions, we can help"
            " at https://support.stripe.com/."
        )
    return parse(body.decode(errors="replace"))


def _expand(values: dict[str, Any]) -> list[str]:
    paths = values.pop("expand", [])
    if isinstance(paths, str):
        paths = [paths] if paths else []
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise invalid("Invalid array", "expand")
    check(paths)
    return paths


async def unknown(request: Request, exc: Exception) -> Response:
    message = (
        f"Unrecognized request URL ({request.method}: {request.url.path}). Please see https://docs.stripe.com or we can help at"
        " https://support.stripe.com/."
    )
    return _respond(
        (404, encode({"error": {"type": "invalid_request_error", "message": message}})), {"Stripe-Version": API_VERSION}
    )


def create_app(world: World, store: Store | None = None) -> Starlette:
    from tests.stripe_twin.control import Control

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        runner, post = Runner(world), Post(world)
        control.runner, control.post = runner, post
        tasks = [asyncio.create_task(runner.run())]
        if store:
            tasks.append(asyncio.create_task(store.run()))
        yield
        for task in tasks:
            task.cancel()
        if store:
            store.save()
        await post.client.aclose()

    control = Control(world)
    return Starlette(
        routes=[*Api(world).routes(), *control.routes()], exception_handlers={404: unknown, 405: unknown}, lifespan=lifespan
    )
