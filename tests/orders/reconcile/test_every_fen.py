"""Two hundred errors of one fen, over every column of the tables of money that holds fen: reconciliation finds them all."""

import importlib
import os
import random
from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from sqlalchemy import BigInteger, text
from sqlmodel import SQLModel

from orders.reconcile.checks import CHECKS
from orders.reconcile.checks.sold import FIGURES
from shop.core import clock
from shop.identity.permissions import Role
from tests.databases import begin_with
from tests.factories.after_sales import days_later, differences
from tests.factories.identity import make_user
from tests.factories.money import Till
from tests.factories.settling import Settling
from tests.orders.invoices.test_invoices import configure, give_back, issue
from tests.orders.online.conftest import online, switched_on
from tests.stripe_twin.fixture import twin, twin_process

__all__ = ["online", "switched_on", "twin", "twin_process"]

#: So many errors, and in any case every column once more and once less; `make thorough` plants 200.
COUNT = int(os.environ.get("SHOP_PLANTED", "0"))
PACKAGES = ("money", "payments", "refunds", "terms", "banking", "online", "invoices", "settlement")
#: What nothing else tells, so that no other record could contradict it.
TOLD_ONCE = {
    "commission_rule.fixed_fen": "a decision",
    "credit_limit.limit_fen": "a decision",
    "online_payment.amount_fen": "what was asked for; what came is received_fen",
}
#: Rows that moved no money, or not yet.
MOVED = {
    "refund": "status NOT IN ('requested', 'refused', 'cancelled')",
    "advance": "status IN ('paid', 'returned')",
    "refund_file": "status <> 'void'",
    "bank_write_off": "status = 'approved'",
}
#: So many days pass until all is booked.
DAYS = 40
MONEY_CHECKS = [check for check in CHECKS if check not in FIGURES]


def columns():
    """Every column of fen of the tables of money: (table, column)."""
    modules = {importlib.import_module(f"orders.{package}.models").__name__ for package in PACKAGES}
    tables = {mapper.class_.__table__ for mapper in SQLModel._sa_registry.mappers if mapper.class_.__module__ in modules}
    return sorted(
        (table.name, column.name)
        for table in tables
        for column in table.columns
        if column.name.endswith("_fen") and isinstance(column.type, BigInteger)
    )


def named(session):
    return {check.name for check in MONEY_CHECKS if check.find(session, 0)[0]}


def finder(session, likely):
    """The first check that finds a difference. Who found the last one of its like (``likely``) is asked first: mostly it is that one again."""
    for check in sorted(MONEY_CHECKS, key=lambda each: each not in likely):
        if check.find(session, 0)[0]:
            return check
    return None


@pytest.fixture
def books(request, database, monkeypatch):
    """Money of every kind: by the bank, online, announced; invoices, credit notes, settlements, payouts, money paid ahead."""
    begin_with(database, "money of every kind", lambda: _made(request.getfixturevalue("online"), monkeypatch))
    days_later(monkeypatch, DAYS)
    return database


