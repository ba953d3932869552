"""Pure decisions: the hash of a batch, chains, resale, refunds."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.ledger.rules import Part
from orders.outlet_sales.rules import (
    APART,
    Doubt,
    Link,
    Told,
    alike,
    allocate,
    batch_hash,
    canonical,
    doubt,
    refund,
    split_resale,
    walk,
)
from orders.outlets.rules import Term
from orders.outlets.states import OutletStatus

#: The test vector of docs/outlets.md.
VECTOR = {
    "batch_id": "2026-11-26-1",
    "sequence": 1,
    "previous_hash": None,
    "sent_at": "2026-11-26T10:00:05+08:00",
    "lines": [
        {
            "line_id": "1-1",
            "sold_at": "2026-11-26T09:58:00+08:00",
            "goods_id": "脐橙-5",
            "quantity": "2",
            "amount": "59.80",
        }
    ],
}


def test_the_hash_is_that_of_the_docs():
    assert canonical({**VECTOR, "hash": "x"}).decode() == (
        '{"batch_id":"2026-11-26-1","lines":[{"amount":"59.80","goods_id":"脐橙-5","line_id":"1-1","quantity":"2",'
        '"sold_at":"2026-11-26T09:58:00+08:00"}],"previous_hash":null,"sent_at":"2026-11-26T10:00:05+08:00","sequence":1}'
    )
    assert batch_hash(VECTOR) == "29aaded77b61f0f6adff9b21972509500f365822786a9e70c5d94b051b4d6a7e"


@given(st.integers(0, 8), st.permutations(range(1, 7)), st.sets(st.integers(1, 6)))
def test_a_chain_is_walked_as_far_as_there_is_no_gap(start, order, missing):
    links = [Link(n, start + n, f"h{start + n - 1}", f"h{start + n}") for n in order if n not in missing]
    walked = walk(start, f"h{start}", links)
    reached = min([*missing, 7]) - 1
    assert walked.taken == list(range(1, reached + 1))
    assert walked.broken == set()
    assert (walked.last_sequence, walked.last_hash) == (start + reached, f"h{start + reached}")


def test_a_wrong_previous_hash_is_told_once():
    walked = walk(0, None, [Link(1, 1, None, "a"), Link(2, 2, "wrong", "b"), Link(3, 3, "b", "c")])
    assert (walked.taken, walked.broken) == ([1, 2, 3], {2})


@dataclass(frozen=True)
class Sold:
    id: int
    outlet_id: int
    goods_id: str
    product_id: int | None
    quantity: Decimal
    amount_fen: int
    sold_at: datetime


@st.composite
def sales(draw, first):
    made = st.tuples(
        st.integers(1, 2),
        st.sampled_from("ab"),
        st.sampled_from([None, 1, 2]),
        st.integers(1, 2),
        st.integers(1, 2),
        st.integers(0, 200),
    )
    noon = datetime(2026, 11, 26, 4, tzinfo=UTC)
    return [
        Sold(first + n, outlet, goods, product, Decimal(quantity), fen, noon + timedelta(seconds=after))
        for n, (outlet, goods, product, quantity, fen, after) in enumerate(draw(st.lists(made, max_size=8)))
    ]


def _one_sale(a, b):
    """By the definition, for any two."""
    goods = a.goods_id == b.goods_id or (a.product_id is not None and a.product_id == b.product_id)
    same = (a.outlet_id, a.quantity, a.amount_fen) == (b.outlet_id, b.quantity, b.amount_fen)
    return goods and same and abs(a.sold_at - b.sold_at) <= APART


@given(sales(first=100), sales(first=1))
def test_what_looks_like_a_sale_that_counts_is_what_says_the_same_within_a_minute(told, counted):
    pairs = {line.id: [sale.id for sale in counted if _one_sale(line, sale)] for line in told}
    assert alike(told, counted) == {id: min(found) for id, found in pairs.items() if found}


figures = st.integers(1, 1000).map(Decimal)


@given(st.integers(0, 5000).map(Decimal), st.lists(figures, max_size=12), st.integers(0, 12))
def test_no_sale_counts_twice_and_at_most_a_part_of_one_line_too_little(bought, sold, cut):
    marks = split_resale(bought, Decimal(0), sold)
    assert len(marks) == len(sold)
    resold = sum((each for each, mark in zip(sold, marks, strict=True) if mark), Decimal(0))
    total = sum(sold, Decimal(0))
    assert resold >= min(bought, total)
    assert resold < bought + max([*sold, Decimal(1)]) if resold > bought else resold <= bought
    # first come, first marked, in however many batches
    assert marks == sorted(marks, reverse=True)
    first = split_resale(bought, Decimal(0), sold[:cut])
    used = sum((each for each, mark in zip(sold, first, strict=False) if mark), Decimal(0))
    assert first + split_resale(bought, used, sold[cut:]) == marks


@given(st.integers(1, 50), st.integers(0, 10**6), st.lists(st.integers(1, 20), max_size=8))
def test_refunds_sum_to_no_more_than_the_sale(quantity, fen, backs):
    sale, back = Part(Decimal(quantity), quantity * 750, fen), Part(Decimal(0), 0, 0)
    for each in backs:
        part = refund(sale, back, Decimal(each), None)
        assert (part is None) == (back.quantity + each > quantity)
        if part:
            back = Part(back.quantity + part.quantity, back.grams + part.grams, back.amount_fen + part.amount_fen)
    assert back.amount_fen <= fen
    if back.quantity == quantity:
        assert (back.grams, back.amount_fen) == (sale.grams, fen)


def test_a_refund_of_another_amount_is_none():
    sale = Part(Decimal(3), 0, 1000)
    assert refund(sale, Part(Decimal(0), 0, 0), Decimal(1), 334) == Part(Decimal(1), 0, 333)
    assert refund(sale, Part(Decimal(0), 0, 0), Decimal(1), 335) is None


@given(st.lists(figures, min_size=1, max_size=5), st.integers(1, 5000).map(Decimal))
def test_what_is_taken_back_comes_from_the_oldest(left, quantity):
    entries = list(enumerate(left))
    if quantity > sum(left):
        with pytest.raises(ValueError, match="less"):
            allocate(entries, quantity)
        return
    taken = allocate(entries, quantity)
    assert sum(taken.values()) == quantity
    assert all(part <= left[entry] for entry, part in taken.items())
    assert all(taken[entry] == left[entry] for entry in list(taken)[:-1])


NOW = datetime(2026, 10, 20, 4, tzinfo=UTC)
OPEN = Term(OutletStatus.VERIFIED, date(2026, 1, 1), date(2026, 2, 1), None)


@pytest.mark.parametrize(
    ("sent", "sold", "term", "expected"),
    [
        (NOW, NOW, OPEN, None),
        (NOW + timedelta(minutes=10), NOW, OPEN, None),
        (NOW + timedelta(minutes=11), NOW, OPEN, Doubt.CLOCK),
        (None, NOW + timedelta(minutes=11), OPEN, Doubt.CLOCK),
        (NOW, NOW - timedelta(days=93), OPEN, Doubt.LATE),
        (NOW, NOW, Term(OutletStatus.REGISTERED, date(2026, 1, 1), None, None), Doubt.OUTLET_CLOSED),
        (NOW, NOW, Term(OutletStatus.CLOSED, date(2026, 1, 1), date(2026, 2, 1), date(2026, 10, 19)), Doubt.OUTLET_CLOSED),
        (NOW, NOW, Term(OutletStatus.CLOSED, date(2026, 1, 1), date(2026, 2, 1), date(2026, 10, 20)), None),
        (NOW, NOW - timedelta(days=280), OPEN, Doubt.OUTLET_CLOSED),
    ],
)
def test_when_a_batch_is_doubted(sent, sold, term, expected):
    assert doubt(Told(sent, NOW, sold, sold), term, clock_minutes=10, late_days=92) is expected
