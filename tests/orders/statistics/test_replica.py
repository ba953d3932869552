"""Figures read in a replica: the answer says up to when they hold, and the database answers where the replica does not."""

import time
from datetime import date

import psycopg
import pytest
from sqlalchemy import text

from orders.statistics import actions
from shop.core.settings import settings
from shop.identity.permissions import Role
from tests.factories.identity import make_user
from tests.factories.ledger import make_trade, sell
from tests.faults.point_in_time import backup


@pytest.fixture
def replica_at(monkeypatch):
    def at(url):
        monkeypatch.setenv("SHOP_STATISTICS_DATABASE_URL", url)
        settings.cache_clear()

    yield at
    settings.cache_clear()


def sold(database, trade=None):
    with database.unit_of_work() as session:
        sell(session, trade or make_trade(session), 5, first=date(2026, 3, 1), last=date(2026, 3, 31))


def asked(client):
    answer = client.get("/v1/statistics/sales", params={"from": "2026-01-01", "to": "2026-12-31"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def total(database):
    with database.unit_of_work() as session:
        fen = int(session.execute(text("SELECT sum(amount_fen) FROM sale_entry")).scalar_one())
    return f"{fen // 100}.{fen % 100:02d}"


@pytest.mark.slow(seconds=15)
def test_a_replica_that_lies_behind_says_so(api, database, cluster, replica_at):
    sold(database)
    with database.unit_of_work() as session:
        monitor = make_user(session, Role.MONITOR)
        actions.refresh(session)
    client, before = api.as_(monitor), total(database)
    assert asked(client)["behind_seconds"] is None
    with backup(cluster) as made, made.standby("test") as url:
        replica_at(url)
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as standby:
            # a backup may end with no commit behind it: a standby that has not come to one yet cannot say up to when it holds
            sold(database)
            before = total(database)
            while (answer := asked(client))["totals"]["figures"]["amount"] != before or answer["behind_seconds"] != 0:
                time.sleep(0.05)
            standby.execute("SELECT pg_wal_replay_pause()")
            while standby.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() != ("paused",):
                time.sleep(0.05)
            sold(database)
            answer = asked(client)
            assert answer["totals"]["figures"]["amount"] == before != total(database)
            assert answer["behind_seconds"] > 0
            standby.execute("SELECT pg_wal_replay_resume()")
            while asked(client)["totals"]["figures"]["amount"] == before:
                time.sleep(0.05)
            assert asked(client)["totals"]["figures"]["amount"] == total(database)
    # the replica is gone
    answer = asked(client)
    assert (answer["behind_seconds"], answer["totals"]["figures"]["amount"]) == (None, total(database))
