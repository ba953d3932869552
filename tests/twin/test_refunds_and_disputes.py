"""Money that goes back: refunds that succeed, wait, fail later; disputes that are lost or won."""

import pytest
import stripe

from tests.stripe_twin.fixture import Twin
from tests.twin.conftest import paid


def available(client: stripe.StripeClient) -> int:
    return int(client.v1.balance.retrieve().available[0].amount)


def test_never_above_what_is_left(twin: Twin, client: stripe.StripeClient) -> None:
    whole = paid(client, 1_234)
    client.v1.refunds.create({"payment_intent": whole.id, "amount": 234, "reason": "requested_by_customer", "metadata": {"r": "1"}})
    for amount in (1_001, 1_001_233):
        with pytest.raises(stripe.InvalidRequestError, match=r"greater than unrefunded amount on charge \(¥10.00 CNY\)") as refused:
            client.v1.refunds.create({"payment_intent": whole.id, "amount": amount})
        assert refused.value.param == "amount"
    rest = client.v1.refunds.create({"charge": str(whole.latest_charge)})
    assert (rest.amount, rest.status) == (1_000, "succeeded")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": whole.id})
    assert refused.value.code == "charge_already_refunded"
    charge = client.v1.charges.retrieve(str(whole.latest_charge), {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (1_234, True)
    assert charge.refunds is not None
    assert [each.amount for each in charge.refunds.data] == [1_000, 234]
    assert twin.check() == []


def test_fails_later_and_the_money_is_back(twin: Twin, client: stripe.StripeClient) -> None:
    twin.settings(refund_after=3600)
    whole = paid(client, method="pm_card_refundFail")
    twin.advance(3 * 24 * 3600)
    before = available(client)
    refund = client.v1.refunds.create({"payment_intent": whole.id, "amount": 4_000})
    assert refund.status == "succeeded"
    assert available(client) == before - 4_000
    twin.advance(3700)
    failed = client.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    back = failed.failure_balance_transaction
    assert isinstance(back, stripe.BalanceTransaction)
    assert (back.type, back.amount) == ("refund_failure", 4_000)
    assert available(client) == before
    assert client.v1.charges.retrieve(str(whole.latest_charge)).amount_refunded == 0
    told = [each for each in twin.objects("event") if each["type"] in ("refund.failed", "refund.updated", "charge.refund.updated")]
    assert [each["type"] for each in told] == ["refund.failed", "refund.updated", "charge.refund.updated"]
    assert told[0]["data"]["previous_attributes"]["status"] == "succeeded"
    assert client.v1.refunds.create({"payment_intent": whole.id}).amount == 10_000
    assert twin.check() == []


def test_waits_and_can_be_canceled(twin: Twin, client: stripe.StripeClient) -> None:
    twin.settings(refund_after=3600)
    whole = paid(client, method="pm_card_pendingRefund")
    first = client.v1.refunds.create({"payment_intent": whole.id, "amount": 1_000})
    second = client.v1.refunds.create({"payment_intent": whole.id, "amount": 2_000})
    assert (first.status, first.pending_reason) == ("pending", "processing")
    assert client.v1.refunds.cancel(second.id).status == "canceled"
    twin.advance(3700)
    assert client.v1.refunds.retrieve(first.id).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.cancel(first.id)
    assert client.v1.charges.retrieve(str(whole.latest_charge)).amount_refunded == 1_000
    assert [each.id for each in client.v1.refunds.list({"payment_intent": whole.id}).data] == [second.id, first.id]
    assert twin.check() == []


def test_any_refund_fails_when_a_test_says_so(twin: Twin, client: stripe.StripeClient) -> None:
    refund = client.v1.refunds.create({"payment_intent": paid(client).id})
    twin.tell(f"refunds/{refund.id}", status="failed", reason="lost_or_stolen_card")
    assert client.v1.refunds.retrieve(refund.id).failure_reason == "lost_or_stolen_card"
    assert twin.check() == []


@pytest.mark.parametrize(("evidence", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_a_dispute(twin: Twin, client: stripe.StripeClient, evidence: str, status: str) -> None:
    whole = paid(client, method="pm_card_createDispute")
    twin.advance(3 * 24 * 3600)
    dispute = client.v1.disputes.list({"payment_intent": whole.id}).data[0]
    assert (dispute.status, dispute.amount, dispute.reason) == ("needs_response", 10_000, "fraudulent")
    charged_back = 10_000 - 320 - 10_000 - 1_500
    assert available(client) == charged_back
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": whole.id})
    assert refused.value.code == "charge_disputed"
    assert client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}}).status == "under_review"
    twin.advance(20)
    ended = client.v1.disputes.retrieve(dispute.id)
    assert ended.status == status
    assert available(client) == charged_back + (10_000 if status == "won" else 0)
    kinds = [each["type"] for each in twin.objects("event") if each["type"].startswith("charge.dispute")]
    assert kinds[:2] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert ("charge.dispute.funds_reinstated" in kinds) == (status == "won")
    assert twin.check() == []


def test_a_dispute_nobody_answers_is_lost(twin: Twin, client: stripe.StripeClient) -> None:
    whole = paid(client)
    opened = twin.tell("disputes", charge=whole.latest_charge, amount=3_000, reason="product_not_received")
    twin.advance(10 * 24 * 3600)
    lost = client.v1.disputes.retrieve(opened["id"])
    assert (lost.status, lost.amount, lost.evidence_details.past_due) == ("lost", 3_000, True)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.close(lost.id)
    assert twin.check() == []


def test_an_inquiry_moves_no_money(twin: Twin, client: stripe.StripeClient) -> None:
    whole = paid(client, method="pm_card_createDisputeInquiry")
    twin.settle()
    inquiry = client.v1.disputes.list().data[0]
    assert (inquiry.status, inquiry.balance_transactions) == ("warning_needs_response", [])
    assert client.v1.refunds.create({"payment_intent": whole.id}).status == "succeeded"
    assert twin.tell(f"disputes/{inquiry.id}", outcome="won")["status"] == "warning_closed"
    assert twin.check() == []


def test_a_dispute_overtakes_a_waiting_refund(twin: Twin, client: stripe.StripeClient) -> None:
    whole = paid(client, method="pm_card_pendingRefund")
    refund = client.v1.refunds.create({"payment_intent": whole.id})
    assert twin.tell("disputes", charge=whole.latest_charge)["amount"] == 10_000
    assert client.v1.refunds.retrieve(refund.id).failure_reason == "charge_for_pending_refund_disputed"
    assert twin.check() == []
