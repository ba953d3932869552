"""The ground of a measurement: servers, a database with 400 suppliers and 12,000 products, and two API processes."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import httpx
from sqlalchemy import text

from shop import reference
from shop.core import migrate
from shop.core.db import Database
from shop.identity.permissions import Role
from shop.launcher.engines import engines
from tests.factories.identity import access_token, make_organisation, make_user

PRODUCTS = 12_000
SUPPLIERS = 400


class Row(TypedDict):
    """One line of ``bench.json``. ``ratio`` is value over floor; ``met`` is None where there is no goal."""

    name: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    goal: str | None
    met: bool | None


def row(name: str, value: float, unit: str, *, floor: float | None = None, goal: str | None = None, met: bool | None = None) -> Row:
    ratio = round(value / floor, 3) if floor else None
    return Row(
        name=name, value=round(value, 3), unit=unit, floor=round(floor, 3) if floor else None, ratio=ratio, goal=goal, met=met
    )


@dataclass
class Ground:
    database_url: str
    redis_url: str
    data_dir: Path
    token: str = ""

    @property
    def dsn(self) -> str:
        """The address as the bare driver takes it."""
        return self.database_url.replace("+psycopg", "")


@contextlib.contextmanager
def ground() -> Iterator[Ground]:
    with tempfile.TemporaryDirectory(prefix="shop-bench-") as folder:
        os.chmod(folder, 0o711)
        with engines(Path(folder), durable=True) as urls:
            made = Ground(urls.database_url, urls.redis_url, Path(folder))
            migrate.upgrade(made.database_url)
            made.token = _fill(made.database_url)
            yield made


def _fill(url: str) -> str:
    database = Database(url, pool_size=1, statement_timeout_ms=600_000)
    with database.unit_of_work() as session:
        reference.load(session)
        session.execute(text(_SUPPLIERS), {"count": SUPPLIERS})
        session.execute(text(_PRODUCTS), {"count": PRODUCTS})
        for statement in (*_SKUS, *FOR_EACH_PRODUCT):
            session.execute(text(statement))
        school = make_organisation(session, kind="school", role="budget_unit", region_code="500106")
        token = access_token(session, make_user(session, Role.PURCHASER, school))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    database.dispose()
    return token


_SUPPLIERS = """
    WITH made AS (
        INSERT INTO organisation (uscc, name, kind, region_code, status, registered_at, path, version)
        SELECT 'B' || lpad(n::text, 17, '0'), '合作社' || n, 'cooperative',
               (ARRAY['500236','500240','500242','500229','500101','500235','500237','500238'])[1 + n % 8], 'approved', now(), '', 1
        FROM generate_series(1, :count) n RETURNING id
    ) INSERT INTO organisation_role (organisation_id, role, valid_from) SELECT id, 'supplier', '2019-01-01' FROM made
"""
_PRODUCTS = """
    WITH numbered AS (SELECT id, region_code, row_number() OVER (ORDER BY id) AS n, count(*) OVER () AS all_of FROM organisation)
    INSERT INTO product (supplier_id, name, kind, category, district_code, description, status, pinyin, created_at, version)
    SELECT o.id, '奉节脐橙' || p, 'goods', (ARRAY['fruit','tea','honey','grain_oil'])[1 + p % 4], o.region_code, '', 'active', 'fengjie', now(), 1
    FROM generate_series(1, :count) p JOIN numbered o ON o.n = 1 + p % o.all_of
"""
_SKUS = [
    "UPDATE organisation SET path = '/' || id || '/' WHERE path = ''",
    """INSERT INTO sku (product_id, code, pack, unit, net_grams, step, min_quantity, vat_bp, status, version)
       SELECT id, 'B' || id, '5kg/箱', 'box', 5000, 1, 1, 0, 'active', 1 FROM product""",
]
#: Prices and stock of every pack, and a certificate for every product.
FOR_EACH_PRODUCT = [
    "INSERT INTO price_tier SELECT id, 1, 6990 FROM sku UNION ALL SELECT id, 100, 6500 FROM sku",
    "INSERT INTO stock SELECT id, 100000000, 0 FROM sku",
    "INSERT INTO stock_movement (sku_id, kind, on_hand, reserved, at) SELECT sku_id, 'receive', on_hand, 0, now() FROM stock",
    """INSERT INTO certification_case (product_id, supplier_id, programme_code, district_code, status, statement, households, persons, linkage,
           created_at, version)
       SELECT id, supplier_id, 'chongqing-2021', district_code, 'approved', '', 1, 1, '', now(), 1 FROM product""",
    """INSERT INTO certificate (number, case_id, product_id, supplier_id, programme_code, district_code, product_name, supplier_name,
           households, persons, valid_from, valid_until, issued_at)
       SELECT 'B' || c.id, c.id, c.product_id, c.supplier_id, c.programme_code, c.district_code, p.name, '', 1, 1,
              '2020-01-01', '2099-12-31', now()
       FROM certification_case c JOIN product p ON p.id = c.product_id""",
]


@contextlib.contextmanager
def api(made: Ground, processes: int = 2, threads: int = 8) -> Iterator[str]:
    """The API as production runs it; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "SHOP_DATABASE_URL": made.database_url,
        "SHOP_REDIS_URL": made.redis_url,
        "SHOP_DATA_DIR": str(made.data_dir),
        "SHOP_PORT": str(port),
        "SHOP_PROCESSES": str(processes),
        "SHOP_THREADS": str(threads),
        "SHOP_PUBLIC_RATE_PER_MINUTE": "10000000",  # one address asks everything
    }
    command = [sys.executable, "-m", "shop.cli", "serve"]
    log = made.data_dir / f"api-{secrets.token_hex(4)}.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_ready(address, server, log)
            yield address
        finally:
            server.terminate()
            server.wait(20)


def _wait_until_ready(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 150  # a busy machine is no fault of the program
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(log.read_text()[-2000:])
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(address + "/readyz").status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(log.read_text()[-2000:])
