"""Money while everything goes wrong: faults by seed, storms of events, none at all, a restored database.

Short forms run with the other tests; ``make faults`` runs the long ones. Each prints its seed, which faults really happened, and what the
reconciliation says; a fault that did not happen proves nothing.
"""

import json
import os
import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from orders.online.actions import connecting
from orders.online.actions.sending import send_due
from orders.online.errors import AlreadyTransferred
from orders.online.provider import Provider
from orders.reconcile import report as proof
from orders.statistics.actions import refresh
from shop.core import clock, outbox
from shop.core.db import Database
from shop.core.settings import settings
from tests.factories.online import Online
from tests.faults.point_in_time import backup
from tests.orders.online.test_webhooks import PATH, event, signed
from workers.handlers import HANDLERS

#: The long form, or the short one.
LONG = os.environ.get("SHOP_FAULTS") == "long"
SEED = int(os.environ.get("SHOP_FAULT_SEED", "0")) or random.randrange(10**6)


def many(short: int, long: int) -> int:
    return long if LONG else short


@pytest.fixture(autouse=True)
def only_errors_are_logged(monkeypatch):
    monkeypatch.setenv("SHOP_LOG_LEVEL", "ERROR")


def place(online: Online, count: int) -> list[int]:
    """Orders of one box each; the market's stock is large enough."""
    buyer = online.buyer
    body = online.market.order(1)

    def one(_):
        answer = buyer.post("/v1/purchase-orders", json=body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, range(count)))


def begin(online: Online, orders: list[int]) -> list[int]:
    buyer = online.buyer

    def one(order_id):
        answer = buyer.post(f"/v1/purchase-orders/{order_id}/online-payments", json={"method": "card"})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, orders))


def settle_calls(online: Online, rounds: int = 40) -> None:
    """All calls, with their waits skipped, until none is left."""
    for _ in range(rounds):
        outbox.drain(online.database, HANDLERS)
        send_due(online.database, online.provider, seconds=300, senders=6)
        online.rows("UPDATE provider_call SET next_attempt_at = now() - interval '1 second' WHERE status = 'unknown' RETURNING id")
        if not online.sql("SELECT count(*) FROM provider_call WHERE status IN ('due', 'sending', 'unknown')"):
            return
    raise AssertionError("calls are left")


def pay_all(online: Online) -> int:
    """Every payer enters a card."""
    intents = [
        row.intent_id for row in online.rows("SELECT intent_id FROM online_payment WHERE status = 'requires_action' ORDER BY id")
    ]
    with httpx.Client(
        base_url=online.twin.url, headers={"Authorization": f"Bearer {online.twin.key}"}, timeout=30, trust_env=False
    ) as http:

        def one(intent):
            return http.post(
                f"/v1/payment_intents/{intent}/confirm", data={"payment_method": "pm_card_bypassPending"}
            ).raise_for_status()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(one, intents))
    return len(intents)


def connect_supplier(online: Online) -> str:
    """The first supplier's account at the provider, ready to be paid to."""
    assert online.api.as_(online.market.sellers[0]).post("/v1/connected-account", json={"country": "HK"}).status_code == 201
    online.work()
    account = str(online.sql("SELECT account_id FROM connected_account"))
    online.twin.tell(f"onboard/{account}")
    online.rows("UPDATE connected_account SET looked_at = now() - interval '1 hour' RETURNING id")
    online.reconcile()
    return account


def found_wrong(online: Online) -> list[str]:
    """Which check found how much, for who reads the log."""
    with online.database.session() as session:
        return [f"{each.name}: {each.count} {each.first}" for each in proof.findings(session, 3) if each.count]


def agree(online: Online, **told) -> None:
    """The provider, its stand-in's own books, our ledger and all our checks say the same."""
    differences = proof.differences(online.database)
    print(f"\nseed {SEED}; {told}; reconcile: {differences} differences")
    if differences:
        print(found_wrong(online))
    assert online.twin.check() == []
    assert online.at_provider() == online.account("online")
    assert [online.account(name) for name in ("refunds", "chargebacks")] == [0, 0]
    assert differences == 0


#: The longest that nobody may know what became of a payment.
UNKNOWN_AT_MOST = timedelta(minutes=2)


