"""How PostgreSQL finds money among much of it: by an index, not by reading all there ever was."""

import os

import pytest
from sqlalchemy import text

from orders.banking.queries import facts
from orders.terms import queries as terms
from orders.terms.schemas import DueSearch
from shop.core import clock
from shop.core.db import array
from shop.identity.tokens import actor_of_user
from tests.factories.identity import make_organisation, make_user
from tests.factories.orders import make_market

#: So many transactions and dues, and a tenth of that orders; `make thorough` loads 200,000.
ROWS = int(os.environ.get("SHOP_PLAN_ROWS", "60000"))
_TRANSACTIONS = text(
    "INSERT INTO money_transaction (id, kind, origin_id, booked_on, recorded_at) OVERRIDING SYSTEM VALUE"
    " SELECT 1000000 + n, 'payout_paid', n, :today, :now FROM generate_series(1, :rows) n"
)
_POSTINGS = text(
    "INSERT INTO money_posting (transaction_id, account, amount_fen) SELECT 1000000 + n, 'bank', -n FROM generate_series(1, :rows) n"
)
_ORGANISATIONS = text(
    "INSERT INTO organisation OVERRIDING SYSTEM VALUE SELECT r.* FROM (SELECT o.* FROM organisation o JOIN purchase_order p ON p.buyer_id = o.id LIMIT 1) o,"
    " generate_series(1000000, 1000999) n, LATERAL jsonb_populate_record(CAST(NULL AS organisation),"
    " to_jsonb(o) || jsonb_build_object('id', n, 'path', n || '/', 'uscc', lpad(CAST(n AS text), 18, '9'))) r"
)
_ORDERS = text(
    "INSERT INTO purchase_order OVERRIDING SYSTEM VALUE SELECT r.* FROM (SELECT * FROM purchase_order ORDER BY id LIMIT 1) p, generate_series(1, :rows / 10) n,"
    " LATERAL jsonb_populate_record(CAST(NULL AS purchase_order), to_jsonb(p) || jsonb_build_object('id', 1000000 + n, 'number', 'X' || n, 'buyer_id', 1000000 + n % 1000, 'ordering_unit_id', 1000000 + n % 1000)) r"
)
_PARTS = text(
    "INSERT INTO supplier_order OVERRIDING SYSTEM VALUE SELECT r.* FROM (SELECT * FROM supplier_order ORDER BY id LIMIT 1) s, generate_series(1, :rows / 10) n,"
    " LATERAL jsonb_populate_record(CAST(NULL AS supplier_order), to_jsonb(s) || jsonb_build_object('id', 1000000 + n, 'purchase_order_id', 1000000 + n, 'supplier_id', 1000000 + n % 1000)) r"
)
#: Nearly all of them are paid.
_DUES = text(
    "INSERT INTO payment_due (purchase_order_id, supplier_order_id, position, counted_from, due_on, amount_fen, paid_fen, arrived_fen)"
    " SELECT 1000000 + n / 10, 1000000 + n / 10, n % 10, 'order', CAST(:today AS date) - (n / 100)::int, 100,"
    " CASE WHEN n % 100 = 0 THEN 0 ELSE 100 END, CASE WHEN n % 100 = 0 THEN 0 ELSE 100 END FROM generate_series(10, :rows - 1) n"
)


@pytest.fixture
def market(database):
    return make_market(database)


def much(session, *statements):
    """Rows that no trigger of the ledger looks at; they go with the transaction."""
    session.execute(text("SET LOCAL session_replication_role = replica; SET LOCAL statement_timeout = 0"))
    for statement in statements:
        session.execute(statement, {**clock.present(), "rows": ROWS})
    session.execute(text("ANALYZE organisation, money_transaction, money_posting, purchase_order, supplier_order, payment_due"))


def read_of(session, statement, values):
    """What the statement reads: the most rows of a table that one of its steps takes up, with those that it takes in vain, and its indexes."""
    [[plan]] = session.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"), values).scalars().all()
    most, indexes = 0, set()

    def walk(step):
        nonlocal most
        if "Relation Name" in step:
            seen = step["Actual Rows"] + step.get("Rows Removed by Filter", 0) + step.get("Rows Removed by Index Recheck", 0)
            most = max(most, seen * step["Actual Loops"])
        indexes.add(step.get("Index Name"))
        for inner in step.get("Plans", ()):
            walk(inner)

    walk(plan["Plan"])
    return most, indexes


def test_what_a_line_may_be_for_is_found_by_its_amount(database):
    with database.session() as session:
        much(session, _TRANSACTIONS, _POSTINGS)
        most, indexes = read_of(session, facts._BOOKED.text, {"amounts": array([-777, 31])})
        session.rollback()
    assert (most <= 10, "ix_money_posting_bank" in indexes) == (True, True), (most, indexes)


def test_a_small_buyer_reads_its_own_dues(api, database, market):
    api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(1))
    with database.unit_of_work() as session:
        small = make_user(session, "finance", make_organisation(session, kind="school"))
    with database.session() as session:
        much(session, _ORGANISATIONS, _ORDERS, _PARTS, _DUES)
        actor = actor_of_user(session, small.id)
        asked = DueSearch()
        most, _ = read_of(session, terms._picked(actor, asked), terms._values(actor, asked))
        session.rollback()
    assert most <= 2_000  # of the 1,000 organisations it may read all, of 6,000 orders and 60,000 dues its own


@pytest.mark.parametrize(
    ("asked", "index"), [(DueSearch(), "ix_payment_due_sorted"), (DueSearch(status="overdue"), "ix_payment_due_sorted_open")]
)
def test_the_keepers_read_a_page_of_dues_in_order(api, database, market, asked, index):
    api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(1))
    with database.unit_of_work() as session:
        keeper = make_user(session, "platform_finance")
    with database.session() as session:
        much(session, _ORGANISATIONS, _ORDERS, _PARTS, _DUES)
        actor = actor_of_user(session, keeper.id)
        page = f"{terms._picked(actor, asked)} ORDER BY d.sorted_on, d.id LIMIT 51"
        most, indexes = read_of(session, page, terms._values(actor, asked))
        session.rollback()
    assert index in indexes
    assert most <= 200


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (
            "SELECT r.id FROM refund r WHERE r.method = 'bank_transfer' AND r.amount_fen = ANY (CAST(:amounts AS bigint[]))",
            "ix_refund_amount_fen",
        ),
        ("SELECT p.id FROM payout p WHERE p.amount_fen = ANY (CAST(:amounts AS bigint[]))", "ix_payout_amount_fen"),
        ("SELECT o.intent_id FROM online_payment o WHERE o.payment_id = :id", "ix_online_payment_payment_id"),
    ],
)
def test_refunds_payouts_and_what_was_paid_online_are_found(database, statement, index):
    with database.session() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))  # these tables are empty here
        _, indexes = read_of(session, statement, {"amounts": array([1]), "id": 1})
    assert index in indexes
