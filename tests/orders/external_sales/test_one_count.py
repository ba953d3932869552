"""One sale, one count: a document in two claims, an order that is claimed again, sales that look the same, and who decides."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from orders.counting import actions as counting
from orders.counting.actions import Use
from orders.counting.rules import DocumentKind, Subject
from orders.external_sales.actions import judging
from orders.outlet_sales.actions import receiving
from orders.outlet_sales.schemas import SalesBatchIn
from shop.core import clock, outbox
from shop.identity.actor import Actor, Device
from tests.factories.after_sales import deliver, differences
from tests.factories.claims import invoice_number, ledger, make_trading
from tests.factories.orders import make_market
from tests.factories.outlets import Till, make_device, make_goods, make_outlet, sale
from tests.factories.racing import at_once, sessions
from workers.handlers import HANDLERS


@pytest.fixture
def trading(api, database):
    return make_trading(api, database)


def decide(client, hold, verdict, **more):
    return client.post(f"/v1/counting-holds/{hold['id']}/{verdict}", json={"reason": "已核对原件", **more})


def of(holds, sale):
    return next(each for each in holds if each["subject"]["id"] == sale["id"])


def test_one_invoice_in_two_claims_holds_both_and_takes_back_what_counted(trading, database):
    number = invoice_number()
    first = trading.accepted(invoice=number)
    assert ledger(database) == 98_000
    second = trading.submitted(invoice=f"{number[:12]} - {number[12:]}", amount="97.00")
    assert second["status"] == "held"
    assert trading.status(first) == "held"
    assert ledger(database) == 0
    holds = trading.holds()
    assert {(each["subject"]["id"], each["other"]["id"], each["reason_code"]) for each in holds} == {
        (first["id"], second["id"], "document_seen"),
        (second["id"], first["id"], "document_seen"),
    }
    assert {"kind": "invoice", "number": number} in of(holds, first)["other"]["documents"]
    assert trading.as_("neighbours_officer").post(f"/v1/external-sales/{second['id']}/accept").status_code == 404
    assert trading.as_("officer").post(f"/v1/external-sales/{second['id']}/accept").status_code == 409


def entries(database):
    with database.unit_of_work() as session:
        return session.execute(text("SELECT count(*) FROM sale_entry")).scalar_one()


@pytest.mark.slow
def test_what_counts_stays_while_a_stranger_claims_it_unreviewed(trading, database):
    """Both are in the queue of their districts, the city is told, and nothing moves in the ledger until somebody has decided."""
    number = invoice_number()
    first = trading.accepted(invoice=number)
    second = trading.submitted(of="neighbour", invoice=number, amount="1.00")
    assert (trading.status(first), second["status"], ledger(database)) == ("accepted", "held", 98_000)
    for officer, claim in (("officer", first), ("neighbours_officer", second)):
        [hold] = trading.holds(officer)
        assert (hold["subject"]["id"], hold["reason_code"]) == (claim["id"], "document_seen")
    outbox.drain(database, HANDLERS)
    told = [row["kind"] for row in trading.as_("city").get("/v1/notifications").json()["items"]]
    assert told == ["counting_hold.two_districts"]
    assert differences(database) == {}

    trading.as_("neighbours_seller").post(f"/v1/external-sales/{second['id']}/withdraw")
    assert (trading.status(first), trading.holds(), entries(database)) == ("accepted", [], 1)


@pytest.mark.slow
def test_of_two_districts_the_city_decides_what_stays(trading, database):
    number = invoice_number()
    first = trading.accepted(invoice=number)
    second = trading.submitted(of="neighbour", invoice=number, amount="97.00")
    assert decide(trading.as_("city"), of(trading.holds(), second), "count").status_code == 200
    assert (trading.status(first), trading.status(second), ledger(database)) == ("void", "submitted", 0)
    trading.as_("neighbours_officer").post(f"/v1/external-sales/{second['id']}/accept")
    assert ledger(database) == 9_700
    assert differences(database) == {}


def test_what_stays_beside_a_strangers_claim_is_held_for_an_order(trading, database):
    """An order of the marketplace is no stranger's word."""
    number = invoice_number()
    first = trading.accepted(invoice=number)
    trading.submitted(of="neighbour", invoice=number, amount="97.00")
    with database.unit_of_work() as session:
        counting.alone(session)
        counting.use(session, Subject.PURCHASE_ORDER, [Use(1, DocumentKind.INVOICE, number)])
        judging.judge(session, [first["id"]])
    assert (trading.status(first), ledger(database)) == ("held", 0)


