"""The prices of a campaign, and what it brought."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from orders.promotions.rules import Effect, Goods, Offer, effect, faults
from orders.promotions.states import PROMOTION, PromotionAction, PromotionStatus, status_on

FIRST = date(2026, 9, 7)  # a Monday
ENDS = date(2026, 9, 20)
GOODS = Goods(True, 6990, 5000, 7000, 5000, date(2099, 12, 31))
daily = st.dictionaries(st.dates(FIRST - timedelta(days=100), FIRST + timedelta(days=40)), st.integers(0, 10**9))
lengths = st.integers(1, 30)
weeks = st.integers(1, 8)


def codes(offer, goods=GOODS, ends_on=ENDS):
    return [(fault.field, fault.code) for fault in faults([(offer, goods)], ends_on)]


def test_prices_up_to_the_usual_one_and_the_ceiling_may_stand():
    assert codes(Offer(6990, 5000)) == []
    assert codes(Offer(6991, 6990)) == [("lines[0].online_price", "above_list_price")]
    dear = Goods(True, 9000, 5000, 7000, 5000, date(2099, 12, 31))
    assert codes(Offer(7000, 7001), dear) == [("lines[0].offline_price", "above_ceiling")]


def test_the_ceiling_goes_by_the_gram():
    half = Goods(True, 9000, 2500, 7000, 5000, date(2099, 12, 31))
    assert codes(Offer(3500, 3501), half) == [("lines[0].offline_price", "above_ceiling")]


def test_goods_need_a_certificate_until_the_last_day():
    ending = Goods(True, 6990, 5000, None, None, ENDS - timedelta(days=1))
    assert codes(Offer(1, 1), ending) == [("lines[0].sku_id", "not_certified")]
    assert codes(Offer(1, 1), None) == [("lines[0].sku_id", "not_on_sale")]


@given(daily, lengths, weeks)
def test_what_goes_on_as_before_brings_no_uplift(sales, length, count):
    weekly = [sales.get(FIRST + timedelta(days=n), n + 1) for n in range(7)]
    steady = {FIRST + timedelta(days=n): weekly[n % 7] for n in range(-7 * count, length)}
    found = effect(steady, FIRST, FIRST + timedelta(days=length - 1), count)
    assert found.sold == found.expected
    assert found.uplift in (None, 0)


@given(daily, lengths, weeks, st.integers(1, 10**9))
def test_more_sold_in_the_campaign_only_raises_the_uplift(sales, length, count, more):
    last = FIRST + timedelta(days=length - 1)
    before, after = effect(sales, FIRST, last, count), effect({**sales, FIRST: sales.get(FIRST, 0) + more}, FIRST, last, count)
    assert after.sold == before.sold + more
    assert after.expected == before.expected
    assert before.uplift is None or before.uplift <= after.uplift


@given(daily, lengths, weeks)
def test_days_outside_do_not_count(sales, length, count):
    last = FIRST + timedelta(days=length - 1)
    within = {day: fen for day, fen in sales.items() if FIRST - timedelta(days=7 * count) <= day <= last}
    assert effect(sales, FIRST, last, count) == effect(within, FIRST, last, count)


def test_each_day_is_held_against_its_own_weekday():
    sundays = {FIRST - timedelta(days=1 + 7 * n): 1000 for n in range(4)}
    monday = effect({**sundays, FIRST: 500}, FIRST, FIRST, 4)
    assert (monday.sold, monday.expected, monday.uplift) == (500, 0, None)
    week = effect({**sundays, FIRST + timedelta(days=6): 1500}, FIRST, FIRST + timedelta(days=6), 4)
    assert (week.sold, week.expected, week.uplift) == (1500, 1000, Decimal(50))


def test_uplift_in_percent():
    assert Effect(1, 150, 100).uplift == 50
    assert Effect(1, 1, 3).uplift == Decimal("-66.67")
    assert Effect(1, 1, 0).uplift is None


@given(st.sampled_from(PromotionStatus), st.integers(-3, 3))
def test_a_published_campaign_ends_by_itself(status, days):
    found = status_on(status, ENDS, ENDS + timedelta(days=days))
    assert found == (PromotionStatus.ENDED if status is PromotionStatus.PUBLISHED and days > 0 else status)


def test_what_is_over_moves_no_more():
    for status in (PromotionStatus.ENDED, PromotionStatus.CANCELLED):
        assert PROMOTION.possible(status) == []
    assert PROMOTION.possible(PromotionStatus.PUBLISHED) == [PromotionAction.END, PromotionAction.CANCEL]
