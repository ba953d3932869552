"""What the database itself refuses: that more of an order goes back, or counts for another order, than was paid too much for it."""

import re

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from orders.money.rules import CASH
from orders.payments import actions as payments
from orders.payments.schemas import Taken
from orders.refunds import actions as refunds
from orders.refunds import guards
from shop.core import clock
from shop.core.audit import SYSTEM
from tests.factories.after_sales import rows
from tests.factories.money import make_till


@pytest.fixture
def till(api, database):
    return make_till(api, database)


@pytest.fixture
def blind(monkeypatch):
    """The orders of which the program believes that there is any credit."""
    rich, credit_fen = set(), payments.credit_fen

    def believed(session, order_id, **more):
        return 10**9 if order_id in rich else credit_fen(session, order_id, **more)

    monkeypatch.setattr(payments, "credit_fen", believed)
    monkeypatch.setattr(guards, "credit_fen", believed)
    monkeypatch.setattr(refunds, "require_way", lambda *_, **__: None)
    return rich


def refused(answer):
    assert (answer.status_code, answer.json()["code"]) == (409, "credit_taken"), answer.text


def test_no_refund_is_released_above_the_credit(till, blind):
    order = till.credit("100.00")
    blind.add(order)
    whole, more = (till.ask_back(order, amount).json()["id"] for amount in ("100.00", "0.01"))
    assert till.move(whole, "approve").status_code == 200
    refused(till.move(more, "approve"))
    assert rows(till.database, "SELECT status FROM refund ORDER BY id") == [("approved",), ("requested",)]
    # it came back: the credit is there again
    assert till.move(whole, "fail").status_code == 200
    assert till.move(more, "approve").status_code == 200


def test_what_an_order_still_costs_is_no_credit(till, blind):
    order = till.order(1)["id"]
    assert till.pay(order, "69.90").status_code == 201
    blind.add(order)
    refused(till.move(till.ask_back(order, "0.01").json()["id"], "approve"))


def test_no_credit_is_moved_that_is_not_there(till, blind):
    giver, taker = till.credit("100.00"), till.order(10)["id"]
    blind.add(giver)

    def move(amount):
        body = {"to_order_id": taker, "amount": amount, "reason": "转入"}
        return till.as_("finance").post(f"/v1/purchase-orders/{giver}/credit-moves", json=body)

    refused(move("100.01"))
    assert move("100.00").status_code == 201
    refused(move("0.01"))
    refused(till.move(till.ask_back(giver, "0.01").json()["id"], "approve"))


def test_no_payment_is_taken_back_on_which_a_released_refund_rests(till, blind):
    """The program believes that there is credit enough: the commit says no."""
    order = till.credit("100.00")
    refund = till.ask_back(order, "100.00").json()["id"]
    assert till.move(refund, "approve").status_code == 200
    blind.add(order)
    undone = till.undo_last()
    assert (undone.status_code, undone.json()["code"]) == (409, "refunds_rest_on_it"), undone.text
    assert till.move(refund, "send").status_code == 200
    assert till.undo_last().status_code == 409
    # what has left is a fact, and the order owes it
    assert till.move(refund, "confirm").status_code == 200
    assert till.undo_last().status_code == 200
    assert till.due(order) == "100.00"


def test_an_announcement_that_the_bank_does_not_show_any_more_is_no_money_for_a_refund(till, blind):
    order = till.order(1)["id"]
    till.pay(order, "69.90", bank_reference="SHOWN-1")
    till.arrived(order, "69.90")
    assert till.as_("purchaser").post(f"/v1/purchase-orders/{order}/cancel", json={"reason": "计划有变"}).status_code == 200
    refund = till.ask_back(order, "69.90").json()["id"]
    assert till.move(refund, "approve").status_code == 200
    for believed in (False, True):
        if believed:
            blind.add(order)
        assert (till.undo_last().status_code, till.undo_last().json()["code"]) == (409, "refunds_rest_on_it")
    assert till.move(refund, "fail").status_code == 200
    blind.clear()
    assert till.undo_last().status_code == 200


def test_no_more_of_an_online_payment_goes_back_than_came(till, monkeypatch):
    """The order has more credit than this payment brought."""
    order = till.credit("100.00")
    with till.database.unit_of_work() as session:
        payments.locked(session, [order])
        payment = payments.take(session, SYSTEM, Taken(order, 1_000, "card", "online", "pi_1", "支付宝", clock.today()))
    monkeypatch.setattr(refunds, "require_way", lambda *_, **__: None)
    first, second = (till.ask_back(order, "6.00", payee=None, payment_id=payment).json()["id"] for _ in range(2))
    assert till.move(first, "approve").status_code == 200
    refused(till.move(second, "approve"))


def test_a_refund_that_is_entered_as_released_is_looked_at_too(till):
    """Whatever writes the row."""
    order = till.credit("100.00")
    refund = till.ask_back(order, "100.00").json()["id"]
    assert till.move(refund, "approve").status_code == 200
    columns = "purchase_order_id, buyer_id, method, payee_name, payee_account, amount_fen, reason, requested_at, approved_by, approved_at, status"
    again = text(f"INSERT INTO refund (number, {columns}) SELECT 'TK-X', {columns} FROM refund WHERE id = :id RETURNING id")

    def enter():
        with till.database.unit_of_work() as session:
            made = session.execute(again, {"id": refund}).scalar_one()
            refunds._promise(session, made, till.market.school.id, order, 10_000)

    with pytest.raises(IntegrityError, match="more is taken from order"):
        enter()


def test_the_guard_knows_what_changes_how_much_was_paid(database):
    [(body,)] = rows(database, "SELECT pg_get_functiondef('hold_credit'::regproc)")
    assert set(re.findall(r"'(\w+)'", body.partition("t.kind IN")[2].partition("))")[0])) == set(CASH)
