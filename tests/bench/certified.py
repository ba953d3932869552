"""What is certified, at the size of the whole city: 12,000 certificates, 200,000 people of households, 500,000 movements of stock. The figures of
monitoring, the risk list, the watch over capacity, publishing a batch, lists and spreadsheets."""

import io
import time
from datetime import date, timedelta

import httpx
import psycopg
from sqlalchemy import text

from catalog.batches import actions as batches
from catalog.batches.schemas import BatchIn
from catalog.certification import sheets
from catalog.monitoring.actions import recounting
from catalog.supervision.actions import capacity
from shop.core import clock, exports
from shop.core.db import Database
from shop.demo.households import id_number
from shop.identity import tokens
from shop.identity.permissions import Role
from tests.bench import load
from tests.bench.ground import Ground, Row, api, row
from tests.factories.certification import make_case
from tests.factories.identity import access_token, make_supplier, make_user

SECONDS = 4
COUNTY = "500236"
PEOPLE, MOVEMENTS, BATCH, SHEET, LISTED = 200_000, 500_000, 1_000, 200, 5_000

#: Sixteen or so people in each list, some of them in several.
HOUSEHOLDS = """
    INSERT INTO household_member (case_id, person_hash, household_hash, sealed, mode, created_at)
    SELECT c.case_id, sha256(('p' || c.district_code || (n * 7919 + c.id * 13) % 60000)::bytea),
           sha256(('h' || c.district_code || (n * 7919 + c.id * 13) % 20000)::bytea), '', 'employment', now()
    FROM certificate c, generate_series(1, :people / (SELECT count(*) FROM certificate)::int) n ON CONFLICT DO NOTHING
"""
_FILL = [
    """INSERT INTO catalogue_batch (number, level, title, status, created_at, published_at)
       SELECT 'B-' || n, 'city', 't', 'published', now(), now() FROM generate_series(1, 60) n""",
    # in sixty batches of some three years
    """UPDATE certificate c SET annual_capacity_kg = 50000, households = 20, persons = 60, batch_id = b.id,
           issued_at = now() - make_interval(days => b.place::int * 17)
       FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM catalogue_batch) b WHERE b.place = 1 + c.id * 37 % 60""",
    HOUSEHOLDS,
    """INSERT INTO stock_movement (sku_id, kind, on_hand, reserved, order_line_id, at)
       SELECT s.id, 'reserve', 0, 1 + n % 5, n * 100000 + s.id, now() - make_interval(days => n % 600)
       FROM sku s, generate_series(1, :movements / (SELECT count(*) FROM sku)::int) n""",
    """INSERT INTO certificate_event (certificate_id, kind, at, actor_role)
       SELECT id, k.kind, now() - make_interval(days => k.days), 'x'
       FROM certificate, (VALUES ('issued', 400), ('suspended', 200), ('reinstated', 150)) k (kind, days)""",
]
#: The least that the figure of a county costs that counts people: the same rows without state, measures and names.
_FLOOR = "SELECT count(DISTINCT m.person_hash) FROM household_member m JOIN certificate c ON c.case_id = m.case_id WHERE c.district_code = %s"


def run(made: Ground) -> list[Row]:
    database = Database(made.database_url, pool_size=2, statement_timeout_ms=600_000)
    county, monitor, city, supplier = _fill(database)
    rows: list[Row] = []
    past = clock.today() - timedelta(days=100)
    with api(made) as address:
        for name, token, path, goal in (
            ("stock_of_a_county", county, "/v1/certification-statistics/stock?group_by=category", 100),
            ("stock_of_the_city", monitor, "/v1/certification-statistics/stock?group_by=county", None),
            ("stock_by_batch_of_the_city", city, "/v1/certification-statistics/stock?group_by=batch", 100),
            ("stock_by_state_of_the_city", city, "/v1/certification-statistics/stock?group_by=state", 100),
            ("stock_of_the_city_on_a_day", monitor, f"/v1/certification-statistics/stock?group_by=county&on={past}", 100),
            ("stock_over_time_of_the_city", city, "/v1/certification-statistics/stock-over-time", 100),
            ("stock_over_time_of_the_city_shown", monitor, "/v1/certification-statistics/stock-over-time", 100),
            ("steps", monitor, "/v1/certification-statistics/steps?group_by=county", 100),
            ("flow", monitor, "/v1/certification-statistics/flow", 100),
            ("risk_list_of_a_county", county, "/v1/risk-list?limit=50", 100),
            ("risk_list_of_the_city", monitor, "/v1/risk-list?limit=50", None),
            ("certificates_of_a_county", county, "/v1/certificates?state=in_force&limit=50", 100),
        ):
            headers = {"Authorization": f"Bearer {token}"}
            result = load.run(address, lambda n, path=path, headers=headers: load.request("GET", path, headers=headers), 2, SECONDS)
            assert set(result.statuses) == {200}, (name, result.statuses)
            slow = result.percentile(0.95)
            floor = _floor(made) if name == "stock_of_a_county" else None
            rows.append(
                row(
                    f"certification.{name}: p95",
                    slow,
                    "ms",
                    floor=floor,
                    goal=f"< {goal} ms" if goal else None,
                    met=slow < goal if goal else None,
                )
            )
        rows += _written(address, database, county, supplier)
    rows += _watched(database)
    rows.append(_published(database, city))
    database.dispose()
    return rows


