"""Reconciliation finds every planted error, and nothing where nothing is wrong."""

import dataclasses
import io
import os
import random
from datetime import date, datetime

import pytest
from rich.console import Console
from sqlalchemy import text

from orders.ledger import actions as ledger
from orders.reconcile import actions, report
from orders.statistics import actions as statistics
from orders.statistics.cubes import CUBES, Kind
from shop.core import audit
from shop.core.audit import SYSTEM
from shop.identity.permissions import Role
from tests.databases import begin_with
from tests.factories.after_sales import finds
from tests.factories.identity import make_user
from tests.factories.ledger import make_trade, sell

SUMS = [cube for cube in CUBES if cube.kind in (Kind.MONTHS, Kind.DAYS)]
PRESENCE = [cube for cube in CUBES if cube.kind is Kind.PRESENCE]
ORDERS = [cube for cube in CUBES if cube.kind is Kind.ORDERS]
PLACED = [cube for cube in CUBES if "district_code" in cube.keys]

#: A statement that spoils one row (``{row}`` picks it), and the check that must name it.
PLANTS = [
    ("UPDATE purchase_order SET total_fen = total_fen + 1 WHERE {row}", "order_totals"),
    ("UPDATE purchase_order SET total_grams = total_grams - 1 WHERE {row}", "order_totals"),
    ("UPDATE purchase_order SET line_count = line_count + 1 WHERE {row}", "order_totals"),
    ("UPDATE supplier_order SET total_fen = total_fen - 1 WHERE {row}", "supplier_order_totals"),
    ("UPDATE supplier_order SET total_grams = total_grams + 1 WHERE {row}", "supplier_order_totals"),
    ("UPDATE order_line SET vat_fen = vat_fen + 1 WHERE {row}", "line_amounts"),
    ("UPDATE order_line SET grams = grams + 1 WHERE {row}", "supplier_order_totals"),
    ("DELETE FROM order_line WHERE {row}", "order_totals"),
    ("UPDATE order_line SET product_id = product_id + 100000 WHERE {row}", "line_places"),
    ("UPDATE shipment_line SET quantity = quantity + 0.001 WHERE {row}", "shipped"),
    ("DELETE FROM shipment_line WHERE {row}", "answered"),
    ("UPDATE acceptance_line SET amount_fen = amount_fen + 1 WHERE {row}", "accepted"),
    ("UPDATE acceptance_line SET accepted_grams = accepted_grams + 1 WHERE {row}", "sales_of_acceptances"),
    ("UPDATE acceptance_line SET accepted_quantity = accepted_quantity + 0.001 WHERE {row}", "answered"),
    ("DELETE FROM acceptance_line WHERE {row}", "sales_of_acceptances"),
    ("UPDATE acceptance SET accepted_at = accepted_at + interval '1 day' WHERE {row}", "sales_of_acceptances"),
    ("UPDATE sale_entry SET amount_fen = amount_fen + 1 WHERE {row} AND reverses_id IS NULL", "sales_of_acceptances"),
    ("UPDATE sale_entry SET grams = grams + 1 WHERE {row} AND reverses_id IS NULL", "sales_of_acceptances"),
    ("UPDATE sale_entry SET amount_fen = amount_fen - 1 WHERE {row} AND reverses_id IS NOT NULL", "corrections"),
    ("DELETE FROM sale_entry WHERE {row} AND reverses_id IS NULL", "sales_of_acceptances"),
    ("UPDATE sale_entry SET origin_kind = 'history' WHERE {row} AND reverses_id IS NULL", "sales_of_acceptances"),
    # of one that still waits the rollups know nothing yet
    ("UPDATE sale_entry SET channel = 'social_network' WHERE {row} AND channel <> 'social_network'"
     " AND id NOT IN (SELECT entry_id FROM sale_entry_pending)", "sales_district_month"),
    ("UPDATE stock SET on_hand = on_hand + 0.001 WHERE {row}", "stock"),
    ("DELETE FROM stock WHERE {row}", "stock"),
    ("UPDATE stock_movement SET reserved = reserved + 0.001 WHERE {row} AND kind = 'reserve'", "reserved"),
    ("DELETE FROM stock_movement WHERE {row} AND kind <> 'receive'", "reserved"),
    ("UPDATE payment SET amount_fen = amount_fen + 1 WHERE {row}", "payments"),
    ("DELETE FROM sale_entry_pending WHERE {row}", "sales_month"),
    ("INSERT INTO sale_entry_pending VALUES (9000000000 + (random() * 1000)::int)", "waiting"),
    ("UPDATE certificate SET number = 'CQ-2026-500236-0009' || id WHERE {row} AND id > 1", "certificate_numbers"),
    ("UPDATE certificate SET number = 'lost' WHERE {row} AND number LIKE 'CQ-%'", "certificate_numbers"),
    ("UPDATE number_series SET last = last + 1 WHERE {row}", "certificate_numbers"),
    ("UPDATE audit_event SET reason = 'forged' WHERE {row}", "audit_chain"),
    ("DELETE FROM audit_event WHERE {row}", "audit_chain"),
    ("INSERT INTO outbox_event (name, payload, created_at, next_attempt_at, parked_at) VALUES ('x', '{{}}', now(), now(), now())", "parked_events"),
    *((f"UPDATE {cube.table} SET {column} = {column} + 1 WHERE {{row}}", cube.table) for cube in SUMS for column in ("amount_fen", "grams")),
    *((f"UPDATE {cube.table} SET quantity = quantity - 0.001 WHERE {{row}}", cube.table) for cube in SUMS),
    *((f"DELETE FROM {cube.table} WHERE {{row}}", cube.table) for cube in CUBES),
    *((f"UPDATE {cube.table} SET orders = orders + 1 WHERE {{row}}", cube.table) for cube in ORDERS),
    *((f"UPDATE {cube.table} SET cells = cells || 'x'::text WHERE {{row}} AND orders > 0", cube.table) for cube in ORDERS),
    *((f"UPDATE {cube.table} SET bits = set_bit(bits, 7, 1 - get_bit(bits, 7)) WHERE {{row}}", cube.table) for cube in PRESENCE),
    *((f"UPDATE {cube.table} SET chunk = chunk + 1 WHERE {{row}}", cube.table) for cube in PRESENCE),
    *((f"UPDATE {cube.table} SET district_code = 'x' WHERE {{row}}", cube.table) for cube in PLACED),
]  # fmt: skip
#: So many errors, and in any case each of its kind once; `make thorough` plants 200.
COUNT = int(os.environ.get("SHOP_PLANTED", "0"))


