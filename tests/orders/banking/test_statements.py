"""Statements as banks write them: read, checked, imported once."""

import csv
import io
import json
import random
import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from orders.banking.actions.reading import parse
from orders.banking.queries import statements as queries
from orders.banking.schemas.statements import HowRead
from orders.reconcile import report
from shop.core import clock, exports
from tests.factories import tables
from tests.factories.statements import ACCOUNT, statement
from tests.orders.banking.conftest import reference_of
from tests.orders.banking.test_matching import overpaid, refund_of


def test_a_transfer_is_instructed_imported_and_matched(desk):
    order = desk.order(10, 1)
    finance = desk.api.as_(desk.market.finance)
    told = finance.get(f"/v1/purchase-orders/{order['id']}/transfer-instructions").json()
    assert (told["payee_account"], told["amount"], told["payer_name"]) == (ACCOUNT, "849.00", "沙坪坝中学")
    reference = reference_of(order)
    assert told["payment_reference"] == reference
    assert told["payment_reference_printed"].replace(" ", "") == reference
    slip = finance.get(f"/v1/purchase-orders/{order['id']}/transfer-instructions.pdf", headers={"Accept-Language": "zh"})
    assert slip.content.startswith(b"%PDF-")
    for path in ("transfer-instructions", "transfer-instructions.pdf"):
        assert desk.api.as_(desk.market.sellers[0]).get(f"/v1/purchase-orders/{order['id']}/{path}").status_code == 404
    content = statement(
        (84900, "沙坪坝中学", f"货款 {told['payment_reference_printed']}", "S1"), (12345, "某公司", "货款", "S2"), opening=100
    )
    shown = desk.imported(content)
    assert (shown["format"], shown["layout"], shown["line_count"], shown["new_count"], shown["open_count"]) == (
        "csv",
        "icbc",
        2,
        2,
        1,
    )
    assert (shown["opening"], shown["closing"], shown["balance"]) == ("1.00", "973.45", "973.45")
    assert finance.get(f"/v1/purchase-orders/{order['id']}").json()["paid"] == "849.00"
    first, second = desk.lines()
    assert (first["status"], second["status"], second["open"]) == ("matched", "open", "123.45")
    [match] = desk.line(first["id"])["matches"]
    assert (match["kind"], match["reasons"], match["matched_by_name"]) == (
        "order",
        ["reference", "exact_due", "payer_is_buyer"],
        None,
    )
    assert (desk.balance("bank"), desk.balance("unallocated")) == (97245, -12345)
    books = desk.agrees()
    assert (books["statement_balance"], books["unmatched_in"]) == ("973.45", "123.45")


def test_the_clearing_page_names_the_lines_that_nobody_has_explained_and_names_them_first(desk):
    """What was matched is not there, though an older line is; a transfer that was only announced comes behind, though it is older still."""
    announced, paid = desk.order(10), desk.order(1)
    desk.announce(announced, "699.00", "R1")
    odd, fee = (12345, "某公司", "货款", "S1"), (-1500, "某银行", "手续费", "S9")
    desk.imported(statement(odd, (6990, "沙坪坝中学", reference_of(paid), "S2"), fee))
    assert [line["status"] for line in desk.lines()] == ["open", "matched", "open"]

    def page(**asked):
        return desk.client.get("/v1/money/clearing", params=asked).json()

    whole = page()
    told = [(each["account"], each["amount"], each["reference"], each["explained"]) for each in whole["items"]]
    assert told == [
        ("unallocated", "-123.45", "S1", False),
        ("unallocated", "15.00", "S9", False),
        ("announced", "699.00", "R1", True),
    ]
    assert [(each["account"], each["balance"], each["items"]) for each in whole["totals"]] == [
        ("announced", "699.00", 1),
        ("unallocated", "-108.45", 2),
    ]
    assert page(explained=True)["items"] == whole["items"][2:]
    assert page(explained=False)["items"] == whole["items"][:2]
    first = page(limit=1)
    assert page(after=first["next"])["items"] == whole["items"][1:]
    # a part that is explained comes off its own line
    line = desk.lines()[0]
    desk.written_off(line["id"], "interest", "23.45")
    assert [each["amount"] for each in page(account="unallocated")["items"]] == ["-100.00", "15.00"]
    assert page(account="announced")["items"] == whole["items"][2:]


def test_what_the_bank_shows_stands_in_the_books_on_the_banks_day(desk):
    """A receipt of the last days that is imported later belongs to its own day; what somebody says of it, to the day on which it is said."""
    order = desk.order(10)
    then, today = clock.today() - timedelta(days=9), clock.today()
    desk.imported(statement((10000, "沙坪坝中学", "货款", "S1"), (-1500, "某银行", "手续费", "S2"), opening=100, days_ago=9))
    desk.imported(statement((5000, "某公司", "货款", "S3"), opening=8600))
    first, *_ = desk.lines()
    assert desk.pay_order(first["id"], order, "100.00").status_code == 201

    def entries(account, **asked):
        return desk.client.get("/v1/money/entries", params={"account": account, **asked}).json()

    told = [(each["booked_on"], each["kind"], each["amount"]) for each in entries("bank")["items"]]
    assert told == [(str(then), "receipt", "100.00"), (str(then), "receipt", "-15.00"), (str(today), "receipt", "50.00")]
    late = entries("bank")["items"][0]
    assert clock.shanghai_date(datetime.fromisoformat(late["recorded_at"])) == today
    assert entries("bank", to=str(then))["closing"] == "85.00"
    assert (entries("bank", **{"from": str(today)})["opening"], entries("bank")["closing"]) == ("85.00", "135.00")
    assert [each["booked_on"] for each in entries("receivable", kind="payment")["items"]] == [str(today)]
    fee, latest = desk.client.get("/v1/money/clearing", params={"account": "unallocated"}).json()["items"]
    assert (fee["since"], fee["days"], fee["reference"]) == (str(then), 9, "S2")
    assert (latest["since"], latest["days"]) == (str(today), 0)
    # the moment of recording is told beside it
    whole = desk.client.get(f"/v1/money/transactions/{fee['transaction_id']}").json()
    assert (whole["booked_on"], clock.shanghai_date(datetime.fromisoformat(whole["recorded_at"]))) == (str(then), today)
    desk.agrees()


def test_a_slip_says_by_when_and_is_not_printed_for_nothing(desk):
    order, finance = desk.order(10), desk.api.as_(desk.market.finance)
    path = f"/v1/purchase-orders/{order['id']}/transfer-instructions"
    told = finance.get(path).json()
    assert (told["amount"], told["credit"], told["due_on"]) == ("699.00", "0.00", None)  # due after the acceptance
    part = order["supplier_orders"][0]["id"]
    seller, buyer = desk.api.as_(desk.market.sellers[0]), desk.api.as_(desk.market.purchaser)
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()["id"]
    buyer.post(f"/v1/shipments/{shipment}/acceptance", json={})
    due_on = str(clock.today() + timedelta(days=30))
    assert finance.get(path).json()["due_on"] == due_on
    # paid twice
    desk.imported(statement(*[(69900, "沙坪坝中学", f"货款 {told['payment_reference']}", f"S{number}") for number in (1, 2)]))
    for line in desk.lines():
        if line["status"] != "matched":
            desk.pay_order(line["id"], order, "699.00", allow_credit=True)
    told = finance.get(path).json()
    assert (told["amount"], told["credit"], told["due_on"]) == ("0.00", "699.00", None)
    refused = finance.get(f"{path}.pdf")
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_due")


