"""Reconciliation finds what was spoilt about invoices."""

import pytest
from sqlalchemy import text

from orders.reconcile import report
from tests.factories.after_sales import deliver
from tests.factories.orders import make_market
from tests.orders.invoices.test_invoices import configure, give_back, issue

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
]  # fmt: skip


@pytest.fixture
def spoilt(api, database):
    """Two invoices, of one of which a part was credited."""
    market = make_market(database)
    configure(database, credit_notes="automatic")
    for back in (2, None):
        done = deliver(api, market, 5)
        issue(api.as_(market.sellers[0]), done.part)
        if back:
            give_back(api, market, done, back)
    assert report.differences(database) == 0
    return database


def test_every_planted_error_is_found(spoilt):
    for statement, check in PLANTS:
        with spoilt.session() as session:
            session.execute(text("SET session_replication_role = replica"))
            assert session.execute(text(statement)).rowcount > 0, statement
            found = {finding.name for finding in report.findings(session, 0) if finding.count}
            assert check in found, statement
            session.rollback()
