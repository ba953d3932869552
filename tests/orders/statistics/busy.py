"""Writers, refreshers and readers of the ledger at once; every answer is held against a recount in its own snapshot."""

import itertools
import random
import threading
import time
from datetime import date

from sqlalchemy import text

from orders.ledger.selection import Dimension, Reach, Selection
from orders.reconcile import report
from orders.statistics import actions
from orders.statistics.question import Measure, Question
from orders.statistics.statement import statement
from shop.core import clock
from tests.factories.ledger import make_trade, sell

PERIOD = (date(2020, 1, 1), date(2030, 12, 31))

COPY = text(
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


def writer(database, number, done, rounds):
    """Transactions that stay open for a while and end in another order than they began; some are given up."""
    chance = random.Random(number)
    try:
        for n in rounds:
            _write(database, chance, (number * 1_000_000 + n) * 1000)
    finally:
        done.set()


def _write(database, chance, origin):
    with database.session() as session:
        session.execute(COPY, {"origin": origin, "count": chance.randint(1, 20)})
        time.sleep(chance.random() * 0.05)
        session.execute(COPY, {"origin": origin + 500, "count": chance.randint(1, 20)})
        if chance.random() < 0.2:
            session.rollback()
        else:
            session.commit()


def refresher(database, done, moved):
    """Takes entries over by few, so that orders are split between rollups and what waits, and by many, so that what waits does not pile up."""
    chance = random.Random(len(done))
    while True:
        last = all(event.is_set() for event in done)
        with database.unit_of_work() as session:
            count = actions.refresh(session, chance.choice((7, 7, 20_000)))
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


def for_seconds(seconds):
    """Round after round until the time is over."""
    ends = time.monotonic() + seconds
    return itertools.takewhile(lambda _: time.monotonic() < ends, itertools.count())


def run_all(database, *more, writers=4, readers=2, rounds=lambda: range(12), patience=60):
    """Returns how many entries each refresh took over, the answers that differed from a recount, and all answers."""
    done = [threading.Event() for _ in range(writers)]
    moved, wrong, read = [], [], []
    threads = [threading.Thread(target=writer, args=(database, n + 1, event, rounds())) for n, event in enumerate(done)]
    threads += [threading.Thread(target=refresher, args=(database, done, moved)) for _ in range(2)]
    threads += [threading.Thread(target=reader, args=(database, done, wrong, read)) for _ in range(readers)]
    threads += [threading.Thread(target=target, args=(database, done)) for target in more]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patience)
        assert not thread.is_alive()
    return moved, wrong, read


def differing(database):
    """The checks that find something. The copies are of no delivery, so nobody owes them: orders seem to cost more than was charged."""
    with database.unit_of_work() as session:
        return {each.name for each in report.findings(session) if each.count}
