"""Everybody whose time ends, or for whom somebody waits, is reminded: on the day, once, in both languages."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from catalog.monitoring.actions import reminding as actions
from shop.core import clock
from shop.notifications.rules import PLACES, TEXTS
from tests.catalog.conftest import MONDAY, TOWNSHIP


def remind(office, days=0):
    """Run the sweep so many days after Monday, twice."""
    with clock.fixed(MONDAY + timedelta(days=days)):
        for _ in range(2):
            with office.database.unit_of_work() as session:
                count = actions.remind(session)
    return count


def told(office, who, days=0, language="en"):
    with clock.fixed(MONDAY + timedelta(days=days)):
        office.clients.clear()
        answer = office.as_(who).get("/v1/notifications", headers={"Accept-Language": language})
    return [(row["kind"], row["text"]) for row in answer.json()["items"]]


def kinds(office, who, days=0):
    return [kind for kind, _ in told(office, who, days)]


def set_(office, statement, **values):
    with office.database.unit_of_work() as session:
        session.execute(text(statement), values)


def test_the_end_of_a_certificate_is_told_three_times_and_then_that_it_ended(office):
    office.product(certified=True, name="奉节脐橙")
    set_(office, "UPDATE certificate SET valid_until = :until", until=date(2027, 1, 22))  # sixty days after Monday
    counted = {}
    for day in (-1, 0, 1, 29, 30, 52, 53, 60, 61, 62):
        remind(office, day)
        counted[day] = len(kinds(office, "supplier", day))
    assert counted == {-1: 0, 0: 1, 1: 1, 29: 1, 30: 2, 52: 2, 53: 3, 60: 3, 61: 4, 62: 4}
    assert kinds(office, "supplier", 62) == ["certificate.expired", *["certificate.ending"] * 3]
    assert "奉节脐橙" in told(office, "supplier", 62, "zh")[0][1]
    assert kinds(office, "rival", 62) == []


def test_who_has_applied_for_renewal_is_not_reminded(office):
    made = office.product(certified=True)
    set_(office, "UPDATE certificate SET valid_until = :until", until=date(2026, 12, 20))
    set_(
        office,
        "INSERT INTO certification_case (kind, certificate_id, product_id, supplier_id, programme_code, district_code, status, households, persons,"
        " statement, linkage, created_at) SELECT 'renewal', id, product_id, supplier_id, programme_code, district_code, 'county_review', 1, 1, '',"
        " '', now() FROM certificate WHERE id = :id",
        id=made.certificate_id,
    )
    remind(office)
    assert kinds(office, "supplier") == []


def test_papers_that_end(office):
    office.product(certified=True)
    set_(office, "UPDATE certificate SET papers_valid_until = :until", until=date(2026, 12, 23))
    counted = {}
    for day in (-1, 0, 22, 23, 30, 31, 45):
        remind(office, day)
        counted[day] = len(kinds(office, "supplier", day))
    assert counted == {-1: 0, 0: 1, 22: 1, 23: 2, 30: 2, 31: 3, 45: 3}
    assert kinds(office, "supplier", 45)[0] == "certificate.papers_expired"


def test_a_correction_that_is_due(office):
    case_id = office.case("county_review")
    office.do("county", case_id, "return", reason="请补正")  # due on 7 December
    path = f"/v1/certification-cases/{case_id}"
    for day, due, overdue in ((9, 0, 0), (10, 1, 0), (14, 1, 0), (15, 1, 1), (16, 1, 1)):
        remind(office, day)
        found = kinds(office, "supplier", day)
        assert (found.count("certification.correction_due"), found.count("certification.correction_overdue")) == (due, overdue), day
        with clock.fixed(MONDAY + timedelta(days=day)):  # a draft that is saved is no cause to remind again
            assert office.as_("supplier").patch(path, json={"statement": f"第{day}天"}).status_code == 200


def test_a_certificate_that_was_continued_is_not_told_to_have_ended(office):
    made = office.product(certified=True)
    set_(office, "UPDATE certificate SET valid_until = :until", until=MONDAY.date() - timedelta(days=1))
    set_(
        office,
        "INSERT INTO certification_case (kind, certificate_id, product_id, supplier_id, programme_code, district_code, status, households, persons,"
        " statement, linkage, created_at) SELECT 'renewal', id, product_id, supplier_id, programme_code, district_code, 'approved', 1, 1, '',"
        " '', now() FROM certificate WHERE id = :id",
        id=made.certificate_id,
    )
    set_(
        office,
        "INSERT INTO certificate (number, case_id, renews_id, product_id, supplier_id, programme_code, district_code, product_name, supplier_name,"
        " households, persons, valid_from, valid_until, issued_at) SELECT 'T-new', (SELECT max(id) FROM certification_case), id, product_id,"
        " supplier_id, programme_code, district_code, product_name, supplier_name, 1, 1, '2026-11-23', '2029-11-22', now() FROM certificate",
    )
    remind(office)
    assert kinds(office, "supplier") == []


def test_a_notice_that_is_over_and_nobody_objects(office):
    case_id = office.case("public_notice", notice_until=date(2026, 12, 1), due_on=date(2027, 1, 4))
    remind(office, 7)
    assert kinds(office, "county", 7) == []
    remind(office, 8)
    assert kinds(office, "county", 8) == ["certification.notice_over"]
    set_(
        office,
        "INSERT INTO objection (receipt, case_id, notice_from, text, sealed_contact, received_at, due_on, status)"
        " SELECT 'R', id, notice_from, 'x', '', now(), '2027-01-31', 'received' FROM certification_case WHERE id = :id",
        id=case_id,
    )
    set_(office, "DELETE FROM notification")
    remind(office, 8)
    assert kinds(office, "county", 8) == []


def test_each_desk_hears_once_a_working_day_what_is_due_there(office):
    township = office.case("township_review", township=TOWNSHIP, due_on=date(2026, 11, 24))
    office.case("county_review", due_on=date(2026, 11, 20))
    office.case("county_review", due_on=date(2026, 11, 24))
    office.case("county_review", due_on=date(2026, 11, 25))
    office.case("city_review", due_on=date(2026, 11, 19))
    remind(office)
    assert told(office, "county") == [("certification.due", "1 applications are due soon, 1 are overdue")]
    assert told(office, "township") == [("certification.due", "1 applications are due soon, 0 are overdue")]
    assert told(office, "city", language="zh") == [("certification.due", "有 0 件认定申请即将到期，1 件已超期")]
    assert told(office, "elsewhere") == []
    remind(office, 1)
    assert len(told(office, "county", 1)) == 2
    remind(office, 5)  # a Saturday
    assert len(told(office, "county", 5)) == 2
    assert office.count("SELECT count(*) FROM certification_case WHERE id = :id", id=township) == 1


def test_objections_complaints_and_checks_that_are_due(office):
    case_id = office.case("public_notice", due_on=date(2027, 1, 31), notice_until=date(2027, 1, 4))
    certificate = office.product(certified=True).certificate_id
    values = {"case": case_id, "certificate": certificate, "supplier": office.supplier.id}
    set_(
        office,
        "INSERT INTO objection (receipt, case_id, notice_from, text, sealed_contact, received_at, due_on, status)"
        " VALUES ('R', :case, '2026-11-15', 'x', '', now(), '2026-11-25', 'received')",
        case=case_id,
    )
    set_(
        office,
        "INSERT INTO complaint (receipt, certificate_id, supplier_id, kind, text, status, received_at, statement_due_on, decision_due_on)"
        " VALUES ('T', :certificate, :supplier, 'price', 'x', 'received', now(), '2026-11-10', '2026-11-20')",
        certificate=values["certificate"],
        supplier=values["supplier"],
    )
    set_(
        office,
        "INSERT INTO inspection (certificate_id, kind, status, due_on, opened_at) VALUES (:certificate, 'site', 'open', '2026-11-24', now())",
        certificate=certificate,
    )
    remind(office)
    assert sorted(told(office, "county")) == [
        ("complaints.due", "0 complaints are due soon, 1 are overdue"),
        ("inspections.due", "1 checks are due soon, 0 are overdue"),
        ("objections.due", "1 objections are due soon, 0 are overdue"),
    ]


def test_a_statement_that_is_due_and_a_revocation_that_can_be_decided(office):
    certificate = office.product(certified=True).certificate_id
    body = {"reason_code": "relabelled", "reason": "x"}
    office.as_("county").post(f"/v1/certificates/{certificate}/revocation", json=body)  # until 30 November
    for day, supplier, city in ((2, 0, 0), (3, 1, 0), (7, 1, 0), (8, 1, 1)):
        remind(office, day)
        assert kinds(office, "supplier", day).count("certificate.statement_due") == supplier, day
        assert kinds(office, "city", day).count("certificate.revocation_ripe") == city, day


@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_every_kind_has_words_in_both_languages(kind):
    zh, en = TEXTS[kind]
    assert any("\u4e00" <= character <= "\u9fff" for character in zh)
    assert en.isascii() or "“" in en
    assert set(PLACES) >= {"certificate", "certification_case", "certification_due"}
