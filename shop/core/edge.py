"""The outermost layer of the HTTP server: request id, body limit, security headers, access log, metrics, and problems as JSON."""

import json
import re
import secrets
import time

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from psycopg import errors as pg
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shop.core import metrics
from shop.core.errors import (
    CONSTRAINTS,
    Conflict,
    Invalid,
    Language,
    NotFound,
    Problem,
    TooLarge,
    Unavailable,
)
from shop.core.faults import fault_of

log = structlog.get_logger()

_REQUEST_ID = re.compile(r"^[A-Za-z0-9\-]{8,64}$")
#: How much a language is wanted (RFC 9110); what is none counts as no weight given.
_WEIGHT = re.compile(r"q\s*=\s*(?P<q>[01](\.[0-9]{0,3})?)")
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


class Edge:
    """One plain ASGI middleware around everything, cheap enough for the hottest route."""

    def __init__(self, app: ASGIApp, max_body_bytes: int, max_file_bytes: int) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes
        self.max_file_bytes = max_file_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.match(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status = 500

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    *(pair for pair in _HEADERS if pair[0] not in present),
                ]
            await send(message)

        multipart = headers.get(b"content-type", b"").startswith(b"multipart/")
        limit = self.max_file_bytes if multipart else self.max_body_bytes
        try:
            await self.app(scope, _limited(receive, headers, limit), send_marked)
        finally:
            route = getattr(scope.get("route"), "path_format", None) or "unmatched"
            elapsed = time.perf_counter() - started
            metrics.REQUESTS.labels(scope["method"], route, str(status)).inc()
            metrics.SECONDS.labels(scope["method"], route).observe(elapsed)
            log.info("request", method=scope["method"], route=route, status=status, ms=round(elapsed * 1000, 1))


def _limited(receive: Receive, headers: dict[bytes, bytes], limit: int) -> Receive:
    # an HTTPException, because FastAPI takes any other error while it reads a body for a fault of the body
    announced = headers.get(b"content-length", b"0")
    too_large = announced.isdigit() and int(announced) > limit
    seen = 0

    async def receive_counted() -> Message:
        nonlocal seen
        if too_large:
            raise HTTPException(413, str(limit))
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413, str(limit))
        return message

    return receive_counted


def language_of(request: Request) -> Language:
    """Chinese unless the caller prefers English: the language of the highest weight (``q``), of equal ones the first."""
    best: tuple[float, Language] = (0, "zh")
    for part in request.headers.get("accept-language", "").lower().split(","):
        tag, _, parameter = (each.strip() for each in part.partition(";"))
        weight = _WEIGHT.fullmatch(parameter)
        given = float(weight["q"]) if weight else 1
        if given > best[0] and tag[:2] in ("zh", "en"):
            best = (given, "zh" if tag.startswith("zh") else "en")
    return best[1]


def problem_response(request: Request, problem: Problem) -> Response:
    language = language_of(request)
    document = problem.told(language)
    document["instance"] = request.url.path
    document["request_id"] = getattr(request.state, "request_id", None)
    headers = {"Content-Language": "zh-CN" if language == "zh" else "en"}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = json.dumps(document, ensure_ascii=False, default=str).encode("utf-8", "replace")
    return Response(body, problem.status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Teach the application to answer every failure as a problem."""
    app.add_exception_handler(Problem, lambda request, error: problem_response(request, error))
    app.add_exception_handler(RequestValidationError, _payload_fault)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _http_fault)  # type: ignore[arg-type]
    app.add_exception_handler(DBAPIError, _database_fault)  # type: ignore[arg-type]
    app.add_exception_handler(StatementError, _database_fault)  # type: ignore[arg-type]
    app.add_exception_handler(PoolTimeout, lambda request, _: problem_response(request, Unavailable(retry_after=1)))
    app.add_exception_handler(Exception, _unforeseen)


async def _payload_fault(request: Request, error: RequestValidationError) -> Response:
    return problem_response(request, Invalid(faults=[fault_of(entry, error.body) for entry in error.errors()[:100]]))


class UnreadableBody(Problem):
    status, code = 400, "unreadable_body"
    zh = "请求体无法读取：须为 UTF-8 编码的 JSON，或完整的表单"
    en = "The body cannot be read: it has to be JSON in UTF-8, or a whole form"


class NestedTooDeeply(Problem):
    status, code = 400, "nested_too_deeply"
    zh, en = "请求体的 JSON 嵌套层数过多", "The JSON of the body is nested too deeply"


async def _http_fault(request: Request, error: HTTPException) -> Response:
    if error.status_code == 404:
        return problem_response(request, NotFound())
    if error.status_code == 413:
        return problem_response(request, TooLarge(limit=error.detail))
    if error.status_code == 400:
        # why a body could not be read stands behind what FastAPI says of all such bodies
        deep = isinstance(error.__cause__, RecursionError)
        return problem_response(request, NestedTooDeeply() if deep else UnreadableBody(reason=str(error.detail)))

    class Plain(Problem):
        status, code = error.status_code, f"http_{error.status_code}"
        zh, en = "请求无法处理", str(error.detail)

    response = problem_response(request, Plain())
    response.headers.update(error.headers or {})
    return response


async def _database_fault(request: Request, error: StatementError) -> Response:
    return problem_response(request, problem_of(error))


def problem_of(error: StatementError) -> Problem:
    """What a refusal by the database means to the caller."""
    cause = error.orig
    if isinstance(error, IntegrityError):
        name = getattr(getattr(cause, "diag", None), "constraint_name", None) or ""
        log.info("constraint", constraint=name)
        return CONSTRAINTS.get(name, Conflict)()
    if isinstance(cause, pg.DeadlockDetected | pg.SerializationFailure | pg.LockNotAvailable | pg.QueryCanceled):
        return Unavailable(retry_after=1)
    if isinstance(error, DataError) or isinstance(cause, UnicodeEncodeError | OverflowError | ValueError):
        return Invalid()
    if isinstance(error, OperationalError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        log.warning("database_unavailable", error=type(cause).__name__)
        return Unavailable(retry_after=1)
    log.error("database_error", exception=repr(error))
    return Unforeseen()


class Unforeseen(Problem):
    status, code = 500, "internal"
    zh, en = "系统内部错误，请凭请求编号联系管理员", "Internal error; give the request id to the administrator"


async def _unforeseen(request: Request, error: Exception) -> Response:
    log.error("unforeseen", exc_info=error)
    return problem_response(request, Unforeseen())
