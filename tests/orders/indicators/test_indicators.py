"""Reported indicators over HTTP: entry, sheets, the second person, revisions, growth."""

import csv
import io
from datetime import UTC, date, datetime

import pytest
import xlsxwriter
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from orders.indicators.states import REPORTED_VALUE, ValueAction
from orders.statistics import actions as statistics
from shop.core import clock, exports, outbox
from shop.core.money import yuan_from_fen
from shop.core.states import IllegalMove
from shop.identity.permissions import Role
from tests.factories import tables
from tests.factories.identity import make_supplier, signed_in
from tests.factories.ledger import make_trade, sell
from tests.factories.racing import post_at_once
from workers.handlers import HANDLERS

COUNTY = "500236"
BODY = {
    "indicator": "rural_online_retail",
    "region_code": COUNTY,
    "period": "2025",
    "value": "1250000.5",
    "source": "市商务委数据服务商",
    "method": "按卖家所在地",
}
HEADER = "指标代码,区划代码,期间,数值,数据来源,统计方法,上年同期,上年同期统计方法\n"


@pytest.fixture(autouse=True)
def _today():
    with clock.fixed(datetime(2026, 6, 15, 4, tzinfo=UTC)):
        yield


@pytest.fixture
def officer(api):
    return signed_in(api, Role.COUNTY_OFFICER, region_code=COUNTY)


@pytest.fixture
def second(api):
    return signed_in(api, Role.COUNTY_OFFICER, region_code=COUNTY)


@pytest.fixture
def city(api):
    return signed_in(api, Role.CITY_OFFICER)


def test_a_month_is_a_period_however_its_cell_shows_it_and_sheets_are_named(officer):
    def sent(content, **data):
        form = {"file": ("a.xlsx", content)}
        return officer.post("/v1/indicators/import", files=form, data={"dry_run": "true", **data}).json()

    rows = [
        [BODY["indicator"], (int(COUNTY), "000000"), (date(2026, month, 1), shown), (1234.5, "#,##0.00"), "某局", "直报"]
        for month, shown in ((1, "yyyy年m月"), (2, "mmm-yy"), (3, "yyyy-mm-dd"))
    ]
    header = HEADER.strip().split(",")[:6]
    assert sent(tables.workbook({"一": [header, *rows]})).get("rows") == 3
    several = tables.workbook({"一季": [header, rows[0]], "二月": [header, rows[1]]})
    assert (sent(several)["code"], sent(several, sheet="二月").get("rows")) == ("several_sheets", 1)


def reported(client, **other):
    answer = client.post("/v1/indicators", json={**BODY, **other})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_another_version_than_the_one_read_is_not_moved(officer, second):
    path = f"/v1/indicators/{reported(officer)['id']}"
    revised = {**{name: BODY[name] for name in ("value", "source", "method")}, "reason": "更正"}
    for who, move, said in ((second, "review", {"number": 1, "decision": "accept"}), (officer, "revisions", revised)):
        assert who.post(f"{path}/{move}", json=said, headers={"If-Match": '"99"'}).status_code == 412, move
        assert who.post(f"{path}/{move}", json=said, headers={"If-Match": who.get(path).headers["ETag"]}).status_code < 300, move


