"""Mails to the right people, each once, whatever is killed or refused on the way."""

import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text

from shop.app import domain_routes
from shop.core import clock, mail, outbox
from shop.core.settings import settings
from shop.notifications import mailing, rules
from shop.notifications.handlers import HANDLERS
from tests.factories.identity import make_organisation, make_user


def send(database, smtp):
    return mailing.send_due(database, mail.Smtp(smtp.url, timeout=5))


def later(**time):
    return clock.fixed(clock.now() + timedelta(**time))


def states(post):
    return [(row.email, row.status, row.attempts) for row in post.mails()]


# --- who gets one --------------------------------------------------------------------------------------------------


def test_everybody_of_the_organisation_who_has_an_address_gets_one(api, post, smtp, database):
    wanting, without, leaver, muted = (post.person(a) for a in ("a@example.org", None, "gone@example.org", "muted@example.org"))
    deaf = post.person("deaf@example.org")  # nothing in the inbox, but mails
    post.person("officer@example.org", "county_officer", organisation=False, region_code="500236")
    with database.unit_of_work() as session:
        stranger = make_user(session, "purchaser", make_organisation(session))
        session.execute(text("UPDATE app_user SET email = 'stranger@example.org' WHERE id = :id"), {"id": stranger.id})
        session.execute(text("UPDATE app_user SET active = false WHERE id = :id"), {"id": leaver.id})
    api.as_(muted).put("/v1/me/notification-preferences", json={"kinds": {"purchase_order.placed": {"email": False}}})
    api.as_(deaf).put("/v1/me/notification-preferences", json={"kinds": {"purchase_order.placed": {"inbox": False}}})
    post.tell()
    assert {row.user_id for row in post.mails()} == {wanting.id, deaf.id}
    assert without.email is None
    assert send(database, smtp) == 2
    assert sorted(smtp.recipients) == ["a@example.org", "deaf@example.org"]


def test_officers_of_that_region_get_one_whatever_their_office(post, smtp, database):
    for address, role, region in [
        ("county@example.org", "county_officer", "500236"),
        ("monitor@example.org", "monitor", "500236"),
        ("neighbour@example.org", "county_officer", "500237"),
        ("township@example.org", "township_officer", "500236T01"),
        ("city@example.org", "city_officer", "500000"),
    ]:
        if region != "500236T01":
            post.person(address, role, organisation=False, region_code=region)
    both = post.person("both@example.org", "county_officer", region_code="500236")  # also of the organisation
    post.tell(region_code="500236")
    assert send(database, smtp) == 3
    assert sorted(smtp.recipients) == ["both@example.org", "county@example.org", "monitor@example.org"]
    post.tell()
    assert [row.user_id for row in post.mails()[3:]] == [both.id]


def test_the_inbox_and_the_mails_have_one_audience(api, post, database):
    people = [
        post.person(f"{n}@example.org", role, organisation=inside, region_code=region)
        for n, (role, inside, region) in enumerate(
            [
                ("supplier_staff", True, None),
                ("county_officer", True, "500236"),
                ("monitor", False, "500236"),
                ("city_officer", False, None),
                ("platform_admin", False, None),
                ("department_officer", False, "500237"),
                ("supplier_admin", True, None),
            ]
        )
    ]
    post.tell()
    post.tell(region_code="500236")
    post.tell(region_code="500000")
    listed = {(user.id, row["id"]) for user in people for row in api.as_(user).get("/v1/notifications").json()["items"]}
    assert listed == {(row.user_id, row.notification_id) for row in post.mails()}
    assert len(listed) == 6


def test_the_same_event_twice_makes_one_row(post, database):
    post.person("a@example.org")
    post.tell()
    with database.unit_of_work() as session:
        payload = session.execute(text("SELECT payload FROM outbox_event WHERE name = 'notification.made'")).scalar_one()

    def again(_):
        with database.unit_of_work() as session:
            HANDLERS["notification.made"](session, payload)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(again, range(6)))
    assert len(post.mails()) == 1


def test_a_notification_told_twice_has_one_event(post, database):
    post.person("a@example.org")
    for _ in range(2):
        post.tell(origin="the same cause")
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM outbox_event")).scalar_one() == 1
    assert len(post.mails()) == 1


