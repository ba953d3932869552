import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.fulfilment import rules
from orders.fulfilment.rules import Answer, OpenLine, RejectReason, Sent, ShippedLine
from shop.core.money import line_amount

D = Decimal
TODAY = date(2026, 11, 26)


def open_line(**changes):
    return OpenLine(**{"order_line_id": 1, "sku_id": 1, "quantity": D(10), "open": D(6), "step": D(1), "net_grams": 500} | changes)


def shipped_line(**changes):
    base = {
        "order_line_id": 1,
        "quantity": D(10),
        "grams": 5000,
        "net_grams": 500,
        "step": D("0.001"),
        "unit_price_fen": 333,
        "ordered": D(10),
        "amount_fen": 3330,
        "accepted_before": D(0),
        "paid_before_fen": 0,
        "unit": "box",
    }
    return ShippedLine(**base | changes)


def codes(faults):
    return [fault.code for fault in faults]


def test_without_lines_everything_open_is_shipped():
    shipped, faults = rules.to_ship([open_line(), open_line(order_line_id=2, open=D(0))], None, today=TODAY)
    assert faults == []
    assert [(line.sent.order_line_id, line.sent.quantity, line.grams) for line in shipped] == [(1, D(6), 3000)]


def test_every_fault_of_a_shipment_is_named():
    asked = [Sent(1, D(7)), Sent(2, D(1)), Sent(3, D("0.5")), Sent(4, D(1), 0)]
    lines = [open_line(), open_line(order_line_id=3), open_line(order_line_id=4)]
    _, faults = rules.to_ship(lines, asked, today=TODAY)
    assert codes(faults) == ["above_open", "unknown_line", "wrong_step", "wrong_weight"]


def test_weighed_goods_keep_their_weight():
    shipped, _ = rules.to_ship([open_line()], [Sent(1, D(6), 2987)], today=TODAY)
    assert shipped[0].grams == 2987


def test_accepted_and_rejected_must_be_what_was_shipped():
    _, faults = rules.answer([shipped_line()], [Answer(1, D(9), D(0))])
    assert codes(faults) == ["not_what_was_shipped"]
    _, faults = rules.answer([shipped_line()], [Answer(1, D(9), D(1))])
    assert codes(faults) == ["reason_missing"]
    _, faults = rules.answer([shipped_line(), shipped_line(order_line_id=2)], [Answer(1, D(10), D(0)), Answer(1, D(10), D(0))])
    assert codes(faults) == ["unknown_line", "line_missing"]
    _, faults = rules.answer([shipped_line()], [Answer(1, D(10), D(0), accepted_grams=0)])
    assert codes(faults) == ["wrong_weight"]
    [fault] = rules.answer([shipped_line(unit="kg", grams=10_000)], [Answer(1, D(10), D(0), accepted_grams=9_990)])[1]
    assert (fault.code, fault.data["expected_grams"]) == ("wrong_weight", 10_000)
    assert "difference_quantity" in fault.en
    _, faults = rules.answer([shipped_line(step=D(1))], [Answer(1, D("9.5"), D("0.5"), reason="压坏")])
    assert codes(faults) == ["wrong_step"]


