"""Many sales from one sheet: drafts, all or none, and every fault by row and column."""

import csv
import io
import time
from decimal import Decimal

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from shop.core import clock, exports
from tests.factories import tables
from tests.factories.claims import make_trading

HEADER = [
    "单据序号",
    "销售渠道",
    "供应单位统一社会信用代码",
    "采购单位",
    "采购方类型",
    "采购方区划代码",
    "销售日期",
    "产品名称",
    "规格编码",
    "数量",
    "含税金额（元）",
    "发票代码及号码",
    "银行回单号",
]


@pytest.fixture
def trading(api, database):
    return make_trading(api, database)


def names(trading, database):
    with database.unit_of_work() as session:
        statement = text("SELECT p.name, s.code FROM product p JOIN sku s ON s.product_id = p.id WHERE p.id = :id")
        return session.execute(statement, {"id": trading.product.product_id}).one()


def sheet(rows, header=HEADER):
    return "\n".join(",".join(map(str, row)) for row in [header, *rows]).encode("utf-8-sig")


def row(trading, product, sku, n, amount="98.00", group=None, invoice="", **more):
    cells = {
        "group": group or n,
        "platform": "线下",
        "uscc": trading.supplier.uscc,
        "buyer": "滨州某超市",
        "kind": "企业",
        "region": "371600",
        "on": clock.today(),
        "product": product,
        "sku": sku,
        "quantity": 2,
        "amount": amount,
        "invoice": invoice,
        "receipt": f"R{n}",
    }
    return list({**cells, **more}.values())


LONG = "9" * 3_000


@pytest.mark.parametrize(
    ("column", "cell", "header"),
    [
        ("invoice", LONG, "发票代码及号码"),
        ("receipt", LONG, "银行回单号"),
        ("buyer", LONG, "采购单位"),
        ("region", "渝", "采购方区划代码"),
    ],
)
def test_what_is_kept_has_the_limits_of_json(trading, database, column, cell, header):
    product, sku = names(trading, database)
    answer = send(trading.as_("seller"), sheet([row(trading, product, sku, 1, **{column: cell})]))
    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert (fault["field"], fault["code"]) == (f"row[2].{header}", "bad_value")


@pytest.mark.parametrize(
    ("cell", "code"),
    [(cell, "bad_value") for cell in ("甲", "0", "-1", "1.5", LONG, "99999999999999999999")]
    + [(cell, "unknown_relation") for cell in ("999", "９９９", "999.0")],
)
def test_a_relation_is_told_by_its_number(trading, database, cell, code):
    product, sku = names(trading, database)
    rows = [[*row(trading, product, sku, 1), cell]]
    answer = send(trading.as_("seller"), sheet(rows, [*HEADER, "帮扶关系编号"]))
    [fault] = answer.json()["errors"]
    assert (fault["column"], fault["code"]) == ("帮扶关系编号", code)


def send(client, content, *, dry_run=False, side="seller"):
    return client.post(
        "/v1/external-sales/import", data={"side": side, "dry_run": dry_run}, files={"file": ("claims.csv", content)}
    )


