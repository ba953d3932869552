"""What is kept of pledges and agreements: panels say what a recount says, whatever changed since, and whoever counts meanwhile."""

import threading
from collections import defaultdict
from datetime import date, timedelta

import pytest
from sqlalchemy import text

import orders.agreements.actions.recounting as agreement_days
import orders.pledges.actions.recounting as pledge_sums
from orders.panels.queries import books
from orders.pledges.queries.counting import sums
from orders.reconcile.checks.promised import PROMISED
from shop.core import clock
from tests.databases import step
from tests.factories.world import make_world

# a supplier without list prices in the world: one line is put on the list, so that these matter
_LISTED = "UPDATE agreement_line SET price_kind = 'list_minus', unit_price_fen = NULL, percent_off = 5 WHERE id = (SELECT min(id) FROM agreement_line)"
#: What each of them changes: the panel of pledges, that of agreements, or both.
CHANGES = {
    "UPDATE instalment SET quantity = 0 WHERE status <> 'skipped'": {"agreements"},
    "UPDATE instalment SET due_on = due_on + 1000 WHERE status <> 'skipped'": {"agreements"},
    "DELETE FROM instalment": {"agreements"},
    "UPDATE agreement_line SET unit_price_fen = unit_price_fen + 100 WHERE price_kind = 'fixed'": {"agreements"},
    _LISTED: {"agreements"},
    "UPDATE price_tier SET unit_price_fen = unit_price_fen + 1000": {"agreements"},
    "UPDATE sku SET net_grams = net_grams + 1": {"agreements"},
    "UPDATE product SET district_code = '500240', township_code = NULL, village = NULL": {"agreements"},
    "UPDATE agreement SET terminated_on = valid_from - 1": {"agreements"},
    "UPDATE order_line SET unit_price_fen = unit_price_fen + 100, amount_fen = round(quantity * (unit_price_fen + 100))": {
        "pledges"
    },
    "UPDATE supplier_order SET status = 'cancelled', reason = 'x', reason_code = 'other'": {"pledges"},
    "UPDATE purchase_order SET placed_at = placed_at - interval '3 years'": {"pledges"},
    "UPDATE purchase_order SET buyer_id = (SELECT min(id) FROM organisation WHERE path NOT LIKE '%/' || buyer_id || '/%')": {
        "pledges"
    },
    "DELETE FROM pledge_order": {"pledges"},
    "DELETE FROM pledge_region": {"pledges"},
    "UPDATE pledge SET valid_from = valid_from - 1000, valid_until = valid_from - 900": {"pledges"},
    """INSERT INTO pledge_agreement (pledge_id, agreement_id, added_by, added_at)
       SELECT (SELECT min(pledge_id) FROM pledge_order), id, created_by, now() FROM agreement ON CONFLICT DO NOTHING""": set(),
}
FIRST, LAST = date(2020, 1, 1), date(2039, 12, 31)
#: The panel of agreements without what is kept.
_RECOUNT = """
    SELECT p.district_code, sum(round(i.quantity * s.net_grams)) AS grams, 0 AS fen FROM instalment i JOIN agreement_line l ON l.id = i.agreement_line_id
    JOIN agreement a ON a.id = l.agreement_id JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id
    WHERE i.status <> 'skipped' AND a.status = 'active' AND i.due_on <= coalesce(a.terminated_on, a.valid_until) AND i.due_on BETWEEN :first AND :last
    GROUP BY 1
    UNION ALL SELECT e.district_code, 0, sum(e.amount_fen) FROM purchase_order po JOIN sale_entry e ON e.order_id = po.id
    WHERE po.source_kind = 'agreement' AND e.sold_on BETWEEN :first AND :last GROUP BY 1
"""


@pytest.fixture
def world(api, database):
    step(database, "world, counted", lambda: _counted(api, database))
    return database


def _counted(api, database):
    make_world(api, database)
    recount(database)


def recount(database):
    with database.unit_of_work() as session:
        while pledge_sums.recount(session, 1) + agreement_days.recount(session, 1):
            pass


def panels(session):
    return {
        "pledges": books.pledges(session, "zh", FIRST, LAST).rows,
        "agreements": books.agreements(session, "zh", FIRST, LAST).rows,
    }