@pytest.fixture
def clean(database):
    """A market that agrees: some sales are in the rollups, some wait; there are corrections, open orders, payments and a sealed audit trail."""
    begin_with(database, "clean", lambda: _made(database))
    return database


def _made(database):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        sell(session, trade, 40, first=date(2025, 3, 1), last=date(2026, 11, 1))
    with database.unit_of_work() as session:
        statistics.refresh(session)
    with database.unit_of_work() as session:
        sell(session, trade, 10, first=date(2025, 3, 1), last=date(2026, 11, 1), seed=2)
        for entry_id in session.execute(text("SELECT id FROM sale_entry ORDER BY id LIMIT 9")).scalars().all():
            ledger.reverse(session, SYSTEM, entry_id, reason="退货")
        audit.seal(session)
        session.execute(
            text("UPDATE certificate SET number = 'CQ-2026-500236-000001' WHERE id = (SELECT min(id) FROM certificate)")
        )
        session.execute(text("INSERT INTO number_series (series, last) VALUES ('certificate:2026:500236', 1)"))


def differences(session):
    return {finding.name: finding.count for finding in report.findings(session, 0) if finding.count}


def spoil(session, chance, statement):
    """Carry a plant out on one row that it applies to. The guards that would refuse it are off."""
    if "{row}" not in statement:
        session.execute(text(statement.replace("{{}}", "{}")))
        return
    table = statement.split()[2] if statement.startswith("DELETE") else statement.split()[1]
    also = statement.partition("{row} AND ")[2] or "true"
    rows = session.execute(text(f"SELECT ctid::text FROM {table} t WHERE {also} ORDER BY t::text")).scalars().all()
    spoilt = session.execute(text(statement.format(row=f"ctid = '{chance.choice(rows)}'")))
    assert spoilt.rowcount == 1