def settle_by_the_clock(online: Online, unknown: dict[int, timedelta]) -> None:
    """All calls with their waits as the rules have them, until none is left: the clock stands still while the provider is asked, and then goes on to
    the second in which the workers ask again (:mod:`workers.schedule`). ``unknown``: how long each payment was without an outcome, by that clock."""
    since: dict[int, datetime] = {}
    moment = clock.now()
    for _ in range(1000):
        with clock.fixed(moment):
            outbox.drain(online.database, HANDLERS)
            send_due(online.database, online.provider, seconds=300, senders=6)
        now_unknown = {row.id for row in online.rows("SELECT id FROM online_payment WHERE status = 'unknown'")}
        for payment in [each for each in since if each not in now_unknown]:
            unknown[payment] = unknown.get(payment, timedelta(0)) + moment - since.pop(payment)
        since |= {payment: moment for payment in now_unknown if payment not in since}
        due = online.sql("SELECT min(next_attempt_at) FROM provider_call WHERE status IN ('due', 'sending', 'unknown')")
        if due is None:
            assert not since
            return
        moment = max(moment, due) + timedelta(seconds=1)
    raise AssertionError("calls are left")


# 2,000 in four rounds: what became of a lost answer is looked for among all payments of the hour, page by page, and each page may fail
@pytest.mark.slow
@pytest.mark.parametrize("part", range(many(1, 4)))
def test_t20_faults_in_a_fifth_of_all_calls_charge_nobody_twice(online, part):
    count = many(60, 500)
    orders = place(online, count)
    online.twin.faults(seed=SEED + part, rate=0.2, hang=2.5, methods=["POST", "GET"])
    began = time.monotonic()
    unknown: dict[int, timedelta] = {}
    begin(online, orders)
    settle_by_the_clock(online, unknown)
    # what the provider refused at once is begun anew by the buyer
    for _ in range(20):
        failed = [
            row.id
            for row in online.rows(
                "SELECT id FROM purchase_order po WHERE NOT EXISTS (SELECT FROM online_payment o"
                " WHERE o.purchase_order_id = po.id AND o.status <> 'failed')"
            )
        ]
        if not failed:
            break
        begin(online, failed)
        settle_by_the_clock(online, unknown)
    settled = time.monotonic() - began
    happened = online.twin.faults()
    online.twin.faults(rate=0)
    assert pay_all(online) == count
    online.reconcile()
    charges = [each for each in online.twin.objects("charge") if each["paid"]]
    assert len(charges) == count
    assert online.sql("SELECT count(*) FROM payment WHERE source = 'online'") == count
    assert online.sql("SELECT count(DISTINCT purchase_order_id) FROM payment WHERE source = 'online'") == count
    assert online.sql("SELECT count(*) FROM online_payment WHERE status = 'unknown'") == 0
    assert happened["total"] > count / 10
    assert unknown, "no outcome was unknown"
    longest = max(unknown.values())
    assert longest <= UNKNOWN_AT_MOST
    figures = {"unknown": len(unknown), "unknown_longest_s": round(longest.total_seconds(), 1), "seconds": round(settled, 1)}
    agree(online, payments=count, faults=happened["happened"], **figures)


