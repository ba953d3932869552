"""Whoever asks at once: no more goes back than was paid, and two persons are two."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from orders.payments import actions as payments
from orders.refunds import actions as refunds
from tests.conftest import connect
from tests.factories.after_sales import differences, rows, token_of
from tests.factories.money import PAYEE, make_till

#: ``SHOP_REFUND_ORDERS=100`` is the long form (``make thorough``).
ORDERS = int(os.environ.get("SHOP_REFUND_ORDERS", "10"))
AT_ONCE = 5
#: Of 100.00 that were paid, each asks for this much: three of five fit.
EACH = "30.00"
BACK = (
    "SELECT po.id, coalesce(sum(r.amount_fen) FILTER (WHERE r.status <> 'requested'), 0)::int, coalesce(sum(r.amount_fen), 0)::int"
    " FROM purchase_order po LEFT JOIN refund r ON r.purchase_order_id = po.id GROUP BY 1 ORDER BY 1"
)


def clients(till, who, count):
    """Sessions of one person, each on a connection of its own."""
    headers = [{"Authorization": f"Bearer {token_of(till.database, till.people[who])}"} for _ in range(count)]
    return [connect(str(till.api.base_url), till.database, each) for each in headers]


def at_once(sent):
    """The answers to requests that leave together: (client, path, body)."""
    with ThreadPoolExecutor(len(sent)) as pool:
        return list(pool.map(lambda each: each[0].post(each[1], json=each[2]), sent))


def release(client, refund):
    return client, f"/v1/refunds/{refund}/approve", None


def race(till, orders):
    """Five refunds for every order at once, then all that were asked for released at once; every status that came."""
    cashiers, treasurers = clients(till, "cashier", AT_ONCE), clients(till, "treasurer", AT_ONCE)
    body = {"amount": EACH, "reason": "订单取消", "payee": PAYEE}
    statuses = []
    for order in orders:
        asked = at_once([(client, f"/v1/purchase-orders/{order}/refunds", body) for client in cashiers])
        made = [answer.json()["id"] for answer in asked if answer.status_code == 201]
        released = at_once([release(*each) for each in zip(treasurers, made, strict=False)])
        statuses += [answer.status_code for answer in asked + released]
    return statuses


def test_refunds_never_pass_what_was_paid(api, database):
    till = make_till(api, database)
    orders = [till.credit("100.00") for _ in range(ORDERS)]
    statuses = race(till, orders)
    assert (statuses.count(201), statuses.count(409)) == (6 * ORDERS, 2 * ORDERS)
    assert rows(database, BACK) == [(order, 9_000, 9_000) for order in orders]
    assert differences(database) == {}


def test_nor_do_releases_of_what_was_asked_for_before(api, database):
    """Requests that were in time, of a credit that is smaller by now: their releases meet each other alone."""
    till = make_till(api, database)
    order = till.credit("100.00")
    made = [till.ask_back(order, "20.00").json()["id"] for _ in range(AT_ONCE)]
    other = till.order(1)["id"]
    move = {"to_order_id": other, "amount": "50.00", "reason": "转入"}
    assert till.as_("finance").post(f"/v1/purchase-orders/{order}/credit-moves", json=move).status_code == 201
    released = at_once([release(*each) for each in zip(clients(till, "treasurer", AT_ONCE), made, strict=True)])
    assert sorted(answer.status_code for answer in released) == [201, 201, 409, 409, 409]
    assert rows(database, BACK)[0][1] == 4_000
    assert differences(database) == {}


@pytest.fixture
def unlocked(api, database, monkeypatch):
    """A till whose requests do not wait for one another, and take their time between the look at the credit and the refund."""
    monkeypatch.setattr(payments, "_LOCK_ORDERS", text("SELECT id FROM purchase_order WHERE id = ANY (CAST(:ids AS bigint[]))"))
    due_fen = refunds.due_fen

    def slowly(session, order_id):
        due = due_fen(session, order_id)
        time.sleep(0.5)
        return due

    monkeypatch.setattr(refunds, "due_fen", slowly)
    return make_till(api, database)


def test_without_the_lock_the_database_still_refuses(unlocked, database):
    """More is asked for than there is; when it is released the commit says no."""
    orders = [unlocked.credit("100.00") for _ in range(2)]
    statuses = race(unlocked, orders)
    assert statuses.count(201) > 6 * len(orders)  # the lock is off: the requests did not see one another
    assert [(gone, asked > 10_000) for _, gone, asked in rows(database, BACK)] == [(9_000, True)] * len(orders)
    assert differences(database) == {}


def test_without_lock_and_constraint_the_same_race_pays_out_too_much(unlocked, database):
    """The control: when this fails, the tests above prove nothing."""
    with database.unit_of_work() as session:
        session.execute(text("DROP TRIGGER hold_credit_on_release ON refund"))
    orders = [unlocked.credit("100.00") for _ in range(2)]
    race(unlocked, orders)
    assert max(gone for _, gone, _ in rows(database, BACK)) > 10_000


def test_one_person_is_not_two(api, database):
    """Who asked for a refund approves it twice, in two sessions, at once; then another person does."""
    till = make_till(api, database)
    order = till.credit("100.00")
    for _ in range(5):
        refund = till.ask_back(order, "1.00", who="treasurer").json()["id"]
        own = at_once([release(client, refund) for client in clients(till, "treasurer", 2)])
        assert [(each.status_code, each.json()["code"]) for each in own] == [(403, "own_refund")] * 2
        other = at_once([release(client, refund) for client in clients(till, "cashier", 2)])
        assert sorted(each.status_code for each in other) == [201, 409]
    assert rows(database, "SELECT count(*) FROM money_transaction WHERE kind = 'refund'") == [(5,)]
    assert rows(database, "SELECT count(*) FROM refund WHERE approved_by = requested_by") == [(0,)]


def test_paid_and_failed_at_once_is_one_of_them_first(api, database):
    till = make_till(api, database)
    order = till.credit("100.00")
    first, second, third, fourth = clients(till, "treasurer", 4)
    for _ in range(5):
        refund = till.ask_back(order, "1.00").json()["id"]
        till.move(refund, "approve")
        paid, failed = (f"/v1/refunds/{refund}/{move}" for move in ("confirm", "fail"))
        bank, back = {"reference": "HK"}, {"reason": "退汇"}
        answers = at_once([(first, paid, bank), (second, failed, back), (third, paid, bank), (fourth, failed, back)])
        statuses = [answer.status_code for answer in answers]
        assert statuses[1::2].count(201) == 1
        assert statuses[0::2].count(201) <= 1
    assert differences(database) == {}
    assert till.held() == {"receivable": -10_000, "announced": 10_000}
