"""Refunds as a spreadsheet."""

from collections.abc import Iterable

from fastapi.responses import Response

from orders.money.labels import label
from orders.refunds.schemas import RefundOut
from shop.core import clock, exports
from shop.core.money import yuan

_HEADER = {
    "zh": ["编号", "采购订单", "采购单位", "方式", "金额（元）", "事由", "状态", "申请人", "申请日期", "批准人", "批准日期", "结束日期", "收款人", "收款账号", "银行参考号"],
    "en": ["Number", "Order", "Buyer", "Way", "Amount (yuan)", "Reason", "Status", "Asked by", "Asked on", "Released by", "Released on", "Ended on", "Payee", "Account", "Reference"],
}  # fmt: skip
_TITLE = {"zh": "退款", "en": "Refunds"}


def refunds(kind: str, language: str, rows: Iterable[RefundOut]) -> Response:
    cells = (
        [
            row.number,
            row.purchase_order_number,
            row.buyer_name,
            label("refund_method", row.method, language),
            yuan(row.amount),
            row.reason,
            label("refund_status", row.status, language),
            row.requested_by_name,
            clock.shanghai_date(row.requested_at),
            row.approved_by_name,
            *(clock.shanghai_date(at) if at else None for at in (row.approved_at, row.ended_at)),
            row.payee_name,
            row.payee_account,
            row.reference,
        ]
        for row in rows
    )
    return exports.file(kind, "refunds", _HEADER[language], cells, _TITLE[language])
