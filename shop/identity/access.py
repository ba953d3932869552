"""Routes: one declaration gives a path its permission, its transaction and its idempotency.

``Routes`` wraps an endpoint ``def place(call: Call, body: OrderIn) -> OrderOut`` so that one thread runs, inside one transaction:
who is asking -> may they -> was this key answered before -> the endpoint -> the answer as bytes -> remember it -> commit.
Only then does the response leave. An error rolls everything back, and with it the claim on the key.
"""

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from types import TracebackType
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Header, Request
from fastapi.dependencies.models import Dependant
from fastapi.responses import JSONResponse, Response
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer
from pydantic import BaseModel, TypeAdapter
from sqlmodel import Session

from shop.core import clock, idempotency, paging, rate_limits
from shop.core.db import Database
from shop.core.edge import language_of
from shop.core.errors import Changed, Fault, Forbidden, Invalid, Language, Unauthenticated
from shop.core.settings import settings
from shop.identity import asked, tokens
from shop.identity.actor import Actor
from shop.identity.errors import InvalidKey
from shop.identity.permissions import Permission
from shop.identity.routing import Route, operation_id

bearer = OAuth2PasswordBearer(tokenUrl="/v1/auth/token", auto_error=False, scheme_name="bearer")
api_key = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="api_key")

MOVING_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Operation:
    """What a route declares about itself."""

    name: str
    method: str
    permission: Permission | None
    public: bool
    #: Public, and told from strangers by the signature of its body, which the endpoint checks.
    signed: bool
    idempotent: bool
    status: int
    answer: TypeAdapter[Any] | None
    #: Looks at ``If-Match``: its endpoint names :meth:`Call.if_match`.
    versioned: bool = False
    #: The body holds a password: what is kept of it must not help anybody to find it.
    secret_body: bool = False

    def digest(self, content: bytes) -> bytes:
        """What is kept of a request, to know it again."""
        if self.secret_body:
            return hashlib.pbkdf2_hmac("sha256", content, self.name.encode(), 200_000)
        return hashlib.sha256(content).digest()


class Call:
    """One request on its way through: the session of its transaction, who is asking, in which language."""

    session: Session
    #: Who is asking. On a public route the system's stand-in; see ``caller``.
    actor: Actor

    def __init__(self, request: Request, token: str | None, key: str | None, idempotency_key: str | None) -> None:
        self.request = request
        self.language: Language = language_of(request)
        self._token = token
        self._api_key = key
        self._idempotency_key = idempotency_key
        self.headers: dict[str, str] = {}

    @property
    def address(self) -> str:
        """The client's address; behind a trusted proxy the server has already replaced it by the forwarded one."""
        return self.request.client.host if self.request.client else "unknown"

    @property
    def token(self) -> str | None:
        """The bearer token of the request; none when an API key was sent instead."""
        return self._token

    def if_match(self, version: int) -> None:
        """Refuse when the caller's ``If-Match`` names versions, but not the present one; ``*`` is any (RFC 9110, 13.1.1).

        Raises:
            Changed: somebody changed the resource after the caller read it (412).
        """
        given = self.request.headers.get("if-match")
        if given is not None and {f'"{version}"', "*"}.isdisjoint(tag.strip() for tag in given.split(",")):
            raise Changed

    def __enter__(self) -> "Call":
        database: Database = self.request.app.state.database
        self.session = database.session()
        try:
            clock.follow(self.session)
            if settings().demo:
                clock.read_shift(self.session)
        except BaseException:
            self.session.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is None:
                self.session.commit()
            else:
                self.session.rollback()
        finally:
            self.session.close()

    def admit(self, operation: Operation) -> None:
        """Find out who asks and whether they may.

        Raises:
            Unauthenticated, InvalidKey: no valid token or key (401).
            Forbidden: no role with the permission that the route declares (403).
        """
        if operation.signed:
            return
        if operation.public:
            rate_limits.spend("public", self.address, settings().public_rate_per_minute)
            return
        actor = tokens.actor_of(self.session, token=self._token, api_key=self._api_key, address=self.address)
        if actor is None:
            raise InvalidKey if self._api_key or tokens.of_device(self._token) else Unauthenticated
        self.actor = actor
        self.request.state.user_id = actor.user_id
        if actor.device:
            rate_limits.spend("device", str(actor.device.id), settings().device_rate_per_minute)
            if operation.permission is None:  # what every user may do, a device may not
                raise Forbidden
        if operation.permission is not None and not actor.may(operation.permission):
            raise Forbidden(permission=operation.permission)

    def claim(self, operation: Operation, body: bytes) -> "idempotency.Claim | None":
        """Claim the caller's Idempotency-Key, if one was sent."""
        if not operation.idempotent or self._idempotency_key is None:
            return None
        principal = f"public:{self.address}" if operation.public else self.actor.principal
        return idempotency.claim(
            self.session,
            principal=principal,
            key=self._idempotency_key,
            operation=f"{self.request.method} {self.request.url.path}",
            request_hash=operation.digest(self.request.url.query.encode() + b"\n" + body),
        )


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Chosen by the caller; the same key and content give the same answer, once done.",
        max_length=255,
    ),
]


