"""Certification over HTTP with 5,000 cases in one county's queue: the list, a case, deciding 200 at once, a certificate's check and PDF."""

import json
import random
import time

import psycopg
from sqlalchemy import text

from catalog.certification import steps
from shop.core.db import Database
from shop.identity.permissions import Role
from shop.programmes import seed
from tests.bench import load
from tests.bench.ground import Ground, Row, api, row
from tests.factories.identity import access_token, make_supplier, make_user

SECONDS = 5
CASES = 5_000
COUNTY = "500236"
#: As many as are decided in one request.
DECIDED = 200

_PRODUCTS = """
    INSERT INTO product (supplier_id, name, kind, category, district_code, description, status, pinyin, created_at, version)
    SELECT :supplier, '待认定产品' || n, 'goods', (ARRAY['fruit','tea','honey','grain_oil'])[1 + n % 4], :county, '', 'active', 'daire', now(), 1
    FROM generate_series(1, :count) n
"""
_CASES = """
    INSERT INTO certification_case (kind, product_id, supplier_id, programme_code, district_code, status, steps, entered_on, due_on, statement,
        households, persons, linkage, submitted_at, created_at, version)
    SELECT 'initial', p.id, p.supplier_id, 'chongqing-2021', p.district_code,
        (ARRAY['county_review','county_review','public_notice','city_review'])[1 + p.id % 4], CAST(:steps AS jsonb),
        current_date - (p.id % 9)::int, current_date - (p.id % 9)::int + 5, '自产', 20, 60, '', now(), now(), 1
    FROM product p WHERE p.supplier_id = :supplier
"""
_RECORD = """
    INSERT INTO certification_step (case_id, action, from_status, to_status, level, actor_role, at)
    SELECT c.id, 'submit', 'draft', 'county_review', 'supplier', 'supplier_admin', now() FROM certification_case c, generate_series(1, 3)
    WHERE c.supplier_id = :supplier
"""
_SPOKEN = """
    INSERT INTO certification_opinion (case_id, step, department, verdict, opinion, author_role, at)
    SELECT id, 'county_review', 'agriculture', 'support', '同意', 'department_officer', now() FROM certification_case
    WHERE supplier_id = :supplier
"""
#: The least that any list of 50 rows costs: the same rows by the same order, without reach, names and counts.
_FLOOR = "SELECT * FROM certification_case WHERE district_code = %s AND status = %s ORDER BY due_on, id LIMIT 51"


def run(made: Ground) -> list[Row]:
    database = Database(made.database_url, pool_size=1, statement_timeout_ms=600_000)
    officer, waiting, number = _fill(database)
    headers = {"Authorization": f"Bearer {officer}"}
    rows: list[Row] = []
    lists = {
        "certification.queue_due": "status=county_review&sort=due&district=" + COUNTY,
        "certification.queue_mine": "mine=true&sort=due",
        "certification.queue_overdue": "overdue=true",
        "certification.queue_search": "q=%E4%BA%A7%E5%93%814",
    }
    with api(made) as address:
        for name, query in lists.items():
            path = f"/v1/certification-cases?limit=50&{query}"
            result = load.run(address, lambda n, path=path: load.request("GET", path, headers=headers), 4, SECONDS)
            assert set(result.statuses) == {200}, (name, result.statuses)
            slow = result.percentile(0.95)
            rows.append(row(f"{name}: p95 of {CASES:,} cases", slow, "ms", floor=_floor(made), goal="< 100 ms", met=slow < 100))
        for name, path in {
            "certification.queue_counts": "/v1/certification-queue",
            "certification.case": f"/v1/certification-cases/{waiting[0]}",
        }.items():
            result = load.run(address, lambda n, path=path: load.request("GET", path, headers=headers), 4, SECONDS)
            assert set(result.statuses) == {200}, (name, result.statuses)
            rows.append(row(f"{name}: p95", result.percentile(0.95), "ms"))
        body = json.dumps({"case_ids": waiting[:DECIDED], "decision": "approve"}).encode()
        seconds, status = load.once(address, load.request("POST", "/v1/certification-decisions", body, headers))
        assert status == 200, status
        rows.append(row(f"certification.decide: {DECIDED} cases in one request", seconds, "s"))
        rows += _public(address, number)
    assert _decided(database, waiting[:DECIDED]) == DECIDED
    database.dispose()
    return rows


def _public(address: str, number: str) -> list[Row]:
    paths = {
        "certification.check_known": f"/v1/public/certificates/{number}",
        "certification.check_unknown": "/v1/public/certificates/CQ-2026-500236-999999",
    }
    rows = []
    for name, path in paths.items():
        result = load.run(address, lambda n, path=path: load.request("GET", path), 2, SECONDS)
        assert len(result.statuses) == 1, result.statuses
        rows.append(row(f"{name}: p50", result.percentile(0.5), "ms"))
    return rows


def _fill(database: Database) -> tuple[str, list[int], str]:
    """The token of a county officer, the cases that wait for this officer, and the number of a certificate."""
    rules = seed.files()[-1].certification
    way = json.dumps(steps.snapshot(rules, "initial", has_township=False))
    with database.unit_of_work() as session:
        supplier = make_supplier(session, COUNTY)
        values = {"supplier": supplier.id, "county": COUNTY, "count": CASES, "steps": way}
        for statement in (_PRODUCTS, _CASES, _RECORD, _SPOKEN):
            session.execute(text(statement), values)
        officer = access_token(session, make_user(session, Role.COUNTY_OFFICER, region_code=COUNTY))
        waiting = list(
            session.execute(
                text("SELECT id FROM certification_case WHERE supplier_id = :supplier AND status = 'county_review' ORDER BY id"),
                values,
            ).scalars()
        )
        number = session.execute(text("SELECT min(number) FROM certificate")).scalar_one()
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    random.Random(7).shuffle(waiting)
    return officer, waiting, number


def _floor(made: Ground) -> float:
    """p95 in milliseconds of the bare statement on one connection."""
    taken = []
    with psycopg.connect(made.dsn) as connection:
        for _ in range(200):
            started = time.perf_counter()
            connection.execute(_FLOOR, [COUNTY, "county_review"]).fetchall()
            taken.append((time.perf_counter() - started) * 1000)
    return sorted(taken)[189]


def _decided(database: Database, case_ids: list[int]) -> int:
    with database.unit_of_work() as session:
        return int(
            session.execute(
                text("SELECT count(*) FROM certification_case WHERE id = ANY (:ids) AND status = 'public_notice'"),
                {"ids": case_ids},
            ).scalar_one()
        )
