"""The lines of a revision's difference table to be exported."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from orders.bulletins.schemas.bulletins import ChangeOut
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
        "made on",
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


def cells(rows: Iterable[ChangeOut]) -> Iterator[list[Cell]]:
    """One row of cells for each line, in the order of the header."""
    for row in rows:
        yield [
            row.cause_label,
            row.entry_id,
            row.reverses_id,
            row.sold_on,
            row.occurred_on,
            row.district,
            row.district_name,
            row.channel,
            row.source,
            row.category,
            row.product,
            yuan(row.amount),
            Decimal(row.grams).scaleb(-3),
            yuan(row.certified),
            " ".join(row.documents),
        ]
