"""What is due by whom and since when: who sees it, filters, totals, and the table."""

import io
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from python_calamine import CalamineWorkbook

from orders.terms import queries
from shop.core import clock
from shop.identity.permissions import Role
from tests.factories.after_sales import days_later, differences
from tests.factories.identity import make_organisation, make_user
from tests.factories.orders import make_market

NOW = {"kind": "net", "days": 0}


@pytest.fixture
def people(database):
    with database.unit_of_work() as session:
        return {
            "cashier": make_user(session, Role.PLATFORM_FINANCE),
            "elsewhere": make_user(session, Role.PLATFORM_FINANCE, region_code="500236"),
            "stranger": make_user(session, Role.FINANCE, make_organisation(session, kind="school")),
        }


@pytest.fixture
def market(database):
    return make_market(database)


def accepted(api, market, *quantities, of=0, **head):
    buyer, seller = api.as_(market.purchaser), api.as_(market.sellers[of])
    order = buyer.post("/v1/purchase-orders", json=market.order(*quantities, **head)).json()
    supplier = market.suppliers[of].id
    part = next(part["id"] for part in order["supplier_orders"] if part["supplier_id"] == supplier)
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()
    assert buyer.post(f"/v1/shipments/{shipment['id']}/acceptance", json={}).status_code == 201
    return order


def pay(api, market, order, amount):
    body = {"amount": amount, "bank_reference": f"B{order['id']}", "payer_name": "中学", "paid_on": str(clock.today())}
    assert api.as_(market.finance).post(f"/v1/purchase-orders/{order['id']}/payments", json=body).status_code == 201


@pytest.mark.slow
def test_dues_by_age_with_totals_and_a_table(api, database, market, people, monkeypatch):
    days = {}
    for start, quantity in ((0, 1), (40, 2), (70, 3), (100, 4)):  # at the end: 110, 70, 40 and 10 days overdue
        days_later(monkeypatch, start)
        days[quantity] = accepted(api, market, quantity, payment_terms=NOW)
    days_later(monkeypatch, 110)
    waiting = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(None, 2)).json()
    today = accepted(api, market, None, 1, of=1, payment_terms=NOW)
    pay(api, market, days[2], "139.80")
    pay(api, market, days[3], "9.70")
    cashier = api.as_(people["cashier"])
    listed = cashier.get("/v1/dues").json()["items"]
    assert [(due["number"], due["open"], due["overdue_days"], due["bucket"], due["status"]) for due in listed] == [
        (days[1]["number"], "69.90", 110, "over_90", "overdue"),
        (days[2]["number"], "0.00", 0, None, "announced"),
        (days[3]["number"], "200.00", 40, "31-60", "overdue"),
        (days[4]["number"], "279.60", 10, "1-30", "overdue"),
        (today["number"], "150.00", 0, None, "open"),
        (waiting["number"], "300.00", 0, None, "undated"),
    ]
    paged, after = [], None
    while True:
        page = cashier.get("/v1/dues", params={"limit": 1, **({"after": after} if after else {})}).json()
        paged += page["items"]
        if (after := page["next"]) is None:
            break
    assert paged == listed
    assert cashier.get("/v1/dues", params={"after": "x"}).json()["code"] == "invalid"
    totals = cashier.get("/v1/dues/totals").json()
    assert [totals[name] for name in ("count", "amount", "paid", "announced", "open", "overdue")] == [
        6,
        "1149.00",
        "0.00",
        "149.50",
        "999.50",
        "549.50",
    ]
    assert {one["bucket"]: (one["count"], one["open"]) for one in totals["buckets"]} == {
        "1-30": (1, "279.60"),
        "31-60": (1, "200.00"),
        "61-90": (0, "0.00"),
        "over_90": (1, "69.90"),
    }

    def found(**asked):
        items = cashier.get("/v1/dues", params=asked).json()["items"]
        assert cashier.get("/v1/dues/totals", params=asked).json()["count"] == len(items)
        return [due["purchase_order_id"] for due in items]

    ids = {quantity: order["id"] for quantity, order in days.items()}
    assert found(status="overdue") == [ids[1], ids[3], ids[4]]
    assert found(status="announced") == [ids[2]]
    assert found(status="paid") == []
    assert found(status="undated") == [waiting["id"]]
    assert found(status="open") == [today["id"]]
    assert found(bucket="1-30") == [ids[4]]
    assert found(supplier_id=market.suppliers[1].id) == [today["id"], waiting["id"]]
    assert found(buyer_id=market.school.id, due_to=str(clock.today() - timedelta(days=40))) == [ids[1], ids[2], ids[3]]
    assert found(buyer_id=market.suppliers[0].id) == []
    assert found(purchase_order_id=ids[4]) == [ids[4]]
    for wrong in ({"status": "lost"}, {"bucket": "5"}, {"buyer_id": 2**70}, {"due_from": "0206-01-01"}, {"limit": 0}):
        assert cashier.get("/v1/dues", params=wrong).status_code == 422
    table = cashier.get("/v1/dues/export", params={"status": "overdue"}, headers={"Accept-Language": "zh"})
    read = CalamineWorkbook.from_filelike(io.BytesIO(table.content)).get_sheet_by_index(0).to_python()
    assert read[0][:3] == ["订单", "采购单位", "供应单位"]
    assert [row[7] for row in read[1:]] == [69.9, 200, 279.6, 549.5]
    assert read[-1][0] == "合计"
    assert cashier.get("/v1/dues/export", params={"format": "csv"}).text.count("\n") == 8
    english = cashier.get("/v1/dues/export", params={"format": "csv"}, headers={"Accept-Language": "en"}).text.splitlines()
    assert english[0].removeprefix("\ufeff").startswith("Order,Buyer,Supplier,Due on")
    assert english[-1].startswith("Total,")
    assert not [word for row in english for word in ("已逾期", "天", "未到") if word in row]
    assert any(",overdue," in row for row in english)
    monkeypatch.setattr(queries, "MAX_LINES", 5)
    refused = cashier.get("/v1/dues/export")
    assert (refused.status_code, refused.json()["code"], refused.json()["data"]) == (422, "too_many_lines", {"limit": 5})


