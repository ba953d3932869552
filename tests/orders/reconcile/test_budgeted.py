"""Reconciliation finds what was spoilt about budgets and requests."""

import pytest
from sqlalchemy import text

from orders.reconcile import report
from tests.factories.after_sales import finds
from tests.factories.buying import make_bureau

PLANTS = [
    ("UPDATE budget SET reserved_fen = reserved_fen + 1 WHERE fund_source = 'canteen'", "budgets"),
    ("UPDATE budget SET consumed_fen = consumed_fen + 1 WHERE fund_source = 'canteen'", "budgets"),
    ("DELETE FROM budget_draw WHERE holder_kind = 'purchase_order'", "budgets"),
    ("UPDATE budget_draw SET reserved_fen = reserved_fen + 1 WHERE holder_kind = 'purchase_order'", "budget_draws"),
    ("UPDATE budget_draw SET consumed_fen = consumed_fen + 1 WHERE holder_kind = 'purchase_order'", "budget_draws"),
    ("UPDATE supplier_order SET status = 'cancelled'", "budget_draws"),
    ("UPDATE budget_draw SET reserved_fen = reserved_fen - 1 WHERE holder_kind = 'purchase_request'", "requests"),
    ("UPDATE purchase_request SET status = 'withdrawn' WHERE status = 'waiting'", "requests"),
    ("UPDATE purchase_request SET total_fen = total_fen + 1", "requests"),
    ("DELETE FROM purchase_request_line", "requests"),
    ("UPDATE budget SET fund_source = 'other' WHERE fund_source = 'canteen'", "budget_places"),
    ("UPDATE budget SET organisation_id = :elsewhere WHERE fund_source = 'canteen'", "budget_places"),
    ("DELETE FROM purchase_order", "budget_places"),
    ("UPDATE purchase_request_step SET status = 'waiting', decided_at = NULL, decided_by = NULL WHERE status = 'approved'", "approvals"),
    ("UPDATE purchase_request_step SET decided_by = :asker WHERE status = 'approved'", "approvals"),
    ("UPDATE purchase_request_step SET decided_for = :asker WHERE status = 'approved'", "approvals"),
]  # fmt: skip


@pytest.fixture
def bureau(api, database):
    """An order that was approved and one request that waits, both within a budget."""
    bureau = make_bureau(api, database)
    bureau.rule()
    bureau.budget("1000.00")
    done, _ = (bureau.ask(3).json()["purchase_request"] for _ in range(2))
    bureau.as_("bureau_approver").post(f"/v1/purchase-requests/{done['id']}/approve", json={})
    return bureau


def test_every_planted_error_is_found(bureau, database):
    assert report.differences(database) == 0
    values = {"elsewhere": bureau.market.school.id, "asker": bureau.people["school_purchaser"].id}
    for statement, check in PLANTS:
        with database.session() as session:
            session.execute(text("SET session_replication_role = replica"))
            spoilt = session.execute(text(statement), {name: value for name, value in values.items() if f":{name}" in statement})
            assert spoilt.rowcount > 0, statement
            assert finds(session, check), statement
            session.rollback()
