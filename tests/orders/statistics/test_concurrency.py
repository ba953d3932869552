"""Figures while sales are written: every reader sees each committed sale exactly once."""

import random
import threading
import time
from datetime import date

from sqlalchemy import text

from orders.ledger.selection import Dimension, Reach, Selection
from orders.reconcile import report
from orders.statistics import actions
from orders.statistics.question import Measure, Question, statement
from shop.core import clock
from tests.factories.ledger import make_trade, sell

PERIOD = (date(2020, 1, 1), date(2030, 12, 31))
WRITERS, ROUNDS = 4, 12

_COPY = text(
    """
    INSERT INTO sale_entry (origin_kind, origin_id, recorded_at, sold_on, month, programme_code, direction, sku_id, product_id, kind, category,
        supplier_id, district_code, certified, reserved_share_eligible, buyer_id, buyer_kind, buyer_region_code, fund_source, mode, relation,
        channel, channel_basis, quantity, grams, amount_fen, order_id)
    SELECT 'history', :origin + row_number() OVER (), now(), sold_on, month, programme_code, direction, sku_id, product_id, kind, category,
        supplier_id, district_code, false, reserved_share_eligible, buyer_id, buyer_kind, buyer_region_code, fund_source, mode, relation,
        channel, channel_basis, quantity, grams, amount_fen, order_id
    FROM (SELECT * FROM sale_entry WHERE origin_kind = 'acceptance_line' ORDER BY random() LIMIT :count) AS picked
    """
)

_FAMILIES = {"sums": "sum(amount_fen)", "order": "count(DISTINCT order_id)", "buyer": "count(DISTINCT buyer_id)"}
_RECOUNT = text(
    " UNION ALL ".join(
        f"SELECT '{family}' AS family, district_code AS g0, month AS g1, {value} AS v0 FROM sale_entry"
        " GROUP BY GROUPING SETS ((district_code, month), ())"
        for family, value in _FAMILIES.items()
    )
)


def prepared(database):
    with database.unit_of_work() as session:
        sell(session, make_trade(session), 60, first=date(2026, 1, 1), last=date(2026, 11, 1))
    with database.unit_of_work() as session:
        actions.refresh(session)


def writer(database, number, done):
    """Transactions that stay open for a while and end in another order than they began; some are given up."""
    chance = random.Random(number)
    try:
        for n in range(ROUNDS):
            _write(database, chance, (number * 1000 + n) * 1000)
    finally:
        done.set()


def _write(database, chance, origin):
    with database.session() as session:
        session.execute(_COPY, {"origin": origin, "count": chance.randint(1, 20)})
        time.sleep(chance.random() * 0.05)
        session.execute(_COPY, {"origin": origin + 500, "count": chance.randint(1, 20)})
        if chance.random() < 0.2:
            session.rollback()
        else:
            session.commit()


def refresher(database, done, moved):
    while True:
        last = all(event.is_set() for event in done)
        with database.unit_of_work() as session:
            count = actions.refresh(session, 7)
        moved.append(count)
        if last and not count:
            return


def reader(database, done, wrong, read):
    """The panel's sums and counts, and a recount of the lines, in one snapshot."""
    panel = Question(
        Selection(*PERIOD), (Dimension.DISTRICT, Dimension.MONTH), (Measure.AMOUNT, Measure.ORDERS, Measure.BUYERS), Reach(("",))
    )
    sql, bind = statement(panel, clock.today(), {})
    while not all(event.is_set() for event in done):
        with database.session() as session:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            rows = session.execute(text(sql), bind.values).all()
            found = {(row.family, row.g0, row.g1, int(row.v0)) for row in rows}
            expected = {(row.family, row.g0, row.g1, int(row.v0)) for row in session.execute(_RECOUNT)}
            session.rollback()
        read.append(frozenset(found))
        if found != expected:
            wrong.append(found ^ expected)


def run_all(database, *more):
    done = [threading.Event() for _ in range(WRITERS)]
    moved, wrong, read = [], [], []
    threads = [threading.Thread(target=writer, args=(database, n + 1, event)) for n, event in enumerate(done)]
    threads += [threading.Thread(target=refresher, args=(database, done, moved)) for _ in range(2)]
    threads += [threading.Thread(target=reader, args=(database, done, wrong, read)) for _ in range(2)]
    threads += [threading.Thread(target=target, args=(database, done)) for target in more]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return moved, wrong, read


def test_readers_are_exact_while_writers_and_refreshers_work(database):
    prepared(database)
    moved, wrong, read = run_all(database)
    assert wrong == []
    assert len(set(read)) > 5
    assert sum(moved) > 100
    assert differing(database) <= {"costs"}


def test_readers_are_exact_during_a_rebuild(database):
    prepared(database)
    rebuilt = []

    def rebuilder(database, done):
        # on a slow machine the writers may be done with the first
        while len(rebuilt) < 2 or not all(event.is_set() for event in done):
            rebuilt.append(actions.rebuild(database))

    _, wrong, read = run_all(database, rebuilder)
    assert wrong == []
    assert len(set(read)) > 5
    while _refreshed(database):
        pass
    assert differing(database) <= {"costs"}


def _refreshed(database):
    with database.unit_of_work() as session:
        return actions.refresh(session)


def test_control_a_watermark_of_ids_loses_sales(database):
    """Why the queue exists: commit order is not id order, so "everything above the highest id seen" misses a transaction that was open."""
    prepared(database)
    with database.session() as early, database.session() as late:
        early.execute(_COPY, {"origin": 10**6, "count": 3})
        late.execute(_COPY, {"origin": 2 * 10**6, "count": 3})
        late.commit()
        with database.unit_of_work() as session:
            watermark = session.execute(text("SELECT max(id) FROM sale_entry")).scalar_one()
            actions.refresh(session)
        early.commit()
    with database.unit_of_work() as session:
        above = session.execute(text("SELECT count(*) FROM sale_entry WHERE id > :mark"), {"mark": watermark}).scalar_one()
        waiting = session.execute(text("SELECT count(*) FROM sale_entry_pending")).scalar_one()
    assert (above, waiting) == (0, 3)
    assert differing(database) <= {"costs"}


def test_one_refresher_at_a_time(database):
    prepared(database)
    with database.unit_of_work() as session:
        session.execute(_COPY, {"origin": 10**6, "count": 10})
    with database.unit_of_work() as first:
        assert actions.refresh(first, 4) == 4
        with database.unit_of_work() as second:
            assert actions.refresh(second) == 0
    with database.unit_of_work() as session:
        assert actions.refresh(session) == 6


def test_a_refresh_that_fails_changes_nothing(database):
    prepared(database)
    with database.unit_of_work() as session:
        session.execute(_COPY, {"origin": 10**6, "count": 10})
    with database.session() as session:
        assert actions.refresh(session) == 10
        session.rollback()
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM sale_entry_pending")).scalar_one() == 10
    assert differing(database) <= {"costs"}


def differing(database):
    """The checks that find something. The copies are of no delivery, so nobody owes them: orders seem to cost more than was charged."""
    with database.unit_of_work() as session:
        return {each.name for each in report.findings(session) if each.count}