def test_a_statement_that_is_called_a_workbook_and_is_text_with_tabs_is_read(desk):
    """As online banks export .xls: tabs in GB18030 or in UTF-16, with thousands parted by commas."""
    written = statement((123456700, "沙坪坝中学", "货款", "S1"), (-50, "某银行", "手续费, 短信费", "S2"), opening=100).decode(
        "gb18030"
    )
    lines = [[f"{float(cell):,.2f}" if "." in cell else cell for cell in row] for row in csv.reader(io.StringIO(written))]
    by_tabs = "\r\n".join("\t".join(row) for row in lines)
    for encoding in ("gb18030", "utf-16"):
        looked = desk.upload(by_tabs.encode(encoding), "流水.xls", "/v1/bank-statements/preview").json()
        assert (looked["problem"], looked["format"], looked["layout"]) == (None, "csv", "icbc")
        assert (looked["new_count"], looked["opening"], looked["closing"]) == (2, "1.00", "1234567.50")
    desk.imported(by_tabs.encode("utf-16"))
    page = "<html><table><tr><td>交易时间</td></tr></table></html>".encode("utf-16")
    for content, code in ((page, "markup_table"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "old_workbook")):
        refused = desk.upload(content, "流水.xls")
        assert (refused.status_code, refused.json()["code"]) == (422, code)


def test_numbers_that_lost_their_last_digits_are_told_by_their_cells(desk):
    """An account and a serial number that somebody typed as numbers; what the other side wrote may begin like a formula."""
    header = ["交易日期", "借方发生额", "贷方发生额", "余额", "交易流水号", "对方户名", "对方账号", "摘要"]
    day = str(clock.today())
    lines = [
        [day, None, 1, 1, 20260105000012345, "甲", "6222021234567890123", "货款"],
        [day, None, 1, 2, "S2", "乙", 6222021234567890123, "=货款="],
        [day, None, 1, 3, "S3", "丙", "6222021234567890123", 6222021234567890123],
        [day, None, 1, 4, "S4", "丁", 123456789012345, "货款"],
    ]
    for refused in (
        desk.upload(exports.as_xlsx("流水", header, lines), "流水.xlsx"),
        desk.upload(
            "\n".join(
                [
                    ",".join(header),
                    *(
                        ",".join(
                            "" if cell is None else f"{cell:.5E}" if isinstance(cell, int) and cell > 10**15 else str(cell)
                            for cell in line
                        )
                        for line in lines
                    ),
                ]
            ).encode(),
            "流水.csv",
        ),
    ):
        assert (refused.status_code, refused.json()["code"]) == (422, "statement_unreadable")
        told = [(fault["row"], fault["column"], fault["code"]) for fault in refused.json()["errors"]]
        assert told == [(2, "serial", "number_too_long"), (3, "account", "number_too_long"), (4, "text", "number_too_long")]
    fine = [[*line[:4], str(line[4]), line[5], str(line[6]), str(line[7])] for line in lines]
    assert desk.imported(exports.as_xlsx("流水", header, fine))["new_count"] == 4


HEADINGS = ["交易日期", "借方发生额", "贷方发生额", "余额", "交易流水号", "对方户名", "对方账号", "摘要"]


def test_a_serial_number_and_an_account_are_what_their_cells_show(desk):
    day = str(clock.today())
    first = [day, None, (100, "#,##0.00"), (100, '0"元"'), (4567, "00000000"), "甲", (62220001, '"A-"0'), (7, "000")]
    made = desk.imported(tables.workbook({"流水": [HEADINGS, first]}))
    assert made["new_count"] == 1
    [line] = desk.lines()
    assert (line["serial"], line["payer_account"], line["text"], line["amount"]) == ("00004567", "A-62220001", "007", "100.00")
    assert desk.imported(f"{','.join(HEADINGS)}\n{day},,100,100,00004567,甲,A-62220001,007\n".encode())["new_count"] == 0
    unclear = [
        [day, None, 1, 101, (4567, "#,##0"), "甲", "1", "a"],
        [(clock.today(), "yyyy年m月"), None, 1, 102, "S", "甲", "1", "a"],
    ]
    refused = desk.upload(tables.workbook({"流水": [HEADINGS, *unclear]}), "流水.xlsx").json()
    told = [(each["row"], each["column"], each["code"]) for each in refused["errors"]]
    assert told == [(2, "serial", "cell_format_unclear"), (3, "date", "bad_date")]


def test_a_text_that_is_an_error_is_told_and_one_that_begins_like_a_formula_is_not(desk):
    day = str(clock.today())
    lines = [
        [day, None, 1, 1, "S1", "甲", "1", "#N/A"],
        [day, None, 1, 2, "S2", "甲", "1", "=货款="],
        [day, None, 1, 3, "S3", "甲", "1", "=?"],
    ]
    for content, name in (
        (tables.workbook({"流水": [HEADINGS, *lines]}), "流水.xlsx"),
        (
            "\n".join(",".join("" if cell is None else str(cell) for cell in line) for line in [HEADINGS, *lines]).encode(),
            "流水.csv",
        ),
    ):
        refused = desk.upload(content, name).json()
        assert [(each["row"], each["column"], each["code"]) for each in refused["errors"]] == [(2, "text", "cell_error")]


def test_of_several_sheets_of_a_statement_one_is_named(desk):
    day = str(clock.today())
    book = {
        "说明": [["本行对账单"]],
        "十一月": [HEADINGS, [day, None, 100, 100, "S1", "甲", "1", "a"]],
        "十二月": [HEADINGS, [day, None, 5, 105, "S2", "甲", "1", "b"]],
    }
    content = tables.workbook(book)
    looked = desk.upload(content, "流水.xlsx", "/v1/bank-statements/preview").json()
    assert looked["problem"]["code"] == "several_sheets"
    assert "十一月、十二月" in looked["problem"]["message"]
    assert desk.upload(content, "流水.xlsx").json()["code"] == "several_sheets"
    first, second = (desk.imported(content, sheet=name) for name in ("十一月", "十二月"))
    assert (first["new_count"], second["new_count"]) == (1, 1)
    assert desk.imported(content, sheet="十一月")["id"] == first["id"]
    assert [line["serial"] for line in desk.lines()] == ["S1", "S2"]


@pytest.mark.slow
def test_the_same_and_overlapping_files_make_no_second_line(desk):
    day = [(100, "甲", "a", "S1"), (200, "乙", "b", ""), (200, "乙", "b", ""), (-50, "丙", "c", "S3")]
    whole = statement(*day)
    part = statement(*day[:3])
    first = desk.imported(part)
    assert first["new_count"] == 3
    again = desk.upload(part, name="另一个名字.csv")
    assert (again.status_code, again.json()["id"]) == (201, first["id"])
    # the same lines with another encoding are another file
    assert desk.imported(statement(*day[:3], encoding="utf-8-sig"))["new_count"] == 0
    both = desk.imported(whole)
    assert (both["line_count"], both["new_count"], both["balance"]) == (4, 1, "4.50")
    assert [row["text"] for row in desk.lines()] == ["转账 a", "转账 b", "转账 b", "转账 c"]
    assert desk.agrees()["statement_balance"] == "4.50"
    assert len(desk.client.get("/v1/bank-statements").json()["items"]) == 3
    # the next day follows on it
    later = desk.imported(statement((1000, "丁", "d", "S4"), opening=450))
    assert (later["new_count"], later["balance"]) == (1, "14.50")
    desk.agrees()


