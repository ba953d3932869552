"""A school that buys, its county and the city."""

from datetime import date

import pytest
from sqlalchemy import text

from shop.core import outbox
from shop.identity.permissions import Role
from tests.databases import begin_with
from tests.factories.identity import make_organisation, make_user
from tests.factories.ledger import make_trade, sell
from workers.handlers import HANDLERS

MONTH, FIRST, LAST = "2026-09", date(2026, 9, 1), date(2026, 9, 30)


def code(answer):
    return answer.status_code, answer.json().get("code")


def faults(answer):
    return {(fault["field"], fault["code"]) for fault in answer.json()["errors"]}


class Scene:
    """The school of 500106 and the county 500236 have something to report of September."""

    def __init__(self, api, database):
        self.api, self.database = api, database
        self.trade, self.below, self.users = begin_with(database, "reports", lambda: self._made(database))
        self.school = self.trade.buyers[0]
        self.clients = {name: api.as_(user) for name, user in self.users.items()}

    @staticmethod
    def _made(database):
        with database.unit_of_work() as session:
            trade = make_trade(session)
            sell(session, trade, 40, first=FIRST, last=LAST)
            school = trade.buyers[0]
            below = make_organisation(session, kind="school", role="school", parent=school, name="附属小学")
            people = {
                "school": (Role.BUYER_ADMIN, school, None),
                "bursar": (Role.FINANCE, school, None),
                "viewer": (Role.VIEWER, school, None),
                "stranger": (Role.BUYER_ADMIN, trade.buyers[1], None),
                "county": (Role.COUNTY_OFFICER, None, "500106"),
                "origin": (Role.COUNTY_OFFICER, None, "500236"),
                "city": (Role.CITY_OFFICER, None, None),
                "monitor": (Role.MONITOR, None, None),
                "supplier": (Role.SUPPLIER_ADMIN, trade.goods[0].supplier, None),
            }
            users = {name: make_user(session, role, unit, region) for name, (role, unit, region) in people.items()}
        return trade, below, users

    def __getitem__(self, who):
        return self.clients[who]

    def draft(self, who="school", form="unit_monthly", **body):
        return self[who].post("/v1/reports", json={"form": form, "month": MONTH, **body})

    def write(self, who, report, values, headers=None):
        return self[who].put(f"/v1/reports/{report['id']}", json={"values": values}, headers=headers)

    def as_the_ledger(self, report):
        """What the unit says is what the ledger says."""
        return {each["field"]: {"value": each["ledger"]} for each in report["values"] if each["ledger"] is not None}

    def submitted(self, who="school", form="unit_monthly", **body):
        report = self.draft(who, form, **body).json()
        assert self.write(who, report, self.as_the_ledger(report)).status_code == 200
        answer = self[who].post(f"/v1/reports/{report['id']}/submit")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def move(self, who, report, move, **body):
        return self[who].post(f"/v1/reports/{report['id']}/{move}", json=body or None)

    def sell_once_more(self, unit):
        """What a unit bought in the month it has bought twice; returns the fen by which its figures change."""
        again = (
            "INSERT INTO sale_entry SELECT (jsonb_populate_record(e, jsonb_build_object('id', 900000, 'origin_kind', 'history', 'origin_id', 900000))).*"
            " FROM sale_entry e WHERE month = :first AND buyer_id = :buyer ORDER BY amount_fen DESC LIMIT 1 RETURNING amount_fen"
        )
        return self.sum(again, first=FIRST, buyer=unit.id)

    def told(self, who):
        outbox.drain(self.database, HANDLERS)
        return [each["kind"] for each in self[who].get("/v1/notifications").json()["items"]]

    def sum(self, statement, **values):
        with self.database.unit_of_work() as session:
            return session.execute(text(statement), values).scalar_one()


def value(report, field):
    return next(each for each in report["values"] if each["field"] == field)


@pytest.fixture
def scene(api, database, on):
    on(2026, 10, 2)
    return Scene(api, database)
