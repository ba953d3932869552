"""Whoever asks at once: each payout is paid once. That a period is settled once: ``tests/faults/test_races.py``."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import IntegrityError

from tests.factories.after_sales import differences
from tests.factories.racing import sessions


@pytest.mark.slow
def test_a_payout_that_many_release_at_once_goes_once(scene):
    scene.account()
    row = scene.settled()
    payout = f"/v1/payouts/{row['payout_id']}"
    scene.cashier.post(f"{payout}/approve", json={})
    asking = sessions(scene.api, scene.database, scene.people["treasurer"], 12)
    with ThreadPoolExecutor(12) as pool:
        statuses = [answer.status_code for answer in pool.map(lambda client: client.post(f"{payout}/release"), asking)]
    assert (statuses.count(200), statuses.count(409)) == (1, 11)
    with ThreadPoolExecutor(12) as pool:
        made = [answer.status_code for answer in pool.map(lambda client: client.post("/v1/payout-files"), asking)]
    assert (made.count(201), made.count(409)) == (1, 11)
    body = {"reference": "B-1"}
    [(file_id,)] = scene.rows("SELECT id FROM payout_file")
    with ThreadPoolExecutor(12) as pool:
        sent = [
            answer.status_code
            for answer in pool.map(lambda client: client.post(f"/v1/payout-files/{file_id}/send", json=body), asking)
        ]
    assert (sent.count(200), sent.count(409)) == (1, 11)
    with ThreadPoolExecutor(12) as pool:
        paid = [answer.status_code for answer in pool.map(lambda client: client.post(f"{payout}/confirm", json=body), asking)]
    assert (paid.count(200), paid.count(409)) == (1, 11)
    assert (scene.balance("settled"), scene.balance("payouts")) == (0, 0)
    assert scene.rows("SELECT sum(amount_fen)::bigint FROM money_posting WHERE account = 'bank'") == [(0,)]  # came in and went out


@pytest.mark.slow
def test_one_person_never_does_both_in_two_sessions_at_once(scene):
    """Approving and releasing, pressed by the same person in the same moment, many times."""
    scene.account()
    row = scene.settled()
    payout = f"/v1/payouts/{row['payout_id']}"
    asking = sessions(scene.api, scene.database, scene.people["treasurer"], 12)

    def press(number):
        return asking[number].post(f"{payout}/{'release' if number % 2 else 'approve'}", **({} if number % 2 else {"json": {}}))

    with ThreadPoolExecutor(12) as pool:
        statuses = [answer.status_code for answer in pool.map(press, range(12))]
    assert statuses.count(200) == 1
    assert scene.rows("SELECT status, released_by FROM payout") == [("approved", None)]


@pytest.mark.slow
def test_an_objection_a_confirmation_and_a_release_at_once_exclude_one_another(scene):
    scene.account()
    for _ in range(4):
        scene.delivered(1)
        scene.later(20)
        scene.run()
        row = scene.settlement()
        payout = f"/v1/payouts/{row['payout_id']}"
        scene.cashier.post(f"{payout}/approve", json={})
        with ThreadPoolExecutor(3) as pool:
            objected = pool.submit(scene.farm.post, f"/v1/settlements/{row['id']}/object", json={"reason": "少一单"})
            confirmed = pool.submit(scene.farm.post, f"/v1/settlements/{row['id']}/confirm")
            released = pool.submit(scene.treasurer.post, f"{payout}/release")
            codes = sorted([objected.result().status_code, confirmed.result().status_code])
        assert codes == [200, 409]
        if released.result().status_code == 200:
            assert confirmed.result().status_code == 200


@pytest.mark.slow
def test_one_person_in_many_sessions_has_no_payout_that_failed_paid_again(scene):
    """Failing, approving and releasing, pressed by the same person in the same moment: it never leaves a second time, until another releases it."""
    scene.account()
    for left in (True, False):
        row = scene.settled()
        payout = f"/v1/payouts/{row['payout_id']}"
        assert scene.release(row["payout_id"]).status_code == 200
        if left:
            scene.treasurer.post(f"{payout}/confirm", json={"reference": "B-1"})
        asking = sessions(scene.api, scene.database, scene.people["treasurer"], 12)
        verbs = [("fail", {"reason": "退回"}), ("approve", {}), ("release", {})] * 4

        def press(number, payout=payout, asking=asking, verbs=verbs):
            verb, body = verbs[number]
            return verb, asking[number].post(f"{payout}/{verb}", json=body).status_code

        with ThreadPoolExecutor(12) as pool:
            pressed = [*pool.map(press, range(12)), *pool.map(press, range(12))]
        # of what was paid another person has to confirm that it failed
        assert sorted(verb for verb, status in pressed if status == 200) == (["fail"] if left else ["approve", "fail"])
        assert scene.rows("SELECT count(*) FROM payout_attempt WHERE payout_id = :id", id=row["payout_id"]) == [(1,)]
    assert differences(scene.database) == {}


@pytest.mark.parametrize(
    "planted",
    [
        "UPDATE payout SET status = 'released' WHERE status = 'failed'",
        "UPDATE payout SET status = 'released', released_by = :treasurer WHERE status = 'failed'",
        "UPDATE payout SET status = 'approved' WHERE status = 'failed'",
        "UPDATE payout SET approved_by = :cashier WHERE status = 'failed'",
        "UPDATE payout SET status = 'failed' WHERE status = 'paid'",
    ],
)
def test_the_database_keeps_no_approval_of_what_failed(scene, planted):
    scene.account()
    row = scene.settled()
    scene.release(row["payout_id"])
    scene.cashier.post(f"/v1/payouts/{row['payout_id']}/confirm", json={"reference": "B-1"})
    if "WHERE status = 'failed'" in planted:
        scene.fails(row["payout_id"])
    values = {name: scene.people[name].id for name in ("cashier", "treasurer") if f":{name}" in planted}
    with pytest.raises(IntegrityError, match=r"ck_payout_(approved|released)"):
        scene.rows(f"{planted} RETURNING id", **values)
