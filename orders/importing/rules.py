"""How the lists that agencies send are read: pure functions. Titles above the header, other column names, full-width digits, "10箱", stray
spaces, subtotals, blank and signature rows are understood; what is not is told, and nothing is guessed silently.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from orders.importing.cells import plain_text, price_of, quantity_of, text_fault, title, unit_of_header
from orders.purchasing.rules import Reason, words_of
from shop.core import sheets, workbooks
from shop.core.errors import Language


class Column(StrEnum):
    """What a column of a list may tell."""

    #: The SKU that an earlier result of the same list names, which its sender looked at: it counts before code and name.
    FOUND = "found"
    CODE = "code"
    PRODUCT = "product"
    DISTRICT = "district"
    PACK = "pack"
    QUANTITY = "quantity"
    UNIT = "unit"
    PRICE = "price"
    NOTE = "note"


class RowState(StrEnum):
    """What may be done with a row: ``matched`` and ``warning`` can be ordered."""

    WAITING = "waiting"
    MATCHED = "matched"
    WARNING = "warning"
    AMBIGUOUS = "ambiguous"
    FAULTY = "faulty"
    SKIPPED = "skipped"
    NOT_A_LINE = "not_a_line"


#: What an order takes.
ORDERABLE = (RowState.MATCHED, RowState.WARNING)


class Step(StrEnum):
    """At which step a fault was found; a step that is done again takes back its own."""

    READ = "read"
    MATCH = "match"
    CHECK = "check"


class Basis(StrEnum):
    """Why a column is taken for what it is."""

    HEADER = "header"
    SAVED = "saved"
    USER = "user"


class RowKind(StrEnum):
    LINE = "line"
    BLANK = "blank"
    TOTAL = "total"
    REMARK = "remark"


#: What is read as a text, and of it what is a code.
CODES = frozenset({Column.FOUND, Column.CODE})
TEXTS = (Column.FOUND, Column.CODE, Column.PRODUCT, Column.DISTRICT, Column.PACK, Column.UNIT, Column.NOTE)
#: What tells which SKU is meant.
NAMING = frozenset({Column.FOUND, Column.CODE, Column.PRODUCT, Column.DISTRICT, Column.PACK})

#: The headers that agencies use, the template's own first. Width, case, spaces, asterisks and what stands in brackets do not count.
HEADERS: dict[Column, tuple[str, ...]] = {
    Column.FOUND: ("平台规格编码", "matched sku"),
    Column.CODE: ("产品编码", "商品编码", "规格编码", "sku编码", "sku", "sku code", "code", "编码"),
    Column.PRODUCT: (
        "产品名称",
        "品名",
        "商品名称",
        "货物名称",
        "物资名称",
        "食材名称",
        "物品名称",
        "货品名称",
        "菜品名称",
        "标的名称",
        "采购品名",
        "采购品目",
        "名称",
        "产品",
        "商品",
        "product",
        "product name",
        "item",
    ),
    Column.DISTRICT: ("产地区县", "产地", "原产地", "区县", "所属区县", "产品产地", "district", "origin"),
    Column.PACK: ("规格", "规格型号", "包装规格", "产品规格", "商品规格", "包装", "pack", "specification"),
    Column.QUANTITY: (
        "数量",
        "采购数量",
        "订购数量",
        "订货数量",
        "申购数量",
        "购买数量",
        "需求数量",
        "计划数量",
        "计划采购数量",
        "本次采购数量",
        "采购数",
        "采购量",
        "预计采购量",
        "需求量",
        "quantity",
        "qty",
    ),
    Column.UNIT: ("单位", "计量单位", "unit"),
    Column.PRICE: ("单价", "参考单价", "含税单价", "采购单价", "价格", "price", "unit price"),
    Column.NOTE: ("备注", "说明", "用途", "note", "remarks"),
}
#: So far down a header may stand.
HEADER_WITHIN = 30
#: So many known columns make a header that lacks the quantity or the product.
LEAST_KNOWN = 3

#: What seems to count something.
_COUNTED = re.compile(r"数量|(?:用|需|订|购|总)量$|件数$|采购数$|quantity|qty")
#: "一、粮油类", "（二）水果", "3. 蔬菜": the title of a section.
_SECTION = re.compile(r"\(?[一二三四五六七八九十]{1,3}(?:\)?[、.)]?|[、.)].*)|\(?\d{1,2}\)?[、.)][^、.)].*")
_TOTAL = re.compile(r"小计|合计|总计|共计|本页小计|累计|(?:subtotal|total|grandtotal)(?![a-z])")


_KNOWN = {title(name): column for column, names in HEADERS.items() for name in names}


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header stands (``row`` counts from 0) and what its columns are; ``twice`` are columns that stand there more than once, of
    which the user has to choose."""

    row: int
    columns: dict[Column, int]
    twice: dict[Column, list[int]]

    @property
    def known(self) -> set[Column]:
        return {*self.columns, *self.twice}

    @property
    def is_complete(self) -> bool:
        return complete(self.known)

    @property
    def rank(self) -> tuple[bool, int]:
        return self.is_complete, len(self.known)


