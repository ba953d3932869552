"""What a list is asked for and is not there is refused by its field, in every list alike, and in its totals and files."""

import pytest

from shop.identity.permissions import Role
from tests.factories.identity import make_organisation, make_user, signed_in
from tests.factories.orders import make_market


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
        ("/v1/products/facets", {"district": "500999"}),
        ("/v1/products/facets", {"supplier_id": 999_999}),
        ("/v1/certification-statistics/stock", {"district": "500999"}),
        ("/v1/certification-statistics/stock", {"district": "500999", "format": "csv"}),
        ("/v1/certification-statistics/stock-over-time", {"district": "500999"}),
        ("/v1/statistics/certification", {"district": "500999", "format": "csv"}),
        ("/v1/books", {"supplier_id": 999_999, "format": "xlsx"}),
        ("/v1/invoices/totals", {"seller_id": 999_999}),
        ("/v1/invoices/archive", {"buyer_id": 999_999}),
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


@pytest.mark.parametrize(
    ("role", "path", "asked"),
    [
        (Role.CITY_OFFICER, "/v1/organisations", {"region_code": "500999"}),
        (Role.CITY_OFFICER, "/v1/products", {"township": "500236T99"}),
        (Role.CITY_OFFICER, "/v1/certificates", {"batch_id": 999_999}),
        (Role.CITY_OFFICER, "/v1/certificates", {"product_id": 999_999}),
        (Role.CITY_OFFICER, "/v1/objections", {"case_id": 999_999}),
        (Role.CITY_OFFICER, "/v1/inspections", {"certificate_id": 999_999}),
        (Role.CITY_OFFICER, "/v1/inspections", {"plan_id": 999_999}),
        (Role.CITY_OFFICER, "/v1/sales-batches", {"outlet_id": 999_999}),
        (Role.MONITOR, "/v1/sale-entries", {"order_id": 999_999}),
        (Role.CITY_OFFICER, "/v1/late-instalments", {"agreement_id": 999_999}),
        (Role.PLATFORM_FINANCE, "/v1/invoices", {"purchase_order_id": 999_999}),
        (Role.PLATFORM_FINANCE, "/v1/invoices", {"supplier_order_id": 999_999}),
        (Role.PLATFORM_FINANCE, "/v1/invoices", {"seller_id": 999_999}),
        (Role.PLATFORM_FINANCE, "/v1/credit-notes", {"invoice_id": 999_999}),
        (Role.PLATFORM_FINANCE, "/v1/bank-lines", {"statement_id": 999_999}),
        (Role.PLATFORM_FINANCE, "/v1/bank-lines", {"assigned_to": 999_999}),
        (Role.PLATFORM_FINANCE, "/v1/bank-lines/export", {"assigned_to": 999_999}),
        (Role.PLATFORM_FINANCE, "/v1/invoices/totals", {"purchase_order_id": 999_999}),
        (Role.PLATFORM_FINANCE, "/v1/dues/totals", {"purchase_order_id": 999_999}),
        (Role.PLATFORM_FINANCE, "/v1/dues/totals", {"buyer_id": 999_999}),
        (Role.PLATFORM_FINANCE, "/v1/dues/export", {"supplier_id": 999_999}),
        (Role.PLATFORM_FINANCE, "/v1/money/ageing?format=csv", {"party_id": 999_999}),
        (Role.PLATFORM_FINANCE, "/v1/money/trial-balance?format=xlsx", {"party_id": 999_999}),
        (Role.PLATFORM_FINANCE, "/v1/month-close?month=2026-01&format=csv", {"seller_id": 999_999}),
        (Role.CITY_OFFICER, "/v1/counting-holds", {"subject_id": 999_999}),
    ],
)
def test_a_document_that_there_is_not_is_named(api, role, path, asked):
    answer = signed_in(api, role).get(path, params=asked)
    assert answer.status_code == 422, answer.text
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [(*asked, "unknown_code")]


def test_an_order_of_ones_own_is_known_and_that_of_another_is_none(api, database):
    """Whether there is one is told by none of the lists that it may stand in."""
    market = make_market(database)
    own = api.as_(market.purchaser)
    placed = own.post("/v1/purchase-orders", json=market.order(1)).json()
    with database.unit_of_work() as session:
        school = make_organisation(session, kind="school", role="budget_unit", region_code="500103")
        stranger = make_user(session, Role.BUYER_ADMIN, organisation=school)
        elsewhere = make_user(session, Role.COUNTY_OFFICER, region_code="500229")
        finance = make_user(session, Role.PLATFORM_FINANCE)
    for path, asked in (
        ("/v1/invoices", {"purchase_order_id": placed["id"]}),
        ("/v1/disputes", {"supplier_order_id": placed["supplier_orders"][0]["id"]}),
    ):
        [name] = asked
        assert own.get(path, params=asked).json() == {"items": [], "next": None}
        assert own.get(path, params={name: 999_999}).status_code == 422
        for user in (stranger, elsewhere):
            client = api.as_(user)
            answers = [client.get(path, params={name: number}) for number in (asked[name], 999_999)]
            assert {(each.status_code, each.json()["code"]) for each in answers} <= {(422, "invalid"), (403, "forbidden")}
    assert api.as_(finance).get("/v1/invoices", params={"purchase_order_id": placed["id"]}).status_code == 200


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
