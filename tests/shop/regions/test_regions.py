"""Regions, designations and support relations as of a date."""

from datetime import date

import pytest
from sqlalchemy import text

from shop.regions import queries, rules, seed
from tests.factories.identity import signed_in


@pytest.fixture
def reader(api):
    return signed_in(api, "monitor")


def codes(reader, **query):
    page = reader.get("/v1/regions", params={"limit": 200, **query}).json()
    assert page["next"] is None
    return [row["code"] for row in page["items"]]


def test_the_districts_of_2020(reader):
    listed = codes(reader, parent="500000", as_of="2020-02-16")
    assert len(listed) == 38 + 3
    assert {"500901", "500902", "500903", "500105", "500112"} <= set(listed)
    assert "500157" not in listed
    assert len(codes(reader, kind="township", designation="deep_township", as_of="2020-02-16")) == 18
    assert len(codes(reader, parent="370000")) == 16


def test_the_merger_of_2025(reader):
    before, after = (codes(reader, parent="500000", as_of=day) for day in ("2025-11-05", "2025-11-06"))
    assert set(before) - set(after) == {"500105", "500112", "500902"}
    assert set(after) - set(before) == {"500157"}
    old = reader.get("/v1/regions/500112", params={"as_of": "2025-11-06"}).json()
    assert (old["in_force"], old["successor_code"], old["designations"]) == (False, "500157", [])
    assert reader.get("/v1/regions/500112", params={"as_of": "2025-11-05"}).json()["in_force"] is True


def test_always_33_districts_may_have_products_certified_and_14_are_of_the_832(reader):
    for day in ("2019-01-01", "2020-02-16", "2022-01-01", "2025-11-05", "2025-11-06", "2026-11-01"):
        assert len(codes(reader, designation="poverty_task", as_of=day)) == 33, day
        assert len(codes(reader, designation="county_832", as_of=day)) == 14, day


def test_the_national_key_counties_leave_by_and_by(reader):
    left = {"2017-10-31": 14, "2017-11-01": 9, "2018-08-01": 6, "2019-04-01": 4, "2020-02-16": 4, "2020-02-22": 0}
    assert {day: len(codes(reader, designation="national_key", as_of=day)) for day in left} == left


def test_other_designations_are_dated_too(reader):
    assert len(codes(reader, designation="municipal_key", as_of="2015-06-01")) == 4
    assert codes(reader, designation="municipal_key", as_of="2017-01-01") == []
    assert codes(reader, designation="deep_township", as_of="2017-07-31") == []
    assert codes(reader, designation="revitalisation_key", as_of="2020-12-31") == []
    assert codes(reader, designation="revitalisation_key", as_of="2021-01-01") == ["500229", "500238", "500242", "500243"]


def test_a_region_shows_what_was_in_force_then(reader):
    then = reader.get("/v1/regions/500237", params={"as_of": "2018-05-01"}).json()
    assert {row["designation"] for row in then["designations"]} == {"national_key", "county_832", "poverty_task"}
    supporters = {(row["kind"], row["supporter"]) for row in then["relations"]}
    assert supporters == {
        ("east_west", "烟台市"),
        ("central_unit", "中国长江三峡集团有限公司"),
        ("municipal_group", "市委宣传部扶贫集团"),
        ("district_pair", "北碚区"),
    }
    now = reader.get("/v1/regions/500237", params={"as_of": "2022-01-01"}).json()
    assert {row["supporter"] for row in now["relations"]} == {"烟台市", "中国长江三峡集团有限公司"}


def test_a_township_sees_the_support_of_its_district(reader):
    township = reader.get("/v1/regions/500238T01", params={"as_of": "2019-01-01"}).json()
    assert township["name_zh"] == "红池坝镇"
    assert township["parent_code"] == "500238"
    assert {row["supporter"] for row in township["relations"]} == {"泰安市", "水利部", "市农业农村委扶贫集团", "渝中区"}


