"""Tables as files that spreadsheet programs open: text stays text, figures are figures, nothing in it is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from fastapi.responses import Response

Cell = str | int | Decimal | date | None

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
#: Rows that a worksheet holds below its header.
MAX_ROWS = 1_048_575
#: How a route documents that it may answer with a file.
FILES: dict[int | str, dict[str, object]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}, XLSX: {"schema": {"type": "string", "format": "binary"}}}}
}
#: What a spreadsheet program takes for the beginning of a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def safe(cell: str) -> str:
    """A text cell that opens as text: what looks like a formula is led by an apostrophe."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with a byte order mark, as Excel wants it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_plain(cell) for cell in row])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def _plain(cell: Cell) -> Cell:
    """A cell as it is written into CSV: 100, never 1E+2."""
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return "" if cell is None else safe(cell) if isinstance(cell, str) else cell


def as_xlsx(title: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """One worksheet with a frozen header, written row by row, so that a long list does not stand in memory as cells."""
    import xlsxwriter  # not in memory before somebody asks for it

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True}) as book:
        sheet = book.add_worksheet(title)
        day, bold = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(header):
            sheet.write_string(0, column, name, bold)
        for number, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, column, safe(cell))
                elif isinstance(cell, date):
                    sheet.write_datetime(number, column, cell, day)
                elif cell is not None:
                    sheet.write_number(number, column, cell)
    return buffer.getvalue()


def file(kind: str, name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], title: str = "Sheet1") -> Response:
    """The answer that holds a table as a file; ``kind`` is ``csv`` or ``xlsx``, ``name`` in plain letters, without its ending."""
    content = as_csv(header, rows) if kind == "csv" else as_xlsx(title, header, rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return Response(content, media_type=CSV if kind == "csv" else XLSX, headers=headers)
