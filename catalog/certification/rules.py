"""What an application must hold. Which papers and which statements are asked for is the programme's to say (``data/certification.toml``)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from catalog.certificates.rules import Paper, months_after, newest_papers
from catalog.products.rules import Category, Kind
from shop.core.errors import Fault
from shop.programmes.schemas import CertificationRules, Checklist


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

#: A comparable price is younger than this when the application is handed in.
COMPARABLE_PRICE_MONTHS = 12

#: Made in a factory or workshop, so licensed as food production.
_PROCESSED = frozenset({Category.PROCESSED_SNACK, Category.BEVERAGE, Category.CONDIMENT_PRESERVED})
_LIVESTOCK = frozenset({Category.MEAT_POULTRY_EGG, Category.AQUATIC})


def document_name(kind: DocumentKind | str) -> tuple[str, str]:
    """Chinese and English name of a paper."""
    return _DOCUMENTS[DocumentKind(kind)]


def checklist(rules: CertificationRules, kind: Kind | str, category: Category | str) -> Checklist:
    """What the programme asks of an application for such a product."""
    if kind == Kind.SERVICE:
        return rules.checklist["service"]
    if category in _LIVESTOCK:
        return rules.checklist["livestock"]
    if category in _PROCESSED:
        return rules.checklist["processed_food"]
    return rules.checklist["handicraft" if category == Category.HANDICRAFT else "primary_produce"]


@dataclass(frozen=True)
class Brought:
    """A paper as the application brings it."""

    paper: Paper
    issued_on: date | None


@dataclass(frozen=True)
class Application:
    """What an application holds at the moment, as far as a checklist asks for it."""

    kind: Kind | str
    category: Category | str
    statement: str
    specification: str
    village: str | None
    annual_capacity_kg: int | None
    monthly_capacity_kg: Sequence[int] | None
    households: int
    persons: int
    linkage_modes: Sequence[str]
    linkage: str
    comparable_price_fen: int | None
    comparable_pack_grams: int | None
    comparable_price_source: str | None
    comparable_price_on: date | None
    priced_skus: int
    papers: Sequence[Brought]


def missing_items(application: Application, rules: CertificationRules, today: date) -> list[Fault]:
    """Everything that keeps an application from being handed in, all at once, each with a stable code."""
    asked = checklist(rules, application.kind, application.category)
    faults = [fault for item in asked.items for fault in _ITEMS[item](application, rules, today)]
    newest = {each.paper.kind: each for each in _counting(application.papers)}
    for kind in asked.documents:
        faults += _paper_faults(newest[kind], rules, today) if kind in newest else [_paper_missing(kind)]
    # what was brought without being asked for must not have ended either: it would end the certificate
    faults += [
        _paper_ended(each)
        for each in _counting(application.papers)
        if each.paper.kind not in asked.documents and _ended(each, today)
    ]
    return faults


def _counting(papers: Sequence[Brought]) -> list[Brought]:
    counting = {paper.order for paper in newest_papers(each.paper for each in papers)}
    return [each for each in papers if each.paper.order in counting]


def _ended(brought: Brought, today: date) -> bool:
    return brought.paper.valid_until is not None and brought.paper.valid_until < today


def _paper_missing(kind: str) -> Fault:
    zh, en = document_name(kind)
    return Fault(f"documents.{kind}", f"{kind}_missing", f"缺少材料：{zh}", f"a paper is missing: {en}")


def _paper_ended(brought: Brought) -> Fault:
    zh, en = document_name(brought.paper.kind)
    code = f"{brought.paper.kind}_expired"
    return Fault(f"documents.{brought.paper.kind}", code, f"材料已过有效期：{zh}", f"a paper has expired: {en}")


def _paper_faults(brought: Brought, rules: CertificationRules, today: date) -> list[Fault]:
    if _ended(brought, today):
        return [_paper_ended(brought)]
    if brought.paper.kind != DocumentKind.TEST_REPORT:
        return []
    where = f"documents.{DocumentKind.TEST_REPORT}"
    if brought.issued_on is None:
        return [Fault(where, "test_report_undated", "检测报告未填写签发日期", "the date of the test report is missing")]
    if months_after(brought.issued_on, rules.test_report_max_months) <= today:
        zh = f"检测报告已超过 {rules.test_report_max_months} 个月"
        return [Fault(where, "test_report_too_old", zh, f"the test report is older than {rules.test_report_max_months} months")]
    return []


def _statement(a: Application, rules: CertificationRules, today: date) -> list[Fault]:
    return _unless(a.statement.strip(), "statement", "statement_missing", "申请说明未填写", "the statement is missing")


def _specification(a: Application, rules: CertificationRules, today: date) -> list[Fault]:
    told = "产品规格标准未填写", "what the product is, by which standard, is missing"
    return _unless(a.specification.strip(), "product.specification", "specification_missing", *told)


def _village(a: Application, rules: CertificationRules, today: date) -> list[Fault]:
    told = "产品的产地村未填写", "the village of origin is missing"
    return _unless((a.village or "").strip(), "product.village", "village_missing", *told)


def _capacity(a: Application, rules: CertificationRules, today: date) -> list[Fault]:
    if not a.annual_capacity_kg:
        return [Fault("annual_capacity_kg", "capacity_missing", "年产能未填写", "the yearly capacity is missing")]
    if a.monthly_capacity_kg is None or sum(a.monthly_capacity_kg) == a.annual_capacity_kg:
        return []
    told = "各月产能之和须等于年产能", "the months must add up to the year"
    return [Fault("monthly_capacity_kg", "months_do_not_add_up", *told)]


#: What is missing that tells how few households there are.
TELLING_OF_HOUSEHOLDS = frozenset({"too_few_households"})


def _households(a: Application, rules: CertificationRules, today: date) -> list[Fault]:
    if a.persons < 1:
        return [
            Fault("households", "households_missing", "带动农户名单未上传", "the list of the households that take part is missing")
        ]
    least = rules.min_households
    told = f"带动农户数须至少为 {least} 户", f"at least {least} households must take part"
    return _unless(a.households >= least, "households", "too_few_households", *told)


def _linkage(a: Application, rules: CertificationRules, today: date) -> list[Fault]:
    told = "带动方式未选择", "how households take part is missing"
    faults = _unless(a.linkage_modes, "linkage_modes", "linkage_modes_missing", *told)
    return faults + _unless(
        a.linkage.strip(), "linkage", "linkage_missing", "带动方式说明未填写", "how households take part, in words, is missing"
    )


def is_dearer(shown: Mapping[str, int] | None, now: Mapping[str, int]) -> bool:
    """Whether a pack came up, or costs more, since an application was handed in; None: it was not."""
    return shown is not None and any(sku not in shown or fen > shown[sku] for sku, fen in now.items())


def _comparable_price(a: Application, rules: CertificationRules, today: date) -> list[Fault]:
    faults = _unless(
        a.comparable_price_fen is not None,
        "comparable_price",
        "comparable_price_missing",
        "同类产品市场价未填写",
        "the price of comparable goods is missing",
    )
    weighed = a.kind == Kind.SERVICE or a.comparable_pack_grams is not None
    told = "同类产品的净重未填写", "the weight of the comparable pack is missing"
    faults += _unless(weighed, "comparable_pack_grams", "comparable_pack_missing", *told)
    told = "同类产品市场价来源未填写", "the source of the comparable price is missing"
    faults += _unless(
        (a.comparable_price_source or "").strip(), "comparable_price_source", "comparable_price_source_missing", *told
    )
    if a.comparable_price_on is None:
        told = "同类产品市场价的日期未填写", "the date of the comparable price is missing"
        return [*faults, Fault("comparable_price_on", "comparable_price_date_missing", *told)]
    if a.comparable_price_on > today or months_after(a.comparable_price_on, COMPARABLE_PRICE_MONTHS) <= today:
        zh = f"同类产品市场价须为 {COMPARABLE_PRICE_MONTHS} 个月内的价格"
        en = f"the comparable price must be from the last {COMPARABLE_PRICE_MONTHS} months"
        faults.append(Fault("comparable_price_on", "comparable_price_too_old", zh, en))
    return faults


def _sku(a: Application, rules: CertificationRules, today: date) -> list[Fault]:
    return _unless(a.priced_skus >= 1, "product", "sku_missing", "产品没有在售规格", "the product has no pack on sale")


def _unless(met: object, field: str, code: str, zh: str, en: str) -> list[Fault]:
    return [] if met else [Fault(field, code, zh, en)]


#: What each item of a checklist asks for.
_ITEMS: dict[str, Callable[[Application, CertificationRules, date], list[Fault]]] = {
    "statement": _statement,
    "specification": _specification,
    "village": _village,
    "capacity": _capacity,
    "households": _households,
    "linkage": _linkage,
    "comparable_price": _comparable_price,
    "sku": _sku,
}
ITEMS = frozenset(_ITEMS)
