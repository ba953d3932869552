"""A monthly report: filled in from the ledger, explained where it differs, reviewed by the next level."""

import csv
import io

import pytest

from orders.reports import filling, forms, handlers, rules
from shop.identity.permissions import Role
from tests.factories.identity import make_user
from tests.factories.racing import post_at_once, sessions
from tests.orders.reports.conftest import FIRST, MONTH, code, faults, value


@pytest.mark.slow
def test_a_units_report_goes_the_whole_way(scene):
    drafted = scene.draft()
    assert drafted.status_code == 201, drafted.text
    report = drafted.json()
    bought = "SELECT coalesce(sum(amount_fen), 0)::bigint FROM sale_entry WHERE month = :first AND buyer_id = :buyer"
    fen = scene.sum(bought, first=FIRST, buyer=scene.school.id)
    assert value(report, "purchases")["ledger"] == f"{fen // 100}.{fen % 100:02}"
    assert value(report, "helped_sales")["ledger"] is None
    there = scene.draft()
    assert code(there) == (409, "report_there")
    assert there.json()["data"] == {"month": MONTH, "report_id": report["id"]}
    assert str(report["id"]) in there.json()["title"]
    assert code(scene.move("school", report, "submit")) == (422, "report_refused")
    own = scene.as_the_ledger(report)
    own["purchases"] = {"value": f"{fen // 100 + 100}.00"}
    assert scene.write("school", report, own).status_code == 200
    refused = scene.move("school", report, "submit")
    assert faults(refused) == {("values.purchases.explanation", "difference_unexplained")}
    explained = {"purchases": {**own["purchases"], "explanation": "线下另采购一批，发票已报送"}}
    written = scene.write("bursar", report, explained).json()
    assert value(written, "purchases")["difference"] == rules.shown("yuan", 100 * 100 - fen % 100)
    submitted = scene.move("school", report, "submit").json()
    assert (submitted["status"], submitted["late"]) == ("submitted", False)
    assert code(scene.write("school", report, explained)) == (409, "illegal_move")
    assert "report.submitted" in scene.told("county")
    assert code(scene.move("county", report, "return")) == (422, "invalid")
    returned = scene.move("county", report, "return", reason="请附发票").json()
    assert (returned["status"], returned["reason"]) == ("returned", "请附发票")
    assert "report.returned" in scene.told("school")
    assert scene.write("school", report, {"orders": {"value": value(written, "orders")["ledger"]}}).status_code == 200
    assert scene.move("school", report, "submit").status_code == 200
    accepted = scene.move("county", report, "accept").json()
    assert accepted["status"] == "accepted"
    assert [step["move"] for step in accepted["steps"]] == ["submit", "return", "submit", "accept"]
    assert "report.accepted" in scene.told("school")
    assert code(scene.move("county", report, "accept")) == (409, "illegal_move")
    # what shows later is put right
    assert scene.move("county", report, "return", reason="发现重复").json()["status"] == "returned"


@pytest.mark.slow
def test_a_countys_report_goes_to_the_city(scene):
    report = scene.submitted("origin", "county_monthly")
    sold = "SELECT coalesce(sum(amount_fen), 0)::bigint FROM sale_entry WHERE month = :first AND district_code = '500236'"
    assert round(float(value(report, "sales")["ledger"]) * 100) == scene.sum(sold, first=FIRST)
    assert "report.submitted" in scene.told("city")
    assert code(scene.move("origin", report, "accept")) == (403, "not_the_reviewing_office")
    assert scene.move("city", report, "accept").json()["status"] == "accepted"
    assert "report.accepted" in scene.told("origin")


def test_the_officer_of_a_merged_district_reports_for_that_one(scene):
    """500157 took in two others, whose officer is the same one now."""
    with scene.database.unit_of_work() as session:
        officer = make_user(session, Role.COUNTY_OFFICER, None, "500157")
    scene.clients["merged"] = scene.api.as_(officer)
    drafted = scene.draft("merged", "county_monthly")
    assert drafted.status_code == 201, drafted.text
    assert drafted.json()["district"] == "500157"


