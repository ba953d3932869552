"""The register of tax invoices: digits, what they are for, numbers that come twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from orders.tax_invoices import actions
from orders.tax_invoices.rules import normal, wrong_number
from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.conftest import connect
from tests.factories.after_sales import deliver, rows, token_of
from tests.factories.catalog import PDF
from tests.factories.identity import signed_in
from tests.factories.orders import make_market
from tests.orders.invoices.test_invoices import issue
from workers.handlers import HANDLERS

NUMBER = f"{clock.today().year % 100}502000000012345678"


@pytest.fixture
def market(database):
    return make_market(database)


@pytest.fixture
def invoiced(api, market):
    """An invoice of 699.00 of the first seller."""
    return issue(api.as_(market.sellers[0]), deliver(api, market, 10).part).json()


def finance(api, region_code=None):
    """Somebody who keeps the money of a region."""
    return signed_in(api, Role.PLATFORM_FINANCE, region_code=region_code)


def said(number=NUMBER, **more):
    return {"number": number, "type": "ordinary", "issued_on": str(clock.today()), "gross": "699.00", "vat": "57.72", **more}


def register(client, *invoices):
    return client.post("/v1/tax-invoices", json={"invoices": list(invoices)})


def test_from_the_registration_to_the_red_letter(api, database, market, invoiced):
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.finance)
    assert [row["id"] for row in buyer.get("/v1/tax-invoices/missing").json()["items"]] == [invoiced["id"]]
    made = register(seller, said(f"{NUMBER[:10]} {NUMBER[10:]}", invoice_ids=[invoiced["id"]]))
    assert made.status_code == 201, made.text
    [blue] = made.json()
    assert (blue["number"], blue["status"], blue["expected"], blue["difference"]) == (NUMBER, "registered", "699.00", "0.00")
    assert buyer.get("/v1/tax-invoices/missing").json()["items"] == []
    with_file = seller.post(f"/v1/tax-invoices/{blue['id']}/file", files={"file": ("发票.pdf", PDF)})
    assert with_file.json()["has_file"] is True
    assert buyer.get(f"/v1/tax-invoices/{blue['id']}/file").content == PDF
    assert seller.post(f"/v1/tax-invoices/{blue['id']}/file", files={"file": ("b.pdf", PDF)}).json()["code"] == "has_file"

    note = seller.post(f"/v1/invoices/{invoiced['id']}/credit-notes", json={"reason": "issued_in_error"}).json()
    [open_note] = buyer.get("/v1/tax-invoices/missing", params={"credit_notes": True}).json()["items"]
    assert (open_note["id"], open_note["kind"]) == (note["id"], "credit_note")
    red = register(seller, said(NUMBER[:-1] + "9", red=True, red_letter_of_id=blue["id"], credit_note_ids=[note["id"]]))
    assert red.status_code == 201, red.text
    assert (red.json()[0]["expected"], red.json()[0]["red_letter_of_id"]) == ("699.00", blue["id"])
    assert buyer.get("/v1/tax-invoices/missing", params={"credit_notes": True}).json()["items"] == []
    listed = buyer.get("/v1/tax-invoices", params={"red": True}).json()["items"]
    assert [row["id"] for row in listed] == [red.json()[0]["id"]]
    assert buyer.get("/v1/tax-invoices", params={"format": "xlsx"}).content.startswith(b"PK")
    outbox.drain(database, HANDLERS)
    assert "tax_invoice.registered" in {row["kind"] for row in buyer.get("/v1/notifications").json()["items"]}


def test_amounts_that_differ_are_shown(api, market, invoiced):
    seller = api.as_(market.sellers[0])
    [one] = register(seller, said(gross="600.00", vat="49.54", invoice_ids=[invoiced["id"]])).json()
    assert (one["expected"], one["difference"]) == ("699.00", "-99.00")
    [other] = register(seller, said(NUMBER[:-1] + "0", gross="99.00", vat="8.17", invoice_ids=[invoiced["id"]])).json()
    # two for one invoice together
    assert other["difference"] == "0.00"
    assert seller.get(f"/v1/tax-invoices/{one['id']}").json()["difference"] == "0.00"


def test_a_tax_invoice_may_be_for_accepted_deliveries(api, market):
    seller = api.as_(market.sellers[0])
    first, second = deliver(api, market, 2), deliver(api, market, 3)
    [made] = register(seller, said(gross="349.50", vat="28.86", shipment_ids=[first.shipment, second.shipment])).json()
    assert (made["expected"], made["difference"]) == ("349.50", "0.00")
    assert [cover["gross"] for cover in made["covers"]] == ["139.80", "209.70"]
    waiting = deliver(api, market, 1, accept=False)
    refused = register(seller, said(NUMBER[:-1] + "1", shipment_ids=[waiting.shipment]))
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "unknown_cover")


def test_the_same_number_twice_in_one_claim_is_held(api, database, market, invoiced):
    seller = api.as_(market.sellers[0])
    made = register(seller, said(invoice_ids=[invoiced["id"]]), said(invoice_ids=[invoiced["id"]])).json()
    assert [row["status"] for row in made] == ["held", "held"]
    # held ones do not count
    assert [row["id"] for row in seller.get("/v1/tax-invoices/missing").json()["items"]] == [invoiced["id"]]


def test_the_same_number_of_another_supplier_is_held_until_finance_decides(api, database, market, invoiced):
    mine, other, buyer = api.as_(market.sellers[0]), api.as_(market.sellers[1]), api.as_(market.finance)
    [first] = register(mine, said(invoice_ids=[invoiced["id"]])).json()
    honey = issue(other, deliver(api, market, None, 2, of=1).part).json()
    [second] = register(other, said(gross="300.00", vat="0.00", invoice_ids=[honey["id"]])).json()
    assert second["status"] == "held"
    assert mine.get(f"/v1/tax-invoices/{first['id']}").json()["status"] == "held"
    # whose the other one is, only who decides sees
    assert second["same_number"] == []
    cashier = finance(api)
    queue = cashier.get("/v1/tax-invoices", params={"status": "held"}).json()["items"]
    assert {row["id"] for row in queue} == {first["id"], second["id"]}
    seen = cashier.get(f"/v1/tax-invoices/{second['id']}").json()
    assert [one["id"] for one in seen["same_number"]] == [first["id"]]
    assert other.post(f"/v1/tax-invoices/{second['id']}/clear", json={"reason": "x"}).status_code == 403
    far = finance(api, "500229")
    assert far.post(f"/v1/tax-invoices/{second['id']}/clear", json={"reason": "x"}).status_code == 404
    cleared = cashier.post(f"/v1/tax-invoices/{first['id']}/clear", json={"reason": "票面核验一致"})
    assert (cleared.status_code, cleared.json()["status"], cleared.json()["decision"]) == (200, "cleared", "票面核验一致")
    both = cashier.post(f"/v1/tax-invoices/{second['id']}/clear", json={"reason": "x"})
    assert (both.status_code, both.json()["code"]) == (409, "number_counted")
    refused = cashier.post(f"/v1/tax-invoices/{second['id']}/refuse", json={"reason": "号码属于另一单位"})
    assert refused.json()["status"] == "refused"
    assert cashier.post(f"/v1/tax-invoices/{second['id']}/refuse", json={"reason": "x"}).json()["code"] == "illegal_move"
    outbox.drain(database, HANDLERS)
    told = {row["kind"] for row in buyer.get("/v1/notifications").json()["items"]}
    assert {"tax_invoice.held", "tax_invoice.cleared", "tax_invoice.refused"} <= told
    assert "tax_invoice.refused" in {row["kind"] for row in other.get("/v1/notifications").json()["items"]}


def test_a_voided_number_is_free_again(api, market, invoiced):
    seller = api.as_(market.sellers[0])
    [first] = register(seller, said(invoice_ids=[invoiced["id"]])).json()
    assert seller.post(f"/v1/tax-invoices/{first['id']}/void", json={"reason": "录错"}).json()["status"] == "void"
    assert register(seller, said(invoice_ids=[invoiced["id"]])).json()[0]["status"] == "registered"


def test_all_faults_are_told_at_once_and_nothing_is_registered(api, database, market, invoiced):
    seller, other = api.as_(market.sellers[0]), api.as_(market.sellers[1])
    honey = issue(other, deliver(api, market, None, 1, of=1).part).json()
    good = said(invoice_ids=[invoiced["id"]])
    answer = register(
        seller,
        good,
        said("123", invoice_ids=[invoiced["id"]]),
        said("12345678", code="050002600111", issued_on="2099-01-01", invoice_ids=[invoiced["id"]]),
        said(NUMBER[:2] + "99" + NUMBER[4:], invoice_ids=[invoiced["id"]]),
        said(NUMBER[:-1] + "2"),
        said(NUMBER[:-1] + "3", invoice_ids=[honey["id"]]),
        said("1234567", code="12", invoice_ids=[invoiced["id"]]),
    )
    assert answer.status_code == 422
    found = {(fault["field"], fault["code"]) for fault in answer.json()["errors"]}
    assert {
        ("invoices[1].number", "not_20_digits"),
        ("invoices[2].issued_on", "issued_in_future"),
        ("invoices[3].number", "no_such_province"),
        ("invoices[4]", "covers_nothing"),
        ("invoices[5].invoice_ids[0]", "unknown_cover"),
        ("invoices[6].code", "not_10_or_12_digits"),
        ("invoices[6].number", "not_8_digits"),
    } <= found
    assert rows(database, "SELECT count(*) FROM tax_invoice") == [(0,)]
    for wrong in ({"vat": "700.00"}, {"red": True}, {"gross": "0"}, {"number": "\u202e1"}, {"red_letter_of_id": 1}, {"type": "x"}):
        assert register(seller, {**good, **wrong}).status_code == 422
    assert register(api.as_(market.purchaser), good).status_code == 403


def test_of_many_who_register_one_number_at_once_none_counts(api, database, market):
    """All are held: nobody is first by luck."""
    seller = market.sellers[0]
    invoices = [issue(api.as_(seller), deliver(api, market, 1).part).json()["id"] for _ in range(6)]
    token = token_of(database, seller)

    def send(invoice_id):
        client = connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"})
        return register(client, said(invoice_ids=[invoice_id])).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(send, invoices)) == {201}
    assert rows(database, "SELECT status, count(*) FROM tax_invoice GROUP BY 1") == [("held", 6)]


def test_without_the_lock_one_of_them_is_lost(api, database, market, monkeypatch):
    """The control: the constraint alone refuses those that came at the same moment, and the reviewer never hears of them."""
    monkeypatch.setattr(actions, "_HOLD_NUMBERS", text("SELECT CAST(:keys AS text), pg_sleep(0.05)"))
    monkeypatch.setattr(
        actions, "_SAME", text("WITH waited AS MATERIALIZED (SELECT pg_sleep(0.1)) SELECT t.id, t.code, t.number, t.status FROM tax_invoice t, waited"
                               " WHERE t.number = ANY (CAST(:numbers AS text[]))")
    )  # fmt: skip
    seller = market.sellers[0]
    invoices = [issue(api.as_(seller), deliver(api, market, 1).part).json()["id"] for _ in range(6)]
    token = token_of(database, seller)

    def send(invoice_id):
        client = connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"})
        return register(client, said(invoice_ids=[invoice_id])).status_code

    with ThreadPoolExecutor(6) as pool:
        assert 409 in set(pool.map(send, invoices))


def test_digits():
    today = date(2026, 11, 26)
    assert wrong_number(None, "26502000000012345678", date(2026, 11, 1), today) == []
    assert [found[1] for found in wrong_number(None, "25502000000012345678", date(2026, 11, 1), today)] == ["wrong_year"]
    assert wrong_number("050002600111", "12345678", date(2026, 11, 1), today) == []
    assert wrong_number("5000251130", "12345678", date(2026, 11, 1), today) == []
    assert [found[1] for found in wrong_number("5000271130", "12345678", date(2026, 11, 1), today)] == ["wrong_year"]
    assert normal("２６50 2000-0000 1234 5678") == "26502000000012345678"


@given(st.text(max_size=30), st.one_of(st.none(), st.text(max_size=15)), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_whatever_is_written_is_judged(number, code, issued_on):
    wrong = wrong_number(code, number, issued_on, date(2026, 11, 26))
    assert wrong or len(number) in (8, 20)
