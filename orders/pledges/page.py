"""The public check of a proof as a page for people: what its QR code opens. Nothing is loaded from elsewhere."""

from html import escape

from orders.pledges.schemas import PublicProofOut
from orders.pledges.states import ProofState
from shop.core.money import yuan_from_fen

_COLOURS = {ProofState.VALID: "#1a7f37", ProofState.CHANGED: "#9a6700"}
_BAD = "#b42318"

_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{number}</title>
<style>
body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 36rem; margin: 0 auto; padding: 1rem; color: #1f2328; }}
h1 {{ font-size: 1.15rem; margin: .5rem 0; }}
.state {{ background: {colour}; color: #fff; border-radius: .5rem; padding: .75rem 1rem; font-size: 1.4rem; font-weight: 600; }}
.note {{ border: 1px solid #b42318; color: #b42318; border-radius: .5rem; padding: .5rem 1rem; }}
dl {{ display: grid; grid-template-columns: 8.5rem 1fr; gap: .35rem .75rem; }} dt {{ color: #57606a; }} dd {{ margin: 0; overflow-wrap: anywhere; }}
small {{ color: #57606a; }}
</style></head><body>
<h1>消费帮扶购买证明查验 <small>Check of a proof of purchase</small></h1>
<p class="state">{zh} <small style="color: #fff">{en}</small></p>
<p class="note">{statement_zh}<br><small style="color: inherit">{statement_en}</small></p>
<dl>{rows}</dl>
<p><small>查询结果由重庆市消费帮扶交易平台提供 · Answered by the consumption assistance marketplace of Chongqing</small></p>
</body></html>
"""

#: What the page says of a number that nobody was given.
UNKNOWN = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>404</title></head><body style="font: 16px/1.6 system-ui, sans-serif; padding: 1rem">
<h1 style="color: #b42318">无此证明 · No such proof</h1>
<p>请核对证明编号。Please check the number.</p></body></html>
"""


def page(zh: PublicProofOut, en: PublicProofOut) -> str:
    """The page, from the same answer in both languages."""
    changed = zh.state is ProofState.CHANGED
    rows = [
        ("证明编号 No.", zh.number),
        ("采购单位 Buyer", f"{zh.organisation_name} ({zh.organisation_uscc})"),
        ("承诺 Pledge", f"{zh.pledge_number} {zh.title}"),
        ("方式 Kind", f"{zh.kind_label} · {en.kind_label}"),
        ("期限 Period", f"{zh.valid_from.isoformat()} – {zh.valid_until.isoformat()}"),
        ("出具日期 Issued", zh.issued_on.isoformat()),
        ("证明金额 Amount", f"¥{yuan_from_fen(zh.amount)}"),
        ("现金额 Now", f"¥{yuan_from_fen(zh.amount_now)}" if changed else None),
        ("已退回或移出 Taken back", f"¥{yuan_from_fen(zh.taken_back)}" if zh.taken_back else None),
        *(
            (f"{each.name} {same.name}", f"¥{yuan_from_fen(each.amount)}")
            for each, same in zip(zh.districts, en.districts, strict=True)
        ),
        ("新证明 Replaced by", zh.superseded_by),
        ("SHA-256", zh.sha256),
    ]
    return _PAGE.format(
        number=escape(zh.number),
        colour=_COLOURS.get(zh.state, _BAD),
        zh=escape(zh.state_label),
        en=escape(en.state_label),
        statement_zh=escape(zh.statement),
        statement_en=escape(en.statement),
        rows="".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows if value),
    )
