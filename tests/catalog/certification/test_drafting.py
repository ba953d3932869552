"""A cooperative's spreadsheet of many products makes many drafts: all of them or none, every fault by row and column."""

import io
import re
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import event

from catalog.certification import sheets
from catalog.certification.actions import drafting
from shop.core import exports


def code(answer):
    return answer.status_code, answer.json().get("code")


def line(name, **changes):
    row = dict(zip(sheets.COLUMNS, sheets.EXAMPLE, strict=True)) | {"name": name} | changes
    return [row[column] for column in sheets.COLUMNS]


def send(office, rows, who="supplier", kind="csv", header=None, **data):
    made = exports.as_csv if kind == "csv" else lambda *table: exports.as_xlsx("申请", *table)
    file = {"file": (f"产品.{kind}", made(header or sheets.HEADER, rows))}
    return office.as_(who).post("/v1/certification-cases/from-spreadsheet", files=file, data=data)


def counts(office):
    return tuple(office.count(f"SELECT count(*) FROM {table}") for table in ("product", "sku", "certification_case"))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_every_row_becomes_a_draft(office, kind):
    rows = [
        line("甲脐橙"),
        line("乙脐橙", annual_capacity_kg="1,200"),
        [""] * len(sheets.HEADER),
        line(
            "丙民宿",
            kind="服务",
            category="乡村旅游服务",
            unit="间夜",
            net_grams="",
            comparable_pack_grams="",
            annual_capacity_kg="",
        ),
    ]
    tried = send(office, rows, kind=kind, dry_run="true")
    assert tried.status_code == 201, tried.text
    assert (tried.json()["products_new"], [row["case_id"] for row in tried.json()["drafts"]]) == (3, [None] * 3)
    assert counts(office) == (0, 0, 0)
    made = send(office, rows, kind=kind).json()
    assert [row["row"] for row in made["drafts"]] == [2, 3, 5]
    assert counts(office) == (3, 3, 3)
    case = office.read("supplier", made["drafts"][1]["case_id"])
    assert (case["annual_capacity_kg"], case["linkage_modes"], case["comparable_price"]) == (
        1200,
        ["purchase_contract", "employment"],
        "72.00",
    )
    assert (case["status"], case["product_name"], case["district_code"]) == ("draft", "乙脐橙", "500236")
    product = office.as_("supplier").get(f"/v1/products/{made['drafts'][2]['product_id']}").json()
    assert (product["kind"], product["skus"][0]["unit"]) == ("service", "room_night")


def test_a_known_product_is_used_and_not_made_again(office):
    known = office.product(name="甲脐橙")
    made = send(office, [line("甲脐橙"), line("乙脐橙")]).json()
    assert (made["products_new"], made["products_known"]) == (1, 1)
    assert made["drafts"][0]["product_id"] == known.product_id
    again = send(office, [line("甲脐橙"), line("丁脐橙")])
    assert (code(again), again.json()["errors"][0]["code"], again.json()["errors"][0]["row"]) == (
        (422, "rows_refused"),
        "case_open",
        2,
    )
    assert counts(office)[0] == 2


def test_every_fault_by_row_and_column_and_nothing_is_kept(office):
    rows = [
        line("甲"),
        line("乙", category="石头", district="月球"),
        line("丙", price="-1", unit="斗"),
        line("丁", comparable_price_on="昨天", linkage_modes="乞讨"),
        line("戊", net_grams="", township="无此镇"),
        line("甲"),
        line("", village="白龙村"),
    ]
    answer = send(office, rows)
    assert code(answer) == (422, "rows_refused")
    found = {(fault["row"], fault["column"]) for fault in answer.json()["errors"]}
    assert found >= {
        (3, "品类"),
        (3, "区县"),
        (4, "单价（元）"),
        (4, "单位"),
        (5, "价格日期"),
        (6, "乡镇"),
        (7, "产品名称"),
        (8, "产品名称"),
    }
    assert counts(office) == (0, 0, 0)


def test_faults_are_told_in_one_language(office):
    rows = [line("甲", price="0", annual_capacity_kg="0"), line("乙", net_grams="many", comparable_price_on="1900-01-01")]
    for language, foreign in (("zh", r"[A-Za-z]{3}"), ("en", r"[\u4e00-\u9fff]")):
        office.as_("supplier").headers["Accept-Language"] = language
        told = [fault["message"] for fault in send(office, rows).json()["errors"]]
        assert len(told) == 4
        assert [each for each in told if re.search(foreign, each)] == []


