from concurrent.futures import ThreadPoolExecutor

import pytest

from orders.disputes.actions import reminding
from orders.payments import actions as payments
from shop.core import outbox
from shop.identity.permissions import Role
from tests.conftest import connect
from tests.factories.after_sales import ask_back, days_later, deliver, differences, rows, token_of
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


@pytest.fixture
def city(database):
    with database.unit_of_work() as session:
        return make_user(session, Role.CITY_OFFICER)


def open_(buyer, part, **more):
    body = {"kind": "quality", "claim": "三成腐烂", "claimed": "209.70", **more}
    return buyer.post(f"/v1/supplier-orders/{part}/disputes", json=body)


def test_a_refused_return_is_approved_by_the_city(api, database, market, buyer, seller, city):
    sent = deliver(api, market, 10)
    back = ask_back(api, market, sent, 3).json()["id"]
    seller.post(f"/v1/returns/{back}/refuse", json={"reason": "照片不清"})
    opened = open_(buyer, sent.part, return_id=back)
    assert opened.status_code == 201, opened.text
    dispute = opened.json()
    assert (dispute["status"], dispute["opened_side"], dispute["return_id"]) == ("open", "buyer", back)
    assert open_(buyer, sent.part, return_id=back).json()["code"] == "dispute_open"
    assert seller.get(f"/v1/supplier-orders/{sent.part}").json()["in_dispute"] is True
    path = f"/v1/disputes/{dispute['id']}"
    assert buyer.post(f"{path}/files", files={"file": ("照片.pdf", PDF)}).json()["files"][0]["by_supplier"] is False
    assert seller.get(f"{path}/files/{seller.get(path).json()['files'][0]['id']}").content == PDF
    officer = api.as_(city)
    decision = {"outcome": "full", "reason": "证据充分", "approve_return": True}
    assert officer.post(f"{path}/decide", json=decision).json()["code"] == "answer_pending"
    assert buyer.post(f"{path}/answer", json={"answer": "x"}).json()["code"] == "other_side_answers"
    assert seller.post(f"{path}/answer", json={"answer": "发货时完好"}).json()["status"] == "answered"
    assert officer.post(f"{path}/decide", json={**decision, "outcome": "none"}).json()["code"] == "outcome_wrong"
    assert officer.post(f"{path}/decide", json={**decision, "refund": "700.00"}).json()["code"] == "above_order"
    decided = officer.post(f"{path}/decide", json=decision)
    assert (decided.status_code, decided.json()["status"]) == (200, "decided"), decided.text
    assert officer.post(f"{path}/decide", json=decision).json()["code"] == "illegal_move"
    assert buyer.get(f"/v1/returns/{back}").json()["status"] == "approved"
    buyer.post(f"/v1/returns/{back}/send", json={})
    assert seller.post(f"/v1/returns/{back}/receive", json={}).json()["refund"] == "209.70"
    assert seller.get(f"/v1/supplier-orders/{sent.part}").json()["in_dispute"] is False
    for _ in range(2):
        outbox.drain(database, HANDLERS)
    assert rows(database, "SELECT certificate_id, kind, status FROM inspection") == [
        (market.products[0].certificate_id, "quality", "open")
    ]
    kinds = [row["kind"] for row in seller.get("/v1/notifications").json()["items"]]
    assert {"dispute.opened", "dispute.decided"} <= set(kinds)
    assert differences(database) == {}


def test_a_shipment_is_answered_in_the_buyers_place(api, database, market, buyer, seller, city):
    sent = deliver(api, market, 10, accept=False)
    dispute = open_(seller, sent.part, kind="quantity", claim="采购单位拒不验收", shipment_id=sent.shipment).json()
    path = f"/v1/disputes/{dispute['id']}"
    buyer.post(f"{path}/answer", json={"answer": "缺两箱"})
    lines = [{"order_line_id": sent.line, "accepted_quantity": "8", "rejected_quantity": "2", "reason": "缺两箱"}]
    wrong = {"outcome": "partial", "reason": "按签收单", "acceptance": {"lines": [{**lines[0], "accepted_quantity": "9"}]}}
    refused = api.as_(city).post(f"{path}/decide", json=wrong)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "acceptance.lines[0]")
    decision = {"outcome": "partial", "reason": "按签收单", "acceptance": {"lines": lines}}
    decided = api.as_(city).post(f"{path}/decide", json=decision)
    assert decided.status_code == 200, decided.text
    assert rows(database, "SELECT quantity, amount_fen FROM sale_entry") == [(8, 55_920)]
    assert rows(database, "SELECT accepted_by FROM acceptance") == [(city.id,)]
    assert differences(database) == {}


