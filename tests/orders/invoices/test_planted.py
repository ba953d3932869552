"""Reconciliation finds what was spoilt about invoices."""

import pytest
from sqlalchemy import text

from orders.reconcile import report
from tests.factories.after_sales import deliver, finds
from tests.factories.orders import make_market
from tests.orders.invoices.test_invoices import configure, give_back, issue
from tests.orders.tax_invoices.test_tax_invoices import NUMBER, register, said

PLANTS = [
    ("UPDATE invoice_line SET returned_fen = returned_fen + 1 WHERE returned_fen = 0", "invoice_lines"),
    ("UPDATE invoice_line SET returned_quantity = returned_quantity + 1 WHERE returned_fen = 0", "invoice_lines"),
    ("UPDATE invoice_line SET returned_fen = returned_fen - 1 WHERE returned_fen > 0", "invoice_credits"),
    ("UPDATE invoice_line SET reduced_fen = 1 WHERE returned_fen = 0", "invoice_reductions"),
    ("UPDATE invoice_line SET reduced_fen = 1 WHERE returned_fen = 0", "invoice_credits"),
    ("DELETE FROM credit_note_line", "invoice_credits"),
    ("DELETE FROM credit_note_line", "credit_note_totals"),
    ("UPDATE credit_note_line SET vat_fen = vat_fen + 1", "invoice_vat"),
    ("UPDATE credit_note SET gross_fen = gross_fen + 1", "credit_note_totals"),
    ("UPDATE invoice SET gross_fen = gross_fen + 1", "invoice_totals"),
    ("UPDATE invoice SET vat_fen = vat_fen - 1", "invoice_totals"),
    ("UPDATE invoice SET credited_fen = 1 WHERE credited_fen = 0", "invoice_totals"),
    ("DELETE FROM invoice_line WHERE line_no = 1", "invoice_totals"),
    ("UPDATE invoice SET serial = 7, number = 'FP-lost' WHERE serial = 2", "invoice_numbers"),
    ("DELETE FROM invoice WHERE serial = 1", "invoice_numbers"),
    ("UPDATE number_series SET last = last + 1 WHERE series LIKE 'credit%'", "invoice_numbers"),
    ("DELETE FROM number_series WHERE series LIKE 'invoice:%'", "invoice_numbers"),
    ("UPDATE tax_invoice SET gross_fen = 34951 WHERE red", "red_letters"),
]  # fmt: skip


@pytest.fixture
def spoilt(api, database):
    """Two invoices; of one a part was credited, and both that and the whole are registered as tax invoices."""
    market = make_market(database)
    configure(database, credit_notes="automatic")
    seller = api.as_(market.sellers[0])
    for back in (2, None):
        done = deliver(api, market, 5)
        invoice = issue(seller, done.part).json()["id"]
        if back:
            give_back(api, market, done, back)
            [blue] = register(seller, said(gross="349.50", vat="0", invoice_ids=[invoice])).json()
            [note] = seller.get("/v1/credit-notes").json()["items"]
            red = {"red": True, "red_letter_of_id": blue["id"], "credit_note_ids": [note["id"]]}
            assert register(seller, said(NUMBER[:-1] + "9", gross="139.80", vat="0", **red)).status_code == 201
    assert report.differences(database) == 0
    return database


@pytest.mark.slow
def test_every_planted_error_is_found(spoilt):
    for statement, check in PLANTS:
        with spoilt.session() as session:
            session.execute(text("SET session_replication_role = replica"))
            assert session.execute(text(statement)).rowcount > 0, statement
            assert finds(session, check), statement
            session.rollback()
