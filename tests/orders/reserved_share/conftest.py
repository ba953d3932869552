"""A department with two schools below it, a school of its own, and who looks at them."""

import pytest

from shop.core import outbox
from shop.identity.permissions import Role
from tests.databases import begin_with
from tests.factories.catalog import make_product
from tests.factories.identity import make_organisation, make_supplier, make_user
from tests.factories.orders import make_market
from workers.handlers import HANDLERS

YEAR = 2026


def code(answer):
    return answer.status_code, answer.json().get("code")


def faults(answer):
    return {(fault["field"], fault["code"]) for fault in answer.json()["errors"]}


def _made(database):
    market = make_market(database, stock=100_000)
    with database.unit_of_work() as session:
        department = make_organisation(session, kind="agency", role="budget_unit", name="区教委")
        first = make_organisation(session, kind="school", role="school", parent=department, name="第一小学")
        second = make_organisation(session, kind="school", role="school", parent=department, name="第二小学")
        alone = market.school
        elsewhere = make_organisation(session, kind="agency", role="budget_unit", region_code="500112")
        ineligible = make_supplier(session, "500118")
        # certified, and its supplier registered in no county that counts
        market.products.append(make_product(session, ineligible, prices=((1, 10_000),), stock=100_000))
        market.suppliers.append(ineligible)
        market.sellers.append(make_user(session, Role.SUPPLIER_ADMIN, ineligible))
        people = {
            "department": (Role.BUYER_ADMIN, department, None),
            "bursar": (Role.FINANCE, department, None),
            "first": (Role.BUYER_ADMIN, first, None),
            "first_buyer": (Role.PURCHASER, first, None),
            "second": (Role.FINANCE, second, None),
            "second_buyer": (Role.PURCHASER, second, None),
            "alone": (Role.BUYER_ADMIN, alone, None),
            "alone_buyer": (Role.PURCHASER, alone, None),
            "county": (Role.COUNTY_OFFICER, None, "500106"),
            "other_county": (Role.COUNTY_OFFICER, None, "500112"),
            "city": (Role.CITY_OFFICER, None, None),
            "monitor": (Role.MONITOR, None, None),
            "stranger": (Role.BUYER_ADMIN, elsewhere, None),
        }
        users = {name: make_user(session, role, unit, region) for name, (role, unit, region) in people.items()}
    return {"market": market, "department": department, "first": first, "second": second, "alone": alone, "users": users}


class Scene:
    def __init__(self, api, database):
        self.api, self.database = api, database
        vars(self).update(begin_with(database, "reserved share", lambda: _made(database)))
        self.sign_in()

    def sign_in(self):
        """Again, when days have passed."""
        self.clients = {name: self.api.as_(user) for name, user in self.users.items()}
        self.sellers = [self.api.as_(user) for user in self.market.sellers]

    def __getitem__(self, who):
        return self.clients[who]

    def put(self, who, year=YEAR, unit=None, headers=None, **body):
        asked = {"base": "100000.00", "percent": "10", **body}
        return self[who].put(
            f"/v1/reserved-shares/{year}", json=asked, params={"unit_id": unit.id} if unit else {}, headers=headers
        )

    def file(self, who, year=YEAR, unit=None, **body):
        return self[who].post(f"/v1/reserved-shares/{year}/file", json=body, params={"unit_id": unit.id} if unit else {})

    def review(self, who, unit, *, year=YEAR, number=1, accepted=True, **body):
        asked = {"number": number, "accepted": accepted, **body}
        return self[who].post(f"/v1/reserved-shares/{year}/review", json=asked, params={"unit_id": unit.id})

    def get(self, who, year=YEAR, unit=None):
        return self[who].get(f"/v1/reserved-shares/{year}", params={"unit_id": unit.id} if unit else {})

    def listed(self, who, year=YEAR, **params):
        return self[who].get("/v1/reserved-shares", params={"year": year, **params})

    def accept_share(self, who, unit, by="department", **body):
        """Written, filed and accepted."""
        for answer in (self.put(who, **body), self.file(who), self.review(by, unit)):
            assert answer.status_code == 200, answer.text
        return answer.json()

    def order(self, who, *quantities, fund="canteen"):
        placed = self[who].post("/v1/purchase-orders", json=self.market.order(*quantities, fund_source=fund))
        assert placed.status_code == 201, placed.text
        return [part["id"] for part in placed.json()["supplier_orders"]]

    def buy(self, who, *quantities, fund="canteen"):
        """Ordered, shipped and accepted."""
        for part in self.order(who, *quantities, fund=fund):
            supplier = self[who].get(f"/v1/supplier-orders/{part}").json()["supplier_id"]
            seller = self.sellers[[each.id for each in self.market.suppliers].index(supplier)]
            assert seller.post(f"/v1/supplier-orders/{part}/confirm").status_code == 200
            shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()["id"]
            accepted = self[who].post(f"/v1/shipments/{shipment}/acceptance", json={})
            assert accepted.status_code == 201, accepted.text

    def told(self, who):
        outbox.drain(self.database, HANDLERS)
        return [each["kind"] for each in self[who].get("/v1/notifications").json()["items"]]


@pytest.fixture
def scene(api, database, on):
    on(2026, 3, 2)
    return Scene(api, database)