def test_who_reaches_what(scene):
    report = scene.submitted()
    for who in ("viewer", "bursar", "county", "city", "monitor"):
        assert scene[who].get(f"/v1/reports/{report['id']}").status_code == 200, who
    for who in ("stranger", "origin"):
        assert scene[who].get(f"/v1/reports/{report['id']}").status_code == 404, who
        assert report["id"] not in [row["id"] for row in scene[who].get("/v1/reports").json()["items"]]
    assert scene["supplier"].get("/v1/reports").status_code == 403
    assert scene["viewer"].get(f"/v1/reports/{report['id']}").json()["possible_actions"] == []
    assert scene["county"].get(f"/v1/reports/{report['id']}").json()["possible_actions"] == ["accept", "return"]
    assert code(scene.move("origin", report, "accept")) == (404, "not_found")
    assert code(scene.move("viewer", report, "submit")) == (403, "forbidden")
    assert code(scene.move("monitor", report, "accept")) == (403, "forbidden")
    # a unit reports for those below it, and for nobody else
    assert scene.draft(unit_id=scene.below.id).json()["unit_id"] == scene.below.id
    assert code(scene.draft("stranger", unit_id=scene.school.id)) == (404, "not_found")
    assert code(scene.draft("county", "county_monthly")) == (409, "not_reporting")  # 500106 has no such task
    assert code(scene.draft("origin", "county_monthly", district="500240")) == (404, "not_found")
    assert code(scene.draft("origin")) == (403, "forbidden")


def test_what_is_asked_for_must_be_there(scene):
    assert code(scene.draft(form="weekly")) == (404, "no_form")
    assert code(scene["school"].post("/v1/reports", json={"form": "unit_monthly", "month": "2026-10"})) == (409, "month_not_over")
    assert code(scene["school"].post("/v1/reports", json={"form": "unit_monthly", "month": "2015-01"})) == (404, "no_form")
    report = scene.draft().json()
    wrong = scene.write("school", report, {"purchases": {"value": "1.234"}, "nothing": {"value": "1"}})
    assert faults(wrong) == {("values.purchases.value", "bad_value"), ("values.nothing", "no_such_field")}


def test_counts_and_weights_below_zero_are_not_reported_and_numbers_are_told_how_they_are_written(scene):
    report = scene.draft("origin", "county_monthly").json()
    below = {"orders": "-5", "weight": "-1.000", "fairs": "-1", "helped_sales": "-3.00"}
    values = scene.as_the_ledger(report) | {field: {"value": value, "explanation": "已核对"} for field, value in below.items()}
    assert scene.write("origin", report, values).status_code == 200
    refused = scene.move("origin", report, "submit")
    assert faults(refused) == {(f"values.{field}.value", "below_minimum") for field in ("orders", "weight", "fairs")}
    assert "“Net weight” has to be 0.000 or more" in refused.text
    form = next(each for each in scene["origin"].get("/v1/report-forms").json() if each["code"] == "county_monthly")
    assert {field["code"]: field["minimum"] for field in form["fields"]}.items() >= {
        ("orders", "0"),
        ("weight", "0.000"),
        ("sales", None),
    }
    for written, said in {"１２３": "write 123", "1e5": "such as 1234.50", "12,5": "such as 1234.50"}.items():
        answer = scene.write("origin", report, {"fairs": {"value": written}})
        assert faults(answer) == {("values.fairs.value", "value_error")}
        assert said in answer.json()["errors"][0]["message"], written
    assert value(scene.write("origin", report, {"fairs": {"value": " 5 "}}).json(), "fairs")["value"] == "5"


def test_a_report_that_was_changed_meanwhile_is_not_written_over(scene):
    report = scene.draft().json()
    match = {"If-Match": f'"{report["version"]}"'}
    assert scene.write("school", report, {"orders": {"value": "1"}}, match).status_code == 200
    assert scene.write("bursar", report, {"orders": {"value": "2"}}, match).status_code == 412
    stale = scene["school"].post(f"/v1/reports/{report['id']}/submit", headers=match)
    assert stale.status_code == 412
    submitted = scene.submitted(who="origin", form="county_monthly")
    for move, body in (("accept", None), ("return", {"reason": "请核对"})):
        stale = scene["city"].post(f"/v1/reports/{submitted['id']}/{move}", json=body, headers={"If-Match": '"1"'})
        assert code(stale) == (412, "changed_meanwhile"), move


