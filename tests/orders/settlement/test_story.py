"""From an accepted delivery to the money on the cooperative's account."""

import csv
import io
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from shop.core import clock, outbox
from shop.identity.permissions import Role
from tests.factories import tables
from tests.factories.after_sales import ask_back, differences
from tests.factories.identity import make_user, signed_in
from workers.handlers import HANDLERS


def test_an_accepted_and_paid_delivery_is_settled_and_paid_out(scene):
    scene.account()
    scene.delivered(10)
    assert scene.held() == [("return_window", "699.00")]
    scene.later(40)
    assert scene.held() == []
    made = scene.run()
    assert (made["settlements"], made["due"]) == (1, "699.00")
    row = scene.settlement()
    assert row["number"].endswith("-000001")
    assert row["number"].startswith("JS20")
    assert (row["sales"], row["commission"], row["net"], row["due"]) == ("699.00", "0.00", "699.00", "699.00")
    assert (row["status"], row["payout_status"]) == ("open", "draft")
    [line] = scene.farm.get(f"/v1/settlements/{row['id']}/lines").json()["items"]
    assert (line["kind"], line["amount"], line["product_name"], line["order_line_no"]) == ("sale", "699.00", "奉节脐橙", 1)
    assert line["shipment_id"]

    payout = f"/v1/payouts/{row['payout_id']}"
    assert scene.treasurer.post(f"{payout}/release").json()["code"] == "illegal_move"
    assert scene.cashier.post(f"{payout}/approve", json={}).json()["status"] == "approved"
    assert scene.cashier.post(f"{payout}/release").json()["code"] == "two_persons_needed"
    early = scene.treasurer.post(f"{payout}/release")
    assert (early.status_code, early.json()["code"]) == (409, "objection_period_running")
    assert scene.farm.post(f"/v1/settlements/{row['id']}/confirm").json()["status"] == "confirmed"
    released = scene.treasurer.post(f"{payout}/release")
    assert (released.status_code, released.json()["status"]) == (200, "released")
    assert released.json()["attempts"][0]["account_tail"] == "0123"
    assert (scene.balance("settled"), scene.balance("payouts")) == (0, -69_900)

    made = scene.cashier.post("/v1/payout-files")
    assert (made.status_code, made.json()["payout_count"], made.json()["amount"]) == (201, 1, "699.00")
    assert scene.cashier.post("/v1/payout-files").json()["code"] == "no_payout_to_send"
    content = scene.cashier.get(f"/v1/payout-files/{made.json()['id']}/content", params={"format": "csv"}).content.decode(
        "utf-8-sig"
    )
    assert "3100021009014400123" in content
    assert "699.00" in content
    assert scene.farm.get(payout).json()["status"] == "sent"
    assert scene.cashier.post(f"/v1/payout-files/{made.json()['id']}/send", json={"reference": "ICBC-7"}).json()["status"] == "sent"
    assert scene.cashier.post(f"{payout}/confirm", json={"reference": "ICBC-77"}).json()["status"] == "paid"
    assert (scene.balance("payouts"), scene.balance("payable")) == (0, 0)
    assert scene.rows("SELECT sum(amount_fen)::bigint FROM money_posting WHERE account = 'bank'") == [(0,)]  # came in and went out
    mine = scene.farm.get("/v1/settlements/mine").json()
    assert (mine["paid"], mine["owed"], mine["settled"]) == ("699.00", "0.00", "0.00")
    outbox.drain(scene.database, HANDLERS)
    kinds = {item["kind"] for item in scene.farm.get("/v1/notifications").json()["items"]}
    assert {"settlement.made", "payout.released", "payout.paid", "payout_account.approved"} <= kinds
    assert differences(scene.database) == {}


def test_a_statement_is_there_as_a_page_a_spreadsheet_and_a_print(scene):
    scene.delivered(10, 2)
    scene.delivered(3, paid=False)
    scene.later(40)
    scene.run()
    row = scene.settlement()
    assert (row["due"], row["held"]) == ("699.00", "209.70")
    path = f"/v1/settlements/{row['id']}"
    [held] = scene.farm.get(f"{path}/lines", params={"held": True}).json()["items"]
    assert (held["hold"], held["why"]) == ("unpaid", "The buyer has not paid")
    book = tables.book(scene.farm.get(f"{path}/statement").content)
    assert list(book) == ["statement", "held"]
    told = dict(line[:2] for line in book["statement"][:15])
    assert (told["number"], told["supplier"], told["first day"]) == (row["number"], row["supplier_name"], row["period_start"])
    assert (told["sales"], told["due"], told["held"]) == ("699", "699", "209.7")
    header, *lines = book["statement"][16:]
    assert (header[0], header[-1], [line[6] for line in lines]) == ("order", "net (yuan)", ["699"])
    header, *lines = book["held"]
    assert (header[-1], [(line[6], line[9]) for line in lines]) == ("held because", [("209.7", "The buyer has not paid")])
    table = list(csv.reader(io.StringIO(scene.farm.get(f"{path}/statement", params={"format": "csv"}).content.decode("utf-8-sig"))))
    assert [line[6] for line in table] == ["amount (yuan)", "699.00", "209.70"]
    printed = scene.farm.get(f"{path}/statement.pdf")
    assert printed.content.startswith(b"%PDF")
    assert scene.bees.get(f"{path}/statement.pdf").status_code == 404
    listed = scene.cashier.get("/v1/settlements", params={"format": "csv"}).text
    assert row["number"] in listed
    for path, title in (
        ("settlements", "结算单"),
        ("settlements/periods", "结算期"),
        ("settlements/balances", "供应商往来"),
        ("payouts", "付款"),
    ):
        answer = scene.cashier.get(f"/v1/{path}", params={"format": "xlsx"}, headers={"Accept-Language": "zh"})
        [(named, lines)] = tables.book(answer.content).items()
        assert named == title
        assert (lines[-1][0], "699" in lines[-1]) == ("合计", True), path


