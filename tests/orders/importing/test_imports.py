"""From an uploaded list to one order: read, understood, checked, corrected, ordered."""

import io
from datetime import timedelta

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from orders.importing import actions
from orders.importing.actions import forgetting
from shop.identity.permissions import Role
from tests.factories import tables
from tests.factories.buying import make_bureau
from tests.factories.catalog import make_product
from tests.factories.identity import make_organisation, make_user, signed_in
from tests.orders.importing.conftest import DATA, HEAD, Desk, as_csv, faults

ORANGES, HONEY = ["奉节脐橙", "奉节县", "5kg/箱", 100, "箱"], ["中益土蜂蜜", "石柱土家族自治县", "", 3, ""]


def sql(desk, statement, **values):
    with desk.database.unit_of_work() as session:
        return session.execute(text(statement), values)


def test_a_list_becomes_one_order_of_its_lines(api, market, desk):
    shown = desk.upload(as_csv(ORANGES, HONEY), "采购单.csv")
    assert (shown["status"], shown["name"], shown["header_row"], shown["fault"]) == ("ready", "采购单.csv", 1, None)
    assert (shown["rows_total"], shown["rows_done"], shown["counts"]) == (2, 2, {"matched": 2})
    assert (shown["total"], shown["total_grams"]) == ("6950.00", 501_500)
    assert shown["columns"][0] == {"field": "product", "column": 1, "letter": "A", "header": "产品名称", "basis": "header"}
    assert shown["possible_actions"] == ["set_columns", "check_again", "correct", "order"]
    looking = signed_in(api, Role.VIEWER, market.school).get(f"/v1/order-imports/{shown['id']}").json()
    assert (looking["status"], looking["possible_actions"]) == ("ready", [])
    answer = desk.order(shown["id"], buyer_reference="ST-1")
    placed = answer["purchase_order"]
    assert (placed["total"], placed["line_count"], placed["source_kind"], placed["source_id"]) == (
        "6950.00",
        2,
        "import",
        shown["id"],
    )
    assert answer["purchase_request_id"] is None
    again = desk.show(shown["id"])
    assert (again["status"], again["purchase_order_id"], again["possible_actions"]) == ("ordered", placed["id"], ["order_again"])


def test_progress_is_seen_between_the_steps(desk):
    import_id = desk.send(as_csv(ORANGES, HONEY)).json()["id"]
    assert desk.show(import_id)["rows_total"] == 0
    with desk.database.unit_of_work() as session:
        actions.read(session, import_id)
    shown = desk.show(import_id)
    assert (shown["status"], shown["rows_total"], shown["rows_done"], shown["counts"]) == ("checking", 2, 0, {"waiting": 2})
    with desk.database.unit_of_work() as session:
        actions.read(session, import_id)  # twice does no harm
        actions.check(session, import_id)
        actions.check(session, import_id)
    desk.work()
    assert desk.show(import_id)["status"] == "ready"


@pytest.mark.slow
def test_the_list_of_a_canteen_as_agencies_send_it_is_understood_in_full(desk, catalogue):
    shown = desk.upload((DATA / "canteen_order_as_agencies_send_it.xlsx").read_bytes(), "计划表.xlsx")
    assert (shown["header_row"], shown["rows_total"]) == (3, 96)
    assert shown["counts"] == {"faulty": 2, "matched": 60, "not_a_line": 34}
    wrong = desk.rows(shown["id"], state="faulty")
    assert {row["product"]: faults(row) for row in wrong.values()} == {
        "内蒙古羊肉卷": [("product", "unknown_product")],
        "丰都麻辣鸡块": [("quantity", "bad_quantity")],
    }
    assert [(row, each["faults"][0]["column"]) for row, each in wrong.items()] == [(95, "品名"), (96, "采购数量")]
    refused = desk.order(shown["id"], 422)
    assert [(each["row"], each["code"]) for each in refused["errors"]] == [(95, "unknown_product"), (96, "bad_quantity")]
    placed = desk.order(shown["id"], leave_out_faulty=True)["purchase_order"]
    assert placed["line_count"] == 60
    assert placed["total"] == shown["total"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "lines"), [("canteen_order.xlsx", 60), ("union_gifts_gb18030.csv", 25)])
def test_plain_lists_are_understood_in_full(desk, catalogue, name, lines):
    shown = desk.upload((DATA / name).read_bytes(), name)
    assert shown["counts"] == {"matched": lines}, desk.rows(shown["id"], state="faulty")
    assert desk.order(shown["id"])["purchase_order"]["line_count"] == lines


