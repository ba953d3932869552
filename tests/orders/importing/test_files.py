"""Orders from spreadsheets: honest ones are understood, faulty ones named row by row, crafted ones refused without harm."""

import io
import zipfile

import pytest
import xlsxwriter

from tests.factories.orders import make_market

HEADER = ["产品名称", "产地区县", "规格", "数量", "单位"]
GOOD = [["奉节脐橙", "奉节县", "5kg/箱", 100, "箱"], ["中益土蜂蜜", "石柱土家族自治县", "5kg/箱", 3, "瓶"]]
HEAD = {"fund_source": "canteen", "delivery_address": "大学城中路1号"}


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


@pytest.fixture
def buyer(api, database):
    return api.as_(make_market(database).purchaser)


def order(buyer, content, name="order.xlsx"):
    return buyer.post("/v1/purchase-orders/from-spreadsheet", files={"file": (name, content)}, data=HEAD)


@pytest.mark.parametrize("encoding", ["xlsx", "utf-8", "utf-8-sig", "gb18030"])
def test_a_file_of_the_template_is_one_order(buyer, encoding):
    lines = "\n".join(",".join(map(str, row)) for row in [HEADER, *GOOD])
    content = xlsx([HEADER, *GOOD]) if encoding == "xlsx" else lines.encode(encoding)
    preview = buyer.post("/v1/purchase-orders/spreadsheet-preview", files={"file": ("o", content)}).json()
    assert [(row["row"], row["product_name"], row["quantity"]) for row in preview["lines"]] == [
        (2, "奉节脐橙", "100"),
        (3, "中益土蜂蜜", "3"),
    ]
    placed = order(buyer, content)
    assert (placed.status_code, placed.json()["total"], placed.json()["line_count"]) == (201, "6950.00", 2)


def test_short_district_names_blank_rows_and_other_columns_are_no_fault(buyer):
    rows = [
        ["序号", "数量", "产品名称", "产地区县"],
        [],
        [1, "2", " 奉节脐橙 ", "奉节"],
        ["", "", "", ""],
        [2, 1, "中益土蜂蜜", "石柱土家族自治县"],
    ]
    assert order(buyer, xlsx(rows)).json()["line_count"] == 2


def test_every_faulty_row_is_named_and_nothing_is_ordered(buyer):
    rows = [HEADER, *GOOD, ["没有的产品", "奉节县", "", 1, "箱"], ["奉节脐橙", "巫山县", "", 1, "箱"]]
    answer = order(buyer, xlsx(rows))
    assert (answer.status_code, answer.json()["code"]) == (422, "rows_refused")
    assert [(fault["row"], fault["code"]) for fault in answer.json()["errors"]] == [(4, "unknown_product"), (5, "unknown_product")]
    bad = [
        HEADER,
        ["奉节脐橙", "奉节县", "", "10箱", ""],
        ["奉节脐橙", "奉节县", "", -1, ""],
        ["奉节脐橙", "奉节县", "", "NaN", ""],
    ]
    assert [fault["row"] for fault in order(buyer, xlsx(bad)).json()["errors"]] == [2, 3, 4]
    assert buyer.get("/v1/purchase-orders").json()["items"] == []


def test_what_cannot_be_met_is_told_by_its_row(buyer):
    answer = order(buyer, xlsx([HEADER, GOOD[1], [*GOOD[0][:3], 5000, "箱"]]))
    fault = answer.json()["errors"][0]
    assert (fault["field"], fault["code"], fault["available"]) == ("row[3]", "stock_short", "1000")
    assert fault["message"] == "Row 3 奉节脐橙: Stock is short"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK",
        b"PK\x03\x04" + b"\x00" * 500,
        b"\x00" * 500,
        b"\xff\xfe\xfa" * 50,
        b"a,b\n1,2\n",
        crafted(lambda xml: b""),
        crafted(lambda xml: xml.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')),
        crafted(lambda xml: xml.replace(b'r="D2"', b'r="ZZZZZZ99999999"')),
    ],
    ids=[
        "empty",
        "letters",
        "broken zip",
        "zeros",
        "bytes",
        "other columns",
        "no sheet",
        "a cell at the end of the world",
        "a cell beyond it",
    ],
)
def test_files_that_are_none_are_refused_and_the_server_lives(buyer, content):
    answer = order(buyer, content)
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_spreadsheet")
    assert order(buyer, xlsx([HEADER, *GOOD])).status_code == 201


def test_more_rows_than_an_order_may_have(buyer):
    content = "\n".join([",".join(HEADER), *["奉节脐橙,奉节县,,1,箱"] * 10_001]).encode()
    assert order(buyer, content).json()["code"] == "too_many_rows"


def test_a_bomb_is_refused(buyer):
    bomb = crafted(lambda xml: xml.replace(b"</sheetData>", b"<row>" + b"<c><v>1</v></c>" * 20_000_000 + b"</row></sheetData>"))
    assert len(bomb) < 2_000_000
    assert order(buyer, bomb).status_code == 422