def _written(address: str, database: Database, county: str, supplier: str) -> list[Row]:
    """A certificate as PDF, a list of 5,000 people, a spreadsheet of 200 products."""
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {county}"}, timeout=120) as client:
        certificate = client.get("/v1/certificates", params={"limit": 1}).json()["items"][0]["id"]
        taken = [_timed(lambda: client.get(f"/v1/certificates/{certificate}/pdf")) for _ in range(30)]
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {supplier}"}, timeout=120) as client:
        example = dict(zip(sheets.COLUMNS, sheets.EXAMPLE, strict=False))
        lines = [[(example | {"name": f"批量产品{number}"}).get(name, "") for name in sheets.COLUMNS] for number in range(SHEET)]
        header = [titles[0] for titles in sheets.COLUMNS.values()]
        file = {"file": ("a.csv", io.BytesIO(exports.as_csv(header, lines)))}
        drafted = _timed(lambda: client.post("/v1/certification-cases/from-spreadsheet", files=file), 201)
        case_id = client.get("/v1/certification-cases", params={"limit": 1}).json()["items"][0]["id"]
        people = [
            {
                "name": "冉某",
                "id_number": id_number(COUNTY, date(1950 + number // 360, 1 + number % 12, 1 + number % 28), number % 999 + 1),
                "household_no": f"H{number // 3}",
                "mode": "employment",
                "village": "白龙村",
            }
            for number in range(LISTED)
        ]
        people = list({person["id_number"]: person for person in people}.values())
        listed = _timed(lambda: client.put(f"/v1/certification-cases/{case_id}/households", json={"members": people}), 200)
    return [
        row("certification.pdf: median of 30", sorted(taken)[15] * 1000, "ms"),
        row(f"certification.drafts: {SHEET} products from one spreadsheet", drafted, "s"),
        row(f"certification.households: a list of {len(people):,} people", listed, "s"),
    ]


def _timed(ask: object, status: int = 200) -> float:
    started = time.perf_counter()
    answer = ask()  # type: ignore[operator]
    assert answer.status_code == status, answer.text[:500]
    return time.perf_counter() - started


def _watched(database: Database) -> list[Row]:
    taken = []
    for product_ids in (None, [1, 2, 3]):
        with database.unit_of_work() as session:
            started = time.perf_counter()
            capacity.watch(session, product_ids)
            taken.append(time.perf_counter() - started)
    return [
        row(f"certification.capacity_watch: {MOVEMENTS:,} movements", taken[0], "s"),
        row("certification.capacity_watch of one order", taken[1] * 1000, "ms"),
    ]


def _published(database: Database, city: str) -> Row:
    with database.unit_of_work() as session:
        supplier = make_supplier(session, COUNTY)
        products = session.execute(
            text(
                "INSERT INTO product (supplier_id, name, kind, category, district_code, description, status, created_at, version)"
                " SELECT :supplier, '备案' || n, 'goods', 'tea', :county, '', 'active', now(), 1 FROM generate_series(1, :count) n RETURNING id"
            ),
            {"supplier": supplier.id, "county": COUNTY, "count": BATCH},
        ).scalars()
        cases = [make_case(session, product, "filing", opinions=False) for product in products.all()]
    with database.unit_of_work() as session:
        actor = tokens.actor_of(session, token=city, api_key=None)
        assert actor is not None
        started = time.perf_counter()
        batch = batches.create(session, actor, BatchIn(level="city", title="t", case_ids=cases))
        batches.publish(session, actor, batch)
    taken = time.perf_counter() - started
    with database.unit_of_work() as session:
        count = session.execute(text("SELECT count(*) FROM certificate WHERE batch_id = :id"), {"id": batch}).scalar_one()
    assert count == BATCH
    return row(f"certification.publish: a batch of {BATCH:,} cases", taken, "s")


def _fill(database: Database) -> tuple[str, str, str, str]:
    """The tokens of a county officer, a monitor of the city, a city officer and a supplier."""
    with database.unit_of_work() as session:
        for statement in _FILL:
            session.execute(text(statement), {"people": PEOPLE, "movements": MOVEMENTS})
        own = make_supplier(session, COUNTY)
        made = (
            make_user(session, Role.COUNTY_OFFICER, region_code=COUNTY),
            make_user(session, Role.MONITOR),
            make_user(session, Role.CITY_OFFICER),
            make_user(session, Role.SUPPLIER_ADMIN, own),
        )
        found = tuple(access_token(session, user) for user in made)
        recounting.rebuild(session)  # the workers count what was touched within seconds
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    county, monitor, city, supplier = found
    return county, monitor, city, supplier


def _floor(made: Ground) -> float:
    """p95 in milliseconds of the bare statement on one connection."""
    taken = []
    with psycopg.connect(made.dsn) as connection:
        for _ in range(40):
            started = time.perf_counter()
            connection.execute(_FLOOR, [COUNTY]).fetchall()
            taken.append((time.perf_counter() - started) * 1000)
    return sorted(taken)[37]