@pytest.mark.parametrize("written", ["2026/11/2", "2026年11月2日", "２０２６．１１．２", "20261102", "2026-11-02 00:00:00"])
def test_a_day_is_read_as_in_any_other_file(office, written):
    made = send(office, [line("甲", comparable_price_on=written)])
    assert made.status_code == 201, made.text
    assert office.read("supplier", made.json()["drafts"][0]["case_id"])["comparable_price_on"] == "2026-11-02"


def test_words_are_read_in_any_width_and_case(office):
    changed = {"unit": " 箱", "category": "Ｆｒｕｉｔ", "kind": "GOODS", "linkage_modes": "Ｅmployment，订单收购"}
    assert send(office, [line("甲", **changed)]).status_code == 201


def test_what_is_wrong_is_said_in_the_words_of_other_files(office):
    office.as_("supplier").headers["Accept-Language"] = "en"
    told = send(office, [line("甲", annual_capacity_kg="many", comparable_price_on="2026-11")]).json()["errors"]
    assert [each["message"] for each in told] == [
        "Row 2: write a day as 2026-01-31, in a cell of dates or text",
        "Row 2: Has to be a whole number",
    ]


def test_a_row_is_looked_at_to_its_end_whatever_is_wrong_at_its_beginning(office):
    office.case("draft")
    taken = office.count("SELECT name FROM product")
    rows = [
        line("乙", category="石头", price="0", linkage_modes="乞讨", net_grams="", comparable_price_on="昨天"),
        line("戊", net_grams=""),
        line(taken, annual_capacity_kg="很多", month_2="2000000001"),
        line("a\x01b" * 100),
        line("己", category="", district="", township="", unit=""),
    ]
    answer = send(office, rows)
    assert {(fault["row"], fault["column"], fault["code"]) for fault in answer.json()["errors"]} == {
        (2, "品类", "unknown_category"),
        (2, "单价（元）", "value_error"),
        (2, "带动方式", "unknown_linkage_mode"),
        (2, "净重（克）", "weight_missing"),
        (2, "价格日期", "bad_value"),
        (3, "净重（克）", "weight_missing"),
        (4, "年产能（公斤）", "int_parsing"),
        (4, "2月产能（公斤）", "less_than_equal"),
        (4, "产品名称", "case_open"),
        (5, "产品名称", "string_too_long"),
        (6, "品类", "missing"),
        (6, "区县", "missing"),
        (6, "单位", "missing"),
    }
    assert counts(office) == (1, 1, 1)


def test_a_row_by_weight_weighs_its_unit(office):
    rows = [
        line("甲", unit="公斤"),
        line("乙", unit="公斤", net_grams="1"),
        line("丙", unit="间夜"),
        line("丁", unit="kg", district="外地"),
    ]
    answer = send(office, rows)
    assert {(fault["row"], fault["column"], fault["code"]) for fault in answer.json()["errors"]} == {
        (2, "净重（克）", "weight_of_unit"),
        (3, "净重（克）", "weight_of_unit"),
        (4, "单位", "unit_of_a_service"),
        (5, "区县", "unknown_origin"),
        (5, "净重（克）", "weight_of_unit"),
    }
    assert counts(office) == (0, 0, 0)
    assert send(office, [line("甲", unit="公斤", net_grams="1000")]).status_code == 201


def test_figures_are_read_as_a_workbook_keeps_them(office):
    """A program that keeps cells as numbers writes 500236.0 for a code and a day for a date."""
    row = line("甲脐橙", price=Decimal("69.9"), net_grams=5000, district=500236, annual_capacity_kg=1200, vat_percent=9)
    row[list(sheets.COLUMNS).index("comparable_price_on")] = date(2026, 11, 2)
    for month in range(1, 13):
        row[list(sheets.COLUMNS).index(f"month_{month}")] = 100
    made = send(office, [row], kind="xlsx")
    assert made.status_code == 201, made.text
    case = office.read("supplier", made.json()["drafts"][0]["case_id"])
    assert (case["monthly_capacity_kg"], case["district_code"], case["comparable_price_on"]) == ([100] * 12, "500236", "2026-11-02")
    assert office.count("SELECT vat_bp FROM sku") == 900


def test_months_may_be_left_out_or_filled_in_part(office):
    months = {f"month_{month}": "" for month in range(1, 13)}
    made = send(office, [line("甲", **months), line("乙", **months | {"month_11": "600000"}, vat_percent="")]).json()
    first, second = (office.read("supplier", row["case_id"]) for row in made["drafts"])
    assert first["monthly_capacity_kg"] is None
    assert second["monthly_capacity_kg"] == [0] * 10 + [600000, 0]


