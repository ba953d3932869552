"""Order, contract, waybill, acceptance, invoice, payment and statistic side by side; what does not tie is named."""

import itertools
from datetime import timedelta

import pytest
from sqlalchemy import text

from catalog.products.models import Product
from orders.ledger import actions as ledger
from orders.ledger.rules import Claim
from shop.core import clock, outbox
from shop.identity.models import Organisation
from shop.identity.permissions import Role
from tests.databases import step
from tests.factories.buying import make_bureau
from tests.factories.catalog import PDF, make_product
from tests.factories.claims import make_trading
from tests.factories.identity import make_supplier, make_user, signed_in
from tests.factories.money import make_till
from tests.factories.outlets import make_batch_line, make_outlet
from tests.orders.invoices.test_reductions import allow
from workers.handlers import HANDLERS


@pytest.fixture
def bureau(api, database):
    return make_bureau(api, database)


@pytest.fixture
def till(api, database):
    return make_till(api, database)


#: What orders are placed with, and none of which those who only follow a sale may read.
PERSONAL = {"delivery_address": "大学城中路1号", "delivery_contact": "王五", "delivery_phone": "13912345678"}
SEAT = "杨公桥街道9号"
#: Of a tax invoice.
NUMBER = f"{clock.today().year % 100}502000000012345678"
#: What is noted on a paper.
NOTE = "开户行及账号：农商行 6222000000000000"


def delivered(bureau, *quantities, waybill="SF1234567890"):
    """An order from placing to acceptance, by both sides; its first part."""
    return step(bureau.api.database, f"delivered {quantities} {waybill}", lambda: _delivered(bureau, quantities, waybill))


def _delivered(bureau, quantities, waybill):
    run(bureau, "UPDATE organisation SET address = :seat", seat=SEAT)
    order = bureau.placed(*quantities, **PERSONAL)
    part = order["supplier_orders"][0]["id"]
    school, seller = bureau.as_("school_purchaser"), bureau.as_("seller")
    assert seller.post(f"/v1/supplier-orders/{part}/confirm").status_code == 200
    sent = {"carrier": "顺丰", "waybill": waybill} if waybill else {}
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json=sent).json()
    assert school.post(f"/v1/shipments/{shipment['id']}/acceptance", json={}).status_code == 201
    outbox.drain(bureau.api.database, HANDLERS)
    return order


def chain(bureau, order, who="bureau_finance"):
    answer = bureau.as_(who).get(f"/v1/ties/orders/{order['id']}")
    assert answer.status_code == 200, answer.text
    return answer.json()["parts"][0]


def run(bureau, statement, **values):
    with bureau.api.database.unit_of_work() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(statement), values)


def test_a_chain_that_ties_says_the_same_at_every_link(bureau):
    order = delivered(bureau, 3)
    found = chain(bureau, order)
    amounts = {found[name] for name in ("ordered", "contracted", "shipped", "accepted", "booked", "payable")}
    assert amounts == {order["supplier_orders"][0]["total"]}
    assert found["waybills"] == ["SF1234567890"]
    assert found["contract_number"]
    if not found["invoice_numbers"]:
        part = found["supplier_order_id"]
        assert [each["code"] for each in found["reasons"]] == ["invoice_missing"]
        issued = bureau.as_("seller").post(f"/v1/supplier-orders/{part}/invoices", json={})
        assert issued.status_code == 201, issued.text
        found = chain(bureau, order)
    assert (found["ties"], found["reasons"], found["invoiced"]) == (True, [], found["booked"])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("DELETE FROM contract WHERE supplier_order_id = :id", "contract_missing"),
        (
            "UPDATE contract SET content = jsonb_set(content, '{goods}', '\"1.00\"') WHERE supplier_order_id = :id",
            "contract_differs",
        ),
        ("UPDATE shipment SET waybill = NULL WHERE supplier_order_id = :id", "waybill_missing"),
        ("UPDATE order_line SET accepted_quantity = accepted_quantity - 1 WHERE supplier_order_id = :id", "acceptance_differs"),
        ("UPDATE sale_entry SET amount_fen = amount_fen - 1 WHERE supplier_order_id = :id", "statistic_differs"),
        ("UPDATE payment_due SET amount_fen = amount_fen + 1 WHERE supplier_order_id = :id", "due_differs"),
        ("UPDATE payment_due SET due_on = '2020-01-01' WHERE supplier_order_id = :id", "payment_overdue"),
    ],
)
def test_what_does_not_tie_is_named(bureau, broken, reason):
    order = delivered(bureau, 3)
    part = order["supplier_orders"][0]["id"]
    assert reason not in {each["code"] for each in chain(bureau, order)["reasons"]}
    run(bureau, broken, id=part)
    assert reason in {each["code"] for each in chain(bureau, order)["reasons"]}
    listed = bureau.as_("bureau_finance").get("/v1/ties", params={"untied": True}).json()["items"]
    assert [each["supplier_order_id"] for each in listed] == [part]


