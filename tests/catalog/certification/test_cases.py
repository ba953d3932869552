"""A product's way to its certificate over HTTP: who may do what, when, and what each refusal says."""

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from catalog.certification.handlers import HANDLERS
from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.factories.catalog import make_product
from tests.factories.identity import make_organisation, make_supplier, make_user

#: A Monday without holidays in the weeks after it, nine o'clock in Shanghai.
MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
#: The notice of that Monday ends with Monday the 30th.
OPEN_AGAIN = datetime(2026, 12, 1, 0, 0, tzinfo=clock.SHANGHAI)
PDF = b"%PDF-1.4\n%%EOF"
STATEMENT = {
    "statement": "自产脐橙",
    "annual_capacity_kg": 600_000,
    "households": 86,
    "persons": 271,
    "linkage": "订单收购",
    "comparable_price": "69.90",
    "comparable_price_source": "县城三家超市均价",
}


@contextmanager
def at(moment):
    """Token lifetimes follow the clock too, so clients are made within the same time."""
    with clock.fixed(moment):
        yield


@dataclass
class Office:
    """One supplier with a product, and those who decide."""

    api: Any
    product_id: int
    supplier: Any
    users: dict[str, Any]

    def as_(self, who):
        return self.api.as_(self.users[who])

    def do(self, who, case_id, action, **body):
        return self.as_(who).post(f"/v1/certification-cases/{case_id}/{action}", json=body)

    def upload(self, case_id, kind, content=PDF, name="a.pdf", who="supplier"):
        place = f"/v1/certification-cases/{case_id}/documents"
        return self.as_(who).post(place, data={"kind": kind}, files={"file": (name, content)})

    def draft(self, **changes):
        answer = self.as_("supplier").post("/v1/certification-cases", json={"product_id": self.product_id, **STATEMENT, **changes})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def complete(self):
        case_id = self.draft()
        for kind in ("business_licence", "commitment_letter", "test_report"):
            assert self.upload(case_id, kind).status_code == 201
        return case_id

    def brought_to(self, status):
        """A case taken to ``status``; the notice is published on MONDAY and closed once its time is over."""
        way = [
            ("supplier", "submit"),
            ("county", "take-up"),
            ("county", "publish-notice"),
            ("county", "close-notice"),
            ("city", "certify"),
        ]
        length = ["submitted", "county_review", "public_notice", "city_review", "certified"].index(status) + 1
        case_id = self.complete()
        for who, action in way[:length]:
            with at(OPEN_AGAIN if action in ("close-notice", "certify") else MONDAY):
                answer = self.do(who, case_id, action)
                assert answer.status_code == 200, (action, answer.text)
        assert answer.json()["status"] == status
        return case_id


@pytest.fixture
def office(api, database):
    with at(MONDAY):
        with database.unit_of_work() as session:
            supplier = make_supplier(session, "500236")
            made = make_product(session, supplier, name="奉节脐橙", certified=False)
            users = {
                "supplier": make_user(session, Role.SUPPLIER_ADMIN, supplier),
                "county": make_user(session, Role.COUNTY_OFFICER, region_code="500236"),
                "elsewhere": make_user(session, Role.COUNTY_OFFICER, region_code="500240"),
                "city": make_user(session, Role.CITY_OFFICER),
                "rival": make_user(session, Role.SUPPLIER_ADMIN, make_supplier(session, "500236")),
            }
        yield Office(api, made.product_id, supplier, users)


def count(database, statement, **values):
    with database.unit_of_work() as session:
        return session.execute(text(statement), values).scalar_one()


def test_from_draft_to_certificate(office, database):
    case_id = office.brought_to("certified")
    with at(OPEN_AGAIN):
        case = office.as_("supplier").get(f"/v1/certification-cases/{case_id}").json()
        public = office.api.get(f"/v1/public/certificates/{case['certificate']['number']}").json()
    assert case["certificate"]["number"] == "CQ-2026-500236-000001"
    assert (public["valid_from"], public["valid_until"], public["state"]) == ("2026-12-01", "2029-11-30", "in_force")
    assert (public["product_name"], public["supplier_name"]) == ("奉节脐橙", office.supplier.name)
    assert [step["action"] for step in case["steps"]] == ["submit", "take_up", "publish_notice", "close_notice", "certify"]
    assert case["possible_actions"] == []
    assert count(database, "SELECT count(*) FROM audit_event WHERE action = 'certificate.issued'") == 1


def test_everything_missing_is_named_at_once(office, database):
    answer = office.as_("supplier").post("/v1/certification-cases", json={"product_id": office.product_id})
    case_id = answer.json()["id"]
    refused = office.do("supplier", case_id, "submit")
    assert refused.json()["code"] == "items_missing"
    found = {fault["code"] for fault in refused.json()["errors"]}
    assert found == {item["code"] for item in answer.json()["missing_items"]}
    assert {"statement_missing", "capacity_missing", "households_missing", "linkage_missing", "comparable_price_missing",
            "comparable_price_source_missing", "business_licence_missing", "commitment_letter_missing", "test_report_missing"} <= found  # fmt: skip
    assert count(database, "SELECT count(*) FROM certification_step") == 0