def test_everybody_sees_the_own_side_only(api, market, people):
    order = accepted(api, market, 1, 1)
    buyers = api.as_(market.finance).get("/v1/dues").json()["items"]
    assert [due["supplier_id"] for due in buyers] == [supplier.id for supplier in market.suppliers]
    sellers = api.as_(market.sellers[1]).get("/v1/dues").json()["items"]
    assert [(due["purchase_order_id"], due["open"]) for due in sellers] == [(order["id"], "150.00")]
    for nobody in ("stranger", "elsewhere"):
        assert api.as_(people[nobody]).get("/v1/dues").json()["items"] == []
        assert api.as_(people[nobody]).get("/v1/dues/totals").json()["count"] == 0
    for path in ("/v1/dues", "/v1/dues/totals", "/v1/dues/export"):
        assert api.as_(market.purchaser).get(path).status_code == 403
        assert api.get(path).status_code == 401


def test_the_same_extension_sent_twice_is_one(api, market):
    order = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(1, payment_terms={"kind": "prepayment"})).json()
    path, headers = f"/v1/purchase-orders/{order['id']}/payment-extension", {"Idempotency-Key": "once"}
    first, second = (api.as_(market.finance).post(path, json={"reason": "预算未到"}, headers=headers) for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content) == (201, first.content)


@pytest.mark.slow
def test_what_comes_at_once_is_counted_once(api, database, market):
    """Both suppliers' parts are accepted while finance pays in many small sums: the dues are those of the order as it stands then."""
    buyer, finance = api.as_(market.purchaser), api.as_(market.finance)
    order = buyer.post("/v1/purchase-orders", json=market.order(10, 10)).json()
    calls = []
    for part, user in zip(order["supplier_orders"], market.sellers, strict=True):
        seller, path = api.as_(user), f"/v1/supplier-orders/{part['id']}"
        seller.post(f"{path}/confirm")
        line = seller.get(path).json()["lines"][0]["id"]
        for _ in range(5):
            sent = seller.post(f"{path}/shipments", json={"lines": [{"order_line_id": line, "quantity": "2"}]}).json()
            calls.append((buyer, f"/v1/shipments/{sent['id']}/acceptance", {}))
    for number in range(20):
        body = {"amount": "10.01", "bank_reference": f"B{number}", "payer_name": "中学", "paid_on": str(clock.today())}
        calls.append((finance, f"/v1/purchase-orders/{order['id']}/payments", body))
    random.Random(1).shuffle(calls)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda call: call[0].post(call[1], json=call[2]), calls))
    assert [answer.text for answer in answers if answer.status_code != 201] == []
    shown = buyer.get(f"/v1/purchase-orders/{order['id']}").json()
    assert [(due["amount"], due["due_on"]) for due in shown["dues"]] == [
        ("699.00", str(clock.today() + timedelta(days=30))),
        ("1500.00", str(clock.today() + timedelta(days=30))),
    ]
    assert [due["announced"] for due in shown["dues"]] == ["200.20", "0.00"]
    assert differences(database) == {}