def test_by_how_much_it_does_not_tie_stands_beside_the_reasons(till):
    """A dispute gives back 100.00 of an order with freight that was paid and invoiced whole."""
    buyer, seller = till.as_("purchaser"), till.api.as_(till.market.sellers[0])
    order = buyer.post("/v1/purchase-orders", json=till.market.order(10)).json()
    part = order["supplier_orders"][0]["id"]
    seller.put(f"/v1/supplier-orders/{part}/freight", json={"freight": "36.00"})
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json={"waybill": "SF1"}).json()["id"]
    assert buyer.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201
    invoice = seller.post(f"/v1/supplier-orders/{part}/invoices", json={}).json()
    till.arrived(order["id"], "735.00")

    def told():
        [found] = seller.get(f"/v1/ties/orders/{order['id']}").json()["parts"]
        figures = [found[name] for name in ("booked", "allowed", "invoiced", "invoice_difference", "payable", "paid", "overpaid")]
        return figures, [each["code"] for each in found["reasons"]]

    assert told() == (["699.00", "0.00", "699.00", "0.00", "735.00", "735.00", "0.00"], [])
    allow(till.api, till.market, part, "100.00")
    assert told() == (["699.00", "100.00", "699.00", "100.00", "635.00", "635.00", "100.00"], ["invoice_differs", "overpaid"])
    # the freight bears its share of it
    note = seller.post(f"/v1/invoices/{invoice['id']}/credit-notes", json={"reason": "price_reduction"}).json()
    assert [line["reduced"] for line in note["lines"]] == ["95.10", "4.90"]
    assert told() == (["699.00", "100.00", "599.00", "0.00", "635.00", "635.00", "100.00"], ["overpaid"])


@pytest.mark.slow
def test_the_list_is_narrowed_and_paged(bureau):
    orders = [delivered(bureau, 1) for _ in range(3)]
    client, today = bureau.as_("bureau_finance"), clock.today()

    def ids(**query):
        found, after = [], None
        while True:
            page = client.get("/v1/ties", params={**query, "limit": 2, **({"after": after} if after else {})}).json()
            found += [each["purchase_order_id"] for each in page["items"]]
            after = page["next"]
            if after is None:
                return found

    everything = [order["id"] for order in reversed(orders)]
    assert ids() == everything
    assert ids(placed_from=today, placed_to=today) == everything
    assert ids(placed_to=today - timedelta(days=1)) == []
    assert ids(district="500236", buyer_id=bureau.school.id) == everything
    assert ids(district="500101") == ids(supplier_id=bureau.school.id) == []


def test_a_chain_is_seen_by_its_sides_and_its_officers(api, bureau):
    order = delivered(bureau, 1)
    path = f"/v1/ties/orders/{order['id']}"
    for client in (bureau.as_("seller"), signed_in(api, Role.MONITOR, region_code="500236"), signed_in(api, Role.PLATFORM_ADMIN)):
        assert client.get(path).status_code == 200
    for client in (bureau.as_("honey_seller"), signed_in(api, Role.MONITOR, region_code="500229")):
        assert client.get(path).status_code == 404
        assert client.get("/v1/ties").json()["items"] == []


