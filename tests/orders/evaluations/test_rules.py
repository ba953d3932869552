"""Averages and what is low."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from orders.evaluations import rules

rating = st.integers(1, 5)


@given(st.lists(rating, min_size=1))
def test_an_average_lies_between_its_ratings(ratings):
    average = rules.average(sum(ratings), len(ratings))
    assert min(ratings) <= average <= max(ratings)
    assert abs(average * len(ratings) - sum(ratings)) <= Decimal("0.005") * len(ratings)


def test_of_nothing_there_is_no_average():
    assert rules.average(0, 0) is None


@given(rating, rating, rating, rating)
def test_low_is_a_low_quality_or_a_low_mean(quality, price, delivery, packaging):
    mean = Decimal(quality + price + delivery + packaging) / 4
    assert rules.is_low(quality, price, delivery, packaging) == (quality <= 2 or mean <= 2)


def test_the_statement_says_the_same(database):
    with database.unit_of_work() as session:
        rows = session.execute(
            text(
                f"SELECT e.*, {rules.LOW_SQL} AS low FROM (SELECT * FROM generate_series(1, 5) quality, generate_series(1, 5) price,"
                " generate_series(1, 5) delivery, generate_series(1, 5) packaging) e"
            )
        ).all()
    assert len(rows) == 625
    assert all(row.low == rules.is_low(row.quality, row.price, row.delivery, row.packaging) for row in rows)


@pytest.mark.parametrize(("days", "open_"), [(0, True), (29, True), (30, False)])
def test_thirty_days(days, open_):
    rated = datetime(2026, 3, 1, tzinfo=UTC)
    assert rules.is_changeable(rated, rated + timedelta(days=days)) is open_