def test_what_was_held_for_its_own_claimant_counts_again_beside_a_stranger(trading, database):
    number = invoice_number()
    first = trading.accepted(invoice=number)
    own = trading.submitted(invoice=number, amount="97.00")
    trading.submitted(of="neighbour", invoice=number, amount="96.00")
    assert (trading.status(first), ledger(database)) == ("held", 0)
    trading.as_("seller").post(f"/v1/external-sales/{own['id']}/withdraw")
    assert (trading.status(first), ledger(database)) == ("accepted", 98_000)
    assert differences(database) == {}


def test_counting_one_side_voids_the_other(trading, database):
    number = invoice_number()
    first, second = trading.accepted(invoice=number), trading.submitted(of="neighbour", invoice=number, amount="97.00")
    hold = of(trading.holds(), first)
    assert trading.holds("neighbours_officer")[0]["subject"]["id"] == second["id"]
    refused = decide(trading.as_("officer"), hold, "count")
    assert (refused.status_code, refused.json()["code"]) == (403, "city_decides")
    assert decide(trading.as_("neighbours_officer"), hold, "count").status_code == 404
    decided = decide(trading.as_("city"), hold, "count").json()
    assert (decided["status"], decided["other"]["status"]) == ("counted", "void")
    assert (trading.status(first), trading.status(second)) == ("accepted", "void")
    assert ledger(database) == 98_000
    assert trading.holds() == []
    assert decide(trading.as_("city"), hold, "void").json()["code"] == "hold_decided"
    outbox.drain(database, HANDLERS)
    told = [row["kind"] for row in trading.as_("neighbours_seller").get("/v1/notifications").json()["items"]]
    assert told == ["external_sale.void", "external_sale.hold"]
    assert differences(database) == {}


def test_voiding_one_side_sets_the_other_free(trading, database):
    number = invoice_number()
    first, second = trading.submitted(invoice=number), trading.submitted(invoice=number, amount="97.00")
    decide(trading.as_("officer"), of(trading.holds(), first), "void")
    assert (trading.status(first), trading.status(second)) == ("void", "submitted")
    assert trading.as_("officer").post(f"/v1/external-sales/{second['id']}/accept").status_code == 200
    assert ledger(database) == 9_700


def test_both_count_only_if_the_document_says_enough(trading, database):
    number = invoice_number()
    first, second = trading.submitted(invoice=number), trading.submitted(invoice=number, amount="97.00")
    hold = of(trading.holds(), first)
    refused = decide(trading.as_("officer"), hold, "count", other="count")
    assert (refused.status_code, refused.json()["code"]) == (409, "document_counts_once")
    with database.unit_of_work() as session:
        session.execute(text("UPDATE document_use SET amount_fen = 200000 WHERE kind = 'invoice'"))
    assert decide(trading.as_("officer"), hold, "count", other="count").status_code == 200
    assert (trading.status(first), trading.status(second)) == ("submitted", "submitted")


@pytest.mark.slow
def test_both_sides_that_are_named_are_decided_alike(trading, database):
    """Of two sales that look the same, both count, or none does; with one of them named the other is the opposite."""
    trading.submitted(), trading.submitted()
    holds = trading.holds()
    assert len(holds) == 2
    body = {"ids": [hold["id"] for hold in holds], "verdict": "void", "reason": "已核实"}
    answer = trading.as_("city").post("/v1/counting-holds/decide", json=body)
    assert (answer.status_code, answer.json()) == (200, {"decided": 2})
    assert [trading.status(hold["subject"]) for hold in holds] == ["void", "void"]
    trading.submitted(amount="700.00"), trading.submitted(amount="700.00")
    first, second = trading.holds()
    answer = trading.as_("city").post("/v1/counting-holds/decide", json={**body, "ids": [first["id"]]})
    assert answer.json() == {"decided": 1}
    assert [trading.status(hold["subject"]) for hold in (first, second)] == ["void", "submitted"]


