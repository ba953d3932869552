"""Every route declares who may call it, and what moves something can be sent twice."""

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any

from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from catalog.certification.states import Level
from orders.banking.states import FailureStatus, FileMove, failure_moves
from orders.refunds.states import RefundStatus, refund_moves
from orders.settlement.states import AdvanceStatus, PayoutFileMove, PayoutStatus, advance_moves, payout_moves
from shop.app import domain_routes
from shop.core.quantities import written
from shop.identity.permissions import GRANTS, Permission

#: The only operations that anybody may call. A new one is a decision, made here.
PUBLIC = {
    ("POST", "/v1/auth/token"),
    ("POST", "/v1/organisations"),
    ("GET", "/v1/public/notices"),
    ("GET", "/v1/public/notices/{case_id}"),
    ("POST", "/v1/public/notices/{case_id}/objections"),
    ("GET", "/v1/public/objections/{receipt}"),
    ("POST", "/v1/public/objections/{receipt}/files"),
    ("GET", "/v1/public/certificates/{number}"),
    ("GET", "/v1/public/certificates/{number}/page"),
    ("GET", "/v1/public/catalogue-batches"),
    ("GET", "/v1/public/catalogue-batches/{number}"),
    ("GET", "/v1/public/purchase-proofs/{number}"),
    ("GET", "/v1/public/purchase-proofs/{number}/page"),
    ("GET", "/v1/public/bulletins"),
    ("GET", "/v1/public/bulletins/{number}"),
    ("GET", "/v1/public/bulletins/{number}/files/{format}"),
    ("POST", "/v1/public/complaints"),
    ("GET", "/v1/public/complaints/{receipt}"),
    ("GET", "/v1/public/ocds/releases"),
    ("GET", "/v1/public/ocds/records/{ocid}"),
    ("GET", "/v1/public/tables"),
    ("GET", "/v1/public/tables/{name}/{year}.csv"),
    ("GET", "/v1/public/tables/{name}/{year}.csv-metadata.json"),
    ("GET", "/v1/public/tables/{name}/{year}.sdmx.csv"),
    # told from strangers by its signature
    ("POST", "/v1/stripe/webhooks"),
}
#: Operations that only need a signed-in user.
SIGNED_IN = {
    ("POST", "/v1/auth/revoke"),
    ("GET", "/v1/me"),
    ("PATCH", "/v1/me"),
    ("POST", "/v1/me/password"),
}
#: Their answers hold secrets, or they change nothing: not kept for replay.
NOT_REPLAYED = {
    ("POST", "/v1/auth/token"),
    ("POST", "/v1/auth/revoke"),
    ("POST", "/v1/me/password"),
    ("POST", "/v1/api-keys"),
    ("POST", "/v1/outlets/{outlet_id}/devices"),
    ("POST", "/v1/outlet-devices"),
    ("POST", "/v1/webhook-endpoints"),
    ("POST", "/v1/webhook-endpoints/{endpoint_id}/rotate-secret"),
    ("POST", "/v1/certification-cases/{case_id}/households/reveal"),
    ("POST", "/v1/check-plans/{plan_id}/verify"),
    ("POST", "/v1/stripe/webhooks"),
}
#: Moves of orders/ that heed no ``If-Match``, with why nothing that changed since it was read can come to harm by them.
ANY_VERSION = {
    "/v1/bank-matches/{match_id}/undo": "names the match itself, which never changes: it is undone once, and one made since is another",
    "/v1/quotation-requests/{request_id}/decline": "what was published is not changed, only ended, which refuses it; and whoever quotes has not declined",
    "/v1/supplier-orders/{supplier_order_id}/freight/agree": "says the freight that was read, and is refused where another is asked for by now",
    "/v1/vouchers/redeem": "names the voucher by what the guest shows, which nobody has read before; it is redeemed once",
}
OUTSIDE_THE_DOMAINS = {"/healthz", "/readyz", "/metrics", "/docs", "/docs/assets", "/openapi.json"}


