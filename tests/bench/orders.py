"""Placing orders: over HTTP with two server processes, beside the same SQL through the bare driver and through pgbench."""

import json
import multiprocessing
import random
import re
import secrets
import subprocess
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
from sqlalchemy.dialects import postgresql

from orders.purchasing.actions import placing, pricing
from shop.core import clock
from shop.core.idempotency import _FIND as FIND_KEY
from shop.core.locks import number
from shop.identity import tokens
from shop.launcher import binaries
from tests.bench import load
from tests.bench.ground import PRODUCTS, Ground, Row, api, row

SECONDS = 8
_dialect = postgresql.psycopg.dialect()


def run(made: Ground) -> list[Row]:
    rows: list[Row] = []
    with api(made) as address:
        for concurrency in (1, 8, 32):
            floor = _bare_driver(made, concurrency)
            result = load.run(address, lambda n: _order(made, n, 3), concurrency, SECONDS)
            assert set(result.statuses) == {201}, result.statuses
            met = result.per_second >= floor / 2 if concurrency == 32 else None
            goal = "at least half of the bare driver" if concurrency == 32 else None
            name = f"orders of 3 lines, {concurrency} at once"
            rows.append(row(name, result.per_second, "orders/s", floor=floor, goal=goal, met=met))
            rows.append(row(f"{name}: p50", result.percentile(0.5), "ms"))
            rows.append(row(f"{name}: p99", result.percentile(0.99), "ms"))
        rows.append(row("the same SQL by pgbench, 32 at once", _pgbench(made, 32), "orders/s"))
        rows += _large_order(made, address)
    return rows


def _large_order(made: Ground, address: str) -> list[Row]:
    over_http, bare = [], []
    with psycopg.connect(made.dsn, autocommit=True) as connection:
        for n in range(5):
            seconds, status = load.once(address, _order(made, 10**6 + n, 10_000))
            assert status == 201, status
            over_http.append(seconds)
            started = time.perf_counter()
            _transaction(connection, _statements(made, 10_000, random.Random(n)))
            bare.append(time.perf_counter() - started)
    value, floor = sorted(over_http)[2], sorted(bare)[2]
    met = value < 2 and value < 3 * floor
    return [row("order of 10,000 lines", value, "s", floor=floor, goal="below 2 s and 3 times the bare SQL", met=met)]


def _skus(lines: int, pick: random.Random) -> list[int]:
    return pick.sample(range(1, PRODUCTS + 1), lines)


def _order(made: Ground, n: int, lines: int) -> bytes:
    body = {
        "fund_source": "canteen",
        "delivery_address": "重庆市沙坪坝区大学城中路1号",
        "lines": [{"sku_id": sku, "quantity": "2"} for sku in _skus(lines, random.Random(n))],
    }
    headers = {"Authorization": f"Bearer {made.token}", "Idempotency-Key": f"{secrets.token_hex(4)}-{n}"}
    return load.request("POST", "/v1/purchase-orders", json.dumps(body).encode(), headers)


def _statements(made: Ground, lines: int, pick: random.Random) -> list[tuple[str, dict[str, Any]]]:
    """The very statements of the request, with the values that the program would bind."""
    now, key = datetime.now(UTC), secrets.token_hex(8)
    skus = _skus(lines, pick)
    ones = [1] * lines
    today = clock.today()
    buyer = {
        "buyer_id": 401,
        "unit_id": 401,
        "unit_path": "/401/",
        "fund_source": "canteen",
        "budget_year": today.year,
        "today": today,
    }
    write = {
        "user_id": 1,
        "actor_role": "purchaser",
        "programme_code": "chongqing-2021",
        "day": "20260101",
        "now": now,
        "today": today,
        "ordering_unit_id": 401,
        "purchase_request_id": None,
        "cost_centre": None,
        "deliver_by": None,
        "source_kind": "direct",
        "source_id": None,
        "fund_source": "canteen",
        "platform": "marketplace",
        "declared_relation_id": None,
        "buyer_reference": None,
        "delivery_address": "重庆市沙坪坝区大学城中路1号",
        "delivery_contact": None,
        "delivery_phone": None,
        "confirm_by": now,
        "line_count": lines,
        "total_fen": 13_980 * lines,
        "total_grams": 10_000 * lines,
        "detail": '{"lines": 3}',
        "line_nos": list(range(1, lines + 1)),
        "skus": skus,
        "products": skus,
        "suppliers": [1 + sku % 400 for sku in skus],
        "certificates": skus,
        "quantities": [Decimal(2)] * lines,
        "prices": [6990] * lines,
        "amounts": [13_980] * lines,
        "vat_bps": [0] * lines,
        "vats": [0] * lines,
        "grams": [10_000 for _ in ones],
        "agreement_lines": [None for _ in ones],
    }
    found = {"principal": "bench", "key": key, "lock": number(key)}
    answer = "INSERT INTO idempotency_key VALUES ('bench', %(key)s, 'POST', '\\x00', 201, '{}', %(body)s, %(now)s)"
    return [
        (_driver_sql(tokens._BY_TOKEN), {"hash": tokens.hashed(made.token), "now": now}),
        (_driver_sql(FIND_KEY), found),
        (_driver_sql(pricing._BUYER), buyer),
        (_driver_sql(pricing._FACTS), write | {"agreed": write["agreement_lines"]}),
        (
            _driver_sql(placing._RESERVE),
            {"skus": sorted(skus), "quantities": write["quantities"], "certificates": sorted(skus)},
        ),
        (_driver_sql(placing._WRITE), write | {"buyer_id": 401}),
        (answer, {"key": key, "body": b"x" * 700, "now": now}),
    ]


