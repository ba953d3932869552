"""What was said to have failed and the bank shows to have left: nobody is paid twice."""

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from orders.banking.actions import carrying_out
from orders.banking.errors import RefundUnfit, Remedy
from orders.banking.handlers import match_open
from orders.money.queries import shown
from orders.money.queries.shown import Transfer
from orders.money.references import written
from orders.money.rules import Kind
from orders.settlement.actions import paying
from shop.core import outbox
from shop.identity.permissions import Role
from tests.factories.identity import make_user
from tests.factories.money import PAYEE
from tests.factories.racing import post_at_once, sessions
from tests.factories.statements import ACCOUNT
from tests.orders.banking.test_payouts import agrees, match, number_of, payout_of, undo
from workers.handlers import HANDLERS

pytestmark = pytest.mark.slow


def code(answer):
    return answer.status_code, answer.json().get("code")


def refused_by(answer, line, refusal):
    assert code(answer) == (409, refusal), answer.text
    assert answer.json()["data"]["line_id"] == line["id"]
    assert str(line["id"]) in answer.json()["title"]


def overpaid(scene):
    """An order with 30.10 too much on it."""
    order = scene.delivered(1, paid=False)
    scene.pay(order.order_id, 10_000)
    return order.order_id


def refund_of(scene, order_id, amount="30.10", release=True):
    asked = scene.cashier.post(f"/v1/purchase-orders/{order_id}/refunds", json={"amount": amount, "reason": "多付", "payee": PAYEE})
    assert asked.status_code == 201, asked.text
    if release:
        assert scene.treasurer.post(f"/v1/refunds/{asked.json()['id']}/approve").json()["status"] == "approved"
    return asked.json()


def refund_fails(scene, refund_id):
    said = scene.cashier.post(f"/v1/refunds/{refund_id}/fail", json={"reason": "户名不符"})
    assert said.status_code == 200, said.text
    return said.json()


def match_refund(scene, line, refund_id, kind="refund"):
    return scene.cashier.post(f"/v1/bank-lines/{line['id']}/matches", json={"parts": [{"kind": kind, "refund_id": refund_id}]})


# one person says it, another confirms it


@pytest.mark.parametrize("of", ["payout", "refund"])
def test_that_something_failed_which_was_paid_takes_two_persons(scene, of):
    if of == "payout":
        scene.account()
        the_id = scene.settled()["payout_id"]
        scene.release(the_id)
    else:
        the_id = refund_of(scene, overpaid(scene))["id"]
    path = f"/v1/{of}s/{the_id}"
    assert scene.cashier.post(f"{path}/confirm", json={"reference": "B-1"}).status_code == 200
    outbox.drain(scene.database, HANDLERS)
    said = scene.cashier.post(f"{path}/fail", json={"reason": "户名不符"})
    assert (said.status_code, said.json()["status"]) == (200, "paid")
    report = f"/v1/failure-reports/{said.json()['failure_report_id']}"
    assert code(scene.treasurer.post(f"{path}/fail", json={"reason": "户名不符"})) == (409, "failure_waiting")
    for move in ("approve", "refuse"):
        assert code(scene.cashier.post(f"{report}/{move}", json={})) == (403, "own_failure_report")
    outbox.drain(scene.database, HANDLERS)
    told = [each["kind"] for each in scene.treasurer.get("/v1/notifications").json()["items"]]
    assert told[0] == "failure_report.waiting"
    assert "failure_report.waiting" not in [each["kind"] for each in scene.cashier.get("/v1/notifications").json()["items"]]
    [waits] = scene.treasurer.get("/v1/finance/waiting", params={"kind": "failure_report", "own": False}).json()["items"]
    assert (waits["link"], waits["amount"]) == (report, said.json()["amount"])
    refused = scene.treasurer.post(f"{report}/refuse", json={"reason": "见回单"})
    assert (refused.status_code, refused.json()["status"], refused.json()["decision_reason"]) == (200, "refused", "见回单")
    assert scene.cashier.get(path).json()["status"] == "paid"
    report = f"/v1/failure-reports/{scene.cashier.post(f'{path}/fail', json={'reason': '退票'}).json()['failure_report_id']}"
    assert scene.cashier.post(f"{report}/withdraw", json={}).json()["status"] == "withdrawn"
    report = f"/v1/failure-reports/{scene.cashier.post(f'{path}/fail', json={'reason': '退票'}).json()['failure_report_id']}"
    approved = scene.treasurer.post(f"{report}/approve", json={})
    assert (approved.status_code, approved.json()["status"], approved.json()["possible_actions"]) == (200, "approved", [])
    assert (scene.cashier.get(path).json()["status"], scene.cashier.get(path).json()["failure_report_id"]) == ("failed", None)
    assert code(scene.treasurer.post(f"{report}/approve", json={})) == (409, "illegal_move")
    assert [each["status"] for each in scene.cashier.get("/v1/failure-reports").json()["items"]] == [
        "approved",
        "withdrawn",
        "refused",
    ]
    outbox.drain(scene.database, HANDLERS)
    assert "failure_report.approved" in [each["kind"] for each in scene.cashier.get("/v1/notifications").json()["items"]]
    with scene.database.unit_of_work() as session:
        user = make_user(session, Role.PLATFORM_FINANCE, region_code="500229")
    elsewhere = scene.api.as_(user)
    assert (elsewhere.get(report).status_code, elsewhere.get("/v1/failure-reports").json()["items"]) == (404, [])
    agrees(scene)


