"""A city with a year of sales, its months open; who closes them, and who publishes."""

import json
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from orders.ledger import actions as ledger
from orders.ledger.rules import Claim
from shop.core import clock, outbox
from shop.core.audit import SYSTEM
from shop.identity.permissions import Role
from tests.databases import begin_with, step
from tests.factories.bulletins import described
from tests.factories.identity import make_user
from tests.factories.ledger import make_trade, sell
from tests.factories.outlets import make_batch_line, make_outlet
from workers.handlers import HANDLERS

MONTH, FIRST, LAST = "2026-09", date(2026, 9, 1), date(2026, 9, 30)
REASON = "区县机构调整，由市级代为核对"


def code(answer):
    return answer.status_code, answer.json().get("code")


class Scene:
    """Sales of last September, of August and September; the counties 500236 and 500240 have officers."""

    def __init__(self, api, database, orders=30):
        self.api, self.database = api, database
        self.trade, self.outlet, self.users = begin_with(database, f"bulletins {orders}", lambda: self._made(database, orders))
        self.clients = {name: api.as_(user) for name, user in self.users.items()}

    def _made(self, database, orders):
        with database.unit_of_work() as session:
            trade = make_trade(session)
            for n, (first, last) in enumerate([(date(2025, 9, 1), date(2025, 9, 30)), (date(2026, 8, 1), date(2026, 9, 30))]):
                sell(session, trade, orders * (n + 1), first=first, last=last, seed=n + 1)
            outlet = make_outlet(session, trade.clerk)
            people = {
                "city": (Role.CITY_OFFICER, None),
                "second": (Role.CITY_OFFICER, None),
                "county": (Role.COUNTY_OFFICER, "500236"),
                "other": (Role.COUNTY_OFFICER, "500240"),
                "monitor": (Role.MONITOR, None),
            }
            users = {name: make_user(session, role, None, region) for name, (role, region) in people.items()}
            self.compare(session)
        return trade, outlet, users | {"clerk": trade.clerk}

    def __getitem__(self, who):
        return self.clients[who]

    @staticmethod
    def compare(session):
        """The hourly job has compared the books, and found nothing."""
        session.execute(
            text("INSERT INTO reconciliation (ran_at, seconds, differences, checks) VALUES (:now, 1, 0, '{}')"),
            {"now": clock.now()},
        )

    def close_path(self, what="", region=None, month=MONTH):
        return f"/v1/monthly-closes/{month}{what}" + (f"?region={region}" if region else "")

    def read_close(self, who="city", region=None, month=MONTH):
        return self[who].get(self.close_path("", region, month)).json()

    def explain(self, item, who="city", region=None, month=MONTH):
        body = {"item": item, "explanation": "已核对，下月补齐"}
        return self[who].post(self.close_path("/explanations", region, month), json=body)

    def lacking(self, month=MONTH):
        return [county["code"] for county in self.read_close(month=month)["counties"] if county["closed_at"] is None]

    def close_city(self, who="city", month=MONTH):
        """By name without every county that has not closed."""
        for item in self.read_close(month=month)["standing"]:
            assert self.explain(item, month=month).status_code == 201
        lacking = self.lacking(month)
        body = {"without": lacking, "reason": REASON} if lacking else {}
        return self[who].post(self.close_path("/close", month=month), json=body)

    def draft(self, who="city", month=MONTH):
        return self[who].post("/v1/bulletins", json={"month": month})

    def publish(self, drafted, who="second"):
        return self[who].post(f"/v1/bulletins/{drafted['id']}/publish", json={"sha256": drafted["sha256"]})

    def published(self, month=MONTH):
        """Closed, drafted and published."""
        return step(self.database, f"published {month}", lambda: self._published(month))

    def _published(self, month):
        assert self.close_city(month=month).status_code == 201
        drafted = self.draft(month=month)
        assert drafted.status_code == 201, drafted.text
        answer = self.publish(drafted.json())
        assert answer.status_code == 200, answer.text
        return answer.json()

    def revise(self, who="city", month=MONTH):
        return self[who].post("/v1/bulletins/revisions", json={"month": month, "reason": "补报与冲销"})

    def explain_figure(self, district, who="city", month=MONTH):
        body = {"district": district, "explanation": "已与网点台账逐笔核对"}
        return self[who].post(self.close_path("/figure-explanations", month=month), json=body)

    def changes(self, bulletin):
        return self["monitor"].get(f"/v1/bulletins/{bulletin['id']}/changes", params={"limit": 200}).json()["items"]

    def tell_late(self, day=15, amount_fen=12_300, goods=0):
        """A till tells of a sale in September."""
        with self.database.unit_of_work() as session:
            sold_at = datetime(2026, 9, day, 4, tzinfo=UTC)
            made = make_batch_line(session, self.outlet, self.trade.goods[goods].made, sold_at=sold_at, amount_fen=amount_fen)
            assert ledger.book_claims(session, Claim.OUTLET_LINE, [made.id]) == 1
            return made.id

    def entries(self, where="true"):
        with self.database.unit_of_work() as session:
            return session.execute(text(f"SELECT * FROM sale_entry WHERE {where} ORDER BY id")).all()

    def entries_of_closed(self):
        with self.database.unit_of_work() as session:
            return session.execute(text("SELECT * FROM closed_month ORDER BY month")).all()

    @staticmethod
    def moment(*day):
        return datetime(*day, 4, tzinfo=UTC)

    def batches(self):
        with self.database.unit_of_work() as session:
            return list(session.execute(text("SELECT batch_id FROM sales_batch ORDER BY id")).scalars())

    def of_month(self, where="true"):
        return self.entries(f"month = '{FIRST}' AND reverses_id IS NULL AND {where}")

    def reverse(self, entry_id):
        with self.database.unit_of_work() as session:
            return ledger.reverse(session, SYSTEM, entry_id, reason="退货")

    def told(self, who):
        outbox.drain(self.database, HANDLERS)
        return [each["kind"] for each in self[who].get("/v1/notifications").json()["items"]]

    def sum(self, statement, **values):
        with self.database.unit_of_work() as session:
            return session.execute(text(statement), values).scalar_one()


def totals(content):
    return content["totals"]["figures"]["now"]


def public_file(api, number, kind):
    return api.get(f"/v1/public/bulletins/{number}/files/{kind}")


def parsed(content):
    return json.loads(content)


@pytest.fixture
def scene(api, database, on):
    on(2026, 10, 6)
    made = Scene(api, database)
    yield made
    # whatever the test froze is as the API says that a bulletin is
    with database.unit_of_work() as session:
        frozen = session.execute(text("SELECT content FROM bulletin")).scalars().all()
    valid = described(api.get("/openapi.json").json())
    assert [list(valid.iter_errors(json.loads(each))) for each in frozen] == [[]] * len(frozen)