def test_a_statement_that_does_not_follow_on_the_one_before_is_refused(desk):
    desk.imported(statement((100, "甲", "a", "S1")))
    apart = statement((500, "乙", "b", "S2"), opening=200)
    assert desk.upload(apart, path="/v1/bank-statements/preview").json()["problem"]["code"] == "statement_gap"
    gap = desk.upload(apart)
    assert (gap.status_code, gap.json()["code"]) == (409, "statement_gap")
    assert gap.json()["data"] == {"expected": "6.00", "found": "7.00"}
    assert [(fault["column"], fault["row"]) for fault in gap.json()["errors"]] == [("balance", 4)]
    assert len(desk.lines()) == 1
    assert desk.imported(statement((100, "乙", "b", "S3"), (500, "乙", "b", "S2"), opening=100))["new_count"] == 2
    desk.agrees()


def test_a_preview_tells_what_a_wrong_closing_balance_would_do(desk):
    desk.imported(statement((100, "甲", "a", "S1")))
    content = f"日期,借方,贷方,对方户名\n{clock.today()},,2.00,甲\n".encode()
    for closing, code in (("9.00", "statement_gap"), ("3.00", None)):
        problem = desk.upload(content, path="/v1/bank-statements/preview", closing_balance=closing).json()["problem"]
        assert (problem and problem["code"]) == code
    refused = desk.upload(content, closing_balance="9.00").json()
    assert (refused["code"], [fault["field"] for fault in refused["errors"]]) == ("statement_gap", ["closing_balance"])
    desk.imported(content, closing_balance="3.00")
    # the same file is the same statement, whatever else would stand against it
    assert desk.upload(content, path="/v1/bank-statements/preview", closing_balance="3.00").json()["problem"] is None


#: A day as a bank without serial numbers and balances writes it.
HEAD = "日期,借方,贷方,对方户名,摘要"


def of_day(*lines):
    return "\n".join([HEAD, *(f"{clock.today()},{line}" for line in lines), ""]).encode()


def test_an_equal_receipt_is_not_lost(desk):
    """Two equal receipts, exported one by one: the second looks like the first, and only the balance tells that it is another."""
    receipt = ",55.55,沙坪坝中学,货款"
    desk.imported(statement((100_000, "甲", "a", "S1")))
    assert desk.imported(of_day(receipt), closing_balance="1055.55")["new_count"] == 1
    afternoon = of_day(receipt) + b"\n"
    expected = {"expected": "1055.55", "found": "1111.10"}
    for content in (of_day(receipt), afternoon):
        problem = desk.upload(content, path="/v1/bank-statements/preview", closing_balance="1111.10").json()["problem"]
        assert (problem["code"], [fault["field"] for fault in problem["errors"]]) == ("statement_gap", ["closing_balance"])
        gap = desk.upload(content, closing_balance="1111.10")
        assert (gap.status_code, gap.json()["code"], gap.json()["data"]) == (409, "statement_gap", expected)
    assert desk.agrees()["statement_balance"] == "1055.55"
    assert len(desk.client.get("/v1/bank-statements").json()["items"]) == 2
    # an export of the whole day shows both
    assert desk.imported(of_day(receipt, receipt), closing_balance="1111.10")["new_count"] == 1
    assert desk.agrees()["statement_balance"] == "1111.10"


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_part_of_a_day_that_is_held_closes_with_what_was_held_then(desk, newest_first):
    day = [",5.00,甲,a", "2.00,,乙,b", ",9.00,丙,c", ",1.00,丁,d"]
    after = ["105.00", "103.00", "112.00", "113.00"]

    def export(lines, more=b""):
        return of_day(*(lines[::-1] if newest_first else lines)) + more

    desk.imported(statement((10_000, "甲", "a", "S1"), days_ago=1))
    desk.imported(export(day[:3]), closing_balance=after[2])
    desk.imported(export(day), closing_balance=after[3])
    for last, closing in enumerate(after):
        for first in range(last + 1):
            content = export(day[first : last + 1], b"\n" * 2)
            assert desk.imported(content, closing_balance=closing)["new_count"] == 0
            wrong = desk.upload(content + b"\n", closing_balance="113.01")
            assert (wrong.status_code, wrong.json()["data"]["expected"]) == (409, "113.00")
    # and so does one of the day before, after which more was booked
    desk.imported(statement((10_000, "甲", "a", "S1"), days_ago=1, encoding="utf-8-sig"))
    told = statement(
        (10_000, "甲", "a", "S1"), opening=1, days_ago=1
    )  # a serial number that is known; the balances are of another time
    gap = desk.upload(told)
    assert (gap.status_code, gap.json()["data"]) == (409, {"expected": "100.00", "found": "100.01"})
    assert [(fault["column"], fault["row"]) for fault in gap.json()["errors"]] == [("balance", 4)]
    desk.agrees()


def test_reconciliation_sees_a_receipt_that_was_taken_for_another(desk):
    desk.imported(statement((100, "甲", "a", "S1")))
    desk.imported(statement((100, "甲", "a", "S1"), encoding="utf-8-sig"))
    with desk.database.unit_of_work() as session:
        session.execute(text("ALTER TABLE bank_statement DISABLE TRIGGER USER"))
        session.execute(text("UPDATE bank_statement SET opening_fen = 100, closing_fen = 200 WHERE new_count = 0"))
        session.execute(text("ALTER TABLE bank_statement ENABLE TRIGGER USER"))
        [finding] = [finding for finding in report.findings(session) if finding.count]
        assert (finding.name, finding.count) == ("bank_statements", 1)
        session.rollback()


@pytest.mark.parametrize(
    ("days_ago", "fault"), [(41, "before_first_statement"), (32, "long_before_last_statement"), (31, None), (3, None)]
)
def test_a_line_far_in_the_past_is_refused(desk, days_ago, fault):
    desk.imported(statement((100, "甲", "a", "S1"), days_ago=40))
    desk.imported(statement((100, "乙", "b", "S2"), opening=100))
    late = statement((5, "丙", "c", "S3"), (7, "丙", "c", "S4"), opening=200, days_ago=days_ago)
    problem = desk.upload(late, path="/v1/bank-statements/preview").json()["problem"]
    if fault is None:
        assert problem is None
        assert desk.imported(late)["balance"] == "2.12"
    else:
        refused = desk.upload(late)
        assert (refused.status_code, refused.json()["code"]) == (422, problem["code"]) == (422, "line_too_early")
        assert [(each["row"], each["code"]) for each in refused.json()["errors"]] == [(4, fault), (5, fault)]
        assert len(desk.lines()) == 2
    assert desk.agrees()["statement_to"] == str(clock.today())


