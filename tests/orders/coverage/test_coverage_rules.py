"""How far poor villages are covered."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from orders.coverage.rules import Covered, Level, Villages, coverage

districts = st.sampled_from(["500236", "500237"])
villages = st.builds(
    lambda district, township, served, sold, count: Villages(f"{district}{township}", district, served, sold, count),
    districts,
    st.sampled_from(["T01", "T02"]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 4),
)


@given(st.lists(villages))
def test_every_level_adds_up_to_the_same(found):
    totals = []
    for level in Level:
        rows = coverage(found, level).values()
        totals.append(tuple(sum(getattr(row, name) for row in rows) for name in ("villages", "served", "sold", "served_and_sold")))
    assert len(set(totals)) == 1
    assert totals[0][0] == sum(each.count for each in found)


@given(st.lists(villages, min_size=1), st.sampled_from(Level))
def test_no_place_serves_more_villages_than_it_has(found, level):
    for row in coverage(found, level).values():
        assert row.served_and_sold <= min(row.served, row.sold) <= row.villages
        assert row.served + row.sold - row.served_and_sold <= row.villages


@given(st.lists(villages, min_size=1))
def test_one_more_station_never_lowers_coverage(found):
    more = [*found[1:], replace(found[0], served=True)]
    [before], [after] = coverage(found, Level.CITY).values(), coverage(more, Level.CITY).values()
    assert before.served <= after.served <= before.served + found[0].count


def test_a_city_of_two_counties():
    found = coverage(
        [Villages("500236T01", "500236", True, True, 1), Villages("500236T02", "500236", False, True, 2)], Level.COUNTY
    )
    assert found == {"500236": Covered(3, 1, 3, 1)}
    assert coverage([], Level.CITY) == {}
