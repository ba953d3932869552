"""What nothing in the books explains is written off by two persons."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from orders.banking.actions import making, matching, writing_off
from orders.banking.known import Line, Paid
from orders.banking.matching import is_contradicted, is_other_number, is_other_payee
from orders.banking.rules import BankEntryKind
from shop.identity.permissions import Role
from tests.factories.after_sales import differences
from tests.factories.identity import make_user
from tests.factories.racing import post_at_once, sessions
from tests.factories.statements import ACCOUNT, statement
from tests.orders.banking.test_left_after_all import match_refund, overpaid, refund_fails, refund_of
from tests.orders.banking.test_payouts import agrees, number_of
from tests.orders.banking.test_payouts import undo as undo_match
from tests.orders.settlement.test_paying import advance, agreement

__all__ = ["agreement"]


@pytest.fixture
def line(desk):
    desk.imported(statement((-10000, "", "手续费", "S1"), opening=50000))
    return desk.lines()[0]


def code(answer):
    return answer.status_code, answer.json().get("code")


def kinds(api, user):
    return [row["kind"] for row in api.as_(user).get("/v1/notifications").json()["items"]][::-1]


@pytest.mark.slow
def test_one_person_asks_and_another_approves(desk, line, api):
    asked = desk.write_off(line["id"], "fee", "100.00")
    assert asked.status_code == 201, asked.text
    path = f"/v1/bank-write-offs/{asked.json()['id']}"
    assert (desk.line(line["id"])["status"], desk.balance("fees")) == ("open", 0)
    assert code(desk.client.post(f"{path}/approve", json={})) == (403, "own_write_off")
    assert code(desk.client.post(f"{path}/refuse", json={})) == (403, "own_write_off")
    assert code(desk.write_off(line["id"], "other", "1.00", client=desk.second)) == (409, "write_off_waiting")
    shown = desk.second.get(path).json()
    assert (shown["requested_by"], shown["requested_by_name"]) == (desk.cashier.id, desk.cashier.name)
    approved = desk.second.post(f"{path}/approve", json={"reason": "见回单"})
    assert (approved.status_code, approved.json()["status"], approved.json()["possible_actions"]) == (200, "approved", [])
    assert (approved.json()["decided_by"], approved.json()["decision_reason"]) == (desk.treasurer.id, "见回单")
    shown = desk.line(line["id"])
    assert (shown["status"], shown["matches"][0]["id"]) == ("matched", approved.json()["match_id"])
    assert [each["status"] for each in shown["write_offs"]] == ["approved"]
    assert desk.balance("fees") == 10000
    assert code(desk.second.post(f"{path}/approve", json={})) == (409, "illegal_move")
    desk.agrees()
    desk.client.post(f"/v1/bank-matches/{approved.json()['match_id']}/undo", json={"reason": "不是手续费"})
    shown = desk.line(line["id"])
    assert (shown["status"], shown["write_offs"][0]["status"], desk.balance("fees")) == ("open", "undone", 0)
    desk.agrees()


def test_refused_or_taken_back_the_line_is_open_as_before(desk, line):
    for move, client, status in (("refuse", desk.second, "refused"), ("withdraw", desk.client, "withdrawn")):
        asked = desk.write_off(line["id"], "other", "100.00").json()
        answer = client.post(f"/v1/bank-write-offs/{asked['id']}/{move}", json={"reason": "先查清"})
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert desk.line(line["id"])["status"] == "open"
    listed = desk.client.get("/v1/bank-write-offs").json()["items"]
    assert [each["status"] for each in listed] == ["withdrawn", "refused"]
    assert desk.client.get("/v1/bank-write-offs", params={"status": "requested"}).json()["items"] == []


def test_no_more_is_written_off_than_is_left(desk, line):
    assert code(desk.write_off(line["id"], "fee", "100.01")) == (409, "line_matched")
    asked = desk.write_off(line["id"], "fee", "100.00").json()
    with desk.database.unit_of_work() as session:
        session.execute(text("UPDATE bank_line SET matched_fen = 1"))
    assert code(desk.second.post(f"/v1/bank-write-offs/{asked['id']}/approve", json={})) == (409, "line_matched")
    with desk.database.unit_of_work() as session:
        session.execute(text("UPDATE bank_line SET matched_fen = 0"))


def test_only_who_keeps_the_money_of_the_city_writes_off(desk, line, api):
    asked = desk.write_off(line["id"], "fee", "100.00").json()
    district = api.as_(desk.district)
    assert code(desk.write_off(line["id"], "fee", "1.00", client=district)) == (404, "not_found")
    assert district.get(f"/v1/bank-write-offs/{asked['id']}").status_code == 404
    assert district.get("/v1/bank-write-offs").status_code == 403
    assert desk.client.post("/v1/bank-write-offs/999/approve", json={}).status_code == 404
    for wrong in ({}, {"entry": "bribe", "amount": "1.00", "reason": "x"}, {"entry": "fee", "amount": "0.00", "reason": "x"}):
        assert desk.client.post(f"/v1/bank-lines/{line['id']}/write-offs", json=wrong).status_code == 422


def test_only_of_what_left_once_more_it_is_said_in_spite_of_anything(desk, line):
    body = {"entry": "fee", "amount": "100.00", "reason": "手续费", "despite": "无"}
    refused = desk.client.post(f"/v1/bank-lines/{line['id']}/write-offs", json=body)
    assert (code(refused), refused.json()["errors"][0]["code"]) == ((422, "invalid"), "despite_of_entry")


def test_the_database_refuses_one_person_for_both(desk, line):
    asked = desk.write_off(line["id"], "fee", "100.00").json()
    with pytest.raises(IntegrityError, match="ck_bank_write_off_two_persons"), desk.database.unit_of_work() as session:
        session.execute(
            text("UPDATE bank_write_off SET status = 'refused', decided_by = requested_by, decided_at = now() WHERE id = :id"),
            {"id": asked["id"]},
        )


def test_who_may_approve_hears_of_it_and_who_asked_hears_what_came_of_it(desk, line, api):
    with desk.database.unit_of_work() as session:
        officer = make_user(session, Role.CITY_OFFICER, region_code="500000")
        third = make_user(session, Role.PLATFORM_FINANCE)
    desk.drain()
    asked = desk.write_off(line["id"], "fee", "100.00").json()
    desk.drain()
    assert kinds(api, desk.treasurer) == kinds(api, third) == ["bank_write_off.waiting"]
    for other in (desk.cashier, desk.district, officer):
        assert kinds(api, other) == []
    desk.second.post(f"/v1/bank-write-offs/{asked['id']}/approve", json={})
    desk.drain()
    assert kinds(api, desk.cashier) == ["bank_write_off.approved"]
    assert kinds(api, third) == ["bank_write_off.waiting"]


def approve_at_once(desk, line):
    asked = desk.write_off(line["id"], "fee", "10.00").json()
    clients = sessions(desk.api, desk.database, desk.treasurer, 8)
    answers = post_at_once(clients, f"/v1/bank-write-offs/{asked['id']}/approve", {})
    return [answer.status_code for answer in answers], desk.balance("fees")


def test_approved_by_many_at_once_it_is_written_off_once(desk, line):
    statuses, fees = approve_at_once(desk, line)
    assert (sorted(statuses), fees) == ([200] + [409] * 7, 1000)
    desk.agrees()


@pytest.mark.control
def test_without_the_locks_the_same_rush_writes_it_off_more_often(desk, line, monkeypatch):
    """The control."""
    for module in (matching, writing_off):
        monkeypatch.setattr(module, "_LOCK", text(module._LOCK.text.replace("FOR UPDATE", "")))
    _, fees = approve_at_once(desk, line)
    assert fees > 1000


@pytest.mark.slow
def test_what_left_twice_its_supplier_holds_ahead_until_a_settlement_uses_it_up(scene, row):
    holder = scene.market.suppliers[0].name
    asked = {"entry": "paid_twice", "payout_id": row["payout_id"], "amount": "699.00", "reason": "两份名单均已付出"}
    [early] = scene.shows((-69_900, "x", "货款", "6222021009014400999"))
    path = f"/v1/bank-lines/{early['id']}/write-offs"
    assert code(scene.cashier.post(path, json=asked)) == (409, "payout_does_not_fit")  # nothing shows that it left once
    [left] = scene.shows((-69_900, holder, number_of(scene, row)))
    assert left["status"] == "matched"
    assert scene.cashier.post(path, json={**asked, "payout_id": None}).status_code == 422
    assert scene.cashier.post(path, json={**asked, "entry": "other"}).status_code == 422
    assert scene.cashier.post(path, json={**asked, "payout_id": 999_999}).status_code == 404
    [into] = scene.shows((69_900, "甲", "x"))
    assert code(scene.cashier.post(f"/v1/bank-lines/{into['id']}/write-offs", json=asked)) == (422, "wrong_direction")
    refused = scene.cashier.post(path, json=asked)
    assert (code(refused), refused.json()["data"]["remedy"]) == ((409, "payout_does_not_fit"), "other_payee")
    asked["despite"] = "供应商更名后的账户"
    made = scene.cashier.post(path, json=asked)
    assert (made.status_code, made.json()["payout_id"]) == (201, row["payout_id"])
    # the second person sees what the first said, and what the line says
    seen = scene.treasurer.get(f"/v1/bank-write-offs/{made.json()['id']}").json()
    assert {name: seen[name] for name in ("number", "party_name", "paid_before", "despite")} == {
        "number": row["number"], "party_name": holder, "paid_before": "699.00", "despite": "供应商更名后的账户",
    }  # fmt: skip
    assert (seen["line_amount"], seen["line_payer_name"], seen["line_text"]) == ("-699.00", "x", "货款")
    [waits] = scene.treasurer.get("/v1/finance/waiting", params={"kind": "bank_write_off"}).json()["items"]
    assert (waits["number"], waits["party_name"]) == (row["number"], holder)
    approve = f"/v1/bank-write-offs/{made.json()['id']}/approve"
    assert code(scene.cashier.post(approve, json={})) == (403, "own_write_off")
    match_id = scene.treasurer.post(approve, json={}).json()["match_id"]
    assert (scene.balance("advances"), agrees(scene)) == (69_900, [])
    undo = f"/v1/bank-matches/{match_id}/undo"
    [matched] = scene.cashier.get(f"/v1/bank-lines/{early['id']}").json()["matches"]
    assert (matched["payout_id"], matched["settlement_number"]) == (row["payout_id"], row["number"])
    undone = scene.cashier.post(undo, json={"reason": "不是这一笔"}).json()
    assert (undone["status"], undone["write_offs"][0]["status"], undone["write_offs"][0]["possible_actions"]) == (
        "open",
        "undone",
        [],
    )
    listed = scene.cashier.get("/v1/bank-write-offs", params={"status": "approved"}).json()["items"]
    assert listed == []
    assert (scene.balance("advances"), agrees(scene)) == (0, [])
    again = scene.cashier.post(path, json=asked).json()
    match_id = scene.treasurer.post(f"/v1/bank-write-offs/{again['id']}/approve", json={}).json()["match_id"]
    scene.delivered(1)
    scene.later(40)
    scene.run()
    assert scene.balance("advances") == 69_900 - 6_990
    assert code(scene.cashier.post(f"/v1/bank-matches/{match_id}/undo", json={"reason": "x"})) == (409, "paid_twice_used_up")
    agrees(scene)


def payee(name="甲社", account="3100021009014400123"):
    return Paid(
        "JS2026-000001",
        "paid",
        100,
        True,
        ("JS2026-000001", "JS2026-000001-7"),
        ("FK2026-000003",),
        frozenset({name}),
        frozenset({account}),
        1,
    )


@pytest.mark.parametrize(
    ("name", "account", "written", "other_payee", "other_number"),
    [
        ("甲社", "", "货款", False, False),
        ("", "3100 0210 0901 4400 123", "货款", False, False),
        ("乙社", "", "JS2026-000001-7", True, False),
        ("乙社", "6222", "JS2026-000002-9", True, True),
        ("甲社", "", "JS2026-000001-70", False, True),
        ("甲社", "", "FK2026-000004", False, True),
        ("甲社", "", "YF2026-000004", False, True),
        ("批量代付过渡户", "3100", "批量 FK2026-000003", False, False),
        ("", "", "JS2026 000001 7", False, False),
        ("", "", "货款", True, False),
    ],
)
def test_what_left_once_more_names_its_payee_or_its_number(name, account, written, other_payee, other_number):
    line = Line(1, -100, written, payer_name=name, payer_account=account)
    assert (is_other_payee(line, payee()), is_other_number(line, payee())) == (other_payee, other_number)


@pytest.mark.parametrize(
    ("fen", "written", "entry", "contradicted"),
    [
        (-1500, "账户管理费", "interest", True),
        (-1500, "透支利息", "interest", False),
        (1500, "结息", "interest", False),
        (1500, "货款", "fee", True),
        (1500, "手续费退回", "fee", False),
        (-1500, "", "fee", False),
        (-1500, "x", "other", False),
    ],
)
def test_interest_comes_in_and_fees_go_out(fen, written, entry, contradicted):
    assert is_contradicted(Line(1, fen, written), BankEntryKind(entry)) is contradicted
    assert is_contradicted(Line(1, -fen, written, reversal=True), BankEntryKind(entry)) is contradicted


def test_a_line_is_not_written_off_as_what_it_tells_against(desk, line):
    assert code(desk.write_off(line["id"], "interest", "100.00")) == (422, "entry_contradicted")
    assert desk.line(line["id"])["write_offs"] == []


@pytest.mark.slow
def test_the_wrong_supplier_holds_nothing_ahead(scene):
    """Two lines, two payouts: each is refused for the other's."""
    _, (farm, bees) = scene.listed()
    holders = [each.name for each in scene.market.suppliers[:2]]
    amounts = [-round(float(each["due"]) * 100) for each in (farm, bees)]
    numbers = [number_of(scene, each) for each in (farm, bees)]
    for fen, holder, number in zip(amounts, holders, numbers, strict=True):
        scene.shows((fen, holder, number))
    lines = scene.shows(*zip(amounts, holders, numbers, strict=True))

    def ask(line, row, amount, **more):
        asked = {"entry": "paid_twice", "amount": amount, "reason": "重复付款", "payout_id": row["payout_id"], **more}
        return scene.cashier.post(f"/v1/bank-lines/{line['id']}/write-offs", json=asked)

    for line, row, amount, remedy in (
        (lines[0], bees, bees["due"], "other_number"),
        (lines[0], bees, farm["due"], "less"),
        (lines[1], farm, bees["due"], "other_number"),
    ):
        refused = ask(line, row, amount)
        assert (code(refused), refused.json()["data"]["remedy"]) == ((409, "payout_does_not_fit"), remedy)
    assert (
        ask(lines[0], bees, farm["due"], despite="x").json()["data"]["remedy"] == "less"
    )  # no reason makes it more than the payout
    right = ask(lines[0], farm, farm["due"], despite="多余")
    # there was nothing to say it in spite of
    assert (right.status_code, right.json()["party_name"], right.json()["despite"]) == (201, holders[0], None)
    assert scene.treasurer.post(f"/v1/bank-write-offs/{right.json()['id']}/approve", json={}).status_code == 200
    assert [scene.balance("advances", of) for of in (0, 1)] == [-amounts[0], 0]
    assert agrees(scene) == []
    for planted in ("amount_fen = 99999900", "status = 'undone'"):
        scene.rows(f"UPDATE bank_write_off SET {planted} RETURNING id")
        assert "bank_write_offs" in differences(scene.database)