def test_a_chain_leads_a_monitor_to_its_documents(api, bureau):
    order = delivered(bureau, 2)
    invoiced(bureau, order)
    monitor = signed_in(api, Role.MONITOR, region_code="500236")
    [found] = monitor.get("/v1/ties").json()["items"]
    part = found["supplier_order_id"]
    contract = monitor.get(f"/v1/supplier-orders/{part}/contract").json()
    assert contract["number"] == found["contract_number"]
    invoices = [monitor.get(f"/v1/invoices/{each}").json() for each in found["invoice_ids"]]
    assert [each["number"] for each in invoices] == found["invoice_numbers"] != []
    assert {monitor.get(path).status_code for path in (f"/v1/purchase-orders/{order['id']}", f"/v1/supplier-orders/{part}")} == {
        200
    }


def test_from_a_sale_down_to_its_documents(api, bureau):
    order = delivered(bureau, 2)
    monitor = signed_in(api, Role.MONITOR)
    [entry] = monitor.get("/v1/sale-entries", params={"order_id": order["id"]}).json()["items"]
    found = monitor.get(f"/v1/sale-entries/{entry['id']}").json()
    assert {name: found[name] for name in entry} == entry
    kinds = [each["kind"] for each in found["documents"]]
    assert kinds[:5] == ["order", "supplier_order", "contract", "shipment", "acceptance"]
    documents = {each["kind"]: each for each in found["documents"]}
    assert documents["order"]["number"] == order["number"]
    assert documents["shipment"]["number"] == "SF1234567890"
    assert documents["acceptance"]["amount"] == entry["amount"]
    school = bureau.as_("school_purchaser")
    for each in found["documents"]:
        if each["path"]:
            assert school.get(each["path"]).status_code == 200, each
    assert signed_in(api, Role.MONITOR, region_code="500229").get(f"/v1/sale-entries/{entry['id']}").status_code == 404


#: The papers of a sale on the marketplace.
FOLLOWED = ("order", "supplier_order", "contract", "shipment", "acceptance", "invoice", "credit_note", "tax_invoice")


def invoiced(bureau, order):
    """An invoice of a delivered order with its tax invoice, and a credit note that takes it back."""
    part, seller = order["supplier_orders"][0]["id"], bureau.as_("seller")
    invoice = seller.post(f"/v1/supplier-orders/{part}/invoices", json={"note": NOTE}).json()
    said = {"number": NUMBER, "type": "ordinary", "issued_on": str(clock.today()), "note": NOTE, "invoice_ids": [invoice["id"]]}
    claim = {"invoices": [{**said, "gross": invoice["gross"], "vat": invoice["vat"]}]}
    registered = seller.post("/v1/tax-invoices", json=claim)
    assert registered.status_code == 201, registered.text
    attached = seller.post(f"/v1/tax-invoices/{registered.json()[0]['id']}/file", files={"file": ("发票.pdf", PDF)})
    assert attached.status_code == 201, attached.text
    credited = seller.post(f"/v1/invoices/{invoice['id']}/credit-notes", json={"reason": "issued_in_error", "note": NOTE})
    assert credited.status_code == 201, credited.text


