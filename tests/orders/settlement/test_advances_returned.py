"""What was paid ahead and came back: two persons say so, no settlement uses it up any more, and the bank's line shows it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import IntegrityError

from orders.settlement import handlers
from orders.settlement.actions import advances
from shop.core import outbox
from tests.factories.after_sales import differences
from tests.factories.racing import post_at_once, sessions
from tests.orders.settlement.test_paying import advance, agreement
from workers.handlers import HANDLERS

TOLD = "SELECT data ->> 'amount' FROM notification WHERE kind = 'advance.returned' ORDER BY id"

__all__ = ["agreement"]


@pytest.fixture
def paid(scene, agreement):
    """The path of an advance of 300.00 that the bank paid."""
    path = f"/v1/advances/{advance(scene, agreement).json()['id']}"
    scene.treasurer.post(f"{path}/approve")
    assert scene.cashier.post(f"{path}/pay", json={"reference": "B-1"}).json()["status"] == "paid"
    return path


@pytest.mark.slow
def test_two_persons_say_that_an_advance_came_back_and_the_banks_line_shows_it(scene, paid):
    out, back = scene.shows((-30_000, "合作社", "预付款"), (30_000, "合作社", "账号不符退汇"))
    booked = scene.rows("SELECT id FROM money_transaction WHERE kind = 'advance'")[0][0]
    part = {"kind": "booked", "transaction_id": booked}
    assert scene.cashier.post(f"/v1/bank-lines/{out['id']}/matches", json={"parts": [part]}).status_code == 201
    said = scene.cashier.post(f"{paid}/return", json={"reason": "账号不符退汇"}).json()
    assert (said["status"], said["return_amount"], said["possible_actions"]) == (
        "returning", "300.00", ["refuse-return"],
    )  # fmt: skip
    told = [client.get(paid).json()["possible_actions"] for client in (scene.treasurer, scene.farm)]
    assert told == [["confirm-return", "refuse-return"], []]
    assert scene.balance("advances") == 30_000
    [waiting] = scene.treasurer.get("/v1/finance/waiting", params={"kind": "advance"}).json()["items"]
    assert (waiting["number"], waiting["amount"], waiting["own"]) == (said["number"], "300.00", False)
    own = scene.cashier.post(f"{paid}/confirm-return")
    assert (own.status_code, own.json()["code"]) == (403, "two_persons_needed")
    done = scene.treasurer.post(f"{paid}/confirm-return").json()
    assert (done["status"], done["return_confirmed_by"]) == ("returned", scene.people["treasurer"].id)
    assert scene.treasurer.post(f"{paid}/confirm-return").json()["code"] == "illegal_move"
    assert scene.balance("advances") == 0
    # the bank's line is explained by what the books hold, and costs nobody anything
    [proposal] = [
        each for each in scene.cashier.get(f"/v1/bank-lines/{back['id']}").json()["proposals"] if each["kind"] == "booked"
    ]
    part = {"kind": "booked", "transaction_id": proposal["transaction_id"]}
    assert scene.cashier.post(f"/v1/bank-lines/{back['id']}/matches", json={"parts": [part]}).status_code == 201
    assert scene.rows("SELECT sum(amount_fen)::bigint FROM money_posting WHERE account IN ('bank', 'fees')") == [(0,)]
    # the agreement may be paid ahead for anew, and the next settlement pays all of what it owes
    assert scene.cashier.get("/v1/advances/agreements").json()["items"][0]["advances"] == "0.00"
    scene.delivered(2)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    assert (row["net"], row["advance_used"], row["due"]) == ("139.80", "0.00", "139.80")
    assert differences(scene.database) == {}


def test_what_settlements_used_up_cannot_come_back(scene, paid):
    scene.delivered(2)
    scene.later(20)
    scene.run()
    for amount in ({}, {"amount": "160.21"}):
        refused = scene.cashier.post(f"{paid}/return", json={"reason": "退汇", **amount})
        assert (refused.status_code, refused.json()["code"], refused.json()["data"]) == (409, "advance_used_up", {"left": "160.20"})
    assert scene.cashier.post(f"{paid}/return", json={"reason": "退汇", "amount": "160.20"}).status_code == 200
    refused = scene.treasurer.post(f"{paid}/refuse-return", json={"reason": "未见退汇"}).json()
    assert (refused["status"], refused["return_amount"], refused["return_asked_by"]) == ("paid", None, None)
    assert scene.cashier.post(f"{paid}/return", json={"reason": "退汇", "amount": "160.20"}).status_code == 200
    # the rest of it is goods by now
    assert scene.treasurer.post(f"{paid}/confirm-return").json()["status"] == "paid"
    assert scene.balance("advances") == 0
    shown = scene.farm.get("/v1/advances").json()["items"][0]
    assert (shown["return_amount"], shown["returned"]) == ("160.20", "160.20")
    refused = scene.cashier.post(f"{paid}/return", json={"reason": "退汇"})
    assert (refused.json()["code"], refused.json()["data"]) == ("advance_used_up", {"left": "0.00"})
    assert scene.cashier.get("/v1/advances/agreements").json()["items"][0]["advances"] == "139.80"
    assert differences(scene.database) == {}


@pytest.mark.slow
def test_the_statement_recognises_an_advance_and_its_return_by_the_number(scene, paid):
    number, holder = scene.cashier.get(paid).json()["number"], scene.market.suppliers[0].name
    other, out, again = scene.shows(
        (-30_000, "他人", f"预付款 {number}"), (-30_000, holder, f"预付款 {number}"), (-30_000, holder, f"预付款 {number}")
    )
    assert (other["status"], out["status"], again["status"]) == ("open", "matched", "open")
    assert (out["matches"][0]["kind"], out["matches"][0]["reasons"]) == ("booked", ["advance_number", "amount", "payee"])
    assert out["matches"][0]["score"] == 100
    scene.cashier.post(f"{paid}/return", json={"reason": "账号不符", "amount": "100.00"})
    scene.treasurer.post(f"{paid}/confirm-return")
    plain, back = scene.shows((10_000, holder, number), (10_000, "退汇过渡户", f"退汇 {number} 账号不符"))
    assert (plain["status"], back["status"], back["matches"][0]["reasons"]) == (
        "open", "matched", ["advance_number", "amount", "returned"],
    )  # fmt: skip
    assert differences(scene.database) == {}


def test_two_lines_of_one_file_do_not_show_the_same_advance(scene, paid):
    number, holder = scene.cashier.get(paid).json()["number"], scene.market.suppliers[0].name
    lines = scene.shows(*[(-30_000, holder, number)] * 3)
    assert sorted(each["status"] for each in lines) == ["matched", "open", "open"]
    assert scene.rows("SELECT count(*) FROM bank_match WHERE kind = 'booked'") == [(1,)]


def test_a_movement_of_another_amount_is_not_the_lines(scene, paid):
    [line, whole] = scene.shows((-100_000, "合作社", "货款"), (-30_000, "合作社", "货款"))
    [(moved,)] = scene.rows("SELECT id FROM money_transaction WHERE kind = 'advance'")

    def match(line, *parts):
        return scene.cashier.post(f"/v1/bank-lines/{line['id']}/matches", json={"parts": list(parts)})

    part = {"kind": "booked", "transaction_id": moved}
    refused = match(line, part)
    assert (refused.status_code, refused.json()["code"]) == (409, "movement_not_open")
    assert scene.rows("SELECT matched_fen FROM bank_line WHERE id = :id", id=line["id"]) == [(0,)]
    assert match(whole, part).json()["status"] == "matched"


@pytest.mark.slow
def test_an_advance_comes_back_in_parts(scene, paid):
    booked = []
    for amount, status, returned in (("100.00", "paid", "100.00"), ("50.00", "paid", "150.00"), (None, "returned", "300.00")):
        said = scene.cashier.post(f"{paid}/return", json={"reason": "分次退汇", **({"amount": amount} if amount else {})}).json()
        assert (said["status"], said["return_amount"]) == ("returning", amount or "150.00")
        assert scene.cashier.post(f"{paid}/confirm-return").json()["code"] == "two_persons_needed"
        done = scene.treasurer.post(f"{paid}/confirm-return").json()
        assert (done["status"], done["returned"], done["return_confirmed_by"]) == (status, returned, scene.people["treasurer"].id)
        booked.append(scene.balance("advances"))
        assert scene.cashier.get("/v1/advances/agreements").json()["items"][0]["advances"] == f"{booked[-1] / 100:.2f}"
        assert differences(scene.database) == {}
    assert (booked, done["possible_actions"]) == ([20_000, 15_000, 0], [])
    assert scene.cashier.post(f"{paid}/return", json={"reason": "x"}).json()["code"] == "illegal_move"
    # its supplier hears of each, also where the next was said before the last was told
    outbox.drain(scene.database, HANDLERS)
    assert scene.rows(TOLD) == [("100.00",), ("50.00",), ("150.00",)]


def test_what_came_back_is_told_though_more_is_said_to_have_come_back(scene, paid):
    scene.cashier.post(f"{paid}/return", json={"reason": "分次退汇", "amount": "100.00"})
    scene.treasurer.post(f"{paid}/confirm-return")
    scene.cashier.post(f"{paid}/return", json={"reason": "分次退汇", "amount": "50.00"})
    scene.cashier.post(f"{paid}/refuse-return", json={"reason": "未见退汇"})
    outbox.drain(scene.database, HANDLERS)
    assert scene.rows(TOLD) == [("100.00",)]


def test_an_event_from_before_there_were_parts_tells_all_that_came_back(scene, paid):
    scene.cashier.post(f"{paid}/return", json={"reason": "退汇"})
    scene.treasurer.post(f"{paid}/confirm-return")
    with scene.database.unit_of_work() as session:
        handlers.HANDLERS["advance.returned"](session, {"advance_id": int(paid.rpartition("/")[2])})
    assert scene.rows(TOLD) == [("300.00",)]


def test_no_more_comes_back_than_is_left(scene, paid):
    scene.cashier.post(f"{paid}/return", json={"reason": "退汇", "amount": "100.00"})
    assert scene.treasurer.post(f"{paid}/confirm-return").json()["possible_actions"] == ["return"]
    refused = scene.cashier.post(f"{paid}/return", json={"reason": "退汇", "amount": "200.01"})
    assert (refused.status_code, refused.json()["data"]) == (409, {"left": "200.00"})
    assert scene.cashier.post(f"{paid}/return", json={"reason": "退汇", "amount": "200.00"}).status_code == 200
    refused = scene.treasurer.post(f"{paid}/refuse-return", json={"reason": "未见退汇"}).json()
    assert (refused["status"], refused["returned"], refused["return_amount"]) == ("paid", "100.00", None)
    assert differences(scene.database) == {}
    for planted in ("returned_fen = 30000", "returned_fen = 40000", "return_fen = 100", "status = 'returned'"):
        with pytest.raises(IntegrityError, match="ck_advance_"):
            scene.rows(f"UPDATE advance SET {planted} RETURNING id")
    scene.rows("UPDATE advance SET returned_fen = returned_fen - 1 RETURNING id")
    assert {"advances_returned", "suppliers_money"} <= differences(scene.database).keys()


def test_many_who_confirm_at_once_bring_it_back_once(scene, paid):
    scene.cashier.post(f"{paid}/return", json={"reason": "退汇"})
    codes = [
        answer.status_code
        for answer in post_at_once(sessions(scene.api, scene.database, scene.people["treasurer"], 8), f"{paid}/confirm-return")
    ]
    assert (codes.count(200), codes.count(409)) == (1, 7)
    assert scene.balance("advances") == 0


def _settled_in_between(scene, paid, monkeypatch, *, wait):
    """A settlement run that begins when what is left was looked at, and before that is booked as returned; returns whether it waited."""
    scene.cashier.post(f"{paid}/return", json={"reason": "退汇"})
    scene.delivered(2)
    scene.later(20)
    look = advances._require_not_used_up
    with ThreadPoolExecutor(1) as pool:
        begun = []

        def looked(*given):
            look(*given)
            begun.append(pool.submit(scene.run))
            if wait:
                begun[0].result(30)
            else:
                with pytest.raises(TimeoutError):
                    begun[0].result(1)

        monkeypatch.setattr(advances, "_require_not_used_up", looked)
        assert scene.treasurer.post(f"{paid}/confirm-return").status_code == 200
        begun[0].result(30)


@pytest.mark.slow
def test_a_settlement_run_waits_for_what_comes_back_just_now(scene, paid, monkeypatch):
    _settled_in_between(scene, paid, monkeypatch, wait=False)
    assert (scene.balance("advances"), scene.settlement()["advance_used"]) == (0, "0.00")


@pytest.mark.control
def test_without_the_lock_it_is_used_up_and_comes_back(scene, paid, monkeypatch):
    monkeypatch.setattr(advances, "losing", type("nobody", (), {"alone": staticmethod(lambda session: None)}))
    _settled_in_between(scene, paid, monkeypatch, wait=True)
    assert scene.balance("advances") == -13_980
