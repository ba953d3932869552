"""Reconciliation finds every fen that is wrong in the money ledger, or in the documents that it tells again."""

import os
import random
from collections import Counter

import pytest
from sqlalchemy import text

from orders.ledger import actions as ledger
from orders.money import actions as money
from orders.reconcile import report
from orders.reconcile.checks.banked import BANKED
from orders.reconcile.checks.paid import PAID
from shop.core import metrics
from shop.core.audit import SYSTEM
from shop.identity.permissions import Role
from tests.factories.after_sales import ask_back, deliver, differences
from tests.factories.identity import make_organisation, make_user
from tests.factories.money import make_till
from workers import long as tasks

#: So many errors, and in any case each of its kind twice; `make thorough` plants 200.
COUNT = int(os.environ.get("SHOP_PLANTED", "0"))
#: Whole transactions, of which one side is as wrong as the other: the sum does not tell.
OF = "transaction_id = (SELECT id FROM money_transaction WHERE {row})"
#: A statement for one row (``{row}`` picks it) and the checks of which one must name it; by what goes wrong.
AMOUNTS = [
    (f"UPDATE money_posting SET amount_fen = amount_fen {change} WHERE {{row}}", {"money_transactions"})
    for change in ("+ 1", "- 1")
]
BOTH_SIDES = [
    (f"UPDATE money_posting SET amount_fen = amount_fen {change} sign(amount_fen)::int WHERE {OF}", None) for change in ("+", "-")
]
GONE = [(f"DELETE FROM money_posting WHERE {OF}; DELETE FROM money_transaction WHERE {{row}}", None)]
TWICE = [
    (
        "WITH copy AS (INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at) SELECT kind, 900000000 + id, booked_on, recorded_at"
        " FROM money_transaction WHERE {row} RETURNING id) INSERT INTO money_posting (transaction_id, account, amount_fen, party_id,"
        " purchase_order_id, supplier_order_id) SELECT copy.id, account, amount_fen, party_id, purchase_order_id, supplier_order_id FROM copy,"
        " money_posting WHERE transaction_id = (SELECT id FROM money_transaction WHERE {row})",
        None,
    )
]
MISPLACED = [
    ("UPDATE money_posting SET account = 'commission' WHERE {row}", None),
    (
        "UPDATE money_posting SET party_id = party_id + 1 WHERE {row} AND account IN ('receivable', 'payable')",
        {"debtors", "sales_owed"},
    ),
    (
        "UPDATE money_posting SET purchase_order_id = purchase_order_id + 900 WHERE {row} AND account IN ('receivable', 'payable', 'refunds')",
        None,
    ),
    ("UPDATE money_posting SET supplier_order_id = supplier_order_id + 900 WHERE {row} AND account = 'payable'", None),
    ("UPDATE money_posting SET sale_entry_id = NULL WHERE {row} AND sale_entry_id IS NOT NULL", {"sales_owed"}),
    ("UPDATE money_transaction SET origin_id = origin_id + 900000 WHERE {row}", None),
    ("UPDATE money_transaction SET kind = 'bank_entry' WHERE {row}", None),
    ("DELETE FROM money_posting WHERE {row}", {"money_transactions"}),
    # so few of them that none might be picked above
    (
        "UPDATE money_posting SET account = 'commission' WHERE {row} AND transaction_id IN (SELECT id FROM money_transaction WHERE kind = 'reassignment')",
        {"moved_orders"},
    ),
]
DOCUMENTS = [
    ("UPDATE sale_entry SET amount_fen = amount_fen + 1 WHERE {row} AND reverses_id IS NULL", {"sales_owed"}),
    ("UPDATE sale_entry SET amount_fen = amount_fen - 1 WHERE {row} AND reverses_id IS NOT NULL", {"sales_owed"}),
    ("DELETE FROM sale_entry WHERE {row}", {"sales_owed"}),
    ("UPDATE supplier_order SET freight_fen = freight_fen + 1 WHERE {row} AND status = 'accepted'", {"freight_owed"}),
    ("UPDATE supplier_order SET freight_fen = freight_fen - 1 WHERE {row} AND freight_fen > 0", {"freight_owed"}),
    ("UPDATE dispute SET refund_fen = refund_fen + 1 WHERE {row}", {"allowances"}),
    ("UPDATE dispute SET refund_fen = 0 WHERE {row}", {"allowances"}),
    ("UPDATE payment SET amount_fen = amount_fen + 1 WHERE {row}", {"payments"}),
    ("UPDATE payment SET amount_fen = amount_fen - 1 WHERE {row}", {"payments"}),
    ("DELETE FROM payment WHERE {row}", {"payments"}),
    ("UPDATE payment SET undone_at = now(), undo_reason = 'x' WHERE {row} AND undone_at IS NULL", {"payments"}),
    ("UPDATE payment SET undone_at = NULL, undo_reason = NULL WHERE {row} AND undone_at IS NOT NULL", {"payments"}),
    ("UPDATE payment SET purchase_order_id = purchase_order_id + 900 WHERE {row}", {"payments"}),
    ("UPDATE payment SET source = 'unallocated' WHERE {row} AND source <> 'unallocated'", {"payments"}),
    ("UPDATE credit_move SET amount_fen = amount_fen + 1 WHERE {row}", {"credit_moves"}),
    ("UPDATE credit_move SET from_order_id = from_order_id + 900 WHERE {row}", {"credit_moves"}),
    ("DELETE FROM credit_move WHERE {row}", {"credit_moves"}),
    ("UPDATE refund SET amount_fen = amount_fen + 1 WHERE {row} AND status IN ('approved', 'sent', 'paid', 'failed')", {"refunds"}),
    ("UPDATE refund SET status = 'paid' WHERE {row} AND status IN ('approved', 'sent', 'failed')", {"refunds"}),
    ("UPDATE refund SET status = 'failed' WHERE {row} AND status IN ('approved', 'sent', 'paid')", {"refunds"}),
    ("UPDATE refund SET status = 'cancelled' WHERE {row} AND status IN ('approved', 'sent', 'paid', 'failed')", {"refunds"}),
    ("UPDATE refund SET status = 'approved', approved_at = now() WHERE {row} AND status = 'requested'", {"refunds"}),
    ("DELETE FROM refund WHERE {row} AND status IN ('approved', 'sent', 'paid', 'failed')", {"refunds"}),
    ("UPDATE purchase_order SET buyer_id = buyer_id + 1 WHERE {row}", None),
]  # fmt: skip
PLANTS = [*AMOUNTS, *BOTH_SIDES, *GONE, *TWICE, *MISPLACED, *DOCUMENTS]