def test_the_database_refuses_one_person_for_both(scene, row):
    scene.cashier.post(f"/v1/payouts/{row['payout_id']}/confirm", json={"reference": "B-1"})
    scene.cashier.post(f"/v1/payouts/{row['payout_id']}/fail", json={"reason": "户名不符"})
    with pytest.raises(IntegrityError, match="ck_failure_report_two_persons"):
        scene.rows("UPDATE failure_report SET status = 'approved', decided_by = requested_by, decided_at = now() RETURNING id")


def confirmed_at_once(scene, row):
    path = f"/v1/payouts/{row['payout_id']}"
    scene.cashier.post(f"{path}/confirm", json={"reference": "B-1"})
    report = scene.cashier.post(f"{path}/fail", json={"reason": "户名不符"}).json()["failure_report_id"]
    clients = sessions(scene.api, scene.database, scene.people["treasurer"], 8)
    answers = post_at_once(clients, f"/v1/failure-reports/{report}/approve", {})
    booked = scene.rows("SELECT count(*) FROM money_transaction WHERE kind = 'payout_failed'")[0][0]
    return sorted(answer.status_code for answer in answers), booked


def test_confirmed_by_many_at_once_it_fails_once(scene, row):
    assert confirmed_at_once(scene, row) == ([200] + [409] * 7, 1)
    agrees(scene)


@pytest.mark.control
def test_without_the_locks_the_same_rush_fails_it_more_often(scene, row, monkeypatch):
    """The control: neither they nor the database's own guard, which knows each failure."""
    with scene.database.unit_of_work() as session:
        session.execute(text("DROP INDEX uq_money_transaction_origin"))
    monkeypatch.setattr(paying, "_LOCK", text(paying._LOCK.text.replace("FOR UPDATE OF s, p", "")))
    _, booked = confirmed_at_once(scene, row)
    assert booked > 1


def said_of_a_release_that_came_back(scene, row):
    """A report of a first release, which a line showed to have come back since; the second is confirmed by hand. Returns the report's path."""
    path, number = f"/v1/payouts/{row['payout_id']}", number_of(scene, row)
    scene.cashier.post(f"{path}/confirm", json={"reference": "B-1"})
    report = scene.cashier.post(f"{path}/fail", json={"reason": "户名不符"}).json()["failure_report_id"]
    scene.shows((69_900, "x", f"退汇 {number}"))
    assert payout_of(scene, row)["status"] == "failed"
    assert scene.release(row["payout_id"]).status_code == 200
    assert scene.cashier.post(f"{path}/confirm", json={"reference": "B-2"}).json()["status"] == "paid"
    return f"/v1/failure-reports/{report}"


