"""The view as a file, and the bases that a department sends."""

import csv
import io

import xlsxwriter
from python_calamine import CalamineWorkbook

from shop.core import exports
from tests.orders.reserved_share.conftest import YEAR, code


def send(scene, rows, who="department", dry_run=False, header=("统一社会信用代码", "食堂采购基数", "预留比例")):
    content = exports.as_xlsx("基数", list(header), rows)
    return scene[who].post(
        f"/v1/reserved-shares/{YEAR}/import", files={"file": ("bases.xlsx", content)}, data={"dry_run": str(dry_run)}
    )


def test_bases_become_drafts_that_units_file(scene):
    rows = [[scene.first.uscc, "120000.5", "12.5"], [scene.second.uscc, "80,000", ""]]
    seen = send(scene, rows, dry_run=True)
    assert seen.status_code == 200, seen.text
    assert seen.json() == {
        "year": YEAR,
        "rows": 2,
        "base": "200000.50",
        "reserved": "23000.06",
        "dry_run": True,
        "ignored_columns": [],
    }
    assert scene.get("first").json()["status"] == "missing"
    assert send(scene, rows).json()["dry_run"] is False
    first = scene.get("first").json()
    assert (first["status"], first["draft"]["percent"], first["draft"]["reserved"]) == ("draft", "12.5", "15000.06")
    assert scene.get("second").json()["draft"]["percent"] == "10"
    assert send(scene, [[scene.first.uscc, "1", ""]]).status_code == 200  # a draft may be sent again
    assert scene.file("first").status_code == 200
    assert scene.get("first").json()["draft"]["base"] == "1.00"


def test_a_percent_is_taken_from_a_cell_of_percents(scene):
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as book:
        sheet, percents = book.add_worksheet(), book.add_format({"num_format": "0.0%"})
        sheet.write_row(0, 0, ["统一社会信用代码", "食堂采购基数", "预留比例"])
        sheet.write_row(1, 0, [scene.first.uscc, 120000.5])
        sheet.write_number(1, 2, 0.125, percents)
    path, file = f"/v1/reserved-shares/{YEAR}/import", {"file": ("bases.xlsx", held.getvalue())}
    assert scene["department"].post(path, files=file).status_code == 200
    assert scene.get("first").json()["draft"]["percent"] == "12.5"


def test_commas_that_part_no_thousands_are_faults_of_their_cells(scene):
    rows = [
        *([scene.first.uscc, base, "10"] for base in ("100,00", "1,5", "1e3", "1_000")),
        [scene.second.uscc, "1,000.50", "1_0"],
    ]
    told = {(fault["row"], fault["column"]) for fault in send(scene, rows).json()["errors"]}
    assert {each for each in told if each[1] != "统一社会信用代码"} == {
        *((row, "食堂采购基数") for row in range(2, 6)),
        (6, "预留比例"),
    }


def test_every_fault_by_row_and_column(scene):
    scene.put("second")
    scene.file("second")
    stranger = scene.alone.uscc
    rows = [
        [scene.first.uscc, "100", "9"],
        [scene.first.uscc, "100", "10"],
        [stranger, "100", "10"],
        [scene.second.uscc, "100", "10"],
        ["91500106MA5U00000X", "0", "10"],
        [scene.first.uscc, "很多", "110"],
    ]
    answer = send(scene, rows)
    assert code(answer) == (422, "rows_refused")
    assert [(fault["row"], fault["column"], fault["code"]) for fault in answer.json()["errors"]] == [
        (2, "预留比例", "below_minimum"),
        (3, "统一社会信用代码", "unit_twice"),
        (4, "统一社会信用代码", "unknown_unit"),
        (5, "统一社会信用代码", "not_open"),
        (6, "统一社会信用代码", "unknown_unit"),
        (6, "食堂采购基数", "base_missing"),
        (7, "食堂采购基数", "bad_amount"),
        (7, "预留比例", "bad_percent"),
        (7, "统一社会信用代码", "unit_twice"),
    ]
    # 10 % as a spreadsheet program keeps it: what was read is told
    kept = send(scene, [[scene.first.uscc, "100", "0.1"]]).json()["errors"]
    assert [(fault["code"], "0.1%" in fault["message"].replace(" ", "")) for fault in kept] == [("below_minimum", True)]
    assert scene.get("first").json()["status"] == "missing"
    assert code(send(scene, [["x", "1"]], header=("代码", "食堂采购基数"))) == (422, "unreadable_spreadsheet")
    assert code(send(scene, rows, who="first_buyer")) == (403, "forbidden")


def test_a_csv_of_another_encoding_and_a_formula(scene):
    content = f"统一社会信用代码,食堂采购基数\n{scene.first.uscc},100\n".encode("gb18030")
    url = f"/v1/reserved-shares/{YEAR}/import"
    assert scene["department"].post(url, files={"file": ("b.csv", content)}).status_code == 200
    formula = f"统一社会信用代码,食堂采购基数\n{scene.first.uscc},=1+1\n".encode()
    refused = scene["department"].post(url, files={"file": ("b.csv", formula)})
    assert [(each["row"], each["column"], each["code"]) for each in refused.json()["errors"]] == [
        (2, "食堂采购基数", "formulas_not_accepted")
    ]


def test_the_view_as_a_file(scene):
    scene.accept_share("first", scene.first, base="1000.00")
    scene.buy("first_buyer", 1)
    url = f"/v1/reserved-shares/{YEAR}/export"
    answer = scene["department"].get(url, headers={"Accept-Language": "zh"})
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert len(rows) == 4
    assert rows[1][:5] == [1.0, "第一小学", scene.first.uscc, "500106", "已审核"]
    assert rows[1][5:12] == [1000.0, 10.0, 100.0, "", 69.9, 69.9, 30.1]
    table = list(csv.reader(io.StringIO(scene["department"].get(url, params={"format": "csv"}).content.decode("utf-8-sig"))))
    assert table[0][:3] == ["rank", "unit", "USCC"]
    assert table[2][4] == "Not filed"