@pytest.mark.slow
def test_a_refund_that_left_twice_its_buyer_owes(scene):
    order = overpaid(scene)
    refund = refund_of(scene, order)
    out = (-3_010, "沙坪坝中学", refund["number"], ACCOUNT)
    [left, again] = scene.shows(out, out)
    assert (left["status"], again["status"]) == ("matched", "open")
    [proposal] = [each for each in again["proposals"] if each["kind"] == "bank_entry"]
    assert (proposal["entry"], proposal["refund_id"], proposal["amount"]) == ("paid_twice", refund["id"], "30.10")
    path = f"/v1/bank-lines/{again['id']}/write-offs"
    asked = {"entry": "paid_twice", "refund_id": refund["id"], "amount": "30.10", "reason": "重复退款"}
    for wrong in ({"payout_id": 1}, {"entry": "other"}, {"refund_id": None}):
        assert code(scene.cashier.post(path, json=asked | wrong)) == (422, "invalid")
    assert code(scene.cashier.post(path, json={**asked, "amount": "30.11"})) == (409, "line_matched")
    assert scene.cashier.post(path, json={**asked, "refund_id": 999_999}).status_code == 404

    def written_off():
        made = scene.cashier.post(path, json=asked).json()
        assert (made["number"], made["party_name"], made["paid_before"]) == (refund["number"], scene.market.school.name, "30.10")
        approved = scene.treasurer.post(f"/v1/bank-write-offs/{made['id']}/approve", json={})
        assert approved.status_code == 200, approved.text
        return approved.json()["match_id"]

    def owed():
        return scene.rows(
            "SELECT sum(amount_fen)::int FROM money_posting WHERE account = 'receivable' AND purchase_order_id = :id", id=order
        )[0][0]

    due = scene.buyer.get(f"/v1/purchase-orders/{order}").json()["due"]
    before = owed()
    match_id = written_off()
    assert owed() == before + 3_010
    assert float(scene.buyer.get(f"/v1/purchase-orders/{order}").json()["due"]) == float(due) + 30.10
    assert (scene.cashier.get(f"/v1/bank-lines/{again['id']}").json()["status"], agrees(scene)) == ("matched", [])
    made = scene.rows("SELECT status, requested_by, approved_by FROM refund ORDER BY id DESC LIMIT 1")
    assert made == [("paid", None, None)]
    assert scene.cashier.post(f"/v1/bank-matches/{match_id}/undo", json={"reason": "不是这一笔"}).json()["status"] == "open"
    assert (owed(), agrees(scene)) == (before, [])
    written_off()
    assert (owed(), agrees(scene)) == (before + 3_010, [])
    # the buyer pays it back
    scene.pay(order, 3_010)
    assert (owed(), agrees(scene)) == (before, [])