def test_who_leaves_or_switches_off_before_the_sending_gets_none(api, post, smtp, database):
    gone, muted = post.person("gone@example.org"), post.person("muted@example.org")
    unreachable = api.as_(post.person("no@example.org"))
    post.tell()
    with database.unit_of_work() as session:
        session.execute(text("UPDATE app_user SET active = false WHERE id = :id"), {"id": gone.id})
    api.as_(muted).put("/v1/me/notification-preferences", json={"kinds": {"purchase_order.placed": {"email": False}}})
    assert unreachable.patch("/v1/me", json={"email": None}).status_code == 200
    assert send(database, smtp) == 0
    assert {row.status for row in post.mails()} == {"failed"}
    assert smtp.connections == 0


# --- what it says --------------------------------------------------------------------------------------------------


def test_each_in_the_own_language(post, smtp, database):
    post.person("wang@example.org", language="zh")
    post.person("smith@example.org", language="en")
    post.tell(kind="certificate.suspended", number="渝-2026-001", reason="农残超标", subject_type="certification_case")
    assert send(database, smtp) == 2
    by_address = {got["To"]: got for got in smtp.mails}
    chinese, english = by_address["wang@example.org"], by_address["smith@example.org"]
    assert chinese["Subject"] == "证书 渝-2026-001 已暂停：农残超标"
    assert english["Subject"] == "Certificate 渝-2026-001 was suspended: 农残超标"
    place = settings().public_url
    for got, words in [
        (chinese, "关闭“certificate.suspended”的邮件通知"),
        (english, "switch off the mails of “certificate.suspended”"),
    ]:
        body = got.get_content()
        assert body.startswith(got["Subject"])
        assert words in body
        assert f"{place}/v1/certification-cases/1\n" in body.replace("\r\n", "\n")
        assert f"{place}/v1/me/notification-preferences" in body


def test_line_breaks_in_a_name_start_no_header_and_no_line(post, smtp, database):
    post.person("a@example.org", language="en")
    evil = "脐橙\r\nBcc: all@example.org\n\nSee http://evil.example\u2028\x85X-Evil: 1\x00"
    post.tell(kind="certification.noticed", product=evil.replace("\x00", ""))
    assert send(database, smtp) == 1
    (got,) = smtp.mails
    assert got["Bcc"] is None
    assert got["X-Evil"] is None
    assert smtp.recipients == ["a@example.org"]
    assert got["Subject"] == "The public notice on “脐橙 Bcc: all@example.org See http://evil.example X-Evil: 1” has begun"
    assert not any(line.startswith("See http://evil") for line in got.get_content().splitlines())


def test_every_place_that_a_mail_names_is_served():
    routes = [route for each in domain_routes() for route in each.router.routes if isinstance(route, APIRoute)]

    def named(path):
        return re.sub(r"\{[^}]*\}", "{id}", path)

    served = {named(route.path): route for route in routes if "GET" in route.methods or "PUT" in route.methods}
    for place in (*rules.PLACES.values(), rules.INBOX, rules.PREFERENCES):
        path, _, asked = named(place).partition("?")
        assert path in served, place
        known = {parameter.alias for parameter in served[path].dependant.query_params}
        assert {part.partition("=")[0] for part in asked.split("&") if part} <= known, place


# --- sending -------------------------------------------------------------------------------------------------------


def test_of_two_parallel_senders_each_mail_is_sent_once(post, smtp, database):
    for n in range(3):
        post.person(f"{n}@example.org")
    post.tell(10)
    start = threading.Barrier(2)

    def run(_):
        start.wait()
        return send(database, smtp)

    with ThreadPoolExecutor(2) as pool:
        sent = list(pool.map(run, range(2)))
    ids = [got["Message-ID"] for got in smtp.mails]
    assert sum(sent) == len(ids) == len(set(ids)) == 30
    assert min(sent) > 0, "both took part"
    assert {(row.status, row.attempts) for row in post.mails()} == {("sent", 1)}


def test_no_two_claims_take_the_same_mail(post, database):
    post.person("a@example.org")
    post.tell(60)
    start = threading.Barrier(8)

    def take_all(_):
        start.wait()
        taken = []
        while (row := mailing.claim(database)) is not None:
            taken.append(row.id)
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = [each for row in pool.map(take_all, range(8)) for each in row]
    assert sorted(taken) == sorted(row.id for row in post.mails())
    assert len(set(taken)) == 60


