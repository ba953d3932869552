"""Tables of published months for everybody, with what is in them said beside them."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text

from shop.identity.permissions import Role
from tests.databases import begin_with
from tests.factories.bulletins import publish
from tests.factories.catalog import make_product
from tests.factories.identity import make_supplier, make_user, signed_in
from tests.factories.ledger import make_trade, sell

SALES, PEOPLE = "sales-by-district-channel", "participants-by-district-category"


FEBRUARY, MARCH = "2026-02", "2026-03"


@pytest.fixture
def officers(database):
    return begin_with(database, "officers", lambda: _officers(database))


def _officers(database):
    with database.unit_of_work() as session:
        return [make_user(session, Role.CITY_OFFICER) for _ in range(2)]


@pytest.fixture
def sold(database, officers):
    """Sales from January to April; all but April is closed."""
    return begin_with(database, "sold", lambda: _sold(database, officers))


def _sold(database, officers):
    with database.unit_of_work() as session:
        trade = make_trade(session)
        sell(session, trade, 60, first=date(2026, 1, 5), last=date(2026, 4, 20))
        for month in ("2026-01-01", "2026-02-01", "2026-03-01"):
            session.execute(
                text("INSERT INTO closed_month (month, closed_at, closed_by) VALUES (:month, now(), :user)"),
                {"month": month, "user": officers[0].id},
            )
    return trade


@pytest.fixture
def closed(database, officers, sold):
    """Of February and March there is a bulletin."""
    begin_with(database, "closed", lambda: _closed(database, officers))
    return sold


def _closed(database, officers):
    with database.unit_of_work() as session:
        for month in (FEBRUARY, MARCH):
            publish(session, officers, month)


def rows(answer):
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_a_table_has_the_published_months_and_their_figures(api, closed):
    found = rows(api.get(f"/v1/public/tables/{SALES}/2026.csv"))
    assert {row["month"] for row in found} == {"2026-02", "2026-03"}
    monitor = signed_in(api, Role.MONITOR)
    totals = monitor.get("/v1/statistics/sales", params={"from": "2026-02-01", "to": "2026-03-31"}).json()["totals"]["figures"]
    assert sum(Decimal(row["amount"]) for row in found) == Decimal(totals["amount"])
    assert len({(row["month"], row["district"], row["channel"]) for row in found}) == len(found)


def test_grams_add_up_where_tonnes_are_rounded_in_each_row(api, closed):
    found = rows(api.get(f"/v1/public/tables/{SALES}/2026.csv"))
    for month in ("2026-02", "2026-03"):
        bulletin = api.get(f"/v1/public/bulletins/{month}/files/json").json()
        told = [row for row in found if row["month"] == month]
        assert sum(int(row["grams"]) for row in told) == bulletin["totals"]["figures"]["now"]["grams"]
        assert sum(int(row["revised_grams"]) for row in told) == bulletin["totals"]["figures"]["now"]["grams"]
    assert all(
        Decimal(row["tonnes"]) == round(Decimal(row["grams"]) / 1_000_000, 3) for row in found if int(row["grams"]) % 1000 != 500
    )


def test_a_month_that_is_closed_is_not_public_before_its_bulletin(api, database, officers, sold):
    for name in (SALES, PEOPLE):
        assert api.get(f"/v1/public/tables/{name}/2026.csv").status_code == 404
    with database.unit_of_work() as session:
        publish(session, officers, MARCH)
    for name in (SALES, PEOPLE):
        assert {row["month"] for row in rows(api.get(f"/v1/public/tables/{name}/2026.csv"))} <= {MARCH}


def test_what_a_bulletin_withholds_is_not_public_before_a_revision_publishes_it(api, database, officers, sold):
    def districts(month):
        found = rows(api.get(f"/v1/public/tables/{SALES}/2026.csv"))
        return {row["district"] for row in found if row["month"] == month}

    with database.unit_of_work() as session:
        publish(session, officers, FEBRUARY)
        publish(session, officers, MARCH, {"500118", "500240"})
    assert {"500118", "500240"} <= districts(FEBRUARY)
    assert not {"500118", "500240"} & districts(MARCH)
    with database.unit_of_work() as session:
        publish(session, officers, MARCH, {"500240"}, edition=1)
    assert districts(MARCH) == districts(FEBRUARY) - {"500240"}


def test_a_month_stays_as_it_is_whatever_is_merged_later(api, database, officers, sold):
    with database.unit_of_work() as session:
        publish(session, officers, FEBRUARY)
    february = rows(api.get(f"/v1/public/tables/{SALES}/2026.csv"))
    with database.unit_of_work() as session:
        session.execute(text("UPDATE region SET successor_code = '500240', valid_to = '2026-03-10' WHERE code = '500118'"))
        publish(session, officers, MARCH)
    both = rows(api.get(f"/v1/public/tables/{SALES}/2026.csv"))
    assert [row for row in both if row["month"] == FEBRUARY] == february
    assert "500118" in {row["district"] for row in february}
    assert "500118" not in {row["district"] for row in both if row["month"] == MARCH}


def test_its_description_names_every_column_and_the_key(api, closed):
    answer = api.get(f"/v1/public/tables/{SALES}/2026.csv")
    assert 'rel="describedby"' in answer.headers["link"]
    described = api.get(f"/v1/public/tables/{SALES}/2026.csv-metadata.json")
    assert described.headers["content-type"] == "application/csvm+json"
    schema = described.json()["tableSchema"]
    assert described.json()["dc:source"] == [{"@id": "../../bulletins/2026-02"}, {"@id": "../../bulletins/2026-03"}]
    assert "revised_amount" in described.json()["rdfs:comment"]
    assert [column["name"] for column in schema["columns"]] == list(rows(answer)[0])
    assert schema["primaryKey"] == ["month", "district", "channel"]
    assert described.json()["url"] == "2026.csv"
    assert described.json()["@context"][0] == "http://www.w3.org/ns/csvw"


def test_tables_have_the_media_types_that_openapi_names(api, closed, server):
    for path in (
        "/v1/public/tables/{name}/{year}.csv",
        "/v1/public/tables/{name}/{year}.csv-metadata.json",
        "/v1/public/tables/{name}/{year}.sdmx.csv",
    ):
        [documented] = server.app.openapi()["paths"][path]["get"]["responses"]["200"]["content"]
        answer = api.get(path.format(name=SALES, year=2026))
        assert answer.headers["content-type"].removesuffix("; charset=utf-8") == documented


def test_sdmx_says_the_same_one_observation_a_row(api, closed):
    found = rows(api.get(f"/v1/public/tables/{SALES}/2026.sdmx.csv"))
    assert list(found[0])[:3] == ["STRUCTURE", "STRUCTURE_ID", "ACTION"]
    assert {row["STRUCTURE_ID"] for row in found} == {"CQXF:SALES_BY_DISTRICT_CHANNEL(1.2)"}
    amounts = [Decimal(row["OBS_VALUE"]) for row in found if row["MEASURE"] == "AMOUNT"]
    plain = [Decimal(row["amount"]) for row in rows(api.get(f"/v1/public/tables/{SALES}/2026.csv"))]
    assert amounts == plain
    keys = {(row["DISTRICT"], row["CHANNEL"], row["MEASURE"], row["TIME_PERIOD"]) for row in found}
    assert len(keys) == len(found)


def test_few_households_are_not_told_whatever_is_subtracted(api, closed):
    with api.database.unit_of_work() as session:
        for district, category, households in (
            ("500236", "pork", 3),
            ("500236", "grain", 45),
            ("500240", "pork", 36),
            ("500240", "grain", 24),
        ):
            made = make_product(session, make_supplier(session, district), category=category, district_code=district)
            session.execute(
                text(
                    "UPDATE certificate SET households = :n, persons = 2 * :n, issued_at = '2026-01-01', valid_from = '2026-01-01' WHERE id = :id"
                ),
                {"n": households, "id": made.certificate_id},
            )
    found = [row for row in rows(api.get(f"/v1/public/tables/{PEOPLE}/2026.csv")) if row["month"] == "2026-02"]
    shown = {(row["district"], row["category"]): row["households"] for row in found}
    for hidden in (("500236", "pork"), ("500236", "grain"), ("500240", "pork")):
        assert shown[hidden] == ""
    assert shown[("_T", "_T")].isdigit()
    marked = rows(api.get(f"/v1/public/tables/{PEOPLE}/2026.sdmx.csv"))
    assert {row["CONF_STATUS"] for row in marked if row["OBS_VALUE"] == ""} == {"C"}


def test_what_there_is_is_listed(api, closed):
    listed = api.get("/v1/public/tables").json()
    assert {table["name"]: table["years"] for table in listed["tables"]} == {SALES: [2026], PEOPLE: [2026]}
    for missing in (f"{SALES}/2025.csv", "nothing/2026.csv", f"{SALES}/2025.csv-metadata.json", f"{SALES}/2025.sdmx.csv"):
        answer = api.get(f"/v1/public/tables/{missing}")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_table")
    assert api.get(f"/v1/public/tables/{SALES}/20x6.csv").status_code == 422
