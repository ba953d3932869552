"""Invoices of accepted goods, and the credit notes that follow them."""

import io
import xml.etree.ElementTree as ET
import zipfile
from datetime import date

import pytest
from pypdf import PdfReader
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shop.core import clock, exports, outbox
from shop.identity.permissions import Role
from tests.factories.after_sales import ask_back, days_later, deliver, differences, rows
from tests.factories.catalog import make_product
from tests.factories.identity import signed_in
from tests.factories.orders import make_market
from workers.handlers import HANDLERS


@pytest.fixture
def market(database):
    return make_market(database)


def configure(database, **rules):
    """Have the programme's rules say so."""
    with database.unit_of_work() as session:
        for name, value in rules.items():
            session.execute(
                text(
                    "UPDATE programme SET config = jsonb_set(config, '{invoicing}',"
                    " coalesce(config -> 'invoicing', '{}'::jsonb) || jsonb_build_object(CAST(:name AS text), CAST(:value AS text)))"
                ),
                {"name": name, "value": value},
            )


def issue(client, part, **body):
    return client.post(f"/v1/supplier-orders/{part}/invoices", json=body)


def give_back(api, market, delivered, quantity, of=0):
    """A return from the asking to the end."""
    seller, buyer = api.as_(market.sellers[of]), api.as_(market.purchaser)
    asked = ask_back(api, market, delivered, quantity)
    assert asked.status_code == 201, asked.text
    path = f"/v1/returns/{asked.json()['id']}"
    assert seller.post(f"{path}/approve", json={}).status_code in (200, 201)
    assert buyer.post(f"{path}/send", json={"carrier": "顺丰", "waybill": "SF1"}).status_code in (200, 201)
    received = seller.post(f"{path}/receive", json={})
    assert received.status_code in (200, 201), received.text
    return received.json()


