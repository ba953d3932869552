"""Balances, statements and transactions: what they say, to whom, and as files."""

import pytest

from orders.money import api as money_api
from shop.core import clock
from shop.identity.permissions import Role
from tests.factories import tables
from tests.factories.after_sales import deliver, rows
from tests.factories.identity import make_organisation, make_user
from tests.factories.money import make_till
from tests.factories.statements import statement


@pytest.fixture
def till(api, database):
    """Oranges for 699.00 with freight of 12.00 were accepted and 500.00 were paid; honey for 150.00 was accepted; 69.90 wait to go back."""
    till = make_till(api, database)
    till.oranges = till.begun("of every account", lambda: _oranges(till))
    return till


def _oranges(till):
    order = till.order(10)
    part = order["supplier_orders"][0]["id"]
    freight = till.as_("seller").put(f"/v1/supplier-orders/{part}/freight", json={"freight": "12.00"})
    assert freight.status_code == 200, freight.text
    till.as_("seller").post(f"/v1/supplier-orders/{part}/confirm")
    shipment = till.as_("seller").post(f"/v1/supplier-orders/{part}/shipments", json={}).json()["id"]
    assert till.as_("purchaser").post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201
    assert till.pay(order["id"], "500.00", bank_reference="ICBC-1").status_code == 201
    deliver(till.api, till.market, None, 1, of=1)
    announced = till.order(10)["id"]
    till.pay(announced, "69.90")
    till.as_("purchaser").post(f"/v1/purchase-orders/{announced}/cancel", json={"reason": "计划有变"})
    return order["id"]


