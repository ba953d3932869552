"""A cooperative's spreadsheet of many products makes many drafts: all of them or none, every fault by row and column."""

import io

import pytest
from python_calamine import CalamineWorkbook

from catalog.certification import sheets
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
        line("丙民宿", kind="服务", category="乡村旅游服务", unit="间夜", net_grams="", comparable_pack_grams="", annual_capacity_kg=""),
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
    # what only the database or the programme knows is told in the second place, by row and column too
    later = send(office, [line("丁", linkage_modes="乞讨"), line("戊", net_grams="")])
    assert {(fault["row"], fault["column"], fault["code"]) for fault in later.json()["errors"]} == {
        (2, "带动方式", "unknown_linkage_mode"),
        (3, "净重（克）", "weight_missing"),
    }
    assert counts(office) == (0, 0, 0)


def test_who_and_how_many(office):
    assert code(send(office, [line("甲")], who="county")) == (403, "forbidden")
    assert code(send(office, [line(f"产品{number}") for number in range(1001)])) == (422, "too_many_rows")
    assert code(send(office, [["甲"]], header=["产品名称"])) == (422, "unreadable_spreadsheet")
    formula = {"file": ("a.csv", "产品名称,品类,区县\n=1+1,水果,奉节县\n".encode())}
    assert code(office.as_("supplier").post("/v1/certification-cases/from-spreadsheet", files=formula)) == (422, "formulas_not_accepted")


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
    rows = CalamineWorkbook.from_filelike(io.BytesIO(template.content)).get_sheet_by_index(0).to_python()
    assert rows[0] == sheets.HEADER