@contextmanager
def silent() -> Iterator[str]:
    """The address of somebody who takes calls and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def refusing() -> Iterator[str]:
    """The address of nobody."""
    yield "http://127.0.0.1:9"


@pytest.mark.slow
@pytest.mark.parametrize("down", [refusing, silent])
def test_t20_the_provider_is_down_and_orders_go_on(online, down):
    """Orders are placed, and payments begun, for as long as the provider cannot be reached; then all of them come to their end."""
    buyer, body = online.buyer, online.market.order(1)

    def order_and_pay(took: list[float], paid: bool) -> None:
        began = time.monotonic()
        answer = buyer.post("/v1/purchase-orders", json=body)
        took.append(time.monotonic() - began)
        assert answer.status_code == 201, answer.text
        if paid:
            begun = buyer.post(f"/v1/purchase-orders/{answer.json()['id']}/online-payments", json={"method": "card"})
            assert begun.status_code == 201, begun.text

    usual: list[float] = []
    for _ in range(many(10, 100)):
        order_and_pay(usual, paid=False)
    took: list[float] = []
    with down() as address, ThreadPoolExecutor(1) as background:
        dead = Provider(online.twin.key, address, timeout=(1, 2), retries=0)
        ends = time.monotonic() + many(3, 60)

        def ask() -> int:
            asked = 0
            while time.monotonic() < ends:
                asked += send_due(online.database, dead, seconds=1)
                time.sleep(0.1)
            return asked

        worker = background.submit(ask)
        while time.monotonic() < ends:
            order_and_pay(took, paid=len(took) % many(2, 10) == 0)
        asked = worker.result()
    begun = online.sql("SELECT count(*) FROM online_payment")
    assert asked > 0
    assert begun == (len(took) - 1) // many(2, 10) + 1
    assert online.sql("SELECT count(*) FROM online_payment WHERE status = 'unknown'") > 0
    assert online.twin.objects("payment_intent") == []
    settle_calls(online)
    assert pay_all(online) == begun
    online.reconcile()
    assert online.sql("SELECT count(*) FROM payment WHERE source = 'online'") == begun
    figures = {"p99_ms": milliseconds(took), "usual_p99_ms": milliseconds(usual)}
    agree(online, down=down.__name__, orders=len(took), payments=begun, calls_in_vain=asked, **figures)


def milliseconds(took: list[float]) -> int:
    """The 99th percentile."""
    return round(sorted(took)[int(len(took) * 0.99)] * 1000)


def heard(events: list[tuple[bytes, str, int]]) -> list[str]:
    """What the events that are the provider's are about."""
    return [json.loads(body)["data"]["object"]["id"] for body, _, wanted in events if wanted == 200]


@pytest.mark.slow
def test_t21_a_storm_of_events(online, monkeypatch):
    """Repeated, shuffled, late, badly signed, from the future, of two secrets, and junk: one effect each, 400 for what is bad, never a 5xx."""
    count = many(40, 400)
    online.twin.webhooks(off=True)
    begin(online, place(online, count))
    settle_calls(online)
    pay_all(online)
    chance = random.Random(SEED)
    real = [row.intent_id for row in online.rows("SELECT intent_id FROM online_payment")]
    storm: list[tuple[bytes, str, int]] = []
    late: list[tuple[bytes, str, int]] = []
    told = many(200, 2000)
    for number in range(told):
        body = event(number, f"payment_intent.{chance.choice(['created', 'processing', 'succeeded'])}", chance.choice(real))
        copies = chance.randint(2, 5) if chance.random() < 0.3 else 1
        wave = late if chance.random() < 0.1 else storm
        wave += [(body, signed(body, secret=chance.choice(["whsec_for_tests", "whsec_next"])), 200) for _ in range(copies)]
        if chance.random() < 0.05:
            storm.append((body, signed(body, secret="whsec_wrong"), 400))
        if chance.random() < 0.03:
            storm.append((body, signed(body, skew=chance.choice([-3600, 3600])), 400))
        if chance.random() < 0.03:
            junk = chance.randbytes(chance.randint(0, 300))
            storm.append((junk, signed(junk), 400))
    chance.shuffle(storm)
    chance.shuffle(late)
    monkeypatch.setenv("SHOP_STRIPE_WEBHOOK_SECRETS", "whsec_for_tests,whsec_next")
    settings.cache_clear()
    took = []
    with httpx.Client(base_url=str(online.api.base_url), timeout=60, trust_env=False) as http:

        def post(one):
            body, header, wanted = one
            began = time.monotonic()
            answer = http.post(PATH, content=body, headers={"Stripe-Signature": header})
            took.append(time.monotonic() - began)
            return answer.status_code, wanted

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(post, storm))
            settle_calls(online)
            answers += pool.map(post, late)
    assert [given for given, _ in answers] == [wanted for _, wanted in answers]
    settle_calls(online)
    # each of them says what is true by now, and the events alone have told all of it
    assert online.sql("SELECT count(*) FROM payment WHERE source = 'online'") == len({*real} & {*heard(storm + late)})
    assert online.sql("SELECT count(*) FROM provider_event") == told
    online.reconcile()
    assert online.sql("SELECT count(*) FROM payment WHERE source = 'online'") == count
    bad = sum(wanted == 400 for _, wanted in answers)
    assert bad > 0
    agree(online, events=len(storm), bad=bad, late=len(late), p99_ms=milliseconds(took))


