"""How old open amounts are, against a simple telling: what goes off is taken off the oldest first, order by order."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from orders.money import actions as money
from orders.money.queries import open_items
from orders.money.rules import Account, Kind, Place, carry
from shop.core import clock
from shop.identity import tokens
from tests.factories.money import make_till

START = datetime(2026, 3, 1, 4, tzinfo=UTC)
BUCKETS = ("days_0_30", "days_31_60", "days_61_90", "days_over_90")


@pytest.fixture
def till(api, database):
    return make_till(api, database)


def seen(database, till, who="cashier", **asked):
    with database.unit_of_work() as session:
        actor = tokens.actor_of_user(session, till.people[who].id)
        return open_items.ageing(session, actor, **{"side": "receivable", "limit": 200, **asked})


def test_the_oldest_is_paid_first(till, database):
    first, second = till.order(1)["id"], till.order(1)["id"]
    school = till.market.school.id
    with database.unit_of_work() as session:
        for number, (day, order, fen) in enumerate(
            [(0, first, 100), (40, first, 50), (65, second, 30), (99, first, 7), (100, first, -120), (100, second, -31)]
        ):
            with clock.fixed(START + timedelta(days=day)):
                place = Place(Account.RECEIVABLE, school, order)
                money.book(session, Kind.BANK_ENTRY, number, carry(fen, to=place, out_of=Place(Account.BANK)))
    day = clock.shanghai_date(START) + timedelta(days=100)
    [line] = seen(database, till, as_of=day).items
    assert [getattr(line, name) for name in BUCKETS] == [7, 30, 0, 0]
    assert (line.open, line.credit, line.balance, line.oldest_on) == (37, 1, 36, day - timedelta(days=60))
    [before] = seen(database, till, as_of=day - timedelta(days=1)).items
    assert [getattr(before, name) for name in BUCKETS] == [7, 80, 0, 100]
    assert (before.credit, before.oldest_on) == (0, clock.shanghai_date(START))
    assert seen(database, till, as_of=clock.shanghai_date(START) - timedelta(days=1)).items == []


def test_a_correction_does_not_make_a_debt_young(till, database):
    """Everything is taken back and booked anew on one day: what is left is as old as it was."""
    order = till.order(1)["id"]
    with database.unit_of_work() as session:
        for number, (day, fen) in enumerate([(0, 100), (95, -100), (95, 90)]):
            with clock.fixed(START + timedelta(days=day)):
                place = Place(Account.RECEIVABLE, till.market.school.id, order)
                money.book(session, Kind.BANK_ENTRY, number, carry(fen, to=place, out_of=Place(Account.BANK)))
    [line] = seen(database, till, as_of=clock.shanghai_date(START) + timedelta(days=95)).items
    assert (line.days_over_90, line.open) == (90, 90)


def told(entries, as_of):
    """Party -> its four buckets and its credit, by the simplest means: coins in a row, taken away from the front."""
    found = defaultdict(lambda: [0, 0, 0, 0, 0])
    by_item = defaultdict(lambda: defaultdict(int))
    for day, party, item, fen in entries:
        if day <= as_of:
            by_item[party, item][day] += fen
    for (party, _), days in by_item.items():
        coins = [day for day, fen in sorted(days.items()) for _ in range(max(fen, 0))]
        taken = sum(-fen for fen in days.values() if fen < 0)
        found[party][4] += max(taken - len(coins), 0)
        for day in coins[taken:]:
            age = (as_of - day).days
            found[party][0 if age <= 30 else 1 if age <= 60 else 2 if age <= 90 else 3] += 1
    return {party: values for party, values in found.items() if any(values)}


@pytest.mark.parametrize("seed", range(4))
def test_any_books(till, database, seed):
    """Three parties, four orders, sixty bookings on any days."""
    chance = random.Random(seed)
    orders = [till.order(1)["id"] for _ in range(4)]
    parties = [till.market.school.id, *(supplier.id for supplier in till.market.suppliers)]
    entries = []
    with database.unit_of_work() as session:
        for number in range(60):
            day, party, order = chance.randint(0, 130), chance.choice(parties), chance.choice(orders)
            fen = chance.choice([1, 2, 5, 9, -1, -3, -6])
            with clock.fixed(START + timedelta(days=day)):
                place = Place(Account.RECEIVABLE, party, order)
                money.book(session, Kind.BANK_ENTRY, number, carry(fen, to=place, out_of=Place(Account.BANK)))
                entries.append((clock.today(), party, order, fen))
    for days in (0, 31, 64, 100, 131):
        as_of = clock.shanghai_date(START) + timedelta(days=days)
        found = seen(database, till, as_of=as_of)
        expected = told(entries, as_of)
        lines = {line.party_id: [*(getattr(line, name) for name in BUCKETS), line.credit] for line in found.items}
        assert lines == expected
        ages = [line.oldest_on for line in found.items if line.oldest_on]
        assert ages == sorted(ages)
        assert all(line.open - line.credit == line.balance for line in found.items)
        assert [getattr(found.totals, name) for name in (*BUCKETS, "credit")] == [
            sum(each[i] for each in expected.values()) for i in range(5)
        ]
        paged, after = [], None
        for _ in expected:
            page = seen(database, till, as_of=as_of, limit=1, after=after)
            assert page.totals == found.totals
            paged += page.items
            after = page.next
        assert (paged, after) == (found.items, None)


def test_what_suppliers_are_owed_is_counted_the_other_way(till, database):
    part = till.order(1)["supplier_orders"][0]["id"]
    with database.unit_of_work() as session:
        supplier = till.market.suppliers[0].id
        with clock.fixed(START):
            place = Place(Account.PAYABLE, supplier, None, part)
            money.book(session, Kind.BANK_ENTRY, 1, carry(100, to=Place(Account.BANK), out_of=place))
        with clock.fixed(START + timedelta(days=10)):
            money.book(session, Kind.BANK_ENTRY, 2, carry(30, to=place, out_of=Place(Account.BANK)))
    day = clock.shanghai_date(START) + timedelta(days=91)
    [line] = seen(database, till, side="payable", as_of=day).items
    assert (line.party_id, line.days_over_90, line.open, line.balance) == (supplier, 70, 70, 70)
    assert seen(database, till, who="finance", side="payable", as_of=day).items == []
    assert seen(database, till, side="payable", as_of=day, party_id=till.market.school.id).items == []


def test_over_http(till, database):
    order = till.order(10)["id"]
    till.pay(order, "1.00")
    found = till.as_("finance").get("/v1/money/ageing").json()
    [line] = found["items"]
    assert (line["credit"], line["balance"], line["oldest_on"], line["party_name"]) == ("1.00", "-1.00", None, "沙坪坝中学")
    assert (found["side"], found["as_of"], found["totals"]["balance"]) == ("receivable", str(clock.today()), "-1.00")
    assert till.as_("seller").get("/v1/money/ageing").json()["items"] == []
    assert till.as_("finance").get("/v1/money/ageing?side=both").status_code == 422
    assert till.as_("finance").get("/v1/money/ageing?as_of=2026-13-01").status_code == 422
    assert till.as_("finance").get("/v1/money/ageing?as_of=2020-01-01").json()["items"] == []
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM money_transaction")).scalar_one() == 1