@pytest.mark.slow
def test_monitors_follow_a_sale_to_its_papers_without_who_received_it(api, bureau):
    order = delivered(bureau, 2)
    invoiced(bureau, order)
    watching = [signed_in(api, Role.MONITOR), signed_in(api, Role.MONITOR, region_code="500236")]
    for monitor in watching:
        [entry] = monitor.get("/v1/sale-entries", params={"order_id": order["id"]}).json()["items"]
        documents = {each["kind"]: each for each in monitor.get(f"/v1/sale-entries/{entry['id']}").json()["documents"]}
        read = {}
        for kind in FOLLOWED:
            answer = monitor.get(documents[kind]["path"])
            assert answer.status_code == 200, (kind, answer.text)
            assert [each for each in (*PERSONAL.values(), SEAT, NOTE) if each in answer.text] == [], kind
            read[kind] = answer.json()
        for kind in ("order", "supplier_order"):
            names = ("delivery_address", "delivery_contact", "delivery_phone")
            assert {read[kind][name] for name in names} == {None}
            assert read[kind]["total"] == order["total"]
        assert (read["order"]["payment_reference"], read["order"]["paid"], read["order"]["cost_centre"]) == (None, None, None)
        assert read["supplier_order"]["possible_actions"] == []
        assert read["acceptance"]["lines"][0]["amount"] == entry["amount"]
        assert read["contract"]["intact"]
        assert read["contract"]["content"]["delivery"] == {"deliver_by": None}
        assert read["contract"]["content"]["goods"] == order["total"]
        assert monitor.get(f"{documents['contract']['path']}.pdf").status_code == 403
        assert (read["invoice"]["gross"], read["invoice"]["possible_actions"]) == (entry["amount"], [])
        assert [each["id"] for each in read["invoice"]["credit_notes"]] == [read["credit_note"]["id"]]
        assert (documents["invoice"]["amount"], documents["credit_note"]["amount"]) == (entry["amount"], f"-{entry['amount']}")
        for kind, form in itertools.product(("invoice", "credit_note"), ("pdf", "xml")):
            assert monitor.get(f"{documents[kind]['path']}/{form}").status_code == 403
        assert (read["tax_invoice"]["gross"], read["tax_invoice"]["possible_actions"]) == (documents["tax_invoice"]["amount"], [])
        assert monitor.get(f"{documents['tax_invoice']['path']}/file").status_code == 403
        assert monitor.get("/v1/tax-invoices").status_code == 403
        assert monitor.get("/v1/invoices").status_code == monitor.get("/v1/credit-notes").status_code == 403
        assert monitor.get(f"/v1/purchase-orders/{order['id']}/payments").status_code == 403
        assert monitor.get("/v1/purchase-orders").status_code == 403
    # who is of a side reads all of it
    seller = bureau.as_("seller")
    assert seller.get(f"/v1/purchase-orders/{order['id']}").json()["delivery_address"] is not None
    content = seller.get(documents["contract"]["path"]).json()["content"]
    assert (content["delivery"]["phone"], content["supplier"]["address"]) == (PERSONAL["delivery_phone"], SEAT)
    shown = seller.get(documents["tax_invoice"]["path"]).json()
    assert (shown["note"], shown["possible_actions"]) == (NOTE, ["void"])
    for kind in ("invoice", "credit_note"):
        shown = seller.get(documents[kind]["path"]).json()
        assert (shown["note"], shown["seller"]["address"]) == (NOTE, SEAT)
    for stranger in (signed_in(api, Role.MONITOR, region_code="500229"), bureau.as_("honey_seller")):
        for kind in FOLLOWED:
            assert stranger.get(documents[kind]["path"]).status_code == 404
    operator = signed_in(api, Role.OUTLET_OPERATOR)
    assert {operator.get(documents[kind]["path"]).status_code for kind in FOLLOWED} == {403}


