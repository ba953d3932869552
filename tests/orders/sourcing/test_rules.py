"""Prices by tier, packs of other sizes, the lowest offer and the splitting of awards, as properties."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.sourcing import rules
from orders.sourcing.rules import Asked, Bar, Choice, Offer, ReasonCode
from orders.sourcing.states import QUOTATION_REQUEST, RequestStatus, request_status
from tests.orders.sourcing.conftest import END, START

quantities = st.integers(1, 5_000_000).map(lambda n: Decimal(n) / 1000)
steps = st.sampled_from([Decimal(1), Decimal(6), Decimal("0.5"), Decimal("0.001")])
weights = st.none() | st.integers(1, 50_000)
tiers = st.dictionaries(st.integers(1, 500).map(Decimal), st.integers(1, 10**6), min_size=1, max_size=5).map(
    lambda found: list(zip(sorted(found), sorted(found.values(), reverse=True), strict=True))
)


@given(tiers, st.integers(1, 1000).map(Decimal))
def test_the_price_is_that_of_the_highest_tier_reached(prices, packs):
    price = rules.price_at(prices, packs)
    reached = [(least, fen) for least, fen in prices if least <= packs]
    assert price == (max(reached)[1] if reached else None)
    if price is not None:
        assert price >= (rules.price_at(prices, packs + 1) or 0)


@given(quantities, weights, weights, steps)
def test_packs_hold_what_is_asked_and_not_a_step_more(quantity, unit_grams, net_grams, step):
    packs = rules.packs_for(quantity, unit_grams, net_grams, step)
    weighed = unit_grams and net_grams
    holds = Fraction(packs) * net_grams / unit_grams if weighed else Fraction(packs)
    fewer = Fraction(packs - step) * net_grams / unit_grams if weighed else Fraction(packs - step)
    assert packs % step == 0
    assert holds >= quantity > fewer


@given(st.integers(1, 10_000).map(Decimal), weights, weights)
def test_units_in_packs_are_never_more_than_they_hold(packs, unit_grams, net_grams):
    units = rules.units_in(packs, unit_grams, net_grams)
    exact = Fraction(packs) * net_grams / unit_grams if unit_grams and net_grams else Fraction(packs)
    assert exact - Fraction(1, 1000) < units <= exact


def offered(net_grams, price, quantity=1000, step=1):
    return Offer(1, 10, 1, 1, net_grams, Decimal(step), Decimal(quantity), [(Decimal(1), price)])


def test_offers_are_compared_by_what_the_quantity_asked_costs():
    def compared(asked, unit_grams, *offer, **changes):
        return rules.valued(Asked(10, 1, Decimal(asked), unit_grams), offered(*offer, **changes)).comparable

    assert compared(100, 5000, 10_000, 12600) == 6300 < compared(100, 5000, 5000, 6350)
    assert compared(7, None, 5000, 100) == 100
    # 14 packs of 4.5 kg are 63 kg for 560.00; 60 kg by the kilogram are 544.20, though each kilogram of the packs is cheaper
    assert compared(60, 1000, 4500, 4000) == Fraction(56000, 60) > compared(60, 1000, 1000, 907) == 907
    # what is covered in part is compared by that part
    assert compared(60, 1000, 4500, 4000, quantity=10) == Fraction(40000, 45)
    assert not rules.same_measure(1000, None)
    assert rules.same_measure(None, None)


@st.composite
def markets(draw):
    """Lines that are asked for, and offers for some of them; each offer has something left."""
    lines = {
        number: Asked(number * 10, number, Decimal(draw(st.integers(1, 200))), draw(st.none() | st.sampled_from([500, 1000, 5000])))
        for number in range(1, draw(st.integers(1, 3)) + 1)
    }
    offers = {}
    for asked in lines.values():
        for supplier in range(1, draw(st.integers(0, 4)) + 1):
            net_grams = draw(st.sampled_from([250, 333, 5000, 10_000]))
            offers[asked.id, supplier] = Offer(
                id=asked.id * 100 + supplier,
                line_id=asked.id,
                supplier_id=supplier,
                sku_id=supplier,
                net_grams=net_grams,
                step=draw(st.sampled_from([Decimal(1), Decimal(3)])),
                quantity=Decimal(draw(st.integers(1, 300)) * 3),
                prices=draw(tiers),
                bar=draw(st.none() | st.none() | st.sampled_from(list(Bar))),
            )
    return lines, offers


choices = st.lists(
    st.builds(
        Choice,
        line_no=st.integers(1, 4),
        supplier_id=st.integers(1, 5),
        quantity=st.none() | st.integers(1, 200).map(Decimal),
        reason_code=st.none() | st.sampled_from(list(ReasonCode)),
    ),
    max_size=8,
)


@pytest.mark.slow
@settings(max_examples=60)
@given(markets(), choices)
def test_an_award_is_never_more_than_asked_or_offered_and_its_total_is_the_sum_of_its_lines(market, chosen):
    lines, offers = market
    split = rules.split(lines, offers, chosen)
    assert len(split.lines) + len(split.faults) == len(chosen)
    assert split.total_fen == sum(line.amount_fen for line in split.lines)
    for asked in lines.values():
        given_away = [line for line in split.lines if line.asked is asked]
        assert sum(line.quantity for line in given_away) <= asked.quantity
        assert len({line.offer.supplier_id for line in given_away}) == len(given_away)
        cheapest = rules.lowest(v for (line_id, _), o in offers.items() if line_id == asked.id and (v := rules.valued(asked, o)))
        for line in given_away:
            assert line.packs <= line.offer.quantity
            assert line.packs % line.offer.step == 0
            assert line.offer.bar is None
            assert line.unit_price_fen == rules.price_at(line.offer.prices, line.packs)
            assert line.amount_fen == line.packs * line.unit_price_fen
            whole = rules.valued(asked, line.offer)
            price = whole and whole.comparable * line.unit_price_fen / whole.unit_price_fen
            assert line.lowest == (cheapest is None or price is None or price <= cheapest)
            assert line.lowest or line.reason_code
    complete = all(sum(line.quantity for line in split.lines if line.asked is asked) == asked.quantity for asked in lines.values())
    assert rules.all_awarded(lines.values(), split.lines) == complete


@settings(max_examples=60)
@given(markets())
def test_the_lowest_is_no_dearer_than_any_offer_that_can_be_awarded(market):
    lines, offers = market
    for asked in lines.values():
        found = [v for (line_id, _), o in offers.items() if line_id == asked.id and (v := rules.valued(asked, o))]
        free = [each.comparable for each in found if each.offer.bar is None]
        assert rules.lowest(found) == (min(free) if free else None)
        for each in found:
            assert each.covered <= asked.quantity
            assert each.complete == (each.covered == asked.quantity)
            assert each.packs <= each.offer.quantity


@pytest.mark.slow
@settings(max_examples=60)
@given(markets(), st.integers(1, 4))
def test_the_whole_of_one_supplier_is_all_that_it_can_meet(market, supplier):
    lines, offers = market
    chosen = rules.whole(lines.values(), offers.values(), supplier, ReasonCode.QUALITY)
    split = rules.split(lines, offers, chosen)
    met = {line.asked.line_no for line in split.lines}
    # what cannot be awarded, or sells no quantity so small, is named
    assert met | {fault.data["line_no"] for fault in split.faults} == {choice.line_no for choice in chosen}
    assert {fault.code for fault in split.faults} <= {*Bar, rules.Refusal.BELOW_MINIMUM, rules.Refusal.MORE_THAN_OFFERED}


@pytest.mark.parametrize("status", [each for each in RequestStatus if each is not RequestStatus.CLOSED])
def test_only_an_open_request_is_closed_by_the_clock(status):
    before, after = END - timedelta(microseconds=1), END
    assert request_status(status, END, None, before) == status
    closed = RequestStatus.CLOSED if status is RequestStatus.OPEN else status
    assert request_status(status, END, None, after) == request_status(status, END, START, before) == closed


def test_nobody_leaves_the_last_states():
    for status in (RequestStatus.AWARDED, RequestStatus.CANCELLED):
        assert QUOTATION_REQUEST.possible(status) == []
