"""Reading a spreadsheet that somebody sent.

A crafted file makes any reader take all memory or end its process, so each XLSX is read by a process of its own, with little memory and time.
That process runs this very file, alone: nothing of the program may be imported above the line that says so.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

MEMORY = 768 * 2**20
SECONDS = 20
#: More rows or columns than these are not read; one row more than may be ordered shows that there were too many.
MAX_ROWS = 20_000
MAX_COLUMNS = 200


class UnreadableSheet(ValueError):
    """No spreadsheet, a broken one, or one that takes more memory or time than any honest one."""


def first_sheet(content: bytes) -> list[list[str]]:
    """The cells of the first sheet of an XLSX file, as text, from its first row on.

    Raises:
        UnreadableSheet: see there.
    """
    command = [sys.executable, "-I", __file__]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=SECONDS + 5, check=True)  # noqa: S603
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise UnreadableSheet from error
    rows: list[list[str]] = json.loads(done.stdout)
    return rows


def _read() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import io

    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    sheet = book.get_sheet_by_index(0)
    start = sheet.start or (0, 0)
    json.dump([*([] for _ in range(min(start[0], MAX_ROWS))), *_cells(sheet.iter_rows(), start[1])], sys.stdout)


def _cells(rows: Iterator[list[Any]], indent: int) -> Iterator[list[str]]:
    for _, row in zip(range(MAX_ROWS), rows, strict=False):
        yield [""] * min(indent, MAX_COLUMNS) + [str(cell) for cell in row[:MAX_COLUMNS]]


if __name__ == "__main__":
    _read()
