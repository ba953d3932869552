"""Monthly reports as tables to be exported."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

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
_OF_VALUE: dict[Language, tuple[str, str, str]] = {
    "zh": ("台账", "填报", "差异说明"),
    "en": ("ledger", "reported", "explanation"),
}
_UNITS: dict[Unit, dict[Language, str]] = {
    "yuan": {"zh": "（元）", "en": " (yuan)"},
    "kg": {"zh": "（公斤）", "en": " (kg)"},
    "count": {"zh": "", "en": ""},
}


def header(form: Form, language: Language) -> list[str]:
    """Three columns for each field that the ledger fills in, two for any other."""
    found = list(_HEAD[language])
    ledger, own, why = _OF_VALUE[language]
    for field in form.fields:
        name = f"{field.in_(language)}{_UNITS[field.unit][language]}"
        found += [f"{name} {ledger}"] if field.prefill else []
        found += [f"{name} {own}", f"{name} {why}"]
    return found


def cells(form: Form, row: Any, values: Mapping[str, Value], language: Language) -> list[Cell]:
    """One report in the order of the header."""
    name = row.name_zh if language == "zh" else row.name_en
    found: list[Cell] = [row.region_code, name, row.unit_name, STATUS[row.status][language]]
    for field in form.fields:
        value = values.get(field.code, Value())
        found += [_cell(field.unit, value.ledger)] if field.prefill else []
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
