"""Orders split over suppliers, deliveries, returns, VAT and commission: the parts always sum to the whole, in fen, grams and units, and in whatever
order they come.

Ten thousand orders each; ``SHOP_SPLIT_CASES=100000`` is the long form (``make faults``).
"""

import os
import random
from collections import defaultdict
from decimal import Decimal

import pytest

from orders.fulfilment import rules as fulfilment
from orders.fulfilment.rules import Answer, ShippedLine
from orders.ledger.rules import Part, part_to_reverse
from orders.purchasing import rules as purchasing
from orders.purchasing.rules import LineFacts
from orders.settlement.rules import CommissionKind
from shop.core.money import line_amount, share_out, vat_in_gross
from tests.orders.settlement.oracle import commission

CASES = int(os.environ.get("SHOP_SPLIT_CASES", "10000"))
NOTHING = Part(Decimal(0), 0, 0)


def plus(one, other):
    return Part(one.quantity + other.quantity, one.grams + other.grams, one.amount_fen + other.amount_fen)


def thousandths(number):
    return Decimal(number).scaleb(-3)


def cuts(chance, whole, most):
    """A number cut into so many positive parts at most."""
    at = sorted({chance.randint(1, whole) for _ in range(chance.randint(0, most - 1))} | {whole})
    return [after - before for before, after in zip([0, *at], at, strict=False)]


@pytest.mark.slow
def test_the_parts_of_suppliers_sum_to_the_order():
    """Every line is rounded once, here told in whole numbers: an order costs and weighs what its parts do, to the fen and the gram."""
    chance = random.Random(1)
    for _ in range(CASES):
        whole, parts = NOTHING, defaultdict(lambda: NOTHING)
        for number in range(chance.randint(1, 9)):
            supplier, ordered, price = chance.randint(1, 9), chance.randint(1, 400_000), chance.randint(1, 100_000)
            net, quantity = chance.randint(0, 20_000), thousandths(ordered)
            facts = LineFacts(
                number, 1, quantity, 1, supplier, True, True, 1, net, thousandths(1), thousandths(1), 900, price, quantity
            )
            line = purchasing.priced(facts)
            parts[supplier] = plus(parts[supplier], Part(line.quantity, line.grams, line.amount_fen))
            whole = plus(whole, Part(quantity, (ordered * net + 500) // 1000, (ordered * price + 500) // 1000))
        assert whole == sum_of(parts.values())


def sum_of(parts):
    total = NOTHING
    for part in parts:
        total = plus(total, part)
    return total


@pytest.mark.slow
def test_what_is_delivered_in_parts_and_given_back_in_parts_comes_to_nothing():
    """Each delivery is answered, and each acceptance is given back in parts until nothing is sold; at every step no part is negative."""
    chance = random.Random(2)
    for _ in range(CASES):
        price, ordered = chance.randint(1, 100_000), chance.randint(1, 400_000)
        accepted, paid = Decimal(0), 0
        for sent in cuts(chance, ordered, 3):
            taken = chance.choice((sent, sent, chance.randint(0, sent)))
            shipped, weight = thousandths(sent), chance.randint(0, 10**7)
            line = ShippedLine(1, shipped, weight, 1, thousandths(1), price, shipped, 0, accepted, paid, "box")
            told = Answer(1, thousandths(taken), thousandths(sent - taken), reason="压坏")
            [answer], faults = fulfilment.answer([line], [told])
            assert not faults
            assert answer.accepted_quantity + answer.rejected_quantity == shipped
            assert answer.accepted_grams + answer.rejected_grams == weight
            accepted, paid = accepted + answer.accepted_quantity, paid + answer.amount_fen
            if taken:
                sale = Part(answer.accepted_quantity, answer.accepted_grams, answer.amount_fen)
                assert given_back(chance, sale, taken) == sale
        assert paid == line_amount(accepted, price)


def given_back(chance, sale, taken):
    """What the ledger takes back of a sale that is given back whole, in up to three parts."""
    back = NOTHING
    for cut in cuts(chance, taken, 3):
        part = part_to_reverse(sale, back, thousandths(cut))
        assert part.grams >= 0 <= part.amount_fen
        back = plus(back, part)
    return back


def test_what_is_shared_out_is_all_of_it():
    """As with a crop loss over agreements: nothing is lost, no share is off by a whole unit, and who comes first gets no more by it."""
    chance = random.Random(3)
    for _ in range(CASES):
        total, weights = chance.randint(0, 10**9), [chance.randint(0, 10**6) for _ in range(chance.randint(1, 9))]
        weights[0] += 1
        shares, whole = share_out(total, weights), sum(weights)
        assert sum(shares) == total
        assert all(abs(share * whole - total * weight) < whole for share, weight in zip(shares, weights, strict=True))
        mixed = chance.sample(range(len(weights)), len(weights))
        again = share_out(total, [weights[at] for at in mixed])
        assert sorted(again) == sorted(shares)
        # only the last unit of equal remainders goes to whoever comes earlier
        assert all(abs(again[place] - shares[at]) <= 1 for place, at in enumerate(mixed))


def test_commission_of_sales_and_returns_in_any_order_is_that_of_what_is_left():
    """Up to nine sales of one part of an order, some of them given back: every line bears its share to the fen, and what went back bears none."""
    chance = random.Random(4)
    for _ in range(CASES):
        rate = {"kind": CommissionKind.RATE, "rate_bp": chance.randint(0, 3_000)}
        sales = [chance.randint(1, 10**7) for _ in range(chance.randint(1, 9))]
        lines = sales + [-chance.choice((fen, chance.randint(1, fen))) for fen in sales if chance.random() < 0.5]
        chance.shuffle(lines)
        borne, so_far = 0, 0
        for fen in lines:
            part = commission(so_far + fen, **rate) - commission(so_far, **rate)
            assert abs(part * 10_000 - fen * rate["rate_bp"]) <= 10_000
            borne, so_far = borne + part, so_far + fen
        assert borne == commission(sum(lines), **rate)


def test_vat_of_parts_is_that_of_the_whole():
    """What credit notes take off an invoice line in up to nine parts bears the VAT that the line bore."""
    chance = random.Random(5)
    for _ in range(CASES):
        gross, rate = chance.randint(1, 10**8), chance.choice((0, 300, 600, 900, 1300))
        left, taken = gross, 0
        for cut in cuts(chance, gross, 9):
            part = vat_in_gross(left, rate) - vat_in_gross(left - cut, rate)
            assert abs(part * (10_000 + rate) - cut * rate) <= 10_000 + rate
            left, taken = left - cut, taken + part
        assert (left, taken) == (0, vat_in_gross(gross, rate))
