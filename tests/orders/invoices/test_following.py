"""Invoices follow an order that moves to another buyer; freight goes along."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.invoices.rules import in_words
from orders.money.rules import Account
from shop.core.money import fen_from_yuan
from shop.identity.permissions import Role
from tests.factories.after_sales import differences, rows
from tests.factories.buying import make_bureau
from tests.factories.identity import make_user, signed_in
from tests.factories.orders import make_market
from tests.orders.invoices.test_invoices import configure


def delivered(bureau, *quantities, freight=None):
    """An order of the first seller, accepted; its id and that of its part."""
    school, seller = bureau.as_("school_purchaser"), bureau.as_("seller")
    order = school.post("/v1/purchase-orders", json=bureau.order(*quantities)).json()
    part = order["supplier_orders"][0]["id"]
    if freight:
        assert seller.put(f"/v1/supplier-orders/{part}/freight", json={"freight": freight}).status_code == 200
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()["id"]
    assert school.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201
    return order["id"], part


def moved(bureau, database, order_id):
    """The order belongs to the other school from now on."""
    with database.unit_of_work() as session:
        bureau.people["county"] = make_user(session, Role.COUNTY_OFFICER, region_code="500106")
    asked = {"unit_id": bureau.other.id, "reason": "选错单位"}
    filed = bureau.as_("school_purchaser").post(f"/v1/purchase-orders/{order_id}/budget-unit-applications", json=asked).json()
    done = bureau.as_("county").post(f"/v1/budget-unit-applications/{filed['id']}/approve", json={"reason": "属实"})
    assert done.status_code == 200, done.text


def test_by_the_rule_the_one_is_credited_and_the_other_invoiced(api, database):
    configure(database, invoices="acceptance", credit_notes="automatic")
    bureau = make_bureau(api, database)
    order_id, part = delivered(bureau, 5, freight="30.00")
    [first] = bureau.as_("school_finance").get("/v1/invoices").json()["items"]
    # freight at the rate of the goods: 349.50 + 30.00 at 9 %
    assert (first["gross"], first["vat"], first["line_count"]) == ("379.50", "31.34", 2)
    moved(bureau, database, order_id)
    invoices = {row["buyer_id"]: row for row in bureau.as_("seller").get("/v1/invoices").json()["items"]}
    assert invoices[bureau.school.id]["status"] == "credited"
    assert invoices[bureau.other.id]["gross"] == "379.50"
    [note] = bureau.as_("school_finance").get("/v1/credit-notes").json()["items"]
    assert (note["reason"], note["gross"]) == ("reassignment", "379.50")
    assert bureau.as_("other_finance").get(f"/v1/invoices/{invoices[bureau.other.id]['id']}").status_code == 200
    # what is invoiced is what the marketplace's books say is owed
    owed = "SELECT sum(amount_fen)::bigint FROM money_posting WHERE account = :account AND supplier_order_id = :part AND party_id = :seller"
    values = {"account": Account.PAYABLE, "part": part, "seller": first["seller_id"]}
    assert rows(database, owed, **values) == [(-37950,)]
    assert differences(database) == {}


def test_otherwise_it_is_proposed(api, database):
    bureau = make_bureau(api, database)
    seller = bureau.as_("seller")
    order_id, part = delivered(bureau, 2, freight="12.00")
    first = seller.post(f"/v1/supplier-orders/{part}/invoices", json={}).json()
    moved(bureau, database, order_id)
    [due] = seller.get("/v1/credit-notes/due").json()["items"]
    assert (due["due"], due["owed"]) == (first["gross"], "0.00")
    # the goods are open for the new buyer; the freight is, once the first invoice gave it up
    [opened] = seller.get("/v1/invoices/uninvoiced").json()["items"]
    assert (opened["goods"], opened["freight"], opened["buyer_id"]) == ("139.80", "0.00", bureau.other.id)
    seller.post(f"/v1/invoices/{first['id']}/credit-notes", json={"reason": "reassignment"})
    second = seller.post(f"/v1/supplier-orders/{part}/invoices", json={}).json()
    assert (second["gross"], second["buyer_id"]) == (first["gross"], bureau.other.id)
    assert seller.get("/v1/credit-notes/due").json()["items"] == []
    assert differences(database) == {}


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_words_of_what_the_api_speaks(yuan):
    assert in_words(fen_from_yuan(str(yuan))).endswith(("整", "分"))


@pytest.mark.slow
def test_what_a_dispute_gave_back_ahead_never_stops_an_acceptance(api, database):
    """More was given back than the next invoice holds: it is issued, credited whole and sent, and the goods are accepted."""
    configure(database, credit_notes="automatic")
    market = make_market(database)
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    part = buyer.post("/v1/purchase-orders", json=market.order(5)).json()["supplier_orders"][0]["id"]
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]

    def accept(quantity):
        body = {"lines": [{"order_line_id": line, "quantity": quantity}]}
        shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json=body).json()["id"]
        return buyer.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code

    assert accept("4") == 201
    dispute = buyer.post(
        f"/v1/supplier-orders/{part}/disputes", json={"kind": "quality", "claim": "偏小", "claimed": "100.00"}
    ).json()
    seller.post(f"/v1/disputes/{dispute['id']}/answer", json={"answer": "同意"})
    city = signed_in(api, Role.CITY_OFFICER)
    decided = city.post(f"/v1/disputes/{dispute['id']}/decide", json={"outcome": "partial", "reason": "折让", "refund": "100.00"})
    assert decided.status_code in (200, 201), decided.text
    configure(database, invoices="acceptance")
    assert accept("1") == 201
    [invoice] = buyer.get("/v1/invoices").json()["items"]
    assert (invoice["gross"], invoice["held"], invoice["status"]) == ("69.90", "0.00", "credited")
    assert invoice["sent_at"] is not None
    # the rest of what was given back comes off the next one, which its seller sends at once
    rest = seller.post(f"/v1/supplier-orders/{part}/invoices", json={})
    assert (rest.status_code, rest.json()["held"], rest.json()["status"]) == (201, "249.50", "partly_credited")
    assert rest.json()["possible_actions"] == ["credit_part", "credit_rest"]
    assert [who.get(f"/v1/invoices/{rest.json()['id']}").json()["possible_actions"] for who in (buyer, city)] == [[], []]
    assert differences(database) == {}
