"""Dues as a spreadsheet."""

from collections.abc import Iterable

from fastapi.responses import Response

from orders.terms.rules import Bucket
from orders.terms.schemas import DUE_STATUS, DueRow
from shop.core import exports
from shop.core.errors import Language
from shop.core.money import yuan

_HEADER = {
    "zh": ["订单", "采购单位", "供应单位", "到期日", "金额（元）", "已到账（元）", "已登记未到账（元）", "未付（元）", "状态", "逾期天数", "账龄"],
    "en": ["Order", "Buyer", "Supplier", "Due on", "Amount (yuan)", "Arrived (yuan)", "Announced (yuan)", "Open (yuan)", "Status", "Days overdue", "Age"],
}  # fmt: skip
_TITLE = {"zh": "应付款项", "en": "Dues"}
_AGES = {
    "zh": {Bucket.TO_30: "1–30天", Bucket.TO_60: "31–60天", Bucket.TO_90: "61–90天", Bucket.OVER_90: "90天以上"},
    "en": {Bucket.TO_30: "1–30 days", Bucket.TO_60: "31–60 days", Bucket.TO_90: "61–90 days", Bucket.OVER_90: "over 90 days"},
}


def dues(kind: str, language: Language, rows: Iterable[DueRow]) -> Response:
    """With the totals in the last row."""
    return exports.file(kind, "dues", _HEADER[language], _cells(rows, language), _TITLE[language])


def _cells(found: Iterable[DueRow], language: Language) -> Iterable[list[exports.Cell]]:
    totals = [0, 0, 0, 0]
    ages, words = _AGES[language], 0 if language == "zh" else 1
    for due in found:
        amounts = (due.amount, due.paid, due.announced, due.open)
        totals = [total + fen for total, fen in zip(totals, amounts, strict=True)]
        head: list[exports.Cell] = [due.number, due.buyer_name, due.supplier_name, due.due_on]
        yield [
            *head,
            *map(yuan, amounts),
            DUE_STATUS[due.status][words],
            due.overdue_days,
            ages[due.bucket] if due.bucket else None,
        ]
    yield [exports.TOTAL[language], None, None, None, *map(yuan, totals), None, None, None]
