"""The second of the end, and two awards at once: with the guard, and without it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.sourcing.actions import awarding, moving, quoting
from orders.sourcing.queries import comparison
from shop.core import clock
from shop.identity.permissions import Role
from tests.conftest import connect
from tests.factories.catalog import make_product
from tests.factories.identity import access_token, make_supplier, make_user
from tests.orders.sourcing.conftest import Scene

SUPPLIERS = 8


@pytest.fixture
def live(api, database):
    """The scene under the real clock, with many suppliers."""
    scene = Scene(api, database)
    with database.unit_of_work() as session:
        scene.many = []
        for _ in range(SUPPLIERS):
            supplier = make_supplier(session)
            product = make_product(session, supplier)
            user = make_user(session, Role.SUPPLIER_ADMIN, supplier)
            scene.many.append((supplier.id, product.sku_id, access_token(session, user)))
    return scene


def slowly(monkeypatch, seconds=0.15):
    """Every quotation takes its time between being written and being committed."""
    write = quoting._write

    def slow(*args):
        made = write(*args)
        time.sleep(seconds)
        return made

    monkeypatch.setattr(quoting, "_write", slow)


def in_an_hour():
    return (clock.now() + timedelta(hours=1)).isoformat()


def closes(scene, request_id, moment):
    """Have a request end at a moment; what was signed in for it is not to spoil the time."""
    scene.run("UPDATE quotation_request SET closes_at = :at, questions_until = :at WHERE id = :id", id=request_id, at=moment)
    return moment


def rush_to_the_end(scene, seconds=4):
    """All suppliers send again and again over the end, and a buyer looks as soon as it is past.

    Returns what the buyer found, what was there in the end, and how often each answer came.
    """
    request_id = scene.publish(supplier_ids=[supplier for supplier, _, _ in scene.many], closes_at=in_an_hour())
    tokens = [token for _, _, token in scene.many]
    clients = [connect(str(scene.api.base_url), scene.database, {"Authorization": f"Bearer {token}"}) for token in tokens]
    for client in [*clients, scene.as_("buyer")]:
        assert client.get(f"/v1/quotation-requests/{request_id}").status_code == 200
    end = closes(scene, request_id, clock.now() + timedelta(seconds=seconds))
    valid = (clock.today() + timedelta(days=30)).isoformat()
    first_look: list[int] = []
    statuses: list[int] = []

    def send(place):
        sku_id, client = scene.many[place][1], clients[place]
        line = {"line_no": 1, "sku_id": sku_id, "tiers": [{"min_quantity": "1", "unit_price": "60.00"}]}
        while clock.now() < end + timedelta(milliseconds=300):
            body = {"valid_until": valid, "lines": [line]}
            statuses.append(client.post(f"/v1/quotation-requests/{request_id}/quotations", json=body).status_code)

    def look():
        buyer = scene.as_("buyer")
        while clock.now() < end:
            time.sleep(0.002)
        found = buyer.get(f"/v1/quotation-requests/{request_id}/quotations", params={"limit": 200})
        assert found.status_code == 200, found.text
        first_look.extend(row["id"] for row in found.json()["items"])

    looking = threading.Thread(target=look)
    looking.start()
    with ThreadPoolExecutor(SUPPLIERS) as pool:
        list(pool.map(send, range(SUPPLIERS)))
    looking.join()
    in_force = scene.column(
        "SELECT id FROM quotation WHERE status = 'submitted' AND quotation_request_id = :id ORDER BY id", id=request_id
    )
    return first_look, in_force, {status: statuses.count(status) for status in set(statuses)}


@pytest.mark.slow
def test_in_the_second_of_the_end_nothing_is_added_to_what_the_buyer_has_read(live, monkeypatch):
    slowly(monkeypatch)
    found, in_force, statuses = rush_to_the_end(live)
    assert set(statuses) == {201, 409}
    assert found == in_force != []
    assert live.column(
        "SELECT count(*) FROM quotation t JOIN quotation_request q ON q.id = t.quotation_request_id WHERE t.submitted_at >= q.closes_at"
    ) == [0]


def unlocked(monkeypatch):
    """Whoever writes a quotation, or opens them, waits for nobody."""
    row = text("SELECT * FROM quotation_request WHERE id = :id")
    opening = (
        "UPDATE quotation_request SET opened_at = :now WHERE id = :id AND opened_at IS NULL AND closes_at <= :now RETURNING id"
    )
    monkeypatch.setattr(quoting, "lock", lambda session, request_id: session.execute(row, {"id": request_id}).one())
    monkeypatch.setattr(moving, "_OPEN_ONE", text(opening))


@pytest.mark.slow
@pytest.mark.control
def test_without_the_locks_the_rush_adds_to_what_the_buyer_has_read(live, monkeypatch):
    """The control: when this fails, the test above proves nothing.

    A busy machine may let the buyer look only when all is committed; so there are several rushes.
    """
    slowly(monkeypatch, seconds=0.5)
    unlocked(monkeypatch)
    rushes = (rush_to_the_end(live) for _ in range(5))
    assert any(found != in_force for found, in_force, _ in rushes)


def looked_at_while_one_is_written(scene, monkeypatch):
    """A quotation is written before the end and committed after it, and a buyer looks in between, or as soon as it can."""
    request_id = scene.publish(closes_at=in_an_hour())
    scene.as_("fengjie"), scene.get("buyer", request_id)
    written, looked, write = threading.Event(), threading.Event(), quoting._write

    def held(*args):
        made = write(*args)
        written.set()
        looked.wait(5)
        return made

    monkeypatch.setattr(quoting, "_write", held)
    end = closes(scene, request_id, clock.now() + timedelta(seconds=3))
    valid = (clock.today() + timedelta(days=30)).isoformat()
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(scene.quote, "fengjie", request_id, (1, "60.00"), valid_until=valid)
        assert written.wait(3)
        while clock.now() < end:
            time.sleep(0.01)
        found = scene.get("buyer", request_id, "/quotations").json()["items"]
        looked.set()
        assert sent.result().status_code == 201
    return [row["id"] for row in found], scene.column("SELECT id FROM quotation")


@pytest.mark.slow
def test_who_looks_waits_for_what_is_being_written(live, monkeypatch):
    found, there = looked_at_while_one_is_written(live, monkeypatch)
    assert found == there != []


@pytest.mark.slow
@pytest.mark.control
def test_without_the_locks_the_buyer_misses_what_is_still_on_its_way(live, monkeypatch):
    """The control: when this fails, the tests above prove nothing."""
    unlocked(monkeypatch)
    found, there = looked_at_while_one_is_written(live, monkeypatch)
    assert (found, len(there)) == ([], 1)


def closed_with_one_offer(scene):
    request_id = scene.publish(closes_at=in_an_hour())
    valid = (clock.today() + timedelta(days=30)).isoformat()
    assert scene.quote("fengjie", request_id, (1, "60.00"), valid_until=valid).status_code == 201
    closes(scene, request_id, clock.now())
    return request_id


def award_at_once(scene, request_id, copies=8):
    with scene.database.unit_of_work() as session:
        token = access_token(session, scene.users["buyer"])

    def award(_):
        client = connect(str(scene.api.base_url), scene.database, {"Authorization": f"Bearer {token}"})
        body = {"reason": "最低价", "lines": [scene.line("fengjie")]}
        return client.post(f"/v1/quotation-requests/{request_id}/award", json=body).status_code

    with ThreadPoolExecutor(copies) as pool:
        statuses = list(pool.map(award, range(copies)))
    return {status: statuses.count(status) for status in set(statuses)}


def test_awarded_many_times_at_once_it_is_one_order(live):
    for _ in range(3):
        before = live.column("SELECT count(*) FROM purchase_order")[0]
        assert award_at_once(live, closed_with_one_offer(live)) == {201: 1, 409: 7}
        assert live.column("SELECT count(*) FROM purchase_order") == [before + 1]


def unguarded(monkeypatch, copies=8):
    """Nobody locks, and all have read before anybody writes."""
    row = text("SELECT * FROM quotation_request WHERE id = :id")
    everybody = threading.Barrier(copies, timeout=20)
    table = comparison.table

    def read_only(session, actor, request_id, action=None):
        moving.open_quotations(session, request_id)
        session.commit()
        return session.execute(row, {"id": request_id}).one()

    def read_together(session, request_id):
        found = table(session, request_id)
        everybody.wait()
        return found

    monkeypatch.setattr(awarding, "locked", read_only)
    monkeypatch.setattr(comparison, "table", read_together)


def test_without_the_lock_the_constraint_still_holds(live, monkeypatch):
    unguarded(monkeypatch)
    assert award_at_once(live, closed_with_one_offer(live)) == {201: 1, 409: 7}
    assert live.column("SELECT count(*) FROM purchase_order") == [1]


@pytest.mark.control
def test_without_lock_and_constraint_the_same_goods_are_ordered_many_times(live, monkeypatch):
    """The control: when this fails, the tests above prove nothing."""
    live.run("ALTER TABLE quotation_request_line DROP CONSTRAINT ck_quotation_request_line_not_awarded_twice")
    live.run("ALTER TABLE quotation_line DROP CONSTRAINT ck_quotation_line_not_above_offered")
    unguarded(monkeypatch)
    assert award_at_once(live, closed_with_one_offer(live)) == {201: 8}
    assert live.column("SELECT count(*) FROM purchase_order") == [8]


def test_two_quotations_of_one_supplier_at_once_leave_one_in_force(live):
    request_id = live.publish(closes_at=in_an_hour())
    valid = (clock.today() + timedelta(days=30)).isoformat()
    live.as_("fengjie")
    with ThreadPoolExecutor(8) as pool:
        prices = [f"{60 + n}.00" for n in range(8)]
        answers = list(pool.map(lambda price: live.quote("fengjie", request_id, (1, price), valid_until=valid).status_code, prices))
    assert set(answers) == {201}
    assert live.column("SELECT count(*) FROM quotation WHERE status = 'submitted'") == [1]
    assert sorted(live.column("SELECT revision FROM quotation")) == list(range(1, 9))


def test_opening_happens_once_however_many_read_first(live):
    request_id = closed_with_one_offer(live)
    live.as_("buyer"), live.as_("officer")
    with ThreadPoolExecutor(8) as pool:
        who = ["buyer", "officer"] * 4
        assert {answer.status_code for answer in pool.map(lambda each: live.get(each, request_id, "/comparison"), who)} == {200}
    assert live.column("SELECT count(*) FROM audit_event WHERE action = 'quotation_request.opened'") == [1]
    assert live.column("SELECT count(*) FROM outbox_event WHERE name = 'quotation_request.closed'") == [1]
