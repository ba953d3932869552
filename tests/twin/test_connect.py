"""Connect: accounts that must first tell who they are, transfers and reversals, payouts."""

import pytest
import stripe

from tests.stripe_twin.fixture import Twin
from tests.twin.conftest import account, paid


def funds(client: stripe.StripeClient, id: str | None = None) -> int:
    balance = client.v1.balance.retrieve(options={"stripe_account": id} if id else {})
    return int(balance.available[0].amount)


def test_an_account_becomes_able_by_telling(twin: Twin, client: stripe.StripeClient) -> None:
    made = client.v1.accounts.create({"type": "custom", "country": "HK", "capabilities": {"transfers": {"requested": True}}})
    assert made.requirements is not None
    assert made.requirements.currently_due == ["business_type", "external_account", "tos_acceptance.date", "tos_acceptance.ip"]
    assert (made.payouts_enabled, made.details_submitted) == (False, False)
    paid(client)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.create({"amount": 100, "currency": "cny", "destination": made.id})
    assert refused.value.code == "insufficient_capabilities_for_transfer"
    told = client.v1.accounts.update(
        made.id,
        {
            "business_type": "company",
            "company": {"name": "城口合作社", "tax_id": "91500"},
            "external_account": "btok_us",
            "tos_acceptance": {"date": 1_795_000_000, "ip": "192.0.2.1"},
        },
    )
    assert told.capabilities is not None
    assert (told.capabilities.transfers, told.payouts_enabled) == ("active", True)
    assert client.v1.transfers.create({"amount": 100, "currency": "cny", "destination": made.id}).amount == 100
    closed = twin.tell(f"accounts/{made.id}", rejected="rejected.fraud")
    assert (closed["payouts_enabled"], closed["requirements"]["disabled_reason"]) == (False, "rejected.fraud")


def test_express_accounts_tell_on_a_page(twin: Twin, client: stripe.StripeClient) -> None:
    made = client.v1.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
    link = client.v1.account_links.create(
        {"account": made.id, "type": "account_onboarding", "return_url": "https://shop.example/done", "refresh_url": "https://x/"}
    )
    assert "business_type" in twin.http.get(link.url).text
    back = twin.http.post(link.url, headers={"Accept": "text/html"})
    assert (back.status_code, back.headers["location"]) == (303, "https://shop.example/done")
    assert client.v1.accounts.retrieve(made.id).payouts_enabled is True
    update = [each for each in twin.objects("event") if each["type"] == "account.updated"][-1]
    assert update["account"] == made.id
    assert update["data"]["previous_attributes"]["payouts_enabled"] is False


def test_transfers_and_reversals(twin: Twin, client: stripe.StripeClient) -> None:
    supplier = account(client)
    paid(client, 10_000)
    ours = funds(client)
    made = client.v1.transfers.create(
        {"amount": 6_000, "currency": "cny", "destination": supplier.id, "transfer_group": "S-1", "metadata": {"settlement": "1"}}
    )
    assert (funds(client), funds(client, supplier.id)) == (ours - 6_000, 6_000)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unreversed"):
        client.v1.transfers.reversals.create(made.id, {"amount": 6_001})
    client.v1.transfers.reversals.create(made.id, {"amount": 1_000})
    client.v1.transfers.reversals.create(made.id)
    after = client.v1.transfers.retrieve(made.id)
    assert (after.amount_reversed, after.reversed, len(after.reversals.data)) == (6_000, True, 2)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.transfers.reversals.create(made.id)
    assert (funds(client), funds(client, supplier.id)) == (ours, 0)
    assert [each.id for each in client.v1.transfers.list({"destination": supplier.id, "transfer_group": "S-1"}).data] == [made.id]
    payment = client.v1.charges.retrieve(str(made.destination_payment), options={"stripe_account": supplier.id})
    assert (payment.amount, payment.amount_refunded) == (6_000, 6_000)
    assert twin.check() == []


def test_what_is_not_there_cannot_be_transferred(twin: Twin, client: stripe.StripeClient) -> None:
    supplier = account(client)
    pending = paid(client, 10_000, "pm_card_visa")
    wanted = {"amount": 4_000, "currency": "cny", "destination": supplier.id}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.create(wanted)
    assert refused.value.code == "balance_insufficient"
    # money of one payment may be passed on before it is available
    source = {"source_transaction": str(pending.latest_charge)}
    client.v1.transfers.create(wanted | source)
    client.v1.transfers.create(wanted | source)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.transfers.create(wanted | source)
    assert funds(client, supplier.id) == 0
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payouts.create({"amount": 100, "currency": "cny"}, {"stripe_account": supplier.id})
    twin.advance(2 * 24 * 3600 + 2)
    assert funds(client, supplier.id) == 8_000
    assert twin.check() == []


def test_payouts(twin: Twin, client: stripe.StripeClient) -> None:
    good, bad = account(client), account(client, "000111111116")
    paid(client, 50_000)
    for each in (good, bad):
        client.v1.transfers.create({"amount": 5_000, "currency": "cny", "destination": each.id})
    sent = client.v1.payouts.create({"amount": 5_000, "currency": "cny"}, {"stripe_account": good.id})
    lost = client.v1.payouts.create({"amount": 3_000, "currency": "cny"}, {"stripe_account": bad.id})
    assert (sent.status, funds(client, good.id)) == ("pending", 0)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payouts.create({"amount": 1, "currency": "cny"}, {"stripe_account": good.id})
    twin.advance(2 * 24 * 3600)
    assert client.v1.payouts.retrieve(sent.id, options={"stripe_account": good.id}).status == "paid"
    failed = client.v1.payouts.retrieve(lost.id, options={"stripe_account": bad.id})
    assert (failed.status, failed.failure_code) == ("failed", "no_account")
    assert funds(client, bad.id) == 5_000
    # even a payout that was paid may come back
    twin.tell(f"payouts/{sent.id}", status="failed", reason="account_closed")
    assert funds(client, good.id) == 5_000
    again = client.v1.payouts.create({"amount": 5_000, "currency": "cny"}, {"stripe_account": good.id})
    assert client.v1.payouts.cancel(again.id, options={"stripe_account": good.id}).status == "canceled"
    assert twin.check() == []


def test_accounts_do_not_see_each_other(twin: Twin, client: stripe.StripeClient) -> None:
    one, other = account(client), account(client)
    paid(client, 50_000)
    client.v1.transfers.create({"amount": 5_000, "currency": "cny", "destination": one.id})
    made = client.v1.payouts.create({"amount": 5_000, "currency": "cny"}, {"stripe_account": one.id})
    for options in ({"stripe_account": other.id}, {}):
        with pytest.raises(stripe.InvalidRequestError, match="No such payout"):
            client.v1.payouts.retrieve(made.id, options=options)
    with pytest.raises(stripe.PermissionError):
        client.v1.balance.retrieve(options={"stripe_account": "acct_none"})
    with pytest.raises(stripe.PermissionError):
        client.v1.accounts.retrieve("acct_none")
