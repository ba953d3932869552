"""An agreement as PDF, with the hash of its terms, so that a print can be compared with the record."""

from pathlib import Path

from orders.agreements.schemas.terms import AgreementLineOut, AgreementOut, PartyOut, PriceOut
from orders.agreements.states import AgreementState
from orders.terms import rules as payment
from shop.core import clock, printing
from shop.core.money import yuan_from_fen
from shop.core.quantities import plain

_TEMPLATE = Path(__file__).with_name("agreement.typ")
_FUNDS = {"canteen": "食堂经费", "union": "工会经费", "welfare": "福利费", "other": "其他"}
_STAMPS = {
    AgreementState.DRAFT: "草稿",
    AgreementState.PROPOSED: "待签署",
    AgreementState.DECLINED: "未接受",
    AgreementState.WITHDRAWN: "已撤回",
    AgreementState.TERMINATED: "已终止",
    AgreementState.EXPIRED: "已到期",
}


def agreement_pdf(it: AgreementOut) -> bytes:
    """The PDF in Chinese; one that does not hold says so across the page."""
    digest = it.terms_hash or "—"
    places = {place.id: place for place in it.places}
    shown = {
        "title": it.title,
        "number": it.number,
        "digest": digest,
        "stamp": _STAMPS.get(it.state),
        "rows": [
            ["采购单位", it.buyer_name],
            ["供应单位", it.supplier_name],
            ["有效期", f"{it.valid_from} 至 {it.terminated_on or it.valid_until}（含首尾两日）"],
            ["资金来源", _FUNDS[it.fund_source]],
            ["金额上限", _yuan(it.amount_cap)],
            ["允差", f"{plain(it.tolerance_percent)}%"],
            ["最低采购额", _yuan(it.minimum_amount)],
            ["付款方式", payment.words(it.payment_terms) if it.payment_terms else "按订单约定"],
            ["下单提前", f"{it.call_off_lead_days} 天{'，自动提交' if it.auto_order else ''}"],
        ],
        "head": ["行", "产品（规格）", "规格编码", "价格", "数量上限", "金额上限"],
        "lines": [_line(line) for line in it.lines],
        "plan_head": ["行", "送达", "地址", "星期", "数量", "起止"],
        "schedule": [
            [
                str(entry.line_no),
                places[entry.delivery_place_id].name,
                places[entry.delivery_place_id].address,
                _weekdays(entry.weekdays, entry.every_weeks),
                plain(entry.quantity),
                f"{entry.starts_on} 至 {entry.ends_on}",
            ]
            for entry in it.schedule
        ],
        "terms": it.terms,
        "signatures": [_signature("采购单位", it.buyer), _signature("供应单位", it.supplier)],
    }
    return printing.pdf(_TEMPLATE, shown, f"{it.number} sha256:{digest}")


def _yuan(fen: int | None) -> str:
    return "不设" if fen is None else f"{yuan_from_fen(fen)} 元"


def _line(line: AgreementLineOut) -> list[str]:
    cap = "不设" if line.quantity_cap is None else plain(line.quantity_cap)
    return [
        str(line.line_no),
        f"{line.product_name}（{line.pack}）",
        line.sku_code,
        _price(line.price),
        cap,
        _yuan(line.amount_cap),
    ]


def _price(price: PriceOut) -> str:
    if price.kind == "fixed" and price.unit_price is not None:
        return f"{yuan_from_fen(price.unit_price)} 元"
    if price.kind == "list_minus" and price.percent_off is not None:
        return f"下单时目录价下浮 {plain(price.percent_off)}%"
    return "；".join(f"{tier['min_quantity']} 起 {tier['unit_price']} 元" for tier in price.tiers or [])


def _weekdays(weekdays: list[int], every_weeks: int) -> str:
    days = "、".join("一二三四五六日"[day - 1] for day in weekdays)
    return f"周{days}" if every_weeks == 1 else f"每 {every_weeks} 周的周{days}"


def _signature(role: str, party: PartyOut) -> list[str]:
    if party.signed_at is None:
        return [role, "未签署"]
    signed_at = clock.shanghai_text(party.signed_at, "minutes")
    return [role, f"{party.name}　{party.signed_by_name}　{signed_at} 电子签署"]
