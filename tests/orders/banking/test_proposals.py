"""What a clerk is shown and finds: proposals, the search of the queue, what is left to do and by whom."""

import pytest

from tests.factories.statements import statement
from tests.orders.banking.conftest import reference_of
from tests.orders.banking.test_left_after_all import code, overpaid, refund_of
from tests.orders.banking.test_payouts import agrees, match, number_of, undo


@pytest.mark.parametrize("written", ["现金存入", "结息", "货款 {reference}"])
def test_a_line_that_names_no_payer_pays_an_order_by_two_persons(desk, written):
    order = desk.order(1)
    desk.imported(statement((6990, "", written.format(reference=reference_of(order)), "S1")))
    [row] = desk.lines()
    assert row["status"] == "open"
    refused = desk.pay_order(row["id"], order, "69.90")
    payer = f"BL{row['id']}"
    assert (code(refused), refused.json()["data"]["payer"]) == ((409, "payer_not_named"), payer)
    body = {"payer_name": payer, "reason_code": "other", "reason": "凭存款回单"}
    declared = desk.client.post(f"/v1/purchase-orders/{order['id']}/payer-declarations", json=body).json()
    assert code(desk.pay_order(row["id"], order, "69.90")) == (409, "payer_not_named")
    assert desk.second.post(f"/v1/payer-declarations/{declared['id']}/approve", json={}).status_code == 200
    assert desk.pay_order(row["id"], order, "69.90").status_code == 201
    # of another line that names nobody nothing was said
    desk.imported(statement((100, "", written.format(reference=reference_of(order)), "S2"), opening=6990))
    other = desk.lines()[-1]
    assert code(desk.pay_order(other["id"], order, "1.00", allow_credit=True)) == (409, "payer_not_named")
    # what a line made it has shown from the beginning
    [payment] = desk.api.as_(desk.market.finance).get(f"/v1/purchase-orders/{order['id']}/payments").json()
    assert (payment["source"], payment["shown_at"]) == ("unallocated", payment["recorded_at"])
    desk.agrees()


def test_the_exact_split_of_the_orders_that_a_line_names_comes_first(desk):
    orders = [desk.order(1) for _ in range(3)]
    named = orders[1:]
    desk.imported(statement((13980, "沙坪坝中学", " ".join(map(reference_of, named)), "S1")))
    [row] = desk.lines()
    first, *others = desk.line(row["id"])["proposals"]
    assert (first["kind"], first["reasons"]) == ("orders", ["reference", "exact_dues", "payer_is_buyer"])
    assert [each["purchase_order_id"] for each in first["orders"]] == [each["id"] for each in named]
    assert {each["score"] < first["score"] for each in others} == {True}


@pytest.mark.slow
def test_two_old_orders_that_come_to_the_line_come_before_single_ones(desk):
    """Without a reference, among many newer orders, from an account that has paid for this buyer before."""
    account = "6222000011112222333"
    paid = desk.order(2)
    [old, other] = [desk.order(quantity) for quantity in (7, 9)]
    for _ in range(51):
        desk.order(1)
    desk.imported(statement((13980, "沙坪坝中学", reference_of(paid), "S1", account)))
    desk.imported(statement((111840, "沙坪坝中学", "货款", "S2", account), opening=13980))
    row = desk.lines()[-1]
    first, *others = desk.line(row["id"])["proposals"]
    assert (first["kind"], first["reasons"]) == ("orders", ["paid_from_before", "exact_dues", "payer_is_buyer"])
    assert [(each["purchase_order_id"], each["amount"]) for each in first["orders"]] == [
        (old["id"], "489.30"),
        (other["id"], "629.10"),
    ]
    assert {each["kind"] for each in others} == {"order"}
    parts = [
        {"kind": "order", "purchase_order_id": each["purchase_order_id"], "amount": each["amount"]} for each in first["orders"]
    ]
    assert desk.match(row["id"], *parts).status_code == 201
    assert (desk.due(old), desk.due(other)) == (0, 0)


def test_what_was_paid_beside_an_announced_transfer_is_a_credit_and_nothing_is_due(desk):
    order = desk.order(10)
    desk.announce(order, "699.00", "KEY-A")
    desk.imported(statement((10000, "沙坪坝中学", reference_of(order), "S1"), (5000, "沙坪坝中学", reference_of(order), "S2")))
    other, paid = desk.lines()
    [before] = desk.line(paid["id"])["proposals"]
    assert (before["due"], before["credit"]) == ("0.00", "0.00")
    assert desk.pay_order(paid["id"], order, paid["amount"], allow_credit=True).status_code == 201
    [after] = desk.line(other["id"])["proposals"]
    assert (after["due"], after["credit"]) == ("0.00", paid["amount"])


