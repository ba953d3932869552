"""Several at once: one wins; and the proof that the guards are what does it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from orders.reserved_share.actions import filing
from shop.core import locks
from tests.conftest import connect
from tests.factories.identity import access_token
from tests.orders.reserved_share.conftest import YEAR

AT_ONCE = 8


def clients(scene, who, copies=AT_ONCE):
    with scene.database.unit_of_work() as session:
        token = access_token(session, scene.users[who])
    return [connect(str(scene.api.base_url), scene.database, {"Authorization": f"Bearer {token}"}) for _ in range(copies)]


def at_once(*calls):
    """All of them at the same moment; the statuses that came."""
    gate = threading.Barrier(len(calls))

    def run(call):
        gate.wait()
        return call().status_code

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(run, calls))


def count(scene, what):
    with scene.database.unit_of_work() as session:
        return session.execute(text(f"SELECT count(*) FROM {what}")).scalar_one()


def file_all(scene):
    return at_once(*(lambda c=c: c.post(f"/v1/reserved-shares/{YEAR}/file", json={}) for c in clients(scene, "first")))


def test_of_many_filings_at_once_one_is_kept(scene):
    scene.put("first")
    assert file_all(scene) == [200] + [409] * (AT_ONCE - 1)
    assert count(scene, "reserved_share_revision") == 1
    assert count(scene, "outbox_event WHERE name = 'reserved_share.filed'") == 1


@pytest.mark.control
def test_without_the_lock_several_are_filed(scene, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    scene.put("first")
    with scene.database.unit_of_work() as session:
        session.execute(
            text("ALTER TABLE reserved_share_revision DROP CONSTRAINT uq_reserved_share_revision_reserved_share_id_number")
        )
    together = threading.Barrier(AT_ONCE)

    def unlocked(session, unit_id, year):
        found = session.execute(text(str(filing._LOCK).replace("FOR UPDATE", "")), {"unit_id": unit_id, "year": year}).first()
        together.wait(10)
        return found

    monkeypatch.setattr(filing, "_locked", unlocked)
    assert file_all(scene).count(200) > 1
    assert count(scene, "reserved_share_revision") > 1


def test_first_drafts_at_once_are_one_row(scene):
    body = {"base": "1000.00"}
    calls = [
        lambda c=c: c.put(f"/v1/reserved-shares/{YEAR}", json=body, headers={"If-Match": '"0"'}) for c in clients(scene, "first")
    ]
    assert at_once(*calls) == [200] + [412] * (AT_ONCE - 1)
    assert count(scene, "reserved_share") == 1
    assert scene.get("first").json()["version"] == 1


def test_of_two_who_decide_at_once_one_decides(scene):
    scene.put("first")
    scene.file("first")
    path, where = f"/v1/reserved-shares/{YEAR}/review", {"unit_id": scene.first.id}
    yes, no = {"number": 1, "accepted": True}, {"number": 1, "accepted": False, "reason": "基数有误"}
    calls = [lambda c=c: c.post(path, json=yes, params=where) for c in clients(scene, "department", 4)]
    calls += [lambda c=c: c.post(path, json=no, params=where) for c in clients(scene, "bursar", 4)]
    assert at_once(*calls) == [200] + [409] * 7
    share = scene.get("first").json()
    assert (share["status"], share["in_force_number"]) in {("accepted", 1), ("returned", None)}
    assert count(scene, "outbox_event WHERE name = 'reserved_share.reviewed'") == 1


@pytest.mark.parametrize("turn", range(3))
def test_a_filing_and_a_review_at_once_never_accept_what_nobody_read(scene, turn):
    """The unit files a second version while the department still decides about the first."""
    scene.put("first", base="1000.00")
    scene.file("first")
    scene.review("department", scene.first, accepted=False, reason="重报")
    scene.put("first", base="9000.00")
    file, review = clients(scene, "first", 1)[0], clients(scene, "department", 1)[0]
    statuses = at_once(
        lambda: file.post(f"/v1/reserved-shares/{YEAR}/file", json={}),
        lambda: review.post(
            f"/v1/reserved-shares/{YEAR}/review", json={"number": 1, "accepted": True}, params={"unit_id": scene.first.id}
        ),
    )
    assert statuses == [200, 409]
    share = scene.get("first").json()
    assert (share["status"], share["number"], share["in_force"]) == ("filed", 2, None)


def name_each_other(scene):
    body = {"base": "0", "percent": "0", "exemption": "shared_canteen", "exemption_reason": "合用"}
    scene.put("first", **body, shared_with_id=scene.second.id)
    scene.put("second", **body, shared_with_id=scene.first.id)
    calls = [lambda c=clients(scene, who, 1)[0]: c.post(f"/v1/reserved-shares/{YEAR}/file", json={}) for who in ("first", "second")]
    return at_once(*calls)


def test_two_units_that_name_each_other_at_once_make_no_ring(scene):
    assert name_each_other(scene) == [200, 409]


@pytest.mark.control
def test_without_the_lock_they_make_a_ring(scene, monkeypatch):
    """The control."""
    together = threading.Barrier(2)
    monkeypatch.setattr(locks, "hold", lambda session, name: None)
    refuse = filing._refuse_chain

    def slowly(*arguments):
        refuse(*arguments)
        together.wait(10)

    monkeypatch.setattr(filing, "_refuse_chain", slowly)
    assert name_each_other(scene) == [200, 200]
