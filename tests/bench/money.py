"""One settlement run over a hundred thousand lines, beside the least that any run must do: read them, write them once, book them."""

import time

from sqlalchemy import text

from orders.settlement.actions import running
from shop.core import clock
from shop.core.db import Database
from shop.identity.permissions import Role
from tests.bench.ground import Ground, Row, row
from tests.factories.identity import make_user

ORDERS, LINES = 10_000, 10
#: What was accepted before the latest period began, and paid for.
DAYS_AGO = 45


def run(made: Ground) -> list[Row]:
    database = Database(made.database_url, pool_size=2, statement_timeout_ms=600_000)
    with database.unit_of_work() as session:
        user = make_user(session, Role.PURCHASER)
        values = {"user": user.id, "day": clock.today(), "ago": DAYS_AGO, "orders": ORDERS, "lines": LINES}
        for statement in _FILL:
            session.execute(text(statement), values)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    with database.session() as session:  # rolled back
        started = time.perf_counter()
        for statement in _FLOOR:
            session.execute(text(statement))
        floor = time.perf_counter() - started
        session.rollback()
    with database.unit_of_work() as session:
        started = time.perf_counter()
        settlements = running.run_due(session)
        session.flush()
        value = time.perf_counter() - started
    with database.unit_of_work() as session:
        taken, wrong = session.execute(
            text("SELECT count(*), count(*) FILTER (WHERE commission_fen = 0) FROM settlement_line")
        ).one()
    assert taken == ORDERS * LINES, taken
    assert settlements
    assert not wrong
    database.dispose()
    goal = "at most 6 times the floor"
    return [row("money.settlement_100000_lines", value, "s", floor=floor, goal=goal, met=value <= 6 * floor)]


