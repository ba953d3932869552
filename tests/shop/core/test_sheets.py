"""Spreadsheets that somebody sent are known by their content, whatever they are called."""

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from shop.core import old_workbook, sheet_reader, sheets, uploads, workbooks
from shop.core.errors import BadValue
from tests.factories import tables

OLD = (Path(__file__).parents[2] / "orders" / "importing" / "data" / "list_of_1997.xls").read_bytes()
CELL = st.text('奉节脐橙 1.0-"ab', max_size=8)


@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=5), st.sampled_from(["utf-8-sig", "gb18030", "utf-16"])
)
def test_cells_that_are_parted_by_tabs_are_read_as_they_were_written(table, encoding):
    header = ["日期", "金额", "摘要"]
    quoted = ["\t".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [header, *table]]
    filled = next((number for number in range(len(table), 0, -1) if "".join(table[number - 1]).strip()), 0)
    assert tables.rows("\r\n".join(quoted).encode(encoding)) == [header, *table[:filled]]


@pytest.mark.parametrize(
    "written",
    ["编号\t,金额\n1\t,2\n", '"编号\t","金额\t"\n"1\t","2\t"\n', "\t编号,\t金额\n\t1,\t2\n", "编号,金额\n1,2\ta\n3,4\n"],
)
def test_a_tab_beside_a_comma_parts_nothing(written):
    assert all(len(row) == 2 for row in tables.rows(written.encode()))


def test_a_workbook_of_the_older_kind_is_read_and_a_broken_one_refused():
    assert tables.rows(OLD)[1] == ["奉节脐橙", "奉节县", "5kg/箱", "100", "箱"]
    assert list(tables.book(OLD)) == ["十一月"]
    with pytest.raises(workbooks.OldWorkbook):
        tables.rows(OLD[:3_000])


TITLES = {"sale": ("销售流水号", "流水号", "line id"), "refunds": ("退货原流水号", "refunds line id"), "price": ("单价", "price")}


def table(content: str | bytes, required=("sale",), sheet=None):
    return sheets.table(content.encode() if isinstance(content, str) else content, TITLES, required, 10, ("sale", "refunds"), sheet)


@pytest.mark.parametrize("header", ["退货流水号", "退货原流水", "退货原 流水号 码", "原流水号", "refund line id"])
def test_a_header_that_is_a_slip_is_refused_with_what_it_may_mean(header):
    with pytest.raises(workbooks.UnreadableSpreadsheet) as refused:
        table(f"销售流水号,{header}\n1,2\n")
    [fault] = refused.value.faults
    assert (fault.code, fault.data) == ("column_unclear", {"row": 1, "column": header})
    assert "退货原流水号" in fault.zh
    assert "refunds line id" in fault.en


@pytest.mark.parametrize("header", ["退货 原流水号", "退货原流水号 *", "Refunds  Line id", "refundslineid", "退货原　流水号"])
def test_blanks_in_a_header_do_not_count(header):
    assert table(f"销售 流水号,{header}\n1,2\n").rows == [(2, {"sale": "1", "refunds": "2", "price": ""})]


def test_other_headers_are_named_and_one_that_is_there_is_no_slip_of_itself():
    read = table("流水号,备注,,退货原流水号,退货流水号,收银员\n1,a,b,,,c\n")
    assert read.rows == [(2, {"sale": "1", "refunds": "", "price": ""})]
    assert read.ignored == ["备注", "退货流水号", "收银员"]


@given(st.permutations([accepted[0] for accepted in TITLES.values()]))
def test_what_is_accepted_is_never_unclear(header):
    assert table(",".join(header) + "\n1,2,3\n").ignored == []


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        (b"", sheets.NoRows),
        (b" \r\n", sheets.NoRows),
        ("流水号,单价\n,\n".encode(), sheets.NoRows),
        (b"\x89PNG\r\n\x1a\nxyz", sheets.NoSpreadsheet),
        (b"%PDF-1.7\n", sheets.NoSpreadsheet),
    ],
)
def test_files_without_rows_and_pictures_are_told_for_what_they_are(content, refused):
    with pytest.raises(refused):
        table(content)


