"""Sums of counties by day and month: they say what the days of their outlets say, in whatever moment somebody looks."""

import re
import threading
import time
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from orders.outlet_sales import queries
from orders.outlet_sales.actions import counties, days
from orders.outlet_sales.actions.counties import take_over
from orders.outlet_sales.actions.days import add_to_days
from orders.outlets.actions import registering
from orders.outlets.errors import PlaceFixed
from orders.outlets.queries import Filters
from orders.outlets.schemas.outlets import OutletIn
from orders.outlets.states import OutletKind
from orders.reconcile.checks.outlets import OUTLETS
from shop.core import clock
from shop.core.errors import any_version
from shop.identity import tokens
from shop.identity.models import Organisation
from shop.identity.permissions import Role
from tests.factories.identity import make_user
from tests.factories.outlets import make_outlet
from tests.factories.racing import at_once
from tests.orders.outlet_sales.test_kept_sums import FIRST, TABLES, TODAY
from tests.orders.outlet_sales.test_kept_sums import days as some_days

PLACES = (("500236", "hall"), ("500240", "cabinet"), ("500240", "cabinet"), ("500240", "zone"))
#: Outlet, day, what it is, fen, grams, whether it is taken away again later, and how many waiting rows are taken over then.
sales = st.lists(
    st.tuples(
        st.integers(0, 3),
        some_days,
        st.sampled_from(["counted", "other", "resale"]),
        st.integers(0, 900),
        st.integers(0, 900),
        st.booleans(),
        st.sampled_from([0, 0, 1, 3, 100]),
    ),
    min_size=1,
    max_size=25,
)


@pytest.fixture
def ground(database):
    """Outlets in two counties, and who follows their sales: a monitor of the city, an officer of a county."""
    with clock.fixed(datetime(2026, 3, 18, 12, tzinfo=ZoneInfo("Asia/Shanghai"))), database.unit_of_work() as session:
        clerk = make_user(session, Role.CITY_OFFICER)
        outlets = [make_outlet(session, clerk, region_code=code, kind=kind) for code, kind in PLACES]
        people = [make_user(session, Role.MONITOR), make_user(session, Role.COUNTY_OFFICER, region_code="500240")]
        yield session, outlets, [tokens.actor_of_user(session, each.id) for each in people]


def answers(session, actor, first, last, **filters):
    """By day and month: of sums by county, and of each outlet's own, which are read once somebody asks for places of a kind; all are of that."""
    found = []
    for asked in (Filters(**filters), Filters(**filters, venue="other")):
        shown = [
            queries.sales(session, actor, group, asked, first=first, last=last, limit=5000, after=None)
            for group in ("day", "month")
        ]
        found.append([(each.totals, each.items) for each in shown])
    return found


def differences(session):
    return [check.name for check in OUTLETS if check.name.startswith("county_") and check.find(session, 5)[0]]


@pytest.mark.slow
def test_they_say_what_the_outlets_say_before_and_after_they_take_over(ground):
    session, outlets, [monitor, officer] = ground

    @settings(max_examples=30)
    @given(sales, some_days, some_days)
    def run(rows, one, two):
        first, last = sorted((one, two))
        session.execute(text(f"TRUNCATE {', '.join(TABLES)}"))

        def look():
            assert differences(session) == []
            for actor, filters in (
                (monitor, {}),
                (monitor, {"region": "500240"}),
                (monitor, {"kind": OutletKind.CABINET}),
                (officer, {}),
                (officer, {"region": "500240", "kind": OutletKind.ZONE}),
            ):
                kept, each = answers(session, actor, first, last, **filters)
                assert kept == each

        for n, day, kind, fen, grams, _, taken in rows:
            add_to_days(session, [(outlets[n].id, day, kind, fen, grams, 1)])
            take_over(session, taken)
        look()
        gone = [row for row in rows if row[5]]
        add_to_days(session, [(outlets[n].id, day, kind, -fen, -grams, -1) for n, day, kind, fen, grams, *_ in gone])
        look()
        take_over(session, 1)
        look()
        take_over(session)
        look()
        assert session.execute(text("SELECT FROM county_pending_day UNION ALL SELECT FROM county_pending_month")).all() == []

    run()


