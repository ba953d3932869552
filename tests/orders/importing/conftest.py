"""A school that uploads lists, on a small market or on the demo's catalogue."""

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from shop.core import outbox
from shop.demo.people import DATA as DEMO
from tests.factories.catalog import make_product
from tests.factories.identity import make_supplier
from tests.factories.orders import make_market
from workers.handlers import HANDLERS

DATA = Path(__file__).parent / "data"
HEAD = {"fund_source": "canteen", "delivery_address": "大学城中路1号"}
HEADER = ["产品名称", "产地区县", "规格", "数量", "单位"]


def as_csv(*rows, header=HEADER):
    return "\n".join(",".join(map(str, row)) for row in [header, *rows]).encode()


@dataclass
class Desk:
    """Somebody who uploads lists, with the worker at hand."""

    client: object
    database: object

    def send(self, content, name="order.csv", **data):
        return self.client.post("/v1/order-imports", files={"file": (name, content)}, data=data)

    def work(self):
        outbox.drain(self.database, HANDLERS)

    def upload(self, content, name="order.csv", **data):
        """A list that was read and checked; gives it as it is shown."""
        sent = self.send(content, name, **data)
        assert sent.status_code == 202, sent.text
        assert sent.json()["status"] == "reading"
        self.work()
        return self.show(sent.json()["id"])

    def show(self, import_id):
        return self.client.get(f"/v1/order-imports/{import_id}").json()

    def rows(self, import_id, **query):
        answer = self.client.get(f"/v1/order-imports/{import_id}/rows", params={"limit": 200, **query})
        assert answer.status_code == 200, answer.text
        return {row["row_no"]: row for row in answer.json()["items"]}

    def post(self, import_id, what, expect, **body):
        answer = self.client.post(f"/v1/order-imports/{import_id}/{what}", json=body)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def order(self, import_id, expect=201, **body):
        return self.post(import_id, "order", expect, **HEAD, **body)


def faults(row):
    return [(fault["field"], fault["code"]) for fault in row["faults"]]


@pytest.fixture
def market(database):
    return make_market(database)


@pytest.fixture
def desk(api, database, market):
    return Desk(api.as_(market.purchaser), database)


@pytest.fixture
def catalogue(database):
    """The products of the demo, certified and in stock, with their packs, units and prices."""
    with database.unit_of_work() as session:
        suppliers = {}
        with (DEMO / "suppliers.csv").open(encoding="utf-8") as file:
            places = {row["name"]: row for row in csv.DictReader(file)}
        with (DEMO / "products.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["supplier"] not in suppliers:
                    suppliers[row["supplier"]] = make_supplier(session, places[row["supplier"]]["region_code"][:6])
                made = make_product(
                    session,
                    suppliers[row["supplier"]],
                    name=row["name"],
                    category=row["category"],
                    kind=row["kind"],
                    prices=((1, round(float(row["price"]) * 100)),),
                    stock=10_000,
                    net_grams=int(row["net_grams"]) if row["net_grams"] else None,
                )
                session.execute(
                    text("UPDATE sku SET pack = :pack, unit = :unit WHERE id = :id"),
                    {"pack": row["pack"], "unit": row["unit"], "id": made.sku_id},
                )
