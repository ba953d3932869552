"""Few households are told to nobody who may not read their lists, whichever figures are subtracted from one another."""

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.monitoring import showing
from catalog.monitoring.protection import TABLES, told
from catalog.monitoring.queries.stock import EVERYWHERE, stock_rows
from catalog.monitoring.schemas import StockKey
from shop.core.small_cells import THRESHOLD, within
from shop.identity.permissions import Role
from tests.catalog.conftest import MONDAY
from tests.catalog.monitoring.test_figures import PATH, ask, certified
from tests.factories.bulletins import publish
from tests.factories.identity import make_supplier, make_user
from tests.shop.core.test_small_cells import rank, sums

_sizes = st.one_of(st.integers(0, 6), st.integers(0, 60))
_cells = st.dictionaries(st.tuples(st.sampled_from("ABCDE"), st.sampled_from("xyz")), _sizes, max_size=10)


def bounds(cells):
    """Of one certificate in each cell."""
    return {key: within(count) for key, count in cells.items()}


@st.composite
def _stocks(draw):
    """Households by county and category, and how many there are in a county if each counts once: some stand in several categories."""
    cells = draw(_cells)
    once = {}
    for (county,), added in sums(cells, (0,)).items():
        of_county = [count for (place, _), count in cells.items() if place == county]
        once[(county,)] = added if len(of_county) == 1 else draw(st.integers(max(of_county), added))
    return cells, once


def derived(cells, once, found):
    """Hidden figures that follow from all that are told, sums and stocks; whoever attacks knows where both are the same."""
    several = sorted(county for (county,) in once if sum(place == county for place, _ in cells) > 1)
    base = [*sorted(cells), *several]

    def sum_of(table, key):
        return [int(place not in several and tuple(place[n] for n in table) == key) for place in base]

    def stock_of(counties):
        return [int(place in counties if place in several else place[0] in counties and place[0] not in several) for place in base]

    figures = [(found.adds_up(*placed(table, key)), sum_of(table, key)) for table in TABLES for key in sums(cells, table)]
    figures += [(found.tells(county), stock_of({county})) for (county,) in once]
    figures.append((found.tells(), stock_of({county for (county,) in once})))
    known = [row for shown, row in figures if shown]
    # what is nothing is known to be nothing
    known += [[int(n == at) for n in range(len(base))] for at, place in enumerate(base) if value_of(place, cells, once) == 0]
    return [row for shown, row in figures if not shown and any(row) and rank([*known, row]) == rank(known)]


def value_of(place, cells, once):
    return cells[place] if isinstance(place, tuple) else once[(place,)]


def placed(table, key):
    at = dict(zip(table, key, strict=True))
    return at.get(0), at.get(1)


@pytest.mark.slow
@given(_stocks())
@example(({("A", "x"): 0, ("A", "y"): 0, ("B", "x"): 3, ("B", "y"): 2}, {("A",): 0, ("B",): 3}))
def test_no_hidden_number_follows_from_sums_and_stocks_together(stock):
    cells, once = stock
    found = told({"households": cells}, {"households": once}, {"households": bounds(cells)})
    for (county,), count in once.items():
        assert count == 0 or count >= THRESHOLD or not found.tells(county)
    for table in TABLES:
        for key, count in sums(cells, table).items():
            assert count == 0 or count >= THRESHOLD or not found.adds_up(*placed(table, key))
    assert derived(cells, once, found) == []


def test_hiding_the_small_stock_alone_gives_it_away():
    """The control: the attack finds the county that only the panel hides."""
    cells = {("A", "x"): 3, ("A", "y"): 3, ("B", "x"): 30, ("B", "y"): 30, ("C", "x"): 40, ("C", "y"): 40}
    once = {("A",): 4, ("B",): 50, ("C",): 60}

    class Naive:
        def adds_up(self, county=None, category=None):
            return county != "A" or category is None

        def tells(self, county=None):
            return county != "A"

    assert derived(cells, once, Naive())
    found = told({"households": cells}, {"households": once}, {"households": bounds(cells)})
    assert not found.tells("A")
    assert not found.tells("B")
    assert found.tells()


def test_a_part_is_told_where_the_whole_is():
    cells = {("A", "x"): 4, ("B", "x"): 7, ("C", "x"): 50}
    once = {(county,): count for (county, _), count in cells.items()}
    found = told({"households": cells}, {"households": once}, {"households": bounds(cells)})
    assert [found.tells(county) for county in "ABC"] == [False, False, True]
    assert found.tells(category="x")
    for prefixes, county, shown in (
        ([""], None, True),
        (["A"], None, False),
        (["C"], None, True),
        ([""], "A", False),
        (["A", "C"], None, False),
    ):
        part = found.within(prefixes, county)
        assert (part.tells(), part.adds_up(), part.tells(category="x")) == (shown, shown, shown)
    assert not found.within(["C000001"]).tells("C"), "of a part of a county nothing is known"


