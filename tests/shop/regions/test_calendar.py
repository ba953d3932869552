"""The seeded calendar of working days."""

from datetime import date

import pytest
from sqlalchemy import text

from shop.core import workdays


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2020, 1, 31), False),  # the Spring Festival that was prolonged
        (date(2021, 2, 20), True),  # a Saturday worked in exchange for the Spring Festival
        (date(2026, 10, 1), False),
        (date(2026, 11, 23), True),
    ],
)
def test_published_days_are_known(database, day, working):
    with database.unit_of_work() as session:
        calendar = workdays.calendar(session, day)
    assert calendar.is_known(day)
    assert calendar.is_working(day) is working


def test_a_year_not_yet_published_is_provisional(database):
    with database.unit_of_work() as session:
        last = session.execute(text("SELECT max(day) FROM workday")).scalar_one()
        calendar = workdays.calendar(session, last)
    after = date(last.year + 1, 1, 4)
    assert last == date(last.year, 12, 31)
    assert not calendar.is_known(after)
    assert calendar.is_working(after) == (after.weekday() < 5)


def test_what_an_administrator_entered_stays(database):
    day = date(2026, 11, 23)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE workday SET working = false, source = 'notice' WHERE day = :day"), {"day": day})
        workdays.seed(session)
        assert not workdays.calendar(session, day).is_working(day)