def test_of_three_claims_two_decisions_leave_one(trading, database):
    number = invoice_number()
    sales = [trading.submitted(invoice=number, amount=f"{n}0.00") for n in (1, 2, 3)]
    assert len(trading.holds()) == 3
    decide(trading.as_("officer"), of(trading.holds(), sales[0]), "void")
    assert [trading.status(sale) for sale in sales] == ["void", "held", "held"]
    decide(trading.as_("officer"), of(trading.holds(), sales[1]), "count")
    assert [trading.status(sale) for sale in sales] == ["void", "submitted", "void"]


def test_a_claim_that_is_withdrawn_frees_its_documents(trading):
    number = invoice_number()
    first, second = trading.submitted(invoice=number), trading.submitted(invoice=number, amount="97.00")
    assert trading.as_("seller").post(f"/v1/external-sales/{first['id']}/withdraw").json()["status"] == "withdrawn"
    assert trading.status(second) == "submitted"
    assert trading.submitted(invoice=number, amount="96.00")["status"] == "held"


def test_what_was_accepted_and_held_is_not_withdrawn(trading):
    number = invoice_number()
    first = trading.accepted(invoice=number)
    trading.submitted(invoice=number, amount="97.00")
    assert trading.as_("seller").post(f"/v1/external-sales/{first['id']}/withdraw").status_code == 409


def test_sellers_and_buyers_books_may_rest_on_one_invoice(trading, database):
    number = invoice_number()
    trading.accepted(invoice=number)
    assert trading.accepted(of="buyer", invoice=number)["status"] == "accepted"
    assert trading.holds() == []
    assert ledger(database) == 98_000


def test_sales_that_look_the_same_are_suspected(trading, database):
    first, second = trading.accepted(), trading.submitted()
    assert (trading.status(first), second["status"]) == ("held", "held")
    assert {each["reason_code"] for each in trading.holds()} == {"suspected_duplicate"}
    assert ledger(database) == 0
    decide(trading.as_("officer"), of(trading.holds(), second), "count", other="count")
    assert (trading.status(first), trading.status(second)) == ("accepted", "submitted")
    assert ledger(database) == 98_000
    trading.as_("officer").post(f"/v1/external-sales/{second['id']}/accept")
    assert ledger(database) == 2 * 98_000
    assert differences(database) == {}


@pytest.mark.slow
def test_an_order_that_is_claimed_again_holds_the_claim_alone(api, database):
    """By its official invoice, whichever of the two is told first."""
    trading, market = make_trading(api, database), make_market(database)
    delivered = deliver(api, market, 2)
    number = "26500000000000000001"
    claim = {
        "number": number,
        "type": "ordinary",
        "issued_on": "2026-11-20",
        "gross": "139.80",
        "vat": "0.00",
        "shipment_ids": [delivered.shipment],
    }
    registered = api.as_(market.sellers[0]).post("/v1/tax-invoices", json={"invoices": [claim]})
    assert registered.status_code == 201, registered.text
    early = trading.accepted(invoice=number)
    assert early["status"] == "accepted"  # the register has not been heard of yet
    outbox.drain(database, HANDLERS)
    assert trading.status(early) == "held"
    late = trading.submitted(of="neighbour", invoice=number, amount="5.00")
    assert late["status"] == "held"
    assert of(trading.holds(), early)["other"]["kind"] == "purchase_order"
    assert of(trading.holds(), late)["other"]["id"] == delivered.order_id
    assert ledger(database) == 0
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT sum(amount_fen) FROM sale_entry WHERE source = 'platform'")).scalar_one() > 0
    invoice = registered.json()[0]["id"]
    assert api.as_(market.sellers[0]).post(f"/v1/tax-invoices/{invoice}/void", json={"reason": "开错"}).status_code == 200
    outbox.drain(database, HANDLERS)
    # the order does not rest on it any more, but the two claims still do; the one that was accepted counts again beside the stranger's
    assert (trading.status(early), trading.status(late)) == ("accepted", "held")
    assert {each["other"]["kind"] for each in trading.holds()} == {"external_sale"}


