import pytest
from sqlalchemy import text

from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.factories.after_sales import ask_back, days_later, deliver, differences, rows
from tests.factories.catalog import PDF
from tests.factories.identity import make_organisation, make_user, signed_in
from tests.factories.orders import make_market
from workers.handlers import HANDLERS


@pytest.fixture
def market(database):
    return make_market(database)


@pytest.fixture
def buyer(api, market):
    return api.as_(market.purchaser)


@pytest.fixture
def seller(api, market):
    return api.as_(market.sellers[0])


def stock(database, market):
    return rows(database, "SELECT on_hand, reserved FROM stock WHERE sku_id = :s", s=market.products[0].sku_id)[0]


#: What each action takes; it is only tried whether the caller may, with a version that nobody read.
SENT = {"carrier": "顺丰", "waybill": "SF9"}
ACTIONS = {
    "approve": {},
    "refuse": {"reason": "未见冻伤"},
    "cancel": {},
    "send": SENT,
    "receive": {"lines": [{"id": 1, "received_quantity": "1"}]},
    "replace": SENT,
    "refund": {},
    "close": None,
}


def test_to_everybody_only_what_they_may_do_is_offered(api, database, market, buyer, seller):
    back = ask_back(api, market, deliver(api, market, 10), 3, kind="exchange").json()
    path = f"/v1/returns/{back['id']}"
    county = signed_in(api, Role.COUNTY_OFFICER, region_code="500236")
    reader = signed_in(api, Role.CITY_OFFICER)
    offered = []
    for who, move, body in [
        (None, None, None),
        (seller, "approve", {}),
        (buyer, "send", SENT),
        (seller, "receive", {"lines": [{"id": back["lines"][0]["id"], "received_quantity": "3"}]}),
        (seller, "replace", SENT),
    ]:
        if who:
            assert who.post(f"{path}/{move}", json=body).status_code == 200, move
        told = {client: client.get(path).json()["possible_actions"] for client in (buyer, seller)}
        for client in (county, reader):
            assert client.get(path).json().get("possible_actions", []) == []
        for action, sent in ACTIONS.items():
            for client in (buyer, seller):
                answer = client.post(f"{path}/{action}", json=sent, headers={"If-Match": '"999"'})
                other = action in told[seller if client is buyer else buyer]
                assert (answer.status_code == 412) or action not in told[client], (action, answer.text)
                assert not (answer.status_code == 412 and other and action not in told[client]), action
        offered.append((told[buyer], told[seller]))
    assert offered == [
        (["cancel"], ["approve", "approve_without_goods", "refuse"]),
        (["cancel", "send"], []),
        ([], ["receive"]),
        ([], ["replace", "refund"]),
        (["close"], []),
    ]
    refused = buyer.post(f"{path}/cancel", json={})
    assert (refused.json()["code"], refused.json()["data"]["allowed"]) == ("illegal_move", ["close"])
    assert seller.post(f"{path}/approve", json={}).json()["data"]["allowed"] == []