def test_a_notice_cannot_end_a_second_early(office):
    case_id = office.brought_to("public_notice")
    with at(OPEN_AGAIN - timedelta(seconds=1)):
        early = office.do("county", case_id, "close-notice")
        assert [row["case_id"] for row in office.api.get("/v1/public/notices").json()["items"]] == [case_id]
    assert (early.status_code, early.json()["code"]) == (409, "notice_running")
    assert early.json()["data"]["until"] == "2026-12-01"
    with at(OPEN_AGAIN):
        assert office.api.get("/v1/public/notices").json()["items"] == []
        assert office.do("county", case_id, "close-notice").json()["status"] == "city_review"


def test_a_public_notice_is_for_everybody(office):
    office.brought_to("public_notice")
    notice = office.api.get("/v1/public/notices", params={"district": "500236"}).json()["items"][0]
    assert (notice["notice_from"], notice["notice_last_day"], notice["households"]) == ("2026-11-23", "2026-11-30", 86)
    assert office.api.get("/v1/public/notices", params={"district": "500240"}).json()["items"] == []
    assert office.api.get("/v1/public/certificates/CQ-2026-500236-999999").status_code == 404


def test_who_sees_a_case_and_its_papers(office, database):
    case_id = office.brought_to("submitted")
    paper = count(database, "SELECT min(id) FROM certification_document")
    for who, status in {"supplier": 200, "county": 200, "city": 200, "elsewhere": 404, "rival": 404}.items():
        client = office.as_(who)
        assert client.get(f"/v1/certification-cases/{case_id}").status_code == status, who
        assert client.get(f"/v1/certification-documents/{paper}").status_code == status, who
        assert len(client.get("/v1/certification-cases").json()["items"]) == (status == 200), who


def test_each_level_decides_only_what_is_before_it(office):
    case_id = office.brought_to("submitted")
    assert office.do("elsewhere", case_id, "take-up").status_code == 404
    assert office.do("city", case_id, "take-up").status_code == 403
    assert office.do("supplier", case_id, "reject", reason="x").status_code == 403
    assert office.do("city", case_id, "reject", reason="x").status_code == 403
    assert office.do("county", case_id, "publish-notice").json()["code"] == "illegal_move"
    assert office.do("county", case_id, "reject").status_code == 422
    assert office.do("county", case_id, "take-up").status_code == 200


def test_nobody_decides_on_the_own_organisation(office, database):
    case_id = office.brought_to("submitted")
    with database.unit_of_work() as session:
        office.users["relative"] = make_user(session, Role.COUNTY_OFFICER, office.supplier, region_code="500236")
    assert office.do("relative", case_id, "take-up").json()["code"] == "own_case"


def test_nor_on_a_unit_of_the_own_organisation(office, database):
    with database.unit_of_work() as session:
        parent = make_organisation(session, region_code="500236")
        session.execute(
            text("UPDATE organisation SET parent_id = :p, path = :path WHERE id = :id"),
            {"p": parent.id, "path": f"{parent.path}{office.supplier.id}/", "id": office.supplier.id},
        )
        office.users["head"] = make_user(session, Role.COUNTY_OFFICER, parent, region_code="500236")
    case_id = office.brought_to("submitted")
    assert office.do("head", case_id, "take-up").json().get("code") == "own_case"


def test_two_levels_need_two_persons(office, database):
    case_id = office.brought_to("city_review")
    with database.unit_of_work() as session:
        session.execute(
            text("INSERT INTO user_role (user_id, role, region_code) VALUES (:id, 'city_officer', '500000')"),
            {"id": office.users["county"].id},
        )
    with at(OPEN_AGAIN):
        assert office.do("county", case_id, "certify").json()["code"] == "same_person"
        assert office.do("city", case_id, "certify").status_code == 200


@pytest.mark.parametrize("status", ["submitted", "county_review", "public_notice", "city_review"])
def test_a_returned_case_is_mended_and_goes_the_whole_way_again(office, status):
    case_id = office.brought_to(status)
    moment = OPEN_AGAIN if status == "city_review" else MONDAY
    with at(moment):
        returned = office.do("city" if status == "city_review" else "county", case_id, "return", reason="检测报告已过期").json()
        assert (returned["status"], returned["decision_reason"]) == ("returned", "检测报告已过期")
        changed = office.as_("supplier").patch(f"/v1/certification-cases/{case_id}", json={"households": 90, "persons": 300})
        assert changed.json()["households"] == 90
        assert office.do("supplier", case_id, "submit").json()["status"] == "submitted"


def test_what_was_submitted_stays_as_it_is(office):
    case_id = office.brought_to("submitted")
    change = office.as_("supplier").patch(f"/v1/certification-cases/{case_id}", json={"households": 1})
    assert change.json()["code"] == "case_not_editable"
    assert office.upload(case_id, "other").json()["code"] == "case_not_editable"