def decided(api, city, buyer, seller, part, decision, **about):
    """A dispute that the buyer opens, the seller answers and the city decides."""
    dispute = open_(buyer, part, **about)
    assert dispute.status_code == 201, dispute.text
    path = f"/v1/disputes/{dispute.json()['id']}"
    assert seller.post(f"{path}/answer", json={"answer": "不认可"}).status_code == 200
    return api.as_(city).post(f"{path}/decide", json={"outcome": "full", "reason": "证据充分", **decision})


def test_no_more_is_refunded_than_the_order_still_costs(api, database, market, buyer, seller, city):
    """Accepted in part, given back in part, then disputed twice: goods that went back and earlier refunds are taken off."""
    sent = deliver(api, market, 10, accept=False)
    lines = [{"order_line_id": sent.line, "accepted_quantity": "8", "rejected_quantity": "2", "reason": "破损"}]
    buyer.post(f"/v1/shipments/{sent.shipment}/acceptance", json={"lines": lines})
    back = ask_back(api, market, sent, 3).json()["id"]
    seller.post(f"/v1/returns/{back}/approve", json={"without_goods": True})  # 5 × 69.90 are left
    second = ask_back(api, market, sent, 1).json()["id"]
    seller.post(f"/v1/returns/{second}/approve", json={})  # and one of them is to go back
    assert decided(api, city, buyer, seller, sent.part, {"refund": "279.61"}).json()["code"] == "above_order"
    first = buyer.get("/v1/disputes").json()["items"][0]["id"]
    body = {"outcome": "partial", "reason": "各担一半", "refund": "200.00"}
    assert api.as_(city).post(f"/v1/disputes/{first}/decide", json=body).status_code == 200
    much = decided(api, city, buyer, seller, sent.part, {"refund": "79.61"}, kind="delay")
    assert (much.status_code, much.json()["code"], much.json()["data"]["most"]) == (422, "above_order", "79.60")
    again = buyer.get("/v1/disputes").json()["items"][0]["id"]
    assert api.as_(city).post(f"/v1/disputes/{again}/decide", json={**body, "refund": "79.60"}).status_code == 200
    assert differences(database) == {}


def test_what_was_given_back_of_goods_that_went_back_is_no_credit(api, database, market, buyer, seller, city):
    """The order costs less than nothing then, but nobody paid for it."""
    sent = deliver(api, market, 4)
    dispute = open_(buyer, sent.part).json()["id"]
    seller.post(f"/v1/disputes/{dispute}/answer", json={"answer": "属实"})
    body = {"outcome": "partial", "reason": "各担一半", "refund": "1.00"}
    assert api.as_(city).post(f"/v1/disputes/{dispute}/decide", json=body).status_code == 200
    back = ask_back(api, market, sent, 4).json()["id"]
    seller.post(f"/v1/returns/{back}/approve", json={"without_goods": True})
    with database.unit_of_work() as session:
        assert (payments.due_fen(session, sent.order_id), payments.credit_fen(session, sent.order_id)) == (-100, 0)


def test_full_is_all_that_was_claimed(api, market, buyer, seller, city):
    sent = deliver(api, market, 10)
    assert decided(api, city, buyer, seller, sent.part, {"refund": "99.99"}, claimed="100.00").json()["code"] == "outcome_wrong"
    dispute = buyer.get("/v1/disputes").json()["items"][0]["id"]
    full = {"outcome": "full", "reason": "证据充分", "refund": "100.00"}
    assert api.as_(city).post(f"/v1/disputes/{dispute}/decide", json=full).status_code == 200


