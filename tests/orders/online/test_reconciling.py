"""The proof of online payments finds every planted error; and lines that cannot be taken over keep nobody else from being healed."""

import pytest
from sqlalchemy import text

from orders.online.actions import reconciling
from orders.reconcile import report


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE online_payment SET received_fen = received_fen + 1", "online_payments"),
        ("UPDATE online_payment SET status = 'failed', payment_id = NULL", "online_payments"),
        ("UPDATE payment SET method = 'alipay'", "online_payments"),
        ("UPDATE provider_entry SET fee_fen = fee_fen + 1, net_fen = net_fen - 1", "online_fees"),
        ("DELETE FROM provider_entry", "online_fees"),
        ("UPDATE provider_entry SET amount_fen = amount_fen + 1, net_fen = net_fen + 1", "online_statement"),
        ("UPDATE provider_call SET status = 'parked'", "online_dead_calls"),
    ],
)
def test_a_planted_error_is_found(online, statement, check):
    online.paid(1)
    assert report.differences(online.database) == 0
    with online.database.session() as session:
        session.execute(text("SET session_replication_role = replica"))
        # a day and more ago, by the provider's statement
        session.execute(text("UPDATE online_payment SET ended_at = ended_at - interval '2 days'"))
        session.execute(text(statement))
        named = {finding.name for finding in report.findings(session, 0) if finding.count}
        session.rollback()
    assert check in named


def test_a_line_that_cannot_be_taken_over_is_tried_again_and_harms_no_other(online, monkeypatch):
    payments = [online.begin(online.order(1)["id"]) for _ in range(2)]
    online.work()
    intents = [online.intent(payment["id"]) for payment in payments]
    for intent in intents:
        online.confirm(intent)
    online.twin.advance(5)
    apply = reconciling.apply

    def stumbling(session, observed):
        if observed.id == intents[0]:
            raise ValueError("a fault of ours")
        return apply(session, observed)

    monkeypatch.setattr(reconciling, "apply", stumbling)
    monkeypatch.setattr(reconciling, "send_due", lambda *_, **__: 0)  # only the statement heals
    first = online.reconcile()
    assert (first.failed, first.entries) == (1, 1)
    assert online.sql("SELECT count(*) FROM payment WHERE source = 'online'") == 1
    monkeypatch.setattr(reconciling, "apply", apply)
    second = online.reconcile()
    assert (second.failed, second.entries, second.difference_fen) == (0, 1, 0)
    assert online.sql("SELECT count(*) FROM payment WHERE source = 'online'") == 2
