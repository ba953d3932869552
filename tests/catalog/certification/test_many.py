"""Many cases in one request: each is done or refused by itself, whether a supplier or an officer asks."""

from datetime import timedelta

import pytest
from sqlalchemy import event, text

from catalog.certification.actions import listing
from catalog.certification.actions.papers import MOST
from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.catalog.certification.test_drafting import line, send
from tests.catalog.conftest import COUNTY, MONDAY, TOWNSHIP
from tests.catalog.households.test_households import person
from tests.factories.catalog import PDF, make_product
from tests.factories.certification import complete, make_case
from tests.factories.identity import make_supplier, make_user
from workers.handlers import HANDLERS

SUBMISSIONS, DOCUMENTS = "/v1/certification-submissions", "/v1/certification-documents"
LISTS, OPINIONS, DECISIONS = "/v1/certification-household-lists", "/v1/certification-opinions", "/v1/certification-decisions"
APPEALS = "/v1/certification-appeals"
OPINION = {"department": "agriculture", "verdict": "support", "opinion": "产地真实，同意"}


def code(answer):
    return answer.status_code, answer.json().get("code")


def complete_drafts(office, many, **details):
    drafts = [office.case("draft", **details) for _ in range(many)]
    with office.database.unit_of_work() as session:
        for case_id in drafts:
            complete(session, case_id)
    return drafts


def foreign_draft(office):
    with office.database.unit_of_work() as session:
        made = make_product(session, make_supplier(session, COUNTY), certified=False)
        return make_case(session, made.product_id, "draft")


def own_case_of_another_county(office, status="draft"):
    with office.database.unit_of_work() as session:
        made = make_product(session, office.supplier, certified=False, district_code="500240")
        return make_case(session, made.product_id, status)


def change(office, statement, **values):
    with office.database.unit_of_work() as session:
        session.execute(text(statement), values)


def submit(office, case_ids, who="supplier", headers=None, **more):
    return office.as_(who).post(SUBMISSIONS, json={"case_ids": case_ids, **more}, headers=headers)


def bring(office, case_ids, who="supplier", content=PDF, **printed):
    data = {"case_ids": [str(each) for each in case_ids], "kind": "business_licence", **printed}
    return office.as_(who).post(DOCUMENTS, data=data, files={"file": ("营业执照.pdf", content, "application/pdf")})


def share(office, from_id, case_ids, who="supplier"):
    return office.as_(who).post(LISTS, json={"from_case_id": from_id, "case_ids": case_ids})


def listed(office, people=3, households=2):
    """An own draft with a list of so many persons."""
    case_id = office.case("draft", households=0, persons=0)
    members = [person(number, f"F{number % households}") for number in range(people)]
    path = f"/v1/certification-cases/{case_id}/households"
    assert office.as_("supplier").put(path, json={"members": members}).status_code == 200
    return case_id


def told(answer):
    assert answer.status_code == 200, answer.text
    return [(row["case_id"], row["status"], row["code"]) for row in answer.json()["results"]]


def versions(office, case_ids):
    with office.database.unit_of_work() as session:
        rows = session.execute(text("SELECT id, version FROM certification_case WHERE id = ANY (:ids)"), {"ids": case_ids})
        return {row.id: row.version for row in rows}


def test_from_a_spreadsheet_to_the_county_in_a_few_requests(office):
    names = [f"脐橙{number:02}" for number in range(6)]
    drafts = [row["case_id"] for row in send(office, [line(name) for name in names]).json()["drafts"]]
    people = [person(number, f"F{number % 2}") for number in range(3)]
    path = f"/v1/certification-cases/{drafts[0]}/households"
    assert office.as_("supplier").put(path, json={"members": people}).status_code == 200
    assert share(office, drafts[0], drafts[1:]).json()["done"] == 5
    for kind in ("business_licence", "commitment_letter", "test_report", "household_evidence"):
        answer = bring(office, drafts, kind=kind, number="1", issued_on="2026-11-01").json()
        assert (answer["done"], answer["failed"]) == (6, 0)
    answer = submit(office, drafts)
    assert told(answer) == [(case_id, "county_review", None) for case_id in drafts]
    read = office.read("county", drafts[4])
    assert (read["households"], read["persons"], len(read["documents"]), read["due_on"]) == (2, 3, 4, "2026-11-26")


