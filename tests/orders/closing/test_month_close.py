"""A month's close: the turnover of its days, what is missing by now, and every fen between the ledger and the invoices explained."""

import csv
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from orders.closing.rules import Gap, Owed, Standing
from shop.core import clock
from shop.core.money import fen_from_yuan
from shop.core.months import days_of, month_before
from shop.identity.permissions import Role
from tests.factories.after_sales import days_later, deliver, differences, rows
from tests.factories.buying import make_bureau
from tests.factories.identity import signed_in
from tests.factories.money import make_till
from tests.factories.statements import statement
from tests.orders.invoices.test_following import delivered, moved
from tests.orders.invoices.test_invoices import give_back, issue
from tests.orders.tax_invoices.test_tax_invoices import NUMBER, register, said

MONTH = f"{clock.today():%Y-%m}"
TURNOVER = ("opening", "booked", "invoiced", "credited", "closing")


@pytest.fixture
def till(api, database):
    return make_till(api, database)


def closed(client, month=MONTH, **asked):
    answer = client.get("/v1/month-close", params={**({"month": month} if month else {}), **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


def turnover(row):
    return [row[name] for name in TURNOVER]


def invoiced(till, quantity=10, of=0):
    """An order that was accepted and invoiced: what was delivered, and the invoice."""
    quantities = [quantity] if of == 0 else [None, quantity]
    done = deliver(till.api, till.market, *quantities, of=of)
    return done, issue(till.api.as_(till.market.sellers[of]), done.part).json()


def test_one_row_ties_deliveries_invoices_tax_invoices_and_payments(till, database):
    seller, cashier = till.api.as_(till.market.sellers[0]), till.as_("cashier")
    done, invoice = invoiced(till)
    register(seller, said(invoice_ids=[invoice["id"]]))
    paid = till.pay(done.order_id, "699.00").json()
    [row] = closed(cashier)["items"]
    assert turnover(row) == ["0.00", "699.00", "699.00", "0.00", "0.00"]
    # what is only announced has not arrived
    assert (row["vat"], row["paid"], row["announced"], row["unpaid"], row["gaps"]) == ("57.72", "0.00", "699.00", "0.00", [])
    today = str(clock.today())
    assert row["deliveries"] == [{"shipment_id": done.shipment, "accepted_on": today}]
    assert row["invoices"] == [
        {"id": invoice["id"], "number": invoice["number"], "issued_on": today, "gross": "699.00", "held": "699.00",
         "shipment_ids": [done.shipment], "tax_invoices": [NUMBER]}
    ]  # fmt: skip
    [payment] = row["payments"]
    assert (payment["id"], payment["amount"], payment["paid_on"]) == (paid["id"], "699.00", today)
    # the supplier does not see what the buyer's bank says, and the buyer not how the supplier is settled with
    [theirs] = closed(seller)["items"]
    assert (theirs["payments"], theirs["invoices"]) == ([], row["invoices"])
    [ours] = closed(till.as_("finance"))["items"]
    assert (ours["payments"], ours["settlements"]) == (row["payments"], [])
    assert closed(till.api.as_(till.market.sellers[1]))["items"] == []


@pytest.mark.slow
def test_what_is_missing_stands_on_top_and_is_told(till, database, monkeypatch):
    mine, other, cashier = till.api.as_(till.market.sellers[0]), till.api.as_(till.market.sellers[1]), till.as_("cashier")
    open_part = deliver(till.api, till.market, 1)
    bare, _ = invoiced(till, 2)
    back, third = invoiced(till, 3)
    register(mine, said(NUMBER[:-1] + "1", gross="209.70", vat="17.31", invoice_ids=[third["id"]]))
    give_back(till.api, till.market, back, 1)
    held, fourth = invoiced(till, 4)
    register(mine, *[said(NUMBER[:-1] + "2", gross="279.60", vat="0", invoice_ids=[fourth["id"]])] * 2)
    low, fifth = invoiced(till, 2, of=1)
    register(other, said(NUMBER[:-1] + "3", gross="299.00", vat="0", invoice_ids=[fifth["id"]]))
    good, sixth = invoiced(till, 6)
    register(mine, said(NUMBER[:-1] + "4", gross="419.40", vat=sixth["vat"], invoice_ids=[sixth["id"]]))

    found = closed(cashier)
    gaps = {row["supplier_order_id"]: row["gaps"] for row in found["items"]}
    assert gaps == {
        open_part.part: ["not_invoiced"],
        bare.part: ["no_tax_invoice"],
        back.part: ["credit_note_due"],
        held.part: ["no_tax_invoice", "tax_invoice_held"],
        low.part: ["tax_invoice_differs"],
        good.part: [],
    }
    # what lacks something first, either the newest first
    assert [row["supplier_order_id"] for row in found["items"]] == [
        low.part,
        held.part,
        back.part,
        bare.part,
        open_part.part,
        good.part,
    ]
    assert found["total"]["gaps"] == {
        "not_invoiced": 1, "credit_note_due": 1, "no_tax_invoice": 2, "tax_invoice_held": 1, "tax_invoice_differs": 1
    }  # fmt: skip
    assert (found["total"]["parts"], found["total"]["uninvoiced"], found["total"]["credit_due"]) == (6, "69.90", "69.90")
    assert found["total"]["unexplained"] == "0.00"
    # page by page the same
    paged, after = [], None
    while after or not paged:
        page = closed(cashier, limit=2, **({"after": after} if after else {}))
        paged += page["items"]
        after = page["next"]
        assert page["total"] == found["total"]
    assert paged == found["items"]
    assert {row["supplier_order_id"] for row in closed(cashier, missing=True)["items"]} == set(gaps) - {good.part}
    only = closed(cashier, seller_id=fifth["seller_id"])
    assert [row["supplier_order_id"] for row in only["items"]] == [low.part]
    # the credit note: then its red letter is missing
    note = mine.post(f"/v1/invoices/{third['id']}/credit-notes", json={"reason": "return"}).json()
    row = next(row for row in closed(cashier)["items"] if row["supplier_order_id"] == back.part)
    assert (row["gaps"], row["without_red_letter"], turnover(row)) == (
        ["no_red_letter"],
        "69.90",
        ["0.00", "139.80", "209.70", "69.90", "0.00"],
    )
    register(mine, said(NUMBER[:-1] + "5", gross="69.90", vat=note["vat"], red=True, credit_note_ids=[note["id"]]))
    row = next(row for row in closed(cashier)["items"] if row["supplier_order_id"] == back.part)
    assert (row["gaps"], row["credit_notes"][0]["tax_invoices"]) == ([], [NUMBER[:-1] + "5"])
    # when the terms are over, what is not paid
    days_later(monkeypatch, 60)
    assert all("overdue" in row["gaps"] for row in closed(till.as_("cashier"))["items"])


def test_a_month_stays_what_it_was_and_what_it_left_open_begins_the_next(till, database, monkeypatch):
    seller, cashier = till.api.as_(till.market.sellers[0]), till.as_("cashier")
    done = deliver(till.api, till.market, 5)
    gone, _ = invoiced(till, 2)
    before = {row["supplier_order_id"]: turnover(row) for row in closed(cashier)["items"]}
    assert before == {
        done.part: ["0.00", "349.50", "0.00", "0.00", "349.50"],
        gone.part: ["0.00", "139.80", "139.80", "0.00", "0.00"],
    }
    first = clock.today().replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    days_later(monkeypatch, (following - clock.today()).days)
    # the default is the month that was over last
    assert closed(till.as_("cashier"), month=None)["month"] == MONTH
    assert issue(till.api.as_(till.market.sellers[0]), done.part).status_code == 201
    assert {row["supplier_order_id"]: turnover(row) for row in closed(cashier)["items"]} == before
    row, unpaid = closed(cashier, f"{following:%Y-%m}")["items"][::-1]
    assert (row["supplier_order_id"], turnover(row)) == (done.part, ["349.50", "0.00", "349.50", "0.00", "0.00"])
    # invoiced in the month before, and on the list until it is paid
    assert (unpaid["supplier_order_id"], turnover(unpaid), unpaid["unpaid"]) == (gone.part, ["0.00"] * 5, "139.80")
    assert (row["deliveries"], [each["shipment_ids"] for each in row["invoices"]]) == ([], [[done.shipment]])
    after_it = (following + timedelta(days=32)).replace(day=1)
    refused = cashier.get("/v1/month-close", params={"month": f"{after_it:%Y-%m}"})
    assert (refused.status_code, refused.json()["code"], refused.json()["data"]) == (
        422,
        "month_not_begun",
        {"month": f"{after_it:%Y-%m}"},
    )
    days_later(monkeypatch, (after_it - clock.today() + clock._shift).days)
    cashier = till.as_("cashier")
    assert [turnover(each) for each in closed(cashier, f"{after_it:%Y-%m}")["items"]] == [["0.00"] * 5] * 2
    for part in (done, gone):
        till.pay(part.order_id, {done.part: "349.50", gone.part: "139.80"}[part.part])
    assert closed(cashier, f"{after_it:%Y-%m}")["items"] == []
    assert seller.get("/v1/invoices/uninvoiced").json()["items"] == []


@pytest.mark.slow
def test_freight_corrections_disputes_and_returns_are_explained(till, database):
    """Whatever happens to what was sold, the ledger of money and the invoices tell of the same amounts."""
    seller, buyer, cashier = till.api.as_(till.market.sellers[0]), till.as_("purchaser"), till.as_("cashier")
    order = buyer.post("/v1/purchase-orders", json=till.market.order(10)).json()
    part = order["supplier_orders"][0]["id"]
    assert seller.put(f"/v1/supplier-orders/{part}/freight", json={"freight": "36.00"}).status_code == 200
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]

    def row():
        [found] = closed(cashier)["items"]
        assert found["unexplained"] == "0.00"
        owed = fen_from_yuan(found["uninvoiced"]) - fen_from_yuan(found["credit_due"]) - fen_from_yuan(found["waiting"])
        assert fen_from_yuan(found["closing"]) == owed
        return found

    def arrive(quantity):
        body = {"lines": [{"order_line_id": line, "quantity": quantity}]}
        shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json=body).json()["id"]
        assert buyer.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201
        return shipment

    shipment = arrive("4")
    assert row()["uninvoiced"] == "315.60"
    # a dispute gives back what no invoice holds yet
    claim = {"kind": "quality", "claim": "偏小", "claimed": "50.00"}
    dispute = buyer.post(f"/v1/supplier-orders/{part}/disputes", json=claim).json()
    seller.post(f"/v1/disputes/{dispute['id']}/answer", json={"answer": "同意"})
    decided = signed_in(till.api, Role.CITY_OFFICER).post(
        f"/v1/disputes/{dispute['id']}/decide", json={"outcome": "partial", "reason": "折让", "refund": "50.00"}
    )
    assert decided.status_code in (200, 201), decided.text
    assert (row()["uninvoiced"], row()["waiting"], row()["closing"]) == ("315.60", "50.00", "265.60")
    invoice = issue(seller, part).json()
    assert (row()["credit_due"], row()["waiting"], row()["gaps"]) == ("50.00", "0.00", ["credit_note_due", "no_tax_invoice"])
    assert seller.post(f"/v1/invoices/{invoice['id']}/credit-notes", json={"reason": "price_reduction"}).status_code == 201
    assert row()["closing"] == "0.00"
    truth = {"reason": "少一箱", "lines": [{"order_line_id": line, "accepted_quantity": "3", "accepted_grams": 15000}]}
    correction = buyer.post(f"/v1/shipments/{shipment}/corrections", json=truth).json()["id"]
    assert seller.post(f"/v1/acceptance-corrections/{correction}/agree", json={}).status_code in (200, 201)
    # both at once: one line to credit, one to invoice
    assert {"not_invoiced", "credit_note_due"} <= set(row()["gaps"])
    arrive("6")
    row()
    seller.post(f"/v1/invoices/{invoice['id']}/credit-notes", json={"reason": "correction"})
    issue(seller, part)
    row()
    assert differences(database) == {}


