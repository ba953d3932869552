"""Settlements that are paid out by the provider: the payout ends as its transfer does."""

import pytest

from orders.online import seen
from orders.online.actions import connecting
from tests.factories.settling import Settling

pytestmark = pytest.mark.slow


@pytest.fixture
def scene(online, monkeypatch):
    return Settling(
        online.api, online.database, online.market, monkeypatch, {"cashier": online.cashier, "treasurer": online.treasurer}
    )


@pytest.fixture
def connected(online):
    """The first supplier's account at the provider, ready to be paid to."""
    assert online.api.as_(online.market.sellers[0]).post("/v1/connected-account", json={"country": "HK"}).status_code == 201
    online.work()
    account = str(online.sql("SELECT account_id FROM connected_account"))
    online.twin.tell(f"onboard/{account}")
    online.rows("UPDATE connected_account SET looked_at = now() - interval '1 hour' RETURNING id")
    online.reconcile()
    return account


def settled(scene, online):
    """An order that was paid online and accepted, and its settlement, confirmed."""
    made = scene.delivered(10, paid=False)
    payment = online.begin(made.order_id)
    online.work()
    online.confirm(online.intent(payment["id"]), "pm_card_bypassPending")
    online.reconcile()
    scene.later(20)
    scene.run()
    row = scene.settlement()
    scene.farm.post(f"/v1/settlements/{row['id']}/confirm")
    return row


def release(scene, row):
    path = f"/v1/payouts/{row['payout_id']}"
    assert scene.cashier.post(f"{path}/approve", json={"method": "stripe"}).status_code == 200
    assert scene.treasurer.post(f"{path}/release").status_code == 200
    return path


def test_a_payout_is_transferred_and_paid(scene, online, connected):
    scene_row = settled(scene, online)
    # what is at the provider is less by its fee, so something more has to be there
    online.paid(1, card="pm_card_bypassPending")
    path = release(scene, scene_row)
    online.work()
    shown = scene.farm.get(path).json()
    assert (shown["status"], shown["reference"][:3]) == ("paid", "tr_")
    [transfer] = online.twin.objects("transfer")
    assert (transfer["amount"], transfer["destination"]) == (69_900, connected)
    report = online.reconcile()
    assert (report.unexplained, report.difference_fen, online.account("payouts")) == (0, 0, 0)
    assert online.at_provider() == online.account("online")
    # a part is taken back by the provider: owed again, and the rest stays paid
    online.twin.client().v1.transfers.reversals.create(transfer["id"], {"amount": 10_000})
    assert online.reconcile().unexplained == 0
    assert online.reconcile().entries == 0
    shown = scene.farm.get(path).json()
    assert (shown["status"], shown["returned"]) == ("paid", "100.00")
    assert (online.account("settled"), online.account("unallocated")) == (-10_000, 0)
    assert online.at_provider() == online.account("online")
    # and all that is left
    online.twin.client().v1.transfers.reversals.create(transfer["id"])
    assert online.reconcile().unexplained == 0
    assert scene.farm.get(path).json()["returned"] == "699.00"
    assert online.account("settled") == -69_900
    assert online.at_provider() == online.account("online")
    drafts = scene.farm.get("/v1/payouts", params={"status": "draft"}).json()["items"]
    assert [each["amount"] for each in drafts] == ["599.00", "100.00"]
    kinds = online.rows("SELECT data FROM notification WHERE kind = 'online_transfer.reversed' ORDER BY id")
    assert len({str(each) for each in kinds}) == 2


def test_a_transfer_that_is_reversed_as_a_whole_can_be_released_again(scene, online, connected):
    row = settled(scene, online)
    online.paid(1, card="pm_card_bypassPending")
    path = release(scene, row)
    online.work()
    [transfer] = online.twin.objects("transfer")
    online.twin.client().v1.transfers.reversals.create(transfer["id"])
    online.reconcile()
    assert scene.farm.get(path).json()["status"] == "failed"
    assert online.at_provider() == online.account("online")
    assert online.account("settled") == -69_900


def test_what_the_provider_refuses_can_go_by_the_bank(scene, online, connected):
    path = release(scene, settled(scene, online))  # there is not enough, because of the fee
    online.work()
    shown = scene.farm.get(path).json()
    assert shown["status"] == "failed"
    assert online.account("payouts") == 0
    scene.account()
    assert scene.cashier.post(f"{path}/approve", json={"method": "bank"}).status_code in (200, 409)


def test_one_whose_account_was_closed_meanwhile_fails_at_once(scene, online, connected):
    path = release(scene, settled(scene, online))
    online.rows("UPDATE connected_account SET enabled = false RETURNING id")
    online.work()
    assert scene.farm.get(path).json()["status"] == "failed"
    assert online.twin.objects("transfer") == []


@pytest.mark.slow
def test_a_transfer_that_reached_the_supplier_after_all_ends_no_other_release(scene, online, connected):
    """The provider refused it, the bank carries the payout out, and then it shows the transfer: the supplier has that in advance."""
    row = settled(scene, online)
    path = release(scene, row)
    online.work()
    assert scene.farm.get(path).json()["status"] == "failed"
    scene.account()
    assert scene.release(row["payout_id"]).status_code == 200
    [(transfer_id, reference)] = online.rows("SELECT id, reference FROM online_transfer")
    for _ in range(2):  # told twice
        with online.database.unit_of_work() as session:
            observed = seen.Transferred("tr_late", 69_900, 0, connected, {"reference": reference})
            assert connecting.settle_transfer(session, observed)
        online.work()
        online.rows("UPDATE outbox_event SET done_at = NULL WHERE payload->>'status' = 'paid' RETURNING id")
    shown = scene.farm.get(path).json()
    assert (shown["status"], shown["attempts"][-1]["outcome"]) == ("released", None)
    assert (online.account("payouts"), online.account("advances")) == (-69_900, 69_900)
    assert online.rows(
        "SELECT count(*) FROM notification WHERE kind = 'online_transfer.found' AND subject_id = :id", id=transfer_id
    )[0][0]
    with online.database.unit_of_work() as session:  # what comes back of it finance looks at
        assert not connecting.settle_transfer(
            session, seen.Transferred("tr_late", 69_900, 69_900, connected, {"reference": reference})
        )