_FILL = [
    """INSERT INTO commission_rule (programme_code, kind, rate_bp, valid_from, version, reason, set_by, set_at)
       SELECT code, 'rate', 100, '2020-01-01', 1, '', :user, now() FROM programme""",
    """INSERT INTO purchase_order (number, buyer_id, ordering_unit_id, placed_by, programme_code, fund_source, platform, delivery_address, line_count,
           total_fen, total_grams, placed_at)
       SELECT 'M' || n, b.id, b.id, :user, (SELECT code FROM programme ORDER BY valid_from DESC LIMIT 1), 'canteen', 'marketplace', '', :lines, 0, 0,
              now() - make_interval(days => CAST(:ago AS int) + 5)
       FROM generate_series(1, :orders) n, (SELECT min(organisation_id) AS id FROM organisation_role WHERE role = 'budget_unit') b""",
    """INSERT INTO supplier_order (purchase_order_id, supplier_id, status, total_fen, total_grams)
       SELECT po.id, s.id, 'accepted', :lines * 6990, 0
       FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM purchase_order WHERE number LIKE 'M%') po
       JOIN (SELECT organisation_id AS id, row_number() OVER (ORDER BY organisation_id) AS n, count(*) OVER () AS suppliers
             FROM organisation_role WHERE role = 'supplier') s ON s.n = 1 + po.n % s.suppliers""",
    """INSERT INTO order_line (purchase_order_id, supplier_order_id, line_no, sku_id, product_id, certificate_id, quantity, unit_price_fen, amount_fen,
           vat_bp, vat_fen, grams, shipped_quantity, accepted_quantity)
       SELECT so.purchase_order_id, so.id, p.n, p.sku_id, p.id, p.certificate_id, 1, 6990, 6990, 0, 0, 5000, 1, 1
       FROM supplier_order so JOIN LATERAL (
           SELECT p.id, k.id AS sku_id, c.id AS certificate_id, row_number() OVER (ORDER BY p.id) AS n
           FROM product p JOIN sku k ON k.product_id = p.id JOIN certificate c ON c.product_id = p.id WHERE p.supplier_id = so.supplier_id
           ORDER BY p.id LIMIT :lines) p ON true""",
    """INSERT INTO sale_entry (origin_kind, origin_id, recorded_at, sold_on, month, programme_code, direction, order_id, supplier_order_id, sku_id, product_id,
           kind, category, supplier_id, district_code, certificate_id, certified, reserved_share_eligible, buyer_id, buyer_kind, buyer_region_code, fund_source,
           mode, relation, channel, channel_basis, quantity, grams, amount_fen)
       SELECT 'acceptance_line', l.id, now() - make_interval(days => CAST(:ago AS int)), CAST(:day AS date) - CAST(:ago AS int),
              date_trunc('month', CAST(:day AS date) - CAST(:ago AS int))::date, po.programme_code, 'purchase', po.id, so.id, l.sku_id, l.product_id, 'goods',
              p.category, so.supplier_id, p.district_code, l.certificate_id, true, true, po.buyer_id, 'school', '500106', 'canteen', 'market', 'none',
              'market', '', 1, 5000, 6990
       FROM order_line l JOIN supplier_order so ON so.id = l.supplier_order_id JOIN purchase_order po ON po.id = so.purchase_order_id
       JOIN product p ON p.id = l.product_id WHERE po.number LIKE 'M%'""",
    """WITH paid AS (
           INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at) SELECT 'payment', id, :day, now() FROM purchase_order WHERE number LIKE 'M%'
           RETURNING id, origin_id)
       INSERT INTO money_posting (transaction_id, account, amount_fen, party_id, purchase_order_id)
       SELECT t.id, side.account, side.fen, side.party, po.id FROM paid t JOIN purchase_order po ON po.id = t.origin_id
       CROSS JOIN LATERAL (VALUES ('bank', :lines * 6990, NULL), ('receivable', -:lines * 6990, po.buyer_id)) AS side (account, fen, party)""",
]
# No holds, no payments, no commission: everything owed is taken up and booked for each part.
_FLOOR = [
    """INSERT INTO settlement_run (period_start, period_end, run_at) SELECT '2000-01-01', '2000-01-15', now()""",
    """INSERT INTO settlement (number, run_id, supplier_id, period_start, period_end, line_count, sales_fen, returns_fen, freight_fen, other_fen, commission_fen,
           net_fen, carried_fen, advance_used_fen, due_fen, held_fen, objections_until, made_at)
       SELECT 'F' || party_id, (SELECT max(id) FROM settlement_run), party_id, '2000-01-01', '2000-01-15', count(*), -sum(amount_fen), 0, 0, 0, 0,
              -sum(amount_fen), 0, 0, -sum(amount_fen), 0, '2000-01-15', now()
       FROM money_posting WHERE account = 'payable' GROUP BY party_id""",
    """INSERT INTO settlement_line (posting_id, settlement_id, supplier_order_id, amount_fen, commission_fen)
       SELECT p.id, s.id, p.supplier_order_id, -p.amount_fen, 0 FROM money_posting p JOIN settlement s ON s.supplier_id = p.party_id WHERE p.account = 'payable'""",
    """WITH part AS (SELECT s.id, s.supplier_id, p.purchase_order_id, l.supplier_order_id, sum(l.amount_fen)::bigint AS fen
                     FROM settlement s JOIN settlement_line l ON l.settlement_id = s.id JOIN money_posting p ON p.id = l.posting_id GROUP BY 1, 2, 3, 4),
       booked AS (INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at) SELECT 'settlement', id, now()::date, now() FROM settlement
                  RETURNING id, origin_id)
       INSERT INTO money_posting (transaction_id, account, amount_fen, party_id, purchase_order_id, supplier_order_id)
       SELECT b.id, 'payable', part.fen, part.supplier_id, part.purchase_order_id, part.supplier_order_id FROM booked b JOIN part ON part.id = b.origin_id
       UNION ALL SELECT b.id, 'settled', -s.net_fen, s.supplier_id, NULL, NULL FROM booked b JOIN settlement s ON s.id = b.origin_id""",
]
