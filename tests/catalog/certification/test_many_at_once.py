"""Many cases in requests that meet: each is handed in once, a paper or a list comes to each whole; with the proof that the locks see to it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from catalog.certification.actions import applying, listing, papers
from catalog.certification.actions.cases import Several, any_read
from catalog.certification.actions.papers import Printed
from catalog.certification.api import many
from catalog.certification.models import CertificationCase
from catalog.certification.queries import cases as queries
from catalog.certification.rules import DocumentKind
from catalog.households import actions as households
from shop.core import clock
from shop.core.errors import Problem
from shop.identity import tokens
from tests.catalog.certification.test_many import DECISIONS, OPINION, OPINIONS, SUBMISSIONS, complete_drafts, listed, told, versions
from tests.factories.catalog import PDF
from tests.factories.identity import access_token
from tests.factories.racing import at_once, post_at_once, sessions

AT_ONCE = 6
_STEPS = "SELECT count(*) FROM certification_step WHERE action = 'submit'"
_TOLD = "SELECT count(*) FROM outbox_event WHERE name = 'certification.submitted'"


def unlocked(waiting):
    """Cases as they stand, without a lock; all who ask have read them before anybody goes on."""

    def read(session, actor, case_ids, read=None):
        rows = queries.case_rows(session, actor, case_ids)
        found = session.exec(select(CertificationCase).where(col(CertificationCase.id).in_(rows)))
        several = Several({case.id: case for case in found}, rows)
        waiting.wait(30)
        return several

    return read


def acting(office, acts):
    """Do each act as the supplier on a connection of its own, all starting together; the outcomes of each, or the code that it was refused for."""
    with office.database.unit_of_work() as session:
        actor = tokens.actor_of(session, token=access_token(session, office.users["supplier"]), api_key=None)

    def run(act):
        try:
            with office.database.unit_of_work() as session:
                return act(session, actor)
        except Problem as refusal:
            return refusal.code

    return at_once([lambda act=act: run(act) for act in acts])


def test_of_many_who_hand_the_same_drafts_in_each_draft_goes_once(office):
    drafts = complete_drafts(office, 10)
    turned = [drafts[at:] + drafts[:at] for at in range(AT_ONCE)]  # each names them in another order
    clients = sessions(office.api, office.database, office.users["supplier"], AT_ONCE)
    answers = at_once(
        [
            lambda client=client, ids=ids: client.post(SUBMISSIONS, json={"case_ids": ids})
            for client, ids in zip(clients, turned, strict=True)
        ]
    )
    codes = {case_id: [] for case_id in drafts}
    for answer in answers:
        for case_id, status, refused in told(answer):
            assert status == "county_review"
            codes[case_id].append(refused)
    late = {"illegal_move", "changed_meanwhile"}  # it was gone when the request came, or went while that waited
    assert all(each.count(None) == 1 and set(each) <= {None, *late} for each in codes.values())
    assert (office.count(_STEPS), office.count(_TOLD)) == (10, 10)
    assert set(versions(office, drafts).values()) == {2}


@pytest.mark.control
def test_without_the_lock_a_draft_is_handed_in_several_times(office, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    drafts = complete_drafts(office, 2)
    monkeypatch.setattr(applying, "locked_each", unlocked(threading.Barrier(2)))
    outcomes = acting(office, [lambda s, a: applying.submit_many(s, a, drafts)] * 2)
    assert outcomes == [dict.fromkeys(drafts)] * 2
    assert office.count(_STEPS) > 2


def test_one_key_sent_at_once_hands_in_once(office):
    drafts = complete_drafts(office, 4)
    clients = sessions(office.api, office.database, office.users["supplier"], AT_ONCE)
    for client in clients:
        client.headers["Idempotency-Key"] = "many"
    answers = post_at_once(clients, SUBMISSIONS, {"case_ids": drafts})
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_key_in_use"}
    assert all(
        told(answer) == [(each, "county_review", None) for each in drafts] for answer in answers if answer.status_code == 200
    )
    assert clients[0].post(SUBMISSIONS, json={"case_ids": drafts}).json()["done"] == 4
    assert office.count(_STEPS) == 4


def bringing(case_ids):
    return lambda s, a: papers.bring_many(s, a, case_ids, DocumentKind.OTHER, Printed(), "a.pdf", PDF)


def test_papers_that_come_at_once_all_come_to_all(office):
    drafts = [office.case("draft") for _ in range(4)]
    before = versions(office, drafts)
    outcomes = acting(office, [bringing(drafts[::step]) for step in (1, -1) * (AT_ONCE // 2)])
    assert outcomes == [dict.fromkeys(drafts)] * AT_ONCE
    assert office.count("SELECT count(*) FROM certification_document") == 4 * AT_ONCE
    assert versions(office, drafts) == {case_id: version + AT_ONCE for case_id, version in before.items()}


@pytest.mark.control
def test_without_the_lock_a_version_stands_for_two_papers(office, monkeypatch):
    """The control."""
    drafts = [office.case("draft") for _ in range(2)]
    before = versions(office, drafts)
    monkeypatch.setattr(papers, "locked_each", unlocked(threading.Barrier(2)))
    acting(office, [bringing(drafts)] * 2)
    assert versions(office, drafts) == {case_id: version + 1 for case_id, version in before.items()}


def counted_and_kept(office, case_ids):
    """Whether what each case counts is what its list holds."""
    with office.database.unit_of_work() as session:
        rows = session.execute(
            text(
                "SELECT c.persons AS counted, (SELECT count(*) FROM household_member m WHERE m.case_id = c.id) AS kept"
                " FROM certification_case c WHERE c.id = ANY (:ids)"
            ),
            {"ids": case_ids},
        )
        return {row.counted == row.kept for row in rows}


def sharing(source, case_ids):
    return lambda s, a: listing.share(s, a, source, case_ids)


def test_of_lists_given_at_once_one_stands_and_is_counted(office):
    """Also where each of two gives its list to the other."""
    sources = [listed(office, people=people) for people in (3, 4)]
    drafts = [office.case("draft", households=0, persons=0) for _ in range(3)]
    outcomes = acting(
        office, [sharing(*sources[::step][:1], [*drafts[::step], sources[::step][1]]) for step in (1, -1) * (AT_ONCE // 2)]
    )
    assert all(set(each.values()) == {None} for each in outcomes)
    assert counted_and_kept(office, [*drafts, *sources]) == {True}


@pytest.mark.control
def test_without_the_lock_lists_given_at_once_are_mixed(office, monkeypatch):
    """The control."""
    sources = [listed(office, people=3), listed(office, people=4)]
    with office.database.unit_of_work() as session:  # nobody of one list stands in the other
        session.execute(
            text("UPDATE household_member SET person_hash = sha256(person_hash) WHERE case_id = :id"), {"id": sources[1]}
        )
    draft, deleted = office.case("draft", households=0, persons=0), threading.Barrier(2)

    class Late:
        @staticmethod
        def now():  # asked when the old list is gone and the new one not yet there
            deleted.wait(30)
            return clock.now()

    monkeypatch.setattr(listing, "locked_each", unlocked(threading.Barrier(2)))
    monkeypatch.setattr(households, "clock", Late)
    acting(office, [sharing(source, [draft]) for source in sources])
    assert counted_and_kept(office, [draft]) == {False}


def meeting(office, case_id, *acts):
    """Requests that all wait for a case before one of them gets it: what each is answered. They go in the order in which they came."""
    waiting = (
        "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT granted AND a.datname = current_database()"
    )
    clients = [sessions(office.api, office.database, office.users[who], 1)[0] for who, _, _ in acts]
    with ThreadPoolExecutor(len(acts)) as pool:
        with office.database.unit_of_work() as session:
            session.execute(text("SELECT 1 FROM certification_case WHERE id = :id FOR UPDATE"), {"id": case_id})
            sent = []
            for client, (_, path, body) in zip(clients, acts, strict=True):
                sent.append(pool.submit(client.post, path, json=body))
                while office.count(waiting) < len(sent):  # in a transaction of its own: within one, who is there is read once
                    assert not sent[-1].done(), sent[-1].result().text
        return [each.result() for each in sent]


def meeting_among_many(office, case_id, *acts):
    """The same of requests that name many cases: what each is told of this one."""
    acts = [(who, path, {"case_ids": [case_id], **body}) for who, path, body in acts]
    return [told(answer)[0] for answer in meeting(office, case_id, *acts)]


PASS, REJECT = {"decision": "approve"}, {"decision": "reject", "reason": "不符合条件"}


@pytest.mark.slow
def test_of_two_decisions_that_meet_the_later_does_not_hit_the_next_step(office):
    case_id = office.case("county_review")
    outcomes = meeting_among_many(office, case_id, ("county", DECISIONS, PASS), ("colleague", DECISIONS, REJECT))
    assert outcomes[0] == (case_id, "public_notice", None)
    assert outcomes[1] == (case_id, "public_notice", "changed_meanwhile")
    assert office.count("SELECT count(*) FROM certification_step WHERE case_id = :id", id=case_id) == 1


@pytest.mark.control
def test_without_the_version_that_stood_the_later_decision_hits_the_next_step(office, monkeypatch):
    """The control."""
    monkeypatch.setattr(many, "read_of", lambda session, case_ids, named: any_read)
    monkeypatch.setattr(Several, "refuse_moved", lambda *_: None)
    case_id = office.case("county_review")
    outcomes = meeting_among_many(office, case_id, ("county", DECISIONS, PASS), ("colleague", DECISIONS, REJECT))
    assert [code for _, _, code in outcomes] == [None, None]
    assert office.count("SELECT count(*) FROM certification_step WHERE case_id = :id", id=case_id) == 2
    assert office.read("county", case_id)["status"] == "rejected"


def alone(office):
    """A county's approval and its colleague's rejection, each of one case by its own path, meet; what they are answered."""
    case_id = office.case("county_review")
    path = f"/v1/certification-cases/{case_id}"
    met = meeting(office, case_id, ("county", f"{path}/approve", {}), ("colleague", f"{path}/reject", {"reason": "不符合条件"}))
    return [answer.status_code for answer in met], office.read("county", case_id)["status"]


@pytest.mark.slow
def test_so_it_is_with_decisions_on_one_case(office):
    assert alone(office) == ([200, 412], "public_notice")


@pytest.mark.control
def test_without_the_version_that_stood_the_rejection_hits_the_notice(office, monkeypatch):
    """The control."""
    monkeypatch.setattr(Several, "refuse_moved", lambda *_: None)
    assert alone(office) == ([200, 200], "rejected")


@pytest.mark.slow
def test_so_it_is_with_submissions_and_opinions_that_meet(office):
    [draft] = complete_drafts(office, 1)
    outcomes = meeting_among_many(office, draft, ("supplier", SUBMISSIONS, {}), ("supplier", SUBMISSIONS, {}))
    assert sorted(str(code) for _, _, code in outcomes) == ["None", "changed_meanwhile"]
    case_id = office.case("county_review")
    opposed = OPINION | {"verdict": "oppose", "department": "forestry"}
    outcomes = meeting_among_many(office, case_id, ("department", OPINIONS, OPINION), ("colleague", OPINIONS, opposed))
    assert sorted(str(code) for _, _, code in outcomes) == ["None", "changed_meanwhile"]
