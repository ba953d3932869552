"""Answers that come by themselves: each moment once, to the mail or to the webhooks of whoever asked."""

import email
from datetime import UTC, date, datetime, timedelta
from email import policy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from orders.exporting import actions
from orders.exporting.rules import Period, Rhythm, days_of, next_after
from shop.core import clock, mail, outbox
from shop.core.clock import SHANGHAI
from shop.identity.permissions import Role
from shop.notifications import mailing
from shop.webhooks.actions import feed
from tests.factories.identity import make_user
from tests.factories.racing import at_once
from tests.factories.webhooks import make_endpoint
from tests.orders.exporting.shop import asked, content
from workers.handlers import HANDLERS

MAY = datetime(2026, 5, 4, 2, tzinfo=UTC)
MONTHLY = {
    "title": "区县月报",
    "export": {"kind": "sales", "format": "csv", "parameters": {"group_by": ["district"]}},
    "period": "last_month",
    "rhythm": "monthly",
    "month_day": 5,
    "hour": 8,
    "way": "email",
}


def scheduled(client, **changes):
    answer = client.post("/v1/export-schedules", json=MONTHLY | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


def answered(database):
    with database.unit_of_work() as session:
        return actions.run_due(session)


def test_the_answer_comes_once_by_mail_with_the_file_and_a_link(monitor, tmp_path):
    with clock.fixed(MAY):
        schedule = scheduled(monitor)
        assert schedule["next_at"] == "2026-05-05T00:00:00Z"
        assert answered(monitor.database) == 0
    with clock.fixed(MAY + timedelta(days=1)):
        counts = at_once([lambda: answered(monitor.database)] * 6)
        assert sum(counts) == 1
        outbox.drain(monitor.database, HANDLERS)
        assert answered(monitor.database) == 0
        shown = monitor.get(f"/v1/export-schedules/{schedule['id']}").json()
        [delivery] = shown["deliveries"]
        assert (delivery["status"], delivery["due_at"]) == ("done", "2026-05-05T00:00:00Z")
        assert shown["next_at"] == "2026-06-05T00:00:00Z"
        export = monitor.get(f"/v1/exports/{delivery['export_id']}").json()
        assert export["parameters"] == {"group_by": ["district"], "from": "2026-04-01", "to": "2026-04-30"}
        body = content(monitor, export)
        assert mailing.send_due(monitor.database, mail.Folder(tmp_path)) == 1
    [sent] = [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in tmp_path.glob("*.eml")]
    [attached] = list(sent.iter_attachments())
    assert attached.get_payload(decode=True) == body
    assert (attached.get_content_type(), attached.get_filename()) == ("text/csv", export["name"])
    assert f"/v1/exports/{export['id']}" in sent.get_body().get_content()
    assert sent["To"] == "monitor@example.org"
    assert "区县月报" in sent["Subject"]
    assert "MiB" not in sent.get_body().get_content()


def test_the_period_says_which_days_and_the_parameters_name_none(monitor):
    days = {"sales": {"from": "2026-01-01"}, "entries": {"to": "2026-01-31"}, "certified": {"on": "2026-01-31"}}
    for kind, parameters in days.items():
        refused = monitor.post("/v1/export-schedules", json=MONTHLY | {"export": {"kind": kind, "parameters": parameters}})
        assert refused.status_code == 422
        assert [fault["field"] for fault in refused.json()["errors"]] == [f"export.parameters.{next(iter(parameters))}"]
    assert scheduled(monitor, export={"kind": "sales", "parameters": {"from": None}})["period"] == "last_month"


def test_a_large_file_is_a_link_only(monitor, tmp_path, monkeypatch):
    """It says why nothing is attached, how large the file is, until when it is kept, and how to fetch it."""
    monkeypatch.setattr("orders.exporting.actions.delivering.LARGEST_ATTACHMENT", 10)
    with clock.fixed(MAY):
        scheduled(monitor)
    with clock.fixed(MAY + timedelta(days=1)):
        answered(monitor.database)
        outbox.drain(monitor.database, HANDLERS)
        mailing.send_due(monitor.database, mail.Folder(tmp_path))
        [delivery] = monitor.get("/v1/export-schedules").json()["items"][0]["deliveries"]
        export = monitor.get(f"/v1/exports/{delivery['export_id']}").json()
    [sent] = [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in tmp_path.glob("*.eml")]
    assert list(sent.iter_attachments()) == []
    body = sent.get_body().get_content()
    assert f"{export['size'] / 2**20:.1f} MiB" in body
    assert clock.shanghai_text(datetime.fromisoformat(export["expires_at"])) in body
    assert f"{export['file']}" in body
    assert "attached" in body or "没有随附" in body


def test_what_a_schedule_delivered_is_found_again_at_a_desk(api, monitor):
    with clock.fixed(MAY):
        schedules = [scheduled(monitor)["id"], scheduled(monitor, title="另一份")["id"]]
    with clock.fixed(MAY + timedelta(days=1)):
        by_hand = asked(monitor, "certified")
        answered(monitor.database)
        outbox.drain(monitor.database, HANDLERS)
        found = monitor.get("/v1/exports", params={"scheduled": True}).json()["items"]
        assert sorted((each["schedule_id"], each["title"]) for each in found) == [
            (schedules[0], "区县月报"),
            (schedules[1], "另一份"),
        ]
        one = next(each for each in found if each["schedule_id"] == schedules[0])
        assert (one["status"], one["due_at"], one["expires_at"]) == ("done", "2026-05-05T00:00:00Z", "2026-05-12T02:00:00Z")
        assert one["delivered_at"] is not None
        assert len(content(monitor, one)) == one["size"] > 0
        [delivery] = monitor.get(f"/v1/export-schedules/{schedules[0]}").json()["deliveries"]
        assert {name: delivery[name] for name in ("name", "size", "expires_at", "file")} == {
            name: one[name] for name in ("name", "size", "expires_at", "file")
        }
        [other] = monitor.get("/v1/exports", params={"scheduled": False}).json()["items"]
        assert (other["id"], other["title"], other["due_at"]) == (by_hand["id"], None, None)
        assert monitor.delete(f"/v1/export-schedules/{schedules[0]}").status_code == 204
        assert [each["id"] for each in monitor.get("/v1/exports", params={"schedule_id": schedules[0]}).json()["items"]] == [
            one["id"]
        ]
        with api.database.unit_of_work() as session:
            user = make_user(session, Role.MONITOR)
        stranger = api.as_(user)
        refused = stranger.get("/v1/exports", params={"schedule_id": schedules[0]})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "schedule_id")
        assert stranger.get("/v1/exports", params={"scheduled": True}).json()["items"] == []
    with clock.fixed(MAY + timedelta(days=9)):
        [gone] = monitor.get("/v1/exports", params={"schedule_id": schedules[1]}).json()["items"]
        [delivery] = monitor.get(f"/v1/export-schedules/{schedules[1]}").json()["deliveries"]
        assert [(each["status"], each["file"]) for each in (gone, delivery)] == [("expired", None)] * 2


