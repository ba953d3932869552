"""Suppliers' accounts at the provider, and transfers to them."""

import pytest

from orders.online.actions import connecting
from orders.online.errors import NoAccount
from orders.reconcile import report
from shop.core import clock
from tests.factories.statements import statement
from tests.orders.banking.conftest import Desk


@pytest.fixture
def supplier(online):
    """A supplier whose account may be paid to, and money at the provider that is available."""
    seller = online.api.as_(online.market.sellers[0])
    opened = seller.post("/v1/connected-account", json={"country": "HK"})
    assert (opened.status_code, opened.json()["opened"]) == (201, False)
    assert (
        seller.post("/v1/connected-account/link", json={"return_url": "https://x.cn/a"}).json()["code"]
        == "connected_account_missing"
    )
    online.work()
    shown = seller.get("/v1/connected-account").json()
    assert (shown["opened"], shown["enabled"], bool(shown["still_due"])) == (True, False, True)
    asked = seller.post("/v1/connected-account/link", json={"return_url": "https://x.cn/a?b=1"})
    assert asked.status_code == 201
    online.work()
    link = seller.get("/v1/connected-account").json()["link_url"]
    account = online.sql("SELECT account_id FROM connected_account")
    assert link.endswith(account)
    online.twin.tell(f"onboard/{account}")
    online.sql("UPDATE connected_account SET looked_at = now() - interval '1 hour' RETURNING id")
    online.reconcile()
    assert seller.get("/v1/connected-account").json()["enabled"]
    assert "connected_account.enabled" in [row["kind"] for row in seller.get("/v1/notifications").json()["items"]]
    online.paid(10, card="pm_card_bypassPending")
    return online.market.suppliers[0].id


def test_a_supplier_whose_account_was_refused_asks_again_with_another_country(online):
    seller = online.api.as_(online.market.sellers[0])
    online.twin.faults(script=["400"], path="/v1/accounts")
    assert seller.post("/v1/connected-account", json={"country": "CN"}).status_code == 201
    # while it is asked for, asking is the same
    assert seller.post("/v1/connected-account", json={"country": "HK"}).json()["country"] == "CN"
    online.work()
    refused = seller.get("/v1/connected-account").json()
    assert (refused["opened"], bool(refused["refused"])) == (False, True)
    assert "connected_account.refused" in [row["kind"] for row in seller.get("/v1/notifications").json()["items"]]
    again = seller.post("/v1/connected-account", json={"country": "HK"})
    assert (again.status_code, again.json()["id"], again.json()["country"], again.json()["refused"]) == (
        201,
        refused["id"],
        "HK",
        None,
    )
    online.work()
    shown = seller.get("/v1/connected-account").json()
    assert (shown["opened"], shown["refused"]) == (True, None)
    assert [each["country"] for each in online.twin.objects("account")] == ["HK"]
    # what was opened stays
    assert seller.post("/v1/connected-account", json={"country": "CN"}).json()["country"] == "HK"
    assert online.sql("SELECT count(*) FROM provider_call WHERE operation = 'account'") == 2


def send(online, supplier, amount=10_000, payout=7):
    with online.database.unit_of_work() as session:
        connecting.transfer(session, payout, supplier, amount, released_at=RELEASED)


RELEASED = clock.now()


def test_a_payout_is_transferred_once_whatever_is_heard_of_it(online, supplier):
    online.twin.faults(script=["500_after", "timeout_after"], hang=3, path="/v1/transfers")
    for _ in range(3):
        send(online, supplier)
        online.work()
        online.sql("UPDATE provider_call SET next_attempt_at = now() - interval '1 second' WHERE status = 'unknown' RETURNING id")
    online.work()
    [row] = online.rows("SELECT * FROM online_transfer")
    assert (row.status, row.transfer_id[:3], row.payout_id) == ("paid", "tr_", 7)
    assert [each["amount"] for each in online.twin.objects("transfer")] == [10_000]


def test_a_payout_above_the_balance_is_refused_and_finance_hears_of_it(online, supplier):
    send(online, supplier, amount=10**8)
    online.work()
    assert online.sql("SELECT status FROM online_transfer") == "failed"
    kinds = [row["kind"] for row in online.api.as_(online.cashier).get("/v1/notifications").json()["items"]]
    assert "online_transfer.failed" in kinds


def test_who_has_no_account_cannot_be_paid_by_it(online, supplier):
    with pytest.raises(NoAccount), online.database.unit_of_work() as session:
        connecting.transfer(session, 8, online.market.suppliers[1].id, 100, released_at=RELEASED)


def test_a_transfer_that_no_payout_explains_is_an_advance(online, supplier):
    account = online.sql("SELECT account_id FROM connected_account")
    online.twin.client().v1.transfers.create({"amount": 5_000, "currency": "cny", "destination": account})
    cycle = online.reconcile()
    assert (cycle.unexplained, cycle.difference_fen, online.account("advances")) == (0, 0, 5_000)


@pytest.mark.slow
def test_our_own_payout_and_what_nobody_knows(online, supplier):
    client = online.twin.client().v1
    client.payouts.create({"amount": 20_000, "currency": "cny"})
    stranger = client.payment_intents.create({"amount": 1_000, "currency": "cny", "allowed_payment_method_types": ["card"]})
    online.confirm(stranger.id)
    cycle = online.reconcile()
    assert (cycle.unexplained, cycle.difference_fen) == (1, 0)
    # the bank will show the payout; the stranger's money waits until somebody knows for what it is
    assert (online.account("bank"), online.account("unallocated")) == (20_000, -1_000)
    assert online.at_provider() == online.account("online")
    assert report.differences(online.database) == 0
    keeper = online.api.as_(online.cashier)
    standing = keeper.get("/v1/online-payment-standing").json()
    assert (standing["unexplained_entries"], standing["difference"], standing["stand_in"]) == (1, "0.00", True)
    assert "provider_entry.unexplained" in [row["kind"] for row in keeper.get("/v1/notifications").json()["items"]]
    assert online.reconcile().entries == 0


@pytest.mark.slow
def test_our_own_payout_arrives_at_the_bank(online, supplier):
    desk = Desk(online.api, online.database, online.market)
    online.twin.client().v1.payouts.create({"amount": 20_000, "currency": "cny"})
    online.reconcile()
    [on_its_way] = desk.agrees()["outstanding"]
    assert on_its_way["amount"] == "200.00"
    desk.imported(statement((20_000, "支付服务商", "提现", "S1")))
    [line] = desk.lines()
    assert desk.match(line["id"], {"kind": "booked", "transaction_id": on_its_way["transaction_id"]}).status_code == 201
    assert desk.agrees()["outstanding"] == []
    assert (online.account("bank"), online.account("unallocated")) == (20_000, 0)


def test_only_who_speaks_for_a_supplier_opens_an_account(online):
    for user in (online.market.purchaser, online.market.finance, online.cashier):
        assert online.api.as_(user).post("/v1/connected-account", json={}).status_code == 403
    seller = online.api.as_(online.market.sellers[1])
    assert seller.get("/v1/connected-account").json()["code"] == "connected_account_missing"
    first, second = (seller.post("/v1/connected-account", json={}).json()["id"] for _ in range(2))
    assert first == second
    online.work()
    assert len(online.twin.objects("account")) == 1
    assert seller.post("/v1/connected-account/link", json={"return_url": "ftp://x"}).status_code == 422
