"""Calls for real: signed, tried again, sent again, and each once unless somebody is killed."""

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from shop.core import clock, locks, outward
from shop.webhooks import rules, sending
from shop.webhooks.actions import feed
from tests.factories.receiver import receiver
from tests.shop.webhooks.conftest import later

pytestmark = pytest.mark.usefixtures("open_network")


def signed_by(secret, headers, body):
    """What a customer's system computes."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return expected in headers["webhook-signature"].split()


def test_a_change_arrives_signed(customer, system):
    endpoint = customer.endpoint(system.url, types=["supplier_order.*"])
    customer.happen()
    assert customer.send() == 1
    (path, headers, body) = system.requests[0]
    assert path == "/hooks"
    assert headers["content-type"] == "application/json"
    assert signed_by(endpoint["secret"], headers, body)
    assert not signed_by("whsec_" + base64.b64encode(b"another").decode(), headers, body)
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 5
    (item,) = customer.admin.get("/v1/changes").json()["items"]
    assert headers["webhook-id"] == item["id"]
    assert json.loads(body) == {
        "id": item["id"],
        "type": item["type"],
        "created_at": item["created_at"],
        "data": {"subject_type": item["subject_type"], "subject_id": item["subject_id"]},
        "links": item["links"],
    }
    (delivery,) = customer.deliveries(endpoint)
    assert delivery["status"] == "delivered"
    assert delivery["attempts"] == 1
    assert delivery["response_status"] == 204
    assert delivery["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert delivery["request_headers"]["webhook-signature"] == headers["webhook-signature"]
    assert headers["webhook-delivery-id"] == str(delivery["id"])
    assert customer.send() == 0


def test_only_what_was_subscribed_arrives(customer, system):
    customer.endpoint(f"{system.url}/a", types=["payment.recorded"])
    customer.endpoint(f"{system.url}/b", types=["shipment.*", "payment.recorded"])
    customer.happen(kind="shipment.sent")
    customer.happen(kind="payment.recorded")
    customer.happen(kind="acceptance.recorded")
    assert customer.send() == 3
    assert sorted(path for path, _, _ in system.requests) == ["/hooks/a", "/hooks/b", "/hooks/b"]


@pytest.mark.parametrize("status", [500, 503, 404, 401, 301, 302, 307, 429])
def test_what_is_not_taken_is_tried_again(customer, system, status):
    system.answers, system.body = [status], "维护中".encode() * 1000
    system.headers = {"location": "http://127.0.0.1:1/"} if status in (301, 302, 307) else {}
    endpoint = customer.endpoint(system.url)
    customer.happen()
    assert customer.send() == 0
    (delivery,) = customer.deliveries(endpoint)
    assert (delivery["status"], delivery["response_status"], delivery["error"]) == ("pending", status, f"answered {status}")
    assert delivery["response_text"].startswith("维护中")
    assert len(delivery["response_text"].encode()) <= 1030
    assert customer.send() == 0
    assert len(system.requests) == 1
    with later(seconds=75):
        assert customer.send() == 1
    first, second = system.requests
    assert first[1]["webhook-id"] == second[1]["webhook-id"]
    assert first[1]["webhook-delivery-id"] == second[1]["webhook-delivery-id"]
    assert first[2] == second[2]
    assert customer.deliveries(endpoint)[0]["attempts"] == 2


def test_a_redirect_is_not_followed(customer, system):
    with receiver() as inner:
        system.answers, system.headers = [307], {"location": inner.url}
        customer.endpoint(system.url)
        customer.happen()
        assert customer.send() == 0
        assert inner.requests == []


def test_a_server_that_does_not_answer_is_not_waited_for(customer, system, monkeypatch):
    monkeypatch.setattr(outward, "TOTAL_SECONDS", 0.4)
    system.delay = 1.5
    endpoint = customer.endpoint(system.url)
    customer.happen()
    began = time.monotonic()
    assert customer.send() == 0
    assert time.monotonic() - began < 1.3
    assert customer.deliveries(endpoint)[0]["error"] == "unreachable: no answer in time"


def test_a_body_that_drips_does_not_hold_the_sender(customer, system, monkeypatch):
    monkeypatch.setattr(outward, "TOTAL_SECONDS", 0.5)
    system.answers, system.body, system.drip = [200], b"x" * 100, 0.05
    endpoint = customer.endpoint(system.url)
    customer.happen()
    began = time.monotonic()
    assert customer.send() == 0
    assert time.monotonic() - began < 1.5
    assert customer.deliveries(endpoint)[0]["error"] == "unreachable: no answer in time"


def test_of_a_huge_body_little_is_read(system):
    system.answers, system.body = [200], b"x" * 10_000_000
    assert len(outward.post(system.url, {}, b"{}").body) == outward.MAX_ANSWER_BYTES


def test_nobody_listening_is_a_failure_like_others(customer):
    endpoint = customer.endpoint("http://127.0.0.1:9/")
    customer.happen()
    assert customer.send() == 0
    assert customer.deliveries(endpoint)[0]["error"].startswith("unreachable: ConnectError")


def test_a_name_that_became_private_is_refused_when_sent(customer, system, monkeypatch):
    endpoint = customer.endpoint(system.url)
    monkeypatch.undo()
    customer.happen()
    assert customer.send() == 0
    assert customer.deliveries(endpoint)[0]["error"].startswith("refused: ")
    assert system.requests == []


@pytest.mark.slow
def test_after_three_days_a_delivery_is_given_up(customer, system):
    endpoint = customer.endpoint(system.url)
    customer.happen()
    system.answers = [500] * 100
    attempts = []
    for hours in (0, 1, 2, 10, 30, 50, 71, 90, 120):
        with later(hours=hours):
            customer.send()
            attempts.append(len(system.requests))
    (delivery,) = customer.deliveries(endpoint)
    assert delivery["status"] == "failed"
    assert delivery["next_attempt_at"] is None
    assert attempts[-1] == attempts[-2]


@pytest.mark.slow
def test_an_endpoint_that_fails_for_three_days_is_disabled_and_its_owner_told(customer, system):
    endpoint = customer.endpoint(system.url)
    system.answers = [500] * 100
    for hours in range(0, 80, 7):
        with later(hours=hours):
            customer.happen()
            customer.send()
    told = customer.admin.get(f"/v1/webhook-endpoints/{endpoint['id']}").json()
    assert (told["status"], told["disabled_reason"]) == ("disabled", "failing")
    assert told["failures"] >= rules.FAILURES
    (notification,) = customer.admin.get("/v1/notifications").json()["items"]
    assert notification["kind"] == "webhook_endpoint.disabled"
    assert endpoint["url"] in notification["text"]
    assert {row["status"] for row in customer.deliveries(endpoint)} <= {"failed", "cancelled"}
    customer.happen()
    assert customer.send() == 0
    # the owner mends it and has everything sent again
    system.answers.clear()
    system.requests.clear()
    on = customer.admin.patch(f"/v1/webhook-endpoints/{endpoint['id']}", json={"enabled": True}).json()
    assert (on["status"], on["failures"], on["failing_since"]) == ("enabled", 0, None)
    with later(hours=80):
        period = {"since": "2026-01-01T00:00:00Z", "until": clock.now().isoformat(), "only_undelivered": True}
        again = customer.admin.post(f"/v1/webhook-endpoints/{endpoint['id']}/replay", json=period)
        assert again.json() == {"deliveries": 13}, again.text
        assert customer.send() == 13
        assert customer.admin.post(f"/v1/webhook-endpoints/{endpoint['id']}/replay", json=period).json() == {"deliveries": 0}
    assert len({headers["webhook-id"] for _, headers, _ in system.requests}) == 13


def test_one_success_ends_a_row_of_failures(customer, system):
    endpoint = customer.endpoint(system.url)
    system.answers = [500, 500, 204, 500]
    customer.happen()
    for minutes in (0, 2, 10):
        with later(minutes=minutes):
            customer.send()
    told = customer.admin.get(f"/v1/webhook-endpoints/{endpoint['id']}").json()
    assert (told["failures"], told["failing_since"]) == (0, None)


def test_gone_disables_at_once(customer, system):
    endpoint = customer.endpoint(system.url)
    system.answers = [410]
    customer.happen(3)
    sending.deliver(customer.database, sending.claim(customer.database))
    told = customer.admin.get(f"/v1/webhook-endpoints/{endpoint['id']}").json()
    assert (told["status"], told["disabled_reason"]) == ("disabled", "gone")
    assert [row["status"] for row in customer.deliveries(endpoint)] == ["failed", "cancelled", "cancelled"]
    assert len(system.requests) == 1


def test_a_failing_endpoint_rests_and_others_go_on(customer, system):
    broken = customer.endpoint("http://127.0.0.1:9/")
    customer.endpoint(system.url)
    customer.happen(20)
    assert customer.send() == 20
    tried = [row for row in customer.deliveries(broken, limit=200) if row["attempts"]]
    assert 1 <= len(tried) <= rules.SLOTS
    assert all(row["status"] == "pending" for row in customer.deliveries(broken))


@pytest.mark.slow
def test_a_slow_endpoint_does_not_hold_the_others(customer, system):
    with receiver() as slow:
        slow.delay = 1.0
        customer.endpoint(slow.url)
        customer.endpoint(system.url)
        customer.happen(6)
        done = threading.Thread(target=customer.send)
        done.start()
        deadline = time.monotonic() + 0.9
        while len(system.requests) < 6 and time.monotonic() < deadline:
            time.sleep(0.02)
        fast_in_time = len(system.requests)
        done.join()
        assert fast_in_time == 6
        assert len(slow.requests) == 6
        assert slow.at_once == rules.SLOTS


# --- asked for -------------------------------------------------------------------------------------------------------


def test_a_ping_arrives_signed(customer, system):
    endpoint = customer.endpoint(system.url, types=["payment.recorded"])
    ping = customer.admin.post(f"/v1/webhook-endpoints/{endpoint['id']}/test").json()
    assert (ping["kind"], ping["type"], ping["status"]) == ("ping", "ping", "pending")
    assert customer.send() == 1
    _, headers, body = system.requests[0]
    assert signed_by(endpoint["secret"], headers, body)
    assert json.loads(body)["data"] == {"subject_type": "webhook_endpoint", "subject_id": endpoint["id"]}
    assert customer.admin.get(f"/v1/webhook-deliveries/{ping['id']}").json()["status"] == "delivered"


def test_a_replay_is_another_delivery_of_the_same_event(customer, system):
    endpoint = customer.endpoint(system.url)
    customer.happen()
    customer.send()
    (first,) = customer.deliveries(endpoint)
    path = f"/v1/webhook-deliveries/{first['id']}/replay"
    key = {"Idempotency-Key": "again"}
    second = customer.admin.post(path, headers=key)
    assert second.status_code == 201, second.text
    assert customer.admin.post(path, headers=key).json() == second.json()
    assert (second.json()["kind"], second.json()["event_id"]) == ("replay", first["event_id"])
    assert customer.send() == 1
    (one, two) = system.requests
    assert one[1]["webhook-id"] == two[1]["webhook-id"]
    assert one[1]["webhook-delivery-id"] != two[1]["webhook-delivery-id"]
    assert one[2] == two[2]


def test_a_period_is_sent_again_once_and_only_it(customer, system):
    endpoint = customer.endpoint(system.url, types=["shipment.*"])
    customer.happen(2, kind="shipment.sent")
    customer.happen(2, kind="payment.recorded")
    with later(hours=2):
        customer.happen(3, kind="shipment.sent")
        customer.send()
        moment = clock.now()
    system.requests.clear()
    path = f"/v1/webhook-endpoints/{endpoint['id']}/replay"
    with later(hours=3):
        period = {"since": "2026-01-01T00:00:00Z", "until": moment.isoformat()}
        assert customer.admin.post(path, json=period).json() == {"deliveries": 2}
        assert customer.admin.post(path, json=period).json() == {"deliveries": 0}  # on their way already
        assert customer.send() == 2
        assert customer.admin.post(path, json=period | {"only_undelivered": True}).json() == {"deliveries": 0}
        assert customer.admin.post(path, json=period).json() == {"deliveries": 2}


def test_too_much_is_not_sent_again_at_once(customer, system, monkeypatch):
    monkeypatch.setattr(rules, "MAX_REPLAYED", 3)
    endpoint = customer.endpoint(system.url)
    customer.happen(4)
    customer.send()
    period = {"since": "2026-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    refused = customer.admin.post(f"/v1/webhook-endpoints/{endpoint['id']}/replay", json=period)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_to_replay")
    assert len(customer.deliveries(endpoint)) == 4


def test_during_a_rotation_both_secrets_sign(customer, system):
    endpoint = customer.endpoint(system.url)
    new = customer.admin.post(f"/v1/webhook-endpoints/{endpoint['id']}/rotate-secret", json={"overlap_hours": 2}).json()["secret"]
    assert new != endpoint["secret"]
    customer.happen()
    customer.send()
    with later(hours=2, seconds=1):
        customer.happen()
        customer.send()
    during, after = (request[1:] for request in system.requests)
    assert signed_by(endpoint["secret"], *during)
    assert signed_by(new, *during)
    assert not signed_by(endpoint["secret"], *after)
    assert signed_by(new, *after)
    stopped = customer.admin.post(f"/v1/webhook-endpoints/{endpoint['id']}/rotate-secret", json={"overlap_hours": 0}).json()
    assert stopped["previous_until"] is None


def test_units_above_are_called_once_for_an_event_of_two(customer, system, database):
    from tests.factories.identity import make_organisation

    with database.unit_of_work() as session:
        unit = make_organisation(session, kind="school", parent=customer.school)
        stranger = make_organisation(session)
    customer.endpoint(system.url)
    with database.unit_of_work() as session:
        customer.record(session, 1, "purchase_order.placed", unit, customer.school, stranger)
        customer.record(session, 2, "purchase_order.placed", unit)
        customer.record(session, 3, "purchase_order.placed", stranger)
    customer.put_in_order()
    assert customer.send() == 2
    assert sorted(json.loads(body)["data"]["subject_id"] for _, _, body in system.requests) == [1, 2]


# --- once, whoever is killed ------------------------------------------------------------------------------------------


def test_parallel_senders_never_send_one_delivery_twice(customer, system):
    system.delay = 0.01
    endpoints = [customer.endpoint(f"{system.url}/{n}") for n in range(3)]
    customer.happen(30)
    with ThreadPoolExecutor(3) as pool:
        sent = sum(pool.map(lambda _: sending.send_due(customer.database, 20, 4), range(3)))
    assert sent == 90
    arrived = [headers["webhook-delivery-id"] for _, headers, _ in system.requests]
    assert len(arrived) == len(set(arrived)) == 90
    assert system.at_once <= rules.SLOTS * len(endpoints)


def claimed_at_once(database, claim, count=8):
    """What ``count`` senders get that ask at the same moment."""
    barrier = threading.Barrier(count)

    def take(_):
        barrier.wait()
        return claim()

    with ThreadPoolExecutor(count) as pool:
        return [each for each in pool.map(take, range(count)) if each is not None]


def test_of_many_claims_at_once_none_is_the_same_and_none_above_the_slots(customer, system):
    customer.endpoint(system.url)
    customer.happen(20)
    got = [each.id for each in claimed_at_once(customer.database, lambda: sending.claim(customer.database))]
    while (more := sending.claim(customer.database)) is not None:
        got.append(more.id)
    assert len(got) == len(set(got)) == rules.SLOTS


@pytest.mark.control
def test_control_claims_without_the_guard_send_one_delivery_many_times(customer, system):
    customer.endpoint(system.url)
    customer.happen(20)
    database, meeting = customer.database, threading.Barrier(8)

    def naive():
        with database.unit_of_work() as session:
            found = session.execute(text("SELECT min(id) FROM webhook_delivery WHERE status = 'pending' AND slot IS NULL")).scalar()
            meeting.wait()
            session.execute(text("UPDATE webhook_delivery SET attempts = attempts + 1 WHERE id = :id"), {"id": found})
            return found

    got = claimed_at_once(database, naive)
    assert len(got) > len(set(got))


def test_the_database_itself_refuses_a_slot_taken_twice(customer, system):
    customer.endpoint(system.url)
    customer.happen(2)
    with pytest.raises(Exception, match="uq_webhook_delivery_slot"), customer.database.unit_of_work() as session:
        session.execute(text("UPDATE webhook_delivery SET slot = 1"))


_KILLED = """
import shop.tables
from shop.core.db import database
from shop.webhooks import sending
sending.send_due(database(), 20, 1)
"""


@pytest.mark.slow
def test_a_sender_that_is_killed_in_the_middle_leaves_its_delivery_to_others(customer, system, cluster):
    endpoint = customer.endpoint(system.url)
    customer.happen()
    system.delay = 3
    environment = os.environ | {
        "SHOP_DATABASE_URL": customer.database.url,
        "SHOP_WEBHOOK_ALLOW_PRIVATE": "1",
        "SHOP_REDIS_URL": cluster.redis_url,
    }
    process = subprocess.Popen([sys.executable, "-c", _KILLED], env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not system.requests and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    system.delay = 0
    assert len(system.requests) == 1
    assert customer.send(1) == 0  # still leased
    with later(seconds=sending.LEASE.total_seconds() + 1):
        assert customer.send() == 1
    first, second = system.requests
    assert first[1]["webhook-id"] == second[1]["webhook-id"]
    (delivery,) = customer.deliveries(endpoint)
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 2)


def test_a_slow_failure_does_not_undo_what_another_sender_did(customer, system):
    endpoint = customer.endpoint(system.url)
    customer.happen()
    slow = sending.claim(customer.database)
    with later(seconds=sending.LEASE.total_seconds() + 1):
        assert customer.send() == 1
    system.answers = [500]
    assert sending.deliver(customer.database, slow) is False
    (delivery,) = customer.deliveries(endpoint)
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 2)


def test_a_fault_of_one_delivery_does_not_stop_the_round(customer, system, monkeypatch):
    customer.endpoint(system.url)
    customer.happen(3)
    real, faults = outward.post, iter([ZeroDivisionError("a fault of ours")])

    def faulty(*arguments):
        if fault := next(faults, None):
            raise fault
        return real(*arguments)

    monkeypatch.setattr(outward, "post", faulty)
    assert customer.send() == 2
    with later(seconds=61):
        assert customer.send() == 1


def test_only_one_round_runs_at_once(database):
    with locks.alone(database.engine, "webhooks.send") as first, locks.alone(database.engine, "webhooks.send") as second:
        assert (first, second) == (True, False)
    with locks.alone(database.engine, "webhooks.send") as again:
        assert again


def test_the_worker_tasks_put_in_order_and_send(customer, system, monkeypatch):
    from workers import tasks

    monkeypatch.setattr(tasks, "database", lambda: customer.database)
    endpoint = customer.endpoint(system.url)
    customer.happen(in_order=False)
    tasks.put_changes_in_order()
    tasks.send_webhooks()
    assert [row["status"] for row in customer.deliveries(endpoint)] == ["delivered"]
    with later(days=rules.DELIVERIES_DAYS, hours=1):
        tasks.tidy()
    assert customer.deliveries(endpoint) == []


def test_old_changes_take_their_deliveries_with_them(customer, system, database):
    endpoint = customer.endpoint(system.url)
    customer.happen()
    with later(days=rules.CHANGES_DAYS, hours=1), database.unit_of_work() as session:
        feed.forget_old(session)
    assert customer.deliveries(endpoint) == []


@pytest.mark.parametrize("status", [503, 429])
def test_an_endpoint_that_asks_to_be_left_alone_is(customer, system, status):
    system.answers, system.headers = [status], {"retry-after": "1800"}
    endpoint = customer.endpoint(system.url)
    customer.happen(1)
    assert customer.send() == 0
    customer.happen(2)
    (first, *_) = customer.deliveries(endpoint)
    assert first["next_attempt_at"] >= (clock.now() + timedelta(minutes=29)).isoformat()
    with later(minutes=25):
        assert customer.send() == 0
    assert len(system.requests) == 1
    with later(minutes=31):
        assert customer.send() == 3


def test_a_call_in_flight_does_not_shorten_the_rest_that_another_was_asked_for(customer, system, database):
    endpoint = customer.endpoint(system.url)
    customer.happen(2)
    first, second = sending.claim(database), sending.claim(database)
    system.answers, system.headers = [503], {"retry-after": "1800"}
    sending.deliver(database, first)
    system.answers, system.headers = [500], {}
    sending.deliver(database, second)
    customer.happen()
    with later(minutes=25):
        assert customer.send() == 0
    with later(minutes=31):
        assert customer.send() == 3
    assert {each["status"] for each in customer.deliveries(endpoint)} == {"delivered"}


def test_a_ping_does_not_wait_for_an_endpoint_that_asked_to_be_left_alone(customer, system):
    system.answers, system.headers = [503], {"retry-after": "9999999"}
    endpoint = customer.endpoint(system.url)
    customer.happen()
    assert customer.send() == 0
    customer.admin.post(f"/v1/webhook-endpoints/{endpoint['id']}/test")
    assert customer.send() == 1


def test_an_endpoint_tells_what_waits_and_since_when(customer, system):
    endpoint = customer.endpoint(system.url)
    assert (endpoint["pending"], endpoint["pending_since"]) == (0, None)
    customer.happen(2)
    (oldest, _) = customer.deliveries(endpoint)
    for told in (
        customer.admin.get(f"/v1/webhook-endpoints/{endpoint['id']}").json(),
        customer.admin.get("/v1/webhook-endpoints").json()["items"][0],
    ):
        assert (told["pending"], told["pending_since"], told["rest_until"]) == (2, oldest["created_at"], None)
    system.answers = [500, 500]
    customer.send()
    assert customer.admin.get(f"/v1/webhook-endpoints/{endpoint['id']}").json()["rest_until"] > clock.now().isoformat()


def gauge(api, name):
    (line,) = [line for line in api.get("/metrics").text.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])


@pytest.mark.slow
def test_monitoring_reads_how_far_webhooks_and_feed_lag_behind(customer, system, api, database):
    endpoint = customer.endpoint(system.url)
    customer.happen(2)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE webhook_delivery SET next_attempt_at = now() - interval '10 minutes'"))
    assert 600 <= gauge(api, "shop_webhook_lag_seconds") < 660
    assert gauge(api, "shop_webhooks_pending") == 2
    assert gauge(api, "shop_changes_lag_seconds") == 0
    with database.unit_of_work() as session:
        session.execute(text("UPDATE webhook_endpoint SET rest_until = now() + interval '1 hour'"))
    assert gauge(api, "shop_webhook_lag_seconds") == 0, "it is left alone on purpose"
    customer.happen(in_order=False)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE change SET at = now() - interval '5 minutes' WHERE position IS NULL"))
    assert 300 <= gauge(api, "shop_changes_lag_seconds") < 360
    customer.admin.patch(f"/v1/webhook-endpoints/{endpoint['id']}", json={"enabled": False})
    assert gauge(api, "shop_webhooks_pending") == 0


def test_what_was_queued_while_its_endpoint_was_switched_off_is_cancelled(customer, system, database):
    endpoint = customer.endpoint(system.url)
    customer.happen(2)
    with database.unit_of_work() as session:  # as if the sweep had committed after the switch
        session.execute(text("UPDATE webhook_endpoint SET status = 'disabled', disabled_reason = 'owner'"))
        feed.forget_old(session)
    assert [row["status"] for row in customer.deliveries(endpoint)] == ["cancelled"] * 2
