"""Lists as agencies send them: a real one, and what its cells may hold."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.importing import cells, rules
from orders.importing.rules import Column, RowKind
from shop.core.quantities import plain
from tests.factories import tables

SENT = (Path(__file__).parent / "data" / "canteen_order_as_agencies_send_it.xlsx").read_bytes()


@pytest.fixture(scope="module")
def sent():
    return tables.rows(SENT)


def test_the_header_is_found_below_the_titles_and_its_columns_by_other_names(sent):
    header = rules.header_of(sent)
    assert (header.row, header.twice) == (2, {})
    assert {column: sent[2][place] for column, place in header.columns.items()} == {
        Column.DISTRICT: "产地",
        Column.PRODUCT: "品名",
        Column.PACK: "规格型号",
        Column.QUANTITY: "采购数量",
        Column.PRICE: "参考单价（元）",
        Column.NOTE: "备注",
    }


def test_every_row_of_a_real_list_is_a_line_or_told_to_be_none(sent):
    header = rules.header_of(sent)
    read = list(rules.read(sent, header.row, header.columns))
    assert [row.row_no for row in read] == list(range(4, len(sent) + 1))
    assert Counter(row.kind for row in read) == {RowKind.LINE: 62, RowKind.TOTAL: 26, RowKind.BLANK: 7, RowKind.REMARK: 1}
    [faulty] = [row for row in read if row.fault]
    assert (faulty.product, faulty.fault) == ("丰都麻辣鸡块", "bad_quantity")
    by_name = {row.product: row for row in read if row.kind is RowKind.LINE and not row.fault}
    assert (by_name["万州玫瑰香橙"].quantity, by_name["万州玫瑰香橙"].unit, by_name["万州玫瑰香橙"].price_fen) == (10, "箱", 5800)
    assert by_name["永川秀芽"].quantity == 1200
    assert by_name["黑山谷猕猴桃"].quantity == 10


def test_what_is_no_list_has_no_header():
    assert rules.header_of([["通知", ""], ["各单位：", ""]]) is None
    assert rules.header_of([["品名", "规格"]]) is None  # two known columns are no header yet
    assert rules.header_of([[""] * 3] * rules.HEADER_WITHIN + [["品名", "数量"]]) is None


def test_of_two_columns_for_the_same_none_is_taken():
    header = rules.header_of([["品名", "产地", "区县", "数量"]])
    assert (header.columns, header.twice) == ({Column.PRODUCT: 0, Column.QUANTITY: 3}, {Column.DISTRICT: [1, 2]})


@given(
    st.decimals("0.001", "99999999", places=3),
    st.sampled_from(["", "箱", " 箱", "kg", "公斤", "/袋"]),
    st.booleans(),
    st.booleans(),
)
def test_a_quantity_is_read_however_it_is_written(quantity, unit, wide, grouped):
    written = f"{quantity:,f}" if grouped else plain(quantity)
    if wide:
        written = written.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    assert cells.quantity_of(f" {written}{unit}　") == (quantity, cells.same_unit(unit), None)


@pytest.mark.parametrize(
    "cell",
    [
        "0",
        "-1",
        "十箱",
        "1/2",
        "10-12箱",
        "1,20",
        "1.2345",
        "1e3",
        "10箱2袋",
        "NaN",
        "9" * 12,
        "约10箱",
        "1.2.3",
        "²",
        "2²",
        "2 0",
        "1, 200",
        "5,00",
        "0,500",
        "½箱",
        "1_0",
        "٣",
    ],
)
def test_what_is_no_quantity_is_not_guessed(cell):
    quantity, _, fault = cells.quantity_of(cell)
    assert (quantity, fault) == (None, "bad_quantity")


@pytest.mark.parametrize("cell", ["=", "=1+1", " ＝B2*2"])
def test_a_formula_that_shows_nothing_is_no_quantity(cell):
    assert cells.quantity_of(cell, "箱") == (None, "箱", "formulas_not_accepted")


def test_a_unit_behind_the_figure_must_be_that_of_its_column():
    assert cells.quantity_of("10箱", "袋") == (None, "袋", "units_differ")
    assert cells.quantity_of("10公斤", "kg") == (Decimal(10), "kg", None)
    assert cells.quantity_of("", "袋") == (None, "袋", "quantity_missing")


@pytest.mark.parametrize(
    ("written", "short"),
    [
        ("石柱土家族自治县", "石柱"),
        ("重庆市石柱县", "石柱"),
        ("彭水苗族土家族自治县", "彭水"),
        ("忠县", "忠县"),
        ("万盛经济技术开发区", "万盛"),
        ("万盛经开区", "万盛"),
        (" 渝中 区", "渝中"),
    ],
)
def test_a_county_is_the_same_by_its_short_and_its_whole_name(written, short):
    assert cells.short_place(written) == short


def test_the_short_names_of_all_districts_differ(database):
    from sqlalchemy import text

    with database.session() as session:
        names = list(
            session.execute(text("SELECT DISTINCT name_zh FROM region WHERE length(code) = 6 AND code <> '500000'")).scalars()
        )
    assert len(names) > 30
    assert [short for short, count in Counter(map(cells.short_place, names)).items() if count > 1] == []


def lines(*rows, header=("品名", "数量", "备注")):
    return list(rules.read([list(header), *map(list, rows)], 0, rules.header_of([header]).columns))


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (("奉节脐橙", "2", "合计两次送"), RowKind.LINE),
        (("奉节脐橙", "2", "Total of two"), RowKind.LINE),
        (("Totality 酒", "2", ""), RowKind.LINE),
        (("合计", "2", "两次送"), RowKind.TOTAL),
        (("总计（元）", "2", ""), RowKind.TOTAL),
        (("Total:", "2", ""), RowKind.TOTAL),
        (("", "2", "小计"), RowKind.TOTAL),
    ],
)
def test_a_remark_of_a_total_makes_no_line_a_total(row, kind):
    [read] = lines(row)
    assert read.kind is kind


def test_the_word_before_a_product_makes_a_total():
    [read] = lines(("小计", "蔬菜类", "12"), header=("序号", "品名", "数量"))
    assert read.kind is RowKind.TOTAL


@pytest.mark.parametrize(
    ("header", "cell", "unit", "fault"),
    [
        ("数量（公斤）", "2", "kg", None),
        ("采购数量(单位：斤)", "2", "斤", None),
        ("数量（箱）", "2箱", "箱", None),
        ("数量（公斤）", "2箱", "kg", "units_differ"),
        ("数量（必填）", "2", "", None),
        ("数量（箱/袋）", "2", "", None),
        ("数量", "2", "", None),
    ],
)
def test_a_unit_in_the_header_holds_for_every_row(header, cell, unit, fault):
    [read] = lines(("奉节脐橙", cell), header=("品名", header))
    assert (read.unit, read.fault) == (unit, fault)


def test_the_unit_of_a_row_counts_before_that_of_the_header():
    [read] = lines(("奉节脐橙", "2", "袋"), header=("品名", "数量（箱）", "单位"))
    assert (read.unit, read.fault) == ("袋", None)


def test_a_number_that_lost_its_digits_is_told_wherever_a_text_is_read():
    assert cells.text_fault("6.22202123456789e+18") == "number_too_long"
    assert cells.text_fault("622202123456789012") is None


@pytest.mark.parametrize(
    ("cell", "fen"),
    [
        ("69.9", 6990),
        ("¥1,200元", 120_000),
        ("￥１５．００", 1500),
        ("0", None),
        ("", None),
    ],
)
def test_a_price_is_read(cell, fen):
    assert cells.price_of(cell) == (fen, None)


@pytest.mark.parametrize("cell", ["15,00", "1,5", "12.345", "1 5", "abc", "六元", "9e999999", "1e-999999", "nan", "-5", "²"])
def test_what_is_no_price_is_told(cell):
    assert cells.price_of(cell) == (None, "bad_price")


def test_an_error_is_told_as_one_in_any_column():
    assert cells.price_of("#DIV/0!") == (None, "cell_error")
    assert cells.quantity_of("#N/A")[2] == "cell_error"
    assert cells.text_fault(" #ref! ") == "cell_error"


@pytest.mark.parametrize("title", ["一、粮油类", "（二）水果", "3.蔬菜", "四"])
def test_the_title_of_a_section_is_no_line(title):
    cells = [title, "", ""] if title != "四" else ["四", "干货类", ""]
    [row] = rules.read([["品名", "规格", "数量"], cells], 0, {Column.PRODUCT: 0, Column.PACK: 1, Column.QUANTITY: 2})
    assert row.kind is RowKind.REMARK


def test_a_product_that_begins_with_a_figure_is_a_line():
    [row] = rules.read(
        [["品名", "规格", "数量"], ["3号面粉", "5kg", ""]], 0, {Column.PRODUCT: 0, Column.PACK: 1, Column.QUANTITY: 2}
    )
    assert (row.kind, row.fault) == (RowKind.LINE, "quantity_missing")
