"""The published list of a batch as a table to be exported, with the columns of the national list (domain: S8) and the state today."""

from collections.abc import Iterable, Iterator

from catalog.batches.schemas import ListedOut
from shop.core.errors import Language
from shop.core.exports import Cell

HEADER: dict[Language, list[str]] = {
    "zh": [
        "证书编号",
        "产品名称",
        "供应单位",
        "统一社会信用代码",
        "区县代码",
        "区县",
        "乡镇",
        "品类",
        "年产能（公斤）",
        "带动户数",
        "带动户数（区间）",
        "带动人数",
        "带动人数（区间）",
        "有效期起",
        "有效期止",
        "当前状态",
    ],
    "en": [
        "certificate",
        "product",
        "supplier",
        "USCC",
        "district code",
        "district",
        "township",
        "category",
        "yearly capacity (kg)",
        "households",
        "households (band)",
        "persons",
        "persons (band)",
        "valid from",
        "valid until",
        "state now",
    ],
}


def cells(listed: Iterable[ListedOut]) -> Iterator[list[Cell]]:
    """One row of cells for each certificate, in the order of the header."""
    for each in listed:
        yield [
            each.number,
            each.product_name,
            each.supplier_name,
            each.supplier_uscc,
            each.district_code,
            each.district_name,
            each.township_name,
            each.category_label,
            each.annual_capacity_kg,
            each.households,
            each.households_band,
            each.persons,
            each.persons_band,
            each.valid_from,
            each.valid_until,
            each.state_label,
        ]