def test_a_claim_that_looks_like_an_order_is_held_alone(api, database):
    trading, market = make_trading(api, database), make_market(database)
    deliver(api, market, 2)
    with database.unit_of_work() as session:
        sold = session.execute(text("SELECT product_id, sku_id, amount_fen, order_id FROM sale_entry")).one()
    lines = [{"product_id": sold.product_id, "sku_id": sold.sku_id, "quantity": "2", "amount": f"{sold.amount_fen / 100:.2f}"}]
    sale = trading.submitted(client=api.as_(market.sellers[0]), supplier_id=market.suppliers[0].id, lines=lines)
    assert sale["status"] == "held"
    [found] = trading.holds()
    assert (found["reason_code"], found["other"]["kind"], found["other"]["id"]) == (
        "suspected_duplicate",
        "purchase_order",
        sold.order_id,
    )
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT sum(amount_fen) FROM sale_entry")).scalar_one() == sold.amount_fen


@pytest.mark.slow
def test_an_order_that_is_accepted_after_it_was_claimed_holds_the_claim(api, database):
    trading, market = make_trading(api, database), make_market(database)
    seller = {"client": api.as_(market.sellers[0]), "supplier_id": market.suppliers[0].id}
    deliver(api, market, 2)
    with database.unit_of_work() as session:
        sold = session.execute(text("SELECT product_id, sku_id, amount_fen FROM sale_entry")).one()
    goods = {"product_id": sold.product_id, "sku_id": sold.sku_id}
    amount = f"{sold.amount_fen * 3 // 2 / 100:.2f}"
    claim = trading.submitted(**seller, lines=[{**goods, "quantity": "3", "amount": amount}])
    other = trading.submitted(**seller, lines=[{**goods, "quantity": "3", "amount": "10.00"}])
    for each in (claim, other):
        assert trading.as_("city").post(f"/v1/external-sales/{each['id']}/accept").status_code == 200
    order = deliver(api, market, 3)
    outbox.drain(database, HANDLERS)
    assert (trading.status(claim), trading.status(other)) == ("held", "accepted")
    [hold] = trading.holds()
    assert (hold["reason_code"], hold["other"]["kind"], hold["other"]["id"]) == (
        "suspected_duplicate",
        "purchase_order",
        order.order_id,
    )
    assert ledger(database) == 1_000


@pytest.fixture
def till(trading, database):
    """An outlet that sells what is claimed."""
    with database.unit_of_work() as session:
        outlet = make_outlet(session, trading.officer)
        outlet.verified_at = clock.now() - timedelta(days=2)
        make_goods(session, outlet, "G1", trading.product)
        device_id, _ = make_device(session, outlet, trading.officer)
    return Till(), Actor(None, "till", outlet.operator_id, "/", (), device=Device(device_id, outlet.id))


def tell(database, till, line):
    made, device = till
    with database.unit_of_work() as session:
        [taken] = receiving.receive(session, device, [SalesBatchIn.model_validate(made.batch([line]))])
    return taken


@pytest.mark.slow
def test_what_an_outlet_sold_holds_the_claim_whichever_comes_first(trading, database, till):
    early = trading.accepted()
    assert tell(database, till, sale("1", "G1", 20, price=49)).status == "accepted"
    assert tell(database, till, sale("2", "G1", 1, price=49)).status == "accepted"
    assert ledger(database) == 98_000
    outbox.drain(database, HANDLERS)
    assert (trading.status(early), ledger(database)) == ("held", 0)
    assert trading.submitted(amount="49.00")["status"] == "held"
    assert {hold["other"]["kind"] for hold in trading.holds()} == {"sales_batch_line"}
    # what an outlet sold is not decided on here
    path = f"/v1/counting-holds/{of(trading.holds(), early)['id']}"
    for verdict in ("count", "void"):
        refused = trading.as_("city").post(f"{path}/{verdict}", json={"reason": "已核对", "other": "void"}).json()
        assert [(each["field"], each["code"]) for each in refused["errors"]] == [("other", "other_stays")]
    assert trading.status(early) == "held"
    # two sales: what was said of the two is not asked again
    decide(trading.as_("city"), of(trading.holds(), early), "count")
    outbox.drain(database, HANDLERS)
    assert (trading.status(early), ledger(database)) == ("accepted", 98_000)
    assert differences(database) == {}