def test_every_fault_is_told_by_row_and_column_with_its_reason(desk, market, database):
    with database.unit_of_work() as session:
        supplier = market.suppliers[0]
        make_product(session, supplier, name="没认证的橙", certified=False)
        suspended = make_product(session, supplier, name="暂停的橙")
        session.execute(text("UPDATE certificate SET suspended_at = now() WHERE id = :id"), {"id": suspended.certificate_id})
        withdrawn = make_product(session, supplier, name="下架的橙")
        session.execute(text("UPDATE product SET status = 'withdrawn' WHERE id = :id"), {"id": withdrawn.product_id})
        make_product(session, supplier, name="整托的橙", step=10, min_quantity=20, prices=((20, 100),))
    rows = [
        ["没有的橙", "", "", 1, ""],
        ["没认证的橙", "", "", 1, ""],
        ["暂停的橙", "", "", 1, ""],
        ["下架的橙", "", "", 1, ""],
        ["整托的橙", "", "", 10, ""],
        ["整托的橙", "", "", 25, ""],
        ["中益土蜂蜜", "", "", 600, ""],
        ["中益土蜂蜜", "", "", 600, ""],
        ["奉节脐橙", "", "", "十箱", ""],
        ["奉节脐橙", "", "", 5, "袋"],
        ["奉节脐橙", "巫山", "", 5, ""],
        ["奉节脐橙", "", "2kg/箱", 5, ""],
    ]
    shown = desk.upload(as_csv(*rows))
    found = desk.rows(shown["id"])
    assert [faults(found[number]) for number in range(2, 14)] == [
        [("product", "unknown_product")],
        [("product", "not_certified")],
        [("product", "certificate_suspended")],
        [("product", "withdrawn")],
        [("quantity", "below_minimum")],
        [("quantity", "wrong_step")],
        [("quantity", "stock_short")],
        [("quantity", "stock_short")],
        [("quantity", "bad_quantity")],
        [("unit", "units_differ")],
        [("district", "district_differs")],
        [("pack", "pack_differs")],
    ]
    assert shown["counts"] == {"ambiguous": 2, "faulty": 10}
    assert found[6]["faults"][0]["data"] == {"min_quantity": "20"}
    assert found[8]["faults"][0]["data"] == {"available": "1000"}
    assert [each["product_name"] for each in found[12]["candidates"]] == ["奉节脐橙"]
    # names that are like the unknown one are offered, none is taken
    assert {each["product_name"] for each in found[2]["candidates"]} & {"没认证的橙", "暂停的橙", "整托的橙"}
    assert found[2]["sku"] is None


WIDE = ["产品名称", "编码", "产地", "规格", "数量", "单位", "单价", "备注"]


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("产品名称", "product"),
        ("编码", "code"),
        ("产地", "district"),
        ("规格", "pack"),
        ("数量", "quantity"),
        ("单位", "unit"),
        ("备注", "note"),
    ],
)
def test_a_formula_without_a_value_is_told_in_its_column(desk, column, field):
    line = dict.fromkeys(WIDE, "") | {"产品名称": "奉节脐橙", "数量": 5} | {column: "="}
    [row] = desk.rows(desk.upload(as_csv(list(line.values()), header=WIDE))["id"]).values()
    assert (row["state"], [(each["code"], each["column"]) for each in row["faults"]]) == (
        "faulty",
        [("formulas_not_accepted", column)],
    )
    assert row[field] in ("", None)


@pytest.mark.parametrize(
    ("price", "code"), [("=", "formulas_not_accepted"), ("abc", "bad_price"), ("#DIV/0!", "cell_error"), ("69.905", "bad_price")]
)
def test_a_price_that_cannot_be_read_is_a_warning(desk, price, code):
    [row] = desk.rows(desk.upload(as_csv(["奉节脐橙", 5, price], header=["产品名称", "数量", "单价"]))["id"]).values()
    assert (row["state"], [(each["code"], each["column"]) for each in row["warnings"]]) == ("warning", [(code, "单价")])


def test_a_choice_says_what_formulas_did_not(desk, market):
    line = ["=", "=", "=", "=", 5, "=", "", ""]
    shown = desk.upload(as_csv(line, header=WIDE))
    choice = {"sku_id": market.products[0].sku_id}
    assert desk.post(shown["id"], "rows/2/choice", 422, **choice)["code"] == "quantity_needed"
    row = desk.post(shown["id"], "rows/2/choice", 200, **choice, quantity="4")
    assert (row["state"], row["faults"]) == ("matched", [])
    desk.post(shown["id"], "check", 202)
    desk.work()
    assert desk.rows(shown["id"])[2]["state"] == "matched"


@pytest.mark.parametrize("column", ["产品名称", "备注"])
def test_a_text_that_turns_about_is_refused(desk, column):
    line = {"产品名称": "奉节脐橙", "数量": 5, "备注": ""} | {column: "奉节\u202e脐橙"}
    [row] = desk.rows(desk.upload(as_csv(list(line.values()), header=list(line)))["id"]).values()
    assert (row["state"], [(each["code"], each["column"]) for each in row["faults"]]) == ("faulty", [("bad_text", column)])


def test_only_a_remark_has_lines_and_nothing_holds_what_nobody_sees(desk):
    header = ["产品编码", "产品名称", "产地", "规格", "数量", "单位", "备注"]
    fine = ["", " 奉节脐橙 ", "奉节县", "5kg/箱", "5", "箱", "周一送\n勿早于七点"]
    rows = [fine] + [[*fine[:at], f"{fine[at]}\u200b箱", *fine[at + 1 :]] for at in (0, 1, 2, 3, 5)]
    rows += [[*fine[:at], f"{fine[at]}\n箱", *fine[at + 1 :]] for at in (1, 3)]
    content = "\n".join(",".join(f'"{cell}"' for cell in row) for row in [header, *rows]).encode()
    met, *refused = desk.rows(desk.upload(content)["id"]).values()
    assert (met["state"], met["product"], met["note"], met["faults"]) == ("matched", "奉节脐橙", "周一送\n勿早于七点", [])
    told = [[(each["column"], each["code"]) for each in row["faults"]] for row in refused]
    assert told == [[(header[at], "bad_text")] for at in (0, 1, 2, 3, 5, 1, 3)]
    assert {row["state"] for row in refused} == {"faulty"}


