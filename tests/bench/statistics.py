"""Panels of the statistics over millions of sales, beside a plain GROUP BY over the lines in the same run.

Works in a database of its own on the given server. One million sales over two years are measured first, then five million over the same two
years: what a panel costs must not follow the number of lines.
"""

import itertools
import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import make_url, text

from orders.ledger.selection import Dimension, Reach, Selection
from orders.statistics import actions
from orders.statistics.queries import ask
from orders.statistics.question import Measure, Question
from shop import reference
from shop.core import migrate
from shop.core.db import Database
from tests.bench.ground import Ground, Row, row

NAME = "bench_statistics"
STEPS = (1_000_000, 5_000_000)
ROUNDS = 12
#: The sales lie in these two years; the panels show the second one.
FIRST, LAST = date(2024, 1, 1), date(2025, 12, 31)
YEAR = (date(2025, 1, 1), date(2025, 12, 31))

Say = Callable[[str], None]


def run(made: Ground) -> list[Row]:
    """Rows of ``bench.json``; takes some five minutes, most of them to load and roll up the sales."""
    return measure(made.database_url, lambda line: print(f"  … {line}", flush=True))


def measure(database_url: str, say: Say = lambda _: None) -> list[Row]:
    """The same on any server on which a database may be made."""
    with _own_database(database_url) as database:
        _world(database)
        results: list[Row] = []
        p95: dict[str, float] = {}
        before = 0
        for count in STEPS:
            say(f"{count:,} sales")
            _sales(database, before + 1, count)
            before = count
            started = time.perf_counter()
            actions.rebuild(database, say)
            rebuilt = time.perf_counter() - started
            results += _measure(database, count, p95)
            results.append(row(f"rebuild of all rollups, {count // 10**6} million sales", rebuilt, "s"))
        return [*results, *_refresh(database)]


class _own_database:  # noqa: N801  a context manager, used like a function
    def __init__(self, url: str) -> None:
        self.url = make_url(url)

    def __enter__(self) -> Database:
        self._admin(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)", f"CREATE DATABASE {NAME}")
        url = self.url.set(database=NAME).render_as_string(hide_password=False)
        migrate.upgrade(url)
        self.database = Database(url, pool_size=3, statement_timeout_ms=900_000)
        return self.database

    def __exit__(self, *_: object) -> None:
        self.database.dispose()
        self._admin(f"DROP DATABASE {NAME} WITH (FORCE)")

    def _admin(self, *statements: str) -> None:
        server = Database(self.url.set(database="postgres").render_as_string(hide_password=False), pool_size=1)
        with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.execute(text(statement))
        server.dispose()


# Who trades: 2,000 buyers, 3,000 suppliers and 12,000 products; the districts with a poverty task sell, the 14 national ones three times as
# much as the others. A product has one place and one category, a buyer one kind; kinds and places decide mode, relation and channel.
_WORLD = [
    """
    INSERT INTO organisation (id, uscc, name, kind, region_code, status, registered_at, path)
    SELECT n, lpad(n::text, 18, '0'), '单位' || n,
           CASE WHEN n > 2000 THEN 'cooperative' ELSE (ARRAY['agency','school','hospital','enterprise','enterprise','public_institution'])[1 + n % 6] END,
           '500106', 'approved', now(), '/' || n || '/' FROM generate_series(1, 5000) n
    """,
    """
    CREATE TABLE place AS
    SELECT row_number() OVER (ORDER BY g.region_code, copy) - 1 AS n, g.region_code AS code
    FROM region_designation g CROSS JOIN generate_series(1, 3) copy
    WHERE g.designation = 'poverty_task' AND (copy = 1 OR EXISTS (
        SELECT FROM region_designation k WHERE k.region_code = g.region_code AND k.designation = 'national_key'))
    """,
    """
    INSERT INTO product (id, supplier_id, name, kind, category, district_code, description, status, pinyin, created_at)
    SELECT i, 2001 + i % 3000, '产品' || i, 'goods',
           (ARRAY['fruit','vegetable','grain_oil','meat_poultry_egg','aquatic','tea','tcm','edible_fungus','honey','nut','condiment_preserved',
                  'processed_snack','beverage','handicraft','rural_tourism'])[1 + (hashint4(i % 6000) & 2147483647) % 15],
           p.code, '', 'active', '', now()
    FROM generate_series(1, 12000) i JOIN place p ON p.n = (i % 3000) % (SELECT count(*) FROM place)
    """,
    """
    INSERT INTO sku (id, product_id, code, pack, unit, net_grams, step, min_quantity, vat_bp, status)
    SELECT id, id, 'B' || id, '5kg/箱', 'box', 5000, 1, 1, 0, 'active' FROM product
    """,
]

