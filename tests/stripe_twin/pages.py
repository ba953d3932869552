"""The two pages that people see: the bank's or wallet's question, and the form of a connected account."""

from html import escape

from tests.stripe_twin.money import written
from tests.stripe_twin.world import Object, World

_STYLE = """
body{font:16px/1.6 system-ui,"Noto Sans SC",sans-serif;background:#f4f5f7;color:#1a1f36;display:grid;place-items:center;min-height:100vh;margin:0}
main{background:#fff;border-radius:12px;box-shadow:0 2px 12px #0002;padding:32px;width:min(400px,86vw)}
h1{font-size:18px;margin:0}p{margin:8px 0;color:#4f566b}.sum{font-size:34px;font-weight:600;margin:16px 0 4px}
form{display:flex;gap:12px;margin-top:24px}button{flex:1;font:inherit;padding:12px;border-radius:8px;border:1px solid #d5dbe1;background:#fff;cursor:pointer}
button.yes{background:#1677ff;border-color:#1677ff;color:#fff}small{color:#8792a2}
"""
_WAYS = {"card": "银行卡验证 · 3-D Secure", "alipay": "支付宝 · Alipay", "wechat_pay": "微信支付 · WeChat Pay"}
_STATES = {
    "succeeded": "已支付 · Paid",
    "requires_capture": "已授权 · Authorised",
    "processing": "处理中 · Processing",
    "canceled": "已取消 · Canceled",
    "requires_payment_method": "未支付 · Not paid",
    "requires_confirmation": "待确认 · To be confirmed",
}


def _page(title: str, inner: str) -> str:
    return (
        f'<!doctype html><html lang="zh"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style><main>{inner}"
        "<p><small>测试环境，不产生真实资金 · Test environment, no real money moves</small></p></main></html>"
    )


def pay(world: World, intent: Object) -> str:
    method = world.find("payment_method", intent["payment_method"] or "")
    title = _WAYS[method["type"]] if method else "支付 · Payment"
    about = f"<h1>{title}</h1><p class=sum>{escape(written(intent['amount'], intent['currency']))}</p>"
    about += f"<p>{escape(intent['description'] or intent['id'])}</p>"
    if intent["status"] != "requires_action":
        return _page(title, f"{about}<p><b>{_STATES.get(intent['status'], intent['status'])}</b></p>")
    return _page(
        title,
        f"{about}<form method=post><button class=yes name=outcome value=approve>同意支付<br>Approve</button>"
        "<button name=outcome value=decline>拒绝<br>Decline</button></form>",
    )


def onboard(account: Object) -> str:
    title = "收款账户 · Payout account"
    owed = "".join(f"<li>{escape(each)}</li>" for each in account["requirements"]["currently_due"])
    about = f"<h1>{title}</h1><p>{escape((account.get('company') or {}).get('name') or account['id'])}</p>"
    if not owed:
        return _page(title, f"{about}<p><b>资料齐全 · Complete</b></p>")
    return _page(
        title,
        f"{about}<p>尚缺 · Still missing</p><ul>{owed}</ul><form method=post><button class=yes>补齐全部<br>Fill in all</button></form>",
    )