def test_what_is_complete_is_handed_in_and_what_is_not_stays_a_draft(office):
    good, [townly] = complete_drafts(office, 2), complete_drafts(office, 1, township=TOWNSHIP)
    empty, done = office.case("draft", statement=""), office.case("county_review")
    foreign = foreign_draft(office)
    asked = [good[1], empty, 10**12, townly, foreign, done, good[0]]
    before = versions(office, asked)
    answer = submit(office, asked)
    assert told(answer) == [
        (good[1], "county_review", None),
        (empty, "draft", "items_missing"),
        (10**12, None, "not_found"),
        (townly, "township_review", None),
        (foreign, None, "not_found"),
        (done, "county_review", "illegal_move"),
        (good[0], "county_review", None),
    ]
    assert (answer.json()["done"], answer.json()["failed"]) == (3, 4)
    rows = {row["case_id"]: row for row in answer.json()["results"]}
    missing = {(fault["field"], fault["code"]) for fault in rows[empty]["errors"]}
    assert {("statement", "statement_missing"), ("documents.test_report", "test_report_missing")} <= missing
    assert rows[empty]["message"] == f"The application is not complete; items that are missing: {len(missing)}"
    assert rows[good[0]]["errors"] == []
    after = versions(office, asked)
    assert {each for each in after if after[each] != before[each]} == {*good, townly}
    assert office.count("SELECT count(*) FROM certification_step WHERE action = 'submit'") == 3
    assert office.count("SELECT count(*) FROM outbox_event WHERE name = 'certification.submitted'") == 3
    assert office.count("SELECT count(*) FROM audit_event WHERE action = 'certification.submitted'") == 3
    in_chinese = submit(office, [empty], headers={"Accept-Language": "zh-CN"}).json()["results"][0]
    assert in_chinese["message"] == f"申请材料不完整，共缺 {len(missing)} 项"
    assert "申请说明未填写" in {fault["message"] for fault in in_chinese["errors"]}
    # alone it is refused for the same
    alone = office.as_("supplier").post(f"/v1/certification-cases/{empty}/submit")
    assert (code(alone), alone.json()["errors"]) == ((409, "items_missing"), rows[empty]["errors"])


def test_what_is_told_to_the_offices_is_the_version_of_each(office):
    drafts = complete_drafts(office, 2)
    change(office, "UPDATE certification_case SET version = 7 WHERE id = :id", id=drafts[0])
    submit(office, drafts)
    payloads = "SELECT jsonb_object_agg(payload ->> 'case_id', payload - 'case_id') FROM outbox_event WHERE name = 'certification.submitted'"
    assert office.count(payloads) == {
        str(drafts[0]): {"version": 8, "status": "county_review"},
        str(drafts[1]): {"version": 2, "status": "county_review"},
    }


def test_returned_cases_and_changes_are_handed_in_with_the_others(office):
    [draft, returned, moved] = complete_drafts(office, 3)
    submit(office, [returned, moved])
    for case_id in (returned, moved):
        office.do("county", case_id, "return", reason="请补充")
    change(
        office,
        "UPDATE product SET district_code = '500240' WHERE id = (SELECT product_id FROM certification_case WHERE id = :id)",
        id=moved,
    )
    certificate = office.product(certified=True).certificate_id
    nothing = office.as_("supplier").post(f"/v1/certificates/{certificate}/changes", json={"statement": "x"}).json()["id"]
    asked = [draft, returned, moved, nothing]
    assert told(submit(office, asked)) == [
        (draft, "county_review", None),
        (returned, "county_review", None),
        (moved, "returned", "origin_moved"),
        (nothing, "draft", "nothing_changes"),
    ]
    assert bring(office, [nothing]).json()["done"] == 1
    assert told(submit(office, [nothing])) == [(nothing, "county_review", None)]
    assert office.count("SELECT count(*) FROM certification_step WHERE action = 'resubmit'") == 1