def left(answer):
    return len(answer["holds"]), [each["other_kind"] for each in answer["to_come"]], answer["decisions_left"]


def test_how_many_decisions_are_left_is_told(trading, database, till):
    """One after another is asked for: the first answer would seem to be the last."""
    for number in ("1", "2", "3"):
        assert tell(database, till, sale(number, "G1", 1, price=49)).status == "accepted"
    claim = trading.submitted(amount="49.00")
    read = lambda: trading.as_("officer").get(f"/v1/external-sales/{claim['id']}").json()  # noqa: E731
    told = claim["holds"] + claim["to_come"]
    assert (left(claim), len({each["other_id"] for each in told})) == ((1, ["sales_batch_line"] * 2, 3), 3)
    for expected in ((1, ["sales_batch_line"], 2), (1, [], 1), (0, [], 0)):
        [hold] = trading.holds("officer")
        decided = decide(trading.as_("officer"), hold, "count").json()
        assert (decided["status"], left(decided), left(read())) == ("counted", expected, expected)
    assert trading.status(claim) == "submitted"


def test_a_claim_that_is_void_awaits_no_more_decisions(trading, database, till):
    for number in ("1", "2"):
        tell(database, till, sale(number, "G1", 1, price=49))
    claim = trading.submitted(amount="49.00")
    [hold] = trading.holds("officer")
    assert left(trading.as_("officer").get(f"/v1/counting-holds/{hold['id']}").json())[2] == 2
    assert left(decide(trading.as_("officer"), hold, "void").json()) == (0, [], 0)
    assert trading.status(claim) == "void"


def tell_otherwise(database, till):
    """The till corrects its first batch: what it sold was something else."""
    made, device = till
    with database.unit_of_work() as session:
        batch = made.batch([sale("1", "G1", 3, price=49)], corrects=f"{made.name}-1")
        receiving.receive(session, device, [SalesBatchIn.model_validate(batch)])


def test_a_claim_is_free_when_what_it_was_held_against_is_corrected(trading, database, till):
    accepted = trading.accepted()
    tell(database, till, sale("1", "G1", 20, price=49))
    outbox.drain(database, HANDLERS)
    assert (trading.status(accepted), ledger(database)) == ("held", 0)
    tell_otherwise(database, till)
    outbox.drain(database, HANDLERS)
    assert (trading.status(accepted), ledger(database), trading.holds()) == ("accepted", 98_000, [])
    assert differences(database) == {}


def while_a_claim_is_handed_in(trading, database, till, happens):
    """A claim has been judged and is not committed yet, when something happens at an outlet and is looked at."""
    claim = trading.draft()
    judged, told = threading.Event(), threading.Event()
    judge = counting.doubt

    def slowly(session, ids):
        found = judge(session, ids)
        if claim["id"] in ids and not judged.is_set():
            judged.set()
            told.wait(2)
        return found

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(counting, "doubt", slowly)
        handing_in = pool.submit(lambda: trading.as_("seller").post(f"/v1/external-sales/{claim['id']}/submit"))
        assert judged.wait(10)
        happens(database, till)
        pool_of_events = ThreadPoolExecutor(1)
        events = pool_of_events.submit(outbox.drain, database, HANDLERS)
        time.sleep(0.5)
        told.set()
        assert handing_in.result().status_code == 200
        events.result()
        pool_of_events.shutdown()
    return trading.status(claim)


def told_while_a_claim_is_handed_in(trading, database, till):
    return while_a_claim_is_handed_in(trading, database, till, lambda *where: tell(*where, sale("1", "G1", 20, price=49)))


def corrected_while_a_claim_is_handed_in(trading, database, till):
    tell(database, till, sale("1", "G1", 20, price=49))
    outbox.drain(database, HANDLERS)
    return while_a_claim_is_handed_in(trading, database, till, tell_otherwise)


def test_a_claim_that_is_just_being_handed_in_is_seen(trading, database, till):
    assert told_while_a_claim_is_handed_in(trading, database, till) == "held"


