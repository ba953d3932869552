"""The lines of a revision's difference table to be exported."""

from collections.abc import Iterator
from decimal import Decimal

from orders.bulletins.schemas.bulletins import ChangesOut
from shop.core.errors import Language
from shop.core.exports import Cell
from shop.core.money import yuan

TITLE: dict[Language, str] = {"zh": "修订明细", "en": "Changes"}
HEADER: dict[Language, list[str]] = {
    "zh": [
        "原因",
        "分录",
        "冲销的分录",
        "计入日期",
        "销售日期",
        "区划代码",
        "区县",
        "渠道",
        "来源",
        "类别",
        "产品",
        "金额（元）",
        "净重（公斤）",
        "其中认定产品（元）",
        "凭证",
    ],
    "en": [
        "cause",
        "entry",
        "takes back entry",
        "counted on",
        "sold on",
        "district code",
        "district",
        "channel",
        "source",
        "category",
        "product",
        "amount (yuan)",
        "net weight (kg)",
        "certified (yuan)",
        "documents",
    ],
}


#: What stands for the lines of a district of which somebody sees totals only.
_ELSEWHERE: dict[Language, str] = {"zh": "（非本辖区，{lines} 笔合计）", "en": "(another district: {lines} lines in all)"}


def cells(found: ChangesOut, language: Language) -> Iterator[list[Cell]]:
    """One row of cells for each line, in the order of the header; then the sums of other districts."""
    for row in found.items:
        yield [
            row.cause_label,
            row.entry_id,
            row.reverses_id,
            row.sold_on,
            row.occurred_on,
            row.district,
            row.district_name,
            row.channel_label,
            row.source_label,
            row.category_label,
            row.product,
            yuan(row.amount),
            Decimal(row.grams).scaleb(-3),
            yuan(row.certified),
            " ".join(row.documents),
        ]
    for each in found.elsewhere:
        yield [
            each.cause_label,
            *[None] * 4,
            each.district,
            each.district_name,
            *[None] * 3,
            _ELSEWHERE[language].format(lines=each.lines),
            yuan(each.amount),
            Decimal(each.grams).scaleb(-3),
            yuan(each.certified),
            None,
        ]
