"""The same file, the same line, the same refunds, whoever comes at once; and the proof that the guards are what prevents the second."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from orders.banking.actions import importing, making, matching, refund_files
from orders.banking.rules import MatchKind
from orders.payments import actions as payments
from shop.core import clock
from shop.core.audit import SYSTEM
from shop.identity.permissions import Role
from tests.conftest import connect
from tests.factories.after_sales import differences
from tests.factories.identity import access_token, make_organisation, make_user
from tests.factories.statements import statement
from tests.orders.banking.test_matching import overpaid, refund_of

AT_ONCE = 8


def rush(desk, send, count=AT_ONCE):
    """What each of so many clients gets that send at the same moment."""
    with desk.database.unit_of_work() as session:
        token = access_token(session, desk.cashier)
    ready = threading.Barrier(count)

    def one(number):
        client = connect(str(desk.client.base_url), desk.database, {"Authorization": f"Bearer {token}"})
        ready.wait()
        answer = send(client, number)
        return answer.status_code, answer.json().get("code")

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(one, range(count)), key=str)


def counted(desk, table):
    with desk.database.unit_of_work() as session:
        return session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def upload(content):
    return lambda client, number: client.post("/v1/bank-statements", files={"file": (f"{number}.csv", content)})


LINES = [(100 + n, f"甲{n}", "货款", f"S{n}") for n in range(30)]


def test_the_same_file_by_eight_people_at_once_is_one_statement(desk):
    assert rush(desk, upload(statement(*LINES))) == [(201, None)] * AT_ONCE
    assert (counted(desk, "bank_statement"), counted(desk, "bank_line")) == (1, 30)
    desk.drain()
    desk.agrees()


def test_overlapping_files_at_once_write_each_line_once(desk):
    files = [statement(*LINES[: 20 + number]) for number in range(AT_ONCE)]
    answers = rush(desk, lambda client, number: upload(files[number])(client, number))
    assert answers == [(201, None)] * AT_ONCE
    assert counted(desk, "bank_line") == 20 + AT_ONCE - 1
    desk.drain()
    desk.agrees()


@pytest.mark.control
def test_without_turns_and_keys_the_same_rush_writes_lines_twice(desk, monkeypatch):
    """The control: when this fails, the tests above prove nothing."""
    with desk.database.unit_of_work() as session:
        session.execute(text("ALTER TABLE bank_line DROP CONSTRAINT uq_bank_line_account_key"))
        session.execute(text("ALTER TABLE bank_statement DROP CONSTRAINT uq_bank_statement_account_sha256"))
    monkeypatch.setattr(importing, "take_turns", lambda session, account: None)
    unguarded = importing._WRITE.text.replace("ON CONFLICT (account, key) DO NOTHING", "")
    monkeypatch.setattr(importing, "_WRITE", text(unguarded))
    rush(desk, upload(statement(*LINES)))
    assert counted(desk, "bank_line") > 30


def paying(row, orders):
    def send(client, number):
        part = {"kind": "order", "purchase_order_id": orders[number % len(orders)]["id"], "amount": "60.00"}
        return client.post(f"/v1/bank-lines/{row['id']}/matches", json={"parts": [part]})

    return send


def test_of_many_who_match_one_line_at_once_one_wins(desk):
    orders = [desk.order(1) for _ in range(3)]
    desk.imported(statement((10000, "沙坪坝中学", "x", "S1")))
    [row] = desk.lines()
    assert rush(desk, paying(row, orders)) == [(201, None)] + [(409, "line_matched")] * (AT_ONCE - 1)
    assert (desk.line(row["id"])["open"], counted(desk, "payment")) == ("40.00", 1)
    desk.agrees()


@pytest.mark.control
def test_without_lock_condition_and_check_the_same_rush_spends_the_line_twice(desk, monkeypatch):
    """The control."""
    orders = [desk.order(1) for _ in range(AT_ONCE)]
    desk.imported(statement((10000, "沙坪坝中学", "x", "S1")))
    [row] = desk.lines()
    with desk.database.unit_of_work() as session:
        session.execute(text("ALTER TABLE bank_line DROP CONSTRAINT ck_bank_line_not_matched_twice"))
    monkeypatch.setattr(matching, "_LOCK", text(matching._LOCK.text.replace("FOR UPDATE", "")))
    unguarded = making._EXPLAIN.text.replace("AND l.matched_fen + u.amount_fen <= abs(l.amount_fen)", "")
    monkeypatch.setattr(making, "_EXPLAIN", text(unguarded))
    answers = rush(desk, paying(row, orders))
    assert counted(desk, "payment") == answers.count((201, None)) > 1


def test_by_rule_and_by_hand_at_once_pay_once(desk):
    """Matching by rule leaves alone what a person holds, and the other way."""
    from orders.money.references import payment_reference

    orders = [desk.order(1) for _ in range(6)]
    lines = [(6990, "沙坪坝中学", payment_reference(order["id"]), f"S{n}") for n, order in enumerate(orders)]
    assert desk.upload(statement(*lines)).status_code == 201
    rows = desk.lines()
    sweeps = [threading.Thread(target=desk.drain) for _ in range(2)]
    for sweep in sweeps:
        sweep.start()

    def send(client, number):
        each = rows[number % len(rows)]
        part = {"kind": "order", "purchase_order_id": orders[number % len(rows)]["id"], "amount": "69.90"}
        return client.post(f"/v1/bank-lines/{each['id']}/matches", json={"parts": [part]})

    answers = rush(desk, send)
    for sweep in sweeps:
        sweep.join()
    desk.drain()
    assert {status for status, _ in answers} <= {201, 409}
    assert counted(desk, "payment") == 6
    assert [desk.due(order) for order in orders] == [0] * 6
    desk.agrees()


def test_undone_by_many_at_once_it_is_undone_once(desk):
    order = desk.order(1)
    desk.imported(statement((6990, "沙坪坝中学", "x", "S1")))
    [row] = desk.lines()
    match = desk.pay_order(row["id"], order, "69.90").json()["matches"][0]
    answers = rush(desk, lambda client, number: client.post(f"/v1/bank-matches/{match['id']}/undo", json={"reason": "x"}))
    assert answers == [(200, None)] + [(409, "match_undone")] * (AT_ONCE - 1)
    assert desk.due(order) == 6990
    desk.agrees()


def two_refunds(desk):
    order = overpaid(desk)
    return [refund_of(desk, order, "100.00"), refund_of(desk, order, "50.00")]


def make_file(client, number):
    return client.post("/v1/refund-files", json={})


def test_files_made_at_once_hold_each_refund_once(desk):
    two_refunds(desk)
    assert rush(desk, make_file) == [(201, None)] + [(409, "no_refund_to_send")] * (AT_ONCE - 1)
    assert counted(desk, "refund_file_line") == 2


@pytest.mark.slow
@pytest.mark.control
def test_without_turns_and_index_the_same_rush_sends_refunds_twice(desk, monkeypatch):
    """The control."""
    two_refunds(desk)
    with desk.database.unit_of_work() as session:
        session.execute(text("DROP INDEX uq_refund_file_line_refund"))

    def no_turns(session):
        session.execute(text("SELECT pg_sleep(0.05)"))

    monkeypatch.setattr(refund_files, "take_turns", no_turns)
    monkeypatch.setattr(refund_files, "payments", SimpleNamespace(locked=lambda session, ids: []))  # nor by their orders
    original = refund_files.numbers.next_number
    monkeypatch.setattr(
        refund_files.numbers,
        "next_number",
        lambda session, series: (session.execute(text("SELECT pg_sleep(0.05)")), original(session, series))[1],
    )
    answers = rush(desk, make_file)
    assert counted(desk, "refund_file_line") == 2 * answers.count((201, None)) > 2


def crossed(desk, monkeypatch):
    """Two lines are matched at once, each with an order of one buyer and with what was announced for one of the other; how many were made. Both wait
    between the two, so that each has drawn on the first buyer's credit before it comes to the second's."""
    with desk.database.unit_of_work() as session:
        other = make_organisation(session, kind="school", role="school")
        people = {role: make_user(session, role, other) for role in (Role.PURCHASER, Role.FINANCE)}
    owners = [
        (desk.market.school, desk.market.purchaser, desk.market.finance),
        (other, people[Role.PURCHASER], people[Role.FINANCE]),
    ]
    orders, announced = [], []
    for number, (buyer, purchaser, finance) in enumerate(owners):
        limit = desk.client.put(f"/v1/organisations/{buyer.id}/credit-limit", json={"limit": "1000.00", "reason": "核定"})
        assert limit.status_code == 200, limit.text
        first, second = (desk.api.as_(purchaser).post("/v1/purchase-orders", json=desk.market.order(1)).json() for _ in range(2))
        body = {"amount": "10.00", "bank_reference": f"K{number}", "payer_name": buyer.name, "paid_on": str(clock.today())}
        told = desk.api.as_(finance).post(f"/v1/purchase-orders/{second['id']}/payments", json=body)
        orders.append(first["id"])
        announced.append((second["id"], told.json()["id"]))
    desk.imported(statement((3000, "甲", "x", "S1"), (3000, "甲", "y", "S2")))
    line_ids = [row["id"] for row in desk.lines()]
    between, taken = threading.Barrier(2), making._take

    def take(*asked):
        taken(*asked)
        with suppress(threading.BrokenBarrierError):  # the other one waits where it is guarded
            between.wait(1)

    monkeypatch.setattr(making, "_take", take)

    def one(number):
        order_id, (shown_id, payment_id) = orders[number], announced[1 - number]
        try:
            with desk.database.unit_of_work() as session:
                [line] = session.execute(text("SELECT * FROM bank_line WHERE id = :id FOR UPDATE"), {"id": line_ids[number]}).all()
                payments.locked(session, [order_id, shown_id])
                wanted = [
                    making.Wanted(line, MatchKind.ORDER, 1000, order_id),
                    making.Wanted(line, MatchKind.ANNOUNCED, 1000, shown_id, payment_id=payment_id),
                ]
                return len(making.make(session, SYSTEM, wanted))
        except OperationalError:
            return 0

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(one, range(2)))


@pytest.mark.slow
def test_lines_that_free_credit_of_the_same_buyers_do_not_wait_in_a_ring(desk, monkeypatch):
    assert crossed(desk, monkeypatch) == [2, 2]
    # who paid was not asked for here
    assert differences(desk.database).keys() == {"payers"}


@pytest.mark.control
def test_without_all_credit_held_first_they_do(desk, monkeypatch):
    """The control: when this fails, the test above proves nothing."""
    monkeypatch.setattr(making.terms, "hold", lambda session, order_ids: None)
    assert crossed(desk, monkeypatch) == [0, 2]