@given(st.integers(1, 10**9))
def test_a_weight_is_believed_within_half_of_what_is_expected(expected):
    assert rules.plausible(expected, expected, "box")
    assert rules.plausible(-(-expected // 2), expected, "box")
    assert not rules.plausible(expected * 3 // 2 + 1, expected, "box")
    assert not rules.plausible((expected - 1) // 2, expected, "box")
    assert rules.plausible(0, 0, "box")
    assert not rules.plausible(1, 0, "box")


def test_weights_follow_the_shipped_weight_unless_weighed():
    accepted, _ = rules.answer([shipped_line(grams=4990)], [Answer(1, D(7), D(3), reason="压坏")])
    assert (accepted[0].accepted_grams, accepted[0].rejected_grams) == (3493, 1497)
    accepted, _ = rules.answer([shipped_line()], [Answer(1, D(7), D(3), accepted_grams=3400, rejected_grams=1500, reason="压坏")])
    assert (accepted[0].accepted_grams, accepted[0].rejected_grams) == (3400, 1500)


@given(st.lists(st.decimals("0.001", "500", places=3), min_size=1, max_size=12), st.integers(1, 10**6))
def test_many_part_deliveries_cost_what_one_delivery_costs(parts, price):
    accepted, paid = D(0), 0
    for part in parts:
        amount = rules.accepted_amount(shipped_line(unit_price_fen=price, accepted_before=accepted, paid_before_fen=paid), part)
        assert amount >= 0
        accepted, paid = accepted + part, paid + amount
    assert paid == line_amount(accepted, price)


@given(st.integers(1, 10**7), st.integers(0, 1000), st.integers(1, 1000))
def test_proportional_weights_sum_to_the_shipped_weight(grams, accepted, rejected):
    quantity = D(accepted + rejected)
    answers = [Answer(1, D(accepted), D(rejected), reason="压坏")]
    result, faults = rules.answer([shipped_line(quantity=quantity, grams=grams)], answers)
    assert faults == []
    assert result[0].accepted_grams + result[0].rejected_grams == grams


def weighed(**changes):
    base = {
        "order_line_id": 1,
        "sku_id": 1,
        "quantity": D(300),
        "open": D(300),
        "step": D("0.001"),
        "net_grams": 1000,
        "unit": "kg",
    }
    return OpenLine(**base | changes)


def test_what_is_weighed_may_come_short_but_not_by_much():
    shipped, faults = rules.to_ship([weighed()], [Sent(1, D(270), short=True)], today=TODAY, short_percent=20)
    assert faults == []
    assert (shipped[0].sent.quantity, shipped[0].closed) == (D(270), D(30))
    _, faults = rules.to_ship([weighed()], [Sent(1, D(239), short=True)], today=TODAY, short_percent=20)
    assert codes(faults) == ["too_short"]
    _, faults = rules.to_ship([open_line()], [Sent(1, D(5), short=True)], today=TODAY, short_percent=100)
    assert codes(faults) == ["not_weighed"]


def test_dates_of_goods_must_be_possible():
    day = timedelta(days=1)
    for sent, code in (
        (Sent(1, D(1), produced_on=TODAY + day), "in_future"),
        (Sent(1, D(1), best_before=TODAY - day), "past_best_before"),
    ):
        assert codes(rules.to_ship([open_line()], [sent], today=TODAY)[1]) == [code]
    fresh = Sent(1, D(1), produced_on=TODAY, best_before=TODAY)
    assert rules.to_ship([open_line()], [fresh], today=TODAY)[1] == []


def test_what_did_not_arrive_needs_a_reason_and_is_not_paid():
    line = shipped_line(quantity=D(270), grams=270_000, net_grams=1000, unit_price_fen=1000)
    _, faults = rules.answer([line], [Answer(1, D("268.4"), D(0), difference_quantity=D("1.6"))])
    assert codes(faults) == ["reason_missing"]
    accepted, faults = rules.answer(
        [line], [Answer(1, D("268.4"), D(0), difference_quantity=D("1.6"), reason_code=RejectReason.SHORT_WEIGHT)]
    )
    assert faults == []
    assert (accepted[0].amount_fen, accepted[0].accepted_grams, accepted[0].rejected_grams) == (268_400, 268_400, 0)
    _, faults = rules.answer([line], [Answer(1, D(271), D(0))])
    assert codes(faults) == ["not_what_was_shipped"]
    _, faults = rules.answer([line], [Answer(1, D(270), D(0), photo_ids=[7])], photos=[6])
    assert codes(faults) == ["unknown_photo"]


quantities = st.integers(0, 10**6).map(lambda n: D(n) / 1000)


@given(quantities, quantities, quantities, st.integers(0, 10**7))
def test_the_three_parts_are_what_was_shipped_and_weigh_no_more(accepted, rejected, difference, grams):
    shipped = accepted + rejected + difference
    if not shipped:
        return
    one = Answer(1, accepted, rejected, difference_quantity=difference, reason="途损")
    result, faults = rules.answer([shipped_line(quantity=shipped, grams=grams)], [one])
    assert faults == []
    got = result[0]
    assert got.accepted_quantity + got.rejected_quantity + got.difference_quantity == shipped
    assert got.accepted_grams + got.rejected_grams <= grams
    assert (got.reason_code is None) == (rejected + difference == 0)


@given(st.lists(st.tuples(quantities, quantities, quantities), min_size=1, max_size=6), st.integers(1, 10**6))
def test_of_what_is_sold_by_weight_the_parts_are_what_the_scale_says(deliveries, price):
    """Whatever step it is ordered in: quantities, grams and fen of the parts add up, delivery by delivery."""
    ordered = sum((sum(parts) for parts in deliveries), D(0))
    if not ordered:
        return
    still_open, taken, paid = ordered, D(0), 0
    for accepted, rejected, lost in deliveries:
        quantity = accepted + rejected + lost
        if not quantity:
            continue
        [shipped], faults = rules.to_ship(
            [weighed(step=D("0.5"), quantity=ordered, open=still_open)], [Sent(1, quantity)], today=TODAY
        )
        assert faults == []
        still_open -= quantity
        line = shipped_line(
            quantity=quantity,
            grams=shipped.grams,
            net_grams=1000,
            unit="kg",
            step=D("0.5"),
            unit_price_fen=price,
            accepted_before=taken,
            paid_before_fen=paid,
        )
        one = Answer(1, accepted, rejected, int(accepted * 1000), int(rejected * 1000), "复秤", lost)
        [got], faults = rules.answer([line], [one])
        assert faults == []
        assert got.accepted_quantity + got.rejected_quantity + got.difference_quantity == quantity
        assert (got.accepted_grams, got.rejected_grams) == (accepted * 1000, rejected * 1000)
        assert rules.answer([line], [replace(one, accepted_grams=None, rejected_grams=None)]) == ([got], [])
        taken, paid = taken + accepted, paid + got.amount_fen
    assert still_open == 0
    assert paid == line_amount(taken, price)


def test_what_is_counted_comes_and_is_taken_in_whole_steps():
    _, faults = rules.to_ship([open_line(step=D(2))], [Sent(1, D(3))], today=TODAY)
    assert codes(faults) == ["wrong_step"]
    _, faults = rules.answer([shipped_line(step=D(2))], [Answer(1, D(7), D(0), reason="途损", difference_quantity=D(3))])
    assert codes(faults) == ["wrong_step"]


@pytest.mark.slow
def test_a_hundred_thousand_orders_split_over_deliveries_cost_what_they_would_cost_in_one():
    chance = random.Random(20201126)
    for _ in range(100_000):
        price, accepted, paid = chance.randint(1, 100_000), D(0), 0
        for _ in range(chance.randint(1, 5)):
            part = D(chance.randint(1, 400_000)).scaleb(-3)
            amount = rules.accepted_amount(ShippedLine(1, part, 1, 1, D("0.001"), price, part, 1, accepted, paid, "box"), part)
            accepted, paid = accepted + part, paid + amount
        assert paid == line_amount(accepted, price)
