"""Reconciliation names every fault that is planted into settlements, payouts and their bookings."""

from sqlalchemy import text

from shop.core import clock
from tests.factories.after_sales import differences, finds

#: A statement that spoils something, and the check that must name it.
PLANTS = [
    ("UPDATE settlement_line SET amount_fen = amount_fen + 1", "settlement_lines"),
    ("UPDATE settlement_line SET supplier_order_id = supplier_order_id + 1", "settlement_lines"),
    ("DELETE FROM settlement_line", "settlement_sums"),
    ("UPDATE settlement_line SET commission_fen = commission_fen + 1", "commission_of_parts"),
    ("UPDATE settlement SET line_count = line_count + 1", "settlement_sums"),
    ("UPDATE settlement SET sales_fen = sales_fen + 1, net_fen = net_fen + 1, due_fen = due_fen + 1", "settlements_booked"),
    ("UPDATE settlement SET carried_fen = carried_fen - 1, due_fen = due_fen - 1", "settlements_carried"),
    ("UPDATE payout SET amount_fen = amount_fen + 1", "payouts"),
    ("UPDATE payout SET status = 'paid', returned_fen = 1", "payouts"),
    ("UPDATE payout SET supplier_id = supplier_id + 1", "payouts"),
    ("DELETE FROM payout_attempt; DELETE FROM payout", "payouts"),
    ("UPDATE payout SET status = 'draft', approved_by = NULL, released_by = NULL", "suppliers_money"),
    ("UPDATE money_posting SET amount_fen = amount_fen - 1 WHERE account = 'settled' AND amount_fen < 0", "settlements_booked"),
    ("DELETE FROM money_posting WHERE account = 'payouts'", "suppliers_money"),
    (
        "INSERT INTO advance (number, agreement_id, supplier_id, amount_fen, reason, status, requested_by, requested_at, approved_by)"
        " SELECT 'X', 1, supplier_id, 5, '', 'paid', 1, now(), 2 FROM settlement",
        "suppliers_money",
    ),
]


def test_every_planted_fault_is_named(scene):
    [(programme,)] = scene.rows("SELECT code FROM programme ORDER BY valid_from DESC LIMIT 1")
    rule = {"programme_code": programme, "kind": "rate", "rate_bp": 150, "valid_from": str(clock.today()), "reason": "试行"}
    scene.cashier.post("/v1/commission-rules", json=rule)
    scene.account()
    row = scene.settled()
    assert scene.release(row["payout_id"]).status_code == 200
    assert differences(scene.database) == {}
    for statement, name in PLANTS:
        with scene.database.session() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            session.execute(text(statement))
            assert finds(session, name), statement
            session.rollback()
    assert differences(scene.database) == {}
