"""The money ledger with a million postings: the reconciliation, and what finance reads, each beside one plain pass over the same rows."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.money.queries import accounts, open_items
from orders.money.queries.accounts import Statement
from orders.money.rules import Account
from orders.money.schemas import By
from orders.reconcile.checks.paid import PAID
from shop.core import clock
from shop.core.db import Database
from shop.identity import tokens
from shop.identity.actor import Actor
from shop.identity.permissions import Role
from tests.bench.ground import Ground, Row, row
from tests.factories.identity import make_user

#: Orders of one part with two sales, freight and, four in five, a payment: nine postings or seven.
ORDERS = 120_000


def run(made: Ground) -> Iterator[Row]:
    database = Database(made.database_url, pool_size=1, statement_timeout_ms=600_000)
    try:
        postings = _fill(database)
        with database.session() as session:
            keeper, supplier = _people(session)
            yield _reconcile(session, postings)
            yield from _reading(session, keeper, supplier)
        yield _booking(database)
    finally:
        database.dispose()


def _people(session: Session) -> tuple[Actor, int]:
    user = make_user(session, Role.PLATFORM_FINANCE)
    keeper = tokens.actor_of_user(session, user.id)
    assert keeper is not None
    supplier: int = session.execute(text("SELECT min(party_id) FROM money_posting WHERE account = 'payable'")).scalar_one()
    return keeper, supplier


def _seconds(work: Callable[[], Any], times: int = 3) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return sorted(taken)[times // 2]


def _floor(session: Session) -> float:
    """Every posting read once with its transaction."""
    statement = text(
        "SELECT sum(p.amount_fen), max(t.booked_on) FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id"
    )
    return _seconds(lambda: session.execute(statement).all())


def _reconcile(session: Session, postings: int) -> Row:
    def work() -> None:
        assert [check.name for check in PAID if check.find(session, 0)[0]] == []

    seconds, floor = _seconds(work, 1), _floor(session)
    met = seconds < 60
    return row(f"money.reconcile, {postings:,} postings, {len(PAID)} checks", seconds, "s", floor=floor, goal="below 60 s", met=met)


def _reading(session: Session, keeper: Actor, supplier: int) -> list[Row]:
    floor = _floor(session)
    page: dict[str, Any] = {"limit": 50}
    asked = {
        "balances by account": lambda: accounts.balances(session, keeper, "zh", by=By.ACCOUNT, **page),
        "balances by party": lambda: accounts.balances(session, keeper, "zh", by=By.PARTY, **page),
        "statement of one supplier": lambda: accounts.entries(session, keeper, "zh", Statement(Account.PAYABLE, supplier), **page),
        "statement of the bank's clearing account": lambda: accounts.entries(
            session, keeper, "zh", Statement(Account.ANNOUNCED), **page
        ),
        "ageing of all buyers": lambda: open_items.ageing(session, keeper, side="receivable", as_of=clock.today(), **page),
        "ageing of all suppliers": lambda: open_items.ageing(session, keeper, side="payable", as_of=clock.today(), **page),
        "clearing accounts": lambda: open_items.clearing(session, keeper, "zh", **page),
    }
    return [row(f"money.{name}", _seconds(work), "s", floor=floor) for name, work in asked.items()]


def _booking(database: Database) -> Row:
    """Two thousand acceptances' sales as one statement with its trigger, beside the same rows without it."""

    def book(session: Session) -> float:
        started = time.perf_counter()
        session.execute(
            text(_SALES.format(orders="(SELECT * FROM purchase_order ORDER BY id LIMIT 10000)", kind="history", shift=10**9))
        )
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        taken = time.perf_counter() - started
        session.rollback()
        return taken

    with database.session() as session:
        guarded = book(session)
        session.execute(text("ALTER TABLE sale_entry DISABLE TRIGGER book_sales"))
        bare = book(session)
    return row("money.book: 20,000 sales booked in the ledger with them", guarded, "s", floor=bare)


def _fill(database: Database) -> int:
    """Orders with everything that the checks hold against the ledger, over two years."""
    with database.unit_of_work() as session:
        # no checks of what is right by construction, but the trigger that books sales
        session.execute(text("ALTER TABLE sale_entry ENABLE ALWAYS TRIGGER book_sales"))
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in _STATEMENTS:
            session.execute(text(statement), {"orders": ORDERS} if ":orders" in statement else {})
        session.execute(text("SET LOCAL session_replication_role = origin"))
        session.execute(text("ALTER TABLE sale_entry ENABLE TRIGGER book_sales"))
        postings: int = session.execute(text("SELECT count(*) FROM money_posting")).scalar_one()
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return postings


