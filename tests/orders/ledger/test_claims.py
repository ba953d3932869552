"""Sales made elsewhere: booked by the rules of their day, taken back and released, never into a month that is closed."""

import threading
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from orders.ledger import actions
from orders.ledger.models import ClosedMonth
from orders.ledger.rules import Claim
from orders.reconcile.checks.sold import LEDGER
from orders.statistics import actions as statistics
from shop.core import clock
from tests.factories.ledger import make_trade
from tests.factories.outlets import make_batch_line, make_outlet

SOLD_AT = datetime(2026, 9, 30, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
TODAY = datetime(2026, 10, 20, 4, tzinfo=UTC)


@pytest.fixture
def line(database):
    with clock.fixed(TODAY), database.unit_of_work() as session:
        trade = make_trade(session)
        outlet = make_outlet(session, trade.clerk, region_code="371600")
        made = make_batch_line(session, outlet, trade.goods[0].made, sold_at=SOLD_AT)
    return made, trade.clerk.id


def entries(session):
    return session.execute(text("SELECT * FROM sale_entry ORDER BY id")).all()


def book(session, line):
    return actions.book_claims(session, Claim.OUTLET_LINE, [line.id])


def close(session, clerk_id, month):
    session.add(ClosedMonth(month=month, closed_at=clock.now(), closed_by=clerk_id))
    session.flush()


def test_a_sale_at_an_outlet_is_credited_by_where_the_outlet_stands(line, database):
    """In Shandong's Binzhou, which is paired with Fengjie: an east-west sale to somebody unknown."""
    with clock.fixed(TODAY), database.unit_of_work() as session:
        assert book(session, line[0]) == 1
        [entry] = entries(session)
        assert (entry.source, entry.outlet_id, entry.buyer_id, entry.buyer_kind) == ("outlet", line[0].outlet_id, None, "consumer")
        assert (entry.mode, entry.relation, entry.channel) == ("east_west", "east_west", "east_west")
        assert (entry.sold_on, entry.month, entry.occurred_on) == (date(2026, 9, 30), date(2026, 9, 1), None)
        assert (entry.amount_fen, entry.grams, entry.certified) == (5000, 1500, True)
        assert session.execute(text("SELECT count(*) FROM money_posting")).scalar_one() == 0


def test_a_line_counts_once(line, database):
    with clock.fixed(TODAY), database.unit_of_work() as session:
        book(session, line[0])
        with pytest.raises(IntegrityError):
            book(session, line[0])
        session.rollback()


def test_what_comes_late_counts_on_the_first_open_day_and_keeps_its_own(line, database):
    with clock.fixed(TODAY), database.unit_of_work() as session:
        close(session, line[1], date(2026, 9, 1))
        book(session, line[0])
        [entry] = entries(session)
        assert (entry.sold_on, entry.month, entry.occurred_on) == (date(2026, 10, 1), date(2026, 10, 1), date(2026, 9, 30))
        assert entry.channel == "east_west"


def test_a_sale_is_taken_back_and_released_and_taken_back_again(line, database):
    with clock.fixed(TODAY), database.unit_of_work() as session:
        book(session, line[0])
        for _ in range(3):
            taken = actions.take_back(session, Claim.OUTLET_LINE, [line[0].id])
            assert len(taken) == 1
            assert session.execute(text("SELECT sum(amount_fen), sum(quantity), sum(grams) FROM sale_entry")).one() == (0, 0, 0)
            assert actions.take_back(session, Claim.OUTLET_LINE, [line[0].id]) == []
            assert actions.release(session, taken) == 1
            assert session.execute(text("SELECT sum(amount_fen), sum(quantity), sum(grams) FROM sale_entry")).one() == (
                5000,
                2,
                1500,
            )
        with pytest.raises(IntegrityError):
            actions.release(session, taken)
        session.rollback()


def test_the_figures_hold_what_outlets_sold(line, database):
    with clock.fixed(TODAY), database.unit_of_work() as session:
        book(session, line[0])
        assert statistics.refresh(session) == 1
        assert session.execute(text("SELECT sum(amount_fen) FROM sales_month")).scalar_one() == 5000
        assert session.execute(text("SELECT count(*) FROM presence_month")).scalar_one() == 0  # no order


def test_nothing_is_booked_into_a_closed_month(line, database):
    with clock.fixed(TODAY), database.unit_of_work() as session:
        book(session, line[0])
        close(session, line[1], date(2026, 9, 1))
        with pytest.raises(DBAPIError, match="the month is closed"):
            session.execute(
                text(
                    'INSERT INTO sale_entry SELECT (jsonb_populate_record(e, \'{"id": 900000, "origin_kind": "history"}\')).* FROM sale_entry e'
                )
            )
        session.rollback()


def test_no_entry_counts_on_a_day_to_come(line, database):
    """Whoever books: a line that says so is refused, and one that stood before is found."""
    with clock.fixed(TODAY), database.unit_of_work() as session:
        session.execute(text("UPDATE sales_batch_line SET sold_on = '2026-10-21'"))
        with pytest.raises(IntegrityError, match="not_to_come"):
            book(session, line[0])
        session.rollback()
    [check] = [check for check in LEDGER if check.name == "days_of_entries"]
    with clock.fixed(TODAY), database.unit_of_work() as session:
        book(session, line[0])
        assert check.find(session, 5)[0] == 0
        session.execute(text("ALTER TABLE sale_entry DROP CONSTRAINT ck_sale_entry_not_to_come"))
        session.execute(text("ALTER TABLE sale_entry DISABLE TRIGGER USER"))
        session.execute(text("UPDATE sale_entry SET recorded_at = '2026-09-01'"))
        assert check.find(session, 5)[0] == 1
        session.rollback()


def test_who_closes_a_month_waits_for_what_is_being_booked(line, database):
    """The month is closed only after the booking has ended: otherwise the published figures would lack it."""
    closed = threading.Event()

    def close_month() -> None:
        # the clock is fixed for all threads already; to fix it twice at once would leave it so
        with database.unit_of_work() as session:
            close(session, line[1], date(2026, 9, 1))
        closed.set()

    with clock.fixed(TODAY), database.unit_of_work() as session:
        book(session, line[0])
        thread = threading.Thread(target=close_month)
        thread.start()
        waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while not session.execute(waiting).scalar_one():
            assert not closed.is_set()
    thread.join()
    assert closed.is_set()
    with database.unit_of_work() as session:
        assert [entry.month for entry in entries(session)] == [date(2026, 9, 1)]
