"""What certification asks for, and how its periods are counted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from catalog.certification.states import CaseStatus, CertificateState
from catalog.products.rules import Category, Kind, is_food
from shop.core.errors import Fault
from shop.core.workdays import Calendar
from shop.identity.permissions import Permission

#: Documents of one case.
MAX_DOCUMENTS = 100


class DocumentKind(StrEnum):
    """The papers that counties ask for (domain.md §1.4); which of them a product needs says :func:`required_documents`."""

    BUSINESS_LICENCE = "business_licence"
    COMMITMENT_LETTER = "commitment_letter"
    TEST_REPORT = "test_report"
    PRODUCTION_LICENCE = "production_licence"
    QUARANTINE_CERTIFICATE = "quarantine_certificate"
    QUALITY_CERTIFICATE = "quality_certificate"
    TRADEMARK = "trademark"
    HOUSEHOLD_LIST = "household_list"
    PRICE_EVIDENCE = "price_evidence"
    OTHER = "other"


_DOCUMENT_NAMES = {
    DocumentKind.BUSINESS_LICENCE: ("营业执照", "business licence"),
    DocumentKind.COMMITMENT_LETTER: ("真实性承诺书", "letter of commitment"),
    DocumentKind.TEST_REPORT: ("产品检测报告", "test report"),
}


@dataclass(frozen=True)
class Application:
    """What a supplier states about one product."""

    kind: Kind | str
    category: Category | str
    statement: str
    annual_capacity_kg: int | None
    households: int
    persons: int
    linkage: str
    comparable_price_fen: int | None
    comparable_price_source: str | None
    documents: frozenset[str]


def required_documents(category: Category | str) -> list[DocumentKind]:
    """The papers without which no application goes on: food needs a test report as well."""
    always = [DocumentKind.BUSINESS_LICENCE, DocumentKind.COMMITMENT_LETTER]
    return [*always, DocumentKind.TEST_REPORT] if is_food(category) else always


def missing(given: Application) -> list[Fault]:
    """Everything that an application still lacks, in the order of the form.

    A certified product is of good quality, fairly priced against goods of the same kind, and carries households by a named linkage
    (municipal rule of 12 April 2020 and its national explanation of 28 August 2020).
    """
    asked = [
        (bool(given.statement), "statement", "请填写申请说明", "a statement is needed"),
        (given.kind != Kind.GOODS or bool(given.annual_capacity_kg), "annual_capacity_kg", "商品须填写年供应量", "goods need a yearly capacity"),
        (given.households >= 1, "households", "至少带动一户", "at least one household must be carried"),
        (given.persons >= given.households, "persons", "带动人数不能少于户数", "persons cannot be fewer than households"),
        (bool(given.linkage), "linkage", "请填写利益联结方式", "say how households take part"),
        (given.comparable_price_fen is not None, "comparable_price", "请填写同类产品价格", "a comparable price is needed"),
        (bool(given.comparable_price_source), "comparable_price_source", "请填写同类产品价格来源", "name the source of the comparable price"),
    ]
    faults = [Fault(field, f"{field}_missing", zh, en) for met, field, zh, en in asked if not met]
    return faults + [_document_missing(kind) for kind in required_documents(given.category) if kind not in given.documents]


def _document_missing(kind: DocumentKind) -> Fault:
    zh, en = _DOCUMENT_NAMES[kind]
    return Fault("documents", f"{kind}_missing", f"缺少{zh}", f"the {en} is missing", {"kind": str(kind)})


# --- periods -------------------------------------------------------------------------------------------------------


def decidable_from(published_on: date, working_days: int, calendar: Calendar) -> date:
    """The day from whose start a public notice may be closed: the one after its last working day.

    The day of publishing does not count, as with legal periods. Published on a Monday for five working days, a notice runs until the
    next Monday and may be closed on the Tuesday.
    """
    return calendar.add(published_on, working_days) + timedelta(days=1)


def last_day(first_day: date, months: int) -> date:
    """The last day of a period of whole months, such as 2026-03-01 and 36 months -> 2029-02-28.

    Where the last month has no such day, its end is the last day (Civil Code, article 202).
    """
    year, month = divmod(first_day.year * 12 + first_day.month - 1 + months, 12)
    try:
        return date(year, month + 1, first_day.day) - timedelta(days=1)
    except ValueError:
        return date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(days=1)


def certificate_state(valid_from: date, valid_until: date, suspended: bool, revoked: bool, on: date) -> CertificateState:
    """How a certificate stands on a date. Revocation is for good; the end of its time ends a suspension too."""
    if revoked:
        return CertificateState.REVOKED
    if on > valid_until:
        return CertificateState.EXPIRED
    if suspended:
        return CertificateState.SUSPENDED
    return CertificateState.IN_FORCE if on >= valid_from else CertificateState.NOT_YET


# --- numbers -------------------------------------------------------------------------------------------------------


def number_series(year: int, district_code: str) -> str:
    """The gapless series of one county and year."""
    return f"CQ-{year}-{district_code[:6]}"


def certificate_number(series: str, number: int) -> str:
    """``CQ-2026-500236-000123``."""
    return f"{series}-{number:06d}"


# --- who decides ---------------------------------------------------------------------------------------------------

_LEVELS = {
    CaseStatus.SUBMITTED: Permission.CERTIFICATIONS_COUNTY_REVIEW,
    CaseStatus.COUNTY_REVIEW: Permission.CERTIFICATIONS_COUNTY_REVIEW,
    CaseStatus.PUBLIC_NOTICE: Permission.CERTIFICATIONS_COUNTY_REVIEW,
    CaseStatus.CITY_REVIEW: Permission.CERTIFICATIONS_CITY_REVIEW,
}


def level_of(status: CaseStatus | str) -> Permission | None:
    """The permission of those with whom a case of this status lies; None while it is with the supplier or done."""
    return _LEVELS.get(CaseStatus(status))


def acted_at_other_level(status: CaseStatus | str, acted_in: Iterable[str]) -> bool:
    """Whether somebody who acted as an officer in the states ``acted_in`` would now act at the other level (two persons decide)."""
    return any(level_of(state) != level_of(status) for state in acted_in)