@pytest.fixture
def few(office):
    """Four households of one county's, seven and fifty of others'; the city is large enough to have a total."""
    for district, stated in (("500236", (4, 12)), ("500240", (7, 20)), ("500241", (50, 150))):
        with office.database.unit_of_work() as session:
            office.supplier = make_supplier(session, district)
        certified(office, stated=stated)
    with office.database.unit_of_work() as session:
        for who, district in (("local", "500236"), ("stranger", "500240")):
            office.users[who] = make_user(session, Role.MONITOR, region_code=district)
        for who, district in (("officer", "500236"),):
            office.users[who] = make_user(session, Role.COUNTY_OFFICER, region_code=district)
    return office


def people(rows):
    return {row["county"]: (row["households"], row["persons"]) for row in rows}


HIDDEN = {"500236": (None, None), "500240": (None, None), "500241": (50, 150)}


def panel(office, who, **query):
    answer = office.as_(who).get("/v1/statistics/certification", params=query)
    assert answer.status_code == 200
    return answer.json()


def test_the_panel_hides_what_the_export_hides(few):
    for who in ("monitor", "local", "stranger"):
        found = panel(few, who)
        assert people(found["rows"]) == HIDDEN
        assert found["totals"]["households"] == 61
        assert panel(few, who, district="500236")["totals"]["households"] is None
    assert people(panel(few, "city")["rows"])["500236"] == (4, 12)
    assert people(panel(few, "officer", district="500236")["rows"])["500236"] == (4, 12)
    assert people(panel(few, "officer")["rows"]) == HIDDEN
    for format in ("csv", "xlsx"):
        content = few.as_("stranger").get("/v1/statistics/certification", params={"format": format}).content
        assert b",4,12" not in content
    assert "below 5" in panel(few, "monitor")["definition"]


def test_the_stock_hides_it_too_however_it_is_grouped(few):
    assert people(ask(few, "stock", group_by="county")["rows"]) == HIDDEN
    assert people(ask(few, "stock", group_by=["county", "category"])["rows"]) == HIDDEN
    assert people(ask(few, "stock", "local", group_by="county")["rows"]) == {"500236": (None, None)}
    for query in ({"district": "500236"}, {"group_by": "category", "district": "500236"}):
        found = ask(few, "stock", **query)
        assert found["totals"]["households"] is None
        assert all(row["households"] is None for row in found["rows"])
    for key in ("batch", "state", "kind"):
        assert all(row["persons"] is None for row in ask(few, "stock", group_by=key)["rows"])
    whole = ask(few, "stock", group_by="category")
    assert (whole["rows"][0]["households"], whole["totals"]["households"], whole["totals"]["households_stated"]) == (61, 61, None)
    assert ask(few, "stock", "city", group_by="kind")["rows"][0]["households_stated"] == 61
    over_time = {"from": str(MONDAY.date() - timedelta(days=20)), "to": str(MONDAY.date())}
    assert [row["households"] for row in ask(few, "stock-over-time", "local", **over_time)["rows"]] == [None]
    assert [row["households"] for row in ask(few, "stock-over-time", **over_time)["rows"]] == [61]


def test_panel_stock_and_public_table_hide_the_same(few):
    with few.database.unit_of_work() as session:
        from sqlalchemy import text

        session.execute(text("UPDATE certificate SET issued_at = '2026-09-01', valid_from = '2026-09-01'"))
        session.execute(
            text("INSERT INTO closed_month (month, closed_at, closed_by) VALUES ('2026-10-01', now(), :user)"),
            {"user": few.users["city"].id},
        )
        publish(session, [few.users["city"], make_user(session, Role.CITY_OFFICER)], "2026-10")
    table = few.api.get("/v1/public/tables/participants-by-district-category/2026.csv").text.splitlines()
    header, *rows = [line.split(",") for line in table]
    at = {name: header.index(name) for name in ("district", "category", "households")}
    public = {row[at["district"]]: row[at["households"]] for row in rows if row[at["category"]] == "_T"}
    on = str(date(2026, 10, 31))
    shown = {**people(panel(few, "monitor", on=on)["rows"]), "_T": (panel(few, "monitor", on=on)["totals"]["households"], 0)}
    assert {county: "" if count is None else str(count) for county, (count, _) in shown.items()} == public
    assert people(ask(few, "stock", group_by="county", on=on)["rows"]) == HIDDEN
    assert few.as_("monitor").get(f"{PATH}/stock", params={"on": on, "format": "csv"}).status_code == 200


def test_what_the_bands_come_to_is_counted_in_sql_as_in_the_rule(few):
    stated = {"500236": [4, 0, 10], "500240": [7, 19], "500241": [50]}
    for district, counts in stated.items():
        for count in counts[1:]:
            with few.database.unit_of_work() as session:
                few.supplier = make_supplier(session, district)
            certified(few, stated=(count, 3 * count))
    with few.database.unit_of_work() as session:
        rows = stock_rows(session, EVERYWHERE, [StockKey.COUNTY, StockKey.CATEGORY], MONDAY.date())
    found = showing.bounds({(row["county"], row["category"]): row for row in rows})
    assert found["households"] == {(district, "fruit"): both(counts) for district, counts in stated.items()}
    assert found["persons"][("500236", "fruit")] == both([12, 0, 30])


def both(counts):
    return tuple(map(sum, zip(*map(within, counts), strict=True)))
