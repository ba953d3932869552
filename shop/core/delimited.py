"""Tables as text, with commas or tabs between the cells, as spreadsheet programs and banks write them."""

import codecs
import csv
import io
import itertools
import re

from shop.core.sheet_reader import MAX_COLUMNS, MAX_ROWS

#: UTF-8 with or without a byte order mark, and what Chinese spreadsheet programs write.
_ENCODINGS = ("utf-8-sig", "gb18030")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
#: The beginning of a text shows what it is.
BEGINNING = 4_000
#: A tab beside a comma or at an end of a line only keeps a long number from becoming a figure.
_PADDING = re.compile(r'^"?\t|\t"?$|(?<=,)"?\t|\t"?(?=,)')


def decoded(content: bytes) -> str | None:
    """A text by its encoding; None: it is none."""
    for encoding in ("utf-16",) if content.startswith(UTF_16) else _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\x00" in text else text
    return None


def rows(text: str) -> list[list[str]]:
    """The cells of a text, of its first rows and columns, without blank rows at its end.

    Raises:
        csv.Error: they cannot be told apart.
    """
    lines = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if _by_tabs(text) else ",")
    found = [line[:MAX_COLUMNS] for line in itertools.islice(lines, MAX_ROWS)]
    if not any(_is_filled(line) for line in lines):
        while found and not _is_filled(found[-1]):
            found.pop()
    return found


def _is_filled(line: list[str]) -> bool:
    return any(cell.strip() for cell in line)


def _by_tabs(text: str) -> bool:
    """Whether more of the first lines are parted by tabs than by commas alone."""
    first = [_PADDING.sub("", line) for line in text[:BEGINNING].splitlines()]
    return sum("\t" in line for line in first) > sum("," in line and "\t" not in line for line in first)
