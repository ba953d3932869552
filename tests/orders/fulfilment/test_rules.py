from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from orders.fulfilment import rules
from orders.fulfilment.rules import Answer, OpenLine, ShippedLine
from shop.core.money import line_amount

D = Decimal


def open_line(**changes):
    return OpenLine(
        **{"order_line_id": 1, "sku_id": 1, "quantity": D(10), "shipped": D(4), "step": D(1), "net_grams": 500} | changes
    )


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
    }
    return ShippedLine(**base | changes)


def codes(faults):
    return [fault.code for fault in faults]


def test_without_lines_everything_open_is_shipped():
    shipped, faults = rules.to_ship([open_line(), open_line(order_line_id=2, shipped=D(10))], None)
    assert faults == []
    assert [(line.order_line_id, line.quantity, line.grams) for line in shipped] == [(1, D(6), 3000)]


def test_every_fault_of_a_shipment_is_named():
    asked = {1: (D(7), None), 2: (D(1), None), 3: (D("0.5"), None), 4: (D(1), 0)}
    lines = [open_line(), open_line(order_line_id=3), open_line(order_line_id=4)]
    _, faults = rules.to_ship(lines, asked)
    assert codes(faults) == ["above_open", "unknown_line", "wrong_step", "wrong_weight"]


def test_weighed_goods_keep_their_weight():
    shipped, _ = rules.to_ship([open_line()], {1: (D(6), 2987)})
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
    _, faults = rules.answer([shipped_line(step=D(1))], [Answer(1, D("9.5"), D("0.5"), reason="压坏")])
    assert codes(faults) == ["wrong_step"]


@given(st.integers(1, 10**9))
def test_a_weight_is_believed_within_half_of_what_is_expected(expected):
    assert rules.plausible(expected, expected)
    assert rules.plausible(-(-expected // 2), expected)
    assert not rules.plausible(expected * 3 // 2 + 1, expected)
    assert not rules.plausible((expected - 1) // 2, expected)
    assert rules.plausible(0, 0)
    assert not rules.plausible(1, 0)


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
