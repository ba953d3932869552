"""The pure rules of certificates: their time, their number, the papers behind them, and their state in two forms."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from catalog.certificates import rules
from catalog.certificates.rules import Paper
from catalog.certificates.states import CertificateState, certificate_state, in_force_sql, state_sql, stop_sql, stopped_at_sql
from shop.core import clock

DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-03-15", "2029-03-14"), ("2026-01-01", "2028-12-31"), ("2026-12-01", "2029-11-30"), ("2024-03-01", "2027-02-28")],
)
def test_thirty_six_months(first, last):
    assert rules.last_day(date.fromisoformat(first), 36) == date.fromisoformat(last)


@given(DAYS, st.integers(1, 120))
def test_a_period_of_months_ends_the_day_before_its_month_is_full(first, months):
    after = rules.months_after(first, months)
    assert after.year * 12 + after.month == first.year * 12 + first.month + months
    assert after.day == first.day or (after.day < first.day and (after + timedelta(days=1)).day == 1)


def test_a_certificate_number():
    assert rules.certificate_number(2026, "500236", 123) == "CQ-2026-500236-000123"
    series = {rules.certificate_series(year, code) for year in (2026, 2027) for code in ("500236", "500240")}
    assert len(series) == 4


@given(st.integers(1, 10**12), st.integers(0, 1000))
def test_the_ceiling_is_the_comparable_price_and_the_tolerance_half_up(fen, percent):
    exact = Fraction(fen * (100 + percent), 100)
    assert abs(rules.ceiling(fen, percent) - exact) <= Fraction(1, 2)
    assert rules.ceiling(fen, percent) >= exact - Fraction(1, 2)
    assert rules.ceiling(fen, 0) == fen


papers = st.lists(
    st.builds(
        Paper,
        kind=st.sampled_from(["business_licence", "production_licence", "quality_certificate"]),
        number=st.sampled_from([None, "1", "2"]),
        valid_until=st.none() | DAYS,
        order=st.integers(1, 1000),
    ),
    unique_by=lambda paper: paper.order,
    max_size=12,
)


@given(papers)
def test_the_newest_paper_of_a_kind_counts_and_of_some_kinds_each_number(brought):
    counting = rules.newest_papers(brought)
    for kind in ("business_licence", "production_licence"):
        newest = max((paper.order for paper in brought if paper.kind == kind), default=None)
        assert [paper.order for paper in counting if paper.kind == kind] == ([] if newest is None else [newest])
    quality = [paper for paper in counting if paper.kind == "quality_certificate"]
    assert len({paper.number for paper in quality}) == len(quality)
    ends = [paper.valid_until for paper in counting if paper.valid_until]
    assert rules.papers_end(brought) == (min(ends) if ends else None)


NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
near = st.integers(-2, 2).map(lambda days: clock.shanghai_date(NOW) + timedelta(days=days))
moments = st.integers(-2, 2).map(lambda hours: NOW + timedelta(hours=hours))
measures = st.fixed_dictionaries(
    {
        "revoked_at": st.none() | moments,
        "suspended_at": st.none() | st.just(NOW - timedelta(days=1)),
        "suspended_until": st.none() | moments,
        "held_at": st.none() | st.just(NOW - timedelta(hours=3)),
        "valid_from": near,
        "valid_until": near,
        "papers_valid_until": st.none() | near,
    }
)
_ROW = (
    "(SELECT "
    + ", ".join(
        f"CAST(:{name} AS {kind}) AS {name}"
        for name, kind in {
            "revoked_at": "timestamptz",
            "suspended_at": "timestamptz",
            "suspended_until": "timestamptz",
            "held_at": "timestamptz",
            "valid_from": "date",
            "valid_until": "date",
            "papers_valid_until": "date",
        }.items()
    )
    + ") c"
)


@pytest.mark.slow
def test_the_state_of_a_row_and_of_a_statement_are_the_same(database):
    statement = text(
        f"SELECT {state_sql('c')} AS state, {in_force_sql('c')} AS in_force, {stop_sql('c')} AS stop, {stopped_at_sql('c')} AS since FROM {_ROW}"
    )
    seen = set()
    with database.session() as session:

        @settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
        @given(row=measures)
        def compare(row):
            today = clock.shanghai_date(NOW)
            state = certificate_state(
                revoked=row["revoked_at"] is not None,
                held=row["held_at"] is not None,
                now=NOW,
                today=today,
                **{
                    name: row[name]
                    for name in ("suspended_at", "suspended_until", "valid_from", "valid_until", "papers_valid_until")
                },
            )
            found = session.execute(statement, {**row, "now": NOW, "today": today}).one()
            assert (found.state, bool(found.in_force)) == (state, state is CertificateState.IN_FORCE)
            assert (found.stop is None) == (found.since is None)
            stops = set(CertificateState) - {CertificateState.NOT_YET, CertificateState.IN_FORCE, CertificateState.EXPIRED}
            if state in stops:
                assert found.stop == state
            seen.add(state)

        compare()
    assert seen == set(CertificateState)


def test_the_first_and_last_day_of_a_certificate_belong_to_it():
    first, last, day = date(2026, 1, 1), date(2028, 12, 31), timedelta(days=1)

    def state(on, **changes):
        values = {"revoked": False, "suspended_at": None, "suspended_until": None, "held": False, "papers_valid_until": None}
        return certificate_state(**values | changes, valid_from=first, valid_until=last, now=clock.start_of_day(on), today=on)

    assert [state(on) for on in (first - day, first, last, last + day)] == ["not_yet", "in_force", "in_force", "expired"]
    assert [state(on, papers_valid_until=first) for on in (first, first + day)] == ["in_force", "papers_expired"]
    assert state(last + day, suspended_at=clock.start_of_day(first)) is CertificateState.EXPIRED