def test_what_was_said_of_one_release_does_not_fail_the_next(scene, row):
    report = said_of_a_release_that_came_back(scene, row)
    assert payout_of(scene, row)["failure_report_id"] is None
    shown = scene.treasurer.get(report).json()
    assert (shown["status"], shown["decided_by"], shown["possible_actions"]) == ("superseded", None, [])
    assert code(scene.treasurer.post(f"{report}/approve", json={})) == (409, "illegal_move")
    assert scene.treasurer.get("/v1/finance/waiting", params={"kind": "failure_report", "own": False}).json()["items"] == []
    # nor does one that waits nevertheless
    scene.rows("UPDATE failure_report SET status = 'requested', decided_at = NULL RETURNING id")
    assert payout_of(scene, row)["failure_report_id"] is None
    assert code(scene.treasurer.post(f"{report}/approve", json={})) == (409, "failure_superseded")
    assert payout_of(scene, row)["status"] == "paid"
    assert scene.treasurer.post(f"{report}/refuse", json={}).json()["status"] == "refused"


def test_what_was_said_of_a_refund_ends_with_the_line_of_its_return(scene):
    refund = refund_of(scene, overpaid(scene))
    path = f"/v1/refunds/{refund['id']}"
    scene.cashier.post(f"{path}/confirm", json={"reference": "B-1"})
    assert refund_fails(scene, refund["id"])["failure_report_id"]
    scene.shows((3_010, "x", f"退汇 {refund['number']}"))
    shown = scene.cashier.get(path).json()
    assert (shown["status"], shown["failure_report_id"]) == ("failed", None)
    assert scene.rows("SELECT status FROM failure_report") == [("superseded",)]


# what a line shows nobody says to have failed


def test_a_match_that_is_undone_opens_no_way_to_a_second_payment(scene, row):
    path, holder = f"/v1/payouts/{row['payout_id']}", scene.market.suppliers[0].name
    [line] = scene.shows((-69_900, holder, number_of(scene, row), ACCOUNT))
    assert payout_of(scene, row)["status"] == "paid"
    for client in (scene.cashier, scene.treasurer):
        refused_by(client.post(f"{path}/fail", json={"reason": "户名不符"}), line, "shown_by_bank")
    undo(scene, line)
    for client in (scene.cashier, scene.treasurer):
        refused_by(client.post(f"{path}/fail", json={"reason": "户名不符"}), line, "shown_by_bank")
    assert match(scene, line, "payout", row["payout_id"]).status_code == 201
    assert (payout_of(scene, row)["status"], agrees(scene)) == ("paid", [])


@pytest.mark.parametrize("written", ["{number}", "结算 {settlement} 货款", "货款", "ＪＳ{digits}"])
def test_an_open_line_with_its_number_or_its_amount_and_payee_shows_it(scene, row, written):
    number = number_of(scene, row)
    told = written.format(number=number, settlement=row["number"], digits=number[2:].replace("-", " "))
    # of another amount it shows it by its number only
    fen = -69_900 if written == "货款" else -69_800
    [line] = scene.shows((fen, "x", told, ACCOUNT))
    refused_by(scene.cashier.post(f"/v1/payouts/{row['payout_id']}/fail", json={"reason": "x"}), line, "shown_by_bank")


@pytest.mark.parametrize(
    ("fen", "name", "written", "account"),
    [
        (-69_900, "x", "货款", "6222021009014400777"),
        (-69_900, "", "JS2026-999999-12", ACCOUNT),
        (-69_901, "", "货款", ACCOUNT),
        (69_900, "", "货款", ACCOUNT),
    ],
)
def test_another_line_shows_nothing(scene, row, fen, name, written, account):
    scene.shows((fen, name, written, account))
    assert scene.fails(row["payout_id"])["status"] == "failed"


def test_a_line_of_the_whole_list_shows_each_payout_of_it(scene):
    made, both = scene.listed()
    [line] = scene.shows((-round(float(made["amount"]) * 100), "", made["number"]))
    assert line["status"] == "matched"
    match_id = line["matches"][0]["id"]
    assert scene.cashier.post(f"/v1/bank-matches/{match_id}/undo", json={"reason": "再核"}).status_code == 200
    for each in both:
        refused_by(scene.cashier.post(f"/v1/payouts/{each['payout_id']}/fail", json={"reason": "x"}), line, "shown_by_bank")


