"""The sales of a certificate as a spreadsheet: text stays text, nothing in it is taken for a formula."""

import csv
import io
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from orders.statistics.showing import safe
from shop.core.errors import Language
from shop.core.money import yuan_from_fen
from shop.core.quantities import plain

#: Rows that a worksheet holds below its header.
MAX_ROWS = 1_048_575

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"

_HEADER: dict[Language, list[str]] = {
    "zh": [
        "日期",
        "采购单位",
        "采购方区县代码",
        "采购方区县",
        "订单号",
        "采购协议",
        "规格编码",
        "包装",
        "单位",
        "数量",
        "重量（克）",
        "金额（元）",
        "冲销",
    ],
    "en": [
        "date",
        "buyer",
        "buyer's district code",
        "buyer's district",
        "order",
        "agreement",
        "SKU",
        "pack",
        "unit",
        "quantity",
        "grams",
        "amount (yuan)",
        "correction",
    ],
}


def _texts(row: Any, language: Language) -> tuple[list[str], list[str], str]:
    """The cells before the three figures, the figures, and the cell after them."""
    before = [
        row.sold_on.isoformat(),
        row.buyer_name,
        row.district_code,
        row.district_name,
        row.purchase_order_number or "",
        row.agreement or "",
        row.sku_code,
        row.pack,
        row.unit,
    ]
    yes = "是" if language == "zh" else "yes"
    return before, [plain(row.quantity), str(row.grams), yuan_from_fen(row.amount)], yes if row.is_correction else ""


def as_csv(rows: Iterable[Any], language: Language) -> bytes:
    """UTF-8 with a byte order mark, as Excel wants it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_HEADER[language])
    for row in rows:
        before, figures, after = _texts(row, language)
        writer.writerow([*map(safe, before), *figures, after])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def as_xlsx(rows: Iterable[Any], language: Language) -> bytes:
    """One worksheet, written row by row, so that a long list does not stand in memory as cells."""
    import xlsxwriter  # not in memory before somebody asks for it

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("销售明细" if language == "zh" else "Sales")
        for column, name in enumerate(_HEADER[language]):
            sheet.write_string(0, column, name)
        for number, row in enumerate(rows, start=1):
            before, figures, after = _texts(row, language)
            for column, cell in enumerate(before):
                sheet.write_string(number, column, cell)
            for column, figure in enumerate(figures, start=len(before)):
                sheet.write_number(number, column, Decimal(figure))
            sheet.write_string(number, len(before) + len(figures), after)
    return buffer.getvalue()
