"""Batches: gathered, published all or nothing, withdrawn, exported."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from catalog.batches import actions
from shop.core import clock, outbox
from shop.core.errors import Problem
from shop.identity import tokens
from shop.identity.permissions import Role
from tests.catalog.conftest import MONDAY
from tests.factories.identity import access_token, make_user
from workers.handlers import HANDLERS


def code(answer):
    return answer.status_code, answer.json().get("code")


@pytest.fixture
def filed(office):
    return [office.case("filing") for _ in range(3)]


def create(office, case_ids=(), level="city", who="city"):
    return office.as_(who).post("/v1/catalogue-batches", json={"level": level, "title": "第一批", "case_ids": list(case_ids)})


def do(office, batch, action, who="city", **body):
    return office.as_(who).post(f"/v1/catalogue-batches/{batch}/{action}", json=body or None)


def test_a_batch_is_published_with_a_number_and_a_certificate_for_each_case(office, filed):
    batch = create(office, filed).json()
    assert (batch["status"], batch["number"], batch["cases"]) == ("draft", None, 3)
    published = do(office, batch["id"], "publish").json()
    assert (published["status"], published["number"], published["cases"]) == ("published", "2026-01", 3)
    found = office.as_("county").get("/v1/certificates", params={"batch_id": batch["id"]}).json()["items"]
    assert sorted(row["number"] for row in found) == [f"CQ-2026-500236-{count:06}" for count in (1, 2, 3)]
    assert {row["state"] for row in found} == {"in_force"}
    assert {office.read("supplier", case_id)["status"] for case_id in filed} == {"approved"}
    assert code(do(office, batch["id"], "publish")) == (409, "illegal_move")
    # the next of its year and level, and one of the other level
    for level, number in (("city", "2026-02"), ("national", "N2026-01")):
        again = create(office, [office.case("filing")], level).json()
        assert do(office, again["id"], "publish").json()["number"] == number


def test_what_was_published_last_stands_first(office, filed):
    drafts = [create(office, [case_id]).json()["id"] for case_id in filed]
    open_draft = create(office).json()["id"]
    for days, draft in enumerate(reversed(drafts)):
        with clock.fixed(MONDAY + timedelta(days=days)):
            do(office, draft, "publish")
    for client, path, field, expected in (
        (office.api, "/v1/public/catalogue-batches", "number", ["2026-03", "2026-02", "2026-01"]),
        (office.as_("city"), "/v1/catalogue-batches", "id", [open_draft, *drafts]),
    ):
        found, after = [], None
        while True:
            page = client.get(path, params={"limit": 1} | ({"after": after} if after else {})).json()
            found += [row[field] for row in page["items"]]
            if (after := page["next"]) is None:
                break
        assert found == expected


def test_what_cannot_be_put_into_a_batch(office, filed):
    other, review = create(office, filed[:1]).json()["id"], office.case("city_review")
    answer = create(office, [filed[0], review, filed[1], 10**12])
    assert code(answer) == (422, "cases_refused")
    assert [(fault["field"], fault["code"]) for fault in answer.json()["errors"]] == [
        ("case_ids[0]", "case_in_other_batch"),
        ("case_ids[1]", "case_not_filed"),
        ("case_ids[3]", "case_unknown"),
    ]
    assert office.count("SELECT count(*) FROM catalogue_batch") == 1
    assert office.count("SELECT count(*) FROM certification_case WHERE batch_id IS NOT NULL") == 1
    taken = office.as_("city").delete(f"/v1/catalogue-batches/{other}/cases/{filed[0]}")
    assert taken.json()["cases"] == 0
    assert code(office.as_("city").delete(f"/v1/catalogue-batches/{other}/cases/{filed[0]}")) == (409, "not_in_batch")
    assert code(do(office, other, "publish")) == (409, "batch_empty")
    assert office.count("SELECT count(*) FROM number_series WHERE series LIKE 'catalogue_batch%'") == 0
    assert do(office, other, "cases", case_ids=filed).json()["cases"] == 3


def test_a_case_that_can_no_longer_be_certified_holds_up_the_whole_batch(office, filed):
    batch = create(office, filed).json()["id"]
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE organisation SET status = 'suspended' WHERE id = :id"), {"id": office.supplier.id})
    assert code(do(office, batch, "publish")) == (409, "organisation_not_approved")
    assert office.count("SELECT count(*) FROM certificate") == 0
    assert office.as_("city").get(f"/v1/catalogue-batches/{batch}").json()["status"] == "draft"


def test_a_withdrawn_batch_revokes_its_certificates(office, filed):
    batch = create(office, filed).json()["id"]
    assert code(do(office, batch, "withdraw", reason="x")) == (409, "illegal_move")
    do(office, batch, "publish")
    withdrawn = do(office, batch, "withdraw", reason="公示程序有误").json()
    assert (withdrawn["status"], withdrawn["reason"]) == ("withdrawn", "公示程序有误")
    found = office.as_("county").get("/v1/certificates", params={"batch_id": batch}).json()["items"]
    assert {(row["state"], row["reason_code"]) for row in found} == {("revoked", "batch_withdrawn")}
    assert code(do(office, batch, "withdraw", reason="x")) == (409, "illegal_move")
    outbox.drain(office.database, HANDLERS)
    told = [row["kind"] for row in office.as_("county").get("/v1/notifications").json()["items"]]
    assert sorted(told) == ["catalogue_batch.published", "catalogue_batch.withdrawn"]


def test_a_batch_that_the_city_withdrew_bars_nobody_from_applying_again(office, filed):
    batch = create(office, filed).json()["id"]
    do(office, batch, "publish")
    do(office, batch, "withdraw", reason="公示程序有误")
    product_id = office.read("supplier", filed[0])["product_id"]
    assert office.as_("supplier").post("/v1/certification-cases", json={"product_id": product_id}).status_code == 201


def test_a_draft_is_discarded_and_its_cases_stay_filed(office, filed):
    assert create(office, [filed[0], filed[0]]).status_code == 422
    batch = create(office, filed).json()["id"]
    path = f"/v1/catalogue-batches/{batch}"
    assert code(office.as_("county").delete(path)) == (403, "forbidden")
    assert office.as_("city").delete(path).status_code == 204
    assert code(office.as_("city").get(path)) == (404, "not_found")
    again = create(office, filed).json()["id"]
    do(office, again, "publish")
    assert code(office.as_("city").delete(f"/v1/catalogue-batches/{again}")) == (409, "illegal_move")


def test_who_sees_and_does_what(office, filed):
    batch = create(office, filed).json()["id"]
    for who in ("county", "supplier", "monitor"):
        assert office.as_(who).get(f"/v1/catalogue-batches/{batch}").status_code == 404
        assert office.as_(who).get("/v1/catalogue-batches").json()["items"] == []
        assert code(create(office, who=who)) == (403, "forbidden")
        assert code(do(office, batch, "publish", who=who)) == (403, "forbidden")
    assert office.api.get("/v1/public/catalogue-batches").json()["items"] == []
    do(office, batch, "publish")
    assert office.as_("county").get(f"/v1/catalogue-batches/{batch}").json()["possible_actions"] == []
    (shown,) = office.api.get("/v1/public/catalogue-batches").json()["items"]
    assert (shown["number"], shown["certificates"]) == ("2026-01", 3)
    first = office.api.get("/v1/public/catalogue-batches/2026-01", params={"limit": 2}).json()
    second = office.api.get("/v1/public/catalogue-batches/2026-01", params={"limit": 2, "after": first["next"]}).json()
    assert [row["number"][-1] for row in first["items"] + second["items"]] == ["1", "2", "3"]
    assert first["items"][0]["state_label"] == "In force"
    assert office.api.get("/v1/public/catalogue-batches/2026-99").status_code == 404
    assert office.api.get("/v1/public/catalogue-batches/x").status_code == 422


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_an_export_opens_and_holds_no_formula(office, filed, format):
    batch = create(office, filed).json()["id"]
    do(office, batch, "publish")
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET product_name = '=1+1', supplier_name = '＝甲'"))
    answer = office.as_("county").get(f"/v1/catalogue-batches/{batch}/export", params={"format": format})
    if format == "csv":
        lines = answer.content.decode("utf-8-sig").splitlines()
        assert len(lines) == 4
        assert lines[1].split(",")[1:3] == ["'=1+1", "'＝甲"]
    else:
        rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
        assert len(rows) == 4
        assert (rows[1][1], rows[1][8]) == ("'=1+1", 600_000)


def test_of_two_who_publish_at_once_one_wins(office, filed):
    batch = create(office, filed).json()["id"]
    with office.database.unit_of_work() as session:
        users = [make_user(session, Role.CITY_OFFICER) for _ in range(4)]
        actors = [tokens.actor_of(session, token=access_token(session, user), api_key=None) for user in users]
    start = threading.Barrier(len(actors))

    def publish(actor):
        start.wait()
        try:
            with office.database.unit_of_work() as session:
                actions.publish(session, actor, batch)
        except Problem as refusal:
            return refusal.code
        return None

    with ThreadPoolExecutor(len(actors)) as pool:
        results = list(pool.map(publish, actors))
    assert (results.count(None), results.count("illegal_move")) == (1, 3)
    assert office.count("SELECT count(*) FROM certificate") == 3