def test_outlets_are_told_by_the_month_once_and_no_more_once_their_sales_are_gone(ground):
    session, outlets, [monitor, _] = ground
    may = [date(2025, 5, day) for day in (1, 2)]
    for n, day in ((1, may[0]), (1, may[1]), (2, may[1])):
        add_to_days(session, [(outlets[n].id, day, "counted", 100, 0, 1)])

    def told(group):
        found = queries.sales(
            session, monitor, group, Filters(), first=date(2025, 5, 1), last=date(2025, 5, 31), limit=50, after=None
        )
        return [(row.key[5:], row.outlets) for row in found.items]

    assert (told("day"), told("month")) == ([("05-01", 1), ("05-02", 2)], [("05", 2)])
    take_over(session)
    # a refund takes money back, and is no sale that never was
    add_to_days(session, [(outlets[1].id, may[0], "counted", -100, 0, 0), (outlets[2].id, may[1], "counted", -100, 0, -1)])
    assert (told("day"), told("month")) == ([("05-01", 1), ("05-02", 1)], [("05", 1)])
    add_to_days(session, [(outlets[1].id, may[0], "counted", 0, 0, -1)])
    assert (told("day"), told("month")) == ([("05-02", 1)], [("05", 1)])


def reads(session, actor, filters):
    """The tables that an answer by day reads."""
    read = []
    event.listen(session.connection(), "before_cursor_execute", lambda *of: read.append(of[2]))
    queries.sales(session, actor, "day", filters, first=FIRST, last=TODAY, limit=50, after=None)
    return set(re.findall(r"FROM ((?:outlet|county)_\w+)", read[-1]))


def test_whole_counties_are_read_as_such_and_anything_else_by_outlet(ground):
    session, outlets, people = ground
    operator = make_user(session, Role.OUTLET_OPERATOR, session.get_one(Organisation, outlets[0].operator_id))
    for actor in people:
        for filters in (Filters(), Filters(kind=OutletKind.HALL), Filters(region="500240"), Filters("zone", region="5")):
            assert reads(session, actor, filters) == {"county_day", "county_pending_day"}
        for filters in (Filters(q="x"), Filters(online=True), Filters(operator_id=1, kind=OutletKind.HALL)):
            assert reads(session, actor, filters) == {"outlet_day"}
    assert reads(session, tokens.actor_of_user(session, operator.id), Filters()) == {"outlet_day"}


@pytest.fixture
def counter(database):
    """Outlets of one county, and a monitor, on a day that is held."""
    with clock.fixed(datetime(2026, 3, 18, 12, tzinfo=ZoneInfo("Asia/Shanghai"))):
        with database.unit_of_work() as session:
            clerk = make_user(session, Role.CITY_OFFICER)
            ids = [make_outlet(session, clerk, region_code="500240").id for _ in range(4)]
            monitor = tokens.actor_of_user(session, make_user(session, Role.MONITOR).id)
        yield database, ids, monitor


def sell_and_look(database, ids, monitor, move):
    """Six sell at outlets of one county on the same days and take some of it away again, one takes over, one looks. Returns how many looks found a
    difference, and how many there were; and what differs in the end."""
    over, looks = threading.Event(), []

    def sell(n):
        for k in range(20):
            sold = [(outlet_id, TODAY - timedelta(days=(n + k) % 3), "other", 100, 0, 1) for outlet_id in ids[k % 3 :]]
            if k % 4 == 3:
                sold = [(outlet_id, day, kind, -fen, 0, -1) for outlet_id, day, kind, fen, _, _ in sold]
            with database.unit_of_work() as session:
                add_to_days(session, sold)

    def sell_all():
        try:
            at_once([partial(sell, n) for n in range(6)])
        finally:
            over.set()

    def take():
        while not over.is_set():
            with database.unit_of_work() as session:
                move(session, 7)

    def look():
        while not over.is_set():
            with database.session() as session:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
                kept, each = answers(session, monitor, TODAY - timedelta(days=3), TODAY)
                looks.append(kept != each)

    at_once([sell_all, take, look])
    with database.unit_of_work() as session:
        while take_over(session):
            pass
        return sum(looks), len(looks), differences(session)


@pytest.mark.slow
def test_whoever_looks_while_many_sell_and_sums_are_taken_over_finds_each_sale_once(counter):
    wrong, looked, left = sell_and_look(*counter, take_over)
    assert (wrong, left) == (0, [])
    assert looked > 3