@pytest.mark.parametrize("cover", ["acceptance", "part"])
def test_a_tax_invoice_is_told_whatever_of_the_sale_it_is_for(api, bureau, cover):
    order = delivered(bureau, 2)
    monitor, seller = signed_in(api, Role.MONITOR, region_code="500236"), bureau.as_("seller")
    [entry] = monitor.get("/v1/sale-entries", params={"order_id": order["id"]}).json()["items"]

    def told():
        documents = monitor.get(f"/v1/sale-entries/{entry['id']}").json()["documents"]
        return [(each["number"], each["path"]) for each in documents if each["kind"] == "tax_invoice"]

    [shipment] = seller.get(f"/v1/supplier-orders/{order['supplier_orders'][0]['id']}/shipments").json()["items"]
    said = {"number": NUMBER, "type": "ordinary", "issued_on": str(clock.today()), "shipment_ids": [shipment["id"]]}
    registered = seller.post("/v1/tax-invoices", json={"invoices": [{**said, "gross": entry["amount"], "vat": "0.01"}]})
    assert registered.status_code == 201, registered.text
    if cover == "part":  # as papers of an order that were there before the register
        run(bureau, "UPDATE tax_invoice_cover SET acceptance_id = NULL")
    path = f"/v1/tax-invoices/{registered.json()[0]['id']}"
    assert told() == [(NUMBER, path)]
    assert monitor.get(path).status_code == 200
    # one that does not count says nothing of the sale
    assert seller.post(f"{path}/void", json={"reason": "错号"}).status_code == 200
    assert told() == []


def test_whoever_watches_over_the_origin_follows_a_sale_between_others(api, bureau):
    order = delivered(bureau, 2)
    part = order["supplier_orders"][0]["id"]
    invoiced(bureau, order)
    [invoice] = bureau.as_("seller").get("/v1/invoices").json()["items"]
    [tax_invoice] = bureau.as_("seller").get("/v1/tax-invoices").json()["items"]
    run(bureau, "UPDATE organisation SET region_code = '500112'")
    origin, seat = (signed_in(api, Role.COUNTY_OFFICER, region_code=code) for code in ("500236", "500112"))
    found = origin.get(f"/v1/supplier-orders/{part}")
    assert (found.status_code, found.json()["delivery_address"]) == (200, None)
    assert seat.get(f"/v1/supplier-orders/{part}").json()["delivery_address"] is not None
    contracts = [each.get(f"/v1/supplier-orders/{part}/contract") for each in (origin, seat)]
    assert ["contact" in each.json()["content"]["delivery"] for each in contracts] == [False, True]
    assert origin.get(f"/v1/supplier-orders/{part}/contract.pdf").status_code == 404
    invoices = [each.get(f"/v1/invoices/{invoice['id']}").json() for each in (origin, seat)]
    assert [(each["note"], each["seller"]["address"]) for each in invoices] == [(None, None), (NOTE, SEAT)]
    assert {each["note"] for each in invoices[0]["credit_notes"]} == {None}
    tax_invoices = [each.get(f"/v1/tax-invoices/{tax_invoice['id']}").json() for each in (origin, seat)]
    assert [each["note"] for each in tax_invoices] == [None, NOTE]
    assert origin.get(f"/v1/tax-invoices/{tax_invoice['id']}/file").status_code == 404
    assert origin.get(f"/v1/invoices/{invoice['id']}/pdf").status_code == 404
    # what is no paper of the sale stays with the sides
    assert origin.get(f"/v1/supplier-orders/{part}/papers").status_code == 404
    assert origin.get(f"/v1/purchase-orders/{order['id']}/lines").status_code == 404


def test_a_key_that_reads_orders_reads_single_ones(api, bureau):
    order = delivered(bureau, 1)
    body = {"name": "ERP", "scopes": ["orders:read"], "valid_days": 1}
    key = bureau.as_("school_purchaser").post("/v1/api-keys", json=body).json()["key"]
    assert api.get(f"/v1/purchase-orders/{order['id']}", headers={"X-API-Key": key}).status_code == 200


