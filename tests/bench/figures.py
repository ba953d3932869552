"""Panels of the statistics over 20 million sales of two years and all else that a city has, beside other ways to ask the same lines in the same run.

Works in a database of its own. Four million sales are measured first, then twenty million over the same two years: what a panel costs must not
follow the number of lines. ``SHOP_BENCH_SHARE=0.1`` measures a tenth of both.
"""

import itertools
import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
import psycopg
from sqlalchemy import text

from orders.ledger.selection import EVERYWHERE, Dimension, Selection
from orders.statistics import actions
from orders.statistics.cubes import CUBES
from orders.statistics.queries import ask
from orders.statistics.question import Compare, Measure, Question
from shop.core.db import Database
from shop.core.months import month_start
from shop.identity.permissions import Role
from shop.regions import queries as regions
from tests.bench import city, load, market
from tests.bench.ground import Ground, Row, api, row
from tests.factories.identity import access_token, make_user
from workers.schedule import SCHEDULE

SHARE = float(os.environ.get("SHOP_BENCH_SHARE", "1"))
STEPS = (int(4_000_000 * SHARE), int(20_000_000 * SHARE))
ROUNDS = 12
#: The panels show this year, and set the one before beside it.
YEAR = (month_start(market.LAST - timedelta(days=365)), market.LAST)
#: Readers at once, sales that are written meanwhile, and for how long.
READERS, WRITTEN_PER_SECOND, SECONDS = 8, 200, 30


def run(made: Ground) -> Iterator[Row]:
    """Rows of ``bench.json``; takes about 20 minutes, most of them to load the sales."""
    with market.own_database(made.database_url) as database:
        market.world(database)
        started = time.perf_counter()
        city.fill(database)
        yield row("figures: load of the city, outlets, agreements, pledges and shares", time.perf_counter() - started, "s")
        p95: dict[str, float] = {}
        before = 0
        for count in STEPS:
            started = time.perf_counter()
            market.sales(database, before + 1, count)
            yield row(f"figures.{_size(count)}: load, indexes, vacuum", time.perf_counter() - started, "s")
            before = count
            yield from _rebuilt(database, count)
            yield from _measure(database, count, p95)
        yield from _columns(database, made.data_dir)
        yield from _refresh(database)
        yield from _served(database, made)


def _rebuilt(database: Database, count: int) -> Iterator[Row]:
    """All rollups anew: where there were none, and where there is nothing to mend."""
    with database.unit_of_work() as session:
        session.execute(text(f"TRUNCATE {', '.join(cube.table for cube in CUBES)}"))
    floor, largest = _handed_out(database), count == STEPS[-1]
    for what in ("from nothing", "where all is right"):
        started = time.perf_counter()
        actions.rebuild(database, lambda line: print(f"  … {line}", flush=True))
        took = time.perf_counter() - started
        goal, met = ("under 120 s", took < 120) if largest else (None, None)
        yield row(f"figures.{_size(count)}: rebuild of all rollups {what}", took, "s", floor=floor, goal=goal, met=met)


def _size(count: int) -> str:
    return f"{count / 10**6:g} million sales"


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


def _question(only: dict[Dimension, list[str]], measures: tuple[Measure, ...]) -> Question:
    return Question(Selection(*YEAR, only), (_D.DISTRICT, _D.MONTH), measures, EVERYWHERE)


def _measure(database: Database, count: int, p95: dict[str, float]) -> Iterator[Row]:
    floor = _floor(database)
    for name, panels in PANELS.items():
        times = _times(database, [_question(*panel) for panel in panels])
        value = statistics.quantiles(times, n=20, method="inclusive")[18]
        yield row(
            f"figures.{_size(count)}: {name} by district and month, p95",
            value,
            "ms",
            floor=floor,
            goal="under 100 ms",
            met=value < 100,
        )
        yield row(f"figures.{_size(count)}: {name} by district and month, p50", statistics.median(times), "ms", floor=floor)
        if name in p95:
            met = value < 2 * p95[name]
            yield row(f"figures.{name}: p95 with 5 times the lines", value, "ms", floor=p95[name], goal="less than twice", met=met)
        p95[name] = value
    compared = _times(database, [replace(_question({}, DEFAULT), compare=Compare.LAST_YEAR)])
    yield row(f"figures.{_size(count)}: panel beside the year before, p50", statistics.median(compared), "ms", floor=floor)


def _times(database: Database, questions: list[Question]) -> list[float]:
    """Milliseconds of each panel in turn; the first round only warms up."""
    times = []
    for turn, question in itertools.product(range(ROUNDS + 1), questions):
        with database.unit_of_work() as session:
            started = time.perf_counter()
            answer = ask(session, question)
            took = (time.perf_counter() - started) * 1000
        assert answer.rows
        if turn:
            times.append(took)
    return times


