"""Generated requests against every operation of the real server: no 5xx, no undocumented status, no answer off its schema.

The number of cases follows SHOP_FUZZ_CASES (all operations together; `make test` runs 900), the seed SHOP_FUZZ_SEED.
"""

import os
from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from shop.core import rate_limits
from shop.core.db import Database
from shop.identity.models import UserRole
from shop.identity.permissions import REGIONAL, Role
from tests.factories.catalog import make_product
from tests.factories.identity import access_token, make_organisation, make_supplier, make_user

CASES = int(os.environ.get("SHOP_FUZZ_CASES", "900"))
SEED = int(os.environ.get("SHOP_FUZZ_SEED", "20261123"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
#: They end the sign-in that the run itself works with.
LEFT_OUT = {"/v1/auth/revoke", "/v1/me/password", "/v1/users/{user_id}/deactivate"}
done: Counter[str] = Counter()


@pytest.fixture(scope="module")
def ground(cluster, template, server):
    """A database with something in it, and a user who may do everything."""
    database = Database(cluster.create("fuzz", template), pool_size=20)
    with database.unit_of_work() as session:
        school = make_organisation(session, kind="school")
        user = make_user(session, Role.PLATFORM_ADMIN, school)
        for role in set(Role) - {Role.PLATFORM_ADMIN}:
            session.add(UserRole(user_id=user.id, role=role, region_code="500000" if role in REGIONAL else None))
        for _ in range(3):
            make_product(session, make_supplier(session))
        token = access_token(session, user)
    server.app.state.database = database
    rate_limits.forget_all()
    yield {"Authorization": f"Bearer {token}"}
    database.dispose()


@pytest.fixture(scope="module")
def schema(ground, server):
    return schemathesis.openapi.from_url(server.address() + "/openapi.json", timeout=300)


def exercise(operation, headers, cases):
    """A Hypothesis test of one operation."""

    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def run(data):
        case = data.draw(operation.as_strategy())
        done[operation.label] += 1
        case.call_and_validate(headers=headers, checks=CHECKS)

    return run


@pytest.mark.slow(seconds=28)
def test_every_operation_under_generated_requests(schema, ground):
    operations = [found.ok() for found in schema.get_all_operations()]
    operations = [operation for operation in operations if operation.path not in LEFT_OUT]
    each = -(-CASES // (len(operations) - 8))  # some operations take nothing that could vary
    failures = []
    for operation in operations:
        try:
            seed(SEED)(exercise(operation, ground, each))()
        except (Exception, FailureGroup) as error:
            failures.append(f"{operation.label}: {str(error)[:1500]}")
    print(f"seed {SEED}: {sum(done.values())} cases over {len(operations)} operations")
    assert not failures, "\n\n".join(failures)
    assert sum(done.values()) >= CASES
