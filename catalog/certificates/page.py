"""The public check as a page for people: what the QR code on a certificate opens. Nothing is loaded from elsewhere."""

from html import escape

from catalog.certificates.schemas import PublicCertificateOut
from catalog.certificates.states import CertificateState

_COLOURS = {CertificateState.IN_FORCE: "#1a7f37", CertificateState.NOT_YET: "#57606a"}
_BAD = "#b42318"

_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{number}</title>
<style>
body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 36rem; margin: 0 auto; padding: 1rem; color: #1f2328; }}
h1 {{ font-size: 1.15rem; margin: .5rem 0; }}
.state {{ background: {colour}; color: #fff; border-radius: .5rem; padding: .75rem 1rem; font-size: 1.4rem; font-weight: 600; }}
dl {{ display: grid; grid-template-columns: 7.5rem 1fr; gap: .35rem .75rem; }} dt {{ color: #57606a; }} dd {{ margin: 0; overflow-wrap: anywhere; }}
ol {{ padding-left: 1.2rem; }} small {{ color: #57606a; }}
</style></head><body>
<h1>消费帮扶产品证书查验 <small>Certificate check</small></h1>
<p class="state">{zh} <small style="color: #fff">{en}</small></p>
<dl>{rows}</dl>
<h1>历史 <small>History</small></h1>
<ol>{history}</ol>
<p><small>查询结果由重庆市消费帮扶交易平台提供 · Answered by the consumption assistance marketplace of Chongqing</small></p>
</body></html>
"""


#: What the page says of a number that nobody was given.
UNKNOWN = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>404</title></head><body style="font: 16px/1.6 system-ui, sans-serif; padding: 1rem">
<h1 style="color: #b42318">无此证书 · No such certificate</h1>
<p>请核对证书编号。Please check the number.</p></body></html>
"""


def page(zh: PublicCertificateOut, en: PublicCertificateOut) -> str:
    """The page, from the same answer in both languages."""
    origin = "".join(part for part in (zh.district_name, zh.township_name, zh.village) if part)
    rows = [
        ("证书编号 No.", zh.number),
        ("产品 Product", zh.product_name),
        ("供应单位 Supplier", f"{zh.supplier_name} ({zh.supplier_uscc})"),
        ("生产者 Producer", zh.producer),
        ("等级 Grade", zh.grade),
        ("规格 Specification", zh.specification),
        ("产地 Origin", f"{origin} · {en.district_name}"),
        ("有效期 Valid", f"{zh.valid_from.isoformat()} – {zh.valid_until.isoformat()}"),
        ("目录批次 Batch", zh.batch_number),
    ]
    history = [
        f"<li>{event.on.isoformat()} {escape(event.label)} <small>{escape(same.label)}</small>"
        + (f"：{escape(event.reason)}" if event.reason else "")
        + "</li>"
        for event, same in zip(zh.history, en.history, strict=True)
    ]
    return _PAGE.format(
        number=escape(zh.number),
        colour=_COLOURS.get(zh.state, _BAD),
        zh=escape(zh.state_label),
        en=escape(en.state_label),
        rows="".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows if value),
        history="".join(history),
    )