def test_what_goes_back_after_the_settlement_is_taken_off_the_next(scene):
    first = scene.delivered(10)
    scene.later(20)
    scene.run()
    assert scene.settlement()["due"] == "699.00"
    back = ask_back(scene.api, scene.market, first, 10)
    assert back.status_code == 201, back.text
    closed = scene.farm.post(f"/v1/returns/{back.json()['id']}/approve", json={"without_goods": True})
    assert closed.json()["status"] == "closed"
    scene.delivered(4)
    scene.later(20)
    scene.run()
    second = scene.settlement()
    taken_back = scene.farm.get(f"/v1/settlements/{second['id']}/lines").json()["items"][0]
    assert (taken_back["kind"], taken_back["order_line_no"], taken_back["shipment_id"]) == ("return", 1, first.shipment)
    assert (second["sales"], second["returns"], second["net"], second["due"]) == ("279.60", "-699.00", "-419.40", "0.00")
    assert second["payout_id"] is None
    assert scene.farm.get("/v1/settlements/mine").json()["settled"] == "279.60"
    scene.delivered(10)
    scene.later(20)
    scene.run()
    third = scene.settlement()
    assert (third["carried"], third["net"], third["due"]) == ("-419.40", "699.00", "279.60")
    assert differences(scene.database) == {}


def test_what_was_corrected_is_shown_with_its_delivery(scene):
    made = scene.delivered(10)
    for quantity in ("8", "9"):
        truth = {"reason": "复点", "lines": [{"order_line_id": made.line, "accepted_quantity": quantity}]}
        correction = scene.farm.post(f"/v1/shipments/{made.shipment}/corrections", json=truth).json()["id"]
        buyer = scene.api.as_(scene.market.purchaser)
        assert buyer.post(f"/v1/acceptance-corrections/{correction}/agree", json={}).status_code in (200, 201)
    scene.later(20)
    scene.run()
    lines = scene.farm.get(f"/v1/settlements/{scene.settlement()['id']}/lines").json()["items"]
    assert [(line["kind"], line["amount"]) for line in lines] == [
        ("sale", "699.00"),
        ("return", "-699.00"),
        ("sale", "559.20"),
        ("return", "-559.20"),
        ("sale", "629.10"),
    ]
    assert {(line["shipment_id"], line["order_line_no"]) for line in lines} == {(made.shipment, 1)}
    # so do the documents behind the sale
    with scene.database.unit_of_work() as session:
        entry = session.execute(text("SELECT max(id) FROM sale_entry WHERE reverses_id IS NULL")).scalar_one()
    documents = signed_in(scene.api, Role.PLATFORM_ADMIN).get(f"/v1/sale-entries/{entry}").json()["documents"]
    assert made.shipment in [each["id"] for each in documents if each["kind"] == "shipment"]


def test_a_supplier_objects_and_is_answered(scene):
    scene.account()
    scene.delivered(10)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    path = f"/v1/settlements/{row['id']}"
    assert scene.bees.post(f"{path}/object", json={"reason": "少一单"}).status_code == 404
    assert scene.farm.post(f"{path}/object", json={"reason": "少一单"}).json()["status"] == "objected"
    assert scene.farm.post(f"{path}/object", json={"reason": "少一单"}).json()["code"] == "illegal_move"
    refused = scene.cashier.post(f"/v1/payouts/{row['payout_id']}/approve", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "settlement_objected")
    answered = scene.cashier.post(f"{path}/answer", json={"answer": "该单在争议中，列入下期"}).json()
    assert (answered["status"], answered["objections"][0]["answer"]) == ("answered", "该单在争议中，列入下期")
    assert scene.farm.post(f"{path}/confirm").json()["status"] == "confirmed"
    assert scene.release(row["payout_id"]).json()["status"] == "released"
    outbox.drain(scene.database, HANDLERS)
    assert "settlement.objected" in {item["kind"] for item in scene.cashier.get("/v1/notifications").json()["items"]}
    assert "settlement.answered" in {item["kind"] for item in scene.farm.get("/v1/notifications").json()["items"]}


