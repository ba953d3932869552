"""Invoices and other papers of an order."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from shop.core import clock, outbox
from tests.conftest import connect
from tests.factories.catalog import PDF
from tests.factories.identity import access_token
from tests.factories.orders import make_market
from workers.handlers import HANDLERS


@pytest.fixture
def market(database):
    return make_market(database)


def order(api, market, *, confirm=True):
    placed = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(10)).json()
    part = placed["supplier_orders"][0]["id"]
    if confirm:
        api.as_(market.sellers[0]).post(f"/v1/supplier-orders/{part}/confirm")
    return part


NUMBER = f"{clock.today().year % 100}502000000012345678"


def invoice(number=NUMBER, **changes):
    return {"kind": "invoice", "number": number, "issued_on": str(clock.today()), "amount": "699.00", **changes}


def upload(client, part, said):
    return client.post(f"/v1/supplier-orders/{part}/papers", data=said, files={"file": ("发票.pdf", PDF)})


def test_each_side_brings_its_papers(api, database, market):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    part = order(api, market)
    made = upload(seller, part, invoice(note="首批"))
    assert made.status_code == 201, made.text
    paper = made.json()
    assert (paper["kind"], paper["amount"], paper["file_name"]) == ("invoice", "699.00", "发票.pdf")
    report = upload(buyer, part, {"kind": "acceptance_report"})
    assert report.status_code == 201, report.text
    assert upload(buyer, part, invoice("B1")).json()["code"] == "other_side_uploads"
    assert upload(seller, part, {"kind": "acceptance_report"}).json()["code"] == "other_side_uploads"
    assert upload(api.as_(market.sellers[1]), part, invoice("C1")).status_code == 404
    assert [each["kind"] for each in buyer.get(f"/v1/supplier-orders/{part}/papers").json()["items"]] == [
        "invoice",
        "acceptance_report",
    ]
    only = seller.get(f"/v1/supplier-orders/{part}/papers?kind=acceptance_report&limit=1").json()
    assert [each["id"] for each in only["items"]] == [report.json()["id"]]
    assert buyer.get(f"/v1/supplier-orders/{part}/papers/{paper['id']}/file").content == PDF
    assert api.as_(market.sellers[1]).get(f"/v1/supplier-orders/{part}/papers/{paper['id']}").status_code == 404
    outbox.drain(database, HANDLERS)
    for client in (seller, buyer):
        assert "paper.uploaded" in [row["kind"] for row in client.get("/v1/notifications").json()["items"]]


def test_an_invoice_is_in_the_register_too(api, market):
    seller = api.as_(market.sellers[0])
    first, second = order(api, market), order(api, market)
    paper = upload(seller, first, invoice(vat="57.72")).json()
    registered = seller.get(f"/v1/tax-invoices/{paper['tax_invoice_id']}").json()
    assert (registered["number"], registered["status"], registered["vat"], registered["has_file"]) == (
        NUMBER,
        "registered",
        "57.72",
        True,
    )
    # the same number again is kept, and held
    again = upload(seller, second, invoice())
    assert again.status_code == 201
    held = seller.get("/v1/tax-invoices?status=held").json()["items"]
    assert {row["id"] for row in held} == {paper["tax_invoice_id"], again.json()["tax_invoice_id"]}
    void = seller.post(f"/v1/supplier-orders/{first}/papers/{paper['id']}/void", json={"reason": "开错"})
    assert void.json()["void_reason"] == "开错"
    assert seller.get(f"/v1/tax-invoices/{paper['tax_invoice_id']}").json()["status"] == "void"
    assert (
        seller.post(f"/v1/supplier-orders/{first}/papers/{paper['id']}/void", json={"reason": "再"}).json()["code"] == "paper_void"
    )


@pytest.mark.slow
def test_of_many_at_once_all_are_kept_and_held(api, database, market):
    parts = [order(api, market) for _ in range(6)]
    with database.unit_of_work() as session:
        token = access_token(session, market.sellers[0])

    def send(part):
        return upload(connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"}), part, invoice()).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(send, parts)) == {201}
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT count(*) FROM tax_invoice WHERE status = 'held'")).scalar_one() == 6


def test_what_is_missing_or_impossible_is_refused(api, market):
    seller = api.as_(market.sellers[0])
    part = order(api, market)
    bare = upload(seller, part, {"kind": "invoice"})
    assert (bare.status_code, [fault["field"] for fault in bare.json()["errors"]]) == (422, ["number", "issued_on", "amount"])
    assert upload(seller, part, invoice(issued_on="2099-01-01")).json()["code"] == "issued_in_future"
    short = upload(seller, part, invoice("C1"))
    assert (short.status_code, short.json()["errors"][0]["code"]) == (422, "not_20_digits")
    for wrong in (
        {"amount": "0"},
        {"amount": "1.234"},
        {"vat": "700.00"},
        {"vat": "-1.00"},
        {"code": "12"},
        {"number": "发票 1"},
        {"kind": "bill"},
        {"issued_on": "0206-01-01"},
    ):
        assert upload(seller, part, invoice(**wrong)).status_code == 422
    text_file = seller.post(f"/v1/supplier-orders/{part}/papers", data=invoice(), files={"file": ("a.txt", b"hello")})
    assert text_file.json()["code"] == "file_type_not_accepted"
    placed = order(api, market, confirm=False)
    assert upload(seller, placed, invoice("D1")).json()["code"] == "order_not_confirmed"
    assert upload(seller, placed, {"kind": "other", "note": "报价单"}).status_code == 201
