"""Orders split over suppliers, deliveries and returns: the parts always sum to the whole, in fen, grams and units.

Thirty thousand orders each; ``SHOP_SPLIT_CASES=100000`` is the long form (``make thorough``).
"""

import os
import random
from collections import defaultdict
from decimal import Decimal

from orders.fulfilment import rules as fulfilment
from orders.fulfilment.rules import Answer, ShippedLine
from orders.ledger.rules import Part, part_to_reverse
from orders.purchasing import rules as purchasing
from orders.purchasing.rules import LineFacts
from shop.core.money import line_amount, share_out

CASES = int(os.environ.get("SHOP_SPLIT_CASES", "30000"))
NOTHING = Part(Decimal(0), 0, 0)


def plus(one, other):
    return Part(one.quantity + other.quantity, one.grams + other.grams, one.amount_fen + other.amount_fen)


def thousandths(number):
    return Decimal(number).scaleb(-3)


def cuts(chance, whole, most):
    """A number cut into so many positive parts at most."""
    at = sorted({chance.randint(1, whole) for _ in range(chance.randint(0, most - 1))} | {whole})
    return [after - before for before, after in zip([0, *at], at, strict=False)]


def test_the_parts_of_suppliers_sum_to_the_order():
    """Every line is rounded once, here told in whole numbers: an order costs and weighs what its parts do, to the fen and the gram."""
    chance = random.Random(1)
    for _ in range(CASES):
        whole, parts = NOTHING, defaultdict(lambda: NOTHING)
        for number in range(chance.randint(1, 4)):
            supplier, ordered, price = chance.randint(1, 3), chance.randint(1, 400_000), chance.randint(1, 100_000)
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
    """As with a crop loss over agreements: nothing is lost, and no share is off by a whole unit."""
    chance = random.Random(3)
    for _ in range(CASES):
        total, weights = chance.randint(0, 10**9), [chance.randint(0, 10**6) for _ in range(chance.randint(1, 6))]
        weights[0] += 1
        shares, whole = share_out(total, weights), sum(weights)
        assert sum(shares) == total
        assert all(abs(share * whole - total * weight) < whole for share, weight in zip(shares, weights, strict=True))
