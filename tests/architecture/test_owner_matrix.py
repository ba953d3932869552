"""Every operation × every role × somebody else's: who holds the permission, but not over this thing, is told that there is none."""

import pytest

from shop.app import domain_routes
from shop.identity.permissions import GRANTS, REGIONAL, Role
from tests.architecture.test_permission_matrix import SUPPLIER_SIDE, written
from tests.factories.bodies import Bodies
from tests.factories.identity import make_organisation, make_user
from tests.factories.world import make_world

#: A district in which nothing of the world lies.
ELSEWHERE = "500229"
#: What everybody who signed in may see, whoever it belongs to.
OPEN = {
    ("GET", "/v1/products/{product_id}/evaluations"),
    ("GET", "/v1/suppliers/{supplier_id}/evaluations"),
    # photos of evaluations hang on the product's page
    ("GET", "/v1/evaluations/{evaluation_id}/photos/{file_id}"),
    ("GET", "/v1/skus/{sku_id}/capacity"),
    # a year names nothing of anybody's: without a unit they are about the own one
    ("GET", "/v1/reserved-shares/{year}"),
    ("PUT", "/v1/reserved-shares/{year}"),
    ("POST", "/v1/reserved-shares/{year}/file"),
    ("GET", "/v1/reserved-shares/{year}/revisions"),
    ("GET", "/v1/reserved-shares/{year}/reminders"),
    ("GET", "/v1/reserved-shares/{year}/export"),
    ("POST", "/v1/reserved-shares/{year}/import"),
    # counts and figures of the whole city are for every officer; a month is that of the own county unless another is named
    ("GET", "/v1/monthly-closes/{month}"),
    ("GET", "/v1/monthly-closes/{month}/grades"),
    ("POST", "/v1/monthly-closes/{month}/explanations"),
    ("POST", "/v1/monthly-closes/{month}/close"),
    ("GET", "/v1/bulletins/{bulletin_id}"),
    ("GET", "/v1/bulletins/{bulletin_id}/files/{format}"),
    ("GET", "/v1/bulletins/{bulletin_id}/changes"),
    ("GET", "/v1/products/{product_id}"),
    ("GET", "/v1/skus/{sku_id}"),
    ("GET", "/v1/skus/{sku_id}/stock"),
    # what a district is to reach, and how far it is, are totals: open to every officer
    ("GET", "/v1/targets/{target_id}"),
    ("GET", "/v1/targets/{target_id}/revisions"),
    # a buyer sees the own open orders of any certificate, so none here
    ("GET", "/v1/certificates/{certificate_id}/open-orders"),
}
#: Bodies that a schema does not tell enough about.
BODIES = {
    "/v1/agreements/{agreement_id}/changes": {"reason": "涨价", "amount_cap": "10.00"},
    "/v1/quotation-requests/{request_id}/award": {"reason": "综合比价", "lines": [{"line_no": 1, "supplier_id": 1}]},
    "/v1/quotation-requests/{request_id}/quotations": {
        "valid_until": "2099-12-31",
        "lines": [{"line_no": 1, "sku_id": 1, "tiers": [{"min_quantity": "1", "unit_price": "1.00"}]}],
    },
    "/v1/supplier-orders/{supplier_order_id}/amendments": {"reason": "缺货", "lines": [{"order_line_id": 1, "quantity": "1"}]},
}
#: Whose operations are under test: those of buying. Certification has its own tests of reach.
PREFIX = "orders."


def operations(world):
    """Operations on one thing of the world: (operation, route, path with its ids)."""
    for routes in domain_routes():
        for operation, route in zip(routes.operations, routes.router.routes, strict=True):
            if operation.public or operation.permission is None or "{" not in route.path:
                continue
            if not route.endpoint.__module__.startswith(PREFIX):
                continue
            yield operation, route, filled(route.path, world)


def filled(path, world):
    """The path with the ids of the world; a collection inside another is looked up by both names first."""
    names, parts = [], []
    for part in path.removeprefix("/v1/").split("/"):
        if part.startswith("{"):
            inner = f"{names[-2]}/{names[-1]}" if len(names) > 1 else names[-1]
            parts.append(str(world[inner] if inner in world else world[names[-1]]))
        else:
            names.append(part)
            parts.append(part)
    return "/v1/" + "/".join(parts)


def stranger(database, role):
    """Somebody with the role, whose organisation or region has nothing to do with the world."""
    with database.unit_of_work() as session:
        if role in REGIONAL:
            return make_user(session, role, region_code=ELSEWHERE)
        kind, capacity = ("cooperative", "supplier") if role in SUPPLIER_SIDE else ("school", "budget_unit")
        return make_user(session, role, make_organisation(session, kind=kind, role=capacity, region_code=ELSEWHERE))


@pytest.mark.slow(seconds=27)
def test_a_stranger_is_told_that_there_is_nothing(api, database, server):
    world = make_world(api, database)
    bodies = Bodies(server.app.openapi())
    wrong, unclear, tried = [], set(), 0
    for role in Role:
        if role is Role.PLATFORM_ADMIN:  # nothing is somebody else's
            continue
        client = api.as_(stranger(database, role))
        before = written(database)
        for operation, route, path in operations(world):
            place = (operation.method, route.path)
            if operation.permission not in GRANTS[role] or place in OPEN:
                continue
            body = {"json": BODIES[route.path]} if route.path in BODIES else bodies.request(operation.method, route.path)
            if route.path == "/v1/reserved-shares/{year}/review":
                path += f"?unit_id={world['organisations']}"
            answer = client.request(operation.method, path, **body)
            tried += 1
            if answer.status_code == 422:
                unclear.add(place)
            elif answer.status_code not in (403, 404):
                wrong.append((role.value, *place, answer.status_code, answer.text[:200]))
        assert written(database) == before, role
    assert wrong == []
    # a body that is refused before anybody looks whose it is proves nothing
    assert unclear == set()
    assert tried > 200
