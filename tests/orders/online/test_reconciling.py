"""The proof of online payments finds every planted error; and lines that cannot be taken over keep nobody else from being healed."""

from datetime import timedelta

from sqlalchemy import text

from orders.online import handlers
from orders.online.actions import receiving, reconciling
from orders.online.actions.sending import send_due
from orders.online.provider import Provider
from orders.reconcile import report
from shop.core import clock
from shop.identity.permissions import Role
from tests.factories.after_sales import finds
from tests.factories.identity import make_user
from tests.orders.online.test_webhooks import event, post, signed

#: A statement that spoils what was recorded, and the check that must name it.
PLANTS = [
    ("UPDATE online_payment SET received_fen = received_fen + 1", "online_payments"),
    ("UPDATE online_payment SET status = 'failed', payment_id = NULL", "online_payments"),
    ("UPDATE payment SET method = 'alipay'", "online_payments"),
    ("UPDATE provider_entry SET fee_fen = fee_fen + 1, net_fen = net_fen - 1", "online_fees"),
    ("DELETE FROM provider_entry", "online_fees"),
    ("UPDATE provider_entry SET amount_fen = amount_fen + 1, net_fen = net_fen + 1", "online_statement"),
    ("UPDATE provider_entry SET failed = true", "online_lines_taken_over"),
    ("UPDATE provider_call SET status = 'parked'", "online_dead_calls"),
]


def test_every_planted_error_is_found(online):
    online.paid(1)
    assert report.differences(online.database) == 0
    for statement, check in PLANTS:
        with online.database.session() as session:
            session.execute(text("SET session_replication_role = replica"))
            # a day and more ago, by the provider's statement
            session.execute(text("UPDATE online_payment SET ended_at = ended_at - interval '2 days'"))
            session.execute(text(statement))
            assert finds(session, check), statement
            session.rollback()


def test_the_statement_is_listed_as_it_was_read(online):
    order, _ = online.paid(1)
    online.reconcile()
    cashier = online.api.as_(online.cashier)

    def listed(**asked):
        return cashier.get("/v1/provider-entries", params=asked).json()["items"]

    [line] = listed()
    assert (line["type"], line["amount"], line["purchase_order_number"], line["state"]) == (
        "charge",
        "69.90",
        order["number"],
        "matched",
    )
    assert line["source_id"].startswith("ch_")
    assert round(100 * float(line["net"])) == 6990 - round(100 * float(line["fee"]))
    today = str(clock.today())
    for asked in ({"type": "charge"}, {"matched": True}, {"from": today, "to": today}):
        assert listed(**asked) == [line]
    for asked in ({"type": "refund"}, {"matched": False}, {"to": "2020-01-01"}, {"from": "2099-01-01"}):
        assert listed(**asked) == []
    online.sql("UPDATE provider_entry SET failed = true RETURNING id")
    assert [each["state"] for each in listed(matched=False)] == ["failed"]
    file = cashier.get("/v1/provider-entries", params={"format": "csv"}, headers={"Accept-Language": "zh"}).content.decode(
        "utf-8-sig"
    )
    assert file.splitlines()[1].split(",")[1:4] == ["收款", today, "69.90"]
    assert file.splitlines()[1].endswith(f"{order['number']},待重试")
    online.sql("UPDATE provider_entry SET failed = false RETURNING id")
    online.paid(2)
    online.reconcile()
    first = cashier.get("/v1/provider-entries", params={"limit": 1}).json()
    second = cashier.get("/v1/provider-entries", params={"limit": 1, "after": first["next"]}).json()
    assert [page["items"][0]["amount"] for page in (first, second)] == ["139.80", "69.90"]
    # of a district's money keeper it is none
    with online.database.unit_of_work() as session:
        near = make_user(session, Role.PLATFORM_FINANCE, region_code="500106")
    assert online.api.as_(near).get("/v1/provider-entries").status_code == 403


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
    assert first.difference_fen != 0
    assert online.sql("SELECT count(*) FROM payment WHERE source = 'online'") == 1
    # it is kept, so that it is tried again even when the statement is not read so far back any more
    monkeypatch.setattr(Provider, "entries_since", lambda *_: iter(()))
    assert online.reconcile().failed == 1
    standing = online.api.as_(online.cashier).get("/v1/online-payment-standing").json()
    assert standing["failed_entries"] == 1
    with online.database.unit_of_work() as session:
        county = make_user(session, Role.PLATFORM_FINANCE, region_code="500106")
    answer = online.api.as_(county).get("/v1/online-payment-standing")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    monkeypatch.setattr(reconciling, "apply", apply)
    second = online.reconcile()
    assert (second.failed, second.entries, second.difference_fen) == (0, 1, 0)
    assert (online.reconcile().entries, report.differences(online.database)) == (0, 0)
    assert online.sql("SELECT count(*) FROM payment WHERE source = 'online'") == 2


