"""The template that is filled in, and a list with what became of its rows."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from catalog.products.rules import unit_label
from orders.importing.cells import GRAMS, quantity_of, unit_of_header
from orders.importing.matching import is_sold_by
from orders.importing.rules import Column, RowKind, RowState
from orders.importing.schemas import ListRowOut
from shop.core.errors import Language
from shop.core.exports import TEXT, Cell
from shop.core.money import yuan, yuan_from_fen
from shop.core.quantities import MAX_QUANTITY, plain
from shop.core.sheet_reader import UNSHOWN
from shop.core.sheets import number

#: The columns of the template; a list needs the quantity, and a code or a name.
TEMPLATE = ["产品编码", "产品名称", "产地区县", "规格", "数量", "单位", "备注"]
_NOTES = [
    "产品编码与产品名称填写其一即可；编码与所填名称、产地或规格不符的，不会自动下单，须由您选择产品。",
    "产品名称须与平台目录一致；不同区县有同名产品的，请填写产地区县。",
    "同一产品有多个规格的，请填写规格，如 5kg/箱。",
    "数量须为正数，最多三位小数，按平台的销售单位计。",
    "每个文件最多 10,000 行；表头上方可保留标题，小计、合计、空行和签字行会自动略过。",
    "Fill in either the code or the name; add district and pack where several products have the name. A code that goes with another name, district or pack is left to you to decide. Quantities count in the unit of sale.",
]

STATES: dict[RowState, tuple[str, str]] = {
    RowState.WAITING: ("待核对", "waiting"),
    RowState.MATCHED: ("可下单", "can be ordered"),
    RowState.WARNING: ("可下单，请留意", "can be ordered; look at it"),
    RowState.AMBIGUOUS: ("请选择产品", "choose a product"),
    RowState.FAULTY: ("不能下单", "cannot be ordered"),
    RowState.SKIPPED: ("已略过", "left out"),
    RowState.NOT_A_LINE: ("非产品行", "no line"),
}
#: None of them is a header that lists have, so that a result can be corrected and uploaded again.
_ADDED: dict[Language, list[str]] = {
    "zh": [
        "核对结果",
        "原因",
        "平台规格编码",
        "平台产品",
        "平台规格",
        "平台单价（元）",
        "平台金额（元）",
        "平台重量（克）",
        "可选产品",
        "可替代产品",
    ],
    "en": [
        "result",
        "reason",
        "matched SKU",
        "matched product",
        "matched pack",
        "price today (yuan)",
        "amount (yuan)",
        "grams",
        "choices",
        "substitutes",
    ],
}
TITLE: dict[Language, str] = {"zh": "采购清单", "en": "Order list"}
_ROW_NO: dict[Language, str] = {"zh": "行号", "en": "row"}


def template_workbook() -> bytes:
    """The template as a workbook, with a second sheet that says how it is filled in."""
    import xlsxwriter  # not in memory before somebody asks for it

    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        bold = book.add_format({"bold": True})
        lines, notes = book.add_worksheet(TITLE["zh"]), book.add_worksheet("填写说明")
        lines.freeze_panes(1, 0)
        lines.set_column(0, len(TEMPLATE) - 1, 16)
        lines.set_column(0, 0, 16, book.add_format({"num_format": TEXT}))  # codes are kept as they are typed
        lines.write_row(0, 0, TEMPLATE, bold)
        notes.set_column(0, 0, 100)
        notes.write_column(0, 0, _NOTES)
    return content.getvalue()


def header(headers: Sequence[str], rows: Sequence[ListRowOut], language: Language) -> list[str]:
    """The row's number, the list's own header as wide as its widest row, and what was found."""
    width = max([len(headers), *(len(row.cells) for row in rows)])
    return [_ROW_NO[language], *_filled(headers, width), *_ADDED[language]]


def cells(
    headers: Sequence[str], places: Mapping[Column, int], rows: Sequence[ListRowOut], language: Language
) -> Iterator[list[Cell]]:
    """One row of cells for each row of the list, in the order of the header. ``places``: where the columns stand that are read, from 0."""
    width = max([len(headers), *(len(row.cells) for row in rows)])
    for row in rows:
        sku = row.sku
        yield [
            row.row_no,
            *_own(row, _filled(row.cells, width), headers, places, language),
            STATES[row.state][language == "en"],
            _sentence([*row.faults, *row.warnings], language),
            sku.sku_code if sku else None,
            sku.product_name if sku else None,
            sku.pack if sku else None,
            yuan(sku.unit_price if sku else None),
            yuan(sku.amount if sku else None),
            sku.grams if sku else None,
            _listed(f"{each.sku_code} {each.product_name} {each.pack} {each.district_name}" for each in row.candidates),
            _listed(
                f"{each.sku_code} {each.product_name} {each.pack} {each.district_name} ¥{yuan_from_fen(each.unit_price)}"
                for each in row.substitutes
            ),
        ]


def _filled(given: Sequence[str], width: int) -> list[str]:
    return [*given, *([""] * (width - len(given)))]


def _own(
    row: ListRowOut, written: Sequence[str], headers: Sequence[str], places: Mapping[Column, int], language: Language
) -> list[Cell]:
    """The row's own cells: figures as such, what was chosen instead of what stood there, and nothing where a formula showed nothing."""
    shown: list[Cell] = ["" if cell == UNSHOWN else cell for cell in written]
    if row.kind is not RowKind.LINE:
        return shown
    for at in (places[column] for column in (Column.QUANTITY, Column.PRICE) if column in places and places[column] < len(shown)):
        shown[at] = _figure(written[at])
    at, unit_at = places.get(Column.QUANTITY, len(shown)), places.get(Column.UNIT, len(shown))
    if at >= len(shown) or row.quantity is None or row.sku is None or not row.chosen:
        return shown
    unit = written[unit_at] if unit_at < len(shown) else ""
    unit_of_all = unit_of_header(headers[at]) if at < len(headers) else ""
    if quantity_of(written[at], unit or unit_of_all)[:2] == (row.quantity, row.unit):
        return shown
    chosen, sold_by = Decimal(plain(row.quantity)), unit_label(row.sku.unit, language)
    if unit_at < len(shown):
        shown[at], shown[unit_at] = chosen, sold_by
    elif is_sold_by(unit_of_all, row.sku.unit, row.sku.pack):
        shown[at] = chosen
    elif unit_of_all in GRAMS and row.sku.grams is not None:
        shown[at] = row.sku.grams / GRAMS[unit_of_all]
    else:
        shown[at] = f"{plain(row.quantity)}{sold_by}"
    return shown


def _figure(cell: str) -> Cell:
    """A cell as a number, if it holds one that anybody could mean."""
    try:
        found = number(cell)
    except ValueError:
        return cell
    return found if abs(found) <= MAX_QUANTITY else cell


#: What figures beside a reason are, in Chinese.
_DATA_ZH = {
    "listed": "表中单价",
    "unit_price": "现价",
    "step": "递增量",
    "min_quantity": "起订量",
    "available": "可供数量",
    "unit": "表中单位",
    "sold_by": "销售单位",
    "written": "表中",
    "quantity": "换算为",
    "pack": "规格",
}


def _sentence(faults: Iterable[object], language: Language) -> str:
    told = []
    for fault in faults:
        column, message, data = (getattr(fault, name) for name in ("column", "message", "data"))
        called = _DATA_ZH if language == "zh" else {}
        known = ", ".join(
            f"{called.get(name, name)}={plain(value) if isinstance(value, Decimal) else value}" for name, value in data.items()
        )
        told.append(f"{f'{column}: ' if column else ''}{message}{f' ({known})' if known else ''}")
    return ("；" if language == "zh" else "; ").join(told)


def _listed(texts: Iterable[str]) -> str | None:
    return " | ".join(texts) or None
