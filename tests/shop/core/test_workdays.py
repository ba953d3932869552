from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shop.core.workdays import Calendar, calendar

PLAIN = Calendar({})


def test_make_up_saturdays_and_holidays_count_as_published(database):
    with database.unit_of_work() as session:
        days = calendar(session, date(2026, 2, 10))
    # Spring Festival 2026: 15 to 23 February off, Saturday 14 and Saturday 28 February worked
    assert not days.is_working(date(2026, 2, 16))
    assert days.is_working(date(2026, 2, 14))
    assert days.add(date(2026, 2, 13), 2) == date(2026, 2, 24)


def test_five_working_days_start_the_day_after():
    assert PLAIN.add(date(2020, 4, 13), 5) == date(2020, 4, 20)


@given(st.dates(date(2020, 1, 1), date(2026, 12, 31)), st.integers(1, 60))
def test_adding_and_counting_agree(start, count):
    end = PLAIN.add(start, count)
    assert PLAIN.is_working(end)
    assert PLAIN.between(start, end) == count
    assert PLAIN.between(start, end - timedelta(days=1)) == count - 1
