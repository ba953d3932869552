"""Written, filed, returned, accepted, revised; by whom, and by whom not."""

import pytest

from tests.orders.reserved_share.conftest import YEAR, code, faults


def test_from_draft_to_accepted(scene):
    empty = scene.get("first").json()
    assert (empty["status"], empty["version"], empty["due_on"], empty["draft"]) == ("missing", 0, "2026-03-24", None)
    assert empty["possible_actions"] == ["edit"]
    assert code(scene.file("first")) == (409, "nothing_to_file")
    draft = scene.put("first", base="480000.00", percent="12.5")
    assert draft.status_code == 200, draft.text
    assert draft.headers["ETag"] == '"1"'
    assert (draft.json()["status"], draft.json()["draft"]["reserved"]) == ("draft", "60000.00")
    assert draft.json()["possible_actions"] == ["edit", "file"]
    assert code(scene.review("department", scene.first)) == (409, "illegal_move")
    filed = scene.file("first").json()
    assert (filed["status"], filed["number"], filed["in_force"], filed["progress"]["reserved"]) == ("filed", 1, None, None)
    assert filed["possible_actions"] == []
    assert scene.get("department", unit=scene.first).json()["possible_actions"] == ["accept", "return"]
    assert code(scene.put("first")) == code(scene.file("first")) == (409, "illegal_move")
    assert scene.told("department") == ["reserved_share.filed"]
    accepted = scene.review("department", scene.first)
    assert accepted.status_code == 200, accepted.text
    assert (accepted.json()["status"], accepted.json()["in_force"]["percent"]) == ("accepted", "12.5")
    assert accepted.json()["progress"]["reserved"] == "60000.00"
    assert scene.told("first") == ["reserved_share.accepted"]


def test_returned_with_a_reason_and_filed_again(scene):
    scene.put("first", base="1000.00")
    scene.file("first")
    assert faults(scene.review("department", scene.first, accepted=False)) == {("reason", "reason_needed")}
    returned = scene.review("bursar", scene.first, accepted=False, reason="基数与决算不符")
    assert (returned.json()["status"], returned.json()["review_reason"]) == ("returned", "基数与决算不符")
    assert scene.told("first") == ["reserved_share.returned"]
    assert scene.put("first", base="2000.00").json()["status"] == "returned"
    assert scene.file("first").json()["number"] == 2
    # who still looks at the first version decides nothing about the second
    assert code(scene.review("department", scene.first, number=1)) == (409, "other_revision")
    assert scene.review("department", scene.first, number=2).json()["in_force"]["base"] == "2000.00"
    revisions = scene["first"].get(f"/v1/reserved-shares/{YEAR}/revisions").json()["items"]
    assert [(each["number"], each["base"], each["decision"], each["decision_reason"]) for each in revisions] == [
        (2, "2000.00", "accepted", None),
        (1, "1000.00", "returned", "基数与决算不符"),
    ]
    page = scene["first"].get(f"/v1/reserved-shares/{YEAR}/revisions", params={"limit": 1}).json()
    rest = scene["first"].get(f"/v1/reserved-shares/{YEAR}/revisions", params={"limit": 1, "after": page["next"]}).json()
    assert [page["items"][0]["number"], rest["items"][0]["number"], rest["next"]] == [2, 1, None]


