"""Lines that PostgreSQL writes say the same as those written here, cell by cell, and nothing in either is taken for a formula."""

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from orders.exporting.rules import Format
from orders.exporting.table import Column, Type, of_sql, yuan_sql
from orders.exporting.writers import CsvLines, JsonLines, ParquetLines, writer
from shop.core.exports import FORMULA_STARTS

COLUMNS = [
    Column("id", "号", "No", Type.WHOLE),
    Column("word", "文字", "Word"),
    Column("amount", "金额", "Amount", Type.MONEY),
    Column("quantity", "数量", "Quantity", Type.QUANTITY),
    Column("day", "日期", "Day", Type.DATE),
    Column("at", "时间", "At", Type.MOMENT),
    Column("flag", "是否", "Flag", Type.FLAG),
]
WORDS = [
    *(f"{start}SUM(A1)" for start in FORMULA_STARTS),
    'of "five", or six',
    "two\nlines",
    "two\r\nlines",
    "\x01 and \x02",
    " = behind a blank",
    "'quoted already",
    "\\N",
    "\\.",
    "100%",
    "12:30:45",
    "",
    "20.50",
    "12345678901",
    "91500112MA5U12345X",
    *(DIGITS := ["6228480402564890018", "00012345", "123456789012", "915001120000E12345", "1e5"]),
    "脐橙",
    None,
]
ROWS = f"""
    SELECT n AS id, word, {yuan_sql("CAST(120000 + 5 * n AS bigint)")} AS amount, CAST(n AS numeric(18, 3)) AS quantity,
           CASE WHEN n > 1 THEN date '2026-03-05' END AS day, CASE WHEN n > 1 THEN timestamptz '2026-03-05 20:00:00Z' END AS at,
           CASE WHEN n > 1 THEN n % 2 = 0 END AS flag
    FROM unnest(CAST(:words AS text[])) WITH ORDINALITY AS t (word, n)
"""


@pytest.fixture
def table(database):
    with database.unit_of_work() as session:
        yield of_sql(session, "Words", COLUMNS, ROWS, {"words": WORDS}, "id")


def lines(kind, path, table, language):
    writing = kind(path, table, language)
    for batch in table.source.lines(kind.cells(table, language), kind.options):
        writing.write(batch)
    writing.close()


def written(format, path, table, language):
    writing = writer(format, path, table, language)
    for batch in table.batches:
        writing.write(batch)
    writing.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_csv_is_the_same_whoever_writes_it(table, tmp_path, language):
    lines(CsvLines, tmp_path / "lines.csv", table, language)
    written(Format.CSV, tmp_path / "written.csv", table, language)
    contents = [(tmp_path / name).read_bytes() for name in ("lines.csv", "written.csv")]
    assert all(content.startswith(b"\xef\xbb\xbf") for content in contents)
    by_line, by_row = (list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))) for content in contents)
    assert by_line == by_row
    assert [row[1] for row in by_line[1:]] == [
        *(f"'{start}SUM(A1)" for start in FORMULA_STARTS),
        *(f"\t{word}" if word in DIGITS else word or "" for word in WORDS[len(FORMULA_STARTS) :]),
    ]
    yes = {"zh": "是", "en": "yes"}[language]
    assert by_line[1][2:] == ["1200.05", "1.000", "", "", ""]
    assert by_line[2][2:] == ["1200.10", "2.000", "2026-03-05", "2026-03-06 04:00:00", yes]


def test_json_is_the_same_whoever_writes_it(table, tmp_path):
    lines(JsonLines, tmp_path / "lines.json", table, "en")
    written(Format.JSON, tmp_path / "written.json", table, "en")
    by_line, by_row = (json.loads((tmp_path / name).read_text("utf-8")) for name in ("lines.json", "written.json"))
    assert by_line == by_row
    assert [row["word"] for row in by_line] == WORDS
    assert by_line[1] == {
        "id": 2,
        "word": WORDS[1],
        "amount": "1200.10",
        "quantity": "2.000",
        "day": "2026-03-05",
        "at": "2026-03-05T20:00:00+00:00",
        "flag": True,
    }


def test_json_of_no_rows_is_an_empty_list(database, tmp_path):
    with database.unit_of_work() as session:
        lines(JsonLines, tmp_path / "none.json", of_sql(session, "Words", COLUMNS, ROWS, {"words": []}, "id"), "en")
    assert json.loads((tmp_path / "none.json").read_text()) == []


def test_parquet_is_the_same_whoever_writes_it(table, tmp_path):
    import duckdb

    lines(ParquetLines, tmp_path / "lines.parquet", table, "en")
    written(Format.PARQUET, tmp_path / "written.parquet", table, "en")
    duckdb.sql("SET TimeZone = 'UTC'")
    found, other = (
        duckdb.sql(f"SELECT * FROM '{tmp_path / name}' ORDER BY id").fetchall() for name in ("lines.parquet", "written.parquet")
    )
    assert found == other
    assert [row[1] for row in found] == WORDS
    assert found[0][2:] == (Decimal("1200.05"), Decimal("1.000"), None, None, None)
    assert found[1][2:5] == (Decimal("1200.10"), Decimal("2.000"), date(2026, 3, 5))
    assert found[1][5].astimezone(UTC) == datetime(2026, 3, 5, 20, tzinfo=UTC)


@pytest.mark.slow
def test_what_writes_files_is_in_memory_only_where_one_is_made():
    program = "import sys, shop.app, workers.tasks; print([n for n in ('duckdb', 'xlsxwriter') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
