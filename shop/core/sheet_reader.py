"""Reads the sheets of a workbook in a process of its own, with little memory and time; ``shop.core.workbooks`` starts it.

A crafted file makes any reader take all memory or end its process. This file runs alone: nothing of the program may be imported here but the file beside
it that looks through the kind before XLSX.
"""

import functools
import itertools
import json
import re
import resource
import runpy
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

MEMORY = 256 * 2**20
SECONDS = 8
#: More rows or columns than these are not read; one row more than may be given shows that there were too many.
MAX_ROWS = 20_000
MAX_COLUMNS = 200
MAX_SHEETS = 100
#: Digits of a number that spreadsheet programs keep.
DIGITS = 15
#: What stands in a cell whose formula shows no value.
UNSHOWN = "="
#: A cell with a formula, in any namespace prefix: its attributes, and the value that it last showed, where it has one. Formulas of drop-downs and formats
#: stand in no cell.
_FORMULA = re.compile(
    rb"<(?:[A-Za-z][\w.-]*:)?c((?:\s[^<>]*)?)>\s*<(?:[A-Za-z][\w.-]*:)?f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:[A-Za-z][\w.-]*:)?f\s*>)\s*"
    rb"(?:<(?:[A-Za-z][\w.-]*:)?v(?:\s[^<>]*)?(?:/>|>([^<]*)</(?:[A-Za-z][\w.-]*:)?v\s*>))?\s*</(?:[A-Za-z][\w.-]*:)?c\s*>"
)
#: A cell with a format.
_FORMAT = re.compile(rb"<(?:[A-Za-z][\w.-]*:)?c\s([^<>]*\bs=[\"']([0-9]+)[\"'][^<>]*)>")
#: Of a cell that holds no number.
_TEXTS = re.compile(rb"\bt=[\"'](?!n[\"'])")
#: A cell that came to an error, by a formula or not, with what it shows.
_ERROR = re.compile(
    rb"<(?:[A-Za-z][\w.-]*:)?c\s([^<>]*\bt=[\"']e[\"'][^<>]*)>\s*(?:<(?:[A-Za-z][\w.-]*:)?f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:[A-Za-z][\w.-]*:)?f\s*>)\s*)?"
    rb"<(?:[A-Za-z][\w.-]*:)?v(?:\s[^<>]*)?>([^<]*)<"
)
#: The formats that every program knows by their numbers; of others nobody can tell how they show a number.
KNOWN = {
    "0": "General",
    "1": "0",
    "2": "0.00",
    "3": "#,##0",
    "4": "#,##0.00",
    "9": "0%",
    "10": "0.00%",
    "49": "@",
    "14": "m/d/yy",
    "15": "d-mmm-yy",
    "16": "d-mmm",
    "17": "mmm-yy",
    "22": "m/d/yy h:mm",
    **{str(each): "h:mm:ss" for each in (18, 19, 20, 21, 32, 33, 34, 35, 45, 46, 47, 55, 56)},
    **{str(each): 'yyyy"年"m"月"' for each in (27, 36, 50, 52, 57)},
    **{str(each): 'm"月"d"日"' for each in (28, 29, 30, 31, 51, 53, 54, 58)},
}
UNKNOWN = "?"
#: Formats that show a number as it is, of which nothing has to be told.
PLAIN = frozenset({"", "General", "G/通用格式", "@"})
_PLACE = re.compile(rb"\br=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_KIND = re.compile(rb"\bt=[\"'](\w+)[\"']")
#: A workbook that leaves the computing to whoever opens it: its program wrote 0 for what it did not know.
_COMPUTED_LATER = re.compile(rb"<(?:[A-Za-z][\w.-]*:)?calcPr\b[^<>]*\bfullCalcOnLoad=[\"'](?:1|true)[\"']")
#: A row with its number, where rows end, and a cell or a value of one.
_ROW = re.compile(rb"<(?:[A-Za-z][\w.-]*:)?row\s[^<>]*?\br=[\"']([0-9]{1,9})[\"']")
_END = re.compile(rb"</(?:[A-Za-z][\w.-]*:)?sheetData\s*>")
_CELL_OR_VALUE = re.compile(rb"<(?:[A-Za-z][\w.-]*:)?(c|v|t)(\s[^<>]*)?>([^<]*)")
#: More bytes than the beginning of a row takes.
_LONGEST_ROW = 2**12
#: More bytes than a formula and its value take.
_LONGEST_CELL = 2**18
_CHUNK = 2**20


def main() -> None:
    """Content comes by standard input, sheets leave as JSON by standard output, each by its name with its rows and with the places of its cells by the
    formats of their numbers: the first ``MAX_SHEETS`` that are visible. A place counts cells row by row, ``MAX_COLUMNS`` in each. A formula counts as what it last showed; one that shows nothing is told by ``UNSHOWN``."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import io

    content, longer = _shortened(io.BytesIO(sys.stdin.buffer.read()))
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    content.seek(0)
    book = CalamineWorkbook.from_filelike(content)
    told = _told(content, [each.name for each in book.sheets_metadata])
    sheets = [each for each in book.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
    shown = [each for each in sheets if each.visible == SheetVisibleEnum.Visible] or sheets
    found = {}
    for each in shown[:MAX_SHEETS]:
        texts, formats = told.get(each.name, ({}, {}))
        found[each.name] = {"rows": _cells(book.get_sheet_by_name(each.name), texts, each.name in longer), "formats": formats}
    # in one piece: it is faster, and what would not fit into this process's memory never reaches the other
    sys.stdout.write(json.dumps(found))


#: What the cells of a sheet show that hold no value, by their places; and the places of cells that hold numbers, by their formats.
Told = tuple[dict[int, str], dict[str, list[int]]]


def _cells(sheet: Any, texts: dict[int, str], longer: bool) -> list[list[str]]:
    """The first rows, down to the last one that is not blank; ``MAX_ROWS`` of them, if more than blanks stands below them (``longer``: as is known)."""
    # rows come from the first one on, however far below the first filled one stands; columns only from the first filled one on
    indent = [""] * min(sheet.start[1] if sheet.start else 0, MAX_COLUMNS)
    read = sheet.iter_rows()
    rows = [indent + [_shown(cell) for cell in row[:MAX_COLUMNS]] for row in itertools.islice(read, MAX_ROWS)]
    if not longer and all(_is_blank(row) for row in read):
        while rows and _is_blank(rows[-1]):
            rows.pop()
    rows += [[] for _ in range(MAX_ROWS - len(rows) if longer else 0)]
    for place, text in texts.items():
        row, column = divmod(place, MAX_COLUMNS)
        rows += [[] for _ in range(row + 1 - len(rows))]
        rows[row] += [""] * (column + 1 - len(rows[row]))
        rows[row][column] = text
    return rows


def _is_blank(row: list[Any]) -> bool:
    return not any(str(cell).strip() for cell in row)


def _shown(cell: Any) -> str:
    """A cell as text. A number has the 15 digits that programs keep of it, so that 7 is no 7.0, and 46 times 0.15 is 6.9; one of more digits has a power
    of ten behind it, which tells that the last ones are lost."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if not isinstance(cell, float | int):
        return str(cell)
    shown = f"{cell:.{DIGITS}g}"
    return format(Decimal(shown), "f") if "e-" in shown else shown


def _shortened(content: Any) -> tuple[Any, set[str]]:
    """A workbook without the rows below those that are read: one cell far down, be it of a blank, and all between would take more memory than there is.
    And the sheets on which more than blanks stands there."""
    import io
    import zipfile

    if not zipfile.is_zipfile(content):
        return content, set()
    with zipfile.ZipFile(content) as archive:
        parts = {each.lower().lstrip("/"): each for each in archive.namelist()}
        if "xl/workbook.xml" not in parts:
            return content, set()
        sheets = {parts[target]: sheet for sheet, target in _targets(archive, parts) if target in parts}
        long = {name for name in sheets if _is_long(archive, name)}
        if not long:
            return content, set()
        blanks, longer, shortened = _blank_texts(archive, parts), set(), io.BytesIO()
        with zipfile.ZipFile(shortened, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as kept:
            for name in archive.namelist():
                part = archive.read(name)
                if name in long:
                    first = next(row.start() for row in _ROW.finditer(part) if int(row[1]) > MAX_ROWS)
                    end = _END.search(part, first)
                    last = end.start() if end else len(part)
                    if not _are_blank(part, first, last, blanks):
                        longer.add(sheets[name])
                    part = part[:first] + part[last:]
                kept.writestr(name, part)
    return shortened, longer


def _is_long(archive: Any, name: str) -> bool:
    """Whether a sheet has rows below those that are read."""
    kept = b""
    with archive.open(name) as part:
        while chunk := part.read(_CHUNK):
            seen = kept + chunk
            if any(int(row[1]) > MAX_ROWS for row in _ROW.finditer(seen)):
                return True
            kept = seen[-_LONGEST_ROW:]
    return False


def _blank_texts(archive: Any, parts: dict[str, str]) -> set[bytes]:
    """The texts that cells share, by their numbers, of those that are blank."""
    from xml.etree import ElementTree

    if "xl/sharedstrings.xml" not in parts:
        return set()
    found, number = set(), 0
    with archive.open(parts["xl/sharedstrings.xml"]) as part:
        for _, each in ElementTree.iterparse(part):  # noqa: S314 -- within this process's memory and time
            if each.tag.rpartition("}")[2] == "si":
                if not "".join(each.itertext()).strip():
                    found.add(str(number).encode())
                number += 1
                each.clear()
    return found


def _are_blank(part: bytes, first: int, last: int, blanks: set[bytes]) -> bool:
    """Whether the cells of a piece of a sheet hold nothing but blanks."""
    shared = False
    for each in _CELL_OR_VALUE.finditer(part, first, last):
        if each[1] == b"c":
            kind = _KIND.search(each[2] or b"")
            shared = kind is not None and kind[1] == b"s"
        elif (each[3] not in blanks) if shared else each[3].decode("utf-8", "replace").strip():
            return False
    return True


def _told(content: Any, names: list[str]) -> dict[str, Told]:
    """What is told of the cells of each sheet besides their values; ``names``: of all sheets, in their order."""
    import zipfile

    content.seek(0)
    if not zipfile.is_zipfile(content):
        content.seek(0)
        old = runpy.run_path(str(Path(__file__).with_name("old_workbook.py")))
        found: dict[str, Told] = old["told"](content.read(), names, KNOWN, UNKNOWN, PLAIN, MAX_COLUMNS)
        return found
    with zipfile.ZipFile(content) as archive:
        parts = {each.lower().lstrip("/"): each for each in archive.namelist()}
        if "xl/workbook.xml" not in parts:
            return {}
        later = _COMPUTED_LATER.search(archive.read(parts["xl/workbook.xml"])) is not None
        formats = _formats(archive, parts) if "xl/styles.xml" in parts else {}

        def told(name: str) -> Told:
            def look(pattern: re.Pattern[bytes], *hints: bytes) -> Iterator[re.Match[bytes]]:
                with archive.open(name) as part:
                    yield from _matches(part, pattern, hints)

            return _unshown(look, later) | _errors(look), _formatted(look, formats) if formats else {}

        return {sheet: told(parts[target]) for sheet, target in _targets(archive, parts) if target in parts}


#: Finds what matches a pattern in a sheet; hints are what stands in every match, so that most sheets need no longer look.
Look = Callable[..., Iterator[re.Match[bytes]]]


def _matches(part: Any, pattern: re.Pattern[bytes], hints: tuple[bytes, ...]) -> Iterator[re.Match[bytes]]:
    kept = b""
    while chunk := part.read(_CHUNK):
        seen, done = kept + chunk, 0
        for found in pattern.finditer(seen) if not hints or any(hint in seen for hint in hints) else ():
            done = found.end()
            yield found
        kept = seen[max(done, len(seen) - _LONGEST_CELL) :]


def _formats(archive: Any, parts: dict[str, str]) -> dict[bytes, str]:
    """The formats of numbers by the numbers that cells name them by, but for those that show a number as it is."""
    from xml.etree import ElementTree

    codes, used = dict(KNOWN), dict[bytes, str]()
    for each in ElementTree.fromstring(archive.read(parts["xl/styles.xml"])).iter():  # noqa: S314 -- within this process's memory and time
        match each.tag.rpartition("}")[2]:
            case "numFmt":
                codes[each.get("numFmtId", "")] = each.get("formatCode", "")
            case "cellXfs":
                used = {str(at).encode(): codes.get(one.get("numFmtId", "0"), UNKNOWN) for at, one in enumerate(each)}
    return {at: code for at, code in used.items() if code not in PLAIN}


def _formatted(look: Look, formats: dict[bytes, str]) -> dict[str, list[int]]:
    """The cells that hold numbers, by their formats."""
    found: dict[str, list[int]] = {}
    for cell in look(_FORMAT):
        if (code := formats.get(cell[2])) and not _TEXTS.search(cell[1]) and (place := _place(cell[1])) is not None:
            found.setdefault(code, []).append(place)
    return found


def _errors(look: Look) -> dict[int, str]:
    """The cells that came to an error, with what they show, such as #N/A."""
    return {
        place: cell[2].decode("utf-8", "replace")
        for cell in look(_ERROR, b't="e"', b"t='e'")
        if (place := _place(cell[1])) is not None
    }


def _unshown(look: Look, later: bool) -> dict[int, str]:
    """The cells whose formulas show no value, since nobody computed them; ``later``: they are computed by whoever opens the file."""
    found = {}
    # most sheets have none, and to look for cells with one takes longer than to read them
    for formula in look(_FORMULA, b"<f", b":f"):
        kind = _KIND.search(formula[1])
        told = kind[1] if kind else b"n"
        # a formula that comes to an empty text shows just that
        shows = told == b"str" if not formula[2] else not (later and formula[2] == b"0")
        if not shows and (place := _place(formula[1])) is not None:
            found[place] = UNSHOWN
    return found


def _place(attributes: bytes) -> int | None:
    """The place of a cell; None: it is not read."""
    told = _PLACE.search(attributes)
    row, column = (int(told[2]) - 1, _number_of(told[1]) - 1) if told else (MAX_ROWS, 0)
    return row * MAX_COLUMNS + column if row < MAX_ROWS and column < MAX_COLUMNS else None


def _targets(archive: Any, parts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Each sheet by its name, with the part of the archive that holds it."""
    from xml.etree import ElementTree

    kept = "xl/_rels/workbook.xml.rels"
    related = ElementTree.fromstring(archive.read(parts[kept])) if kept in parts else ()  # noqa: S314 -- within this process's memory and time
    targets = {each.get("Id"): each.get("Target", "") for each in related}
    for each in ElementTree.fromstring(archive.read(parts["xl/workbook.xml"])).iter():  # noqa: S314
        if each.tag.rpartition("}")[2] == "sheet":
            ids = [value for name, value in each.attrib.items() if name.rpartition("}")[2] == "id" and name != "id"]
            target = targets.get(ids[0], "") if ids else ""
            whole = target.lstrip("/") if target.startswith("/") else f"xl/{target.removeprefix('./')}"
            yield each.get("name", ""), whole.lower()


@functools.cache
def _number_of(letters: bytes) -> int:
    """The place of a column by its letters: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


if __name__ == "__main__":
    main()
