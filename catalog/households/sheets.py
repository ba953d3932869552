"""Lists of households as spreadsheets: the template, and what a row of one says."""

import dataclasses
from collections.abc import Mapping, Sequence

from catalog.households.errors import ListRefused
from catalog.households.rules import Member
from catalog.households.schemas import MOST, MOST_FAULTS
from shop.core import sheets
from shop.core.errors import BadValue, Fault
from shop.core.quantities import in_one_line, spoken
from shop.core.sheets import by_row
from shop.programmes.schemas import ProgrammeConfig

#: The headers accepted for each column, its own first.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("姓名", "name"),
    "id_number": ("身份证号", "居民身份证号码", "id_number"),
    "household_no": ("户编号", "户号", "household_no"),
    "mode": ("带动方式", "mode"),
    "village": ("村", "所在村", "village"),
}
EXAMPLE = {"name": "张三", "id_number": "11010519491231002X", "household_no": "HU0001", "mode": "订单收购", "village": "白龙村"}
#: What is kept as it is typed.
CODES = frozenset({"id_number", "household_no"})
_LONGEST = 200


def members(content: bytes, config: ProgrammeConfig, sheet: str | None) -> tuple[list[Member], list[int], list[Fault]]:
    """The persons of a spreadsheet, and the row of each as a spreadsheet program shows it; and, instead of persons, the cells of other rows that are
    empty, too long, or hold what nobody can read. Empty rows are passed over.

    Raises:
        UnreadableSpreadsheet, TooManyRows: see there (422).
    """
    codes = {
        sheets.word(told): code
        for code, label in config.terms.get("linkage_mode", {}).items()
        for told in (code, label.zh, label.en)
    }
    found, at, faults = [], [], []
    for number, cell in sheets.table(content, COLUMNS, list(COLUMNS), MOST, CODES, sheet).rows:
        if wrong := [fault for name, value in cell.items() if (fault := _fault(number, name, value))]:
            faults += wrong
            continue
        mode = codes.get(sheets.word(cell["mode"]), cell["mode"])
        found.append(
            Member(cell["name"], sheets.plain_code(cell["id_number"]).upper(), cell["household_no"], mode, cell["village"])
        )
        at.append(number)
    return found, at, faults


def blamed_on_rows(refused: ListRefused, rows: Sequence[int], besides: Sequence[Fault]) -> ListRefused:
    """The refusal of a list, told by the rows that its persons came from, with the faults of other rows."""
    told = [*besides]
    for fault in refused.faults:
        place, _, name = fault.field.removeprefix("members[").partition("].")
        row, column = rows[int(place)], COLUMNS[name][0]
        told.append(dataclasses.replace(fault, field=f"row[{row}].{column}", data={"row": row, "column": column}))
    return ListRefused(count=refused.data["count"] + len(besides), faults=by_row(told)[:MOST_FAULTS])


def _fault(row: int, name: str, value: str) -> Fault | None:
    """What is wrong with a cell, by the rules for the same field of a request; what was written is not repeated."""
    if why := sheets.not_told(value):
        return sheets.fault(row, COLUMNS[name][0], *why)
    if not value or len(value) > _LONGEST:
        return sheets.fault(row, COLUMNS[name][0], "cell_missing", "未填写或过长", "is empty or too long")
    try:
        in_one_line(value)
        if name in ("name", "village"):
            spoken(value)
    except BadValue as wrong:
        return sheets.fault(row, COLUMNS[name][0], wrong.code or "cell_unreadable", wrong.zh, str(wrong))
    return None
