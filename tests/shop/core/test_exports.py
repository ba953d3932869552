"""A file of a list holds all of it, or there is none."""

import io
import re
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from orders.exporting.rules import Format
from orders.exporting.table import Column, Type, of_rows
from orders.exporting.writers import writer
from shop.core import exports
from shop.core.paging import Page
from shop.identity.permissions import Role
from tests.factories.identity import make_user
from tests.factories.outlets import make_outlet


def test_rows_that_a_file_does_not_hold_are_not_left_out():
    assert exports.whole(Page(items=[1, 2])) == [1, 2]
    exports.require_whole([1, 2], 2)
    with pytest.raises(exports.TooManyLines):
        exports.whole(Page(items=[1, 2], next="more"))
    with pytest.raises(exports.TooManyLines):
        exports.require_whole([1, 2, 3], 2)


def test_a_list_that_is_too_long_for_a_file_is_refused(api, database, monkeypatch):
    with database.unit_of_work() as session:
        clerk = make_user(session, Role.COUNTY_OFFICER, region_code="500112")
        for _ in range(3):
            make_outlet(session, clerk)
    client = api.as_(clerk)
    assert len(client.get("/v1/outlets/export", params={"format": "csv"}).text.splitlines()) == 4
    monkeypatch.setattr(exports, "MAX_ROWS", 2)
    refused = client.get("/v1/outlets/export", params={"format": "csv"})
    assert (refused.status_code, refused.json()["code"]) == (422, "too_many_lines")


HEADER = ["区县", "销售额（元）", "净重（吨）", "数量", "日期", "年度"]
ROWS = [
    ["奉节县脐橙产业专业合作社", Decimal("217924.60"), Decimal("5.000"), Decimal(12), date(2026, 3, 5), 2026],
    ["合计", Decimal("0.00"), None, None, None, None],
]


def _streamed(tmp_path: Path) -> bytes:
    types = [Type.TEXT, Type.MONEY, Type.QUANTITY, Type.QUANTITY, Type.DATE, Type.WHOLE]
    columns = [Column(f"c{n}", name, name, type) for n, (name, type) in enumerate(zip(HEADER, types, strict=True))]
    made = writer(Format.XLSX, tmp_path / "a.xlsx", of_rows("表", columns, ROWS), "zh")
    made.write(ROWS)
    made.close()
    return (tmp_path / "a.xlsx").read_bytes()


@pytest.mark.parametrize("made", [lambda _: exports.as_xlsx("表", HEADER, ROWS), _streamed])
def test_a_workbook_can_be_read_as_it_opens(made, tmp_path):
    """Columns wide enough for Chinese words and for amounts, a frozen heading, filters, and numbers that look like what they are."""
    book = zipfile.ZipFile(io.BytesIO(made(tmp_path)))
    sheet, styles = book.read("xl/worksheets/sheet1.xml").decode(), book.read("xl/styles.xml").decode()
    widths = [float(wide) for wide in re.findall(r'<col [^>]*width="([0-9.]+)"', sheet)]
    assert len(widths) == len(HEADER)
    assert widths[0] >= 24, "a Chinese character takes two"
    assert widths[1] >= len("217,924.60")
    assert widths[4] >= len("2026-03-05")
    assert 'topLeftCell="A2"' in sheet
    assert '<autoFilter ref="A1:F2"/>' in sheet, "totals are not filtered"
    codes = dict(re.findall(r'<numFmt numFmtId="(\d+)" formatCode="([^"]+)"', styles))
    used = re.findall(r'<c r="[B-F]2" s="(\d+)"', sheet)
    formats = re.findall(r'<xf numFmtId="(\d+)"', styles.partition("<cellXfs")[2])
    shown = [codes.get(formats[int(style)], formats[int(style)]) for style in used]
    assert shown == ["#,##0.00", "#,##0.000", "#,##0", "yyyy-mm-dd", "1"], "1 is 0, a number as it is"


def test_wide_tables_and_empty_ones_open_too():
    for header, rows in ((["a"], []), ([], [])):
        assert exports.as_xlsx("表", header, rows)[:2] == b"PK"
    assert [exports.width(cell) for cell in ("脐橙", "ab\nabc", None, True, 12, Decimal("1200"))] == [4, 3, 0, 3, 2, 9]


def test_columns_of_codes_keep_what_is_typed_into_them():
    columns = {"code": ("编码", "code"), "amount": ("金额", "amount"), "number": ("单号", "number")}
    made = exports.template("xlsx", "t", columns, {"code": "01", "amount": "2"}, "表", {"code", "number"}).body
    with zipfile.ZipFile(io.BytesIO(made)) as parts:
        sheet, styles = (parts.read(f"xl/{part}.xml").decode() for part in ("worksheets/sheet1", "styles"))
    formats = re.findall(r'<xf numFmtId="(\d+)"', styles.partition("<cellXfs")[2])
    text = str(formats.index(re.search(r'numFmtId="(\d+)" formatCode="@"', styles)[1]))
    assert re.findall(r'<col min="(\d)"[^>]*? style="(\d)"', sheet) == [("1", text), ("3", text)]
    assert re.findall(r'<c r="([A-C]2)" s="(\d)"', sheet) == [("A2", text), ("C2", text)]
