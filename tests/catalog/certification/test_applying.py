"""A supplier applies: drafts, papers, everything that is missing at once, who may not apply, and renewal."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from shop.core import clock
from tests.catalog.conftest import COUNTY, MONDAY, TOWNSHIP
from tests.factories.catalog import PDF
from tests.factories.certification import complete, make_case
from tests.factories.identity import make_supplier, make_user

STATED = {
    "statement": "自有基地 800 亩，质量合格。",
    "annual_capacity_kg": 600_000,
    "linkage_modes": ["purchase_contract", "employment"],
    "linkage": "订单收购、基地务工",
    "comparable_price": "72.00",
    "comparable_pack_grams": 5000,
    "comparable_price_source": "主城三家超市均价",
    "comparable_price_on": "2026-11-02",
}


def code(answer):
    return answer.status_code, answer.json().get("code")


def apply(office, product_id, who="supplier", **stated):
    return office.as_(who).post("/v1/certification-cases", json={"product_id": product_id, **stated})


def bring(office, case_id, kind="business_licence", who="supplier", **printed):
    file = {"file": (f"{kind}.pdf", PDF, "application/pdf")}
    return office.as_(who).post(f"/v1/certification-cases/{case_id}/documents", data={"kind": kind, **printed}, files=file)


def test_from_nothing_to_the_first_step(office):
    product = office.product(township_code=TOWNSHIP)
    case = apply(office, product.product_id).json()
    assert (case["status"], case["possible_actions"]) == ("draft", ["withdraw", "submit"])
    path = f"/v1/certification-cases/{case['id']}"
    refused = office.as_("supplier").post(f"{path}/submit")
    assert code(refused) == (409, "items_missing")
    assert {fault["code"] for fault in refused.json()["errors"]} >= {"village_missing", "households_missing", "test_report_missing"}
    edited = office.as_("supplier").patch(path, json=STATED)
    assert edited.json()["comparable_price"] == "72.00"
    assert [fault["code"] for fault in edited.json()["missing_items"]][:3] == [
        "specification_missing",
        "village_missing",
        "households_missing",
    ]
    with office.database.unit_of_work() as session:
        complete(session, case["id"])
    submitted = office.as_("supplier").post(f"{path}/submit").json()
    assert (submitted["status"], submitted["due_on"]) == ("township_review", "2026-11-26")
    assert [step["step"] for step in submitted["way"]] == [
        "township_review",
        "county_review",
        "public_notice",
        "city_review",
        "filing",
    ]
    assert code(office.as_("supplier").patch(path, json={"statement": "x"})) == (409, "case_not_editable")
    assert code(bring(office, case["id"])) == (409, "case_not_editable")


def test_a_product_without_a_township_goes_to_the_county(office):
    case_id = office.case("draft")
    with office.database.unit_of_work() as session:
        complete(session, case_id)
    assert office.as_("supplier").post(f"/v1/certification-cases/{case_id}/submit").json()["status"] == "county_review"


def test_a_version_that_somebody_changed_is_not_overwritten(office):
    case = apply(office, office.product().product_id).json()
    path = f"/v1/certification-cases/{case['id']}"
    first = office.as_("supplier").patch(path, json={"statement": "一"}, headers={"If-Match": f'"{case["version"]}"'})
    assert first.headers["ETag"] == f'"{case["version"] + 1}"'
    for nonsense in ("", '""', "1", "W/*"):
        assert code(office.as_("supplier").patch(path, json={"statement": "二"}, headers={"If-Match": nonsense})) == (
            412,
            "changed_meanwhile",
        )
    assert code(office.as_("supplier").patch(path, json={"statement": "二"}, headers={"If-Match": f'"{case["version"]}"'})) == (
        412,
        "changed_meanwhile",
    )


@pytest.mark.parametrize(
    ("stated", "field"),
    [
        ({"monthly_capacity_kg": [1] * 11}, "monthly_capacity_kg"),
        ({"monthly_capacity_kg": [1] * 11 + [-1]}, "monthly_capacity_kg[11]"),
        ({"annual_capacity_kg": 2**31}, "annual_capacity_kg"),
        ({"linkage_modes": ["begging"]}, "linkage_modes[0]"),
        ({"comparable_price": "0.001"}, "comparable_price"),
        ({"comparable_price_on": "2026-13-01"}, "comparable_price_on"),
        ({"comparable_price_on": "2099-01-01"}, "comparable_price_on"),
        ({"statement": "a\x00b"}, "statement"),
        ({"statement": None}, "statement"),
        ({"households": 5}, "households"),
        ({"status": "approved"}, "status"),
    ],
)
def test_what_cannot_be_stated(office, stated, field):
    answer = apply(office, office.product().product_id, **stated)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert office.count("SELECT count(*) FROM certification_case") == 0


def test_who_may_apply_for_what(office):
    product = office.product().product_id
    assert code(apply(office, product, "rival")) == (403, "not_your_product")
    assert code(apply(office, product, "county")) == (403, "forbidden")
    assert code(apply(office, 10**12)) == (404, "not_found")
    assert apply(office, product).status_code == 201
    assert code(apply(office, product)) == (409, "case_open")
    with office.database.unit_of_work() as session:
        core = make_supplier(session, "500103")
        office.users["core"] = make_user(session, "supplier_admin", core)
    office.supplier = core
    refused = apply(office, office.product().product_id, "core")
    assert (code(refused), refused.json()["data"]) == (
        (409, "district_not_eligible"),
        {"district": "500103", "name_zh": "渝中区", "name_en": "Yuzhong"},
    )
    assert refused.json()["title"].startswith("Products from Yuzhong (500103) cannot be certified")


def test_a_certified_product_is_renewed_and_not_applied_for(office):
    made = office.product(certified=True)
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET valid_until = '2027-03-01'"))
    refused = apply(office, made.product_id)
    assert (code(refused), refused.json()["data"]["renewable_on"]) == ((409, "already_certified"), "2026-12-31")


def test_a_barred_supplier_does_not_apply_or_hand_in(office):
    case_id = office.case("draft")
    with office.database.unit_of_work() as session:
        complete(session, case_id)
        session.execute(
            text(
                "INSERT INTO blacklist_entry (organisation_id, from_on, until_on, reason_code, reason, decided_at)"
                " VALUES (:id, '2026-11-01', '2026-11-23', 'false_papers', 'x', now())"
            ),
            {"id": office.supplier.id},
        )
    refused = apply(office, office.product().product_id)
    assert (code(refused), refused.json()["data"]["until"]) == ((409, "blacklisted"), "2026-11-23")
    assert code(office.as_("supplier").post(f"/v1/certification-cases/{case_id}/submit")) == (409, "blacklisted")
    with clock.fixed(MONDAY + timedelta(days=1)):
        office.clients.clear()
        assert office.as_("supplier").post(f"/v1/certification-cases/{case_id}/submit").status_code == 200


@pytest.mark.parametrize(("days", "outcome"), [(364, "reapplication_banned"), (365, None)])
def test_after_a_revocation_the_product_waits(office, days, outcome):
    made = office.product(certified=True)
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET revoked_at = :at"), {"at": MONDAY - timedelta(days=days)})
    answer = apply(office, made.product_id)
    assert code(answer)[1] == outcome
    # nor under another product of the same name
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certificate SET product_name = '换名脐橙'"))
    assert code(apply(office, office.product(name="换名脐橙").product_id))[1] == outcome


def test_papers_keep_what_is_printed_on_them_and_who_may_see_them(office):
    case_id = office.case("draft")
    printed = {"number": "SC123", "issuer": "奉节县市场监管局", "issued_on": "2026-01-01", "valid_until": "2030-12-31"}
    documents = bring(office, case_id, "production_licence", **printed).json()["documents"]
    assert {name: documents[0][name] for name in printed} == printed
    bring(office, case_id, "household_evidence")
    licence, evidence = (row["id"] for row in office.read("supplier", case_id)["documents"])
    get = lambda who, document: office.as_(who).get(f"/v1/certification-documents/{document}").status_code  # noqa: E731
    assert [get(who, licence) for who in ("supplier", "county", "rival")] == [200, 404, 404]
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certification_case SET status = 'county_review'"))
    assert [get(who, licence) for who in ("county", "city", "monitor", "department", "elsewhere")] == [200, 200, 200, 200, 404]
    assert [get(who, evidence) for who in ("supplier", "county", "monitor", "department")] == [200, 200, 404, 404]


@pytest.mark.parametrize(
    ("printed", "field"),
    [
        ({"issued_on": "2026-11-24"}, "issued_on"),
        ({"issued_on": "2026-01-02", "valid_until": "2026-01-01"}, "valid_until"),
        ({"issued_on": "yesterday"}, "issued_on"),
        ({"number": "x" * 501}, "number"),
        ({"kind": "poem"}, "kind"),
    ],
)
def test_dates_that_cannot_be(office, printed, field):
    case_id = office.case("draft")
    answer = bring(office, case_id, **{"kind": "test_report", **printed})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert office.count("SELECT count(*) FROM certification_document") == 0


def test_a_paper_can_be_taken_back_until_reviewers_have_seen_it(office):
    case_id = office.case("draft")
    first = bring(office, case_id).json()["documents"][0]["id"]
    remove = lambda who, document: office.as_(who).delete(f"/v1/certification-documents/{document}")  # noqa: E731
    assert code(remove("rival", first)) == (404, "not_found")
    assert remove("supplier", first).json()["documents"] == []
    seen = bring(office, case_id).json()["documents"][0]["id"]
    with office.database.unit_of_work() as session:
        session.execute(
            text("UPDATE certification_case SET status = 'returned', sent_back_from = 'county_review', submitted_at = :at"),
            {"at": MONDAY + timedelta(seconds=1)},
        )
    assert code(remove("supplier", seen)) == (422, "invalid")


def test_officers_attach_papers_for_officers(office):
    case_id = office.case("county_review", opinions=False)
    file = {"file": ("勘验笔录.pdf", PDF, "application/pdf")}

    def attach(who):
        return office.as_(who).post(f"/v1/certification-cases/{case_id}/attachments", data={"kind": "other"}, files=file)

    assert [code(attach(who)) for who in ("elsewhere", "supplier", "monitor")] == [
        (404, "not_found"),
        (403, "forbidden"),
        (403, "forbidden"),
    ]
    document = attach("department").json()["documents"][0]
    assert (document["side"], document["name"]) == ("officer", "勘验笔录.pdf")
    said = {"department": "agriculture", "verdict": "support", "opinion": "同意", "attachment_ids": [document["id"]]}
    assert office.do("department", case_id, "opinions", **said).json()["opinions"][0]["documents"] == [document["id"]]
    passed = office.do("county", case_id, "approve", attachment_ids=[document["id"]])
    assert passed.json()["steps"][-1]["documents"] == [document["id"]]
    assert office.read("supplier", case_id)["documents"] == []
    assert office.as_("supplier").get(f"/v1/certification-documents/{document['id']}").status_code == 404
    assert office.as_("county").get(f"/v1/certification-documents/{document['id']}").content == PDF


def renewable(office, valid_until):
    """A certificate that ends on a day, with a complete case behind it."""
    made = office.product(certified=True)
    with office.database.unit_of_work() as session:
        case_id = session.execute(text("SELECT case_id FROM certificate WHERE id = :id"), {"id": made.certificate_id}).scalar_one()
        complete(session, case_id)
        session.execute(
            text(
                "UPDATE certification_case SET statement = '原申请', annual_capacity_kg = 1000, linkage_modes = '{employment}', linkage = '务工',"
                " comparable_price_fen = 6000, comparable_pack_grams = 5000, comparable_price_source = '超市' WHERE id = :id"
            ),
            {"id": case_id},
        )
        session.execute(text("UPDATE certificate SET valid_until = :until"), {"until": valid_until})
    return made


def renew(office, made, who="supplier"):
    return office.as_(who).post(f"/v1/certificates/{made.certificate_id}/renewal", json={})


def test_renewal_opens_some_days_before_the_end_and_carries_everything_on(office):
    made = renewable(office, MONDAY.date() + timedelta(days=61))
    refused = renew(office, made)
    assert (code(refused), refused.json()["data"]["opens_on"]) == ((409, "renewal_not_open"), "2026-11-24")
    with clock.fixed(MONDAY + timedelta(days=1)):
        office.clients.clear()
        assert code(renew(office, made, "rival")) == (404, "not_found")
        case = renew(office, made).json()
        assert (case["kind"], case["certificate_id"], case["missing_items"]) == ("renewal", made.certificate_id, [])
        assert (case["households"], case["persons"], len(case["documents"])) == (2, 3, 4)
        assert code(renew(office, made)) == (409, "case_open")
        submitted = office.as_("supplier").post(f"/v1/certification-cases/{case['id']}/submit").json()
        assert submitted["status"] == "county_review"
        # the notice and the reviews are as of every application; here the last step is made at once
        with office.database.unit_of_work() as session:
            session.execute(
                text("UPDATE certification_case SET status = 'filing', entered_on = '2026-11-24' WHERE id = :id"),
                {"id": case["id"]},
            )
        batch = (
            office.as_("city")
            .post("/v1/catalogue-batches", json={"level": "city", "title": "续期", "case_ids": [case["id"]]})
            .json()
        )
        office.as_("city").post(f"/v1/catalogue-batches/{batch['id']}/publish")
        certificate = office.read("supplier", case["id"])["certificate"]
        # no day is lost, and the old one holds meanwhile
        assert certificate["valid_from"] == (MONDAY.date() + timedelta(days=62)).isoformat()
        assert (certificate["state"], certificate["renews_id"]) == ("not_yet", made.certificate_id)
        product = office.as_("supplier").get(f"/v1/products/{made.product_id}").json()
        assert product["certificate"]["id"] == made.certificate_id
        assert code(renew(office, made)) == (409, "renewed_already")
    with clock.fixed(MONDAY + timedelta(days=62)):
        office.clients.clear()
        product = office.as_("supplier").get(f"/v1/products/{made.product_id}").json()
        assert product["certificate"]["id"] == certificate["id"]


def test_a_renewal_counts_the_list_that_comes_along(office):
    """The figures of the latest case may speak of another list than the one behind the certificate."""
    made = renewable(office, MONDAY.date() + timedelta(days=10))
    with office.database.unit_of_work() as session:
        change = make_case(
            session,
            made.product_id,
            "approved",
            "change",
            certificate_id=made.certificate_id,
            proposed={},
            households=86,
            persons=271,
        )
    case = renew(office, made).json()
    assert (case["households"], case["persons"]) == (2, 3)
    assert office.count("SELECT count(*) FROM household_member WHERE case_id = :id", id=case["id"]) == 3
    assert office.count("SELECT count(*) FROM household_member WHERE case_id = :id", id=change) == 0


def test_without_a_list_behind_the_certificate_a_renewal_asks_for_one(office):
    made = renewable(office, MONDAY.date() + timedelta(days=10))
    with office.database.unit_of_work() as session:
        session.execute(text("DELETE FROM household_member"))
    case = renew(office, made).json()
    assert (case["households"], [item["code"] for item in case["missing_items"]]) == (0, ["households_missing"])


def test_what_has_ended_is_applied_for_anew(office):
    made = renewable(office, MONDAY.date() - timedelta(days=1))
    assert code(renew(office, made)) == (409, "no_certificate_in_force")
    assert apply(office, made.product_id).status_code == 201


def test_papers_that_have_ended_do_not_come_along(office):
    made = renewable(office, MONDAY.date() + timedelta(days=10))
    with office.database.unit_of_work() as session:
        session.execute(text("UPDATE certification_document SET valid_until = '2026-11-22' WHERE kind = 'business_licence'"))
    case = renew(office, made).json()
    assert [item["code"] for item in case["missing_items"]] == ["business_licence_missing"]


def test_a_certificate_does_not_outlive_its_papers(office):
    case_id = office.case("filing")
    with office.database.unit_of_work() as session:
        complete(session, case_id)
        session.execute(text("UPDATE certification_document SET valid_until = '2026-12-31' WHERE kind = 'business_licence'"))
    batch = office.as_("city").post("/v1/catalogue-batches", json={"level": "city", "title": "x", "case_ids": [case_id]}).json()
    office.as_("city").post(f"/v1/catalogue-batches/{batch['id']}/publish")
    certificate = office.read("county", case_id)["certificate"]
    assert (certificate["papers_valid_until"], certificate["valid_until"]) == ("2026-12-31", "2029-11-22")
    assert date.fromisoformat(certificate["valid_from"]) == MONDAY.date()
    for day, state in ((date(2026, 12, 31), "in_force"), (date(2027, 1, 1), "papers_expired")):
        with clock.fixed(clock.start_of_day(day)):
            office.clients.clear()
            assert office.read("county", case_id)["certificate"]["state"] == state
    assert COUNTY in certificate["number"]