def test_a_claim_waits_for_no_other(post, database):
    post.person("a@example.org")
    post.tell(2)
    now = clock.now()
    with database.session() as session:  # another sender, about to commit its claim
        parameters = {"now": now, "lease_ends": now + mailing.LEASE, "max": mailing.MAX_ATTEMPTS}
        first = session.execute(mailing._CLAIM, parameters).one()
        with ThreadPoolExecutor(1) as pool:
            second, third = (pool.submit(mailing.claim, database).result(10) for _ in range(2))
        session.commit()
    assert second.id != first.id
    assert third is None


@pytest.mark.control
def test_without_the_claim_two_senders_send_the_same_mail(post, smtp, database, monkeypatch):
    """The control of the test above: who only looks what is due, sends it twice."""
    post.person("a@example.org")
    post.tell()
    looked, claim = threading.Barrier(2), mailing.claim

    def look(database):
        with database.session() as session:
            monkeypatch.setattr(database, "unit_of_work", lambda: session)
            row = claim(database)
            monkeypatch.undo()
            session.rollback()
        return row

    rows = [look(database), look(database)]
    assert rows[0].id == rows[1].id

    def run(row):
        looked.wait()
        with mail.Smtp(smtp.url) as carrier:
            return mailing._send(database, carrier, row)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, rows))
    assert [got["Message-ID"] for got in smtp.mails] == [smtp.mails[0]["Message-ID"]] * 2


SENDER = "import sys; from shop.core import db, mail; from shop.notifications import mailing; import shop.tables\n"
SENDER += "mailing.send_due(db.Database(sys.argv[1]), mail.Smtp(sys.argv[2]))"


@pytest.mark.slow
@pytest.mark.parametrize(("killed_at", "copies"), [("RCPT", 1), ("END", 2)])
def test_the_mail_of_a_killed_sender_goes_after_the_lease(post, smtp, database, killed_at, copies):
    """Killed before the server took the mail: it comes once. Killed after: it comes twice, as the same message."""
    post.person("a@example.org")
    post.tell()
    smtp.hold_at = killed_at
    sender = subprocess.Popen([sys.executable, "-c", SENDER, database.url, smtp.url])
    try:
        assert smtp.held.wait(30)
    finally:
        sender.kill()
        sender.wait(10)
    smtp.hold_at = None
    smtp.go_on.set()
    assert states(post) == [("a@example.org", "pending", 1)]
    assert send(database, smtp) == 0, "the lease holds"
    with later(seconds=mailing.LEASE.total_seconds() + 60):
        assert send(database, smtp) == 1
        assert send(database, smtp) == 0
    assert states(post) == [("a@example.org", "sent", 2)]
    assert len(smtp.mails) == copies
    assert len({got["Message-ID"] for got in smtp.mails}) == 1


def test_a_mail_that_kills_its_sender_is_parked(post, smtp, database):
    post.person("a@example.org")
    post.tell()
    moment = clock.now()
    for attempt in range(1, mailing.MAX_ATTEMPTS + 1):
        with clock.fixed(moment + attempt * mailing.LEASE * 1.1):
            assert mailing.claim(database).attempts == attempt
    with clock.fixed(moment + 20 * mailing.LEASE):
        assert send(database, smtp) == 0
    assert states(post) == [("a@example.org", "failed", mailing.MAX_ATTEMPTS + 1)]
    assert smtp.mails == []


def test_a_refused_recipient_fails_at_once_and_the_others_get_theirs(post, smtp, database):
    post.person("gone@example.org")
    post.person("here@example.org")
    smtp.refusals = {"gone@example.org": "550 5.1.1 <gone@example.org> unknown"}
    post.tell()
    assert send(database, smtp) == 1
    gone, here = post.mails()
    assert (gone.status, gone.attempts, gone.sent_at) == ("failed", 1, None)
    assert gone.last_error == "550 5.1.1 <…> unknown"
    assert (here.status, here.last_error) == ("sent", None)


