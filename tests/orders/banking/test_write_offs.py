"""What nothing in the books explains is written off by two persons."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from orders.banking.actions import matching, writing_off
from shop.identity.permissions import Role
from tests.factories.identity import make_user
from tests.factories.racing import post_at_once, sessions
from tests.factories.statements import statement
from tests.orders.banking.test_payouts import agrees, number_of


@pytest.fixture
def line(desk):
    desk.imported(statement((-10000, "", "手续费", "S1"), opening=50000))
    return desk.lines()[0]


def code(answer):
    return answer.status_code, answer.json().get("code")


def kinds(api, user):
    return [row["kind"] for row in api.as_(user).get("/v1/notifications").json()["items"]][::-1]


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
    assert (desk.line(line["id"])["status"], desk.balance("fees")) == ("open", 0)
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
    made = scene.cashier.post(path, json=asked)
    assert (made.status_code, made.json()["payout_id"]) == (201, row["payout_id"])
    approve = f"/v1/bank-write-offs/{made.json()['id']}/approve"
    assert code(scene.cashier.post(approve, json={})) == (403, "own_write_off")
    match_id = scene.treasurer.post(approve, json={}).json()["match_id"]
    assert (scene.balance("advances"), agrees(scene)) == (69_900, [])
    undo = f"/v1/bank-matches/{match_id}/undo"
    assert scene.cashier.post(undo, json={"reason": "不是这一笔"}).json()["status"] == "open"
    assert (scene.balance("advances"), agrees(scene)) == (0, [])
    again = scene.cashier.post(path, json=asked).json()
    match_id = scene.treasurer.post(f"/v1/bank-write-offs/{again['id']}/approve", json={}).json()["match_id"]
    scene.delivered(1)
    scene.later(40)
    scene.run()
    assert scene.balance("advances") == 69_900 - 6_990
    assert code(scene.cashier.post(f"/v1/bank-matches/{match_id}/undo", json={"reason": "x"})) == (409, "paid_twice_used_up")
    agrees(scene)
