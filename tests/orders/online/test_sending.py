"""Answers that are lost, late or faulty: nothing is done twice, and what is unknown becomes known."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.online import rules
from orders.online.actions import settling
from orders.online.actions.sending import LEASE, SENDING, claim, perform, send_due
from orders.online.provider import Provider
from shop.core import clock
from tests.factories.online import Online


def soon(online: Online) -> None:
    """Whatever waits for its next try is due now."""
    online.sql(
        "UPDATE provider_call SET next_attempt_at = now() - interval '1 second' WHERE status IN ('due', 'unknown') RETURNING id"
    )
    online.work()


def calls(online):
    return online.rows("SELECT * FROM provider_call ORDER BY id")


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["500_after", "reset_after", "timeout_after"])
def test_what_happened_though_nobody_heard_is_found(online, fault):
    online.twin.faults(script=[fault, fault], hang=3, path="/v1/payment_intents")
    payment = online.begin(online.order()["id"])
    online.work()
    assert online.read(payment["id"])["status"] == "unknown"
    soon(online)
    assert online.read(payment["id"])["status"] == "requires_action"
    assert len(online.twin.objects("payment_intent")) == 1
    assert online.twin.faults()["total"] >= 1


@pytest.mark.parametrize(("fault", "attempts"), [("500_before", 2), ("503", 2), ("reset_before", 1), ("409", 1), ("429", 1)])
def test_what_did_not_happen_is_asked_for_again(online, fault, attempts):
    """After a fault that the provider keeps under the key, only a new key helps; without an answer the same one is right."""
    # the library itself sends again what met no answer that is kept
    online.twin.faults(script=[fault] if fault == "500_before" else [fault, fault], path="/v1/payment_intents")
    payment = online.begin(online.order()["id"])
    online.work()
    soon(online)
    soon(online)
    assert online.read(payment["id"])["status"] == "requires_action"
    assert len(online.twin.objects("payment_intent")) == 1
    [call] = [each for each in calls(online) if each.operation == "pay"]
    assert (call.status, call.attempt) == ("done", attempts)
    assert call.key == rules.key_of("pay", online.sql("SELECT reference FROM online_payment"), attempts)


def test_a_refusal_ends_the_payment_and_another_may_be_begun(online):
    online.twin.faults(script=["400"], path="/v1/payment_intents")
    order = online.order()
    payment = online.begin(order["id"])
    online.work()
    shown = online.read(payment["id"])
    assert (shown["status"], bool(shown["error_text"])) == ("failed", True)
    online.begin(order["id"])


def test_a_refusal_over_which_our_program_stumbles_is_tried_again_and_then_waits_for_a_person(online, monkeypatch):
    """And the round goes on with the others."""

    def stumbling(*_):
        raise ValueError("a fault of ours")

    monkeypatch.setattr(settling, "refuse", stumbling)
    online.twin.faults(script=["400", "", "400"], path="/v1/payment_intents", methods=["POST"])
    refused, other = (online.begin(online.order(1)["id"])["id"] for _ in range(2))
    assert send_due(online.database, online.provider, senders=1) >= 2
    assert online.read(other)["status"] == "requires_action"
    [call] = [each for each in calls(online) if each.operation == "pay" and each.subject_id == refused]
    assert (call.status, call.tries, "a fault of ours" in call.last_error) == ("unknown", 1, True)
    online.sql("UPDATE provider_call SET tries = :tries WHERE id = :id RETURNING id", tries=rules.MAX_TRIES - 1, id=call.id)
    soon(online)
    assert online.sql("SELECT status FROM provider_call WHERE id = :id", id=call.id) == "parked"


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["500_before", "500_after", "reset_after", "timeout_after", "409"])
def test_a_refund_is_made_once_whatever_is_heard_of_it(online, fault):
    order, payment = online.paid(10)
    online.api.as_(online.market.sellers[0]).post(
        f"/v1/supplier-orders/{order['supplier_orders'][0]['id']}/reject", json={"reason": "歉收"}
    )
    online.twin.faults(script=[fault, fault], hang=3, path="/v1/refunds")
    online.refund(order["id"], payment["payment_id"], "300.00")
    for _ in range(3):
        online.work()
        soon(online)
    assert [each["amount"] for each in online.twin.objects("refund")] == [30_000]
    assert online.sql("SELECT status FROM refund") == "paid"
    online.reconcile()
    assert online.at_provider() == online.account("online")


def test_the_provider_is_asked_after_the_commit_and_outside_of_every_transaction(online, monkeypatch):
    """While it is being asked, nothing of the order is locked and the key stands in the database."""
    order = online.order()
    payment = online.begin(order["id"])
    held = []

    def pay(self, key, **wanted):
        with online.database.unit_of_work() as session:
            from sqlalchemy import text

            session.execute(text("SET LOCAL lock_timeout = '300ms'"))
            held.append(
                session.execute(text("SELECT id FROM purchase_order WHERE id = :id FOR UPDATE"), {"id": order["id"]}).scalar()
            )
            session.execute(text("SELECT id FROM online_payment FOR UPDATE"))
            assert session.execute(text("SELECT sent_at FROM provider_call WHERE key = :key"), {"key": key}).scalar() is not None
            active = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
            assert session.execute(text(active)).scalar_one() == 0
        return asked(self, key, **wanted)

    asked = Provider.pay
    monkeypatch.setattr(Provider, "pay", pay)
    # alone, for another sender that just claims is in a transaction of its own
    send_due(online.database, online.provider, senders=1)
    assert held == [order["id"]]
    assert online.read(payment["id"])["status"] == "requires_action"


@pytest.mark.parametrize("fault", ["400", "429", "503"])
def test_a_look_that_fails_ends_nothing(online, fault):
    """The provider made the refund and its answer was lost; that it then will not be asked about it does not mean that it is not there."""
    order, payment = online.paid(10)
    online.api.as_(online.market.sellers[0]).post(
        f"/v1/supplier-orders/{order['supplier_orders'][0]['id']}/reject", json={"reason": "歉收"}
    )
    # the first look finds nothing, the refund is made, and of the next looks none is answered
    script = ["", "500_after", fault, fault]
    online.twin.faults(script=script, path="/v1/refunds", methods=["GET", "POST"])
    online.refund(order["id"], payment["payment_id"], "300.00")
    online.work()
    soon(online)
    assert online.twin.faults()["happened"][fault] >= 1
    assert online.sql("SELECT status FROM refund") == "approved"
    [call] = [each for each in calls(online) if each.operation == "refund"]
    assert (call.status, call.attempt) == ("unknown", 1)
    soon(online)
    soon(online)
    assert online.sql("SELECT status FROM refund") == "paid"
    assert [each["amount"] for each in online.twin.objects("refund")] == [30_000]


def test_nothing_is_sent_when_the_lease_is_nearly_over(online):
    """By then another sender may already have looked, and not have seen it."""
    payment = online.begin(online.order()["id"])
    slow = claim(online.database)
    with clock.fixed(clock.now() + LEASE - SENDING + timedelta(seconds=1)):
        perform(online.database, online.provider, slow)
    assert online.twin.objects("payment_intent") == []
    soon(online)
    assert online.read(payment["id"])["status"] == "requires_action"
    assert len(online.twin.objects("payment_intent")) == 1


def test_a_sender_that_was_killed_leaves_its_call_to_the_next(online):
    payment = online.begin(online.order()["id"])
    killed = claim(online.database)
    # it had asked, and died before it could write
    order = online.rows("SELECT number, placed_at FROM purchase_order")[0]
    from orders.online.actions.settling import metadata_of

    row = online.rows("SELECT * FROM online_payment")[0]
    online.provider.pay(
        killed.key,
        amount_fen=row.amount_fen,
        method="card",
        return_url=None,
        metadata=metadata_of(row, order.placed_at),
        description=order.number,
    )
    assert send_due(online.database, online.provider) == 0  # its lease holds
    with clock.fixed(clock.now() + timedelta(minutes=2)):
        assert send_due(online.database, online.provider) == 1
    assert online.read(payment["id"])["status"] == "requires_action"
    assert len(online.twin.objects("payment_intent")) == 1


@pytest.mark.parametrize("hours", [25, -25])
def test_a_key_that_the_provider_forgot_charges_nobody_twice(online, hours):
    """A day later, or by a clock that is a day off, the same key would begin anew there."""
    order, payment = online.paid(10)
    online.api.as_(online.market.sellers[0]).post(
        f"/v1/supplier-orders/{order['supplier_orders'][0]['id']}/reject", json={"reason": "歉收"}
    )
    refund = online.refund(order["id"], payment["payment_id"], "300.00")
    online.work()
    # as if the answers had never been written down
    online.sql("UPDATE provider_call SET status = 'sending' WHERE operation IN ('pay', 'refund') RETURNING id")
    online.sql("UPDATE refund SET status = 'approved', reference = NULL WHERE id = :id RETURNING id", id=refund)
    online.sql("UPDATE online_payment SET status = 'unknown', intent_id = NULL, charge_id = NULL, payment_id = NULL RETURNING id")
    online.sql("UPDATE provider_call SET next_attempt_at = now() - interval '26 hours' RETURNING id")
    online.twin.advance(25 * 3600)
    with clock.fixed(clock.now() + timedelta(hours=hours)):
        send_due(online.database, online.provider, senders=1)
    assert len(online.twin.objects("payment_intent")) == 1
    assert len(online.twin.objects("refund")) == 1


def test_one_open_payment_for_an_order_whoever_is_faster(online):
    order = online.order()
    path = f"/v1/purchase-orders/{order['id']}/online-payments"
    clients = [online.buyer for _ in range(8)]

    def begin(client):
        return client.post(path, json={"method": "card"}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(begin, clients))
    assert (statuses.count(201), statuses.count(409)) == (1, 7)


def test_many_senders_ask_for_each_once(online):
    orders = [online.order(1)["id"] for _ in range(10)]
    for each in orders:
        online.begin(each)
    with ThreadPoolExecutor(3) as pool:
        made = sum(pool.map(lambda _: send_due(online.database, online.provider), range(3)))
    assert made == 10
    assert len(online.twin.objects("payment_intent")) == 10
    assert {call.tries for call in calls(online)} == {1}


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_what_somebody_waits_for_is_asked_for_often_at_first_and_never_later_than_else(tries, chance):
    awaited, other = (rules.wait_before_retry(tries, chance, awaited=each) for each in (True, False))
    assert timedelta(seconds=0.75) <= awaited <= other <= timedelta(seconds=375)
    assert awaited <= rules.wait_before_retry(tries + 1, chance, awaited=True)


def test_ten_looks_fall_into_two_minutes():
    waits = [rules.wait_before_retry(tries, 0.5, awaited=True).total_seconds() for tries in range(1, 17)]
    assert waits == [1, 2, 4, 8, *[16] * 8, 32, 64, 128, 256]
    assert sum(waits[:10]) < 120
