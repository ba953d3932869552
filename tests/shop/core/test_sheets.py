"""Spreadsheets that somebody sent are known by their content, whatever they are called."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.core import sheets, uploads

OLD = (Path(__file__).parents[2] / "orders" / "importing" / "data" / "list_of_1997.xls").read_bytes()
CELL = st.text('奉节脐橙 1.0-"ab', max_size=8)


@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=5), st.sampled_from(["utf-8-sig", "gb18030", "utf-16"])
)
def test_cells_that_are_parted_by_tabs_are_read_as_they_were_written(table, encoding):
    header = ["日期", "金额", "摘要"]
    quoted = ["\t".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [header, *table]]
    assert sheets.rows("\r\n".join(quoted).encode(encoding)) == [header, *table]


@pytest.mark.parametrize(
    "written",
    ["编号\t,金额\n1\t,2\n", '"编号\t","金额\t"\n"1\t","2\t"\n', "\t编号,\t金额\n\t1,\t2\n", "编号,金额\n1,2\ta\n3,4\n"],
)
def test_a_tab_beside_a_comma_parts_nothing(written):
    assert all(len(row) == 2 for row in sheets.rows(written.encode()))


def test_a_workbook_of_the_older_kind_is_read_where_formulas_may_stand_and_refused_elsewhere():
    assert sheets.rows(OLD)[1] == ["奉节脐橙", "奉节县", "5kg/箱", "100", "箱"]
    assert list(sheets.book(OLD)) == ["十一月"]
    for call in (lambda: sheets.rows(OLD, formulas=False), lambda: sheets.rows(OLD[:3_000])):
        with pytest.raises(sheets.OldWorkbook):
            call()


def test_formulas_are_found_in_text_of_any_kind():
    for written in ("a\tb\n=1+1\t2", "a,b\n=1+1,2"):
        with pytest.raises(sheets.FormulasFound):
            sheets.rows(written.encode("utf-16"), formulas=False)


def test_what_is_kept_is_called_by_its_content():
    assert [sheets.kind(content) for content in (b"PK\x03\x04", OLD, b"a,b")] == [uploads.XLSX, uploads.XLS, uploads.CSV]
    assert uploads.safe_name("流水.csv", uploads.XLS) == "流水.xls"
    # but for plain text that goes by an ending of its own
    assert [uploads.safe_name(f"流水.{ending}", uploads.TEXT) for ending in ("STA", "exe")] == ["流水.sta", "流水.txt"]
