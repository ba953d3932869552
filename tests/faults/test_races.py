"""Money while everybody comes at once: the same request many times, payment and cancellation in one moment, one period settled by twenty,
more asked back than was paid, one person where two are needed.

Short forms run with the other tests; ``make faults`` runs the long ones. Each prints its seed, how many races really were run, and what the
reconciliation says. Where a lock or a constraint decides, a control without it shows that the race would be lost.
"""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from orders.online.actions.applying import apply
from orders.payments import actions as payments
from orders.refunds import guards
from orders.settlement.actions import losing, running
from shop.core import outbox
from shop.identity.actor import CITY
from shop.identity.models import UserRole
from shop.identity.permissions import Role
from tests.factories.after_sales import days_later, differences, rows
from tests.factories.identity import make_organisation, make_user
from tests.factories.money import PAYEE, make_till
from tests.factories.racing import at_once, post_at_once, sessions
from tests.factories.settling import make_settling
from tests.faults.test_money import SEED, begin, many, pay_all, settle_calls
from tests.orders.banking.conftest import Desk
from tests.orders.settlement.test_paying import advance, agreement
from workers.handlers import HANDLERS
from workers.tasks import remind_of_dues

__all__ = ["agreement"]


def agree(database, **told):
    """All our checks say the same."""
    found = differences(database)
    print(f"\nseed {SEED}; {told}; reconcile: {len(found)} differences")
    assert found == {}


def count_of(database, table):
    return rows(database, f"SELECT count(*) FROM {table}")[0][0]


# T4: double submit

COPIES = 8


def _an_order(till):
    return (
        till.people["purchaser"],
        "purchase_order",
        lambda n: "/v1/purchase-orders",
        lambda n, more: till.market.order(1 + more, 2),
    )


def _a_payment(till):
    orders = [till.order(10)["id"] for _ in range(10)]

    def body(n, more):
        paid_on = rows(till.database, "SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date")[0][0]
        return {"amount": f"0.0{1 + more}", "bank_reference": f"K{n}", "payer_name": "沙坪坝中学", "paid_on": str(paid_on)}

    return till.people["finance"], "payment", lambda n: f"/v1/purchase-orders/{orders[n % 10]}/payments", body


def _a_refund(till):
    orders = [till.credit("50.00") for _ in range(10)]

    def body(n, more):
        return {"amount": f"0.0{1 + more}", "reason": "订单取消", "payee": PAYEE}

    return till.people["cashier"], "refund", lambda n: f"/v1/purchase-orders/{orders[n % 10]}/refunds", body


@pytest.mark.slow
@pytest.mark.parametrize("what", [_an_order, _a_payment, _a_refund])
def test_t4_what_is_sent_many_times_at_once_is_done_once(api, database, what):
    till = make_till(api, database)
    who, table, path, body = what(till)
    before, keys = count_of(database, table), many(12, 200)
    clients = sessions(api, database, who, COPIES)
    met = Counter()

    def send(client, n):
        for _ in range(100):
            answer = client.post(path(n), json=body(n, 0), headers={"Idempotency-Key": f"key-{n}"})
            if answer.status_code != 409:
                met["replayed"] += answer.headers.get("Idempotent-Replayed") == "true"
                return answer.status_code, answer.text
            assert (answer.json()["code"], answer.headers["Retry-After"]) == ("idempotency_key_in_use", "1")
            met["while it ran"] += 1
            time.sleep(0.01)
        raise AssertionError("never answered")

    for n in range(keys):
        answers = set(at_once([lambda client=client, n=n: send(client, n) for client in clients]))
        assert len(answers) == 1
        assert next(iter(answers))[0] == 201
    assert count_of(database, table) - before == keys
    assert met["replayed"] == keys * (COPIES - 1)
    assert met["while it ran"] > 0
    # with another content it is refused, whichever copy asks
    for client in clients:
        changed = client.post(path(0), json=body(0, 1), headers={"Idempotency-Key": "key-0"})
        assert (changed.status_code, changed.json()["code"]) == (422, "idempotency_key_reused")
    # nobody else sees what a key was used for
    with database.unit_of_work() as session:
        others = {
            "purchase_order": lambda: make_user(session, Role.PURCHASER, make_organisation(session, kind="school")),
            "payment": lambda: make_user(session, Role.FINANCE, till.market.school),
            "refund": lambda: make_user(session, Role.PLATFORM_FINANCE),
        }
        other = others[table]()
    theirs = api.as_(other).post(path(0), json=body(0, 0), headers={"Idempotency-Key": "key-0"})
    assert "Idempotent-Replayed" not in theirs.headers
    assert theirs.status_code == (409 if table == "payment" else 201), theirs.text  # a transfer is announced once, whoever does it
    agree(database, keys=keys, copies=COPIES, **met)


