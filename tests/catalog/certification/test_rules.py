"""The pure rules of certification: the way of a case, the checklist, periods, numbers and files."""

import dataclasses
import io
import zipfile
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.certification import files, rules
from catalog.certification.errors import UnreadableFile
from catalog.certification.rules import Application, DocumentKind
from catalog.certification.states import CASE, CaseMove, CaseStatus, CertificateState, Level, certificate_state, level_of
from shop.core.states import IllegalMove
from shop.core.workdays import Calendar

WEEKS = Calendar({})
DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))
COMPLETE = Application(
    kind="goods",
    category="fruit",
    statement="自产脐橙",
    annual_capacity_kg=600_000,
    households=86,
    persons=271,
    linkage="订单收购",
    comparable_price_fen=6990,
    comparable_price_source="县城三家超市均价",
    priced_skus=1,
    documents=frozenset({"business_licence", "commitment_letter", "test_report"}),
)


def codes(**changes):
    return [fault.code for fault in rules.missing_items(dataclasses.replace(COMPLETE, **changes))]


def test_the_way_to_a_certificate():
    status = CaseStatus.DRAFT
    for move in ("submit", "take_up", "publish_notice", "close_notice", "certify"):
        status = CASE.after(status, CaseMove(move))
    assert status is CaseStatus.CERTIFIED


@pytest.mark.parametrize("status", ["certified", "rejected", "withdrawn"])
def test_a_decided_case_does_not_move(status):
    assert CASE.possible(status) == []
    for move in CaseMove:
        with pytest.raises(IllegalMove):
            CASE.after(status, move)


@pytest.mark.parametrize("status", ["submitted", "county_review", "public_notice", "city_review"])
def test_a_case_under_review_can_be_returned_rejected_and_withdrawn(status):
    assert CASE.after(status, CaseMove.RETURN) is CaseStatus.RETURNED
    assert CASE.after(status, CaseMove.REJECT) is CaseStatus.REJECTED
    assert CASE.after(status, CaseMove.WITHDRAW) is CaseStatus.WITHDRAWN
    assert CASE.after("returned", CaseMove.RESUBMIT) is CaseStatus.SUBMITTED


def test_the_level_that_has_a_case_decides():
    assert level_of("public_notice", CaseMove.REJECT) is Level.COUNTY
    assert level_of("city_review", CaseMove.REJECT) is Level.CITY
    assert level_of("city_review", CaseMove.CERTIFY) is Level.CITY
    assert level_of("city_review", CaseMove.WITHDRAW) is Level.SUPPLIER


def test_nothing_is_missing_from_a_complete_application():
    assert codes() == []
    assert codes(kind="service", category="rural_tourism", annual_capacity_kg=None) == []
    assert codes(category="handicraft", documents=frozenset({"business_licence", "commitment_letter"})) == []


def test_everything_missing_is_named_at_once():
    found = codes(
        statement=" ", annual_capacity_kg=None, households=0, persons=0, linkage="", comparable_price_fen=None,
        comparable_price_source=None, priced_skus=0, documents=frozenset(),
    )  # fmt: skip
    assert {
        "statement_missing", "capacity_missing", "households_missing", "linkage_missing", "comparable_price_missing",
        "comparable_price_source_missing", "sku_missing", "business_licence_missing", "commitment_letter_missing", "test_report_missing",
    } <= set(found)  # fmt: skip
    assert len(found) == len(set(found))


def test_processed_food_is_licensed():
    assert codes(category="processed_snack") == ["production_licence_missing"]
    assert codes(persons=85) == ["persons_below_households"]


@given(st.sampled_from(DocumentKind))
def test_every_paper_has_both_names(kind):
    assert all(rules.document_name(kind))


def test_a_notice_runs_whole_working_days():
    assert rules.notice_end(date(2026, 11, 23), 5, WEEKS) == date(2026, 12, 1)  # Monday to Monday, decided on Tuesday
    assert rules.notice_end(date(2026, 11, 20), 5, WEEKS) == date(2026, 11, 28)  # Friday to Friday
    holiday = Calendar({date(2026, 11, 24): False, date(2026, 11, 28): True})
    assert rules.notice_end(date(2026, 11, 23), 5, holiday) == date(2026, 12, 1)  # a day off, and a Saturday worked for it


@given(DAYS, st.integers(1, 60))
def test_a_notice_holds_exactly_its_working_days(published, count):
    end = rules.notice_end(published, count, WEEKS)
    assert WEEKS.between(published, end - timedelta(days=1)) == count
    assert WEEKS.is_working(end - timedelta(days=1))


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-03-15", "2029-03-14"), ("2026-01-01", "2028-12-31"), ("2026-12-01", "2029-11-30"), ("2024-03-01", "2027-02-28")],
)
def test_thirty_six_months(first, last):
    assert rules.last_day(date.fromisoformat(first), 36) == date.fromisoformat(last)


@given(DAYS, st.integers(1, 120))
def test_a_period_of_months_ends_the_day_before_its_month_is_full(first, months):
    after = rules.last_day(first, months) + timedelta(days=1)
    assert after.year * 12 + after.month == first.year * 12 + first.month + months
    assert after.day == first.day or (after.day < first.day and (after + timedelta(days=1)).day == 1)


def test_the_first_and_last_day_of_a_certificate_belong_to_it():
    first, last = date(2026, 1, 1), date(2028, 12, 31)

    def state(on, **stops):
        return certificate_state(**{"suspended": False, "revoked": False} | stops, valid_from=first, valid_until=last, on=on)

    day = timedelta(days=1)
    assert [state(on) for on in (first - day, first, last, last + day)] == ["not_yet", "in_force", "in_force", "expired"]
    assert state(first, suspended=True) is CertificateState.SUSPENDED
    assert state(last + day, suspended=True) is CertificateState.EXPIRED
    assert state(first, suspended=True, revoked=True) is CertificateState.REVOKED


def test_a_certificate_number():
    assert rules.certificate_number(2026, "500236", 123) == "CQ-2026-500236-000123"
    series = {rules.certificate_series(year, code) for year in (2026, 2027) for code in ("500236", "500240")}
    assert len(series) == 4


def archive(*parts):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for part in parts:
            made.writestr(part, "x")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (b"%PDF-1.4\n", ".pdf"),
        (b"\x89PNG\r\n\x1a\n...", ".png"),
        (b"\xff\xd8\xff\xe0", ".jpg"),
        (archive("[Content_Types].xml", "word/document.xml"), ".docx"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), ".xlsx"),
    ],
)
def test_the_content_decides_what_a_file_is(content, ending):
    assert files.safe_name("扫描件.exe", files.content_type(content)) == "扫描件" + ending


@pytest.mark.parametrize("content", [b"", b"MZ\x90", b"<html>", b"PK\x03\x04broken", archive("evil.exe"), b" %PDF-1.4"])
def test_other_files_are_refused(content):
    with pytest.raises(UnreadableFile):
        files.content_type(content)


@given(st.text(max_size=400))
def test_any_name_is_made_safe(given_name):
    name = files.safe_name(given_name, files.PDF)
    assert name.endswith(".pdf")
    assert 4 < len(name) <= files.LONGEST_NAME + 4
    assert not set(name) & set('/\\\x00\r\n"<>:|?*%;\u202e')
    name.encode()


def test_a_path_is_no_part_of_a_name():
    assert files.safe_name("../../etc/passwd", files.PDF) == "passwd.pdf"
    assert files.safe_name("C:\\papers\\a.pdf", files.PDF) == "a.pdf"
    assert files.safe_name(None, files.PDF) == "document.pdf"
