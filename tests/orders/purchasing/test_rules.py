from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.purchasing import rules
from orders.purchasing.rules import LineFacts, Reason
from orders.purchasing.states import SUPPLIER_ORDER, SupplierOrderAction, SupplierOrderStatus

GOOD = {
    "line_no": 1,
    "sku_id": 7,
    "quantity": Decimal(10),
    "product_id": 3,
    "supplier_id": 2,
    "supplier_approved": True,
    "active": True,
    "certificate_id": 9,
    "net_grams": 5000,
    "step": Decimal(1),
    "min_quantity": Decimal(1),
    "vat_bp": 900,
    "unit_price_fen": 6990,
    "available": Decimal(100),
}


def line(**changes):
    return LineFacts(**{**GOOD, **changes})


def reason(wanted=None, **changes):
    facts = line(**changes)
    return rules.reason_against(facts, buyer_id=1, wanted=wanted or facts.quantity)


def test_a_good_line_is_priced_to_the_fen_and_the_gram():
    assert reason() is None
    priced = rules.priced(line())
    assert (priced.amount_fen, priced.vat_fen, priced.grams) == (69_900, 5772, 50_000)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"product_id": None}, Reason.UNKNOWN_SKU),
        ({"active": False}, Reason.WITHDRAWN),
        ({"supplier_approved": False}, Reason.SUPPLIER_NOT_APPROVED),
        ({"certificate_id": None}, Reason.NOT_CERTIFIED),
        ({"supplier_id": 1}, Reason.OWN_PRODUCT),
        ({"min_quantity": Decimal(11)}, Reason.BELOW_MINIMUM),
        ({"unit_price_fen": None}, Reason.BELOW_MINIMUM),
        ({"step": Decimal(3)}, Reason.WRONG_STEP),
        ({"available": Decimal(9)}, Reason.STOCK_SHORT),
        ({"available": None}, Reason.STOCK_SHORT),
        ({"quantity": Decimal(10**8), "available": Decimal(10**9)}, None),
        ({"quantity": Decimal(10**9), "available": Decimal(10**9), "unit_price_fen": 10**6}, Reason.AMOUNT_TOO_LARGE),
    ],
)
def test_every_reason(changes, expected):
    assert reason(**changes) is expected


def test_the_stock_must_meet_all_lines_of_a_sku_together():
    lines = [line(line_no=1, quantity=Decimal(60)), line(line_no=2, quantity=Decimal(60))]
    faults = rules.faults_of(lines, 1, rules.wanted_by_sku(lines))
    assert [fault.code for fault in faults] == ["stock_short", "stock_short"]
    assert faults[1].field == "lines[1]"
    assert faults[1].data["available"] == "100"


@given(st.decimals("0.001", "1000", places=3), st.integers(1, 10**6), st.integers(1, 10**5))
def test_weight_is_rounded_to_the_gram(quantity, price, net):
    priced = rules.priced(line(quantity=quantity, unit_price_fen=price, net_grams=net))
    assert abs(quantity * net - priced.grams) <= Decimal("0.5")


@given(st.lists(st.sampled_from(SupplierOrderAction), max_size=30))
def test_whatever_is_tried_a_supplier_order_ends_in_a_state_of_the_table(actions):
    state = SupplierOrderStatus.PLACED
    for action in actions:
        if action in SUPPLIER_ORDER.possible(state):
            state = SUPPLIER_ORDER.after(state, action)
    assert state in SupplierOrderStatus
    if state in (SupplierOrderStatus.REJECTED, SupplierOrderStatus.CANCELLED, SupplierOrderStatus.ACCEPTED):
        assert SUPPLIER_ORDER.possible(state) == []
