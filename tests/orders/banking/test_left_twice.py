"""One debt, two payments out, one back: nobody is paid for it once more, and the books say who has what."""

import pytest

from tests.orders.banking.test_left_after_all import ACCOUNT, code
from tests.orders.banking.test_payouts import agrees, match, number_of, payout_of, undo
from tests.orders.settlement.test_paying import advance, agreement

pytestmark = pytest.mark.slow

__all__ = ["agreement"]


@pytest.fixture
def twice(scene, row):
    """The payout, paid by one line; another line of the same, which is written off; and the third, by which the supplier sends one back."""
    holder = scene.market.suppliers[0].name
    [first] = scene.shows((-69_900, holder, number_of(scene, row), ACCOUNT))
    [second] = scene.shows((-69_900, holder, number_of(scene, row), ACCOUNT))
    assert (first["status"], written_off(scene, second, row)["status"]) == ("matched", "approved")
    assert scene.balance("advances") == 69_900
    [back] = scene.shows((69_900, holder, "退回重复货款", ACCOUNT))
    assert back["status"] == "open"
    return first, scene.cashier.get(f"/v1/bank-lines/{second['id']}").json(), back


def ask(scene, line, row, amount="699.00"):
    asked = {"entry": "paid_twice", "payout_id": row["payout_id"], "amount": amount, "reason": "重复付款"}
    return scene.cashier.post(f"/v1/bank-lines/{line['id']}/write-offs", json=asked)


def written_off(scene, line, row, amount="699.00"):
    asked = ask(scene, line, row, amount)
    assert asked.status_code == 201, asked.text
    approved = scene.treasurer.post(f"/v1/bank-write-offs/{asked.json()['id']}/approve", json={})
    assert approved.status_code == 200, approved.text
    return approved.json()


def undone(scene, line):
    [made] = [each for each in line["matches"] if each["undone_at"] is None]
    return scene.cashier.post(f"/v1/bank-matches/{made['id']}/undo", json={"reason": "x"})


def test_it_is_not_paid_again_unasked_while_its_supplier_holds_it_ahead(scene, row, twice):
    _, second, back = twice
    path = f"/v1/payouts/{row['payout_id']}"
    assert match(scene, back, "payout_returned", row["payout_id"]).status_code == 201
    refused = scene.cashier.post(f"{path}/approve", json={})
    assert code(refused) == (409, "paid_twice_held")
    assert (refused.json()["data"]["line_id"], refused.json()["data"]["held"]) == (second["id"], "699.00")
    assert scene.cashier.post(f"{path}/approve", json={"despite": "预付款另行退回"}).status_code == 200
    assert code(scene.treasurer.post(f"{path}/release")) == (409, "paid_twice_held")
    assert scene.treasurer.post(f"{path}/release", json={"despite": "预付款另行退回"}).status_code == 200
    # passed over by both, it is not asked about again
    assert scene.cashier.post("/v1/payout-files").status_code == 201
    kept = scene.rows("SELECT action FROM audit_event WHERE reason = '预付款另行退回' ORDER BY id")
    assert kept == [("payout.approve",), ("payout.release",)]
    agrees(scene)


def test_once_a_settlement_has_used_it_up_it_is_paid_like_any_other(scene, row, twice):
    path = f"/v1/payouts/{row['payout_id']}"
    assert match(scene, twice[2], "payout_returned", row["payout_id"]).status_code == 201
    scene.delivered(11)
    scene.later(40)
    scene.run()
    assert scene.balance("advances") == 0
    assert scene.cashier.post(f"{path}/approve", json={}).status_code == 200
    assert scene.treasurer.post(f"{path}/release").status_code == 200
    agrees(scene)