def test_accepted_figures_hold_until_a_revision_is_accepted(scene):
    scene.accept_share("first", scene.first, base="1000.00")
    assert code(scene.file("first", reason="无变化")) == (409, "illegal_move")
    assert scene.put("first", base="3000.00").json()["status"] == "draft"
    assert faults(scene.file("first")) == {("reason", "reason_needed")}
    filed = scene.file("first", reason="学生人数增加").json()
    assert (filed["status"], filed["in_force"]["base"], filed["progress"]["reserved"]) == ("filed", "1000.00", "100.00")
    returned = scene.review("department", scene.first, number=2, accepted=False, reason="请附依据").json()
    assert (returned["status"], returned["in_force_number"]) == ("returned", 1)
    scene.file("first", reason="已附依据")
    after = scene.review("department", scene.first, number=3).json()
    assert (after["in_force_number"], after["in_force"]["base"], after["progress"]["reserved"]) == (3, "3000.00", "300.00")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"percent": "9.99"}, ("percent", "below_minimum")),
        ({"base": "0"}, ("base", "base_missing")),
        ({"base": "-1"}, ("base", "greater_than_equal")),
        ({"percent": "10.001"}, ("percent", "multiple_of")),
        ({"percent": "100.01"}, ("percent", "less_than_equal")),
        ({"percent": True}, ("percent", "value_error")),
        ({"exemption": "no_canteen", "base": "0"}, ("exemption_reason", "missing")),
        ({"exemption": "outsourced_canteen", "exemption_reason": "外包"}, ("contractor", "missing")),
        ({"exemption": "shared_canteen", "exemption_reason": "合用", "shared_with_id": 10**15}, ("shared_with_id", "unknown_unit")),
        ({"exemption": "lazy"}, ("exemption", "enum")),
        ({"bass": "1"}, ("bass", "extra_forbidden")),
    ],
)
def test_what_is_refused(scene, body, expected):
    answer = scene.put("first", **body)
    assert answer.status_code == 422, answer.text
    assert expected in faults(answer), answer.text
    assert scene.get("first").json()["status"] == "missing"


def test_the_programme_s_percent_is_the_default(scene):
    answer = scene["first"].put(f"/v1/reserved-shares/{YEAR}", json={"base": "1000.00"})
    assert answer.json()["draft"]["percent"] == "10"


def test_exemptions(scene):
    scene.accept_share("second", scene.second, base="0", percent="0", exemption="no_canteen", exemption_reason="学生在家用餐")
    accepted = scene.get("second").json()
    assert (accepted["in_force"]["exemption"], accepted["progress"]["reserved"], accepted["progress"]["rate"]) == (
        "no_canteen",
        "0.00",
        None,
    )
    scene.accept_share("first", scene.first, exemption="outsourced_canteen", exemption_reason="承包", contractor="山城餐饮有限公司")
    assert scene.get("first").json()["in_force"]["contractor"] == "山城餐饮有限公司"


def test_one_unit_reports_for_a_shared_canteen(scene):
    sharing = {"base": "0", "percent": "0", "exemption": "shared_canteen", "exemption_reason": "合用"}
    elsewhere = scene.users["stranger"].organisation_id
    assert faults(scene.put("first", **sharing, shared_with_id=elsewhere)) == {("shared_with_id", "unknown_unit")}
    assert faults(scene.put("first", **sharing, shared_with_id=scene.first.id)) == {("shared_with_id", "own_unit")}
    scene.accept_share("first", scene.first, **sharing, shared_with_id=scene.second.id)
    # no chain, in either direction
    scene.put("second", **sharing, shared_with_id=scene.alone.id)
    assert code(scene.file("second")) == (409, "shared_canteen_chain")
    scene.put("alone", **sharing, shared_with_id=scene.first.id)
    assert code(scene.file("alone")) == (409, "shared_canteen_chain")
    scene.put("alone", **sharing, shared_with_id=scene.second.id)
    assert scene.file("alone").status_code == 200
    assert scene.review("county", scene.alone).status_code == 200
    assert scene.get("second").json()["reports_for"] == sorted([scene.first.id, scene.alone.id])


def test_who_has_no_canteen_reports_for_none(scene):
    """Else the purchases of both would be nobody's."""
    none = {"base": "0", "percent": "0", "exemption": "no_canteen", "exemption_reason": "无食堂"}
    sharing = {"base": "0", "percent": "0", "exemption": "shared_canteen", "exemption_reason": "合用"}
    scene.put("second", **none)
    scene.file("second")
    scene.put("first", **sharing, shared_with_id=scene.second.id)
    assert code(scene.file("first")) == (409, "no_canteen_to_share")
    scene.review("department", scene.second, accepted=False, reason="有食堂")
    assert scene.file("first").status_code == 200
    assert code(scene.file("second")) == (409, "no_canteen_to_share")
    scene.put("second")
    assert scene.file("second").status_code == 200