#: How OpenAPI describes the header that :meth:`Call.if_match` reads.
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": 'The version that you read, as its `ETag` had it, such as `"3"`: refused (412) where somebody changed it since. Without it, or with `*`, whatever there is is changed.',
    "schema": {"type": "string"},
}


async def _open(
    request: Request,
    token: Annotated[str | None, Depends(bearer)],
    key: Annotated[str | None, Depends(api_key)],
) -> Call:
    if not token and not key:
        raise Unauthenticated
    return Call(request, token, key, request.headers.get("idempotency-key"))


async def _open_moving(
    request: Request,
    token: Annotated[str | None, Depends(bearer)],
    key: Annotated[str | None, Depends(api_key)],
    idempotency_key: IdempotencyKey = None,
) -> Call:
    if not token and not key:
        raise Unauthenticated
    return Call(request, token, key, idempotency_key)


async def _open_public(request: Request) -> Call:
    return Call(request, None, None, None)


async def _open_public_moving(request: Request, idempotency_key: IdempotencyKey = None) -> Call:
    return Call(request, None, None, idempotency_key)


class Routes:
    """An ``APIRouter`` whose every route declares a permission, ``signed_in=True``, ``public=True`` or ``signed=True``."""

    def __init__(self, tag: str, prefix: str = "") -> None:
        self.router = APIRouter(prefix=prefix, tags=[tag], generate_unique_id_function=operation_id, route_class=Route)
        self.operations: list[Operation] = []

    def get(self, path: str, permission: Permission | None = None, **options: Any) -> Callable[[Any], Any]:
        return self._route("GET", path, permission, **options)

    def post(self, path: str, permission: Permission | None = None, *, status: int = 201, **options: Any) -> Callable[[Any], Any]:
        return self._route("POST", path, permission, status=status, **options)

    def put(self, path: str, permission: Permission | None = None, **options: Any) -> Callable[[Any], Any]:
        return self._route("PUT", path, permission, **options)

    def patch(self, path: str, permission: Permission | None = None, **options: Any) -> Callable[[Any], Any]:
        return self._route("PATCH", path, permission, **options)

    def delete(self, path: str, permission: Permission | None = None, *, status: int = 204, **options: Any) -> Callable[[Any], Any]:
        return self._route("DELETE", path, permission, status=status, **options)

    def _route(
        self,
        method: str,
        path: str,
        permission: Permission | None,
        *,
        status: int = 200,
        public: bool = False,
        signed_in: bool = False,
        signed: bool = False,
        idempotent: bool | None = None,
        secret_body: bool = False,
        head: bool = False,
        answer: Any = None,
        **options: Any,
    ) -> Callable[[Any], Any]:
        if (permission is not None) + public + signed_in + signed != 1:
            raise ValueError(f"{method} {path} must declare a permission, or signed_in, or public, or signed")

        def decorate(endpoint: Callable[..., Any]) -> Callable[..., Any]:
            annotation = answer or inspect.signature(endpoint).return_annotation
            shown = None if annotation is None or _is_response(annotation) else annotation
            operation = Operation(
                name=endpoint.__name__,
                method=method,
                permission=permission,
                public=public or signed,
                signed=signed,
                idempotent=method in MOVING_METHODS and not signed if idempotent is None else idempotent,
                status=status,
                answer=TypeAdapter(shown) if shown is not None else None,
                versioned="if_match" in endpoint.__code__.co_names,
                secret_body=secret_body,
            )
            self.operations.append(operation)
            known: set[str] = set()
            wrapped = _within_transaction(endpoint, operation, known)
            self.router.add_api_route(
                path,
                wrapped,
                methods=[method],
                status_code=status,
                response_model=shown,
                responses={**_problems(operation), **options.pop("responses", {})},
                openapi_extra=_extra(operation),
                response_class=Response if shown is None else options.pop("response_class", _Json),
                **options,
            )
            route = cast(Route, self.router.routes[-1])
            route.head = head
            known.update(_query_names(route.dependant))
            return endpoint

        return decorate


