"""Lists for the bank that were never handed over are made void by another person; their payouts go on the next one."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from orders.settlement.actions import listing
from shop.core import outbox
from tests.factories.after_sales import differences
from tests.factories.racing import at_once, sessions
from tests.factories.statements import ACCOUNT
from workers.handlers import HANDLERS

REASON = {"reason": "名单未上传网银"}


def code(answer):
    return answer.status_code, answer.json().get("code")


def void(client, made):
    return client.post(f"/v1/payout-files/{made['id']}/void", json=REASON)


def content(scene, file_id):
    answer = scene.cashier.get(f"/v1/payout-files/{file_id}/content", params={"format": "csv"})
    return answer.content.decode("utf-8-sig").splitlines()[1:], answer.headers["content-disposition"]


@pytest.mark.slow
def test_another_person_makes_a_list_void_and_its_payouts_are_listed_again(scene):
    made, settlements = scene.listed()
    assert (made["status"], made["made_by_name"], made["voided_by"]) == ("made", scene.people["cashier"].name, None)
    before, _ = content(scene, made["id"])
    assert code(void(scene.cashier, made)) == (403, "two_persons_needed")
    assert code(scene.treasurer.post(f"/v1/payout-files/{made['id']}/void", json={})) == (422, "invalid")
    gone = void(scene.treasurer, made)
    assert gone.status_code == 200, gone.text
    assert (gone.json()["status"], gone.json()["void_reason"]) == ("void", REASON["reason"])
    assert (gone.json()["voided_by"], gone.json()["voided_at"] is not None) == (scene.people["treasurer"].id, True)
    for each in settlements:
        shown = scene.cashier.get(f"/v1/payouts/{each['payout_id']}").json()
        assert (shown["status"], shown["reference"], shown["attempts"][0]["file_number"]) == ("released", None, None)
        assert shown["possible_actions"] == ["send", "confirm", "fail"]
    # it stays on record, and says by its name what it is
    assert content(scene, made["id"])[0] == before
    assert f"{made['number']}-void.csv" in content(scene, made["id"])[1]
    assert code(void(scene.treasurer, made)) == (409, "illegal_move")
    again = scene.cashier.post("/v1/payout-files").json()
    assert (again["number"] != made["number"], again["amount"], again["payout_count"]) == (True, made["amount"], 2)
    assert content(scene, again["id"])[0] == before
    listed = scene.cashier.get("/v1/payout-files", params={"status": "void"}).json()["items"]
    assert [each["id"] for each in listed] == [made["id"]]
    assert differences(scene.database) == {}
    outbox.drain(scene.database, HANDLERS)
    told = scene.cashier.get("/v1/notifications").json()["items"]
    assert [each["data"]["number"] for each in told if each["kind"] == "payout_file.void"] == [made["number"]]
    assert not any(each["kind"] == "payout_file.void" for each in scene.treasurer.get("/v1/notifications").json()["items"])


@pytest.mark.slow
def test_a_list_of_which_a_payment_was_seen_stays(scene):
    made, (first, _) = scene.listed()
    scene.fails(first["payout_id"])
    assert code(void(scene.treasurer, made)) == (409, "payout_file_executed")


@pytest.mark.slow
def test_of_what_waits_on_a_list_nobody_says_singly_that_it_was_paid(scene):
    made, (first, second) = scene.listed()
    assert (made["possible_actions"], made["content_count"], made["content_amount"]) == (["send"], 2, made["amount"])
    others = scene.treasurer.get(f"/v1/payout-files/{made['id']}").json()["possible_actions"]
    assert others == ["send", "void"]  # who made it may not
    confirm = [f"/v1/payouts/{each['payout_id']}/confirm" for each in (first, second)]
    refused = scene.cashier.post(confirm[0], json={"reference": "B-1"})
    assert code(refused) == (409, "payout_in_live_file")
    assert refused.json()["data"] == {"number": first["number"], "file": made["number"]}
    # a line of the bank knows it without anybody's word
    scene.shows(one_by_one(scene, first, f"{first['number']}-{attempt_of(scene, first)}"))
    assert scene.cashier.get(f"/v1/payouts/{first['payout_id']}").json()["status"] == "paid"
    rows, _ = content(scene, made["id"])
    assert [second["number"] in row for row in rows] == [True]  # the file pays it no more
    send = f"/v1/payout-files/{made['id']}/send"
    assert code(scene.cashier.post(send, json={})) == (422, "invalid")
    assert scene.farm.post(send, json={"reference": "U-1"}).status_code == 403
    sent = scene.cashier.post(send, json={"reference": "U-1"})
    assert (sent.status_code, sent.json()["status"], sent.json()["reference"]) == (200, "sent", "U-1")
    # nor does it when it was handed over: that payment was not in it any more
    assert (sent.json()["sent_by_name"], sent.json()["content_count"]) == (scene.people["cashier"].name, 1)
    assert content(scene, made["id"])[0] == rows
    assert code(scene.cashier.post(send, json={"reference": "U-1"})) == (409, "illegal_move")
    assert code(void(scene.treasurer, made)) == (409, "illegal_move")
    assert scene.cashier.post(confirm[1], json={"reference": "B-1"}).status_code == 200
    assert content(scene, made["id"])[0] == rows  # by the list, as it says ever after
    assert differences(scene.database) == {}


def test_a_list_of_which_all_has_failed_is_not_handed_over(scene):
    made, both = scene.listed()
    for each in both:
        assert scene.fails(each["payout_id"])["status"] == "failed"
    for client in (scene.cashier, scene.treasurer):
        shown = client.get(f"/v1/payout-files/{made['id']}").json()
        assert (shown["status"], shown["content_count"], shown["possible_actions"]) == ("made", 0, [])
        assert client.get("/v1/payout-files").json()["items"][0]["possible_actions"] == []
    refused = scene.cashier.post(f"/v1/payout-files/{made['id']}/send", json={"reference": "U-1"})
    assert code(refused) == (409, "nothing_left_on_list")


def test_what_failed_is_left_out_of_its_list_and_paid_by_the_next(scene):
    made, (first, second) = scene.listed()
    scene.fails(first["payout_id"])
    rows, _ = content(scene, made["id"])
    assert [(second["number"] in row, first["number"] in row) for row in rows] == [(True, False)]
    third = scene.third()
    assert scene.cashier.post(f"/v1/payouts/{first['payout_id']}/approve", json={}).status_code == 200
    assert third.post(f"/v1/payouts/{first['payout_id']}/release").status_code == 200
    again = scene.cashier.post("/v1/payout-files").json()
    for sent in (False, True):
        if sent:
            assert scene.cashier.post(f"/v1/payout-files/{made['id']}/send", json={"reference": "U-1"}).status_code == 200
        shown = [scene.cashier.get(f"/v1/payout-files/{each['id']}").json() for each in (made, again)]
        assert [(each["content_count"], each["content_amount"]) for each in shown] == [(1, second["due"]), (1, first["due"])]
        paid = [row for each in (made, again) for row in content(scene, each["id"])[0]]
        assert [sum(each["number"] in row for row in paid) for each in (first, second)] == [1, 1]  # on one list each


def confirmed_while_a_list_is_made(scene, monkeypatch):
    """Somebody confirms a released payout that somebody else puts on a list in the same moment: the status of that."""
    scene.account()
    row = scene.settled()
    assert scene.release(row["payout_id"]).status_code == 200
    look, begun = listing.pass_over, []
    with ThreadPoolExecutor(1) as pool:

        def looked(*given):
            passed = look(*given)
            begun.append(pool.submit(scene.treasurer.post, f"/v1/payouts/{row['payout_id']}/confirm", json={"reference": "B-1"}))
            wait(begun, 2)
            return passed

        monkeypatch.setattr(listing, "pass_over", looked)
        assert scene.cashier.post("/v1/payout-files").status_code == 201
        return code(begun[0].result(30))


@pytest.mark.slow
def test_who_confirms_waits_for_the_list_that_is_made_just_now(scene, monkeypatch):
    assert confirmed_while_a_list_is_made(scene, monkeypatch) == (409, "payout_in_live_file")


@pytest.mark.control
def test_without_the_lock_it_is_paid_and_on_the_list(scene, monkeypatch):
    """The control."""
    monkeypatch.setattr(listing, "_TO_SEND", text(listing._TO_SEND.text.replace("FOR UPDATE OF s, p", "")))
    assert confirmed_while_a_list_is_made(scene, monkeypatch) == (200, None)


def attempt_of(scene, row):
    return scene.cashier.get(f"/v1/payouts/{row['payout_id']}").json()["attempts"][-1]["id"]


def one_by_one(scene, first, written="货款"):
    """The bank carries a list out payment by payment: the line of the first."""
    return -round(float(first["due"]) * 100), scene.market.suppliers[0].name, written, ACCOUNT


@pytest.mark.parametrize(
    "shown", ["matched", "number", "plain number", "wide number", "release", "plain release", "sum", "sum to an account", "payee"]
)
def test_a_list_that_a_line_of_the_bank_shows_stays(scene, shown):
    made, (first, _) = scene.listed()
    attempt = scene.cashier.get(f"/v1/payouts/{first['payout_id']}").json()["attempts"][-1]["id"]
    release, total = f"{first['number']}-{attempt}", round(float(made["amount"]) * 100)
    line = {
        "matched": (-round(float(first["due"]) * 100), scene.market.suppliers[0].name, release),
        "number": (-total - 1, "x", f"代付 {made['number'].lower()}"),
        "release": (-1, "x", f"{release} 货款"),
        "plain number": (-1, "x", made["number"].replace("-", "")),
        "wide number": (-1, "x", "".join(chr(ord(each) + 0xFEE0) for each in made["number"])),
        "plain release": (-1, "x", release.replace("-", " ").lower()),
        "sum": (-total, scene.market.suppliers[0].name, "货款"),
        "sum to an account": (-total, "批量代付过渡户", "货款", "3100021009014400999"),
        "payee": one_by_one(scene, first),
    }[shown]
    scene.shows(line)
    # the sum alone is matched by rule, with all of it: that says that it was handed over
    refusal, status = ("illegal_move", "sent") if shown == "sum" else ("payout_file_executed", "made")
    assert code(void(scene.treasurer, made)) == (409, refusal)
    assert scene.cashier.get(f"/v1/payout-files/{made['id']}").json()["status"] == status


def test_a_line_for_something_else_does_not_keep_a_list(scene):
    made, (first, _) = scene.listed()
    attempt = scene.cashier.get(f"/v1/payouts/{first['payout_id']}").json()["attempts"][-1]["id"]
    scene.shows((-1, "x", f"{first['number']}-{attempt}0"))
    assert void(scene.treasurer, made).status_code == 200


def test_what_a_line_shows_of_a_void_list_is_not_paid_again_unawares(scene):
    made, (first, _) = scene.listed()
    assert void(scene.treasurer, made).status_code == 200
    path, refusal = f"/v1/payouts/{first['payout_id']}", (409, "failed_one_shown_by_bank")
    [line] = scene.shows(one_by_one(scene, first))  # it was handed over after all
    assert line["status"] == "open"
    refused = scene.cashier.post("/v1/payout-files")
    assert (code(refused), refused.json()["data"]["line_id"]) == (refusal, line["id"])
    assert code(scene.cashier.post(f"{path}/send", json={"reference": "B-1"})) == refusal
    again = scene.cashier.post("/v1/payout-files", json={"despite": "该流水为另一笔货款"})
    assert (again.status_code, again.json()["payout_count"]) == (201, 2)
    assert scene.rows("SELECT reason FROM audit_event WHERE action = 'payout_file.made' ORDER BY id DESC LIMIT 1") == [
        ("该流水为另一笔货款",)
    ]


def test_what_was_passed_over_when_it_was_listed_is_not_asked_about_when_the_list_is_sent(scene):
    _, (first, _) = scene.listed()
    scene.fails(first["payout_id"])
    third = scene.third()
    path, refusal = f"/v1/payouts/{first['payout_id']}", (409, "failed_one_shown_by_bank")
    assert scene.cashier.post(f"{path}/approve", json={}).status_code == 200
    assert third.post(f"{path}/release").status_code == 200
    scene.shows(one_by_one(scene, first))
    assert code(scene.cashier.post("/v1/payout-files")) == refusal
    again = scene.cashier.post("/v1/payout-files", json={"despite": "该流水为另一笔货款"}).json()
    assert scene.cashier.post(f"/v1/payout-files/{again['id']}/send", json={"reference": "U-1"}).json()["status"] == "sent"
    # but about one that came since
    [since] = scene.shows(one_by_one(scene, first))
    refused = scene.cashier.post(f"{path}/confirm", json={"reference": "B-1"})
    assert (code(refused), refused.json()["data"]["line_id"]) == (refusal, since["id"])
    assert scene.cashier.post(f"{path}/confirm", json={"reference": "B-1", "despite": "同上"}).json()["status"] == "paid"


def test_what_was_passed_over_when_it_was_sent_is_not_asked_about_when_it_is_confirmed(scene):
    made, (first, _) = scene.listed()
    assert void(scene.treasurer, made).status_code == 200
    path = f"/v1/payouts/{first['payout_id']}"
    scene.shows(one_by_one(scene, first))
    assert scene.cashier.post(f"{path}/send", json={"reference": "B-1", "despite": "该流水为另一笔货款"}).status_code == 200
    assert scene.cashier.post(f"{path}/confirm", json={"reference": "B-1"}).json()["status"] == "paid"


def test_nobody_else_makes_it_void(scene):
    made, _ = scene.listed()
    for client, status in ((scene.farm, 403), (scene.buyer, 403)):
        assert void(client, made).status_code == status
    assert void(scene.treasurer, {"id": 999_999}).status_code == 404
    with pytest.raises(IntegrityError, match="ck_payout_file_two_persons"), scene.database.unit_of_work() as session:
        session.execute(text("UPDATE payout_file SET status = 'void', voided_by = made_by, voided_at = now(), void_reason = 'x'"))


def rush(scene, made, payout_id):
    """Eight times void, made anew and confirmed, all in the same moment."""
    clients = sessions(scene.api, scene.database, scene.people["treasurer"], 24)
    calls = []
    for number, client in enumerate(clients):
        calls.append(
            (
                lambda client=client: void(client, made),
                lambda client=client: client.post("/v1/payout-files"),
                lambda client=client: client.post(f"/v1/payouts/{payout_id}/confirm", json={"reference": "B-1"}),
            )[number % 3]
        )
    answers = [answer.status_code for answer in at_once(calls)]
    return answers[0::3], answers[1::3], answers[2::3]


@pytest.mark.slow
def test_void_listed_again_and_confirmed_at_once_each_happens_once(scene):
    made, (first, _) = scene.listed()
    voided, listed, confirmed = rush(scene, made, first["payout_id"])
    # it is confirmed between the lists, if at all
    assert confirmed.count(200) <= voided.count(200) <= 1
    assert listed.count(201) <= voided.count(200)
    assert {*voided, *listed, *confirmed} <= {200, 201, 409}
    # never on two lists that count
    assert scene.rows("SELECT attempt_id FROM payout_file_line WHERE NOT void GROUP BY 1 HAVING count(*) > 1") == []
    assert scene.rows("SELECT count(*) FROM money_transaction WHERE kind = 'payout_paid'") == [(confirmed.count(200),)]
    assert differences(scene.database) == {}


def many_void(scene, made):
    clients = sessions(scene.api, scene.database, scene.people["treasurer"], 12)
    with ThreadPoolExecutor(12) as pool:
        statuses = [answer.status_code for answer in pool.map(lambda client: void(client, made), clients)]
    return statuses, scene.rows("SELECT count(*) FROM audit_event WHERE action = 'payout_file.void'")[0][0]


def test_of_many_who_make_a_list_void_at_once_one_does(scene):
    made, _ = scene.listed()
    statuses, recorded = many_void(scene, made)
    assert (statuses.count(200), statuses.count(409), recorded) == (1, 11, 1)


@pytest.mark.control
def test_without_the_locks_several_do(scene, monkeypatch):
    """The control."""
    made, _ = scene.listed()
    monkeypatch.setattr(listing, "_LOCK", text(listing._LOCK.text.replace("FOR UPDATE", "")))
    monkeypatch.setattr(listing, "lock", lambda session, ids: None)
    _, recorded = many_void(scene, made)
    assert recorded > 1
