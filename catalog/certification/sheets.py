"""Applications as a spreadsheet: its columns, and what a row says. A row is checked by the same schemas as a request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import text
from sqlmodel import Session

from catalog.certification.errors import DistrictNotEligible
from catalog.certification.schemas.applying import CaseIn
from catalog.products.rules import VAT_PERCENTS, VAT_RATES, Category, Kind, Unit, unit_fault, unit_label, weight_fault
from catalog.products.schemas import ProductIn
from shop.core import clock, sheets
from shop.core.errors import BadValue, Fault, Problem
from shop.core.faults import of_cell
from shop.programmes.schemas import ProgrammeConfig

#: The headers accepted for each column, its own first.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("产品名称", "product"),
    "kind": ("类型", "kind"),
    "category": ("品类", "category"),
    "district": ("区县", "district"),
    "township": ("乡镇", "township"),
    "village": ("村", "village"),
    "producer": ("生产者", "producer"),
    "grade": ("等级", "grade"),
    "specification": ("规格标准", "specification"),
    "pack": ("包装", "pack"),
    "unit": ("单位", "unit"),
    "net_grams": ("净重（克）", "net_grams"),
    "price": ("单价（元）", "price"),
    "vat_percent": ("税率（%）", "vat_percent"),
    "annual_capacity_kg": ("年产能（公斤）", "annual_capacity_kg"),
    **{f"month_{month}": (f"{month}月产能（公斤）", f"{month}月", f"month_{month}") for month in range(1, 13)},
    "linkage_modes": ("带动方式", "linkage_modes"),
    "linkage": ("带动说明", "linkage"),
    "comparable_price": ("同类价（元）", "comparable_price"),
    "comparable_pack_grams": ("同类净重（克）", "comparable_pack_grams"),
    "comparable_price_source": ("价格来源", "comparable_price_source"),
    "comparable_price_on": ("价格日期", "comparable_price_on"),
    "statement": ("申请说明", "statement"),
}
REQUIRED = ("name", "category", "district")
#: What is kept as it is typed.
CODES = frozenset({"district", "township", "specification", "pack"})
MONTHS = [f"month_{month}" for month in range(1, 13)]
HEADER = [titles[0] for titles in COLUMNS.values()]
EXAMPLE = [
    "示例脐橙",
    "商品",
    "水果",
    "奉节县",
    "",
    "白龙村",
    "示例合作社",
    "特级",
    "5kg/箱，GB/T 33670",
    "5kg/箱",
    "箱",
    "5000",
    "69.90",
    "9",
    "600000",
    *["150000", "90000", "30000"],
    *["0"] * 7,
    *["120000", "210000"],
    "订单收购、务工就业",
    "订单收购、基地务工",
    "72.00",
    "5000",
    "主城三家超市均价",
    "2026-11-02",
    "自有基地，质量合格",
]
#: Where the fields of a request stand in the sheet.
_FIELDS = {
    "district_code": "district",
    "township_code": "township",
    "skus[0].pack": "pack",
    "skus[0].unit": "unit",
    "skus[0].net_grams": "net_grams",
    "skus[0].vat_bp": "vat_percent",
    "skus[0].tiers[0].unit_price": "price",
    "skus[0].tiers[0].min_quantity": "price",
}
#: Refusals of the whole application that one column is to blame for; of any other it is the product itself.
_BLAMED = {DistrictNotEligible.code: "district"}
#: Of a cell these say that it is empty.
_EMPTY = frozenset({"missing", "string_too_short"})
_PLACES = text(
    "SELECT code, name_zh FROM region WHERE code LIKE '50%' AND kind NOT IN ('province', 'city')"
    " AND (valid_from IS NULL OR valid_from <= :today) AND (valid_to IS NULL OR :today < valid_to) ORDER BY length(code), code"
)


class Words:
    """What the words in the cells stand for."""

    def __init__(self, session: Session, config: ProgrammeConfig) -> None:
        self.categories = _codes(config, "category")
        self.kinds = _codes(config, "kind")
        self.modes = _codes(config, "linkage_mode")
        kinds = config.terms.get("kind", {}).values()
        self.kind_labels = [label.zh for label in kinds], [label.en for label in kinds]
        self.units = {
            sheets.word(told): unit.value for unit in Unit for told in (unit_label(unit, "zh"), unit_label(unit, "en"), unit.value)
        }
        self.places: dict[str, str] = {}
        for code, name in session.execute(_PLACES, {"today": clock.today()}).all():
            where = name if len(code) == 6 else f"{code[:6]}{name}"
            self.places.setdefault(where, code)
            self.places[code] = code

    def district(self, word: str) -> str | None:
        """By its code, its name, or its name without 区 or 县."""
        return next((self.places[name] for name in (word, f"{word}区", f"{word}县") if len(self.places.get(name, "")) == 6), None)

    def township(self, district: str | None, word: str) -> str | None:
        return self.places.get(word) if word in self.places else self.places.get(f"{district}{word}")


def _codes(config: ProgrammeConfig, group: str) -> dict[str, str]:
    return {sheets.word(told): code for code, label in config.terms.get(group, {}).items() for told in (code, label.zh, label.en)}


@dataclass
class Row:
    """One row: its number as a spreadsheet program shows it, the request that it stands for, and what is wrong with it."""

    number: int
    name: str
    product: ProductIn | None = None
    case: CaseIn | None = None
    faults: list[Fault] = field(default_factory=list)

    def refuse(self, column: str, code: str, zh: str, en: str) -> None:
        self.faults.append(sheets.fault(self.number, COLUMNS[column][0], code, zh, en))

    def blame(self, problem: Problem) -> None:
        """Take the refusal of the request that the row stands for over as faults of the row."""
        for fault in problem.faults:
            self.refuse(_column(fault.field), fault.code, fault.zh, fault.en)
        if not problem.faults:
            column = _BLAMED.get(problem.code, "name")
            self.refuse(column, problem.code, problem.told("zh")["title"], problem.told("en")["title"])


def read(content: bytes, most: int, sheet: str | None) -> sheets.Table:
    """The rows of a spreadsheet that are not empty, by their numbers, and the headers that nobody reads.

    Raises:
        UnreadableSpreadsheet, TooManyRows: see there (422).
    """
    return sheets.table(content, COLUMNS, REQUIRED, most, CODES, sheet)


def understood(number: int, cell: Mapping[str, str], words: Words, known_id: int | None) -> Row:
    """What a row says: of a product that is known only the application, of any other the product too."""
    row = Row(number, cell["name"])
    given = [told for told in sheets.word(cell["linkage_modes"]).replace(",", "、").split("、") if told]
    modes = [words.modes[told] for told in given if told in words.modes]
    if len(modes) < len(given):
        row.refuse("linkage_modes", "unknown_linkage_mode", "没有此带动方式", "there is no such way of taking part")
    case = {name: plain(cell[name]) for name in ("annual_capacity_kg", "comparable_price", "comparable_pack_grams")} | {
        "monthly_capacity_kg": _months(cell),
        "comparable_price_source": cell["comparable_price_source"] or None,
        "comparable_price_on": _day(row, cell["comparable_price_on"]),
        "linkage": cell["linkage"],
        "linkage_modes": modes,
        "statement": cell["statement"],
    }
    row.case = _checked(row, CaseIn, {"product_id": known_id or 1, **case})
    if known_id is None:
        row.product = _product(row, cell, words)
    return row


def _day(row: Row, cell: str) -> date | None:
    """The day of the comparable price; one that cannot be read is told with the row."""
    try:
        return sheets.day_of(cell) if cell else None
    except BadValue as wrong:
        row.refuse("comparable_price_on", "bad_value", wrong.zh, str(wrong))
        return None


def _months(cell: Mapping[str, str]) -> list[str] | None:
    """The twelve months, where any is filled in; one that is left empty yields nothing."""
    given = [plain(cell[month]) for month in MONTHS]
    return [month or "0" for month in given] if any(given) else None


def _product(row: Row, cell: Mapping[str, str], words: Words) -> ProductIn | None:
    """The product of a row; what cannot be told by its word is named, and the rest is looked at all the same."""
    category, district = words.categories.get(sheets.word(cell["category"])), words.district(plain(cell["district"]) or "")
    township = words.township(district, plain(cell["township"]) or "") if cell["township"] else None
    known = bool(category and district and (township or not cell["township"]))
    for name in ("category", "district", "unit"):
        if not cell[name]:
            row.refuse(name, "missing", "未填写", "is empty")
    if cell["category"] and category is None:
        row.refuse("category", "unknown_category", "没有此品类", "there is no such category")
    if cell["district"] and district is None:
        row.refuse("district", "unknown_origin", "没有此区县", "there is no such district")
    elif district and cell["township"] and township is None:
        row.refuse("township", "unknown_origin", "该区县没有此乡镇", "the district has no such township")
    usual = (Kind.SERVICE if category == Category.RURAL_TOURISM else Kind.GOODS).value
    kind = words.kinds.get(sheets.word(cell["kind"])) if cell["kind"] else usual
    if kind is None:
        row.refuse("kind", "enum", *_one_of(*words.kind_labels))
    unit = words.units.get(sheets.word(cell["unit"]))
    if cell["unit"] and unit is None:
        row.refuse("unit", "enum", *_one_of([unit_label(each, "zh") for each in Unit], [unit_label(each, "en") for each in Unit]))
    vat_bp = _basis_points(cell["vat_percent"])
    if vat_bp is None:
        row.refuse("vat_percent", "bad_value", *_NO_RATE)
    sku = {
        "pack": cell["pack"],
        "unit": unit or Unit.PIECE,
        "net_grams": plain(cell["net_grams"]),
        "vat_bp": vat_bp or 0,
        "tiers": [{"min_quantity": "1", "unit_price": plain(cell["price"]) or ""}],
    }
    stated = {name: cell[name] for name in ("name", "producer", "grade", "specification")} | {
        "kind": kind or usual,
        "category": category or Category.FRUIT,
        "district_code": district or "500000",
        "township_code": township,
        "village": cell["village"] or None,
        "skus": [sku],
    }
    product: ProductIn | None = _checked(row, ProductIn, stated)
    if known and kind and unit and vat_bp is not None and product is not None:
        return product
    if kind:  # otherwise told when the product is made
        grams = product.skus[0].net_grams if product else None
        for fault in (weight_fault(kind, 1 if cell["net_grams"] else None), unit_fault(kind, unit, grams) if unit else None):
            if fault:
                row.refuse(fault.field, fault.code, fault.zh, fault.en)
    return None


def plain(cell: str) -> str | None:
    """A number without what parts its thousands. None: the cell is empty."""
    return sheets.figure(cell) or None


_NO_RATE = (
    f"须为现行增值税税率或征收率：{'、'.join(VAT_PERCENTS)} 之一（%）",
    f"no rate of VAT in force: one of {', '.join(VAT_PERCENTS)} (%)",
)


def _basis_points(cell: str) -> int | None:
    """``9``, ``9%`` and the ``0.09`` that a workbook keeps of a cell that shows 9 % -> 900; an empty one is 0, as in a request without the field. None:
    no rate that is in force."""
    told = cell.removesuffix("%").removesuffix("％")
    try:
        rate = sheets.number(told or "0")
    except ValueError:
        return None
    scales = (100, 10_000) if told == cell else (100,)
    return next((int(rate * scale) for scale in scales if rate * scale in VAT_RATES), None)


def _one_of(zh: Sequence[str], en: Sequence[str]) -> tuple[str, str]:
    """What is said of a word that is none of those that the template offers."""
    return f"须为 {'、'.join(zh)} 之一", f"has to be one of {', '.join(en)}"


def _checked(row: Row, schema: type[BaseModel], content: dict[str, Any]) -> Any:
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        for wrong in error.errors():
            where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in wrong["loc"]).removeprefix(".")
            found = of_cell(wrong)
            zh, en = ("未填写", "is empty") if wrong["type"] in _EMPTY else (found.zh, found.en)
            row.refuse(_column(where), wrong["type"], zh, en)
    return None


def _column(where: str) -> str:
    """The column of a field of the request."""
    field_name, _, place = where.partition("[")
    if field_name == "monthly_capacity_kg" and place:
        return MONTHS[int(place.removesuffix("]"))]
    name = _FIELDS.get(where, field_name.partition(".")[0])
    return name if name in COLUMNS else "name"
