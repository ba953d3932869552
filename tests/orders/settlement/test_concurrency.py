"""Whoever asks at once: each supplier is settled with once for a period, and each payout is paid once."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from orders.settlement.actions import running
from shop.core.db import Database
from tests.conftest import connect
from tests.factories.after_sales import differences, token_of

TRIGGERS = 20


def clients(scene, user, count):
    token = token_of(scene.database, scene.people[user])
    return [connect(str(scene.api.base_url), scene.database, {"Authorization": f"Bearer {token}"}) for _ in range(count)]


def beat(scene):
    with scene.database.unit_of_work() as session:
        return running.run_due(session)


def trigger_at_once(scene):
    """Twenty triggers and two beats in the same moment."""
    asking = clients(scene, "cashier", TRIGGERS)
    with ThreadPoolExecutor(TRIGGERS + 2) as pool:
        asked = [pool.submit(client.post, "/v1/settlements/run", json={}) for client in asking]
        beats = [pool.submit(beat, scene) for _ in range(2)]
        return [each.result() for each in asked], [each.result() for each in beats]


def test_twenty_triggers_and_two_beats_make_one_settlement_each(scene):
    for quantity in (1, 2, 3):
        scene.delivered(quantity)
        scene.delivered(None, quantity, of=1)
    scene.later(20)
    answers, beats = trigger_at_once(scene)
    assert {answer.status_code for answer in answers} == {201}
    assert sum(answer.json()["settlements"] for answer in answers) + sum(beats) == 2
    assert scene.rows("SELECT supplier_id, count(*) FROM settlement GROUP BY 1 ORDER BY 1") == [
        (supplier.id, 1) for supplier in scene.market.suppliers
    ]
    assert scene.rows("SELECT count(*), count(DISTINCT posting_id) FROM settlement_line") == [(6, 6)]
    assert scene.rows("SELECT count(*) FROM payout") == [(2,)]
    assert sorted(number[-6:] for (number,) in scene.rows("SELECT number FROM settlement")) == ["000001", "000002"]
    assert beat(scene) == 0
    assert differences(scene.database) == {}


def test_without_the_guards_the_same_triggers_settle_twice(scene, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    for quantity in (1, 2, 3):
        scene.delivered(quantity)
    scene.later(20)
    with scene.database.unit_of_work() as session:
        session.execute(text("ALTER TABLE settlement DROP CONSTRAINT uq_settlement_supplier_id_period_end"))
        session.execute(text("ALTER TABLE settlement_line DROP CONSTRAINT pk_settlement_line"))
        session.execute(text("DROP INDEX uq_settlement_run_automatic"))
    monkeypatch.setattr(running, "_alone", lambda session: session.execute(text("SELECT 1")))
    gathered = running._GATHER

    def slowly(session, *arguments):
        session.execute(text("SELECT pg_sleep(0.3)"))
        return numbers(session, *arguments)

    numbers = running.numbers.next_numbers
    monkeypatch.setattr(running.numbers, "next_numbers", slowly)
    trigger_at_once(scene)
    assert gathered is running._GATHER
    assert scene.rows("SELECT count(*) FROM settlement")[0][0] > 1


def test_a_payout_that_many_release_at_once_goes_once(scene):
    scene.account()
    scene.delivered(10)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    scene.farm.post(f"/v1/settlements/{row['id']}/confirm")
    payout = f"/v1/payouts/{row['payout_id']}"
    scene.cashier.post(f"{payout}/approve", json={})
    asking = clients(scene, "treasurer", 12)
    with ThreadPoolExecutor(12) as pool:
        statuses = [answer.status_code for answer in pool.map(lambda client: client.post(f"{payout}/release"), asking)]
    assert (statuses.count(200), statuses.count(409)) == (1, 11)
    with ThreadPoolExecutor(12) as pool:
        made = [answer.status_code for answer in pool.map(lambda client: client.post("/v1/payout-files"), asking)]
    assert (made.count(201), made.count(409)) == (1, 11)
    body = {"reference": "B-1"}
    with ThreadPoolExecutor(12) as pool:
        paid = [answer.status_code for answer in pool.map(lambda client: client.post(f"{payout}/confirm", json=body), asking)]
    assert (paid.count(200), paid.count(409)) == (1, 11)
    assert (scene.balance("settled"), scene.balance("payouts")) == (0, 0)
    assert scene.rows("SELECT sum(amount_fen)::bigint FROM money_posting WHERE account = 'bank'") == [(0,)]  # came in and went out


def test_one_person_never_does_both_in_two_sessions_at_once(scene):
    """Approving and releasing, pressed by the same person in the same moment, many times."""
    scene.account()
    scene.delivered(10)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    scene.farm.post(f"/v1/settlements/{row['id']}/confirm")
    payout = f"/v1/payouts/{row['payout_id']}"
    asking = clients(scene, "treasurer", 12)

    def press(number):
        return asking[number].post(f"{payout}/{'release' if number % 2 else 'approve'}", **({} if number % 2 else {"json": {}}))

    with ThreadPoolExecutor(12) as pool:
        statuses = [answer.status_code for answer in pool.map(press, range(12))]
    assert statuses.count(200) == 1
    assert scene.rows("SELECT status, released_by FROM payout") == [("approved", None)]
    assert isinstance(scene.database, Database)


def test_an_objection_and_a_release_at_once_exclude_one_another(scene):
    scene.account()
    for _ in range(4):
        scene.delivered(1)
        scene.later(20)
        scene.run()
        row = scene.settlement()
        payout = f"/v1/payouts/{row['payout_id']}"
        scene.cashier.post(f"{payout}/approve", json={})
        # an answered objection lets it be released, and another one be raised
        scene.farm.post(f"/v1/settlements/{row['id']}/object", json={"reason": "少一单"})
        scene.cashier.post(f"/v1/settlements/{row['id']}/answer", json={"answer": "列入下期"})
        with ThreadPoolExecutor(2) as pool:
            objected = pool.submit(scene.farm.post, f"/v1/settlements/{row['id']}/object", json={"reason": "再议"})
            released = pool.submit(scene.treasurer.post, f"{payout}/release")
            codes = sorted([objected.result().status_code, released.result().status_code])
        assert codes == [200, 409]
