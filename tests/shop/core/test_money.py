import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shop.core.money import YuanIn, fen_from_yuan, half_up, line_amount, share_level, share_out, vat_in_gross, yuan, yuan_from_fen
from shop.core.quantities import Quantity


@given(st.integers(-(10**12), 10**12))
def test_yuan_and_fen_are_one_to_one(fen):
    assert fen_from_yuan(yuan_from_fen(fen)) == fen
    # a cell of a table is the same number, with two decimals wherever it is written out
    assert (fen_from_yuan(yuan(fen)), format(yuan(fen), "f")) == (fen, yuan_from_fen(fen))


@pytest.mark.parametrize(
    "value", ["1.005", "NaN", "Infinity", "abc", "", "1e400", "9e999999999999", "-9e999999999999", True, None, [], "1,000"]
)
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(ValueError):
        fen_from_yuan(value)


@pytest.mark.parametrize("field", [YuanIn, Quantity])
@pytest.mark.parametrize(
    "value", ["1_0", "1e2", "1.10e1", ".5", "5.", "+5.00", "１", "٣", "1.2.3", "--1", "- 1", "", "1,000", True]
)
def test_requests_write_numbers_in_plain_digits(field, value):
    with pytest.raises(ValidationError, match=r"not a number|full width"):
        TypeAdapter(field).validate_python(value)


@pytest.mark.parametrize(
    ("value", "fen"), [("12", 1200), (" 12.50 ", 1250), ("0012.5", 1250), (12, 1200), (12.5, 1250), (1e2, 10_000)]
)
def test_blanks_and_json_numbers_are_taken(value, fen):
    assert TypeAdapter(YuanIn).validate_python(value) == fen
    assert TypeAdapter(Quantity).validate_python(value) * 100 == fen


def test_vat_is_taken_from_gross_as_the_tax_office_does():
    assert vat_in_gross(80_000, 1300) == 9204
    assert vat_in_gross(80_000, 0) == 0


@given(st.integers(0, 10**12), st.integers(0, 10_000))
def test_vat_never_exceeds_the_gross_and_is_off_by_half_a_fen_at_most(gross, rate_bp):
    vat = vat_in_gross(gross, rate_bp)
    assert 0 <= vat <= gross
    assert abs(Decimal(gross) * rate_bp / (10_000 + rate_bp) - vat) <= Decimal("0.5")


@given(st.decimals("0.001", "999999", places=3), st.integers(1, 10**7))
def test_a_line_is_rounded_half_up_once(quantity, price):
    exact = quantity * price
    assert line_amount(quantity, price) == int(exact) + (exact - int(exact) >= Decimal("0.5"))


def test_halves_go_up():
    assert [half_up(Decimal(v)) for v in ("0.5", "1.5", "2.4", "-0.5")] == [1, 2, 2, -1]


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=9).filter(any))
def test_parts_sum_to_the_whole_and_none_is_off_by_a_fen(total, weights):
    parts = share_out(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(abs(Decimal(total) * weight / whole - part) < 1 for part, weight in zip(parts, weights, strict=True))


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=6, unique=True), st.integers(0, 10**6), st.randoms())
def test_the_order_of_the_parts_does_not_change_their_sum_by_weight(weights, total, random):
    shuffled = weights[:]
    random.shuffle(shuffled)
    one, other = share_out(total, weights), share_out(total, shuffled)
    by_weight = dict(zip(shuffled, other, strict=True))
    assert all(abs(part - by_weight[weight]) <= 1 for weight, part in zip(weights, one, strict=True))


@pytest.mark.parametrize(
    ("value", "taken"),
    [("5", True), ("5.5", True), ("-5.50", True), ("5.555", False), ("5.", False), ("1e2", False), (".5", False)],
)
def test_the_description_of_the_api_allows_what_is_taken(value, taken):
    adapter = TypeAdapter(YuanIn)
    assert bool(re.search(adapter.json_schema()["pattern"], value)) is taken
    if taken:
        assert adapter.validate_python(value) == fen_from_yuan(value)
    else:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


@given(st.lists(st.tuples(st.integers(0, 10**6) | st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8), st.data())
def test_what_is_shared_in_steps_is_shared_as_in_one(lines, data):
    weights = [max(pair) for pair in lines]
    floors = [min(pair) for pair in lines]
    total = data.draw(st.integers(0, sum(weights)))
    parts = share_level(total, weights, floors)
    assert sum(parts) == max(total, sum(floors))
    assert all(floor <= part <= weight for floor, part, weight in zip(floors, parts, weights, strict=True))
    # some have their part already, and some of a smaller total
    smaller = share_level(data.draw(st.integers(0, total)), weights, floors)
    had = [data.draw(st.sampled_from(some)) for some in zip(floors, smaller, parts, strict=True)]
    assert share_level(total, weights, had) == parts


def test_parts_are_at_one_rate():
    assert share_level(10_000, [24_700, 58_000], [0, 0]) == [2987, 7013]
    assert share_level(1, [5, 5], [0, 0]) == [1, 0]
    assert share_level(10, [10, 10, 10], [6, 0, 0]) == [6, 2, 2]
    assert share_level(0, [0], [0]) == [0]
    assert share_level(3, [10, 10], [4, 0]) == [4, 0]
