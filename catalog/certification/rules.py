"""What an application must hold, how long a notice and a certificate run, and how certificates are numbered."""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from catalog.products.rules import Category, Kind, is_food
from shop.core.errors import Fault
from shop.core.workdays import Calendar


class DocumentKind(StrEnum):
    BUSINESS_LICENCE = "business_licence"
    COMMITMENT_LETTER = "commitment_letter"
    HOUSEHOLD_EVIDENCE = "household_evidence"
    TEST_REPORT = "test_report"
    PRODUCTION_LICENCE = "production_licence"
    QUARANTINE_CERTIFICATE = "quarantine_certificate"
    QUALITY_CERTIFICATE = "quality_certificate"
    TRADEMARK = "trademark"
    OTHER = "other"


_DOCUMENTS: dict[DocumentKind, tuple[str, str]] = {
    DocumentKind.BUSINESS_LICENCE: ("营业执照", "business licence"),
    DocumentKind.COMMITMENT_LETTER: ("真实性承诺书", "letter of commitment"),
    DocumentKind.HOUSEHOLD_EVIDENCE: ("带动农户证明", "evidence of the households that take part"),
    DocumentKind.TEST_REPORT: ("产品检测报告", "test report"),
    DocumentKind.PRODUCTION_LICENCE: ("食品生产许可证或小作坊登记证", "food production licence or workshop registration"),
    DocumentKind.QUARANTINE_CERTIFICATE: ("动物检疫证明", "animal quarantine certificate"),
    DocumentKind.QUALITY_CERTIFICATE: ("绿色、有机、地理标志等证书", "green, organic, origin or other quality certificate"),
    DocumentKind.TRADEMARK: ("商标注册证或授权书", "trademark or authorisation"),
    DocumentKind.OTHER: ("其他材料", "other papers"),
}

#: Made in a factory or workshop, so licensed as food production.
_PROCESSED = frozenset({Category.PROCESSED_SNACK, Category.BEVERAGE, Category.CONDIMENT_PRESERVED})


@dataclass(frozen=True)
class Application:
    """What an application holds at the moment, as far as the checklist asks for it."""

    kind: Kind | str
    category: Category | str
    statement: str
    annual_capacity_kg: int | None
    households: int
    persons: int
    linkage: str
    comparable_price_fen: int | None
    comparable_price_source: str | None
    priced_skus: int
    documents: frozenset[str]


def required_documents(kind: Kind | str, category: Category | str) -> list[DocumentKind]:
    """The papers that an application for such a product must bring (the usual set of a county's checklist)."""
    required = [DocumentKind.BUSINESS_LICENCE, DocumentKind.COMMITMENT_LETTER]
    if kind == Kind.GOODS and is_food(category):
        required.append(DocumentKind.TEST_REPORT)
    if category in _PROCESSED:
        required.append(DocumentKind.PRODUCTION_LICENCE)
    return required


def missing_items(application: Application) -> list[Fault]:
    """Everything that keeps an application from being submitted, all at once, each with a stable code."""
    a = application
    checks = [
        (bool(a.statement.strip()), "statement", "statement_missing", "申请说明未填写", "the statement is missing"),
        (
            a.kind == Kind.SERVICE or bool(a.annual_capacity_kg),
            "annual_capacity_kg",
            "capacity_missing",
            "年产能未填写",
            "the yearly capacity is missing",
        ),
        (a.households >= 1, "households", "households_missing", "带动农户数须至少为 1 户", "at least one household must take part"),
        (
            a.persons >= max(a.households, 1),
            "persons",
            "persons_below_households",
            "带动人数不能少于户数",
            "there cannot be fewer people than households",
        ),
        (bool(a.linkage.strip()), "linkage", "linkage_missing", "带动方式未填写", "how households take part is missing"),
        (
            a.comparable_price_fen is not None,
            "comparable_price",
            "comparable_price_missing",
            "同类产品市场价未填写",
            "the price of comparable goods is missing",
        ),
        (
            bool((a.comparable_price_source or "").strip()),
            "comparable_price_source",
            "comparable_price_source_missing",
            "同类产品市场价来源未填写",
            "the source of the comparable price is missing",
        ),
        (a.priced_skus >= 1, "product", "sku_missing", "产品没有在售规格", "the product has no pack on sale"),
    ]
    faults = [Fault(field, code, zh, en) for met, field, code, zh, en in checks if not met]
    return faults + [_document_missing(kind) for kind in required_documents(a.kind, a.category) if kind not in a.documents]


def document_name(kind: DocumentKind | str) -> tuple[str, str]:
    """Chinese and English name of a paper."""
    return _DOCUMENTS[DocumentKind(kind)]


def _document_missing(kind: DocumentKind) -> Fault:
    zh, en = document_name(kind)
    return Fault(f"documents.{kind}", f"{kind}_missing", f"缺少材料：{zh}", f"a paper is missing: {en}")


def notice_end(published: date, working_days: int, workdays: Calendar) -> date:
    """The first day on which the county may decide: the day after the last of so many working days, the first of which is the
    first working day after the day of publishing."""
    return workdays.add(published, working_days) + timedelta(days=1)


def last_day(valid_from: date, months: int) -> date:
    """The last day of so many months that begin on ``valid_from``: 36 months from 2026-03-15 end on 2029-03-14.

    Where the month has no such day its last day stands in: 1 month from 31 January ends on 27 (28) February.
    """
    month = valid_from.month - 1 + months
    year, month = valid_from.year + month // 12, month % 12 + 1
    return date(year, month, min(valid_from.day, calendar.monthrange(year, month)[1])) - timedelta(days=1)


def certificate_series(year: int, district_code: str) -> str:
    """Certificates are counted per year and county."""
    return f"certificate:{year}:{district_code}"


def certificate_number(year: int, district_code: str, count: int) -> str:
    """``CQ-2026-500236-000123``."""
    return f"CQ-{year}-{district_code}-{count:06d}"


def covers(prefixes: Iterable[str], codes: Iterable[str | None]) -> bool:
    """Whether one of the places lies in one of the regions (code prefixes)."""
    places = [code for code in codes if code]
    return any(place.startswith(prefix) for prefix in prefixes for place in places)