def test_a_settlement_is_checked_again_when_both_agree(api, database, market, buyer, seller):
    sent = deliver(api, market, 10)
    with database.unit_of_work() as session:
        officer = make_user(session, Role.COUNTY_OFFICER, region_code="500236")
    county = api.as_(officer)
    path = f"/v1/disputes/{open_(buyer, sent.part).json()['id']}"
    seller.post(f"{path}/answer", json={"answer": "愿协商"})
    assert county.post(f"{path}/mediate", json={"proposal": "全退", "refund": "699.01"}).json()["code"] == "above_order"
    county.post(f"{path}/mediate", json={"proposal": "退六百", "refund": "600.00"})
    seller.post(f"{path}/agree")
    back = ask_back(api, market, sent, 3).json()["id"]
    seller.post(f"/v1/returns/{back}/approve", json={"without_goods": True})
    late = buyer.post(f"{path}/agree")
    assert (late.status_code, late.json()["code"]) == (409, "proposal_above_order")
    county.post(f"{path}/mediate", json={"proposal": "退三百", "refund": "300.00"})
    seller.post(f"{path}/agree")
    assert buyer.post(f"{path}/agree").json()["status"] == "settled"


def test_goods_that_the_supplier_does_not_acknowledge(api, database, market, buyer, seller, city):
    """Sent back, and no word of it; or sent back in exchange, and nothing sent for them: the city decides that the sale is taken back."""
    sent = deliver(api, market, 10)
    for kind, quantity, left in (("return", 3, 7), ("exchange", 2, 5)):
        back = ask_back(api, market, sent, quantity, kind=kind).json()["id"]
        seller.post(f"/v1/returns/{back}/approve", json={})
        waiting = decided(api, city, buyer, seller, sent.part, {"approve_return": True}, return_id=back)
        assert (waiting.status_code, waiting.json()["code"]) == (409, "illegal_move")
        buyer.post(f"/v1/returns/{back}/send", json={"waybill": "SF1"})
        if kind == "exchange":
            seller.post(f"/v1/returns/{back}/receive", json={})
        dispute = buyer.get("/v1/disputes").json()["items"][0]["id"]
        body = {"outcome": "full", "reason": "物流显示已签收", "approve_return": True}
        done = api.as_(city).post(f"/v1/disputes/{dispute}/decide", json=body)
        assert done.status_code == 200, done.text
        shown = buyer.get(f"/v1/returns/{back}").json()
        assert (shown["status"], shown["lines"][0]["received_quantity"]) == ("closed", str(quantity))
        assert rows(database, "SELECT sum(quantity), sum(amount_fen) FROM sale_entry") == [(left, left * 6990)]
        assert seller.post(f"/v1/returns/{back}/receive", json={}).json()["code"] == "illegal_move"
    outbox.drain(database, HANDLERS)
    assert differences(database) == {}


def test_a_supplier_that_is_right_owes_nothing(api, database, market, buyer, seller, city):
    sent = deliver(api, market, 10, accept=False)
    path = f"/v1/disputes/{open_(seller, sent.part, kind='payment').json()['id']}"
    buyer.post(f"{path}/answer", json={"answer": "待核实"})
    refused = api.as_(city).post(f"{path}/decide", json={"outcome": "full", "reason": "x", "refund": "1.00"})
    assert (refused.status_code, refused.json()["code"]) == (422, "outcome_wrong")
    stale = {"If-Match": '"1"'}
    for client, verb, body in (
        (api.as_(city), "decide", {"outcome": "full", "reason": "x"}),
        (seller, "withdraw", {"reason": "x"}),
        (buyer, "answer", {"answer": "x"}),
        (seller, "agree", None),
    ):
        assert client.post(f"{path}/{verb}", json=body, headers=stale).status_code == 412, verb
    etag = seller.get(path).headers["etag"]
    settled = api.as_(city).post(f"{path}/decide", json={"outcome": "full", "reason": "x"}, headers={"If-Match": etag})
    assert settled.status_code == 200


