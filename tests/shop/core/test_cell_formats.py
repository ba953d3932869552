"""What cells show of the numbers and days that they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.core.cell_formats import as_told, shown

NUMBERS = st.integers(0, 10**15 - 1).map(str)
WORD = st.text(st.characters(exclude_characters='"', exclude_categories=("Cs", "Cc")), max_size=6).map(str.strip)


@given(NUMBERS, st.integers(1, 20))
def test_zeros_fill_a_number_up_and_take_nothing_from_it(number, places):
    assert shown(number, "0" * places) == number.zfill(places)


@given(NUMBERS, st.integers(1, 20))
def test_what_may_be_empty_fills_nothing_up(number, places):
    assert shown(number, "#" * places) == number.lstrip("0")
    assert shown(number, "#" * places + "0") == number


@given(NUMBERS, st.integers(1, 12), WORD, WORD)
def test_what_is_quoted_stands_around_the_number(number, places, before, behind):
    assert shown(number, f'"{before}"{"0" * places}"{behind}"') == f"{before}{number.zfill(places)}{behind}".strip()
    assert shown(number, f'"{before}"General') == f"{before}{number}".strip()


@given(NUMBERS, st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_dashes_between_the_zeros_part_the_same_digits(number, groups):
    told = shown(number, "-".join("0" * each for each in groups))
    assert told.replace("-", "") == number.zfill(sum(groups))
    assert [len(each) for each in told.split("-")][1:] == groups[1:]


@given(NUMBERS, st.text("0#-;.,%?/Ee@*_[]\"\\GeneralyMd 年号Red'", max_size=12))
def test_whatever_a_format_says_no_digit_of_a_number_is_lost_or_changed(number, code):
    """But for zeros before it, digits of the format itself, and a number that is zero."""
    told = shown(number, code)
    if told is not None and number.strip("0"):
        left = iter(told)
        assert all(digit in left for digit in number.lstrip("0"))


@pytest.mark.parametrize(
    ("number", "code", "told"),
    [
        ("42", "000000", "000042"),
        ("3001", '"SN-"0', "SN-3001"),
        ("3001", "\\S\\N\\-0", "SN-3001"),
        ("12", "000-0000", "000-0012"),
        ("13800001111", "000-0000-0000", "138-0000-1111"),
        ("7", "0_ ", "7"),
        ("7", "000_);[Red]\\(000\\)", "007"),
        ("7", "[$-804]000", "007"),
        ("7", "[蓝色]000号", "007号"),
        ("0", "000;-000;00", "00"),
        ("0", "000;-000;无", None),
        ("5", "0#", "05"),
        *(("1234", code, None) for code in ("#,##0", "0.00", "0%", "0.00E+00", "# ?/?", "yyyy-mm-dd", "[>9]0;00", "[DBNum1]0", '"是"', "*-0", "")),
        *((number, "000", None) for number in ("-7", "7.5", "2026-01-01", "x", "")),
    ],
)  # fmt: skip
def test_a_code_is_told_exactly_or_not_at_all(number, code, told):
    assert shown(number, code) == told


@pytest.mark.parametrize(
    ("cell", "code", "told"),
    [
        ("2026-05-17", 'yyyy"年"m"月"', "2026-05"),
        ("2026-05-01", '[$-804]yyyy"年"m"月";@', "2026-05"),
        ("2026-05-01", "mmm-yy", "2026-05"),
        ("2026-05-01 12:00:00", 'e"年"m"月"', "2026-05"),
        ("2026-05-01", "yyyy", "2026"),
        ("2026-05-01", "mmmm", "05"),
        *(("2026-05-17", code, "2026-05-17") for code in ("m/d/yy", 'm"月"d"日"', "[$-F800]dddd\\,\\ mmmm\\ dd", "aaaa")),
        ("2026-05-17 09:58:00", "yyyy/m/d h:mm", "2026-05-17 09:58:00"),
        ("2026-05-17 09:58:00", "mm:ss", "2026-05-17 09:58:00"),
        ("12", "mmm-yy", "12"),
        ("0.125", "0.00%", "12.5%"),
        ("0.125", '0.000"%"', "0.125"),
    ],
)
def test_a_cell_that_shows_only_a_month_tells_no_day(cell, code, told):
    assert as_told(cell, code) == told
