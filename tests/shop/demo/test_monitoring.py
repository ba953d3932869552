"""What a member of the monitoring staff finds on the pages of the demo before anybody has played its story."""

import json
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.bulletins.queries import lines
from orders.counting.rules import Reason
from orders.ties.queries import elsewhere, orders
from orders.ties.schemas import BatchesSearch, ExternalSalesSearch, TiesAsked
from shop.app import create_app
from shop.core import audit, clock
from shop.core.months import days_of, month_before
from shop.demo.people import COUNTY, acting
from tests.factories.bulletins import described
from tests.shop.demo.test_seed import one

pytestmark = pytest.mark.slow


def counted(database, sql, **values):
    """Rows of a key and a number."""
    with database.session() as session:
        return {row[0]: row[1] for row in session.execute(text(sql), values)}


@pytest.fixture(scope="module")
def chains(demo):
    """Every part of an order with what does not tie, as the monitor's file of accounts that tie lists them."""
    with demo.session() as session:
        statement, values = orders.listed(acting(session, "monitor"), TiesAsked())
        return session.execute(text(statement), values).all()


# --- accounts that tie -------------------------------------------------------------------------------------------------


def test_nearly_all_accounts_tie_and_the_others_say_why(chains):
    red = [row for row in chains if row.reasons]
    assert len(chains) > 1_000
    assert 0.01 < len(red) / len(chains) < 0.08
    why = Counter(reason for row in red for reason in row.reasons)
    assert {"invoice_missing", "invoice_differs", "waybill_missing", "payment_overdue"} == set(why)


def test_every_part_that_was_confirmed_has_its_contract(demo, chains):
    open_ones = [row for row in chains if row.status not in ("placed", "rejected", "cancelled")]
    assert all(row.contract_number and row.contracted_fen == row.ordered_fen for row in open_ones)
    numbers = [row.contract_number for row in open_ones]
    assert len(set(numbers)) == len(numbers)
    gaps = (
        "SELECT count(*) FROM (SELECT right(number, 4)::int AS n, row_number() OVER (PARTITION BY left(number, 13) ORDER BY number) AS place"
        " FROM contract) c WHERE n <> place"
    )
    assert one(demo, gaps) == 0


def test_most_of_what_was_accepted_is_invoiced_and_registered(demo, chains):
    accepted = [row for row in chains if row.status == "accepted" and row.accepted_fen]
    invoiced = sum(bool(row.invoice_numbers) for row in accepted)
    assert 0.9 < invoiced / len(accepted) < 1
    registered = one(
        demo, "SELECT count(*) FROM invoice i WHERE EXISTS (SELECT FROM tax_invoice_cover c WHERE c.invoice_id = i.id)"
    )
    assert 0.95 < registered / one(demo, "SELECT count(*) FROM invoice") < 1


def test_invoices_are_numbered_without_gaps_in_the_order_of_their_days(demo):
    wrong = (
        "SELECT count(*) FROM (SELECT serial, row_number() OVER (PARTITION BY seller_id, year ORDER BY issued_at, id) AS place,"
        " count(*) OVER (PARTITION BY seller_id, year) AS many, seller_id, year FROM invoice) i WHERE serial <> place"
        " OR many <> (SELECT last FROM number_series WHERE series = format('invoice:%s:%s', seller_id, year))"
    )
    assert one(demo, wrong) == 0
    # deliveries under agreements and pledges are invoiced on the day of loading: history has used up the numbers before
    of_today = (
        "SELECT count(*) FROM invoice i JOIN supplier_order so ON so.id = i.supplier_order_id JOIN purchase_order po ON po.id = so.purchase_order_id"
        " WHERE i.issued_at >= :now AND po.source_kind <> 'agreement' AND NOT EXISTS (SELECT FROM pledge_order p WHERE p.purchase_order_id = po.id)"
    )
    assert one(demo, of_today, now=clock.start_of_day(clock.today())) == 0


def test_the_demos_supplier_has_deliveries_to_invoice(demo, chains):
    supplier = one(demo, "SELECT organisation_id FROM app_user WHERE username = 'supplier'")
    waiting = [row for row in chains if row.supplier_id == supplier and "invoice_missing" in row.reasons]
    assert len(waiting) >= 2


# --- sales made elsewhere ----------------------------------------------------------------------------------------------


def test_outlets_stand_in_every_state_and_sell(demo):
    states = counted(demo, "SELECT status, count(*) FROM outlet GROUP BY 1")
    assert states == {"verified": 6, "registered": 1, "refused": 1, "closed": 1}
    lines = counted(demo, "SELECT status, count(*) FROM sales_batch_line GROUP BY 1")
    assert lines["counted"] > lines["other"] > lines["held"] > 0
    ways = counted(demo, "SELECT way, count(*) FROM sales_batch GROUP BY 1")
    assert ways.keys() == {"device", "file"}
    assert one(demo, "SELECT max(day) FROM outlet_day") == clock.today() - timedelta(days=1)
    assert one(demo, "SELECT count(*) FROM outlet_pulse WHERE seen_at < :limit", limit=clock.now() - timedelta(days=9)) >= 1