def declared():
    for routes in domain_routes():
        paths = [route for route in routes.router.routes if isinstance(route, APIRoute)]
        assert len(paths) == len(routes.operations)
        for operation, route in zip(routes.operations, paths, strict=True):
            yield operation, (operation.method, route.path)


def test_every_route_declares_a_permission_or_stands_in_a_list():
    public = {place for operation, place in declared() if operation.public}
    signed_in = {place for operation, place in declared() if not operation.public and operation.permission is None}
    assert public == PUBLIC
    assert signed_in == SIGNED_IN


def test_every_route_of_the_server_is_declared(server):
    known = {path for _, (_, path) in declared()} | OUTSIDE_THE_DOMAINS
    served = set(server.app.openapi()["paths"]) | {route.path for route in server.app.routes if hasattr(route, "path")}
    assert served <= known


def test_what_creates_or_moves_something_takes_an_idempotency_key(server):
    for operation, (method, path) in declared():
        if method == "GET":
            continue
        parameters = server.app.openapi()["paths"][path][method.lower()].get("parameters", [])
        takes_key = any(parameter["name"] == "Idempotency-Key" for parameter in parameters)
        assert takes_key == ((method, path) not in NOT_REPLAYED), (method, path)
        assert takes_key == operation.idempotent


def test_what_is_moved_is_what_the_caller_read():
    """Whoever gets an ETag may send it with the next move."""
    heedless = {
        path
        for routes in domain_routes()
        for operation, route in zip(routes.operations, routes.router.routes, strict=True)
        if isinstance(route, APIRoute) and (path := route.path) and operation.method == "POST" and operation.status == 200
        if route.endpoint.__module__.startswith("orders.") and _has_version(operation.answer)
        if "if_match" not in inspect.getsource(getattr(sys.modules[route.endpoint.__module__], operation.name))
    }
    assert heedless == ANY_VERSION.keys()


def _has_version(answer: TypeAdapter[Any] | None) -> bool:
    return "version" in getattr(getattr(answer, "_type", None), "model_fields", {})


def test_what_looks_at_the_version_read_says_so(server):
    """``If-Match`` stands in OpenAPI where, and only where, an endpoint looks at it."""
    served = [
        (operation, route)
        for routes in domain_routes()
        for operation, route in zip(routes.operations, routes.router.routes, strict=True)
    ]
    looking = {
        (module, function.name)
        for module in {route.endpoint.__module__ for _, route in served}
        for function in ast.walk(ast.parse(inspect.getsource(sys.modules[module])))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and node.attr == "if_match"
    }
    assert len(looking) > 50
    saying = set()
    for operation, route in served:
        parameters = server.app.openapi()["paths"][route.path][operation.method.lower()].get("parameters", [])
        if any(parameter["name"] == "If-Match" for parameter in parameters):
            saying.add((route.endpoint.__module__, route.endpoint.__name__))
    assert saying == looking, "an endpoint itself hands on call.if_match, so that it is seen to look at it"


