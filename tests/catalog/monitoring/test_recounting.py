"""What is certified is kept by county, and is at any moment what a recount of the lists says."""

import os
import random
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import text

from catalog.monitoring.actions import recounting
from catalog.monitoring.queries import counting, history, kept, stock
from catalog.monitoring.schemas import Grain, StockKey
from shop.core import clock, sealing
from tests.catalog.conftest import COUNTY, MONDAY
from tests.catalog.monitoring.test_figures import ask, certified
from tests.factories.identity import make_supplier

GROUPS = ([], [StockKey.COUNTY], [StockKey.CATEGORY], [StockKey.COUNTY, StockKey.CATEGORY], [StockKey.CATEGORY, StockKey.COUNTY])
#: What of today alone is kept.
MORE = [[*county, key] for key in (StockKey.BATCH, StockKey.STATE, StockKey.KIND) for county in ([], [StockKey.COUNTY])]


def recount(session, by, within, district, on=None, *, any_state=False):
    """The same from the lists, as whoever reads is told it."""
    rows = counting.counted(session, within, by, on or clock.today(), district, any_state=any_state)
    return [stock.with_people(row) for row in rows]


def wrong(session):
    """Questions whose answer is not that of a recount."""
    today = clock.today()
    questions = [
        *((by, today, False) for by in (*GROUPS, *MORE)),
        *((by, today - timedelta(days=back), False) for by in GROUPS for back in (1, 3, 10, 40)),
        *(([], today - timedelta(days=back), True) for back in (0, 3)),
    ]
    return [
        (by, day, any_state, within, district)
        for by, day, any_state in questions
        for within, district in ((["%"], None), ([f"{COUNTY}%"], None), (["%"], COUNTY))
        if stock.stock_rows(session, within, by, day, district, any_state=any_state)
        != recount(session, by, within, district, day, any_state=any_state)
    ]


def change(session, dice):
    """Something that may change the stock of a county."""
    certificate = session.execute(text("SELECT id, case_id, product_id, district_code FROM certificate ORDER BY id")).all()
    one = dice.choice(certificate)
    match dice.randrange(6):
        case 0:
            person, home = dice.randrange(8), dice.randrange(4)
            session.execute(
                text(
                    "INSERT INTO household_member (case_id, person_hash, household_hash, sealed, mode, created_at)"
                    " VALUES (:case, :person, :home, '', 'employment', now()) ON CONFLICT DO NOTHING"
                ),
                {
                    "case": one.case_id,
                    "person": sealing.keyed_hash("person", str(person)),
                    "home": sealing.keyed_hash("household", one.district_code, str(home)),
                },
            )
        case 1:
            delete = "DELETE FROM household_member WHERE id = (SELECT min(id) FROM household_member WHERE case_id = :id)"
            session.execute(text(delete), {"id": one.case_id})
        case 2:
            session.execute(
                text("UPDATE product SET category = :category WHERE id = :id"),
                {"category": dice.choice(["fruit", "honey", "tea"]), "id": one.product_id},
            )
        case 3:
            until = clock.today() + timedelta(days=dice.randrange(-3, 9))
            column = dice.choice(["valid_until", "papers_valid_until"])
            session.execute(
                text(f"UPDATE certificate SET {column} = greatest(valid_from, :until) WHERE id = :id"),
                {"until": until, "id": one.id},
            )
        case 4:
            kind = dice.choice(["suspended", "reinstated", "held", "released"])
            until = clock.now() + timedelta(days=dice.randrange(1, 4)) if kind == "suspended" else None
            session.execute(
                text(
                    "INSERT INTO certificate_event (certificate_id, kind, at, until, actor_role) VALUES (:id, :kind, :at, :until, 'x')"
                ),
                {"id": one.id, "kind": kind, "at": clock.now(), "until": until},
            )
        case _:
            session.execute(
                text("UPDATE certificate SET households = :h, persons = :p WHERE id = :id"),
                {"h": dice.randrange(9), "p": dice.randrange(9), "id": one.id},
            )


@pytest.fixture
def counties(office):
    """Certificates of two counties, of one supplier that has some in both."""
    for category in ("fruit", "honey", "fruit"):
        certified(office, category=category)
    with office.database.unit_of_work() as session:
        office.supplier = make_supplier(session, "500240")
    for people in ((), [("F1", "甲"), ("F1", "乙")]):
        certified(office, people=people)
    return office.database


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_any_course_of_changes_leaves_what_a_recount_says(counties, on, seed):
    dice, day = random.Random(seed), MONDAY.date()
    held = 0
    for _ in range(20):
        if dice.random() < 0.3:
            day += timedelta(days=dice.randrange(1, 3))
            on(day.year, day.month, day.day)
        with counties.unit_of_work() as session:
            for _ in range(dice.randrange(3)):
                change(session, dice)
        with counties.unit_of_work() as session:
            assert wrong(session) == [], (seed, day)
        if dice.random() < 0.6:
            with counties.unit_of_work() as session:
                recounting.recount(session)
            with counties.unit_of_work() as session:
                cells, lists = kept.kept_and_counted(session)
                assert cells == lists
                held += len(cells)
                assert wrong(session) == [], (seed, day)
    assert held