def test_claims_are_in_every_state(demo):
    states = counted(demo, "SELECT status, count(*) FROM external_sale GROUP BY 1")
    assert {"draft", "submitted", "returned", "accepted", "held", "void", "refused"} == set(states)
    assert states["accepted"] > states["submitted"] >= 3


def test_what_is_held_says_why(demo):
    held = counted(demo, "SELECT reason_code, count(*) FROM counting_hold WHERE status = 'open' GROUP BY 1")
    assert set(held) == {Reason.DOCUMENT_SEEN, Reason.SUSPECTED_DUPLICATE, Reason.OUTLET_CLOSED, Reason.BROKEN_CHAIN}
    assert one(demo, "SELECT count(*) FROM counting_hold WHERE status = 'counted' AND decision IS NOT NULL") == 1
    assert one(demo, "SELECT count(*) FROM counting_hold WHERE status = 'open' AND district_code = :county", county=COUNTY) >= 3


def test_what_was_sold_elsewhere_ties(demo):
    with demo.session() as session:
        monitor = acting(session, "monitor")
        batches = elsewhere.batches(session, monitor, "zh", BatchesSearch(limit=200)).items
        claims = elsewhere.external_sales(session, monitor, "zh", ExternalSalesSearch(limit=200)).items
    assert len(batches) > 100
    assert len(claims) >= 10
    assert [each for each in (*batches, *claims) if not each.ties] == []


# --- what is reported and published ------------------------------------------------------------------------------------


def test_reports_of_the_last_month_are_on_their_way_through_the_offices(demo):
    last = days_of(month_before(clock.today()))[0]
    by_state = "SELECT status, count(*) FROM report WHERE month = :month AND form_code = 'county_monthly' GROUP BY 1"
    assert counted(demo, by_state, month=last) == {"accepted": 4, "submitted": 2, "returned": 1, "draft": 1}
    before = days_of(month_before(last))[0]
    assert counted(demo, by_state, month=before) == {"accepted": 8}
    returned = "SELECT count(*) FROM report WHERE status = 'returned' AND region_code = :county AND reason IS NOT NULL"
    assert one(demo, returned, county=COUNTY) == 1
    assert one(demo, "SELECT count(*) FROM report_value WHERE own <> ledger AND explanation IS NOT NULL") >= 3


def test_the_month_before_last_was_published_and_revised(demo):
    month = month_before(days_of(month_before(clock.today()))[0])
    told = counted(demo, "SELECT edition, status FROM bulletin WHERE month = :month", month=days_of(month)[0])
    assert told == {0: "superseded", 1: "published"}
    with demo.session() as session:
        monitor = acting(session, "monitor")
        revision = session.execute(text("SELECT id FROM bulletin WHERE edition = 1")).scalar_one()
        changes = lines.changes(session, monitor, revision, "zh", limit=50, after=None)
    assert [row.cause for row in changes.items] == ["late"]


def test_every_bulletin_is_as_the_api_says_that_it_is(demo):
    with demo.session() as session:
        frozen = session.execute(text("SELECT content FROM bulletin")).scalars().all()
    valid = described(create_app(demo).openapi())
    assert len(frozen) == 2
    assert [list(valid.iter_errors(json.loads(each))) for each in frozen] == [[], []]


def test_linked_campaigns_are_planned_running_over_and_cancelled(demo):
    states = (
        "SELECT CASE WHEN status = 'published' THEN CASE WHEN ends_on < :today THEN 'over' ELSE 'running' END ELSE status END, count(*)"
        " FROM promotion p WHERE EXISTS (SELECT FROM promotion_outlet WHERE promotion_id = p.id)"
        "   AND EXISTS (SELECT FROM promotion_line WHERE promotion_id = p.id AND online_fen < offline_fen) GROUP BY 1"
    )
    assert counted(demo, states, today=clock.today()) == {"over": 1, "running": 1, "draft": 1, "cancelled": 1}


def test_a_district_has_a_monitor_of_its_own(demo):
    with demo.session() as session:
        own, city = acting(session, "monitor-county"), acting(session, "monitor")
        seen = [elsewhere.batches(session, who, "zh", BatchesSearch(limit=200)).items for who in (own, city)]
    assert own.grants[0].region_code == COUNTY
    assert 0 < len(seen[0]) < len(seen[1])


# --- the trail ---------------------------------------------------------------------------------------------------------


def test_all_of_it_is_on_record(demo):
    done = counted(demo, "SELECT action, count(*) FROM audit_event GROUP BY 1")
    invoices = one(demo, "SELECT count(*) FROM invoice")
    assert done["invoice.issued"] == invoices
    assert done["tax_invoice.registered"] == one(demo, "SELECT count(*) FROM tax_invoice")
    assert done["external_sale.accept"] >= 8
    assert done["report.returned"] == done["promotion.cancelled"] == done["outlet.refused"] == 1
    with demo.session() as session:
        assert audit.verify(session) == []