def test_what_agrees_has_no_differences(clean):
    assert report.differences(clean) == 0
    with clean.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM sale_entry_pending")).scalar_one() > 10
        assert session.execute(text("SELECT count(*) FROM payment")).scalar_one() > 3
        assert session.execute(text("SELECT count(*) FROM supplier_order WHERE status = 'confirmed'")).scalar_one() > 0


@pytest.mark.slow
def test_every_planted_error_is_found(clean):
    chance = random.Random(20200216)
    plants = [*PLANTS, *chance.choices(PLANTS, k=max(0, COUNT - len(PLANTS)))]
    found = 0
    with clean.session() as session:
        session.execute(text("SET session_replication_role = replica"))
        for statement, check in plants:
            if check == "payments":
                session.execute(
                    text("UPDATE payment p SET amount_fen = o.total_fen FROM purchase_order o WHERE o.id = p.purchase_order_id")
                )
            with session.begin_nested() as planted:
                spoil(session, chance, statement)
                assert finds(session, check), (statement, differences(session))
                found += 1
                planted.rollback()
        assert differences(session) == {}
        session.rollback()
    assert found == len(plants) >= COUNT


def test_the_report_names_what_differs(clean):
    with clean.unit_of_work() as session:
        order_id = session.execute(
            text(
                "UPDATE purchase_order SET total_fen = total_fen + 1 WHERE id IN (SELECT min(id) FROM purchase_order) RETURNING id"
            )
        ).scalar_one()
    out = io.StringIO()
    assert report.run(clean, Console(file=out, width=200)) == 1
    assert f"order_totals: purchase_order {order_id}: expected" in out.getvalue()
    assert "1 differences" in out.getvalue()


@pytest.mark.slow
def test_over_http_stands_what_the_last_run_found(clean, api, monkeypatch):
    """It compares nothing itself, so that it answers at once however much there is; and says of when its figures are."""
    with clean.unit_of_work() as session:
        monitor, seller = make_user(session, Role.MONITOR), make_user(session, Role.CITY_OFFICER)
        clerk = make_user(session, Role.COUNTY_OFFICER, region_code="500236")
    never = api.as_(monitor).get("/v1/reconcile").json()
    assert never == {"ran_at": None, "seconds": None, "differences": None, "runs": "/v1/reconcile/runs", "checks": []}
    report.keep(clean)
    first = api.as_(monitor).get("/v1/reconcile").json()
    assert first["differences"] == 0
    assert [check["name"] for check in first["checks"]] == [check.name for check in report.CHECKS]
    assert {check["count"] for check in first["checks"]} == {0}
    with clean.unit_of_work() as session:
        session.execute(text("UPDATE supplier_order SET total_fen = total_fen + 1"))
    assert api.as_(monitor).get("/v1/reconcile").json() == first
    api.as_(monitor).post("/v1/reconcile/runs")
    actions.run_asked(clean)
    spoilt = api.as_(seller).get("/v1/reconcile", headers={"Accept-Language": "zh"}).json()
    assert datetime.fromisoformat(spoilt["ran_at"]) > datetime.fromisoformat(first["ran_at"])
    [check] = [check for check in spoilt["checks"] if check["count"]]
    assert (check["name"], check["label"]) == ("supplier_order_totals", "供应商订单合计 = 各行之和")
    assert check["count"] == spoilt["differences"] > 20
    assert len(check["differences"]) == 20
    assert set(check["differences"][0]) == {"subject", "expected", "found"}
    assert api.as_(clerk).get("/v1/reconcile").status_code == 403
    # a check that the program has no more keeps its name, and a run from before findings were kept its sum
    monkeypatch.setattr("orders.reconcile.queries.CHECKS", [])
    assert {check["label"] for check in api.as_(monitor).get("/v1/reconcile").json()["checks"]} == {
        each.name for each in report.CHECKS
    }
    with clean.unit_of_work() as session:
        session.execute(text("UPDATE reconciliation SET findings = '[]'"))
    told = api.as_(monitor).get("/v1/reconcile").json()
    assert (told["differences"], told["checks"]) == (spoilt["differences"], [])


