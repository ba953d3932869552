"""Goods that are sold on count once: when they leave the certified supplier, or when they reach the last buyer."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from orders.ledger import actions
from orders.ledger.rules import Claim
from orders.outlet_sales.actions.days import add_to_days
from orders.statistics import actions as statistics
from shop.core import clock
from shop.core.audit import SYSTEM
from tests.factories.after_sales import differences
from tests.factories.figures import count_at, make_operator
from tests.factories.ledger import make_trade, sell
from tests.factories.outlets import make_batch_line, make_outlet

TODAY = datetime(2026, 10, 20, 4, tzinfo=UTC)
SOLD_AT = datetime(2026, 10, 12, 4, tzinfo=UTC)


def trade_of_operator(session, role_from=date(2016, 1, 1)):
    """A cabinet operator buys here, and nobody else."""
    trade = make_trade(session)
    outlet = make_outlet(session, trade.clerk)
    trade.buyers = trade.buyers[:1]
    make_operator(session, trade.buyers[0], role_from)
    return trade, outlet


def figures(session):
    statistics.refresh(session)
    return session.execute(text("SELECT coalesce(sum(amount_fen), 0)::bigint FROM sales_month")).scalar_one()


@pytest.mark.parametrize("counted_sale", ["first_sale", "final_sale"])
def test_either_the_purchase_of_the_operator_counts_or_its_sale(database, counted_sale):
    with clock.fixed(TODAY), database.unit_of_work() as session:
        count_at(session, counted_sale)
        trade, outlet = trade_of_operator(session)
        sell(session, trade, 6, first=date(2026, 10, 1), last=date(2026, 10, 9))
        bought = session.execute(text("SELECT sum(amount_fen) FROM sale_entry")).scalar_one()
        owed = session.execute(
            text("SELECT sum(amount_fen) FROM money_posting WHERE account = 'receivable' AND sale_entry_id IS NOT NULL")
        )
        assert owed.scalar_one() == bought
        if counted_sale == "first_sale":
            assert figures(session) == bought  # what it sells on is ``resale`` then, and not booked
        else:
            assert figures(session) == 0
            line = make_batch_line(session, outlet, trade.goods[0].made, sold_at=SOLD_AT)
            actions.book_claims(session, Claim.OUTLET_LINE, [line.id])
            add_to_days(session, [(outlet.id, line.sold_on, "counted", line.amount_fen, line.grams, 1)])
            assert figures(session) == line.amount_fen
    assert differences(database) == {}


def test_a_return_of_what_does_not_count_does_not_count_either(database):
    with clock.fixed(TODAY), database.unit_of_work() as session:
        count_at(session, "final_sale")
        trade, _ = trade_of_operator(session)
        sell(session, trade, 3, first=date(2026, 10, 1), last=date(2026, 10, 9))
        entry = session.execute(text("SELECT min(id) FROM sale_entry")).scalar_one()
        reversal = actions.reverse(session, SYSTEM, entry, reason="退货")
        counted = session.execute(text("SELECT counted FROM sale_entry WHERE id = :id"), {"id": reversal}).scalar_one()
        assert counted is False
        assert figures(session) == 0
    statistics.rebuild(database)
    with database.unit_of_work() as session:
        assert figures(session) == 0


def test_the_capacity_of_the_day_decides(database):
    with clock.fixed(TODAY), database.unit_of_work() as session:
        count_at(session, "final_sale")
        trade, _ = trade_of_operator(session, role_from=date(2026, 10, 5))
        sell(session, trade, 12, first=date(2026, 10, 1), last=date(2026, 10, 9))
        days = session.execute(text("SELECT DISTINCT sold_on < '2026-10-05' AS before, counted FROM sale_entry")).all()
        assert {(row.before, row.counted) for row in days} == {(True, True), (False, False)}
