"""Reads the sheets of an XLSX file in a process of its own, with little memory and time; ``shop.core.sheets`` starts it.

A crafted file makes any reader take all memory or end its process. This file runs alone: nothing of the program may be imported here.
"""

import itertools
import json
import re
import resource
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

MEMORY = 256 * 2**20
SECONDS = 8
#: More rows or columns than these are not read; one row more than may be given shows that there were too many.
MAX_ROWS = 20_000
MAX_COLUMNS = 200
MAX_SHEETS = 20
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
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
#: What a format writes as it stands.
_QUOTED = re.compile(r'"[^"]*"|\\.')
#: The formats of percents that every program knows.
_PERCENTS = ("9", "10")
_PLACE = re.compile(rb"\br=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_KIND = re.compile(rb"\bt=[\"'](\w+)[\"']")
#: A workbook that leaves the computing to whoever opens it: its program wrote 0 for what it did not know.
_COMPUTED_LATER = re.compile(rb"<(?:[A-Za-z][\w.-]*:)?calcPr\b[^<>]*\bfullCalcOnLoad=[\"'](?:1|true)[\"']")
#: How a workbook of the kind before XLSX begins, and the records that are looked at in it ([MS-XLS] 2.3.1).
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BEGIN, _END_OF, _SHEET, _NUMBER_FORMAT, _CELL_FORMAT = 0x809, 0x0A, 0x85, 0x41E, 0xE0
_CELL, _SHORT_CELL, _SHORT_CELLS, _CELL_OF_FORMULA = 0x203, 0x27E, 0xBD, 0x06
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
    """Content comes by standard input, rows leave as JSON by standard output: those of the first visible sheet, or
    with the argument ``all`` of the first ``MAX_SHEETS`` of them, by their names. A formula counts as what it last showed; one that shows nothing is told by
    ``UNSHOWN``."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import io

    content, longer = _shortened(io.BytesIO(sys.stdin.buffer.read()))
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    content.seek(0)
    book = CalamineWorkbook.from_filelike(content)
    percents = _percents(content) or _percents_of_old(content, [each.name for each in book.sheets_metadata])
    unshown = _unshown(content)
    sheets = [each for each in book.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
    shown = [each for each in sheets if each.visible == SheetVisibleEnum.Visible] or sheets
    most = MAX_SHEETS if "all" in sys.argv[1:] else 1
    found = {each.name: _cells(book.get_sheet_by_name(each.name), unshown, percents, each.name in longer) for each in shown[:most]}
    # in one piece: it is faster, and what would not fit into this process's memory never reaches the other
    sys.stdout.write(json.dumps(found))


Places = dict[str, list[tuple[int, int]]]
#: What finds the cells of one sheet.
Look = Callable[[Any], list[tuple[int, int]]]


def _cells(sheet: Any, unshown: Places, percents: Places, longer: bool) -> list[list[str]]:
    """The first rows, down to the last one that is not blank; ``MAX_ROWS`` of them, if more than blanks stands below them (``longer``: as is known)."""
    # rows come from the first one on, however far below the first filled one stands; columns only from the first filled one on
    indent = [""] * min(sheet.start[1] if sheet.start else 0, MAX_COLUMNS)
    read = sheet.iter_rows()
    rows = [indent + [_shown(cell) for cell in row[:MAX_COLUMNS]] for row in itertools.islice(read, MAX_ROWS)]
    if not longer and all(_is_blank(row) for row in read):
        while rows and _is_blank(rows[-1]):
            rows.pop()
    rows += [[] for _ in range(MAX_ROWS - len(rows) if longer else 0)]
    for row, column in percents.get(sheet.name, ()):
        if row < len(rows) and column < len(rows[row]) and _NUMBER.fullmatch(rows[row][column]):
            rows[row][column] = _percent(rows[row][column])
    for row, column in unshown.get(sheet.name, ()):
        rows += [[] for _ in range(row + 1 - len(rows))]
        rows[row] += [""] * (column + 1 - len(rows[row]))
        rows[row][column] = UNSHOWN
    return rows


def _is_blank(row: list[Any]) -> bool:
    return not any(str(cell).strip() for cell in row)


def _shown(cell: Any) -> str:
    """A cell as text. A number has the 15 digits that programs keep of it, so that 7 is no 7.0, and 46 times 0.15 is 6.9; one of more digits has a power
    of ten behind it, which tells that the last ones are lost."""
    if not isinstance(cell, float | int) or isinstance(cell, bool):
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


def _percent(number: str) -> str:
    """0.125 as a cell of percents shows it: 12.5%."""
    whole, _, decimals = format(Decimal(number) * 100, "f").partition(".")
    return f"{whole}.{decimals}".rstrip("0").rstrip(".") + "%" if decimals else f"{whole}%"


def _unshown(content: Any) -> Places:
    """The cells of each sheet whose formulas show no value, by row and column from 0: those that nobody computed, and those that came to an error."""

    def looking(archive: Any, parts: dict[str, str]) -> Look:
        later = _COMPUTED_LATER.search(archive.read(parts["xl/workbook.xml"])) is not None
        return lambda part: _unshown_of(part, later)

    return _found(content, looking)


def _percents(content: Any) -> Places:
    """The cells of each sheet that show percents, by row and column from 0."""

    def looking(archive: Any, parts: dict[str, str]) -> Look | None:
        formats = _formats_of_percents(archive, parts) if "xl/styles.xml" in parts else None
        return (lambda part: _percents_of(part, formats)) if formats else None

    return _found(content, looking)


def _found(content: Any, looking: Callable[[Any, dict[str, str]], Look | None]) -> Places:
    """The cells of each sheet of a workbook that are looked for; ``looking``: how, by what the whole workbook says; None: there are none."""
    import zipfile

    content.seek(0)
    if not zipfile.is_zipfile(content):  # the kind before XLSX always keeps the value
        return {}
    with zipfile.ZipFile(content) as archive:
        parts = {each.lower().lstrip("/"): each for each in archive.namelist()}
        look = looking(archive, parts) if "xl/workbook.xml" in parts else None
        if look is None:
            return {}
        found = {}
        for sheet, target in _targets(archive, parts):
            if (name := parts.get(target)) is not None:
                with archive.open(name) as part:
                    found[sheet] = look(part)
    return found


def _formats_of_percents(archive: Any, parts: dict[str, str]) -> frozenset[bytes]:
    """The numbers that cells name formats by, of those that show percents; most workbooks have none."""
    from xml.etree import ElementTree

    numbers, used = set(_PERCENTS), frozenset[bytes]()
    for each in ElementTree.fromstring(archive.read(parts["xl/styles.xml"])).iter():  # noqa: S314 -- within this process's memory and time
        match each.tag.rpartition("}")[2]:
            case "numFmt" if "%" in _QUOTED.sub("", each.get("formatCode", "")):
                numbers.add(each.get("numFmtId", ""))
            case "cellXfs":
                used = frozenset(str(at).encode() for at, one in enumerate(each) if one.get("numFmtId") in numbers)
    return used


def _percents_of(part: Any, formats: frozenset[bytes]) -> list[tuple[int, int]]:
    cells: list[tuple[int, int]] = []
    kept = b""
    while chunk := part.read(_CHUNK):
        seen, done = kept + chunk, 0
        for cell in _FORMAT.finditer(seen):
            done = cell.end()
            if cell[2] in formats and (place := _PLACE.search(cell[1])):
                row, column = int(place[2]) - 1, _number_of(place[1].decode()) - 1
                if row < MAX_ROWS and column < MAX_COLUMNS and not _TEXTS.search(cell[1]):
                    cells.append((row, column))
        kept = seen[max(done, len(seen) - _LONGEST_CELL) :]
    return cells


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


def _unshown_of(part: Any, later: bool) -> list[tuple[int, int]]:
    """The cells of one sheet; ``later``: its formulas are computed by whoever opens it."""
    cells: list[tuple[int, int]] = []
    kept = b""
    while chunk := part.read(_CHUNK):
        seen, done = kept + chunk, 0
        # most sheets have none, and to look for cells with one takes longer than to read them
        for formula in _FORMULA.finditer(seen) if b"<f" in seen or b":f" in seen else ():
            done = formula.end()
            kind, place = _KIND.search(formula[1]), _PLACE.search(formula[1])
            told = kind[1] if kind else b"n"
            # a formula that comes to an empty text shows just that
            shows = told == b"str" if not formula[2] else told != b"e" and not (later and formula[2] == b"0")
            if place and not shows:
                row, column = int(place[2]) - 1, _number_of(place[1].decode()) - 1
                if row < MAX_ROWS and column < MAX_COLUMNS:
                    cells.append((row, column))
        kept = seen[max(done, len(seen) - _LONGEST_CELL) :]
    return cells


def _percents_of_old(content: Any, names: list[str]) -> Places:
    """The same in the kind before XLSX ([MS-XLS]), whose sheets have these names."""
    content.seek(0)
    if content.read(8) != _COMPOUND:
        return {}
    content.seek(0)
    try:
        stream = _workbook_in(content.read())
        formats, used, sheets, wide = {int(each) for each in _PERCENTS}, list[bool](), list[int](), False
        for kind, body in _records(stream, 0):
            if kind == _BEGIN:
                wide = body[:2] == b"\0\6"  # since Excel 97; before it texts have one byte for each letter
            elif kind == _NUMBER_FORMAT:
                code = body[5:].decode("utf-16-le" if body[4] & 1 else "latin-1") if wide else body[3:].decode("latin-1")
                formats |= {_short(body, 0)} if "%" in _QUOTED.sub("", code) else set()
            elif kind == _CELL_FORMAT:
                used.append(_short(body, 2) in formats)
            elif kind == _SHEET:
                sheets.append(int.from_bytes(body[:4], "little"))
        return {
            name: [place for kind, body in _records(stream, at) for place, used_as in _numbers(kind, body) if used[used_as]]
            for name, at in zip(names, sheets, strict=False)
        }
    except (IndexError, StopIteration, ValueError):  # not in the form that it says; what can be read of its cells is read
        return {}


def _numbers(kind: int, body: bytes) -> Iterator[tuple[tuple[int, int], int]]:
    """The cells of a record that hold numbers, by row and column from 0, each with the number of its format."""
    row, column = _short(body, 0), _short(body, 2)
    if kind in (_CELL, _SHORT_CELL) or (kind == _CELL_OF_FORMULA and body[12:14] != b"\xff\xff"):  # else its value is no number
        yield (row, column), _short(body, 4)
    elif kind == _SHORT_CELLS:
        for number, at in enumerate(range(4, len(body) - 2, 6)):
            yield (row, column + number), _short(body, at)


def _short(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 2], "little")


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The records of the sheet, or of the whole workbook, that begins there; what is embedded in it begins and ends within."""
    depth = 0
    while at + 4 <= len(stream):
        kind, length = _short(stream, at), _short(stream, at + 2)
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length
        depth += (kind == _BEGIN) - (kind == _END_OF)
        if depth <= 0:
            return


def _workbook_in(content: bytes) -> bytes:
    """The stream of a compound file ([MS-CFB]) that holds the workbook."""

    def longs(piece: bytes) -> list[int]:
        return [int.from_bytes(piece[at : at + 4], "little") for at in range(0, len(piece) - 3, 4)]

    def sector(number: int) -> bytes:
        return content[(number + 1) * size : (number + 2) * size]

    def chained(number: int, table: list[int], part: Callable[[int], bytes]) -> bytes:
        parts: list[bytes] = []
        while number < len(table) and len(parts) <= len(table):
            parts.append(part(number))
            number = table[number]
        return b"".join(parts)

    size = 1 << min(_short(content, 30), 12)
    cutoff, small, _, more, extra = longs(content[56:76])
    tables = longs(content[76:512])
    for _ in range(min(extra, len(content) // size)):
        *further, more = longs(sector(more))
        tables += further
    table = longs(b"".join(sector(number) for number in tables if number < len(content) // size))
    directory = chained(longs(content[48:52])[0], table, sector)
    entries = [directory[at : at + 128] for at in range(0, len(directory), 128)]
    names = ["Workbook".encode("utf-16-le"), "Book".encode("utf-16-le")]
    found = next(each for name in names for each in entries if each[: max(0, _short(each, 64) - 2)] == name)
    start, length = longs(found[116:124])
    if length >= cutoff:
        return chained(start, table, sector)[:length]
    minor = chained(longs(entries[0][116:120])[0], table, sector)
    return chained(start, longs(chained(small, table, sector)), lambda number: minor[number * 64 : number * 64 + 64])[:length]


def _number_of(letters: str) -> int:
    """The place of a column by its letters: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


if __name__ == "__main__":
    main()