def test_goods_whose_quantity_cannot_be_read_are_judged_all_the_same(desk, market, database):
    """So that whoever mends the quantities does not hear only then that the goods cannot be had."""
    with database.unit_of_work() as session:
        supplier = market.suppliers[0]
        make_product(session, supplier, name="没认证的橙", certified=False)
        withdrawn = make_product(session, supplier, name="下架的橙")
        session.execute(text("UPDATE sku SET status = 'withdrawn' WHERE id = :id"), {"id": withdrawn.sku_id})
        session.execute(text("UPDATE product SET status = 'withdrawn' WHERE id = :id"), {"id": withdrawn.product_id})
    rows = [
        ["没认证的橙", "", "", "十箱", ""],
        ["下架的橙", "", "", "", "箱"],
        ["没有的橙", "", "", "=B1", ""],
        ["奉节脐橙", "", "", "=B1+1", ""],
        ["没认证的橙", "", "", 3, "袋"],
    ]
    shown = desk.upload(as_csv(*rows))
    assert [faults(row) for row in desk.rows(shown["id"]).values()] == [
        [("quantity", "bad_quantity"), ("product", "not_certified")],
        [("quantity", "quantity_missing"), ("product", "withdrawn")],
        [("quantity", "formulas_not_accepted"), ("product", "unknown_product")],
        [("quantity", "formulas_not_accepted")],
        [("unit", "units_differ"), ("product", "not_certified")],
    ]
    assert shown["counts"] == {"faulty": 5}


def test_substitutes_are_the_nearest_certified_ones_in_stock(desk, market, database):
    with database.unit_of_work() as session:
        fengjie, shizhu = market.suppliers
        make_product(session, fengjie, name="要的橙", certified=False, net_grams=5000, prices=((1, 5000),))
        for name, supplier, grams, fen, stock, certified in (
            ("同县不同重", fengjie, 2500, 5000, 100, True),
            ("同县同重贵", fengjie, 5000, 9000, 100, True),
            ("外县同重", shizhu, 5000, 5000, 100, True),
            ("同县没货", fengjie, 5000, 5000, 9, True),
            ("同县没认证", fengjie, 5000, 5000, 100, False),
        ):
            make_product(session, supplier, name=name, net_grams=grams, prices=((1, fen),), stock=stock, certified=certified)
        make_product(session, fengjie, name="别的品类", category="honey")
    shown = desk.upload(as_csv(["要的橙", "", "", 10, ""]))
    instead = desk.rows(shown["id"])[2]["substitutes"]
    assert [each["product_name"] for each in instead] == ["奉节脐橙", "同县同重贵", "同县不同重"]
    assert (instead[0]["unit_price"], instead[0]["available"], instead[0]["district_name"]) == ("69.90", "1000", "奉节县")
    row = desk.post(shown["id"], "rows/2/choice", 200, sku_id=instead[0]["sku_id"])
    assert (row["state"], row["chosen"], row["sku"]["amount"]) == ("matched", True, "699.00")
    assert desk.order(shown["id"])["purchase_order"]["line_count"] == 1


def test_of_several_that_fit_the_sender_chooses(desk, market, database):
    with database.unit_of_work() as session:
        first = make_product(session, market.suppliers[0], name="土鸡蛋", category="meat_poultry_egg")
        second = make_product(session, market.suppliers[1], name="土 鸡蛋", category="meat_poultry_egg")
    shown = desk.upload(as_csv(["土鸡蛋", "", "", 10, ""], ["土鸡蛋", "石柱", "", 5, ""], ["土鸡蛋", "", "", 7, ""]))
    assert shown["counts"] == {"ambiguous": 2, "matched": 1}
    row = desk.rows(shown["id"], state="ambiguous")[2]
    assert {each["sku_id"] for each in row["candidates"]} == {first.sku_id, second.sku_id}
    assert faults(row) == [("product", "ambiguous_product")]
    choices = [{"row_no": 2, "sku_id": first.sku_id}, {"row_no": 4, "sku_id": second.sku_id, "quantity": "8"}]
    assert desk.post(shown["id"], "choices", 200, choices=choices)["counts"] == {"matched": 3}
    placed = desk.order(shown["id"])["purchase_order"]
    lines = desk.client.get(f"/v1/purchase-orders/{placed['id']}/lines").json()["items"]
    assert [(line["sku_id"], line["quantity"]) for line in lines] == [
        (first.sku_id, "10"),
        (second.sku_id, "5"),
        (second.sku_id, "8"),
    ]


