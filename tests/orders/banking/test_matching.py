"""Lines matched by rule and by hand, split, undone; payers that are not the buyer; refunds that leave and come back."""

import pytest
from sqlalchemy import text

from orders.banking.actions import making
from orders.banking.errors import LineTaken
from orders.banking.rules import MatchKind
from orders.money import actions as money
from orders.money.rules import Account, Kind, Place, carry
from orders.terms import actions as terms
from shop.core import outbox
from shop.core.audit import SYSTEM
from shop.core.errors import Problem
from shop.identity.permissions import Role
from tests.factories.after_sales import finds
from tests.factories.identity import make_organisation, make_user
from tests.factories.statements import statement
from tests.orders.banking.conftest import reference_of
from workers.handlers import HANDLERS


def test_one_line_pays_many_orders_and_many_lines_one(desk):
    one, two = desk.order(10, 1), desk.order(1)
    desk.imported(statement((80000, "沙坪坝中学", "两笔订单货款", "S1"), (11890, "沙坪坝中学", f"补款 {reference_of(one)}", "S2")))
    first, second = desk.lines()
    # by rule, up to what was due then
    assert (second["status"], desk.due(one)) == ("matched", 84900 - 11890)
    part = {"kind": "order", "purchase_order_id": one["id"], "amount": "730.10"}
    split = desk.match(first["id"], part, {"kind": "order", "purchase_order_id": two["id"], "amount": "69.90"}, note="按付款通知")
    assert split.status_code == 201, split.text
    shown = split.json()
    assert (shown["status"], shown["open"], len(shown["matches"]), shown["matches"][0]["note"]) == (
        "matched",
        "0.00",
        2,
        "按付款通知",
    )
    assert (desk.due(one), desk.due(two), desk.balance("unallocated")) == (0, 0, 0)
    assert desk.pay_order(first["id"], one, "0.01").json()["code"] == "line_matched"
    desk.agrees()
    # everything can be taken back, and is not matched by rule again
    for each in (*shown["matches"], *desk.line(second["id"])["matches"]):
        undone = desk.client.post(f"/v1/bank-matches/{each['id']}/undo", json={"reason": "记错订单"})
        assert undone.status_code == 200, undone.text
    again = desk.client.post(f"/v1/bank-matches/{each['id']}/undo", json={"reason": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "match_undone")
    assert (desk.due(one), desk.due(two), desk.balance("unallocated")) == (84900, 6990, -91890)
    desk.drain()
    from orders.banking.handlers import match_open

    with desk.database.unit_of_work() as session:
        assert match_open(session) == 0
    desk.agrees()
    assert desk.pay_order(second["id"], one, "118.90").status_code == 201
    desk.agrees()


def test_paid_too_much_stays_the_buyers_credit(desk):
    order = desk.order(1)
    desk.imported(statement((10000, "沙坪坝中学", f"货款 {reference_of(order)}", "S1")))
    [row] = desk.lines()
    assert row["status"] == "open"
    proposal = desk.line(row["id"])["proposals"][0]
    assert (proposal["kind"], proposal["certain"], proposal["due"]) == ("order", False, "69.90")
    assert proposal["reasons"] == ["reference", "above_due", "payer_is_buyer"]
    refused = desk.pay_order(row["id"], order, "100.00")
    assert (refused.status_code, refused.json()["code"], refused.json()["data"]["due"]) == (409, "match_above_due", "69.90")
    assert desk.pay_order(row["id"], order, "100.00", allow_credit=True).status_code == 201
    assert desk.due(order) == -3010
    desk.agrees()


@pytest.mark.slow
def test_an_announced_transfer_is_shown_by_the_bank_once(desk):
    order = desk.order(10, 1)
    made = desk.announce(order, "500.00", "ICBC-2026-0001")
    assert desk.due(order) == 34900
    desk.imported(statement((50000, "沙坪坝中学", "货款", "ICBC20260001"), (50000, "沙坪坝中学", "货款 ICBC-2026-0001", "S2")))
    first, second = desk.lines()
    assert (first["status"], second["status"]) == ("matched", "open")
    [match] = desk.line(first["id"])["matches"]
    assert (match["kind"], match["payment_id"]) == ("announced", made["id"])
    assert (desk.due(order), desk.balance("announced"), desk.balance("unallocated")) == (34900, 0, -50000)
    finance = desk.api.as_(desk.market.finance)
    path = f"/v1/purchase-orders/{order['id']}/payments"
    [payment] = finance.get(path).json()
    assert payment["shown_at"]
    undo = finance.post(f"{path}/{made['id']}/undo", json={"reason": "没有付"})
    assert (undo.status_code, undo.json()["code"]) == (409, "payment_not_announced")
    twice = desk.match(second["id"], {"kind": "announced", "payment_id": made["id"]})
    assert twice.json()["code"] == "announced_not_open"
    desk.agrees()
    desk.client.post(f"/v1/bank-matches/{match['id']}/undo", json={"reason": "不是这一笔"})
    assert desk.balance("announced") == 50000
    assert finance.get(path).json()[0]["shown_at"] is None
    assert finance.post(f"{path}/{made['id']}/undo", json={"reason": "没有付"}).status_code == 201
    assert desk.match(second["id"], {"kind": "announced", "payment_id": made["id"]}).json()["code"] == "announced_not_open"
    desk.agrees()


def test_what_the_same_request_shows_does_not_stand_in_the_way(desk):
    order = desk.order(10, 1)
    made = desk.announce(order, "500.00", "ICBC-2026-0001")
    desk.imported(statement((90000, "沙坪坝中学", "货款", "S1")))
    [line] = desk.lines()
    parts = [
        {"kind": "announced", "payment_id": made["id"]},
        {"kind": "order", "purchase_order_id": order["id"], "amount": "400.00"},
    ]
    alone = desk.match(line["id"], parts[1])
    assert (alone.json()["code"], alone.json()["data"]["payment_ids"]) == ("announced_waits", [made["id"]])
    refused = desk.match(line["id"], *parts)
    assert (refused.status_code, refused.json()["code"], refused.json()["data"]["due"]) == (409, "match_above_due", "349.00")
    assert desk.match(line["id"], *parts, allow_credit=True).json()["status"] == "matched"
    desk.agrees()


def test_what_was_announced_after_the_import_is_found_by_the_sweep(desk):
    order = desk.order(10, 1)
    desk.imported(statement((50000, "沙坪坝中学", "货款", "ABC123456")))
    desk.announce(order, "500.00", "ABC123456")
    from orders.banking.handlers import match_open

    with desk.database.unit_of_work() as session:
        assert match_open(session) == 1
    assert desk.balance("announced") == 0
    desk.agrees()


def test_the_sweep_comes_to_every_open_line(desk, monkeypatch):
    """However many newer ones stay open before it."""
    from orders.banking import handlers

    order = desk.order(10, 1)
    desk.imported(statement((50000, "沙坪坝中学", "货款", "ABC123456"), *((n, "甲", "x", f"S{n}") for n in range(1, 7))))
    desk.announce(order, "500.00", "ABC123456")
    monkeypatch.setattr(handlers, "CHUNK", 2)
    with desk.database.unit_of_work() as session:
        assert handlers.match_open(session) == 0
    assert desk.balance("announced") == 50000
    desk.drain()
    assert desk.balance("announced") == 0
    desk.agrees()


def test_a_statement_says_that_matching_goes_on(desk, monkeypatch):
    from orders.banking import handlers

    monkeypatch.setattr(handlers, "CHUNK", 2)
    order = desk.order(10)
    lines = [(n, "沙坪坝中学", reference_of(order), f"S{n}") for n in range(1, 6)]
    made = desk.upload(statement(*lines)).json()
    assert (made["matching_left"], made["matching_goes_on_at"] is None) == (5, False)

    def left():
        shown = desk.client.get(f"/v1/bank-statements/{made['id']}").json()
        return shown["matching_left"], shown["open_count"], shown["matching_goes_on_at"] is None

    event = text("SELECT id FROM outbox_event WHERE name = 'bank_statement.imported' AND done_at IS NULL")
    for expected in ((3, 3, False), (1, 1, False), (0, 0, True)):
        with desk.database.unit_of_work() as session:
            [event_id] = session.execute(event).scalars()
        outbox.work(desk.database, HANDLERS, event_id)
        assert left() == expected
    [listed] = desk.client.get("/v1/bank-statements").json()["items"]
    assert listed["matching_left"] == 0


def test_proposals_say_why(desk):
    order, other = desk.order(10, 1), desk.order(1)
    desk.imported(
        statement(
            (84900, "沙坪坝中学", "货款", "S1", "6222"), (6990, "沙坪坝中学（食堂专户）", "x", "S2"), (1, "无关公司", "y", "S3")
        )
    )
    first, second, third = (desk.line(row["id"]) for row in desk.lines())
    assert [(each["purchase_order_id"], each["reasons"]) for each in first["proposals"]] == [
        (order["id"], ["exact_due", "payer_is_buyer"])
    ]
    assert first["proposals"][0]["reasons_told"] == ["the amount is exactly what is due", "the payer is the buyer"]
    assert [each["purchase_order_id"] for each in second["proposals"]] == [other["id"]]
    assert third["proposals"] == []
    # who paid from an account once is known by it
    assert desk.pay_order(first["id"], order, "849.00").status_code == 201
    desk.imported(statement((12300, "沙坪坝中", "货款", "S4", "6222"), opening=91891))
    shown = desk.line(desk.lines()[-1]["id"])
    assert {"paid_from_before"} <= set(shown["proposals"][0]["reasons"])
    desk.imported(statement((69, "沙坪坝中学", f"单号 {other['number']}", "S5"), opening=104191))
    assert "order_number" in desk.line(desk.lines()[-1]["id"])["proposals"][0]["reasons"]
    desk.agrees()


def test_another_payer_is_declared_by_one_and_approved_by_another(desk):
    order = desk.order(10, 1)
    desk.imported(statement((84900, "沙坪坝区国库支付中心", f"代沙坪坝中学 {reference_of(order)}", "S1")))
    [row] = desk.lines()
    assert "payer_differs" in desk.line(row["id"])["proposals"][0]["reasons"]
    refused = desk.pay_order(row["id"], order, "849.00")
    assert (refused.status_code, refused.json()["code"]) == (409, "payer_not_declared")
    path = f"/v1/purchase-orders/{order['id']}/payer-declarations"
    body = {"payer_name": "沙坪坝区国库支付中心", "reason_code": "treasury", "reason": "国库集中支付", "all_orders": True}
    finance = desk.api.as_(desk.market.finance)
    assert desk.api.as_(desk.market.purchaser).post(path, json=body).status_code == 403
    assert finance.post(path, json={**body, "payer_name": "沙坪坝中学 "}).json()["code"] == "payer_is_buyer"
    assert finance.post(path, json={**body, "payer_name": "——"}).status_code == 422
    declared = finance.post(path, json=body)
    assert (declared.status_code, declared.json()["status"], declared.json()["purchase_order_id"]) == (201, "declared", None)
    assert finance.post(path, json=body).json()["code"] == "payer_declared"
    assert desk.pay_order(row["id"], order, "849.00").json()["code"] == "payer_not_declared"
    here = f"/v1/payer-declarations/{declared.json()['id']}"
    assert finance.post(f"{here}/approve", json={}).status_code == 403
    elsewhere = desk.api.as_(desk.district)
    assert elsewhere.post(f"{here}/approve", json={}).status_code == 404
    approved = desk.client.post(f"{here}/approve", json={"reason": "已核对函件"})
    assert approved.json()["status"] == "approved"
    assert desk.client.post(f"{here}/approve", json={}).json()["code"] == "illegal_move"
    told = finance.get(f"/v1/purchase-orders/{order['id']}/transfer-instructions").json()
    assert told["approved_payers"] == ["沙坪坝区国库支付中心"]
    desk.drain()
    from orders.banking.handlers import match_open

    with desk.database.unit_of_work() as session:
        assert match_open(session) == 1  # certain by now
    assert desk.due(order) == 0
    assert "payer_approved" in desk.line(row["id"])["matches"][0]["reasons"]
    kinds = [each["kind"] for each in finance.get("/v1/notifications").json()["items"]]
    assert "payer_declaration.approved" in kinds
    assert desk.api.as_(desk.market.sellers[0]).get(here).status_code == 404
    assert finance.post(f"{here}/withdraw", json={}).json()["status"] == "withdrawn"
    assert finance.get("/v1/payer-declarations", params={"status": "approved"}).json()["items"] == []
    desk.agrees()


def test_a_unit_declares_who_pays_for_what_it_ordered_itself(desk):
    """The canteen orders at the school's expense: its finance speaks for that order, and not for the school's others."""
    order, other = desk.order(10, 1), desk.order(1)
    with desk.database.unit_of_work() as session:
        canteen = make_organisation(session, kind="school", role=None, parent=desk.market.school, name="沙坪坝中学食堂")
        values = {"unit": canteen.id, "id": order["id"]}
        session.execute(text("UPDATE purchase_order SET ordering_unit_id = :unit WHERE id = :id"), values)
        bookkeeper = make_user(session, Role.FINANCE, canteen)
    finance = desk.api.as_(bookkeeper)
    path = f"/v1/purchase-orders/{order['id']}/payer-declarations"
    body = {"payer_name": "沙坪坝区国库支付中心", "reason_code": "treasury", "reason": "国库集中支付"}
    assert finance.post(path, json={**body, "all_orders": True}).status_code == 404
    assert finance.post(f"/v1/purchase-orders/{other['id']}/payer-declarations", json=body).status_code == 404
    declared = finance.post(path, json=body)
    assert (declared.status_code, declared.json()["purchase_order_id"]) == (201, order["id"])
    of_school = desk.api.as_(desk.market.finance)
    assert of_school.post(path, json={**body, "all_orders": True}).status_code == 201
    assert [each["id"] for each in finance.get("/v1/payer-declarations").json()["items"]] == [declared.json()["id"]]
    assert len(of_school.get("/v1/payer-declarations").json()["items"]) == 2
    [whole] = [each for each in of_school.get("/v1/payer-declarations").json()["items"] if each["purchase_order_id"] is None]
    assert finance.post(f"/v1/payer-declarations/{whole['id']}/withdraw", json={}).status_code == 404
    withdrawn = finance.post(f"/v1/payer-declarations/{declared.json()['id']}/withdraw", json={})
    assert (withdrawn.status_code, withdrawn.json()["status"]) == (200, "withdrawn")


def test_nobody_approves_an_own_declaration_not_even_past_the_program(desk):
    order = desk.order(1)
    path = f"/v1/purchase-orders/{order['id']}/payer-declarations"
    body = {"payer_name": "张三", "reason_code": "personal", "reason": "垫付"}
    made = desk.client.post(path, json=body).json()
    own = desk.client.post(f"/v1/payer-declarations/{made['id']}/approve", json={})
    assert (own.status_code, own.json()["code"]) == (403, "own_declaration")
    with pytest.raises(Exception, match="two_persons"), desk.database.unit_of_work() as session:
        session.execute(text("UPDATE payer_declaration SET status = 'approved', decided_by = declared_by, decided_at = now()"))
    assert (
        desk.second.post(f"/v1/payer-declarations/{made['id']}/refuse", json={"reason": "个人不得代付"}).json()["status"]
        == "refused"
    )
    # it is for that order, and may be declared again
    assert desk.client.post(path, json=body).status_code == 201


def refund_of(desk, order, amount, payee="沙坪坝中学"):
    body = {"amount": amount, "reason": "多付", "payee": {"name": payee, "account": "3100021009014400777", "bank": "工商银行"}}
    made = desk.client.post(f"/v1/purchase-orders/{order['id']}/refunds", json=body)
    assert made.status_code == 201, made.text
    approved = desk.second.post(f"/v1/refunds/{made.json()['id']}/approve")
    assert approved.json()["status"] == "approved", approved.text
    return approved.json()


def overpaid(desk, fen=30000, opening=0):
    """An order that costs 69.90 and was paid 30,000 fen more by the bank."""
    order = desk.order(1)
    desk.imported(statement((6990 + fen, "沙坪坝中学", "货款", f"P{order['id']}"), opening=opening))
    row = desk.lines()[-1]
    assert desk.pay_order(row["id"], order, f"{(6990 + fen) / 100:.2f}", allow_credit=True).status_code == 201
    return order


@pytest.mark.slow
def test_refunds_leave_and_come_back(desk):
    order = overpaid(desk)
    refund = refund_of(desk, order, "300.00")
    assert (desk.due(order), desk.balance("refunds")) == (0, -30000)
    out = (-30000, "沙坪坝中学", f"退款 {refund['number']}", "R1")
    desk.imported(statement(out, (-1050, "", "跨行汇款手续费", "R2"), opening=36990))
    _, left, fee = desk.lines()
    assert (left["status"], fee["status"]) == ("matched", "open")
    assert desk.client.get(f"/v1/refunds/{refund['id']}").json()["status"] == "paid"
    assert (desk.balance("refunds"), desk.balance("unallocated")) == (0, 1050)
    assert desk.line(fee["id"])["proposals"][0]["entry"] == "fee"
    desk.written_off(fee["id"], "fee", "10.50")
    assert (desk.balance("fees"), desk.balance("unallocated")) == (1050, 0)
    desk.agrees()
    desk.imported(
        statement((30000, "沙坪坝中学", f"账号户名不符 退汇 {refund['number']}", "R3"), (321, "", "结息", "R4"), opening=5940)
    )
    back, interest = desk.lines()[-2:]
    assert back["status"] == "matched"
    assert desk.client.get(f"/v1/refunds/{refund['id']}").json()["status"] == "failed"
    assert desk.due(order) == -30000
    entry = desk.written_off(interest["id"], "interest", "3.21")["matches"][0]
    assert (desk.balance("fees"), desk.balance("unallocated")) == (1050 - 321, 0)
    desk.agrees()
    desk.client.post(f"/v1/bank-matches/{entry['id']}/undo", json={"reason": "x"})
    assert desk.balance("unallocated") == -321
    desk.agrees()


def test_a_refund_does_not_leave_on_money_that_was_for_something_else(desk):
    order = overpaid(desk)
    refund = refund_of(desk, order, "300.00")
    path = f"/v1/refunds/{refund['id']}"
    [match] = desk.line(desk.lines()[-1]["id"])["matches"]
    undo = f"/v1/bank-matches/{match['id']}/undo"
    refused = desk.client.post(undo, json={"reason": "另一单位的款"})
    assert (refused.status_code, refused.json()["code"]) == (409, "refunds_rest_on_it")
    assert desk.lines()[-1]["status"] == "matched"
    assert desk.client.post(f"{path}/fail", json={"reason": "未提交银行"}).json()["status"] == "failed"
    assert desk.client.post(undo, json={"reason": "另一单位的款"}).status_code == 200
    desk.agrees()


def test_the_money_behind_a_refund_is_looked_at_before_it_leaves(desk):
    """Whatever took it away, such as a buyer's bank: it goes into no file, and is sent or confirmed only with a reason."""
    order, other = overpaid(desk), overpaid(desk, opening=36990)
    first, second, third = (
        refund_of(desk, each, amount) for each, amount in ((order, "100.00"), (order, "50.00"), (other, "9.00"))
    )
    made = desk.client.post("/v1/refund-files", json={"refund_ids": [first["id"]]}).json()
    with desk.database.unit_of_work() as session:
        argued, online = Place(Account.CHARGEBACKS, None, order["id"]), Place(Account.ONLINE, None, order["id"])
        money.book(session, Kind.CHARGEBACK, 1, carry(20_000, to=argued, out_of=online))
        terms.settle(session, [order["id"]])

    def refused(answer):
        assert (answer.status_code, answer.json()["code"]) == (409, "refund_not_covered"), answer.text
        assert "50.00" in answer.json()["title"]

    bank = {"reference": "B-1"}
    sent, path = f"/v1/refund-files/{made['id']}/send", f"/v1/refunds/{second['id']}"
    refused(desk.client.post("/v1/refund-files", json={"refund_ids": [second["id"]]}))
    assert desk.client.post("/v1/refund-files", json={}).json()["refund_ids"] == [third["id"]]
    for refusing in (sent, f"{path}/send", f"{path}/confirm"):
        refused(desk.client.post(refusing, json=bank))
        assert desk.client.post(refusing, json={**bank, "despite": ""}).status_code == 422
    told = {**bank, "despite": "学校书面承诺重付"}
    assert desk.client.post(sent, json=told).json()["status"] == "sent"
    assert desk.client.post(f"{path}/confirm", json=told).json()["status"] == "paid"
    with desk.database.unit_of_work() as session:
        reasons = session.execute(
            text("SELECT action, reason FROM audit_event WHERE action IN ('refund.send', 'refund.confirm') ORDER BY 1")
        ).all()
    assert [tuple(row) for row in reasons] == [("refund.confirm", told["despite"]), ("refund.send", told["despite"])]


@pytest.mark.slow
def test_nobody_says_of_a_refund_that_it_failed_which_the_bank_shows(desk):
    order = overpaid(desk)
    refund = refund_of(desk, order, "300.00")
    desk.imported(statement((-30000, "沙坪坝中学", f"退款 {refund['number']}", "R1"), opening=36990))
    path = f"/v1/refunds/{refund['id']}"
    refused = desk.client.post(f"{path}/fail", json={"reason": "退汇"})
    assert (refused.status_code, refused.json()["code"]) == (409, "shown_by_bank")
    assert (desk.client.get(path).json()["status"], desk.due(order)) == ("paid", 0)
    desk.imported(statement((30000, "沙坪坝中学", f"退汇 {refund['number']}", "R3"), opening=6990))
    assert desk.client.get(path).json()["status"] == "failed"
    desk.agrees()


@pytest.mark.slow
def test_a_refund_confirmed_by_hand_is_outstanding_until_the_bank_shows_it(desk):
    order = overpaid(desk)
    refund = refund_of(desk, order, "300.00", payee="别的名称")
    desk.client.post(f"/v1/refunds/{refund['id']}/confirm", json={"reference": "BANK-1"})
    books = desk.agrees()
    assert [each["amount"] for each in books["outstanding"]] == ["-300.00"]
    assert books["book_balance"] == "69.90"
    desk.imported(statement((-30000, "沙坪坝中学", "退款", "R1"), (500, "甲", "x", "R2"), opening=36990))
    _, left, into = desk.lines()
    assert left["status"] == "open"  # neither number nor payee say that it is
    assert desk.line(left["id"])["proposals"][0]["refund_id"] == refund["id"]
    part = {"kind": "refund", "refund_id": refund["id"]}
    assert desk.match(into["id"], part).json()["code"] == "wrong_direction"
    assert (
        desk.match(left["id"], {"kind": "order", "purchase_order_id": order["id"], "amount": "1.00"}).json()["code"]
        == "wrong_direction"
    )
    assert desk.match(left["id"], part).status_code == 201
    assert desk.agrees()["outstanding"] == []
    [match] = desk.line(left["id"])["matches"]
    desk.client.post(f"/v1/bank-matches/{match['id']}/undo", json={"reason": "不是这笔"})
    books = desk.agrees()
    assert [each["transaction_id"] for each in books["outstanding"]] == [match["transaction_id"]]
    # the same movement of the books, named as such
    assert desk.match(left["id"], {"kind": "booked", "transaction_id": match["transaction_id"]}).status_code == 201
    assert (
        desk.match(left["id"], {"kind": "booked", "transaction_id": match["transaction_id"]}).json()["code"] == "movement_not_open"
    )
    desk.agrees()


@pytest.mark.parametrize(
    ("part", "status", "code"),
    [
        ({"kind": "order", "purchase_order_id": 999, "amount": "1.00"}, 404, "not_found"),
        ({"kind": "announced", "payment_id": 999}, 404, "not_found"),
        ({"kind": "refund_returned", "refund_id": 999}, 404, "not_found"),
        ({"kind": "booked", "transaction_id": 999}, 409, "movement_not_open"),
        ({"kind": "order", "purchase_order_id": 1, "amount": "100.01"}, 409, "line_matched"),
        ({"kind": "payout_file", "payout_file_id": 999}, 404, "not_found"),
        ({"kind": "order", "purchase_order_id": 1, "amount": "0.00"}, 422, "invalid"),
        ({"kind": "order", "purchase_order_id": 1, "amount": "1e99"}, 422, "invalid"),
        ({"kind": "nothing"}, 422, "invalid"),
        # nobody explains a line away alone
        ({"kind": "bank_entry", "entry": "fee", "amount": "1.00"}, 422, "invalid"),
    ],
)
def test_what_does_not_fit_is_refused(desk, part, status, code):
    order = desk.order(10)
    desk.imported(statement((10000, "沙坪坝中学", "x", "S1")))
    [row] = desk.lines()
    if part.get("purchase_order_id") == 1:
        part = {**part, "purchase_order_id": order["id"]}
    answer = desk.match(row["id"], part)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert desk.line(row["id"])["open"] == "100.00"
    # one bad part, and nothing of the others
    good = {"kind": "order", "purchase_order_id": desk.order(1)["id"], "amount": "1.00"}
    assert desk.match(row["id"], good, part).status_code == status
    assert desk.line(row["id"])["open"] == "100.00"


def test_a_line_that_changed_meanwhile_is_read_again_first(desk):
    order = desk.order(10)
    desk.imported(statement((10000, "沙坪坝中学", "x", "S1")))
    [row] = desk.lines()
    assert desk.pay_order(row["id"], order, "1.00", headers={"If-Match": '"1"'}).status_code == 201
    assert desk.pay_order(row["id"], order, "1.00", headers={"If-Match": '"1"'}).status_code == 412
    key = {"Idempotency-Key": "once"}
    first, again = (desk.pay_order(row["id"], order, "1.00", headers=key) for _ in range(2))
    assert (first.content, again.headers["Idempotent-Replayed"]) == (again.content, "true")
    assert desk.line(row["id"])["open"] == "98.00"


def test_the_buyer_changes_between_announcement_and_statement(desk):
    """The announcement stands on the account of whom the order belonged to then; it is cleared there."""
    order = desk.order(10, 1)
    desk.announce(order, "849.00", "B1234567")
    with desk.database.unit_of_work() as session:
        other = session.execute(
            text("SELECT id FROM organisation WHERE id <> :id LIMIT 1"), {"id": desk.market.school.id}
        ).scalar_one()
        session.execute(text("UPDATE purchase_order SET buyer_id = :other"), {"other": other})
    desk.imported(statement((84900, "沙坪坝中学", "货款", "B1234567")))
    [row] = desk.lines()
    assert row["status"] == "matched"  # the unit that ordered may pay
    with desk.database.unit_of_work() as session:
        left = session.execute(
            text("SELECT party_id, sum(amount_fen) FROM money_posting WHERE account = 'announced' GROUP BY 1")
        ).all()
    assert [fen for _, fen in left] == [0]


@pytest.mark.slow
def test_refunds_go_into_one_file_each(desk):
    order = overpaid(desk)
    first, second = refund_of(desk, order, "100.00"), refund_of(desk, order, "50.00")
    asked = {"amount": "10.00", "reason": "x", "payee": {"name": "甲", "account": "12345678"}}
    waiting = desk.client.post(f"/v1/purchase-orders/{order['id']}/refunds", json=asked).json()
    unreleased = desk.client.post("/v1/refund-files", json={"refund_ids": [waiting["id"]]})
    assert (unreleased.status_code, unreleased.json()["code"]) == (404, "no_such_refund")
    made = desk.client.post("/v1/refund-files", json={"layout": "icbc", "refund_ids": [first["id"]]}).json()
    assert (made["refund_count"], made["total"], made["status"]) == (1, "100.00", "made")
    assert desk.client.post("/v1/refund-files", json={"refund_ids": [first["id"]]}).json()["code"] == "refund_in_file"
    rest = desk.client.post("/v1/refund-files", json={"layout": "generic"}).json()
    assert rest["refund_ids"] == [second["id"]]
    assert desk.client.post("/v1/refund-files", json={}).json()["code"] == "no_refund_to_send"
    shown = desk.client.get(f"/v1/refund-files/{made['id']}/file").content.decode("utf-8-sig").splitlines()
    assert shown[0] == "付款账号,收款账号,收款账号名称,收款银行,金额,用途,业务编号"
    assert f"3100021009014400777,沙坪坝中学,工商银行,100.00,退款 {first['number']} {order['number']},{first['number']}" in shown[1]
    assert desk.client.get(f"/v1/refund-files/{made['id']}/file", params={"format": "xlsx"}).content[:2] == b"PK"
    assert desk.api.as_(desk.district).get(f"/v1/refund-files/{made['id']}/file").status_code == 404
    sent = desk.client.post(f"/v1/refund-files/{made['id']}/send", json={"reference": "UPLOAD-1"}).json()
    assert (sent["status"], desk.client.get(f"/v1/refunds/{first['id']}").json()["status"]) == ("sent", "sent")
    assert desk.client.post(f"/v1/refund-files/{made['id']}/void", json={"reason": "x"}).json()["code"] == "illegal_move"
    own = desk.client.post(f"/v1/refund-files/{rest['id']}/void", json={"reason": "没有上传"})
    assert (own.status_code, own.json()["code"]) == (403, "own_refund_file")
    void = desk.second.post(f"/v1/refund-files/{rest['id']}/void", json={"reason": "没有上传"}).json()
    assert void["status"] == "void"
    again = desk.client.post("/v1/refund-files", json={"refund_ids": [second["id"]]})
    assert again.status_code == 201
    assert [each["status"] for each in desk.client.get("/v1/refund-files").json()["items"]] == ["made", "void", "sent"]
    desk.agrees()


PLANTS = [
    ("UPDATE bank_statement SET balance_fen = balance_fen + 1", "bank_balance"),
    ("UPDATE bank_statement SET opening_fen = opening_fen + 1", "bank_statements"),
    ("UPDATE bank_line SET amount_fen = amount_fen + 1 WHERE amount_fen > 0", "bank_statements"),
    ("DELETE FROM bank_line WHERE matched_fen = 0", "bank_statements"),
    ("DELETE FROM bank_line WHERE matched_fen = 0", "unallocated"),
    ("DELETE FROM money_posting WHERE account = 'bank' AND amount_fen > 0", "bank_balance"),
    ("UPDATE money_posting SET amount_fen = amount_fen + 1 WHERE account = 'unallocated'", "unallocated"),
    ("UPDATE bank_line SET matched_fen = matched_fen - 1 WHERE matched_fen > 0", "bank_lines"),
    ("UPDATE bank_match SET amount_fen = amount_fen + 1", "bank_lines"),
    ("UPDATE payment SET shown_at = NULL", "announced_open"),
    ("UPDATE payment SET undone_at = now(), undo_reason = 'x', shown_at = NULL", "bank_matches"),
    ("DELETE FROM bank_match WHERE kind = 'order'", "bank_matches"),
    ("UPDATE bank_match SET purchase_order_id = NULL WHERE kind = 'refund'", "bank_matches"),
    ("UPDATE bank_match SET undone_at = now(), undo_reason = 'x' WHERE kind = 'announced'", "bank_matches"),
    ("DELETE FROM money_posting WHERE account = 'announced' AND amount_fen > 0", "announced_open"),
    ("UPDATE payer_declaration SET decided_by = declared_by", "payers"),
    (
        "UPDATE bank_line SET payer_name = '无关公司' WHERE id IN (SELECT line_id FROM bank_match WHERE kind = 'announced')",
        "payers",
    ),
    # approved only after it paid
    ("UPDATE bank_line SET payer_name = '张三' WHERE id IN (SELECT line_id FROM bank_match WHERE kind = 'order')", "payers"),
]


def test_planted_errors_are_found(desk):
    order = overpaid(desk)
    announced = desk.order(10)
    desk.announce(announced, "99.00", "SHOWN123456")
    desk.announce(announced, "1.00", "NOTSHOWN123456")
    refund = refund_of(desk, order, "300.00")
    lines = [
        (9900, "沙坪坝中学", "x", "SHOWN123456"),
        (-30000, "沙坪坝中学", f"退款 {refund['number']}", "R1"),
        (77, "甲", "y", "R2"),
    ]
    desk.imported(statement(*lines, opening=36990))
    declared = desk.client.post(
        f"/v1/purchase-orders/{order['id']}/payer-declarations",
        json={"payer_name": "张三", "reason_code": "personal", "reason": "垫付"},
    )
    assert desk.second.post(f"/v1/payer-declarations/{declared.json()['id']}/approve", json={}).status_code == 200
    desk.agrees()
    for statement_, check in PLANTS:
        with desk.database.session() as session:
            session.execute(text("SET session_replication_role = replica"))
            session.execute(text("ALTER TABLE payer_declaration DROP CONSTRAINT ck_payer_declaration_two_persons"))
            assert session.execute(text(statement_)).rowcount > 0, statement_
            assert finds(session, check), statement_
            session.rollback()


def test_every_refusal_has_words():
    from orders.banking import errors

    named = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, Problem) and each.__module__ == errors.__name__
    ]
    assert len({each.code for each in named}) == len(named) > 20
    assert all(each.zh and each.en for each in named)


def test_what_is_left_of_a_line_is_told_as_it_is(desk):
    desk.imported(statement((10000, "沙坪坝中学", "x", "S1")))
    with desk.database.session() as session:
        line = session.execute(text("SELECT * FROM bank_line")).one()
        with pytest.raises(LineTaken) as refused:
            making.make(session, SYSTEM, [making.Wanted(line, MatchKind.ORDER, 10_001)])
    assert refused.value.data == {"left": "100.00"}


def test_an_order_is_named_once_in_a_match(desk):
    order = desk.order(5)
    desk.imported(statement((30_000, "沙坪坝中学", "货款", "T1")))
    [line] = desk.lines()
    twice = [{"kind": "order", "purchase_order_id": order["id"], "amount": amount} for amount in ("100.00", "200.00")]
    refused = desk.match(line["id"], *twice)
    assert refused.status_code == 422
    assert [(each["field"], each["code"]) for each in refused.json()["errors"]] == [("parts[1]", "named_twice")]
    assert desk.lines()[0]["status"] == "open"