def test_batches_of_outlets_tie_with_their_lines_and_the_ledger(api, database):
    with database.unit_of_work() as session:
        clerk = make_user(session, Role.COUNTY_OFFICER, region_code="500112")
        outlet = make_outlet(session, clerk)
        made = make_product(session, make_supplier(session), district_code="500236")
        lines = [make_batch_line(session, outlet, made, sold_at=clock.now()) for _ in range(3)]
        ledger.book_claims(session, Claim.OUTLET_LINE, [lines[0].id, lines[1].id])
    county = api.as_(clerk)
    found = {each["id"]: each for each in county.get("/v1/ties/outlet-batches").json()["items"]}
    assert found[lines[0].batch_id]["ties"]
    assert found[lines[0].batch_id]["booked"] == found[lines[0].batch_id]["batch"] == "50.00"
    assert [each["code"] for each in found[lines[2].batch_id]["reasons"]] == ["not_booked"]
    with database.unit_of_work() as session:
        session.execute(text("UPDATE sales_batch_line SET status = 'void', reason_code = 'x' WHERE id = :id"), {"id": lines[1].id})
        session.execute(text("UPDATE sales_batch SET certified_fen = 1 WHERE id = :id"), {"id": lines[0].batch_id})
    untied = {
        each["id"]: [reason["code"] for reason in each["reasons"]]
        for each in county.get("/v1/ties/outlet-batches", params={"untied": True}).json()["items"]
    }
    assert untied[lines[0].batch_id] == ["lines_differ"]
    assert untied[lines[1].batch_id] == ["booked_without_counting"]
    assert signed_in(api, Role.MONITOR, region_code="500229").get("/v1/ties/outlet-batches").json()["items"] == []


def _rung_up(session):
    """An officer, an outlet of theirs, a product, and a line of it that the outlet sold and that counts."""
    clerk = make_user(session, Role.COUNTY_OFFICER, region_code="500112")
    outlet = make_outlet(session, clerk)
    made = make_product(session, make_supplier(session), district_code="500236")
    line = make_batch_line(session, outlet, made, sold_at=clock.now())
    ledger.book_claims(session, Claim.OUTLET_LINE, [line.id])
    return clerk, outlet, made, line


def _given_back(session, line, outlet, made):
    """A batch that gives the whole of a sale back, and its correction in the ledger."""
    refund = make_batch_line(session, outlet, made, sold_at=clock.now())
    [(entry_id, quantity)] = ledger.left_of_claims(session, Claim.OUTLET_LINE, [line.id])[line.id]
    correction = ledger.reverse_parts(session, {entry_id: quantity})[entry_id].correction_id
    refund.refunds_line_id, refund.refunded_id, refund.correction_ids = line.line_id, line.id, [correction]
    session.flush()
    session.execute(text("UPDATE sales_batch SET certified_fen = 0 WHERE id = :id"), {"id": refund.batch_id})
    return refund.batch_id, refund.id, correction


def test_monitors_follow_a_sale_at_an_outlet_to_what_its_batch_says_of_their_goods(api, database):
    with database.unit_of_work() as session:
        clerk, outlet, made, line = _rung_up(session)
        other = make_batch_line(
            session, outlet, make_product(session, make_supplier(session), district_code="500101"), sold_at=clock.now()
        )
        ledger.book_claims(session, Claim.OUTLET_LINE, [other.id])
        # both in one batch
        other.batch_id, other.line_no = line.batch_id, 2
        given_back, refund_id, _ = _given_back(session, line, outlet, made)
    path = f"/v1/sales-batches/{line.batch_id}"

    def read(client, path):
        lines = client.get(f"{path}/lines").json()["items"]
        return client.get(path).json()["certified"], [each["id"] for each in lines]

    origin = signed_in(api, Role.MONITOR, region_code="500236")
    entries = {each["amount"]: each["id"] for each in origin.get("/v1/sale-entries").json()["items"]}
    assert set(entries) == {"50.00", "-50.00"}
    leads = {
        each["path"]
        for entry_id in entries.values()
        for each in origin.get(f"/v1/sale-entries/{entry_id}").json()["documents"]
        if each["kind"] == "outlet_batch"
    }
    assert leads == {path, f"/v1/sales-batches/{given_back}"}
    assert read(origin, path) == ("50.00", [line.id])
    assert read(origin, f"/v1/sales-batches/{given_back}") == ("-50.00", [refund_id])
    assert read(signed_in(api, Role.MONITOR, region_code="500101"), path) == ("50.00", [other.id])
    # who sees the outlet, or the whole city, sees all of it
    for client in (api.as_(clerk), signed_in(api, Role.MONITOR, region_code="500112"), signed_in(api, Role.MONITOR)):
        assert read(client, path) == ("100.00", [line.id, other.id])
    # single batches only: lists stay those of the region's outlets
    assert origin.get("/v1/sales-batches").json()["items"] == []
    stranger = signed_in(api, Role.MONITOR, region_code="500229")
    assert {stranger.get(each).status_code for each in (path, f"{path}/lines")} == {404}
    with database.unit_of_work() as session:
        supplier_id = session.get_one(Product, made.product_id).supplier_id
        member = make_user(session, Role.SUPPLIER_ADMIN, session.get_one(Organisation, supplier_id))
    seller = api.as_(member)
    documents = seller.get(f"/v1/sale-entries/{entries['50.00']}").json()["documents"]
    assert [each["path"] for each in documents if each["kind"] == "outlet_batch"] == [None]
    assert seller.get(path).status_code == 403