def test_what_is_less_than_what_was_announced_names_what_waits(desk):
    """Nothing is due any more because of what was announced; the bank shows another amount, which is no payment too much."""
    order = desk.order(10)
    kept, wrong = desk.announce(order, "300.00", "KEY-A"), desk.announce(order, "399.00", "KEY-B")
    desk.imported(statement((29_000, "沙坪坝中学", reference_of(order), "S1")))
    [row] = desk.lines()
    [proposal] = desk.line(row["id"])["proposals"]
    assert (proposal["kind"], proposal["due"], proposal["reasons"]) == (
        "order",
        "0.00",
        ["reference", "announced_waits", "payer_is_buyer"],
    )
    assert proposal["announced"] == [
        {"payment_id": kept["id"], "amount": "300.00", "reference": "KEY-A"},
        {"payment_id": wrong["id"], "amount": "399.00", "reference": "KEY-B"},
    ]
    refused = desk.pay_order(row["id"], order, "290.00")
    assert code(refused) == (409, "announced_waits")
    assert refused.json()["data"] | {"number": ""} == {
        "number": "",
        "due": "0.00",
        "announced": "KEY-A 300.00; KEY-B 399.00",
        "payment_ids": [kept["id"], wrong["id"]],
    }
    undo = f"/v1/purchase-orders/{order['id']}/payments/{wrong['id']}/undo"
    assert desk.api.as_(desk.market.finance).post(undo, json={"reason": "金额有误"}).status_code == 201
    assert desk.pay_order(row["id"], order, "290.00").status_code == 201
    assert desk.due(order) == 10_900
    # above all of that it is paid too much
    desk.imported(statement((50_000, "沙坪坝中学", "货款", "S2"), opening=29_000))
    assert code(desk.pay_order(desk.lines()[-1]["id"], order, "409.01")) == (409, "match_above_due")
    desk.agrees()


def test_the_reversal_of_a_receipt_proposes_to_undo_its_match(scene):
    order = scene.delivered(1, paid=False)
    scene.pay(order.order_id, 6_990)
    [receipt] = [each for each in scene.cashier.get("/v1/bank-lines").json()["items"] if each["amount"] == "69.90"]
    other, same = scene.shows(
        (-6_990, "甲", "冲正", "", True), (-6_990, receipt["payer_name"], "冲正", receipt["payer_account"], True)
    )
    assert other["proposals"] == []
    [proposal] = same["proposals"]
    assert (proposal["kind"], proposal["purchase_order_id"]) == ("receipt_reversed", order.order_id)
    undone = scene.cashier.post(f"/v1/bank-matches/{proposal['match_id']}/undo", json={"reason": "红字冲正"})
    assert (undone.json()["id"], undone.json()["status"]) == (receipt["id"], "open")
    assert scene.cashier.get(f"/v1/bank-lines/{same['id']}").json()["proposals"] == []


def proposed(line, kind):
    [found] = [each for each in line["proposals"] if each["kind"] == kind]
    return found["difference"], found["reasons"]


@pytest.mark.slow
def test_what_a_line_names_is_proposed_though_it_does_not_fit(scene, row):
    holder, number = scene.market.suppliers[0].name, number_of(scene, row)
    [short] = scene.shows((-69_899, holder, f"货款 {number}"))
    assert (short["status"], proposed(short, "payout")) == ("open", ("-0.01", ["payout_number", "payee", "amount_differs"]))
    [left, again] = scene.shows((-69_900, holder, number), (-69_900, holder, f"货款 {number}"))
    assert (left["status"], proposed(again, "bank_entry")[1]) == ("matched", ["payout_number", "payee", "amount", "shown_already"])
    assert [(each["entry"], each["payout_id"]) for each in again["proposals"]] == [("paid_twice", row["payout_id"])]
    [back, twice] = scene.shows((69_900, "x", f"退汇 {number}"), (69_900, "x", f"退汇 {number}"))
    assert (back["status"], proposed(twice, "payout_returned")[1]) == ("matched", ["payout_number", "amount", "shown_already"])
    refund = refund_of(scene, overpaid(scene))
    [line] = scene.shows((-3_009, "x", f"退款 {refund['number'].replace('-', ' ').lower()}"))
    assert proposed(line, "refund") == ("-0.01", ["refund_number", "amount_differs"])


