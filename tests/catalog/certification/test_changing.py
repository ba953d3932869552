"""What was certified changes only after a review, and the certified version stays on sale meanwhile; prices far above others are reviewed."""

import pytest
from sqlalchemy import text

from tests.catalog.conftest import COUNTY, TOWNSHIP
from tests.factories.catalog import PDF
from tests.factories.certification import support
from tests.factories.identity import make_organisation, make_user


def code(answer):
    return answer.status_code, answer.json().get("code")


@pytest.fixture
def certified(office):
    """A certified product of the office's supplier, with a yearly capacity and comparable goods at 69.90 yuan for 5 kg."""
    made = office.product(certified=True)
    with office.database.unit_of_work() as session:
        session.execute(
            text(
                "UPDATE certificate SET annual_capacity_kg = 1200, monthly_capacity_kg = array_fill(100::bigint, ARRAY[12]),"
                " producer = '夔门合作社', households = 3, persons = 9"
            )
        )
        session.execute(text("UPDATE product SET producer = '夔门合作社', ceiling_fen = 7689, ceiling_grams = 5000"))
    return made


def propose(office, made, who="supplier", **changes):
    return office.as_(who).post(f"/v1/certificates/{made.certificate_id}/changes", json={"statement": "扩大种植", **changes})


def certificate(office, made):
    return office.as_("county").get(f"/v1/certificates/{made.certificate_id}").json()


def pass_(office, case_id):
    """County and city pass a change."""
    with office.database.unit_of_work() as session:
        support(session, case_id, "county_review")
    assert office.do("county", case_id, "approve").json()["status"] == "city_review"
    return office.do("city", case_id, "approve")


def test_a_change_becomes_true_only_when_it_is_passed(office, certified):
    draft = propose(office, certified, producer="白帝合作社", annual_capacity_kg=2400, monthly_capacity_kg=[200] * 12)
    assert (draft.status_code, draft.json()["status"], draft.json()["kind"]) == (201, "draft", "change")
    case_id = draft.json()["id"]
    assert draft.json()["proposed"]["producer"] == "白帝合作社"
    assert office.as_("supplier").post(f"/v1/certification-cases/{case_id}/submit").json()["status"] == "county_review"
    # the certified version stays, and on sale
    before = certificate(office, certified)
    assert (before["producer"], before["annual_capacity_kg"], before["state"]) == ("夔门合作社", 1200, "in_force")
    product = office.as_("supplier").get(f"/v1/products/{certified.product_id}").json()
    assert (product["producer"], product["certificate"]["id"]) == ("夔门合作社", certified.certificate_id)
    assert pass_(office, case_id).json()["status"] == "approved"
    after = certificate(office, certified)
    assert (after["producer"], after["annual_capacity_kg"], after["monthly_capacity_kg"]) == ("白帝合作社", 2400, [200] * 12)
    assert office.as_("supplier").get(f"/v1/products/{certified.product_id}").json()["producer"] == "白帝合作社"
    assert office.count("SELECT count(*) FROM certificate_event WHERE kind = 'changed'") == 1


def test_a_change_of_the_place_is_found_in_the_search(office, certified):
    case_id = propose(office, certified, township_code=TOWNSHIP, village="白龙村").json()["id"]
    office.as_("supplier").post(f"/v1/certification-cases/{case_id}/submit")
    pass_(office, case_id)
    found = office.as_("supplier").get("/v1/products", params={"q": "白龙"}).json()["items"]
    assert [row["id"] for row in found] == [certified.product_id]
    assert certificate(office, certified)["township_code"] == TOWNSHIP


def test_a_rejected_change_changes_nothing(office, certified):
    case_id = propose(office, certified, grade="特级").json()["id"]
    office.as_("supplier").post(f"/v1/certification-cases/{case_id}/submit")
    office.do("county", case_id, "reject", reason="无依据")
    assert certificate(office, certified)["grade"] == ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"annual_capacity_kg": 2400}, "monthly_capacity_kg"),
        ({"monthly_capacity_kg": [1] * 12}, "monthly_capacity_kg"),
        ({"monthly_capacity_kg": [100] * 11}, "monthly_capacity_kg"),
        ({"producer": None}, "producer"),
        ({"unit": "box"}, "unit"),
        ({"annual_capacity_kg": 2**40}, "annual_capacity_kg"),
    ],
)
def test_what_cannot_be_proposed(office, certified, changes, field):
    answer = propose(office, certified, **changes)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_who_may_propose_and_when(office, certified):
    assert code(propose(office, certified, who="rival", grade="a")) == (404, "not_found")
    assert code(propose(office, certified, who="county", grade="a")) == (403, "forbidden")
    with office.database.unit_of_work() as session:
        parent = make_organisation(session, kind="enterprise", role=None, region_code=COUNTY)
        session.execute(
            text("UPDATE organisation SET parent_id = :p, path = :path WHERE id = :id"),
            {"p": parent.id, "path": f"{parent.path}{office.supplier.id}/", "id": office.supplier.id},
        )
        office.users["head"] = make_user(session, "supplier_admin", parent)
    assert code(propose(office, certified, who="head", grade="a")) == (403, "forbidden")
    assert propose(office, certified, grade="特级").status_code == 201
    assert code(propose(office, certified, grade="一级")) == (409, "case_open")
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certification_case SET status = 'withdrawn' WHERE kind = 'change'"))
        session.execute(text("UPDATE certificate SET revoked_at = now()"))
    assert code(propose(office, certified, grade="一级")) == (409, "no_certificate_in_force")