def test_an_order_that_moved_is_explained(api, database):
    bureau = make_bureau(api, database)
    cashier = signed_in(api, Role.PLATFORM_FINANCE)
    order_id, part = delivered(bureau, 5, freight="30.00")
    first = bureau.as_("seller").post(f"/v1/supplier-orders/{part}/invoices", json={}).json()
    moved(bureau, database, order_id)
    [row] = closed(cashier)["items"]
    assert (row["unexplained"], row["uninvoiced"], row["credit_due"], row["closing"]) == ("0.00", "379.50", "379.50", "0.00")
    bureau.as_("seller").post(f"/v1/invoices/{first['id']}/credit-notes", json={"reason": "reassignment"})
    [row] = closed(cashier)["items"]
    assert (row["unexplained"], row["uninvoiced"], row["credit_due"], row["closing"]) == ("0.00", "379.50", "0.00", "379.50")


def test_who_only_sells_is_told_no_accounts_of_buyers(till):
    """What is accepted and unpaid stands in its list; there is no receivable of its own beside which that could stand as zero."""
    invoiced(till)
    seller = till.api.as_(till.market.sellers[0])
    total = closed(seller)["total"]
    assert (total["unpaid"], total["owed"]) == ("699.00", None)
    asked = {"month": f"{clock.today():%Y-%m}", "format": "csv"}
    table = seller.get("/v1/month-close", params=asked).content.decode("utf-8-sig").splitlines()
    assert len(table) == 3
    told = till.as_("cashier").get("/v1/month-close", params=asked).content.decode("utf-8-sig").splitlines()
    assert len(told) == 3 + 8 + 3


