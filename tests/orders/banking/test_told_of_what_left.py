"""Who hears, and what documents say, when the bank shows that something left which was said to have failed."""

import pytest

from shop.core import outbox
from tests.orders.banking.test_left_after_all import ACCOUNT, confirmed_and_failed, match_refund, overpaid, refund_fails, refund_of
from tests.orders.banking.test_payouts import match, number_of, payout_of
from workers.handlers import HANDLERS


def told(scene, client, start):
    """What is in somebody's inbox of those kinds, the oldest first."""
    outbox.drain(scene.database, HANDLERS)
    found = client.get("/v1/notifications").json()["items"][::-1]
    return [each["kind"] for each in found if each["kind"].startswith(start) and not each["kind"].endswith(".waiting")]


@pytest.mark.slow
@pytest.mark.parametrize("paid_first", [False, True])
def test_a_refund_that_left_after_all_is_told_as_paid_and_carries_no_reason(scene, paid_first):
    order = overpaid(scene)
    if paid_first:
        refund = confirmed_and_failed(scene, order)
    else:
        refund = refund_of(scene, order)
        refund_fails(scene, refund["id"])
    path = f"/v1/refunds/{refund['id']}"
    outbox.drain(scene.database, HANDLERS)
    assert scene.cashier.get(path).json()["end_reason"] == "户名不符"
    [line] = scene.shows((-3_010, "沙坪坝中学", refund["number"], ACCOUNT))
    assert match_refund(scene, line, refund["id"]).status_code == 201
    ends = [*(["refund.paid"] if paid_first else []), "refund.failed", "refund.paid"]
    assert told(scene, scene.buyer, "refund.") == ["refund.requested", "refund.approved", *ends]
    for client in (scene.cashier, scene.treasurer):
        assert told(scene, client, "refund.left") == ["refund.left_after_all"]
    shown = scene.cashier.get(path).json()
    assert (shown["status"], shown["end_reason"]) == ("paid", None)
    kept = scene.rows("SELECT reason FROM audit_event WHERE action IN ('refund.fail', 'refund.reinstate') ORDER BY id")
    assert kept == [("户名不符",), (f"银行流水 {line['id']} 显示已付出",)]
    # it comes back: that is told again, too
    scene.shows((3_010, "x", f"退汇 {refund['number']}"))
    assert told(scene, scene.buyer, "refund.")[-2:] == ["refund.paid", "refund.failed"]
    assert scene.cashier.get(path).json()["end_reason"] == f"退汇 {refund['number']}"


@pytest.mark.parametrize("paid_first", [False, True])
def test_a_payout_that_left_after_all_is_told_as_paid_and_carries_no_reason(scene, row, paid_first):
    path, number = f"/v1/payouts/{row['payout_id']}", number_of(scene, row)
    if paid_first:
        scene.cashier.post(f"{path}/confirm", json={"reference": "B-1"})
    assert scene.fails(row["payout_id"])["attempts"][0]["reason"] == "户名不符"
    outbox.drain(scene.database, HANDLERS)
    [line] = scene.shows((-69_900, "x", f"{number} 货款", ACCOUNT))
    assert match(scene, line, "payout", row["payout_id"]).status_code == 201
    ends = [*(["payout.paid"] if paid_first else []), "payout.failed", "payout.paid"]
    assert told(scene, scene.farm, "payout.") == ["payout.released", *ends]
    for client in (scene.cashier, scene.treasurer):
        assert told(scene, client, "payout.")[-2:] == ["payout.failed_waiting", "payout.left_after_all"]
    [attempt] = payout_of(scene, row)["attempts"]
    assert (attempt["outcome"], attempt["reason"]) == ("paid", None)
    scene.shows((69_900, "x", f"退汇 {number}"))
    assert told(scene, scene.farm, "payout.")[-2:] == ["payout.paid", "payout.failed"]


def test_of_what_is_only_on_a_list_nobody_is_told_that_it_was_paid(scene):
    _, [first, _] = scene.listed()
    scene.cashier.post(f"/v1/payouts/{first['payout_id']}/fail", json={"reason": "账号有误"})
    outbox.drain(scene.database, HANDLERS)
    shown = scene.treasurer.get("/v1/notifications", headers={"Accept-Language": "en"}).json()["items"][0]
    assert (shown["kind"], "was paid" in shown["text"], "on a list" in shown["text"]) == (
        "failure_report.waiting_listed",
        False,
        True,
    )
