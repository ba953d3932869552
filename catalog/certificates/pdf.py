"""A certificate as PDF, with a QR code that leads to its public check."""

from pathlib import Path
from typing import Any

from catalog.certificates.schemas import CertificateOut, PublicCertificateOut
from catalog.certificates.states import CertificateState
from shop.core import clock, printing
from shop.core.settings import settings

_TEMPLATE = Path(__file__).with_name("certificate.typ")
#: States in which the certificate is as good as its paper.
_GOOD = frozenset({CertificateState.IN_FORCE, CertificateState.NOT_YET})


def check_address(number: str) -> str:
    """Where everybody can check a certificate."""
    return f"{settings().public_url.rstrip('/')}/v1/public/certificates/{number}/page"


def certificate_pdf(certificate: CertificateOut, shown: PublicCertificateOut) -> bytes:
    """The PDF of a certificate as it stands now: one that does not hold says so across the page. ``shown``: in Chinese."""
    return printing.pdf(_TEMPLATE, _content(certificate, shown), check_address(certificate.number))


def _content(certificate: CertificateOut, shown: PublicCertificateOut) -> dict[str, Any]:
    capacity = f"{certificate.annual_capacity_kg:,} 公斤/年" if certificate.annual_capacity_kg else "—"
    origin = "".join(part for part in ("重庆市", shown.district_name, shown.township_name, shown.village) if part)
    printed = clock.shanghai_text(clock.now(), "minutes")
    return {
        "title": "消费帮扶产品认定证书",
        "subtitle": "Certificate of a Consumption Assistance Product",
        "number_label": "证书编号 No.",
        "number": certificate.number,
        "statement": "　　经审核并公示，下列产品符合重庆市消费帮扶产品认定条件，特发此证。",
        "rows": [
            ["产品名称 Product", certificate.product_name],
            ["供应单位 Supplier", certificate.supplier_name],
            ["统一社会信用代码 USCC", shown.supplier_uscc],
            ["生产者 Producer", certificate.producer or "—"],
            ["等级 Grade", certificate.grade or "—"],
            ["规格标准 Specification", certificate.specification or "—"],
            ["产地 Origin", origin],
            ["认定产能 Capacity", capacity],
            ["联农带农 Linked", _people(certificate)],
            ["有效期 Valid", f"{certificate.valid_from:%Y-%m-%d} 至 {certificate.valid_until:%Y-%m-%d}"],
            ["目录批次 Batch", shown.batch_number or "—"],
        ],
        "authority": f"{shown.district_name}认定　重庆市复核",
        "issued": f"发证日期 {clock.shanghai_date(certificate.issued_at):%Y-%m-%d}",
        "state": f"{printed} 的状态：{shown.state_label}。当前状态以扫码查询为准。",
        "check": "扫码查验 Check",
        "stamp": None if certificate.state in _GOOD else shown.state_label,
    }


def _people(certificate: CertificateOut) -> str:
    """In bands, whoever prints it: the paper hangs on a wall, where everybody reads it."""
    return f"{certificate.households_band} 户 {certificate.persons_band} 人"