def header_of(rows: Sequence[Sequence[str]]) -> Header | None:
    """The row, among the first ones, with most columns that are known, and preferably with a quantity and a product or code. None: no row has
    those or three others, so that a user could say the rest."""
    best: Header | None = None
    for number, cells in enumerate(rows[:HEADER_WITHIN]):
        header = _header(number, cells)
        if (header.is_complete or len(header.known) >= LEAST_KNOWN) and (best is None or header.rank > best.rank):
            best = header
    return best


def _header(number: int, cells: Sequence[str]) -> Header:
    places: dict[Column, list[int]] = {}
    for place, cell in enumerate(cells):
        if column := _KNOWN.get(title(cell)):
            places.setdefault(column, []).append(place)
    if Column.QUANTITY not in places and (likely := [place for place, cell in enumerate(cells) if _COUNTED.search(title(cell))]):
        # a stock or a minimum is called a quantity too: a user has to say which one is wanted
        return Header(number, _once(places), {**_twice(places), Column.QUANTITY: likely})
    return Header(number, _once(places), _twice(places))


def _once(places: Mapping[Column, list[int]]) -> dict[Column, int]:
    return {column: found[0] for column, found in places.items() if len(found) == 1}


def _twice(places: Mapping[Column, list[int]]) -> dict[Column, list[int]]:
    return {column: found for column, found in places.items() if len(found) > 1}