@pytest.mark.slow
def test_t22_all_events_lost_is_healed_in_one_cycle(online):
    count = many(50, 500)
    online.twin.listen(f"{online.api.base_url}{PATH}")
    online.twin.webhooks(seed=SEED, drop=1.0)
    begin(online, place(online, count))
    settle_calls(online)
    pay_all(online)
    assert online.sql("SELECT count(*) FROM payment WHERE source = 'online'") == 0
    began = time.monotonic()
    online.reconcile()
    took = time.monotonic() - began
    assert online.sql("SELECT count(*) FROM payment WHERE source = 'online'") == count
    lost = online.twin.webhooks()["happened"]
    assert lost["drop"] > count
    agree(online, payments=count, webhooks=lost, cycle_seconds=round(took, 1))


@pytest.mark.slow
def test_t23_refunds_that_fail_later_and_disputes(online):
    count = many(12, 200)
    chance = random.Random(SEED)
    orders = place(online, count)
    payments = begin(online, orders)
    settle_calls(online)
    cards = ["pm_card_refundFail", "pm_card_visa", "pm_card_createDispute"]
    for index, payment in enumerate(payments):
        online.confirm(online.intent(payment), cards[index % 3])
    online.reconcile()
    seller = online.api.as_(online.market.sellers[0])
    for index, order in enumerate(orders):
        if index % 3 < 2:
            part = online.sql("SELECT id FROM supplier_order WHERE purchase_order_id = :id", id=order)
            seller.post(f"/v1/supplier-orders/{part}/reject", json={"reason": "歉收"})
            paid = online.sql("SELECT payment_id FROM online_payment WHERE purchase_order_id = :id", id=order)
            online.refund(order, paid, chance.choice(["69.90", "20.00"]))
    settle_calls(online)
    online.twin.advance(60)
    for each in online.twin.objects("dispute"):
        online.twin.tell(f"disputes/{each['id']}", outcome=chance.choice(["won", "lost"]))
    online.reconcile()
    failed = online.sql("SELECT count(*) FROM refund WHERE status = 'failed'")
    ended = {row.status: row.n for row in online.rows("SELECT status, count(*) AS n FROM charge_dispute GROUP BY 1")}
    assert failed == (count + 2) // 3
    assert sum(ended.values()) == count // 3
    agree(online, refunds_failed=failed, disputes=ended)


@contextmanager
def clock_off_by(skew: timedelta) -> Iterator[None]:
    with clock.fixed(clock.now() + skew):
        yield


SKEWS = [timedelta(minutes=10), timedelta(minutes=-10), timedelta(hours=25), timedelta(hours=-25)]


@pytest.mark.slow
@pytest.mark.parametrize("skew", SKEWS, ids=str)
def test_t24_a_worker_whose_clock_is_off(online, skew):
    """Its retries come when the provider has forgotten the keys, or seem to come before they were first sent."""
    begin(online, place(online, many(8, 50)))
    online.twin.faults(seed=SEED, rate=0.5, kinds=["500_after", "reset_after"])
    send_due(online.database, online.provider)
    happened = online.twin.faults()["happened"]
    online.twin.faults(rate=0)
    online.twin.advance(25 * 3600)
    online.rows(
        "UPDATE provider_call SET next_attempt_at = now() - interval '30 hours' WHERE status IN ('unknown', 'sending') RETURNING id"
    )
    with clock_off_by(skew):
        send_due(online.database, online.provider)
    settle_calls(online)
    assert sum(happened.values()) > 0
    count = pay_all(online)
    online.reconcile()
    assert len(online.twin.objects("payment_intent")) == count == online.sql("SELECT count(*) FROM payment WHERE source = 'online'")
    agree(online, payments=count, faults=happened, skew=str(skew))


