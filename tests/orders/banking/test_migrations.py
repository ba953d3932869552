"""What migrations of the money that goes through the bank make of what stands there, down and up again."""

import pytest
from alembic import command

from shop.core import migrate, outbox
from tests.factories.statements import ACCOUNT
from tests.orders.banking.test_left_after_all import overpaid, refund_of
from tests.orders.settlement.test_paying import advance, agreement
from workers.handlers import HANDLERS

__all__ = ["agreement"]


@pytest.fixture
def down_to(scene):
    """Brings the schema down to a revision; it is dropped with the database."""

    def to(revision):
        scene.database.dispose()
        command.downgrade(migrate.config(scene.database.url), revision)

    return to


def up(scene):
    migrate.upgrade(scene.database.url)
    assert migrate.differences(scene.database.url) is None


@pytest.mark.slow
@pytest.mark.parametrize("comes_back", [False, True])
def test_a_list_of_which_anything_was_ever_paid_was_handed_over(scene, down_to, comes_back):
    made, (first, _) = scene.listed()
    scene.cashier.post(f"/v1/payout-files/{made['id']}/send", json={"reference": "U-1"})
    scene.cashier.post(f"/v1/payouts/{first['payout_id']}/confirm", json={"reference": "B-1"})
    if comes_back:
        assert scene.fails(first["payout_id"])["status"] == "failed"
    down_to("0043")
    assert scene.rows("SELECT status FROM payout_file") == [("made",)]
    up(scene)
    assert scene.rows("SELECT status, reference FROM payout_file") == [("sent", made["number"])]


@pytest.mark.slow
def test_a_list_of_which_nothing_was_paid_waits(scene, down_to):
    _, (first, _) = scene.listed()
    scene.fails(first["payout_id"])
    down_to("0043")
    up(scene)
    assert scene.rows("SELECT status, reference FROM payout_file") == [("made", None)]


@pytest.mark.slow
def test_a_refund_that_left_once_more_is_something_else_before_there_were_any(scene, down_to):
    refund = refund_of(scene, overpaid(scene))
    out = (-3_010, "沙坪坝中学", refund["number"], ACCOUNT)
    [_, again] = scene.shows(out, out)
    asked = {"entry": "paid_twice", "refund_id": refund["id"], "amount": "30.10", "reason": "重复退款"}
    assert scene.cashier.post(f"/v1/bank-lines/{again['id']}/write-offs", json=asked).status_code == 201
    down_to("0044")
    assert scene.rows("SELECT entry FROM bank_write_off") == [("other",)]
    up(scene)
    assert scene.rows("SELECT entry, refund_id FROM bank_write_off") == [("other", None)]


@pytest.mark.slow
@pytest.mark.parametrize(("says", "confirmed_by"), [("treasurer", "cashier"), ("cashier", "treasurer")])
def test_an_advance_that_comes_back_in_parts_keeps_two_persons(scene, agreement, down_to, says, confirmed_by):
    path = f"/v1/advances/{advance(scene, agreement).json()['id']}"
    scene.treasurer.post(f"{path}/approve")
    scene.cashier.post(f"{path}/pay", json={"reference": "B-1"})
    scene.cashier.post(f"{path}/return", json={"reason": "退汇", "amount": "100.00"})
    assert scene.treasurer.post(f"{path}/confirm-return").json()["returned"] == "100.00"
    said = getattr(scene, says).post(f"{path}/return", json={"reason": "退汇", "amount": "50.00"})
    assert said.json()["status"] == "returning"
    down_to("0045")
    kept = "SELECT status, return_fen, return_asked_by, return_confirmed_by FROM advance"
    people = [scene.people[name].id for name in (says, confirmed_by)]
    assert scene.rows(kept) == [("returned", 10_000, *people)]
    up(scene)
    assert scene.rows("SELECT status, returned_fen FROM advance") == [("paid", 10_000)]


@pytest.mark.slow
def test_what_is_told_of_payments_keeps_its_amounts(scene, down_to):
    order = scene.delivered(1, paid=False).order_id
    scene.pay(order, 1_000, "announced")
    scene.pay(order, 500, "announced")
    [payment, _] = scene.rows("SELECT id FROM payment ORDER BY id")
    path = f"/v1/purchase-orders/{order}/payments/{payment[0]}/undo"
    outbox.drain(scene.database, HANDLERS)
    assert scene.api.as_(scene.market.finance).post(path, json={"reason": "未汇出"}).status_code == 201
    outbox.drain(scene.database, HANDLERS)
    told = "SELECT kind, data ->> 'amount' FROM notification WHERE kind LIKE 'payment.%' ORDER BY id"
    assert scene.rows(told) == [("payment.announced", "15.00"), *[("payment.undone", "10.00")] * 2]
    down_to("0042")
    up(scene)
    assert scene.rows(told) == [("payment.announced", "15.00"), *[("payment.undone", "10.00")] * 2]
