"""What a dispute gave back is shared over the invoices of a part of an order, and credited of each once."""

import pytest
from sqlalchemy import text

from shop.identity.permissions import Role
from tests.factories.after_sales import Delivered, deliver, differences, finds, rows
from tests.factories.identity import signed_in
from tests.factories.orders import make_market
from tests.orders.invoices.test_concurrency import many
from tests.orders.invoices.test_invoices import configure, give_back, issue


@pytest.fixture
def market(database):
    return make_market(database)


def two_invoices(api, market):
    """A part that was delivered and invoiced in two: of 4 and of 6 boxes, 279.60 and 419.40."""
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    order = buyer.post("/v1/purchase-orders", json=market.order(10)).json()
    part = order["supplier_orders"][0]["id"]
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]
    made = []
    for quantity in ("4", "6"):
        body = {"lines": [{"order_line_id": line, "quantity": quantity}]}
        shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json=body).json()["id"]
        assert buyer.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201
        invoice = issue(seller, part).json()
        made.append((invoice["id"], Delivered(order["id"], part, line, shipment)))
    return made


def allow(api, market, part, amount):
    """A dispute that the city decides: so much is given back without goods."""
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    claim = {"kind": "quality", "claim": "偏小", "claimed": amount}
    dispute = buyer.post(f"/v1/supplier-orders/{part}/disputes", json=claim).json()
    seller.post(f"/v1/disputes/{dispute['id']}/answer", json={"answer": "同意"})
    verdict = {"outcome": "partial", "reason": "折让", "refund": amount}
    decided = signed_in(api, Role.CITY_OFFICER).post(f"/v1/disputes/{dispute['id']}/decide", json=verdict)
    assert decided.status_code in (200, 201), decided.text


def credit(seller, invoice, reason="price_reduction"):
    """What a credit note takes back, or the code for which there is none."""
    answer = seller.post(f"/v1/invoices/{invoice}/credit-notes", json={"reason": reason}).json()
    return (answer["gross"], answer["vat"]) if "gross" in answer else answer["code"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_each_invoice_bears_its_share_in_whatever_order(api, database, market, order):
    seller = api.as_(market.sellers[0])
    made = two_invoices(api, market)
    allow(api, market, made[0][1].part, "100.00")
    shares = [("40.00", "3.31"), ("60.00", "4.95")]
    for at in order:
        invoice = made[at][0]
        assert credit(seller, invoice) == shares[at]
        assert credit(seller, invoice) == "nothing_to_credit"
    assert [credit(seller, invoice) for invoice, _ in made] == ["nothing_to_credit"] * 2
    assert seller.get("/v1/credit-notes/due").json()["items"] == []
    assert differences(database) == {}


def test_what_goes_back_takes_its_reduction_along(api, database, market):
    """Two boxes of the first four go back: the other invoice bears more, and either note may come first."""
    seller = api.as_(market.sellers[0])
    (first, delivered), (second, _) = two_invoices(api, market)
    allow(api, market, delivered.part, "100.00")
    assert [credit(seller, invoice)[0] for invoice in (first, second)] == ["40.00", "60.00"]
    give_back(api, market, delivered, 2)
    # 2 : 6 boxes bear 25.00 : 75.00
    assert credit(seller, second)[0] == "15.00"
    assert differences(database) == {}
    assert credit(seller, first, "return")[0] == "124.80"
    allow(api, market, delivered.part, "8.00")
    assert [credit(seller, invoice)[0] for invoice in (first, second)] == ["2.00", "6.00"]
    assert seller.get("/v1/credit-notes/due").json()["items"] == []
    assert differences(database) == {}


def test_by_the_rule_the_credit_notes_say_what_each_is_for(api, database, market):
    configure(database, credit_notes="automatic")
    (_, delivered), _ = two_invoices(api, market)
    allow(api, market, delivered.part, "100.00")
    give_back(api, market, delivered, 2)
    notes = api.as_(market.purchaser).get("/v1/credit-notes").json()["items"]
    assert [(note["reason"], note["gross"]) for note in reversed(notes)] == [
        ("price_reduction", "40.00"),
        ("price_reduction", "60.00"),
        ("return", "124.80"),
        ("price_reduction", "15.00"),
    ]
    assert differences(database) == {}


def test_a_credit_note_has_the_reason_of_what_it_takes_back(api, database, market):
    seller = api.as_(market.sellers[0])
    (first, delivered), (second, _) = two_invoices(api, market)
    allow(api, market, delivered.part, "100.00")
    assert [credit(seller, first, reason) for reason in ("return", "correction", "reassignment")] == ["other_reason"] * 3
    assert credit(seller, first)[0] == "40.00"
    assert credit(seller, second)[0] == "60.00"
    plain = deliver(api, market, 3)
    invoice = issue(seller, plain.part).json()["id"]
    give_back(api, market, plain, 1)
    assert credit(seller, invoice) == "other_reason"
    assert credit(seller, invoice, "return")[0] == "69.90"
    assert rows(database, "SELECT count(*)::int FROM credit_note") == [(3,)]
    assert differences(database) == {}


def test_a_burst_credits_each_invoice_once(api, database, market):
    made = two_invoices(api, market)
    allow(api, market, made[0][1].part, "100.00")
    calls = [
        ("POST", f"/v1/invoices/{invoice}/credit-notes", {"reason": "price_reduction"}) for invoice, _ in made for _ in range(6)
    ]
    answers = [answer.json() for answer in many(api, database, market.sellers[0], calls, at_once=12)]
    assert sorted(answer["gross"] for answer in answers if "gross" in answer) == ["40.00", "60.00"]
    assert {answer["code"] for answer in answers if "code" in answer} == {"nothing_to_credit"}
    assert differences(database) == {}


def test_the_reconciliation_finds_a_share_that_went_to_the_other_invoice(api, database, market):
    seller = api.as_(market.sellers[0])
    made = two_invoices(api, market)
    allow(api, market, made[0][1].part, "100.00")
    for invoice, _ in made:
        credit(seller, invoice)
    with database.session() as session:
        assert not finds(session, "invoice_shares")
        session.execute(text("SET session_replication_role = replica"))
        for sign, (invoice, _) in zip((1, -1), made, strict=True):
            session.execute(
                text("UPDATE invoice_line SET reduced_fen = reduced_fen + :fen WHERE invoice_id = :id"),
                {"fen": 500 * sign, "id": invoice},
            )
        assert finds(session, "invoice_shares")
        session.rollback()