def read(till, who, path, **filters):
    answer = till.as_(who).get(f"/v1/money/{path}", params=filters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(found):
    return [(each["account"], each["party_name"], each["balance"]) for each in found["items"]]


def test_everybody_sees_the_own_balances(till):
    school, fengjie, shizhu = till.market.school.name, *(supplier.name for supplier in till.market.suppliers)
    mine = read(till, "finance", "balances")
    assert told(mine) == [("receivable", school, "291.10"), ("announced", school, "569.90")]
    assert [each["clearing"] for each in mine["items"]] == [False, True]
    with till.database.unit_of_work() as session:
        till.people["manager"] = make_user(session, Role.SUPPLIER_ADMIN, till.market.suppliers[0])
    assert told(read(till, "manager", "balances")) == [("payable", fengjie, "-711.00")]
    everything = read(till, "cashier", "balances")
    assert told(everything) == [
        ("receivable", school, "291.10"),
        ("payable", fengjie, "-711.00"),
        ("payable", shizhu, "-150.00"),
        ("announced", school, "569.90"),
    ]
    by_account = read(till, "cashier", "balances", by="account")
    assert told(by_account) == [("receivable", None, "291.10"), ("payable", None, "-861.00"), ("announced", None, "569.90")]
    assert told(read(till, "cashier", "balances", account="payable", party_id=till.market.suppliers[1].id)) == [
        ("payable", shizhu, "-150.00")
    ]
    first = read(till, "cashier", "balances", limit=3)
    second = read(till, "cashier", "balances", limit=3, after=first["next"])
    assert (told(first) + told(second), second["next"]) == (told(everything), None)
    assert read(till, "cashier", "balances", account="bank")["items"] == []


def test_the_language_of_the_caller(till):
    for language, label in (("zh", "应收采购单位"), ("en", "owed by buyers")):
        answer = till.as_("finance").get("/v1/money/balances", headers={"Accept-Language": language})
        assert answer.json()["items"][0]["label"] == label


def test_a_statement_with_its_balance(till):
    found = read(till, "finance", "entries", account="receivable", purchase_order_id=till.oranges)
    lines = [(each["kind"], each["amount"], each["balance"]) for each in found["items"]]
    assert sorted(lines[:2]) != lines  # the sale and the freight come before the payment
    assert lines[-1] == ("payment", "-500.00", "211.00")
    assert {line[:2] for line in lines[:2]} == {("sale", "699.00"), ("freight", "12.00")}
    assert (found["opening"], found["closing"], found["next"]) == ("0.00", "211.00", None)
    assert {each["purchase_order_id"] for each in found["items"]} == {till.oranges}
    assert found["items"][0]["purchase_order_number"].startswith("PO")
    assert {each["booked_on"] for each in found["items"]} == {str(clock.today())}


def test_filters_only_choose_what_is_shown(till):
    whole = read(till, "finance", "entries", account="receivable")
    assert (len(whole["items"]), whole["items"][-1]["balance"], whole["closing"]) == (5, "291.10", "291.10")
    paid = read(till, "finance", "entries", account="receivable", kind="payment")
    assert [each["amount"] for each in paid["items"]] == ["-500.00", "-69.90"]
    assert [each["balance"] for each in paid["items"]] == [each["balance"] for each in whole["items"] if each["kind"] == "payment"]
    pages, after = [], None
    while True:
        page = read(till, "finance", "entries", account="receivable", limit=2, **({"after": after} if after else {}))
        pages += page["items"]
        if (after := page["next"]) is None:
            break
    assert pages == whole["items"]
    later = read(till, "finance", "entries", account="receivable", **{"from": "2099-01-01"})
    assert (later["items"], later["opening"], later["closing"]) == ([], "291.10", "291.10")
    before = read(till, "finance", "entries", account="receivable", to="2020-01-01")
    assert (before["items"], before["opening"], before["closing"]) == ([], "0.00", "0.00")
    [line] = read(till, "cashier", "entries", account="payable", party_id=till.market.suppliers[1].id)["items"]
    assert (line["amount"], line["party_name"]) == ("-150.00", till.market.suppliers[1].name)
    part = line["supplier_order_id"]
    assert read(till, "cashier", "entries", account="payable", supplier_order_id=part)["items"][0]["id"] == line["id"]


@pytest.mark.parametrize(
    "filters",
    [{}, {"account": "pocket"}, {"account": "bank", "kind": "gift"}, {"account": "bank", "from": "0206-01-01"}, {"account": "bank", "after": "x"},
     {"account": "bank", "limit": 0}, {"account": "bank", "format": "pdf"}, {"account": "bank", "party": 1}, {"account": "bank", "party_id": 2**63}],
)  # fmt: skip
def test_questions_that_are_refused(till, filters):
    assert till.as_("cashier").get("/v1/money/entries", params=filters).status_code == 422


def test_a_period_that_ends_before_it_begins_is_named(till):
    for format in ("json", "csv"):
        asked = {"account": "receivable", "from": "2026-02-01", "to": "2026-01-31", "format": format}
        answer = till.as_("finance").get("/v1/money/entries", params=asked)
        assert answer.status_code == 422
        [fault] = answer.json()["errors"]
        assert (fault["field"], fault["code"]) == ("from", "period_backwards")
    day = {"from": "2026-02-01", "to": "2026-02-01"}
    assert read(till, "finance", "entries", account="receivable", **day)["items"] == []


def test_a_transaction_and_who_sees_what_of_it(till, api, database):
    [sale] = [each for each in read(till, "cashier", "entries", account="payable")["items"] if each["amount"] == "-699.00"]
    whole = read(till, "cashier", f"transactions/{sale['transaction_id']}")
    assert (whole["kind"], whole["label"]) == ("sale", "sale")
    assert sorted((each["account"], each["amount"]) for each in whole["postings"]) == [
        ("payable", "-699.00"),
        ("receivable", "699.00"),
    ]
    mine = read(till, "finance", f"transactions/{sale['transaction_id']}")
    assert [(each["account"], each["amount"]) for each in mine["postings"]] == [("receivable", "699.00")]
    with database.unit_of_work() as session:
        till.people["stranger"] = make_user(session, Role.FINANCE, make_organisation(session, kind="school"))
        till.people["far"] = make_user(session, Role.PLATFORM_FINANCE, region_code="500240")
    for who in ("stranger", "far"):
        assert till.as_(who).get(f"/v1/money/transactions/{sale['transaction_id']}").status_code == 404
        assert read(till, who, "entries", account="receivable")["items"] == []
    assert told(read(till, "stranger", "balances")) == []
    # who keeps the money of one county sees the accounts of its suppliers
    assert told(read(till, "far", "balances")) == [("payable", till.market.suppliers[1].name, "-150.00")]
    assert till.as_("cashier").get("/v1/money/transactions/999999999").status_code == 404
    for path in ("balances", "entries?account=bank", "ageing", "clearing", f"transactions/{sale['transaction_id']}"):
        assert till.as_("purchaser").get(f"/v1/money/{path}").status_code == 403
    assert till.as_("finance").get("/v1/money/clearing").status_code == 403


def test_what_stands_on_clearing_accounts(till):
    order = till.credit("30.00")
    refund = till.ask_back(order, "20.00").json()
    till.move(refund["id"], "approve")
    found = read(till, "cashier", "clearing")
    assert {each["account"]: (each["balance"], each["items"]) for each in found["totals"]} == {
        "announced": ("569.90", 2),
        "refunds": ("-20.00", 1),
    }
    assert [(each["amount"], each["days"]) for each in found["items"]] == [("500.00", 0), ("69.90", 0), ("-20.00", 0)]
    assert found["items"][0]["reference"] == "ICBC-1"
    assert found["items"][0]["purchase_order_id"] == till.oranges
    last = found["items"][-1]
    assert (last["reference"], last["kind"], last["origin_id"]) == (refund["number"], "refund", refund["id"])
    assert [each["amount"] for each in read(till, "cashier", "clearing", account="refunds")["items"]] == ["-20.00"]
    first = read(till, "cashier", "clearing", limit=2)
    assert [each["amount"] for each in read(till, "cashier", "clearing", limit=2, after=first["next"])["items"]] == ["-20.00"]
    till.move(refund["id"], "send")
    till.move(refund["id"], "confirm")
    assert read(till, "cashier", "clearing", account="refunds") == {"items": [], "next": None, "totals": []}
    assert read(till, "cashier", "clearing", account="bank")["items"] == []


def test_two_transfers_for_one_order(till):
    """What stands is what was neither taken back nor shown, whichever came first."""
    order = till.order(10)["id"]
    first, second = (till.pay(order, amount).json() for amount in ("100.00", "50.00"))
    till.as_("finance").post(f"/v1/purchase-orders/{order}/payments/{first['id']}/undo", json={"reason": "未汇出"})
    items = [each for each in read(till, "cashier", "clearing")["items"] if each["purchase_order_id"] == order]
    assert [(each["amount"], each["reference"]) for each in items] == [("50.00", second["bank_reference"])]
    third = till.pay(order, "70.00").json()
    till.arrived(order, "70.00")
    items = [each for each in read(till, "cashier", "clearing")["items"] if each["purchase_order_id"] == order]
    assert [(each["amount"], each["reference"]) for each in items] == [("50.00", second["bank_reference"])]
    assert third["shown_at"] is None


@pytest.mark.parametrize(
    ("path", "header", "lines"),
    [
        ("balances", "科目,往来单位,余额（元）,过渡科目,另有：首份对账单前余额（元）", 4),
        ("entries?account=receivable", "日期,凭证号,摘要,科目,往来单位,采购订单,借方（元）,贷方（元）,余额（元）", 5),
        ("ageing", "往来单位,0–30 天,31–60 天,61–90 天,90 天以上,未清合计,多付,余额,最早日期", 2),
        ("clearing", "科目,金额（元）,起始日期,天数,往来单位,采购订单,摘要,编号,凭证号,待查明", 2),
    ],
)
def test_files(till, path, header, lines):
    sign = "&" if "?" in path else "?"
    chinese = {"Accept-Language": "zh"}
    sheet = till.as_("cashier").get(f"/v1/money/{path}{sign}format=csv&limit=1", headers=chinese)
    text = sheet.content.decode("utf-8-sig").splitlines()
    assert (text[0], len(text)) == (header, lines + 1)
    book = till.as_("cashier").get(f"/v1/money/{path}{sign}format=xlsx", headers=chinese)
    cells = tables.rows(book.content)
    assert (",".join(cells[0]), len(cells)) == (header, lines + 1)


def test_no_file_is_longer_than_it_may_be(till, monkeypatch):
    monkeypatch.setattr(money_api, "MAX_LINES", 4)
    answer = till.as_("cashier").get("/v1/money/entries?account=receivable&format=csv")
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_lines")
    assert till.as_("cashier").get("/v1/money/balances?format=csv").status_code == 200


def test_the_platforms_own_accounts_have_no_party(till):
    order = till.credit("50.00")
    refund = till.ask_back(order, "30.00").json()["id"]
    for move in ("approve", "send", "confirm"):
        till.move(refund, move)
    [bank] = read(till, "cashier", "balances", account="bank")["items"]
    assert (bank["party_id"], bank["balance"]) == (None, "20.00")
    assert rows(till.database, "SELECT sum(amount_fen) FROM money_posting") == [(0,)]


def test_a_line_of_the_bank_is_called_so_whichever_way_it_went(till):
    order = till.order(1)["id"]
    till.arrived(order, "69.90")
    bank_shows_fee = statement((-1500, "", "账户管理费", "F1"), opening=6990)
    assert till.as_("cashier").post("/v1/bank-statements", files={"file": ("流水.csv", bank_shows_fee)}).status_code == 201
    answer = till.as_("cashier").get("/v1/money/entries", params={"account": "bank"}, headers={"Accept-Language": "zh"})
    assert [(each["amount"], each["kind_label"]) for each in answer.json()["items"]] == [
        ("69.90", "银行收付"),
        ("-15.00", "银行收付"),
    ]
