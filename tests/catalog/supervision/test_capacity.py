"""A product certified for 50 t cannot sell 80 t: flagged, explained, held, cleared; and never counted twice."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from catalog.supervision.actions import capacity
from catalog.supervision.queries.capacity import COMMITTED
from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.catalog.conftest import MONDAY
from tests.factories.identity import make_organisation, make_user
from workers.handlers import HANDLERS


def code(answer):
    return answer.status_code, answer.json().get("code")


class Orchard:
    """A product certified for 50 t a year, sold in boxes of 5 kg, and a school that orders it."""

    def __init__(self, office, monthly=None):
        self.office = office
        self.made = office.product(certified=True, stock=100_000)
        self.certificate = self.made.certificate_id
        with office.database.unit_of_work() as session:
            school = make_organisation(session, kind="school", role="budget_unit")
            office.users["buyer"] = make_user(session, Role.PURCHASER, school)
            session.execute(
                text("UPDATE certificate SET annual_capacity_kg = 50000, monthly_capacity_kg = CAST(:monthly AS bigint[])"),
                {"monthly": monthly},
            )

    def order(self, tonnes):
        lines = [{"sku_id": self.made.sku_id, "quantity": str(int(tonnes * 200))}]
        body = {"fund_source": "canteen", "delivery_address": "-", "lines": lines}
        return self.office.as_("buyer").post("/v1/purchase-orders", json=body)

    def watch(self, product_ids=None):
        with self.office.database.unit_of_work() as session:
            return capacity.watch(session, product_ids)

    def flags(self, who="county", **params):
        return self.office.as_(who).get("/v1/capacity-flags", params=params).json()["items"]

    def state(self):
        return self.office.as_("county").get(f"/v1/certificates/{self.certificate}").json()["state"]

    def do(self, who, flag, action, **body):
        return self.office.as_(who).post(f"/v1/capacity-flags/{flag}/{action}", json=body)


@pytest.fixture
def orchard(office):
    return Orchard(office)


def test_fifty_tonnes_do_not_sell_eighty(orchard):
    assert orchard.order(50).status_code == 201
    assert (orchard.watch(), orchard.flags()) == (0, [])
    assert orchard.order(5).status_code == 201
    assert (orchard.watch(), orchard.watch()) == (1, 0)
    (flag,) = orchard.flags()
    assert (flag["committed_grams"], flag["capacity_grams"], flag["percent"], flag["month"]) == (55_000_000, 50_000_000, 110, 0)
    assert orchard.state() == "in_force"
    # the next order brings it to 80 t: what was placed stands, and from then on nothing more is sold
    assert orchard.order(25).status_code == 201
    outbox.drain(orchard.office.database, HANDLERS)
    assert orchard.state() == "held"
    refused = orchard.order(1)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "certificate_suspended")
    shown = orchard.office.as_("supplier").get(f"/v1/certificates/{orchard.certificate}/capacity").json()
    assert (shown["committed_grams"], shown["percent"], shown["months"][10]["committed_grams"]) == (80_000_000, 160, 80_000_000)


def test_who_hears_and_who_decides(orchard):
    orchard.order(55)
    outbox.drain(orchard.office.database, HANDLERS)
    (flag,) = orchard.flags()
    told = {
        who: [row["kind"] for row in orchard.office.as_(who).get("/v1/notifications").json()["items"] if "capacity" in row["kind"]]
        for who in ("supplier", "county", "rival")
    }
    assert told == {"supplier": ["capacity.flagged"], "county": ["capacity.flagged"], "rival": []}
    assert orchard.flags("rival") == orchard.flags("elsewhere") == []
    assert code(orchard.do("rival", flag["id"], "explanation", text="x")) == (404, "not_found")
    assert code(orchard.do("county", flag["id"], "explanation", text="x")) == (403, "forbidden")
    assert orchard.do("supplier", flag["id"], "explanation", text="新增两个基地").json()["explanation"] == "新增两个基地"
    assert code(orchard.do("supplier", flag["id"], "clear", reason="x")) == (403, "forbidden")
    assert code(orchard.do("elsewhere", flag["id"], "clear", reason="x")) == (404, "not_found")
    assert orchard.do("county", flag["id"], "clear", reason="属实").json()["clearing_reason"] == "属实"
    assert code(orchard.do("county", flag["id"], "clear", reason="x")) == (409, "flag_cleared")
    late = orchard.do("supplier", flag["id"], "explanation", text="x")
    assert (code(late), late.json().get("data")) == ((409, "flag_cleared"), None)  # cleared, but not explained
    assert orchard.flags(open=True) == []


def test_what_is_not_explained_in_time_is_held(orchard):
    orchard.order(55)
    orchard.watch()
    for day, state in ((7, "in_force"), (8, "held")):  # five working days after Monday is the Monday after it
        with clock.fixed(MONDAY + timedelta(days=day)):
            orchard.office.clients.clear()
            orchard.watch()
            assert orchard.state() == state


def test_what_was_explained_waits_for_the_officer_and_cleared_is_flagged_again_beyond_it(orchard):
    orchard.order(55)
    orchard.watch()
    (flag,) = orchard.flags()
    orchard.do("supplier", flag["id"], "explanation", text="扩大种植")
    with clock.fixed(MONDAY + timedelta(days=20)):
        orchard.office.clients.clear()
        assert (orchard.watch(), orchard.state()) == (0, "in_force")
        orchard.do("county", flag["id"], "clear", reason="属实")
        assert orchard.watch() == 0
        orchard.order(1)
        assert orchard.watch() == 1
        (again,) = orchard.flags(open=True)
        assert (again["id"], again["explanation"], again["percent"]) == (flag["id"], None, 112)


def test_clearing_releases_what_was_held_and_releasing_clears(orchard):
    orchard.order(70)
    orchard.watch()
    assert orchard.state() == "held"
    (flag,) = orchard.flags()
    assert orchard.do("county", flag["id"], "clear", reason="产能核实").json()["held"] is False
    assert orchard.state() == "in_force"
    assert (orchard.watch(), orchard.state()) == (0, "in_force")
    orchard.order(1)
    orchard.watch()
    assert orchard.state() == "held"
    orchard.office.as_("county").post(f"/v1/certificates/{orchard.certificate}/release", json={"reason": "再次核实"})
    outbox.drain(orchard.office.database, HANDLERS)
    assert (orchard.flags(open=True), orchard.watch(), orchard.state()) == ([], 0, "in_force")


def test_what_is_cancelled_counts_back_in_the_month_in_which_it_was_ordered(orchard):
    kept, cancelled = orchard.order(20).json(), orchard.order(40).json()
    with clock.fixed(MONDAY + timedelta(days=14)):  # in December
        orchard.office.clients.clear()
        answer = orchard.office.as_("buyer").post(f"/v1/purchase-orders/{cancelled['id']}/cancel", json={"reason": "改期"})
        assert answer.status_code == 200, answer.text
        assert orchard.watch() == 0
        shown = orchard.office.as_("county").get(f"/v1/certificates/{orchard.certificate}/capacity").json()
        assert [month["committed_grams"] for month in shown["months"]] == [0] * 10 + [20_000_000, 0]
    assert kept["line_count"] == 1


def test_months_have_a_share_of_their_own(office):
    orchard = Orchard(office, monthly=[0] * 10 + [10_000, 40_000])
    orchard.order(15)
    assert orchard.watch() == 0  # up to one and a half times a month's capacity
    orchard.order(0.1)
    assert orchard.watch() == 1
    (flag,) = orchard.flags()
    assert (flag["month"], flag["capacity_grams"], flag["percent"]) == (11, 10_000_000, 151)


def test_sales_belong_to_the_certificate_of_their_day(orchard):
    orchard.order(30)
    with orchard.office.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET valid_until = '2026-11-30'"))
        session.execute(
            text(
                "INSERT INTO certification_case (product_id, supplier_id, programme_code, district_code, status, households, persons, statement,"
                " linkage, created_at) SELECT product_id, supplier_id, programme_code, district_code, 'approved', 1, 1, '', '', now()"
                " FROM certificate"
            )
        )
        session.execute(
            text(
                "INSERT INTO certificate (number, case_id, renews_id, product_id, supplier_id, programme_code, district_code, product_name,"
                " supplier_name, annual_capacity_kg, households, persons, valid_from, valid_until, issued_at)"
                " SELECT 'T-new', (SELECT max(id) FROM certification_case), id, product_id, supplier_id, programme_code, district_code,"
                " product_name, supplier_name, 50000, 1, 1, '2026-12-01', '2029-11-30', now() FROM certificate"
            )
        )
    with clock.fixed(MONDAY + timedelta(days=14)):
        orchard.office.clients.clear()
        orchard.order(30)
        assert orchard.watch() == 0
        shown = [
            orchard.office.as_("county").get(f"/v1/certificates/{certificate}/capacity").json()["committed_grams"]
            for certificate in (orchard.certificate, orchard.office.count("SELECT max(id) FROM certificate"))
        ]
        assert shown == [30_000_000, 30_000_000]


def test_many_watches_at_once_raise_one_flag(orchard):
    orchard.order(70)
    start = threading.Barrier(8)

    def run(number):
        start.wait()
        return orchard.watch([orchard.made.product_id] if number % 2 else None)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(run, range(8))) == 1
    assert orchard.office.count("SELECT count(*) FROM certificate_event WHERE kind = 'held'") == 1


def test_certificates_are_joined_and_not_looked_up_for_each_line(database):
    statement = COMMITTED.format(which="true").replace(":since", "date '2026-01-01'")
    with database.unit_of_work() as session:
        plan = "\n".join(session.execute(text(f"EXPLAIN {statement}")).scalars())
    assert "SubPlan" not in plan
    assert "Anti Join" in plan
