"""Numbers without gaps and nothing invoiced twice, whoever comes at once; and the proof that the guards are what prevents it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from orders.invoices.actions import issuing
from tests.conftest import connect
from tests.factories.after_sales import ask_back, deliver, differences, rows, token_of
from tests.factories.orders import make_market
from tests.orders.invoices.test_invoices import configure, issue


@pytest.fixture
def market(database):
    return make_market(database)


def many(api, database, user, calls, at_once=16):
    """Send calls (method, path, body) at once, each on a connection of its thread; the answers in their order."""
    token, local = token_of(database, user), threading.local()

    def send(call):
        if not hasattr(local, "client"):
            local.client = connect(str(api.base_url), database, {"Authorization": f"Bearer {token}"})
        method, path, body = call
        return local.client.request(method, path, json=body)

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(send, calls))


def orders_of(api, market, count):
    return [deliver(api, market, 1).part for _ in range(count)]


def serials(database):
    return [serial for (serial,) in rows(database, "SELECT serial FROM invoice ORDER BY serial")]


@pytest.mark.slow
def test_fifty_at_once_are_numbered_without_a_gap(api, database, market):
    """Every second one is refused after it took its number: what it took is given out again."""
    parts = orders_of(api, market, 10)
    shipments = rows(database, "SELECT s.id, a.id FROM shipment s JOIN acceptance a ON a.shipment_id = s.id ORDER BY 1")
    assert len(shipments) == 10
    with database.unit_of_work() as session:  # the trigger fails some after their number was taken, as a lost connection would
        session.execute(
            text(
                "CREATE FUNCTION fail_some() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " IF NEW.note = 'fail' THEN RAISE EXCEPTION 'lost' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$"
            )
        )
        session.execute(text("CREATE TRIGGER fail_some BEFORE INSERT ON invoice FOR EACH ROW EXECUTE FUNCTION fail_some()"))
    notes = ("fail", "fail", "good", "fail", "also")
    calls = [("POST", f"/v1/supplier-orders/{part}/invoices", {"note": note}) for part in parts for note in notes]
    answers = many(api, database, market.sellers[0], calls)
    assert len(answers) == 50
    assert sorted({answer.status_code for answer in answers}) == [201, 409]
    assert [answer.status_code for answer in answers].count(201) == 10
    assert serials(database) == list(range(1, 11))
    assert differences(database) == {}


def test_without_the_series_a_failed_invoice_leaves_a_gap(api, database, market, monkeypatch):
    """The control: a sequence of the database gives out what a rollback does not give back."""
    with database.unit_of_work() as session:
        session.execute(text("CREATE SEQUENCE loose"))
    monkeypatch.setattr(
        issuing.numbers, "next_number", lambda session, series: session.execute(text("SELECT nextval('loose')")).scalar_one()
    )
    first, second = orders_of(api, market, 2)
    seller = api.as_(market.sellers[0])
    with database.unit_of_work() as session:
        session.execute(text("ALTER TABLE invoice ADD CONSTRAINT not_so CHECK (note <> 'fail')"))
    assert issue(seller, first, note="fail").status_code == 409
    assert issue(seller, second).status_code == 201
    assert serials(database) == [2]
    assert "invoice_numbers" in differences(database)


def test_of_many_who_invoice_the_same_at_once_one_does(api, database, market):
    part = deliver(api, market, 5).part
    answers = many(api, database, market.sellers[0], [("POST", f"/v1/supplier-orders/{part}/invoices", {})] * 12)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"nothing_to_invoice"}
    assert rows(database, "SELECT count(*), sum(gross_fen)::bigint FROM invoice") == [(1, 34950)]


@pytest.mark.control
def test_without_lock_and_constraint_the_same_is_invoiced_twice(api, database, market, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    part = deliver(api, market, 5).part
    with database.unit_of_work() as session:
        session.execute(text("DROP INDEX uq_invoice_line_sale"))
    monkeypatch.setattr(issuing, "LOCK", text("SELECT CAST(:entry_ids AS bigint[])"))
    paths = text("SELECT '/' FROM supplier_order WHERE id = :id")
    monkeypatch.setattr(issuing, "locked", lambda session, actor, order_id, side: session.execute(paths, {"id": order_id}).one())
    before = issuing.numbers.next_number

    def slowly(session, series):
        time.sleep(0.05)
        return before(session, series)

    monkeypatch.setattr(issuing.numbers, "next_number", slowly)
    answers = many(api, database, market.sellers[0], [("POST", f"/v1/supplier-orders/{part}/invoices", {"send": False})] * 8)
    assert [answer.status_code for answer in answers].count(201) > 1
    assert "invoiced_once" in differences(database)


def test_without_the_lock_the_constraint_alone_refuses_the_second(api, database, market, monkeypatch):
    part = deliver(api, market, 5).part
    monkeypatch.setattr(issuing, "LOCK", text("SELECT CAST(:entry_ids AS bigint[])"))
    paths = text("SELECT '/' FROM supplier_order WHERE id = :id")
    monkeypatch.setattr(issuing, "locked", lambda session, actor, order_id, side: session.execute(paths, {"id": order_id}).one())
    answers = many(api, database, market.sellers[0], [("POST", f"/v1/supplier-orders/{part}/invoices", {})] * 8)
    assert [answer.status_code for answer in answers].count(201) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"nothing_to_invoice", "invoiced_already"}
    assert serials(database) == [1]


@pytest.mark.slow
def test_returns_and_credit_notes_at_once_never_credit_twice(api, database, market):
    """Returns are closed while others credit the same invoice by hand: what is taken back is what came back."""
    configure(database, credit_notes="automatic")
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    done = deliver(api, market, 12)
    invoice = issue(seller, done.part).json()["id"]
    calls = []
    for _ in range(6):
        path = f"/v1/returns/{ask_back(api, market, done, 2).json()['id']}"
        seller.post(f"{path}/approve", json={})
        buyer.post(f"{path}/send", json={"carrier": "顺丰", "waybill": "SF1"})
        calls.append(("POST", f"{path}/receive", {}))
        calls.append(("POST", f"/v1/invoices/{invoice}/credit-notes", {"reason": "return"}))
    answers = many(api, database, market.sellers[0], calls, at_once=12)
    assert {answer.status_code for answer in answers[::2]} <= {200, 201}, [answer.text for answer in answers[::2]]
    shown = seller.get(f"/v1/invoices/{invoice}").json()
    assert (shown["status"], shown["held"], shown["to_credit"]) == ("credited", "0.00", "0.00")
    assert rows(database, "SELECT sum(gross_fen)::bigint, sum(vat_fen)::bigint FROM credit_note") == [(83880, 6926)]
    assert differences(database) == {}


@pytest.mark.slow
def test_an_invoice_and_a_return_at_once_hold_what_is_owed(api, database, market):
    configure(database, credit_notes="automatic")
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    for _ in range(6):
        done = deliver(api, market, 3)
        path = f"/v1/returns/{ask_back(api, market, done, 1).json()['id']}"
        seller.post(f"{path}/approve", json={})
        buyer.post(f"{path}/send", json={"carrier": "顺丰", "waybill": "SF1"})
        calls = [("POST", f"{path}/receive", {}), ("POST", f"/v1/supplier-orders/{done.part}/invoices", {})]
        answers = many(api, database, market.sellers[0], calls, at_once=2)
        assert all(answer.status_code in (200, 201) for answer in answers)
        held = rows(
            database, "SELECT sum(gross_fen - credited_fen)::bigint FROM invoice WHERE supplier_order_id = :id", id=done.part
        )
        assert held == [(13980,)]
    assert seller.get("/v1/credit-notes/due").json()["items"] == []
    assert differences(database) == {}


@pytest.mark.slow
def test_the_number_of_statements_does_not_grow_with_the_lines(api, database):
    """An order of one line and one of sixty take the same number of statements."""
    from sqlalchemy import event

    from tests.factories.catalog import make_product

    market = make_market(database)
    with database.unit_of_work() as session:
        products = [make_product(session, market.suppliers[0], name=f"柑橘{n}", vat_bp=900) for n in range(60)]
    seller, statements = api.as_(market.sellers[0]), []
    counts = []
    for count in (1, 60):
        market.products = products[:count]
        part = deliver(api, market, *[2] * count).part
        listen = lambda *args: statements.append(args[2])  # noqa: E731
        event.listen(database.engine, "before_cursor_execute", listen)
        statements.clear()
        assert issue(seller, part).status_code == 201
        counts.append(len(statements))
        event.remove(database.engine, "before_cursor_execute", listen)
    assert counts[0] == counts[1]


@pytest.mark.slow
def test_corrections_returns_and_reductions_at_once_never_wait_for_one_another(api, database, market):
    """By the rule all of them write invoices and credit notes of one order at the same moment: nobody is refused, and the books agree."""
    configure(database, invoices="acceptance", credit_notes="automatic")
    seller, buyer = api.as_(market.sellers[0]), api.as_(market.purchaser)
    part = buyer.post("/v1/purchase-orders", json=market.order(24)).json()["supplier_orders"][0]["id"]
    seller.post(f"/v1/supplier-orders/{part}/confirm")
    line = seller.get(f"/v1/supplier-orders/{part}").json()["lines"][0]["id"]
    calls = []
    for number in range(6):
        body = {"lines": [{"order_line_id": line, "quantity": "4"}]}
        shipment = seller.post(f"/v1/supplier-orders/{part}/shipments", json=body).json()["id"]
        assert buyer.post(f"/v1/shipments/{shipment}/acceptance", json={}).status_code == 201
        if number % 2:
            truth = {"reason": "少一箱", "lines": [{"order_line_id": line, "accepted_quantity": "3", "accepted_grams": 15000}]}
            correction = buyer.post(f"/v1/shipments/{shipment}/corrections", json=truth).json()["id"]
            calls.append(("POST", f"/v1/acceptance-corrections/{correction}/agree", {}))
        else:
            asked = {"reason_code": "quality", "reason": "冻伤", "lines": [{"order_line_id": line, "quantity": "1"}]}
            path = f"/v1/returns/{buyer.post(f'/v1/shipments/{shipment}/returns', json=asked).json()['id']}"
            seller.post(f"{path}/approve", json={})
            buyer.post(f"{path}/send", json={"carrier": "顺丰", "waybill": "SF1"})
            calls.append(("POST", f"{path}/receive", {}))
    answers = many(api, database, market.sellers[0], calls, at_once=6)
    assert {answer.status_code for answer in answers} <= {200, 201}, [answer.text for answer in answers]
    held = rows(database, "SELECT sum(gross_fen - credited_fen)::bigint FROM invoice WHERE supplier_order_id = :id", id=part)
    assert held == [(18 * 6990,)]
    assert seller.get("/v1/invoices/uninvoiced").json()["items"] == []
    assert seller.get("/v1/credit-notes/due").json()["items"] == []
    assert differences(database) == {}
