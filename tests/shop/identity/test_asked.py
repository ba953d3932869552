"""What a list is asked for and is not there is refused by its field, in every list alike."""

import pytest

from shop.identity.permissions import Role
from tests.factories.identity import make_organisation, make_user, signed_in


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1/reports", {"district": "500999"}),
        ("/v1/reserved-shares", {"district": "500999"}),
        ("/v1/indicators", {"region": "500999"}),
        ("/v1/targets", {"region": "500999"}),
        ("/v1/targets", {"programme": "nowhere-2020"}),
        ("/v1/coverage/stations", {"place": "500999"}),
        ("/v1/counting-holds", {"district": "500999"}),
        ("/v1/counting-holds", {"district": "500999", "format": "csv"}),
        ("/v1/external-sales", {"district": "500999"}),
        ("/v1/external-sales", {"buyer_id": 999_999}),
        ("/v1/external-sales", {"supplier_id": 999_999, "format": "csv"}),
        ("/v1/agreements", {"buyer_id": 999_999}),
        ("/v1/pledges", {"organisation_id": 999_999}),
        ("/v1/quotation-requests", {"buyer_id": 999_999}),
    ],
)
def test_a_code_that_there_is_not_is_named(api, database, path, asked):
    client = signed_in(api, Role.CITY_OFFICER)
    answer = client.get(path, params=asked)
    [field] = [name for name in asked if name != "format"]
    assert answer.status_code == 422, answer.text
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [(field, "unknown_code")]
    known = {"region": "500236", "district": "500236", "place": "500236", "programme": "chongqing-2021"}
    if field not in known:
        with database.unit_of_work() as session:
            known[field] = make_organisation(session, kind="enterprise").id
    assert client.get(path, params={**asked, field: known[field]}).status_code == 200


def test_a_unit_above_the_own_one_is_known_and_another_is_not(api, database):
    with database.unit_of_work() as session:
        above = make_organisation(session, kind="school", role="budget_unit")
        own = make_organisation(session, kind="school", role="budget_unit", parent=above)
        other = make_organisation(session, kind="school", role="budget_unit")
        user = make_user(session, Role.BUYER_ADMIN, organisation=own)
    client = api.as_(user)
    for path in ("/v1/budgets", "/v1/approval-rules", "/v1/delivery-addresses"):
        found = {each.id: client.get(path, params={"organisation_id": each.id}).status_code for each in (above, own, other)}
        assert found == {above.id: 200, own.id: 200, other.id: 422}