def test_choices_that_cannot_be_are_refused(desk, market):
    shown = desk.upload(as_csv(["奉节脐橙", "", "", "十箱", ""], ["合计", "", "", 5, ""]))
    path, sku = shown["id"], market.products[0].sku_id
    assert desk.post(path, "rows/2/choice", 422, sku_id=sku)["code"] == "quantity_needed"
    assert desk.post(path, "rows/3/choice", 404, sku_id=sku)["code"] == "no_such_row"
    assert desk.post(path, "rows/99/skip", 404)["code"] == "no_such_row"
    assert desk.post(path, "rows/2/choice", 422, sku_id=999_999, quantity="1")["code"] == "unknown_sku"
    twice = [{"row_no": 2, "sku_id": sku, "quantity": "1"}] * 2
    assert desk.post(path, "choices", 422, choices=twice)["code"] == "invalid"
    assert desk.post(path, "rows/2/choice", 200, sku_id=sku, quantity="10")["state"] == "matched"


def test_a_row_that_is_left_out_frees_its_stock_for_the_others(desk):
    shown = desk.upload(as_csv(["中益土蜂蜜", "", "", 600, ""], ["中益土蜂蜜", "", "", 600, ""]))
    assert shown["counts"] == {"faulty": 2}
    assert desk.post(shown["id"], "rows/2/skip", 200)["state"] == "skipped"
    assert desk.show(shown["id"])["counts"] == {"matched": 1, "skipped": 1}
    assert desk.post(shown["id"], "rows/2/skip", 200, skipped=False)["state"] == "faulty"
    assert desk.show(shown["id"])["counts"] == {"faulty": 2}


def test_codes_are_taken_before_names_but_never_against_them(desk, market, database):
    with database.unit_of_work() as session:
        codes = [
            session.execute(text("SELECT code FROM sku WHERE id = :id"), {"id": each.sku_id}).scalar_one()
            for each in market.products
        ]
    header = ["商品编码", "品名", "数量"]
    wide = codes[0].translate({ord(c): ord(c) + 0xFEE0 for c in codes[0]})
    rows = [[codes[0].lower(), "", 1], [codes[0], "中益土蜂蜜", 1], ["X-1", "中益土蜂蜜", 1], ["X-1", "", 1], [f" {wide}", "", 1]]
    shown = desk.upload(as_csv(*rows, header=header))
    found = desk.rows(shown["id"])
    assert [row["state"] for row in found.values()] == ["matched", "ambiguous", "warning", "faulty", "matched"]
    assert found[2]["sku"]["sku_id"] == market.products[0].sku_id
    assert faults(found[3]) == [("code", "code_and_name_differ")]
    assert {each["product_name"] for each in found[3]["candidates"]} == {"奉节脐橙", "中益土蜂蜜"}
    assert [each["code"] for each in found[4]["warnings"]] == ["unknown_code"]
    assert faults(found[5]) == [("code", "unknown_code")]


def test_a_price_that_differs_is_a_warning(desk):
    shown = desk.upload(as_csv(["奉节脐橙", 10, "58.00"], ["奉节脐橙", 10, "¥69.9元"], header=["品名", "数量", "单价（元）"]))
    assert shown["counts"] == {"matched": 1, "warning": 1}
    [warning] = desk.rows(shown["id"])[2]["warnings"]
    assert (warning["code"], warning["data"]) == ("price_differs", {"listed": "58.00", "unit_price": "69.90"})
    assert shown["total"] == "1398.00"


# --- columns ------------------------------------------------------------------------------------------------------------------------


def test_a_header_that_nobody_knows_is_told_by_the_user_and_known_the_next_time(desk, market, api, database):
    content = as_csv(["甲", "奉节脐橙", 4], ["乙", "中益土蜂蜜", 5], header=["组", "要买什么", "要多少"])
    shown = desk.upload(content)
    assert (shown["status"], shown["fault"]["code"]) == ("failed", "header_not_found")
    assert shown["sample"][0] == {"row_no": 1, "cells": ["组", "要买什么", "要多少"]}
    body = {"header_row": 1, "columns": {"product": 2, "quantity": 3}, "save": True}
    answer = desk.client.put(f"/v1/order-imports/{shown['id']}/columns", json=body)
    assert (answer.status_code, answer.json()["status"]) == (202, "reading")
    desk.work()
    told = desk.show(shown["id"])
    assert (told["status"], told["counts"]) == ("ready", {"matched": 2})
    assert [(each["field"], each["letter"], each["basis"]) for each in told["columns"]] == [
        ("product", "B", "user"),
        ("quantity", "C", "user"),
    ]
    next_time = desk.upload("采购表,,\n".encode() + content + "\n丙,奉节脐橙,1".encode())
    assert (next_time["status"], next_time["header_row"], next_time["counts"]) == ("ready", 2, {"matched": 3})
    assert {each["basis"] for each in next_time["columns"]} == {"saved"}
    with database.unit_of_work() as session:  # only for this organisation
        other = make_user(session, Role.PURCHASER, make_organisation(session, kind="school"))
    assert Desk(api.as_(other), database).upload(content)["fault"]["code"] == "header_not_found"


def test_columns_that_stand_there_twice_are_not_guessed(desk):
    content = as_csv(["奉节脐橙", 1, 2], header=["品名", "计划数量", "采购数量"])
    shown = desk.upload(content)
    assert (shown["status"], shown["fault"]["code"]) == ("failed", "columns_undecided")
    assert shown["undecided"] == [{"field": "quantity", "columns": [2, 3]}]
    told = desk.upload(content, columns='{"header_row": 1, "columns": {"product": 1, "quantity": 3}}')
    assert desk.rows(told["id"])[2]["quantity"] == "2"