def test_lines_in_another_currency_are_not_taken_for_yuan(online):
    online.paid(1)
    abroad = online.twin.client().v1.payment_intents.create(
        {"amount": 10_000, "currency": "hkd", "allowed_payment_method_types": ["card"]}
    )
    online.confirm(abroad.id)
    before = online.account("online")
    found = online.reconcile()
    assert (found.foreign, found.entries, found.difference_fen) == (1, 0, 0)
    assert online.account("online") == before == online.at_provider()


def test_finance_hears_once_a_day_of_what_stays_unknown(online):
    def told():
        inbox = online.api.as_(online.cashier).get("/v1/notifications").json()["items"]
        return [each for each in inbox if each["kind"] == "provider_call.stuck"]

    def remind():
        with online.database.unit_of_work() as session:
            return handlers.remind(session)

    online.begin(online.order(1)["id"])
    dead = Provider(online.twin.key, "http://127.0.0.1:9", timeout=(1, 2), retries=0)
    send_due(online.database, dead)
    assert (remind(), told()) == (0, [])
    with clock.fixed(clock.now() + timedelta(hours=3)):
        assert (remind(), remind()) == (1, 1)
        [one] = told()
        assert (one["data"]["count"], one["data"]["hours"]) == (1, 3)
        assert "1 calls" in one["text"]
    with clock.fixed(clock.now() + timedelta(hours=27)):
        remind()
        assert len(told()) == 2
    online.sql("UPDATE provider_call SET next_attempt_at = now() - interval '1 second' RETURNING id")
    online.work()
    with clock.fixed(clock.now() + timedelta(hours=51)):
        assert remind() == 0


def test_metrics_tell_of_what_is_unknown_and_of_events_that_wait(online):
    def gauges():
        names = ("unknown", "unknown_oldest_seconds", "event_lag_seconds", "calls_parked")
        told = dict(line.rsplit(" ", 1) for line in online.api.get("/metrics").text.splitlines() if line.startswith("shop_online_"))
        return [float(told[f"shop_online_{name}"]) for name in names]

    online.begin(online.order(1)["id"])
    assert gauges() == [0, 0, 0, 0]
    send_due(online.database, Provider(online.twin.key, "http://127.0.0.1:9", timeout=(1, 2), retries=0))
    body = event(object_id="pi_1")
    assert post(online, body, signed(body)).status_code == 200
    online.sql("UPDATE online_payment SET created_at = created_at - interval '10 minutes' RETURNING id")
    online.sql("UPDATE provider_call SET created_at = created_at - interval '5 minutes' WHERE operation = 'look' RETURNING id")
    unknown, age, lag, parked = gauges()
    assert (unknown, parked) == (1, 0)
    assert 600 <= age < 700
    assert 300 <= lag < 400
    online.sql("UPDATE provider_call SET next_attempt_at = now() - interval '1 second' RETURNING id")
    online.work()
    assert gauges() == [0, 0, 0, 0]
    online.sql("UPDATE provider_call SET status = 'parked' WHERE operation = 'pay' RETURNING id")
    assert gauges() == [0, 0, 0, 1]


def test_old_events_and_looks_are_dropped_and_what_was_asked_for_stays(online):
    online.paid(1)
    for number in (1, 2):
        body = event(number, object_id="pi_1")
        assert post(online, body, signed(body)).status_code == 200
        online.work()
    online.sql(
        "UPDATE provider_event SET received_at = received_at - interval '31 days' WHERE event_id = 'evt_1' RETURNING event_id"
    )
    online.sql("UPDATE provider_call SET ended_at = ended_at - interval '31 days' RETURNING id")
    last = online.sql("SELECT max(id) FROM provider_call")
    online.sql("UPDATE provider_call SET ended_at = now() WHERE id = :id RETURNING id", id=last)
    with online.database.unit_of_work() as session:
        receiving.forget_old(session)
    assert online.sql("SELECT string_agg(event_id, ',') FROM provider_event") == "evt_2"
    assert [row.operation for row in online.rows("SELECT operation FROM provider_call ORDER BY id")] == ["pay", "look"]