def found_twice(scene, order):
    """A refund of 30.10, the line that shows it once more, that line written off, and the refund that it found."""
    refund = refund_of(scene, order)
    out = (-3_010, "沙坪坝中学", refund["number"], ACCOUNT)
    [_, again] = scene.shows(out, out)
    asked = {"entry": "paid_twice", "refund_id": refund["id"], "amount": "30.10", "reason": "重复退款"}
    made = scene.cashier.post(f"/v1/bank-lines/{again['id']}/write-offs", json=asked).json()
    approved = scene.treasurer.post(f"/v1/bank-write-offs/{made['id']}/approve", json={})
    assert approved.status_code == 200, approved.text
    [(found, number)] = scene.rows("SELECT id, number FROM refund WHERE requested_by IS NULL")
    return again, found, number, f"/v1/bank-matches/{approved.json()['match_id']}/undo"


@pytest.mark.slow
def test_what_was_found_and_taken_back_one_person_does_not_bring_back(scene):
    line, found, number, undo = found_twice(scene, overpaid(scene))
    assert scene.cashier.post(undo, json={"reason": "不是这一笔"}).status_code == 200
    assert scene.cashier.get(f"/v1/refunds/{found}").json()["status"] == "failed"
    path = f"/v1/bank-lines/{line['id']}"
    proposed = scene.cashier.get(path).json()["proposals"]
    assert [each["kind"] for each in proposed if each["refund_id"] == found or each["kind"] == "booked"] == []
    refused = match_refund(scene, line, found)
    assert (code(refused), refused.json()["data"]["remedy"]) == ((409, "refund_does_not_fit"), "ended")
    for (moved,) in scene.rows(
        "SELECT id FROM money_transaction WHERE kind IN ('refund_paid', 'refund_failed') AND origin_id = :id", id=found
    ):
        part = {"kind": "booked", "transaction_id": moved}
        assert code(scene.cashier.post(f"{path}/matches", json={"parts": [part]})) == (409, "movement_not_open")
    # nor does a rule, though the line names it
    [named] = scene.shows((-3_010, "沙坪坝中学", number, ACCOUNT))
    assert (named["status"], scene.cashier.get(f"/v1/refunds/{found}").json()["status"]) == ("open", "failed")
    assert agrees(scene) == []