def test_what_is_given_back_ties_in_the_batch_that_tells_it(api, database):
    with database.unit_of_work() as session:
        clerk, outlet, made, line = _rung_up(session)
        batch_id, refund_id, correction = _given_back(session, line, outlet, made)
    county = api.as_(clerk)
    found = {each["id"]: each for each in county.get("/v1/ties/outlet-batches").json()["items"]}
    assert [(each["booked"], each["ties"]) for each in found.values()] == [("-50.00", True), ("50.00", True)]
    assert [found[batch_id][name] for name in ("batch", "lines", "refunds", "counted")] == ["0.00", "0.00", "50.00", "-50.00"]
    monitor = signed_in(api, Role.MONITOR)
    documents = monitor.get(f"/v1/sale-entries/{correction}").json()["documents"]
    told = [(each["id"], each["amount"]) for each in documents if each["kind"] == "outlet_batch"]
    assert told == [(line.batch_id, "50.00"), (batch_id, "-50.00")]

    for broken, reason in (
        ("amount_fen = 4999", "booked_differs"),
        ("correction_ids = '{}'", "not_booked"),
        ("status = 'void', reason_code = 'x'", "booked_without_counting"),
    ):
        with database.unit_of_work() as session:
            session.execute(text(f"UPDATE sales_batch_line SET {broken} WHERE id = :id"), {"id": refund_id})
        [untied] = county.get("/v1/ties/outlet-batches", params={"untied": True}).json()["items"]
        assert (untied["id"], [each["code"] for each in untied["reasons"]]) == (batch_id, [reason])
        with database.unit_of_work() as session:
            session.execute(
                text("UPDATE sales_batch_line SET amount_fen = 5000, correction_ids = :c, status = 'counted' WHERE id = :id"),
                {"id": refund_id, "c": [correction]},
            )


def test_what_was_held_counted_again_and_left_out_ties(api, database):
    """Booked, taken back, booked again and taken back for good: nothing is left in the ledger."""
    with database.unit_of_work() as session:
        clerk, _, _, line = _rung_up(session)
        for _ in range(2):
            ledger.release(session, ledger.take_back(session, Claim.OUTLET_LINE, [line.id]))
    [counted] = api.as_(clerk).get("/v1/ties/outlet-batches").json()["items"]
    assert (counted["ties"], counted["reasons"]) == (True, [])
    with database.unit_of_work() as session:
        session.execute(text("UPDATE sales_batch_line SET status = 'void', reason_code = 'x' WHERE id = :id"), {"id": line.id})
    [left] = api.as_(clerk).get("/v1/ties/outlet-batches").json()["items"]
    assert [each["code"] for each in left["reasons"]] == ["booked_without_counting"]
    with database.unit_of_work() as session:
        ledger.take_back(session, Claim.OUTLET_LINE, [line.id])
    [found] = api.as_(clerk).get("/v1/ties/outlet-batches").json()["items"]
    assert (found["ties"], found["reasons"]) == (True, [])