def test_a_cell_that_cannot_be_stored_is_named(office):
    file = {"file": ("a.xlsx", exports.as_xlsx("申请", sheets.HEADER, [line("甲\x00乙"), line("丙")]))}
    answer = office.as_("supplier").post("/v1/certification-cases/from-spreadsheet", files=file)
    assert [(fault["row"], fault["column"], fault["code"]) for fault in answer.json()["errors"]] == [(2, "产品名称", "value_error")]
    assert counts(office) == (0, 0, 0)


def test_a_county_that_is_not_designated_is_a_fault_of_its_cell(office):
    refused = send(office, [line("甲", district="渝中区"), line("乙")])
    told = [(fault["row"], fault["column"], fault["code"]) for fault in refused.json()["errors"]]
    assert told == [(2, "区县", "district_not_eligible")]
    assert "from Yuzhong (500103) cannot be certified" in refused.json()["errors"][0]["message"]


def test_a_name_in_two_lines_is_a_fault_of_its_cell(office):
    refused = send(
        office, [line("甲脐橙\n二"), line("乙脐橙", producer="合作社\u200b"), line("丙脐橙", statement="一\n二")], kind="xlsx"
    )
    told = [(fault["row"], fault["column"], fault["code"]) for fault in refused.json()["errors"]]
    assert told == [(2, "产品名称", "value_error"), (3, "生产者", "value_error")]


@pytest.mark.parametrize("rate", ["1E+999999", "9e999999999999", "NaN", "Infinity", "九"])
def test_a_rate_that_no_number_can_hold_is_a_fault_of_its_cell(office, rate):
    answer = send(office, [line("甲", vat_percent=rate)])
    assert {(fault["row"], fault["column"]) for fault in answer.json()["errors"]} == {(2, "税率（%）")}


def test_commas_that_part_no_thousands_are_faults_of_their_cells(office):
    rows = [
        line("甲", price="1,069.90", net_grams="５，０００", annual_capacity_kg="600,000", comparable_price="1,072"),
        line("乙", price="69,90", net_grams="5,00", annual_capacity_kg="60,0", month_1="1,5", comparable_price="72,00"),
        line("丙", net_grams="5_000", price="6_9"),
    ]
    answer = send(office, rows)
    assert {(fault["row"], fault["column"]) for fault in answer.json()["errors"]} == {
        *((3, column) for column in ("单价（元）", "净重（克）", "年产能（公斤）", "1月产能（公斤）", "同类价（元）")),
        *((4, column) for column in ("单价（元）", "净重（克）")),
    }
    assert send(office, rows[:1]).status_code == 201
    assert office.count("SELECT net_grams FROM sku") == 5000
    assert office.count("SELECT unit_price_fen FROM price_tier") == 106990
    office.as_("supplier").headers["Accept-Language"] = "zh"
    [told] = send(office, [line("丁", price="69,90")]).json()["errors"]
    assert told["message"] == "第 2 行：须为数字，如 1234.50 或 1,234.50"


@pytest.mark.parametrize(
    ("rate", "bp"), [("9", 900), ("9%", 900), ("0.09", 900), (Decimal("0.13"), 1300), (1, 100), ("0", 0), ("", 0)]
)
def test_a_rate_of_tax_is_read_as_a_workbook_keeps_it(office, rate, bp):
    made = send(office, [line("甲", vat_percent=rate)], kind="xlsx")
    assert made.status_code == 201, made.text
    assert office.count("SELECT vat_bp FROM sku") == bp


@pytest.mark.parametrize("rate", ["8", "100", "0.09%", "0.9", "17", "-9", "9,0"])
def test_what_is_no_rate_of_tax_is_a_fault_of_its_cell(office, rate):
    office.as_("supplier").headers["Accept-Language"] = "zh"
    [told] = send(office, [line("甲", vat_percent=rate)]).json()["errors"]
    assert (told["column"], told["message"]) == ("税率（%）", "第 2 行：须为现行增值税税率或征收率：0、1、3、5、6、9、13 之一（%）")


def test_words_are_told_as_the_template_offers_them(office):
    office.as_("supplier").headers["Accept-Language"] = "zh"
    rows = [line("甲", kind="东西", unit="麻袋"), line("乙", unit="")]
    told = {(each["row"], each["column"]): each["message"] for each in send(office, rows).json()["errors"]}
    assert told == {
        (2, "类型"): "第 2 行：须为 商品、服务 之一",
        (2, "单位"): "第 2 行：须为 袋、桶、只、瓶、箱、罐、筐、坛、公斤、包、人、件、份、间夜、套、张 之一",
        (3, "单位"): "第 3 行：未填写",
    }
    office.as_("supplier").headers["Accept-Language"] = "en"
    [told] = send(office, [["甲", "奉节县"]], header=["产品名称", "区县"]).json()["errors"]
    assert told["message"] == "Row 1: column 品类 (category) is missing"


