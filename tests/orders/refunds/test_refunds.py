"""Refunds: every move and refusal, who may do what, and what the ledger says of it."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.money import actions as money
from orders.money.rules import Account
from orders.refunds.queries import refunds as queries
from orders.refunds.states import REFUND, RefundMove, RefundStatus
from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.factories.after_sales import differences, rows
from tests.factories.identity import make_organisation, make_user
from tests.factories.money import PAYEE, make_till
from workers.handlers import HANDLERS

#: How a refund comes into each state.
WAYS = {
    RefundStatus.REQUESTED: [],
    RefundStatus.APPROVED: ["approve"],
    RefundStatus.SENT: ["approve", "send"],
    RefundStatus.PAID: ["approve", "send", "confirm"],
    RefundStatus.REFUSED: ["refuse"],
    RefundStatus.CANCELLED: ["cancel"],
    RefundStatus.FAILED: ["approve", "send", "fail"],
}
MOVES = {move.value: move for move in RefundMove if move is not RefundMove.REINSTATE}


@pytest.fixture
def till(api, database):
    return make_till(api, database)


def code(answer):
    return answer.status_code, answer.json()["code"]


def test_another_version_than_the_one_read_is_not_moved(till):
    refund = till.ask_back(till.credit("500.00"), "200.00", who="finance").json()
    path, stale = f"/v1/refunds/{refund['id']}", {"headers": {"If-Match": f'"{refund["version"]}"'}}
    treasurer = till.as_("treasurer")
    for move, body in (("approve", None), ("refuse", {"reason": "x"}), ("cancel", {"reason": "x"})):
        other = {"headers": {"If-Match": '"99"'}}
        assert code(treasurer.post(f"{path}/{move}", json=body, **other)) == (412, "changed_meanwhile"), move
    assert treasurer.post(f"{path}/approve", **stale).status_code == 200
    for move, body in (("send", {"reference": "HK-1"}), ("confirm", {"reference": "HK-1"}), ("fail", {"reason": "x"})):
        assert code(treasurer.post(f"{path}/{move}", json=body, **stale)) == (412, "changed_meanwhile"), move
    assert treasurer.get(path).json()["status"] == "approved"


def test_from_the_request_to_the_bank(till, database):
    order = till.credit("500.00")
    assert (till.refundable(order), till.due(order)) == ("500.00", "-500.00")
    asked = till.ask_back(order, "200.00", who="finance")
    assert asked.status_code == 201, asked.text
    refund = asked.json()
    assert (till.refundable(order), till.due(order)) == ("300.00", "-500.00")
    assert (refund["status"], refund["amount"], refund["method"]) == ("requested", "200.00", "bank_transfer")
    assert (refund["number"][:2], refund["payee_account"]) == ("TK", "3100021009014400123")
    assert refund["possible_actions"] == ["cancel"]
    assert till.as_("treasurer").get(f"/v1/refunds/{refund['id']}").json()["possible_actions"] == ["approve", "refuse", "cancel"]
    assert till.held() == {Account.RECEIVABLE: -50_000, Account.BANK: 50_000}
    assert till.move(refund["id"], "approve").json()["status"] == "approved"
    assert till.due(order) == "-300.00"
    assert till.held() == {Account.RECEIVABLE: -30_000, Account.BANK: 50_000, Account.REFUNDS: -20_000}
    assert till.move(refund["id"], "send").json()["reference"] == "HK-1"
    paid = till.move(refund["id"], "confirm").json()
    assert (paid["status"], paid["possible_actions"], paid["ended_at"] is not None) == ("paid", ["fail"], True)
    assert till.held() == {Account.RECEIVABLE: -30_000, Account.BANK: 30_000}
    failed = till.fails(refund["id"])
    assert (failed["status"], failed["possible_actions"], failed["end_reason"]) == ("failed", [], "理由")
    assert till.held() == {Account.RECEIVABLE: -50_000, Account.BANK: 50_000}
    again = till.ask_back(order, "500.00").json()
    assert till.move(again["id"], "approve").json()["status"] == "approved"
    assert differences(database) == {}
    outbox.drain(database, HANDLERS)
    kinds = [each["kind"] for each in till.as_("finance").get("/v1/notifications").json()["items"]]
    assert kinds[0] == "refund.approved"
    assert {f"refund.{status}" for status in ("requested", "approved", "sent", "paid", "failed")} <= set(kinds)


@pytest.mark.slow
@pytest.mark.parametrize("status", list(RefundStatus))
def test_every_move_from_every_state(till, database, status):
    """What the table allows is done, all else is refused and leaves everything as it was."""
    order = till.credit("100.00")
    for name, move in MOVES.items():
        refund = till.ask_back(order, "1.00").json()["id"]
        for step in WAYS[status]:
            assert till.move(refund, step).status_code == 200
        before = till.held()
        answer = till.move(refund, name)
        if (status, name) == (RefundStatus.PAID, "fail"):  # once another person confirms it
            assert (answer.status_code, answer.json()["status"], till.held()) == (200, "paid", before)
        elif move in REFUND.possible(status):
            assert (answer.status_code, answer.json()["status"]) == (200, REFUND.after(status, move)), (status, name)
        else:
            assert code(answer) == (409, "illegal_move"), (status, name)
            assert till.held() == before
    assert differences(database) == {}


def test_no_more_than_was_paid_too_much(till):
    order = till.credit("100.00")
    assert code(till.ask_back(order, "100.01")) == (409, "refund_above_credit")
    asked = till.ask_back(order, "60.00").json()
    first, first_number = asked["id"], asked["number"]
    short = till.ask_back(order, "40.01")
    assert (code(short), short.json()["data"]["credit"]) == ((409, "refund_above_credit"), "40.00")
    assert first_number in short.json()["title"]
    second = till.ask_back(order, "40.00").json()["id"]
    assert till.move(first, "cancel").status_code == 200
    assert till.ask_back(order, "60.00").status_code == 201
    assert till.move(second, "approve").status_code == 200
    assert code(till.ask_back(order, "0.01")) == (409, "refund_above_credit")
    unpaid = till.order(1)["id"]
    assert code(till.ask_back(unpaid, "0.01")) == (409, "refund_above_credit")


def test_what_became_less_since_it_was_asked_for_is_not_released(till):
    order = till.credit("100.00")
    refund = till.ask_back(order, "100.00").json()["id"]
    till.unmatched()
    assert code(till.move(refund, "approve")) == (409, "refund_above_credit")
    assert till.move(refund, "refuse").status_code == 200


def test_what_is_only_announced_neither_goes_back_nor_counts_for_another_order(till, database):
    order, other = till.order(10)["id"], till.order(10)["id"]
    payment = till.pay(order, "500.00").json()
    assert till.as_("purchaser").post(f"/v1/purchase-orders/{order}/cancel", json={"reason": "计划有变"}).status_code == 200
    assert till.due(order) == "-500.00"
    move = {"to_order_id": other, "amount": "0.01", "reason": "抵"}
    answers = [till.ask_back(order, "0.01"), till.as_("finance").post(f"/v1/purchase-orders/{order}/credit-moves", json=move)]
    assert [code(answer) for answer in answers] == [(409, "refund_above_credit"), (409, "amount_above_credit")]
    assert "has arrived (0.00 yuan" in answers[0].json()["title"]
    undo = f"/v1/purchase-orders/{order}/payments/{payment['id']}/undo"
    assert till.as_("finance").post(undo, json={"reason": "未汇出"}).status_code == 201
    assert till.due(order) == "0.00"
    assert differences(database) == {}


def test_what_is_asked_back_does_not_count_for_another_order(till):
    order, other = till.credit("100.00"), till.order(10)["id"]
    refund = till.ask_back(order, "60.00").json()["id"]

    def move(amount):
        body = {"to_order_id": other, "amount": amount, "reason": "抵"}
        return till.as_("finance").post(f"/v1/purchase-orders/{order}/credit-moves", json=body)

    assert code(move("40.01")) == (409, "amount_above_credit")
    assert move("40.00").status_code == 201
    assert till.move(refund, "cancel").status_code == 200
    assert move("60.00").status_code == 201


def test_nobody_releases_what_he_asked_for(till, database):
    order = till.credit()
    for who in ("cashier", "treasurer"):
        refund = till.ask_back(order, "1.00", who=who).json()["id"]
        assert code(till.move(refund, "approve", who=who)) == (403, "own_refund")
        assert till.move(refund, "approve", who="cashier" if who == "treasurer" else "treasurer").status_code == 200
    assert rows(database, "SELECT count(*) FROM refund WHERE approved_by = requested_by") == [(0,)]


@pytest.mark.parametrize("move", ["approve", "refuse", "send", "confirm", "fail"])
def test_only_who_keeps_the_money_decides(till, move):
    refund = till.ask_back(till.credit(), "1.00").json()["id"]
    for who in ("purchaser", "finance", "seller"):
        assert code(till.move(refund, move, who=who)) == (403, "forbidden")


def test_who_may_ask_and_cancel(till):
    order = till.credit()
    for who in ("purchaser", "seller", "honey_seller"):
        assert code(till.ask_back(order, "1.00", who=who)) == (403, "forbidden")
    refund = till.ask_back(order, "1.00").json()["id"]
    assert till.move(refund, "cancel", who="seller").status_code == 403
    assert till.move(refund, "cancel", who="finance").json()["status"] == "cancelled"


def test_reach(till, api, database):
    order = till.credit()
    refund = till.ask_back(order, "1.00").json()["id"]
    with database.unit_of_work() as session:
        other = make_organisation(session, kind="school")
        people = {
            "another school": make_user(session, Role.FINANCE, other),
            "another county": make_user(session, Role.PLATFORM_FINANCE, region_code="500236"),
        }
        nearby = make_user(session, Role.PLATFORM_FINANCE, region_code="500106")
    for person in people.values():
        client = api.as_(person)
        assert client.get(f"/v1/refunds/{refund}").status_code == 404
        assert client.get("/v1/refunds").json()["items"] == []
        body = {"amount": "1.00", "reason": "退款", "payee": PAYEE}
        assert client.post(f"/v1/purchase-orders/{order}/refunds", json=body).status_code == 404
        assert client.post(f"/v1/refunds/{refund}/cancel", json={"reason": "x"}).status_code == 404
    for move in ("approve", "refuse", "send", "confirm", "fail"):
        body = {"send": {"reference": "x"}, "confirm": {"reference": "x"}, "approve": {}}.get(move, {"reason": "x"})
        assert api.as_(people["another county"]).post(f"/v1/refunds/{refund}/{move}", json=body).status_code == 404
    assert api.as_(nearby).post(f"/v1/refunds/{refund}/approve").json()["status"] == "approved"
    assert till.move(999_999_999, "approve").status_code == 404
    assert till.move(999_999_999, "cancel").status_code == 404
    assert till.ask_back(999_999_999, "1.00").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"payee": None}, "payee"),
        ({"payment_id": 1}, "payee"),
        ({"amount": "0.00"}, "amount"),
        ({"amount": "-1.00"}, "amount"),
        ({"amount": "1e99"}, "amount"),
        ({"amount": "0.001"}, "amount"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"payee": {**PAYEE, "account": "一二三四五六"}}, "payee.account"),
        ({"payee": {**PAYEE, "account": "------"}}, "payee.account"),
        ({"payee": {**PAYEE, "account": "1-2 3-4 5"}}, "payee.account"),
        ({"payee": {**PAYEE, "account": "1" * 35}}, "payee.account"),
        ({"payee": {**PAYEE, "name": " "}}, "payee.name"),
        ({"payee": {**PAYEE, "name": "-- 12"}}, "payee.name"),
        ({"payee": {**PAYEE, "iban": "x"}}, "payee.iban"),
        ({"payment_id": 2**63}, "payment_id"),
    ],
)
def test_bodies_that_are_refused(till, changes, field):
    answer = till.ask_back(till.credit(), **{"amount": "1.00", **changes})
    assert answer.status_code == 422, answer.text
    assert field in [fault["field"] for fault in answer.json()["errors"]]


def test_a_transfer_does_not_go_back_by_an_online_way(till):
    order = till.credit()
    [payment] = till.as_("finance").get(f"/v1/purchase-orders/{order}/payments").json()
    for payment_id in (payment["id"], 999_999_999):
        assert code(till.ask_back(order, "1.00", payee=None, payment_id=payment_id)) == (422, "not_an_online_payment")


def test_sent_twice_it_is_asked_for_once(till):
    order = till.credit()
    body = {"amount": "1.00", "reason": "退款", "payee": PAYEE}
    path, key = f"/v1/purchase-orders/{order}/refunds", {"Idempotency-Key": "one"}
    first, second = (till.as_("finance").post(path, json=body, headers=key) for _ in range(2))
    assert (first.status_code, second.status_code, first.json()) == (201, 201, second.json())
    assert len(till.as_("finance").get("/v1/refunds").json()["items"]) == 1
    assert till.as_("finance").post(path, json={**body, "amount": "2.00"}, headers=key).status_code == 422


def test_lists(till):
    order, other = till.credit(), till.credit()
    made = [till.ask_back(order, "1.00").json()["id"] for _ in range(5)]
    away = till.ask_back(other, "1.00").json()["id"]
    till.move(made[0], "approve")
    keeper = till.as_("cashier")

    def listed(**filters):
        found = keeper.get("/v1/refunds", params=filters).json()
        return [each["id"] for each in found["items"]], found["next"]

    assert listed()[0] == [away, *reversed(made)]
    assert listed(status="approved")[0] == [made[0]]
    assert listed(purchase_order_id=order, status="requested")[0] == list(reversed(made[1:]))
    first, after = listed(limit=4)
    second, end = listed(limit=4, after=after)
    assert (first + second, end) == ([away, *reversed(made)], None)
    assert listed(method="online")[0] == []
    assert listed(buyer_id=till.market.school.id, requested_from=str(clock.today()))[0] == listed()[0]
    assert listed(requested_to=str(clock.today() - timedelta(days=1)))[0] == []
    for odd in ({"after": "nonsense"}, {"buyer_id": 2**70}, {"requested_from": "yesterday"}, {"format": "pdf"}):
        assert keeper.get("/v1/refunds", params=odd).status_code == 422
    assert till.as_("seller").get("/v1/refunds").json()["items"] == []


def test_a_list_as_a_file(till, monkeypatch):
    order = till.credit()
    made = [till.ask_back(order, "1.05").json() for _ in range(3)]
    till.move(made[0]["id"], "approve")
    keeper = till.as_("cashier")
    lines = keeper.get("/v1/refunds", params={"format": "csv", "limit": 1}).content.decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["Number", *(each["number"] for each in reversed(made))]
    today = str(clock.today())
    asked, released = (till.people[name].name for name in ("cashier", "treasurer"))
    assert lines[3].split(",")[3:12] == ["bank transfer", "1.05", "订单取消", "approved", asked, today, released, today, ""]
    zh = keeper.get("/v1/refunds", params={"format": "csv", "status": "approved"}, headers={"Accept-Language": "zh"})
    assert zh.content.decode("utf-8-sig").splitlines()[1].split(",")[3:7] == ["银行转账", "1.05", "订单取消", "已批准"]
    assert keeper.get("/v1/refunds", params={"format": "xlsx"}).content[:2] == b"PK"
    assert till.as_("seller").get("/v1/refunds", params={"format": "csv"}).text.count("\n") == 1
    monkeypatch.setattr(queries, "MAX_LINES", 2)
    refused = keeper.get("/v1/refunds", params={"format": "csv"})
    assert (refused.status_code, refused.json()["code"]) == (422, "too_many_lines")


def test_an_order_that_moved_is_refunded_to_whom_it_belongs(till, api, database):
    """What was promised before stays the first unit's; what comes back is credit of the unit that has the order now."""
    order = till.credit("100.00")
    refund = till.ask_back(order, "40.00").json()["id"]
    till.move(refund, "approve")
    with database.unit_of_work() as session:
        other = make_organisation(session, kind="school")
        school = till.market.school.id
        session.execute(text("UPDATE purchase_order SET buyer_id = :b WHERE id = :id"), {"b": other.id, "id": order})
        money.reassign(session, order, from_id=school, to_id=other.id)
        other_id = other.id
    till.move(refund, "send")
    till.move(refund, "confirm")
    statement = (
        "SELECT account, party_id, sum(amount_fen)::int FROM money_posting GROUP BY 1, 2 HAVING sum(amount_fen) <> 0 ORDER BY 1, 2"
    )
    assert rows(database, statement) == [("bank", None, 6_000), ("receivable", other_id, -6_000)]
    till.fails(refund)
    assert rows(database, statement) == [("bank", None, 10_000), ("receivable", other_id, -10_000)]
    assert differences(database) == {}
