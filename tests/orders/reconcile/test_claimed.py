"""Claims that disagree with the ledger, or with what speaks against them, are found."""

import pytest
from sqlalchemy import text

from tests.factories.after_sales import differences, finds
from tests.factories.claims import invoice_number, make_trading

PLANTS = [
    ("UPDATE external_sale_line SET amount_fen = amount_fen + 1 WHERE id = 1", "sales_of_claims"),
    ("UPDATE external_sale_line SET grams = grams + 1 WHERE id = 1", "sales_of_claims"),
    ("UPDATE external_sale SET status = 'void' WHERE id = 1", "sales_of_claims"),
    ("DELETE FROM sale_entry WHERE origin_kind = 'external_line'", "sales_of_claims"),
    ("UPDATE external_sale SET status = 'submitted' WHERE id = 2", "held_claims"),
    ("DELETE FROM counting_hold WHERE subject_id = 3", "held_claims"),
    ("UPDATE counting_hold SET subject_kind = 'sales_batch', subject_id = 999 WHERE subject_id = 2", "subjects_of_doubts"),
    ("DELETE FROM document_use WHERE kind = 'invoice' AND subject_id = 1", "documents_of_claims"),
    ("UPDATE document_use SET released_at = now() WHERE kind = 'bank_receipt' AND subject_id = 2", "documents_of_claims"),
]


@pytest.mark.slow
def test_every_planted_error_is_found(api, database):
    trading, number = make_trading(api, database), invoice_number()
    trading.accepted()
    trading.submitted(invoice=number, amount="1.00")
    trading.submitted(invoice=number, amount="2.00")
    assert differences(database) == {}
    with database.unit_of_work() as session:
        session.execute(text("SET session_replication_role = replica"))
        for statement, check in PLANTS:
            point = session.begin_nested()
            session.execute(text(statement))
            assert finds(session, check), statement
            point.rollback()
        session.rollback()
