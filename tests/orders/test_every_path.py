"""The last units through every path at once: orders, call-offs of agreements, awards, imported lists and approved requests draw on one stock.

One round; ``SHOP_PATH_ROUNDS=20`` is the long form (``make thorough``).
"""

import os
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text

from orders.importing import actions as importing
from orders.purchasing.actions import placing
from shop.core import clock
from shop.identity.permissions import Role
from tests.conftest import connect
from tests.factories.after_sales import rows, token_of
from tests.factories.buying import make_bureau
from tests.factories.identity import make_user
from tests.orders.agreements.scene import YEAR
from tests.orders.importing.conftest import HEAD, as_csv

ROUNDS = int(os.environ.get("SHOP_PATH_ROUNDS", "1"))
UNITS, AT_ONCE = 100, 64
#: How many try by each path: 300 for 100 units.
DIRECT, CALL_OFFS, AWARDS, IMPORTS, APPROVALS = 100, 60, 60, 20, 60
AGREEMENTS, AWARDS_OF_ONE = 3, 10


class Scene:
    """A school without rules buys directly, from agreements, by quotations and by lists; another needs an approval for everything."""

    def __init__(self, api, database):
        self.api, self.database = api, database
        self.bureau = make_bureau(api, database, stock=UNITS)
        market = self.bureau.market
        self.sku, self.supplier = market.products[0].sku_id, market.suppliers[0].id
        with database.unit_of_work() as session:
            admin = make_user(session, Role.BUYER_ADMIN, market.school)
        self.admin, self.buyer, self.seller = api.as_(admin), api.as_(market.purchaser), api.as_(market.sellers[0])
        self.bureau.rule(who="school_buyer_admin")
        self.agreements = [self.agreement() for _ in range(AGREEMENTS)]
        tokens = [token_of(database, user) for user in (market.purchaser, self.bureau.people["school_approver"])]
        self.buys, self.approves = ({"Authorization": f"Bearer {token}"} for token in tokens)

    def done(self, answer):
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    def agreement(self):
        """Signed by both sides; gives its id and that of its line."""
        body = {
            "title": "脐橙长期供货",
            "supplier_id": self.supplier,
            "fund_source": "canteen",
            "valid_from": str(clock.today()),
            "valid_until": str(clock.today() + YEAR),
            "lines": [{"sku_id": self.sku, "price": {"kind": "fixed", "unit_price": "60.00"}, "quantity_cap": "10000"}],
        }
        path = f"/v1/agreements/{self.done(self.buyer.post('/v1/agreements', json=body))['id']}"
        made = self.done(self.buyer.post(f"{path}/propose", json={}))
        for side in (self.seller, self.admin):
            self.done(side.post(f"{path}/sign", json={"terms_hash": made["terms_hash"]}))
        return made["id"], made["lines"][0]["id"]

    def closed_request(self):
        """A quotation request for ten, with one offer, whose time is over."""
        asked = {
            "title": "冬季水果",
            "kind": "invited",
            "supplier_ids": [self.supplier],
            "fund_source": "canteen",
            "delivery_address": "大学城中路1号",
            "closes_at": (clock.now() + timedelta(hours=1)).isoformat(),
            "lines": [{"sku_id": self.sku, "quantity": str(AWARDS_OF_ONE)}],
        }
        path = f"/v1/quotation-requests/{self.done(self.buyer.post('/v1/quotation-requests', json=asked))['id']}"
        self.done(self.buyer.post(f"{path}/publish"))
        line = {"line_no": 1, "sku_id": self.sku, "tiers": [{"min_quantity": "1", "unit_price": "60.00"}]}
        valid = str(clock.today() + timedelta(days=30))
        self.done(self.seller.post(f"{path}/quotations", json={"valid_until": valid, "lines": [line]}))
        with self.database.unit_of_work() as session:
            session.execute(text("UPDATE quotation_request SET closes_at = now(), questions_until = now() WHERE closes_at > now()"))
        return path

    def imported(self):
        """A list with one box of oranges, read and checked."""
        files = {"file": ("order.csv", as_csv(["奉节脐橙", "", "", 1, ""]))}
        made = self.done(self.buyer.post("/v1/order-imports", files=files))["id"]
        with self.database.unit_of_work() as session:
            importing.read(session, made)
            importing.check(session, made)
        return made

    def attempts(self):
        """Everything that will be sent, in any order: path, address, headers, body."""
        order = self.bureau.order(1)
        found = [("direct", "/v1/purchase-orders", self.buys, order)] * DIRECT
        for number in range(CALL_OFFS):
            agreement, line = self.agreements[number % AGREEMENTS]
            body = {"lines": [{"agreement_line_id": line, "quantity": "1"}], "delivery_address": "大学城中路1号"}
            found.append(("call-off", f"/v1/agreements/{agreement}/call-offs", self.buys, body))
        award = {"reason": "综合比价", "lines": [{"line_no": 1, "supplier_id": self.supplier, "quantity": "1"}]}
        for _ in range(AWARDS // AWARDS_OF_ONE):
            found += [("award", f"{self.closed_request()}/award", self.buys, award)] * AWARDS_OF_ONE
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
