"""Batches in any order, repeated and corrected, come to what an oracle says that reads them once, in the order of the chain."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from orders.outlet_sales.actions import receiving
from orders.outlet_sales.schemas import SalesBatchIn
from shop.core import clock
from shop.identity.actor import Actor, Device
from tests.factories.ledger import make_trade
from tests.factories.outlets import Till, make_device, make_goods, make_outlet, sale
from tests.orders.outlet_sales.conftest import sums

NOW = datetime(2026, 10, 20, 4, tzinfo=UTC)
PRICES = {"G1": 25, "X": 7}


@dataclass
class Plan:
    """A chain, as its till tells it."""

    till: Till = field(default_factory=Till)
    batches: list[dict] = field(default_factory=list)


@st.composite
def plans(draw):
    """Some sales, refunds of them (also of more than there is), corrections of batches (also of corrections), and
    withdrawals: corrections without lines."""
    plan, lines, live = Plan(), {}, []
    for n in range(draw(st.integers(1, 8))):
        told = []
        corrected = draw(st.sampled_from(live)) if live and draw(st.integers(0, 3)) == 0 else None
        if corrected is not None:
            live.remove(corrected)
            told = [
                _line(line["line_id"], line["goods_id"], draw(st.integers(1, 6)), line.get("refunds_line_id"), line["sold_at"])
                for line in plan.batches[corrected]["lines"]
                if draw(st.booleans())
            ]
        for m in range(draw(st.integers(0, 3))):
            name = f"{n}.{m}"
            target = draw(st.sampled_from(sorted(lines))) if lines and draw(st.booleans()) else None
            goods = lines[target] if target else draw(st.sampled_from(sorted(PRICES)))
            sold_at = (NOW - timedelta(days=draw(st.integers(0, 2)), minutes=5)).isoformat()
            told.append(_line(name, goods, draw(st.integers(1, 6)), target, sold_at))
        if corrected is None:
            told = told or [_line(f"{n}.x", "X", 1, None, NOW.isoformat())]
        lines |= {line["line_id"]: line["goods_id"] for line in told if "refunds_line_id" not in line}
        more = {} if corrected is None else {"corrects": plan.batches[corrected]["batch_id"]}
        with clock.fixed(NOW):
            plan.batches.append(plan.till.batch(told, **more))
        live.append(n)
    arrival = draw(st.permutations(range(len(plan.batches))))
    repeats = draw(st.lists(st.sampled_from(range(len(plan.batches))), max_size=4))
    cuts = draw(st.lists(st.integers(1, 4), min_size=1, max_size=12))
    return plan.batches, [*arrival, *repeats], cuts


def _line(name, goods, quantity, target, sold_at):
    more = {"refunds_line_id": target} if target else {}
    return sale(name, goods, quantity, at=datetime.fromisoformat(sold_at), price=PRICES[goods], **more)


def oracle(batches):
    """What was sold of each kind of goods, in fen, and by day what the ledger holds: each sale on its own, what is given back on that on which
    it is told."""
    corrected = {batch.get("corrects") for batch in batches}
    live = [line for batch in batches if batch["batch_id"] not in corrected for line in batch["lines"]]
    sold = {line["line_id"]: [line["goods_id"], int(line["quantity"])] for line in live if "refunds_line_id" not in line}
    days = Counter()
    for line in live:
        if "refunds_line_id" not in line and line["goods_id"] == "G1":
            days[clock.shanghai_date(datetime.fromisoformat(line["sold_at"]))] += int(line["quantity"]) * PRICES["G1"] * 100
    for line in live:
        of = sold.get(line.get("refunds_line_id"))
        if of and int(line["quantity"]) <= of[1]:
            of[1] -= int(line["quantity"])
            if of[0] == "G1":
                days[clock.shanghai_date(NOW)] -= int(line["quantity"]) * PRICES["G1"] * 100
    sums = dict.fromkeys(PRICES, 0)
    for goods, left in sold.values():
        sums[goods] += left * PRICES[goods] * 100
    return sums, {day: fen for day, fen in days.items() if fen}


@pytest.fixture
def ground(database):
    with clock.fixed(NOW), database.unit_of_work() as session:
        return database, make_trade(session)


@pytest.mark.slow
def test_any_order_repetition_and_correction_gives_the_same_sums(ground):
    database, trade = ground

    @settings(max_examples=60)
    @given(plans())
    def run(plan):
        batches, arrival, cuts = plan
        with clock.fixed(NOW), database.unit_of_work() as session:
            outlet = make_outlet(session, trade.clerk, region_code="500112")
            outlet.opened_on, outlet.verified_at = NOW.date() - timedelta(days=90), NOW - timedelta(days=90)
            make_goods(session, outlet, "G1", trade.goods[0].made)
            make_goods(session, outlet, "X")
            device_id, _ = make_device(session, outlet, trade.clerk)
        actor = Actor(None, "till", outlet.operator_id, "/", (), device=Device(device_id, outlet.id))
        at = 0
        while at < len(arrival):
            size = cuts[at % len(cuts)]
            sent = [SalesBatchIn.model_validate(batches[n]) for n in arrival[at : at + size]]
            with clock.fixed(NOW), database.unit_of_work() as session:
                receiving.receive(session, actor, sent)
            at += size
        with database.unit_of_work() as session:
            found = session.execute(
                text(
                    'SELECT coalesce(sum(certified_fen), 0)::bigint AS "G1", coalesce(sum(other_fen), 0)::bigint AS "X" FROM outlet_day WHERE outlet_id = :id'
                ),
                {"id": outlet.id},
            ).one()
            by_day = session.execute(
                text(
                    "SELECT sold_on, sum(amount_fen)::bigint AS fen FROM sale_entry WHERE outlet_id = :id GROUP BY 1 HAVING sum(amount_fen) <> 0"
                ),
                {"id": outlet.id},
            ).all()
        assert (dict(found._mapping), {row.sold_on: row.fen for row in by_day}) == oracle(batches)
        sums(database)

    run()