def workbook(*rows) -> bytes:
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return held.getvalue()


def told(content):
    return [(each.code, each.data["row"], each.data["column"]) for each in table(content).not_told]


def test_every_formula_of_a_text_is_told_unless_nobody_reads_its_column():
    content = "流水号,单价,备注\n=1,2,=x\n2, =1+1,\n".encode()
    for encoded in (content, content.decode().replace(",", "\t").encode("utf-16")):
        assert told(encoded) == [("formulas_not_accepted", 2, "销售流水号"), ("formulas_not_accepted", 3, "单价")]


def saved(
    *cells: str, load: str = "", head: str = "流水号,单价", prefix: str = "", part: str = "xl/worksheets/sheet1.xml"
) -> bytes:
    """A workbook whose second row holds these cells as a program wrote them; ``load``: what it says of computing them."""
    held, names = io.BytesIO(), head.split(",")
    with zipfile.ZipFile(io.BytesIO(workbook(names, [1, 2]))) as made, zipfile.ZipFile(held, "w") as changed:
        for name in made.namelist():
            content = made.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                before, _, after = content.partition('<row r="2"')
                content = f'{before}<row r="2">{"".join(cells)}</row>{after.partition("</row>")[2]}'
                name = part
            if name == "xl/workbook.xml":
                content = content.replace(' fullCalcOnLoad="1"', load)
            if name == "xl/_rels/workbook.xml.rels":
                content = content.replace("worksheets/sheet1.xml", part.removeprefix("xl/"))
            if name == "[Content_Types].xml":
                content = content.replace("xl/worksheets/sheet1.xml", part)
            changed.writestr(name, content)
    return held.getvalue()


ID = '<c r="A2"><v>1</v></c>'


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ('<c r="B2"><f>1+1</f><v>2</v></c>', "2"),
        ('<c r="B2" s="1"><f t="shared" ref="B2:B9" si="0">A2*2</f><v>2.5</v></c>', "2.5"),
        ('<c r="B2"><f t="shared" si="0"/><v>2.5</v></c>', "2.5"),
        ('<c r="B2" t="str"><f>IF(A2="","",A2&amp;"箱")</f><v>1箱</v></c>', "1箱"),
        ('<c r="B2" t="str"><f>IF(A2="","",A2)</f><v></v></c>', ""),
    ],
)
def test_a_formula_counts_as_what_it_last_showed(cell, shown):
    read = table(saved(ID, cell))
    assert (read.rows, read.not_told) == ([(2, {"sale": "1", "refunds": "", "price": shown})], [])


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="B2"><f>1+1</f></c>',
        '<c r="B2"><f>1+1</f><v/></c>',
        '<c r="B2"><f>1+1</f><v></v></c>',
    ],
)
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/worksheets/Blatt_7.xml"])
def test_a_formula_that_shows_no_value_is_told_with_its_cell(cell, part):
    assert told(saved(ID, cell, part=part)) == [("formulas_not_accepted", 2, "单价")]
    assert told(saved(ID, cell, part=part, head="流水号,备注")) == []


def test_a_program_that_computes_nothing_leaves_a_zero_that_nobody_saw():
    zero, other = '<c r="B2"><f>1-1</f><v>0</v></c>', '<c r="B2"><f>1+1</f><v>2</v></c>'
    assert told(saved(ID, zero, load=' fullCalcOnLoad="1"')) == [("formulas_not_accepted", 2, "单价")]
    assert told(saved(ID, other, load=' fullCalcOnLoad="1"')) == []
    assert table(saved(ID, zero)).rows[0][1]["price"] == "0"
    assert told(workbook(["流水号", "单价"], ["=1", 2], [2, "=1+1"], [3, 4], ["=B4", "=A3"])) == [
        ("formulas_not_accepted", *place) for place in ((2, "销售流水号"), (3, "单价"), (5, "销售流水号"), (5, "单价"))
    ]


