"""Online payments and charge disputes as spreadsheets."""

from collections.abc import Iterable

from fastapi.responses import Response

from orders.money.labels import label
from orders.online.schemas import ChargeDisputeOut, OnlinePaymentOut, ProviderEntryOut
from shop.core import clock, exports
from shop.core.errors import Language
from shop.core.money import yuan

_PAYMENTS: dict[Language, list[str]] = {
    "zh": ["编号", "订单", "方式", "状态", "金额（元）", "到账（元）", "入账编号", "原因", "发起日期", "结束日期"],
    "en": ["number", "order", "method", "status", "amount (yuan)", "received (yuan)", "payment", "reason", "begun on", "ended on"],
}
_DISPUTES: dict[Language, list[str]] = {
    "zh": ["编号", "订单", "在线支付", "金额（元）", "原因", "状态", "举证截止", "开始日期", "结束日期"],
    "en": ["number", "order", "online payment", "amount (yuan)", "reason", "status", "evidence by", "opened on", "ended on"],
}
_ENTRIES: dict[Language, list[str]] = {
    "zh": ["流水号", "类型", "日期", "金额（元）", "手续费（元）", "净额（元）", "来源", "订单", "核对"],
    "en": ["line", "type", "date", "amount (yuan)", "fee (yuan)", "net (yuan)", "source", "order", "matched"],
}
_TITLES: dict[Language, tuple[str, str, str]] = {
    "zh": ("在线支付", "银行撤回", "服务商账单"),
    "en": ("Online payments", "Charge disputes", "Provider's statement"),
}


def online_payments(kind: str, language: Language, rows: Iterable[OnlinePaymentOut]) -> Response:
    cells = (
        [
            row.id,
            row.purchase_order_number,
            label("online_method", row.method, language),
            label("online_status", row.status, language),
            yuan(row.amount),
            yuan(row.received),
            row.payment_id,
            row.error_code,
            clock.shanghai_date(row.created_at),
            clock.shanghai_date(row.ended_at) if row.ended_at else None,
        ]
        for row in rows
    )
    return exports.file(kind, "online-payments", _PAYMENTS[language], cells, _TITLES[language][0])


def charge_disputes(kind: str, language: Language, rows: Iterable[ChargeDisputeOut]) -> Response:
    cells = (
        [
            row.id,
            row.purchase_order_number,
            row.online_payment_id,
            yuan(row.amount),
            label("charge_dispute_reason", row.reason, language),
            label("charge_dispute_status", row.status, language),
            clock.shanghai_date(row.evidence_by) if row.evidence_by else None,
            clock.shanghai_date(row.opened_at),
            clock.shanghai_date(row.ended_at) if row.ended_at else None,
        ]
        for row in rows
    )
    return exports.file(kind, "charge-disputes", _DISPUTES[language], cells, _TITLES[language][1])


def provider_entries(kind: str, language: Language, rows: Iterable[ProviderEntryOut]) -> Response:
    cells = (
        [
            row.entry_id,
            label("provider_entry", row.type, language),
            clock.shanghai_date(row.created_at),
            yuan(row.amount),
            yuan(row.fee),
            yuan(row.net),
            row.source_id,
            row.purchase_order_number,
            label("entry_state", row.state, language),
        ]
        for row in rows
    )
    return exports.file(kind, "provider-entries", _ENTRIES[language], cells, _TITLES[language][2])