@pytest.mark.slow
def test_what_was_found_and_came_back_is_taken_back_after_its_return(scene):
    _, found, number, undo = found_twice(scene, overpaid(scene))
    [back] = scene.shows((3_010, "沙坪坝中学", f"退汇 {number}"))
    assert (back["status"], scene.cashier.get(f"/v1/refunds/{found}").json()["status"]) == ("matched", "failed")
    refused = scene.cashier.post(undo, json={"reason": "不是这一笔"})
    assert (code(refused), refused.json()["data"]) == ((409, "return_shown"), {"number": number})
    assert agrees(scene) == []
    undo_match(scene, back)
    assert agrees(scene) == ["30.10"]  # the books say that it came back, and no line
    assert scene.cashier.post(undo, json={"reason": "不是这一笔"}).status_code == 200
    assert (scene.cashier.get(f"/v1/refunds/{found}").json()["status"], agrees(scene)) == ("failed", [])


@pytest.mark.slow
def test_what_left_twice_is_not_found_while_another_refund_rests_on_it(scene):
    order = scene.delivered(1, paid=False).order_id
    scene.pay(order, 13_010)
    other = refund_of(scene, order)
    refund = refund_of(scene, order)
    out = (-3_010, "沙坪坝中学", refund["number"], ACCOUNT)
    [_, again] = scene.shows(out, out)
    asked = {"entry": "paid_twice", "refund_id": refund["id"], "amount": "30.10", "reason": "重复退款"}
    made = scene.cashier.post(f"/v1/bank-lines/{again['id']}/write-offs", json=asked).json()
    approve = f"/v1/bank-write-offs/{made['id']}/approve"
    assert code(scene.treasurer.post(approve, json={})) == (409, "refunds_rest_on_it")
    assert scene.rows("SELECT count(*) FROM refund") == [(2,)]
    refund_fails(scene, other["id"])
    assert scene.treasurer.post(approve, json={}).json()["status"] == "approved"
    assert agrees(scene) == []