def test_a_barred_supplier_is_told_so_of_each(office):
    drafts = complete_drafts(office, 2)
    change(
        office,
        "INSERT INTO blacklist_entry (organisation_id, from_on, until_on, reason_code, reason, decided_at)"
        " VALUES (:id, '2026-11-01', '2026-11-30', 'false_papers', 'x', now())",
        id=office.supplier.id,
    )
    assert told(submit(office, drafts)) == [(case_id, "draft", "blacklisted") for case_id in drafts]


def test_products_are_looked_at_one_by_one(office):
    [gone, revoked, elsewhere, good] = drafts = complete_drafts(office, 4)
    of = "(SELECT product_id FROM certification_case WHERE id = :id)"
    change(office, f"UPDATE product SET status = 'withdrawn' WHERE id = {of}", id=gone)
    change(office, f"UPDATE product SET district_code = '500103' WHERE id = {of}", id=elsewhere)
    other = office.product(certified=True)
    change(office, "UPDATE certificate SET revoked_at = :at WHERE id = :id", id=other.certificate_id, at=MONDAY)
    change(office, f"UPDATE certificate SET product_name = (SELECT name FROM product WHERE id = {of})", id=revoked)
    assert [row[2] for row in told(submit(office, drafts))] == [
        "product_withdrawn",
        "reapplication_banned",
        "district_not_eligible",
        None,
    ]
    assert office.read("county", good)["status"] == "county_review"


def test_the_same_key_gives_the_same_answer(office):
    drafts = [*complete_drafts(office, 2), office.case("draft")]
    first, again = (submit(office, drafts, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert office.count("SELECT count(*) FROM certification_step") == 2
    # without the key those that went are told as gone
    again = submit(office, drafts)
    assert [row[2] for row in told(again)] == ["illegal_move", "illegal_move", "items_missing"]
    assert [row["already"] for row in again.json()["results"]] == [True, True, False]


def test_a_version_that_somebody_changed_is_not_handed_in(office):
    drafts = complete_drafts(office, 3)
    read = versions(office, drafts)
    change(office, "UPDATE certification_case SET version = version + 1 WHERE id = ANY (:ids)", ids=drafts[:2])
    named = {str(drafts[0]): read[drafts[0]], str(drafts[2]): read[drafts[2]]}
    assert told(submit(office, drafts, versions=named)) == [
        (drafts[0], "draft", "changed_meanwhile"),
        (drafts[1], "county_review", None),
        (drafts[2], "county_review", None),
    ]


@pytest.mark.parametrize(
    ("path", "who", "body"),
    [(DECISIONS, "county", {"decision": "approve"}), (OPINIONS, "department", OPINION)],
)
def test_officers_name_versions_alike(office, path, who, body):
    cases = [office.case("county_review") for _ in range(2)]
    named = {str(cases[0]): 99, str(cases[1]): 1}
    answer = office.as_(who).post(path, json={"case_ids": cases, "versions": named, **body})
    assert [row[2] for row in told(answer)] == ["changed_meanwhile", None]


@pytest.mark.parametrize(
    ("path", "who", "body"),
    [
        (SUBMISSIONS, "supplier", {}),
        (LISTS, "supplier", {"from_case_id": 10**6}),
        (OPINIONS, "department", OPINION),
        (DECISIONS, "county", {"decision": "approve"}),
        (APPEALS, "supplier", {"reason": "请复查"}),
    ],
)
@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"case_ids": [1, 1]}, "case_ids[1]"),
        ({"case_ids": list(range(1, 202))}, "case_ids"),
        ({"case_ids": []}, "case_ids"),
        ({"case_ids": [True]}, "case_ids[0]"),
        ({"case_ids": [2**70]}, "case_ids[0]"),
        ({"case_ids": [1], "versions": {"2": 1}}, "versions"),
        ({"case_ids": [1], "versions": {"1": "x"}}, "versions"),
    ],
)
def test_what_cannot_be_asked_of_many(office, path, who, body, asked, field):
    answer = office.as_(who).post(path, json=body | asked)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith(field)