def test_from_the_acceptance_to_the_credit_note(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    done = deliver(api, market, 10)
    [row] = seller.get("/v1/invoices/uninvoiced").json()["items"]
    assert (row["supplier_order_id"], row["goods"], row["total"], row["lines"]) == (done.part, "699.00", "699.00", 1)
    made = issue(seller, done.part)
    assert made.status_code == 201, made.text
    invoice = made.json()
    # 699.00 at 9 %
    assert (invoice["gross"], invoice["vat"], invoice["net"]) == ("699.00", "57.72", "641.28")
    assert (invoice["status"], invoice["in_words"]) == ("sent", "陆佰玖拾玖元整")
    assert invoice["buyer"]["name"] == "沙坪坝中学"
    assert seller.get("/v1/invoices/uninvoiced").json()["items"] == []
    assert issue(seller, done.part).json()["code"] == "nothing_to_invoice"
    empty = seller.get("/v1/invoices/uninvoiced", params={"format": "csv"})
    assert empty.content.decode("utf-8-sig").splitlines() == [
        "order,seller,buyer,lines,goods (yuan),freight (yuan),total (yuan),first accepted on"
    ]
    assert buyer.get(f"/v1/invoices/{invoice['id']}").json()["number"] == invoice["number"]

    give_back(api, market, done, 4)
    shown = seller.get(f"/v1/invoices/{invoice['id']}").json()
    assert shown["to_credit"] == "279.60"
    [due] = seller.get("/v1/credit-notes/due").json()["items"]
    assert (due["held"], due["owed"], due["due"], due["invoice_ids"]) == ("699.00", "419.40", "279.60", [invoice["id"]])
    credited = seller.post(f"/v1/invoices/{invoice['id']}/credit-notes", json={"reason": "return", "note": "退货四箱"})
    assert credited.status_code == 201, credited.text
    note = credited.json()
    # what is left holds 34.63 of tax, so 23.09 go back
    assert (note["gross"], note["vat"], note["lines"][0]["quantity"]) == ("279.60", "23.09", "4")
    shown = seller.get(f"/v1/invoices/{invoice['id']}").json()
    assert (shown["status"], shown["held"], shown["to_credit"]) == ("partly_credited", "419.40", "0.00")
    again = seller.post(f"/v1/invoices/{invoice['id']}/credit-notes", json={"reason": "return"})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_credit")
    assert seller.get("/v1/credit-notes/due").json()["items"] == []
    outbox.drain(database, HANDLERS)
    kinds = {row["kind"] for row in buyer.get("/v1/notifications").json()["items"]}
    assert {"invoice.sent", "credit_note.issued"} <= kinds
    assert "invoice.credit_due" in {row["kind"] for row in seller.get("/v1/notifications").json()["items"]}
    assert differences(database) == {}


def test_by_the_rule_the_acceptance_makes_the_invoice_and_the_return_its_credit_note(api, database, market):
    configure(database, invoices="acceptance", credit_notes="automatic")
    done = deliver(api, market, 3)
    buyer = api.as_(market.purchaser)
    [invoice] = buyer.get("/v1/invoices").json()["items"]
    assert (invoice["gross"], invoice["status"]) == ("209.70", "sent")
    assert buyer.get(f"/v1/invoices/{invoice['id']}").json()["automatic"] is True
    give_back(api, market, done, 3)
    [note] = buyer.get("/v1/credit-notes").json()["items"]
    assert (note["reason"], note["gross"], note["invoice_number"]) == ("return", "209.70", invoice["number"])
    assert buyer.get(f"/v1/invoices/{invoice['id']}").json()["status"] == "credited"
    assert api.as_(market.sellers[0]).get("/v1/invoices/uninvoiced").json()["items"] == []
    assert differences(database) == {}


def test_part_invoices_and_one_for_several_deliveries(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    order = buyer.post("/v1/purchase-orders", json=market.order(10)).json()
    part = order["supplier_orders"][0]["id"]
    seller.put(f"/v1/supplier-orders/{part}/freight", json={"freight": "36.00"})
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]
    shipments = []
    for quantity in ("3", "4", "3"):
        body = {"lines": [{"order_line_id": line, "quantity": quantity}]}
        shipments.append(seller.post(f"/v1/supplier-orders/{part}/shipments", json=body).json()["id"])
        assert buyer.post(f"/v1/shipments/{shipments[-1]}/acceptance", json={}).status_code == 201
    freight = seller.get(f"/v1/supplier-orders/{part}").json()["freight"]
    first = issue(seller, part, shipment_ids=shipments[:1]).json()
    rest = issue(seller, part).json()
    assert [each["kind"] for each in first["lines"]] == ["goods", "freight"] if freight != "0.00" else ["goods"]
    assert [each["quantity"] for each in rest["lines"]] == ["4", "3"]
    total = sum(round(float(each["gross"]) * 100) for each in (first, rest))
    assert total == 69900 + round(float(freight) * 100)
    numbers = [each["number"] for each in (first, rest)]
    assert numbers[0].endswith("-000001")
    assert numbers[1].endswith("-000002")
    assert issue(seller, part, shipment_ids=shipments[:1]).json()["code"] == "nothing_to_invoice"
    wrong = issue(seller, part, shipment_ids=[999_999])
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "shipment_ids[0]")
    assert issue(seller, part, shipment_ids=[shipments[0], shipments[0]]).status_code == 422
    totals = buyer.get("/v1/invoices/totals").json()
    assert totals["count"] == 2
    assert totals["gross"] == totals["held"]
    assert differences(database) == {}


def test_goods_without_vat_say_why(api, database, market):
    """Honey of a cooperative is exempt by what the seller is; its guest house is not."""
    seller = api.as_(market.sellers[1])
    honey = deliver(api, market, None, 2, of=1)
    [line] = issue(seller, honey.part).json()["lines"]
    assert (line["vat"], line["exemption"]["code"], line["exemption"]["source"]) == (
        "0.00",
        "cooperative",
        "Caishui [2008] No. 81, Article 1",
    )
    nights = deliver(api, market, None, None, 2, of=1)
    for said in ({}, {"exemptions": ["self_produced", "vegetables"]}):
        refused = issue(seller, nights.part, **said)
        assert (refused.status_code, refused.json()["code"]) == (422, "exemption_needed")
    [line] = issue(seller, nights.part, exemptions=["cooperative", "small_scale"]).json()["lines"]
    assert line["exemption"]["code"] == "small_scale"
    listed = seller.get("/v1/invoices/exemptions").json()
    assert {each["code"] for each in listed} >= {"self_produced", "cooperative", "small_scale"}
    # by rule nobody says it for the seller: it stays open
    configure(database, invoices="acceptance")
    more = deliver(api, market, None, None, 1, of=1)
    assert [row["supplier_order_id"] for row in seller.get("/v1/invoices/uninvoiced").json()["items"]] == [more.part]
    assert differences(database) == {}


