"""Months and years of outlets, and figures that are read from them: they say what the days say, over any period."""

from collections import defaultdict
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from orders.outlet_sales import queries
from orders.outlet_sales.actions.days import add_to_days
from orders.outlets.queries import Filters
from orders.panels.queries import supply
from orders.panels.queries.supply import OutletKey
from orders.reconcile.checks.outlets import OUTLETS
from orders.statistics.rules import same_period_last_year
from shop.core import clock
from shop.identity import tokens
from shop.identity.permissions import Role
from tests.factories.identity import make_user
from tests.factories.outlets import make_outlet

TABLES = (
    *("outlet_day", "outlet_ten_days", "outlet_month", "outlet_year"),
    *("county_day", "county_month", "county_pending_day", "county_pending_month"),
)
TODAY = date(2026, 3, 18)
FIRST = date(2024, 12, 20)
days = st.dates(FIRST, TODAY)
#: Outlet, day, what it is, fen, grams.
sold = st.lists(
    st.tuples(
        st.integers(0, 2), days, st.sampled_from(["counted", "other", "resale"]), st.integers(-300, 900), st.integers(0, 900)
    ),
    min_size=1,
    max_size=25,
)


@pytest.fixture
def ground(database):
    with clock.fixed(datetime(2026, 3, 18, 12, tzinfo=ZoneInfo("Asia/Shanghai"))), database.unit_of_work() as session:
        clerk = make_user(session, Role.CITY_OFFICER)
        outlets = [
            make_outlet(session, clerk, region_code=code, kind=kind)
            for code, kind in (("500236", "hall"), ("500240", "cabinet"), ("500240", "zone"))
        ]
        session.execute(
            text("UPDATE outlet SET opened_on = '2024-01-01', registered_at = '2024-01-01', verified_at = '2024-01-01'")
        )
        yield session, outlets, tokens.actor_of_user(session, make_user(session, Role.MONITOR).id)


def _told(lines):
    return (
        len({n for n, *_ in lines}),
        sum(fen for _, kind, fen, _ in lines if kind == "counted"),
        sum(fen for _, kind, fen, _ in lines if kind == "other"),
        sum(grams for _, kind, _, grams in lines if kind == "counted"),
    )


@pytest.mark.slow
def test_figures_over_any_period_are_those_of_its_days(ground):
    session, outlets, monitor = ground

    def recounted(rows, first, last, key):
        found = defaultdict(list)
        for n, day, *of in rows:
            if first <= day <= last:
                found[key(outlets[n], day)].append((n, *of))
        return {group: _told(each) for group, each in found.items()}

    @settings(max_examples=150)
    @given(sold, days, days)
    def run(rows, one, two):
        first, last = sorted((one, two))
        session.execute(text(f"TRUNCATE {', '.join(TABLES)}"))
        for n, day, kind, fen, grams in rows:
            add_to_days(session, [(outlets[n].id, day, kind, fen, grams, 1)])
        kept = ("outlet_ten_days", "outlet_months", "outlet_years", "county_days", "county_months")
        assert not [check.name for check in OUTLETS if check.name in kept and check.find(session, 5)[0]]
        panel = supply.outlets(session, "zh", by=[OutletKey.COUNTY], on=TODAY, first=first, last=last)
        shown = {
            row["county"]: (row["active"], row["certified"], row["other"], row["weight"]) for row in panel.rows if row["active"]
        }
        assert shown == recounted(rows, first, last, lambda outlet, _: outlet.region_code)
        for group, key in (
            ("county", lambda outlet, _: outlet.region_code),
            ("month", lambda _, day: f"{day:%Y-%m}"),
            ("outlet", lambda outlet, _: outlet.number),
            ("day", lambda _, day: str(day)),
        ):
            found = queries.sales(session, monitor, group, Filters(), first=first, last=last, limit=5000, after=None).items
            assert {row.key: (row.outlets, row.certified, row.other, row.grams) for row in found if row.lines} == recounted(
                rows, first, last, key
            )
            before = recounted(rows, *same_period_last_year(first, last), key)
            assert sum(row.certified_a_year_before for row in found) == sum(certified for _, certified, *_ in before.values())

    run()


def test_an_outlet_that_sold_on_several_days_of_a_month_is_one(ground):
    """Also where of the month nothing but these days is asked for."""
    session, outlets, monitor = ground
    for day in (1, 2):
        add_to_days(session, [(outlets[0].id, date(2025, 2, day), "counted", 100, 0, 1)])
    asked = {"first": date(2024, 12, 20), "last": date(2025, 2, 2), "limit": 50, "after": None}
    [row] = queries.sales(session, monitor, "month", Filters(), **asked).items
    assert (row.key, row.outlets, row.certified) == ("2025-02", 1, 200)
    # nor is it two where only days are read, or years
    add_to_days(session, [(outlets[0].id, date(2024, 1, 5), "counted", 100, 0, 1)])
    for first, last, fen in ((date(2025, 2, 1), date(2025, 2, 2), 200), (date(2024, 1, 1), TODAY, 300)):
        [row] = queries.sales(session, monitor, "county", Filters(), first=first, last=last, limit=50, after=None).items
        assert (row.outlets, row.certified) == (1, fen)


def test_a_period_up_to_today_reads_years_alone(ground):
    for first in (date(2026, 1, 1), date(2024, 1, 1)):
        sql, _ = queries.sold_over(first, TODAY)
        assert "outlet_year" in sql
        assert not {name for name in ("outlet_month", "outlet_ten_days", "outlet_day") if name in sql}
