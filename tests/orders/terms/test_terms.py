"""How orders are paid: terms at placing, dues as they come up, shipping before payment, cancelling for want of it."""

import pytest

from tests.factories.orders import make_market


@pytest.fixture
def market(database):
    return make_market(database)


def code(answer):
    return answer.status_code, answer.json().get("code")


def test_an_order_without_terms_has_those_of_the_programme(api, market):
    buyer = api.as_(market.purchaser)
    placed = buyer.post("/v1/purchase-orders", json=market.order(2, 1)).json()
    assert placed["payment_terms"] == {"kind": "net", "days": 30}
    assert [(due["amount"], due["due_on"], due["status"]) for due in placed["dues"]] == [
        ("139.80", None, "undated"),
        ("150.00", None, "undated"),
    ]
    assert buyer.get(f"/v1/purchase-orders/{placed['id']}").json()["dues"] == placed["dues"]
