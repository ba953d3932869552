"""Sums that run on."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from orders.panels.rules import cumulated, months

firsts = st.dates(date(2019, 1, 1), date(2022, 12, 31))


@given(
    firsts,
    firsts,
    st.dictionaries(st.dates(date(2019, 1, 1), date(2022, 12, 31)).map(lambda day: day.replace(day=1)), st.integers(0, 10**12)),
)
def test_the_last_sum_is_that_of_all_months(one, other, by_month):
    first, last = sorted((one, other))
    rows = cumulated(by_month, first, last)
    assert [month for month, _, _ in rows] == months(first, last)
    assert rows[-1][2] == sum(fen for month, fen in by_month.items() if first.replace(day=1) <= month <= last)
    assert [so_far for _, _, so_far in rows] == sorted(so_far for _, _, so_far in rows)


def test_months_pass_the_end_of_a_year():
    assert months(date(2025, 11, 30), date(2026, 1, 1)) == [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1)]