def _by_lines(database: Database, lines: str) -> str:
    """The default panel without filters, asked of the lines; what was sold in a district that was merged stands in its successor."""
    with database.unit_of_work() as session:
        merged = " ".join(f"WHEN '{ended}' THEN '{code}'" for ended, code in regions.successors(session, YEAR[1]).items())
    return (
        f"SELECT CASE district_code {merged} ELSE district_code END AS district, month, sum(amount_fen), sum(grams), count(DISTINCT order_id)"
        f" FROM {lines} WHERE sold_on BETWEEN '{YEAR[0]}' AND '{YEAR[1]}' GROUP BY 1, 2"
    )


def _floor(database: Database) -> float:
    """Milliseconds of the plain question to the lines in PostgreSQL."""
    times, plain = [], text(_by_lines(database, "sale_entry"))
    for _ in range(3):
        with database.unit_of_work() as session:
            started = time.perf_counter()
            lines = session.execute(plain).all()
            times.append((time.perf_counter() - started) * 1000)
    assert _default_panel(database) == {tuple(line) for line in lines}, "the rollups do not say what the lines say"
    return min(times)


def _default_panel(database: Database) -> set[tuple[Any, ...]]:
    with database.unit_of_work() as session:
        rows = ask(session, _question({}, DEFAULT)).rows
    return {(*key, *(now.value(measure) for measure in DEFAULT)) for key, [now] in rows.items()}


def _dsn(database: Database) -> str:
    return database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def _copied_out(database: Database, wanted: str) -> Iterator[bytes]:
    copy = f"COPY (SELECT {wanted} FROM sale_entry) TO STDOUT (FORMAT csv)"
    with psycopg.connect(_dsn(database)) as connection, connection.cursor() as cursor, cursor.copy(copy) as copying:
        yield from copying


def _handed_out(database: Database) -> float:
    """Seconds in which PostgreSQL hands out the lines once, as text: what any engine beside it must wait for."""
    started = time.perf_counter()
    for _ in _copied_out(database, "*"):
        pass
    return time.perf_counter() - started


def _columns(database: Database, folder: Path) -> Iterator[Row]:
    """The default panel, asked of the same lines as columns in a Parquet file by DuckDB: what an analyst would set beside the database."""
    rows, columns = folder / "lines.csv", folder / "lines.parquet"
    wanted = "district_code, month, sold_on, mode, category, buyer_kind, order_id, amount_fen, grams"
    with rows.open("wb") as file:
        file.writelines(_copied_out(database, wanted))
    with duckdb.connect() as engine:
        names = {f"column{number}": name for number, name in enumerate(wanted.split(", "))}
        named = ", ".join(f"{column} AS {name}" for column, name in names.items())
        engine.execute(
            f"COPY (SELECT {named} FROM read_csv('{rows}', header = false, names = {list(names)})) TO '{columns}' (COMPRESSION zstd)"
        )
        rows.unlink()
        times, plain = [], _by_lines(database, f"'{columns}'")
        for _ in range(5):
            started = time.perf_counter()
            lines = engine.execute(plain).fetchall()
            times.append((time.perf_counter() - started) * 1000)
    columns.unlink()
    own = {(str(key[0]), *key[1:]) for key in _default_panel(database)}
    assert own == {(str(line[0]), *map(_whole, line[1:])) for line in lines}, "DuckDB does not say what the rollups say"
    panel = statistics.median(_times(database, [_question({}, DEFAULT)]))
    yield row(f"figures.{_size(STEPS[-1])}: default panel, beside DuckDB over Parquet", panel, "ms", floor=statistics.median(times))


def _whole(value: Any) -> Any:
    return value if isinstance(value, date) else int(value)


def _written(database: Database, high: int, count: int) -> None:
    """Sales of today. There are no orders that they could be of, so what their triggers do is done here."""
    with database.unit_of_work() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(market.SALES), {"low": high + 1, "high": high + count, "first": market.LAST, "last": market.LAST})
        waiting = "INSERT INTO sale_entry_pending SELECT id FROM sale_entry WHERE origin_kind = 'history' AND origin_id > :high"
        session.execute(text(waiting), {"high": high})


def _highest(database: Database) -> int:
    with database.unit_of_work() as session:
        return int(session.execute(text("SELECT max(origin_id) FROM sale_entry")).scalar_one())


def _refresh(database: Database) -> Iterator[Row]:
    """Taking over a thousand sales of today, with all the others behind them."""
    times = []
    for _ in range(5):
        _written(database, _highest(database), 1000)
        with database.unit_of_work() as session:
            started = time.perf_counter()
            assert actions.refresh(session) == 1000
            times.append((time.perf_counter() - started) * 1000)
    yield row(f"figures.{_size(STEPS[-1])}: refresh of 1,000 sales", statistics.median(times), "ms")


