"""The seeded calendar of working days."""

import os
import subprocess
import sys
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


def test_a_year_not_yet_published_knows_the_days_off_by_law_only(database):
    with database.unit_of_work() as session:
        last = session.execute(
            text("SELECT max(day) FROM workday WHERE source = :source"), {"source": workdays.SEED_SOURCE}
        ).scalar_one()
        assert last == date(2026, 12, 31)
        calendar = workdays.calendar(session, last)
    new_year = [date(2027, 1, 1), *(date(2027, 2, day) for day in (5, 6, 7, 8))]
    assert [calendar.is_working(day) for day in new_year] == [False] * 5
    assert calendar.add(last, 1) == date(2027, 1, 4)
    assert not calendar.is_known(date(2027, 1, 4))
    assert calendar.is_working(date(2027, 2, 9))


def test_the_statement_knows_the_days_off_by_law_too(database):
    with database.unit_of_work() as session:
        found = session.execute(
            text(f"SELECT {workdays.add_sql('CAST(:day AS date)', '1')}"), {"day": date(2026, 12, 31)}
        ).scalar_one()
    assert found == date(2027, 1, 4)


def test_what_an_administrator_entered_stays(database):
    day = date(2026, 11, 23)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE workday SET working = false, source = 'hand' WHERE day = :day"), {"day": day})
        workdays.seed(session)
        assert not workdays.calendar(session, day).is_working(day)


#: As it might be told; days of the December before among them.
NOTICE = [
    "2026-12-31/2027-01-03",
    "2027-02-05/2027-02-11",
    "2027-04-03/2027-04-05",
    "2027-05-01/2027-05-05",
    "2027-06-09",
    "2027-09-15",
    "2027-10-01/2027-10-07",
]
TODAY = date(2026, 12, 1)


def test_a_notice_that_is_entered_fills_the_year(database):
    with database.unit_of_work() as session:
        assert workdays.missing_year(session, date(2026, 11, 30)) is None
        assert workdays.missing_year(session, TODAY) == 2027
        workdays.publish(session, 2027, workdays.days_told(NOTICE), workdays.days_told(["2027-02-20"]))
        assert workdays.missing_year(session, TODAY) is None
        workdays.seed(session)
        calendar = workdays.calendar(session, date(2027, 2, 1))
    assert calendar.is_known(date(2027, 1, 4))
    assert [calendar.is_working(date(2027, 2, day)) for day in (4, 5, 11, 12, 20)] == [True, False, False, True, True]
    assert not calendar.is_working(date(2026, 12, 31))


@pytest.mark.parametrize(
    ("off", "worked", "told"),
    [
        (NOTICE[1:], [], "2027-01-01 is off by law"),
        ([*NOTICE, "2028-01-01"], [], "2028-01-01 is not told by the notice of 2027"),
        (NOTICE, ["2027-01-02"], "2027-01-02 is both off and worked"),
        (NOTICE, ["2027-03-01"], "2027-03-01 is no weekend day; only those are worked in exchange"),
        (["2027-01"], [], "2027-01 is no day, as 2027-01-01, and no span of days, as 2027-02-05/2027-02-11"),
        (["2027-01-03/2027-01-01"], [], "2027-01-03/2027-01-01 ends before it begins"),
    ],
)
def test_what_cannot_be_the_notice_is_refused(database, off, worked, told):
    with database.unit_of_work() as session, pytest.raises(workdays.NotTheNotice, match=told):
        workdays.publish(session, 2027, workdays.days_told(off), workdays.days_told(worked))


@pytest.mark.slow
def test_the_command_enters_a_notice_or_says_what_is_wrong_with_it(database):
    def enter(*more: str) -> subprocess.CompletedProcess[str]:
        off = [word for span in NOTICE for word in ("--off", span)]
        return subprocess.run(
            [sys.executable, "-m", "shop.cli", "calendar", "2027", *off, *more],
            env={**os.environ, "SHOP_DATABASE_URL": database.url},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    refused = enter("--worked", "2027-03-01")
    assert (refused.returncode, refused.stderr) == (
        1,
        "shop: 2027-03-01 is no weekend day; only those are worked in exchange\n",
    )
    done = enter("--worked", "2027-02-20")
    assert (done.returncode, done.stdout) == (0, "366 days of the calendar of 2027 are written\n")
    with database.unit_of_work() as session:
        assert workdays.calendar(session, date(2027, 2, 1)).is_working(date(2027, 2, 20))