@pytest.mark.slow
@pytest.mark.parametrize("skew", SKEWS, ids=str)
def test_t24_a_server_whose_clock_is_off(online, skew):
    """What it writes down comes from another day, and it believes no event; the workers' clock is right."""
    count = many(8, 50)
    orders = place(online, count)
    with clock_off_by(skew):
        begin(online, orders)
    online.twin.faults(seed=SEED, rate=0.5, kinds=["500_after", "reset_after"])
    # what a clock that is ahead wrote down is due when the time has come
    with clock_off_by(max(skew, timedelta(0))):
        send_due(online.database, online.provider)
    happened = online.twin.faults()["happened"]
    online.twin.faults(rate=0)
    online.rows("UPDATE provider_call SET next_attempt_at = now() - interval '1 second' WHERE status = 'unknown' RETURNING id")
    settle_calls(online)
    assert sum(happened.values()) > 0
    assert pay_all(online) == count
    body = event(1, "payment_intent.succeeded", online.intent(online.sql("SELECT min(id) FROM online_payment")))
    with httpx.Client(base_url=str(online.api.base_url), timeout=60, trust_env=False) as http:
        header = {"Stripe-Signature": signed(body)}
        with clock_off_by(skew):
            assert http.post(PATH, content=body, headers=header).status_code == 400
        assert http.post(PATH, content=body, headers=header).status_code == 200
    online.reconcile()
    assert len(online.twin.objects("payment_intent")) == count == online.sql("SELECT count(*) FROM payment WHERE source = 'online'")
    assert online.sql("SELECT count(*) FROM online_payment WHERE status <> 'succeeded'") == 0
    agree(online, payments=count, faults=happened, skew=str(skew))


@contextmanager
def machine_off_by(monkeypatch: pytest.MonkeyPatch, skew: timedelta, minutes: int) -> Iterator[str]:
    """The clock of this machine is wrong, that of the database is right: so many minutes after (before) midnight in Chongqing. Yields its date."""
    midnight = clock.end_of_day(clock.today())
    with monkeypatch.context() as wrong:
        wrong.setattr(clock, "_shift", midnight + timedelta(minutes=minutes) - clock.now())
        wrong.setattr(clock, "_machine", lambda: datetime.now(UTC) + skew)
        wrong.setattr(clock, "_followed", None)
        wrong.setattr(clock, "_drift", timedelta(0))
        yield str(clock.shanghai_date(midnight + timedelta(minutes=minutes)))


def sell_and_be_paid(online: Online, count: int) -> tuple[set[str], set[str]]:
    """So many deliveries are accepted, and paid online; returns on which days that was."""
    parts = [each["supplier_orders"][0]["id"] for each in (online.order(1) for _ in range(count))]
    seller = online.api.as_(online.market.sellers[0])
    for part in parts:
        assert seller.post(f"/v1/supplier-orders/{part}/confirm").status_code == 200
        sent = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()
        assert online.buyer.post(f"/v1/shipments/{sent['id']}/acceptance", json={}).status_code == 201
    begin(online, [row.id for row in online.rows("SELECT id FROM purchase_order ORDER BY id DESC LIMIT :n", n=count)])
    online.work()
    assert pay_all(online) == count
    online.reconcile()
    with online.database.unit_of_work() as session:
        refresh(session)
    sold = {str(row.day) for row in online.rows("SELECT DISTINCT sold_on AS day FROM sale_entry")}
    paid = {str(row.day) for row in online.rows("SELECT DISTINCT booked_on AS day FROM money_transaction WHERE kind = 'payment'")}
    assert {str(row.day) for row in online.rows("SELECT DISTINCT day FROM sales_day")} == sold
    return sold, paid


@pytest.mark.slow
@pytest.mark.parametrize("minutes", [-5, 5])
@pytest.mark.parametrize("skew", SKEWS, ids=str)
def test_t24_what_is_sold_and_paid_near_midnight_is_of_the_databases_day(online, monkeypatch, skew, minutes):
    with machine_off_by(monkeypatch, skew, minutes) as day:
        sold, paid = sell_and_be_paid(online, many(2, 20))
        assert (sold, paid) == ({day}, {day})
        agree(online, skew=str(skew), minutes=minutes, day=day)


def test_t24_a_server_that_goes_by_its_own_clock_has_the_wrong_day(online, monkeypatch):
    """The control: it is the looking at the database's clock that brings the right one."""
    monkeypatch.setattr(clock, "follow", lambda session: None)
    with machine_off_by(monkeypatch, timedelta(minutes=10), -5) as day:
        sold, paid = sell_and_be_paid(online, 1)
        assert day not in sold | paid