def test_what_a_file_answers_is_documented(server):
    paths = server.app.openapi()["paths"]
    beyond = paths["/v1/exports/{export_id}/file"]["get"]["responses"]["416"]
    assert "application/problem+json" in beyond["content"]
    for path in ("/v1/public/bulletins/{number}/files/{format}", "/v1/bulletins/{bulletin_id}/files/{format}"):
        as_json = paths[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        described = server.app.openapi()["components"]["schemas"][as_json["$ref"].rpartition("/")[2]]
        assert {"totals", "revision"} <= described["properties"].keys()


def test_every_permission_is_used_and_granted():
    # whoever reviews may call the routes of reviewing; which cases are before them is told by the permission of their level
    used = ({operation.permission for operation, _ in declared()} - {None}) | {level.permission for level in Level}
    granted = frozenset().union(*GRANTS.values())
    assert used == granted == set(Permission)


def test_permissions_are_sorted():
    values = [permission.value for permission in Permission]
    assert values == sorted(values)


def test_operation_ids_are_unique(server):
    ids = [operation["operationId"] for path in server.app.openapi()["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


def test_the_docs_need_no_internet(server):
    import httpx

    page = httpx.get(server.address() + "/docs", timeout=60).text
    assert "http://" not in page
    assert "https://" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert f"/docs/assets/{asset}" in page
        assert httpx.get(f"{server.address()}/docs/assets/{asset}", timeout=60).status_code == 200


def test_what_may_be_done_with_money_is_named_as_its_route():
    """Who reads ``possible_actions`` posts to the thing's own address with the action behind it."""
    offered = {
        "/v1/payouts/{payout_id}": {
            move for status in PayoutStatus for move in payout_moves(status, "bank", objected=False, early=False)
        },
        "/v1/refunds/{refund_id}": {move for status in RefundStatus for move in refund_moves(status, "bank_transfer")},
        "/v1/advances/{advance_id}": {move for status in AdvanceStatus for move in advance_moves(status)},
        "/v1/refund-files/{file_id}": set(FileMove),
        "/v1/payout-files/{payout_file_id}": set(PayoutFileMove),
        "/v1/failure-reports/{failure_report_id}": {move for status in FailureStatus for move in failure_moves(status, own=False)},
    }
    routes = [route for routes in domain_routes() for route in routes.router.routes if isinstance(route, APIRoute)]
    served = {route.path: route.status_code for route in routes if "POST" in route.methods}
    named = {f"{path}/{move}": 200 for path, moves in offered.items() for move in moves}
    assert {path: served.get(path) for path in named} == named


def _asked(dependant: Dependant) -> Iterator[ModelField]:
    """Everything that a route reads of a request."""
    for each in dependant.dependencies:
        yield from _asked(each)
    yield from (*dependant.path_params, *dependant.query_params, *dependant.header_params, *dependant.body_params)


def _found(schema: Any, path: str, types: tuple[str, ...], guarded: Callable[[Any], bool]) -> Iterator[str]:
    """Where a schema of Pydantic takes one of these types without a validator before it that guards it."""
    if isinstance(schema, dict):
        if schema.get("type") == "function-before" and guarded(schema["function"]["function"]):
            return
        if schema.get("type") in types and not schema.get("strict"):
            yield path
        for name, part in schema.items():
            if name not in ("function", "serialization", "metadata"):
                yield from _found(part, f"{path}.{name}", types, guarded)
    elif isinstance(schema, list | tuple):
        for part in schema:
            yield from _found(part, path, types, guarded)


def test_days_and_moments_are_written_out_wherever_they_are_asked_for():
    """Pydantic takes a number for seconds since 1970: requests use ``AnyDay``, ``Day`` or ``Moment``."""
    found = {
        f"{route.path} {path}"
        for routes in domain_routes()
        for route in routes.router.routes
        if isinstance(route, APIRoute)
        for field in _asked(route.dependant)
        for path in _found(
            field._type_adapter.core_schema, field.name, ("date", "datetime"), lambda validator: validator is written
        )
    }
    assert found == set()


def _refuses_true(validator: Any) -> bool:
    try:
        validator(True)
    except ValueError:
        return True
    return False


def test_true_is_no_number_wherever_a_body_holds_one():
    """Pydantic takes ``true`` for 1: bodies use ``Id``, ``whole``, quantities and amounts."""
    found = {
        f"{route.path} {path}"
        for routes in domain_routes()
        for route in routes.router.routes
        if isinstance(route, APIRoute)
        for field in route.dependant.body_params
        for path in _found(field._type_adapter.core_schema, field.name, ("int", "float", "decimal"), _refuses_true)
    }
    assert found == set()