def fingerprint(cells: Sequence[str]) -> str:
    """By what a header is recognised again, so that a mapping that a user corrected is used the next time."""
    return "|".join(title(cell) for cell in cells).rstrip("|")


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One row of a list as it was understood; ``row_no`` counts from 1, as a spreadsheet program shows it. ``fault`` is what is wrong with its
    quantity, ``unread`` are its other cells that cannot be read, with why. ``price_fen`` is what the list says that a unit costs."""

    row_no: int
    kind: RowKind
    code: str = ""
    product: str = ""
    district: str = ""
    pack: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    price_fen: int | None = None
    note: str = ""
    fault: str | None = None
    unread: tuple[tuple[Column, str], ...] = ()


def read(rows: Sequence[Sequence[str]], header_row: int, columns: Mapping[Column, int]) -> Iterator[ReadRow]:
    """What stands below the header. A repeated header, as printing programs put on each page, is no line either."""
    header = rows[header_row] if header_row < len(rows) else []
    head = [title(cell) for cell in header]
    counted = columns.get(Column.QUANTITY, 0)
    unit = unit_of_header(header[counted]) if counted < len(header) else ""
    for number, cells in enumerate(rows[header_row + 1 :], start=header_row + 2):
        again = len(cells) == len(head) and all(title(cell) == name for cell, name in zip(cells, head, strict=True))
        yield _row(number, cells, columns, unit, again)


def _row(row_no: int, cells: Sequence[str], columns: Mapping[Column, int], unit_of_all: str, is_header: bool) -> ReadRow:
    plain = [plain_text(each) for each in cells]
    at = {column: place for column, place in columns.items() if place < len(cells)}
    names = [
        place for column in (Column.PRODUCT, Column.CODE, Column.FOUND) if (place := at.get(column)) is not None and plain[place]
    ]
    filled = sum(map(bool, plain))
    # a remark behind a product may speak of a total; a total names no product, or its word stands before it or in its place
    if any(_TOTAL.match(each) for each in (plain[: names[0] + 1] if names else plain)):
        return ReadRow(row_no, RowKind.TOTAL)
    if not filled:
        return ReadRow(row_no, RowKind.BLANK)
    told = {column: cells[place].strip() for column, place in at.items()}
    wanted = told.get(Column.QUANTITY, "")
    # a signature or a remark fills one cell or a few, none of them a quantity; a product without its quantity is a line that lacks it
    if is_header or not (names or wanted) or (not wanted and (filled == 1 or (names and ":" in plain[names[0]]))):
        return ReadRow(row_no, RowKind.REMARK)
    if not wanted and _is_section(plain):
        return ReadRow(row_no, RowKind.REMARK)
    # a remark may begin new lines, as those of an order may
    unread = [(column, code) for column in TEXTS if (code := text_fault(told.get(column, ""), lines=column is Column.NOTE))]
    told |= dict.fromkeys((column for column, _ in unread), "")
    quantity, unit, fault = quantity_of(wanted, told.get(Column.UNIT, "") or unit_of_all)
    if any(column is Column.UNIT for column, _ in unread):  # of what, nobody knows
        quantity, unit = None, ""
    price_fen, bad_price = price_of(told.get(Column.PRICE, ""))
    if bad_price:
        unread.append((Column.PRICE, bad_price))
    found = told.get(Column.FOUND, "")
    return ReadRow(
        row_no,
        RowKind.LINE,
        code=found or told.get(Column.CODE, ""),
        product=told.get(Column.PRODUCT, ""),
        district=told.get(Column.DISTRICT, ""),
        pack=told.get(Column.PACK, ""),
        quantity=quantity,
        unit=unit,
        price_fen=price_fen,
        note=told.get(Column.NOTE, ""),
        fault=fault,
        unread=tuple(unread),
    )


def _is_section(plain: Sequence[str]) -> bool:
    """Whether a row without a quantity is the title of a section: a number of its own and a word behind it."""
    words = [each for each in plain if each]
    return len(words) == 2 and len(words[0]) <= 4 and bool(_SECTION.fullmatch(words[0]))


#: What is told of a row, or of a whole list, besides the reasons of an order's lines.
WORDS: dict[str, tuple[str, str]] = {
    "quantity_missing": ("没有填写数量", "The quantity is missing"),
    "bad_quantity": (
        "数量须为大于零、不超过十亿的数字，最多三位小数",
        "The quantity must be a number above zero, at most one billion, with at most three decimal places",
    ),
    **{code: (zh, en) for code, zh, en in (sheets.FORMULA, sheets.LONG_NUMBER, sheets.UNCLEAR_FORMAT, sheets.ERROR)},
    "bad_text": (
        "含有换行、看不见或改变文字方向的字符",
        "The text holds line breaks, or characters that nobody sees or that turn its direction",
    ),
    "bad_price": (
        "单价须为数字，最多两位小数；未与平台现价核对",
        "The price must be a number with at most two decimal places; it was not compared with the price of today",
    ),
    "units_differ": ("单位与产品的销售单位不一致", "The unit is not the one that the product is sold by"),
    "unit_converted": ("已按重量换算为销售单位", "The weight was converted into the unit that the product is sold by"),
    "unknown_product": ("目录中没有此名称的产品", "The catalogue has no product of this name"),
    "unknown_code": ("没有此产品编码", "There is no such product code"),
    "code_and_name_differ": ("产品编码与产品名称不是同一产品", "Code and name are not of the same product"),
    "district_differs": ("产品不是此产地的，请核对", "The product is not of this district, but of another"),
    "pack_differs": ("产品规格与此不符，请核对", "The product, or what the code means, is not of this pack"),
    "unknown_pack": ("规格无法核对，按唯一规格理解", "The pack cannot be compared; the only one there is was taken"),
    "ambiguous_product": ("有多个产品或规格相符，请选择", "Several products or packs fit; choose one"),
    "price_differs": ("表中单价与平台现价不同", "The price of the list is not the price of today"),
    "unreadable_spreadsheet": (
        "无法读取该文件，请在表格软件中另存为 XLSX，或以逗号分隔的 CSV（UTF-8 或 GB18030）",
        "The file cannot be read; save it as XLSX, or as CSV with commas (UTF-8 or GB18030)",
    ),
    **{each.code: (each.zh, each.en) for each in (workbooks.MarkupTable, workbooks.OldWorkbook)},
    "header_not_found": (
        "未找到表头，请指定表头所在行和各列",
        "No header was found; say in which row it is and what its columns are",
    ),
    "no_such_sheet": ("工作簿中没有指定的工作表", "The workbook has no sheet of the name that was said"),
    "columns_undecided": (
        "表头缺少数量或产品列，或有重复的列，请指定使用哪一列",
        "The header lacks the quantity or the product, or columns stand there twice; say which of them count",
    ),
    "no_lines": ("表头下没有产品行", "There is no line below the header"),
    "too_many_rows": ("超过 10,000 行，请分成几个文件", "More than 10,000 lines; make several files of it"),
    "file_missing": ("文件内容不在存储中，请重新上传", "The content is not in the file store; upload it again"),
}
#: For which of several SKUs is meant a person has to say.
AMBIGUOUS = frozenset({"code_and_name_differ", "district_differs", "pack_differs", "ambiguous_product"})


@dataclass(frozen=True, slots=True)
class RowFault:
    """What stands against a row, or (``warning``) what its sender should look at; ``column`` is where."""

    step: Step
    column: Column
    code: str
    warning: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)

    def kept(self) -> dict[str, Any]:
        """As it is kept with the row."""
        return {"step": self.step, "column": self.column, "code": self.code, "warning": self.warning, "data": dict(self.data)}


#: In which column a reason against an order's line lies; all others lie in the product.
OF_QUANTITY = frozenset({Reason.BELOW_MINIMUM, Reason.WRONG_STEP, Reason.STOCK_SHORT, Reason.AMOUNT_TOO_LARGE})


def column_of(reason: str, product: str) -> Column:
    """The column of a row in which a reason against its order line lies; ``product``: what the row calls its product."""
    if reason in OF_QUANTITY:
        return Column.QUANTITY
    return Column.PRODUCT if plain_text(product) else Column.CODE


def words(code: str, language: Language) -> str:
    """What a code says, be it of :data:`WORDS` or a reason against an order's line."""
    told = WORDS.get(code) or words_of(Reason(code))
    return told[language == "en"]


def state_of(kind: RowKind | str, skipped: bool, faults: Iterable[Mapping[str, Any]]) -> RowState:
    """The state of a row that was checked, by what was found (as :meth:`RowFault.kept`)."""
    if kind != RowKind.LINE:
        return RowState.NOT_A_LINE
    if skipped:
        return RowState.SKIPPED
    found = list(faults)
    grave = [each["code"] for each in found if not each["warning"]]
    if grave:
        return RowState.AMBIGUOUS if all(code in AMBIGUOUS for code in grave) else RowState.FAULTY
    return RowState.WARNING if found else RowState.MATCHED


def complete(columns: Iterable[str]) -> bool:
    """Whether a list with these columns tells enough: a quantity, and a code or product."""
    told = set(columns)
    return Column.QUANTITY in told and bool(told & {Column.FOUND, Column.CODE, Column.PRODUCT})
