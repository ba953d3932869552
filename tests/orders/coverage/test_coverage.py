"""Poor villages, stations and coverage over HTTP."""

import csv
import io
from datetime import UTC, date, datetime
from functools import partial

import pytest
from sqlalchemy import text

from catalog.products.models import plain_name_sql
from orders.coverage import actions
from orders.statistics import actions as statistics
from shop.core import clock
from shop.identity.permissions import Role
from tests.factories import tables
from tests.factories.bodies import PDF
from tests.factories.figures import sell_alike
from tests.factories.identity import signed_in
from tests.factories.ledger import make_trade, sell
from tests.factories.racing import at_once

COUNTY, TOWNSHIP = "500236", "500236T01"
HEADER = "乡镇代码,村,起始日期,截止日期\n"
VILLAGES = f"{TOWNSHIP},三岔村,2014-01-01,\n{TOWNSHIP},文昌村,2014-01-01,\n{TOWNSHIP},咏梧村,2014-01-01,2025-12-31\n"


@pytest.fixture(autouse=True)
def _today():
    with clock.fixed(datetime(2026, 6, 15, 4, tzinfo=UTC)):
        yield


@pytest.fixture
def officer(api):
    return signed_in(api, Role.COUNTY_OFFICER, region_code=COUNTY)


def imported(client, rows=VILLAGES, **data):
    return client.post("/v1/coverage/villages/import", files={"file": ("a.csv", (HEADER + rows).encode())}, data=data)


def test_width_and_blanks_make_no_other_village(officer, database):
    assert imported(officer, f"{TOWNSHIP},Ａ村,2014-01-01,\n{TOWNSHIP},三 岔 村,2014-01-01,\n").json()["added"] == 2
    assert set(ids(officer)) == {"A村", "三岔村"}
    with database.unit_of_work() as session:  # as it was kept before
        session.execute(text("UPDATE poor_village SET name = '三 岔 村' WHERE name = '三岔村'"))
    told = imported(officer, f"{TOWNSHIP},a 村,2014-01-01,\n{TOWNSHIP},三岔　村,2014-01-01,2027-12-31\n").json()
    assert (told["added"], told["changed"]) == (0, 1)
    assert set(ids(officer)) == {"A村", "三 岔 村"}
    twice = imported(officer, f"{TOWNSHIP},B村,2014-01-01,\n{TOWNSHIP},Ｂ 村,2014-01-01,\n").json()
    assert [(each["row"], each["code"]) for each in twice["errors"]] == [(3, "twice")]


def test_a_month_is_no_day_and_a_code_is_what_its_cell_shows(officer):
    def told(*cells):
        content = tables.workbook({"村": [HEADER.strip().split(","), cells]})
        answer = officer.post("/v1/coverage/villages/import", files={"file": ("a.xlsx", content)}, data={"dry_run": "true"})
        return [(each["column"], each["code"]) for each in answer.json().get("errors", [])]

    assert told(TOWNSHIP, "三岔村", (date(2020, 1, 31), "yyyy-mm-dd"), "") == []
    assert told(TOWNSHIP, "三岔村", (date(2020, 1, 1), "yyyy年m月"), (date(2020, 2, 1), "mmm-yy")) == [("起始日期", "bad_day")]
    assert told((500236101, "#,##0"), "三岔村", "2020-01-31", "") == [("乡镇代码", "cell_format_unclear")]


def importing_at_once(officer, api, monkeypatch, *others):
    """One village as each of four writes it, and others beside it, all of them before anybody has put it there."""
    slow = f"WITH waited AS MATERIALIZED (SELECT pg_sleep(0.5)) SELECT k.* FROM waited, LATERAL ({actions._KNOWN.text}) k"
    monkeypatch.setattr(actions, "_KNOWN", text(slow))
    clients = [officer, *(signed_in(api, Role.COUNTY_OFFICER, region_code=COUNTY) for _ in range(3))]
    lists = ["".join(f"{TOWNSHIP},{name},2014-01-01,\n" for name in (each, *others)) for each in ("A村", "a村", "ａ 村", "Ａ村")]
    told = at_once([partial(imported, who, rows) for who, rows in zip(clients, lists, strict=True)])
    assert [answer.status_code for answer in told] == [200] * 4