def test_a_formula_on_a_sheet_that_nobody_reads_is_no_fault():
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as book:
        book.add_worksheet("流水").write_column(0, 0, ["流水号", "1"])
        book.add_worksheet("汇总").write_column(0, 0, ["合计", "=1+1"])
    assert told(held.getvalue()) == []
    assert tables.book(held.getvalue()) == {"流水": [["流水号"], ["1"]], "汇总": [["合计"], ["="]]}


def several(*named, hidden=()) -> bytes:
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as book:
        for name, *rows in named:
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            if name in hidden:
                sheet.hide()
        next(sheet for sheet in book.worksheets() if sheet.name not in hidden).activate()
    return held.getvalue()


DATA = ("数据", ["流水号", "单价"], ["1", "2"])
OTHER = ("旧", ["流水号", "单价"], ["8", "9"])


@pytest.mark.parametrize(
    ("content", "sale"),
    [
        (several(("说明", ["如何填写"], ["流水号必填"]), DATA), "1"),
        (several(("十一月", ["流水号", "单价"], ["", ""]), DATA), "1"),
        (several(("空",), DATA), "1"),
        (several(OTHER, DATA, hidden=("旧",)), "1"),
        (several(("汇总", ["单价"], ["7"]), DATA), "1"),
    ],
)
def test_the_one_visible_sheet_that_has_the_headings_and_rows_below_them_is_read(content, sale):
    assert [cell["sale"] for _, cell in table(content).rows] == [sale]


def test_a_sheet_that_was_looked_at_in_vain_is_named_and_none_is_read_in_the_place_of_one_with_a_slip():
    for content, name in (
        (several(("说明", ["如何填写"]), ("别的", ["单价"])), "说明"),
        (several(("新", ["销售流水号码", "单价"], ["1", "2"]), ("旧", ["流水号", "单价"])), "新"),
        (several(("说明", ["如何填写"]), DATA, hidden=("数据",)), "说明"),
    ):
        with pytest.raises(workbooks.UnreadableSpreadsheet) as refused:
            table(content)
        fault = refused.value.faults[0]
        assert name in fault.zh
        assert name in fault.en


MONTHS = [("十一月", ["流水号", "单价"], ["1", "2"]), ("十二月", ["单价", "备注", "流水号"], ["9", "x", "8"])]


def test_of_several_sheets_that_could_be_read_one_has_to_be_named():
    content = several(("说明", ["如何填写"]), *MONTHS, ("空", ["流水号", "单价"]))
    with pytest.raises(sheets.SeveralSheets) as refused:
        table(content)
    assert refused.value.data == {"sheets": "十一月、十二月"}
    assert [(each.field, each.code) for each in refused.value.faults] == [("sheet", "several_sheets")]
    read = {name: [cell["sale"] for _, cell in table(content, sheet=name).rows] for name in ("十一月", " 十二月")}
    assert read == {"十一月": ["1"], " 十二月": ["8"]}
    with pytest.raises(sheets.NoRows):
        table(content, sheet="空")
    with pytest.raises(sheets.NoSuchSheet, match="说明、十一月、十二月、空"):
        table(content, sheet="一月")
    assert table("流水号\n1\n", sheet="一月").rows[0][1]["sale"] == "1"


def test_a_hidden_sheet_is_none_that_could_be_read():
    assert [cell["sale"] for _, cell in table(several(*MONTHS, hidden=("十一月",))).rows] == ["8"]


def test_one_with_a_slip_in_its_headings_is_not_passed_over_for_another():
    with pytest.raises(sheets.SeveralSheets):
        table(several(("新", ["销售流水号码", "单价"], ["1", "2"]), OTHER))


@pytest.mark.parametrize(
    ("number", "code", "shown"),
    [
        (42, "000000", "000042"),
        (42, "0", "42"),
        (3001, '"SN-"0', "SN-3001"),
        (12, "000-0000", "000-0012"),
        (7, "0_ ", "7"),
        (7, "@", "7"),
    ],
)
def test_a_code_is_read_as_its_cell_shows_it_and_a_number_as_its_value(number, code, shown):
    read = table(tables.workbook({"流水": [["流水号", "单价"], [(number, code), (number, code)]]}))
    assert (read.rows, read.not_told) == ([(2, {"sale": shown, "refunds": "", "price": str(number)})], [])