def test_the_months_end_says_how_much_of_what_waited_was_matched_since(till, database, monkeypatch):
    cashier = till.as_("cashier")
    order = till.order(10)["id"]
    content = statement(
        (30_000, "沙坪坝中学", "货款", "S1"), (20_000, "沙坪坝中学", "货款", "S2"), (-1_500, "", "账户管理费", "S3")
    )
    assert cashier.post("/v1/bank-statements", files={"file": ("流水.csv", content)}).status_code == 201
    assert closed(cashier)["unallocated"] == {"at_end": "485.00", "matched_since": "0.00", "waiting": "485.00"}
    following = (clock.today().replace(day=1) + timedelta(days=32)).replace(day=1)
    days_later(monkeypatch, (following - clock.today()).days)
    cashier, line = till.api.as_(till.people["cashier"]), rows(database, "SELECT id FROM bank_line WHERE amount_fen = 30000")[0][0]
    part = {"kind": "order", "purchase_order_id": order, "amount": "300.00"}
    assert cashier.post(f"/v1/bank-lines/{line}/matches", json={"parts": [part]}).status_code == 201
    assert closed(cashier)["unallocated"] == {"at_end": "485.00", "matched_since": "300.00", "waiting": "185.00"}
    table = cashier.get("/v1/month-close", params={"month": MONTH, "format": "csv"}, headers={"Accept-Language": "zh"})
    below = [line.split(",") for line in table.content.decode("utf-8-sig").splitlines()[-3:]]
    assert [line[0] for line in below] == ["月末待认领款项（账面）", "其中：月后已认领", "其中：仍待认领"]
    assert [amount for line in below for amount in line[1:] if amount] == ["485.00", "300.00", "185.00"]
    assert closed(till.api.as_(till.people["finance"]))["unallocated"] is None


