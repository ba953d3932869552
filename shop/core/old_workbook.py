"""What a workbook of the kind before XLSX ([MS-XLS]) tells of its cells besides their values; ``shop.core.sheet_reader`` runs it in its process.

Nothing of the program may be imported here.
"""

from collections.abc import Callable, Collection, Iterator, Mapping

#: How one begins, and the records that are looked at in it ([MS-XLS] 2.3.1).
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BEGIN, _END_OF, _SHEET, _NUMBER_FORMAT, _CELL_FORMAT = 0x809, 0x0A, 0x85, 0x41E, 0xE0
_CELL, _SHORT_CELL, _SHORT_CELLS, _CELL_OF_FORMULA, _TRUTH_OR_ERROR = 0x203, 0x27E, 0xBD, 0x06, 0x205
#: What a cell shows that came to an error ([MS-XLS] 2.5.10).
_ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}

Told = tuple[dict[int, str], dict[str, list[int]]]


def told(
    content: bytes, names: list[str], known: Mapping[str, str], unknown: str, plain: Collection[str], width: int
) -> dict[str, Told]:
    """What the cells of each sheet show that came to an error, by their places, and the places of those that hold numbers, by their formats (``known``: by
    their numbers; ``plain`` ones are left out). ``names``: of the sheets, in their order; ``width``: as many cells a row has in places."""
    if not content.startswith(_COMPOUND):
        return {}
    try:
        stream = _workbook_in(content)
        codes, used, sheets, wide = dict(known), list[str](), list[int](), False
        for kind, body in _records(stream, 0):
            if kind == _BEGIN:
                wide = body[:2] == b"\0\6"  # since Excel 97; before it texts have one byte for each letter
            elif kind == _NUMBER_FORMAT:
                code = body[5:].decode("utf-16-le" if body[4] & 1 else "latin-1") if wide else body[3:].decode("latin-1")
                codes[str(_short(body, 0))] = code
            elif kind == _CELL_FORMAT:
                used.append(str(_short(body, 2)))
            elif kind == _SHEET:
                sheets.append(int.from_bytes(body[:4], "little"))
        formats = [codes.get(each, unknown) for each in used]
        return {name: _of_sheet(stream, at, formats, plain, width) for name, at in zip(names, sheets, strict=False)}
    except (IndexError, StopIteration, ValueError):  # not in the form that it says; what can be read of its cells is read
        return {}


def _of_sheet(stream: bytes, at: int, formats: list[str], plain: Collection[str], width: int) -> Told:
    texts: dict[int, str] = {}
    found: dict[str, list[int]] = {}
    for kind, body in _records(stream, at):
        error = _error(kind, body)
        if error is not None and _short(body, 2) < width:
            texts[_short(body, 0) * width + _short(body, 2)] = error
        for row, column, used_as in _numbers(kind, body):
            if column < width and formats[used_as] not in plain:
                found.setdefault(formats[used_as], []).append(row * width + column)
    return texts, found


def _error(kind: int, body: bytes) -> str | None:
    """What a cell shows whose record holds an error."""
    if kind == _TRUTH_OR_ERROR and body[7]:
        return _ERRORS.get(body[6], "#N/A")
    if kind == _CELL_OF_FORMULA and body[6] == 2 and body[12:14] == b"\xff\xff":
        return _ERRORS.get(body[8], "#N/A")
    return None


def _numbers(kind: int, body: bytes) -> Iterator[tuple[int, int, int]]:
    """The cells of a record that hold numbers, by row and column from 0, each with the number of its format."""
    row, column = _short(body, 0), _short(body, 2)
    if kind in (_CELL, _SHORT_CELL) or (kind == _CELL_OF_FORMULA and body[12:14] != b"\xff\xff"):  # else its value is no number
        yield row, column, _short(body, 4)
    elif kind == _SHORT_CELLS:
        for number, at in enumerate(range(4, len(body) - 2, 6)):
            yield row, column + number, _short(body, at)


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
