"""What single cells of a list say: texts, codes, figures, units, prices, places. Pure functions."""

import re
from collections.abc import Sequence
from decimal import Decimal

from catalog.products.rules import Unit, unit_label
from shop.core.money import MAX_FEN
from shop.core.quantities import MAX_QUANTITY, in_one_line, readable
from shop.core.sheets import not_told, number, plain_code

_BRACKETED = re.compile(r"\(([^()]*)\)$")
_COUNTED = re.compile(r"(?P<number>\d[\d.,，．]*)(?P<unit>\D*)")
_UNIT = re.compile(r"(?:/?[^\W\d_]+)?")
#: Words of the unit that mean the same.
_SAME_UNITS = {"公斤": "kg", "千克": "kg", "克": "g", "公克": "g", "市斤": "斤", "升": "l", "毫升": "ml"}


def plain_text(cell: str) -> str:
    """A cell in one width, without spaces and in lower case: what names are compared by."""
    return plain_code(cell).lower()


def title(cell: str) -> str:
    """A header without what does not count."""
    return _BRACKETED.sub("", plain_text(cell).strip("*:")).strip("*:")


def quantity_of(cell: str, unit_cell: str = "") -> tuple[Decimal | None, str, str | None]:
    """The quantity and unit that a cell tells ("１，200", "10箱", "2.5 kg"), or the code of what is wrong: ``quantity_missing``,
    ``bad_quantity``, why nobody can tell it (:func:`shop.core.sheets.not_told`), or ``units_differ``, when the unit behind the figure is not that of the unit's own column."""
    beside = same_unit(unit_cell)
    text = plain_text(cell)
    if not text:
        return None, beside, "quantity_missing"
    if why := not_told(text):
        return None, beside, why[0]
    found = _COUNTED.fullmatch(cell.strip())
    if found is None or not _UNIT.fullmatch(plain_text(found["unit"])):
        return None, beside, "bad_quantity"
    try:
        quantity = number(found["number"])
    except ValueError:
        return None, beside, "bad_quantity"
    behind = same_unit(found["unit"])
    if not 0 < quantity <= MAX_QUANTITY or quantity != round(quantity, 3):
        return None, beside or behind, "bad_quantity"
    if behind and beside and behind != beside:
        return None, beside, "units_differ"
    return round(quantity, 3), behind or beside, None


def same_unit(written: str) -> str:
    """A unit in its one spelling; 公斤 and 千克 are kg."""
    unit = plain_text(written).strip("/")
    return _SAME_UNITS.get(unit, unit)


#: What a SKU may be sold by, by the words for it.
UNITS = {same_unit(word): unit for unit in Unit for word in (unit, unit_label(unit, "zh"), unit_label(unit, "en"))}
UNITS |= {"个": Unit.PIECE, "听": Unit.CAN, "羽": Unit.BIRD, "人次": Unit.PERSON, "晚": Unit.ROOM_NIGHT}
#: Grams of what else lists count in.
GRAMS = {"kg": Decimal(1000), "g": Decimal(1), "斤": Decimal(500), "两": Decimal(50), "吨": Decimal(1_000_000)}


def unit_of_header(cell: str) -> str:
    """The unit that a header says for its whole column, as in 数量（公斤）; empty where its brackets hold something else or nothing."""
    found = _BRACKETED.search(plain_text(cell).strip("*:"))
    unit = same_unit(found[1].removeprefix("单位").strip(":")) if found else ""
    return unit if unit in UNITS or unit in GRAMS else ""


#: Longer cells are cut.
LONGEST_CELL = 500


def tidy(cells: Sequence[str]) -> list[str]:
    """A row as it is kept: nothing that cannot be stored, and no empty cells at its end."""
    kept = [storable(cell) for cell in cells]
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def storable(text: str) -> str:
    """A text as the database can keep it."""
    return text[:LONGEST_CELL].replace("\x00", "").encode("utf-8", "replace").decode()


def price_of(cell: str) -> tuple[int | None, str | None]:
    """The price of a list in fen, or the code of why it cannot be read: ``bad_price`` or why nobody can tell it. It binds nobody: it is shown beside
    the one that holds. An empty cell and a zero tell none."""
    text = plain_text(cell)
    if not text:
        return None, None
    if why := not_told(text):
        return None, why[0]
    try:
        fen = number(cell.strip().strip("¥￥元")) * 100
    except ValueError:
        return None, "bad_price"
    if not 0 <= fen < MAX_FEN or fen != int(fen):
        return None, "bad_price"
    return int(fen) or None, None


def text_fault(cell: str, *, lines: bool = False) -> str | None:
    """The code of why a text cannot be read: that of why nobody can tell it (:func:`shop.core.sheets.not_told`), ``bad_text`` of one with characters that
    nobody sees or that turn others about, or with line breaks, unless it may have ``lines``."""
    if why := not_told(plain_text(cell)):
        return why[0]
    try:
        (readable if lines else in_one_line)(cell)
    except ValueError:
        return "bad_text"
    return None


_LEVEL = re.compile(r"(?:土家族|苗族)*自治县$|经济技术开发区$|经开区$|新区$|区$|县$")
#: Counties that lists still call by the name that they had.
_FORMER = {"开县": "开州"}


def short_place(name: str) -> str:
    """A county's name without the city before it and what it is behind it: 重庆市石柱土家族自治县, 石柱县 and 石柱 are all 石柱."""
    whole = plain_text(name).removeprefix("重庆市").removeprefix("重庆")
    short = _LEVEL.sub("", whole)
    short = short if len(short) >= 2 else whole
    return _FORMER.get(short, short)
