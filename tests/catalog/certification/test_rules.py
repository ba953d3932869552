"""The pure rules of an application: its checklist by kind of product, its papers and their ages; and the days of a notice."""

import dataclasses
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.certificates.rules import Paper
from catalog.certification import rules, steps
from catalog.certification.rules import Application, Brought, DocumentKind
from shop.core.workdays import Calendar
from shop.programmes import seed

RULES = seed.files()[-1].certification
TODAY = date(2026, 11, 25)
WEEKS = Calendar({})
DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))


def brought(*kinds, issued_on=date(2026, 10, 1), valid_until=None):
    return [Brought(Paper(kind, "1", valid_until, order), issued_on) for order, kind in enumerate(kinds)]


PAPERS = brought("business_licence", "commitment_letter", "test_report", "household_evidence")
COMPLETE = Application(
    kind="goods",
    category="fruit",
    statement="自产脐橙",
    specification="5kg/箱，GB/T 20355",
    village="白龙村",
    annual_capacity_kg=600_000,
    monthly_capacity_kg=None,
    households=86,
    persons=271,
    linkage_modes=["purchase_contract"],
    linkage="订单收购",
    comparable_price_fen=6990,
    comparable_pack_grams=5000,
    comparable_price_source="县城三家超市均价",
    comparable_price_on=date(2026, 11, 1),
    priced_skus=1,
    papers=PAPERS,
)


def codes(config=RULES, today=TODAY, **changes):
    return [fault.code for fault in rules.missing_items(dataclasses.replace(COMPLETE, **changes), config, today)]


def test_nothing_is_missing_from_a_complete_application():
    assert codes() == []
    assert codes(monthly_capacity_kg=[50_000] * 12) == []


@pytest.mark.parametrize(
    ("kind", "category", "missing"),
    [
        ("goods", "honey", []),
        ("goods", "meat_poultry_egg", ["quarantine_certificate_missing"]),
        ("goods", "aquatic", ["quarantine_certificate_missing"]),
        ("goods", "processed_snack", ["production_licence_missing"]),
        ("goods", "beverage", ["production_licence_missing"]),
        ("goods", "handicraft", []),
        ("service", "rural_tourism", []),
    ],
)
def test_each_kind_of_product_has_its_own_checklist(kind, category, missing):
    assert codes(kind=kind, category=category) == missing


def test_a_service_has_no_capacity_and_no_weight():
    service = {"kind": "service", "category": "rural_tourism", "annual_capacity_kg": None, "comparable_pack_grams": None}
    assert codes(**service, papers=brought("business_licence", "commitment_letter", "household_evidence")) == []


def test_everything_missing_is_named_at_once():
    found = codes(
        statement=" ", specification="", village=None, annual_capacity_kg=None, households=0, persons=0, linkage_modes=[], linkage="",
        comparable_price_fen=None, comparable_pack_grams=None, comparable_price_source=None, comparable_price_on=None, priced_skus=0,
        papers=[],
    )  # fmt: skip
    assert found == [
        "statement_missing", "specification_missing", "village_missing", "capacity_missing", "households_missing", "linkage_modes_missing",
        "linkage_missing", "comparable_price_missing", "comparable_pack_missing", "comparable_price_source_missing",
        "comparable_price_date_missing", "sku_missing", "business_licence_missing", "commitment_letter_missing", "test_report_missing",
        "household_evidence_missing",
    ]  # fmt: skip


def test_a_programme_may_ask_for_more_households_and_fewer_items():
    strict = RULES.model_copy(update={"min_households": 100})
    assert codes(strict) == ["too_few_households"]
    lean = RULES.checklist["primary_produce"].model_copy(update={"documents": ("business_licence",), "items": ("statement",)})
    config = RULES.model_copy(update={"checklist": {**RULES.checklist, "primary_produce": lean}})
    assert codes(config, papers=brought("business_licence"), households=0, persons=0, priced_skus=0) == []


def test_months_add_up_to_the_year():
    assert codes(monthly_capacity_kg=[50_000] * 11 + [49_999]) == ["months_do_not_add_up"]


@pytest.mark.parametrize(
    ("issued_on", "found"),
    [
        (date(2025, 11, 26), []),
        (date(2025, 11, 25), ["test_report_too_old"]),
        (None, ["test_report_undated"]),
    ],
)
def test_a_test_report_is_younger_than_the_programme_says(issued_on, found):
    others = brought("business_licence", "commitment_letter", "household_evidence")
    report = Brought(Paper("test_report", "9", None, 99), issued_on)
    assert codes(papers=[*others, report]) == found


def test_a_paper_counts_on_its_last_day_and_the_newest_of_its_kind_counts():
    old, new = (
        Brought(Paper("business_licence", "1", last, order), None) for order, last in ((50, TODAY - timedelta(days=1)), (60, TODAY))
    )
    others = brought("commitment_letter", "test_report", "household_evidence")
    assert codes(papers=[*others, old]) == ["business_licence_expired"]
    assert codes(papers=[*others, old, new]) == []
    assert codes(papers=[*others, old, new], today=TODAY + timedelta(days=1)) == ["business_licence_expired"]


def test_an_ended_paper_that_nobody_asked_for_would_end_the_certificate_too():
    green = Brought(Paper("quality_certificate", "G1", TODAY - timedelta(days=1), 70), None)
    organic = Brought(Paper("quality_certificate", "O1", TODAY + timedelta(days=9), 71), None)
    assert codes(papers=[*PAPERS, organic]) == []
    assert codes(papers=[*PAPERS, organic, green]) == ["quality_certificate_expired"]


@pytest.mark.parametrize(
    ("found_on", "codes_"),
    [
        (date(2025, 11, 26), []),
        (date(2025, 11, 25), ["comparable_price_too_old"]),
        (date(2026, 11, 26), ["comparable_price_too_old"]),
    ],
)
def test_a_comparable_price_is_of_the_last_twelve_months(found_on, codes_):
    assert codes(comparable_price_on=found_on) == codes_


def test_every_item_of_every_programme_is_known():
    for file in seed.files():
        for asked in file.certification.checklist.values():
            assert set(asked.items) <= rules.ITEMS
            assert set(asked.documents) <= set(DocumentKind)


@given(st.sampled_from(DocumentKind))
def test_every_paper_has_both_names(kind):
    assert all(rules.document_name(kind))


def test_a_notice_runs_whole_working_days():
    assert steps.notice_end(date(2026, 11, 23), 5, WEEKS) == date(2026, 12, 1)  # Monday to Monday, decided on Tuesday
    assert steps.notice_end(date(2026, 11, 20), 5, WEEKS) == date(2026, 11, 28)  # Friday to Friday
    holiday = Calendar({date(2026, 11, 24): False, date(2026, 11, 28): True})
    assert steps.notice_end(date(2026, 11, 23), 5, holiday) == date(2026, 12, 1)  # a day off, and a Saturday worked for it


@given(DAYS, st.integers(1, 60))
def test_a_notice_holds_exactly_its_working_days(published, count):
    last = steps.notice_last_day(steps.notice_end(published, count, WEEKS))
    assert WEEKS.between(published, last) == count
    assert WEEKS.is_working(last)
