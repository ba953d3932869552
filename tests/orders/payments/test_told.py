"""What suppliers are told of payments: with amounts, and together what comes about the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.money.references import payment_reference
from orders.payments import handlers
from shop.core import outbox
from tests.factories.after_sales import rows
from tests.factories.money import make_till
from tests.factories.statements import statement
from workers.handlers import HANDLERS

TOLD = "SELECT kind, data ->> 'amount', (data ->> 'count')::int FROM notification WHERE kind LIKE 'payment.%' ORDER BY id"
TIMES = 8


@pytest.fixture
def till(api, database):
    return make_till(api, database)


def test_many_receipts_for_one_order_make_one_mail(till, database):
    order = till.order(10)["id"]
    lines = [(100 + number, "沙坪坝中学", payment_reference(order), f"S{number}") for number in range(20)]
    assert till.as_("cashier").post("/v1/bank-statements", files={"file": ("流水.csv", statement(*lines))}).status_code == 201
    outbox.drain(database, HANDLERS)
    assert rows(database, TOLD) == [("payment.recorded", "21.90", 20)]
    [shown] = [each for each in till.as_("seller").get("/v1/notifications").json()["items"] if each["kind"] == "payment.recorded"]
    assert "21.90" in shown["text"]
    # the inbox has it at once; the mail waits until nothing more is added to it
    waiting = "SELECT name, next_attempt_at > now() FROM outbox_event WHERE done_at IS NULL"
    assert rows(database, waiting) == [("notification.made", True)]


def test_what_comes_later_is_told_anew(till, database):
    order = till.order(10)["id"]
    till.pay(order, "10.00")
    with database.unit_of_work() as session:
        session.execute(text("UPDATE payment SET recorded_at = recorded_at - interval '5 minutes'"))
    outbox.drain(database, HANDLERS)
    till.pay(order, "20.00")
    outbox.drain(database, HANDLERS)
    assert rows(database, TOLD) == [("payment.announced", "10.00", 1), ("payment.announced", "20.00", 1)]


def test_each_of_these_names_its_amount(till, database, monkeypatch):
    monkeypatch.setattr(handlers, "TOGETHER", timedelta(days=36_500))
    order = till.order(10)["id"]
    till.pay(order, "10.00")
    till.pay(order, "30.00")
    till.arrived(order, "30.00")
    [payment, _] = till.as_("finance").get(f"/v1/purchase-orders/{order}/payments").json()
    till.as_("finance").post(f"/v1/purchase-orders/{order}/payments/{payment['id']}/undo", json={"reason": "未汇出"})
    outbox.drain(database, HANDLERS)
    assert rows(database, TOLD) == [
        ("payment.announced", "40.00", 2),
        ("payment.arrived", "30.00", 1),
        ("payment.undone", "10.00", None),
        ("payment.undone", "10.00", None),
    ]


def test_what_was_undone_meanwhile_is_told_no_more_in_the_same_notice(till, database, monkeypatch):
    monkeypatch.setattr(handlers, "TOGETHER", timedelta(days=36_500))
    order = till.order(10)["id"]
    till.pay(order, "10.00")
    till.pay(order, "30.00")
    outbox.drain(database, HANDLERS)
    [payment, _] = till.as_("finance").get(f"/v1/purchase-orders/{order}/payments").json()
    till.as_("finance").post(f"/v1/purchase-orders/{order}/payments/{payment['id']}/undo", json={"reason": "未汇出"})
    till.pay(order, "5.00")
    outbox.drain(database, HANDLERS)
    assert [each for each in rows(database, TOLD) if each[0] == "payment.announced"] == [("payment.announced", "35.00", 2)]


def tell_at_once(till, database):
    """Payments that are announced and told on connections of their own; how many the notice says in the end."""
    order = till.order(10)["id"]

    def pay(_):
        payment = till.pay(order, "1.00").json()["id"]
        with database.unit_of_work() as session:
            handlers.HANDLERS["payment.recorded"](session, {"payment_id": payment})

    with ThreadPoolExecutor(TIMES) as pool:
        list(pool.map(pay, range(TIMES)))
    [(_, _, count)] = rows(database, TOLD)
    return count


def test_who_tells_last_has_counted_all(till, database, monkeypatch):
    monkeypatch.setattr(handlers, "TOGETHER", timedelta(days=36_500))
    assert tell_at_once(till, database) == TIMES


@pytest.mark.control
def test_without_the_lock_an_older_count_may_stand(till, database, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    monkeypatch.setattr(handlers, "TOGETHER", timedelta(days=36_500))
    monkeypatch.setattr(handlers.locks, "hold", lambda session, name: None)
    slow = f"SELECT f.* FROM ({handlers._RECORDED_TOGETHER.text}) f CROSS JOIN LATERAL (SELECT pg_sleep(random() * 0.5)) s"
    monkeypatch.setattr(handlers, "_RECORDED_TOGETHER", text(slow))
    assert tell_at_once(till, database) < TIMES