@pytest.mark.parametrize(
    "cell", [(1234, "#,##0"), (7, "0.00"), (7.5, "000"), (244603.4, "0"), (-7, "000"), (0.1, "0%"), (46023, "m-d"), (0.5, "h:mm")]
)
def test_a_code_of_which_nobody_can_tell_what_its_cell_shows_is_told_with_its_cell(cell):
    content = tables.workbook({"流水": [["流水号", "单价"], [cell, cell]]})
    assert told(content) == [("cell_format_unclear", 2, "销售流水号")]
    assert not table(content).rows[0][1]["price"].startswith("=")


def test_an_empty_cell_a_formula_and_a_long_number_are_what_they_are_whatever_their_format():
    content = tables.workbook({"流水": [["流水号", "单价"], [("", "0.00"), 1], [("=A1", "0.00"), 1], [(10**15, "0.00"), 1]]})
    assert told(content) == [("formulas_not_accepted", 3, "销售流水号"), ("number_too_long", 4, "销售流水号")]


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c>',
        '<c r="B2" t="e"><v>#N/A</v></c>',
        "<c s='0' t='e' r='B2'><f/><v>#REF!</v></c>",
    ],
)
def test_a_cell_that_came_to_an_error_is_told_in_a_workbook_and_in_a_text(cell):
    assert told(saved(ID, cell)) == [("cell_error", 2, "单价")]
    assert told(saved(ID, cell, head="流水号,备注")) == []
    assert told("流水号,单价\n1,#N/A\n#NAME?,2\n") == [("cell_error", 2, "单价"), ("cell_error", 3, "销售流水号")]


def test_the_kind_before_xlsx_tells_formats_months_and_errors_alike():
    """The workbook of percents with another format of six signs, another number in its cell, a month, and a formula that came to an error."""
    content = (Path(__file__).parent / "data" / "percents_of_1997.xls").read_bytes()
    for before, after in (
        (b'0.0"%"', b'"S-"00'),
        (b"\x06\0\x01\0\x17\0\x2b\0\0\0", b"\x06\0\x01\0\x17\0" + (7 << 2 | 2).to_bytes(4, "little")),
        (b"\x08\0\x09\0\x01\0", b"\x08\0\x11\0\x01\0"),
        (b"\x01\0\x01\0\x12\0\x2b\0\0\0", b"\x01\0\x01\0\x12\0" + (46143 << 2 | 2).to_bytes(4, "little")),
        (b"\x0c\0\x01\0\x1d\0\x03\0\0\0\0\0\xff\xff", b"\x0c\0\x01\0\x1d\0\x02\0\x2a\0\0\0\xff\xff"),
    ):
        assert content.count(before) == 1
        content = content.replace(before, after)
    _, sheet = workbooks.book(content).values()
    assert [sheet.rows[row][1] for row in (1, 6, 12)] == ["2026-05", "7", "#N/A"]
    assert [sheet.shown((), {1})[row][1] for row in (1, 2, 6, 12)] == ["=?2026-05", "=?12.5%", "S-07", "#N/A"]


def test_the_kind_before_xlsx_tells_decimals_that_are_not_shown_alike():
    """The workbook of percents with 12.34 shown as 12."""
    content = (Path(__file__).parent / "data" / "percents_of_1997.xls").read_bytes()
    two_decimals, none = (b"\x11\0" + kind + b"\0\x01\0\x20\0\0\xf8" for kind in (b"\2", b"\1"))
    assert content.count(two_decimals) == 1
    _, sheet = workbooks.book(content.replace(two_decimals, none)).values()
    assert (sheet.rows[10][1], sheet.shown((), {1})[10][1]) == ("12.34", "=?12.34")


def far(cell, row, *, shared=True) -> bytes:
    held = io.BytesIO()
    with xlsxwriter.Workbook(held, {"constant_memory": not shared}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["流水号", "单价"])
        sheet.write_row(1, 0, ["1", 2])
        sheet.write(row - 1, 5, cell, book.add_format({"bold": True}))
    return held.getvalue()


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("row", [500, 20_001, 30_000, 1_048_576])
@pytest.mark.parametrize("blank", [" ", "\u3000", ""])
def test_rows_of_blanks_do_not_count_however_far_down_they_stand(blank, row, shared):
    content = far(blank, row, shared=shared)
    assert table(content).rows == [(2, {"sale": "1", "refunds": "", "price": "2"})]
    assert len(tables.rows(content)) == 2