def test_an_advance_that_left_twice_is_held_ahead(scene, agreement):
    made = advance(scene, agreement).json()
    path = f"/v1/advances/{made['id']}"
    scene.treasurer.post(f"{path}/approve")
    holder = scene.market.suppliers[0].name
    [line] = scene.shows((-30_000, holder, "预付款"))
    write_off = f"/v1/bank-lines/{line['id']}/write-offs"
    asked = {"entry": "paid_twice", "advance_id": made["id"], "amount": "300.00", "reason": "重复付出"}
    refused = scene.cashier.post(write_off, json=asked)
    assert (code(refused), refused.json()["data"]["remedy"]) == ((409, "advance_does_not_fit"), "not_left")
    scene.cashier.post(f"{path}/pay", json={"reference": "B-1"})
    asked = scene.cashier.post(write_off, json=asked).json()
    assert (asked["number"], asked["party_name"]) == (made["number"], holder)
    match_id = scene.treasurer.post(f"/v1/bank-write-offs/{asked['id']}/approve", json={}).json()["match_id"]
    assert (scene.balance("advances"), agrees(scene)) == (60_000, ["-300.00"])
    scene.cashier.post(f"/v1/bank-matches/{match_id}/undo", json={"reason": "x"})
    assert (scene.balance("advances"), agrees(scene)) == (30_000, ["-300.00"])