def test_external_sales_tie_with_their_papers_and_the_ledger(api, database):
    with database.unit_of_work() as session:
        supplier = make_supplier(session)
        made = make_product(session, supplier, district_code="500236")
        user = make_user(session, Role.SUPPLIER_ADMIN, supplier)
        other = make_user(session, Role.COUNTY_OFFICER, region_code="500236")
        values = {"supplier": supplier.id, "user": user.id, "officer": other.id, "product": made.product_id}
        sale = session.execute(
            text(
                """
                WITH sale AS (
                    INSERT INTO external_sale (number, side, claimant_id, direction, platform, supplier_id, buyer_name, buyer_kind, buyer_region_code,
                        district_code, sold_on, fund_source, total_fen, total_grams, note, status, created_by, created_at, submitted_by,
                        submitted_at, decided_by, decided_at, version)
                    VALUES ('WX-1', 'seller', :supplier, 'purchase', 'contract', :supplier, '某商场', 'enterprise', '500106', '500236', '2026-03-02',
                        'other', 5000, 0, '', 'accepted', :user, now(), :user, now(), :officer, now(), 1) RETURNING id),
                line AS (INSERT INTO external_sale_line (sale_id, line_no, product_id, product_name, quantity, unit, grams, amount_fen)
                         SELECT id, 1, :product, '', 1, '箱', 0, 5000 FROM sale)
                INSERT INTO external_sale_document (sale_id, kind, number, amount_fen) SELECT id, 'invoice', '1', 4000 FROM sale RETURNING sale_id
                """
            ),
            values,
        ).scalar_one()
    client = api.as_(user)
    [found] = client.get("/v1/ties/external-sales").json()["items"]
    assert (found["id"], found["claimed"], found["documents"], found["booked"]) == (sale, "50.00", "40.00", "0.00")
    assert [each["code"] for each in found["reasons"]] == ["documents_differ", "not_booked"]
    assert client.get("/v1/ties/external-sales", params={"from": "2026-03-03"}).json()["items"] == []
    # a draft is nobody else's business
    assert [each["id"] for each in api.as_(other).get("/v1/ties/external-sales").json()["items"]] == [sale]
    with database.unit_of_work() as session:
        session.execute(
            text(
                "UPDATE external_sale SET status = 'draft', submitted_at = NULL, submitted_by = NULL, decided_at = NULL, decided_by = NULL"
            )
        )
    assert [each["id"] for each in client.get("/v1/ties/external-sales").json()["items"]] == [sale]
    assert api.as_(other).get("/v1/ties/external-sales").json()["items"] == []
    with database.unit_of_work() as session:
        restored = "UPDATE external_sale SET status = 'accepted', submitted_at = now(), submitted_by = :user, decided_at = now(), decided_by = :officer"
        session.execute(text(restored), values)


def test_a_claimed_sale_leads_to_the_files_of_its_evidence(api, database):
    trading = make_trading(api, database)
    sale = trading.accepted()
    with database.unit_of_work() as session:
        statement = text(
            "INSERT INTO external_sale_document (sale_id, kind, number, issuer) VALUES (:id, 'waybill', 'SF-7', '顺丰') RETURNING id"
        )
        unfiled = session.execute(statement, {"id": sale["id"]}).scalar_one()
        entry_id = session.execute(text("SELECT id FROM sale_entry WHERE source = 'external'")).scalar_one()
    monitor = signed_in(api, Role.MONITOR, region_code=None)
    for client in (trading.as_("officer"), trading.as_("seller"), monitor):
        documents = client.get(f"/v1/sale-entries/{entry_id}").json()["documents"]
        evidence = {each["id"]: each["path"] for each in documents if each["kind"] == "evidence"}
        assert evidence.pop(unfiled) is None, "known by its number alone"
        assert len(evidence) == 3
        assert {client.get(path).status_code for path in evidence.values()} == {200}
