"""The last units through every path at once: orders, call-offs of agreements, awards, imported lists and approved requests draw on one stock.

One round; ``SHOP_PATH_ROUNDS=20`` is the long form (``make thorough``).
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
from tests.factories.after_sales import rows, token_of
from tests.factories.paths import Paths
from tests.orders.importing.conftest import HEAD

ROUNDS = int(os.environ.get("SHOP_PATH_ROUNDS", "1"))
UNITS, AT_ONCE = 100, 64
#: How many try by each path: 300 for 100 units.
DIRECT, CALL_OFFS, AWARDS, IMPORTS, APPROVALS = 100, 60, 60, 20, 60
AGREEMENTS, AWARDS_OF_ONE = 3, 10


class Scene(Paths):
    """A school without rules buys directly, from agreements, by quotations and by lists; another needs an approval for everything."""

    def __init__(self, api, database):
        super().__init__(api, database, stock=UNITS)
        self.bureau.rule(who="school_buyer_admin")
        self.agreements = [self.agreement() for _ in range(AGREEMENTS)]
        tokens = [token_of(database, user) for user in (self.market.purchaser, self.bureau.people["school_approver"])]
        self.buys, self.approves = ({"Authorization": f"Bearer {token}"} for token in tokens)

    def attempts(self):
        """Everything that will be sent, in any order: path, address, headers, body."""
        order = self.bureau.order(1)
        found = [("direct", "/v1/purchase-orders", self.buys, order)] * DIRECT
        for number in range(CALL_OFFS):
            address, body = self.call_off(*self.agreements[number % AGREEMENTS])
            found.append(("call-off", address, self.buys, body))
        for _ in range(AWARDS // AWARDS_OF_ONE):
            address, body = self.award(AWARDS_OF_ONE)
            found += [("award", address, self.buys, body)] * AWARDS_OF_ONE
        for _ in range(IMPORTS):
            found.append(("import", f"/v1/order-imports/{self.imported()}/order", self.buys, {**HEAD, "again": True}))
        for _ in range(APPROVALS):
            request = self.done(self.bureau.ask(1))["purchase_request"]["id"]
            found.append(("approval", f"/v1/purchase-requests/{request}/approve", self.approves, {}))
        random.Random(1).shuffle(found)
        return found

    def rush(self):
        """Send everything, so many at once; how many were sold by each path, and how often each status came."""
        attempts, local = self.attempts(), threading.local()

        def send(attempt):
            path, address, headers, body = attempt
            if not hasattr(local, "client"):
                local.client = connect(str(self.api.base_url), self.database)
            answer = local.client.post(address, json=body, headers=headers)
            sold = answer.status_code == 201 or (answer.status_code == 200 and answer.json()["status"] == "ordered")
            return path if sold else None, answer.status_code

        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(send, attempts))
        return Counter(path for path, _ in answers if path), Counter(status for _, status in answers)

    def sold(self):
        return rows(self.database, "SELECT coalesce(sum(quantity), 0) FROM order_line")[0][0]


@pytest.mark.slow
def test_of_a_hundred_units_exactly_a_hundred_are_sold_whatever_the_path(api, database):
    scene, sold_by = Scene(api, database), Counter()
    for _ in range(ROUNDS):
        before = scene.sold()
        sold, statuses = scene.rush()
        sold_by += sold
        assert statuses.keys() <= {200, 201, 409, 422}, statuses
        assert sum(sold.values()) == scene.sold() - before == UNITS
        stock = rows(database, "SELECT on_hand, reserved FROM stock WHERE sku_id = :s", s=scene.sku)
        assert stock == [(Decimal(UNITS), Decimal(UNITS))]
        with database.unit_of_work() as session:
            session.execute(text("UPDATE stock SET reserved = 0 WHERE sku_id = :s"), {"s": scene.sku})
    print("sold", dict(sold_by))
    assert sold_by.keys() == {"direct", "call-off", "award", "import", "approval"}


@pytest.mark.slow
@pytest.mark.control
def test_without_the_guard_the_same_rush_oversells(api, database, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    scene = Scene(api, database)
    with database.unit_of_work() as session:
        session.execute(text("ALTER TABLE stock DROP CONSTRAINT ck_stock_not_oversold"))

    def check_then_write(session, facts, wanted):
        for sku, quantity in wanted.items():
            was = session.execute(text("SELECT reserved FROM stock WHERE sku_id = :sku"), {"sku": sku}).scalar_one()
            session.execute(text("SELECT pg_sleep(0.005)"))
            session.execute(text("UPDATE stock SET reserved = :n WHERE sku_id = :sku"), {"sku": sku, "n": was + quantity})

    monkeypatch.setattr(placing, "reserve", check_then_write)
    sold, _ = scene.rush()
    assert sum(sold.values()) == scene.sold() > UNITS