def test_what_was_never_promised_is_not_disputed(api, database, market, buyer, seller):
    placed = buyer.post("/v1/purchase-orders", json=market.order(10)).json()
    part = placed["supplier_orders"][0]["id"]
    assert open_(buyer, part).json()["code"] == "nothing_to_dispute"
    buyer.post(f"/v1/purchase-orders/{placed['id']}/cancel", json={"reason": "x"})
    assert open_(buyer, part).json()["code"] == "nothing_to_dispute"
    part = buyer.post("/v1/purchase-orders", json=market.order(1)).json()["supplier_orders"][0]["id"]
    seller.put(f"/v1/supplier-orders/{part}/freight", json={"freight": "13.00"})
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    assert open_(buyer, part, claimed="82.91").json()["code"] == "above_order"
    assert open_(buyer, part, claimed="82.90").status_code == 201


def test_a_county_settles_it(api, database, market, buyer, seller):
    sent = deliver(api, market, 10)
    dispute = open_(buyer, sent.part, shipment_id=sent.shipment).json()
    path = f"/v1/disputes/{dispute['id']}"
    with database.unit_of_work() as session:
        users = [make_user(session, Role.COUNTY_OFFICER, region_code=code) for code in ("500236", "500101")]
    county, other = (api.as_(user) for user in users)
    proposal = {"proposal": "退还一百元", "refund": "100.00"}
    assert county.post(f"{path}/mediate", json=proposal).json()["code"] == "illegal_move"
    seller.post(f"{path}/answer", json={"answer": "愿协商"})
    assert other.post(f"{path}/mediate", json=proposal).status_code == 403
    assert county.post(f"{path}/mediate", json=proposal).json()["status"] == "mediating"
    assert buyer.post(f"{path}/agree").json()["buyer_agreed_at"]
    again = county.post(f"{path}/mediate", json={**proposal, "refund": "120.00"}).json()
    assert again["buyer_agreed_at"] is None
    assert buyer.post(f"{path}/agree").json()["status"] == "mediating"
    settled = seller.post(f"{path}/agree").json()
    assert (settled["status"], settled["refund"]) == ("settled", "120.00")
    assert buyer.post(f"{path}/withdraw", json={"reason": "x"}).json()["code"] == "illegal_move"


def test_the_same_proposal_or_consent_again_changes_nothing(api, market, buyer, seller):
    path = f"/v1/disputes/{open_(buyer, deliver(api, market, 10).part).json()['id']}"
    county = signed_in(api, Role.COUNTY_OFFICER, region_code="500236")
    seller.post(f"{path}/answer", json={"answer": "愿协商"})
    proposal = {"proposal": "退还一百元", "refund": "100.00"}
    county.post(f"{path}/mediate", json=proposal)
    agreed = buyer.post(f"{path}/agree").json()
    for client, verb, body, code in (
        (county, "mediate", proposal, "proposal_stands"),
        (buyer, "agree", None, "agreed_before"),
    ):
        again = client.post(f"{path}/{verb}", json=body)
        assert (again.status_code, again.json()["code"], again.json()["data"]) == (409, code, {"already": True})
        assert buyer.get(path).json() == agreed
    other = county.post(f"{path}/mediate", json={**proposal, "proposal": "退还一百元，并致歉"})
    assert (other.status_code, other.json()["buyer_agreed_at"]) == (200, None)
    seller.post(f"{path}/agree")
    assert seller.post(f"{path}/agree").json()["code"] == "agreed_before"
    assert buyer.post(f"{path}/agree").json()["status"] == "settled"


def test_the_clock(api, database, market, buyer, seller, city, monkeypatch):
    sent = deliver(api, market, 10)
    path = f"/v1/disputes/{open_(buyer, sent.part).json()['id']}"
    with database.unit_of_work() as session:
        assert reminding.remind(session) == 0
    days_later(monkeypatch, 8)
    for _ in range(2):
        with database.unit_of_work() as session:
            assert reminding.remind(session) == 1
    officer = api.as_(city)
    kinds = [row["kind"] for row in officer.get("/v1/notifications").json()["items"]]
    assert kinds.count("dispute.unanswered") == 1
    assert officer.get("/v1/disputes", params={"overdue": True}).json()["items"][0]["overdue"] is True
    assert officer.get("/v1/disputes", params={"overdue": False}).json()["items"] == []
    assert (
        officer.post(f"{path}/decide", json={"outcome": "partial", "refund": "50.00", "reason": "对方未答复"}).json()["refund"]
        == "50.00"
    )