def test_new_papers_put_a_certificate_in_force_again(office, certified):
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET papers_valid_until = '2026-11-20'"))
    assert certificate(office, certified)["state"] == "papers_expired"
    case_id = propose(office, certified).json()["id"]
    paper = {"kind": "production_licence", "number": "SC1", "issued_on": "2026-11-01", "valid_until": "2031-10-31"}
    file = {"file": ("licence.pdf", PDF, "application/pdf")}
    added = office.as_("supplier").post(f"/v1/certification-cases/{case_id}/documents", data=paper, files=file)
    assert added.status_code == 201, added.text
    office.as_("supplier").post(f"/v1/certification-cases/{case_id}/submit")
    pass_(office, case_id)
    after = certificate(office, certified)
    assert (after["state"], after["papers_valid_until"]) == ("in_force", "2031-10-31")


def prices(office, made, price, who="supplier"):
    tiers = [{"min_quantity": "1", "unit_price": price}]
    return office.as_(who).put(f"/v1/skus/{made.sku_id}/prices", json={"tiers": tiers})


def test_what_changes_nothing_is_not_handed_in(office, certified):
    case_id = propose(office, certified).json()["id"]
    assert code(office.as_("supplier").post(f"/v1/certification-cases/{case_id}/submit"))[0] == 422
    assert office.read("supplier", case_id)["status"] == "draft"


def test_a_certified_pack_keeps_its_name(office, certified):
    supplier, path = office.as_("supplier"), f"/v1/skus/{certified.sku_id}"
    shown = supplier.get(path)
    answer = supplier.patch(path, json={"pack": "500kg/箱"}, headers={"If-Match": shown.headers["ETag"]})
    assert code(answer) == (409, "certified_frozen")


def review(office, made, price, who="supplier", **more):
    body = {"tiers": [{"min_quantity": "1", "unit_price": price}], "statement": "人工成本上涨", **more}
    return office.as_(who).post(f"/v1/skus/{made.sku_id}/price-review", json=body)


def test_a_price_review_takes_papers_before_it_is_handed_in(office, certified):
    asked = review(office, certified, "90.00", draft=True).json()
    assert (asked["kind"], asked["status"]) == ("price", "draft")
    path = f"/v1/certification-cases/{asked['id']}"
    file = {"file": ("成本.pdf", PDF, "application/pdf")}
    added = office.as_("supplier").post(f"{path}/documents", data={"kind": "other", "issued_on": "2026-11-01"}, files=file)
    assert added.status_code == 201, added.text
    handed_in = office.as_("supplier").post(f"{path}/submit")
    assert (handed_in.json()["status"], [each["kind"] for each in handed_in.json()["documents"]]) == ("county_review", ["other"])
    assert [each["name"] for each in office.read("county", asked["id"])["documents"]] == ["成本.pdf"]
    with office.database.unit_of_work() as session:
        support(session, asked["id"], "county_review")
    assert office.do("county", asked["id"], "approve").json()["status"] == "approved"
    assert office.as_("supplier").get(f"/v1/skus/{certified.sku_id}").json()["tiers"][0]["unit_price"] == "90.00"


def test_prices_up_to_the_ceiling_apply_at_once_and_others_are_reviewed(office, certified):
    assert prices(office, certified, "76.89").json()["tiers"][0]["unit_price"] == "76.89"
    refused = prices(office, certified, "76.90")
    assert (code(refused), refused.json()["data"]["ceiling"]) == ((409, "price_needs_review"), "76.89")
    assert (review(office, certified, "76.89").status_code, code(review(office, certified, "90.00", who="rival"))) == (
        422,
        (403, "not_your_product"),
    )
    asked = review(office, certified, "90.00")
    assert (asked.json()["kind"], asked.json()["status"]) == ("price", "county_review")
    assert (asked.json()["proposed"]["tiers"], asked.json()["proposed"]["price_per_kg"]) == ([["1", "90.00"]], "18.00")
    shown = office.as_("supplier").get(f"/v1/skus/{certified.sku_id}").json()
    assert shown["tiers"][0]["unit_price"] == "76.89"
    with office.database.unit_of_work() as session:
        support(session, asked.json()["id"], "county_review")
    assert office.do("county", asked.json()["id"], "approve").json()["status"] == "approved"
    assert office.as_("supplier").get(f"/v1/skus/{certified.sku_id}").json()["tiers"][0]["unit_price"] == "90.00"
    # what was agreed to needs no review again
    assert prices(office, certified, "80.00").status_code == 200
    assert prices(office, certified, "90.00").status_code == 200
    assert code(prices(office, certified, "90.01")) == (409, "price_needs_review")
