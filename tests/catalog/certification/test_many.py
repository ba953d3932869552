"""Many cases in one request: each is done or refused by itself, whether a supplier or an officer asks."""

import pytest
from sqlalchemy import text

from shop.identity.permissions import Role
from tests.catalog.conftest import COUNTY, MONDAY, TOWNSHIP
from tests.factories.catalog import make_product
from tests.factories.certification import complete, make_case
from tests.factories.identity import make_supplier, make_user

SUBMISSIONS, DOCUMENTS = "/v1/certification-submissions", "/v1/certification-documents"
LISTS, OPINIONS, DECISIONS = "/v1/certification-household-lists", "/v1/certification-opinions", "/v1/certification-decisions"
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


def told(answer):
    assert answer.status_code == 200, answer.text
    return [(row["case_id"], row["status"], row["code"]) for row in answer.json()["results"]]


def versions(office, case_ids):
    with office.database.unit_of_work() as session:
        rows = session.execute(text("SELECT id, version FROM certification_case WHERE id = ANY (:ids)"), {"ids": case_ids})
        return {row.id: row.version for row in rows}


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
    assert rows[empty]["message"] == f"The application is not complete: {len(missing)} items are missing"
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
    payloads = "SELECT jsonb_object_agg(payload ->> 'case_id', payload - 'case_id') FROM outbox_event"
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
    assert [row[2] for row in told(submit(office, drafts))] == ["illegal_move", "illegal_move", "items_missing"]


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
        (OPINIONS, "department", OPINION),
        (DECISIONS, "county", {"decision": "approve"}),
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


def test_one_opinion_on_many_cases(office):
    cases = [office.case("county_review", opinions=False) for _ in range(2)]
    noticed, draft = office.case("filing"), office.case("draft")
    elsewhere = own_case_of_another_county(office, "county_review")
    asked = [cases[1], noticed, draft, elsewhere, cases[0]]
    answer = office.as_("department").post(OPINIONS, json={"case_ids": asked, **OPINION})
    assert told(answer) == [
        (cases[1], "county_review", None),
        (noticed, "filing", "unknown_department"),
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


def test_nobody_gives_an_opinion_on_the_own_cases(office):
    with office.database.unit_of_work() as session:
        office.users["member"] = make_user(session, Role.DEPARTMENT_OFFICER, office.supplier, region_code=COUNTY)
    cases = [office.case("county_review", opinions=False) for _ in range(2)]
    answer = office.as_("member").post(OPINIONS, json={"case_ids": cases, **OPINION})
    assert [row[2] for row in told(answer)] == ["own_case"] * 2
