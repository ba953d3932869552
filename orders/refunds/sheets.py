"""Refunds as a spreadsheet."""

from collections.abc import Iterable
from decimal import Decimal

from fastapi.responses import Response

from orders.refunds.schemas import RefundMethod, RefundOut
from orders.refunds.states import RefundStatus
from shop.core import clock, exports

_HEADER = {
    "zh": ["编号", "采购订单", "采购单位", "方式", "金额（元）", "事由", "状态", "申请人", "申请日期", "批准人", "批准日期", "结束日期", "收款人", "收款账号", "银行参考号"],
    "en": ["Number", "Order", "Buyer", "Way", "Amount (yuan)", "Reason", "Status", "Asked by", "Asked on", "Released by", "Released on", "Ended on", "Payee", "Account", "Reference"],
}  # fmt: skip
_TITLE = {"zh": "退款", "en": "Refunds"}
_METHODS: dict[RefundMethod, str] = {"bank_transfer": "银行转账", "online": "原路退回"}
_STATUS = {
    RefundStatus.REQUESTED: "待审批",
    RefundStatus.APPROVED: "已批准",
    RefundStatus.SENT: "已发出",
    RefundStatus.PAID: "已付出",
    RefundStatus.REFUSED: "已拒绝",
    RefundStatus.CANCELLED: "已撤回",
    RefundStatus.FAILED: "已退回",
}


def refunds(kind: str, language: str, rows: Iterable[RefundOut]) -> Response:
    zh = language == "zh"
    cells = (
        [
            row.number,
            row.purchase_order_number,
            row.buyer_name,
            _METHODS[row.method] if zh else row.method,
            Decimal(row.amount) / 100,
            row.reason,
            _STATUS[row.status] if zh else row.status.value,
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
