"""What was paid too much, announcements that are taken back, and orders that move meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from orders.disputes.actions import moving
from orders.money import actions as money
from orders.payments import actions as payments
from shop.core import outbox
from shop.core.audit import SYSTEM
from shop.identity.permissions import Role
from tests.factories.after_sales import deliver, differences, rows
from tests.factories.identity import make_organisation, make_user
from tests.factories.money import make_till
from workers.handlers import HANDLERS

ANNOUNCED = (
    "SELECT party_id, sum(amount_fen)::int FROM money_posting WHERE account = :account GROUP BY 1 HAVING sum(amount_fen) <> 0"
)


@pytest.fixture
def till(api, database):
    return make_till(api, database)


def code(answer):
    return answer.status_code, answer.json()["code"]


def undo(till, order, payment, who="finance"):
    return till.as_(who).post(f"/v1/purchase-orders/{order}/payments/{payment}/undo", json={"reason": "未汇出"})


def move(till, giver, taker, amount, who="finance"):
    body = {"to_order_id": taker, "amount": amount, "reason": "转入下一单"}
    return till.as_(who).post(f"/v1/purchase-orders/{giver}/credit-moves", json=body)


def moved_to_another(database, order_id, from_id):
    """An order that belongs to another school from now on, as the reassignment books it."""
    with database.unit_of_work() as session:
        other = make_organisation(session, kind="school")
        session.execute(text("UPDATE purchase_order SET buyer_id = :b WHERE id = :id"), {"b": other.id, "id": order_id})
        money.reassign(session, order_id, from_id=from_id, to_id=other.id)
        return other.id


@pytest.mark.slow
def test_an_announcement_is_taken_back(till, database):
    order = till.order(10)["id"]
    payment = till.pay(order, "500.00", bank_reference="ICBC-1").json()
    assert (payment["source"], till.due(order)) == ("announced", "199.00")
    assert undo(till, order, payment["id"], who="purchaser").status_code == 403
    assert undo(till, order, payment["id"], who="seller").status_code == 403
    assert undo(till, till.order(1)["id"], payment["id"]).status_code == 404
    assert undo(till, order, 999_999_999).status_code == 404
    [taken] = undo(till, order, payment["id"]).json()
    assert (taken["undo_reason"], taken["undone_at"] is not None, till.due(order)) == ("未汇出", True, "699.00")
    assert code(undo(till, order, payment["id"])) == (409, "payment_undone")
    assert till.held() == {}
    # the same reference is free again
    assert till.pay(order, "500.00", bank_reference="ICBC-1").status_code == 201
    assert differences(database) == {}
    outbox.drain(database, HANDLERS)
    assert "payment.undone" in [each["kind"] for each in till.as_("seller").get("/v1/notifications").json()["items"]]


def test_what_the_bank_or_the_provider_shows_is_not_withdrawn(till, database):
    order = till.order(10)["id"]
    with database.unit_of_work() as session:
        payments.locked(session, [order])
        for method, source in (("bank_transfer", "unallocated"), ("card", "online")):
            taken = payments.Taken(order, 400_00, method, source, "REF", "学校", None)
            payments.take(session, SYSTEM, taken._replace(paid_on="2026-11-01"))
    assert till.due(order) == "-101.00"
    for payment in till.as_("finance").get(f"/v1/purchase-orders/{order}/payments").json():
        assert code(undo(till, order, payment["id"])) == (409, "payment_not_announced")
    assert till.held() == {"receivable": -80_000, "unallocated": 40_000, "online": 40_000}
    # no line of the bank and no answer of the provider stands behind them
    assert differences(database).keys() == {"unallocated", "bank_matches", "online_payments"}


@pytest.mark.slow
def test_credit_counts_for_another_order(till, database):
    giver, taker = till.credit("500.00"), till.order(5)["id"]
    assert code(move(till, giver, taker, "500.01")) == (409, "amount_above_credit")
    assert code(move(till, giver, taker, "349.51")) == (409, "payment_above_due")
    assert code(move(till, giver, giver, "1.00")) == (409, "not_same_buyer")
    assert move(till, giver, 999_999_999, "1.00").status_code == 404
    assert move(till, giver, taker, "0.00").status_code == 422
    assert move(till, giver, taker, "1.00", who="purchaser").status_code == 403
    answer = move(till, giver, taker, "349.50")
    assert answer.status_code == 201, answer.text
    assert (answer.json()["from_order_due"], answer.json()["to_order_due"]) == ("-150.50", "0.00")
    assert code(move(till, taker, giver, "1.00")) == (409, "amount_above_credit")
    third = till.order(1)["id"]
    assert move(till, giver, third, "10.00", who="cashier").status_code == 201
    assert differences(database) == {}
    other = moved_to_another(database, third, till.market.school.id)
    assert code(move(till, giver, third, "1.00")) == (409, "not_same_buyer")
    assert rows(database, ANNOUNCED, account="receivable") == [(till.market.school.id, -49_000), (other, -1_000)]
    assert differences(database) == {}


def test_credit_of_another_school_is_out_of_reach(till, api, database):
    giver, taker = till.credit("500.00"), till.order(5)["id"]
    with database.unit_of_work() as session:
        till.people["stranger"] = make_user(session, Role.FINANCE, make_organisation(session, kind="school"))
        till.people["far"] = make_user(session, Role.PLATFORM_FINANCE, region_code="500236")
    for who in ("stranger", "far"):
        assert move(till, giver, taker, "1.00", who=who).status_code == 404


@pytest.mark.slow
def test_it_is_credited_at_once_however_many_ask(till, database):
    """One credit, ten orders that want all of it."""
    giver, takers = till.credit("69.90"), [till.order(1)["id"] for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda taker: move(till, giver, taker, "69.90").status_code, takers))
    assert (statuses.count(201), statuses.count(409)) == (1, 9)
    assert differences(database) == {}


def test_an_announcement_is_whose_it_was(till, database):
    """An order moved after its transfer was announced: taken back, the transfer leaves the first unit's account, and the new one owes."""
    order = till.order(10)["id"]
    payment = till.pay(order, "500.00").json()["id"]
    moved_to_another(database, order, till.market.school.id)
    assert rows(database, ANNOUNCED, account="announced") == [(till.market.school.id, 50_000)]
    with database.unit_of_work() as session:
        payments.undo(session, SYSTEM, payment, "未汇出")
    assert till.held() == {}
    assert rows(database, ANNOUNCED, account="announced") == []
    assert rows(database, ANNOUNCED, account="receivable") == []
    assert differences(database) == {}


