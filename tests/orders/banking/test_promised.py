"""What is proposed, said to be possible or said to wait is not refused when somebody does it; and a refusal is told beforehand."""

import pytest

from orders.banking.known import Line
from orders.banking.matching import is_of_document
from orders.banking.rules import BankEntryKind
from tests.orders.banking.test_left_after_all import ACCOUNT, code, match_refund, overpaid, refund_fails, refund_of
from tests.orders.banking.test_payouts import match, number_of, payout_of, undo


def released_again(scene, row):
    """The payout, said to have failed and released once more; returns the numbers of both releases."""
    first = number_of(scene, row)
    scene.fails(row["payout_id"])
    assert scene.release(row["payout_id"]).status_code == 200
    return first, number_of(scene, row)


def offered(scene, line):
    return [(each["kind"], each["entry"], each["payout_id"]) for each in line["proposals"]]


def test_of_a_payout_that_is_paid_a_further_line_shows_that_it_left_twice(scene, row):
    holder = scene.market.suppliers[0].name
    first, second = released_again(scene, row)
    [paid, other] = scene.shows((-69_900, holder, second, ACCOUNT), (-69_900, holder, first, ACCOUNT))
    assert paid["status"] == "matched"
    assert code(match(scene, other, "payout", row["payout_id"])) == (409, "payout_does_not_fit")
    assert offered(scene, other) == [("bank_entry", "paid_twice", row["payout_id"])]


def test_of_a_payout_that_failed_by_a_line_nothing_is_offered_that_is_refused(scene, row):
    holder = scene.market.suppliers[0].name
    first, second = released_again(scene, row)
    scene.shows((-69_900, holder, second, ACCOUNT), (69_900, holder, f"退汇 {second}", ACCOUNT))
    assert payout_of(scene, row)["status"] == "failed"
    [other] = scene.shows((-69_900, holder, first, ACCOUNT))
    assert code(match(scene, other, "payout", row["payout_id"])) == (409, "payout_does_not_fit")
    assert offered(scene, other) == []


def test_released_again_the_line_of_the_first_release_is_still_proposed_and_pays(scene, row):
    first, _ = released_again(scene, row)
    [line] = scene.shows((-69_900, scene.market.suppliers[0].name, first, ACCOUNT))
    assert (line["status"], "said_failed" in line["proposals"][0]["reasons"]) == ("open", True)
    assert match(scene, line, "payout", row["payout_id"]).status_code == 201
    assert payout_of(scene, row)["status"] == "paid"


def blocked(scene, kind):
    [waits] = scene.treasurer.get("/v1/finance/waiting", params={"kind": kind}).json()["items"]
    return waits["blocked_by"]


def test_what_waits_says_that_a_line_shows_the_payout(scene, row):
    path, number = f"/v1/payouts/{row['payout_id']}", number_of(scene, row)
    scene.fails(row["payout_id"])
    assert blocked(scene, "payout") is None
    scene.shows((-69_900, scene.market.suppliers[0].name, f"{number} 货款", ACCOUNT))
    assert blocked(scene, "payout") == code(scene.cashier.post(f"{path}/approve", json={}))[1] == "failed_one_shown_by_bank"
    assert scene.cashier.post(f"{path}/approve", json={"despite": "银行书面说明未付"}).status_code == 200
    assert blocked(scene, "payout") == code(scene.treasurer.post(f"{path}/release"))[1] == "failed_one_shown_by_bank"


def test_what_waits_says_that_a_line_shows_another_refund_of_the_order(scene):
    order = overpaid(scene)
    first = refund_of(scene, order)
    refund_fails(scene, first["id"])
    refund_of(scene, order, release=False)
    assert blocked(scene, "refund") is None
    [line] = scene.shows((-3_010, "沙坪坝中学", first["number"], ACCOUNT))
    assert blocked(scene, "refund") == "failed_one_shown_by_bank"
    assert match_refund(scene, line, first["id"]).status_code == 201
    assert undo(scene, scene.cashier.get(f"/v1/bank-lines/{line['id']}").json())["status"] == "open"


@pytest.mark.parametrize(
    ("written", "entry", "of_document"),
    [
        ("退款 TK2026-000001", "fee", True),
        ("ＴＫ２０２６　０００００１", "other", True),
        ("JS2026-000001-7", "interest", True),
        ("YF2026-000004", "other", True),
        ("手续费 TK2026-000001", "fee", False),
        ("手续费 TK2026-000001", "other", True),
        ("结息 JS2026-000001-7", "interest", False),
        ("JS2026-000001-7", "paid_twice", False),
        ("账户管理费", "fee", False),
        ("", "other", False),
    ],
)
def test_what_names_a_document_is_not_the_banks_own(written, entry, of_document):
    assert is_of_document(Line(1, -100, written), BankEntryKind(entry)) is of_document


@pytest.mark.parametrize("entry", ["fee", "other"])
def test_a_line_that_names_a_refund_is_written_off_with_a_reason_only(scene, entry):
    refund = refund_of(scene, overpaid(scene))
    [line] = scene.shows((-3_009, "", f"退款 {refund['number']}"))
    path = f"/v1/bank-lines/{line['id']}/write-offs"
    asked = {"entry": entry, "amount": "30.09", "reason": "费用"}
    assert code(scene.cashier.post(path, json=asked)) == (409, "document_named")
    made = scene.cashier.post(path, json={**asked, "despite": "银行误用编号"})
    assert (made.status_code, made.json()["despite"]) == (201, "银行误用编号")
    assert scene.treasurer.post(f"/v1/bank-write-offs/{made.json()['id']}/approve", json={}).status_code == 200