def test_the_same_of_a_refund(scene):
    refund = refund_of(scene, overpaid(scene))
    [line] = scene.shows((-3_010, "沙坪坝中学", refund["number"], ACCOUNT))
    path = f"/v1/refunds/{refund['id']}"
    assert scene.cashier.get(path).json()["status"] == "paid"
    undo(scene, line)
    for client in (scene.cashier, scene.treasurer):
        refused_by(client.post(f"{path}/fail", json={"reason": "户名不符"}), line, "shown_by_bank")
    assert match_refund(scene, line, refund["id"]).status_code == 201
    assert agrees(scene) == []


# a line takes back what was said


@pytest.mark.parametrize("paid_first", [False, True])
def test_a_line_makes_a_payout_paid_again_and_its_return_fails_it_again(scene, row, paid_first):
    path, holder, number = f"/v1/payouts/{row['payout_id']}", scene.market.suppliers[0].name, number_of(scene, row)
    if paid_first:
        scene.cashier.post(f"{path}/confirm", json={"reference": "B-1"})
    before = payout_of(scene, row)
    assert scene.fails(row["payout_id"])["status"] == "failed"
    [line] = scene.shows((-69_900, "x", f"{number} 货款", ACCOUNT))
    [proposal, *_] = line["proposals"]
    assert (proposal["kind"], proposal["payout_id"], proposal["certain"]) == ("payout", row["payout_id"], False)
    assert "said_failed" in proposal["reasons"]
    assert match(scene, line, "payout", row["payout_id"]).status_code == 201
    after = payout_of(scene, row)
    assert (after["status"], len(after["attempts"]), after["attempts"][0]["outcome"]) == ("paid", 1, "paid")
    assert {name: after[name] for name in ("approved_by", "released_by")} == {
        name: before[name] for name in ("approved_by", "released_by")
    }
    assert (scene.balance("settled"), scene.balance("payouts"), agrees(scene)) == (0, 0, [])
    # it does come back
    [back] = scene.shows((69_900, "x", f"退汇 {number}"))
    assert (back["status"], payout_of(scene, row)["status"]) == ("matched", "failed")
    assert (scene.balance("settled"), agrees(scene)) == (-69_900, [])
    # a line shows that it came back: the next release is nobody's second payment
    assert scene.release(row["payout_id"]).status_code == 200
    scene.shows((-69_900, holder, number_of(scene, row), ACCOUNT))
    assert (payout_of(scene, row)["status"], agrees(scene)) == ("paid", [])


def test_approved_again_it_is_not_matched_before_that_is_taken_back(scene, row):
    path, number = f"/v1/payouts/{row['payout_id']}", number_of(scene, row)
    scene.fails(row["payout_id"])
    assert scene.cashier.post(f"{path}/approve", json={}).status_code == 200
    [line] = scene.shows((-69_900, "x", number, ACCOUNT))
    assert "said_failed" in line["proposals"][0]["reasons"]
    refused = match(scene, line, "payout", row["payout_id"])
    assert code(refused) == (409, "payout_does_not_fit")
    assert (refused.json()["data"]["state"], refused.json()["data"]["remedy"]) == ("approved", "withdraw")
    assert "withdraw" in refused.json()["title"]
    refused_by(scene.treasurer.post(f"{path}/release"), line, "failed_one_shown_by_bank")
    taken = scene.treasurer.post(f"{path}/withdraw", json={"reason": "银行已付"})
    assert (taken.status_code, taken.json()["status"], taken.json()["approved_by"]) == (200, "draft", None)
    assert match(scene, line, "payout", row["payout_id"]).status_code == 201
    assert (payout_of(scene, row)["status"], scene.balance("settled"), agrees(scene)) == ("paid", 0, [])