# Three lines an order; orders follow one another in time, each is accepted within three weeks. About one product in four is a bestseller.
_SALES = """
    INSERT INTO sale_entry (origin_kind, origin_id, recorded_at, sold_on, month, programme_code, direction, order_id, sku_id, product_id, kind,
        category, supplier_id, district_code, certified, reserved_share_eligible, buyer_id, buyer_kind, buyer_region_code, fund_source, mode,
        relation, channel, channel_basis, quantity, grams, amount_fen)
    SELECT 'history', s.n, now(), s.day, date_trunc('month', s.day::timestamp)::date, 'chongqing-2021', 'purchase', s.order_id, p.id, p.id,
           p.kind, p.category, p.supplier_id, p.district_code, false, true, b.id, b.kind, b.region_code, 'canteen',
           CASE WHEN b.id % 20 = 0 THEN 'east_west' WHEN b.kind = 'enterprise' THEN CASE WHEN s.order_id % 10 = 0 THEN 'social_network' ELSE 'market' END
                ELSE 'policy_procurement' END,
           r.relation,
           CASE WHEN r.relation <> 'none' THEN r.relation WHEN b.kind <> 'enterprise' THEN 'policy_procurement'
                WHEN s.order_id % 10 = 0 THEN 'social_network' ELSE 'market' END,
           'bench', s.units, s.units * 5000, s.units * 6990
    FROM (SELECT n, n / 3 AS order_id, 1 + (hashint8(n / 3) & 2147483647) % 2000 AS buyer,
                 1 + (CASE WHEN n % 4 < 3 THEN hashint8(n) & 4095 ELSE hashint8(n) & 2147483647 END) % 12000 AS product,
                 least(CAST(:last AS date), CAST(:first AS date)
                       + ((n - :low) * 720 / (:high - :low + 1))::int + (hashint8(n / 3 + 7) & 2147483647) % 21) AS day,
                 1 + (hashint8(n + 13) & 2147483647) % 40 AS units
          FROM generate_series(CAST(:low AS bigint), CAST(:high AS bigint)) n) s
    JOIN product p ON p.id = s.product
    JOIN organisation b ON b.id = s.buyer
    CROSS JOIN LATERAL (SELECT CASE WHEN b.id % 20 = 0 THEN 'east_west' WHEN b.id % 29 = 0 THEN 'central_unit'
                               WHEN hashtext(p.district_code) % 38 = b.id % 38 THEN 'district_pair' ELSE 'none' END AS relation) r
"""


def _world(database: Database) -> None:
    with database.unit_of_work() as session:
        reference.load(session)
        for statement in _WORLD:
            session.execute(text(statement))


def _sales(database: Database, low: int, high: int) -> None:
    """Load with triggers and foreign keys off and indexes built afterwards; the rebuild takes the place of the queue."""
    with database.unit_of_work() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        indexes = session.execute(
            text("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'sale_entry' AND indexname LIKE 'ix_%'")
        ).all()
        for index in indexes:
            session.execute(text(f"DROP INDEX {index.indexname}"))
        session.execute(text(_SALES), {"low": low, "high": high, "first": FIRST, "last": LAST})
        for index in indexes:
            session.execute(text(index.indexdef))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE) sale_entry"))


DEFAULT = (Measure.AMOUNT, Measure.TONNES, Measure.ORDERS)
PEOPLE = (Measure.AMOUNT, Measure.BUYERS, Measure.PRODUCTS)
_D = Dimension
#: Every panel is grouped by district and month.
PANELS: dict[str, list[tuple[dict[Dimension, list[str]], tuple[Measure, ...]]]] = {
    "panel": [
        ({}, DEFAULT),
        ({_D.MODE: ["market"]}, DEFAULT),
        ({_D.CHANNEL: ["policy_procurement", "district_pair"]}, DEFAULT),
        ({_D.RELATION: ["east_west"]}, DEFAULT),
        ({_D.CATEGORY: ["fruit"]}, DEFAULT),
        ({_D.CATEGORY: ["fruit", "tea", "honey"]}, DEFAULT),
        ({_D.BUYER_KIND: ["school", "hospital"]}, DEFAULT),
        ({_D.DISTRICT: ["500236"]}, DEFAULT),
        ({_D.DISTRICT: ["500236", "500240"], _D.MODE: ["market"]}, DEFAULT),
        ({}, PEOPLE),
        ({_D.MODE: ["market"]}, PEOPLE),
        ({_D.CATEGORY: ["fruit"]}, PEOPLE),
    ],
    "panel of sums with two filters": [
        ({_D.CATEGORY: ["fruit"], _D.MODE: ["market"]}, (Measure.AMOUNT, Measure.TONNES)),
        ({_D.BUYER_KIND: ["school"], _D.CHANNEL: ["policy_procurement"]}, (Measure.AMOUNT, Measure.TONNES)),
    ],
}


