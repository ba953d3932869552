"""Every day figures are counted again from the lines; what differs is told at once."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from orders.statistics import actions as statistics
from orders.ties import checking
from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.factories.identity import make_user, signed_in
from tests.factories.ledger import make_trade, sell
from tests.factories.racing import at_once
from workers.handlers import HANDLERS

#: Four in the morning in Shanghai.
NIGHT = datetime(2026, 4, 20, 20, tzinfo=UTC)


@pytest.fixture
def trade(database):
    with database.unit_of_work() as session:
        made = make_trade(session)
        sell(session, made, 40, first=date(2026, 1, 5), last=date(2026, 4, 20))
        statistics.refresh(session)
    return made


def monitor_of(api):
    return signed_in(api, Role.MONITOR)


@pytest.mark.slow
def test_figures_that_are_right_differ_nowhere_and_a_day_is_checked_once(api, database, trade):
    monitor = monitor_of(api)
    with clock.fixed(NIGHT):
        before = monitor.get("/v1/data-checks").json()
        counts = at_once([lambda: checking.run(database)] * 4)
        assert sorted(counts, key=str) == [0, None, None, None]
        assert checking.run(database) is None
        done = monitor.get("/v1/data-checks").json()
    # due since three o'clock, and so by now
    assert (before["items"], before["next_from"]) == ([], "2026-04-20T20:00:00Z")
    assert done["next_from"] == "2026-04-21T19:00:00Z"
    [found] = done["items"]
    assert (found["day"], found["differences"], found["differing_cells"]) == ("2026-04-21", 0, {})
    assert found["cells"] > 100
    assert monitor.get("/v1/notifications").json()["items"] == []


def test_before_the_day_is_over_nothing_is_checked(database, trade):
    with clock.fixed(datetime(2026, 4, 20, 17, tzinfo=UTC)):
        assert checking.run(database) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "table"),
    [
        ("UPDATE sales_district_month SET amount_fen = amount_fen + 1 WHERE month = '2026-03-01'", "sales_district_month"),
        ("DELETE FROM sales_day WHERE day = '2026-04-20'", "sales_day"),
        ("UPDATE sales_product_month SET grams = grams - 1", "sales_product_month"),
    ],
)
def test_a_figure_that_is_wrong_is_found_and_told(api, database, trade, broken, table):
    monitor = monitor_of(api)
    with database.unit_of_work() as session:
        admin = make_user(session, Role.PLATFORM_ADMIN)
        clerk = make_user(session, Role.PURCHASER, trade.buyers[0])
        if table == "sales_day":
            sell(session, trade, 5, first=date(2026, 4, 20), last=date(2026, 4, 20), seed=3)
            statistics.refresh(session)
        changed = session.execute(text(broken)).rowcount
        assert changed > 0
    with clock.fixed(NIGHT):
        assert checking.run(database) > 0
        outbox.drain(database, HANDLERS)
    [found] = monitor.get("/v1/data-checks").json()["items"]
    assert found["differing_cells"][table] > 0
    assert found["reconciliation"][table] > 0
    for client, told in ((monitor, ["data_check.differs"]), (api.as_(admin), ["data_check.differs"]), (api.as_(clerk), [])):
        assert [each["kind"] for each in client.get("/v1/notifications").json()["items"]] == told
    assert f"shop_data_check_differences {float(found['differences'])}" in api.get("/metrics").text


def test_a_check_that_was_killed_is_done_again(database, trade):
    with clock.fixed(NIGHT):
        with database.unit_of_work() as session:
            session.execute(
                text("INSERT INTO data_check (day, started_at) VALUES (:day, :at)"),
                {"day": clock.today(), "at": datetime(2026, 4, 20, 19, tzinfo=UTC)},
            )
        assert checking.run(database) == 0