def test_one_paper_for_many_cases(office):
    drafts, returned = [office.case("draft") for _ in range(3)], office.case("returned", sent_back_from="county_review")
    full, away = office.case("draft"), office.case("county_review")
    foreign = foreign_draft(office)
    change(
        office,
        "WITH f AS (INSERT INTO stored_file (storage_key, name, content_type, size, sha256, uploaded_by, uploaded_at)"
        " VALUES ('x', 'x', 'x', 1, 'x', 0, now()) RETURNING id) INSERT INTO certification_document (case_id, kind, file_id)"
        " SELECT :id, 'other', f.id FROM f, generate_series(1, :most)",
        id=full,
        most=MOST,
    )
    asked = [drafts[2], full, away, foreign, 10**12, returned, drafts[0], drafts[1]]
    before = versions(office, asked)
    answer = bring(office, asked, number="N-1", issuer="市场监管局", valid_until="2028-01-31")
    assert told(answer) == [
        (drafts[2], "draft", None),
        (full, "draft", "too_many_documents"),
        (away, "county_review", "case_not_editable"),
        (foreign, None, "not_found"),
        (10**12, None, "not_found"),
        (returned, "returned", None),
        (drafts[0], "draft", None),
        (drafts[1], "draft", None),
    ]
    after = versions(office, asked)
    assert {each: after[each] - before[each] for each in after if after[each] != before[each]} == dict.fromkeys(
        [*drafts, returned], 1
    )
    assert office.count("SELECT count(*) FROM stored_file WHERE name = '营业执照.pdf'") == 1
    assert office.count("SELECT count(*) FROM audit_event WHERE action = 'certification.document_added'") == 4
    shown = [office.read("supplier", case_id)["documents"] for case_id in drafts]
    assert [(paper["number"], paper["valid_until"]) for [paper] in shown] == [("N-1", "2028-01-31")] * 3
    # taken back from one of them it stays with the others
    assert office.as_("supplier").delete(f"{DOCUMENTS}/{shown[0][0]['id']}").status_code == 200
    other = shown[1][0]["id"]
    assert office.as_("supplier").get(f"{DOCUMENTS}/{other}").content == PDF


@pytest.mark.parametrize(
    ("printed", "content", "field"),
    [
        ({"issued_on": "2026-11-24"}, PDF, "issued_on"),
        ({"issued_on": "2026-11-01", "valid_until": "2026-10-01"}, PDF, "valid_until"),
        ({"kind": "diploma"}, PDF, "kind"),
        ({}, b"MZ", "file"),
        ({}, b"", "file"),
        ({"case_ids": ["1", "1"]}, PDF, "case_ids[1]"),
        ({"case_ids": [str(each) for each in range(1, 202)]}, PDF, "case_ids"),
        ({"case_ids": []}, PDF, "case_ids"),
        ({"case_ids": ["x"]}, PDF, "case_ids[0]"),
    ],
)
def test_a_paper_that_is_none_is_given_to_nobody(office, printed, content, field):
    asked = {"case_ids": [office.case("draft")], "content": content} | printed
    answer = bring(office, **asked)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
    assert office.count("SELECT count(*) FROM certification_document") == 0


def test_one_list_for_many_cases(office):
    source, drafts = listed(office), [office.case("draft", households=0, persons=0) for _ in range(2)]
    replaced, away = listed(office, people=5), office.case("county_review")
    elsewhere = own_case_of_another_county(office)
    foreign = foreign_draft(office)
    asked = [drafts[1], replaced, elsewhere, away, foreign, drafts[0]]
    before = versions(office, asked)
    answer = share(office, source, asked)
    assert told(answer) == [
        (drafts[1], "draft", None),
        (replaced, "draft", None),
        (elsewhere, "draft", "list_of_other_county"),
        (away, "county_review", "case_not_editable"),
        (foreign, None, "not_found"),
        (drafts[0], "draft", None),
    ]
    assert "of another county, Fengjie (500236)" in answer.json()["results"][2]["message"]
    after = versions(office, asked)
    assert {each for each in after if after[each] == before[each] + 1} == {*drafts, replaced}
    lists = [office.as_("supplier").get(f"/v1/certification-cases/{each}/households").json()["items"] for each in asked[:2]]
    assert lists[0] == lists[1] == office.as_("supplier").get(f"/v1/certification-cases/{source}/households").json()["items"]
    assert len(lists[0]) == 3
    assert [(case["households"], case["persons"]) for case in (office.read("supplier", each) for each in drafts)] == [(2, 3)] * 2
    # the same people, however many products they stand behind
    assert office.count("SELECT count(DISTINCT person_hash) FROM household_member") == 3
    assert office.count("SELECT count(*) FROM audit_event WHERE action = 'households.listed' AND detail ? 'from_case_id'") == 3


