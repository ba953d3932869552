"""One supplier with products, and those who decide about them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from shop.core import clock
from shop.core.db import Database
from shop.identity.permissions import Role
from tests.databases import begin_with
from tests.factories.catalog import make_product
from tests.factories.certification import make_case
from tests.factories.identity import make_supplier, make_user

#: A Monday without holidays in the weeks after it, nine o'clock in Shanghai.
MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
#: A notice of that Monday ends with Monday the 30th.
OPEN_AGAIN = datetime(2026, 12, 1, 0, 0, tzinfo=clock.SHANGHAI)
COUNTY = "500236"
TOWNSHIP = "500236T01"


@dataclass
class Office:
    """Signed-in people by what they are; the clock stands at ``MONDAY`` while the fixture lives."""

    api: Any
    database: Database
    supplier: Any
    users: dict[str, Any]
    clients: dict[str, Any] = field(default_factory=dict)

    def as_(self, who: str) -> Any:
        if who not in self.clients:
            self.clients[who] = self.api.as_(self.users[who])
        return self.clients[who]

    def product(self, **details: Any) -> Any:
        with self.database.unit_of_work() as session:
            return make_product(session, self.supplier, **{"certified": False, **details})

    def case(self, status: str = "county_review", *, township: str | None = None, **details: Any) -> int:
        """A case of a product of its own that has come to ``status``."""
        made = self.product(township_code=township)
        with self.database.unit_of_work() as session:
            return make_case(session, made.product_id, status, **details)

    def do(self, who: str, case_id: int, action: str, **body: Any) -> Any:
        return self.as_(who).post(f"/v1/certification-cases/{case_id}/{action}", json=body)

    def read(self, who: str, case_id: int) -> Any:
        return self.as_(who).get(f"/v1/certification-cases/{case_id}").json()

    def count(self, statement: str, **values: Any) -> Any:
        with self.database.unit_of_work() as session:
            return session.execute(text(statement), values).scalar_one()


@pytest.fixture
def office(api, database):
    with clock.fixed(MONDAY):
        yield Office(api, database, *begin_with(database, "office", lambda: _made(database)))


def _made(database):
    with database.unit_of_work() as session:
        supplier = make_supplier(session, COUNTY)
        return supplier, {
            "supplier": make_user(session, Role.SUPPLIER_ADMIN, supplier),
            "rival": make_user(session, Role.SUPPLIER_ADMIN, make_supplier(session, COUNTY)),
            "township": make_user(session, Role.TOWNSHIP_OFFICER, region_code=TOWNSHIP),
            "department": make_user(session, Role.DEPARTMENT_OFFICER, region_code=COUNTY),
            "county": make_user(session, Role.COUNTY_OFFICER, region_code=COUNTY),
            "colleague": make_user(session, Role.COUNTY_OFFICER, region_code=COUNTY),
            "elsewhere": make_user(session, Role.COUNTY_OFFICER, region_code="500240"),
            "city": make_user(session, Role.CITY_OFFICER),
            "monitor": make_user(session, Role.MONITOR),
        }