def test_webhooks_are_told_of_the_file(api, trade):
    with api.database.unit_of_work() as session:
        user = make_user(session, Role.BUYER_ADMIN, trade.buyers[0])
        make_endpoint(session, trade.buyers[0])
    buyer = api.as_(user)
    with clock.fixed(MAY):
        schedule = scheduled(buyer, way="webhook")
    with clock.fixed(MAY + timedelta(days=1)):
        answered(api.database)
        outbox.drain(api.database, HANDLERS)
        with api.database.unit_of_work() as session:
            feed.put_in_order(session)
        told = [each for each in buyer.get("/v1/changes").json()["items"] if each["type"] == "export.delivered"]
        [delivery] = buyer.get(f"/v1/export-schedules/{schedule['id']}").json()["deliveries"]
        assert (delivery["fault"], delivery["delivered_at"] is not None) == (None, True)
    [change] = told
    assert "/v1/exports/" in str(change)


def test_an_organisation_whose_webhooks_are_not_called_is_told_so(api, trade):
    with api.database.unit_of_work() as session:
        user = make_user(session, Role.BUYER_ADMIN, trade.buyers[0])
        make_endpoint(session, trade.buyers[0], "supplier_order.*")
        make_endpoint(session, trade.buyers[0], status="disabled")
        make_endpoint(session, trade.buyers[1])
    refused = api.as_(user).post("/v1/export-schedules", json=MONTHLY | {"way": "webhook"})
    assert (refused.status_code, refused.json()["code"]) == (422, "no_webhooks")
    assert [fault["field"] for fault in refused.json()["errors"]] == ["way"]
    with api.database.unit_of_work() as session:
        make_endpoint(session, trade.buyers[0], "export.*")
    scheduled(api.as_(user), way="webhook")


def test_a_delivery_says_that_there_was_no_webhook_left_to_call(api, trade):
    with api.database.unit_of_work() as session:
        user = make_user(session, Role.BUYER_ADMIN, trade.buyers[0])
        endpoint_id = make_endpoint(session, trade.buyers[0]).id
    buyer = api.as_(user)
    with clock.fixed(MAY):
        schedule = scheduled(buyer, way="webhook")
        assert buyer.delete(f"/v1/webhook-endpoints/{endpoint_id}").status_code == 204
    with clock.fixed(MAY + timedelta(days=1)):
        answered(api.database)
        outbox.drain(api.database, HANDLERS)
        [delivery] = buyer.get(f"/v1/export-schedules/{schedule['id']}").json()["deliveries"]
        assert (delivery["status"], delivery["delivered_at"]) == ("done", None)
        assert delivery["fault"]["code"] == "no_webhooks"
        assert buyer.get(f"/v1/exports/{delivery['export_id']}/file").status_code == 200


