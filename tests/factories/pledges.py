"""A firm that pledges to buy, with goods of Fengjie (one pack from a deep-poverty township) and Shizhu, and the people who act."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from shop.core import clock, outbox
from shop.core.db import Database
from shop.identity.models import Organisation, User
from shop.identity.permissions import Role
from tests.databases import begin_with, step
from tests.factories.catalog import MadeProduct, make_product
from tests.factories.identity import make_organisation, make_supplier, make_user
from workers.handlers import HANDLERS


class Clients(dict[str, Any]):
    """Who is signed in, by name; each is at the first use."""

    def __init__(self, api: Any, users: dict[str, User]) -> None:
        super().__init__()
        self.api, self.users = api, users

    def __missing__(self, name: str) -> Any:
        self[name] = self.api.as_(self.users[name])
        return self[name]


@dataclass
class Scene:
    api: Any
    database: Database
    firm: Organisation
    users: dict[str, User]
    clients: Clients
    suppliers: list[Organisation]
    products: list[MadeProduct]

    def body(self, **changes: Any) -> dict[str, Any]:
        today = clock.today()
        return {
            "title": "以购代捐慰问一线医护人员",
            "kind": "donate_by_purchase",
            "amount": "200000.00",
            "regions": ["500236", "500240"],
            "purpose": "采购奉节、石柱农产品慰问医护人员",
            "valid_from": str(today - timedelta(days=10)),
            "valid_until": str(today + timedelta(days=60)),
            "fund_source": "welfare",
            "recipients": [
                {"name": "市第一医院", "heads": 40, "delivery_address": "重庆市渝中区健康路1号", "delivery_phone": "023-63000000"}
            ],
            **changes,
        }

    def pledge(self, *, opened: bool = True, **changes: Any) -> dict[str, Any]:
        return step(self.database, f"pledge {opened} {changes}", lambda: self._pledge(opened, changes))

    def _pledge(self, opened: bool, changes: dict[str, Any]) -> dict[str, Any]:
        made = self.clients["buyer"].post("/v1/pledges", json=self.body(**changes))
        assert made.status_code == 201, made.text
        if opened:
            made = self.clients["buyer"].post(f"/v1/pledges/{made.json()['id']}/open")
            assert made.status_code == 200, made.text
        return dict(made.json())

    def order(self, *quantities: Any, who: str = "buyer") -> dict[str, Any]:
        lines = [
            {"sku_id": product.sku_id, "quantity": str(quantity)}
            for product, quantity in zip(self.products, quantities, strict=False)
            if quantity
        ]
        placed = self.clients[who].post(
            "/v1/purchase-orders", json={"fund_source": "welfare", "delivery_address": "重庆市", "lines": lines}
        )
        assert placed.status_code == 201, placed.text
        return dict(placed.json())

    def deliver(self, order: dict[str, Any], who: str = "buyer") -> None:
        """Every part of an order is confirmed, shipped and accepted in full."""
        for part in order["supplier_orders"]:
            at = next(n for n, supplier in enumerate(self.suppliers) if supplier.id == part["supplier_id"])
            seller = self.clients[f"seller{at}"]
            assert seller.post(f"/v1/supplier-orders/{part['id']}/confirm").status_code == 200
            shipment = seller.post(f"/v1/supplier-orders/{part['id']}/shipments", json={"before_payment": True}).json()["id"]
            assert self.clients[who].post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code in (200, 201)

    def count(self, pledge: dict[str, Any], order: dict[str, Any], **body: Any) -> Any:
        path = f"/v1/pledges/{pledge['id']}/orders"
        return self.clients["buyer"].post(path, json={"purchase_order_id": order["id"], **body})

    def figures(self, pledge: dict[str, Any], who: str = "buyer") -> dict[str, Any]:
        return dict(self.clients[who].get(f"/v1/pledges/{pledge['id']}").json()["figures"])

    def work(self) -> None:
        outbox.drain(self.database, HANDLERS)

    def told(self, who: str) -> list[str]:
        return [row["kind"] for row in self.clients[who].get("/v1/notifications").json()["items"]][::-1]

    def sql(self, statement: str, **values: Any) -> Any:
        with self.database.unit_of_work() as session:
            return session.execute(text(statement), values)


def make_scene(api: Any, database: Database, *, stock: int = 1000) -> Scene:
    """Products: oranges of 奉节平安乡 (deep), of Fengjie, honey of Shizhu, tea of Chengkou (outside)."""
    firm, users, suppliers, products = begin_with(database, f"pledges {stock}", lambda: _made(database, stock))
    return Scene(api, database, firm, users, Clients(api, users), suppliers, products)


def _made(database: Database, stock: int) -> tuple[Organisation, dict[str, User], list[Organisation], list[MadeProduct]]:
    with database.unit_of_work() as session:
        firm = make_organisation(session, kind="enterprise", role="enterprise", region_code="500103", name="重庆某某集团")
        branch = make_organisation(session, kind="enterprise", role="enterprise", region_code="500103", parent=firm)
        stranger = make_organisation(session, kind="enterprise", role="group_member", region_code="500103")
        suppliers = [make_supplier(session, code) for code in ("500236", "500240", "500229")]
        users = {
            "buyer": make_user(session, Role.PURCHASER, firm),
            "admin": make_user(session, Role.BUYER_ADMIN, firm),
            "approver": make_user(session, Role.APPROVER, firm),
            "branch": make_user(session, Role.PURCHASER, branch),
            "stranger": make_user(session, Role.PURCHASER, stranger),
            "fengjie": make_user(session, Role.COUNTY_OFFICER, region_code="500236"),
            "pingan": make_user(session, Role.TOWNSHIP_OFFICER, region_code="500236T01"),
            "chengkou": make_user(session, Role.COUNTY_OFFICER, region_code="500229"),
            "monitor": make_user(session, Role.MONITOR),
            **{f"seller{n}": make_user(session, Role.SUPPLIER_ADMIN, supplier) for n, supplier in enumerate(suppliers)},
        }
        fengjie, shizhu, chengkou = suppliers
        products = [
            make_product(session, fengjie, name="平安脐橙", township_code="500236T01", prices=((1, 8000), (50, 7600)), stock=stock),
            make_product(session, fengjie, name="奉节脐橙", prices=((1, 6990),), stock=stock),
            make_product(session, shizhu, name="土蜂蜜", category="honey", prices=((1, 15000),), stock=stock, net_grams=500),
            make_product(session, chengkou, name="高山茶", category="tea", prices=((1, 20000),), stock=stock, net_grams=250),
        ]
        session.execute(text("UPDATE product SET village = '天台村' WHERE id = :id"), {"id": products[0].product_id})
    return firm, users, suppliers, products