@pytest.mark.slow
def test_t49_a_database_restored_to_a_point_in_time(online, cluster, server):
    """Payments, refunds and transfers that only the provider remembers are found and booked; nobody is charged or refunded twice."""
    payments, refunds, transfers = many(10, 200), many(4, 20), many(2, 10)
    online.database.appear()  # it is copied when it is first needed, and is to be in the backup
    with backup(cluster) as kept:
        account = connect_supplier(online)
        orders = place(online, payments)
        begin(online, orders[: payments // 2])  # these calls are restored as if they had never been made
        moment = kept.moment()
        at_provider = what_only_the_provider_remembers(online, orders, refunds, transfers)
        with kept.restored(moment, "test") as url:
            online.database = server.app.state.database = online.api.database = Database(url, pool_size=20)
            try:
                after_the_restore(online, payments, refunds, transfers, account, at_provider)
            finally:
                online.database.dispose()


def what_only_the_provider_remembers(online: Online, orders: list[int], refunds: int, transfers: int) -> int:
    """Ten minutes that will be lost; returns the balance at the provider after them, in fen."""
    payments = len(orders)
    begin(online, orders[payments // 2 :] + place(online, 1))  # one of an order that is lost, too
    settle_calls(online)
    pay_all(online)
    online.reconcile()
    seller = online.api.as_(online.market.sellers[0])
    for order in orders[:refunds]:
        part = online.sql("SELECT id FROM supplier_order WHERE purchase_order_id = :id", id=order)
        seller.post(f"/v1/supplier-orders/{part}/reject", json={"reason": "歉收"})
        online.refund(order, online.sql("SELECT payment_id FROM online_payment WHERE purchase_order_id = :id", id=order), "30.00")
    settle_calls(online)
    for payout in range(transfers):
        with online.database.unit_of_work() as session:
            connecting.transfer(session, payout + 1, online.market.suppliers[0].id, 100, released_at=clock.now())
    settle_calls(online)
    assert len(online.twin.objects("transfer")) == transfers
    return online.at_provider()


def after_the_restore(online: Online, payments: int, refunds: int, transfers: int, account: str, at_provider: int) -> None:
    assert online.sql("SELECT count(*) FROM payment WHERE source = 'online'") == 0
    # the worst case, as after a restore from a dump: the next order gets the number of the one that was lost
    online.sql("SELECT setval(pg_get_serial_sequence('purchase_order', 'id'), (SELECT max(id) FROM purchase_order))")
    [other] = place(online, 1)
    settle_calls(online)  # fires again what had been fired
    report = online.reconcile()
    assert online.sql("SELECT count(*) FROM payment WHERE source = 'online'") == payments
    assert online.sql("SELECT count(*) FROM refund WHERE status = 'paid'") == refunds
    assert len(online.twin.objects("refund")) == refunds
    # nobody here knows why the supplier was paid: it has it in advance
    assert (online.account("advances"), len(online.twin.objects("transfer"))) == (transfers * 100, transfers)
    assert online.sql("SELECT account_id FROM connected_account") == account
    # released once more, none of them goes a second time
    for payout in range(transfers):
        with pytest.raises(AlreadyTransferred), online.database.unit_of_work() as session:
            connecting.transfer(session, payout + 1, online.market.suppliers[0].id, 100, released_at=clock.now())
    # what the supplier's own account received by transfers is no charge of anybody
    assert len([each for each in online.twin.objects("charge") if each["paid"] and not each["source_transfer"]]) == payments + 1
    # nor is the money for the lost order taken for that of another one with its number
    assert f"{other}" in {each["metadata"]["purchase_order"] for each in online.twin.objects("payment_intent")}
    assert online.sql("SELECT count(*) FROM online_payment WHERE purchase_order_id = :id", id=other) == 0
    assert (report.unexplained, online.account("unallocated")) == (1, -6_990)
    assert (report.difference_fen, online.at_provider()) == (0, at_provider)
    assert online.reconcile().entries == 0
    agree(online, payments=payments, refunds=refunds, transfers=transfers, fetched=report.fetched)
