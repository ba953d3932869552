"""An outlet with a till, goods of the list and other goods."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from orders.outlets.models import Outlet
from orders.reconcile.checks.outlets import OUTLETS
from shop.core.db import Database
from tests.conftest import Api, connect
from tests.databases import begin_with
from tests.factories.ledger import Trade, make_trade
from tests.factories.outlets import Till, make_device, make_goods, make_outlet


@dataclass
class Shop:
    """``G1`` and ``G2`` are on the list, ``X`` is not."""

    api: Api
    database: Database
    trade: Trade
    outlet: Outlet
    device_id: int
    key: str
    till: Till

    def client(self, key: str | None = None) -> Api:
        return connect(str(self.api.base_url), self.database, {"Authorization": f"Bearer {key or self.key}"})

    def send(self, batch: dict[str, Any]) -> dict[str, Any]:
        answer = self.client().post("/v1/sales-batches", json=batch)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def sums(self) -> dict[str, int]:
        return sums(self.database)


@pytest.fixture
def shop(api, database) -> Shop:
    return Shop(api, database, *begin_with(database, "shop", lambda: _made(database)), Till())


def _made(database: Database) -> tuple[Trade, Outlet, int, str]:
    with database.unit_of_work() as session:
        trade = make_trade(session)
        outlet = make_outlet(session, trade.clerk, region_code="500112")
        make_goods(session, outlet, "G1", trade.goods[0].made)
        make_goods(session, outlet, "G2", trade.goods[1].made)
        make_goods(session, outlet, "X")
        session.execute(text("UPDATE outlet SET opened_on = '2026-01-01', verified_at = '2026-01-01'"))
        device_id, key = make_device(session, outlet, trade.clerk)
    return trade, outlet, device_id, key


def sums(database: Database) -> dict[str, int]:
    """Days, lines and ledger: what each says was sold."""
    with database.unit_of_work() as session:
        days = session.execute(
            text(
                "SELECT coalesce(sum(certified_fen), 0)::bigint AS certified, coalesce(sum(other_fen), 0)::bigint AS other,"
                " coalesce(sum(resale_fen), 0)::bigint AS resale, coalesce(sum(grams), 0)::bigint AS grams FROM outlet_day"
            )
        ).one()
        lines = session.execute(
            text(
                "SELECT coalesce(sum(s * amount_fen) FILTER (WHERE status = 'counted'), 0)::bigint AS certified,"
                " coalesce(sum(s * amount_fen) FILTER (WHERE status = 'other'), 0)::bigint AS other,"
                " coalesce(sum(s * amount_fen) FILTER (WHERE status = 'resale'), 0)::bigint AS resale,"
                " coalesce(sum(s * grams) FILTER (WHERE status = 'counted'), 0)::bigint AS grams"
                " FROM (SELECT *, CASE WHEN refunds_line_id IS NULL THEN 1 ELSE -1 END AS s FROM sales_batch_line) l"
            )
        ).one()
        ledger = session.execute(
            text(
                "SELECT coalesce(sum(amount_fen), 0)::bigint AS certified, coalesce(sum(grams), 0)::bigint AS grams FROM sale_entry WHERE source = 'outlet'"
            )
        ).one()
        differences = [(check.name, check.find(session, 5)) for check in OUTLETS]
    assert [each for each in differences if each[1][0]] == []
    assert days == lines
    assert (days.certified, days.grams) == tuple(ledger)
    return dict(days._mapping)