def test_nobody_reviews_the_own_filing_and_only_the_department_reviews(scene):
    for who in ("first", "department", "alone"):
        scene.put(who)
        assert scene.file(who).status_code == 200
    assert code(scene.review("first", scene.first)) == (403, "own_filing")
    assert (
        code(scene.review("department", scene.department)) == code(scene.review("bursar", scene.department)) == (403, "own_filing")
    )
    # a unit with a department above it is none of the officers' business
    assert code(scene.review("county", scene.first)) == (403, "not_the_reviewing_department")
    assert code(scene.review("other_county", scene.alone)) == (404, "not_found")
    assert code(scene.review("stranger", scene.first)) == (404, "not_found")
    assert code(scene.review("monitor", scene.alone)) == code(scene.review("first_buyer", scene.first)) == (403, "forbidden")
    assert scene.review("county", scene.alone).status_code == 200
    assert scene.review("city", scene.department).status_code == 200
    assert scene.told("county") == ["reserved_share.filed"] * 2  # of the department, and of the school without one
    # filed by the department for the unit: another person of it reviews
    scene.put("department", unit=scene.second)
    scene.file("department", unit=scene.second)
    assert code(scene.review("department", scene.second)) == (403, "own_filing")
    assert scene.review("bursar", scene.second).status_code == 200


def test_reach(scene):
    scene.put("first")
    assert code(scene.get("second", unit=scene.first)) == (404, "not_found")
    assert code(scene.put("second", unit=scene.first)) == (404, "not_found")
    assert code(scene.put("first", unit=scene.department)) == (404, "not_found")
    assert code(scene.get("stranger", unit=scene.first)) == (404, "not_found")
    assert code(scene.get("other_county", unit=scene.first)) == (404, "not_found")
    assert code(scene["second"].get(f"/v1/reserved-shares/{YEAR}/revisions", params={"unit_id": scene.first.id})) == (
        404,
        "not_found",
    )
    assert scene.get("county", unit=scene.first).status_code == 200
    assert scene.put("department", unit=scene.first, base="5.00").json()["draft"]["base"] == "5.00"
    assert code(scene.put("first_buyer")) == code(scene.put("county", unit=scene.first)) == (403, "forbidden")
    assert code(scene.get("county")) == (403, "forbidden")  # belongs to no unit and names none
    assert code(scene.sellers[0].get("/v1/reserved-shares")) == (403, "forbidden")


def test_years(scene):
    assert code(scene.put("first", year=2025)) == code(scene.put("first", year=2028)) == (409, "year_not_open")
    assert scene.put("first", year=2027).status_code == 200
    assert code(scene.get("first", year=2015)) == (404, "no_programme")
    for year in (1, 1999, 9999, 999_999_999):
        assert scene.get("first", year=year).status_code == 404
        assert code(scene.put("first", year=year)) == (409, "year_not_open")
    assert scene.get("first", year=10**10).status_code == 422
    assert scene.get("first", year=2025).json()["status"] == "missing"


def test_who_is_no_budget_unit_files_nothing(scene, api, database):
    from shop.identity.permissions import Role
    from tests.factories.identity import make_organisation, signed_in

    with database.unit_of_work() as session:
        firm = make_organisation(session, kind="enterprise", role="enterprise")
    scene.clients["firm"] = signed_in(api, Role.BUYER_ADMIN, firm)
    assert code(scene.put("firm")) == code(scene.get("firm")) == (409, "not_a_budget_unit")
    assert scene.listed("firm").json()["items"] == []


def test_versions_and_double_sending(scene):
    assert scene.put("first", headers={"If-Match": '"0"'}).status_code == 200
    assert code(scene.put("first", headers={"If-Match": '"0"'})) == (412, "changed_meanwhile")
    headers = {"Idempotency-Key": "march"}
    one = scene["first"].post(f"/v1/reserved-shares/{YEAR}/file", json={}, headers=headers)
    again = scene["first"].post(f"/v1/reserved-shares/{YEAR}/file", json={}, headers=headers)
    assert (one.status_code, one.content) == (again.status_code, again.content)
    assert scene.get("first").json()["number"] == 1
