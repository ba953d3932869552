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
#: How this process ends when it met a formula that it was asked not to accept.
FORMULA_FOUND = 3
#: A formula's element of a sheet, in any namespace prefix; drop-downs and formats have longer names.
_FORMULA = re.compile(rb"<(?:[A-Za-z][\w.-]*:)?f[\s>/]")
#: A cell that names its place.
_CELL = re.compile(rb"<(?:[A-Za-z][\w.-]*:)?c\s[^>]*?\br=[\"']([A-Z]{1,3}[0-9]{1,7})[\"']")
_CHUNK = 2**20


def main() -> None:
    """Content comes by standard input, rows leave as JSON by standard output: those of the first sheet, or with the argument ``all`` those of
    the visible sheets by their names, the first ``MAX_SHEETS`` of them. ``strict`` refuses formulas, and tells the cell of the first one."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import io

    content = io.BytesIO(sys.stdin.buffer.read())
    if "strict" in sys.argv[1:] and (cell := _formula(content)) is not None:
        sys.stdout.write(cell)
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


def _formula(content: Any) -> str | None:
    """The cell of the first formula, without a name where it tells none; none: there is no formula."""
    import zipfile

    with zipfile.ZipFile(content) as archive:
        for entry in archive.infolist():
            name = entry.filename.lower()
            if not (name.startswith("xl/worksheets/") and name.endswith(".xml")):
                continue
            with archive.open(entry) as part:
                kept = b""
                while chunk := part.read(_CHUNK):
                    seen = kept + chunk
                    if found := _FORMULA.search(seen):
                        cells = _CELL.findall(seen, 0, found.start())
                        return cells[-1].decode() if cells else ""
                    kept = chunk[-1_000:]
    content.seek(0)
    return None


if __name__ == "__main__":
    main()