def test_a_part_goes_back_and_sale_stock_and_due_follow(api, database, market, buyer, seller):
    sent = deliver(api, market, 10)
    asked = ask_back(api, market, sent, 3)
    assert asked.status_code == 201, asked.text
    back = asked.json()
    assert back["number"].startswith("TH2")
    assert back["status"] == "requested"
    assert back["possible_actions"] == ["cancel"]
    path = f"/v1/returns/{back['id']}"
    assert buyer.get(f"/v1/shipments/{sent.shipment}/returnable").json()["lines"][0]["left_quantity"] == "7"
    assert buyer.post(f"{path}/files", files={"file": ("照片.pdf", PDF)}).json()["files"][0]["by_buyer"] is True
    assert seller.get(f"{path}/files/1").content == PDF

    assert seller.post(f"{path}/approve", json={"note": "请寄回"}).json()["status"] == "approved"
    assert buyer.post(f"{path}/send", json={"carrier": "顺丰", "waybill": "SF9"}).json()["waybill"] == "SF9"
    before = stock(database, market)
    receipt = {"lines": [{"id": back["lines"][0]["id"], "received_quantity": "3", "restock_quantity": "2"}]}
    closed = seller.post(f"{path}/receive", json=receipt).json()
    assert (closed["status"], closed["refund"]) == ("closed", "209.70")
    assert (closed["lines"][0]["grams"], closed["lines"][0]["amount"]) == (15_000, "209.70")
    assert stock(database, market) == (before[0] + 2, before[1])
    assert rows(database, "SELECT sum(quantity), sum(grams), sum(amount_fen) FROM sale_entry") == [(7, 35_000, 48_930)]
    assert buyer.get(f"/v1/purchase-orders/{sent.order_id}").json()["payable"] == "489.30"
    assert (
        seller.get("/v1/returns", params={"status": "closed", "supplier_order_id": sent.part}).json()["items"][0]["id"]
        == back["id"]
    )
    outbox.drain(database, HANDLERS)
    kinds = [row["kind"] for row in buyer.get("/v1/notifications").json()["items"]]
    assert {"return.approved", "return.closed"} <= set(kinds)
    assert differences(database) == {}


def test_what_was_paid_too_much_stays_to_be_seen(api, database, market, buyer, seller):
    sent = deliver(api, market, 10)
    pay = {
        "amount": "699.00",
        "bank_reference": "B1",
        "payer_name": "中学",
        "paid_on": str(clock.today()),
    }
    payments = f"/v1/purchase-orders/{sent.order_id}/payments"
    assert api.as_(market.finance).post(payments, json=pay).status_code == 201
    back = ask_back(api, market, sent, 10).json()["id"]
    assert seller.post(f"/v1/returns/{back}/approve", json={"without_goods": True}).json()["status"] == "closed"
    assert buyer.get(payments).json()[0]["order_due"] == "-699.00"
    assert stock(database, market) == (990, 0)
    assert differences(database) == {}


def test_an_exchange_leaves_the_sale_as_it_is(api, database, market, buyer, seller):
    sent = deliver(api, market, 10)
    back = ask_back(api, market, sent, 4, kind="exchange").json()
    path = f"/v1/returns/{back['id']}"
    seller.post(f"{path}/approve", json={})
    buyer.post(f"{path}/send", json={})
    assert seller.post(f"{path}/receive", json={}).json()["status"] == "received"
    assert ask_back(api, market, sent, 7).json()["errors"][0]["left"] == "6"
    replaced = seller.post(f"{path}/replace", json={"carrier": "顺丰", "waybill": "SF10"}).json()
    assert (replaced["status"], replaced["lines"][0]["replaced_quantity"]) == ("replaced", "4")
    assert stock(database, market) == (986, 0)
    assert buyer.post(f"{path}/close").json()["status"] == "closed"
    assert rows(database, "SELECT count(*), sum(amount_fen) FROM sale_entry") == [(1, 69_900)]
    assert differences(database) == {}
    # the replacement can be bad too
    assert ask_back(api, market, sent, 10).status_code == 201


def test_an_exchange_that_cannot_be_sent_becomes_a_refund(api, database, market, buyer, seller):
    sent = deliver(api, market, 10)
    back = ask_back(api, market, sent, 4, kind="exchange").json()
    path = f"/v1/returns/{back['id']}"
    assert seller.post(f"{path}/approve", json={"without_goods": True}).json()["status"] == "received"
    with database.unit_of_work() as session:
        session.execute(text("UPDATE stock SET on_hand = 3 WHERE sku_id = :s"), {"s": market.products[0].sku_id})
    assert seller.post(f"{path}/replace", json={}).json()["code"] == "stock_short"
    assert seller.post(f"{path}/refund", json={"note": "缺货"}).json()["refund"] == "279.60"
    assert rows(database, "SELECT sum(quantity) FROM sale_entry") == [(6,)]


