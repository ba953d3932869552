"""A real worker and a real beat: events are done, once, whatever is killed."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import redis
from sqlalchemy import text

from shop.core import outbox
from shop.identity.permissions import Role
from tests.factories.identity import signed_in

SEED = 20261123
#: `make faults` kills four times.
KILLS = int(os.environ.get("SHOP_KILLS", "2"))


@contextmanager
def process(cluster, database, *arguments):
    """A part of the program in a process group of its own, so that a kill takes its children too."""
    environment = os.environ | {"SHOP_DATABASE_URL": database.url, "SHOP_REDIS_URL": cluster.redis_url}
    log = open(f"{os.environ['SHOP_DATA_DIR']}/{arguments[0]}.log", "ab")  # noqa: SIM115
    started = subprocess.Popen(
        [sys.executable, "-m", "shop.cli", *arguments], env=environment, stdout=log, stderr=log, start_new_session=True
    )
    try:
        yield started
    finally:
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGTERM)
            try:
                started.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(started.pid, signal.SIGKILL)
                started.wait()
        log.close()


def publish(database, count):
    with database.unit_of_work() as session:
        organisation = session.execute(text("SELECT min(id) FROM organisation")).scalar_one()
        for _ in range(count):
            outbox.publish(session, "organisation.registered", organisation_id=organisation, version=random.getrandbits(40))


def counts(database):
    with database.unit_of_work() as session:
        return session.execute(
            text(
                "SELECT count(*) FILTER (WHERE done_at IS NOT NULL) AS done, count(*) FILTER (WHERE parked_at IS NOT NULL) AS parked,"
                " count(*) AS all_of, (SELECT count(*) FROM notification) AS told FROM outbox_event"
                " WHERE name = 'organisation.registered'"
            )
        ).one()


def wait_until_done(database, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = counts(database)
        if now.done == now.all_of:
            return now
        time.sleep(0.1)
    raise AssertionError(f"not drained: {counts(database)}")


@pytest.mark.slow
def test_events_are_done_by_the_worker_within_seconds_and_a_file_that_somebody_asked_for_is_made_and_fetched(
    cluster, database, organisation, api
):
    monitor = signed_in(api, Role.MONITOR)
    with process(cluster, database, "worker"), process(cluster, database, "beat"):
        publish(database, 20)
        done = wait_until_done(database, 40)
        assert (done.done, done.told) == (20, 20)
        asked = monitor.post(
            "/v1/exports", json={"kind": "sales", "format": "xlsx", "parameters": {"group_by": ["district"]}}
        ).json()
        deadline = time.monotonic() + 60
        while (made := monitor.get(f"/v1/exports/{asked['id']}").json())["status"] in ("waiting", "running"):
            assert time.monotonic() < deadline, made
            time.sleep(0.2)
    assert made["status"] == "done", made
    content = monitor.get(made["file"]).content
    assert hashlib.sha256(content).hexdigest() == made["sha256"]
    assert content.startswith(b"PK")


@pytest.mark.slow(seconds=16)
def test_what_somebody_waits_for_does_not_wait_behind_what_was_there_before(cluster, database, organisation, api):
    """As after the first start, when thousands of events are on their way."""
    monitor, before = signed_in(api, Role.MONITOR), 3_000
    publish(database, before)
    with process(cluster, database, "worker"), process(cluster, database, "beat"):
        deadline = time.monotonic() + 60
        while not counts(database).done:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        asked = monitor.post(
            "/v1/exports", json={"kind": "sales", "format": "csv", "parameters": {"group_by": ["district"]}}
        ).json()
        while (made := monitor.get(f"/v1/exports/{asked['id']}").json())["status"] in ("waiting", "running"):
            assert time.monotonic() < deadline, made
            time.sleep(0.1)
    assert made["status"] == "done", made
    assert counts(database).done < before


@pytest.mark.slow(seconds=37)
def test_killed_workers_and_an_emptied_broker_lose_nothing_and_double_nothing(cluster, database, organisation):
    """Kill -9 of the worker in the middle of its work, again and again, and the broker emptied once."""
    chance = random.Random(SEED)
    broker = redis.Redis.from_url(cluster.redis_url)
    kills, events = 0, 100 * KILLS
    with process(cluster, database, "beat"):
        publish(database, events)
        for round_number in range(KILLS):
            with process(cluster, database, "worker") as worker:
                target = counts(database).done + 40
                deadline = time.monotonic() + 30
                while counts(database).done < min(target, events) and time.monotonic() < deadline:
                    time.sleep(0.05)
                time.sleep(chance.random() * 0.2)
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
                kills += 1
            if round_number == 1:
                broker.flushall()
            with database.unit_of_work() as session:  # the lease of what was in flight ends
                session.execute(text("UPDATE outbox_event SET next_attempt_at = now() WHERE done_at IS NULL"))
        with process(cluster, database, "worker"):
            done = wait_until_done(database, 60)
    assert kills == KILLS
    assert (done.done, done.parked, done.told) == (events, 0, events)
    broker.close()
