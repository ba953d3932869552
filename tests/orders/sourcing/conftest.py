"""A school that asks, three suppliers that answer, and the people around them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from shop.core import clock, outbox
from shop.core.db import Database
from shop.identity.models import User
from shop.identity.permissions import Role
from tests.conftest import Api
from tests.databases import begin_with, step
from tests.factories.catalog import MadeProduct, make_product
from tests.factories.identity import make_organisation, make_supplier, make_user
from tests.factories.orders import Market, make_market
from workers.handlers import HANDLERS

#: Monday, ten in the morning in Chongqing.
START = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
#: Soon enough for everybody to be signed in still.
END = START + timedelta(minutes=30)
#: The day on which it closes, and a day until which everybody stands by the price.
DAY, VALID = "2026-11-30", "2026-12-31"


def _made(database: Database) -> tuple[Market, MadeProduct, int, dict[str, User]]:
    market = make_market(database)
    with database.unit_of_work() as session:
        rival = make_supplier(session, "500229")
        oranges = make_product(session, rival, name="城口脐橙", prices=((1, 12000),), net_grams=10_000, district_code="500229")
        county = make_user(session, Role.COUNTY_OFFICER, region_code="500106")
        other = make_organisation(session, kind="school", role="budget_unit", region_code="500107")
        users = {
            "buyer": market.purchaser,
            "finance": market.finance,
            "admin": make_user(session, Role.BUYER_ADMIN, market.school),
            "officer": county,
            "elsewhere": make_user(session, Role.COUNTY_OFFICER, region_code="500240"),
            "city": make_user(session, Role.CITY_OFFICER),
            "platform": make_user(session, Role.PLATFORM_ADMIN),
            "stranger": make_user(session, Role.PURCHASER, other),
            "fengjie": market.sellers[0],
            "shizhu": market.sellers[1],
            "rival": make_user(session, Role.SUPPLIER_STAFF, rival),
            "uncertified": make_user(session, Role.SUPPLIER_ADMIN, make_supplier(session)),
        }
    return market, oranges, rival.id, users


class Scene:
    """The market of the other tests (Fengjie oranges in boxes of 5 kg, Shizhu honey, a homestay) and a rival with oranges by 10 kg."""

    def __init__(self, api: Api, database: Database) -> None:
        self.api, self.database = api, database
        self.market, self.rival_oranges, self.rival_id, self.users = begin_with(database, "sourcing", lambda: _made(database))
        self.oranges, self.honey, self.stay = self.market.products
        self.suppliers = {"fengjie": self.market.suppliers[0].id, "shizhu": self.market.suppliers[1].id, "rival": self.rival_id}
        self.clients: dict[str, Api] = {}

    def as_(self, who: str) -> Api:
        if who not in self.clients:
            self.clients[who] = self.api.as_(self.users[who])
        return self.clients[who]

    def body(self, **changes: Any) -> dict[str, Any]:
        return {
            "title": "食堂冬季水果",
            "kind": "invited",
            "supplier_ids": [self.suppliers["fengjie"], self.suppliers["rival"]],
            "fund_source": "canteen",
            "delivery_address": "重庆市沙坪坝区大学城中路1号",
            "closes_at": END.isoformat(),
            "lines": [{"sku_id": self.oranges.sku_id, "quantity": "100", "target_price": "66.00"}],
            **changes,
        }

    def draft(self, who: str = "buyer", **changes: Any) -> dict[str, Any]:
        answer = self.as_(who).post("/v1/quotation-requests", json=self.body(**changes))
        assert answer.status_code == 201, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def publish(self, **changes: Any) -> int:
        return step(self.database, f"published {changes}", lambda: self._publish(**changes))

    def _publish(self, **changes: Any) -> int:
        request_id: int = self.draft(**changes)["id"]
        answer = self.do("buyer", request_id, "publish")
        assert answer.status_code == 200, answer.text
        return request_id

    def do(self, who: str, request_id: int, action: str, **body: Any) -> Any:
        return self.as_(who).post(f"/v1/quotation-requests/{request_id}/{action}", json=body or None)

    def get(self, who: str, request_id: int, part: str = "", **params: Any) -> Any:
        return self.as_(who).get(f"/v1/quotation-requests/{request_id}{part}", params=params)

    def quote(self, who: str, request_id: int, *prices: Any, **changes: Any) -> Any:
        """Quote own oranges for the first line: so many yuan from so many packs on."""
        sku = {"fengjie": self.oranges, "rival": self.rival_oranges, "shizhu": self.honey}[who].sku_id
        tiers = [{"min_quantity": str(least), "unit_price": price} for least, price in prices]
        line = {"line_no": 1, "sku_id": sku, "tiers": tiers, **changes.pop("line", {})}
        return self.submit(who, request_id, [line], **changes)

    def submit(self, who: str, request_id: int, lines: list[dict[str, Any]], **changes: Any) -> Any:
        body = {"valid_until": VALID, "lines": lines, **changes}
        return self.as_(who).post(f"/v1/quotation-requests/{request_id}/quotations", json=body)

    def award(self, request_id: int, *lines: dict[str, Any], who: str = "buyer", **body: Any) -> Any:
        body = {"reason": "综合比价", **({"lines": list(lines)} if lines else {}), **body}
        return self.as_(who).post(f"/v1/quotation-requests/{request_id}/award", json=body)

    def line(self, who: str, line_no: int = 1, **changes: Any) -> dict[str, Any]:
        return {"line_no": line_no, "supplier_id": self.suppliers[who], **changes}

    def ids(self, who: str, **params: Any) -> list[int]:
        answer = self.as_(who).get("/v1/quotation-requests", params=params)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["items"]]

    def drain(self) -> None:
        outbox.drain(self.database, HANDLERS)

    def told(self, organisation_id: int) -> list[str]:
        self.drain()
        return self.column("SELECT kind FROM notification WHERE organisation_id = :id ORDER BY id", id=organisation_id)

    def column(self, statement: str, **values: Any) -> list[Any]:
        with self.database.unit_of_work() as session:
            return list(session.execute(text(statement), values).scalars())

    def run(self, statement: str, **values: Any) -> None:
        with self.database.unit_of_work() as session:
            session.execute(text(statement), values)


@pytest.fixture
def scene(api, database):
    with clock.fixed(START):
        yield Scene(api, database)


@pytest.fixture
def later():
    """Hold the clock at a moment: ``with later(): ...`` is after the end."""
    return lambda moment=END: clock.fixed(moment)


def code(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code")


def faults(answer: Any) -> dict[str, str]:
    return {fault["field"]: fault["code"] for fault in answer.json()["errors"]}