def test_a_temporary_refusal_is_tried_again_ever_more_rarely_and_then_no_more(post, smtp, database):
    post.person("full@example.org")
    smtp.refusals = {"full@example.org": "452 mailbox full"}
    post.tell()
    moment, waits = clock.now(), []
    for attempt in range(1, mailing.MAX_ATTEMPTS + 1):
        with clock.fixed(moment):
            assert send(database, smtp) == 0
            assert send(database, smtp) == 0, "not before its time"
        (row,) = post.mails()
        assert (row.attempts, row.last_error) == (attempt, "452 mailbox full")
        waits.append((row.next_attempt_at - moment) / timedelta(minutes=1))
        moment = row.next_attempt_at
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert states(post) == [("full@example.org", "failed", 8)]
    smtp.refusals = {}
    with clock.fixed(moment + timedelta(days=1)):
        assert send(database, smtp) == 0


def test_a_mailbox_that_has_room_again_gets_its_mail(post, smtp, database):
    post.person("full@example.org")
    smtp.refusals = {"full@example.org": "452 mailbox full"}
    post.tell()
    send(database, smtp)
    smtp.refusals = {}
    with later(seconds=61):
        assert send(database, smtp) == 1
    assert states(post) == [("full@example.org", "sent", 2)]
    assert post.mails()[0].last_error is None


def test_without_a_server_one_mail_tries_and_all_wait(post, smtp, database):
    post.person("a@example.org")
    post.tell(5)
    nowhere = "smtp://127.0.0.1:1"
    assert mailing.send_due(database, mail.Smtp(nowhere)) == 0
    assert [row.attempts for row in post.mails()] == [1, 0, 0, 0, 0]
    assert mailing.send_due(database, mail.Smtp(nowhere)) == 0
    assert [row.attempts for row in post.mails()] == [1, 0, 0, 0, 0]
    with later(seconds=61):
        assert send(database, smtp) == 5


def test_a_slow_failure_does_not_undo_what_another_sender_did(post, smtp, database):
    post.person("a@example.org")
    post.tell()
    slow = mailing.claim(database)
    with later(seconds=mailing.LEASE.total_seconds() + 1):
        assert send(database, smtp) == 1
    smtp.refusals = {"a@example.org": "550 no"}
    with mail.Smtp(smtp.url) as carrier:
        assert mailing._send(database, carrier, slow) is False
    assert states(post) == [("a@example.org", "sent", 2)]


def test_without_settings_mails_become_files(post, database, monkeypatch, tmp_path):
    monkeypatch.setattr(mail, "carrier", lambda: mail.Folder(tmp_path))
    post.person("a@example.org")
    post.tell(3)
    assert mailing.send_due(database) == 3
    assert len(list(tmp_path.glob("*.eml"))) == 3


def test_the_worker_task_sends(post, database, monkeypatch, tmp_path):
    from workers import tasks

    monkeypatch.setattr(mail, "carrier", lambda: mail.Folder(tmp_path))
    monkeypatch.setattr(tasks, "database", lambda: database)
    post.person("a@example.org")
    post.tell()
    tasks.send_mail()
    assert [row.status for row in post.mails()] == ["sent"]


def test_a_rejection_keeps_its_reason_though_it_is_told_late(api, post, database):
    """The organisation corrected itself before the worker told it."""
    with database.unit_of_work() as session:
        session.execute(text("UPDATE organisation SET status = 'pending' WHERE id = :id"), {"id": post.supplier.id})
    officer = api.as_(post.person(None, "county_officer", organisation=False, region_code="500236"))
    owner = api.as_(post.person(None, "supplier_admin"))
    place = f"/v1/organisations/{post.supplier.id}"
    assert officer.post(f"{place}/reject", json={"reason": "缺少执照"}).status_code == 200
    assert owner.post(f"{place}/resubmit", json={}).status_code == 200
    outbox.drain(database, HANDLERS)
    assert [row["data"]["reason"] for row in owner.get("/v1/notifications").json()["items"]] == ["缺少执照"]


def test_a_mail_leads_to_its_subject_by_id_or_by_month():
    def link(subject_type, subject_id, **data):
        return rules.mail_body("…", "kind", data, subject_type, subject_id, "en", "https://shop.example/").split()[2]

    assert link("report", 7, month="2026-10") == "https://shop.example/v1/reports/7"
    assert link("monthly_close", 202610, month="2026-10") == "https://shop.example/v1/monthly-closes/2026-10"
    assert link("reports", 0, month="2026-10") == "https://shop.example/v1/reports?month=2026-10"
    assert link("something", 7) == "https://shop.example/v1/notifications"
