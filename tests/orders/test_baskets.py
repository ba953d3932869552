"""Many baskets on the same goods at once: nobody waits for ever, nothing is oversold, and a big order is had whole or not at all.

Four hundred baskets; ``SHOP_BASKETS=2000`` is the long form (``make thorough``).
"""

import os
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from sqlalchemy import text

from orders.purchasing.actions import placing
from tests.conftest import connect
from tests.factories.after_sales import differences, rows, token_of
from tests.factories.catalog import make_product
from tests.factories.identity import make_supplier
from tests.factories.orders import make_market

BASKETS = int(os.environ.get("SHOP_BASKETS", "400"))
SKUS, AT_ONCE = 20, 64
BULK_LINES, BULK_OF_EACH, BULKS = 12, 10, 8


class Shelf:
    """Twenty packs of four suppliers, and a school that buys them from many threads."""

    def __init__(self, api, database, stock):
        self.api, self.database = api, database
        market = make_market(database)
        with database.unit_of_work() as session:
            suppliers = [make_supplier(session, code) for code in ("500236", "500240", "500229", "500101")]
            self.skus = [make_product(session, suppliers[n % 4], stock=stock).sku_id for n in range(SKUS)]
        self.headers = {"Authorization": f"Bearer {token_of(database, market.purchaser)}"}
        self.head = {"fund_source": "canteen", "delivery_address": "大学城中路1号"}

    def body(self, wanted):
        return {**self.head, "lines": [{"sku_id": sku, "quantity": str(quantity)} for sku, quantity in wanted]}

    def buy_at_once(self, baskets):
        """The answers to all baskets, in their order."""
        local = threading.local()

        def buy(wanted):
            if not hasattr(local, "client"):
                local.client = connect(str(self.api.base_url), self.database, self.headers)
            return local.client.post("/v1/purchase-orders", json=self.body(wanted))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(buy, baskets))

    def held(self):
        """What is reserved and ordered of each pack, and how much there is."""
        return rows(
            self.database,
            "SELECT s.sku_id, s.on_hand, s.reserved, coalesce(sum(l.quantity), 0) FROM stock s LEFT JOIN order_line l USING (sku_id)"
            " WHERE s.sku_id = ANY (:skus) GROUP BY s.sku_id ORDER BY 1",
            skus=self.skus,
        )

    def deadlocks(self):
        """So many the server has seen in this database; what a connection has seen is told when it ends."""
        self.database.dispose()
        return rows(self.database, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0]


def basket(chance, skus):
    """One to six packs in any order, one to three of each."""
    return [(sku, chance.randint(1, 3)) for sku in chance.sample(skus, chance.randint(1, 6))]


def wanted_of(baskets):
    total = Counter()
    for wanted in baskets:
        for sku, quantity in wanted:
            total[sku] += quantity
    return total


@pytest.mark.slow
def test_baskets_in_any_order_neither_deadlock_nor_oversell(api, database):
    shelf, chance = Shelf(api, database, stock=BASKETS // 5), random.Random(1)
    baskets, before = [basket(chance, shelf.skus) for _ in range(BASKETS)], shelf.deadlocks()
    answers = shelf.buy_at_once(baskets)
    statuses = Counter(answer.status_code for answer in answers)
    print("baskets", dict(statuses))
    assert statuses.keys() == {201, 422}  # some packs were sold out, and nobody met a deadlock or a closed door
    assert shelf.deadlocks() == before
    sold = wanted_of(wanted for wanted, answer in zip(baskets, answers, strict=True) if answer.status_code == 201)
    for sku, on_hand, reserved, ordered in shelf.held():
        assert sold[sku] == reserved == ordered <= on_hand == BASKETS // 5
    # whoever was refused was refused for want of stock
    codes = {fault["code"] for answer in answers if answer.status_code == 422 for fault in answer.json()["errors"]}
    assert codes == {"stock_short"}
    assert differences(database) == {}


@pytest.mark.slow
@pytest.mark.control
def test_baskets_reserved_in_the_order_of_their_lines_do_deadlock(api, database, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    shelf, chance = Shelf(api, database, stock=10_000), random.Random(1)

    def one_by_one(session, facts, wanted):
        for line in facts:
            values = {"n": line.quantity, "sku": line.sku_id}
            session.execute(text("UPDATE stock SET reserved = reserved + :n WHERE sku_id = :sku"), values)
            session.execute(text("SELECT pg_sleep(0.005)"))

    monkeypatch.setattr(placing, "reserve", one_by_one)
    before = shelf.deadlocks()
    shelf.buy_at_once([basket(chance, shelf.skus[:8]) for _ in range(24)])
    assert shelf.deadlocks() > before


@pytest.mark.slow
def test_a_big_order_is_whole_or_nothing_while_others_buy_single_units(api, database):
    """Eight big orders of twelve lines want more than there is, and three hundred single units go at the same time."""
    stock = BULK_LINES // 2 * BULK_OF_EACH
    shelf, chance = Shelf(api, database, stock=stock), random.Random(2)
    packs = shelf.skus[:BULK_LINES]
    bulks = [[(sku, BULK_OF_EACH) for sku in chance.sample(packs, BULK_LINES)] for _ in range(BULKS)]
    singles = [[(chance.choice(packs), 1)] for _ in range(300)]
    baskets = [*bulks, *singles]
    chance.shuffle(baskets)
    before, seen, over = shelf.deadlocks(), set(), threading.Event()

    def look():
        """How many lines orders have, for whoever looks while they are placed."""
        while not over.wait(0.02):
            counts = "SELECT DISTINCT po.line_count, (SELECT count(*) FROM order_line WHERE purchase_order_id = po.id) FROM purchase_order po"
            seen.update(rows(database, counts))

    looking = threading.Thread(target=look)
    looking.start()
    answers = shelf.buy_at_once(baskets)
    over.set()
    looking.join()
    statuses = Counter((len(wanted) > 1, answer.status_code) for wanted, answer in zip(baskets, answers, strict=True))
    print("bulk and single", dict(statuses))
    assert {status for _, status in statuses} <= {201, 422}
    assert 0 < statuses[True, 201] < BULKS
    assert statuses[False, 201] > 0
    assert seen <= {(1, 1), (BULK_LINES, BULK_LINES)}
    assert shelf.deadlocks() == before
    lines = dict(
        rows(database, "SELECT n, count(*) FROM (SELECT count(*) AS n FROM order_line GROUP BY purchase_order_id) t GROUP BY n")
    )
    assert lines == {1: statuses[False, 201], BULK_LINES: statuses[True, 201]}
    sold = wanted_of(wanted for wanted, answer in zip(baskets, answers, strict=True) if answer.status_code == 201)
    for sku, on_hand, reserved, ordered in shelf.held():
        assert sold[sku] == reserved == ordered <= on_hand == Decimal(stock)
    assert differences(database) == {}
