"""A market for measurements: 2,000 buyers, 3,000 suppliers and 12,000 products, and any number of sales over the two years up to today."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import make_url, text

from shop import reference
from shop.core import clock, migrate
from shop.core.db import Database
from shop.core.months import month_start

NAME = "bench_market"
LAST = clock.today()
FIRST = month_start(LAST - timedelta(days=730))


@contextmanager
def own_database(server: str) -> Iterator[Database]:
    """An empty database beside the others of a server, dropped afterwards."""
    url = make_url(server)
    admin = Database(url.set(database="postgres").render_as_string(hide_password=False), pool_size=1)

    def administer(*statements: str) -> None:
        with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.execute(text(statement))

    administer(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)", f"CREATE DATABASE {NAME}")
    own = url.set(database=NAME).render_as_string(hide_password=False)
    migrate.upgrade(own)
    database = Database(own, pool_size=4, statement_timeout_ms=1_800_000)
    try:
        yield database
    finally:
        database.dispose()
        administer(f"DROP DATABASE {NAME} WITH (FORCE)")
        admin.dispose()


# Who trades: 2,000 buyers, 3,000 suppliers and 12,000 products; the districts with a poverty task sell, the 14 national ones three times as
# much as the others; one that was merged has its sales in the district that it became, from that day on. A product has one place and one category, a
# buyer one kind; kinds and places decide mode, relation and channel.
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
    WHERE g.designation = 'poverty_task' AND g.valid_from IS NULL AND (copy = 1 OR EXISTS (
        SELECT FROM region_designation k WHERE k.region_code = g.region_code AND k.designation = 'national_key'))
    """,
    """
    INSERT INTO product (id, supplier_id, name, kind, category, district_code, township_code, village, description, status, pinyin, created_at)
    SELECT i, 2001 + i % 3000, '产品' || i, 'goods',
           (ARRAY['fruit','vegetable','grain_oil','meat_poultry_egg','aquatic','tea','tcm','edible_fungus','honey','nut','condiment_preserved',
                  'processed_snack','beverage','handicraft','rural_tourism'])[1 + (hashint4(i % 6000) & 2147483647) % 15],
           p.code, t.code, CASE WHEN t.code IS NOT NULL THEN '村' || i % 3000 END, '', 'active', '', now()
    FROM generate_series(1, 12000) i JOIN place p ON p.n = (i % 3000) % (SELECT count(*) FROM place)
    LEFT JOIN LATERAL (SELECT code FROM region WHERE parent_code = p.code ORDER BY hashint8(hashtext(code) + i % 3000) LIMIT 1) t ON true
    """,
    """
    INSERT INTO sku (id, product_id, code, pack, unit, net_grams, step, min_quantity, vat_bp, status)
    SELECT id, id, 'B' || id, '5kg/箱', 'box', 5000, 1, 1, 0, 'active' FROM product
    """,
]

# Three lines an order; orders follow one another in time, each is accepted within three weeks. About one product in four is a bestseller.
SALES = """
    INSERT INTO sale_entry (origin_kind, origin_id, recorded_at, sold_on, month, programme_code, direction, order_id, sku_id, product_id, kind,
        category, supplier_id, district_code, township_code, village, certified, reserved_share_eligible, buyer_id, buyer_kind, buyer_region_code, fund_source, mode,
        relation, channel, channel_basis, quantity, grams, amount_fen)
    SELECT 'history', s.n, now(), s.day, date_trunc('month', s.day::timestamp)::date, 'chongqing-2021', 'purchase', s.order_id, p.id, p.id,
           p.kind, p.category, p.supplier_id, CASE WHEN s.day >= d.valid_to THEN d.successor_code ELSE d.code END, p.township_code, p.village, false, true, b.id, b.kind, b.region_code, 'canteen',
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
    JOIN region d ON d.code = p.district_code
    JOIN organisation b ON b.id = s.buyer
    CROSS JOIN LATERAL (SELECT CASE WHEN b.id % 20 = 0 THEN 'east_west' WHEN b.id % 29 = 0 THEN 'central_unit'
                               WHEN hashtext(p.district_code) % 38 = b.id % 38 THEN 'district_pair' ELSE 'none' END AS relation) r
"""


def world(database: Database) -> None:
    """Who trades, and what with."""
    with database.unit_of_work() as session:
        reference.load(session)
        for statement in _WORLD:
            session.execute(text(statement))


def sales(database: Database, low: int, high: int) -> None:
    """Load with triggers and foreign keys off and indexes built afterwards; the rebuild takes the place of the queue."""
    with database.unit_of_work() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("SET LOCAL maintenance_work_mem = '1GB'"))
        indexes = session.execute(
            text("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'sale_entry' AND indexname LIKE 'ix_%'")
        ).all()
        for index in indexes:
            session.execute(text(f"DROP INDEX {index.indexname}"))
        session.execute(text(SALES), {"low": low, "high": high, "first": FIRST, "last": LAST})
        for index in indexes:
            session.execute(text(index.indexdef))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE) sale_entry"))
