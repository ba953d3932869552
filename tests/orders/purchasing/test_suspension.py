"""From the commit of a suspension on no order takes the product, and from the commit of its end on every order may; with the proof that
the guard is what prevents it."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import text

from catalog.certificates.actions import measures, revoking
from orders.purchasing.actions import placing
from shop.core import clock
from shop.identity import tokens
from shop.identity.permissions import Role
from tests.conftest import connect
from tests.factories.identity import access_token, make_user
from tests.factories.orders import make_market

ATTEMPTS = int(os.environ.get("SHOP_SUSPENSION_ATTEMPTS", "420"))
#: Short: sixty attempts, and so twice as many as there are at once and more, between two moves.
AT_ONCE, CYCLES = 24, 3


def officer(database):
    with database.unit_of_work() as session:
        user = make_user(session, Role.CITY_OFFICER)
        return tokens.actor_of(session, token=access_token(session, user), api_key=None)


def act(database, verb, *arguments):
    with database.unit_of_work() as session:
        verb(session, *arguments)


class Rush:
    """Orders of one unit, many at once, until so many were tried; ``tried`` counts those that were answered."""

    def __init__(self, api, database, market, attempts):
        with database.unit_of_work() as session:
            self.token = access_token(session, market.purchaser)
        self.api, self.database, self.market, self.attempts = api, database, market, attempts
        self.answers = []  # (begun, answered, status)
        self.local = threading.local()

    def buy(self, _):
        if not hasattr(self.local, "client"):
            self.local.client = connect(str(self.api.base_url), self.database, {"Authorization": f"Bearer {self.token}"})
        begun = time.monotonic()
        status = self.local.client.post("/v1/purchase-orders", json=self.market.order(1)).status_code
        self.answers.append((begun, time.monotonic(), status))

    def run(self, meanwhile):
        with ThreadPoolExecutor(AT_ONCE + 1) as pool:
            other = pool.submit(meanwhile, self)
            list(pool.map(self.buy, range(self.attempts)))
            other.result()

    def wait_for(self, count):
        while len(self.answers) < count:
            time.sleep(0.001)


def orders_outside(database, certificate_id):
    """Orders whose moment lies within a suspension that is on record, and how many orders there are."""
    with database.unit_of_work() as session:
        events = session.execute(
            text("SELECT kind, at FROM certificate_event WHERE certificate_id = :id AND kind <> 'issued' ORDER BY id"),
            {"id": certificate_id},
        ).all()
        placed = session.execute(text("SELECT placed_at FROM purchase_order ORDER BY id")).scalars().all()
    stopped = [
        (row.at, next((after.at for after in events[place + 1 :] if after.kind == "reinstated"), None))
        for place, row in enumerate(events)
        if row.kind in ("suspended", "revoked")
    ]
    wrong = [at for at in placed if any(begin <= at and (end is None or at < end) for begin, end in stopped)]
    return wrong, len(placed)


@pytest.mark.slow
def test_no_order_commits_while_a_suspension_stands(api, database):
    market, actor = make_market(database, stock=100_000), officer(database)
    certificate = market.products[0].certificate_id
    spans = []  # of the client's clock: between these two moments every attempt that was begun must be refused

    def suspend_and_reinstate(rush):
        for cycle in range(CYCLES):
            rush.wait_for((2 * cycle + 1) * ATTEMPTS // (2 * CYCLES + 1))
            act(database, measures.suspend, actor, certificate, "quality_failure", "抽检不合格")
            since = time.monotonic()
            rush.wait_for((2 * cycle + 2) * ATTEMPTS // (2 * CYCLES + 1))
            spans.append((since, time.monotonic()))
            act(database, measures.reinstate, actor, certificate, "复检合格")

    rush = Rush(api, database, market, ATTEMPTS)
    rush.run(suspend_and_reinstate)
    statuses = [status for _, _, status in rush.answers]
    assert set(statuses) == {201, 422}
    assert min(statuses.count(201), statuses.count(422)) > ATTEMPTS // 20  # both happened, and often
    for since, until in spans:
        assert {status for begun, answered, status in rush.answers if since < begun and answered < until} <= {422}
    wrong, placed = orders_outside(database, certificate)
    assert (wrong, placed) == ([], statuses.count(201))


@pytest.mark.slow
def test_no_order_commits_after_a_revocation(api, database):
    market, actor, other = make_market(database, stock=100_000), officer(database), officer(database)
    certificate = market.products[0].certificate_id
    act(database, revoking.open_revocation, other, certificate, "relabelled", "贴牌")
    with database.unit_of_work() as session:
        session.execute(text("UPDATE revocation SET stated_at = now(), statement = '无异议'"))

    def revoke(rush):
        rush.wait_for(50)
        act(database, revoking.revoke, actor, certificate, "查实")

    rush = Rush(api, database, market, 200)
    rush.run(revoke)
    statuses = [status for _, _, status in rush.answers]
    wrong, placed = orders_outside(database, certificate)
    assert (wrong, placed) == ([], statuses.count(201))
    assert 50 <= placed < 150


@pytest.mark.slow
@pytest.mark.control
def test_without_the_guard_orders_commit_after_a_suspension(api, database, monkeypatch):
    """The control: when this fails, the tests above prove nothing."""
    market, actor = make_market(database, stock=100_000), officer(database)
    certificate = market.products[0].certificate_id
    guard = f"WHERE NOT EXISTS ({placing._ENDED})"
    assert guard in placing._WRITE.text
    monkeypatch.setattr(placing, "_WRITE", text(placing._WRITE.text.replace(guard, "")))
    reserve = placing.reserve

    def slowly(session, facts, wanted):
        session.execute(text("SELECT pg_sleep(0.02)"))
        reserve(session, facts, wanted)

    monkeypatch.setattr(placing, "reserve", slowly)

    def suspend(rush):
        rush.wait_for(50)
        act(database, measures.suspend, actor, certificate, "quality_failure", "抽检不合格")

    Rush(api, database, market, 150).run(suspend)
    wrong, _ = orders_outside(database, certificate)
    assert wrong


@pytest.mark.parametrize("ends", [None, "2099-01-01T00:00:00+08:00"])
def test_a_suspension_waits_for_the_order_that_is_being_written(database, ends):
    """An order that holds its certificate commits first; the suspension that waited for it bears a later time."""
    market, actor = make_market(database), officer(database)
    certificate = market.products[0].certificate_id
    until = datetime.fromisoformat(ends) if ends else None
    writing = database.session()
    writing.execute(text("SELECT id FROM certificate WHERE id = :id FOR KEY SHARE"), {"id": certificate})
    with ThreadPoolExecutor(1) as pool:
        suspended = pool.submit(act, database, measures.suspend, actor, certificate, "quality_failure", "x", until)
        time.sleep(0.3)
        assert not suspended.done()
        committed_at = clock.now()
        writing.commit()
        suspended.result(10)
    with database.unit_of_work() as session:
        suspended_at = session.execute(
            text("SELECT suspended_at FROM certificate WHERE id = :id"), {"id": certificate}
        ).scalar_one()
    assert suspended_at > committed_at
    writing.close()
