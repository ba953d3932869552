"""A list of 10,000 lines from its upload to the placed order, as a buyer waits for it: API, worker and beat as production runs them, the file as
agencies send it. Beside it the bare SQL that writes an order of as many lines."""

import contextlib
import io
import itertools
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import xlsxwriter

from tests.bench.ground import PRODUCTS, Ground, Row, api, row
from tests.bench.orders import _statements, _transaction

LINES, ROUNDS, SECONDS = 10_000, 3, 10
PHASES = ("upload", "read", "check", "order")
HEAD = {"fund_source": "canteen", "delivery_address": "重庆市沙坪坝区大学城中路1号"}


def run(made: Ground) -> list[Row]:
    with psycopg.connect(made.dsn, autocommit=True) as connection:
        names = connection.execute(
            "SELECT p.name, r.name_zh FROM product p JOIN region r ON r.code = p.district_code ORDER BY p.id"
        ).fetchall()
        with api(made) as address, _process(made, "worker"), _process(made, "beat"):
            headers = {"Authorization": f"Bearer {made.token}"}
            with httpx.Client(base_url=address, headers=headers, timeout=120, trust_env=False) as client:
                _import(client, _list(names, 100, 0))  # the worker has started
                taken = [_import(client, _list(names, LINES, n)) for n in range(1, ROUNDS + 1)]
        bare = []
        for n in range(ROUNDS):
            started = time.perf_counter()
            _transaction(connection, _statements(made, LINES, random.Random(n)))
            bare.append(time.perf_counter() - started)
    whole = sorted(taken, key=lambda each: sum(each.values()))[ROUNDS // 2]
    value, floor = sum(whole.values()), sorted(bare)[ROUNDS // 2]
    name = f"buying.import_{LINES}_lines"
    return [
        row(name, value, "s", floor=floor, goal=f"from upload to placed order below {SECONDS} s", met=value < SECONDS),
        *(row(f"{name}: {phase}", whole[phase], "s") for phase in PHASES),
    ]


def _list(names: list[Any], lines: int, number: int) -> bytes:
    """A workbook with a title, other column names, short places, and a unit behind each figure."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [f"食堂采购计划表（第 {number} 批）"])
        sheet.write_row(2, 0, ["序号", "产地", "品名", "规格型号", "采购数量", "参考单价（元）", "备注"])
        for at, (name, place) in enumerate(random.Random(number).sample(names[:PRODUCTS], lines), start=1):
            sheet.write_row(2 + at, 0, [at, place, f" {name}　", "5kg/箱", "2箱", 69.9, ""])
    return content.getvalue()


def _import(client: httpx.Client, content: bytes) -> dict[str, float]:
    """Seconds of each phase, as somebody sees them who looks five times a second."""
    marks = [time.perf_counter()]
    answer = client.post("/v1/order-imports", files={"file": ("list.xlsx", content)})
    assert answer.status_code == 202, answer.text
    path = f"/v1/order-imports/{answer.json()['id']}"
    marks.append(time.perf_counter())
    for status in ("reading", "checking"):
        while (shown := client.get(path).json())["status"] == status:
            time.sleep(0.2)
        marks.append(time.perf_counter())
    assert (shown["status"], set(shown["counts"])) == ("ready", {"matched"}), shown
    answer = client.post(f"{path}/order", json=HEAD)
    assert answer.status_code == 201, answer.text[:500]
    marks.append(time.perf_counter())
    return dict(zip(PHASES, (after - before for before, after in itertools.pairwise(marks)), strict=True))


@contextlib.contextmanager
def _process(made: Ground, command: str) -> Iterator[None]:
    environment = os.environ | {
        "SHOP_DATABASE_URL": made.database_url,
        "SHOP_REDIS_URL": made.redis_url,
        "SHOP_DATA_DIR": str(made.data_dir),
    }
    with (made.data_dir / f"{command}.log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "shop.cli", command], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            started.terminate()
            started.wait(30)