def test_a_fen_that_nothing_explains_is_found(till, database):
    done, _ = invoiced(till)
    with database.unit_of_work() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("UPDATE money_posting SET amount_fen = amount_fen - 1 WHERE account = 'payable'"))
    found = closed(till.as_("cashier"))
    assert (found["items"][0]["unexplained"], found["total"]["unexplained"]) == ("0.01", "0.01")
    assert found["items"][0]["gaps"][0] == "unexplained"
    assert found["items"][0]["supplier_order_id"] == done.part


def tie(client, **asked):
    """How the list ties to the ledger: what it says, which holds to the fen."""
    found = closed(client, **asked)
    told = {name: fen_from_yuan(fen) for name, fen in found["total"]["owed"].items()}
    explained = told["unpaid"] - told["paid_ahead"] + told["elsewhere"] - told["credit"]
    assert told["receivable"] == explained + told["unexplained"]
    return found, told


def balance_of(client, account="receivable"):
    found = client.get("/v1/money/balances", params={"by": "account", "account": account}).json()["items"]
    return sum(fen_from_yuan(each["balance"]) for each in found)


@pytest.fixture
def owing(till):
    """Of two parts of an order one is accepted; of another, one of two parcels. One is paid ahead, one more than it costs, one in part by word only."""
    till.part_accepted = till.begun("owing", lambda: _owing(till))
    return till


