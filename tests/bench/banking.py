"""A bank statement of 10,000 lines: read, checked, written and booked through the API as production runs it; then matched by rule.
Beside it COPY of as many lines into a bare table with the same columns and keys."""

import csv
import io
import time
from typing import Any

import httpx
import psycopg
from sqlalchemy import text

from orders.banking.actions.matching import match_by_rule
from orders.money.references import payment_reference
from shop.core import clock
from shop.core.db import Database
from shop.core.money import yuan_from_fen
from shop.identity.permissions import Role
from tests.bench.ground import Ground, Row, api, row
from tests.factories.identity import access_token, make_user

LINES, ROUNDS, ORDERS, SECONDS = 10_000, 3, 1_000, 10
_ORDERS = """
    WITH unit AS (SELECT id FROM organisation WHERE kind = 'school' LIMIT 1), placed AS (
        INSERT INTO purchase_order (number, buyer_id, ordering_unit_id, placed_by, programme_code, fund_source, platform, delivery_address,
            source_kind, line_count, total_fen, total_grams, placed_at)
        SELECT 'BENCH' || n, unit.id, unit.id, (SELECT min(id) FROM app_user), 'chongqing-2021', 'canteen', 'marketplace', '', 'direct', 1, 6990, 0,
               now()
        FROM unit, generate_series(1, :count) n RETURNING id
    ), parts AS (
        INSERT INTO supplier_order (purchase_order_id, supplier_id, status, total_fen, total_grams, freight_fen, version)
        SELECT id, (SELECT min(supplier_id) FROM product), 'confirmed', 6990, 0, 0, 1 FROM placed RETURNING id, purchase_order_id
    )
    INSERT INTO order_line (purchase_order_id, supplier_order_id, line_no, sku_id, product_id, certificate_id, quantity, unit_price_fen, amount_fen,
        vat_bp, vat_fen, grams, shipped_quantity, accepted_quantity, rejected_quantity, difference_quantity, closed_quantity)
    SELECT p.purchase_order_id, p.id, 1, s.id, s.product_id, c.id, 1, 6990, 6990, 0, 0, 0, 0, 0, 0, 0, 0
    FROM parts p, (SELECT id, product_id FROM sku ORDER BY id LIMIT 1) s JOIN certificate c USING (product_id) RETURNING purchase_order_id
"""


def run(made: Ground) -> list[Row]:
    database = Database(made.database_url, pool_size=1, statement_timeout_ms=600_000)
    with database.unit_of_work() as session:
        token = access_token(session, make_user(session, Role.PLATFORM_FINANCE))
        orders = list(session.execute(text(_ORDERS), {"count": ORDERS}).scalars())
        payer = session.execute(text("SELECT name FROM organisation WHERE kind = 'school' LIMIT 1")).scalar_one()
    taken, bare = [], []
    with api(made) as address:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=address, headers=headers, timeout=120, trust_env=False) as client:
            _import(client, _statement(0, 100, [], payer))  # the readers are warm
            for number in range(1, ROUNDS + 1):
                content = _statement(number, LINES, orders if number == ROUNDS else [], payer)
                taken.append(_import(client, content))
    with psycopg.connect(made.dsn, autocommit=True) as connection:
        bare = [_copy(connection, number) for number in range(ROUNDS)]
    with database.unit_of_work() as session:
        ids = session.execute(text("SELECT id FROM bank_line WHERE text LIKE '%RF%' ORDER BY id")).scalars().all()
        started = time.perf_counter()
        matched = match_by_rule(session, ids)
        matching = time.perf_counter() - started
    assert matched == ORDERS, matched
    database.dispose()
    value, floor = sorted(taken)[ROUNDS // 2], sorted(bare)[ROUNDS // 2]
    return [
        row("money.statement_import", value, "s", floor=floor, goal=f"10,000 lines below {SECONDS} s", met=value < SECONDS),
        row("money.statement_match: 1,000 lines by rule", matching, "s"),
    ]


def _statement(number: int, lines: int, orders: list[int], payer: str) -> bytes:
    """Lines of some thousand yuan; the first ones name orders. Each statement begins where the one before has ended."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["交易日期", "借方发生额", "贷方发生额", "余额", "对方户名", "对方账号", "摘要", "交易流水号"])
    before = 0 if number == 0 else 100 * 6990 + (number - 1) * LINES * 6990
    for n in range(lines):
        balance = before + (n + 1) * 6990
        written = f"货款 {payment_reference(orders[n])}" if n < len(orders) else "货款"
        writer.writerow(
            [f"{clock.today():%Y%m%d}", "", "69.90", yuan_from_fen(balance), payer, "622200001", written, f"S{number}-{n}"]
        )
    return out.getvalue().encode("gb18030")


def _import(client: httpx.Client, content: bytes) -> float:
    started = time.perf_counter()
    answer = client.post("/v1/bank-statements", files={"file": ("statement.csv", content)})
    assert answer.status_code == 201, answer.text[:500]
    return time.perf_counter() - started


def _copy(connection: psycopg.Connection[Any], number: int) -> float:
    connection.execute("DROP TABLE IF EXISTS bare_line")
    connection.execute("CREATE TABLE bare_line (LIKE bank_line INCLUDING ALL)")
    started = time.perf_counter()
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY bare_line (statement_id, account, key, row_no, booked_on, amount_fen, balance_fen, serial, payer_name, payer_account, payer_bank,"
            " text, matched_fen) FROM STDIN"
        ) as copy,
    ):
        for n in range(LINES):
            copy.write_row(
                (1, "1", f"{number}-{n}", n, clock.today(), 6990, n * 6990, f"S{n}", "沙坪坝中学", "6222", "", "货款", 0)
            )
    return time.perf_counter() - started
