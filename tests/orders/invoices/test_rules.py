"""VAT, credits and amounts in words: pure rules, for whatever comes."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.products.rules import Category
from orders.invoices.rules import Standing, exemption_of, ground_of, in_words, to_credit, whole
from shop.core.money import vat_in_gross
from shop.identity.rules import OrganisationKind
from shop.programmes.invoicing import Exemption, InvoicingRules, grounds_on

RATES = st.sampled_from([0, 100, 300, 600, 900, 1300])
AMOUNTS = st.integers(1, 10**9)


@st.composite
def standings(draw, count=st.integers(1, 6)):
    """Lines of invoices, some of them credited before, some of which came back since."""
    lines = []
    for number in range(draw(count)):
        amount = draw(AMOUNTS)
        returned = draw(st.integers(0, amount - 1))
        reduced = draw(st.integers(0, amount - returned))
        sold = draw(st.integers(0, amount - returned))
        lines.append(
            Standing(number, number % 2, Decimal(10), amount, draw(RATES), Decimal(0), returned, reduced, Decimal(10), sold)
        )
    return lines


def applied(line, credit):
    return replace(
        line,
        returned_quantity=line.returned_quantity + credit.quantity,
        returned_fen=line.returned_fen + credit.returned_fen,
        reduced_fen=line.reduced_fen + credit.reduced_fen,
    )


@given(standings(), st.integers(0, 10**10))
def test_after_the_credits_the_invoices_hold_what_is_owed(lines, allowed):
    credits = {each.line.id: each for each in to_credit(lines, allowed)}
    after = [applied(line, credits[line.id]) if line.id in credits else line for line in lines]
    reduced_before = sum(line.reduced_fen for line in lines)
    for line in after:
        assert 0 <= line.held_fen <= line.sold_fen <= line.amount_fen
        assert line.amount_fen - line.returned_fen == line.sold_fen
        assert line.reduced_fen >= 0
    sold = sum(line.sold_fen for line in lines)
    # what was reduced before stays reduced, as far as anything is left; the rest of the allowance is shared over what is
    assert sum(line.reduced_fen for line in after) <= max(allowed, reduced_before)
    assert sum(line.held_fen for line in after) >= max(sold - max(allowed, reduced_before), 0)
    if allowed >= reduced_before:
        assert sum(line.held_fen for line in after) == max(sold - allowed, 0)
    assert to_credit(after, allowed) == []


def borne(lines, allowed):
    """What each line bears of the allowance once every invoice has its credit note: (returned, reduced)."""
    after = {line.id: line for line in lines}
    for credit in to_credit(lines, allowed):
        after[credit.line.id] = applied(credit.line, credit)
    return [(line.returned_fen, line.reduced_fen) for line in after.values()]


def credited(lines, allowed, invoice):
    """The lines after the credit note of one invoice."""
    credits = {each.line.id: each for each in to_credit(lines, allowed) if each.line.invoice_id == invoice}
    return [applied(line, credits[line.id]) if line.id in credits else line for line in lines]


def sold(amounts, invoices):
    """Lines as they are invoiced."""
    return [
        Standing(number, number % invoices, Decimal(1), amount, 900, Decimal(0), 0, 0, Decimal(1), amount)
        for number, amount in enumerate(amounts)
    ]


@given(st.lists(st.integers(1, 300) | AMOUNTS, min_size=1, max_size=6), st.integers(1, 4), st.data())
def test_each_line_bears_the_same_whenever_credit_notes_are_written(amounts, invoices, data):
    """Allowances, returns and credit notes come in any order: in the end each line bears what it bears where all credit notes are written at once."""
    lines, allowed = sold(amounts, invoices), 0
    never_credited = lines
    for _ in range(data.draw(st.integers(1, 8))):
        what = data.draw(st.sampled_from(["allow", "return", "credit", "credit"]))
        if what == "allow":
            allowed += data.draw(st.integers(0, sum(amounts)))
        elif what == "return":
            at = data.draw(st.integers(0, len(lines) - 1))
            left = data.draw(st.integers(0, lines[at].sold_fen))
            lines, never_credited = (
                [replace(line, sold_fen=left) if line.id == at else line for line in each] for each in (lines, never_credited)
            )
        else:
            lines = credited(lines, allowed, data.draw(st.integers(0, invoices - 1)))
    at_once = borne(never_credited, allowed)
    assert borne(lines, allowed) == at_once
    for invoice in data.draw(st.permutations(range(invoices))):
        lines = credited(lines, allowed, invoice)
        assert [each for each in to_credit(lines, allowed) if each.line.invoice_id == invoice] == []
    assert [(line.returned_fen, line.reduced_fen) for line in lines] == at_once
    assert sum(reduced for _, reduced in at_once) == min(allowed, sum(line.sold_fen for line in lines))


def test_a_line_that_is_invoiced_later_leaves_the_others_what_they_bear():
    first, later = sold([10_000, 30_000], 2)
    [first] = credited([first], 1000, 0)
    assert first.reduced_fen == 1000
    assert borne([first, later], 1000) == [(0, 1000), (0, 0)]
    # of a second allowance the later one bears all until the rate is the same
    assert borne([first, later], 3000) == [(0, 1000), (0, 2000)]
    assert borne([first, later], 4800) == [(0, 1200), (0, 3600)]


@given(standings(), st.integers(0, 10**10))
def test_no_credit_takes_more_than_the_line_holds(lines, allowed):
    for credit in to_credit(lines, allowed):
        assert 0 <= credit.amount_fen <= credit.line.held_fen
        assert 0 <= credit.vat_fen <= credit.amount_fen


@given(standings())
def test_what_was_issued_in_error_is_taken_back_whole(lines):
    for credit in whole(lines):
        after = applied(credit.line, credit)
        assert (after.held_fen, after.reduced_fen, after.returned_fen) == (0, 0, credit.line.amount_fen)


@given(AMOUNTS, RATES, st.lists(st.integers(1, 10**8), max_size=8))
def test_the_vat_of_credits_in_any_steps_sums_to_that_of_the_whole(amount, rate, steps):
    line = Standing(1, 1, Decimal(1), amount, rate, Decimal(0), 0, 0, Decimal(1), amount)
    credited = 0
    for step in [*steps, amount]:
        line = replace(line, sold_fen=max(line.sold_fen - step, 0))
        for credit in to_credit([line], 0):
            credited += credit.vat_fen
            line = applied(line, credit)
        # an invoice less its credit notes is the invoice of what is left
        assert vat_in_gross(amount, rate) - credited == vat_in_gross(line.sold_fen, rate)
    assert credited == vat_in_gross(amount, rate)


@given(st.lists(st.tuples(AMOUNTS, RATES), min_size=1, max_size=20), st.data())
def test_any_split_into_part_invoices_sums_to_the_whole(lines, data):
    """VAT is taken per accepted line, so it is the same in whatever invoice the line stands."""
    parts = data.draw(st.lists(st.integers(0, 3), min_size=len(lines), max_size=len(lines)))
    whole_vat = sum(vat_in_gross(amount, rate) for amount, rate in lines)
    split = [sum(vat_in_gross(*line) for line, part in zip(lines, parts, strict=True) if part == n) for n in range(4)]
    assert sum(split) == whole_vat


def test_eight_hundred_yuan_at_13_percent():
    assert vat_in_gross(80_000, 1300) == 9204
    assert 80_000 - 9204 == 70_796


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角整"),
        (123450, "壹仟贰佰叁拾肆元伍角整"),
        (1640902, "壹万陆仟肆佰零玖元零贰分"),
        (10700053, "壹拾万柒仟元伍角叁分"),
        (600700000, "陆佰万柒仟元整"),
        (10000000000, "壹亿元整"),
        (10000000500, "壹亿零伍元整"),
        (1000000000000, "壹佰亿元整"),
        (-100, "负壹元整"),
        (100100100, "壹佰万壹仟零壹元整"),
    ],
)
def test_amounts_in_words(fen, words):
    assert in_words(fen) == words


_VALUES = {character: value for value, character in enumerate("零壹贰叁肆伍陆柒捌玖")}


def read(words):
    """The other way round, written on its own: what a reader of the words takes them for."""
    total, section, digit, yuan = 0, 0, 0, 0
    for character in words.removesuffix("整"):
        if character in _VALUES:
            digit = _VALUES[character]
        elif character in "拾佰仟":
            section += digit * {"拾": 10, "佰": 100, "仟": 1000}[character]
            digit = 0
        elif character == "万":
            total, section, digit = total + (section + digit) * 10_000, 0, 0
        elif character == "亿":
            total, section, digit = (total + section + digit) * 10**8, 0, 0
        elif character == "元":
            yuan, section, digit = total + section + digit, 0, 0
        elif character == "角":
            section, digit = digit * 10, 0
    return yuan * 100 + section + digit


@given(st.integers(0, 10**15))
def test_what_is_written_in_words_is_read_as_the_same_amount(fen):
    words = in_words(fen)
    assert read(words) == fen
    assert "零零" not in words
    assert words.endswith("分") == (fen % 10 > 0)


GROUNDS = InvoicingRules().exemptions


def test_the_ground_of_an_exemption_is_that_of_its_day():
    before, after = (ground_of(GROUNDS, Exemption.SELF_PRODUCED, day) for day in (date(2025, 12, 31), date(2026, 1, 1)))
    assert "暂行条例" in before.source_zh
    assert "增值税法》第二十四条" in after.source_zh
    assert ground_of(GROUNDS, Exemption.COOPERATIVE, date(2026, 1, 1)).source_zh == "财税〔2008〕81号第一条"
    # that of small taxpayers ends; an invoice of its time goes on saying what it rested on
    assert [ground.code for ground in grounds_on(GROUNDS, date(2028, 1, 1))] == list(Exemption)[:-1]
    assert ground_of(GROUNDS, Exemption.SMALL_SCALE, date(2028, 1, 1)).valid_until == date(2027, 12, 31)
    assert [ground.code for ground in grounds_on(GROUNDS, date(2012, 9, 30))] == list(Exemption)[:3]
    announced = [
        ground_of(GROUNDS, Exemption.SMALL_SCALE, day).source_zh for day in (date(2023, 7, 31), date(2023, 8, 1), date(2026, 1, 1))
    ]
    assert ["第1号" in announced[0], "第19号" in announced[1], "第19号" in announced[2]] == [True, True, True]
    for day in (date(2020, 2, 16), date(2025, 12, 31), date(2026, 1, 1), date(2027, 12, 31)):
        codes = [ground.code for ground in grounds_on(GROUNDS, day)]
        assert len(set(codes)) == len(codes), "one text for each code on any day"


def test_no_text_is_taken_away_from_old_invoices():
    with pytest.raises(ValueError, match="exemptions lack small_scale"):
        InvoicingRules(exemptions=[ground for ground in GROUNDS if ground.code is not Exemption.SMALL_SCALE])


def test_what_is_exempt_is_a_kind_of_produce():
    produce = {category for ground in GROUNDS for category in ground.categories}
    assert produce == set(Category) - {Category.PROCESSED_SNACK, Category.BEVERAGE, Category.HANDICRAFT, Category.RURAL_TOURISM}
    kinds = {kind for ground in GROUNDS for kind in ground.presumed_of}
    assert kinds <= set(OrganisationKind)


def test_who_is_exempt_of_what():
    def found(seller, category, *said, kind="goods", on=date(2026, 11, 1)):
        return exemption_of(grounds_on(GROUNDS, on), seller, kind, category, said)

    assert found("cooperative", "honey") is Exemption.COOPERATIVE
    assert found("family_farm", "fruit") is Exemption.SELF_PRODUCED
    assert found("village_collective", "tea", on=date(2021, 1, 1)) is Exemption.SELF_PRODUCED
    # what the seller says comes first, where it is for such goods
    assert found("cooperative", "vegetable", Exemption.VEGETABLES) is Exemption.VEGETABLES
    assert found("cooperative", "fruit", Exemption.VEGETABLES) is Exemption.COOPERATIVE
    both = (Exemption.VEGETABLES, Exemption.MEAT_AND_EGGS)
    assert found("enterprise", "vegetable", *both) is Exemption.VEGETABLES
    assert found("enterprise", "meat_poultry_egg", *both) is Exemption.MEAT_AND_EGGS
    assert found("enterprise", "fruit", *both) is None
    assert found("enterprise", "fruit") is None
    # baskets and cooked food are no produce, whoever makes them
    assert found("cooperative", "handicraft", Exemption.COOPERATIVE) is None
    assert found("cooperative", "processed_snack") is None
    # a night in a guest house is no produce, and neither is picking one's own fruit
    assert found("cooperative", "rural_tourism", kind="service") is None
    assert found("cooperative", "fruit", Exemption.SELF_PRODUCED, kind="service") is None
    assert found("cooperative", "rural_tourism", Exemption.SMALL_SCALE, kind="service") is Exemption.SMALL_SCALE
    assert found("enterprise", "handicraft", Exemption.SMALL_SCALE, on=date(2028, 1, 1)) is None