@pytest.mark.parametrize("paid_first", [False, True])
def test_a_line_makes_a_refund_paid_again_and_its_return_fails_it_again(scene, paid_first):
    order = overpaid(scene)
    refund = refund_of(scene, order)
    path = f"/v1/refunds/{refund['id']}"
    if paid_first:
        scene.cashier.post(f"{path}/confirm", json={"reference": "B-1"})
    said = refund_fails(scene, refund["id"])
    if paid_first:
        assert scene.treasurer.post(f"/v1/failure-reports/{said['failure_report_id']}/approve", json={}).status_code == 200
    assert scene.cashier.get(path).json()["status"] == "failed"
    [line] = scene.shows((-3_010, "沙坪坝中学", f"退款 {refund['number']}", ACCOUNT))
    assert (line["status"], line["proposals"][0]["refund_id"]) == ("open", refund["id"])
    assert match_refund(scene, line, refund["id"]).status_code == 201
    assert (scene.cashier.get(path).json()["status"], agrees(scene)) == ("paid", [])
    [back] = scene.shows((3_010, "x", f"退汇 {refund['number']}"))
    assert (back["status"], scene.cashier.get(path).json()["status"], agrees(scene)) == ("matched", "failed", [])
    # what came back is owed by another refund, and this one is no more
    [other] = scene.shows((-3_010, "沙坪坝中学", "退款", ACCOUNT))
    refused = match_refund(scene, other, refund["id"])
    assert (code(refused), refused.json()["data"]["state"]) == ((409, "refund_does_not_fit"), "failed")


def test_a_refund_that_left_after_all_while_another_rests_on_its_credit(scene):
    order = overpaid(scene)
    first = refund_of(scene, order)
    refund_fails(scene, first["id"])
    second = refund_of(scene, order)
    [line] = scene.shows((-3_010, "沙坪坝中学", first["number"], ACCOUNT))
    assert code(match_refund(scene, line, first["id"])) == (409, "refunds_rest_on_it")
    refund_fails(scene, second["id"])
    assert match_refund(scene, line, first["id"]).status_code == 201
    assert agrees(scene) == []


def confirmed_and_failed(scene, order):
    """A refund that was confirmed by hand, and then said by two persons to have failed."""
    refund = refund_of(scene, order)
    scene.cashier.post(f"/v1/refunds/{refund['id']}/confirm", json={"reference": "B-1"})
    report = refund_fails(scene, refund["id"])["failure_report_id"]
    assert scene.treasurer.post(f"/v1/failure-reports/{report}/approve", json={}).status_code == 200
    return refund


def test_a_line_of_what_failed_waits_for_a_person_and_hinders_no_other(scene):
    order = overpaid(scene)
    first = confirmed_and_failed(scene, order)
    refund_of(scene, order)  # rests on the same credit
    other = refund_of(scene, overpaid(scene))
    shown, certain = scene.shows(*((-3_010, "沙坪坝中学", each["number"], ACCOUNT) for each in (first, other)))
    assert (shown["status"], shown["proposals"][0]["refund_id"], certain["status"]) == ("open", first["id"], "matched")
    assert scene.cashier.get(f"/v1/refunds/{first['id']}").json()["status"] == "failed"
    with scene.database.unit_of_work() as session:
        assert match_open(session) == 0


@pytest.mark.slow
def test_a_match_that_is_refused_leaves_only_its_own_line_open(scene, monkeypatch):
    first, second, third = (refund_of(scene, overpaid(scene)) for _ in range(3))
    original = carrying_out.refund

    def refusing(session, who, line, refund_id, signed_fen):
        if refund_id == second["id"]:
            raise RefundUnfit(number=second["number"], state="paid", remedy=Remedy.SHOWN)
        return original(session, who, line, refund_id, signed_fen)

    monkeypatch.setattr(carrying_out, "refund", refusing)
    lines = scene.shows(*((-3_010, "沙坪坝中学", each["number"], ACCOUNT) for each in (first, second, third)))
    assert [each["status"] for each in lines] == ["matched", "open", "matched"]
    assert scene.rows("SELECT matched_fen FROM bank_line WHERE id = :id", id=lines[1]["id"]) == [(0,)]
    agrees(scene)