@pytest.fixture
def books(api, database):
    """Every kind of transaction that the spine books, and refunds in every state."""
    till = make_till(api, database)
    till.begun("books", lambda: _made(till))
    return database


def _made(till):
    api, database = till.api, till.database
    buyer, seller = till.as_("purchaser"), till.as_("seller")
    order = till.order(10, 1)
    for part, who in zip(order["supplier_orders"], ("seller", "honey_seller"), strict=True):
        till.as_(who).put(f"/v1/supplier-orders/{part['id']}/freight", json={"freight": "12.00"})
        till.as_(who).post(f"/v1/supplier-orders/{part['id']}/confirm")
        shipment = till.as_(who).post(f"/v1/supplier-orders/{part['id']}/shipments", json={}).json()["id"]
        assert buyer.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201
    till.pay(order["id"], "300.00")
    undone = till.pay(order["id"], "50.00").json()["id"]
    till.as_("finance").post(f"/v1/purchase-orders/{order['id']}/payments/{undone}/undo", json={"reason": "未汇出"})
    part = order["supplier_orders"][0]["id"]
    claim = {"kind": "quality", "claim": "三成腐烂", "claimed": "10.00"}
    dispute = buyer.post(f"/v1/supplier-orders/{part}/disputes", json=claim).json()["id"]
    seller.post(f"/v1/disputes/{dispute}/answer", json={"answer": "属实"})
    with database.unit_of_work() as session:
        city = make_user(session, Role.CITY_OFFICER)
    decided = api.as_(city).post(f"/v1/disputes/{dispute}/decide", json={"outcome": "full", "reason": "属实", "refund": "10.00"})
    assert decided.status_code == 200, decided.text
    returned = deliver(api, till.market, 4)
    seller.post(f"/v1/returns/{ask_back(api, till.market, returned, 1).json()['id']}/approve", json={"without_goods": True})
    credit, other = till.credit("200.00"), till.order(2)["id"]
    move = {"to_order_id": other, "amount": "20.00", "reason": "转入"}
    till.as_("finance").post(f"/v1/purchase-orders/{credit}/credit-moves", json=move)
    ways = ["", "approve", "approve send", "approve send confirm", "approve fail", "approve send confirm fail", "refuse", "cancel"]
    for way in ways:
        refund = till.ask_back(credit, "10.00").json()["id"]
        for step in way.split():
            assert till.move(refund, step).status_code == 200
    moved = deliver(api, till.market, 3)
    till.pay(moved.order_id, "100.00")
    with database.unit_of_work() as session:
        unit = make_organisation(session, kind="school")
        values = {"from": till.market.school.id, "b": unit.id, "id": moved.order_id, "by": till.market.purchaser.id}
        session.execute(text("UPDATE purchase_order SET buyer_id = :b WHERE id = :id"), values)
        session.execute(
            text(
                "INSERT INTO budget_unit_application (purchase_order_id, from_unit_id, to_unit_id, reason, filed_by, filed_at, status, decided_by,"
                " decided_at) VALUES (:id, :from, :b, '选错单位', :by, now(), 'approved', :by, now())"
            ),
            values,
        )
        ledger.reassign(session, SYSTEM, moved.order_id, reason="选错单位")
        money.reassign(session, moved.order_id, from_id=till.market.school.id, to_id=unit.id)


