"""Reads the sheets of an XLSX file in a process of its own, with little memory and time; ``shop.core.sheets`` starts it.

A crafted file makes any reader take all memory or end its process. This file runs alone: nothing of the program may be imported here.
"""

import json
import re
import resource
import sys
from typing import Any

MEMORY = 256 * 2**20
SECONDS = 8
#: More rows or columns than these are not read; one row more than may be given shows that there were too many.
MAX_ROWS = 20_000
MAX_COLUMNS = 200
MAX_SHEETS = 20
#: How this process ends when it met formulas that it was asked not to accept, and how many of them it tells.
FORMULA_FOUND, MAX_FORMULAS = 3, 200
#: A formula's element of a sheet, in any namespace prefix. Those of drop-downs and formats stand in no cell.
_FORMULA = re.compile(rb"<(?:[A-Za-z][\w.-]*:)?f[\s>/]")
#: Where a cell begins, or ends; and the place that it names.
_CELL = re.compile(rb"<(/?)(?:[A-Za-z][\w.-]*:)?c((?:[\s/][^<>]*)?)>")
_PLACE = re.compile(rb"\br=[\"']([A-Z]{1,3}[0-9]{1,7})[\"']")
_CHUNK = 2**20


def main() -> None:
    """Content comes by standard input, rows leave as JSON by standard output: those of the first sheet, or with the argument ``all`` those of
    the visible sheets by their names, the first ``MAX_SHEETS`` of them. ``strict`` refuses formulas, and tells their cells, the first
    ``MAX_FORMULAS`` of them, with spaces between."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import io

    content = io.BytesIO(sys.stdin.buffer.read())
    if "strict" in sys.argv[1:] and (cells := _formulas(content)):
        sys.stdout.write(" ".join(cells))
        sys.exit(FORMULA_FOUND)
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    book = CalamineWorkbook.from_filelike(content)
    found: Any
    if "all" in sys.argv[1:]:
        sheets = [each for each in book.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
        shown = [each for each in sheets if each.visible == SheetVisibleEnum.Visible] or sheets
        found = {each.name: _cells(book.get_sheet_by_name(each.name)) for each in shown[:MAX_SHEETS]}
    else:
        found = _cells(book.get_sheet_by_index(0))
    # in one piece: it is faster, and what would not fit into this process's memory never reaches the other
    sys.stdout.write(json.dumps(found))


def _cells(sheet: Any) -> list[list[str]]:
    # rows come from the first one on, however far below the first filled one stands; columns only from the first filled one on
    indent = [""] * min(sheet.start[1] if sheet.start else 0, MAX_COLUMNS)
    return [indent + [str(cell) for cell in row[:MAX_COLUMNS]] for _, row in zip(range(MAX_ROWS), sheet.iter_rows(), strict=False)]


def _formulas(content: Any) -> list[str]:
    """The cells of the first formulas; one that names no place is empty."""
    import zipfile

    cells: list[str] = []
    with zipfile.ZipFile(content) as archive:
        for entry in archive.infolist():
            name = entry.filename.lower()
            if not (name.startswith("xl/worksheets/") and name.endswith(".xml")):
                continue
            with archive.open(entry) as part:
                kept = b""
                while len(cells) < MAX_FORMULAS and (chunk := part.read(_CHUNK)):
                    seen, done = kept + chunk, 0
                    for formula in _FORMULA.finditer(seen):
                        before = _CELL.findall(seen, done, formula.start())
                        done = formula.end()
                        if before and not before[-1][0] and not before[-1][1].endswith(b"/"):
                            place = _PLACE.search(before[-1][1])
                            cells.append(place[1].decode() if place else "")
                    kept = seen[max(done, len(seen) - 1_000) :]
    content.seek(0)
    return cells[:MAX_FORMULAS]


if __name__ == "__main__":
    main()