def _measure(database: Database, count: int, p95: dict[str, float]) -> list[Row]:
    size = f"{count // 10**6} million sales"
    floor = _floor(database)
    rows: list[Row] = []
    for name, panels in PANELS.items():
        times = _times(database, panels)
        value = statistics.quantiles(times, n=20, method="inclusive")[18]
        rows.append(
            row(f"{name} by district and month, {size}: p95", value, "ms", floor=floor, goal="under 100 ms", met=value < 100)
        )
        rows.append(row(f"{name} by district and month, {size}: p50", statistics.median(times), "ms", floor=floor))
        if name in p95:
            met = value < 2 * p95[name]
            rows.append(row(f"{name}: p95 with 5 times the lines", value, "ms", floor=p95[name], goal="less than twice", met=met))
        p95[name] = value
    compared = _times(database, [({}, DEFAULT)], compare=True)
    rows.append(row(f"panel beside the year before, {size}: p50", statistics.median(compared), "ms", floor=floor))
    return rows


def _times(
    database: Database, panels: list[tuple[dict[Dimension, list[str]], tuple[Measure, ...]]], *, compare: bool = False
) -> list[float]:
    """Milliseconds of each panel in turn; the first round only warms up."""
    times = []
    for turn, (only, measures) in itertools.product(range(ROUNDS + 1), panels):
        question = Question(Selection(*YEAR, only), (_D.DISTRICT, _D.MONTH), measures, Reach(("",)), compare)
        with database.unit_of_work() as session:
            started = time.perf_counter()
            answer = ask(session, question)
            took = (time.perf_counter() - started) * 1000
        assert answer.rows
        if turn:
            times.append(took)
    return times


def _floor(database: Database) -> float:
    """Milliseconds of the plain question to the lines: the default panel without filters."""
    times = []
    for _ in range(3):
        with database.unit_of_work() as session:
            started = time.perf_counter()
            lines = session.execute(
                text(
                    "SELECT district_code, month, sum(amount_fen), sum(grams), count(DISTINCT order_id) FROM sale_entry"
                    " WHERE sold_on BETWEEN :first AND :last GROUP BY district_code, month"
                ),
                {"first": YEAR[0], "last": YEAR[1]},
            ).all()
            times.append((time.perf_counter() - started) * 1000)
    assert _default_panel(database) == {tuple(line) for line in lines}, "the rollups do not say what the lines say"
    return min(times)


def _default_panel(database: Database) -> set[tuple[Any, ...]]:
    question = Question(Selection(*YEAR), (_D.DISTRICT, _D.MONTH), DEFAULT, Reach(("",)))
    with database.unit_of_work() as session:
        rows = ask(session, question).rows
    return {(*key, *(now.value(measure) for measure in DEFAULT)) for key, [now] in rows.items()}


def _refresh(database: Database) -> list[Row]:
    """Taking over a thousand sales of today, with five million behind them."""
    times = []
    for turn in range(5):
        with database.unit_of_work() as session:
            high = STEPS[-1] + 1000 * (turn + 1)
            session.execute(text("SET LOCAL session_replication_role = replica"))
            session.execute(text(_SALES), {"low": high - 999, "high": high, "first": LAST, "last": LAST})
            session.execute(text("INSERT INTO sale_entry_pending SELECT id FROM sale_entry ORDER BY id DESC LIMIT 1000"))
        with database.unit_of_work() as session:
            started = time.perf_counter()
            assert actions.refresh(session) == 1000
            times.append((time.perf_counter() - started) * 1000)
    return [row("refresh of 1,000 sales", statistics.median(times), "ms")]