def named(session):
    return {check.name for check in (*PAID, *BANKED) if check.find(session, 0)[0]}


def plant(session, chance, statement):
    """Carry it out on one row that it applies to. The guards that would refuse it are off."""
    first, _, also = statement.partition("{row}")
    if "money_transaction WHERE" in first:
        table, also = "money_transaction", ""
    else:
        table = statement.split()[2] if statement.startswith("DELETE") else statement.split()[1]
    condition = also.partition(" AND ")[2] or "true"
    rows = session.execute(text(f"SELECT ctid::text FROM {table} t WHERE {condition} ORDER BY t::text")).scalars().all()
    picked = chance.choice(rows)
    about = session.execute(text(f"SELECT row_to_json(t)::text FROM {table} t WHERE ctid = '{picked}'")).scalar_one()
    for each in statement.split("; "):
        assert session.execute(text(each.replace("{row}", f"ctid = '{picked}'"))).rowcount > 0
    return about


@pytest.mark.slow
def test_the_books_hold_everything_and_agree(books):
    with books.unit_of_work() as session:
        kinds = set(session.execute(text("SELECT kind FROM money_transaction")).scalars())
        assert kinds == {
            "sale", "freight", "allowance", "reassignment", "payment", "payment_undone", "credit_moved", "refund", "refund_paid", "refund_failed",
            "receipt",
        }  # fmt: skip
        assert len(set(session.execute(text("SELECT status FROM refund")).scalars())) == 7
    assert differences(books) == {}


@pytest.mark.slow
def test_every_planted_error_is_found(books):
    chance = random.Random(20201126)
    plants = [*PLANTS, *PLANTS, *chance.choices(PLANTS, k=max(0, COUNT - 2 * len(PLANTS)))]
    missed, finders = [], Counter()
    with books.session() as session:
        session.execute(text("SET session_replication_role = replica"))
        for statement, by in plants:
            with session.begin_nested() as planted:
                about = plant(session, chance, statement)
                found = named(session)
                finders.update(found)
                if not found or (by and not found & by):
                    missed.append((statement, about, found))
                planted.rollback()
        assert named(session) == set()
        session.rollback()
    assert missed == []
    assert len(plants) >= COUNT
    # each check was the one that found something
    assert set(finders) >= {check.name for check in PAID}


@pytest.mark.slow
def test_the_hourly_result_is_kept_and_shown(books, api, monkeypatch):
    monkeypatch.setattr(tasks, "database", lambda: books)
    tasks.reconcile()
    with books.unit_of_work() as session:
        session.execute(text("UPDATE payment SET bank_reference = bank_reference || 'x', amount_fen = amount_fen + 1 WHERE id = 1"))
        monitor, clerk = make_user(session, Role.PLATFORM_FINANCE), make_user(session, Role.COUNTY_OFFICER, region_code="500236")
    tasks.reconcile()
    parts = api.get("/readyz").json()
    assert parts["status"] == "ready"
    assert parts["parts"]["reconcile"].startswith("5 differences at ")
    told = api.get("/metrics").text
    assert "shop_reconcile_differences 5.0" in told
    [age] = [line for line in told.splitlines() if line.startswith("shop_reconcile_age_seconds ")]
    assert 0 <= float(age.split()[1]) < 600
    client = api.as_(monitor)
    first = client.get("/v1/reconcile/runs?limit=1").json()
    assert (first["items"][0]["differences"], first["items"][0]["checks"]) == (
        5,
        {"payments": 2, "receivables": 1, "announced": 1, "announced_open": 1},
    )
    second = client.get("/v1/reconcile/runs", params={"after": first["next"]}).json()
    assert [(run["differences"], run["checks"]) for run in second["items"]] == [(0, {})]
    assert api.as_(clerk).get("/v1/reconcile/runs").status_code == 403
    assert metrics.RECONCILE_DIFFERENCES._value.get() == 5
    with books.unit_of_work() as session:
        session.execute(text("UPDATE reconciliation SET ran_at = ran_at - interval '91 days' WHERE id = 1"))
    assert sum(finding.count for finding in report.keep(books)[1]) == 5
    with books.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM reconciliation")).scalar_one() == 2