def test_t4_a_key_is_private_to_its_user_and_free_after_a_refusal(api, database):
    till = make_till(api, database)
    with database.unit_of_work() as session:
        other = make_user(session, Role.PURCHASER, make_organisation(session, kind="school"))
    first, second = till.as_("purchaser"), api.as_(other)
    headers = {"Idempotency-Key": "monday"}
    assert first.post("/v1/purchase-orders", json=till.market.order(6_000), headers=headers).status_code == 422
    one, again = (first.post("/v1/purchase-orders", json=till.market.order(2), headers=headers) for _ in range(2))
    assert (one.status_code, one.content) == (again.status_code, again.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert second.post("/v1/purchase-orders", json=till.market.order(2), headers=headers).json()["id"] != one.json()["id"]


# T5: the supplier gives an unpaid order up in the moment in which it is paid


@pytest.mark.slow
def test_t5_paid_or_given_up_and_late_money_goes_back_once(online, monkeypatch):
    """Half of them at once; a quarter is paid just before, and a quarter just after it was given up. Money that comes after it is the buyer's
    credit, and goes back once, though two persons ask for it and two release it."""
    api, database, market = online.api, online.database, online.market
    count, chance = many(24, 500), random.Random(SEED)
    monkeypatch.setattr("workers.tasks.database", lambda: database)
    seller, body = api.as_(market.sellers[0]), market.order(1, payment_terms={"kind": "prepayment"})
    parts = {}
    for _ in range(count):
        order = online.buyer.post("/v1/purchase-orders", json=body).json()
        [part] = [part["id"] for part in order["supplier_orders"]]
        assert seller.post(f"/v1/supplier-orders/{part}/confirm").status_code == 200
        parts[order["id"]] = part
    days_later(monkeypatch, 34)
    remind_of_dues()
    online.twin.webhooks(off=True)
    begin(online, list(parts))
    settle_calls(online)
    assert pay_all(online) == count
    seen = {
        row.purchase_order_id: online.provider.look(row.intent_id)
        for row in online.rows("SELECT purchase_order_id, intent_id FROM online_payment")
    }

    def pay(order_id):
        with database.unit_of_work() as session:
            assert apply(session, seen[order_id])

    clients = sessions(api, database, market.sellers[0], 4)

    def race(number, order_id):
        def give_up():
            answer = clients[number % 4].post(f"/v1/supplier-orders/{parts[order_id]}/cancel-unpaid", json={"reason": "未付款"})
            assert answer.status_code in (200, 409), answer.text
            return answer.status_code

        steps = [lambda: pay(order_id), give_up]
        results = at_once(steps) if number % 4 < 2 else [step() for step in (steps if number % 4 == 2 else reversed(steps))]
        return next(result for result in results if result)

    with ThreadPoolExecutor(4) as pool:
        ends = Counter(pool.map(race, range(count), chance.sample(list(parts), count)))
    paid, given_up = ends[409], ends[200]
    assert paid + given_up == count
    assert min(paid, given_up) >= count // 4
    # each is paid or given up, never both: what the given up ones cost is nothing, and their money is credit
    assert online.rows(
        "SELECT so.status, so.reason_code, count(*) AS n, sum((SELECT -sum(amount_fen) FROM money_posting p WHERE p.purchase_order_id"
        " = so.purchase_order_id AND account = 'receivable'))::bigint AS fen FROM supplier_order so GROUP BY 1, 2 ORDER BY 1"
    ) == [("cancelled", "not_paid_in_time", given_up, given_up * 6_990), ("confirmed", None, paid, paid * 6_990)]
    outbox.drain(database, HANDLERS)
    cashiers, treasurers = (sessions(api, database, who, 2) for who in (online.cashier, online.treasurer))
    for row in online.rows(
        "SELECT o.purchase_order_id, o.payment_id FROM online_payment o JOIN supplier_order so USING (purchase_order_id)"
        " WHERE so.status = 'cancelled' ORDER BY 1"
    ):
        ask = {"amount": "69.90", "reason": "已取消", "payment_id": row.payment_id}
        asked = post_at_once(cashiers, f"/v1/purchase-orders/{row.purchase_order_id}/refunds", ask)
        assert sorted(answer.status_code for answer in asked) == [201, 409]
        [refund] = [answer.json()["id"] for answer in asked if answer.status_code == 201]
        assert sorted(answer.status_code for answer in post_at_once(treasurers, f"/v1/refunds/{refund}/approve")) == [200, 409]
    settle_calls(online)
    online.reconcile()
    assert online.sql("SELECT count(*) FROM refund WHERE status = 'paid'") == given_up
    assert len(online.twin.objects("refund")) == given_up
    assert online.twin.check() == []
    assert online.at_provider() == online.account("online")
    agree(database, orders=count, at_once=count // 2, paid=paid, given_up=given_up, refunded=given_up)


# T6: one period settled by everybody

TRIGGERS = 20


@pytest.fixture
def scene(api, database, monkeypatch):
    return make_settling(api, database, monkeypatch)


def beat(scene):
    with scene.database.unit_of_work() as session:
        return running.run_due(session)


def trigger_at_once(scene):
    """Twenty triggers and two beats in the same moment; the answers, and the settlements that came of both."""
    asking = sessions(scene.api, scene.database, scene.people["cashier"], TRIGGERS)
    asked = [lambda client=client: client.post("/v1/settlements/run", json={}) for client in asking]
    results = at_once([*asked, *[lambda: beat(scene)] * 2])
    answers, beats = results[:TRIGGERS], results[TRIGGERS:]
    assert {answer.status_code for answer in answers} == {201}
    return sum(answer.json()["settlements"] for answer in answers) + sum(beats)


@pytest.mark.slow
def test_t6_twenty_triggers_and_two_beats_make_one_settlement_each(scene):
    rounds = many(1, 12)
    for period in range(1, rounds + 1):
        for quantity in (1, 2, 3):
            scene.delivered(quantity)
            scene.delivered(None, quantity, of=1)
        scene.later(20)
        assert trigger_at_once(scene) == 2
        assert scene.rows("SELECT supplier_id, count(*) FROM settlement GROUP BY 1 ORDER BY 1") == [
            (supplier.id, period) for supplier in scene.market.suppliers
        ]
        assert scene.rows("SELECT count(*), count(DISTINCT posting_id) FROM settlement_line") == [(6 * period, 6 * period)]
        assert scene.rows("SELECT count(*), count(DISTINCT settlement_id) FROM payout") == [(2 * period, 2 * period)]
        assert beat(scene) == 0
    # numbers have no gaps; they begin anew with the year
    assert (
        scene.rows(
            "SELECT left(number, 6), max(right(number, 6)::int) - count(*) FROM settlement GROUP BY 1 HAVING max(right(number, 6)::int) <> count(*)"
        )
        == []
    )
    assert scene.rows("SELECT count(DISTINCT number) FROM settlement") == [(2 * rounds,)]
    agree(scene.database, periods=rounds, triggers=rounds * (TRIGGERS + 2), settlements=2 * rounds)


@pytest.mark.slow
@pytest.mark.control
def test_t6_without_the_guards_the_same_triggers_settle_twice(scene, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    for quantity in (1, 2, 3):
        scene.delivered(quantity)
    scene.later(20)
    with scene.database.unit_of_work() as session:
        session.execute(text("ALTER TABLE settlement DROP CONSTRAINT uq_settlement_supplier_id_period_end"))
        session.execute(text("ALTER TABLE settlement_line DROP CONSTRAINT pk_settlement_line"))
        session.execute(text("DROP INDEX uq_settlement_run_automatic"))
    monkeypatch.setattr(losing, "alone", lambda session: session.execute(text("SELECT 1")))
    numbers = running.numbers.next_numbers

    def slowly(session, *arguments):
        session.execute(text("SELECT pg_sleep(0.3)"))
        return numbers(session, *arguments)

    monkeypatch.setattr(running.numbers, "next_numbers", slowly)
    trigger_at_once(scene)
    assert count_of(scene.database, "settlement") > 1


# T7: more is asked back than was paid

AT_ONCE = 5
#: Of 100.00 that were paid, each asks for this much: three of five fit.
EACH = "30.00"
BACK = (
    "SELECT po.id, coalesce(sum(r.amount_fen) FILTER (WHERE r.status <> 'requested'), 0)::int, coalesce(sum(r.amount_fen), 0)::int"
    " FROM purchase_order po LEFT JOIN refund r ON r.purchase_order_id = po.id GROUP BY 1 ORDER BY 1"
)


def ask_and_release(till, orders):
    """Five refunds for every order at once, then all that were asked for released at once; every status that came."""
    cashiers, treasurers = (sessions(till.api, till.database, till.people[who], AT_ONCE) for who in ("cashier", "treasurer"))
    body = {"amount": EACH, "reason": "订单取消", "payee": PAYEE}
    statuses = []
    for order in orders:
        asked = post_at_once(cashiers, f"/v1/purchase-orders/{order}/refunds", body)
        made = [answer.json()["id"] for answer in asked if answer.status_code == 201]
        released = at_once(
            [
                lambda client=client, refund=refund: client.post(f"/v1/refunds/{refund}/approve")
                for client, refund in zip(treasurers, made, strict=False)
            ]
        )
        statuses += [answer.status_code for answer in asked + released]
    return statuses


@pytest.mark.slow
def test_t7_refunds_never_pass_what_was_paid(api, database):
    till, count = make_till(api, database), many(10, 100)
    orders = [till.credit("100.00") for _ in range(count)]
    statuses = Counter(ask_and_release(till, orders))
    assert statuses == {201: 3 * count, 200: 3 * count, 409: 2 * count}
    assert rows(database, BACK) == [(order, 9_000, 9_000) for order in orders]
    agree(database, orders=count, refused=statuses[409])


@pytest.mark.slow
def test_t7_nor_do_releases_of_what_was_asked_for_before(api, database):
    """Requests that were in time, of a credit that is smaller by now: their releases meet each other alone."""
    till = make_till(api, database)
    order = till.credit("50.00", "50.00")
    made = [till.ask_back(order, "20.00").json()["id"] for _ in range(AT_ONCE)]
    till.unmatched()
    treasurers = sessions(api, database, till.people["treasurer"], AT_ONCE)
    released = at_once(
        [
            lambda client=client, refund=refund: client.post(f"/v1/refunds/{refund}/approve")
            for client, refund in zip(treasurers, made, strict=True)
        ]
    )
    assert sorted(answer.status_code for answer in released) == [200, 200, 409, 409, 409]
    assert rows(database, BACK)[0][1] == 4_000
    agree(database, releases=AT_ONCE)


@pytest.fixture
def unlocked(api, database, monkeypatch):
    """A till whose requests do not wait for one another, and take their time between the look at the credit and the refund."""
    monkeypatch.setattr(payments, "_LOCK_ORDERS", text("SELECT id FROM purchase_order WHERE id = ANY (CAST(:ids AS bigint[]))"))
    credit_fen = guards.credit_fen

    def slowly(session, order_id, **more):
        credit = credit_fen(session, order_id, **more)
        time.sleep(0.5)
        return credit

    monkeypatch.setattr(guards, "credit_fen", slowly)
    return make_till(api, database)


@pytest.mark.slow
def test_t7_without_the_lock_the_database_still_refuses(unlocked, database):
    """More is asked for than there is; when it is released the commit says no."""
    orders = [unlocked.credit("100.00") for _ in range(2)]
    statuses = ask_and_release(unlocked, orders)
    assert statuses.count(201) > 3 * len(orders)  # the lock is off: the requests did not see one another
    assert [(gone, asked > 10_000) for _, gone, asked in rows(database, BACK)] == [(9_000, True)] * len(orders)
    agree(database, orders=len(orders), refused=statuses.count(409))


@pytest.mark.slow
@pytest.mark.control
def test_t7_without_lock_and_constraint_the_same_race_pays_out_too_much(unlocked, database):
    """The control: when this fails, the tests above prove nothing."""
    with database.unit_of_work() as session:
        session.execute(text("DROP TRIGGER hold_credit_on_release ON refund"))
    orders = [unlocked.credit("100.00") for _ in range(2)]
    ask_and_release(unlocked, orders)
    assert max(gone for _, gone, _ in rows(database, BACK)) > 10_000


# T9: one person where two are needed

# Each submits something and returns where it is released, as whom that is refused, who may, and the code of the refusal.


def _refund_of_own(scene, number):
    if not hasattr(scene, "till"):
        scene.till = make_till(scene.api, scene.database)
        scene.credit = scene.till.credit("100.00")
    refund = scene.till.ask_back(scene.credit, "1.00", who="treasurer").json()["id"]
    people = scene.till.people
    return f"/v1/refunds/{refund}/approve", [people["treasurer"]], people["cashier"], "own_refund"


def _payer_declared_by_oneself(scene, number):
    if not hasattr(scene, "desk"):
        scene.desk = Desk(scene.api, scene.database, scene.market)
        scene.ordered = scene.desk.order(1)["id"]
    body = {"payer_name": f"张{number}", "reason_code": "personal", "reason": "垫付"}
    made = scene.desk.client.post(f"/v1/purchase-orders/{scene.ordered}/payer-declarations", json=body).json()["id"]
    return f"/v1/payer-declarations/{made}/approve", [scene.desk.cashier], scene.desk.treasurer, "own_declaration"


def _payout_drafted_and_approved(scene, number):
    if number == 0:
        scene.account()
        with scene.database.unit_of_work() as session:
            scene.third = make_user(session, Role.PLATFORM_FINANCE)
    scene.delivered(1)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    scene.farm.post(f"/v1/settlements/{row['id']}/confirm")
    path = f"/v1/payouts/{row['payout_id']}"
    pressed = post_at_once(sessions(scene.api, scene.database, scene.people["treasurer"], 2), f"{path}/approve", {})
    assert sorted(answer.status_code for answer in pressed) == [200, 409]
    people = scene.people
    return f"{path}/release", [people["cashier"], people["treasurer"]], scene.third, "two_persons_needed"


def _bank_account_of_own(scene, number):
    if number == 0:  # speaks for the supplier, and keeps the marketplace's money
        with scene.database.unit_of_work() as session:
            scene.both = make_user(session, Role.SUPPLIER_ADMIN, scene.market.suppliers[0])
            session.add(UserRole(user_id=scene.both.id, role=Role.PLATFORM_FINANCE, region_code=CITY))
    body = {"holder": "合作社", "bank": "农业银行", "number": f"62220210090144{number:05}", "reason": "换开户行"}
    made = scene.api.as_(scene.both).post("/v1/payout-accounts", json=body)
    assert made.status_code == 201, made.text
    return f"/v1/payout-accounts/{made.json()['id']}/approve", [scene.both], scene.people["cashier"], "two_persons_needed"


def _money_paid_ahead(scene, number):
    asked = advance(scene, scene.agreement, "1.00")
    assert asked.status_code == 201, asked.text
    people = scene.people
    return f"/v1/advances/{asked.json()['id']}/approve", [people["cashier"]], people["treasurer"], "two_persons_needed"


@pytest.mark.slow
@pytest.mark.parametrize(
    "submit", [_refund_of_own, _payer_declared_by_oneself, _payout_drafted_and_approved, _bank_account_of_own, _money_paid_ahead]
)
def test_t9_one_person_is_not_two(scene, agreement, submit):
    """Who submitted releases it twice, in two sessions at once: refused both times. Another person does, in two sessions at once: it is done once."""
    scene.agreement = agreement
    rounds, pressed = many(3, 40), Counter()  # a payout takes twenty days, and sessions last a thousand
    for number in range(rounds):
        path, own, other, code = submit(scene, number)
        body = None if path.endswith(("release", "refunds")) or "/refunds/" in path or "/advances/" in path else {}
        clients = [client for who in own for client in sessions(scene.api, scene.database, who, 2)]
        refused = post_at_once(clients, path, body)
        assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(403, code)}, [a.text for a in refused]
        done = post_at_once(sessions(scene.api, scene.database, other, 2), path, body)
        assert sorted(answer.status_code for answer in done) in ([200, 409], [201, 409]), [answer.text for answer in done]
        pressed.update(refused=len(refused), at_once=len(refused) + len(done))
    agree(scene.database, what=submit.__name__.strip("_"), rounds=rounds, **pressed)