def refund_twice_at_once(scene):
    refund = refund_of(scene, overpaid(scene))
    out = (-3_010, "沙坪坝中学", refund["number"], ACCOUNT)
    [_, again] = scene.shows(out, out)
    asked = {"entry": "paid_twice", "refund_id": refund["id"], "amount": "30.10", "reason": "重复退款"}
    made = scene.cashier.post(f"/v1/bank-lines/{again['id']}/write-offs", json=asked).json()
    clients = sessions(scene.api, scene.database, scene.people["treasurer"], 8)
    answers = post_at_once(clients, f"/v1/bank-write-offs/{made['id']}/approve", {})
    return sorted(answer.status_code for answer in answers), scene.rows("SELECT count(*) FROM refund")[0][0]


def test_found_by_many_at_once_the_buyer_owes_it_once(scene):
    assert refund_twice_at_once(scene) == ([200] + [409] * 7, 2)
    agrees(scene)


@pytest.mark.slow
@pytest.mark.control
def test_without_the_locks_the_same_refund_is_found_more_often(scene, monkeypatch):
    """The control, without what is left of the line, which holds them back too."""
    for module in (matching, writing_off):
        monkeypatch.setattr(module, "_LOCK", text(module._LOCK.text.replace("FOR UPDATE", "")))
    monkeypatch.setattr(writing_off, "_require_left", lambda line, amount_fen: None)
    monkeypatch.setattr(writing_off, "_unfit", lambda *given: None)
    monkeypatch.setattr(
        making,
        "_EXPLAIN",
        text(
            "UPDATE bank_line l SET version = version FROM unnest(CAST(:ids AS bigint[])) AS u (id) WHERE l.id = u.id AND CAST(:amounts AS text) IS NOT NULL RETURNING l.id"
        ),
    )
    _, refunds = refund_twice_at_once(scene)
    assert refunds > 2
