"""The demo's long-term agreements and pledges: in every state, with figures, and written as the marketplace itself writes them."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.agreements.queries import agreements as reading
from orders.panels.queries import books
from orders.reconcile import report
from shop.core import clock
from shop.demo.people import DEMO_BUYER, DEMO_FIRM, DEMO_SUPPLIER, acting

pytestmark = pytest.mark.slow

_AGREEMENTS = """
    SELECT a.*, b.name AS buyer, s.name AS supplier FROM agreement a JOIN organisation b ON b.id = a.buyer_id
    JOIN organisation s ON s.id = a.supplier_id ORDER BY a.id
"""
_PLEDGES = """
    SELECT p.*, o.name AS firm, s.ordered_fen, s.accepted_fen, s.grams FROM pledge p JOIN organisation o ON o.id = p.organisation_id
    JOIN pledge_sum s ON s.pledge_id = p.id ORDER BY p.id
"""


def rows(database, sql, **values):
    with database.session() as session:
        return session.execute(text(sql), values).all()


def agreements(database):
    return {(each.buyer, each.supplier, each.status): each for each in rows(database, _AGREEMENTS)}


def filled(database, panel):
    """What a panel shows of the last two months."""
    with database.session() as session:
        return panel(session, "zh", clock.today() - timedelta(days=62), clock.today())


def test_the_school_and_the_cooperative_have_an_agreement_that_is_kept(demo):
    made = agreements(demo)[DEMO_BUYER, DEMO_SUPPLIER, "active"]
    [figures] = rows(
        demo,
        "SELECT sum(promised_fen) AS promised, sum(delivered_fen) AS delivered, sum(promised_grams) AS weight, sum(delivered_grams) AS came"
        " FROM agreement_day WHERE agreement_id = :id AND day < :today",
        id=made.id,
        today=clock.today(),
    )
    assert figures.promised == figures.delivered > 0
    assert figures.weight == figures.came > 0


def test_one_is_behind_by_an_order_that_was_not_sent_and_one_that_was_never_made(demo):
    late = rows(
        demo,
        "SELECT b.name, i.status, so.status AS part, i.late_told_at IS NOT NULL AS told FROM instalment i"
        " JOIN agreement_line l ON l.id = i.agreement_line_id JOIN agreement a ON a.id = l.agreement_id JOIN organisation b ON b.id = a.buyer_id"
        " JOIN call_off_draft d ON d.id = i.call_off_draft_id LEFT JOIN supplier_order so ON so.purchase_order_id = d.purchase_order_id"
        " WHERE i.due_on < :today AND i.status <> 'skipped' AND NOT i.settled ORDER BY i.due_on",
        today=clock.today(),
    )
    assert [tuple(each) for each in late] == [
        ("沙坪坝区歌乐山小学", "ordered", "confirmed", True),
        ("沙坪坝区歌乐山小学", "drafted", None, True),
    ]
    shown = filled(demo, books.agreements)
    assert shown.totals["promised"] > 0
    assert shown.totals["delivered_weight"] > 0
    behind = next(row for row in shown.rows if row["county"] == "500242")
    assert 0 < behind["delivered"] < behind["promised"]


def test_one_ends_soon_and_its_renewal_waits_for_an_answer(demo):
    [change] = rows(demo, "SELECT agreement_id, kind, side, status FROM agreement_change")
    assert tuple(change)[1:] == ("renewal", "supplier", "proposed")
    [ending] = [each for each in rows(demo, _AGREEMENTS) if each.id == change.agreement_id]
    assert (ending.buyer, ending.status) == (DEMO_BUYER, "active")
    assert clock.today() < ending.valid_until <= clock.today() + timedelta(days=12)


def test_one_waits_for_the_cooperatives_signature(demo):
    [proposed] = [each for each in rows(demo, _AGREEMENTS) if each.status == "proposed"]
    assert proposed.supplier == DEMO_SUPPLIER
    assert (proposed.buyer_signed_at is None, proposed.supplier_signed_at) == (False, None)
    with demo.session() as session:
        assert "sign_second" in {
            str(each) for each in reading.agreement(session, acting(session, "supplier"), proposed.id, "zh").possible_actions
        }


def test_their_terms_are_what_was_signed_and_their_prices_what_was_ordered(demo):
    for each in rows(demo, _AGREEMENTS):
        assert hashlib.sha256(each.terms_document.encode()).hexdigest() == each.terms_hash
    without = rows(
        demo,
        "SELECT po.id FROM purchase_order po JOIN order_line l ON l.purchase_order_id = po.id"
        " WHERE (po.source_kind = 'agreement') <> (l.agreement_line_id IS NOT NULL)",
    )
    assert without == []
    confirmed = "so.status NOT IN ('placed', 'rejected', 'cancelled')"
    without = rows(
        demo,
        f"SELECT so.id FROM supplier_order so WHERE {confirmed} AND NOT EXISTS (SELECT FROM contract c WHERE c.supplier_order_id = so.id)",
    )
    assert without == []


def test_what_came_under_agreements_is_invoiced_and_the_old_of_it_paid(demo):
    accepted = "purchase_order po JOIN supplier_order so ON so.purchase_order_id = po.id AND so.status = 'accepted'"
    open_ = rows(
        demo,
        f"SELECT so.id FROM {accepted} WHERE po.source_kind = 'agreement'"
        " AND NOT EXISTS (SELECT FROM invoice i JOIN tax_invoice_cover c ON c.invoice_id = i.id WHERE i.supplier_order_id = so.id)",
    )
    assert open_ == []
    dues = rows(
        demo,
        f"SELECT d.paid_fen = d.amount_fen AS paid, d.due_on FROM {accepted} JOIN payment_due d ON d.purchase_order_id = po.id"
        " WHERE po.source_kind = 'agreement'",
    )
    assert any(each.paid for each in dues)
    assert all(each.paid or each.due_on >= clock.today() for each in dues)


def test_the_firms_pledge_is_partly_ordered_and_partly_accepted(demo):
    [pledge] = [each for each in rows(demo, _PLEDGES) if each.firm == DEMO_FIRM]
    assert 0 < pledge.accepted_fen < pledge.ordered_fen < pledge.amount_fen
    [proof] = rows(demo, "SELECT pledge_id, amount_fen FROM purchase_proof")
    assert proof.pledge_id != pledge.id


def test_one_pledge_is_nearly_done_and_holds_a_proof(demo):
    [proof] = rows(demo, "SELECT pledge_id, amount_fen FROM purchase_proof")
    [pledge] = [each for each in rows(demo, _PLEDGES) if each.id == proof.pledge_id]
    assert pledge.accepted_fen == proof.amount_fen
    assert 80 <= pledge.accepted_fen * 100 // pledge.amount_fen < 100
    shown = filled(demo, books.pledges)
    assert sum(row["pledges"] for row in shown.rows) == len(rows(demo, _PLEDGES)) == 3
    assert sum(row["done"] for row in shown.rows) == sum(each.accepted_fen for each in rows(demo, _PLEDGES))


def test_their_figures_are_kept_and_agree_with_the_books(demo):
    assert rows(demo, "SELECT FROM agreement_touched UNION ALL SELECT FROM pledge_touched") == []
    assert rows(demo, "SELECT FROM agreement_month") != []
    with demo.session() as session:
        assert {finding.name: finding.first for finding in report.findings(session) if finding.count} == {}


def test_their_records_stand_in_the_order_of_time(demo):
    turned = "SELECT count(*) FROM (SELECT at, lag(at) OVER (ORDER BY id) AS before FROM audit_event WHERE subject_type = ANY (:of)) e WHERE at < before"
    assert rows(demo, turned, of=["agreement", "pledge", "purchase_proof"]) == [(0,)]
    found = {each.action for each in rows(demo, "SELECT DISTINCT action FROM audit_event")}
    assert {"agreement.signed", "agreement.called_off", "pledge.open", "pledge.order_added", "purchase_proof.issued"} <= found


@pytest.mark.parametrize("table", ["purchase_order", "supplier_order"])
def test_their_orders_stand_in_lists_among_those_of_their_days(demo, table):
    placed = "placed_at" if table == "purchase_order" else "(SELECT placed_at FROM purchase_order WHERE id = purchase_order_id)"
    days = [day for (day,) in rows(demo, f"SELECT ({placed} AT TIME ZONE 'Asia/Shanghai')::date FROM {table} ORDER BY id")]
    assert len(days) > 100
    assert days == sorted(days)
