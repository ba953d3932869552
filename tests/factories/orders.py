"""A small market: two cooperatives with goods, a school that buys, and the people who act."""

from dataclasses import dataclass
from typing import Any

from shop.core.db import Database
from shop.identity.models import Organisation, User
from shop.identity.permissions import Role
from tests.databases import begin_with
from tests.factories.catalog import MadeProduct, make_product
from tests.factories.identity import make_organisation, make_supplier, make_user


@dataclass
class Market:
    school: Organisation
    purchaser: User
    finance: User
    suppliers: list[Organisation]
    sellers: list[User]
    products: list[MadeProduct]

    def order(self, *quantities: Any, **head: Any) -> dict[str, Any]:
        """The body of an order of the market's products, in order; None leaves one out."""
        lines = [
            {"sku_id": product.sku_id, "quantity": str(quantity)}
            for product, quantity in zip(self.products, quantities, strict=False)
            if quantity is not None
        ]
        return {"fund_source": "canteen", "delivery_address": "重庆市沙坪坝区大学城中路1号", "lines": lines, **head}


def make_market(database: Database, *, stock: int = 1000) -> Market:
    """Fengjie oranges (two tiers), Shizhu honey and a Wulong homestay; the school lies in Shapingba."""
    return begin_with(database, f"market {stock}", lambda: _made(database, stock))


def _made(database: Database, stock: int) -> Market:
    with database.unit_of_work() as session:
        school = make_organisation(session, kind="school", role="budget_unit", region_code="500106", name="沙坪坝中学")
        fengjie, shizhu = make_supplier(session, "500236"), make_supplier(session, "500240")
        return Market(
            school=school,
            purchaser=make_user(session, Role.PURCHASER, school),
            finance=make_user(session, Role.FINANCE, school),
            suppliers=[fengjie, shizhu],
            sellers=[make_user(session, Role.SUPPLIER_ADMIN, fengjie), make_user(session, Role.SUPPLIER_ADMIN, shizhu)],
            products=[
                make_product(
                    session, fengjie, name="奉节脐橙", prices=((1, 6990), (100, 6500)), stock=stock, net_grams=5000, vat_bp=900
                ),
                make_product(
                    session, shizhu, name="中益土蜂蜜", category="honey", prices=((1, 15000),), stock=stock, net_grams=500
                ),
                make_product(
                    session,
                    shizhu,
                    name="黄水避暑民宿",
                    category="rural_tourism",
                    kind="service",
                    prices=((1, 16800),),
                    stock=stock,
                    net_grams=None,
                ),
            ],
        )


def make_market_with_keepers(database: Database) -> tuple[Market, dict[str, User]]:
    """The market, and two who keep the platform's money: "cashier" and "treasurer"."""
    return begin_with(database, "market with keepers", lambda: _with_keepers(database))


def _with_keepers(database: Database) -> tuple[Market, dict[str, User]]:
    market = make_market(database)
    with database.unit_of_work() as session:
        return market, {name: make_user(session, Role.PLATFORM_FINANCE) for name in ("cashier", "treasurer")}