def test_an_invoice_issued_in_error_is_taken_back_whole_and_issued_again(api, database, market):
    seller = api.as_(market.sellers[0])
    done = deliver(api, market, 2)
    first = issue(seller, done.part, send=False).json()
    assert (first["status"], first["sent_at"]) == ("issued", None)
    assert seller.post(f"/v1/invoices/{first['id']}/send").json()["status"] == "sent"
    assert seller.post(f"/v1/invoices/{first['id']}/send").json()["code"] == "illegal_move"
    note = seller.post(f"/v1/invoices/{first['id']}/credit-notes", json={"reason": "issued_in_error", "note": "抬头有误"}).json()
    assert (note["gross"], note["vat"]) == (first["gross"], first["vat"])
    assert (
        seller.post(f"/v1/invoices/{first['id']}/credit-notes", json={"reason": "issued_in_error"}).json()["code"]
        == "nothing_to_credit"
    )
    second = issue(seller, done.part).json()
    assert (second["gross"], second["id"] != first["id"]) == (first["gross"], True)
    assert differences(database) == {}


def test_a_correction_credits_the_line_and_opens_it_again(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    done = deliver(api, market, 10)
    invoice = issue(seller, done.part).json()
    truth = {"reason": "少收一箱", "lines": [{"order_line_id": done.line, "accepted_quantity": "9", "accepted_grams": 45000}]}
    correction = buyer.post(f"/v1/shipments/{done.shipment}/corrections", json=truth).json()
    agreed = seller.post(f"/v1/acceptance-corrections/{correction['id']}/agree", json={})
    assert agreed.status_code in (200, 201), agreed.text
    assert seller.get(f"/v1/invoices/{invoice['id']}").json()["to_credit"] == "699.00"
    note = seller.post(f"/v1/invoices/{invoice['id']}/credit-notes", json={"reason": "correction"}).json()
    assert note["gross"] == "699.00"
    again = issue(seller, done.part).json()
    assert (again["gross"], again["lines"][0]["quantity"]) == ("629.10", "9")
    assert differences(database) == {}


@pytest.mark.slow
def test_what_a_dispute_gives_back_is_credited_as_a_reduction(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    done = deliver(api, market, 10)
    invoice = issue(seller, done.part).json()
    claim = {"kind": "quality", "claim": "三成偏小", "claimed": "100.00"}
    dispute = buyer.post(f"/v1/supplier-orders/{done.part}/disputes", json=claim).json()
    answered = seller.post(f"/v1/disputes/{dispute['id']}/answer", json={"answer": "同意协商"})
    assert answered.status_code in (200, 201), answered.text
    city = signed_in(api, Role.CITY_OFFICER)
    decided = city.post(f"/v1/disputes/{dispute['id']}/decide", json={"outcome": "partial", "reason": "折让", "refund": "100.00"})
    assert decided.status_code in (200, 201), decided.text
    assert seller.get(f"/v1/invoices/{invoice['id']}").json()["to_credit"] == "100.00"
    [due] = seller.get("/v1/credit-notes/due").json()["items"]
    assert due["due"] == "100.00"
    table = seller.get("/v1/credit-notes/due", params={"format": "csv"}).content.decode("utf-8-sig").splitlines()
    assert (table[0], table[1].split(",")[-3:]) == (
        "order,seller,buyer,held (yuan),owed (yuan),due (yuan)",
        ["699.00", "599.00", "100.00"],
    )
    note = seller.post(f"/v1/invoices/{invoice['id']}/credit-notes", json={"reason": "price_reduction"}).json()
    assert (note["gross"], note["lines"][0]["reduced"], note["lines"][0]["quantity"]) == ("100.00", "100.00", "0")
    assert differences(database) == {}
    # the goods go back after all: the line is credited whole, and never below that
    give_back(api, market, done, 10)
    note = seller.post(f"/v1/invoices/{invoice['id']}/credit-notes", json={"reason": "return"}).json()
    assert note["gross"] == "599.00"
    assert seller.get(f"/v1/invoices/{invoice['id']}").json()["status"] == "credited"
    assert differences(database) == {}


def test_who_sees_and_who_may(api, database, market):
    done = deliver(api, market, 1)
    seller, other = api.as_(market.sellers[0]), api.as_(market.sellers[1])
    assert issue(other, done.part).status_code == 404
    assert issue(api.as_(market.purchaser), done.part).status_code == 403
    invoice = issue(seller, done.part).json()["id"]
    for path in ("", "/pdf", "/xml"):
        assert other.get(f"/v1/invoices/{invoice}{path}").status_code == 404
        assert api.as_(market.finance).get(f"/v1/invoices/{invoice}{path}").status_code == 200
    assert other.post(f"/v1/invoices/{invoice}/credit-notes", json={"reason": "issued_in_error"}).status_code == 404
    assert other.post(f"/v1/invoices/{invoice}/send").status_code == 404
    assert other.get("/v1/invoices").json()["items"] == []
    near, far = (signed_in(api, Role.COUNTY_OFFICER, region_code=code) for code in ("500236", "500229"))
    assert len(near.get("/v1/invoices").json()["items"]) == 1
    assert far.get("/v1/invoices").json()["items"] == []
    assert far.get(f"/v1/invoices/{invoice}").status_code == 404


def test_what_an_invoice_says_is_never_changed(api, database, market):
    done = deliver(api, market, 2)
    seller = api.as_(market.sellers[0])
    invoice = issue(seller, done.part).json()["id"]
    seller.post(f"/v1/invoices/{invoice}/credit-notes", json={"reason": "issued_in_error"})
    for statement in (
        "UPDATE invoice SET gross_fen = gross_fen + 1",
        "UPDATE invoice SET buyer = '{}'",
        "UPDATE invoice_line SET quantity = 1",
        "UPDATE credit_note SET note = 'x'",
        "UPDATE credit_note_line SET amount_fen = 1",
        "DELETE FROM invoice",
        "DELETE FROM invoice_line",
        "DELETE FROM credit_note",
        "TRUNCATE credit_note_line",
        # not even by those who may count: more than the line holds
        "UPDATE invoice_line SET returned_fen = amount_fen + 1",
        "UPDATE invoice SET credited_fen = gross_fen + 1",
    ):
        with pytest.raises(DBAPIError), database.unit_of_work() as session:
            session.execute(text(statement))


def test_lists_page_filter_and_are_files(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    made = [issue(seller, deliver(api, market, n).part).json() for n in (1, 2, 3)]
    first = buyer.get("/v1/invoices", params={"limit": 2}).json()
    assert [row["id"] for row in first["items"]] == [made[2]["id"], made[1]["id"]]
    assert [row["id"] for row in buyer.get("/v1/invoices", params={"limit": 2, "after": first["next"]}).json()["items"]] == [
        made[0]["id"]
    ]
    assert (
        len(buyer.get("/v1/invoices", params={"status": "sent", "supplier_order_id": made[0]["supplier_order_id"]}).json()["items"])
        == 1
    )
    assert buyer.get("/v1/invoices", params={"issued_from": "2099-01-01"}).json()["items"] == []
    assert len(buyer.get("/v1/invoices", params={"number": made[0]["number"]}).json()["items"]) == 1
    assert buyer.get("/v1/invoices", params={"state": "sent"}).status_code == 422
    assert buyer.get("/v1/invoices", params={"after": "x"}).json()["errors"][0]["code"] == "bad_cursor"
    table = buyer.get("/v1/invoices", params={"format": "csv"}, headers={"Accept-Language": "zh"}).content.decode("utf-8-sig")
    assert table.splitlines()[0].startswith("发票编号,开具日期")
    assert len(table.splitlines()) == 4
    # the words of the file's language, and the codes in JSON alone; amounts with two decimals
    assert {line.split(",")[2] for line in table.splitlines()[1:]} <= {"已开具", "已发送"}
    assert all(cell[-3] == "." for line in table.splitlines()[1:] for cell in line.split(",")[7:])
    assert buyer.get("/v1/invoices", params={"format": "xlsx"}).content.startswith(b"PK")
    assert buyer.get("/v1/credit-notes", params={"format": "xlsx"}).content.startswith(b"PK")
    bundle = zipfile.ZipFile(
        io.BytesIO(buyer.get("/v1/invoices/archive", params={"purchase_order_id": made[0]["purchase_order_id"]}).content)
    )
    assert sorted(name.rpartition(".")[2] for name in bundle.namelist()) == ["json", "pdf", "xml"]


@pytest.mark.parametrize(
    "path", ["invoices", "invoices/uninvoiced", "credit-notes", "credit-notes/due", "tax-invoices", "tax-invoices/missing"]
)
def test_a_file_for_the_books_is_whole_or_refused(api, market, monkeypatch, path):
    seller = api.as_(market.sellers[0])
    for _ in range(2):
        done = deliver(api, market, 1)
        invoice = issue(seller, done.part).json()
        number = f"{clock.today().year % 100}502000000{invoice['id']:09d}"
        amounts = {name: invoice[name] for name in ("gross", "vat")}
        told = {"number": number, "type": "ordinary", "issued_on": str(clock.today()), "invoice_ids": [invoice["id"]], **amounts}
        if path == "tax-invoices":
            assert seller.post("/v1/tax-invoices", json={"invoices": [told]}).status_code == 201
        if path == "credit-notes":
            seller.post(f"/v1/invoices/{invoice['id']}/credit-notes", json={"reason": "issued_in_error"})
        if path == "invoices/uninvoiced":
            deliver(api, market, 1)
        if path == "credit-notes/due":
            give_back(api, market, done, 1)
    asked = {"format": "csv"}
    assert len(seller.get(f"/v1/{path}", params=asked).text.splitlines()) == 3
    monkeypatch.setattr(exports, "MAX_LINES", 1)
    refused = seller.get(f"/v1/{path}", params=asked)
    assert (refused.status_code, refused.json()["code"]) == (422, "too_many_lines")


def test_the_same_request_sent_twice_is_one_invoice(api, database, market):
    done = deliver(api, market, 1)
    seller = api.as_(market.sellers[0])
    headers = {"Idempotency-Key": "k-1"}
    answers = [seller.post(f"/v1/supplier-orders/{done.part}/invoices", json={}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]


NS = {
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
}


def test_the_ubl_of_an_invoice_adds_up(api, market):
    seller = api.as_(market.sellers[0])
    done = deliver(api, market, 7)
    invoice = issue(seller, done.part, note="含税 <&>").json()
    root = ET.fromstring(seller.get(f"/v1/invoices/{invoice['id']}/xml").content)
    assert root.tag == "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
    said = lambda path, of=root: of.findtext(path, namespaces=NS)  # noqa: E731
    assert (said("cbc:ID"), said("cbc:Note"), said("cbc:InvoiceTypeCode")) == (invoice["number"], "含税 <&>", "380")
    total = "cac:LegalMonetaryTotal/cbc:"
    assert (said(total + "TaxExclusiveAmount"), said(total + "PayableAmount")) == (invoice["net"], invoice["gross"])
    assert said("cac:TaxTotal/cbc:TaxAmount") == invoice["vat"]
    assert said("cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory/cbc:Percent") == "9.00"
    assert sum(float(each.text) for each in root.findall("cac:InvoiceLine/cbc:LineExtensionAmount", NS)) == float(invoice["net"])
    note = seller.post(f"/v1/invoices/{invoice['id']}/credit-notes", json={"reason": "issued_in_error"}).json()
    root = ET.fromstring(seller.get(f"/v1/credit-notes/{note['id']}/xml").content)
    assert said("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID", root) == invoice["number"]
    assert seller.get(f"/v1/credit-notes/{note['id']}/pdf").content.startswith(b"%PDF-")


def test_what_came_back_before_the_invoice_is_not_in_it(api, database, market):
    done = deliver(api, market, 10)
    give_back(api, market, done, 4)
    invoice = issue(api.as_(market.sellers[0]), done.part).json()
    # as an invoice of all ten and a credit note of four come to
    assert (invoice["gross"], invoice["vat"], invoice["lines"][0]["quantity"]) == ("419.40", "34.63", "6")
    assert rows(database, "SELECT count(*) FROM credit_note") == [(0,)]
    assert differences(database) == {}


def test_800_yuan_at_13_percent_are_707_96_and_92_04(api, database, market):
    """Through the door: on the invoice, its PDF and its credit note; the PDF of a Chinese clerk has the amount in capitals."""
    with database.unit_of_work() as session:
        bowl = make_product(session, market.suppliers[0], name="荣昌陶器", category="handicraft", prices=((1, 80000),), vat_bp=1300)
    market.products[0] = bowl
    seller = api.as_(market.sellers[0])
    invoice = issue(seller, deliver(api, market, 1).part).json()
    assert (invoice["gross"], invoice["net"], invoice["vat"]) == ("800.00", "707.96", "92.04")
    assert invoice["vat_by_rate"] == [{"vat_bp": 1300, "net": "707.96", "vat": "92.04", "gross": "800.00"}]
    chinese = {"Accept-Language": "zh"}
    printed = text_of(seller.get(f"/v1/invoices/{invoice['id']}/pdf", headers=chinese).content)
    assert "Seller" not in printed
    for said in (invoice["number"], "荣昌陶器", "800.00", "707.96", "92.04", "13%", "捌佰元整", "不是税务机关监制的发票"):
        assert said in printed, said
    note = seller.post(f"/v1/invoices/{invoice['id']}/credit-notes", json={"reason": "issued_in_error"}).json()
    printed = text_of(seller.get(f"/v1/credit-notes/{note['id']}/pdf", headers=chinese).content)
    for said in (note["number"], invoice["number"], "-800.00", "-92.04", "开票有误"):
        assert said in printed, said
    # for who reads English every label stands there in both languages
    english = {"Accept-Language": "en"}
    printed = text_of(seller.get(f"/v1/invoices/{invoice['id']}/pdf", headers=english).content)
    for said in ("结算发票Invoice", "销售方Seller", "Gross(yuan)", "13%", "捌佰元整", "noinvoiceofthetaxauthority"):
        assert said in printed, said
    printed = text_of(seller.get(f"/v1/credit-notes/{note['id']}/pdf", headers=english).content)
    for said in ("Creditnote", "Ofinvoice", "开票有误issuedinerror", "-800.00"):
        assert said in printed, said


def text_of(content):
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).replace("\n", "").replace(" ", "")


def test_every_seller_counts_from_one_in_every_year(api, market, monkeypatch):
    one, other = api.as_(market.sellers[0]), api.as_(market.sellers[1])
    year = clock.today().year
    numbers = [issue(one, deliver(api, market, 1).part).json()["number"] for _ in range(2)]
    numbers.append(issue(other, deliver(api, market, None, 1, of=1).part).json()["number"])
    later = deliver(api, market, 1)
    days_later(monkeypatch, (date(year + 1, 1, 1) - clock.today()).days)
    one = api.as_(market.sellers[0])
    again = issue(one, later.part).json()
    numbers.append(again["number"])
    first, second = (supplier.id for supplier in market.suppliers)
    assert numbers == [
        f"FP{year}-{first:06}-000001",
        f"FP{year}-{first:06}-000002",
        f"FP{year}-{second:06}-000001",
        f"FP{year + 1}-{first:06}-000001",
    ]
    note = one.post(f"/v1/invoices/{again['id']}/credit-notes", json={"reason": "issued_in_error"}).json()
    assert note["number"] == f"HC{year + 1}-{first:06}-000001"


def test_freight_takes_the_rate_that_the_programme_says(api, database, market):
    """Of goods at 9 % and fewer at 13 %: the highest rate, or that of most of them."""
    with database.unit_of_work() as session:
        snack = make_product(
            session, market.suppliers[0], name="荣昌豆干", category="processed_snack", prices=((1, 1000),), vat_bp=1300
        )
    market.products[1] = snack
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    rates = []
    for rule in ("highest", "main"):
        configure(database, freight_rate=rule)
        part = buyer.post("/v1/purchase-orders", json=market.order(10, 1)).json()["supplier_orders"][0]["id"]
        seller.put(f"/v1/supplier-orders/{part}/freight", json={"freight": "30.00"})
        seller.post(f"/v1/supplier-orders/{part}/confirm")
        shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()["id"]
        assert buyer.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201
        [freight] = [line for line in issue(seller, part).json()["lines"] if line["kind"] == "freight"]
        rates.append((freight["vat_bp"], freight["gross"], freight["vat"]))
    assert rates == [(1300, "30.00", "3.45"), (900, "30.00", "2.48")]
    assert differences(database) == {}