@pytest.mark.slow
def test_refusals(api, database, market, buyer, seller):
    waiting = deliver(api, market, 2, accept=False)
    assert ask_back(api, market, waiting, 1).json()["code"] == "not_accepted"
    sent = deliver(api, market, 10)
    for quantity, code in ((11, "above_returnable"), ("0.5", "wrong_step")):
        answer = ask_back(api, market, sent, quantity)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    twice = [{"order_line_id": sent.line, "quantity": "1"}] * 2
    assert ask_back(api, market, sent, 1, lines=twice).json()["errors"][0]["code"] == "unknown_line"
    for quantity in ("0", "-1", "1e30", "NaN"):
        assert ask_back(api, market, sent, quantity).status_code == 422
    back = ask_back(api, market, sent, 6).json()["id"]
    assert ask_back(api, market, sent, 5).json()["errors"][0]["left"] == "4"
    path = f"/v1/returns/{back}"
    assert buyer.post(f"{path}/send", json={}).json()["code"] == "illegal_move"
    assert seller.post(f"{path}/receive", json={}).status_code == 409
    assert seller.post(f"{path}/refuse", json={"reason": "超过保质期"}).json()["status"] == "refused"
    assert ask_back(api, market, sent, 10).status_code == 201
    for body in ({}, {"without_goods": True}, {"note": "同意"}):
        late = seller.post(f"{path}/approve", json=body)
        assert (late.status_code, late.json()["code"], late.json()["data"]["state"]) == (409, "illegal_move", "refused")
    wrong = {"lines": [{"id": 1, "received_quantity": "1"}]}
    assert seller.post(f"{path}/receive", json=wrong).status_code == 409
    assert differences(database) == {}


def test_receipts_that_do_not_fit(api, database, market, buyer, seller):
    sent = deliver(api, market, 10)
    back = ask_back(api, market, sent, 6).json()
    path, line = f"/v1/returns/{back['id']}", back["lines"][0]["id"]
    seller.post(f"{path}/approve", json={})
    buyer.post(f"{path}/send", json={})
    for one, code in (
        ({"id": line, "received_quantity": "7"}, "above_sent"),
        ({"id": line, "received_quantity": "3", "restock_quantity": "4"}, "above_received"),
        ({"id": line + 99, "received_quantity": "3"}, "unknown_line"),
        ({"id": line, "received_quantity": "0.5"}, "wrong_step"),
    ):
        answer = seller.post(f"{path}/receive", json={"lines": [one]})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code)
    # less came back than was sent: the rest stays sold, and can be asked back again
    part = seller.post(f"{path}/receive", json={"lines": [{"id": line, "received_quantity": "2"}]}).json()
    assert (part["status"], part["refund"]) == ("closed", "139.80")
    assert buyer.get(f"/v1/shipments/{sent.shipment}/returnable").json()["lines"][0]["left_quantity"] == "8"
    assert differences(database) == {}


def test_periods(api, market, monkeypatch):
    sent = deliver(api, market, 10)
    days_later(monkeypatch, 7)
    assert ask_back(api, market, sent, 1, reason_code="damaged").status_code == 201
    days_later(monkeypatch, 8)
    late = ask_back(api, market, sent, 1, reason_code="damaged")
    assert (late.status_code, late.json()["code"]) == (409, "return_period_over")
    assert ask_back(api, market, sent, 1).status_code == 201
    days_later(monkeypatch, 31)
    assert ask_back(api, market, sent, 1).json()["code"] == "return_period_over"


