"""Tills that come at once: each sale counts once, and what the outlet's days say is what the ledger says."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.outlet_sales.actions import deciding, taking, waiting
from orders.outlet_sales.actions.days import add_to_days
from shop.core import clock
from shop.identity.permissions import Role
from tests.factories.identity import make_user, signed_in
from tests.factories.outlets import Till, make_device, sale
from tests.factories.racing import at_once
from tests.orders.outlet_sales.conftest import Shop
from tests.orders.outlet_sales.test_files_and_reads import send


def second_till(shop: Shop) -> tuple[Till, str]:
    with shop.database.unit_of_work() as session:
        _, key = make_device(session, shop.outlet, shop.trade.clerk, "till-2")
    return Till("u"), key


def test_twenty_sends_of_one_batch_count_once(shop: Shop):
    batch = shop.till.batch([sale(str(n), "G1", 1) for n in range(20)])
    clients = [shop.client() for _ in range(20)]
    answers = at_once([lambda client=client: client.post("/v1/sales-batches", json=batch) for client in clients])
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert shop.sums()["certified"] == 50000


def test_two_tills_of_one_outlet_at_once(shop: Shop):
    other, key = second_till(shop)
    mine = [shop.till.batch([sale(f"a{n}", "G1", 1)]) for n in range(10)]
    theirs = [other.batch([sale(f"b{n}", "G1", 1)]) for n in range(10)]
    sends = [(shop.client(), each) for each in mine] + [(shop.client(key), each) for each in theirs]
    answers = at_once([lambda c=c, b=b: c.post("/v1/sales-batches", json=b) for c, b in sends])
    assert {answer.status_code for answer in answers} == {201}
    assert shop.sums()["certified"] == 50000
    with shop.database.unit_of_work() as session:
        assert session.execute(text("SELECT array_agg(last_sequence ORDER BY id) FROM outlet_device")).scalar_one() == [10, 10]


def test_a_correction_and_a_refund_at_once(shop: Shop):
    other, key = second_till(shop)
    for n in range(6):
        shop.send(shop.till.batch([sale(f"s{n}", "G1", 3)]))
        correction = shop.till.batch([sale(f"s{n}", "G1", 2)], corrects=shop.till.name + f"-{shop.till.sequence}")
        back = other.batch([sale(f"r{n}", "G1", 1, refunds_line_id=f"s{n}")])
        sends = [(shop.client(), correction), (shop.client(key), back)]
        answers = at_once([lambda c=c, b=b: c.post("/v1/sales-batches", json=b) for c, b in sends])
        assert [answer.json()["status"] for answer in answers] == ["accepted", "accepted"]
        assert shop.sums()["certified"] == (n + 1) * 2500


def test_refunds_of_one_sale_at_two_tills_never_give_back_more_than_there_is(shop: Shop):
    other, key = second_till(shop)
    shop.send(shop.till.batch([sale("s", "G1", 3)]))
    backs = [(shop.client(), shop.till.batch([sale("r1", "G1", 2, refunds_line_id="s")]))]
    backs.append((shop.client(key), other.batch([sale("r2", "G1", 2, refunds_line_id="s")])))
    at_once([lambda c=c, b=b: c.post("/v1/sales-batches", json=b) for c, b in backs])
    assert shop.sums()["certified"] == 2500


@pytest.mark.control
def test_without_the_lock_two_tills_give_back_too_much(shop: Shop, monkeypatch):
    """The control: it is the outlet's lock that makes the one before come out right."""
    monkeypatch.setattr(taking, "lock", lambda *_: None)
    other, key = second_till(shop)
    broken = False
    for n in range(20):
        shop.send(shop.till.batch([sale(f"s{n}", "X", 3, price=7)]))
        backs = [(shop.client(), shop.till.batch([sale(f"r{n}", "X", 2, price=7, refunds_line_id=f"s{n}")]))]
        backs.append((shop.client(key), other.batch([sale(f"q{n}", "X", 2, price=7, refunds_line_id=f"s{n}")])))
        at_once([lambda c=c, b=b: c.post("/v1/sales-batches", json=b) for c, b in backs])
        with shop.database.unit_of_work() as session:
            back = "SELECT sum(quantity) FROM sales_batch_line WHERE status = 'other' AND refunds_line_id = :id"
            if session.execute(text(back), {"id": f"s{n}"}).scalar_one() > 3:
                broken = True
                break
    assert broken