def test_a_line_that_is_told_with_another_amount_is_named(desk):
    desk.imported(statement((100, "甲", "a", "S1"), (200, "乙", "b", "S2"), (-1, "银行", "手续费", "S2")))
    changed = statement((100, "甲", "a", "S1"), (250, "乙", "b", "S2"), (-1, "银行", "手续费", "S2"), (5, "丙", "c", "S3"))
    refused = desk.upload(changed)
    assert (refused.status_code, refused.json()["code"]) == (409, "line_changed")
    [fault] = refused.json()["errors"]
    assert (fault["row"], fault["code"]) == (5, "amount_changed")
    assert all(word in fault["message"] for word in ("S2", "2.00", "2.50"))
    assert desk.upload(changed, path="/v1/bank-statements/preview").json()["problem"]["errors"] == [fault]
    # the balances fit, and still it is not the line that was known by this number
    fits = statement((100, "甲", "a", "S1"), (250, "乙", "b", "S2"), opening=199)
    refused = desk.upload(fits)
    assert (refused.status_code, refused.json()["code"], refused.json()["errors"][0]["row"]) == (409, "line_changed", 5)
    assert len(desk.lines()) == 3
    # a fee that has the number of its transfer is another line, as long as the file tells both
    fee = statement((100, "甲", "a", "S1"), (200, "乙", "b", "S2"), (-1, "银行", "手续费", "S2"), (-2, "银行", "手续费", "S1"))
    assert desk.imported(fee)["new_count"] == 1
    desk.agrees()


def test_an_import_is_previewed_first(desk):
    content = statement((100, "甲", "a", "S1"), (-30, "乙", "b", "S2"), opening=1000)
    shown = desk.upload(content, path="/v1/bank-statements/preview").json()
    assert (shown["layout"], shown["header_row"], shown["line_count"], shown["new_count"]) == ("icbc", 3, 2, 2)
    assert (shown["came_in"], shown["went_out"], shown["opening"], shown["closing"]) == ("1.00", "0.30", "10.00", "10.70")
    assert (shown["entries"][0]["payer_name"], shown["problem"]) == ("甲", None)
    assert desk.lines() == []
    desk.imported(content)
    assert desk.upload(content, path="/v1/bank-statements/preview").json()["new_count"] == 0
    unknown = "时刻,进,出,剩,谁\n2026-01-05,1.00,,1.00,甲\n".encode()
    shown = desk.upload(unknown, path="/v1/bank-statements/preview").json()
    assert shown["problem"]["code"] == "header_not_found"
    assert shown["sample"][0] == ["时刻", "进", "出", "剩", "谁"]


def test_a_header_that_nobody_knows_is_mapped_once(desk):
    header = "时刻,进,出,剩,谁\n"
    first = (header + "2026-01-05,1.00,,1.00,甲\n").encode()
    refused = desk.upload(first)
    assert (refused.status_code, refused.json()["code"]) == (422, "header_not_found")
    columns = '{"header_row": 1, "columns": {"date": [1], "credit": [2], "debit": [3], "balance": [4], "name": [5]}, "save": true}'
    assert desk.imported(first, columns=columns)["layout"] is None
    second = (header + "2026-01-06,,0.40,0.60,乙\n").encode()
    assert desk.imported(second)["new_count"] == 1
    assert [(row["amount"], row["payer_name"]) for row in desk.lines()] == [("1.00", "甲"), ("-0.40", "乙")]
    little = desk.upload(first, columns='{"header_row": 1, "columns": {"date": [1], "credit": [2]}}')
    assert little.status_code == 422
    assert desk.upload(first, columns="{").status_code == 422
    desk.agrees()


def test_columns_that_a_file_has_not_or_that_tell_two_things_are_named(desk):
    content = "时刻,进,出,剩,谁\n2026-01-05,1.00,,1.00,甲\n".encode()
    usual = {"date": [1], "credit": [2], "debit": [3], "balance": [4], "name": [5]}

    def previewed(**columns):
        said = json.dumps({"header_row": 1, "columns": usual | columns})
        return desk.upload(content, path="/v1/bank-statements/preview", columns=said)

    assert previewed(text=[5]).json()["problem"] is None  # what somebody wrote may stand in any
    problem = previewed(text=[5, 99]).json()["problem"]
    assert (problem["code"], [(fault["field"], fault["code"]) for fault in problem["errors"]]) == (
        "statement_unreadable",
        [("columns.text[1]", "no_such_column")],
    )
    for wrong in ({"amount": [2]}, {"balance": [1]}, {"account": [5]}):
        assert previewed(**wrong).status_code == 422
    assert desk.upload(content, columns=json.dumps({"header_row": 1, "columns": usual | {"serial": [6]}})).status_code == 422
    assert desk.lines() == []


def sheet(rows):
    import io

    import xlsxwriter

    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        empty, page = book.add_worksheet("说明"), book.add_worksheet("明细")
        empty.write(0, 0, "本行对账单")
        for number, cells in enumerate(rows):
            page.write_row(number, 0, cells)
    return content.getvalue()


def test_workbooks_of_other_banks_newest_first_signed_or_in_two_columns(desk):
    boc = [
        ["查询账号[ Inquirer account number ]", ACCOUNT],
        [],
        ["交易类型[ Transaction Type ]", "付款人名称[ Payer's Name ]", "付款人账号[ Debit Account No. ]", "收款人名称[ Payee's Name ]",
         "交易日期[ Transaction Date ]", "交易货币[ Trade Currency ]", "交易金额[ Trade Amount ]", "交易后余额[ After-transaction balance ]",
         "交易流水号[ Transaction reference number ]", "用途[ Purpose ]", "交易附言[ Remark ]"],
        ["往账", "平台专户", ACCOUNT, "收款单位", 20260106, "CNY", -30.5, 69.5, "B2", "退款", "TK"],
        ["来账", "沙坪坝中学", "6222", "平台专户", 20260105, "CNY", 100, 100, "B1", "货款", "RF"],
    ]  # fmt: skip
    shown = desk.imported(sheet(boc))
    assert (shown["format"], shown["layout"], shown["opening"], shown["closing"]) == ("xlsx", "boc", "0.00", "69.50")
    first, second = desk.lines()
    assert (first["payer_name"], first["payer_account"], first["text"]) == ("沙坪坝中学", "6222", "货款 RF")
    assert (second["payer_name"], second["amount"], second["booked_on"]) == ("收款单位", "-30.50", "2026-01-06")
    ccb = [
        ["账号", "账户名称", "交易时间", "借方发生额（支取）", "贷方发生额（收入）", "余额", "币种", "对方户名", "对方账号", "对方开户机构", "记账日期", "摘要", "备注",
         "账户明细编号-交易流水号"],
        [f"'{ACCOUNT}", "平台专户", "20260107 10:11:12", "0.00", "1,000.00", "1,069.50", "人民币元", "某公司", "'62220001", "建行", "20260107", "转账", "备注", "1-1"],
        ["本页小计", "", "", "0.00", "1,000.00"],
    ]  # fmt: skip
    assert desk.imported(sheet(ccb))["layout"] == "ccb"
    third = desk.lines()[-1]
    assert (third["amount"], third["payer_account"], third["payer_bank"], third["text"]) == (
        "1000.00",
        "62220001",
        "建行",
        "转账 备注",
    )
    desk.agrees()


CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt><Stmt>
<Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{closing}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
<Ntry><Amt Ccy="CNY">849.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>{status}<BookgDt><Dt>2026-01-05</Dt></BookgDt><AcctSvcrRef>C1</AcctSvcrRef>
 <NtryDtls><TxDtls><RltdPties><Dbtr>{name}</Dbtr><DbtrAcct><Id><Othr><Id>6222</Id></Othr></Id></DbtrAcct></RltdPties>
 <RmtInf><Ustrd>货款</Ustrd><Strd><CdtrRefInf><Ref>{reference}</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="CNY">10.50</Amt><CdtDbtInd>DBIT</CdtDbtInd>{status}<BookgDt><DtTm>2026-01-05T10:00:00</DtTm></BookgDt>
 <AcctSvcrRef>C2</AcctSvcrRef><AddtlNtryInf>手续费</AddtlNtryInf></Ntry>
<Ntry><Amt Ccy="CNY">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>{pending}<BookgDt><Dt>2026-01-05</Dt></BookgDt></Ntry>
</Stmt></BkToCstmrStmt></Document>"""


def camt(reference="-", **changes):
    told = {"version": "08", "account": ACCOUNT, "currency": "CNY", "closing": "938.50", "reference": reference}
    told |= {"status": "<Sts><Cd>BOOK</Cd></Sts>", "pending": "<Sts><Cd>PDNG</Cd></Sts>", "name": "<Pty><Nm>沙坪坝中学</Nm></Pty>"}
    return CAMT.format(**(told | changes)).encode()


def test_camt_053_of_any_version(desk):
    order = desk.order(10, 1)
    shown = desk.imported(camt(reference_of(order)))
    assert (shown["format"], shown["line_count"], shown["opening"], shown["closing"]) == ("camt053", 2, "100.00", "938.50")
    first, second = desk.lines()
    assert (first["status"], first["payer_name"], first["payer_account"], first["serial"]) == (
        "matched",
        "沙坪坝中学",
        "6222",
        "C1",
    )
    assert (second["amount"], second["text"]) == ("-10.50", "手续费")
    old = camt("x", version="02", status="<Sts>BOOK</Sts>", pending="<Sts>PDNG</Sts>", name="<Nm>沙坪坝中学</Nm>")
    assert desk.imported(old)["new_count"] == 0
    desk.agrees()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (camt(account="6222020000000001"), "other_account"),
        (camt(currency="USD"), "other_currency"),
        (camt(closing="938.51"), "balance_broken"),
        (b"<Document/>", "unreadable_file"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + camt(), "unreadable_file"),
        (b"<" + b"a>" * 50_000, "unreadable_file"),
        (camt().replace(b"2026-01-05", b"2026-99-05", 1), "statement_unreadable"),
        (camt().replace(b"849.00", b"8x9.00", 1), "statement_unreadable"),
        (camt(status="<Sts><Cd>PDNG</Cd></Sts>", closing="100.00"), "no_lines"),
        (b"", "unreadable_file"),
        (b"PK\x03\x04" + b"\0" * 1000, "unreadable_file"),
        (b"\x00" * 1000, "unreadable_file"),
        (b":20:X\n:25:1\n:60F:nonsense\n", "unreadable_file"),
        (b":20:X\n:25:3100021009014400123\n:28C:1\n:61:2601050105C1,00NTRFNONREF\n", "balance_missing"),
        (b"\r\n:20:X\r\n:61:nonsense\r\n:86:a,b\r\n", "unreadable_file"),
        (b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog, /Pages 2 0 R >>\nendobj\n", "unreadable_file"),
        ("关于账户对账的通知\n请于本月底前核对\n".encode(), "unreadable_file"),
        ("日期,借方,贷方\n2026-01-05,1,2\n2026-13-01,x,\n".encode(), "statement_unreadable"),
        ("日期,借方,贷方\n2026-01-05,,2\n".encode(), "balance_missing"),
        ("日期,借方,贷方,余额\n".encode(), "no_lines"),
        ("日期,借方,贷方,余额\n2199-01-05,,2,2\n".encode(), "statement_unreadable"),
        ("日期,借方,贷方,余额\n2099-01-05,,2,2\n".encode(), "line_in_future"),
        ("日期,借方,贷方,余额,币种\n2026-01-05,,2,2,美元\n".encode(), "other_currency"),
        ("账号：3100021009014400123,,币种：美元\n日期,借方,贷方,余额\n2026-01-05,,2,2\n".encode(), "other_currency"),
        ("账户币种,港币,单位,元\n日期,借方,贷方,余额\n2026-01-05,,2,2\n".encode(), "other_currency"),
        ("Currency: USD\n日期,借方,贷方,余额\n2026-01-05,,2,2\n".encode(), "other_currency"),
        ("账号：6222020000000001\n日期,借方,贷方,余额\n2026-01-05,,2,2\n".encode(), "other_account"),
        ("日期,借方,贷方,余额\n2026-01-05,,2,2\n2026-01-05,,2,5\n2026-01-05,,2,7\n".encode(), "balance_broken"),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_is_imported(desk, content, code):
    answer = desk.upload(content)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text[:300]
    assert "template" not in answer.json()["title"]
    if code == "line_in_future":
        assert [(fault["field"], fault["row"]) for fault in answer.json()["errors"]] == [("row[2].date", 2)]
    if code == "statement_unreadable" and b"\xe6" in content:
        assert all(fault["row"] for fault in answer.json()["errors"])
    shown = desk.upload(content, path="/v1/bank-statements/preview")
    assert (shown.status_code, shown.json()["problem"]["code"]) == (200, code)
    assert desk.lines() == []


BATCH = "<TxDtls><RltdPties><Dbtr><Nm>{name}</Nm></Dbtr></RltdPties><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls>"


@pytest.mark.parametrize(("second", "payer"), [("李四", ""), ("沙坪坝中学", "沙坪坝中学")])
def test_several_payments_in_one_sum_have_a_payer_only_if_it_is_the_same(desk, second, payer):
    """Else the money of one would count as paid by another."""
    order = desk.order(10, 1)
    text = camt(reference_of(order)).decode()
    start, end = text.index("<TxDtls>"), text.index("</TxDtls>") + len("</TxDtls>")
    both = BATCH.format(name="沙坪坝中学", text=reference_of(order)) + BATCH.format(name=second, text="货款")
    desk.imported((text[:start] + both + text[end:]).encode())
    line = desk.lines()[0]
    assert (line["payer_name"], line["status"]) == (payer, "matched" if payer else "open")


def test_a_minus_beside_a_direction_went_out(desk):
    """The sign said twice, or a receipt that the bank took back."""
    rows = ["2026-01-05,100.00,贷,100.00", "2026-01-05,-30.00,贷,70.00", "2026-01-06,-20.00,借,50.00", "2026-01-06,10.00,借,40.00"]
    desk.imported("\n".join(["日期,金额,借贷标志,余额", *rows]).encode())
    assert [each["amount"] for each in desk.lines()] == ["100.00", "-30.00", "-20.00", "-10.00"]
    assert [each["reversal"] for each in desk.lines()] == [False, True, False, False]
    desk.agrees()


def test_a_red_amount_is_told_as_the_reversal_that_it_is_and_pays_nothing(desk):
    """A receipt that the bank takes back stands in the column of income with a minus; it is no refund, though its text names one."""
    order = desk.order(10, 1)
    content = (
        "交易日期,付款人名称,收款人名称,支出金额,收入金额,余额,摘要\n"
        f"2026-01-05,沙坪坝中学,平台,,849.00,849.00,货款 {reference_of(order)}\n"
        "2026-01-06,沙坪坝中学,平台,,-849.00,0.00,冲正 TK2026-000001\n"
        "2026-01-06,平台,某银行,-15.00,,15.00,手续费冲正\n"
    ).encode()
    said = json.dumps(
        {
            "header_row": 1,
            "columns": {
                "date": [1],
                "payer_name": [2],
                "payee_name": [3],
                "debit": [4],
                "credit": [5],
                "balance": [6],
                "text": [7],
            },
        }
    )
    seen = desk.upload(content, path="/v1/bank-statements/preview", columns=said).json()
    assert (seen["reversal_rows"], [each["reversal"] for each in seen["entries"]]) == ([3, 4], [False, True, True])
    desk.imported(content, columns=said)
    paid, taken_back, fee = desk.lines()
    assert [(each["amount"], each["reversal"], each["status"]) for each in (paid, taken_back, fee)] == [
        ("849.00", False, "matched"),
        ("-849.00", True, "open"),
        ("15.00", True, "open"),
    ]
    assert (taken_back["payer_name"], fee["payer_name"]) == ("沙坪坝中学", "某银行")
    [proposal] = desk.line(taken_back["id"])["proposals"]
    assert (proposal["kind"], proposal["match_id"]) == ("receipt_reversed", desk.line(paid["id"])["matches"][0]["id"])
    assert [each["entry"] for each in desk.line(fee["id"])["proposals"]] == ["fee"]
    told = desk.client.get("/v1/bank-lines/export", params={"format": "csv"}, headers={"Accept-Language": "zh"}).text
    assert [row["收支"] for row in csv.DictReader(io.StringIO(told.removeprefix("\ufeff")))] == [
        "收",
        "支（红字冲正）",
        "收（红字冲正）",
    ]
    [match] = desk.line(paid["id"])["matches"]
    undone = desk.client.post(f"/v1/bank-matches/{match['id']}/undo", json={"reason": "银行已冲正"})
    assert undone.status_code == 200, undone.text
    for line, entry in ((paid, "other"), (taken_back, "other"), (fee, "fee")):
        assert desk.written_off(line["id"], entry, line["amount"].lstrip("-"))["status"] == "matched"
    desk.agrees()
    assert desk.due(order) == 84900


@pytest.mark.parametrize("direction", ["X", ""])
def test_a_direction_that_nobody_knows_is_not_guessed(desk, direction):
    answer = desk.upload(f"日期,金额,借贷标志,余额\n2026-01-05,10.00,贷,10.00\n2026-01-05,5.00,{direction},15.00\n".encode())
    assert (answer.status_code, answer.json()["code"]) == (422, "statement_unreadable")
    [fault] = answer.json()["errors"]
    assert (fault["row"], fault["column"], fault["code"]) == (3, "direction", "bad_direction")


def test_columns_said_for_a_file_that_has_none_are_passed_over(desk):
    said = json.dumps({"header_row": 1, "columns": {"date": [1], "amount": [2]}, "save": True})
    shown = desk.imported(camt(), columns=said)
    assert (shown["format"], shown["line_count"]) == ("camt053", 2)


@pytest.mark.parametrize("amount", ["99999999999999999999", "92233720368547758.07", "1e5", "NaN", "1.005", "--1"])
def test_amounts_that_no_account_holds_are_named(desk, amount):
    answer = desk.upload(f"日期,借方,贷方,余额\n2026-01-05,,{amount},1.00\n".encode())
    assert (answer.status_code, answer.json()["code"]) == (422, "statement_unreadable")
    answer = desk.upload(camt().replace(b"849.00", amount.encode(), 1))
    assert answer.status_code == 422, answer.text


def broken(content, chance):
    """A file with some bytes changed, lost or doubled, or cut off."""
    made = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(made))
        how = chance.randrange(4)
        if how == 0:
            made[at] = chance.randrange(256)
        elif how == 1:
            del made[at : at + chance.randint(1, 20)]
        elif how == 2:
            made[at:at] = made[at : at + chance.randint(1, 20)]
        else:
            made[at:at] = chance.choice([b",", b'"', b"\r\n", b"\x00", b"-", "年".encode(), b":61:", b"<", b"9" * 30])
        if len(made) < 2:
            break
    return bytes(made)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("csv", 150), ("xlsx", 12), ("camt", 12), ("mt940", 12)])
def test_whatever_happens_to_a_file_it_is_read_or_refused(desk, database, name, count):
    lines = [(100 + n, f"单位{n}", "货款", f"S{n}") for n in range(6)]
    rows = [["日期", "借方", "贷方", "余额", "对方户名"], ["2026-01-05", "", "1.00", "1.00", "甲"]]
    content = {"csv": statement(*lines), "xlsx": sheet(rows), "camt": camt(), "mt940": mt940("X", 100)}[name]
    chance = random.Random(7)
    with database.unit_of_work() as session:
        for _ in range(count):
            spoiled = broken(content, chance)
            parsed = parse(session, spoiled, HowRead(), ACCOUNT)
            if parsed.problem is None:
                assert parsed.closing_fen - parsed.opening_fen == sum(entry.amount_fen for entry in parsed.statement.entries)
            else:
                assert 400 <= parsed.problem.status < 500


def test_a_statement_without_balances_needs_its_closing_one(desk):
    content = "日期,借方,贷方,对方户名\n2026-01-05,,2.00,甲\n2026-01-06,0.50,,乙\n".encode()
    assert desk.upload(content, closing_balance="abc").status_code == 422
    shown = desk.imported(content, closing_balance="11.50")
    assert (shown["opening"], shown["closing"]) == ("10.00", "11.50")
    wrong = desk.upload(statement((100, "甲", "x", "S9"), opening=1150), closing_balance="99.00")
    assert wrong.json()["code"] == "balance_broken"
    desk.agrees()


MT940 = """:20:STMT{number}
:25:{account}
:28C:{number}/1
:60F:C260104CNY{opening}
:61:2601050105C849,00NTRF{reference}//M{number}1
:86:/NAME/沙坪坝中学/ACC/6222/REMI/货款 {reference}
:61:2601060106D10,50NCHGNONREF//M{number}2
:86:手续费
:62F:C260106CNY{closing}
-
"""


def mt940(reference, *openings):
    parts = []
    for number, opening in enumerate(openings, 1):
        told = {"opening": f"{opening:.2f}", "closing": f"{opening + 838.5:.2f}"}
        told = {name: each.replace(".", ",") for name, each in told.items()}
        parts.append(MT940.format(number=number, account=ACCOUNT, reference=reference, **told))
    return "".join(parts).encode()


@pytest.mark.slow
def test_mt940_with_several_statements(desk):
    order = desk.order(10, 1)
    shown = desk.imported(mt940(reference_of(order), 100, 938.5))
    assert (shown["format"], shown["line_count"], shown["opening"], shown["closing"]) == ("mt940", 4, "100.00", "1777.00")
    first, second, third, _ = desk.lines()
    assert (first["status"], first["payer_name"], first["serial"]) == ("matched", "沙坪坝中学", "M11")
    assert (second["amount"], second["text"], third["status"]) == ("-10.50", "手续费", "open")  # the order is paid
    assert desk.upload(mt940("X", 100, 999)).json()["code"] == "balance_broken"
    taken_back = mt940("X", 1777).replace(b"0106D10,50", b"0106RC10,50").replace(b"//M1", b"//N1")
    assert desk.imported(taken_back)["closing"] == "2615.50"
    assert desk.lines()[-1]["amount"] == "-10.50"
    desk.agrees()


@pytest.mark.slow
def test_mt940_that_is_cut_off_before_its_closing_balance_is_refused(desk):
    content = mt940("X", 100)
    cut = content[: content.index(b":62F:")]
    assert (desk.upload(cut).status_code, desk.upload(cut).json()["code"]) == (422, "balance_missing")
    assert desk.upload(cut, closing_balance="1.00").json()["code"] == "balance_broken"
    assert desk.imported(cut, closing_balance="938.50")["closing"] == "938.50"


def test_mt940_in_the_words_of_other_banks_is_kept_by_its_name(desk):
    order = desk.order(10, 1)
    written = f"/NAME/沙坪坝中学/ACCT/6222/BIC/ICBKCNBJ/REMI/货款 {reference_of(order)}/EREF/E-1"
    content = mt940("X", 100).replace("/NAME/沙坪坝中学/ACC/6222/REMI/货款 X".encode(), written.encode())
    made = desk.upload(content, name="流水.sta").json()
    desk.drain()
    first = desk.lines()[0]
    assert (first["payer_name"], first["payer_account"], first["payer_bank"], first["status"]) == (
        "沙坪坝中学",
        "6222",
        "ICBKCNBJ",
        "matched",
    )
    assert "E-1" in first["text"]
    assert desk.client.get(f"/v1/bank-statements/{made['id']}").json()["name"] == "流水.sta"


def test_mt940_with_numbered_fields(desk):
    order = desk.order(10, 1)
    reference = reference_of(order)
    written = f"166?00GUTSCHRIFT?109075?20EREF+ABC?21SVWZ+{reference[:6]}?22{reference[6:]}?30ICBKCNBJ\n?31310002?32沙坪坝?33中学?34071?60谢谢"
    content = mt940("X", 100).replace("/NAME/沙坪坝中学/ACC/6222/REMI/货款 X".encode(), written.encode())
    # of a field that holds nothing the rest is kept as it stands
    desk.imported(content.replace("手续费".encode(), b"805?00"))
    first, second = desk.lines()
    assert (first["payer_name"], first["payer_account"], first["payer_bank"]) == ("沙坪坝中学", "310002", "ICBKCNBJ")
    assert first["text"] == f"GUTSCHRIFT 9075 071 EREF+ABC SVWZ+{reference}谢谢 X"
    assert (first["status"], second["text"]) == ("matched", "805?00")
    desk.agrees()


def test_only_who_keeps_the_money_of_the_whole_city_sees_the_account(desk):
    desk.imported(statement((100, "甲", "a", "S1")))
    [row] = desk.lines()
    district = desk.api.as_(desk.district)
    for path in ("/v1/bank-lines", "/v1/bank-statements", "/v1/bank-reconciliation", "/v1/refund-files", "/v1/bank-lines/export"):
        assert district.get(path).status_code == 403, path
        assert desk.api.as_(desk.market.finance).get(path).status_code == 403, path
    for path in (
        f"/v1/bank-lines/{row['id']}",
        f"/v1/bank-statements/{row['statement_id']}",
        f"/v1/bank-statements/{row['statement_id']}/file",
    ):
        assert district.get(path).status_code == 404, path
    note = {"note": "x"}
    assert district.post(f"/v1/bank-lines/{row['id']}/notes", json=note).status_code == 404
    assert district.post("/v1/bank-statements", files={"file": ("a.csv", b"x")}).status_code == 403
    content = desk.client.get(f"/v1/bank-statements/{row['statement_id']}/file")
    assert content.content.startswith("账户明细查询".encode("gb18030"))


def test_without_an_account_nothing_is_imported_or_instructed(desk, monkeypatch):
    from shop.core.settings import settings

    order = desk.order(1)
    monkeypatch.setattr(settings(), "bank_account_number", None)
    assert desk.upload(statement((100, "甲", "a"))).json()["code"] == "no_bank_account"
    path = f"/v1/purchase-orders/{order['id']}/transfer-instructions"
    assert desk.api.as_(desk.market.purchaser).get(path).json()["code"] == "no_bank_account"


@pytest.mark.slow
def test_ten_thousand_lines_take_as_many_statements_as_ten(desk, database):
    from sqlalchemy import event

    def counted(lines):
        seen = []
        listener = lambda *args: seen.append(args[2])  # noqa: E731
        engine = desk.database.engine
        event.listen(engine, "before_cursor_execute", listener)
        try:
            shown = desk.upload(statement(*lines[0], opening=lines[1]))
        finally:
            event.remove(engine, "before_cursor_execute", listener)
        assert shown.status_code == 201, shown.text
        return len(seen)

    few = [(100 + n, f"甲{n}", "货款", f"F{n}") for n in range(10)]
    many = [(100 + n % 7, f"乙{n}", "货款 RF", f"M{n}") for n in range(10_000)]
    assert counted((few, 0)) == counted((many, sum(fen for fen, *_ in few)))
    desk.drain()
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM bank_line")).scalar_one() == 10_010
    desk.agrees()


def test_what_the_bank_says_cannot_be_changed(desk, database):
    desk.imported(statement((100, "甲", "a", "S1")))
    for change in (
        "UPDATE bank_line SET amount_fen = 1",
        "UPDATE bank_line SET text = ''",
        "DELETE FROM bank_line",
        "TRUNCATE bank_line CASCADE",
    ):
        with pytest.raises(Exception, match="append-only"), database.unit_of_work() as session:
            session.execute(text(change))


def test_lists_are_filtered_paged_and_exported(desk):
    lines = [(100 * n, f"单位{n}", "=1+1" if n == 1 else "货款", f"S{n}", f"622{n}") for n in range(1, 6)] + [
        (-50, "银行", "手续费", "S9")
    ]
    desk.imported(statement(*lines, days_ago=40))
    page = desk.client.get("/v1/bank-lines", params={"limit": 4}).json()
    rest = desk.client.get("/v1/bank-lines", params={"limit": 4, "after": page["next"]}).json()
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (4, 2, None)
    count = lambda **asked: len(desk.lines(**asked))  # noqa: E731
    assert (count(direction="out"), count(direction="in"), count(q="单位3"), count(q="6224")) == (1, 5, 1, 1)
    assert (count(amount_from="2.00", amount_to="4.00"), count(unmatched=True), count(status="matched")) == (3, 6, 0)
    assert (count(older_than_days=30), count(older_than_days=40), count(booked_from=str(clock.today()))) == (6, 0, 0)
    assert desk.client.get("/v1/bank-lines", params={"state": "open"}).status_code == 422
    shown = desk.client.get("/v1/bank-lines/export", params={"format": "csv", "direction": "in"}, headers={"Accept-Language": "zh"})
    written = shown.content.decode("utf-8-sig").splitlines()
    assert (written[0].split(",")[0], len(written)) == ("流水", 6)
    assert desk.client.get("/v1/bank-lines/export").content[:2] == b"PK"
    assert desk.client.get("/v1/bank-reconciliation").json()["by_age"][0]["age"] == "31-90"
    row = desk.lines()[0]
    assert row["age_days"] == 40
    desk.client.post(f"/v1/bank-lines/{row['id']}/notes", json={"note": "已电话询问付款单位"})
    wrong = desk.client.put(f"/v1/bank-lines/{row['id']}/assignment", json={"user_id": desk.market.finance.id})
    assert wrong.status_code == 422
    shown = desk.client.put(f"/v1/bank-lines/{row['id']}/assignment", json={"user_id": desk.treasurer.id}).json()
    assert (shown["assigned_to"], shown["notes"], shown["notes_written"][0]["note"]) == (desk.treasurer.id, 1, "已电话询问付款单位")
    assert (count(assigned_to=desk.treasurer.id), count(assigned_to=desk.cashier.id)) == (1, 0)
    assert [each["code"] for each in desk.client.get("/v1/bank-layouts").json()] == ["icbc", "ccb", "abc", "boc", "cmb", "generic"]


@pytest.mark.slow
def test_the_bank_and_the_books_agree_at_the_end_of_every_day(desk, monkeypatch):
    """A refund left on the second day by hand, on the fourth by the bank, which is imported and matched on the fifth; that is undone and made again."""
    order, begun = overpaid(desk), clock.today()
    desk.imported(statement((500, "甲", "x", "R0"), opening=36990))

    def on(day):
        monkeypatch.setattr(clock, "_shift", timedelta(days=day - 1))

    def told(day):
        asked = {"as_of": str(begun + timedelta(days=day - 1))}
        found = desk.client.get("/v1/bank-reconciliation", params=asked).json()
        [bank] = desk.client.get("/v1/money/balances", params={**asked, "by": "account", "account": "bank"}).json()["items"]
        assert (found["difference"], found["as_of"]) == ("0.00", asked["as_of"])
        assert (bank["balance"], bank["before_books"]) == (found["booked"], found["before_books"])
        assert Decimal(found["book_balance"]) == Decimal(found["booked"]) + Decimal(found["before_books"])
        out = [each["amount"] for each in found["outstanding"]]
        return found["statement_to"], found["statement_balance"], found["book_balance"], out, found["unmatched_out"]

    on(2)
    refund = refund_of(desk, order, "300.00", payee="别的名称")
    desk.client.post(f"/v1/refunds/{refund['id']}/confirm", json={"reference": "BANK-1"})
    on(5)
    desk.imported(statement((-30000, "沙坪坝中学", "退款", "R1"), opening=37490, days_ago=1))
    line = next(line for line in desk.lines() if line["serial"] == "R1")
    days = [str(begun + timedelta(days=day)) for day in range(5)]
    # the bank's day comes before anybody says what it shows
    assert told(4) == (days[3], "74.90", "-225.10", ["-300.00"], "300.00")
    assert desk.match(line["id"], {"kind": "refund", "refund_id": refund["id"]}).status_code == 201
    before = [
        (days[0], "374.90", "374.90", [], "0.00"),
        (days[0], "374.90", "74.90", ["-300.00"], "0.00"),
        (days[0], "374.90", "74.90", ["-300.00"], "0.00"),
        (days[3], "74.90", "74.90", [], "0.00"),
    ]
    assert [told(day) for day in range(1, 6)] == [*before, before[3]]
    on(7)
    [match] = desk.line(line["id"])["matches"]
    desk.client.post(f"/v1/bank-matches/{match['id']}/undo", json={"reason": "不是这笔"})
    assert told(7) == (days[3], "74.90", "-225.10", ["-300.00"], "300.00")
    on(9)
    assert desk.match(line["id"], {"kind": "booked", "transaction_id": match["transaction_id"]}).status_code == 201
    assert [told(day) for day in range(1, 5)] == before
    assert [told(day)[3] for day in range(5, 10)] == [[], [], ["-300.00"], ["-300.00"], []]
    assert desk.agrees()["as_of"] == str(clock.today())
    ahead = desk.client.get("/v1/bank-reconciliation", params={"as_of": str(clock.today() + timedelta(days=1))})
    assert (ahead.status_code, ahead.json()["code"]) == (422, "day_ahead")


def test_what_left_and_came_back_and_no_line_shows_either_lies_not_between_bank_and_books(desk):
    order = overpaid(desk)
    refund = refund_of(desk, order, "300.00", payee="别的名称")
    desk.client.post(f"/v1/refunds/{refund['id']}/confirm", json={"reference": "BANK-1"})
    assert [each["amount"] for each in desk.agrees()["outstanding"]] == ["-300.00"]
    said = desk.client.post(f"/v1/refunds/{refund['id']}/fail", json={"reason": "退回"}).json()
    assert desk.second.post(f"/v1/failure-reports/{said['failure_report_id']}/approve", json={}).status_code == 200
    assert desk.agrees()["outstanding"] == []


def test_the_reconciliation_as_a_file_holds_every_movement(desk, monkeypatch):
    order = overpaid(desk)
    for _ in range(3):
        refund = refund_of(desk, order, "10.00")
        desk.client.post(f"/v1/refunds/{refund['id']}/confirm", json={"reference": "B"})
    desk.imported(statement((500, "甲", "x", "R2"), opening=36990))
    shown = desk.client.get("/v1/bank-reconciliation").json()

    def table(**headers):
        answer = desk.client.get("/v1/bank-reconciliation", params={"format": "csv"}, headers=headers)
        assert answer.headers["content-disposition"] == 'attachment; filename="bank_reconciliation.csv"'
        return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    header, *lines = table(**{"Accept-Language": "zh"})
    assert header == ["项目", "账号", "日期", "摘要", "凭证号", "金额（元）", "笔数"]
    assert lines[0] == ["银行账户", f"\t{ACCOUNT}", "", "", "", "", ""]
    assert lines[1] == ["截至日期", "", str(clock.today()), "", "", "", ""]
    # what is taken off is said so, without a minus
    assert all(re.fullmatch(r"\d+\.\d\d", line[5]) for line in lines[2:-2])
    assert [line[0] for line in lines[-2:]] == ["编制：", "复核："]
    told = {line[0]: line[5] for line in lines}
    assert Decimal(told["银行对账单余额"]) == Decimal(shown["statement_balance"])
    assert Decimal(told["账面存款余额"]) == Decimal(told["调节后的存款余额"]) == Decimal(shown["book_balance"])
    assert Decimal(told["总账银行存款余额"]) + Decimal(told["加：首份对账单前的余额（总账未记）"]) == Decimal(shown["book_balance"])
    assert Decimal(told["差额（应为零）"]) == 0
    assert Decimal(told["未核销的收款流水"]) == Decimal(shown["unmatched_in"]) == Decimal("5.00")
    movements = [line for line in lines if line[4] and line[0].startswith("减")]
    assert [(line[4], Decimal(line[5])) for line in movements] == [
        (str(each["transaction_id"]), -Decimal(each["amount"])) for each in shown["outstanding"]
    ]
    assert table(**{"Accept-Language": "en"})[3][0] == "balance of the bank"
    assert desk.client.get("/v1/bank-reconciliation", params={"format": "xlsx"}).content[:2] == b"PK"
    assert desk.api.as_(desk.district).get("/v1/bank-reconciliation", params={"format": "csv"}).status_code == 403
    assert desk.client.get("/v1/bank-reconciliation", params={"format": "pdf"}).status_code == 422
    monkeypatch.setattr(queries, "MAX_LINES", 2)
    assert desk.client.get("/v1/bank-reconciliation", params={"format": "csv"}).json()["code"] == "too_many_lines"