def _made(online, monkeypatch):
    api, database, market = online.api, online.database, online.market
    keepers = {"cashier": online.cashier, "treasurer": online.treasurer}
    scene = Settling(api, database, market, monkeypatch, keepers)
    people = {"purchaser": market.purchaser, "finance": market.finance, "seller": market.sellers[0], **keepers}
    till = Till(api, database, market, people)
    configure(database, credit_notes="automatic")
    with database.unit_of_work() as session:
        city = make_user(session, Role.CITY_OFFICER)
        [programme] = session.execute(text("SELECT code FROM programme ORDER BY valid_from DESC LIMIT 1")).scalars()
    rule = {"programme_code": programme, "kind": "rate", "rate_bp": 150, "valid_from": str(clock.today()), "reason": "试行"}
    assert scene.cashier.post("/v1/commission-rules", json=rule).status_code == 201
    limit = {"limit": "100000.00", "reason": "核定"}
    assert scene.cashier.put(f"/v1/organisations/{market.school.id}/credit-limit", json=limit).status_code == 200

    # delivered with freight, invoiced, partly given back, and an allowance after a dispute
    sent = scene.buyer.post("/v1/purchase-orders", json=market.order(10)).json()
    part = sent["supplier_orders"][0]["id"]
    scene.farm.put(f"/v1/supplier-orders/{part}/freight", json={"freight": "12.00"})
    scene.farm.post(f"/v1/supplier-orders/{part}/confirm")
    shipment = scene.farm.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()["id"]
    assert scene.buyer.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201
    scene.pay(sent["id"])
    assert issue(scene.farm, part).status_code == 201
    claim = {"kind": "quality", "claim": "三成腐烂", "claimed": "10.00"}
    dispute = scene.buyer.post(f"/v1/supplier-orders/{part}/disputes", json=claim).json()["id"]
    scene.farm.post(f"/v1/disputes/{dispute}/answer", json={"answer": "属实"})
    decision = {"outcome": "full", "reason": "属实", "refund": "10.00"}
    assert api.as_(city).post(f"/v1/disputes/{dispute}/decide", json=decision).status_code == 200
    returned = scene.delivered(10)
    assert issue(scene.farm, returned.part).status_code == 201
    give_back(api, market, returned, 3)
    # announced, taken back, in credit, moved, refunded by a file
    order = till.order(5)["id"]
    assert till.pay(order, "100.00").status_code == 201
    undone = till.pay(order, "50.00").json()["id"]
    till.as_("finance").post(f"/v1/purchase-orders/{order}/payments/{undone}/undo", json={"reason": "未汇出"})
    credit, other = till.credit("200.00"), till.order(2)["id"]
    move = {"to_order_id": other, "amount": "20.00", "reason": "转入"}
    assert till.as_("finance").post(f"/v1/purchase-orders/{credit}/credit-moves", json=move).status_code == 201
    for way in ("approve", "approve", "approve send confirm"):
        refund = till.ask_back(credit, "30.00").json()["id"]
        for step in way.split():
            assert till.move(refund, step).status_code == 200
    till.fails(refund)
    assert scene.cashier.post("/v1/refund-files", json={}).status_code == 201
    # the bank's own fee, written off
    [line] = scene.shows((-1500, "", "账户管理费"))
    fee = {"entry": "fee", "amount": "15.00", "reason": "账户管理费"}
    asked = scene.cashier.post(f"/v1/bank-lines/{line['id']}/write-offs", json=fee).json()["id"]
    assert scene.treasurer.post(f"/v1/bank-write-offs/{asked}/approve", json={}).status_code == 200
    # online: paid and given back in part, disputed at the payer's bank; the supplier's account
    assert api.as_(market.sellers[0]).post("/v1/connected-account", json={"country": "HK"}).status_code == 201
    online.work()
    online.twin.tell(f"onboard/{online.sql('SELECT account_id FROM connected_account')}")
    online.rows("UPDATE connected_account SET looked_at = now() - interval '1 hour' RETURNING id")
    online.reconcile()
    for card in ("pm_card_bypassPending", "pm_card_createDispute"):
        paid, _ = online.paid(10, card=card)
    paid, _ = online.paid(20, card="pm_card_bypassPending")
    scene.farm.post(f"/v1/supplier-orders/{paid['supplier_orders'][0]['id']}/reject", json={"reason": "歉收"})
    payment = online.sql("SELECT payment_id FROM online_payment WHERE purchase_order_id = :id", id=paid["id"])
    online.refund(paid["id"], payment, "50.00")
    online.work()
    # paid online and delivered; the buyer's bank takes it back after it was settled, and the supplier bears it
    borne, charged = online.paid(3, card="pm_card_bypassPending")
    part = borne["supplier_orders"][0]["id"]
    scene.farm.post(f"/v1/supplier-orders/{part}/confirm")
    shipment = scene.farm.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()["id"]
    assert scene.buyer.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201
    online.sql("UPDATE programme SET config = jsonb_set(config, '{settlement,lost_payments}', '\"supplier\"') RETURNING 1")
    # two settlements: one waits for its money, a payout by the bank's file and one by the provider, money paid ahead is used up
    scene.account(of=1, number="3100021009014400124")
    scene.delivered(None, 4, of=1)
    scene.delivered(2, paid=False)
    scene.later(DAYS // 2)
    scene.run()
    for supplier, method in ((0, "stripe"), (1, "bank")):
        row = scene.settlement(of=supplier)
        (scene.farm, scene.bees)[supplier].post(f"/v1/settlements/{row['id']}/confirm")
        path = f"/v1/payouts/{row['payout_id']}"
        assert scene.cashier.post(f"{path}/approve", json={"method": method}).status_code == 200
        assert scene.treasurer.post(f"{path}/release").status_code == 200
    assert scene.cashier.post("/v1/payout-files").status_code == 201
    online.work()
    charge = online.sql("SELECT charge_id FROM online_payment WHERE id = :id", id=charged["id"])
    lost = online.twin.tell("disputes", charge=charge)
    online.twin.tell(f"disputes/{lost['id']}", outcome="lost")
    online.reconcile()
    assert online.account("borne") < 0
    with database.unit_of_work() as session:
        values = {
            "b": market.school.id, "s": market.suppliers[1].id, "u": market.purchaser.id, "f": clock.today(),
            "t": clock.today() + timedelta(days=300),
        }  # fmt: skip
        agreement = session.execute(
            text(
                "INSERT INTO agreement (number, title, buyer_id, supplier_id, fund_source, valid_from, valid_until, amount_cap_fen,"
                " tolerance_percent, call_off_lead_days, terms, status, created_by, created_at, buyer_signed_at, supplier_signed_at, terms_hash)"
                " VALUES ('AG1', '蜂蜜', :b, :s, 'canteen', :f, :t, 1000000, 0, 3, '', 'active', :u, now(), now(), now(), 'x') RETURNING id"
            ),
            values,
        ).scalar_one()
    for amount in ("300.00", "20.00"):
        asked = scene.cashier.post("/v1/advances", json={"agreement_id": agreement, "amount": amount, "reason": "备货"}).json()[
            "id"
        ]
        scene.treasurer.post(f"/v1/advances/{asked}/approve")
        assert scene.cashier.post(f"/v1/advances/{asked}/pay", json={"reference": "B-1"}).json()["status"] == "paid"
    scene.cashier.post(f"/v1/advances/{asked}/return", json={"reason": "退汇"})
    assert scene.treasurer.post(f"/v1/advances/{asked}/confirm-return").json()["status"] == "returned"
    scene.delivered(None, 6, of=1)
    scene.later(DAYS // 2)
    scene.run()
    online.reconcile()
    # everything that the provider shows is some days old
    online.rows("UPDATE provider_entry SET created_at = created_at + interval '60 days' RETURNING id")


@pytest.mark.slow
def test_every_table_of_money_is_filled(books):
    with books.session() as session:
        empty = [
            f"{table}.{column}"
            for table, column in columns()
            if not session.execute(text(f"SELECT EXISTS (SELECT FROM {table} WHERE {column} IS NOT NULL)")).scalar_one()
            and f"{table}.{column}" not in TOLD_ONCE
        ]
    assert empty == []
    assert differences(books) == {}


#: What goes wrong of a whole transaction, so that it still sums to zero.
WHOLE = {
    "more": "UPDATE money_posting SET amount_fen = amount_fen + sign(amount_fen)::int WHERE transaction_id = :id",
    "gone": "WITH t AS (DELETE FROM money_transaction WHERE id = :id) DELETE FROM money_posting WHERE transaction_id = :id",
    "twice": "WITH t AS (INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at) SELECT kind, 900000000 + id, booked_on, recorded_at"
    " FROM money_transaction WHERE id = :id RETURNING id) INSERT INTO money_posting (transaction_id, account, amount_fen, party_id,"
    " purchase_order_id, supplier_order_id) SELECT t.id, account, amount_fen, party_id, purchase_order_id, supplier_order_id"
    " FROM t, money_posting WHERE transaction_id = :id",
}


@pytest.mark.slow
def test_transactions_of_every_kind_are_found_that_are_wrong_on_both_sides(books):
    """Of two postings each, of which one is as wrong as the other; those without a document of their own leave a balance that none explains."""
    missed, finders = set(), set()
    with books.session() as session:
        session.execute(text("SET session_replication_role = replica"))
        firsts = session.execute(
            text(
                "SELECT kind, min(id) FROM money_transaction t WHERE 2 = (SELECT count(*) FROM money_posting WHERE transaction_id = t.id)"
                " GROUP BY kind ORDER BY kind"
            )
        ).all()
        for kind, transaction_id in firsts:
            for what, statement in WHOLE.items():
                with session.begin_nested() as planted:
                    assert session.execute(text(statement), {"id": transaction_id}).rowcount > 0
                    found = finder(session, finders)
                    if found is None:
                        missed.add((kind, what))
                    finders = {found}
                    planted.rollback()
        session.rollback()
    assert missed == set()
    assert {kind for kind, _ in firsts} >= {
        "advance", "advance_returned", "advance_used", "allowance", "chargeback", "credit_moved", "fee", "freight", "loss_borne", "payment", "payment_undone", "payout",
        "payout_paid", "receipt", "refund", "refund_failed", "refund_paid", "sale",
    }  # fmt: skip


@pytest.mark.slow
def test_every_fen_is_found(books):
    seed = 20261126
    chance = random.Random(seed)
    planned = [(table, column, by) for table, column in columns() for by in (1, -1) if f"{table}.{column}" not in TOLD_ONCE]
    planned += chance.choices(planned, k=max(0, COUNT - len(planned)))
    missed, finders = Counter(), defaultdict(set)
    with books.session() as session:
        session.execute(text("SET session_replication_role = replica"))
        # what the database itself would refuse is to be found too
        for table, name in session.execute(
            text(
                "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
            )
        ).all():
            session.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'))
        for table, column, by in planned:
            with session.begin_nested() as planted:
                condition = f"{column} IS NOT NULL AND {MOVED.get(table, 'true')}"
                rows = session.execute(text(f"SELECT ctid::text FROM {table} t WHERE {condition} ORDER BY t::text")).scalars().all()
                session.execute(text(f"UPDATE {table} SET {column} = {column} + {by} WHERE ctid = '{chance.choice(rows)}'"))
                found = finder(session, finders[table])
                finders[table].add(found)
                if found is None:
                    missed[f"{table}.{column}"] += 1
                planted.rollback()
        assert named(session) == set()
        session.rollback()
    print(
        f"\nseed {seed}: {len(planned)} planted, {len(planned) - missed.total()} found, by {len(set().union(*finders.values()))} checks at least"
    )
    assert dict(missed) == {}
    assert len(planned) >= COUNT