def test_the_queue_is_searched_by_what_the_clerk_has(desk):
    one, two = desk.order(10, 1), desk.order(1)
    reference = reference_of(one)
    desk.imported(
        statement(
            (1_000, "沙坪坝中学", f"货款 {reference[:4]} {reference[4:8]} {reference[8:]}", "S1", "6222 0210"),
            (123_456, "甲 公司", "Ｘ", "S2"),
            (6_990, "沙坪坝中学", "货款", "S3"),
        )
    )
    first, second, third = (row["id"] for row in desk.lines())

    def found(q):
        return [each["id"] for each in desk.lines(q=q)]

    for asked in (reference, reference.lower(), f" {reference[:4]} {reference[4:8]} {reference[8:]}", one["number"]):
        assert found(asked) == [first], asked
    assert desk.pay_order(third, two, "69.90").status_code == 201
    assert found(two["number"]) == found(reference_of(two)) == found("69.9") == [third]
    for asked in ("1234.56", "1,234.56", "￥1234.56", "甲公司", "x", "s2"):
        assert found(asked) == [second], asked
    assert found("62220210") == [first]
    assert found("6222021009014400777") == found("PO2026-999999") == []
    exported = desk.client.get("/v1/bank-lines/export", params={"format": "csv", "q": "1234.56"}).content.decode("utf-8-sig")
    assert len(exported.splitlines()) == 2


@pytest.mark.slow
def test_who_asked_is_not_offered_to_decide(scene):
    refund = refund_of(scene, overpaid(scene), release=False)
    [line] = scene.shows((-1_500, "", "账户管理费"))
    asked = {"entry": "fee", "amount": "15.00", "reason": "管理费"}
    made = scene.cashier.post(f"/v1/bank-lines/{line['id']}/write-offs", json=asked).json()
    left = refund_of(scene, overpaid(scene))
    scene.cashier.post(f"/v1/refunds/{left['id']}/confirm", json={"reference": "B-1"})
    report = scene.cashier.post(f"/v1/refunds/{left['id']}/fail", json={"reason": "退汇"}).json()["failure_report_id"]
    for path in (f"/v1/refunds/{refund['id']}", f"/v1/bank-write-offs/{made['id']}", f"/v1/failure-reports/{report}"):
        own, others = (client.get(path).json()["possible_actions"] for client in (scene.cashier, scene.treasurer))
        assert ("approve" in own, "approve" in others) == (False, True), path
        assert own
    [listed] = scene.cashier.get(f"/v1/bank-lines/{line['id']}").json()["write_offs"]
    assert listed["possible_actions"] == ["withdraw"]


def test_what_waits_says_that_the_bank_has_settled_it(scene, row):
    path = f"/v1/payouts/{row['payout_id']}"
    scene.cashier.post(f"{path}/confirm", json={"reference": "B-1"})
    report = scene.cashier.post(f"{path}/fail", json={"reason": "户名不符"}).json()["failure_report_id"]
    [line] = scene.shows((-69_900, "x", "货款", "6222021009014400999"))
    asked = {"entry": "other", "amount": "699.00", "reason": "不明"}
    made = scene.cashier.post(f"/v1/bank-lines/{line['id']}/write-offs", json=asked).json()

    def waits():
        items = scene.treasurer.get("/v1/finance/waiting").json()["items"]
        return {each["kind"]: each["blocked_by"] for each in items if each["kind"] in ("failure_report", "bank_write_off")}

    assert waits() == {"failure_report": None, "bank_write_off": None}
    assert match(scene, line, "payout", row["payout_id"]).status_code == 201
    assert waits() == {"failure_report": "shown_by_bank", "bank_write_off": "line_matched"}
    for link, refusal in (
        (f"/v1/failure-reports/{report}", "shown_by_bank"),
        (f"/v1/bank-write-offs/{made['id']}", "line_matched"),
    ):
        assert code(scene.treasurer.post(f"{link}/approve", json={})) == (409, refusal)
    undo(scene, scene.cashier.get(f"/v1/bank-lines/{line['id']}").json())
    assert waits() == {"failure_report": None, "bank_write_off": None}
    agrees(scene)