def _paths() -> list[str]:
    """The dashboard as a browser asks for it."""
    year = [("from", str(YEAR[0])), ("to", str(YEAR[1]))]
    places = [*year, ("group_by", "district"), ("group_by", "month")]
    sales = [
        [
            *places,
            *((dimension.value, value) for dimension, wanted in only.items() for value in wanted),
            *(("measure", each.value) for each in measures),
        ]
        for panels in PANELS.values()
        for only, measures in panels
    ]
    return [*(f"/v1/statistics/sales?{urlencode(each)}" for each in sales), *_panels()]


def _panels() -> list[str]:
    """The panels that show more than sales, each as the dashboard asks for it, and those of outlets over this year and over odd days."""
    year, odd = f"from={YEAR[1].replace(month=1, day=1)}", f"from={YEAR[0] + timedelta(days=14)}&to={YEAR[1] - timedelta(days=16)}"
    panels = [
        "overview",
        "villages",
        "shandong-lane?group_by=county",
        "shandong-lane?group_by=month",
        "certification",
        "outlets",
        f"outlets?{year}&group_by=county&group_by=kind&group_by=status",
        f"outlets?{odd}",
        "agreements",
        f"agreements?{odd}",
        "pledges",
        "reserved-share",
    ]
    beside = [
        "/v1/indicators/growth",
        *(f"/v1/coverage?level={level}" for level in ("city", "county", "township")),
        "/v1/promotions",
        "/v1/promotions/30/effect",
        *(f"/v1/outlet-sales?{year}&group_by={group}" for group in ("outlet", "county", "month", "day")),
        f"/v1/outlet-sales?{year}&group_by=day&region=500101",
    ]
    return [*(f"/v1/statistics/{each}" for each in panels), *beside]


def _served(database: Database, made: Ground) -> Iterator[Row]:
    """All panels over HTTP by eight readers, while 200 sales a second are written, and taken over as often as by the worker."""
    with database.unit_of_work() as session:
        token = access_token(session, make_user(session, Role.MONITOR))
    own = replace(made, database_url=database.url)
    requests = [load.request("GET", path, headers={"Authorization": f"Bearer {token}"}) for path in _paths()]
    with api(own) as address:
        for path, content in zip(_paths(), requests, strict=True):
            assert (status := load.once(address, content)[1]) == 200, (path, status)
        each = {
            path: statistics.quantiles([load.once(address, content)[0] * 1000 for _ in range(20)], n=20, method="inclusive")[18]
            for path, content in zip(_paths(), requests, strict=True)
        }
        for path in _panels():
            yield row(f"figures.panel alone: {path}: p95", each[path], "ms", goal="under 100 ms", met=each[path] < 100)
        for path, took in sorted(each.items(), key=lambda item: -item[1])[:5]:
            print(f"  … alone {took:.0f} ms {path}", flush=True)
        for how, pause in (("one panel a second each", 1.0), ("without a pause", 0.0)):
            with _writing(database) as written:
                result = load.run(address, lambda n: requests[n % len(requests)], READERS, SECONDS, pause=pause)
            assert set(result.statuses) == {200}, result.statuses
            assert written[0] > WRITTEN_PER_SECOND * SECONDS * 0.9, "fewer sales were written than should have been"
            p95 = result.percentile(0.95)
            name = f"figures.{_size(STEPS[-1])}: panels over HTTP, {READERS} readers, {how}, {WRITTEN_PER_SECOND} sales/s written"
            yield row(f"{name}: p95", p95, "ms", goal="under 100 ms", met=p95 < 100)
            yield row(f"{name}: p50", result.percentile(0.5), "ms")
            yield row(f"{name}: answers", result.per_second, "per second")


@contextmanager
def _writing(database: Database) -> Iterator[list[int]]:
    """Sales by the second, in transactions of ten, and what takes them over."""
    stop, written, high = threading.Event(), [0], _highest(database)

    def write() -> None:
        started = time.perf_counter()
        while not stop.wait(max(0.0, started + written[0] / WRITTEN_PER_SECOND - time.perf_counter())):
            _written(database, high + written[0], 10)
            written[0] += 10

    def refresh() -> None:
        while not stop.wait(SCHEDULE["refresh"]["schedule"]):
            with database.unit_of_work() as session:
                actions.refresh(session)

    threads = [threading.Thread(target=write), threading.Thread(target=refresh)]
    for thread in threads:
        thread.start()
    try:
        yield written
    finally:
        stop.set()
        for thread in threads:
            thread.join()
