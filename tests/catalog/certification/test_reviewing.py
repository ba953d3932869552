"""What officers do with a case over HTTP: who may, when, and what each refusal says."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from shop.core import clock, outbox
from shop.identity.models import UserRole
from shop.identity.permissions import Role
from tests.catalog.conftest import COUNTY, MONDAY, OPEN_AGAIN, TOWNSHIP
from tests.factories.certification import complete, make_case
from tests.factories.identity import make_organisation, make_user
from workers.handlers import HANDLERS


def code(answer):
    return answer.status_code, answer.json().get("code")


def test_from_the_township_to_the_filing(office):
    case_id = office.case("township_review", township=TOWNSHIP)
    assert office.do("township", case_id, "approve", reason="情况属实").json()["status"] == "county_review"
    assert code(office.do("county", case_id, "approve")) == (409, "opinions_missing")
    spoken = office.do("department", case_id, "opinions", department="agriculture", verdict="support", opinion="同意推荐")
    assert spoken.status_code == 201, spoken.text
    case = office.do("county", case_id, "approve").json()
    assert (case["status"], case["notice_from"], case["notice_last_day"]) == ("public_notice", "2026-11-23", "2026-11-30")
    notice = next(step for step in case["way"] if step["step"] == "public_notice")
    assert (notice["label"], notice["working_days"]) == ("Public notice (days for the decision after it)", 3)
    with clock.fixed(OPEN_AGAIN):
        office.clients.clear()
        assert office.do("county", case_id, "approve").json()["status"] == "city_review"
        case = office.do("city", case_id, "approve").json()
    assert (case["status"], case["possible_actions"]) == ("filing", ["return", "reject"])
    record = [(step["action"], step["level"], step["working_days"], step["late"]) for step in case["steps"]]
    assert record == [
        ("approve", "township", 0, False),
        ("approve", "county", 0, False),
        ("approve", "county", 6, False),
        ("approve", "city", 0, False),
    ]
    assert [step["step"] for step in case["way"]] == ["township_review", "county_review", "public_notice", "city_review", "filing"]


def test_a_notice_cannot_end_a_second_early(office):
    case_id = office.case("county_review")
    office.do("county", case_id, "approve")
    with clock.fixed(OPEN_AGAIN - timedelta(seconds=1)):
        office.clients.clear()
        early = office.do("county", case_id, "approve")
        assert "approve" not in office.read("county", case_id)["possible_actions"]
    assert (code(early), early.json()["data"]["until"]) == ((409, "notice_running"), "2026-12-01")
    with clock.fixed(OPEN_AGAIN):
        office.clients.clear()
        assert "approve" in office.read("county", case_id)["possible_actions"]
        assert office.do("county", case_id, "approve").json()["status"] == "city_review"


@pytest.mark.parametrize(
    ("state", "refusal"), [("received", "objection_open"), ("upheld", "objection_upheld"), ("dismissed", None)]
)
def test_an_objection_stands_against_approval(office, state, refusal):
    case_id = office.case("public_notice")
    with office.database.unit_of_work() as session:
        session.execute(
            text(
                "INSERT INTO objection (receipt, case_id, notice_from, text, sealed_contact, received_at, due_on, status, answer, decided_at)"
                " SELECT 'R1', id, notice_from, '非本地产品', '', now(), current_date, :state, :answer, :at FROM certification_case WHERE id = :id"
            ),
            {
                "id": case_id,
                "state": state,
                "answer": None if state == "received" else "已核查",
                "at": None if state == "received" else clock.now(),
            },
        )
    answer = office.do("county", case_id, "approve")
    assert code(answer) == ((409, refusal) if refusal else (200, None))
    shown = office.read("supplier", case_id)
    assert (shown["objections_open"], shown["objections_upheld"]) == (int(state == "received"), int(state == "upheld"))


def test_returned_for_correction_the_clock_stands_still(office):
    case_id = office.case("county_review")
    with clock.fixed(MONDAY + timedelta(days=1)):
        corrections = [{"field": "documents.test_report", "message": "报告已过期"}]
        case = office.do("county", case_id, "return", reason="请补正材料", corrections=corrections).json()
    # two of three working days are left; the date is the supplier's now
    assert (case["status"], case["due_on"], case["overdue"]) == ("returned", "2026-12-08", False)
    assert case["corrections"] == corrections
    assert office.count("SELECT remaining_days FROM certification_case WHERE id = :id", id=case_id) == 2
    assert office.count("SELECT sent_back_from FROM certification_case WHERE id = :id", id=case_id) == "county_review"


def test_overdue_is_marked_and_counted(office):
    case_id, other = office.case("county_review"), office.case("city_review")
    with clock.fixed(MONDAY + timedelta(days=4)):
        office.clients.clear()
        case = office.read("county", case_id)
        assert (case["due_on"], case["overdue"], case["working_days_left"]) == ("2026-11-26", True, 0)
        queue = {row["status"]: row for row in office.as_("county").get("/v1/certification-queue").json()}
        assert (queue["county_review"]["cases"], queue["county_review"]["overdue"]) == (1, 1)
        overdue = office.as_("county").get("/v1/certification-cases", params={"overdue": True}).json()["items"]
        assert {row["id"] for row in overdue} == {case_id, other}
        assert office.do("county", case_id, "approve").json()["steps"][-1]["late"] is True


def test_a_deadline_in_a_year_that_nobody_arranged_yet_is_provisional(office):
    case_id = office.case("county_review")
    assert office.read("county", case_id)["due_on_provisional"] is False
    with clock.fixed(datetime(2032, 12, 30, 2, tzinfo=UTC)):
        office.clients.clear()
        case = office.do("county", case_id, "return", reason="请补正材料", corrections=[]).json()
    assert (case["status"], case["due_on_provisional"]) == ("returned", True)


def test_a_desk_of_ones_own(office):
    case_id = office.case("county_review")
    assert office.do("county", case_id, "claim").json()["claimed_by"] == office.users["county"].id
    refused = office.do("colleague", case_id, "approve")
    assert (code(refused), refused.json()["data"]["name"]) == ((409, "claimed_by_other"), "测试用户")
    assert code(office.do("colleague", case_id, "claim")) == (409, "claimed_by_other")
    assert code(office.do("colleague", case_id, "release")) == (409, "not_claimed")
    for claimed, found in {"me": 1, "nobody": 0}.items():
        assert len(office.as_("county").get("/v1/certification-cases", params={"claimed": claimed}).json()["items"]) == found
    assert office.do("colleague", case_id, "claim", take_over=True).status_code == 200
    assert office.do("colleague", case_id, "release").json()["claimed_by"] is None
    assert office.do("county", case_id, "approve").json()["claimed_by"] is None


def test_a_department_that_opposes_needs_an_answer(office):
    case_id = office.case("county_review")
    opposed = office.do("department", case_id, "opinions", department="forestry", verdict="oppose", opinion="原料来自外地")
    assert [each["verdict"] for each in opposed.json()["opinions"]] == ["support", "oppose"]
    assert office.read("supplier", case_id)["opinions"] == []
    refused = office.do("county", case_id, "approve")
    assert (code(refused), refused.json()["errors"][0]["field"]) == ((422, "reason_needed"), "reason")
    assert office.do("county", case_id, "approve", reason="经核实原料来自本地").status_code == 200


def test_whose_opinion_counts(office):
    case_id = office.case("county_review", opinions=False)
    said = {"department": "agriculture", "verdict": "support", "opinion": "同意"}
    assert code(office.do("department", case_id, "opinions", **said | {"department": "weather"})) == (422, "unknown_department")
    assert code(office.do("elsewhere", case_id, "opinions", **said)) == (404, "not_found")
    assert code(office.do("supplier", case_id, "opinions", **said)) == (403, "forbidden")
    assert code(office.do("department", case_id, "opinions", **said, attachment_ids=[1])) == (422, "unknown_attachment")
    assert office.do("department", case_id, "opinions", **said).status_code == 201
    with office.database.unit_of_work() as session, pytest.raises(Exception, match="append-only"):
        session.execute(text("UPDATE certification_opinion SET verdict = 'oppose'"))


@pytest.mark.parametrize(
    "field", ["statement", "documents.other", "product.village", "product.skus", "households", "comparable_price", "tiers", "grade"]
)
def test_what_is_to_be_corrected_is_a_field_of_an_application(office, field):
    case_id = office.case("county_review")
    item = {"message": "请更正"}
    refused = office.do(
        "county", case_id, "return", reason="x", corrections=[item | {"field": field}, item | {"field": "nonsense"}]
    )
    assert [(each["field"], each["code"]) for each in refused.json()["errors"]] == [("corrections[1].field", "unknown_field")]
    many = {"case_ids": [case_id], "decision": "return", "reason": "x", "corrections": [item | {"field": f"{field}.nonsense"}]}
    assert office.as_("county").post("/v1/certification-decisions", json=many).status_code == 422
    returned = office.do("county", case_id, "return", reason="x", corrections=[item | {"field": field}])
    assert returned.json()["corrections"] == [item | {"field": field}]


def test_what_the_person_who_decides_wrote_is_no_department_heard(office):
    case_id = office.case("county_review", opinions=False)
    said = {"department": "agriculture", "verdict": "support", "opinion": "同意"}
    assert office.do("county", case_id, "opinions", **said).status_code == 201
    refused = office.do("county", case_id, "approve")
    assert (code(refused), refused.json()["data"]["count"]) == ((409, "opinions_missing"), 1)
    assert refused.json()["data"]["departments"] == ["agriculture", "commerce", "culture_tourism", "forestry", "market_regulation"]
    assert office.do("colleague", case_id, "approve").status_code == 200, "what came on paper counts for a colleague"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", "还需 1 个部门的意见：农业农村部门、商务部门、文化旅游部门、林业部门、市场监管部门"),
        ("en", "It needs the opinion of 1 more department: agriculture, commerce, culture tourism, forestry, market regulation"),
    ],
)
def test_departments_that_are_missing_are_told_in_words(office, language, said):
    case_id = office.case("county_review", opinions=False)
    headers = {"Accept-Language": language}
    assert office.as_("county").post(f"/v1/certification-cases/{case_id}/approve", json={}, headers=headers).json()["title"] == said
    many = {"case_ids": [case_id], "decision": "approve"}
    told = office.as_("county").post("/v1/certification-decisions", json=many, headers=headers)
    assert said in told.text


def test_a_department_that_is_against_it_is_not_written_over_by_who_decides(office):
    case_id = office.case("county_review", opinions=False)
    said = {"department": "agriculture", "opinion": "x"}
    assert office.do("department", case_id, "opinions", **said, verdict="oppose").status_code == 201
    assert office.do("county", case_id, "opinions", **said, verdict="support").status_code == 201
    assert code(office.do("county", case_id, "approve")) == (422, "reason_needed")


def test_an_opinion_is_given_by_the_level_of_the_step(office):
    case_id = office.case("county_review", opinions=False, township=TOWNSHIP)
    said = {"department": "agriculture", "verdict": "support", "opinion": "同意"}
    with office.database.unit_of_work() as session:
        office.users["city_department"] = make_user(session, Role.DEPARTMENT_OFFICER, region_code="500000")
        office.users["both"] = make_user(session, Role.COUNTY_OFFICER, region_code=COUNTY)
        session.add(UserRole(user_id=office.users["both"].id, role=Role.CITY_OFFICER, region_code="500000"))
    for who in ("city", "city_department", "township"):
        refused = office.do(who, case_id, "opinions", **said)
        assert (who, code(refused)) == (who, (409, "illegal_move"))
        assert refused.json()["data"]["state"] == "county_review"
    assert office.do("both", case_id, "opinions", **said).status_code == 201


def test_an_opinion_is_an_act_at_its_level(office):
    """Whoever gave one decides at no other level, and whoever decided at another level gives none."""
    case_id, passed = office.case("county_review", opinions=False), office.case("county_review", township=TOWNSHIP)
    with office.database.unit_of_work() as session:
        both = office.users["both"] = make_user(session, Role.COUNTY_OFFICER, region_code=COUNTY)
        session.add(UserRole(user_id=both.id, role=Role.CITY_OFFICER, region_code="500000"))
        session.add(UserRole(user_id=both.id, role=Role.TOWNSHIP_OFFICER, region_code=TOWNSHIP))
    said = {"department": "agriculture", "verdict": "support", "opinion": "同意"}
    assert office.do("both", case_id, "opinions", **said).status_code == 201
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certification_case SET status = 'city_review' WHERE id = :id"), {"id": case_id})
        session.execute(text("UPDATE certification_case SET status = 'township_review' WHERE id = :id"), {"id": passed})
    for action in ("approve", "claim"):
        assert code(office.do("both", case_id, action)) == (403, "same_person")
    assert "approve" not in office.read("both", case_id)["possible_actions"]
    mine = office.as_("both").get("/v1/certification-cases", params={"mine": True}).json()["items"]
    assert [row["id"] for row in mine] == [passed]
    assert office.do("both", passed, "approve").json()["status"] == "county_review"
    assert code(office.do("both", passed, "opinions", **said)) == (403, "same_person")


def test_a_decision_that_is_sent_twice_is_told_where_the_case_is_by_now(office):
    case_id = office.case("township_review", township=TOWNSHIP)
    assert office.do("township", case_id, "approve").json()["status"] == "county_review"
    for action in ("approve", "claim"):
        again = office.do("township", case_id, action)
        assert (code(again), again.json()["data"]["state"]) == ((409, "illegal_move"), "county_review")
        assert again.json()["data"].get("already", False) is (action == "approve")


def test_each_level_decides_only_what_is_before_it(office):
    case_id = office.case("county_review")
    assert code(office.do("elsewhere", case_id, "approve")) == (404, "not_found")
    early = office.do("city", case_id, "approve")
    assert (code(early), early.json()["data"]["state"]) == ((409, "illegal_move"), "county_review")
    assert "already" not in early.json()["data"]
    assert code(office.do("township", case_id, "approve")) == (404, "not_found")
    assert code(office.do("supplier", case_id, "reject", reason="x")) == (403, "forbidden")
    assert code(office.do("monitor", case_id, "approve")) == (403, "forbidden")
    assert code(office.do("county", case_id, "reject")) == (422, "invalid")
    assert code(office.do("county", case_id, "appeal-decision", granted=True, reason="x")) == (403, "forbidden")
    assert code(office.do("city", case_id, "appeal-decision", granted=True, reason="x")) == (409, "illegal_move")


def test_who_sees_a_case(office):
    case_id, draft = office.case("county_review", township=None), office.case("draft")
    seen = {"supplier": 200, "county": 200, "city": 200, "monitor": 200, "township": 404, "elsewhere": 404, "rival": 404}
    for who, status in seen.items():
        assert office.as_(who).get(f"/v1/certification-cases/{case_id}").status_code == status, who
        rows = office.as_(who).get("/v1/certification-cases").json()["items"]
        assert {row["id"] for row in rows} == ({case_id} if status == 200 else set()) | ({draft} if who == "supplier" else set())


def test_nobody_decides_for_the_own_organisation_or_a_unit_of_it(office):
    with office.database.unit_of_work() as session:
        parent = make_organisation(session, region_code=COUNTY)
        session.execute(
            text("UPDATE organisation SET parent_id = :p, path = :path WHERE id = :id"),
            {"p": parent.id, "path": f"{parent.path}{office.supplier.id}/", "id": office.supplier.id},
        )
        office.users["head"] = make_user(session, Role.COUNTY_OFFICER, parent, region_code=COUNTY)
        office.users["member"] = make_user(session, Role.COUNTY_OFFICER, office.supplier, region_code=COUNTY)
    case_id = office.case("county_review")
    for who in ("head", "member"):
        for action in ("approve", "claim"):
            assert code(office.do(who, case_id, action)) == (403, "own_case")
        assert office.as_(who).get("/v1/certification-cases", params={"mine": True}).json()["items"] == []


def test_two_levels_need_two_persons(office):
    case_id = office.case("county_review")
    office.do("county", case_id, "approve")
    with clock.fixed(OPEN_AGAIN):
        office.clients.clear()
        office.do("colleague", case_id, "approve")
        with office.database.unit_of_work() as session:
            session.execute(
                text("INSERT INTO user_role (user_id, role, region_code) VALUES (:id, 'city_officer', '500000')"),
                {"id": office.users["county"].id},
            )
        assert code(office.do("county", case_id, "approve")) == (403, "same_person")
        assert office.as_("county").get("/v1/certification-cases", params={"mine": True}).json()["items"] == []
        assert office.do("city", case_id, "approve").status_code == 200


def test_what_is_mine(office):
    mine = [office.case("county_review"), office.case("public_notice")]
    office.case("city_review")
    office.case("returned", sent_back_from="county_review")
    listed = office.as_("county").get("/v1/certification-cases", params={"mine": True, "sort": "due"}).json()["items"]
    assert [row["id"] for row in listed] == mine
    others = office.as_("county").get("/v1/certification-cases", params={"mine": False}).json()["items"]
    assert len(others) == 2
    counted = office.as_("county").get("/v1/certification-queue", params={"mine": True}).json()
    assert {row["status"]: row["cases"] for row in counted} == {"county_review": 1, "public_notice": 1}


def test_the_queue_is_paged_by_date(office):
    made = [office.case("county_review") for _ in range(5)]
    with office.database.unit_of_work() as session:
        for place, case_id in enumerate(made):
            due = None if place == 2 else (MONDAY + timedelta(days=10 - place)).date()
            session.execute(text("UPDATE certification_case SET due_on = :due WHERE id = :id"), {"due": due, "id": case_id})
    found, after = [], None
    while True:
        page = office.as_("county").get(
            "/v1/certification-cases", params={"sort": "due", "limit": 2} | ({"after": after} if after else {})
        )
        found += [row["id"] for row in page.json()["items"]]
        if (after := page.json()["next"]) is None:
            break
    assert found == [made[4], made[3], made[1], made[0], made[2]]
    assert code(office.as_("county").get("/v1/certification-cases", params={"after": "x"})) == (422, "invalid")


def test_an_appeal_once(office):
    case_id = office.case("county_review")
    assert office.do("county", case_id, "reject", reason="原料来自外地").json()["due_on"] == "2026-12-07"
    assert code(office.do("rival", case_id, "appeal", reason="请复查")) == (404, "not_found")
    assert office.do("supplier", case_id, "appeal", reason="原料均来自本县，附证明").json()["status"] == "appealed"
    assert code(office.do("county", case_id, "appeal-decision", granted=True, reason="x")) == (403, "forbidden")
    assert office.do("city", case_id, "appeal-decision", granted=True, reason="证明成立").json()["status"] == "county_review"
    assert office.do("county", case_id, "reject", reason="仍不符合").json()["possible_actions"] == []
    assert code(office.do("supplier", case_id, "appeal", reason="再次请求")) == (409, "illegal_move")


def test_a_correction_that_comes_late_is_marked(office):
    case_id = office.case("draft")
    with office.database.unit_of_work() as session:
        complete(session, case_id)
    office.do("supplier", case_id, "submit")
    office.do("county", case_id, "return", reason="请补正材料")
    appealed = office.case("county_review")
    office.do("county", appealed, "reject", reason="不符合")
    office.do("supplier", appealed, "appeal", reason="请复查")
    with clock.fixed(MONDAY + timedelta(days=30)):
        office.clients.clear()
        for each in (case_id, appealed):
            assert office.read("county", each)["overdue"] is True
        overdue = office.as_("county").get("/v1/certification-cases", params={"overdue": True}).json()["items"]
        assert {row["id"] for row in overdue} == {case_id, appealed}
        step = office.do("supplier", case_id, "submit").json()["steps"][-1]
        assert (step["action"], step["late"]) == ("resubmit", True)


def test_whoever_rejected_does_not_hear_the_appeal(office):
    case_id = office.case("city_review")
    with office.database.unit_of_work() as session:
        office.users["other"] = make_user(session, Role.CITY_OFFICER)
    office.do("city", case_id, "reject", reason="资料不实")
    office.do("supplier", case_id, "appeal", reason="请复查")
    for action, body in (("appeal-decision", {"granted": False, "reason": "x"}), ("claim", {})):
        assert code(office.do("city", case_id, action, **body)) == (403, "same_person")
    mine = {"mine": True, "status": "appealed"}
    for who, ids, moves in (("city", [], []), ("other", [case_id], ["dismiss_appeal", "grant_appeal"])):
        assert [row["id"] for row in office.as_(who).get("/v1/certification-cases", params=mine).json()["items"]] == ids
        assert sorted(office.read(who, case_id)["possible_actions"]) == moves
    assert office.do("other", case_id, "appeal-decision", granted=False, reason="复核无误").json()["status"] == "rejected"


def test_an_appeal_has_its_time(office):
    case_id = office.case("county_review")
    office.do("county", case_id, "reject", reason="不符合")
    with clock.fixed(MONDAY + timedelta(days=15)):
        office.clients.clear()
        late = office.do("supplier", case_id, "appeal", reason="请复查")
    assert (code(late), late.json()["data"]["until"]) == ((409, "appeal_too_late"), "2026-12-07")


def test_two_hundred_cases_in_one_request(office):
    good = [office.case("county_review") for _ in range(3)]
    silent, done = office.case("county_review", opinions=False), office.case("withdrawn")
    asked = [good[2], silent, good[0], 10**12, done, good[1]]
    answer = office.as_("county").post("/v1/certification-decisions", json={"case_ids": asked, "decision": "approve"}).json()
    assert (answer["done"], answer["failed"]) == (3, 3)
    told = [(row["case_id"], row["status"], row["code"]) for row in answer["results"]]
    assert told == [
        (good[2], "public_notice", None),
        (silent, "county_review", "opinions_missing"),
        (good[0], "public_notice", None),
        (10**12, None, "not_found"),
        (done, "withdrawn", "illegal_move"),
        (good[1], "public_notice", None),
    ]
    assert office.count("SELECT count(*) FROM certification_step WHERE action = 'approve'") == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"case_ids": [1] * 2, "decision": "approve"}, "case_ids[1]"),
        ({"case_ids": list(range(1, 202)), "decision": "approve"}, "case_ids"),
        ({"case_ids": [], "decision": "approve"}, "case_ids"),
        ({"case_ids": [1], "decision": "return"}, "reason"),
        ({"case_ids": [1], "decision": "burn"}, "decision"),
        ({"case_ids": [2**70], "decision": "approve"}, "case_ids[0]"),
    ],
)
def test_what_cannot_be_decided_at_once(office, body, field):
    answer = office.as_("county").post("/v1/certification-decisions", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_what_no_longer_holds_when_it_is_decided(office):
    case_id = office.case("city_review")
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE organisation SET status = 'suspended' WHERE id = :id"), {"id": office.supplier.id})
    assert code(office.do("city", case_id, "approve")) == (409, "organisation_not_approved")
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE organisation SET status = 'approved' WHERE id = :id"), {"id": office.supplier.id})
        session.execute(
            text("UPDATE region_designation SET valid_to = '2026-11-01' WHERE region_code = :c AND designation = 'poverty_task'"),
            {"c": COUNTY},
        )
    refused = office.do("city", case_id, "approve")
    assert (code(refused), refused.json()["data"]["name_zh"]) == ((409, "district_not_eligible"), "奉节县")


def test_who_is_told(office):
    township = office.case("township_review", township=TOWNSHIP)
    office.do("township", township, "approve")
    returned = office.case("county_review")
    office.do("county", returned, "return", reason="请补正")
    office.do("county", office.case("county_review"), "approve")
    with clock.fixed(MONDAY + timedelta(hours=1)):
        office.clients.clear()
        outbox.drain(office.database, HANDLERS)
        told = {
            who: [(row["kind"], row["text"]) for row in office.as_(who).get("/v1/notifications").json()["items"]]
            for who in office.users
        }
    assert sorted(kind for kind, _ in told["supplier"]) == ["certification.noticed", "certification.returned"]
    assert "请补正" in dict(told["supplier"])["certification.returned"]
    assert [kind for kind, _ in told["county"]] == ["certification.submitted"]
    assert told["rival"] == told["elsewhere"] == told["city"] == []


@pytest.mark.parametrize("status", ["township_review", "county_review", "public_notice", "filing"])
def test_packs_and_prices_stay_as_reviewers_and_the_public_see_them(office, status):
    made = office.product(township_code=TOWNSHIP)
    with office.database.unit_of_work() as session:
        case_id = make_case(session, made.product_id, status)
    supplier, path = office.as_("supplier"), f"/v1/skus/{made.sku_id}"

    def price(yuan):
        tag = {"If-Match": supplier.get(path).headers["ETag"]}
        return supplier.put(f"{path}/prices", json={"tiers": [{"min_quantity": "1", "unit_price": yuan}]}, headers=tag)

    refused = price("9999.00")
    assert (refused.status_code, refused.json()["code"]) == (409, "under_review")
    assert supplier.post(f"{path}/withdraw").json()["code"] == "under_review"
    assert supplier.post(f"/v1/certification-cases/{case_id}/withdraw", json={}).status_code == 200
    assert price("9999.00").status_code == 200


@pytest.mark.parametrize("text_", ["\u200b", "\u202e名称", "\u2066x"])
def test_text_that_nobody_can_see_or_that_turns_about_is_refused(office, text_):
    case_id = office.case("county_review")
    answer = office.do("county", case_id, "reject", reason=text_)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reason")
    told = (
        office.as_("county")
        .post(f"/v1/certification-cases/{case_id}/reject", json={"reason": text_}, headers={"Accept-Language": "zh"})
        .json()["errors"][0]["message"]
    )
    assert not any("a" <= letter <= "z" for letter in told)


def test_reviewers_see_packs_and_prices_beside_comparable_goods(office):
    made = office.product(prices=((1, 6990), (10, 6500)), net_grams=5000)
    with office.database.unit_of_work() as session:
        details = {"comparable_price_fen": 1000, "comparable_pack_grams": 1000}
        case_id = make_case(session, made.product_id, "county_review", **details)
    [pack] = office.read("county", case_id)["packs"]
    assert (pack["sku_id"], pack["highest_price"], pack["above_comparable"]) == (made.sku_id, "69.90", True)
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certification_case SET comparable_price_fen = 1400"))
    assert office.read("county", case_id)["packs"][0]["above_comparable"] is False