def take_back_at_once(shop: Shop, n: int) -> int:
    """Two files of 30,000 yuan each are taken back in one moment; how many of them are held. What was taken out before was yesterday."""
    with shop.database.unit_of_work() as session:
        session.execute(text("UPDATE sales_batch SET taken_out_on = taken_out_on - 1"))
    people = [signed_in(shop.api, Role.CITY_OFFICER) for _ in range(2)]
    day = clock.today() - timedelta(days=1)
    rows = [f"{shop.outlet.external_number},F{n}-{each},{day} 1{each}:{2 * n:02},G1,1200,30000.00,," for each in range(2)]
    made = [send(people[0], [row]).json()["batch_ids"] for row in rows]
    path = "/v1/sales-batches/take-back"
    answers = at_once(
        [
            lambda each=each, ids=ids: each.post(path, json={"ids": ids, "reason": "误报"})
            for each, ids in zip(people, made, strict=True)
        ]
    )
    return sum(answer.json()["held"] for answer in answers)


def test_two_files_taken_back_at_once_are_looked_at_together(shop: Shop):
    assert [take_back_at_once(shop, n) for n in range(5)] == [1] * 5


@pytest.mark.control
def test_without_the_lock_two_files_are_taken_back_as_if_each_were_alone(shop: Shop, monkeypatch):
    """The control: it is the outlet's lock that makes the second see the first."""
    monkeypatch.setattr(taking, "lock", lambda *_: None)
    assert any(take_back_at_once(shop, n) == 0 for n in range(30))


def correct_while_it_is_decided(shop: Shop, n: int) -> list[int]:
    """A batch is held; its till withdraws it in the moment in which an officer counts it. Returns the statuses of both answers."""
    held = shop.send(shop.till.batch([sale(f"s{n}", "G1", 1)], sent_at=clock.now() + timedelta(hours=1)))
    withdrawal = shop.till.batch([], corrects=held["batch_id"])
    with shop.database.unit_of_work() as session:
        officer = make_user(session, Role.CITY_OFFICER)
        hold = session.execute(text("SELECT id FROM counting_hold WHERE status = 'open'")).scalar_one()
    client, device = shop.api.as_(officer), shop.client()
    return [
        answer.status_code
        for answer in at_once(
            [
                lambda: client.post(f"/v1/counting-holds/{hold}/count", json={"reason": "已核实"}),
                lambda: device.post("/v1/sales-batches", json=withdrawal),
            ]
        )
    ]


@pytest.mark.slow
def test_what_is_decided_and_withdrawn_at_once_counts_no_more(shop: Shop):
    """Whichever comes first: an officer who comes later finds nothing to decide, and nobody waits for the other for ever."""
    for n in range(10):
        decided, withdrawn = correct_while_it_is_decided(shop, n)
        assert (decided in (200, 409), withdrawn) == (True, 201)
        assert shop.sums()["certified"] == 0


@pytest.mark.control
def test_who_decides_and_locks_the_outlet_last_waits_for_a_till_that_waits_for_him(shop: Shop, monkeypatch):
    """The control: tills lock the outlet first, and then what is held."""
    lock = deciding.lock
    held_up = set()

    def last(session, hold_id):
        if session in held_up:
            lock(session, hold_id)
        held_up.add(session)

    monkeypatch.setattr(deciding, "lock", last)
    assert any(503 in correct_while_it_is_decided(shop, n) for n in range(40))


