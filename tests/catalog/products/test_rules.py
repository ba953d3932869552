"""What a pack and its prices must be."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.products import rules
from catalog.products.rules import Category, Kind, Unit

STEPS = st.sampled_from([Decimal(1), Decimal("0.5"), Decimal("0.001"), Decimal(12)])


def codes(step, tiers):
    return [fault.code for fault in rules.tier_faults(Decimal(step), [(Decimal(least), price) for least, price in tiers])]


@given(STEPS, st.sets(st.integers(1, 10**6), min_size=1, max_size=20), st.integers(21, 10**9))
def test_whole_rising_steps_at_falling_prices_are_fine(step, counts, dearest):
    tiers = [(step * count, dearest - i) for i, count in enumerate(sorted(counts))]
    assert rules.tier_faults(step, tiers) == []


def test_each_fault_of_a_price_list_is_named():
    assert codes("1", [("1.5", 100)]) == ["wrong_step"]
    assert codes("1", [("10", 100), ("10", 90)]) == ["not_rising"]
    assert codes("1", [("10", 100), ("5", 90)]) == ["not_rising"]
    assert codes("1", [("1", 100), ("10", 101)]) == ["dearer_in_bulk"]
    assert [f.field for f in rules.tier_faults(Decimal(1), [(Decimal(1), 1), (Decimal(1), 2)])] == [
        "tiers[1].min_quantity",
        "tiers[1].unit_price",
    ]


@pytest.mark.parametrize(("kind", "grams", "code"), [("goods", None, "weight_missing"), ("service", 5, "weight_of_a_service")])
def test_goods_are_weighed_and_services_are_not(kind, grams, code):
    assert rules.weight_fault(kind, grams).code == code
    assert rules.weight_fault(Kind.GOODS, 500) is None
    assert rules.weight_fault(Kind.SERVICE, None) is None


@pytest.mark.parametrize(
    ("kind", "unit", "grams", "fault"),
    [
        ("goods", "kg", 999, ("net_grams", "weight_of_unit")),
        ("goods", "kg", 5000, ("net_grams", "weight_of_unit")),
        ("goods", "room_night", 500, ("unit", "unit_of_a_service")),
        ("goods", "person", 500, ("unit", "unit_of_a_service")),
        ("service", "kg", None, ("unit", "unit_of_goods")),
        ("goods", "kg", 1000, None),
        ("goods", "box", 5000, None),
        ("goods", "ticket", 5000, None),
        ("service", "ticket", None, None),
        ("service", "room_night", None, None),
        ("service", "portion", None, None),
    ],
)
def test_what_is_sold_by_weight_weighs_its_unit_and_nobody_buys_goods_by_the_night(kind, unit, grams, fault):
    told = rules.unit_fault(kind, unit, grams)
    assert (told and (told.field, told.code)) == fault


def test_every_unit_has_a_name_in_both_languages():
    for unit in Unit:
        assert rules.unit_label(unit, "zh")
        assert rules.unit_label(unit, "en")
    assert rules.unit_label("box", "zh") == "箱"


def test_food_is_everything_that_is_eaten():
    assert [category for category in Category if not rules.is_food(category)] == [Category.HANDICRAFT, Category.RURAL_TOURISM]


def test_a_township_lies_in_its_own_district():
    assert rules.lies_in("500236T01", "500236")
    assert not rules.lies_in("500236", "500236")
    assert not rules.lies_in("500236T01", "500235")


@pytest.mark.parametrize("digits", ["6901234567892", "96385074", "036000291452", "16901234567899", "4006381333931"])
def test_barcodes_check_out(digits):
    assert rules.is_barcode(digits)
    for place, digit in enumerate(digits):
        assert not rules.is_barcode(f"{digits[:place]}{(int(digit) + 1) % 10}{digits[place + 1 :]}")


@pytest.mark.parametrize("digits", ["", "690123456789", "69012345678921", "６９０１２３４５６７８９２", "690123456789X", "0"])
def test_what_is_no_barcode_is_none(digits):
    assert not rules.is_barcode(digits)