def test_what_is_kept_is_read_and_nothing_is_counted(counties, office, monkeypatch):
    with counties.unit_of_work() as session:
        assert recounting.recount(session) == 2
    with counties.unit_of_work() as session:
        assert recounting.recount(session) == 0
        for module, name in ((stock, "counted"), (kept, "counted"), (kept, "by_day")):
            monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("counted from the lists"))
        today = clock.today()
        asked = [*((by, today) for by in (*GROUPS, *MORE)), *((by, today - timedelta(days=9)) for by in GROUPS)]
        assert not [by for by, day in asked if not stock.stock_rows(session, ["%"], by, day)]
    assert ask(office, "stock", "city", group_by="county")["totals"]["certificates"] == 5


@pytest.mark.parametrize("guarded", [True, False], ids=["touched before the count", "control: all"])
def test_what_is_committed_during_a_count_is_not_lost(counties, monkeypatch, guarded):
    """The control takes away at the end whatever says that something was touched, and so what says it of a change which the count has not seen."""
    with counties.unit_of_work() as session:
        recounting.recount(session)
        session.execute(text("INSERT INTO certified_stock_touched (district_code) VALUES (:county)"), {"county": COUNTY})

    by_each = recounting.by_each

    def change_behind(session, county):
        rows = by_each(session, county)
        with counties.unit_of_work() as other:
            other.execute(
                text("UPDATE certificate SET households = households + 1 WHERE district_code = :county"), {"county": COUNTY}
            )
        return rows

    monkeypatch.setattr(recounting, "by_each", change_behind)
    with counties.unit_of_work() as session:
        assert recounting.recount(session) == 1
        if not guarded:
            session.execute(text("DELETE FROM certified_stock_touched"))
    with counties.unit_of_work() as session:
        assert (wrong(session) == []) is guarded


def test_a_suspension_ends_by_itself(counties, on):
    day = MONDAY.date()
    on(day.year, day.month, day.day)
    with counties.unit_of_work() as session:
        session.execute(
            text(
                "INSERT INTO certificate_event (certificate_id, kind, at, until, actor_role)"
                " SELECT id, 'suspended', :now, :until, 'x' FROM certificate WHERE district_code = :county"
            ),
            {"now": clock.now() - timedelta(hours=1), "until": clock.now() + timedelta(days=3), "county": COUNTY},
        )
        certificates = stock.stock_rows(session, ["%"], [], clock.today())[0]["certificates"]
    with counties.unit_of_work() as session:
        recounting.recount(session)
    day += timedelta(days=4)
    on(day.year, day.month, day.day)
    with counties.unit_of_work() as session:
        assert stock.stock_rows(session, ["%"], [], day)[0]["certificates"] > certificates
        assert wrong(session) == []


def test_the_reconciliation_finds_what_is_not_as_the_lists_say(counties):
    from orders.reconcile.checks.certified import CERTIFICATES

    [check] = [each for each in CERTIFICATES if each.name == "certified_stock"]
    with counties.unit_of_work() as session:
        recounting.recount(session)
        assert check.find(session, 5) == (0, [])
        session.execute(text("UPDATE certified_stock SET persons_stated = persons_stated + 1 WHERE value = 'honey'"))
        session.execute(text("UPDATE certified_stock_day SET persons_stated = persons_stated + 1 WHERE category = 'honey'"))
        count, found = check.find(session, 5)
    yesterday = clock.today() - timedelta(days=1)
    assert (count, [each.subject for each in found]) == (
        3,
        [f"certified_stock {COUNTY} {name} honey" for name in (clock.today() - timedelta(days=30), yesterday, "category")],
    )
    with counties.unit_of_work() as session:
        assert recounting.rebuild(session) == 2
        assert check.find(session, 5) == (0, [])


@pytest.mark.parametrize("seed", range(3))
def test_the_past_is_what_each_of_its_days_says(counties, on, seed):
    dice, day = random.Random(seed), MONDAY.date()
    for _ in range(12):
        on(day.year, day.month, day.day)
        with counties.unit_of_work() as session:
            change(session, dice)
        day += timedelta(days=dice.randrange(1, 20))
    on(day.year, day.month, day.day)
    days = history.ends(MONDAY.date() - timedelta(days=90), day, Grain.MONTH)
    with counties.unit_of_work() as session:
        past = history.history(session, days)
        for place, end in enumerate(days):
            cells, once = past.at(place)
            for within, district in ((["%"], None), ([f"{COUNTY}%"], None), (["%"], COUNTY)):
                [total] = recount(session, [], within, district, end)
                assert past.totals(within, district)[place] == total, (seed, end)
            assert list(cells) == [(row["county"], row["category"]) for row in recount(session, GROUPS[3], ["%"], None, end)]
            for by, found in ((GROUPS[3], cells.values()), (GROUPS[1], once.values())):
                rows = recount(session, by, ["%"], None, end)
                assert [{name: row[name] for name in want} for row, want in zip(found, rows, strict=True)] == rows


@pytest.mark.slow
def test_a_process_of_its_own_counts_all_of_it(counties):
    """As `shop rebuild` does, which has read nothing of the program before."""
    env = {**os.environ, "SHOP_DATABASE_URL": counties.url}
    done = subprocess.run(
        [sys.executable, "-m", "shop.cli", "rebuild"], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "what is certified in 2 counties"
    with counties.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM certified_stock_county")).scalar_one() == 2
        assert wrong(session) == []