def test_the_ledger_is_asked_again_when_it_is_submitted(scene):
    from orders.ledger import actions as ledger
    from shop.core.audit import SYSTEM

    report = scene.draft().json()
    scene.write("school", report, scene.as_the_ledger(report))
    with scene.database.unit_of_work() as session:
        from sqlalchemy import text

        entry = session.execute(
            text("SELECT id FROM sale_entry WHERE buyer_id = :id AND month = :first AND reverses_id IS NULL LIMIT 1"),
            {"id": scene.school.id, "first": FIRST},
        ).scalar_one()
        month_before = {"id": ledger.reverse(session, SYSTEM, entry, reason="退货")}
        session.execute(text("ALTER TABLE sale_entry DISABLE TRIGGER USER"))
        session.execute(text("UPDATE sale_entry SET sold_on = '2026-09-30', month = '2026-09-01' WHERE id = :id"), month_before)
        session.execute(text("ALTER TABLE sale_entry ENABLE TRIGGER USER"))
    assert ("values.purchases.explanation", "difference_unexplained") in faults(scene.move("school", report, "submit"))
    refilled = scene.move("school", report, "refill").json()
    # what the school took over from the ledger goes along with it, as if nobody had touched it
    assert value(refilled, "purchases")["value"] == value(refilled, "purchases")["ledger"] != value(report, "purchases")["value"]
    assert scene.move("school", report, "submit").status_code == 200


def test_what_a_person_wrote_stays_when_the_ledger_is_asked_again(scene):
    report = scene.submitted()
    assert scene.move("county", report, "return", reason="请核对").status_code == 200
    own = {"purchases": {"value": "5.00", "explanation": "平台外"}}
    assert scene.write("school", report, own).status_code == 200
    scene.sell_once_more(scene.school)
    again = scene.move("school", report, "refill").json()
    assert {each["field"] for each in again["values"] if each["difference"] not in (None, "0", "0.00", "0.000")} == {"purchases"}
    assert (value(again, "purchases")["value"], value(again, "purchases")["explanation"]) == ("5.00", "平台外")


def test_each_step_shows_its_values_and_what_changed_since_the_one_before(scene):
    report = scene.submitted()
    scene.move("county", report, "return", reason="请核对")
    scene.write("school", report, {"purchases": {"value": "9999999.00", "explanation": "平台外"}})
    scene.move("school", report, "submit")
    steps = scene["county"].get(f"/v1/reports/{report['id']}").json()["steps"]
    assert [step["move"] for step in steps] == ["submit", "return", "submit"]
    assert [value(step, "purchases")["value"] for step in steps] == [value(report, "purchases")["value"]] * 2 + ["9999999.00"]
    assert [[each["field"] for each in step["values"] if each["changed"]] for step in steps] == [[], [], ["purchases"]]
    assert value(steps[2], "purchases")["explanation"] == "平台外"


def test_who_has_not_reported_is_listed_and_exported(scene):
    before = scene["city"].get("/v1/reports/unreported", params={"form": "unit_monthly", "month": MONTH}).json()
    assert (before["accepted"], before["due_on"], before["overdue"]) == (0, "2026-10-05", False)
    assert len(before["items"]) == before["expected"] >= 3
    report = scene.submitted()
    listed = scene["county"].get("/v1/reports/unreported", params={"form": "unit_monthly", "month": MONTH}).json()
    assert {row["unit_id"]: row["status"] for row in listed["items"]}[scene.school.id] == "submitted"
    scene.move("county", report, "accept")
    listed = scene["county"].get("/v1/reports/unreported", params={"form": "unit_monthly", "month": MONTH}).json()
    assert scene.school.id not in {row["unit_id"] for row in listed["items"]}
    assert listed["accepted"] == 1
    counties = scene["city"].get("/v1/reports/unreported", params={"form": "county_monthly", "month": MONTH, "limit": 10}).json()
    assert counties["expected"] == 33
    rest = scene["city"].get(
        "/v1/reports/unreported", params={"form": "county_monthly", "month": MONTH, "limit": 200, "after": counties["next"]}
    )
    assert len(counties["items"]) + len(rest.json()["items"]) == 33
    table = scene["monitor"].get("/v1/reports/unreported", params={"form": "county_monthly", "month": MONTH, "format": "csv"}).text
    assert table.count("\n") == 34
    export = scene["city"].get("/v1/reports/export", params={"form": "unit_monthly", "month": MONTH, "format": "csv"}).text
    assert export.count("\n") == 2
    assert value(report, "purchases")["value"] in export


