"""A bureau with two schools below it, their people, and a market to buy from."""

from dataclasses import dataclass
from typing import Any

from shop.core.db import Database
from shop.identity.models import Organisation, User
from shop.identity.permissions import Role
from tests.databases import begin_with
from tests.factories.identity import make_organisation, make_user
from tests.factories.orders import Market, make_market


@dataclass
class Bureau:
    """``people``: by ``<place>_<role>``, such as ``school_purchaser`` and ``bureau_approver``."""

    api: Any
    market: Market
    bureau: Organisation
    school: Organisation
    other: Organisation
    people: dict[str, User]

    def __post_init__(self) -> None:
        self._clients: dict[str, Any] = {}

    def as_(self, who: str) -> Any:
        if who not in self._clients:
            self._clients[who] = self.api.as_(self.people[who])
        return self._clients[who]

    def order(self, *quantities: Any, **head: Any) -> dict[str, Any]:
        return self.market.order(*quantities, **head)

    def ask(self, *quantities: Any, who: str = "school_purchaser", **head: Any) -> Any:
        """Hand in a request of the market's products, in order."""
        return self.as_(who).post("/v1/purchase-requests", json=self.order(*quantities, **head))

    def placed(self, *quantities: Any, who: str = "school_purchaser", **head: Any) -> dict[str, Any]:
        """An order that needs no approval."""
        made = self.as_(who).post("/v1/purchase-orders", json=self.order(*quantities, **head))
        assert made.status_code == 201, made.text
        return made.json()

    def decide(self, request: dict[str, Any], who: str, verb: str = "approve", **body: Any) -> Any:
        return self.as_(who).post(f"/v1/purchase-requests/{request['id']}/{verb}", json=body)

    def move(self, order: dict[str, Any], unit: Organisation, who: str = "bureau_purchaser") -> Any:
        """Let an order weigh on another unit's budget."""
        body = {"unit_id": unit.id, "reason": "选错单位"}
        return self.as_(who).post(f"/v1/purchase-orders/{order['id']}/budget-unit", json=body)

    def rule(self, *steps: dict[str, Any], who: str = "bureau_buyer_admin", **rule: Any) -> dict[str, Any]:
        body = {"name": "审批", "min_amount": "0.00", "steps": list(steps) or [{"name": "领导", "role": "approver"}], **rule}
        made = self.as_(who).post("/v1/approval-rules", json=body)
        assert made.status_code == 201, made.text
        return made.json()

    def budget(self, limit: str, who: str = "bureau_buyer_admin", year: int | None = None, **body: Any) -> dict[str, Any]:
        from shop.core import clock

        asked = {"year": year or clock.today().year, "fund_source": "canteen", "limit": limit, **body}
        made = self.as_(who).post("/v1/budgets", json=asked)
        assert made.status_code == 201, made.text
        return made.json()


ROLES = (Role.BUYER_ADMIN, Role.PURCHASER, Role.APPROVER, Role.FINANCE, Role.VIEWER)


def make_bureau(api: Any, database: Database, *, stock: int = 1000) -> Bureau:
    return Bureau(api, *begin_with(database, f"bureau {stock}", lambda: _made(database, stock)))


def _made(database: Database, stock: int) -> tuple[Market, Organisation, Organisation, Organisation, dict[str, User]]:
    market = make_market(database, stock=stock)
    with database.unit_of_work() as session:
        bureau = make_organisation(session, kind="agency", name="区教委")
        school = make_organisation(session, kind="school", role="school", parent=bureau, name="第一中学")
        other = make_organisation(session, kind="school", role="school", parent=bureau, name="第二中学")
        places = {"bureau": bureau, "school": school, "other": other}
        people = {
            f"{place}_{role.value}": make_user(session, role, organisation)
            for place, organisation in places.items()
            for role in ROLES
        }
        people["stranger"] = make_user(session, Role.PURCHASER, market.school)
        people["seller"], people["honey_seller"] = market.sellers
    return market, bureau, school, other, people