def test_what_left_twice_is_not_taken_back_while_the_payout_has_failed(scene, row, twice):
    first, second, back = twice
    assert match(scene, back, "payout_returned", row["payout_id"]).status_code == 201
    refused = undone(scene, second)
    assert code(refused) == (409, "paid_twice_of_failed_payout")
    assert refused.json()["data"]["line_id"] == back["id"]
    assert scene.balance("advances") == 69_900
    # what the refusal says is the way: the payout is paid again, and what came back is the one too many
    undo(scene, scene.cashier.get(f"/v1/bank-lines/{back['id']}").json())
    undo(scene, first)
    assert match(scene, first, "payout", row["payout_id"]).status_code == 201
    assert written_off(scene, back, row)["status"] == "approved"
    assert (payout_of(scene, row)["status"], scene.balance("settled"), scene.balance("advances")) == ("paid", 0, 0)
    assert agrees(scene) == []


def test_the_one_too_many_comes_back_and_is_not_held_ahead_any_more(scene, row, twice):
    _, second, back = twice
    likeliest, other = back["proposals"]
    assert (likeliest["kind"], likeliest["entry"], likeliest["payout_id"]) == ("bank_entry", "paid_twice", row["payout_id"])
    assert ("left_twice" in likeliest["reasons"], other["kind"], other["certain"]) == (True, "payout_returned", False)
    made = written_off(scene, back, row)
    assert (payout_of(scene, row)["status"], scene.balance("advances"), agrees(scene)) == ("paid", 0, [])
    # no more of it came back than left; nor is the one taken back under the other
    [more] = scene.shows((69_900, scene.market.suppliers[0].name, "退回重复货款", ACCOUNT))
    assert [each["kind"] for each in more["proposals"]] == ["payout_returned"]
    assert code(ask(scene, more, row)) == (422, "wrong_direction")
    assert code(undone(scene, second)) == (409, "paid_twice_used_up")
    assert scene.cashier.post(f"/v1/bank-matches/{made['match_id']}/undo", json={"reason": "x"}).status_code == 200
    assert scene.balance("advances") == 69_900
    assert undone(scene, second).status_code == 200
    assert scene.balance("advances") == 0
    agrees(scene)


def test_what_a_settlement_has_set_off_does_not_come_back(scene, row, twice):
    asked = ask(scene, twice[2], row)
    assert asked.status_code == 201
    scene.delivered(1)
    scene.later(40)
    scene.run()
    refused = scene.treasurer.post(f"/v1/bank-write-offs/{asked.json()['id']}/approve", json={})
    assert code(refused) == (409, "paid_twice_used_up")
    agrees(scene)


def test_no_more_comes_back_than_left_twice(scene, row, twice):
    holder = scene.market.suppliers[0].name
    [more] = scene.shows((100_000, holder, "退回重复货款", ACCOUNT))
    refused = ask(scene, more, row, "699.01")
    assert code(refused) == (409, "paid_twice_used_up")  # the supplier holds no more than that
    assert ask(scene, more, row, "699.00").status_code == 201


def test_that_it_left_twice_is_not_taken_back_under_the_one_that_came_back(scene, row, agreement):
    holder = scene.market.suppliers[0].name
    made = advance(scene, agreement).json()
    scene.treasurer.post(f"/v1/advances/{made['id']}/approve")
    scene.cashier.post(f"/v1/advances/{made['id']}/pay", json={"reference": "B-1"})
    scene.shows((-69_900, holder, number_of(scene, row), ACCOUNT))
    [second] = scene.shows((-69_900, holder, number_of(scene, row), ACCOUNT))
    found = written_off(scene, second, row, "300.00")
    [back] = scene.shows((30_000, holder, "退回重复货款", ACCOUNT))
    returned = written_off(scene, back, row, "300.00")
    assert scene.balance("advances") == 30_000  # what was paid ahead besides
    undo_of = f"/v1/bank-matches/{found['match_id']}/undo"
    assert code(scene.cashier.post(undo_of, json={"reason": "x"})) == (409, "paid_twice_returned")
    assert scene.cashier.post(f"/v1/bank-matches/{returned['match_id']}/undo", json={"reason": "x"}).status_code == 200
    assert scene.cashier.post(undo_of, json={"reason": "x"}).status_code == 200
    assert scene.balance("advances") == 30_000
    agrees(scene)