def _owing(till):
    buyer = till.as_("purchaser")
    part_accepted = deliver(till.api, till.market, 10, 1)
    till.pay(part_accepted.order_id, "50.00")
    order = till.order(8)
    part = order["supplier_orders"][0]["id"]
    seller = till.api.as_(till.market.sellers[0])
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]
    shipment = seller.post(
        f"/v1/supplier-orders/{part}/shipments", json={"lines": [{"order_line_id": line, "quantity": "3"}]}
    ).json()["id"]
    assert buyer.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201
    till.arrived(order["id"], "300.00")
    till.arrived(till.order(2)["id"], "100.00")
    till.credit("69.90")
    return part_accepted


@pytest.mark.slow
def test_what_is_not_paid_ties_to_the_ledger_and_to_the_dues(owing):
    for who in ("cashier", "finance"):
        client = owing.as_(who)
        found, told = tie(client)
        assert {row["supplier_order_id"]: (row["unpaid"], row["paid_ahead"], row["not_accepted"]) for row in found["items"]} == {
            owing.part_accepted.part: ("649.00", "0.00", "0.00"),
            found["items"][0]["supplier_order_id"]: ("0.00", "90.30", "349.50"),
        }
        assert told == {
            "receivable": 649_00 - 90_30 - 100_00 - 69_90, "unpaid": 649_00, "paid_ahead": 90_30, "elsewhere": -100_00, "credit": 69_90,
            "unexplained": 0, "not_accepted": 349_50 + 150_00 + 139_80, "dues": 649_00 + 349_50 - 90_30 + 150_00 + 39_80,
        }  # fmt: skip
        assert told["receivable"] == balance_of(client)
        assert told["dues"] == fen_from_yuan(client.get("/v1/dues/totals").json()["open"])
        assert found["total"]["unpaid_unexplained"] == "0.00"
    # a part of the list is explained beside what it leaves out; of one seller there is nothing to tie
    found, told = tie(owing.as_("cashier"), only="unpaid")
    assert ([row["supplier_order_id"] for row in found["items"]], told["elsewhere"]) == ([owing.part_accepted.part], -190_30)
    supplier = owing.market.suppliers[0].id
    assert closed(owing.as_("cashier"), seller_id=supplier)["total"]["owed"] is None
    far = signed_in(owing.api, Role.PLATFORM_FINANCE, region_code="500229")
    assert set(tie(far)[1].values()) == {0}


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE payment_due SET paid_fen = paid_fen - 1, arrived_fen = 0 WHERE paid_fen > 0 AND supplier_order_id = :part",
        "UPDATE payment_due SET amount_fen = amount_fen + 1, paid_fen = amount_fen + 1 WHERE supplier_order_id = :part",
        "UPDATE money_posting SET amount_fen = amount_fen + 1 WHERE account = 'receivable' AND supplier_order_id = :part",
        "UPDATE money_posting SET amount_fen = amount_fen + 1 WHERE account = 'receivable' AND supplier_order_id IS NULL AND purchase_order_id = :order",
        "UPDATE money_posting SET purchase_order_id = NULL WHERE account = 'receivable' AND purchase_order_id = :order",
    ],
)
def test_what_the_ledger_says_is_owed_and_nothing_explains_is_found(owing, database, wrong):
    with database.unit_of_work() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        done = owing.part_accepted
        planted = session.execute(
            text(wrong), {name: fen for name, fen in (("part", done.part), ("order", done.order_id)) if f":{name}" in wrong}
        )
        assert planted.rowcount
    cashier = owing.as_("cashier")
    found, told = tie(cashier)
    assert told["receivable"] == balance_of(cashier)
    row = next(row for row in found["items"] if row["supplier_order_id"] == done.part)
    assert (row["gaps"][0], row["unpaid_unexplained"] != "0.00") == ("unexplained", True)
    if "SET purchase_order_id" not in wrong:
        assert abs(told["unexplained"]) in (1, 649_01)
        assert fen_from_yuan(found["total"]["unpaid_unexplained"]) == told["unexplained"]
    assert [each["supplier_order_id"] for each in closed(cashier, only="unexplained")["items"]] == [done.part]