def test_relations_move_with_the_date(reader):
    def of(day, **query):
        rows = reader.get("/v1/support-relations", params={"as_of": day, **query}).json()["items"]
        return {(row["supporter"], row["region_code"]) for row in rows}

    assert len(of("2020-06-01", kind="east_west")) == 14
    assert ("市农业农村委扶贫集团", "500238T01") in of("2020-12-31", kind="municipal_group")
    assert ("市农业农村委扶贫集团", "500243") in of("2021-01-01", kind="municipal_group")
    assert ("市委宣传部扶贫集团", "500237T01") not in of("2021-01-01", kind="municipal_group")
    assert ("北碚区", "500237") in of("2018-12-31", kind="district_pair")
    assert ("北碚区", "500237") not in of("2019-01-01", kind="district_pair")
    assert {region for _, region in of("2020-06-01", region_code="500243")} == {"500243", "500243T01"}
    assert of("2020-06-01", region_code="500000") == of("2020-06-01")


def test_no_relation_hides_how_well_it_is_known(reader):
    rows = reader.get("/v1/support-relations", params={"as_of": "2026-01-01"}).json()["items"]
    assert {row["confidence"] for row in rows} == {"source", "recalled_high", "recalled_med", "assumed"}
    assert all(row["note"] for row in rows if row["confidence"] == "assumed")


def test_names_are_found_by_a_part(reader):
    assert codes(reader, q="奉节") == ["500236"]
    assert "500236" in codes(reader, q="fengj")
    assert codes(reader, q="500236") == ["500236", "500236T01"]
    assert codes(reader, q="%") == []


def test_pages_leave_nothing_out(reader):
    found, after = [], None
    while True:
        page = reader.get("/v1/regions", params={"limit": 7} | ({"after": after} if after else {})).json()
        found += [row["code"] for row in page["items"]]
        if not (after := page["next"]):
            break
    assert found == codes(reader)


def test_bad_questions_are_refused(reader):
    bad = [{"as_of": "2020-13-01"}, {"kind": "planet"}, {"designation": "rich"}, {"parent": "x"}, {"q": "\x00"}, {"limit": 201}]
    assert [reader.get("/v1/regions", params=query).status_code for query in bad] == [422] * len(bad)


def test_unknown_regions(reader):
    assert reader.get("/v1/regions/999999").status_code == 404
    assert reader.get("/v1/regions/nowhere").status_code == 422
    assert reader.get("/v1/regions", params={"as_of": "0001-01-01"}).status_code == 200


def test_a_township_shares_the_designations_of_its_district(database):
    day = date(2020, 6, 1)
    with database.unit_of_work() as session:
        assert queries.is_designated(session, "500236T01", "county_832", day)
        assert queries.is_designated(session, "500236T01", "deep_township", day)
        assert not queries.is_designated(session, "500236", "deep_township", day)
        assert not queries.is_designated(session, "500106", "poverty_task", day)


def test_seeding_again_changes_nothing_and_repairs_what_was_bent(database):
    def content(session):
        tables = ("region", "region_designation", "supporter", "support_relation")
        return [session.execute(text(f"SELECT * FROM {table} ORDER BY 1")).all() for table in tables]

    with database.unit_of_work() as session:
        before = content(session)
        session.execute(text("UPDATE support_relation SET valid_to = '2020-01-01' WHERE kind = 'east_west'"))
        seed.seed(session)
        assert content(session) == before


@pytest.mark.parametrize(
    ("code", "prefix"),
    [
        ("500000", "50"),
        ("370200", "3702"),
        ("500112", "500112"),
        ("500240", "500240"),
        ("50", "50"),
        ("500", "500"),
        ("5001", "5001"),
    ],
)
def test_a_citys_own_code_stands_for_all_that_lies_in_it(code, prefix):
    assert rules.whole_of(code) == prefix
