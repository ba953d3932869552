"""Online payments and charge disputes as spreadsheets."""

from collections.abc import Iterable
from decimal import Decimal

from fastapi.responses import Response

from orders.online.schemas import ChargeDisputeOut, OnlinePaymentOut
from shop.core import clock, exports
from shop.core.errors import Language
from shop.core.money import yuan_from_fen

_PAYMENTS: dict[Language, list[str]] = {
    "zh": ["编号", "订单", "方式", "状态", "金额（元）", "到账（元）", "入账编号", "原因", "发起日期", "结束日期"],
    "en": ["number", "order", "method", "status", "amount (yuan)", "received (yuan)", "payment", "reason", "begun on", "ended on"],
}
_DISPUTES: dict[Language, list[str]] = {
    "zh": ["编号", "订单", "在线支付", "金额（元）", "原因", "状态", "举证截止", "开始日期", "结束日期"],
    "en": ["number", "order", "online payment", "amount (yuan)", "reason", "status", "evidence by", "opened on", "ended on"],
}
_TITLES: dict[Language, tuple[str, str]] = {"zh": ("在线支付", "银行撤回"), "en": ("Online payments", "Charge disputes")}


def online_payments(kind: str, language: Language, rows: Iterable[OnlinePaymentOut]) -> Response:
    cells = (
        [
            row.id,
            row.purchase_order_number,
            row.method,
            row.status.value,
            _yuan(row.amount),
            _yuan(row.received),
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
            _yuan(row.amount),
            row.reason,
            row.status.value,
            clock.shanghai_date(row.evidence_by) if row.evidence_by else None,
            clock.shanghai_date(row.opened_at),
            clock.shanghai_date(row.ended_at) if row.ended_at else None,
        ]
        for row in rows
    )
    return exports.file(kind, "charge-disputes", _DISPUTES[language], cells, _TITLES[language][1])


def _yuan(fen: int) -> Decimal:
    return Decimal(yuan_from_fen(fen))