def test_who_sees_and_may_what(api, database, market, buyer, seller):
    sent = deliver(api, market, 10)
    back = ask_back(api, market, sent, 2).json()["id"]
    with database.unit_of_work() as session:
        stranger = make_user(session, Role.PURCHASER, make_organisation(session, kind="school"))
        county = make_user(session, Role.COUNTY_OFFICER, region_code="500236")
        elsewhere = make_user(session, Role.COUNTY_OFFICER, region_code="500101")
    for user in (stranger, elsewhere, market.sellers[1]):
        assert api.as_(user).get(f"/v1/returns/{back}").status_code == 404
        assert api.as_(user).get("/v1/returns").json()["items"] == []
    assert api.as_(county).get(f"/v1/returns/{back}").status_code == 200
    assert api.as_(stranger).post(f"/v1/returns/{back}/cancel", json={}).status_code == 404
    assert api.as_(market.sellers[1]).post(f"/v1/returns/{back}/approve", json={}).status_code == 404
    assert buyer.post(f"/v1/returns/{back}/approve", json={}).status_code == 403
    assert seller.post(f"/v1/shipments/{sent.shipment}/returns", json={"reason_code": "other", "reason": "x"}).status_code == 403
    assert seller.post(f"/v1/returns/{back}/approve", json={}, headers={"If-Match": '"9"'}).status_code == 412
    first = buyer.get("/v1/returns", params={"limit": 1}).json()
    assert len(first["items"]) == 1


def test_sent_twice_is_one(api, database, market, buyer):
    sent = deliver(api, market, 10)
    body = {"reason_code": "spoiled", "reason": "腐烂", "lines": [{"order_line_id": sent.line, "quantity": "6"}]}
    answers = [
        buyer.post(f"/v1/shipments/{sent.shipment}/returns", json=body, headers={"Idempotency-Key": "a"}).content for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert rows(database, "SELECT count(*) FROM goods_return") == [(1,)]


def test_moves_on_another_version_are_refused(api, database, market, buyer, seller):
    sent = deliver(api, market, 10)
    back = ask_back(api, market, sent, 3).json()
    path, stale = f"/v1/returns/{back['id']}", {"If-Match": '"9"'}
    for client, verb, body in (
        (seller, "approve", {}),
        (seller, "refuse", {"reason": "x"}),
        (seller, "receive", {}),
        (seller, "replace", {}),
        (seller, "refund", {}),
        (buyer, "cancel", {}),
        (buyer, "send", {}),
        (buyer, "close", None),
    ):
        assert client.post(f"{path}/{verb}", json=body, headers=stale).status_code == 412, verb
    etag = buyer.get(path).headers["etag"]
    assert seller.post(f"{path}/approve", json={}, headers={"If-Match": etag}).status_code == 200
    assert seller.post(f"{path}/approve", json={}, headers={"If-Match": etag}).status_code == 412


def test_what_is_over_is_not_refunded_again(api, database, market, seller):
    sent = deliver(api, market, 10)
    for kind in ("return", "exchange"):
        path = f"/v1/returns/{ask_back(api, market, sent, 2, kind=kind).json()['id']}"
        seller.post(f"{path}/approve", json={"without_goods": True})
        if kind == "exchange":
            assert seller.post(f"{path}/refund", json={}).json()["status"] == "closed"
        again = seller.post(f"{path}/refund", json={})
        assert (again.status_code, again.json()["code"]) == (409, "illegal_move")
    assert rows(database, "SELECT sum(quantity) FROM sale_entry") == [(6,)]
    assert differences(database) == {}


def test_goods_without_a_certificate_are_not_sent_in_exchange(api, database, market, seller):
    sent = deliver(api, market, 10)
    path = f"/v1/returns/{ask_back(api, market, sent, 2, kind='exchange').json()['id']}"
    seller.post(f"{path}/approve", json={"without_goods": True})
    with database.unit_of_work() as session:
        stop = text("UPDATE certificate SET held_at = :now WHERE id = :id")
        session.execute(stop, {"now": clock.now(), "id": market.products[0].certificate_id})
    refused = seller.post(f"{path}/replace", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "certificate_stopped")
    assert seller.post(f"{path}/refund", json={}).json()["refund"] == "139.80"
    assert rows(database, "SELECT sum(quantity) FROM sale_entry") == [(8,)]