def accepted(reporter, reviewer, **other):
    made = reported(reporter, **other)
    answer = reviewer.post(f"/v1/indicators/{made['id']}/review", json={"number": 1, "decision": "accept"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def sheet(rows):
    return {"file": ("a.csv", (HEADER + rows).encode())}


def test_a_month_that_a_workbook_made_a_day_of_and_codes_in_full_width_are_understood(officer):
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in COUNTY)
    cells = ["rural_online_retail", wide, date(2025, 10, 1), 12, "商务委", "口径A"]
    content = exports.as_xlsx("指标", HEADER.strip().split(",")[:6], [cells])
    answer = officer.post("/v1/indicators/import", files={"file": ("a.xlsx", content)})
    assert answer.status_code == 200, answer.text
    [made] = officer.get("/v1/indicators").json()["items"]
    assert (made["region_code"], made["period"]) == (COUNTY, "2025-10")


def test_a_value_holds_once_a_second_person_accepted_it(officer, second):
    made = reported(officer, base_value="1000000")
    assert (made["status"], made["accepted"], made["latest"]["base_method"]) == ("reported", None, "按卖家所在地")
    assert made["possible_actions"] == ["revise"]
    path = f"/v1/indicators/{made['id']}"
    own = officer.post(f"{path}/review", json={"number": 1, "decision": "accept"})
    assert (own.status_code, own.json()["code"]) == (403, "own_report")
    done = second.post(f"{path}/review", json={"number": 1, "decision": "accept"}).json()
    assert (done["status"], done["accepted"]["value"], done["latest"]["decision"]) == ("accepted", "1250000.5", "accepted")
    again = second.post(f"{path}/review", json={"number": 1, "decision": "return", "reason": "有误"})
    assert (again.status_code, again.json()["code"]) == (409, "illegal_move")


def test_a_value_is_never_overwritten(api, database, officer, second):
    made = accepted(officer, second)
    path = f"/v1/indicators/{made['id']}"
    twice = officer.post("/v1/indicators", json=BODY)
    assert (twice.status_code, twice.json()["code"]) == (409, "already_reported")
    revision = {**{name: BODY[name] for name in ("source", "method")}, "value": "1300000"}
    assert officer.post(f"{path}/revisions", json=revision).status_code == 422  # without a reason
    now = officer.post(f"{path}/revisions", json={**revision, "reason": "年报核定"}).json()
    assert (now["status"], now["latest"]["number"], now["accepted"]["number"]) == ("reported", 2, 1)
    other = second.post(f"{path}/review", json={"number": 1, "decision": "accept"})
    assert (other.status_code, other.json()["code"]) == (409, "other_revision")
    missing = second.post(f"{path}/review", json={"number": 2, "decision": "return"})
    assert missing.json()["errors"][0]["field"] == "reason"
    returned = second.post(f"{path}/review", json={"number": 2, "decision": "return", "reason": "口径不符"}).json()
    assert (returned["status"], returned["accepted"]["value"]) == ("returned", "1250000.5")
    history = officer.get(f"{path}/revisions").json()["items"]
    assert [(each["number"], each["decision"]) for each in history] == [(2, "returned"), (1, "accepted")]
    with pytest.raises(DBAPIError, match="append-only"), database.unit_of_work() as session:
        session.execute(text("UPDATE reported_value_revision SET value = 1 WHERE number = 1"))


def test_what_cannot_be_reported(officer):
    for other, field, code in (
        ({"indicator": "gdp"}, "indicator", "unknown_indicator"),
        ({"region_code": "500237"}, "region_code", "unknown_region"),
        ({"region_code": "500999"}, "region_code", "unknown_region"),
        ({"period": "2027"}, "period", "not_over"),
        ({"period": "2026-Q2"}, "period", "not_over"),
    ):
        answer = officer.post("/v1/indicators", json={**BODY, **other})
        assert answer.status_code == 422, other
        assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (field, code)
    for other in ({"value": "-1"}, {"value": "1.00001"}, {"period": "2025-13"}, {"value": "NaN"}, {"source": ""}):
        assert officer.post("/v1/indicators", json={**BODY, **other}).status_code == 422, other


def test_a_district_that_was_merged_reports_no_more(city):
    later = city.post("/v1/indicators", json={**BODY, "region_code": "500105", "period": "2026-05"})
    assert later.json()["errors"][0]["code"] == "not_in_force"
    assert city.post("/v1/indicators", json={**BODY, "region_code": "500105", "period": "2024"}).status_code == 201


def test_the_template_has_every_column(officer):
    template = officer.get("/v1/indicators/template", params={"format": "csv"})
    told = officer.post("/v1/indicators/import", files={"file": ("a.csv", template.content)}, data={"dry_run": "true"}).json()
    assert told.get("ignored_columns", []) == []
    assert told.get("code", "report_refused") == "report_refused"
    assert template.content.decode("utf-8-sig").startswith(
        "指标代码,区划代码,期间,数值,数据来源,统计方法,上年同期,上年同期统计方法"
    )


def test_a_refusal_calls_what_was_accepted_by_its_word():
    with pytest.raises(IllegalMove) as refused:
        REPORTED_VALUE.after("accepted", ValueAction.ACCEPT)
    assert "已采纳" in str(refused.value.told("zh"))
    assert "已验收" not in str(refused.value.told("zh"))


def test_a_sheet_is_taken_over_whole_or_not_at_all(officer):
    rows = f'rural_online_retail,{COUNTY},2025,1000,统计局,口径A,800,口径A\nrural_online_retail,{COUNTY},2025-Q1,"2,500.5",统计局,口径A,,\n'
    dry = officer.post("/v1/indicators/import", files=sheet(rows), data={"dry_run": "true"})
    assert dry.json() == {"rows": 2, "revised": 0, "dry_run": True, "ignored_columns": []}
    assert officer.get("/v1/indicators").json()["items"] == []
    bad = f"gdp,{COUNTY},2025,x,,口径A,,\nrural_online_retail,500101,2025,1,统计局,口径A,,\n"
    told = officer.post("/v1/indicators/import", files=sheet(bad))
    assert (told.status_code, told.json()["code"]) == (422, "report_refused")
    assert {(each["row"], each["column"], each["code"]) for each in told.json()["errors"]} == {
        (2, "数值", "bad_value"),
        (2, "数据来源", "missing"),
        (2, "指标代码", "unknown_indicator"),
        (3, "区划代码", "unknown_region"),
    }
    turned = officer.post("/v1/indicators/import", files=sheet(f"rural_online_retail,{COUNTY},2025,1,统计\u202e局,口径A,,\n"))
    assert {(each["row"], each["column"], each["code"]) for each in turned.json()["errors"]} == {(2, "数据来源", "bad_value")}
    far = officer.post("/v1/indicators/import", files=sheet(f"gdp,{COUNTY},2025,1,a,b,,\nrural_online_retail,500101,25,1,a,b,,\n"))
    assert {(each["row"], each["code"]) for each in far.json()["errors"]} == {
        (2, "unknown_indicator"),
        (3, "unknown_region"),
        (3, "bad_period"),
    }
    assert officer.post("/v1/indicators/import", files=sheet(rows)).json()["rows"] == 2
    assert {each["period"] for each in officer.get("/v1/indicators").json()["items"]} == {"2025", "2025-Q1"}
    again = officer.post("/v1/indicators/import", files=sheet(rows))
    assert {each["code"] for each in again.json()["errors"]} == {"already_reported"}
    revised = officer.post("/v1/indicators/import", files=sheet(rows), data={"reason": "更正"})
    assert revised.json() == {"rows": 2, "revised": 2, "dry_run": False, "ignored_columns": []}
    twice = officer.post("/v1/indicators/import", files=sheet(f"rural_online_retail,{COUNTY},2023,1,a,b,,\n" * 2))
    assert twice.json()["errors"][0]["code"] == "twice"


def test_commas_that_part_no_thousands_are_faults_of_their_cells(officer):
    figures = [('"12,34.5"', "1"), ("1e3", "1"), ("1_000", "1"), ('"1,234.5"', '"1,5"'), ('"1,234.5"', '"1,100"')]
    rows = [f"rural_online_retail,{COUNTY},{2021 + place},{value},a,b,{base},\n" for place, (value, base) in enumerate(figures)]
    told = officer.post("/v1/indicators/import", files=sheet("".join(rows)))
    assert [(fault["row"], fault["column"]) for fault in told.json()["errors"]] == [
        (2, "数值"),
        (3, "数值"),
        (4, "数值"),
        (5, "上年同期"),
    ]


def test_a_cell_of_percents_is_its_percent_where_the_indicator_is_one(officer, database):
    share = '[{"code": "online_share", "unit": "percent", "zh": "网络零售占比", "en": "Share of online retail"}]'
    with database.unit_of_work() as session:
        session.execute(
            text("UPDATE programme SET config = jsonb_set(config, '{indicators}', (config->'indicators') || CAST(:one AS jsonb))"),
            {"one": share},
        )
    header = [*HEADER.strip().split(",")[:6], "上年同期"]
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as book:
        made, percent = book.add_worksheet(), book.add_format({"num_format": "0.00%"})
        made.write_row(0, 0, header)
        for row, (period, value, form) in enumerate(
            [("2024", 0.125, percent), ("2025", 15.5, None), ("2023", "9.25％", None)], start=1
        ):
            made.write_row(row, 0, ["online_share", COUNTY, period])
            made.write(row, 3, value, form)
            made.write_row(row, 4, ["统计局", "口径A"])
        made.write(1, 6, 0.1, percent)
    answer = officer.post("/v1/indicators/import", files={"file": ("a.xlsx", held.getvalue())})
    assert answer.status_code == 200, answer.text
    read = {
        each["period"]: (each["latest"]["value"], each["latest"]["base_value"])
        for each in officer.get("/v1/indicators").json()["items"]
    }
    assert read == {"2024": ("12.5", "10"), "2025": ("15.5", None), "2023": ("9.25", None)}
    other = officer.post("/v1/indicators/import", files=sheet(f"rural_online_retail,{COUNTY},2025,10%,a,b,,\n"))
    [told] = other.json()["errors"]
    assert (told["row"], told["column"], told["code"]) == (2, "数值", "bad_value")
    assert "is a percent" in told["message"]


def test_no_sheet_at_all(officer):
    for content in (b"", b"\x00\x01", b"a,b\n1,2\n", HEADER.encode()):
        assert officer.post("/v1/indicators/import", files={"file": ("a.csv", content)}).status_code == 422


def growth(client, **query):
    answer = client.get("/v1/indicators/growth", params={"period": "2025", **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_growth_of_what_is_no_indicator_is_refused(city):
    answer = city.get("/v1/indicators/growth", params={"indicator": "nope"})
    assert (answer.status_code, [(each["field"], each["code"]) for each in answer.json()["errors"]]) == (
        422,
        [("indicator", "unknown_code")],
    )


def test_growth_against_the_goal_of_a_quarter(officer, second, city):
    accepted(officer, second, period="2024", value="1000")
    accepted(officer, second, value="1300")
    reported(city, region_code="500237", value="900", base_value="800")  # not accepted yet
    found = growth(city)
    assert len(found["rows"]) == 14
    first = found["rows"][0]
    assert (first["county"], first["value"], first["base"], first["basis"]) == (COUNTY, "1300", "1000", "published")
    assert (first["growth"], first["target"], first["reached"]) == ("30.00", "25.00", True)
    assert all(row["value"] is None and row["growth"] is None for row in found["rows"][1:])
    totals = found["totals"]
    assert (totals["value"], totals["growth"], totals["target"]) == ("1300", "30.00", "25.00")
    assert (totals["counted"], totals["counties"], totals["reached"]) == (1, 14, None)
    assert "never computed" in found["definition"]
    assert found["exact_to"]


def test_the_goal_of_growth_is_the_value_that_was_set_last(officer, second, city):
    accepted(officer, second, period="2024", value="1000")
    accepted(officer, second, value="1300")
    [target] = city.get("/v1/targets", params={"measure": "indicator_growth", "programme": "chongqing-2021"}).json()["items"]
    revised = city.post(f"/v1/targets/{target['id']}/revisions", json={"value": "30.5", "reason": "调增"})
    assert revised.status_code == 201, revised.text
    found = growth(city)
    assert (found["rows"][0]["growth"], found["rows"][0]["target"], found["rows"][0]["reached"]) == ("30.00", "30.50", False)
    assert city.post(f"/v1/targets/{target['id']}/withdraw", json={"reason": "不再考核"}).status_code in (200, 201)
    assert (growth(city)["rows"][0]["target"], growth(city)["rows"][0]["reached"]) == (None, None)


def test_one_county_of_fourteen_lights_nothing_and_all_of_them_do(officer, second, city, api):
    none = growth(city)["totals"]
    assert (none["value"], none["base"], none["growth"], none["reached"], none["counted"]) == (None, None, None, None, 0)
    accepted(officer, second, period="2026-05", value="1300", base_value="900")

    def read():
        [target] = city.get("/v1/targets", params={"measure": "indicator_growth", "programme": "chongqing-2021"}).json()["items"]
        lights = city.get("/v1/statistics/overview").json()["targets"]
        assert next(each for each in lights if each["id"] == target["id"])["light"] == target["progress"]["light"]
        return target["progress"], growth(city, period="2026-05")["totals"]

    progress, totals = read()
    assert (progress["done"], progress["counted"], progress["counties"], progress["light"]) == ("44.44", 1, 14, "none")
    assert (totals["growth"], totals["counted"], totals["counties"], totals["reached"]) == ("44.44", 1, 14, None)
    asked = {"measure": "indicator_growth", "programme": "chongqing-2021", "format": "csv"}
    file = city.get("/v1/targets/export", params=asked).content.decode("utf-8-sig")
    told = dict(zip(*csv.reader(io.StringIO(file)), strict=True))
    assert (told["counties or units counted"], told["counties to report"], told["done"]) == ("1", "14", "44.44")
    reviewer = signed_in(api, Role.CITY_OFFICER)
    for row in growth(city)["rows"]:
        if row["county"] != COUNTY:
            accepted(city, reviewer, region_code=row["county"], period="2026-05", value="1300", base_value="900")
    # one county's quarter does not stand for all of them
    accepted(officer, second, period="2026-Q1", value="1", base_value="900")
    progress, totals = read()
    assert (progress["done"], progress["counted"], progress["light"]) == ("44.44", 14, "green")
    assert (totals["counted"], totals["reached"]) == (14, True)


def test_growth_is_rebased_when_the_method_changes(officer, second):
    accepted(officer, second, period="2024", value="1000")
    made = accepted(officer, second, value="900", method="新口径")
    assert growth(officer)["rows"][-1]["growth"] is None
    row = next(row for row in growth(officer)["rows"] if row["county"] == COUNTY)
    assert (row["basis"], row["growth"]) == ("other_method", None)
    path = f"/v1/indicators/{made['id']}"
    rebased = {"value": "900", "source": "市商务委", "method": "新口径", "base_value": "720", "reason": "按新口径重算上年"}
    assert officer.post(f"{path}/revisions", json=rebased).status_code == 201
    second.post(f"{path}/review", json={"number": 2, "decision": "accept"})
    row = growth(officer)["rows"][0]
    assert (row["basis"], row["base"], row["growth"], row["reached"]) == ("restated", "720", "25.00", True)


def test_growth_as_a_file(officer, second):
    accepted(officer, second, period="2024", value="1000")
    accepted(officer, second, value="1300")
    answer = officer.get("/v1/indicators/growth", params={"period": "2025", "format": "csv"})
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:4] == ["county code", "county", "value", "year before"]
    assert (rows[1][0], rows[1][2], rows[1][5]) == (COUNTY, "1300.0000", "30.00")
    assert rows[-1][0] == "Total"
    listed = officer.get("/v1/indicators/export", params={"format": "csv"}).content.decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(listed)))) == 3
    assert officer.get("/v1/indicators/export").content[:2] == b"PK"