def test_rows_with_one_number_are_one_sale(trading, database):
    product, sku = names(trading, database)
    rows = [
        row(trading, product, sku, 1, group="A"),
        row(trading, product, sku, 2, "12.00", group="A", receipt="R1"),
        row(trading, product, sku, 3),
    ]
    tried = send(trading.as_("seller"), sheet(rows), dry_run=True).json()
    assert (tried["rows"], tried["claims"], tried["total"], tried["ids"]) == (3, 2, "208.00", [])
    made = send(trading.as_("seller"), sheet(rows)).json()
    first = trading.as_("seller").get(f"/v1/external-sales/{made['ids'][0]}").json()
    assert (first["status"], first["total"], len(first["lines"]), len(first["documents"])) == ("draft", "110.00", 2, 1)
    answer = trading.as_("seller").post("/v1/external-sales/submit", json={"ids": made["ids"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "some_not_ready")


def test_figures_are_read_in_any_width(trading, database):
    product, sku = names(trading, database)
    tried = send(trading.as_("seller"), sheet([row(trading, product, sku, 1, "９８．００", quantity="２")]), dry_run=True).json()
    assert tried["total"] == "98.00"


def test_a_sku_is_found_in_any_width_and_in_small_letters(trading, database):
    product, _ = names(trading, database)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE sku SET code = 'D00046-1' WHERE id = :id"), {"id": trading.product.sku_id})
    for n, written in enumerate(("Ｄ０００４６－１", "d00046-1", "D00046 -1"), start=1):
        made = send(trading.as_("seller"), sheet([row(trading, product, written, n)]))
        assert made.status_code == 200, made.text
        [line] = trading.as_("seller").get(f"/v1/external-sales/{made.json()['ids'][0]}").json()["lines"]
        assert line["sku_id"] == trading.product.sku_id


def test_a_product_is_found_in_any_width(trading, database):
    _, sku = names(trading, database)
    with database.unit_of_work() as session:
        session.execute(text("UPDATE product SET name = '奉节脐橙(特级)' WHERE id = :id"), {"id": trading.product.product_id})
    for written in ("奉节脐橙（特级）", "奉节 脐橙(特级)", "奉节脐橙(特级)"):
        answer = send(trading.as_("seller"), sheet([row(trading, written, sku, 1)]), dry_run=True)
        assert answer.status_code == 200, answer.text


def workbook(rows, header=HEADER):
    return exports.as_xlsx("销售", header, rows)


def test_numbers_of_a_workbook_are_kept_as_they_were_typed(trading, database):
    product, sku = names(trading, database)
    cells = row(trading, product, sku, 1, Decimal("98.5"), region=371600, receipt=123456789012)
    made = send(trading.as_("seller"), workbook([[*cells, "顺丰", 179582366644000]], [*HEADER, "承运单位", "运单号"])).json()
    [sale] = [trading.as_("seller").get(f"/v1/external-sales/{each}").json() for each in made["ids"]]
    assert (sale["total"], sale["buyer_region_code"]) == ("98.50", "371600")
    assert {"123456789012", "179582366644000"} == {each["number"] for each in sale["documents"]}


def test_a_waybill_is_what_its_cell_shows_and_a_month_is_no_day(trading, database):
    product, sku = names(trading, database)
    header = [*HEADER, "承运单位", "运单号"]
    wide = trading.supplier.uscc.translate({ord(each): ord(each) + 0xFEE0 for each in "0123456789"})
    cells = [
        *row(trading, product, sku, 1, (98.5, "#,##0.00"), uscc=wide.lower(), on=str(clock.today())),
        "顺丰",
        (123456, "0000000000"),
    ]
    made = send(trading.as_("seller"), tables.workbook({"销售": [header, cells]}))
    assert made.status_code == 200, made.text
    [sale] = [trading.as_("seller").get(f"/v1/external-sales/{each}").json() for each in made.json()["ids"]]
    assert (sale["total"], "0000123456" in {each["number"] for each in sale["documents"]}) == ("98.50", True)
    month = [*row(trading, product, sku, 2, on=(clock.today().replace(day=1), "yyyy年m月")), "", ""]
    refused = send(trading.as_("seller"), tables.workbook({"销售": [header, month]})).json()
    assert [(each["column"], each["code"]) for each in refused["errors"]] == [("销售日期", "bad_value")]


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_the_template_is_taken_but_for_whom_it_names(trading, database, kind):
    client = trading.as_("seller")
    template = client.get("/v1/external-sales/template", params={"format": kind})
    assert template.status_code == 200
    assert {each["code"] for each in send(client, template.content).json()["errors"]} == {"unknown_supplier"}
    [header, example] = (
        CalamineWorkbook.from_filelike(io.BytesIO(template.content)).get_sheet_by_index(0).to_python()
        if kind == "xlsx"
        else list(csv.reader(io.StringIO(template.content.decode("utf-8-sig"))))
    )
    product, _ = names(trading, database)
    named = {"供应单位统一社会信用代码": trading.supplier.uscc, "产品名称": product}
    mine = [named.get(title, cell) for title, cell in zip(header, example, strict=True)]
    made = send(client, sheet([mine], header))
    assert (made.status_code, made.json().get("claims")) == (200, 1), made.text


def test_a_weight_that_cannot_be_is_told_for_sales_and_not_for_acceptances(trading, database):
    with database.unit_of_work() as session:
        session.execute(
            text("UPDATE sku SET unit = 'kg', net_grams = 1000 WHERE product_id = :id"), {"id": trading.product.product_id}
        )
    line = {
        "product_id": trading.product.product_id,
        "sku_id": trading.product.sku_id,
        "quantity": "10",
        "grams": 9_000,
        "amount": "98.00",
    }
    claim = {
        "side": "seller",
        "platform": "offline",
        "supplier_id": trading.supplier.id,
        "buyer_name": "滨州某超市",
        "buyer_kind": "enterprise",
    }
    claim |= {"buyer_region_code": "371600", "sold_on": str(clock.today()), "lines": [line]}
    [fault] = trading.as_("seller").post("/v1/external-sales", json=claim, headers={"Accept-Language": "en"}).json()["errors"]
    assert (fault["code"], fault["expected_grams"]) == ("wrong_weight", 10_000)
    assert not any(word in fault["message"] for word in ("acceptance", "difference_quantity", "rejected"))


def test_faults_are_told_by_row_and_column_and_nothing_is_written(trading, database):
    product, sku = names(trading, database)
    rows = [
        row(trading, product, sku, 1),
        row(trading, "没有的产品", sku, 2),
        row(trading, product, sku, 3, "-1.00"),
        row(trading, product, sku, 4, uscc="91500000000000000X"),
        row(trading, product, sku, 1, group=1, buyer="另一家"),
        row(trading, product, sku, 5, buyer="=1+1"),
        row(trading, product, sku, 6, invoice="123"),
        row(trading, product, sku, 1, group=8, region="999999"),
        row(trading, "没有的产品", "没有的规格", 7, "-1.00"),
        row(trading, product, sku, 7, group=7, buyer="另一家", region="x"),
    ]
    answer = send(trading.as_("seller"), sheet(rows))
    assert answer.status_code == 422
    found = {(each["row"], each["column"], each["code"]) for each in answer.json()["errors"]}
    assert found == {
        (3, "产品名称", "unknown_product"),
        (4, "含税金额（元）", "bad_value"),
        (5, "供应单位统一社会信用代码", "unknown_supplier"),
        (6, "采购单位", "differs"),
        (7, "采购单位", "formulas_not_accepted"),
        (8, "发票代码及号码", "wrong_invoice_number"),
        (9, "采购方区划代码", "unknown_region"),
        (10, "产品名称", "unknown_product"),
        (10, "规格编码", "unknown_sku"),
        (10, "含税金额（元）", "bad_value"),
        (11, "采购单位", "differs"),
        (11, "采购方区划代码", "bad_value"),
    }
    assert [each["row"] for each in answer.json()["errors"]] == sorted(row for row, _, _ in found)
    assert trading.as_("seller").get("/v1/external-sales").json()["items"] == []


@pytest.mark.slow
def test_xlsx_is_read_and_five_thousand_rows_take_seconds(trading, database):
    product, sku = names(trading, database)
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, HEADER)
        for n in range(5_000):
            page.write_row(n + 1, 0, [str(cell) for cell in row(trading, product, sku, n + 1, f"{n // 100 + 1}.{n % 100:02}")])
    began = time.monotonic()
    made = send(trading.as_("seller"), buffer.getvalue())
    assert made.status_code == 200, made.text[:500]
    assert len(made.json()["ids"]) == 5_000
    assert time.monotonic() - began < 60
    with database.unit_of_work() as session:
        session.execute(
            text(
                "UPDATE programme SET config = jsonb_set(config, '{counting,evidence}',"
                ' config #> \'{counting,evidence}\' || \'{"files": false, "needed": {"offline": [["bank_receipt"]]}}\')'
            )
        )
    began = time.monotonic()
    done = trading.as_("seller").post("/v1/external-sales/submit", json={"ids": made.json()["ids"]})
    assert (done.status_code, done.json()) == (200, {"submitted": 5_000, "held": 0})
    assert time.monotonic() - began < 60


def test_a_sale_of_a_file_has_as_many_lines_and_papers_as_any(trading, database):
    product, sku = names(trading, database)
    rows = [row(trading, product, sku, n, group="A") for n in range(201)]
    answer = send(trading.as_("seller"), sheet(rows))
    found = {(each["row"], each["code"]) for each in answer.json()["errors"]}
    assert found == {(202, "too_many_lines"), (2, "too_many_papers")}