def test_a_change_of_what_somebody_else_changed_is_refused(office):
    case_id = office.draft()
    place, client = f"/v1/certification-cases/{case_id}", office.as_("supplier")
    read = client.get(place)
    assert client.patch(place, json={"households": 2}, headers={"If-Match": read.headers["etag"]}).status_code == 200
    assert client.patch(place, json={"households": 3}, headers={"If-Match": read.headers["etag"]}).status_code == 412


@pytest.mark.parametrize(
    "body",
    [
        {"annual_capacity_kg": 2**31},
        {"annual_capacity_kg": 0},
        {"households": -1},
        {"statement": "a\x00"},
        {"statement": None},
        {"x": 1},
    ],
)
def test_bad_content_is_named(office, body):
    answer = office.as_("supplier").patch(f"/v1/certification-cases/{office.draft()}", json=body)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == list(body)


def test_only_own_products_of_designated_districts_and_approved_suppliers(office, database):
    with database.unit_of_work() as session:
        outside = make_supplier(session, "500103")
        pending = make_supplier(session, "500236", status="pending")
        cases = {
            "district_not_eligible": (
                make_user(session, Role.SUPPLIER_ADMIN, outside),
                make_product(session, outside, certified=False),
            ),
            "organisation_not_approved": (
                make_user(session, Role.SUPPLIER_ADMIN, pending),
                make_product(session, pending, certified=False),
            ),
        }
    for code, (user, made) in cases.items():
        answer = office.api.as_(user).post("/v1/certification-cases", json={"product_id": made.product_id})
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    rival = office.as_("rival").post("/v1/certification-cases", json={"product_id": office.product_id})
    assert (rival.status_code, rival.json()["code"]) == (403, "not_your_product")
    assert office.as_("rival").post("/v1/certification-cases", json={"product_id": 10**12}).status_code == 404


def test_one_application_at_a_time(office):
    case_id = office.draft()
    again = office.as_("supplier").post("/v1/certification-cases", json={"product_id": office.product_id})
    assert (again.status_code, again.json()["code"]) == (409, "case_open")
    assert office.do("supplier", case_id, "withdraw").json()["status"] == "withdrawn"
    assert office.draft() > case_id


def test_a_paper_comes_back_as_it_was_sent_and_never_as_a_page(office):
    document = office.upload(office.draft(), "business_licence", name="../营业执照.html").json()["documents"][0]
    assert (document["name"], document["content_type"], document["size"]) == ("营业执照.pdf", "application/pdf", len(PDF))
    sent = office.as_("supplier").get(f"/v1/certification-documents/{document['id']}")
    assert sent.content == PDF
    assert sent.headers["content-disposition"].startswith("attachment;")
    assert sent.headers["x-content-type-options"] == "nosniff"


def test_a_web_page_is_no_paper(office, database):
    answer = office.upload(office.draft(), "business_licence", b"<html>", "a.pdf")
    assert (answer.status_code, answer.json()["code"]) == (422, "file_type_not_accepted")
    assert office.upload(10**12, "other").status_code == 404
    assert count(database, "SELECT count(*) FROM stored_file") == 0


def test_a_certificate_is_suspended_reinstated_and_revoked(office):
    case_id = office.brought_to("certified")
    with at(OPEN_AGAIN):
        certificate = office.as_("supplier").get(f"/v1/certification-cases/{case_id}").json()["certificate"]

        def act(who, action):
            return office.as_(who).post(f"/v1/certificates/{certificate['id']}/{action}", json={"reason": "抽检不合格"})

        def state():
            return office.api.get(f"/v1/public/certificates/{certificate['number']}").json()["state"]

        assert act("county", "suspend").status_code == 403
        seen = [state()]
        for action in ("suspend", "reinstate", "revoke"):
            assert act("city", action).status_code == 200
            seen.append(state())
        assert seen == ["in_force", "suspended", "in_force", "revoked"]
        assert act("city", "reinstate").json()["code"] == "illegal_move"


def test_a_certificate_is_in_force_to_its_last_day(office):
    office.brought_to("certified")
    last = datetime(2029, 11, 30, 23, 59, 59, tzinfo=clock.SHANGHAI)
    for moment, state in {OPEN_AGAIN: "in_force", last: "in_force", last + timedelta(seconds=1): "expired"}.items():
        with at(moment):
            assert office.api.get("/v1/public/certificates/CQ-2026-500236-000001").json()["state"] == state


def test_who_is_told(office, database):
    office.brought_to("certified")
    with at(OPEN_AGAIN + timedelta(hours=1)):
        outbox.drain(database, HANDLERS)
        told = {who: [row["kind"] for row in office.as_(who).get("/v1/notifications").json()["items"]] for who in office.users}
    assert sorted(told["supplier"]) == ["certificate.issued", "certification.noticed"]
    assert told["county"] == told["city"] == ["certification.submitted"]
    assert told["rival"] == told["elsewhere"] == []
    assert count(database, "SELECT count(*) FROM outbox_event WHERE done_at IS NULL") == 0