def test_own_sales_stand_beside_and_are_no_part(database, officer, second):
    accepted(officer, second, value="1300", base_value="1000")
    with database.unit_of_work() as session:
        sell(session, make_trade(session), 30, first=date(2025, 1, 1), last=date(2025, 12, 31))
        own = session.execute(
            text(
                "SELECT coalesce(sum(amount_fen), 0) FROM sale_entry WHERE district_code = :county AND month BETWEEN '2025-01-01' AND '2025-12-31'"
            ),
            {"county": COUNTY},
        ).scalar_one()
        statistics.refresh(session)
    row = growth(officer)["rows"][0]
    assert (row["value"], row["own_sales"]) == ("1300", yuan_from_fen(int(own)))


def test_single_values_stay_within_the_region_and_growth_is_open(api, officer, second):
    made = accepted(officer, second, value="1300", base_value="1000")
    stranger = signed_in(api, Role.MONITOR, region_code="500229")
    assert stranger.get(f"/v1/indicators/{made['id']}").status_code == 404
    assert stranger.get(f"/v1/indicators/{made['id']}/revisions").status_code == 404
    assert stranger.get("/v1/indicators").json()["items"] == []
    assert growth(stranger)["rows"][0]["growth"] == "30.00"
    assert stranger.post("/v1/indicators", json=BODY).status_code == 403
    monitor = signed_in(api, Role.MONITOR, region_code=COUNTY)
    assert monitor.get(f"/v1/indicators/{made['id']}").json()["possible_actions"] == []
    other = signed_in(api, Role.COUNTY_OFFICER, region_code="500229")
    assert other.post(f"/v1/indicators/{made['id']}/review", json={"number": 1, "decision": "accept"}).status_code == 404
    with api.database.unit_of_work() as session:
        supplier = make_supplier(session)
    assert signed_in(api, Role.SUPPLIER_ADMIN, supplier).get("/v1/indicators").status_code == 403