@pytest.mark.control
def test_without_what_waits_a_look_misses_sales(counter, monkeypatch):
    """The control: sums alone are not all that was sold."""
    monkeypatch.setattr(queries, "_COUNTIES", ("county",))
    wrong, _, left = sell_and_look(*counter, take_over)
    assert wrong > 0
    assert left == []


@pytest.mark.control
def test_what_is_read_first_and_removed_then_is_lost(counter):
    """The control: what is taken over is what was removed, in one statement."""

    def move(session, _):
        for unit in ("day", "month"):
            taken = str(counties._take_over(unit)).replace("DELETE FROM", "SELECT * FROM").partition("RETURNING")
            rest = taken[2].partition(")")[2]
            session.execute(text(f"{taken[0]}) {rest}"), {"most": 1_000})
            time.sleep(0.02)
            session.execute(text(f"DELETE FROM county_pending_{unit}"))

    assert sell_and_look(*counter, move)[2] == ["county_days", "county_months"]


def not_verified(database, outlet_id):
    """An outlet that nobody has verified, and its operator."""
    with database.unit_of_work() as session:
        session.execute(
            text("UPDATE outlet SET status = 'registered', verified_at = NULL, verified_by = NULL WHERE id = :id"),
            {"id": outlet_id},
        )
        operator = session.execute(text("SELECT operator_id FROM outlet WHERE id = :id"), {"id": outlet_id}).scalar_one()
        user = make_user(session, Role.OUTLET_OPERATOR, session.get_one(Organisation, operator))
        return tokens.actor_of_user(session, user.id)


def sell_while_it_moves(database, outlet_id):
    """Sales of an outlet that nobody has verified are counted in the moment in which it moves to another county. Returns what differs then."""
    actor, moved = not_verified(database, outlet_id), threading.Event()
    body = OutletIn(
        external_number="D",
        kind="zone",
        name="专区",
        region_code="500236",
        address="某路",
        venue="other",
        opened_on=date(2026, 1, 1),
    )

    def move():
        with database.unit_of_work() as session:
            registering.edit(session, actor, outlet_id, body, any_version)
            moved.set()
            time.sleep(0.5)

    def sell():
        moved.wait()
        with database.unit_of_work() as session:
            add_to_days(session, [(outlet_id, TODAY, "other", 100, 0, 1)])

    at_once([move, sell])
    with database.unit_of_work() as session:
        with pytest.raises(PlaceFixed):
            registering.edit(session, actor, outlet_id, body.model_copy(update={"region_code": "500240"}), any_version)
        return differences(session)


def test_an_outlet_that_moves_sells_where_it_is_then_and_stays_there(counter):
    database, [outlet_id, *_], _ = counter
    assert sell_while_it_moves(database, outlet_id) == []


@pytest.mark.control
def test_without_a_look_at_its_place_it_sells_where_it_was(counter, monkeypatch):
    """The control: the sale waits for whoever changes the outlet before it reads where that stands."""
    monkeypatch.setattr(days, "_ADD", text(str(days._ADD).replace("FOR KEY SHARE", "")))
    database, [outlet_id, *_], _ = counter
    assert sell_while_it_moves(database, outlet_id) == ["county_days", "county_months"]


def test_an_outlet_moves_as_long_as_it_has_not_sold(counter):
    """While sales of it are being counted, it is waited for."""
    database, [outlet_id, *_], _ = counter
    actor = not_verified(database, outlet_id)
    body = OutletIn(external_number="D", kind="hall", name="专馆", region_code="500240", address="某路", opened_on=date(2026, 1, 1))
    with database.unit_of_work() as session:
        registering.edit(session, actor, outlet_id, body, any_version)
    counted = threading.Event()

    def sell():
        with database.unit_of_work() as session:
            add_to_days(session, [(outlet_id, TODAY, "other", 100, 0, 1)])
            counted.set()
            time.sleep(0.3)

    def move():
        counted.wait()
        with database.unit_of_work() as session, pytest.raises(PlaceFixed):
            registering.edit(session, actor, outlet_id, body.model_copy(update={"kind": OutletKind.ZONE}), any_version)

    at_once([sell, move])
    with database.unit_of_work() as session:
        renamed = body.model_copy(update={"name": "新名"})
        registering.edit(session, actor, outlet_id, renamed, any_version)
        assert differences(session) == []