def _extra(operation: Operation) -> dict[str, Any]:
    """What OpenAPI says of an operation besides."""
    found: dict[str, Any] = {"x-permission": str(operation.permission or ("public" if operation.public else "signed_in"))}
    if operation.versioned:
        found["parameters"] = [_IF_MATCH]
    return found


class _Json(JSONResponse):
    """JSON that is bytes already. A ``JSONResponse``, because only for those does FastAPI document the answer's own schema."""

    def render(self, content: Any) -> bytes:
        return bytes(content)


def _is_response(annotation: Any) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, Response)


def _within_transaction(endpoint: Callable[..., Any], operation: Operation, known: set[str]) -> Callable[..., Any]:
    moving = operation.method in MOVING_METHODS and operation.idempotent
    openers: dict[tuple[bool, bool], Any] = {
        (False, False): _open,
        (False, True): _open_moving,
        (True, False): _open_public,
        (True, True): _open_public_moving,
    }
    opener = openers[operation.public, moving]

    @wraps(endpoint)
    def run(call: Call, **arguments: Any) -> Response:
        with call:
            call.admit(operation)
            if known or not operation.public:  # the link to a single page gains parameters when people pass it on
                _refuse_unknown(call.request, known)
            claim = call.claim(operation, idempotency.content_of(call.request))
            if claim is not None and claim.answered is not None:
                return claim.answered
            with paging.of_list(_address(call.request), call.request.query_params.multi_items()):
                result = endpoint(call, **arguments)
            if operation.method == "GET" and not operation.public and asked.found_none(result):
                given, again = call.request.query_params, partial(endpoint, call)
                asked.require_known(call.session, call.actor, operation.permission, given, again, arguments)
            response = _render(operation, result, call)
            if claim is not None:
                claim.remember(response)
        return response

    signature = inspect.signature(endpoint)
    parameters = [
        parameter.replace(annotation=Annotated[Call, Depends(opener)]) if name == "call" else parameter
        for name, parameter in signature.parameters.items()
    ]
    parameters.sort(key=lambda parameter: parameter.default is not inspect.Parameter.empty)
    run.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters],
        return_annotation=inspect.Signature.empty,
    )
    del run.__wrapped__  # FastAPI would look through the wrapper
    return run


def _query_names(dependant: Dependant) -> set[str]:
    """The query parameters of a route and of everything that it depends on."""
    names: set[str] = set().union(*(_query_names(each) for each in dependant.dependencies))
    for parameter in dependant.query_params:
        model = parameter.field_info.annotation
        if inspect.isclass(model) and issubclass(model, BaseModel):  # a model whose fields are the parameters
            names.update(field.alias or name for name, field in model.model_fields.items())
        else:
            names.add(parameter.alias)
    return names


def _refuse_unknown(request: Request, known: set[str]) -> None:
    """A filter with a typing error must not pass for no filter."""
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        zh, en = "没有此查询参数", f"There is no such parameter; there are: {', '.join(sorted(known)) or 'none'}"
        raise Invalid(faults=[Fault(name[:100], "unknown_parameter", zh, en) for name in unknown[:20]])


def _address(request: Request) -> str:
    """Where a list is read, without the filters: the route, and of what."""
    return " ".join((request.scope["route"].path, *map(str, request.path_params.values())))


def _render(operation: Operation, result: Any, call: Call) -> Response:
    if isinstance(result, Response):
        result.headers.update(call.headers)
        return result
    if operation.answer is None:
        return Response(status_code=operation.status, headers=call.headers)
    version = getattr(result, "version", None)
    if version is not None:
        call.headers["ETag"] = f'"{version}"'
    body = operation.answer.dump_json(result, by_alias=True)
    return _Json(body, operation.status, call.headers)


#: How OpenAPI describes a refusal.
PROBLEM = {
    "description": "Problem",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def _problems(operation: Operation) -> dict[int | str, Any]:
    """The refusals that any route may give."""
    statuses = [400, 404, 422, 429, 503]
    if not operation.public:
        statuses += [401, 403]
    if operation.method in MOVING_METHODS:
        statuses += [409, 412, 413]
    return dict.fromkeys(statuses, PROBLEM)