def test_a_list_that_cannot_be_given_on(office, monkeypatch):
    source, draft = listed(office), office.case("draft", households=0, persons=0)
    foreign = foreign_draft(office)
    assert code(share(office, foreign, [draft])) == (404, "not_found")
    refused = share(office, draft, [source])
    assert (code(refused), refused.json()["errors"][0]["field"]) == ((409, "no_list"), "from_case_id")
    refused = share(office, source, [draft, source])
    assert (code(refused), refused.json()["errors"][0]["field"]) == ((422, "invalid"), "case_ids[1]")
    monkeypatch.setattr(listing, "MOST_WRITTEN", 5)
    refused = share(office, source, [draft, office.case("draft")])
    assert (code(refused), refused.json()["data"]) == ((422, "list_too_long"), {"persons": 3, "most": 1})
    assert office.count("SELECT count(*) FROM household_member") == 3
    assert code(share(office, source, [draft], "county")) == (403, "forbidden")


def test_a_change_has_the_numbers_of_its_certificate_but_no_list(office):
    certificate = office.product(certified=True).certificate_id
    changed = (
        office.as_("supplier").post(f"/v1/certificates/{certificate}/changes", json={"producer": "新", "statement": "x"}).json()
    )
    change(office, "UPDATE certification_case SET households = 2, persons = 3 WHERE id = :id", id=changed["id"])
    assert code(share(office, changed["id"], [office.case("draft")])) == (409, "no_list")


def test_one_opinion_on_many_cases(office):
    cases = [office.case("county_review", opinions=False) for _ in range(2)]
    noticed, filed, draft = office.case("public_notice"), office.case("filing"), office.case("draft")
    elsewhere = own_case_of_another_county(office, "county_review")
    asked = [cases[1], noticed, filed, draft, elsewhere, cases[0]]
    answer = office.as_("department").post(OPINIONS, json={"case_ids": asked, **OPINION})
    assert told(answer) == [
        (cases[1], "county_review", None),
        (noticed, "public_notice", "unknown_department"),
        (filed, "filing", "illegal_move"),
        (draft, None, "not_found"),
        (elsewhere, None, "not_found"),
        (cases[0], "county_review", None),
    ]
    fault = {row["case_id"]: row for row in answer.json()["results"]}[noticed]["errors"][0]
    assert (fault["field"], fault["code"]) == ("department", "unknown_department")
    opinions = [office.read("county", each)["opinions"] for each in cases]
    assert [(each["department"], each["verdict"], each["opinion"]) for [each] in opinions] == [tuple(OPINION.values())] * 2
    assert [row[2] for row in told(office.as_("county").post(DECISIONS, json={"case_ids": cases, "decision": "approve"}))] == [
        None
    ] * 2


def test_the_same_opinion_is_recorded_once(office):
    cases = [office.case("county_review", opinions=False) for _ in range(2)]

    def say(who="department", **other):
        rows = office.as_(who).post(OPINIONS, json={"case_ids": cases, **OPINION, **other}).json()["results"]
        return [(row["done"], row["code"], row["already"]) for row in rows]

    done, again = [(True, None, False)] * 2, [(False, "opinion_given", True)] * 2
    assert (say(), say()) == (done, again)
    single = {"json": OPINION}
    refused = office.as_("department").post(f"/v1/certification-cases/{cases[0]}/opinions", **single)
    assert (code(refused), refused.json()["data"]["already"]) == ((409, "opinion_given"), True)
    # other words, another verdict, another department, another author; and the first words again, after others
    assert say(opinion="经复核，同意") == say(verdict="oppose") == say(department="forestry") == say("county") == say() == done
    assert office.count("SELECT count(*) FROM certification_opinion") == 12