def touch_all(session):
    session.execute(text("INSERT INTO pledge_touched (pledge_id) SELECT id FROM pledge"))
    session.execute(text("INSERT INTO agreement_touched (agreement_id) SELECT id FROM agreement"))


def wrong(session):
    return {check.name for check in PROMISED if check.find(session, 5)[0]}


def recounted(session, first, last):
    found = defaultdict(lambda: [0, 0])
    for row in session.execute(text(_RECOUNT), {"first": first, "last": last}):
        found[row.district_code][0] += int(row.grams)
        found[row.district_code][1] += int(row.fen)
    return {code: tuple(values) for code, values in found.items()}


@pytest.mark.slow
def test_panels_say_what_the_books_say(world):
    with world.unit_of_work() as session:
        kept = panels(session)
        assert kept["pledges"]
        assert kept["agreements"]
        assert wrong(session) == set()
        ids = list(session.execute(text("SELECT id FROM pledge WHERE status IN ('open', 'closed')")).scalars())
        figures = sums(session, ids).values()
        for column, name in (("ordered", "ordered"), ("done", "accepted"), ("weight", "grams")):
            assert sum(row[column] for row in kept["pledges"]) == sum(getattr(each, name) for each in figures)
        for first, last in (
            (FIRST, LAST),
            (clock.today() - timedelta(days=3), clock.today() + timedelta(days=17)),
            (clock.today(), clock.today() + timedelta(days=40)),
            (clock.today().replace(day=2), clock.today().replace(day=27)),
        ):
            shown = {
                row["county"]: (row["promised_weight"], row["delivered"])
                for row in books.agreements(session, "zh", first, last).rows
            }
            assert shown == recounted(session, first, last)


@pytest.mark.slow
def test_whatever_changes_is_counted_again(world):
    for change, of in CHANGES.items():
        with world.session() as session:
            if "price_tier" in change:
                session.execute(text(_LISTED))
                recount_in(session)
            before = panels(session)
            session.execute(text(change))
            after = panels(session)
            assert {name for name in after if after[name] != before[name]} >= of, change
            assert wrong(session) == set(), change
            touch_all(session)
            assert panels(session) == after, change
            recount_in(session)
            assert panels(session) == after, change
            assert wrong(session) == set(), change
            session.rollback()


def recount_in(session):
    while pledge_sums.recount(session) + agreement_days.recount(session):
        pass


@pytest.mark.control
def test_without_the_triggers_what_is_kept_would_be_wrong(world):
    for change, of in CHANGES.items():
        if of and "price_tier" not in change:
            with world.session() as session:
                session.execute(text("SET LOCAL session_replication_role = replica"))
                session.execute(text(change))
                assert wrong(session), change
                session.rollback()


def _while_somebody_writes(database, role):
    """One writes and has not committed while another counts all that was touched before; returns what is found wrong afterwards."""
    written, counted = threading.Event(), threading.Event()

    def write():
        with database.unit_of_work() as session:
            session.execute(text(f"SET LOCAL session_replication_role = {role}"))
            session.execute(text("UPDATE instalment SET quantity = quantity / 2 WHERE status <> 'skipped'"))
            session.execute(text("DELETE FROM pledge_order"))
            written.set()
            counted.wait(30)

    with database.unit_of_work() as session:
        touch_all(session)
    writer = threading.Thread(target=write)
    writer.start()
    written.wait(30)
    recount(database)
    counted.set()
    writer.join()
    with database.unit_of_work() as session:
        found = wrong(session)
        shown = panels(session)
        touch_all(session)
        assert bool(found) == (shown != panels(session))
    return found


def test_who_commits_after_the_count_is_not_lost(world):
    assert _while_somebody_writes(world, "origin") == set()


@pytest.mark.control
def test_who_commits_after_the_count_would_be_lost_without_its_mark(world):
    assert _while_somebody_writes(world, "replica") == {"pledge_sums", "agreement_days"}


def test_the_reconciliation_finds_what_was_changed_by_hand(world):
    for change, name in (
        ("UPDATE pledge_sum SET grams = grams + 1", "pledge_sums"),
        ("DELETE FROM agreement_day", "agreement_days"),
        ("UPDATE agreement_month SET promised_fen = promised_fen + 1", "agreement_months"),
    ):
        with world.session() as session:
            session.execute(text(change))
            assert name in wrong(session)
            session.rollback()