def in_opposite_order(office):
    """Two people of one organisation send the same products at once, one from the first to the last, the other the other way round."""
    names, clients = [f"产品{number}" for number in range(30)], [office.as_("supplier"), office.api.as_(office.users["supplier"])]
    start = threading.Barrier(2)

    def run(client, order):
        file = {"file": ("a.csv", exports.as_csv(sheets.HEADER, [line(name) for name in order]))}
        start.wait(30)
        return client.post("/v1/certification-cases/from-spreadsheet", files=file)

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(run, clients, [names, names[::-1]]), key=lambda answer: answer.status_code)


@pytest.mark.slow
def test_of_two_sheets_with_the_same_products_at_once_the_second_finds_what_the_first_made(office):
    made, refused = in_opposite_order(office)
    assert (made.status_code, code(refused)) == (201, (422, "rows_refused"))
    assert {fault["code"] for fault in refused.json()["errors"]} == {"case_open"}
    assert counts(office) == (30, 30, 30)


@pytest.mark.slow
@pytest.mark.control
def test_without_the_lock_the_second_of_two_sheets_makes_products_that_are_there(office, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    together, known = threading.Barrier(2), drafting._known

    def at_once(*asked):
        found = known(*asked)
        together.wait(30)
        return found

    monkeypatch.setattr(drafting.locks, "hold", lambda session, name: None)
    monkeypatch.setattr(drafting, "_known", at_once)
    made, refused = in_opposite_order(office)
    assert made.status_code == 201
    # the second waits for a name of the first; or each for one of the other's
    assert code(refused) in ((409, "product_name_taken"), (503, "unavailable"))


def test_many_rows_take_as_many_statements_as_one(office):
    def statements(rows):
        heard = []
        note = lambda connection, cursor, statement, *_: heard.append(statement)  # noqa: E731
        event.listen(office.database.engine, "before_cursor_execute", note)
        try:
            made = send(office, rows)
        finally:
            event.remove(office.database.engine, "before_cursor_execute", note)
        assert made.status_code == 201, made.text
        return len(heard)

    statements([line("先")])  # what is kept from here on is read once
    one = statements([line("甲")])
    assert statements([line(f"产品{number}") for number in range(50)]) == one


def test_who_and_how_many(office):
    assert code(send(office, [line("甲")], who="county")) == (403, "forbidden")
    many = send(office, [line(f"产品{number}") for number in range(1001)])
    assert code(many) == (422, "too_many_rows")
    assert [(fault["field"], fault["row"]) for fault in many.json()["errors"]] == [("file", 1002)]
    assert code(send(office, [["甲"]], header=["产品名称"])) == (422, "unreadable_spreadsheet")
    formula = {"file": ("a.csv", "产品名称,品类,区县\n=1+1,水果,奉节县\n".encode())}
    refused = office.as_("supplier").post("/v1/certification-cases/from-spreadsheet", files=formula)
    told = [(each["column"], each["code"]) for each in refused.json()["errors"] if each["column"] == "产品名称"]
    assert (code(refused)[0], told) == (422, [("产品名称", "formulas_not_accepted")])


def test_the_same_request_twice_makes_one_set_of_drafts(office):
    content = exports.as_csv(sheets.HEADER, [line("甲"), line("乙")])
    client = office.as_("supplier")
    ask = lambda: client.post(  # noqa: E731
        "/v1/certification-cases/from-spreadsheet",
        files={"file": ("a.csv", content)},
        headers={"Idempotency-Key": "一次".encode().hex()},
    )
    assert ask().json() == ask().json()
    assert counts(office) == (2, 2, 2)


def test_the_template_is_understood_and_opens_as_a_spreadsheet(office):
    for kind in ("csv", "xlsx"):
        template = office.as_("supplier").get("/v1/certification-cases/spreadsheet-template", params={"format": kind})
        file = {"file": (f"t.{kind}", template.content)}
        tried = office.as_("supplier").post("/v1/certification-cases/from-spreadsheet", files=file, data={"dry_run": "true"})
        assert tried.json()["products_new"] == 1, tried.text
    book = CalamineWorkbook.from_filelike(io.BytesIO(template.content))
    assert book.get_sheet_by_index(0).to_python()[0] == sheets.HEADER
    words = book.get_sheet_by_name("代码").to_python()
    assert words[0] == ["类型", "品类", "区县", "单位", "带动方式"]
    districts = {row[2] for row in words[1:]} - {""}
    assert len(districts) == 33
    assert "奉节县" in districts
    with zipfile.ZipFile(io.BytesIO(template.content)) as parts:
        assert parts.read("xl/worksheets/sheet1.xml").count(b"<dataValidation ") == 4
