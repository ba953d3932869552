"""Payouts to suppliers on the bank's statements: by rule, by hand, come back, undone."""

import threading
import time

import pytest
from sqlalchemy import text

from orders.banking.actions import matching
from orders.banking.handlers import match_open
from orders.banking.rules import MatchKind
from orders.settlement.actions import paying
from shop.core import outbox
from shop.core.audit import SYSTEM
from tests.factories.after_sales import differences, finds
from workers.handlers import HANDLERS


def match(scene, line, kind, payout_id):
    return scene.cashier.post(f"/v1/bank-lines/{line['id']}/matches", json={"parts": [{"kind": kind, "payout_id": payout_id}]})


def undo(scene, line):
    [made] = [each for each in line["matches"] if each["undone_at"] is None]
    answer = scene.cashier.post(f"/v1/bank-matches/{made['id']}/undo", json={"reason": "不是这一笔"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def payout_of(scene, row):
    return scene.cashier.get(f"/v1/payouts/{row['payout_id']}").json()


def number_of(scene, row):
    """What the list for the bank writes into the text."""
    return f"{row['number']}-{payout_of(scene, row)['attempts'][-1]['id']}"


def agrees(scene):
    assert differences(scene.database) == {}
    shown = scene.cashier.get("/v1/bank-reconciliation").json()
    assert shown["difference"] == "0.00"
    return [each["amount"] for each in shown["outstanding"]]


@pytest.mark.slow
def test_the_list_for_the_bank_names_the_payout_and_the_statement_brings_it_back(scene, row):
    made = scene.cashier.post("/v1/payout-files").json()
    content = scene.cashier.get(f"/v1/payout-files/{made['id']}/content", params={"format": "csv"}).content.decode("utf-8-sig")
    holder, _, _, amount, written, number = content.splitlines()[1].split(",")[1:]
    assert (amount, written.startswith(f"{number} "), number) == ("699.00", True, number_of(scene, row))
    [line] = scene.shows((-69_900, holder, written))
    assert (line["status"], payout_of(scene, row)["status"], scene.balance("payouts")) == ("matched", "paid", 0)
    [found] = line["matches"]
    assert (found["kind"], found["payout_id"], found["settlement_number"]) == ("payout", row["payout_id"], row["number"])
    assert (found["reasons"], found["matched_by_name"]) == (["payout_number", "amount", "payee"], None)
    assert payout_of(scene, row)["reference"] == line["serial"]
    assert agrees(scene) == []
    # it comes back: owed again, and is approved and released again
    [line] = scene.shows((69_900, "退汇过渡户", f"退汇 {number} 户名不符"))
    assert [each["kind"] for each in line["matches"]] == ["payout_returned"]
    again = payout_of(scene, row)
    assert (again["status"], again["attempts"][0]["reason"]) == ("failed", f"退汇 {number} 户名不符")
    assert scene.balance("settled") == -69_900
    assert agrees(scene) == []
    assert scene.treasurer.post(f"/v1/payouts/{row['payout_id']}/release").json()["code"] == "illegal_move"
    assert scene.release(row["payout_id"]).status_code == 200
    # the number of the first release says nothing of the second
    [line] = scene.shows((-69_900, holder, f"{number} 货款"))
    assert (line["status"], line["proposals"][0]["payout_id"]) == ("open", row["payout_id"])
    [line] = scene.shows((-69_900, holder, f"{number_of(scene, row)} 货款"))
    assert (line["status"], payout_of(scene, row)["status"]) == ("matched", "paid")
    assert agrees(scene) == []


@pytest.mark.parametrize(("name", "named"), [("别的名称", True), (None, False)])
def test_without_number_or_payee_it_is_a_proposal(scene, row, name, named):
    holder = name or scene.market.suppliers[0].name
    [line] = scene.shows((-69_900, holder, number_of(scene, row) if named else "货款"))
    assert (line["status"], payout_of(scene, row)["status"]) == ("open", "released")
    proposal = line["proposals"][0]
    assert (proposal["kind"], proposal["settlement_number"], proposal["certain"]) == ("payout", row["number"], False)
    assert match(scene, line, "payout_returned", row["payout_id"]).json()["code"] == "wrong_direction"
    matched = match(scene, line, "payout", row["payout_id"])
    assert (matched.status_code, matched.json()["status"]) == (201, "matched"), matched.text
    assert payout_of(scene, row)["status"] == "paid"
    assert agrees(scene) == []


@pytest.mark.slow
def test_a_match_of_a_payout_is_undone(scene, row):
    [line] = scene.shows((-69_900, scene.market.suppliers[0].name, number_of(scene, row)))
    assert undo(scene, line)["open"] == "699.00"
    # as with refunds: the books say that it left, and no line shows it until the right one is matched
    assert (payout_of(scene, row)["status"], agrees(scene)) == ("paid", ["-699.00"])
    outbox.drain(scene.database, HANDLERS)
    other, short = scene.shows((-69_900, "x", "y"), (-69_899, "x", "y"))
    refused = match(scene, short, "payout", row["payout_id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "line_matched")
    assert match(scene, other, "payout", row["payout_id"]).status_code == 201
    assert agrees(scene) == []
    twice = match(scene, line, "payout", row["payout_id"])
    assert (twice.status_code, twice.json()["code"]) == (409, "payout_does_not_fit")
    assert agrees(scene) == []


def test_confirmed_and_given_back_by_hand_the_bank_shows_both(scene, row):
    path = f"/v1/payouts/{row['payout_id']}"
    assert scene.cashier.post(f"{path}/confirm", json={"reference": "B-1"}).status_code == 200
    assert scene.fails(row["payout_id"])["status"] == "failed"
    assert agrees(scene) == []  # in the books it left and came back: that lies not between them and the bank
    number = number_of(scene, row)
    out, back = scene.shows((-69_900, scene.market.suppliers[0].name, number), (69_900, "x", f"退汇 {number}"))
    # once a line shows that it came back, the other is certain
    assert (out["status"], out["proposals"][0]["certain"], back["status"]) == ("open", True, "matched")
    with scene.database.unit_of_work() as session:
        assert match_open(session) == 1
    assert (payout_of(scene, row)["status"], agrees(scene)) == ("failed", [])


@pytest.mark.parametrize("kind", ["payout", "booked"])
def test_what_the_bank_shows_nobody_says_otherwise(scene, row, kind):
    """Nobody is paid twice by saying that a payment failed which the bank shows; what the books hold by then may be matched by either kind."""
    path = f"/v1/payouts/{row['payout_id']}"
    if kind == "booked":
        scene.cashier.post(f"{path}/confirm", json={"reference": "B-1"})
        [(moved,)] = scene.rows("SELECT id FROM money_transaction WHERE kind = 'payout_paid'")
        [line] = scene.shows((-69_900, "", "货款"))
        parts = [{"kind": "booked", "transaction_id": moved}]
        assert scene.cashier.post(f"/v1/bank-lines/{line['id']}/matches", json={"parts": parts}).status_code == 201
    else:
        scene.shows((-69_900, scene.market.suppliers[0].name, number_of(scene, row)))
    refused = scene.treasurer.post(f"{path}/fail", json={"reason": "户名不符"})
    assert (refused.status_code, refused.json()["code"]) == (409, "shown_by_bank")
    assert (payout_of(scene, row)["status"], scene.balance("settled"), agrees(scene)) == ("paid", 0, [])
    [back] = scene.shows((69_900, "x", f"退汇 {number_of(scene, row)}"))
    assert (back["status"], payout_of(scene, row)["status"]) == ("matched", "failed")
    assert payout_of(scene, row)["possible_actions"] == ["approve"]


def test_a_payout_that_failed_and_was_approved_again_is_still_shown_by_its_line(scene, row):
    """The first release is told as failed by hand, while its line comes late."""
    path, number = f"/v1/payouts/{row['payout_id']}", number_of(scene, row)
    scene.cashier.post(f"{path}/confirm", json={"reference": "B-1"})
    assert scene.fails(row["payout_id"])["status"] == "failed"
    assert scene.cashier.post(f"{path}/approve", json={}).json()["status"] == "approved"
    out, back = scene.shows((-69_900, scene.market.suppliers[0].name, number), (69_900, "x", f"退汇 {number}"))
    assert (out["status"], back["status"]) == ("open", "matched")
    with scene.database.unit_of_work() as session:
        assert match_open(session) == 1
    assert (payout_of(scene, row)["status"], agrees(scene)) == ("approved", [])


def while_it_is_made(monkeypatch, first, then, of):
    """What ``then`` comes to, begun while ``first`` has looked at everything and is about to make its matches, of which ``of`` is said."""
    original, begun, answers = matching.make, threading.Event(), []

    def slow(session, who, wanted):
        if of(wanted):
            begun.set()
            time.sleep(0.7)
        return original(session, who, wanted)

    monkeypatch.setattr(matching, "make", slow)
    other = threading.Thread(target=lambda: answers.append(first()))
    other.start()
    assert begun.wait(20)
    second = then()
    other.join()
    return answers[0], second


def its_return_is_matched_as_booked_while_its_payment_is_matched(scene, row, monkeypatch):
    """Of a payout that was paid and failed by hand. Returns both answers, and what has become of it."""
    scene.cashier.post(f"/v1/payouts/{row['payout_id']}/confirm", json={"reference": "B-1"})
    scene.fails(row["payout_id"])
    out, back = scene.shows((-69_900, scene.market.suppliers[0].name, "货款"), (69_900, "x", "y"))
    [(failure,)] = scene.rows("SELECT id FROM money_transaction WHERE kind = 'payout_failed'")
    booked = {"parts": [{"kind": "booked", "transaction_id": failure}]}
    answers = while_it_is_made(
        monkeypatch,
        lambda: scene.treasurer.post(f"/v1/bank-lines/{back['id']}/matches", json=booked),
        lambda: match(scene, out, "payout", row["payout_id"]),
        lambda wanted: wanted[0].kind is MatchKind.BOOKED,
    )
    return [each.status_code for each in answers], payout_of(scene, row)["status"]


@pytest.mark.slow
def test_a_booked_movement_is_matched_under_the_lock_of_its_payout(scene, row, monkeypatch):
    found = its_return_is_matched_as_booked_while_its_payment_is_matched(scene, row, monkeypatch)
    assert (found, agrees(scene)) == (([201, 201], "failed"), [])


@pytest.mark.control
def test_without_that_lock_it_is_paid_although_the_money_came_back(scene, row, monkeypatch):
    """The control."""
    monkeypatch.setattr(matching, "_OWNERS", text("SELECT 1 AS payout_id WHERE CAST(:ids AS text) IS NULL"))
    found = its_return_is_matched_as_booked_while_its_payment_is_matched(scene, row, monkeypatch)
    assert found == ([201, 201], "paid")


def test_a_booked_movement_that_was_taken_back_meanwhile_is_refused(scene, row, monkeypatch):
    scene.cashier.post(f"/v1/payouts/{row['payout_id']}/confirm", json={"reference": "B-1"})
    scene.fails(row["payout_id"])
    out, back = scene.shows((-69_900, scene.market.suppliers[0].name, "货款"), (69_900, "x", "y"))
    [(failure,)] = scene.rows("SELECT id FROM money_transaction WHERE kind = 'payout_failed'")
    booked = {"parts": [{"kind": "booked", "transaction_id": failure}]}
    second, first = while_it_is_made(
        monkeypatch,
        lambda: match(scene, out, "payout", row["payout_id"]),
        lambda: scene.treasurer.post(f"/v1/bank-lines/{back['id']}/matches", json=booked),
        lambda wanted: wanted[0].kind is MatchKind.PAYOUT,
    )
    assert (second.status_code, first.status_code, first.json()["code"]) == (201, 409, "movement_not_open")
    assert payout_of(scene, row)["status"] == "paid"


def test_a_payout_by_the_provider_is_no_line_of_the_bank(scene):
    row = scene.settled()
    scene.online_account()
    scene.cashier.post(f"/v1/payouts/{row['payout_id']}/approve", json={"method": "stripe"})
    [line] = scene.shows((-69_900, scene.market.suppliers[0].name, row["number"]))
    assert line["proposals"] == []
    for payout_id, status, code in ((row["payout_id"], 409, "payout_does_not_fit"), (999_999, 404, "not_found")):
        refused = match(scene, line, "payout", payout_id)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert scene.rows("SELECT matched_fen FROM bank_line WHERE id = :id", id=line["id"]) == [(0,)]


def test_the_bank_and_a_person_say_it_at_once_and_it_is_paid_once(scene, row):
    """The statement is matched by rule while somebody confirms the payout by hand: one booking, whoever is first."""
    line = (-69_900, scene.market.suppliers[0].name, number_of(scene, row))
    refused = []

    def confirm():
        answer = scene.treasurer.post(f"/v1/payouts/{row['payout_id']}/confirm", json={"reference": "B-1"})
        refused.append(answer.status_code)

    person = threading.Thread(target=confirm)
    person.start()
    [shown] = scene.shows(line)
    person.join()
    outbox.drain(scene.database, HANDLERS)
    assert refused in ([200], [409])
    assert shown["status"] == "matched"
    assert scene.rows("SELECT count(*) FROM money_transaction WHERE kind = 'payout_paid'") == [(1,)]
    assert agrees(scene) == []


def test_what_is_planted_into_matches_of_payouts_is_found(scene, row):
    scene.shows((-69_900, scene.market.suppliers[0].name, number_of(scene, row)))
    for planted in (
        "UPDATE bank_match SET amount_fen = amount_fen + 1 WHERE kind = 'payout'",
        "UPDATE bank_match SET kind = 'payout_returned' WHERE kind = 'payout'",
        "UPDATE bank_match SET transaction_id = transaction_id - 1 WHERE kind = 'payout'",
    ):
        with scene.database.session() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            session.execute(text("DROP INDEX uq_bank_match_transaction"))
            assert session.execute(text(planted)).rowcount == 1
            assert finds(session, "bank_matches"), planted
            session.rollback()


def test_many_payouts_on_one_line(scene, row):
    """Banks may show a list of payments as one line: it is matched with each of them."""
    scene.account(1, "6222021009014400777")
    scene.delivered(None, 1, of=1)
    scene.later(20)
    scene.run()
    second = scene.settlement(1)
    scene.bees.post(f"/v1/settlements/{second['id']}/confirm")
    assert scene.release(second["payout_id"]).status_code == 200
    total = 69_900 + round(float(second["due"]) * 100)
    [line] = scene.shows((-total, "", "批量付款"))
    parts = [{"kind": "payout", "payout_id": each["payout_id"]} for each in (second, row)]
    matched = scene.cashier.post(f"/v1/bank-lines/{line['id']}/matches", json={"parts": parts})
    assert (matched.status_code, matched.json()["status"]) == (201, "matched"), matched.text
    assert {payout_of(scene, each)["status"] for each in (row, second)} == {"paid"}
    assert agrees(scene) == []


def test_told_by_a_person_and_the_bank_of_the_same_failure(scene, row):
    scene.shows((-69_900, scene.market.suppliers[0].name, number_of(scene, row)))
    with scene.database.unit_of_work() as session:
        paying.failed(session, SYSTEM, row["payout_id"], "银行来电")
    [line] = scene.shows((69_900, "x", f"退汇 {number_of(scene, row)}"))
    assert (line["status"], agrees(scene)) == ("matched", [])
    assert scene.rows("SELECT count(*) FROM money_transaction WHERE kind = 'payout_failed'") == [(1,)]