def test_what_left_twice_is_a_fact_and_the_buyer_owes_it(scene):
    order = overpaid(scene)
    first = refund_of(scene, order)
    refund_fails(scene, first["id"])
    second = refund_of(scene, order)
    assert scene.cashier.post(f"/v1/refunds/{second['id']}/confirm", json={"reference": "B-2"}).status_code == 200
    [line] = scene.shows((-3_010, "沙坪坝中学", first["number"], ACCOUNT))
    assert match_refund(scene, line, first["id"]).status_code == 201
    assert scene.rows(
        "SELECT sum(amount_fen)::int FROM money_posting WHERE account = 'receivable' AND purchase_order_id = :id", id=order
    )[0] == (3_010,)
    assert agrees(scene) == ["-30.10"]


# nobody is paid a second time without being told


def test_a_payout_that_failed_is_not_paid_again_while_a_line_shows_that_it_left(scene, row):
    path, number = f"/v1/payouts/{row['payout_id']}", number_of(scene, row)
    scene.fails(row["payout_id"])
    [line] = scene.shows((-69_900, scene.market.suppliers[0].name, f"{number} 货款", ACCOUNT))
    refusal = "failed_one_shown_by_bank"
    refused_by(scene.cashier.post(f"{path}/approve", json={}), line, refusal)
    assert scene.cashier.post(f"{path}/approve", json={"despite": "银行书面说明未付"}).status_code == 200
    refused_by(scene.treasurer.post(f"{path}/release"), line, refusal)
    assert scene.treasurer.post(f"{path}/release", json={"despite": "回单为误记"}).status_code == 200
    reasons = scene.rows(
        "SELECT action, reason FROM audit_event WHERE action IN ('payout.approve', 'payout.release') AND reason IS NOT NULL ORDER BY 1"
    )
    assert reasons == [("payout.approve", "银行书面说明未付"), ("payout.release", "回单为误记")]
    # what was passed over is not asked about again; what came since then is
    [later] = scene.shows((-69_900, "", number))
    for body in ({"reference": "B-1"}, {"reference": "B-1", "despite": None}):
        refused_by(scene.cashier.post(f"{path}/send", json=body), later, refusal)
    refused_by(scene.cashier.post("/v1/payout-files"), later, refusal)
    assert payout_of(scene, row)["status"] == "released"
    made = scene.cashier.post("/v1/payout-files", json={"despite": "两笔均为误记"})
    assert (made.status_code, payout_of(scene, row)["status"]) == (201, "sent")
    agrees(scene)


def test_a_payout_whose_return_is_not_shown_any_more_is_not_paid_again(scene, row):
    path, number = f"/v1/payouts/{row['payout_id']}", number_of(scene, row)
    out, back = scene.shows((-69_900, scene.market.suppliers[0].name, number), (69_900, "x", f"退汇 {number}"))
    assert payout_of(scene, row)["status"] == "failed"
    undo(scene, back)
    refused_by(scene.cashier.post(f"{path}/approve", json={}), out, "failed_one_shown_by_bank")
    assert match(scene, back, "payout_returned", row["payout_id"]).status_code == 201
    assert scene.cashier.post(f"{path}/approve", json={}).status_code == 200
    agrees(scene)


def test_a_refund_is_not_released_while_a_line_shows_another_that_was_said_to_have_failed(scene):
    order = overpaid(scene)
    first = refund_of(scene, order)
    refund_fails(scene, first["id"])
    second = refund_of(scene, order, release=False)
    [line] = scene.shows((-3_010, "沙坪坝中学", first["number"], ACCOUNT))
    path, refusal = f"/v1/refunds/{second['id']}", "failed_one_shown_by_bank"
    refused_by(scene.treasurer.post(f"{path}/approve"), line, refusal)
    assert scene.treasurer.post(f"{path}/approve", json={"despite": "银行书面说明未付"}).json()["status"] == "approved"
    [later] = scene.shows((-3_010, "沙坪坝中学", first["number"], ACCOUNT))
    refused_by(scene.cashier.post("/v1/refund-files", json={"refund_ids": [second["id"]]}), later, refusal)
    assert code(scene.cashier.post("/v1/refund-files", json={})) == (409, "no_refund_to_send")
    refused_by(scene.cashier.post(f"{path}/send", json={"reference": "B"}), later, refusal)
    assert scene.cashier.post(f"{path}/send", json={"reference": "B", "despite": "误记"}).json()["status"] == "sent"
    agrees(scene)