@pytest.mark.parametrize("cell", ["x", 7])
@pytest.mark.parametrize("row", [20_001, 1_048_576])
def test_what_stands_below_the_rows_that_are_read_is_not_passed_over(cell, row):
    with pytest.raises(sheets.TooManyRows):
        table(far(cell, row))


def test_rows_of_blanks_in_a_text_do_not_count_either():
    assert len(table("流水号,单价\n" + ",\n" * 15 + "1,2\n" + " ,\n" * 30_000).rows) == 1
    with pytest.raises(sheets.TooManyRows):
        table("流水号,单价\n1,2\n" + ",\n" * 30_000 + "1,2\n")
    with pytest.raises(sheets.TooManyRows) as refused:
        table("流水号,单价\n" + "1,2\n,\n" * 11)
    assert refused.value.faults[0].data["row"] == 22


def test_formulas_are_told_across_the_pieces_in_which_a_sheet_is_read(monkeypatch):
    """Cells are told once, whether a piece ends before, in or behind them."""
    content = workbook(["流水号", "单价"], *([number, f"=A{number}"] for number in range(40)))
    for size in (1_001, 1_013, 1_499, 2**20):
        monkeypatch.setattr(sheet_reader, "_CHUNK", size)
        told = {row * sheet_reader.MAX_COLUMNS + 1: "=" for row in range(1, 41)}
        assert sheet_reader._told(io.BytesIO(content), []) == {"Sheet1": (told, {})}


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (7, "7"),
        (-5, "-5"),
        (371600, "371600"),
        (179582366644000, "179582366644000"),
        (69.9, "69.9"),
        (46 * 0.15, "6.9"),
        (0.1 + 0.2, "0.3"),
        (0.00001, "0.00001"),
        (True, "TRUE"),
        ("69.0", "69.0"),
    ],
)
def test_a_number_is_read_with_the_digits_that_are_shown(number, shown):
    assert table(workbook(["流水号"], [number])).rows == [(2, {"sale": shown, "refunds": "", "price": ""})]


@pytest.mark.parametrize(
    ("number", "shown_as", "read"),
    [
        (0.1, "0%", "10%"),
        (0.125, "0.00%", "12.5%"),
        (0.09, 'General"/"0.0%', "9%"),
        (1, "0%", "100%"),
        (-0.07, "0%", "-7%"),
        (0.1, '0.0"%"', "0.1"),
        ("0.1", "0%", "0.1"),
    ],
)
def test_a_cell_that_shows_a_percent_is_read_as_one(number, shown_as, read):
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["流水号", "单价"])
        sheet.write(1, 1, number, book.add_format({"num_format": shown_as}))
        sheet.write_number(2, 1, 0.1)
    assert [cell["price"] for _, cell in table(held.getvalue()).rows] == [read, "0.1"]


def test_the_kind_before_xlsx_tells_percents_alike():
    """A workbook with the formats above, then one of a third, two that show none, one with a word behind it, and several cells in one record."""
    _, cells = tables.book((Path(__file__).parent / "data" / "percents_of_1997.xls").read_bytes()).values()
    assert [row[1] for row in cells[1:-2]] == [
        *("10%", "12.5%", "9%", "100%", "-7%", "0.1", "0.1"), "0.1", "33.3333333333333%", "12.34", "25%",
    ]  # fmt: skip
    assert cells[-1] == ["", "1%", "0.02", "3%", "4%"]


