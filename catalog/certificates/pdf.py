"""A certificate as PDF, in Chinese with its labels in both languages or all in English, with a QR code that leads to its public check."""

from pathlib import Path
from typing import Any

from catalog.certificates.schemas import CertificateOut, PublicCertificateOut
from catalog.certificates.states import CertificateState
from shop.core import clock, printing
from shop.core.errors import Language
from shop.core.settings import settings

_TEMPLATE = Path(__file__).with_name("certificate.typ")
#: States in which the certificate is as good as its paper.
_GOOD = frozenset({CertificateState.IN_FORCE, CertificateState.NOT_YET})
_WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "title": "消费帮扶产品认定证书",
        "subtitle": "Certificate of a Consumption Assistance Product",
        "number": "证书编号 No.",
        "statement": "　　经审核并公示，下列产品符合重庆市消费帮扶产品认定条件，特发此证。",
        "product": "产品名称 Product",
        "supplier": "供应单位 Supplier",
        "uscc": "统一社会信用代码 USCC",
        "producer": "生产者 Producer",
        "grade": "等级 Grade",
        "specification": "规格标准 Specification",
        "origin": "产地 Origin",
        "capacity": "认定产能 Capacity",
        "capacity_kg": "{kg:,} 公斤/年",
        "linked": "联农带农 Linked",
        "people": "{households} 户 {persons} 人",
        "valid": "有效期 Valid",
        "validity": "{first} 至 {last}",
        "batch": "目录批次 Batch",
        "authority": "{district}认定　重庆市复核",
        "issued": "发证日期 {day}",
        "state": "{at} 的状态：{state}。当前状态以扫码查询为准。",
        "check": "扫码查验 Check",
    },
    "en": {
        "title": "Certificate of a Consumption Assistance Product",
        "subtitle": "",
        "number": "No.",
        "statement": "This is to certify that the product below was examined and publicly announced and meets the conditions of Chongqing"
        " for consumption assistance products.",
        "product": "Product",
        "supplier": "Supplier",
        "uscc": "Unified social credit code",
        "producer": "Producer",
        "grade": "Grade",
        "specification": "Specification",
        "origin": "Origin",
        "capacity": "Certified capacity",
        "capacity_kg": "{kg:,} kg a year",
        "linked": "Households taking part",
        "people": "{households} households, {persons} people",
        "valid": "Valid",
        "validity": "{first} to {last}",
        "batch": "Batch of the catalogue",
        "authority": "Certified by {district}, reviewed by Chongqing",
        "issued": "Issued on {day}",
        "state": "State on {at} (Beijing time): {state}. The present state is what the code on the right leads to.",
        "check": "Scan to check",
    },
}


def check_address(number: str) -> str:
    """Where everybody can check a certificate."""
    return f"{settings().public_url.rstrip('/')}/v1/public/certificates/{number}/page"


def certificate_pdf(certificate: CertificateOut, shown: PublicCertificateOut, language: Language) -> bytes:
    """The PDF of a certificate as it stands now: one that does not hold says so across the page. ``shown``: in the same language. What people wrote,
    such as names and the specification, stands as they wrote it."""
    return printing.pdf(_TEMPLATE, _content(certificate, shown, language), check_address(certificate.number))


def _content(certificate: CertificateOut, shown: PublicCertificateOut, language: Language) -> dict[str, Any]:
    words = _WORDS[language]
    kg = certificate.annual_capacity_kg
    cells = {
        "product": certificate.product_name,
        "supplier": certificate.supplier_name,
        "uscc": shown.supplier_uscc,
        "producer": certificate.producer,
        "grade": certificate.grade,
        "specification": certificate.specification,
        "origin": _origin(shown, language),
        "capacity": words["capacity_kg"].format(kg=kg) if kg else None,
        # in bands, whoever prints it: the paper hangs on a wall, where everybody reads it
        "linked": words["people"].format(households=certificate.households_band, persons=certificate.persons_band),
        "valid": words["validity"].format(first=certificate.valid_from, last=certificate.valid_until),
        "batch": shown.batch_number,
    }
    printed = clock.shanghai_text(clock.now(), "minutes")
    return {
        "language": language,
        "title": words["title"],
        "subtitle": words["subtitle"],
        "number_label": words["number"],
        "number": certificate.number,
        "statement": words["statement"],
        "rows": [[words[name], cell or "—"] for name, cell in cells.items()],
        "authority": words["authority"].format(district=shown.district_name),
        "issued": words["issued"].format(day=clock.shanghai_date(certificate.issued_at)),
        "state": words["state"].format(at=printed, state=shown.state_label),
        "check": words["check"],
        "stamp": None if certificate.state in _GOOD else shown.state_label,
    }


def _origin(shown: PublicCertificateOut, language: Language) -> str:
    """From the city down in Chinese, from the village up in English."""
    city = "重庆市" if language == "zh" else "Chongqing"
    parts = [part for part in (city, shown.district_name, shown.township_name, shown.village) if part]
    return "".join(parts) if language == "zh" else ", ".join(reversed(parts))