_DAY = "now() - (n % 700) * interval '1 day'"
_SALES = """
    INSERT INTO sale_entry (origin_kind, origin_id, recorded_at, sold_on, month, programme_code, order_id, supplier_order_id, sku_id, product_id,
        kind, category, supplier_id, district_code, certified, certificate_id, reserved_share_eligible, buyer_id, buyer_kind, buyer_region_code,
        fund_source, mode, direction, relation, channel, channel_basis, quantity, grams, amount_fen)
    SELECT '{kind}', {shift} + l.id, o.placed_at, o.placed_at::date, date_trunc('month', o.placed_at)::date, o.programme_code, o.id, s.id, l.sku_id,
           l.product_id, 'goods', 'fruit', s.supplier_id, '500236', true, l.certificate_id, true, o.buyer_id, 'school', '500106', 'canteen',
           'policy_procurement', 'purchase', 'none', 'government', 'bench', l.quantity, l.grams, l.amount_fen
    FROM {orders} o JOIN supplier_order s ON s.purchase_order_id = o.id JOIN order_line l ON l.supplier_order_id = s.id
"""
_STATEMENTS = [
    f"""INSERT INTO purchase_order (number, buyer_id, ordering_unit_id, placed_by, programme_code, fund_source, platform, delivery_address,
            line_count, total_fen, total_grams, placed_at)
        SELECT 'B' || n, u.organisation_id, u.organisation_id, u.id, 'chongqing-2021', 'canteen', 'marketplace', '重庆', 2, 20970, 15000, {_DAY}
        FROM generate_series(1, :orders) n, (SELECT id, organisation_id FROM app_user WHERE organisation_id IS NOT NULL LIMIT 1) u""",
    """INSERT INTO supplier_order (purchase_order_id, supplier_id, status, total_fen, total_grams, freight_fen)
       SELECT o.id, p.supplier_id, 'accepted', 20970, 15000, 1200 FROM purchase_order o JOIN product p ON p.id = 1 + o.id % 12000""",
    """INSERT INTO order_line (purchase_order_id, supplier_order_id, line_no, sku_id, product_id, certificate_id, quantity, unit_price_fen,
           amount_fen, vat_bp, vat_fen, grams, shipped_quantity, accepted_quantity, rejected_quantity)
       SELECT o.id, s.id, n, 1 + o.id % 12000, 1 + o.id % 12000, 1 + o.id % 12000, n, 6990, 6990 * n, 0, 0, 5000 * n, n, n, 0
       FROM purchase_order o JOIN supplier_order s ON s.purchase_order_id = o.id, generate_series(1, 2) n""",
    """INSERT INTO shipment (supplier_order_id, shipped_by, shipped_at) SELECT s.id, o.placed_by, o.placed_at
       FROM supplier_order s JOIN purchase_order o ON o.id = s.purchase_order_id""",
    """INSERT INTO acceptance (shipment_id, supplier_order_id, accepted_by, accepted_at) SELECT id, supplier_order_id, shipped_by, shipped_at
       FROM shipment""",
    """INSERT INTO acceptance_line (acceptance_id, order_line_id, accepted_quantity, accepted_grams, rejected_quantity, rejected_grams, amount_fen)
       SELECT a.id, l.id, l.quantity, l.grams, 0, 0, l.amount_fen FROM acceptance a JOIN order_line l ON l.supplier_order_id = a.supplier_order_id""",
    _SALES.format(orders="purchase_order", kind="acceptance_line", shift=0),
    """WITH booked AS (INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at)
           SELECT 'freight', s.id, o.placed_at::date, o.placed_at FROM supplier_order s JOIN purchase_order o ON o.id = s.purchase_order_id
           RETURNING id, origin_id)
       INSERT INTO money_posting (transaction_id, account, amount_fen, party_id, purchase_order_id, supplier_order_id)
       SELECT b.id, side.account, side.fen, side.party, o.id, s.id FROM booked b JOIN supplier_order s ON s.id = b.origin_id
       JOIN purchase_order o ON o.id = s.purchase_order_id
       CROSS JOIN LATERAL (VALUES ('receivable', 1200, o.buyer_id), ('payable', -1200, s.supplier_id)) AS side (account, fen, party)""",
    """INSERT INTO payment (purchase_order_id, method, source, amount_fen, bank_reference, payer_name, paid_on, recorded_by, recorded_at)
       SELECT id, 'bank_transfer', CASE WHEN id % 10 = 0 THEN 'announced' ELSE 'unallocated' END, 22170, 'B' || id, '学校', placed_at::date,
              placed_by, placed_at FROM purchase_order WHERE id % 5 <> 1""",
    """WITH booked AS (INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at)
           SELECT 'payment', id, paid_on, recorded_at FROM payment RETURNING id, origin_id)
       INSERT INTO money_posting (transaction_id, account, amount_fen, party_id, purchase_order_id)
       SELECT b.id, side.account, side.fen, side.party, o.id FROM booked b JOIN payment p ON p.id = b.origin_id
       JOIN purchase_order o ON o.id = p.purchase_order_id
       CROSS JOIN LATERAL (VALUES (p.source, p.amount_fen, CASE p.source WHEN 'announced' THEN o.buyer_id END),
                                  ('receivable', -p.amount_fen, o.buyer_id)) AS side (account, fen, party)""",
    # what the bank showed of them came in without an order
    """WITH booked AS (INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at)
           SELECT 'receipt', id, paid_on, recorded_at FROM payment WHERE source = 'unallocated' RETURNING id, origin_id)
       INSERT INTO money_posting (transaction_id, account, amount_fen)
       SELECT b.id, side.account, side.fen FROM booked b CROSS JOIN LATERAL (VALUES ('bank', 22170), ('unallocated', -22170)) AS side (account, fen)""",
]
