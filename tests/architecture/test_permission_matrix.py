"""Every operation × every role: who has no permission is refused before anything else, and nothing is written."""

import re

import pytest
from sqlalchemy import text

from shop.app import domain_routes
from shop.identity.permissions import GRANTS, REGIONAL, Role
from tests.factories.identity import make_organisation, make_user

SUPPLIER_SIDE = {Role.SUPPLIER_ADMIN, Role.SUPPLIER_STAFF}


def operations():
    for routes in domain_routes():
        for operation, route in zip(routes.operations, routes.router.routes, strict=True):
            yield operation, re.sub(r"\{[^}]+\}", "999999999", route.path)


def written(database):
    """How many rows each table holds that a request could write."""
    with database.unit_of_work() as session:
        names = session.execute(
            text(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'token'"
            )
        ).scalars()
        counts = " UNION ALL ".join(f"SELECT '{name}' AS name, count(*) AS count FROM \"{name}\"" for name in names)
        return dict(session.execute(text(counts)).all())


@pytest.mark.slow
@pytest.mark.parametrize("role", list(Role))
def test_a_role_reaches_what_its_permissions_say_and_nothing_else(api, database, role):
    with database.unit_of_work() as session:
        kind, capacity = ("cooperative", "supplier") if role in SUPPLIER_SIDE else ("school", "budget_unit")
        organisation = (
            None if role in REGIONAL or role is Role.PLATFORM_ADMIN else make_organisation(session, kind=kind, role=capacity)
        )
        user = make_user(session, role, organisation)
    before = written(database)
    client = api.as_(user)
    for operation, path in operations():
        if operation.public or operation.permission is None or operation.permission in GRANTS[role]:
            continue
        answer = client.request(operation.method, path, json={} if operation.method != "GET" else None)
        # a body that is no body of this operation is refused as such; with a good one the permission decides
        assert answer.status_code in (403, 422), (operation.method, path, answer.status_code)
        if operation.method == "GET":
            assert answer.status_code == 403, path
            assert answer.json()["code"] == "forbidden"
    assert written(database) == before


@pytest.mark.slow
def test_nobody_gets_anywhere_without_signing_in(api, database):
    before = written(database)
    for operation, path in operations():
        if operation.public:
            continue
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-API-Key": "wrong"}, {"Authorization": "Basic YTpi"}):
            answer = api.request(operation.method, path, headers=headers, json={} if operation.method != "GET" else None)
            assert answer.status_code in ((401,) if operation.method == "GET" or not headers else (401, 422)), (
                operation.method,
                path,
            )
    assert written(database) == before