def test_a_month_that_runs_has_no_file_of_reports_yet_but_those_who_are_missing(scene):
    for path, month, wrong in (
        ("/v1/reports/export", "2026-10", "not_over"),
        ("/v1/reports/export", "2030-01", "not_over"),
        ("/v1/reports/unreported", "2030-01", "not_begun"),
    ):
        refused = scene["city"].get(path, params={"month": month})
        assert (refused.status_code, faults(refused)) == (422, {("month", wrong)}), (path, month)
    running = scene["city"].get("/v1/monthly-closes/2026-10").json()
    item = next(each for each in running["items"] if each["item"] == "reports_missing")
    missing = scene["city"].get(item["link"]).json()
    assert (missing["due_on"], missing["overdue"]) == ("2026-11-05", False)
    assert item["count"] == missing["expected"] == len(missing["items"]) == 33
    assert scene["city"].get("/v1/reports/unreported", params={"month": MONTH}).status_code == 200


def test_reminders_come_once_before_the_day_and_once_after_it(scene, on):
    def remind():
        with scene.database.unit_of_work() as session:
            return handlers.remind(session)

    assert remind() == 0
    on(2026, 10, 4)
    assert remind() > 33
    assert remind() == 0
    assert scene.told("school").count("report.due") == 1
    assert scene.told("origin").count("report.due") == 1
    report = scene.submitted()
    on(2026, 10, 6)
    assert remind() > 33
    assert "report.overdue" not in scene.told("school")  # it reported; it waits for the county
    assert scene.told("origin").count("report.overdue") == 1
    assert scene["school"].get(f"/v1/reports/{report['id']}").json()["late"] is False


def test_of_many_submissions_and_decisions_at_once_one_counts(scene):
    report = scene.draft().json()
    scene.write("school", report, scene.as_the_ledger(report))
    people = sessions(scene.api, scene.database, scene.users["school"], 6)
    answers = post_at_once(people, f"/v1/reports/{report['id']}/submit")
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    officers = sessions(scene.api, scene.database, scene.users["county"], 6)
    answers = post_at_once(officers, f"/v1/reports/{report['id']}/accept")
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    assert scene.sum("SELECT count(*) FROM report_step") == 2
    drafts = post_at_once(
        sessions(scene.api, scene.database, scene.users["stranger"], 6), "/v1/reports", {"form": "unit_monthly", "month": MONTH}
    )
    assert sorted(answer.status_code for answer in drafts) == [201] + [409] * 5
    [made] = [answer.json()["id"] for answer in drafts if answer.status_code == 201]
    assert {answer.json()["data"]["report_id"] for answer in drafts if answer.status_code == 409} == {made}


def test_a_report_shows_the_ledger_of_then_and_of_now(scene):
    report = scene.submitted()
    assert scene.move("county", report, "accept").status_code == 200
    accepted = scene["county"].get(f"/v1/reports/{report['id']}").json()
    then = value(accepted, "purchases")["ledger"]
    assert (value(accepted, "purchases")["ledger_now"], value(accepted, "purchases")["ledger_moved"]) == (then, None)
    moved = f"/v1/reports?month={MONTH}&moved=true"
    assert scene["county"].get(moved).json()["items"] == []
    more = scene.sell_once_more(scene.school)
    shown = value(scene["county"].get(f"/v1/reports/{report['id']}").json(), "purchases")
    assert (shown["ledger"], shown["ledger_moved"]) == (then, rules.shown("yuan", more))
    assert rules.read("yuan", shown["ledger_now"]) == rules.read("yuan", then) + more
    assert [row["id"] for row in scene["county"].get(moved).json()["items"]] == [report["id"]]
    assert scene["origin"].get(moved).json()["items"] == []
    assert code(scene["county"].get("/v1/reports?moved=true")) == (422, "invalid")
    book = scene["county"].get("/v1/reports/export", params={"month": MONTH, "format": "csv"}).text.removeprefix("\ufeff")
    header, line = csv.reader(io.StringIO(book))
    cells = dict(zip(header, line, strict=True))
    figures = [cells[f"{shown['label']} (yuan) {name}"] for name in ("ledger then", "ledger now", "ledger moved by")]
    assert figures == [then, shown["ledger_now"], shown["ledger_moved"]]


def test_many_reports_are_asked_together_and_say_what_each_says_alone(scene):
    codes = ("500236", "500240", "500157")  # the last took in two others
    for form_code, whose in (
        ("unit_monthly", [(buyer.id, "500106") for buyer in scene.trade.buyers]),
        ("county_monthly", [(None, region) for region in codes]),
    ):
        form = forms.in_force(form_code, FIRST)
        with scene.database.unit_of_work() as session:
            together = filling.ledger_values_of(session, form, FIRST, dict(enumerate(whose)))
            for n, (unit, region) in enumerate(whose):
                assert together[n] == filling.ledger_values(session, form, FIRST, unit, region), (form_code, unit, region)