@pytest.mark.parametrize(
    "columns",
    [
        {"product": 1},
        {"quantity": 1},
        {"product": 1, "quantity": 1},
        {"product": 0, "quantity": 1},
        {"name": 1, "quantity": 2},
        {},
    ],
)
def test_columns_that_tell_too_little_are_refused(desk, columns):
    shown = desk.upload(as_csv(ORANGES))
    answer = desk.client.put(f"/v1/order-imports/{shown['id']}/columns", json={"header_row": 1, "columns": columns})
    assert answer.status_code == 422
    sent = desk.send(as_csv(ORANGES), columns='{"header_row": 1}')
    assert (sent.status_code, sent.json()["code"]) == (422, "invalid")
    assert desk.send(as_csv(ORANGES), columns="no json").status_code == 422


def test_a_version_that_changed_meanwhile_is_not_overwritten(desk):
    shown = desk.upload(as_csv(ORANGES))
    body = {"header_row": 1, "columns": {"product": 1, "quantity": 4}}
    stale = desk.client.put(f"/v1/order-imports/{shown['id']}/columns", json=body, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    assert desk.client.post(f"/v1/order-imports/{shown['id']}/order", json=HEAD, headers={"If-Match": '"1"'}).status_code == 412


# --- ordering -----------------------------------------------------------------------------------------------------------------------


def test_a_choice_for_a_row_that_may_be_another_by_now_is_refused(desk, market):
    """Columns said otherwise read the list anew: row 2 may be that of another sheet."""
    shown = desk.upload(as_csv(["没有的橙", "", "", 5, "箱"], HONEY))
    path = f"/v1/order-imports/{shown['id']}"
    stale = {"If-Match": desk.client.get(path).headers["ETag"]}
    said = {"header_row": 1, "columns": {"product": 1, "quantity": 4}}
    assert desk.client.put(f"{path}/columns", json=said, headers=stale).status_code == 202
    desk.work()
    choice = {"sku_id": market.products[0].sku_id}
    for what, body in (
        ("rows/2/choice", choice),
        ("choices", {"choices": [{"row_no": 2, **choice}]}),
        ("rows/3/skip", {"skipped": True}),
    ):
        assert desk.client.post(f"{path}/{what}", json=body, headers=stale).status_code == 412
    assert [row["state"] for row in desk.rows(shown["id"]).values()] == ["faulty", "matched"]
    fresh = {"If-Match": desk.client.get(path).headers["ETag"]}
    assert desk.client.post(f"{path}/choices", json={"choices": [{"row_no": 2, **choice}]}, headers=fresh).status_code == 200


def test_the_same_file_makes_no_second_order_unless_asked(desk):
    content = as_csv(ORANGES, HONEY)
    first, second = desk.upload(content), desk.upload(content, "other name.csv")
    placed = desk.order(first["id"])["purchase_order"]
    for import_id in (first["id"], second["id"]):
        refused = desk.order(import_id, 409)
        assert (refused["code"], refused["data"]["number"]) == ("already_ordered", placed["number"])
        assert refused["data"]["purchase_order_id"] == placed["id"]
    same = {
        "order_import_id": first["id"],
        "number": placed["number"],
        "purchase_order_id": placed["id"],
        "purchase_request_id": None,
    }
    assert desk.show(second["id"])["same_file"] == [same]
    assert desk.order(second["id"], again=True)["purchase_order"]["id"] != placed["id"]
    assert desk.order(first["id"], again=True)["purchase_order"]["id"] != placed["id"]
    assert sql(desk, "SELECT count(*) FROM purchase_order").scalar_one() == 3


def test_a_request_that_was_refused_leaves_the_file_free(api, database):
    bureau = make_bureau(api, database)
    bureau.rule(min_amount="100.00")
    desk, approver = Desk(bureau.as_("school_purchaser"), database), bureau.as_("bureau_approver")
    first, second = (desk.upload(as_csv(["奉节脐橙", "", "", 10, ""]))["id"] for _ in range(2))
    request = desk.order(first)["purchase_request_id"]
    waiting = desk.order(second, 409)
    assert (waiting["code"], waiting["data"]["number"][:2], waiting["data"]["purchase_request_id"]) == (
        "already_ordered",
        "PR",
        request,
    )
    assert approver.post(f"/v1/purchase-requests/{request}/reject", json={"reason": "太多"}).status_code == 200
    assert desk.show(second)["same_file"] == []
    again = desk.order(second)["purchase_request_id"]
    assert again not in (None, request)
    assert desk.order(first, 409)["data"]["purchase_request_id"] == again
    assert approver.post(f"/v1/purchase-requests/{again}/approve", json={}).json()["status"] == "ordered"
    placed = desk.order(first, 409)["data"]
    assert placed["number"].startswith("PO")
    assert desk.show(second)["purchase_order_id"] == placed["purchase_order_id"]
    # a second order that was asked for and refused does not make the first one forgotten
    third = desk.order(second, again=True)["purchase_request_id"]
    assert approver.post(f"/v1/purchase-requests/{third}/reject", json={"reason": "已有"}).status_code == 200
    assert desk.order(second, 409)["data"]["number"] == placed["number"]


def test_what_can_no_longer_be_met_is_told_by_the_row_of_the_file_and_kept_with_it(desk, market):
    shown = desk.upload(as_csv(HONEY, ORANGES))
    sql(desk, "UPDATE stock SET on_hand = 50 WHERE sku_id = :id", id=market.products[0].sku_id)
    refused = desk.order(shown["id"], 422)
    assert refused["code"] == "rows_refused"
    [fault] = refused["errors"]
    assert (fault["field"], fault["code"], fault["row"], fault["available"]) == ("row[3].quantity", "stock_short", 3, "50")
    assert fault["message"] == "Row 3 奉节脐橙: Stock is short"
    assert faults(desk.rows(shown["id"])[3]) == [("quantity", "stock_short")]
    assert sql(desk, "SELECT count(*) FROM purchase_order").scalar_one() == 0
    sql(desk, "UPDATE stock SET on_hand = 500 WHERE sku_id = :id", id=market.products[0].sku_id)
    assert desk.post(shown["id"], "check", 202)["status"] == "checking"
    desk.work()
    assert desk.show(shown["id"])["counts"] == {"matched": 2}
    desk.order(shown["id"])


def test_a_suspension_between_check_and_order_is_shown_as_one(desk, market):
    shown = desk.upload(as_csv(HONEY))
    sql(desk, "UPDATE certificate SET suspended_at = now() WHERE id = :id", id=market.products[1].certificate_id)
    [fault] = desk.order(shown["id"], 422)["errors"]
    assert (fault["field"], fault["code"], fault["column"]) == ("row[2].product", "certificate_suspended", "product")
    assert faults(desk.rows(shown["id"])[2]) == [("product", "certificate_suspended")]


def test_before_it_is_ready_or_without_lines_nothing_is_ordered(desk):
    import_id = desk.send(as_csv(ORANGES)).json()["id"]
    assert desk.order(import_id, 409)["code"] == "illegal_move"
    assert desk.post(import_id, "check", 409)["code"] == "illegal_move"
    desk.work()
    desk.post(import_id, "rows/2/skip", 200)
    assert desk.order(import_id, 409)["code"] == "nothing_to_order"


def test_what_was_refused_by_the_check_is_not_checked_again(desk):
    shown = desk.upload(as_csv(ORANGES, ["没有的橙", "", "", 1, ""]))
    assert desk.order(shown["id"], 422)["code"] == "rows_refused"
    assert desk.show(shown["id"])["version"] == shown["version"]


def test_a_row_whose_unit_is_not_clear_takes_no_stock_from_the_others(desk):
    shown = desk.upload(as_csv(["中益土蜂蜜", "", "", 600, "袋"], ["中益土蜂蜜", "", "", 600, "箱"]))
    found = desk.rows(shown["id"])
    assert [faults(found[2]), faults(found[3])] == [[("unit", "units_differ")], []]
    assert desk.order(shown["id"], leave_out_faulty=True)["purchase_order"]["line_count"] == 1


def test_lists_that_nobody_ordered_from_are_dropped_in_time(desk):
    ordered, old, new = (desk.upload(as_csv([*ORANGES[:3], quantity, ""]))["id"] for quantity in (1, 2, 3))
    desk.order(ordered)
    age = "UPDATE order_import SET uploaded_at = uploaded_at - :age WHERE id = ANY (:ids)"
    sql(desk, age, age=forgetting.KEPT, ids=[ordered, old])
    sql(desk, age, age=forgetting.KEPT - timedelta(minutes=1), ids=[new])
    with desk.database.unit_of_work() as session:
        assert (actions.forget_old(session), actions.forget_old(session)) == (1, 0)
    left = desk.client.get("/v1/order-imports").json()["items"]
    assert [each["id"] for each in left] == [new, ordered]
    assert len(desk.rows(ordered)) == 1
    assert desk.client.get(f"/v1/order-imports/{old}").status_code == 404


def test_an_order_sent_twice_with_its_key_is_one_order(desk):
    shown = desk.upload(as_csv(ORANGES))
    send = lambda: desk.client.post(f"/v1/order-imports/{shown['id']}/order", json=HEAD, headers={"Idempotency-Key": "k-1"})  # noqa: E731
    assert send().content == send().content
    assert sql(desk, "SELECT count(*) FROM purchase_order").scalar_one() == 1


def test_who_reaches_a_list(api, desk, market, database):
    with database.unit_of_work() as session:
        branch = make_organisation(session, kind="school", parent=market.school)
        below = make_user(session, Role.PURCHASER, branch)
        other = make_user(session, Role.PURCHASER, make_organisation(session, kind="school"))
    shown = desk.upload(as_csv(ORANGES))
    path = f"/v1/order-imports/{shown['id']}"
    for who in (below, other, market.sellers[0]):
        client = api.as_(who)
        for suffix in ("", "/rows", "/file", "/result.csv"):
            assert client.get(path + suffix).status_code == 404
        assert client.get("/v1/order-imports").json()["items"] == []
    for who in (below, other):
        client = api.as_(who)
        assert client.post(f"{path}/order", json=HEAD).status_code == 404
        assert client.post(f"{path}/check").status_code == 404
        assert client.post(f"{path}/rows/2/skip", json={}).status_code == 404
        body = {"header_row": 1, "columns": {"product": 1, "quantity": 4}}
        assert client.put(f"{path}/columns", json=body).status_code == 404
    finance = api.as_(market.finance)
    assert finance.get(path).status_code == 200
    assert finance.post(f"{path}/order", json=HEAD).status_code == 403
    assert (
        api.as_(other)
        .post("/v1/order-imports", files={"file": ("a", as_csv(ORANGES))}, data={"buyer_id": market.school.id})
        .status_code
        == 403
    )
    mine = api.as_(below).post("/v1/order-imports", files={"file": ("a", as_csv(ORANGES))}).json()["id"]
    assert desk.show(mine)["organisation_id"] == branch.id


def test_lists_are_paged_and_filtered(desk, market):
    made = [desk.upload(as_csv([*ORANGES[:3], number, ""]))["id"] for number in (1, 2, 3)]
    desk.order(made[0])
    pages = desk.client.get("/v1/order-imports", params={"limit": 2}).json()
    assert [each["id"] for each in pages["items"]] == made[:0:-1]
    rest = desk.client.get("/v1/order-imports", params={"limit": 2, "after": pages["next"]}).json()
    assert ([each["id"] for each in rest["items"]], rest["next"]) == (made[:1], None)
    assert [each["id"] for each in desk.client.get("/v1/order-imports", params={"status": "ordered"}).json()["items"]] == made[:1]
    long = desk.upload(as_csv(*[HONEY] * 7, ["没有", "", "", 1, ""]))["id"]
    first = desk.client.get(f"/v1/order-imports/{long}/rows", params={"limit": 5}).json()
    second = desk.client.get(f"/v1/order-imports/{long}/rows", params={"limit": 5, "after": first["next"]}).json()
    assert [row["row_no"] for row in first["items"] + second["items"]] == list(range(2, 10))
    assert list(desk.rows(long, state="faulty")) == [9]


# --- files --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["xlsx", "csv"])
def test_the_result_holds_the_list_with_what_was_found_and_no_formula(desk, format):
    shown = desk.upload(as_csv(ORANGES, ["=cmd|'/c calc'!A1", "", "", 1, ""], ["合计", "", "", 5, ""]))
    answer = desk.client.get(f"/v1/order-imports/{shown['id']}/result.{format}")
    assert answer.status_code == 200
    rows = tables.rows(answer.content)
    assert rows[0][:7] == ["row", "产品名称", "产地区县", "规格", "数量", "单位", "result"]
    assert (rows[1][6], rows[1][7], rows[1][9]) == ("can be ordered", "", "奉节脐橙")
    assert float(rows[1][12]) == 6500.0
    assert rows[2][1] == "'=cmd|'/c calc'!A1"
    assert rows[2][7].startswith("产品名称: the formula shows no value")
    assert rows[3][6] == "no line"


@pytest.mark.parametrize("format", ["xlsx", "csv"])
@pytest.mark.parametrize(
    ("header", "line"),
    [
        (WIDE, ["奉节脐橙", "", "", "", "=", "", "69.90", ""]),
        (WIDE, ["=", "", "", "", "20", "袋", "", ""]),
        (["产品名称", "数量"], ["奉节脐橙", "很多"]),
        (["产品名称", "数量（公斤）"], ["奉节脐橙", "="]),
        (["产品名称", "数量（箱）"], ["奉节脐橙", "5"]),
    ],
)
def test_a_result_shows_the_quantity_that_was_chosen_and_can_be_sent_again(desk, market, format, header, line):
    shown = desk.upload(as_csv(line, header=header))
    chosen = desk.post(shown["id"], "rows/2/choice", 200, sku_id=market.products[0].sku_id, quantity="4")
    content = desk.client.get(f"/v1/order-imports/{shown['id']}/result.{format}").content
    again = desk.upload(content, f"result.{format}")
    [row] = desk.rows(again["id"]).values()
    assert (row["faults"], row["ordered_quantity"], row["sku"]["sku_id"]) == ([], "4", chosen["sku"]["sku_id"])
    assert not any(cell.startswith("'") for cell in row["cells"])


def test_a_result_keeps_numbers_as_numbers(desk):
    shown = desk.upload(as_csv(["奉节脐橙", '"1,200"', "65.00"], ["奉节脐橙", "-5", "abc"], header=["产品名称", "数量", "单价"]))
    content = desk.client.get(f"/v1/order-imports/{shown['id']}/result.xlsx").content
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert [row[2:4] for row in rows[1:]] == [[1200.0, 65.0], [-5.0, "abc"]]


def test_an_unknown_sku_in_the_column_of_what_was_found_is_told_there(desk):
    header = ["产品名称", "数量", "平台规格编码"]
    [row] = desk.rows(desk.upload(as_csv(["奉节脐橙", 1, "P9-9"], header=header))["id"]).values()
    assert [(each["code"], each["column"]) for each in row["faults"]] == [("unknown_code", "平台规格编码")]


@pytest.mark.slow
def test_the_result_can_be_corrected_and_uploaded_again(desk):
    shown = desk.upload(as_csv(ORANGES, HONEY))
    content = desk.client.get(f"/v1/order-imports/{shown['id']}/result.xlsx").content
    again = desk.upload(content, "result.xlsx")
    assert (again["status"], again["counts"], again["undecided"]) == ("ready", {"matched": 2}, [])


@pytest.mark.parametrize("format", ["xlsx", "csv"])
def test_the_template_is_understood_when_it_is_filled_in(desk, format):
    template = desk.client.get("/v1/order-imports/template", params={"format": format})
    assert template.status_code == 200
    assert desk.upload(template.content, f"t.{format}")["fault"]["code"] == "no_lines"
    if format == "xlsx":
        notes = CalamineWorkbook.from_filelike(io.BytesIO(template.content)).get_sheet_by_name("填写说明").to_python()
        assert "编码与所填名称、产地或规格不符的" in notes[0][0]  # what becomes of such a row is shown above
    [header] = tables.rows(template.content)
    filled = desk.upload(as_csv(["", "奉节脐橙", "奉节", "", 10, "箱", ""], header=header))
    assert filled["counts"] == {"matched": 1}
    assert len(filled["columns"]) == len(header)


def test_the_uploaded_file_can_be_had_again(desk):
    content = as_csv(ORANGES)
    shown = desk.upload(content, "../../etc/采购.exe")
    assert shown["name"] == "采购.csv"
    assert desk.client.get(f"/v1/order-imports/{shown['id']}/file").content == content


def test_a_workbook_with_numbers_as_codes_and_an_empty_edge(desk, market):
    sql(desk, "UPDATE sku SET code = '69012345' WHERE id = :id", id=market.products[0].sku_id)
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        sheet.write_row(4, 2, ["编码", "数量"])
        sheet.write_row(5, 2, [69012345, 3])
    shown = desk.upload(buffer.getvalue(), "codes.xlsx")
    assert (shown["header_row"], shown["counts"]) == (5, {"matched": 1})
    assert [each["letter"] for each in shown["columns"]] == ["C", "D"]


def test_a_code_of_a_list_is_what_its_cell_shows(desk, market):
    sql(desk, "UPDATE sku SET code = '00690123' WHERE id = :id", id=market.products[0].sku_id)
    lines = [[(690123, "00000000"), (3, "000")], [(690123, "#,##0"), ("=1/0", "000")]]
    shown = desk.upload(tables.workbook({"清单": [["编码", "数量"], *lines]}), "codes.xlsx")
    rows = desk.rows(shown["id"])
    assert (rows[2]["state"], rows[2]["quantity"], rows[2]["code"]) == ("matched", "3", "00690123")
    assert ("code", "cell_format_unclear") in faults(rows[3])


def test_a_weight_is_ordered_as_so_many_packs_and_the_sender_is_told(desk):
    shown = desk.upload(as_csv(["奉节脐橙", "", "", 100, "斤"], ["奉节脐橙", "", "", 1, "两"]))
    found = desk.rows(shown["id"])
    [warning] = found[2]["warnings"]
    assert (warning["code"], warning["data"]["written"], warning["data"]["quantity"]) == ("unit_converted", "100 斤", "10")
    assert (found[2]["quantity"], found[2]["ordered_quantity"], found[2]["sku"]["grams"]) == ("100", "10", 50_000)
    assert faults(found[3]) == [("quantity", "below_minimum")]  # 0.01 of a box
    ordered = desk.order(shown["id"], leave_out_faulty=True)["purchase_order"]
    assert (ordered["line_count"], ordered["total_grams"]) == (1, 50_000)


def test_a_choice_in_another_unit_says_its_quantity(desk, market):
    shown = desk.upload(as_csv(["没有的橙", "", "", 20, "袋"]))
    choice = {"sku_id": market.products[0].sku_id}
    assert desk.post(shown["id"], "rows/2/choice", 422, **choice)["code"] == "quantity_needed"
    row = desk.post(shown["id"], "rows/2/choice", 200, **choice, quantity="4")
    assert (row["state"], row["ordered_quantity"], row["unit"]) == ("matched", "4", "")


def test_a_header_that_lacks_the_quantity_is_shown_with_what_may_be_it(desk):
    content = "货物名称,产地,计划用量,库存数量,备注,要求到货日期\n奉节脐橙,奉节,5,100,,2099-01-01\n".encode()
    shown = desk.upload(content)
    assert (shown["fault"]["code"], shown["header_row"]) == ("columns_undecided", 1)
    assert [each["columns"] for each in shown["undecided"]] == [[3, 4]]
    assert shown["unused"] == ["要求到货日期"]
    assert {each["field"]: each["column"] for each in shown["columns"]} == {"product": 1, "district": 2, "note": 5}


def test_a_result_that_is_sent_again_keeps_what_was_chosen(desk, market):
    shown = desk.upload(as_csv(["没有的橙", "", "", 20, ""]))
    desk.post(shown["id"], "rows/2/choice", 200, sku_id=market.products[0].sku_id)
    again = desk.upload(desk.client.get(f"/v1/order-imports/{shown['id']}/result.xlsx").content, "result.xlsx")
    [row] = desk.rows(again["id"]).values()
    assert (row["state"], row["sku"]["sku_id"]) == ("warning", market.products[0].sku_id)
    assert [(each["code"], each["column"]) for each in row["warnings"]] == [("code_and_name_differ", "matched SKU")]
