"""The public check of a certificate as a page for people."""

from html import escape

from catalog.certificates.schemas import PublicCertificateOut
from catalog.certificates.states import CertificateState
from shop.core import check_page

_COLOURS = {CertificateState.IN_FORCE: check_page.GOOD, CertificateState.NOT_YET: check_page.WAITING}

UNKNOWN = check_page.unknown("证书", "certificate")


def page(zh: PublicCertificateOut, en: PublicCertificateOut) -> str:
    """The page, from the same answer in both languages."""
    origin = "".join(part for part in (zh.district_name, zh.township_name, zh.village) if part)
    origin_en = ", ".join(part for part in (en.township_name, en.district_name) if part)
    rows = [
        ("证书编号 No.", zh.number),
        ("产品 Product", zh.product_name),
        ("供应单位 Supplier", f"{zh.supplier_name} ({zh.supplier_uscc})"),
        ("生产者 Producer", zh.producer),
        ("等级 Grade", zh.grade),
        ("规格 Specification", zh.specification),
        ("产地 Origin", f"{origin} · {origin_en}"),
        ("有效期 Valid", f"{zh.valid_from.isoformat()} – {zh.valid_until.isoformat()}"),
        ("目录批次 Batch", zh.batch_number),
    ]
    history = [
        f"<li>{event.on.isoformat()} {escape(event.label)} <small>{escape(same.label)}</small>"
        + (f"：{escape(event.reason)} <small>{escape(same.reason)}</small>" if event.reason and same.reason else "")
        + "</li>"
        for event, same in zip(zh.history, en.history, strict=True)
    ]
    return check_page.found(
        title="消费帮扶产品证书查验 <small>Certificate check</small>",
        number=zh.number,
        colour=_COLOURS.get(zh.state, check_page.BAD),
        state=(zh.state_label, en.state_label),
        rows=rows,
        more=f"<h1>历史 <small>History</small></h1>\n<ol>{''.join(history)}</ol>\n",
    )
