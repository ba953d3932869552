"""Monthly reports as tables to be exported."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from orders.reports.filling import Ledger
from orders.reports.forms import Form, Unit
from orders.reports.rules import Value
from orders.reports.schemas import UnreportedRow
from shop.core.errors import Language
from shop.core.exports import Cell
from shop.core.money import yuan

TITLE: dict[Language, str] = {"zh": "月报", "en": "Monthly reports"}
UNREPORTED_TITLE: dict[Language, str] = {"zh": "未报送名单", "en": "Not reported"}
UNREPORTED_HEADER: dict[Language, list[str]] = {
    "zh": ["区划代码", "区县", "单位", "状态"],
    "en": ["district code", "district", "unit", "status"],
}
STATUS: dict[str, dict[Language, str]] = {
    "missing": {"zh": "未填报", "en": "nothing begun"},
    "draft": {"zh": "填报中", "en": "draft"},
    "submitted": {"zh": "待审核", "en": "submitted"},
    "returned": {"zh": "已退回", "en": "returned"},
    "accepted": {"zh": "已通过", "en": "accepted"},
}
_HEAD: dict[Language, list[str]] = {
    "zh": ["区划代码", "区县", "单位", "状态"],
    "en": ["district code", "district", "unit", "status"],
}
_OF_LEDGER: dict[Language, tuple[str, str, str]] = {
    "zh": ("台账（填报时）", "台账（现在）", "台账变动"),
    "en": ("ledger then", "ledger now", "ledger moved by"),
}
_OF_VALUE: dict[Language, tuple[str, str]] = {"zh": ("填报", "差异说明"), "en": ("reported", "explanation")}
_UNITS: dict[Unit, dict[Language, str]] = {
    "yuan": {"zh": "（元）", "en": " (yuan)"},
    "kg": {"zh": "（公斤）", "en": " (kg)"},
    "count": {"zh": "", "en": ""},
}


def header(form: Form, language: Language) -> list[str]:
    """Five columns for each field that the ledger fills in, two for any other."""
    found = list(_HEAD[language])
    for field in form.fields:
        name = f"{field.in_(language)}{_UNITS[field.unit][language]}"
        found += [f"{name} {each}" for each in (*(_OF_LEDGER[language] if field.prefill else ()), *_OF_VALUE[language])]
    return found


def cells(form: Form, row: Any, values: Mapping[str, Value], now: Ledger, language: Language) -> list[Cell]:
    """One report in the order of the header."""
    name = row.name_zh if language == "zh" else row.name_en
    found: list[Cell] = [row.region_code, name, row.unit_name, STATUS[row.status][language]]
    for field in form.fields:
        value = values.get(field.code, Value())
        if field.prefill:
            after = now[field.code]
            moved = None if value.ledger is None or after is None else after - value.ledger
            found += [_cell(field.unit, each) for each in (value.ledger, after, moved)]
        found += [_cell(field.unit, value.own), value.explanation]
    return found


def _cell(unit: Unit, value: int | None) -> Cell:
    if value is None or unit == "count":
        return value
    return yuan(value) if unit == "yuan" else Decimal(value).scaleb(-3)


def unreported_cells(rows: list[UnreportedRow], language: Language) -> Iterator[list[Cell]]:
    """Those who have not reported."""
    for row in rows:
        yield [row.district, row.district_name, row.unit_name, STATUS[row.status][language]]
