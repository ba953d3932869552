"""Statements as banks write them: read, checked, imported once."""

import pytest
from sqlalchemy import text

from shop.core import clock
from tests.orders.banking.conftest import ACCOUNT, reference_of, statement


def test_a_transfer_is_instructed_imported_and_matched(desk):
    order = desk.order(10, 1)
    finance = desk.api.as_(desk.market.finance)
    told = finance.get(f"/v1/purchase-orders/{order['id']}/transfer-instructions").json()
    assert (told["payee_account"], told["amount"], told["payer_name"]) == (ACCOUNT, "849.00", "沙坪坝中学")
    reference = reference_of(order)
    assert told["payment_reference"] == reference
    assert told["payment_reference_printed"].replace(" ", "") == reference
    assert desk.api.as_(desk.market.sellers[0]).get(f"/v1/purchase-orders/{order['id']}/transfer-instructions").status_code == 404
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
