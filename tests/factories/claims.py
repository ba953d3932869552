"""Who claims sales that were made elsewhere, and claims that are ready to be handed in."""

import itertools
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from shop.core import clock
from shop.identity.models import Organisation, User
from shop.identity.permissions import Role
from tests.databases import begin_with, step
from tests.factories.bodies import PDF
from tests.factories.catalog import MadeProduct, make_product
from tests.factories.identity import make_organisation, make_supplier, make_user

DISTRICT, OTHER_DISTRICT = "500236", "500240"
_numbers = itertools.count(10_000_001)


def invoice_number() -> str:
    """Of an older invoice: code and number."""
    return f"050001900104{next(_numbers):08}"[:20]


@dataclass
class Trading:
    """Two suppliers of two districts, a buyer, and the officers."""

    api: Any
    supplier: Organisation
    seller: User
    product: MadeProduct
    second: MadeProduct
    neighbour: Organisation
    neighbours_seller: User
    neighbours_product: MadeProduct
    buyer: Organisation
    purchaser: User
    officer: User
    neighbours_officer: User
    city: User

    def as_(self, name: str) -> Any:
        return self.api.as_(getattr(self, name))

    def body(self, *, amount: str = "980.00", of: str = "seller", **more: Any) -> dict[str, Any]:
        supplier, product = (self.neighbour, self.neighbours_product) if of == "neighbour" else (self.supplier, self.product)
        bought = {"buyer_id": self.buyer.id} if of == "buyer" else {
            "buyer_name": "滨州某超市", "buyer_kind": "enterprise", "buyer_region_code": "371600"
        }  # fmt: skip
        return {
            "side": "buyer" if of == "buyer" else "seller",
            "platform": "offline",
            "supplier_id": supplier.id,
            "sold_on": str(clock.today()),
            **bought,
            "lines": [{"product_id": product.product_id, "sku_id": product.sku_id, "quantity": "20", "amount": amount}],
            **more,
        }

    def draft(self, *, of: str = "seller", invoice: str | None = None, client: Any = None, **more: Any) -> dict[str, Any]:
        """A claim with all of its papers."""
        client = client or self.client(of)
        made = client.post("/v1/external-sales", json=self.body(of=of, **more))
        assert made.status_code == 201, made.text
        sale = made.json()
        for kind, number in (("invoice", invoice or invoice_number()), ("bank_receipt", f"R-{next(_numbers)}"), ("contract", None)):
            data = {"kind": kind, **({"number": number} if number else {})}
            if kind == "invoice":
                data["amount"] = sale["total"]
            added = client.post(f"/v1/external-sales/{sale['id']}/documents", data=data, files={"file": (f"{kind}.pdf", PDF)})
            assert added.status_code == 201, added.text
            sale = added.json()
        return sale

    def submitted(self, **more: Any) -> dict[str, Any]:
        sale = self.draft(**more)
        client = more.get("client") or self.client(more.get("of", "seller"))
        answer = client.post(f"/v1/external-sales/{sale['id']}/submit")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def accepted(self, **more: Any) -> dict[str, Any]:
        return step(self.api.database, f"accepted {more}", lambda: self._accepted(**more))

    def _accepted(self, **more: Any) -> Any:
        sale = self.submitted(**more)
        officer = self.as_("neighbours_officer" if more.get("of") == "neighbour" else "officer")
        answer = officer.post(f"/v1/external-sales/{sale['id']}/accept")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def client(self, of: str) -> Any:
        return self.as_({"seller": "seller", "neighbour": "neighbours_seller", "buyer": "purchaser"}[of])

    def holds(self, name: str = "city", **query: Any) -> list[dict[str, Any]]:
        return self.as_(name).get("/v1/counting-holds", params={"status": "open", **query}).json()["items"]

    def status(self, sale: dict[str, Any]) -> str:
        with self.api.database.unit_of_work() as session:
            return session.execute(text("SELECT status FROM external_sale WHERE id = :id"), {"id": sale["id"]}).scalar_one()


def ledger(database: Any) -> int:
    """What the ledger holds of sales made elsewhere, in fen."""
    with database.unit_of_work() as session:
        statement = text("SELECT coalesce(sum(amount_fen), 0)::bigint FROM sale_entry WHERE source = 'external'")
        return session.execute(statement).scalar_one()


def make_trading(api: Any, database: Any) -> Trading:
    return Trading(api, *begin_with(database, "trading", lambda: _made(database)))


def _made(database: Any) -> tuple[Any, ...]:
    with database.unit_of_work() as session:
        supplier, neighbour = make_supplier(session, DISTRICT), make_supplier(session, OTHER_DISTRICT)
        buyer = make_organisation(session, kind="school", role="school", region_code="500106")
        return (
            supplier,
            make_user(session, Role.SUPPLIER_ADMIN, supplier),
            make_product(session, supplier),
            make_product(session, supplier),
            neighbour,
            make_user(session, Role.SUPPLIER_ADMIN, neighbour),
            make_product(session, neighbour),
            buyer,
            make_user(session, Role.PURCHASER, buyer),
            make_user(session, Role.COUNTY_OFFICER, region_code=DISTRICT),
            make_user(session, Role.COUNTY_OFFICER, region_code=OTHER_DISTRICT),
            make_user(session, Role.CITY_OFFICER),
        )