@pytest.mark.control
def test_without_the_guard_a_claim_that_is_just_being_handed_in_is_missed(trading, database, till, monkeypatch):
    monkeypatch.setattr(counting, "alone", lambda session: None)
    assert told_while_a_claim_is_handed_in(trading, database, till) == "submitted"


def test_a_claim_that_is_held_while_the_sale_is_corrected_is_free(trading, database, till):
    assert corrected_while_a_claim_is_handed_in(trading, database, till) == "submitted"


@pytest.mark.control
def test_without_the_guard_a_claim_stays_held_against_what_was_corrected(trading, database, till, monkeypatch):
    monkeypatch.setattr(counting, "alone", lambda session: None)
    assert corrected_while_a_claim_is_handed_in(trading, database, till) == "held"


def test_the_waybill_of_an_order_is_a_document_of_it(api, database):
    trading, market = make_trading(api, database), make_market(database)
    order = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(2)).json()
    part = order["supplier_orders"][0]["id"]
    seller = api.as_(market.sellers[0])
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    seller.post(f"/v1/supplier-orders/{part}/shipments", json={"carrier": "顺丰速运", "waybill": "SF1300 0000 0001"})
    outbox.drain(database, HANDLERS)
    sale = trading.draft()
    path = f"/v1/external-sales/{sale['id']}"
    trading.as_("seller").post(f"{path}/documents", data={"kind": "waybill", "number": "sf-130000000001", "issuer": "SF"})
    assert trading.as_("seller").post(f"{path}/submit").json()["status"] == "held"


def racing(trading, database, count):
    """Drafts that all name one invoice, and as many connections."""
    number = invoice_number()
    drafts = [trading.draft(invoice=number, amount=f"{n + 1}.00") for n in range(count)]
    clients = sessions(trading.api, database, trading.seller, count)
    return [
        (lambda client=client, sale=sale: client.post(f"/v1/external-sales/{sale['id']}/submit").json()["status"])
        for client, sale in zip(clients, drafts, strict=True)
    ]


@pytest.mark.slow
def test_of_many_claims_with_one_invoice_at_once_all_are_held_but_never_two_free(trading, database):
    at_once(racing(trading, database, 20))
    with database.unit_of_work() as session:
        assert session.execute(text("SELECT status, count(*) FROM external_sale GROUP BY 1")).all() == [("held", 20)]


@pytest.mark.slow
@pytest.mark.control
def test_without_the_guard_the_race_is_lost(trading, database, monkeypatch):
    """The control: claims that are not judged one after another do not see each other."""
    monkeypatch.setattr(counting, "alone", lambda session: None)
    doubt = counting.doubt
    # all have looked before the first commits
    monkeypatch.setattr(counting, "doubt", lambda session, ids: (doubt(session, ids), time.sleep(0.5))[0])
    free = 0
    for _ in range(5):
        at_once(racing(trading, database, 8))
        with database.unit_of_work() as session:
            free += session.execute(text("SELECT count(*) FROM external_sale WHERE status = 'submitted'")).scalar_one()
        if free:
            break
    assert free


def test_a_waybill_that_was_written_wrongly_and_corrected_is_free_again(api, database):
    trading, market = make_trading(api, database), make_market(database)
    order = api.as_(market.purchaser).post("/v1/purchase-orders", json=market.order(2)).json()
    part = order["supplier_orders"][0]["id"]
    seller = api.as_(market.sellers[0])
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    sent = seller.post(f"/v1/supplier-orders/{part}/shipments", json={"carrier": "SF", "waybill": "130000000001"}).json()
    outbox.drain(database, HANDLERS)
    sale = trading.draft()
    path = f"/v1/external-sales/{sale['id']}"
    trading.as_("seller").post(f"{path}/documents", data={"kind": "waybill", "number": "130000000001", "issuer": "SF"})
    assert trading.as_("seller").post(f"{path}/submit").json()["status"] == "held"
    answer = seller.patch(f"/v1/shipments/{sent['id']}", json={"waybill": "130000000002"})
    assert answer.status_code == 200, answer.text
    outbox.drain(database, HANDLERS)
    assert trading.status(sale) == "submitted"