def test_who_sees_and_may_what(api, database, market, buyer, seller, city):
    sent = deliver(api, market, 10)
    dispute = open_(buyer, sent.part).json()["id"]
    path = f"/v1/disputes/{dispute}"
    with database.unit_of_work() as session:
        users = [
            make_user(session, Role.PURCHASER, make_organisation(session, kind="school")),
            make_user(session, Role.CITY_OFFICER, market.school),
        ]
    stranger, interested = (api.as_(user) for user in users)
    assert stranger.get(path).status_code == 404
    assert stranger.get("/v1/disputes").json()["items"] == []
    assert stranger.post(f"{path}/withdraw", json={"reason": "x"}).status_code == 404
    assert open_(stranger, sent.part).status_code == 404
    assert buyer.post(f"{path}/decide", json={"outcome": "full", "reason": "x"}).status_code == 403
    seller.post(f"{path}/answer", json={"answer": "完好"})
    assert interested.post(f"{path}/decide", json={"outcome": "full", "reason": "x"}).json()["code"] == "own_dispute"
    assert seller.post(f"{path}/withdraw", json={"reason": "x"}).json()["code"] == "not_your_dispute"
    assert open_(buyer, sent.part, kind="delay", shipment_id=999).json()["code"] == "not_of_order"
    assert open_(buyer, sent.part, kind="delay", claimed="700.00").json()["code"] == "above_order"
    assert open_(buyer, sent.part, kind="delay", claimed="-1").status_code == 422
    assert buyer.post(f"{path}/withdraw", json={"reason": "已和解"}).json()["status"] == "withdrawn"
    assert buyer.post(f"{path}/files", files={"file": ("a.pdf", PDF)}).json()["code"] == "dispute_ended"


def test_of_ten_decisions_at_once_one_counts(api, database, market, buyer, seller, city):
    sent = deliver(api, market, 10)
    dispute = open_(buyer, sent.part).json()["id"]
    seller.post(f"/v1/disputes/{dispute}/answer", json={"answer": "完好"})
    token = token_of(database, city)

    def decide(number):
        client = connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"})
        body = {"outcome": "partial", "refund": f"{number + 1}.00", "reason": "裁定"}
        return client.post(f"/v1/disputes/{dispute}/decide", json=body)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(decide, range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    # who lost is not told that it is as was decided; who asks once more for what stands is
    assert not any("already" in answer.json()["data"] for answer in answers if answer.status_code == 409)
    won = next(number for number, answer in enumerate(answers) if answer.status_code == 200)
    again = [decide(number).json()["data"].get("already", False) for number in range(10)]
    assert again == [number == won for number in range(10)]


def test_to_everybody_only_what_they_may_do_is_offered(api, market, buyer, seller, city):
    path = f"/v1/disputes/{open_(buyer, deliver(api, market, 10).part).json()['id']}"
    clients = {
        "buyer": buyer,
        "seller": seller,
        "viewer": signed_in(api, Role.VIEWER, market.school),
        "county": signed_in(api, Role.COUNTY_OFFICER, region_code="500236"),
        "elsewhere": signed_in(api, Role.COUNTY_OFFICER, region_code="500101"),
        "city": api.as_(city),
    }

    def offered():
        return {who: moves for who, client in clients.items() if (moves := client.get(path).json().get("possible_actions"))}

    assert offered() == {"buyer": ["withdraw"], "seller": ["answer"]}  # the city waits for the answer
    assert seller.post(f"{path}/answer", json={"answer": "愿协商"}).status_code == 200
    assert offered() == {"buyer": ["withdraw"], "county": ["mediate"], "city": ["decide"]}
    again = seller.post(f"{path}/answer", json={"answer": "愿协商"}).json()
    assert (again["code"], again["data"]["allowed"]) == ("illegal_move", [])
    clients["county"].post(f"{path}/mediate", json={"proposal": "退一百", "refund": "100.00"})
    waiting = {"buyer": ["settle", "withdraw"], "seller": ["settle"], "county": ["mediate"], "city": ["decide"]}
    assert offered() == waiting
    assert buyer.post(f"{path}/agree").status_code == 200
    assert offered() == waiting | {"buyer": ["withdraw"]}
    assert seller.post(f"{path}/agree").json()["status"] == "settled"
    assert offered() == {}
