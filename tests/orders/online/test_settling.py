"""Whatever comes first, late or twenty times: one payment, one posting."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from orders.online import seen
from orders.online.actions.applying import apply
from orders.online.actions.settling import settle_outcome
from orders.online.states import OPEN, OnlineStatus, may_become
from shop.core import clock


def booked(online):
    return (
        online.sql("SELECT count(*) FROM payment WHERE source = 'online'"),
        online.sql("SELECT count(*) FROM money_transaction WHERE kind = 'payment'"),
    )


@pytest.mark.parametrize("seed", range(4))
def test_answers_and_events_in_any_order_each_twenty_times_book_once(online, seed):
    payment = online.begin(online.order()["id"])
    online.work()
    before = online.provider.look(online.intent(payment["id"]))
    online.confirm(before.id)
    after = online.provider.look(before.id)
    chance = random.Random(seed)
    # each is an answer to a call, or the look that a webhook leads to
    steps = [(how, each) for each in (before, after) for how in ("answer", "event") for _ in range(20)]
    chance.shuffle(steps)

    def take(step):
        how, observed = step
        with online.database.unit_of_work() as session:
            if how == "answer":
                settle_outcome(session, payment["id"], observed)
            else:
                assert apply(session, observed)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, steps))
    assert booked(online) == (1, 1)
    assert online.read(payment["id"])["status"] == "succeeded"
    assert online.account("receivable") == -69_900


@pytest.mark.control
def test_without_the_lock_the_same_money_is_booked_twice(online, monkeypatch):
    """The control: what the lock and the state are good for."""
    from sqlalchemy import text

    from orders.online.actions import settling

    payment = online.begin(online.order()["id"])
    online.work()
    intent = online.intent(payment["id"])
    online.confirm(intent)
    observed = online.provider.look(intent)
    monkeypatch.setattr(settling, "_LOCK", text("SELECT * FROM online_payment WHERE id = :id"))
    with online.database.session() as first, online.database.session() as second:
        rows = [session.execute(settling._LOCK, {"id": payment["id"]}).one() for session in (first, second)]
        settling._write(first, rows[0], observed, OnlineStatus.SUCCEEDED, changed=True)
        first.commit()
        settling._write(second, rows[1], observed, OnlineStatus.SUCCEEDED, changed=True)
        second.commit()
    assert booked(online) == (2, 2)


def test_what_came_is_booked_as_it_came(online):
    """Less leaves a due, more a credit that is seen and can be refunded."""
    finance = online.api.as_(online.market.finance)
    for received, due in ((50_000, "199.00"), (80_000, "-101.00")):
        order = online.order()
        payment = online.begin(order["id"])
        online.work()
        observed = online.provider.look(online.intent(payment["id"]))
        with online.database.unit_of_work() as session:
            came = replace(observed, status="succeeded", received_fen=received, charge_id=f"ch_{received}")
            settle_outcome(session, payment["id"], came)
        [row] = finance.get(f"/v1/purchase-orders/{order['id']}/payments").json()
        assert row["order_due"] == due
        assert online.read(payment["id"])["received"] == row["amount"]


def test_money_that_comes_after_the_end_counts(online):
    order = online.order()
    payment = online.begin(order["id"])
    online.work()
    observed = online.provider.look(online.intent(payment["id"]))
    for status in ("canceled", "processing", "requires_action", "succeeded", "canceled"):
        with online.database.unit_of_work() as session:
            apply(session, replace(observed, status=status, received_fen=69_900 if status == "succeeded" else 0))
    assert online.read(payment["id"])["status"] == "succeeded"
    assert booked(online) == (1, 1)


def test_an_attempt_that_was_lost_sight_of_is_stopped_or_is_a_credit(online):
    """Two payments at the provider for one of ours: the second is cancelled; if money came by both, it is all there."""
    online.begin(online.order()["id"])
    online.work()
    [first] = online.twin.objects("payment_intent")
    params = {"amount": 69_900, "currency": "cny", "allowed_payment_method_types": ["card"], "metadata": first["metadata"]}
    second, third = (online.twin.client().v1.payment_intents.create(params).id for _ in range(2))
    for intent in (second, third):
        with online.database.unit_of_work() as session:
            assert apply(session, online.provider.look(intent))
    online.confirm(first["id"])
    online.confirm(third)
    online.work()
    online.reconcile()
    assert online.provider.look(second).status == "canceled"
    assert booked(online) == (2, 2)
    assert online.account("receivable") == -139_800
    assert online.at_provider() == online.account("online")


def test_a_forgotten_payment_that_two_find_at_once_is_known_to_both(online):
    """Else the one that comes second takes its line of the statement for money of nobody."""
    order = online.order()
    [placed_at] = online.rows("SELECT placed_at FROM purchase_order WHERE id = :id", id=order["id"])[0]
    named = {"reference": "forgotten", "purchase_order": str(order["id"]), "placed": placed_at.isoformat(), "method": "card"}
    params = {"amount": 69_900, "currency": "cny", "allowed_payment_method_types": ["card"], "metadata": named}
    intent = online.twin.client().v1.payment_intents.create(params).id
    online.confirm(intent)
    observed = online.provider.look(intent)

    def find():
        with online.database.unit_of_work() as session:
            return apply(session, observed)

    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool, online.database.unit_of_work() as session:
        assert apply(session, observed)
        second = pool.submit(find)
        while not online.sql(waiting):
            assert not second.done()
        session.commit()
        assert second.result()
    assert booked(online) == (1, 1)


@pytest.mark.parametrize("number", ["", "²", "-1", "1.0", "9" * 30])
def test_a_payment_that_names_no_number_of_ours_is_none_of_ours(online, number):
    order = online.order()
    [placed_at] = online.rows("SELECT placed_at FROM purchase_order WHERE id = :id", id=order["id"])[0]
    named = {"reference": "written-by-hand", "purchase_order": number, "placed": placed_at.isoformat(), "method": "card"}
    observed = seen.Intent("pi_1", "succeeded", 69_900, 69_900, seen.CURRENCY, named, placed_at)
    with online.database.unit_of_work() as session:
        assert not apply(session, observed)


def test_states_only_move_towards_an_end():
    ended = (OnlineStatus.SUCCEEDED, OnlineStatus.FAILED, OnlineStatus.CANCELLED)
    for before in OnlineStatus:
        for after in OnlineStatus:
            if before == OnlineStatus.SUCCEEDED:
                assert not may_become(before, after)
            elif after == OnlineStatus.SUCCEEDED:
                assert may_become(before, after)
            elif before in ended:
                assert not may_become(before, after)
            else:
                assert may_become(before, after) == (before != after), (before, after)
    assert not set(OPEN) & set(ended)


def test_what_nobody_pays_in_a_day_is_stopped(online):
    order = online.order()
    payment = online.begin(order["id"])
    online.work()
    with clock.fixed(clock.now() + timedelta(hours=25)):
        online.reconcile()
        online.work()
    assert online.read(payment["id"])["status"] == "cancelled"
    online.begin(order["id"])


def test_a_payment_that_was_stopped_too_early_is_stopped_when_its_card_was_declined(online, monkeypatch):
    """While it is being processed the provider refuses to stop it; what it does with the card it says later."""
    order = online.order()
    payment = online.begin(order["id"])
    online.work()
    waiting = online.provider.look(online.intent(payment["id"]))
    asked = []

    def refuse(key, intent_id):
        asked.append(key)
        return replace(waiting, status="processing")

    with monkeypatch.context() as busy:
        busy.setattr(online.provider, "cancel", refuse)
        online.buyer.post(f"/v1/online-payments/{payment['id']}/cancel")
        online.work()
        assert (online.read(payment["id"])["status"], asked) == ("processing", [f"cancel:{waiting.id}:1"])
        # nobody asks while it is being processed
        with online.database.unit_of_work() as session:
            apply(session, replace(waiting, status="processing"))
        online.work()
        assert len(asked) == 1
    for _ in range(3):  # declined, as several see it
        with online.database.unit_of_work() as session:
            apply(session, replace(waiting, status="requires_payment_method", error_code="card_declined", error_text="declined"))
    assert online.read(payment["id"])["status"] == "requires_action"
    keys = "SELECT key FROM provider_call WHERE operation = 'cancel' ORDER BY id"
    assert [row.key for row in online.rows(keys)] == [f"cancel:{waiting.id}:1", f"cancel:{waiting.id}:2"]
    online.work()
    assert online.read(payment["id"])["status"] == "cancelled"
    assert online.provider.look(waiting.id).status == "canceled"
    online.begin(order["id"])
