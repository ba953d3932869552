"""Whatever is uploaded: honest files are understood, others end as failed with a code, and the server and the worker live."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from shop.core import storage
from shop.core.settings import settings
from tests.orders.importing.conftest import HEADER, as_csv

GOOD = [["奉节脐橙", "奉节县", "5kg/箱", 100, "箱"], ["中益土蜂蜜", "石柱土家族自治县", "5kg/箱", 3, "箱"]]


def xlsx(rows):
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


def crafted(change):
    """A good file with its sheet's XML changed."""
    source, buffer = zipfile.ZipFile(io.BytesIO(xlsx([HEADER, *GOOD]))), io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, change(content) if name.endswith("sheet1.xml") else content)
    return buffer.getvalue()


def workbook(**sheets):
    """A workbook of several sheets; one whose name begins with ``_`` is hidden."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name.strip("_"))
            if name.startswith("_"):
                sheet.hide()
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return buffer.getvalue()


def fault(shown):
    return shown["status"], (shown["fault"] or {}).get("code")


@pytest.mark.parametrize("encoding", ["xlsx", "utf-8", "utf-8-sig", "gb18030"])
def test_a_file_in_each_encoding_is_understood(desk, encoding):
    content = xlsx([HEADER, *GOOD]) if encoding == "xlsx" else as_csv(*GOOD).decode().encode(encoding)
    shown = desk.upload(content)
    assert (shown["counts"], shown["total"]) == ({"matched": 2}, "6950.00")


def test_short_district_names_blank_rows_and_other_columns_are_no_fault(desk):
    rows = [
        ["序号", "数量", "产品名称", "产地区县"],
        [],
        [1, "2", " 奉节脐橙 ", "奉节"],
        ["", "", "", ""],
        [2, 1, "中益土蜂蜜", "石柱土家族自治县"],
        [3, 1, "中益土蜂蜜", "重庆市石柱县中益乡"],
        [4, 1, "中益土蜂蜜", "重庆"],
    ]
    assert desk.upload(xlsx(rows))["counts"] == {"matched": 4, "not_a_line": 2}


@pytest.mark.parametrize(
    "content",
    [
        b"PK",
        b"PK\x03\x04" + b"\x00" * 500,
        b"\x00" * 500,
        b"\xff\xfe\xfa" * 51,
        b"\xd0\xcf\x11\xe0" + b"\x00" * 500,
        crafted(lambda xml: b""),
        crafted(lambda xml: xml.replace(b'r="D2"', b'r="ZZZZZZ99999999"')),
    ],
    ids=["letters", "broken zip", "zeros", "bytes", "an old workbook", "no sheet", "a cell beyond the end of the world"],
)
def test_files_that_are_none_are_kept_as_failed(desk, content):
    assert fault(desk.upload(content)) == ("failed", "unreadable_spreadsheet")
    assert desk.upload(as_csv(*GOOD))["status"] == "ready"


def test_a_cell_at_the_end_of_the_world_costs_nothing(desk):
    far = crafted(lambda xml: xml.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'))
    assert desk.upload(far)["status"] in ("failed", "ready")


def test_an_empty_file_is_refused_at_once(desk):
    answer = desk.send(b"")
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_spreadsheet")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"a,b\n1,2\n", "header_not_found"),
        (as_csv(), "no_lines"),
        (as_csv(["合计", "", "", 5, ""]), "no_lines"),
        (as_csv(*[["奉节脐橙", "", "", 1, ""]] * 10_001), "too_many_rows"),
        (b"x\n" * 20_001, "too_many_rows"),
    ],
)
def test_what_holds_no_list_is_kept_with_the_reason(desk, content, code):
    assert fault(desk.upload(content)) == ("failed", code)


def by_tabs(*lines):
    """As an online shop or bank writes what it calls .xls; amounts with commas, and a remark with quotes."""
    return "账单,导出\n" + "\n".join("\t".join(map(str, line)) for line in lines) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-be"])
def test_a_workbook_that_is_text_with_tabs_is_understood(desk, encoding):
    rows = [HEADER, [*GOOD[0][:3], "1,00", "箱"], GOOD[1]]
    content = by_tabs(*[[*row, "", "1,234.00"] for row in rows]).encode(encoding)
    if encoding == "utf-16-be":
        content = b"\xfe\xff" + content
    shown = desk.upload(content, "订单.xls")
    assert shown["header_row"] == 2
    found = desk.rows(shown["id"])
    assert [found[row]["state"] for row in (3, 4)] == ["faulty", "matched"]


def test_text_of_two_bytes_with_commas_is_understood(desk):
    shown = desk.upload(as_csv(*GOOD).decode().encode("utf-16"), "订单.csv")
    assert (shown["counts"], shown["total"]) == ({"matched": 2}, "6950.00")


def test_tabs_that_only_keep_figures_from_being_figures_part_nothing(desk):
    content = "\n".join(
        ",".join(f'"{cell}\t"' if n % 2 else f"\t{cell}\t" for n, cell in enumerate(row)) for row in [HEADER, *GOOD]
    )
    assert desk.upload(content.encode())["counts"] == {"matched": 2}


def test_a_workbook_of_1997_is_read(desk):
    shown = desk.upload((Path(__file__).parent / "data" / "list_of_1997.xls").read_bytes(), "订单.xls")
    assert (shown["sheet"], shown["counts"], shown["total"]) == ("十一月", {"matched": 2}, "6950.00")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("<html xmlns:o='urn:x'><body><table><tr><td>品名</td></tr></table>".encode("gb18030"), "markup_table"),
        ("<!DOCTYPE html><table></table>".encode("utf-16"), "markup_table"),
        (b"\xef\xbb\xbf \n<!-- bank --><TABLE border=1><tr><td>1,2</td></tr></TABLE>", "markup_table"),
        (b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?><Workbook/>', "markup_table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2_000, "old_workbook"),
        (b"\xff\xfea", "unreadable_spreadsheet"),
        ("品名,数量\n".encode("utf-16-le"), "unreadable_spreadsheet"),
    ],
)
def test_what_is_only_called_a_workbook_is_told_for_what_it_is(desk, content, code):
    assert fault(desk.upload(content, "订单.xls")) == ("failed", code)


@pytest.mark.slow
def test_a_list_of_ten_thousand_lines_is_taken(desk):
    shown = desk.upload(as_csv(*[["奉节脐橙", "", "", "0.5", ""]] * 9_999, ["奉节脐橙", "", "", 1, ""]))
    assert (shown["rows_total"], shown["counts"]) == (10_000, {"faulty": 9_999, "matched": 1})
    refused = desk.order(shown["id"], 422)
    assert (refused["data"]["count"], len(refused["errors"])) == (9_999, 9_999)


@pytest.mark.slow
def test_a_bomb_is_refused(desk):
    bomb = crafted(lambda xml: xml.replace(b"</sheetData>", b"<row>" + b"<c><v>1</v></c>" * 20_000_000 + b"</row></sheetData>"))
    assert len(bomb) < 2_000_000
    assert fault(desk.upload(bomb)) == ("failed", "unreadable_spreadsheet")


def test_odd_cells_are_kept_as_they_can_be(desk):
    cells = ["\ud800", "\u202e倒", "a" * 5_000, "=1+1", "'"]
    content = "\n".join(["品名,数量", *(f"{cell},1" for cell in cells)]).encode("utf-8", "surrogatepass")
    assert fault(desk.upload(content))[0] in ("failed", "ready")
    shown = desk.upload("\n".join(["品名,数量", *(f"{cell},1" for cell in cells[1:])]).encode())
    assert shown["counts"] == {"faulty": 4}
    assert len(desk.rows(shown["id"])[3]["product"]) == 500


def test_a_lost_file_is_told(desk):
    content = as_csv(["奉节脐橙", "", "", 77, ""])
    import_id = desk.send(content).json()["id"]
    (Path(settings().data_dir) / "files" / storage.key_for(hashlib.sha256(content).hexdigest())).unlink()
    desk.work()
    assert fault(desk.show(import_id)) == ("failed", "file_missing")


def test_the_first_sheet_with_a_header_is_read_and_the_others_are_shown(desk):
    october, november = [HEADER, *GOOD], [["十一月"], HEADER, GOOD[0]]
    shown = desk.upload(workbook(封面=[["采购计划"]], _旧=[HEADER, GOOD[1]], 十月=october, 十一月=november), "a.xlsx")
    assert (shown["sheet"], shown["counts"]) == ("十月", {"matched": 2})
    assert shown["sheets"] == [
        {"name": "封面", "rows": 1, "header_row": None},
        {"name": "十月", "rows": 3, "header_row": 1},
        {"name": "十一月", "rows": 3, "header_row": 2},
    ]
    body = {"sheet": " 十一月 ", "header_row": 2, "columns": {"product": 1, "quantity": 4}}
    assert desk.client.put(f"/v1/order-imports/{shown['id']}/columns", json=body).status_code == 202
    desk.work()
    other = desk.show(shown["id"])
    assert (other["status"], other["sheet"], other["header_row"], other["counts"]) == ("ready", "十一月", 2, {"matched": 1})
    # the sheet stays when only its columns are said again
    assert desk.client.put(f"/v1/order-imports/{shown['id']}/columns", json=body | {"sheet": None}).status_code == 202
    desk.work()
    assert desk.show(shown["id"])["sheet"] == "十一月"


def test_a_sheet_that_is_not_there_is_told(desk):
    columns = '{"sheet": "十二月", "header_row": 1, "columns": {"product": 1, "quantity": 4}}'
    shown = desk.upload(workbook(十月=[HEADER, *GOOD]), "a.xlsx", columns=columns)
    assert fault(shown) == ("failed", "no_such_sheet")
    assert [each["name"] for each in shown["sheets"]] == ["十月"]
    assert fault(desk.upload(as_csv(*GOOD), columns=columns)) == ("failed", "no_such_sheet")


def test_where_nobody_named_a_sheet_columns_are_those_of_the_first(desk):
    content = workbook(甲=[["要什么", "多少"], ["奉节脐橙", 2]], 乙=[HEADER, *GOOD])
    columns = '{"header_row": 1, "columns": {"product": 1, "quantity": 2}}'
    shown = desk.upload(content, "a.xlsx", columns=columns)
    assert (shown["sheet"], shown["counts"]) == ("甲", {"matched": 1})


def test_a_workbook_without_any_header_shows_its_first_sheet(desk):
    shown = desk.upload(workbook(甲=[["通知"]], 乙=[["说明"]]), "a.xlsx")
    assert (fault(shown), shown["sheet"], shown["sample"]) == (
        ("failed", "header_not_found"),
        "甲",
        [{"row_no": 1, "cells": ["通知"]}],
    )