def test_a_small_workbook_of_the_kind_before_xlsx_is_found_among_small_parts():
    def longs(*numbers):
        return b"".join(each.to_bytes(4, "little") for each in numbers)

    def entry(name, start, length):
        spelt = name.encode("utf-16-le")
        return spelt.ljust(64, b"\0") + (len(spelt) + 2).to_bytes(2, "little") + bytes(50) + longs(start, length) + bytes(4)

    last, free = 0xFFFFFFFE, 0xFFFFFFFF
    inner = bytes(range(100))
    header = OLD[:8] + bytes(22) + b"\x09\0\x06\0" + bytes(14) + longs(1, 0, 4096, 2, 1, last, 0, 0)
    sectors = [
        longs(0xFFFFFFFD, last, last, last),
        entry("Root Entry", 3, 192) + entry("Workbook", 1, 100),
        longs(free, 2, last),
        b"x" * 64 + inner,
    ]
    filled = [header.ljust(512, b"\xff"), *(each.ljust(512, b"\xff") for each in sectors)]
    assert old_workbook._workbook_in(b"".join(filled)) == inner


@pytest.mark.parametrize("number", [10**15, 6222021234567890000, -(10**15), 1.5e300])
def test_a_number_that_lost_its_last_digits_is_told_with_its_cell(number):
    assert told(workbook(["流水号", "单价", "备注"], [number, 1, number])) == [("number_too_long", 2, "销售流水号")]


def test_a_text_that_a_program_wrote_of_a_long_number_is_told_as_well():
    assert told("流水号,单价\n6.22202E+18,1\n622202123456789012,2\n1E5,3\n".encode()) == [("number_too_long", 2, "销售流水号")]


def test_a_drop_down_is_no_formula():
    held = io.BytesIO()
    extra = b"<extLst><ext><x14:formula1><xm:f>Other!$A$1:$A$3</xm:f></x14:formula1></ext></extLst></worksheet>"
    with zipfile.ZipFile(io.BytesIO(workbook(["流水号", "单价"], [1, 2]))) as made, zipfile.ZipFile(held, "w") as changed:
        for name in made.namelist():
            content = made.read(name)
            changed.writestr(name, content.replace(b"</worksheet>", extra) if name == "xl/worksheets/sheet1.xml" else content)
    assert tables.rows(held.getvalue()) == [["流水号", "单价"], ["1", "2"]]


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-27",
        "2026/11/27 3:36",
        "2026.11.27",
        "2026年11月27日",
        "2026年11月27日 10:00",
        "20261127",
        "２０２６－１１－２７",
    ],
)
def test_days_are_read_as_people_write_them(written):
    assert sheets.day_of(written) == date(2026, 11, 27)


@pytest.mark.parametrize("written", ["46353", "46353.0", "27.11.2026", "2026-13-01", "2026年13月1日", "x", ""])
def test_what_is_no_day_is_told_with_how_days_are_written(written):
    with pytest.raises(BadValue) as refused:
        sheets.day_of(written)
    assert "2026-01-31" in refused.value.zh


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1,234.50", "1234.50"),
        ("１，２３４．５", "1234.5"),
        ("-1,234,567", "-1234567"),
        ("1234", "1234"),
        ("69.0", "69.0"),
        (" 7 ", "7"),
    ],
)
def test_commas_between_thousands_part_a_number(written, number):
    assert (str(sheets.number(written)), sheets.figure(written)) == (number, number)


@pytest.mark.parametrize(
    "written",
    ["69,90", "5,00", "60,0", "1,5", "12,34.5", "1,2345", "0,123", ",123", "1,234.", "1.234,5", "1e3", "1_000", "2 0", "2²", "²", "½", "٣", "NaN", "+5", "-", ""],
)  # fmt: skip
def test_what_is_no_number_is_refused_and_stays_as_it_is(written):
    assert sheets.figure(written) == written
    with pytest.raises(BadValue, match="no"):
        sheets.number(written)


def test_what_is_kept_is_called_by_its_content():
    assert [workbooks.kind(content) for content in (b"PK\x03\x04", OLD, b"a,b")] == [uploads.XLSX, uploads.XLS, uploads.CSV]
    assert uploads.safe_name("流水.csv", uploads.XLS) == "流水.xls"
    # but for plain text that goes by an ending of its own
    assert [uploads.safe_name(f"流水.{ending}", uploads.TEXT) for ending in ("STA", "exe")] == ["流水.sta", "流水.txt"]
