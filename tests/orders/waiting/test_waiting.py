"""Two-person work tells those who may be the second person, and stands on one list until it is decided."""

from datetime import date, datetime, timedelta

import pytest

from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.factories.identity import make_user
from tests.factories.money import PAYEE
from tests.factories.settling import make_settling
from workers.handlers import HANDLERS


@pytest.fixture
def scene(api, database, monkeypatch):
    return make_settling(api, database, monkeypatch)


def listed(client, **asked):
    answer = client.get("/v1/finance/waiting", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def told(client):
    return [row["kind"] for row in client.get("/v1/notifications").json()["items"] if row["kind"].endswith(".waiting")][::-1]


def drain(scene):
    outbox.drain(scene.database, HANDLERS)


def mailed(scene, kind):
    """Who gets a mail of a kind."""
    return [
        row[0]
        for row in scene.rows(
            "SELECT m.user_id FROM notification_mail m JOIN notification n ON n.id = m.notification_id WHERE n.kind = :kind ORDER BY 1",
            kind=kind,
        )
    ]


def with_mail(scene):
    scene.rows("UPDATE app_user SET email = username || '@example.org' RETURNING id")


def overpaid(scene):
    order = scene.delivered(1, paid=False)
    scene.pay(order.order_id, 10_000)
    return order.order_id


@pytest.mark.slow
def test_a_refund_waits_for_another_person(scene):
    with scene.database.unit_of_work() as session:
        elsewhere = make_user(session, Role.PLATFORM_FINANCE, region_code="500229")
        near = make_user(session, Role.PLATFORM_FINANCE, region_code=scene.market.school.region_code)
        officer = make_user(session, Role.CITY_OFFICER, region_code="500000")
    with_mail(scene)
    order = overpaid(scene)
    asked = scene.cashier.post(
        f"/v1/purchase-orders/{order}/refunds", json={"amount": "30.10", "reason": "多付", "payee": PAYEE}
    ).json()
    assert (asked["requested_by"], asked["requested_by_name"]) == (scene.people["cashier"].id, scene.people["cashier"].name)
    assert (asked["approved_by"], asked["approved_by_name"]) == (None, None)
    drain(scene)
    assert told(scene.treasurer) == told(scene.api.as_(near)) == ["refund.waiting"]
    for other in (scene.cashier, scene.api.as_(elsewhere), scene.api.as_(officer), scene.buyer):
        assert told(other) == []
    assert mailed(scene, "refund.waiting") == sorted([scene.people["treasurer"].id, near.id])
    [row] = listed(scene.treasurer)
    assert {name: row[name] for name in ("kind", "id", "link", "number", "amount", "own")} == {
        "kind": "refund",
        "id": asked["id"],
        "link": f"/v1/refunds/{asked['id']}",
        "number": asked["number"],
        "amount": "30.10",
        "own": False,
    }
    assert (row["asked_by"], row["asked_by_name"]) == (scene.people["cashier"].id, scene.people["cashier"].name)
    assert datetime.fromisoformat(row["since"]) == datetime.fromisoformat(asked["requested_at"])
    assert scene.treasurer.get(row["link"]).json()["id"] == asked["id"]
    [own] = listed(scene.cashier)
    assert own["own"] is True
    assert (listed(scene.cashier, own=False), listed(scene.treasurer, own=True)) == ([], [])
    assert (listed(scene.api.as_(elsewhere)), len(listed(scene.api.as_(near)))) == ([], 1)
    done = scene.treasurer.post(f"/v1/refunds/{asked['id']}/approve").json()
    assert (done["approved_by"], done["approved_by_name"]) == (scene.people["treasurer"].id, scene.people["treasurer"].name)
    assert listed(scene.treasurer) == []
    for client in (scene.buyer, scene.farm, scene.api.as_(officer)):
        assert client.get("/v1/finance/waiting").status_code == 403


def test_one_that_was_decided_before_anybody_heard_of_it_is_not_told(scene):
    order = overpaid(scene)
    asked = scene.cashier.post(
        f"/v1/purchase-orders/{order}/refunds", json={"amount": "30.10", "reason": "多付", "payee": PAYEE}
    ).json()
    scene.treasurer.post(f"/v1/refunds/{asked['id']}/approve")
    drain(scene)
    assert told(scene.treasurer) == []


@pytest.mark.slow
def test_a_payout_waits_for_its_release_and_again_after_it_failed(scene):
    scene.account()
    row = scene.settled()
    drain(scene)
    path = f"/v1/payouts/{row['payout_id']}"
    # the cashier ran the settlement; whoever releases it neither did that nor approved it
    with scene.database.unit_of_work() as session:
        user = make_user(session, Role.PLATFORM_FINANCE)
    third = scene.api.as_(user)
    assert listed(scene.treasurer, kind="payout") == []
    shown = third.post(f"{path}/approve", json={}).json()
    assert (shown["drafted_by_name"], shown["released_by"], shown["released_at"]) == (scene.people["cashier"].name, None, None)
    assert shown["approved_by_name"] is not None
    drain(scene)
    assert told(scene.treasurer)[-1] == "payout.waiting"
    assert "payout.waiting" not in told(third) + told(scene.cashier)
    [waits] = listed(scene.treasurer, kind="payout")
    assert (waits["number"], waits["amount"], waits["own"]) == (row["number"], "699.00", False)
    assert [listed(client, kind="payout")[0]["own"] for client in (third, scene.cashier)] == [True, True]
    assert [len(listed(client, kind="payout", own=True)) for client in (third, scene.cashier)] == [1, 1]
    shown = scene.treasurer.post(f"{path}/release").json()
    name = scene.people["treasurer"].name
    assert (shown["released_by_name"], shown["attempts"][0]["released_by_name"]) == (name, name)
    assert shown["released_at"] == shown["attempts"][0]["released_at"]
    exported = scene.cashier.get("/v1/payouts", params={"format": "csv"}).content.decode("utf-8-sig").splitlines()[1].split(",")
    assert (exported[7], exported[10:12]) == (scene.people["cashier"].name, [name, str(clock.today())])
    assert listed(scene.treasurer, kind="payout") == []
    scene.cashier.post(f"{path}/fail", json={"reason": "户名不符"})
    drain(scene)
    # nobody's word of before counts: it waits for whoever approves it again, and only then for its release
    for client in (scene.treasurer, scene.cashier, third):
        assert "payout.failed_waiting" in {item["kind"] for item in client.get("/v1/notifications").json()["items"]}
        [waits] = listed(client, kind="payout")
        assert (waits["asked_by"], waits["own"], waits["not_before"]) == (None, False, None)
    assert told(scene.treasurer).count("payout.waiting") == 1
    third.post(f"{path}/approve", json={})
    drain(scene)
    assert told(scene.treasurer).count("payout.waiting") == 2
    [waits] = listed(scene.treasurer, kind="payout")
    assert (waits["asked_by_name"], waits["own"]) == (shown["approved_by_name"], False)


def test_a_payout_within_the_days_for_objections_says_from_when_it_can_be_released(scene):
    scene.account()
    scene.delivered(10)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    path = f"/v1/payouts/{row['payout_id']}"
    scene.cashier.post(f"{path}/approve", json={})
    [waits] = listed(scene.treasurer, kind="payout")
    until = date.fromisoformat(row["objections_until"])
    assert waits["not_before"] == str(until + timedelta(days=1))
    assert scene.treasurer.post(f"{path}/release").json()["code"] == "objection_period_running"
    scene.later((until - clock.today()).days)
    assert listed(scene.treasurer, kind="payout") == [waits]
    scene.later(1)
    [waits] = listed(scene.treasurer, kind="payout")
    assert waits["not_before"] is None
    assert scene.treasurer.post(f"{path}/release").status_code == 200


def test_accounts_advances_and_payers_wait_too_the_oldest_first_and_by_pages(scene):
    body = {
        "holder": scene.market.suppliers[0].name,
        "bank": "重庆农村商业银行",
        "number": "3100021009014400123",
        "reason": "首次登记",
    }
    account = scene.farm.post("/v1/payout-accounts", json=body).json()
    assert (account["requested_by_name"], account["decided_by"]) == (scene.market.sellers[0].name, None)
    order = scene.delivered(1, paid=False)
    payer = {"payer_name": "张三", "reason_code": "personal", "reason": "垫付"}
    declared = scene.cashier.post(f"/v1/purchase-orders/{order.order_id}/payer-declarations", json=payer).json()
    assert (declared["declared_by"], declared["decided_by_name"]) == (scene.people["cashier"].id, None)
    values = {"s": scene.market.suppliers[0].id, "b": scene.market.school.id, "u": scene.market.purchaser.id, "f": clock.today()}
    scene.rows(
        "INSERT INTO agreement (number, title, buyer_id, supplier_id, fund_source, valid_from, valid_until, amount_cap_fen, tolerance_percent,"
        " call_off_lead_days, terms, status, created_by, created_at, buyer_signed_at, supplier_signed_at, terms_hash)"
        " VALUES ('AG1', '脐橙', :b, :s, 'canteen', :f, '2099-12-31', 100000, 0, 3, '', 'active', :u, now(), now(), now(), 'x') RETURNING id",
        **values,
    )
    [found] = scene.cashier.get("/v1/advances/agreements", params={"q": "ag1"}).json()["items"]
    advance = scene.cashier.post("/v1/advances", json={"agreement_id": found["id"], "amount": "300.00", "reason": "备货"}).json()
    assert (advance["requested_by_name"], advance["approved_by_name"]) == (scene.people["cashier"].name, None)
    drain(scene)
    kinds = ["payout_account", "payer_declaration", "advance"]
    assert told(scene.treasurer) == [f"{kind}.waiting" for kind in kinds]
    assert told(scene.cashier) == ["payout_account.waiting"]
    rows = listed(scene.treasurer)
    assert [row["kind"] for row in rows] == kinds
    assert [row["id"] for row in rows] == [account["id"], declared["id"], advance["id"]]
    assert [row["amount"] for row in rows] == [None, None, "300.00"]
    assert all(scene.treasurer.get(row["link"]).status_code == 200 for row in rows)
    pages, after = [], None
    while True:
        page = scene.treasurer.get("/v1/finance/waiting", params={"limit": 1} | ({"after": after} if after else {})).json()
        pages += page["items"]
        after = page["next"]
        if after is None:
            break
    assert pages == rows
    for odd in ({"after": "nonsense"}, {"kind": "bribe"}, {"limit": 0}):
        assert scene.treasurer.get("/v1/finance/waiting", params=odd).status_code == 422
    for path in (f"payout-accounts/{account['id']}", f"payer-declarations/{declared['id']}"):
        assert scene.treasurer.post(f"/v1/{path}/approve", json={}).json()["decided_by_name"] == scene.people["treasurer"].name
    assert scene.treasurer.post(f"/v1/advances/{advance['id']}/approve").json()["approved_by"] == scene.people["treasurer"].id
    assert listed(scene.treasurer) == []