@pytest.mark.slow
def test_a_run_that_is_asked_for_is_made_in_the_background_and_kept(clean, api, monkeypatch):
    with clean.unit_of_work() as session:
        monitor, clerk = make_user(session, Role.MONITOR), make_user(session, Role.COUNTY_OFFICER, region_code="500236")
    monitor, clerk = api.as_(monitor), api.as_(clerk)

    def kept():
        return [(run["differences"], run["checks"]) for run in monitor.get("/v1/reconcile/runs").json()["items"]]

    def asked():
        return monitor.get("/v1/reconcile/asked").json()

    assert kept() == []
    assert monitor.get("/v1/reconcile/asked").status_code == 404
    assert actions.run_asked(clean) is None
    assert clerk.post("/v1/reconcile/runs").status_code == 403
    first = monitor.post("/v1/reconcile/runs")
    assert (first.status_code, first.json()["status"], first.json()["checks_done"]) == (202, "waiting", 0), first.text
    # nobody needs a second one beside it
    assert monitor.post("/v1/reconcile/runs").json()["id"] == first.json()["id"]
    far = []
    find = report.CHECKS[-1].find
    last = dataclasses.replace(report.CHECKS[-1], find=lambda *asked_for: far.append(asked()) or find(*asked_for))
    monkeypatch.setattr(report, "CHECKS", [*report.CHECKS[:-1], last])
    assert actions.run_asked(clean) is not None
    assert [(each["status"], each["checks_done"]) for each in far] == [("running", len(report.CHECKS) - 1)]
    done = asked()
    assert (done["status"], done["checks_done"], done["run"]["differences"]) == ("done", done["checks"], 0)
    assert kept() == [(0, {})]
    with clean.unit_of_work() as session:
        session.execute(text("UPDATE supplier_order SET total_fen = total_fen + 1"))
    monitor.post("/v1/reconcile/runs")
    actions.run_asked(clean)
    count = asked()["run"]["differences"]
    assert report.run(clean, Console(file=io.StringIO())) == count > 0
    assert kept() == [(count, {"supplier_order_totals": count})] * 2 + [(0, {})]


@pytest.mark.slow
def test_a_run_that_failed_or_was_killed_keeps_nobody_from_the_next(clean, api, monkeypatch):
    with clean.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
    monitor = api.as_(monitor)
    monitor.post("/v1/reconcile/runs")
    with clean.unit_of_work() as session:
        session.execute(text("UPDATE reconciliation_request SET status = 'running', checks_done = 3"))  # and its worker is gone
    assert actions.run_asked(clean) is not None
    assert monitor.get("/v1/reconcile/asked").json()["status"] == "done"
    monitor.post("/v1/reconcile/runs")
    with clean.unit_of_work() as session:
        session.execute(text("UPDATE reconciliation_request SET status = 'running', attempts = 3 WHERE status = 'waiting'"))
    assert actions.run_asked(clean) is None  # what kills a worker each time is not begun for ever
    assert monitor.get("/v1/reconcile/asked").json()["status"] == "failed"
    monitor.post("/v1/reconcile/runs")

    def broken(session, shown):
        raise RuntimeError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(report, "CHECKS", [dataclasses.replace(report.CHECKS[0], find=broken)])
        with pytest.raises(RuntimeError):
            actions.run_asked(clean)
    assert monitor.get("/v1/reconcile/asked").json()["status"] == "failed"
    assert monitor.post("/v1/reconcile/runs").json()["status"] == "waiting"