def test_a_village_that_many_put_on_the_list_at_once_stands_there_once(officer, api, monkeypatch):
    importing_at_once(officer, api, monkeypatch, "B村")
    assert sorted(name.upper() for name in ids(officer)) == ["A村", "B村"]


@pytest.mark.control
def test_by_its_name_as_it_is_written_it_stands_there_twice(officer, api, database, monkeypatch):
    """The control."""
    with database.unit_of_work() as session:
        session.execute(text("DROP INDEX uq_poor_village_plain_name"))
        session.execute(text("ALTER TABLE poor_village ADD UNIQUE (township_code, name)"))
    monkeypatch.setattr(actions, "_WRITE", text(actions._WRITE.text.replace(f"({plain_name_sql('name')})", "name")))
    importing_at_once(officer, api, monkeypatch)
    assert sorted(ids(officer)) == ["A村", "a村"]


def ids(client, **query):
    return {each["name"]: each["id"] for each in client.get("/v1/coverage/villages", params=query).json()["items"]}


def station(client, villages, **other):
    body = {
        "kind": "village_station",
        "name": "三岔村电商服务站",
        "region_code": TOWNSHIP,
        "opened_on": "2026-03-01",
        "evidence": "验收单 2026-03",
        "villages": villages,
        **other,
    }
    answer = client.post("/v1/coverage/stations", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def coverage(client, **query):
    answer = client.get("/v1/coverage", params=query)
    assert answer.status_code == 200, answer.text
    return {row["place"]: row for row in answer.json()["rows"]}


def test_the_template_has_every_column(officer):
    template = officer.get("/v1/coverage/villages/template", params={"format": "csv"})
    assert template.content.decode("utf-8-sig").startswith("乡镇代码,村,起始日期,截止日期")


def test_the_list_is_taken_over_whole_or_not_at_all(officer):
    assert imported(officer, dry_run="true").json() == {"rows": 3, "added": 3, "changed": 0, "dry_run": True, "ignored_columns": []}
    assert ids(officer) == {}
    bad = imported(officer, f"500237T01,村,2014-01-01,\n{TOWNSHIP},a/b,2014-01-01,\n500237T01,,昨天,\n")
    assert [(each["row"], each["code"]) for each in bad.json()["errors"]] == [
        (2, "unknown_township"), (3, "bad_name"), (4, "bad_name"), (4, "bad_day"), (4, "unknown_township")
    ]  # fmt: skip
    turned = imported(officer, f"{TOWNSHIP},三岔\u202e村,2014-01-01,\n")
    assert {(each["row"], each["code"]) for each in turned.json()["errors"]} == {(2, "bad_value")}
    far = imported(
        officer, f"500237T01,村,2014-01-01,\n999999T01,村,2014-01-01,\n{TOWNSHIP},甲村,2014-01-01,\n{TOWNSHIP},甲村,2014-01-01,\n"
    )
    assert {(each["row"], each["code"]) for each in far.json()["errors"]} == {
        (2, "unknown_township"),
        (3, "unknown_township"),
        (5, "twice"),
    }
    assert imported(officer).json()["added"] == 3
    assert imported(officer).json() == {"rows": 3, "added": 0, "changed": 0, "dry_run": False, "ignored_columns": []}
    ended = imported(officer, f"{TOWNSHIP},文昌村,2014-01-01,2026-05-31\n")
    assert ended.json() == {"rows": 1, "added": 0, "changed": 1, "dry_run": False, "ignored_columns": []}
    assert set(ids(officer)) == {"三岔村"}
    assert set(ids(officer, on="2026-05-31")) == {"三岔村", "文昌村"}
    assert set(ids(officer, on="2025-12-31")) == {"三岔村", "文昌村", "咏梧村"}


def test_coverage_on_any_day(officer):
    imported(officer)
    known = ids(officer, on="2025-12-31")
    made = station(officer, [known["三岔村"]])
    assert (made["active"], made["villages"]) == (True, 1)
    assert coverage(officer, on="2026-02-28")[COUNTY]["coverage"] == "0.00"
    row = coverage(officer)[COUNTY]
    assert (row["villages"], row["served"], row["coverage"], row["stations"]) == (2, 1, "50.00", 1)
    assert coverage(officer, on="2025-12-31")[COUNTY]["villages"] == 3
    assert coverage(officer, level="city")["500000"]["served"] == 1
    assert coverage(officer, level="township")[TOWNSHIP]["stations"] == 1
    assert set(ids(officer, served=True)) == {"三岔村"}
    # twice served counts once
    station(officer, [known["三岔村"], known["文昌村"]], kind="town_station", name="镇站", opened_on="2026-06-01")
    assert coverage(officer)[COUNTY]["served"] == 2
    assert coverage(officer, on="2026-05-31")[COUNTY]["served"] == 1


def test_a_station_that_closes_covers_nothing_after_its_last_day(officer):
    imported(officer)
    made = station(officer, [ids(officer)["三岔村"]])
    path = f"/v1/coverage/stations/{made['id']}"
    early = officer.post(f"{path}/close", json={"closed_on": "2026-02-01", "reason": "停运"})
    assert early.status_code == 422
    assert officer.post(f"{path}/close", json={"closed_on": "2026-05-31", "reason": "停运"}).json()["active"] is False
    assert coverage(officer, on="2026-05-31")[COUNTY]["served"] == 1
    assert coverage(officer, on="2026-06-01")[COUNTY]["served"] == 0
    again = officer.post(f"{path}/close", json={"closed_on": "2026-06-01", "reason": "停运"})
    assert (again.status_code, again.json()["code"]) == (409, "station_closed")
    serve = officer.put(f"{path}/villages", json={"villages": [], "since": "2026-04-01"})
    assert serve.json()["code"] == "station_closed"


def test_villages_change_from_a_day_on_and_the_days_before_stay(officer):
    imported(officer)
    known = ids(officer)
    path = f"/v1/coverage/stations/{station(officer, [known['三岔村']])['id']}/villages"
    changed = officer.put(path, json={"villages": [known["文昌村"]], "since": "2026-05-01"})
    assert changed.status_code == 200, changed.text
    served = [(each["village"], each["valid_from"], each["valid_to"]) for each in changed.json()["serves"]]
    assert served == [(f"{TOWNSHIP}/三岔村", "2026-03-01", "2026-05-01"), (f"{TOWNSHIP}/文昌村", "2026-05-01", None)]
    assert set(ids(officer, on="2026-04-30", served=True)) == {"三岔村"}
    assert set(ids(officer, on="2026-05-01", served=True)) == {"文昌村"}
    assert officer.put(path, json={"villages": [], "since": "2026-04-01"}).status_code == 422
    assert officer.put(path, json={"villages": [], "since": "2026-05-01"}).status_code == 200
    assert set(ids(officer, on="2026-05-01", served=True)) == set()


def test_what_is_no_station(officer):
    imported(officer)
    body = {
        "kind": "village_station",
        "name": "站",
        "region_code": "500237",
        "opened_on": "2026-03-01",
        "evidence": "合同",
        "villages": [999999],
    }
    told = officer.post("/v1/coverage/stations", json=body)
    assert {(each["field"], each["code"]) for each in told.json()["errors"]} == {
        ("region_code", "unknown_region"),
        ("villages[0]", "unknown_village"),
    }
    for other in ({"kind": "shop"}, {"villages": [1, 1]}, {"opened_on": "0206-01-01"}, {"evidence": ""}):
        assert officer.post("/v1/coverage/stations", json={**body, **other}).status_code == 422, other
    station(officer, [])
    taken = officer.post(
        "/v1/coverage/stations", json={**body, "region_code": TOWNSHIP, "name": "三岔村电商服务站", "villages": []}
    )
    assert (taken.status_code, taken.json()["code"]) == (409, "station_name_taken")


def test_a_paper_proves_a_station(officer):
    path = f"/v1/coverage/stations/{station(officer, [])['id']}"
    none = officer.get(f"{path}/evidence")
    assert (none.status_code, none.json()["code"]) == (409, "no_evidence_file")
    assert officer.post(f"{path}/evidence", files={"file": ("a.pdf", PDF)}).json()["has_file"] is True
    assert officer.get(f"{path}/evidence").content == PDF
    # a paper that somebody else has put there since is not replaced unseen
    read = officer.get(path).headers["ETag"]
    other = PDF + b"%"
    assert officer.post(f"{path}/evidence", files={"file": ("b.pdf", other)}, headers={"If-Match": read}).status_code == 200
    assert officer.post(f"{path}/evidence", files={"file": ("a.pdf", PDF)}, headers={"If-Match": read}).status_code == 412
    assert officer.get(f"{path}/evidence").content == other


def test_villages_with_sales_stand_beside_all(database, officer):
    imported(officer)
    with database.unit_of_work() as session:
        trade = make_trade(session)
        sell(session, trade, 20, first=date(2026, 2, 1), last=date(2026, 6, 10))
        sell_alike(session, 3, sold_on=date(2026, 5, 4), district_code=COUNTY, township_code=TOWNSHIP, village="三岔村")
    row = coverage(officer)[COUNTY]
    assert (row["villages"], row["sold"], row["selling"], row["served_and_sold"]) == (2, 1, "50.00", 0)
    with database.unit_of_work() as session:
        while statistics.refresh(session):
            pass
    assert coverage(officer)[COUNTY]["sold"] == 1
    assert coverage(officer, **{"from": "2026-01-01", "to": "2026-01-31"})[COUNTY]["sold"] == 0


def test_townships_stay_within_the_region_and_counties_are_open(api, officer):
    imported(officer)
    made = station(officer, [])
    stranger = signed_in(api, Role.MONITOR, region_code="500229")
    assert coverage(stranger)[COUNTY]["villages"] == 2
    assert coverage(stranger, level="township") == {}
    assert ids(stranger) == {}
    assert stranger.get("/v1/coverage/stations").json()["items"] == []
    path = f"/v1/coverage/stations/{made['id']}"
    assert [stranger.get(path).status_code, stranger.get(f"{path}/evidence").status_code] == [404, 404]
    other = signed_in(api, Role.COUNTY_OFFICER, region_code="500229")
    assert other.post(f"{path}/close", json={"closed_on": "2026-06-01", "reason": "停运"}).status_code == 404
    assert imported(other).json()["errors"][0]["code"] == "unknown_township"
    monitor = signed_in(api, Role.MONITOR, region_code=COUNTY)
    assert monitor.get(path).status_code == 200
    assert imported(monitor).status_code == 403
    township = signed_in(api, Role.TOWNSHIP_OFFICER, region_code=TOWNSHIP)
    assert imported(township).status_code == 200


def test_coverage_as_a_file(officer):
    imported(officer)
    station(officer, [ids(officer)["三岔村"]])
    rows = list(csv.reader(io.StringIO(officer.get("/v1/coverage", params={"format": "csv"}).content.decode("utf-8-sig"))))
    assert rows[0][:5] == ["region code", "region", "poor villages", "served", "coverage (%)"]
    assert rows[1][2:5] == rows[2][2:5] == ["2", "1", "50.00"]
    assert officer.get("/v1/coverage", params={"format": "xlsx"}).content[:2] == b"PK"
    backwards = officer.get("/v1/coverage", params={"from": "2026-05-01", "to": "2026-04-01"})
    assert backwards.status_code == 422


def test_a_key_that_was_used_for_one_file_is_refused_for_another_of_the_same_length_and_name(officer):
    def send(village, name="a.csv", **data):
        files = {"file": (name, f"{HEADER}{TOWNSHIP},{village},2014-01-01,\n".encode())}
        return officer.post("/v1/coverage/villages/import", files=files, data=data, headers={"Idempotency-Key": "villages-1"})

    first = send("三岔村")
    assert (first.status_code, first.json()["added"]) == (200, 1)
    again = send("三岔村")  # with a boundary of its own
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    for other in (send("文昌村"), send("三岔村", name="b.csv"), send("三岔村", dry_run="true")):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert set(ids(officer)) == {"三岔村"}
