"""A list of payouts that the bank shows as one line: by rule, by hand, undone as a whole."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from orders.banking.actions import matching
from orders.banking.known import Facts, Line, Listed, Sent, SentList
from orders.banking.matching import LIST_DAYS, propose
from orders.banking.reasons import Reason
from orders.banking.rules import MatchKind
from orders.settlement.queries.left import transfers_of
from shop.core import outbox
from tests.factories.racing import post_at_once, sessions
from tests.orders.banking.test_payouts import agrees, payout_of, while_it_is_made
from workers.handlers import HANDLERS

#: So often an event is taken on that succeeds at once.
ATTEMPTS = 1
DAY = date(2026, 11, 2)
ONE = SentList(7, "FK2026-000001", 300, DAY, (Listed(1, 11, 100), Listed(2, 12, 200)))


def fen(amount):
    return round(float(amount) * 100)


def match(client, line, file_id):
    return client.post(f"/v1/bank-lines/{line['id']}/matches", json={"parts": [{"kind": "payout_file", "payout_file_id": file_id}]})


def left(text="", account="", days=0, amount=-300):
    return Line(1, amount, text, payer_account=account, booked_on=DAY + timedelta(days=days))


@pytest.mark.parametrize(
    ("line", "certain"),
    [
        (left(), True),
        (left(days=LIST_DAYS.days), True),
        (left(days=LIST_DAYS.days + 1), False),
        (left(days=-1), False),
        (left(account="622202"), False),
        (left("批量 FK2026-000001", account="622202"), True),
        (left("FK2026-0000012"), True),  # by sum and day alone: the number is another one
        (left("FK2026-000001", days=-1), False),
    ],
)
def test_sum_and_day_or_the_number_make_a_list_certain(line, certain):
    [proposal] = propose(line, Facts(lists=[ONE]))
    assert (proposal.kind, proposal.certain, proposal.payout_file_id) == (MatchKind.PAYOUT_FILE, certain, 7)


def test_what_else_left_of_this_amount_makes_it_uncertain():
    other = SentList(8, "FK2026-000002", 300, DAY, (Listed(3, 13, 150), Listed(4, 14, 150)))
    assert not any(each.certain for each in propose(left(), Facts(lists=[ONE, other])))
    sent = Sent(MatchKind.REFUND, 5, "TK2026-000005", 300, "甲", "", leaves=True, returns=False)
    assert not any(each.certain for each in propose(left(), Facts(sent=[sent], lists=[ONE])))
    failed = replace(sent, leaves=False, failed=True)  # it may have left all the same
    assert not any(each.certain for each in propose(left(), Facts(sent=[failed], lists=[ONE])))
    [named, _] = propose(left("FK2026-000002"), Facts(lists=[ONE, other]))
    assert (named.payout_file_id, named.certain, named.reasons[0]) == (8, True, Reason.PAYOUT_FILE_NUMBER)
    assert propose(left(amount=300), Facts(lists=[ONE])) == propose(left(amount=-299), Facts(lists=[ONE])) == []


@given(st.lists(st.integers(1, 10**12), min_size=2, max_size=20), st.integers(1, 5))
def test_a_list_is_used_once_however_many_lines_show_its_sum(amounts, lines):
    listed = tuple(Listed(number, number, amount) for number, amount in enumerate(amounts, start=1))
    sent = [Sent(MatchKind.PAYOUT, each.payout_id, f"JS2026-000001-{each.attempt_id}", each.amount_fen, "甲", "", leaves=True, returns=False,
                 attempt_id=each.attempt_id) for each in listed]  # fmt: skip
    known = Facts(sent=sent, lists=[SentList(7, "FK2026-000001", sum(amounts), DAY, listed)])
    made = 0
    for _ in range(lines):
        certain = [each for each in propose(left(amount=-sum(amounts)), known) if each.certain]
        for each in certain:
            assert sum(part.amount_fen for part in each.listed) == each.amount_fen == sum(amounts)
            known.use(each)
        made += len(certain)
    assert made == 1
    assert not any(each.leaves for each in known.sent_of(amounts[0]))


@pytest.mark.slow
def test_one_debit_for_the_whole_list_is_matched_by_rule_and_undone_in_one_act(scene):
    made, settlements = scene.listed()
    [line] = scene.shows((-fen(made["amount"]), "批量代付", "代付"))
    assert (line["status"], len(line["matches"])) == ("matched", 2)
    assert {(each["kind"], each["payout_file_number"], each["matched_by_name"]) for each in line["matches"]} == {
        ("payout", made["number"], None)
    }
    assert {payout_of(scene, each)["status"] for each in settlements} == {"paid"}
    assert agrees(scene) == []
    # it was handed over, though nobody said so, and nobody says so once more
    shown = scene.cashier.get(f"/v1/payout-files/{made['id']}").json()
    assert (shown["status"], shown["reference"], shown["sent_by"], shown["sent_at"]) == ("sent", line["serial"], None, None)
    assert (shown["content_count"], shown["possible_actions"]) == (2, [])
    outbox.drain(scene.database, HANDLERS)  # once more: nothing happens twice
    assert scene.rows("SELECT count(*) FROM bank_match WHERE payout_file_id IS NOT NULL") == [(2,)]
    undone = scene.cashier.post(f"/v1/bank-matches/{line['matches'][0]['id']}/undo", json={"reason": "不是这一笔"})
    assert (undone.status_code, undone.json()["status"], undone.json()["open"]) == (200, "open", made["amount"])
    assert sorted(agrees(scene)) == sorted(f"-{each['due']}" for each in settlements)
    again = scene.cashier.post(f"/v1/bank-matches/{line['matches'][1]['id']}/undo", json={"reason": "x"})
    assert (again.status_code, again.json()["code"]) == (409, "match_undone")
    # the books hold both movements: the line, or another one, shows them
    [proposal, *_] = undone.json()["proposals"]
    assert (proposal["kind"], proposal["payout_file_id"]) == ("payout_file", made["id"])
    assert match(scene.cashier, line, made["id"]).json()["status"] == "matched"
    assert agrees(scene) == []
    twice = match(scene.cashier, line, made["id"])
    assert (twice.status_code, twice.json()["code"]) == (409, "payout_does_not_fit")


@pytest.mark.slow
def test_by_hand_where_the_rule_is_not_certain(scene):
    made, settlements = scene.listed()
    short, into, line = scene.shows(
        (-fen(made["amount"]) + 1, "x", "y"), (fen(made["amount"]), "甲", "y"), (-fen(made["amount"]) - 100, "x", "y")
    )
    assert [each["status"] for each in (short, into, line)] == ["open"] * 3
    refused = match(scene.cashier, short, made["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "line_matched")
    assert match(scene.cashier, into, made["id"]).json()["code"] == "wrong_direction"
    assert match(scene.cashier, line, 999_999).status_code == 404
    # the bank put its fee on top: what is left is written off by two persons
    answer = match(scene.cashier, line, made["id"])
    assert (answer.status_code, answer.json()["status"], answer.json()["open"]) == (201, "partly", "1.00")
    sent = scene.cashier.post(f"/v1/payout-files/{made['id']}/send", json={"reference": "U-1"})
    assert (sent.status_code, sent.json()["code"]) == (409, "illegal_move")
    assert {payout_of(scene, each)["status"] for each in settlements} == {"paid"}


@pytest.mark.slow
def test_of_a_list_some_lines_of_which_were_shown_the_rest_is_matched(scene):
    made, (first, second) = scene.listed()
    number = f"{first['number']}-{payout_of(scene, first)['attempts'][-1]['id']}"
    scene.shows((-fen(first["due"]), scene.market.suppliers[0].name, number))
    assert payout_of(scene, first)["status"] == "paid"
    [line] = scene.shows((-fen(second["due"]) - 5, "x", "y"))
    assert match(scene.cashier, line, made["id"]).json()["open"] == "0.05"
    assert payout_of(scene, second)["status"] == "paid"
    assert agrees(scene) == []


@pytest.mark.slow
def test_matched_by_many_at_once_every_payout_is_paid_once(scene):
    made, _ = scene.listed()
    [line] = scene.shows((-fen(made["amount"]) - 1, "x", "y"))
    path, body = f"/v1/bank-lines/{line['id']}/matches", {"parts": [{"kind": "payout_file", "payout_file_id": made["id"]}]}
    answers = post_at_once(sessions(scene.api, scene.database, scene.people["treasurer"], 8), path, body)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert scene.rows("SELECT count(*) FROM money_transaction WHERE kind = 'payout_paid'") == [(2,)]
    assert agrees(scene) == []


def void_while_a_rule_matches_it(scene, monkeypatch):
    """The line of a whole list is matched by rule while somebody makes the list void: the status of that, and how often matching was tried."""
    made, _ = scene.listed()
    _, voided = while_it_is_made(
        monkeypatch,
        lambda: scene.shows((-fen(made["amount"]), "", made["number"])),
        lambda: scene.treasurer.post(f"/v1/payout-files/{made['id']}/void", json={"reason": "未上传"}),
        lambda wanted: bool(wanted[0].payout_file_id),
    )
    [(attempts,)] = scene.rows("SELECT max(attempts) FROM outbox_event WHERE name = 'bank_statement.imported'")
    return voided.status_code, attempts


@pytest.mark.slow
def test_a_list_is_matched_by_rule_and_made_void_in_one_order_of_locks(scene, monkeypatch):
    voided, attempts = void_while_a_rule_matches_it(scene, monkeypatch)
    assert (voided, agrees(scene)) == (409, [])
    assert attempts == ATTEMPTS


@pytest.mark.slow
@pytest.mark.control
def test_without_that_order_one_of_them_is_ended_by_the_database(scene, monkeypatch):
    """The control."""
    monkeypatch.setattr(matching, "_HOLD_LISTS", text("SELECT 1 WHERE CAST(:ids AS text) IS NULL"))
    assert void_while_a_rule_matches_it(scene, monkeypatch) != (409, ATTEMPTS)


def test_that_something_failed_which_stands_on_a_list_takes_two_persons(scene):
    made, (first, second) = scene.listed()
    path = f"/v1/payouts/{first['payout_id']}"
    said = scene.cashier.post(f"{path}/fail", json={"reason": "账号有误"})
    assert (said.status_code, said.json()["status"]) == (200, "sent")
    report = f"/v1/failure-reports/{said.json()['failure_report_id']}"
    [waits] = scene.treasurer.get("/v1/finance/waiting", params={"kind": "failure_report"}).json()["items"]
    assert waits["link"] == report
    assert scene.treasurer.get(report).json()["list_number"] == made["number"]
    assert scene.cashier.post(f"{report}/approve", json={}).json()["code"] == "own_failure_report"
    assert scene.treasurer.post(f"{report}/approve", json={}).json()["status"] == "approved"
    assert payout_of(scene, first)["status"] == "failed"
    # what failed on the list is left out of what the bank may have debited for it
    with scene.database.unit_of_work() as session:
        ids = [payout_of(scene, each)["attempts"][-1]["id"] for each in (first, second)]
        sums = {each.origin_id: each.list[1] for each in transfers_of(session, ids)}
    whole = fen(made["amount"])
    assert sums == {ids[0]: (whole, whole), ids[1]: (whole, fen(second["due"]))}
    [line] = scene.shows((-fen(second["due"]), "批量代付过渡户", f"批量 {made['number']}", "3100021009014400999"))
    assert (line["status"], line["matches"][0]["reasons"][-1]) == ("matched", "less_failed")
    assert [payout_of(scene, each)["status"] for each in (first, second)] == ["failed", "paid"]
    assert agrees(scene) == []


def listed_again_and_void(scene):
    """A list, the line of all of it, and its first payout, which was said to have failed and was released again, by a list that is void."""
    made, settlements = scene.listed()
    path = f"/v1/payouts/{settlements[0]['payout_id']}"
    scene.fails(settlements[0]["payout_id"])
    third = scene.third()
    assert scene.cashier.post(f"{path}/approve", json={}).status_code == 200
    assert third.post(f"{path}/release").status_code == 200
    again = scene.cashier.post("/v1/payout-files").json()
    assert scene.treasurer.post(f"/v1/payout-files/{again['id']}/void", json={"reason": "未上传"}).status_code == 200
    [line] = scene.shows((-fen(made["amount"]), "批量代付过渡户", f"批量 {made['number']}", "3100021009014400999"))
    assert line["status"] == "open"
    return made, settlements, path, line


@pytest.mark.slow
@pytest.mark.parametrize("said_paid", [False, True])
def test_what_a_whole_list_paid_is_not_paid_by_a_second_release_unawares(scene, said_paid):
    made, settlements, path, line = listed_again_and_void(scene)
    asked = (
        ("/v1/payout-files", {}),
        (f"{path}/send", {"reference": "X1"}),
        (f"{path}/confirm", {"reference": "X1"}),
    )
    for verb, body in asked:
        refused = scene.cashier.post(verb, json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "failed_one_shown_by_bank"), verb
    assert "with the list as a whole" in refused.json()["title"]
    if said_paid:
        confirmed = scene.cashier.post(f"{path}/confirm", json={"reference": "X1", "despite": "已按回单核对"})
        assert confirmed.json()["status"] == "paid"
        assert scene.rows("SELECT reason FROM audit_event WHERE action = 'payout.confirm' ORDER BY id DESC LIMIT 1") == [
            ("已按回单核对",)
        ]
    # the line pays the one debt by the release that stands
    assert match(scene.cashier, line, made["id"]).json()["status"] == "matched"
    assert {payout_of(scene, each)["status"] for each in settlements} == {"paid"}
    assert [each["outcome"] for each in payout_of(scene, settlements[0])["attempts"]] == ["failed", "paid"]
    assert (scene.balance("settled"), scene.balance("payouts"), agrees(scene)) == (0, 0, [])


def test_of_a_list_that_is_void_one_person_says_so(scene):
    made, (first, _) = scene.listed()
    assert scene.treasurer.post(f"/v1/payout-files/{made['id']}/void", json={"reason": "未上传"}).status_code == 200
    assert scene.cashier.post(f"/v1/payouts/{first['payout_id']}/fail", json={"reason": "账号有误"}).json()["status"] == "failed"


def test_the_line_of_a_list_with_all_that_was_said_to_have_failed_pays_it_too(scene):
    made, settlements = scene.listed()
    scene.fails(settlements[0]["payout_id"])
    [line] = scene.shows((-fen(made["amount"]), "x", made["number"]))
    [proposal] = [each for each in line["proposals"] if each["kind"] == "payout_file"]
    assert (line["status"], "said_failed" in proposal["reasons"]) == ("open", True)
    assert match(scene.cashier, line, made["id"]).json()["status"] == "matched"
    assert {payout_of(scene, each)["status"] for each in settlements} == {"paid"}
    assert agrees(scene) == []
