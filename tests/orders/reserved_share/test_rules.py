"""Shares, rates and forecasts as pure functions."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.reserved_share import rules
from orders.reserved_share.rules import Content, Exemption, Method
from orders.reserved_share.states import RESERVED_SHARE, ShareAction, ShareStatus
from shop.programmes.schemas import ReservedShare

CONFIG = ReservedShare(percent=10, fund_source="canteen", eligible_designation="county_832")
amounts = st.integers(0, 10**12)


def of(**content):
    return {(fault.field, fault.code) for fault in rules.faults(Content(**content), CONFIG, 1)}


@given(amounts, st.integers(0, 10_000))
def test_the_share_is_the_percent_of_the_base_rounded_half_up(base, bp):
    reserved = Content(base, bp).reserved_fen
    assert abs(Decimal(base) * bp / 10_000 - reserved) <= Decimal("0.5")
    assert Content(base, bp, Exemption.NO_CANTEEN).reserved_fen == 0
    assert Content(5, 1000).reserved_fen == 1  # half a fen


def test_what_may_be_filed():
    assert of(base_fen=100, percent_bp=1000) == set()
    assert of(base_fen=100, percent_bp=999) == {("percent", "below_minimum")}
    assert of(base_fen=0, percent_bp=1000) == {("base", "base_missing")}
    exempt = {"base_fen": 0, "percent_bp": 0, "exemption_reason": "无食堂"}
    assert of(**exempt, exemption=Exemption.NO_CANTEEN) == set()
    assert of(base_fen=1, percent_bp=0, exemption=Exemption.NO_CANTEEN, exemption_reason="无") == {("base", "base_without_canteen")}
    assert of(**exempt, exemption=Exemption.SHARED_CANTEEN) == {("shared_with_id", "missing")}
    assert of(**exempt, exemption=Exemption.SHARED_CANTEEN, shared_with_id=1) == {("shared_with_id", "own_unit")}
    assert of(**exempt, exemption=Exemption.OUTSOURCED_CANTEEN) == {("contractor", "missing")}
    assert of(**exempt, exemption=Exemption.OUTSOURCED_CANTEEN, contractor="某餐饮公司") == set()
    assert of(base_fen=100, percent_bp=1000, contractor="某餐饮公司", exemption_reason="无") == {
        ("contractor", "not_wanted"),
        ("exemption_reason", "not_wanted"),
    }
    narrow = CONFIG.model_copy(update={"exemptions": ("no_canteen",)})
    other = Content(0, 0, Exemption.OUTSOURCED_CANTEEN, "外包", contractor="某餐饮公司")
    assert [fault.code for fault in rules.faults(other, narrow, 1)] == ["not_in_programme"]


def test_days_of_a_year():
    assert rules.elapsed(2026, date(2025, 12, 31)) == (0, 365)
    assert rules.elapsed(2026, date(2026, 1, 1)) == (1, 365)
    assert rules.elapsed(2028, date(2028, 12, 31)) == (366, 366)
    assert rules.elapsed(2026, date(2027, 5, 1)) == (365, 365)
    assert rules.same_day_last_year(date(2028, 2, 29)) == date(2027, 2, 28)


@given(st.dates(date(2020, 1, 1), date(2040, 12, 31)))
def test_the_same_day_last_year_is_a_day_of_last_year(day):
    assert rules.same_day_last_year(day).year == day.year - 1
    assert timedelta(365) <= day - rules.same_day_last_year(day) <= timedelta(366)


days = st.integers(0, 365)


@given(st.integers(-(10**12), 10**12), days, st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_a_forecast_is_never_less_than_what_is_done(done, over, last_year, to_date):
    foreseen = rules.forecast(done, over, 365, last_year, to_date)
    assert foreseen.done_fen >= done
    if over in (0, 365) or done <= 0:
        assert foreseen == (rules.Forecast(done, Method.FINAL))


@pytest.mark.slow
@given(st.lists(st.integers(0, 10**8), min_size=365, max_size=365), st.integers(1, 364), st.integers(1, 50))
def test_a_year_that_goes_as_the_last_one_is_foreseen_exactly(per_day, over, times):
    last_year, to_date = sum(per_day), sum(per_day[:over])
    foreseen = rules.forecast(to_date * times, over, 365, last_year, to_date)
    if foreseen.method is Method.LAST_YEAR:
        assert foreseen.done_fen == last_year * times
    elif to_date > 0:
        assert to_date < last_year * Decimal("0.05")


@given(amounts, amounts, st.integers(1, 364))
def test_a_steady_year_is_foreseen_from_its_days(done, more, over):
    steady = rules.forecast(done * over, over, 365, 0, 0)
    assert steady.done_fen == done * 365
    assert rules.forecast(done + more, over, 365, 0, 0).done_fen >= rules.forecast(done, over, 365, 0, 0).done_fen


@given(amounts, st.integers(1, 10**12))
def test_a_rate_says_done_only_when_it_is(done, reserved):
    assert (rules.rate_bp(done, reserved) >= 10_000) == (done >= reserved)
    assert rules.rate_bp(done, 0) is None
    assert rules.is_behind(done, reserved, 365, 365) == (done < reserved)
    assert not rules.is_behind(done, reserved, 0, 365)


def test_the_state_table_leaves_no_way_round_the_review():
    into_accepted = {(origin, move) for (origin, move), target in RESERVED_SHARE.moves.items() if target == ShareStatus.ACCEPTED}
    assert into_accepted == {(ShareStatus.FILED, ShareAction.ACCEPT)}
    assert RESERVED_SHARE.possible(ShareStatus.FILED) == [ShareAction.ACCEPT, ShareAction.RETURN]