def test_pages_and_filters(officer):
    for month in range(1, 6):
        reported(officer, period=f"2026-0{month}")
    reported(officer, period="2025")
    first = officer.get("/v1/indicators", params={"limit": 4}).json()
    rest = officer.get("/v1/indicators", params={"limit": 4, "after": first["next"]}).json()
    assert [each["period"] for each in first["items"] + rest["items"]] == [
        "2025",
        "2026-05",
        "2026-04",
        "2026-03",
        "2026-02",
        "2026-01",
    ]
    assert rest["next"] is None
    assert (
        len(officer.get("/v1/indicators", params={"grain": "month", "from": "2026-02-01", "to": "2026-04-30"}).json()["items"]) == 3
    )
    assert officer.get("/v1/indicators", params={"status": "accepted"}).json()["items"] == []


def test_reports_of_the_same_value_at_once_make_one(api, officer):
    clients = [signed_in(api, Role.COUNTY_OFFICER, region_code=COUNTY) for _ in range(4)]
    answers = post_at_once(clients, "/v1/indicators", BODY)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    [one] = officer.get("/v1/indicators").json()["items"]
    assert one["latest"]["number"] == 1


def test_whoever_may_be_the_second_person_hears_and_then_the_first(api, database, officer, second):
    def run():
        with database.unit_of_work() as session:
            due = outbox.due(session)
        for event in due:
            outbox.work(database, HANDLERS, event)

    made = reported(officer)
    run()
    kinds = lambda client: [each["kind"] for each in client.get("/v1/notifications").json()["items"]]  # noqa: E731
    assert kinds(second) == ["reported_value.waiting"]
    assert kinds(officer) == []
    second.post(f"/v1/indicators/{made['id']}/review", json={"number": 1, "decision": "accept"})
    run()
    assert kinds(officer) == ["reported_value.accepted"]