def test_what_was_done_before_is_told_as_such(office):
    drafts = complete_drafts(office, 1)
    assert [submit(office, drafts).json()["results"][0]["already"] for _ in range(2)] == [False, True]
    case_id = office.case("county_review")
    answers = [
        office.as_("county").post(DECISIONS, json={"case_ids": [case_id], "decision": "reject", "reason": "x"}) for _ in "12"
    ]
    rows = [answer.json()["results"][0] for answer in answers]
    assert [(row["code"], row["already"]) for row in rows] == [(None, False), ("illegal_move", True)]


def reject(office, case_ids):
    body = {"case_ids": case_ids, "decision": "reject", "reason": "原料来自外地"}
    assert office.as_("county").post(DECISIONS, json=body).json()["done"] == len(case_ids)


def appeal(office, case_ids, who="supplier", **more):
    return office.as_(who).post(APPEALS, json={"case_ids": case_ids, "reason": "原料均来自本县，附证明", **more})


def test_rejections_are_appealed_against_together_and_once(office):
    rejected = [office.case("county_review") for _ in range(3)]
    waiting, foreign = office.case("county_review"), foreign_draft(office)
    reject(office, rejected)
    read = versions(office, rejected)
    change(office, "UPDATE certification_case SET version = version + 1 WHERE id = :id", id=rejected[2])
    answer = appeal(office, [waiting, *rejected, foreign], versions={str(rejected[2]): read[rejected[2]]})
    assert told(answer) == [
        (waiting, "county_review", "illegal_move"),
        (rejected[0], "appealed", None),
        (rejected[1], "appealed", None),
        (rejected[2], "rejected", "changed_meanwhile"),
        (foreign, None, "not_found"),
    ]
    assert (answer.json()["done"], answer.json()["failed"]) == (2, 3)
    shown = office.read("supplier", rejected[0])
    assert (shown["appealed"], shown["steps"][-1]["action"]) == (True, "appeal")
    sent = "SELECT count(*) FROM outbox_event e JOIN certification_case c ON c.id = (e.payload->>'case_id')::bigint"
    assert office.count(f"{sent} AND c.version = (e.payload->>'version')::int WHERE e.name = 'certification.appealed'") == 2
    # a second time it is told as done; alone, too
    again = appeal(office, [waiting, *rejected[:2]]).json()["results"]
    assert [(row["code"], row["already"]) for row in again] == [("illegal_move", False), *[("illegal_move", True)] * 2]
    single = office.do("supplier", rejected[0], "appeal", reason="请复查")
    assert (code(single), single.json()["data"]["already"]) == ((409, "illegal_move"), True)
    assert appeal(office, rejected, who="county").status_code == 403
    with clock.fixed(MONDAY + timedelta(days=15)):
        office.clients.clear()
        assert told(appeal(office, rejected[2:])) == [(rejected[2], "rejected", "appeal_too_late")]


def test_nobody_gives_an_opinion_on_the_own_cases(office):
    with office.database.unit_of_work() as session:
        office.users["member"] = make_user(session, Role.DEPARTMENT_OFFICER, office.supplier, region_code=COUNTY)
    cases = [office.case("county_review", opinions=False) for _ in range(2)]
    answer = office.as_("member").post(OPINIONS, json={"case_ids": cases, **OPINION})
    assert [row[2] for row in told(answer)] == ["own_case"] * 2


def notified(office, *, language="en"):
    """What each office is told by now, newest first, with where it leads."""
    with clock.fixed(MONDAY + timedelta(hours=1)):
        office.clients.clear()
        outbox.drain(office.database, HANDLERS)
        told = {}
        for who in ("township", "county", "city"):
            answer = office.as_(who).get("/v1/notifications", headers={"Accept-Language": language}).json()
            told[who] = [(row["text"], row["subject_type"], row["subject_id"]) for row in answer["items"]]
        return told


def name(office, case_id):
    return office.count(
        "SELECT p.name FROM product p JOIN certification_case c ON c.product_id = p.id WHERE c.id = :id", id=case_id
    )


