"""All the city's outlets upload what they sold: 10,000 outlets, 200,000 lines, 20 in a batch, over HTTP by eight clients. Beside it the least that the
same lines cost: COPY into a table with the same keys and indexes."""

import json
import os
import time
from datetime import UTC, datetime, timedelta

import psycopg
from sqlalchemy import text

from shop.core.db import Database
from shop.identity import tokens
from tests.bench import load
from tests.bench.ground import Ground, Row, api, row
from tests.factories.outlets import seal

#: ``SHOP_BENCH_SHARE=0.1`` measures a tenth on a machine that has other things to do.
SHARE = float(os.environ.get("SHOP_BENCH_SHARE", "1"))
OUTLETS, LINES_OF_BATCH, GOODS, CLIENTS = int(10_000 * SHARE), 20, 10, 8

_OPERATOR = """
    INSERT INTO organisation (uscc, name, kind, region_code, status, registered_at, path, version)
    VALUES ('91500106MA5U0000YY', '运营公司', 'enterprise', '500106', 'approved', now(), '/operator/', 1) RETURNING id
"""
_OUTLETS = """
    WITH made AS (
        INSERT INTO outlet (number, external_number, kind, online, name, operator_id, region_code, address, venue, opened_on, status, registered_by,
                            registered_at, verified_at, version)
        SELECT 'ZG-500106-' || lpad(n::text, 6, '0'), 'D' || n, 'cabinet', false, '专柜' || n, :operator, '500106', '某路', 'campus', '2020-01-01',
               'verified', (SELECT min(id) FROM app_user), now(), '2020-01-02', 1
        FROM generate_series(1, :count) n RETURNING id
    ) INSERT INTO outlet_pulse (outlet_id, seen_at) SELECT id, now() FROM made
"""
#: Every second of an outlet's goods is of the list.
_GOODS = """
    INSERT INTO outlet_goods (outlet_id, goods_id, name, certified, certified_name, supplier_uscc, price_fen, invoice, on_shelf, product_id, sku_id, changed_at)
    SELECT o.id, 'G' || g, '商品' || g, g % 2 = 0, CASE WHEN g % 2 = 0 THEN 'x' END, CASE WHEN g % 2 = 0 THEN 'x' END, 2500, false, true,
           CASE WHEN g % 2 = 0 THEN s.product_id END, CASE WHEN g % 2 = 0 THEN s.id END, now()
    FROM outlet o CROSS JOIN generate_series(0, :goods - 1) g
    JOIN LATERAL (SELECT id, product_id FROM sku WHERE id = 1 + (o.id * 7 + g) % (SELECT max(id) FROM sku)) s ON true
"""
_DEVICES = """
    INSERT INTO outlet_device (outlet_id, number, hash, prefix, last_sequence, created_by, created_at)
    SELECT outlet_id, '1', hash, 'dev_', 0, (SELECT min(id) FROM app_user), now()
    FROM unnest(CAST(:outlets AS bigint[]), CAST(:hashes AS bytea[])) AS t (outlet_id, hash)
"""


def run(made: Ground) -> list[Row]:
    database = Database(made.database_url, pool_size=2, statement_timeout_ms=600_000)
    requests = [_request(number, key) for number, key in enumerate(_fill(database))]
    with api(made) as address:
        load.all_of(address, requests[:CLIENTS], CLIENTS)  # processes and plans are warm
        result = load.all_of(address, requests[CLIENTS:], CLIENTS)
    assert set(result.statuses) == {201}, result.statuses
    with database.unit_of_work() as session:
        kept = session.execute(text("SELECT count(*), count(*) FILTER (WHERE status = 'counted') FROM sales_batch_line")).one()
        booked = session.execute(text("SELECT count(*) FROM sale_entry WHERE source = 'outlet'")).scalar_one()
    lines = OUTLETS * LINES_OF_BATCH
    assert tuple(kept) == (lines, lines // 2), kept
    assert booked == lines // 2
    database.dispose()
    sent = len(result.latencies) * LINES_OF_BATCH
    per_second = sent / result.seconds
    whole_city = 200_000 / per_second
    floor = _copied(made)
    return [
        row(
            f"figures.outlets_upload: {sent:,} lines of {OUTLETS:,} outlets, {CLIENTS} clients", per_second, "lines/s", floor=floor
        ),
        row("figures.outlets_upload: 200,000 lines at this rate", whole_city / 60, "min", goal="< 60 min", met=whole_city < 3600),
        row(f"figures.outlets_batch of {LINES_OF_BATCH} lines: p95", result.percentile(0.95), "ms"),
    ]


def _fill(database: Database) -> list[str]:
    """Outlets with their goods and one device each; returns the devices' keys."""
    keys = [tokens.DEVICE + tokens.fresh()[0] for _ in range(OUTLETS)]
    with database.unit_of_work() as session:
        operator = session.execute(text(_OPERATOR)).scalar_one()
        session.execute(text(_OUTLETS), {"operator": operator, "count": OUTLETS})
        session.execute(text(_GOODS), {"goods": GOODS})
        ids = session.execute(text("SELECT id FROM outlet ORDER BY id")).scalars().all()
        session.execute(text(_DEVICES), {"outlets": list(ids), "hashes": [tokens.hashed(key) for key in keys]})
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return keys


def _request(number: int, key: str) -> bytes:
    now = datetime.now(UTC)
    lines = [
        {
            "line_id": f"{number}-{place}",
            "sold_at": (now - timedelta(minutes=5 + place)).isoformat(),
            "goods_id": f"G{place % GOODS}",
            "quantity": "1",
            "amount": "25.00",
            "receipt_number": f"R{number}-{place // 3}",
        }
        for place in range(LINES_OF_BATCH)
    ]
    batch = seal({"batch_id": f"B{number}", "sequence": 1, "previous_hash": None, "sent_at": now.isoformat(), "lines": lines})
    return load.request("POST", "/v1/sales-batches", json.dumps(batch).encode(), {"Authorization": f"Bearer {key}"})


def _copied(made: Ground) -> float:
    """Lines a second that COPY writes into a table with the keys and indexes of the lines."""
    with psycopg.connect(made.dsn) as connection:
        connection.execute("CREATE TABLE floor (LIKE sales_batch_line INCLUDING ALL)")
        with connection.cursor().copy("COPY sales_batch_line TO STDOUT") as out:
            content = b"".join(bytes(part) for part in out)
        started = time.perf_counter()
        with connection.cursor().copy("COPY floor FROM STDIN") as into:
            into.write(content)
        connection.commit()
        taken = time.perf_counter() - started
        connection.execute("DROP TABLE floor")
    return OUTLETS * LINES_OF_BATCH / taken