def test_whoever_has_nowhere_to_deliver_to_is_told_so(api, monitor):
    refused = monitor.post("/v1/export-schedules", json=MONTHLY | {"way": "webhook"})
    assert (refused.status_code, refused.json()["code"]) == (422, "no_webhooks")
    with api.database.unit_of_work() as session:
        user = make_user(session, Role.MONITOR)
    refused = api.as_(user).post("/v1/export-schedules", json=MONTHLY)
    assert (refused.status_code, refused.json()["code"]) == (422, "no_email_address")
    assert monitor.post("/v1/export-schedules", json=MONTHLY | {"rhythm": "weekly"}).status_code == 422


def test_a_paused_schedule_rests_and_makes_up_for_nothing(monitor):
    with clock.fixed(MAY):
        schedule = scheduled(monitor, rhythm="daily", month_day=None, period="yesterday")
        path = f"/v1/export-schedules/{schedule['id']}"
        paused = monitor.post(f"{path}/pause").json()
        assert (paused["status"], paused["next_at"]) == ("paused", None)
        assert monitor.post(f"{path}/pause").status_code == 409
    with clock.fixed(MAY + timedelta(days=9)):
        assert answered(monitor.database) == 0
        assert monitor.post(f"{path}/resume", headers={"If-Match": '"1"'}).status_code == 412
        assert monitor.post(f"{path}/resume").json()["next_at"] == "2026-05-14T00:00:00Z"
        assert answered(monitor.database) == 0
    with clock.fixed(MAY + timedelta(days=14)):
        assert answered(monitor.database) == 1, "four days were missed, one answer"
        assert monitor.delete(path).status_code == 204
        assert monitor.get(path).status_code == 404


def test_the_schedule_of_somebody_who_lost_the_right_is_paused_and_says_why(api, monitor):
    with clock.fixed(MAY):
        schedule = scheduled(monitor, export={"kind": "certified"})
    with api.database.unit_of_work() as session:
        session.execute(text("UPDATE user_role SET role = 'platform_finance' WHERE role = 'monitor'"))
    with clock.fixed(MAY + timedelta(days=1)):
        answered(api.database)
        outbox.drain(api.database, HANDLERS)
        assert monitor.get(f"/v1/export-schedules/{schedule['id']}").json()["status"] == "paused"
        told = monitor.get("/v1/notifications").json()["items"]
    assert [each["kind"] for each in told] == ["export_schedule.paused"]


def test_what_is_as_it_is_on_one_day_is_asked_for_the_last_day_of_the_period(monitor):
    with clock.fixed(MAY):
        schedule = scheduled(monitor, export={"kind": "certified"})
    with clock.fixed(MAY + timedelta(days=1)):
        answered(monitor.database)
        outbox.drain(monitor.database, HANDLERS)
        [delivery] = monitor.get(f"/v1/export-schedules/{schedule['id']}").json()["deliveries"]
        export = monitor.get(f"/v1/exports/{delivery['export_id']}").json()
        assert (export["status"], export["parameters"]) == ("done", {"on": "2026-04-30"})
        [told] = monitor.get("/v1/notifications").json()["items"]
    assert "2026-04-30" in str(told)
    assert "(None" not in str(told)


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.sampled_from(Period))
def test_a_period_lies_before_the_day_and_is_whole(today, period):
    first, last = days_of(period, today)
    assert first <= last < today
    if period in (Period.LAST_MONTH, Period.LAST_QUARTER, Period.LAST_YEAR):
        assert first.day == 1
        assert (last + timedelta(days=1)).day == 1
    if period is Period.LAST_WEEK:
        assert (first.isoweekday(), (last - first).days) == (1, 6)


@given(
    st.integers(0, 15 * 365 * 24 * 60).map(lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
    st.sampled_from(Rhythm),
    st.integers(0, 23),
    st.integers(1, 7),
    st.integers(1, 28),
)
def test_the_next_moment_is_the_first_that_fits(moment, rhythm, hour, weekday, month_day):
    due = next_after(moment, rhythm, hour, weekday, month_day)
    local = due.astimezone(SHANGHAI)
    assert due > moment
    assert (local.hour, local.minute) == (hour, 0)
    longest = {Rhythm.DAILY: 1, Rhythm.WEEKLY: 7, Rhythm.MONTHLY: 31}[rhythm]
    assert due - moment <= timedelta(days=longest)
    if rhythm is Rhythm.WEEKLY:
        assert local.isoweekday() == weekday
    if rhythm is Rhythm.MONTHLY:
        assert local.day == month_day


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        (Period.LAST_QUARTER, date(2025, 10, 1), date(2025, 12, 31)),
        (Period.THIS_YEAR, date(2025, 1, 1), date(2025, 12, 31)),
        (Period.THIS_MONTH, date(2025, 12, 1), date(2025, 12, 31)),
        (Period.LAST_30_DAYS, date(2025, 12, 2), date(2025, 12, 31)),
    ],
)
def test_on_new_years_day_to_date_is_the_year_before(period, first, last):
    assert days_of(period, date(2026, 1, 1)) == (first, last)