def test_after_an_answer_the_supplier_has_the_days_for_objections_anew(scene):
    scene.account()
    scene.delivered(10)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    path, payout = f"/v1/settlements/{row['id']}", f"/v1/payouts/{row['payout_id']}"

    def may():
        return scene.treasurer.get(payout).json()["possible_actions"]

    until = date.fromisoformat(row["objections_until"])
    scene.later((until - clock.today()).days)
    scene.farm.post(f"{path}/object", json={"reason": "少一单"})
    assert may() == []
    assert scene.cashier.get(path).json()["possible_actions"] == ["answer"]
    scene.later(2)  # the days of before are over when it is answered
    answered = scene.cashier.post(f"{path}/answer", json={"answer": "无误"}).json()
    until = clock.today() + timedelta(days=3)
    assert (answered["objections_until"], scene.farm.get(path).json()["possible_actions"]) == (str(until), ["confirm", "object"])
    assert may() == ["approve"]
    assert [scene.farm.get(payout).json()["possible_actions"], scene.cashier.get(path).json()["possible_actions"]] == [[], []]
    scene.cashier.post(f"{payout}/approve", json={})
    refused = scene.treasurer.post(f"{payout}/release")
    assert (refused.json()["code"], may()) == ("objection_period_running", ["withdraw"])
    [waits] = scene.treasurer.get("/v1/finance/waiting", params={"kind": "payout"}).json()["items"]
    assert waits["not_before"] == str(until + timedelta(days=1))
    assert scene.farm.post(f"{path}/object", json={"reason": "仍少一单"}).json()["status"] == "objected"
    assert scene.treasurer.post(f"{payout}/release").json()["code"] == "settlement_objected"
    scene.cashier.post(f"{path}/answer", json={"answer": "已逐单核对"})
    scene.later(4)
    assert may() == ["release", "withdraw"]
    assert scene.cashier.get(payout).json()["possible_actions"] == ["withdraw"]  # another person releases what it approved
    assert scene.treasurer.post(f"{payout}/release").json()["status"] == "released"
    assert differences(scene.database) == {}


def test_objections_end_and_then_it_is_paid_without_a_word(scene):
    scene.account()
    scene.delivered(10)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    path = f"/v1/settlements/{row['id']}"
    assert scene.farm.get(path).json()["possible_actions"] == ["confirm", "object"]
    scene.later(4)
    assert scene.farm.get(path).json()["possible_actions"] == ["confirm"]
    late = scene.farm.post(f"/v1/settlements/{row['id']}/object", json={"reason": "少一单"})
    assert (late.status_code, late.json()["code"]) == (409, "objection_too_late")
    assert scene.release(row["payout_id"]).status_code == 200


@pytest.mark.parametrize("left", [False, True])
def test_a_payout_that_fails_is_owed_again_and_released_again(scene, left):
    scene.account()
    row = scene.settled()
    payout = f"/v1/payouts/{row['payout_id']}"
    scene.release(row["payout_id"])
    if left:
        scene.cashier.post(f"{payout}/confirm", json={"reference": "B-1"})
    else:
        assert scene.cashier.post(f"{payout}/send", json={"reference": "B-1"}).json()["status"] == "sent"
    failed = scene.fails(row["payout_id"], "账号户名不符")
    assert (failed["status"], failed["attempts"][0]["outcome"]) == ("failed", "failed")
    assert (scene.balance("settled"), scene.balance("payouts")) == (-69_900, 0)
    assert scene.cashier.post(f"{payout}/fail", json={"reason": "再"}).json()["code"] == "illegal_move"
    assert scene.treasurer.post(f"{payout}/release").json()["code"] == "illegal_move"
    assert scene.treasurer.post(f"{payout}/approve", json={}).status_code == 200
    for who in (scene.treasurer, scene.cashier):  # who approved it again, and who drafted it
        assert who.post(f"{payout}/release").json()["code"] == "two_persons_needed"
    with scene.database.unit_of_work() as session:
        third = make_user(session, Role.PLATFORM_FINANCE)
    again = scene.api.as_(third).post(f"{payout}/release")
    assert (again.status_code, len(again.json()["attempts"])) == (200, 2)
    assert scene.cashier.post(f"{payout}/confirm", json={"reference": "B-2"}).json()["status"] == "paid"
    assert (scene.balance("settled"), scene.balance("payouts")) == (0, 0)
    assert scene.rows("SELECT sum(amount_fen)::bigint FROM money_posting WHERE account = 'bank'") == [(0,)]  # came in and went out
    assert differences(scene.database) == {}
