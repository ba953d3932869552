"""One order of a file, whoever sends it at once; and the proof that the lock is what prevents the second."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from orders.importing.actions import ordering
from tests.conftest import connect
from tests.factories.identity import access_token
from tests.orders.importing.conftest import HEAD, as_csv

AT_ONCE, ROUNDS = 8, 5


def rush(desk, market, import_ids):
    """An order of each import at once, each on a connection of its own; returns the statuses and codes."""
    with desk.database.unit_of_work() as session:
        token = access_token(session, market.purchaser)
    ready = threading.Barrier(len(import_ids))

    def send(import_id):
        client = connect(str(desk.client.base_url), desk.database, {"Authorization": f"Bearer {token}"})
        ready.wait()
        answer = client.post(f"/v1/order-imports/{import_id}/order", json=HEAD)
        return answer.status_code, answer.json().get("code")

    with ThreadPoolExecutor(len(import_ids)) as pool:
        return sorted(pool.map(send, import_ids), key=str)


def orders(desk):
    with desk.database.unit_of_work() as session:
        return session.execute(text("SELECT count(*) FROM purchase_order")).scalar_one()


@pytest.mark.slow
@pytest.mark.parametrize("copies", [1, AT_ONCE], ids=["one import", "the same file uploaded many times"])
def test_of_many_orders_of_the_same_file_at_once_one_is_placed(desk, market, copies):
    for number in range(ROUNDS):
        content = as_csv(["奉节脐橙", "", "", number + 1, ""])
        made = [desk.upload(content)["id"] for _ in range(copies)] * (AT_ONCE // copies)
        assert rush(desk, market, made) == [(201, None)] + [(409, "already_ordered")] * (AT_ONCE - 1)
        assert orders(desk) == number + 1


@pytest.mark.control
def test_without_the_lock_the_same_rush_orders_twice(desk, market, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    unlocked = text(ordering._SAME_FILE.text.replace("FOR UPDATE", ""))
    assert unlocked.text != ordering._SAME_FILE.text
    monkeypatch.setattr(ordering, "_SAME_FILE", unlocked)
    content = as_csv(["奉节脐橙", "", "", 1, ""])
    made = [desk.upload(content)["id"] for _ in range(AT_ONCE)]
    answers = rush(desk, market, made)
    assert orders(desk) == answers.count((201, None)) > 1