# reversals


@pytest.mark.parametrize("named", [True, False])
def test_a_reversal_of_a_payout_is_proposed_as_its_return(scene, row, named):
    holder, number = scene.market.suppliers[0].name, number_of(scene, row)
    scene.shows((-69_900, holder, number, ACCOUNT))
    [line] = scene.shows((69_900, holder, f"冲正 {number}" if named else "冲正", ACCOUNT, True))
    assert (line["reversal"], line["amount"], line["status"]) == (True, "699.00", "open")
    proposal = line["proposals"][0]
    assert (proposal["kind"], proposal["payout_id"], "reversal" in proposal["reasons"]) == (
        "payout_returned",
        row["payout_id"],
        True,
    )
    assert match(scene, line, "payout_returned", row["payout_id"]).status_code == 201
    assert (payout_of(scene, row)["status"], scene.balance("settled"), agrees(scene)) == ("failed", -69_900, [])


def test_a_reversal_of_a_refund_is_proposed_as_its_return(scene):
    order = overpaid(scene)
    refund = refund_of(scene, order)
    scene.shows((-3_010, "沙坪坝中学", refund["number"], ACCOUNT))
    [line] = scene.shows((3_010, "沙坪坝中学", "冲正", ACCOUNT, True))
    proposal = line["proposals"][0]
    assert (proposal["kind"], proposal["refund_id"], proposal["certain"]) == ("refund_returned", refund["id"], False)
    assert match_refund(scene, line, refund["id"], "refund_returned").status_code == 201
    assert (scene.cashier.get(f"/v1/refunds/{refund['id']}").json()["status"], agrees(scene)) == ("failed", [])


# smaller things


def test_who_is_no_payer_is_pointed_out_before_a_refund_is_released(scene):
    order = overpaid(scene)

    def asked(**payee):
        body = {"amount": "1.00", "reason": "多付", "payee": {**PAYEE, **payee}}
        return scene.cashier.post(f"/v1/purchase-orders/{order}/refunds", json=body).json()["payee_is_payer"]

    assert (asked(), asked(name="张三")) == (True, False)


def test_one_transfer_for_two_orders_is_proposed_as_both(scene):
    first, second = scene.delivered(1, paid=False).order_id, scene.delivered(2, paid=False).order_id
    [line] = scene.shows((20_970, "沙坪坝中学", "货款"))
    [proposal] = [each for each in line["proposals"] if each["kind"] == "orders"]
    assert [(each["purchase_order_id"], each["amount"]) for each in proposal["orders"]] == [(first, "69.90"), (second, "139.80")]
    parts = [
        {"kind": "order", "purchase_order_id": each["purchase_order_id"], "amount": each["amount"]} for each in proposal["orders"]
    ]
    matched = scene.cashier.post(f"/v1/bank-lines/{line['id']}/matches", json={"parts": parts})
    assert (matched.status_code, matched.json()["status"]) == (201, "matched")
    agrees(scene)


TRANSFER = Transfer(Kind.PAYOUT_PAID, 1, ("JS2026-000004-12",), 100, "甲", "1", date(2026, 1, 1))


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ("JS2026-000004-12", True),
        ("货款js2026 000004 12谢谢", True),
        ("ＪＳ２０２６－０００００４－１２", True),
        ("JS2026-000004-12 3.00", True),
        ("JS2026-000004-123", False),
        ("JS2026-000004-1", False),
        ("货款", False),
    ],
)
def test_a_number_is_found_however_it_was_typed(told, named):
    line = type("Row", (), {"text": told, "booked_on": date(2025, 12, 31), "amount_fen": -7, "payer_account": "", "payer_name": ""})
    assert shown._shows(line, TRANSFER, written(TRANSFER.numbers[0])) is named
