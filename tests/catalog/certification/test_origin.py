"""Where a product comes from decides which offices a case passes, also when that is corrected on the way."""

import json

import pytest
from sqlalchemy import text

from shop.core import sealing
from tests.catalog.conftest import COUNTY, TOWNSHIP
from tests.factories.certification import complete, make_case


def move(office, product_id, **origin):
    answer = office.as_("supplier").patch(f"/v1/products/{product_id}", json=origin)
    assert answer.status_code == 200, answer.text


def handed_in(office, **details):
    """A case of a product that goes to its first step."""
    product = office.product(**details)
    with office.database.unit_of_work() as session:
        case_id = make_case(session, product.product_id, "draft")
        complete(session, case_id)
    return product, submit(office, case_id)["id"]


def submit(office, case_id):
    return office.do("supplier", case_id, "submit").json()


def give_back(office, who, case_id):
    assert office.do(who, case_id, "return", reason="x").json()["status"] == "returned"


def test_a_draft_follows_its_product_to_another_county_and_its_households_too(office):
    product = office.product()
    with office.database.unit_of_work() as session:
        case_id = make_case(session, product.product_id, "draft")
        complete(session, case_id)
    move(office, product.product_id, district_code="500240")
    submitted = office.as_("supplier").post(f"/v1/certification-cases/{case_id}/submit").json()
    assert (submitted["status"], submitted["district_code"]) == ("county_review", "500240")
    with office.database.unit_of_work() as session:
        found = set(session.execute(text("SELECT household_hash FROM household_member")).scalars())
    assert {bytes(each) for each in found} == {sealing.keyed_hash("household", "500240", number) for number in ("0", "1")}


def test_a_returned_case_goes_on_where_it_was_when_its_origin_is_the_same(office):
    _, case_id = handed_in(office, township_code=TOWNSHIP)
    office.do("township", case_id, "approve")
    give_back(office, "county", case_id)
    again = submit(office, case_id)
    assert (again["status"], again["township_code"]) == ("county_review", TOWNSHIP)


def test_a_township_that_is_named_later_looks_at_the_case_first(office):
    product, case_id = handed_in(office)
    give_back(office, "county", case_id)
    move(office, product.product_id, township_code=TOWNSHIP)
    again = submit(office, case_id)
    assert (again["status"], again["township_code"], again["due_on"]) == ("township_review", TOWNSHIP, "2026-11-26")
    assert [step["step"] for step in again["way"]][:2] == ["township_review", "county_review"]
    assert office.do("township", case_id, "approve").json()["status"] == "county_review"


def test_without_its_township_a_case_is_before_the_county(office):
    product, case_id = handed_in(office, township_code=TOWNSHIP)
    give_back(office, "township", case_id)
    move(office, product.product_id, township_code=None)
    again = submit(office, case_id)
    assert (again["status"], again["township_code"], again["way"][0]["step"]) == ("county_review", None, "county_review")


@pytest.mark.parametrize(("price", "status"), [("60.00", "county_review"), ("99.00", "township_review")])
def test_a_dearer_price_is_for_the_first_office_to_see(office, price, status):
    product, case_id = handed_in(office, township_code=TOWNSHIP)
    office.do("township", case_id, "approve")
    give_back(office, "county", case_id)
    tiers = {"tiers": [{"min_quantity": "1", "unit_price": price}]}
    answer = office.as_("supplier").put(f"/v1/skus/{product.sku_id}/prices", json=tiers)
    assert answer.status_code == 200, answer.text
    again = submit(office, case_id)
    assert (again["status"], again["packs"][0]["highest_price"]) == (status, price)


def test_a_pack_that_is_new_is_for_the_first_office_to_see(office):
    product, case_id = handed_in(office, township_code=TOWNSHIP)
    office.do("township", case_id, "approve")
    office.do("county", case_id, "reject", reason="x")
    pack = {"pack": "1kg/袋", "unit": "bag", "net_grams": 1000, "tiers": [{"min_quantity": "1", "unit_price": "99.00"}]}
    answer = office.as_("supplier").post(f"/v1/products/{product.product_id}/skus", json=pack)
    assert answer.status_code == 201, answer.text
    office.do("supplier", case_id, "appeal", reason="x")
    granted = office.do("city", case_id, "appeal-decision", granted=True, reason="x").json()
    assert granted["status"] == "township_review"


def test_another_county_does_not_get_a_case_that_this_one_has_reviewed(office):
    product, case_id = handed_in(office)
    give_back(office, "county", case_id)
    move(office, product.product_id, district_code="500240")
    refused = office.do("supplier", case_id, "submit")
    assert (refused.status_code, refused.json()["code"]) == (409, "origin_moved")
    withdrawn = office.do("supplier", case_id, "withdraw", reason="产地变更").json()
    assert (withdrawn["status"], withdrawn["district_code"]) == ("withdrawn", COUNTY)
    anew = office.as_("supplier").post("/v1/certification-cases", json={"product_id": product.product_id})
    assert anew.json()["district_code"] == "500240"


def test_a_change_passes_the_steps_that_are_in_force_when_it_is_handed_in(office):
    made = office.product(certified=True)
    path = f"/v1/certificates/{made.certificate_id}/changes"
    case_id = office.as_("supplier").post(path, json={"grade": "特级", "statement": "x"}).json()["id"]
    with office.database.unit_of_work() as session:
        session.execute(
            text("UPDATE certification_case SET steps = :steps WHERE id = :id"),
            {"id": case_id, "steps": json.dumps([{"step": "filing", "level": "city", "working_days": 99}])},
        )
    submitted = office.as_("supplier").post(f"/v1/certification-cases/{case_id}/submit").json()
    assert (submitted["status"], [step["step"] for step in submitted["way"]]) == ("county_review", ["county_review", "city_review"])