_compiled: dict[Any, str] = {}


def _driver_sql(statement: Any) -> str:
    if statement not in _compiled:
        _compiled[statement] = str(statement.compile(dialect=_dialect))
    return _compiled[statement]


def _transaction(connection: psycopg.Connection[Any], statements: list[tuple[str, dict[str, Any]]]) -> None:
    with connection.transaction():
        for statement, values in statements:
            cursor = connection.execute(statement.encode(), values)
            if cursor.description:
                cursor.fetchall()


def _bare_driver(made: Ground, concurrency: int) -> float:
    """Orders a second through psycopg alone, in two processes with threads."""
    processes = min(2, concurrency)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        counts = pool.starmap(_bare_process, [(made, concurrency // processes)] * processes)
    return sum(counts) / SECONDS


def _bare_process(made: Ground, threads: int) -> int:
    counts = [0] * threads
    begin = time.perf_counter() + 1

    def work(index: int) -> None:
        pick = random.Random(index + threading.get_ident())
        with psycopg.connect(made.dsn, autocommit=True) as connection:
            connection.prepare_threshold = 3
            while (now := time.perf_counter()) < begin + SECONDS:
                _transaction(connection, _statements(made, 3, pick))
                counts[index] += now >= begin

    workers = [threading.Thread(target=work, args=(index,)) for index in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts)


def _pgbench(made: Ground, clients: int) -> float:
    """The same statements as a pgbench script, prepared, with random goods."""
    script = made.data_dir / "order.sql"
    script.write_text(_pgbench_script(made))
    command = [
        str(binaries._installed().postgres.with_name("pgbench")),
        "-n",
        "-M",
        "prepared",
        "-c",
        str(clients),
        "-j",
        "2",
        "-T",
        str(SECONDS),
        "-f",
        str(script),
    ]
    output = subprocess.run([*command, made.dsn], capture_output=True, text=True, check=True).stdout
    found = re.search(r"tps = ([0-9.]+)", output)
    assert found, output
    return float(found[1])


def _pgbench_script(made: Ground) -> str:
    lines = [
        "\\set a random(1, 4000)",
        "\\set b random(4001, 8000)",
        "\\set c random(8001, 12000)",
        "\\set k random(1, 9000000000000)",
        "BEGIN;",
    ]
    for statement, values in _statements(made, 3, random.Random(1)):
        sql = statement
        for name, value in sorted(values.items(), key=lambda pair: -len(pair[0])):
            sql = sql.replace(f"%({name})s", _literal(name, value))
        sql = sql.replace("%%", "%")
        lines.append(" ".join(sql.split()).rstrip(";") + ";")
    return "\n".join([*lines, "END;"]) + "\n"


def _literal(name: str, value: Any) -> str:
    if name in ("skus", "products", "certificates"):
        return "ARRAY[:a,:b,:c]"
    if name == "suppliers":
        return "ARRAY[1+:a%400,1+:b%400,1+:c%400]"
    if name == "key":
        return "'p' || :k"
    if name == "lock":
        return ":k"
    if isinstance(value, list):
        return "ARRAY[" + ",".join("NULL" if item is None else str(item) for item in value) + "]"
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    return str(value) if isinstance(value, int) else f"'{value}'"
