"""The formats of a file. Each writer takes rows as they come, so that a long file never stands in memory."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from orders.exporting.rules import SHEET_ROWS, Format
from orders.exporting.table import Cell, Column, Table, Type
from shop.core.clock import SHANGHAI, shanghai_text
from shop.core.errors import Language
from shop.core.exports import (
    ABOUT_HEADER,
    ABOUT_TITLE,
    CSV,
    DAY,
    DIGITS,
    FORMULA_STARTS,
    MOMENT,
    XLSX,
    SheetTable,
    Styles,
    number_format,
    safe,
    safe_in_csv,
)

CONTENT_TYPES = {
    Format.CSV: CSV,
    Format.XLSX: XLSX,
    Format.JSON: "application/json",
    Format.PARQUET: "application/vnd.apache.parquet",
}

Row = Sequence[Cell]


class Writer(Protocol):
    def __init__(self, path: Path, table: Table, language: Language) -> None: ...

    def write(self, rows: Sequence[Row]) -> None: ...

    def close(self) -> None:
        """Finish the file."""

    def drop(self) -> None:
        """Let go of a file that nobody wants any more."""


def writer(format: Format, path: Path, table: Table, language: Language) -> Writer:
    """The writer of a format into a file that does not exist yet."""
    kinds: dict[Format, type[Writer]] = {Format.CSV: _Csv, Format.XLSX: _Xlsx, Format.JSON: _Json, Format.PARQUET: _Parquet}
    return kinds[format](path, table, language)


def _moment(cell: Any) -> str:
    """Shanghai time, as people read it."""
    return "" if cell is None else shanghai_text(cell)


_FLAGS: Mapping[Language, tuple[str, str]] = {"zh": ("是", "否"), "en": ("yes", "no")}


def _flag(language: Language) -> Callable[[Any], str]:
    yes, no = _FLAGS[language]
    return lambda cell: "" if cell is None else yes if cell else no


def _text(cell: Any) -> str:
    return "" if cell is None else safe_in_csv(cell)


def _number(cell: Any) -> str:
    return "" if cell is None else format(cell, "f")


class _Csv:
    """UTF-8 with a byte order mark, as spreadsheet programs want it; text that looks like a formula is led by an apostrophe, long digits by a tab."""

    def __init__(self, path: Path, table: Table, language: Language) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow([column.head(language) for column in table.columns])
        shown = {Type.TEXT: _text, Type.MOMENT: _moment, Type.FLAG: _flag(language)}
        numbers = {Type.MONEY, Type.PERCENT, Type.QUANTITY}
        self._shown = [
            (at, _number if column.type in numbers else shown[column.type])
            for at, column in enumerate(table.columns)
            if column.type in shown or column.type in numbers
        ]
        self._told = [(at, column.told) for at, column in enumerate(table.columns) if column.words]

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            cells: list[Any] = list(row)
            for at, told in self._told:
                cells[at] = told(cells[at])
            for at, show in self._shown:
                cells[at] = show(cells[at])
            self._writer.writerow(cells)

    def close(self) -> None:
        self._file.close()

    drop = close


#: SQL: what a formula begins with, and the text of a cell, see :func:`shop.core.exports.safe_in_csv`.
_STARTS = ", ".join(f"'{start}'" for start in FORMULA_STARTS)
_TEXT = f"CASE WHEN left(%s, 1) IN ({_STARTS}) THEN '''' || %s WHEN %s ~ '^({DIGITS})$' THEN chr(9) || %s ELSE %s END"


class CsvLines:
    """The same from lines that PostgreSQL wrote."""

    options = "FORMAT csv"

    def __init__(self, path: Path, table: Table, language: Language) -> None:
        self._file = path.open("wb")
        head = io.StringIO()
        csv.writer(head, lineterminator="\n").writerow([column.head(language) for column in table.columns])
        self._file.write(b"\xef\xbb\xbf" + head.getvalue().encode())

    @staticmethod
    def cells(table: Table, language: Language) -> list[str]:
        """SQL: the columns as they are shown."""
        yes, no = _FLAGS[language]
        shown = {
            Type.TEXT: _TEXT.replace("%s", "{0}"),
            Type.MOMENT: r"to_char({0} AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24\:MI\:SS')",
            Type.FLAG: f"CASE {{0}} WHEN true THEN '{yes}' WHEN false THEN '{no}' END",
        }
        return [column.told_sql(shown.get(column.type, "{0}").replace("{0}", f'"{column.name}"')) for column in table.columns]

    def write(self, lines: Sequence[bytes]) -> None:
        self._file.write(b"".join(lines))

    def close(self) -> None:
        self._file.close()

    drop = close


class _Json:
    """An array of objects, one on each line; amounts and quantities are strings, as everywhere in the API."""

    def __init__(self, path: Path, table: Table, language: Language) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._names = [column.name for column in table.columns]
        self._begun = False

    def write(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._file.write(",\n" if self._begun else "[\n")
            self._begun = True
            json.dump(dict(zip(self._names, row, strict=True)), self._file, ensure_ascii=False, default=_plain)

    def close(self) -> None:
        self._file.write("\n]\n" if self._begun else "[]\n")
        self._file.close()

    def drop(self) -> None:
        self._file.close()


class JsonLines:
    """The same from lines that PostgreSQL wrote: each an object. JSON has no control characters, so nothing is ever quoted around it."""

    options = r"FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02'"

    def __init__(self, path: Path, table: Table, language: Language) -> None:
        self._file = path.open("wb")
        self._begun = False

    @staticmethod
    def cells(table: Table, language: Language) -> list[str]:
        """SQL: one cell that holds the row as an object."""
        quoted = (Type.MONEY, Type.PERCENT, Type.QUANTITY)
        told = ", ".join(
            f'"{column.name}"::text AS "{column.name}"' if column.type in quoted else f'"{column.name}"' for column in table.columns
        )
        return [f"(SELECT row_to_json(told) FROM (SELECT {told}) AS told)"]  # noqa: S608

    def write(self, lines: Sequence[bytes]) -> None:
        self._file.write((b",\n" if self._begun else b"[\n") + b",\n".join(line.rstrip(b"\n") for line in lines))
        self._begun = True

    def close(self) -> None:
        self._file.write(b"\n]\n" if self._begun else b"[]\n")
        self._file.close()

    def drop(self) -> None:
        self._file.close()


def _plain(cell: Any) -> str:
    return format(cell, "f") if isinstance(cell, Decimal) else cell.isoformat()


class _Xlsx:
    """Typed cells written row by row; a text is always text, so nothing in it is ever calculated. Every 100,000 rows a new sheet."""

    def __init__(self, path: Path, table: Table, language: Language) -> None:
        import xlsxwriter  # not in memory before somebody asks for it

        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._table, self._language = table, language
        self._styles = Styles(self._book)
        self._heads = [column.head(language) for column in table.columns]
        self._flag = _flag(language)
        self._sheets = 0
        self._add_sheet()

    def _add_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._book.add_worksheet(self._table.title if self._sheets == 1 else f"{self._table.title} {self._sheets}")
        self._rows = SheetTable(self._sheet, self._heads, self._styles)
        self._row = 0

    def write(self, rows: Sequence[Row]) -> None:
        columns: Sequence[Column] = self._table.columns
        for row in rows:
            if self._row == SHEET_ROWS:
                self._rows.finish()
                self._add_sheet()
            told = [column.told(cell) for column, cell in zip(columns, row, strict=True)]
            self._row = self._rows.add(told)
            for at, cell in enumerate(told):
                if cell is not None:
                    self._write(at, columns[at].type, cell)

    def _write(self, at: int, type: Type, cell: Any) -> None:
        match type:
            case Type.TEXT:
                self._sheet.write_string(self._row, at, safe(cell))
            case Type.FLAG:
                self._sheet.write_string(self._row, at, self._flag(cell))
            case Type.DATE:
                self._sheet.write_datetime(self._row, at, cell, self._styles.number(DAY))
            case Type.MOMENT:
                # a cell knows no time zone
                local = cell.astimezone(SHANGHAI).replace(tzinfo=None)
                self._sheet.write_datetime(self._row, at, local, self._styles.number(MOMENT))
            case _:
                shown_as = _SHOWN_AS.get(type) or number_format(cell, self._heads[at])
                self._sheet.write_number(self._row, at, cell, self._styles.number(shown_as))

    def close(self) -> None:
        self._rows.finish()
        self._told(_ABOUT[self._language], self._table.about)
        columns = self._table.columns
        self._told(
            _CODES[self._language], [(c.head(self._language), code, word) for c in columns for code, word in c.words.items()]
        )
        self._book.close()

    def _told(self, heading: tuple[str, ...], told: Sequence[Sequence[Cell]]) -> None:
        """A further sheet of words about the table, if there are any."""
        title, *header = heading
        if not told:
            return
        sheet = self._book.add_worksheet(title)
        rows = SheetTable(sheet, header, self._styles)
        for row in told:
            at = rows.add(row)
            for column, cell in enumerate(row):
                sheet.write_string(at, column, safe(str(cell)))
        rows.finish()

    drop = close


#: The title of the sheet that tells what the table is of, and its heading; then of that which tells what codes mean.
_ABOUT: Mapping[Language, tuple[str, ...]] = {
    "zh": (ABOUT_TITLE["zh"], *ABOUT_HEADER["zh"]),
    "en": (ABOUT_TITLE["en"], *ABOUT_HEADER["en"]),
}
_CODES: Mapping[Language, tuple[str, ...]] = {
    "zh": ("代码说明", "列", "代码", "说明"),
    "en": ("Codes", "Column", "Code", "Meaning"),
}
#: How a workbook shows numbers of a type, whatever they are; all others by themselves.
_SHOWN_AS = {Type.MONEY: "#,##0.00", Type.PERCENT: "0.00", Type.WHOLE: "0"}


#: Columns of a Parquet file.
_PARQUET_TYPES = {
    Type.TEXT: "VARCHAR",
    Type.WHOLE: "BIGINT",
    Type.MONEY: "DECIMAL(18,2)",
    Type.PERCENT: "DECIMAL(18,2)",
    Type.QUANTITY: "DECIMAL(18,3)",
    Type.DATE: "DATE",
    Type.MOMENT: "TIMESTAMPTZ",
    Type.FLAG: "BOOLEAN",
}
#: What stands for nothing in the rows that are handed over; no text of ours has it.
_NOTHING = "\ue000"


class _Parquet:
    """Rows are put down as text beside the file and then read by DuckDB, which writes columns with a bounded memory."""

    def __init__(self, path: Path, table: Table, language: Language) -> None:
        self._path, self._columns = path, table.columns
        self._rows = path.with_suffix(".rows")
        self._file = self._rows.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, quoting=csv.QUOTE_ALL)

    def write(self, rows: Sequence[Row]) -> None:
        self._writer.writerows([[_handed(cell) for cell in row] for row in rows])

    def drop(self) -> None:
        self._file.close()

    def close(self) -> None:
        self._file.close()
        _columns_of(self._rows, self._path, self._columns, f"nullstr = '{_NOTHING}', allow_quoted_nulls = true")


class ParquetLines:
    """The same from lines that PostgreSQL wrote, in which nothing is told from an empty text by its missing quotes."""

    options = "FORMAT csv"

    def __init__(self, path: Path, table: Table, language: Language) -> None:
        self._path, self._columns = path, table.columns
        self._rows = path.with_suffix(".rows")
        self._file = self._rows.open("wb")

    @staticmethod
    def cells(table: Table, language: Language) -> list[str]:
        return [f'"{column.name}"' for column in table.columns]

    def write(self, lines: Sequence[bytes]) -> None:
        self._file.write(b"".join(lines))

    def drop(self) -> None:
        self._file.close()

    def close(self) -> None:
        self._file.close()
        _columns_of(self._rows, self._path, self._columns, "nullstr = '', allow_quoted_nulls = false")


#: Formats whose lines PostgreSQL can write itself.
LINES: Mapping[Format, type[CsvLines] | type[JsonLines] | type[ParquetLines]] = {
    Format.CSV: CsvLines,
    Format.JSON: JsonLines,
    Format.PARQUET: ParquetLines,
}


def _columns_of(rows: Path, path: Path, columns: Sequence[Column], nulls: str) -> None:
    """Read rows of text and write them as columns."""
    import duckdb  # not in memory before somebody asks for it

    types = {str(column.name): _PARQUET_TYPES[column.type] for column in columns}
    with duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "256MB"}) as engine:
        engine.execute(f"SET temp_directory = '{path.parent}'; SET TimeZone = 'UTC'")
        engine.execute(
            f"COPY (SELECT * FROM read_csv($rows, header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"',"  # noqa: S608
            f" columns = {types}, {nulls}, max_line_size = 10000000)) TO '{path}' (FORMAT parquet, COMPRESSION zstd)",
            {"rows": str(rows)},
        )
    rows.unlink()


def _handed(cell: Cell) -> str:
    if cell is None:
        return _NOTHING
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return cell.isoformat() if isinstance(cell, date | datetime) else str(cell)