def ask_at_once(shop: Shop) -> tuple[list[int], int]:
    """Six officers ask for a file of which much counts to be taken back. Returns their answers' statuses, and how many doubts there are."""
    row = f"{shop.outlet.external_number},F1,{clock.today() - timedelta(days=1)} 10:00,G1,2001,50025.00,,"
    people = [signed_in(shop.api, Role.CITY_OFFICER) for _ in range(6)]
    [made] = send(people[0], [row]).json()["batch_ids"]
    asked = {"ids": [made], "reason": "整批误报"}
    answers = at_once([lambda each=each: each.post("/v1/sales-batches/take-back", json=asked) for each in people])
    with shop.database.unit_of_work() as session:
        holds = session.execute(text("SELECT count(*) FROM counting_hold WHERE status = 'open'")).scalar_one()
    return sorted(answer.status_code for answer in answers), holds


def test_a_file_is_asked_to_be_taken_back_once_however_many_do(shop: Shop):
    assert ask_at_once(shop) == ([200] + [409] * 5, 1)


@pytest.mark.control
def test_without_the_lock_several_ask_for_it(shop: Shop, monkeypatch):
    """The control: the outlet's lock, and beside it the name of what is asked for."""
    monkeypatch.setattr(taking, "lock", lambda *_: None)
    with shop.database.unit_of_work() as session:
        session.execute(text("ALTER TABLE sales_batch DROP CONSTRAINT uq_sales_batch_outlet_id_batch_id"))
    answers, holds = ask_at_once(shop)
    assert answers.count(200) == holds > 1


def hold_while_its_sale_comes(shop: Shop, n: int) -> int:
    """A refund has waited too long; its sale comes in the moment in which it is held. Returns how many refunds are to be decided that have given back."""
    shop.send(shop.till.batch([sale(f"r{n}", "G1", 1, refunds_line_id=f"s{n}")]))
    with shop.database.unit_of_work() as session:
        session.execute(text("UPDATE sales_batch SET received_at = received_at - interval '40 days'"))
    client, batch = shop.client(), shop.till.batch([sale(f"s{n}", "G1", 3)])

    def hold() -> None:
        with shop.database.unit_of_work() as session:
            waiting.hold_old(session)
            time.sleep(0.1)

    at_once([hold, hold, lambda: client.post("/v1/sales-batches", json=batch)])
    with shop.database.unit_of_work() as session:
        torn = (
            "SELECT count(*) FROM counting_hold h JOIN sales_batch_line l ON l.id = h.subject_id"
            " WHERE h.status = 'open' AND (l.status <> 'held' OR l.correction_ids <> '{}')"
        )
        return session.execute(text(torn)).scalar_one()


@pytest.mark.slow
def test_a_refund_that_is_held_while_its_sale_comes_gives_back_once(shop: Shop):
    for n in range(8):
        assert hold_while_its_sale_comes(shop, n) == 0
        assert shop.sums()["certified"] == 5000 * (n + 1)
    with shop.database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM counting_hold WHERE status = 'open'")).scalar_one() == 0


@pytest.mark.control
def test_without_the_lock_a_refund_is_held_that_has_given_back(shop: Shop, monkeypatch):
    """The control of the test above."""
    monkeypatch.setattr(taking, "lock", lambda *_: None)
    assert any(hold_while_its_sale_comes(shop, n) for n in range(20))


def test_days_are_added_to_by_many_at_once(shop: Shop):
    day = clock.today() - timedelta(days=1)

    def add() -> None:
        with shop.database.unit_of_work() as session:
            add_to_days(session, [(shop.outlet.id, day, "other", 100, 0, 1)])

    at_once([add] * 15)
    with shop.database.unit_of_work() as session:
        for table in ("outlet_day", "outlet_ten_days", "outlet_month", "outlet_year"):
            assert session.execute(text(f"SELECT other_fen, lines FROM {table}")).one() == (1500, 15)
