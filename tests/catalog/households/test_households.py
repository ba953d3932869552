"""Lists of households: counted, sealed, masked, opened by few, and refused without repeating what was written."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from catalog.households import rules, sheets
from shop.core import exports
from shop.demo.households import id_number
from tests.catalog.conftest import COUNTY
from tests.factories import tables
from tests.factories.identity import make_user

TODAY = date(2026, 11, 25)


def person(number, household="F1", **changes):
    made = id_number(COUNTY, date(1960, 1, 1) + timedelta(days=number), number % 900 + 1)
    return {
        "name": f"冉{number:03}",
        "id_number": made,
        "household_no": household,
        "mode": "employment",
        "village": "白龙村",
    } | changes


def code(answer):
    return answer.status_code, answer.json().get("code")


def bring(office, case_id, members, who="supplier"):
    return office.as_(who).put(f"/v1/certification-cases/{case_id}/households", json={"members": members})


def upload(office, case_id, sheet, **data):
    file = {"file": ("名单.csv", sheet if isinstance(sheet, bytes) else sheet.encode())}
    return office.as_("supplier").post(f"/v1/certification-cases/{case_id}/households/spreadsheet", files=file, data=data)


def shown(office, case_id, who="supplier", **params):
    return office.as_(who).get(f"/v1/certification-cases/{case_id}/households", params=params)


births = st.dates(date(1900, 1, 1), TODAY)


@given(births, st.integers(1, 999), st.integers(0, 16), st.integers(1, 9))
def test_an_id_number_with_a_wrong_digit_is_none(born, sequence, at, added):
    number = id_number(COUNTY, born, sequence)
    assert rules.is_id_number(number, TODAY)
    wrong = number[:at] + str((int(number[at]) + added) % 10) + number[at + 1 :]
    assert not rules.is_id_number(wrong, TODAY)


@pytest.mark.parametrize(
    "number", ["", "1", "11010519491231002x", "１1010519491231002X", "11010519491331002X", "110105304912310021", "a" * 18]
)
def test_what_is_no_id_number(number):
    assert not rules.is_id_number(number, TODAY)


def test_a_list_is_counted_sealed_and_shown_masked(office):
    case_id = office.case("draft", households=0, persons=0)
    people = [person(number, f"F{number % 3}") for number in range(7)]
    assert bring(office, case_id, people).json() == {"case_id": case_id, "households": 3, "persons": 7, "dry_run": False}
    case = office.read("supplier", case_id)
    assert (case["households"], case["persons"]) == (3, 7)
    first = shown(office, case_id, limit=4).json()
    second = shown(office, case_id, limit=4, after=first["next"]).json()
    assert [row["name"] for row in first["items"] + second["items"]] == ["冉***"] * 7
    assert first["items"][0]["id_number"] == people[0]["id_number"][:6] + "*" * 11 + people[0]["id_number"][-1]
    assert first["items"][0]["mode_label"] == "Employment"
    assert bring(office, case_id, people[:2]).json()["persons"] == 2
    assert office.count("SELECT count(*) FROM household_member") == 2


def test_the_same_person_has_the_same_hash_in_every_list(office):
    cases = [office.case("draft") for _ in range(2)]
    for case_id in cases:
        bring(office, case_id, [person(1), person(2)])
    assert office.count("SELECT count(DISTINCT person_hash) FROM household_member") == 2
    assert office.count("SELECT count(DISTINCT sealed) FROM household_member") == 4


def test_who_sees_and_who_opens_a_list(office):
    case_id = office.case("draft")
    bring(office, case_id, [person(1)])
    assert [shown(office, case_id, who).status_code for who in ("supplier", "county", "rival")] == [200, 404, 404]
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certification_case SET status = 'county_review'"))
    seen = {who: shown(office, case_id, who).status_code for who in ("county", "city", "monitor", "department", "elsewhere")}
    assert seen == {"county": 200, "city": 200, "monitor": 403, "department": 403, "elsewhere": 404}

    def reveal(who, **body):
        return office.as_(who).post(f"/v1/certification-cases/{case_id}/households/reveal", json=body)

    assert reveal("county", reason="核对").json()["members"][0]["id_number"] == person(1)["id_number"]
    assert [code(reveal(who, reason="x")) for who in ("supplier", "township", "elsewhere")] == [
        (403, "forbidden"),
        (403, "forbidden"),
        (404, "not_found"),
    ]
    assert reveal("county").status_code == 422
    unknown = reveal("county", reason="核查", 张三=1)
    assert (unknown.status_code, "张三" in unknown.text) == (422, False)
    with office.database.unit_of_work() as session:
        office.users["own"] = make_user(session, "county_officer", office.supplier, region_code=COUNTY)
        (event,) = session.execute(text("SELECT * FROM audit_event WHERE action = 'households.revealed'")).all()
    assert (event.actor_id, event.reason, event.detail) == (office.users["county"].id, "核对", {"persons": "1–9"})
    assert code(reveal("own", reason="x")) == (403, "own_case")


def test_a_list_is_changed_only_by_its_supplier_and_before_it_is_handed_in(office):
    case_id, handed_in = office.case("draft"), office.case("county_review")
    assert code(bring(office, case_id, [person(1)], "rival")) == (404, "not_found")
    assert code(bring(office, case_id, [person(1)], "county")) == (403, "forbidden")
    assert code(bring(office, handed_in, [person(1)])) == (409, "case_not_editable")
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certification_case SET status = 'returned', sent_back_from = 'county_review'"))
    assert bring(office, handed_in, [person(1)]).status_code == 200


def test_faults_are_named_by_their_place_and_nothing_is_kept(office):
    case_id = office.case("draft")
    twice = person(5)
    answer = bring(office, case_id, [person(1), person(2, mode="begging"), person(3, id_number="x" * 18), twice, twice])
    assert code(answer) == (422, "list_refused")
    assert [(fault["field"], fault["code"]) for fault in answer.json()["errors"]] == [
        ("members[1].mode", "unknown_mode"),
        ("members[2].id_number", "id_number_wrong"),
        ("members[4].id_number", "person_twice"),
    ]
    assert twice["id_number"] not in answer.text
    assert bring(office, case_id, []).status_code == 422
    assert bring(office, case_id, [person(number) for number in range(5001)]).status_code == 422
    assert office.count("SELECT count(*) FROM household_member") == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_from_a_spreadsheet(office, encoding):
    case_id = office.case("draft")
    rows = [person(number, f"F{number % 2}") for number in range(4)]
    lines = [",".join([row["name"], row["id_number"].lower(), row["household_no"], "务工就业", row["village"]]) for row in rows]
    sheet = "\n".join(["姓名,身份证号,户编号,带动方式,村", *lines, ",,,,", ""]).encode(encoding)
    assert upload(office, case_id, sheet, dry_run="true").json()["dry_run"] is True
    assert office.count("SELECT count(*) FROM household_member") == 0
    assert upload(office, case_id, sheet).json() == {"case_id": case_id, "households": 2, "persons": 4, "dry_run": False}
    assert office.count("SELECT count(*) FROM household_member WHERE mode = 'employment'") == 4


def test_a_household_has_the_same_number_in_a_workbook_and_in_a_request(office):
    """A program that keeps cells as numbers writes 12.0 for household 12."""
    cases = [office.case("draft") for _ in range(2)]
    row = person(1, "12")
    bring(office, cases[0], [row])
    sheet = exports.as_xlsx(
        "名单", [titles[0] for titles in sheets.COLUMNS.values()], [[row["name"], row["id_number"], 12, "务工就业", row["village"]]]
    )
    assert upload(office, cases[1], sheet).status_code == 200
    assert office.count("SELECT count(DISTINCT household_hash) FROM household_member") == 1
    assert shown(office, cases[1]).json()["items"][0]["household_no"] == "12"


def test_a_household_has_the_number_that_its_cell_shows(office):
    case_id, row = office.case("draft"), person(1)
    wide = row["id_number"].translate({ord(each): ord(each) + 0xFEE0 for each in "0123456789X"})
    cells = [row["name"], wide, (1, "0000"), "务工就业", row["village"]]
    content = tables.workbook({"名单": [[titles[0] for titles in sheets.COLUMNS.values()], cells]})
    assert upload(office, case_id, content).status_code == 200
    assert shown(office, case_id).json()["items"][0]["household_no"] == "0001"


def test_faults_of_a_spreadsheet_are_named_by_row_and_column(office):
    case_id = office.case("draft")
    good = person(1)
    sheet = f"姓名,身份证号,户编号,带动方式,村\n{good['name']},{good['id_number']},F1,订单收购,白龙村\n冉,,F1,订单收购,白龙村\n冉,{good['id_number'][:-2]},F1,乞讨,白龙村\n"
    answer = upload(office, case_id, sheet)
    assert [(fault["row"], fault["column"], fault["code"]) for fault in answer.json()["errors"]] == [
        (3, "身份证号", "cell_missing"),
        (4, "身份证号", "id_number_wrong"),
        (4, "带动方式", "unknown_mode"),
    ]
    assert "3 faults" in answer.json()["title"]
    empty = upload(office, case_id, "姓名,身份证号,户编号,带动方式,村\n冉,,F1,订单收购,白龙村\n")
    assert [(fault["row"], fault["column"]) for fault in empty.json()["errors"]] == [(2, "身份证号")]
    turned = f"姓名,身份证号,户编号,带动方式,村\n冉\u202e一,{good['id_number']},F1,订单收购,\u200b\u2066\n"
    found = upload(office, case_id, turned)
    told = [(fault["row"], fault["column"], fault["code"]) for fault in found.json()["errors"]]
    assert told == [(2, "姓名", "cell_unreadable"), (2, "村", "cell_unreadable")]
    assert "冉" not in found.text
    assert code(upload(office, case_id, "姓名,村\na,b\n")) == (422, "unreadable_spreadsheet")
    long = "姓名,身份证号,户编号,带动方式,村\n" + "a,b,c,d,e\n" * 5001
    assert code(upload(office, case_id, long)) == (422, "too_many_rows")


@pytest.mark.parametrize(
    ("name", "why"),
    [("🍊😀", "picture_in_text"), ("冉😀", "picture_in_text"), ("123", "name_without_letters"), ("·", "name_without_letters")],
)
def test_a_name_is_a_name(office, name, why):
    case_id = office.case("draft")
    answer = bring(office, case_id, [person(1, name=name)])
    assert (answer.status_code, [fault["field"] for fault in answer.json()["errors"]]) == (422, ["members[0].name"])
    sheet = f"姓名,身份证号,户编号,带动方式,村\n{name},{person(1)['id_number']},F1,订单收购,白龙村\n"
    told = [(fault["row"], fault["column"], fault["code"]) for fault in upload(office, case_id, sheet).json()["errors"]]
    assert told == [(2, "姓名", why)]
    for fine in ("买买提·艾力", "Ran Yi", "张三（大）"):
        assert bring(office, case_id, [person(1, name=fine)]).status_code == 200


def test_the_template_is_understood(office):
    case_id = office.case("draft")
    for format in ("csv", "xlsx"):
        template = office.as_("supplier").get("/v1/household-list-template", params={"format": format})
        assert upload(office, case_id, template.content).json()["persons"] == 1