def test_a_payment_that_waits_for_a_move_is_the_new_buyers(till, database):
    """The order is read after its lock: else the payment would find nothing, or be credited to the unit that it left."""
    order = till.order(10)["id"]
    found = []
    with database.unit_of_work() as mover:
        other = make_organisation(mover, kind="school")
        mover.execute(text("UPDATE purchase_order SET buyer_id = :b WHERE id = :id"), {"b": other.id, "id": order})

        def wait():
            with database.unit_of_work() as session:
                found.extend(payments.locked(session, [order]))

        waiting = threading.Thread(target=wait)
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
        other_id = other.id
    waiting.join(10)
    assert [row.buyer_id for row in found] == [other_id]


def test_a_dispute_that_waits_for_a_move_gives_back_to_the_new_buyer(till, api, database):
    """The same where a decision was read before the order moved."""
    delivered = deliver(api, till.market, 10)
    [row] = rows(database, "SELECT id FROM supplier_order WHERE id = :id", id=delivered.part)
    with database.unit_of_work() as session:
        stale = session.execute(
            text(
                "SELECT so.id AS supplier_order_id, so.supplier_id, so.purchase_order_id, po.buyer_id, 1 AS id FROM supplier_order so"
                " JOIN purchase_order po ON po.id = so.purchase_order_id WHERE so.id = :id"
            ),
            {"id": row[0]},
        ).one()
    other = moved_to_another(database, delivered.order_id, till.market.school.id)
    with database.unit_of_work() as session:
        moving._give_back(session, stale, 1_000)
    assert rows(database, ANNOUNCED, account="receivable") == [(other, 68_900)]
