"""A buyer that can order by every path: what agreements, quotations and lists need before an order can come of them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from orders.importing import actions as importing
from shop.core import clock
from shop.identity.permissions import Role
from tests.factories.buying import make_bureau
from tests.factories.identity import make_user
from tests.orders.agreements.scene import YEAR
from tests.orders.importing.conftest import as_csv


class Paths:
    """The market's school buys boxes of oranges, at 60.00 yuan where a price is agreed."""

    def __init__(self, api: Any, database: Any, **bureau: Any) -> None:
        self.api, self.database = api, database
        self.bureau = make_bureau(api, database, **bureau)
        self.market = self.bureau.market
        self.sku, self.supplier = self.market.products[0].sku_id, self.market.suppliers[0].id
        with database.unit_of_work() as session:
            admin = make_user(session, Role.BUYER_ADMIN, self.market.school)
        self.buyer, self.seller, self.admin = api.as_(self.market.purchaser), api.as_(self.market.sellers[0]), api.as_(admin)

    def done(self, answer: Any) -> Any:
        assert answer.status_code in (200, 201, 202), answer.text
        return answer.json()

    def agreement(self) -> tuple[int, int]:
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

    def call_off(self, agreement: int, line: int) -> tuple[str, dict[str, Any]]:
        """Address and body of an order of one box from an agreement."""
        asked = {"lines": [{"agreement_line_id": line, "quantity": "1"}], "delivery_address": "大学城中路1号"}
        return f"/v1/agreements/{agreement}/call-offs", asked

    def award(self, quantity: int = 10) -> tuple[str, dict[str, Any]]:
        """A quotation request for so many, with one offer, whose time is over; address and body of the award of one box."""
        asked = {
            "title": "冬季水果",
            "kind": "invited",
            "supplier_ids": [self.supplier],
            "fund_source": "canteen",
            "delivery_address": "大学城中路1号",
            "closes_at": (clock.now() + timedelta(hours=1)).isoformat(),
            "lines": [{"sku_id": self.sku, "quantity": str(quantity)}],
        }
        path = f"/v1/quotation-requests/{self.done(self.buyer.post('/v1/quotation-requests', json=asked))['id']}"
        self.done(self.buyer.post(f"{path}/publish"))
        line = {"line_no": 1, "sku_id": self.sku, "tiers": [{"min_quantity": "1", "unit_price": "60.00"}]}
        valid = str(clock.today() + timedelta(days=30))
        self.done(self.seller.post(f"{path}/quotations", json={"valid_until": valid, "lines": [line]}))
        with self.database.unit_of_work() as session:
            session.execute(text("UPDATE quotation_request SET closes_at = now(), questions_until = now() WHERE closes_at > now()"))
        return f"{path}/award", {"reason": "综合比价", "lines": [{"line_no": 1, "supplier_id": self.supplier, "quantity": "1"}]}

    def imported(self) -> int:
        """A list with one box of oranges, read and checked; its id."""
        files = {"file": ("order.csv", as_csv(["奉节脐橙", "", "", 1, ""]))}
        made: int = self.done(self.buyer.post("/v1/order-imports", files=files))["id"]
        with self.database.unit_of_work() as session:
            importing.read(session, made)
            importing.check(session, made)
        return made