@pytest.mark.slow
def test_a_month_is_closed_by_what_is_to_be_done(till):
    bare, _ = invoiced(till, 2)
    open_part = deliver(till.api, till.market, 1)
    till.arrived(open_part.order_id, "69.90")
    cashier = till.as_("cashier")

    def parts(**asked):
        return [row["supplier_order_id"] for row in closed(cashier, **asked)["items"]]

    assert parts(only="not_invoiced") == [open_part.part]
    assert parts(only="no_tax_invoice") == parts(only="unpaid") == [bare.part]
    assert (parts(only="unexplained"), parts(only="overdue")) == ([], [])
    assert closed(cashier, only="not_invoiced")["total"]["parts"] == 1
    assert cashier.get("/v1/month-close", params={"only": "x"}).status_code == 422


def test_it_is_a_file_too(till, database):
    _, invoice = invoiced(till)
    deliver(till.api, till.market, 1)
    cashier = till.as_("cashier")
    table = cashier.get("/v1/month-close", params={"month": MONTH, "format": "csv"}).content.decode("utf-8-sig").splitlines()
    assert table[0].startswith("missing,order,part,")
    assert [line.split(",")[0] for line in table[1:4]] == ["not invoiced", "without a tax invoice", "Total"]
    header, *lines = csv.reader(table)
    at = header.index("accepted and unpaid (yuan)")
    tied = ["768.90", "768.90", "0.00", "0.00", "0.00", "0.00", "768.90", "0.00", "768.90"]
    # and below that what waits on the account of the bank's lines that nobody has explained
    assert [line[at] for line in lines[2:]] == [*tied, "0.00", "0.00", "0.00"]
    assert invoice["number"] in table[2]
    chinese = cashier.get("/v1/month-close", params={"month": MONTH, "format": "csv"}, headers={"Accept-Language": "zh"})
    assert chinese.content.decode("utf-8-sig").startswith("缺项,订单,")
    assert [line.split(",")[0] for line in chinese.content.decode("utf-8-sig").splitlines()[1:4]] == [
        "未开票",
        "未登记税务发票",
        "合计",
    ]
    sheet = cashier.get("/v1/month-close", params={"month": MONTH, "format": "xlsx"})
    assert sheet.content.startswith(b"PK")
    assert f"close_{MONTH}.xlsx" in sheet.headers["content-disposition"]


@pytest.mark.parametrize(
    "asked",
    [
        {"month": "2026-13"},
        {"month": "2026-1"},
        {"month": "0000-01"},
        {"month": "x"},
        {"after": "x"},
        {"limit": 0},
        {"seller_id": 0},
        {"all": "1"},
    ],
)
def test_odd_questions_are_refused_in_words(till, asked):
    answer = till.as_("cashier").get("/v1/month-close", params=asked)
    assert (answer.status_code, bool(answer.json()["errors"])) == (422, True)


def test_who_may_close(till):
    invoiced(till)
    assert till.as_("purchaser").get("/v1/month-close").status_code == 403
    near, far = (signed_in(till.api, Role.PLATFORM_FINANCE, region_code=code) for code in ("500236", "500229"))
    [row] = closed(near)["items"]
    # of the supplier's region: what the buyer's bank says is not its business
    assert row["payments"] == []
    assert closed(far)["items"] == []


def test_days_of_a_month():
    assert days_of("2028-02") == (date(2028, 2, 1), date(2028, 2, 29))
    assert days_of("2026-12") == (date(2026, 12, 1), date(2026, 12, 31))
    assert month_before(date(2026, 1, 31)) == "2025-12"


@given(*[st.integers(0, 10**12)] * 4, st.integers(-(10**12), 10**12))
def test_what_buyers_owe_is_what_is_unpaid_less_what_is_paid_too_early_or_too_much(unpaid, ahead, credit, rest, elsewhere):
    owed = Owed(unpaid - ahead + elsewhere - credit + rest, unpaid, ahead, elsewhere, credit)
    assert owed.unexplained == rest


@given(*[st.integers(0, 10**12)] * 4)
def test_what_is_open_explains_what_is_owed_beyond_the_invoices(held, uninvoiced, due, waiting):
    owed = held + uninvoiced - due - waiting
    rest = {
        "without_tax_invoice": 0,
        "without_red_letter": 0,
        "tax_invoices_held": 0,
        "tax_invoices_differing": 0,
        "overdue": 0,
        "astray": 0,
    }
    assert Standing(owed, held, uninvoiced, due, waiting, **rest).unexplained == 0
    off = Standing(owed + 1, held, uninvoiced, due, waiting, **rest)
    assert (off.unexplained, off.gaps()[0]) == (1, Gap.UNEXPLAINED)