def test_each_office_is_told_once_of_what_came_by_one_request(office):
    drafts, townly = complete_drafts(office, 3), complete_drafts(office, 1, township=TOWNSHIP)
    assert submit(office, [*reversed(drafts), *townly]).json()["done"] == 4
    supplier = office.count("SELECT name FROM organisation WHERE id = :id", id=office.supplier.id)
    many = f"3 applications await review, the first of them by {supplier} for “{name(office, drafts[0])}”"
    one = f"An application for “{name(office, townly[0])}” awaits review"
    assert notified(office) == {
        "county": [(many, "certification_cases", drafts[0])],
        "township": [(one, "certification_case", townly[0])],
        "city": [],
    }
    chinese = f"有 3 件认定申请待审核，首件为{supplier}的“{name(office, drafts[0])}”"
    assert notified(office, language="zh")["county"] == [(chinese, "certification_cases", drafts[0])]
    # each of them is told to those who listen
    assert office.count("SELECT count(*) FROM outbox_event WHERE name = 'certification.submitted'") == 4


def test_so_is_the_next_office_of_what_was_passed_on(office):
    cases = [office.case("public_notice") for _ in range(2)]
    assert office.as_("county").post(DECISIONS, json={"case_ids": cases, "decision": "approve"}).json()["done"] == 2
    told = notified(office)
    assert [subject for _, *subject in told["city"]] == [["certification_cases", cases[0]]]
    assert told["county"] == []
    # to the public there is nothing to be done
    office.as_("county").post(DECISIONS, json={"case_ids": [office.case("county_review")], "decision": "approve"})
    assert notified(office) == told


@pytest.mark.slow
def test_it_takes_as_many_statements_for_twenty_as_for_two(office):
    seen = []
    note = lambda *args: seen.append(args[2])  # noqa: E731

    acts = {
        "papers": lambda ids: bring(office, ids),
        "lists": lambda ids: share(office, source, ids),
        "submissions": lambda ids: submit(office, ids),
        "opinions": lambda ids: office.as_("department").post(OPINIONS, json={"case_ids": ids, **OPINION}),
    }
    source, counts = listed(office), {}
    office.as_("department")
    few, many = complete_drafts(office, 2), complete_drafts(office, 20)
    decisions = {
        "returned": ("county", "county_review", "initial", {"decision": "return", "reason": "x"}),
        "rejected": ("county", "county_review", "initial", {"decision": "reject", "reason": "x"}),
        "noticed": ("county", "county_review", "initial", {"decision": "approve"}),
        "passed on": ("county", "public_notice", "initial", {"decision": "approve"}),
        "filed": ("city", "city_review", "initial", {"decision": "approve"}),
    }
    submit(office, complete_drafts(office, 1))  # what is read once in the life of a process
    for name, act in acts.items():
        for case_ids in (few, many):
            event.listen(office.database.engine, "before_cursor_execute", note)
            seen.clear()
            assert act(case_ids).json()["done"] == len(case_ids)
            event.remove(office.database.engine, "before_cursor_execute", note)
            counts.setdefault(name, []).append(len(seen))
    for case_ids in (few, many):
        reject(office, case_ids)
        event.listen(office.database.engine, "before_cursor_execute", note)
        seen.clear()
        assert appeal(office, case_ids).json()["done"] == len(case_ids)
        event.remove(office.database.engine, "before_cursor_execute", note)
        counts.setdefault("appeals", []).append(len(seen))
    for name, (who, status, kind, decision) in decisions.items():
        for count in (1, 2, 20):  # the first reads what is read once in the life of a process
            case_ids = [office.case(status, kind=kind) for _ in range(count)]
            client = office.as_(who)
            event.listen(office.database.engine, "before_cursor_execute", note)
            seen.clear()
            answer = client.post(DECISIONS, json={"case_ids": case_ids, **decision}).json()
            event.remove(office.database.engine, "before_cursor_execute", note)
            assert answer["done"] == count, answer
            counts.setdefault(name, []).append(len(seen))
        counts[name] = counts[name][1:]
        # 19 for each of them when they were decided one by one
        assert counts[name][1] < 40
    assert {name: few for name, (few, _) in counts.items()} == {name: many for name, (_, many) in counts.items()}
