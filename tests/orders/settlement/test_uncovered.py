"""A payment that is taken back after suppliers were settled with: told to finance, not taken from the supplier, and stopped before it is paid out."""

import pytest
from sqlalchemy import text

from orders.money import actions as money
from orders.money.rules import Account, Kind, Place, carry
from shop.identity.permissions import Role
from tests.factories.after_sales import ask_back, differences
from tests.factories.identity import make_user


def take_back(scene, order_id):
    """The match of a bank line with an order was wrong."""
    [(match_id,)] = scene.rows("SELECT id FROM bank_match WHERE purchase_order_id = :id AND undone_at IS NULL", id=order_id)
    undone = scene.cashier.post(f"/v1/bank-matches/{match_id}/undo", json={"reason": "款项属于别的单位"})
    assert undone.status_code == 200, undone.text


def listed(scene, **asked):
    answer = scene.cashier.get("/v1/settlements/uncovered", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


@pytest.fixture
def made(scene):
    """An order of 699.00, delivered, paid and settled."""
    scene.account()
    delivered = scene.delivered(10)
    scene.later(20)
    scene.run()
    row = scene.settlement()
    scene.farm.post(f"/v1/settlements/{row['id']}/confirm")
    assert listed(scene) == []
    return delivered, row


@pytest.mark.slow
def test_what_was_paid_out_and_is_not_there_any_more_is_listed(scene, made):
    delivered, row = made
    assert scene.release(row["payout_id"]).status_code == 200
    scene.cashier.post(f"/v1/payouts/{row['payout_id']}/confirm", json={"reference": "B-1"})
    take_back(scene, delivered.order_id)
    [found] = listed(scene)
    assert (found["purchase_order_id"], found["settled"], found["received"], found["missing"]) == (
        delivered.order_id,
        "699.00",
        "0.00",
        "699.00",
    )
    assert (found["buyer_name"], found["supplier_names"]) == (scene.market.school.name, [scene.market.suppliers[0].name])
    assert listed(scene, buyer_id=found["buyer_id"] + 1) == []
    table = scene.cashier.get("/v1/settlements/uncovered", params={"format": "csv"}).content.decode("utf-8-sig").splitlines()
    assert table[1].endswith("699.00,0.00,699.00")
    # nothing is taken from the supplier, and the books agree; the buyer owes the order again
    assert (scene.balance("payable"), scene.balance("settled")) == (0, 0)
    assert scene.rows("SELECT sum(amount_fen)::bigint FROM money_posting WHERE account = 'receivable'") == [(69_900,)]
    assert differences(scene.database) == {}
    scene.later(20)
    scene.run()
    assert scene.settlement()["id"] == row["id"]
    # paid in part, and in full
    scene.pay(delivered.order_id, 9_900)
    assert listed(scene)[0]["missing"] == "600.00"
    scene.pay(delivered.order_id)
    assert listed(scene) == []
    assert differences(scene.database) == {}


def test_a_payout_is_not_released_when_its_money_is_gone(scene, made):
    delivered, row = made
    take_back(scene, delivered.order_id)
    refused = scene.release(row["payout_id"])
    assert (refused.status_code, refused.json()["code"], refused.json()["data"]["missing"]) == (
        409,
        "money_no_longer_received",
        "699.00",
    )
    path = f"/v1/payouts/{row['payout_id']}"
    assert scene.cashier.get(path).json()["status"] == "approved"
    assert scene.treasurer.post(f"{path}/release", json={"despite": ""}).status_code == 422
    released = scene.treasurer.post(f"{path}/release", json={"despite": "学校已书面承诺重付"})
    assert (released.status_code, released.json()["status"]) == (200, "released")
    assert scene.rows("SELECT reason FROM audit_event WHERE action = 'payout.release'") == [("学校已书面承诺重付",)]
    assert differences(scene.database) == {}


def test_a_payout_to_a_supplier_that_is_barred_by_now_takes_a_reason(scene, made):
    _, row = made
    scene.rows("UPDATE organisation SET status = 'suspended' WHERE id = :id RETURNING id", id=row["supplier_id"])
    refused = scene.release(row["payout_id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "supplier_barred")
    path = f"/v1/payouts/{row['payout_id']}/release"
    assert scene.treasurer.post(path, json={"despite": "法院裁定应付"}).json()["status"] == "released"
    assert scene.rows("SELECT reason FROM audit_event WHERE action = 'payout.release'") == [("法院裁定应付",)]


def test_another_settlement_is_not_held_up(scene, made):
    delivered, _ = made
    scene.account(1, "6222021009014400777")
    scene.delivered(None, 1, of=1)
    scene.later(20)
    scene.run()
    other = scene.settlement(1)
    scene.bees.post(f"/v1/settlements/{other['id']}/confirm")
    take_back(scene, delivered.order_id)
    assert scene.release(other["payout_id"]).status_code == 200


def test_what_went_back_after_the_settlement_is_no_loss(scene, made):
    delivered, _ = made
    asked = ask_back(scene.api, scene.market, delivered, 3)
    assert scene.farm.post(f"/v1/returns/{asked.json()['id']}/approve", json={"without_goods": True}).status_code == 200
    assert listed(scene) == []
    take_back(scene, delivered.order_id)
    # 209.70 of it is for the next settlement to take up
    assert [(each["settled"], each["missing"]) for each in listed(scene)] == [("489.30", "489.30")]
    assert differences(scene.database) == {}


def test_a_charge_that_is_argued_over_waits_and_one_that_is_lost_is_owed_again(scene):
    """By the postings that a charge dispute makes; the provider's part of it is tested with online payments."""
    delivered = scene.delivered(10)
    order_id = delivered.order_id
    [(buyer_id,)] = scene.rows("SELECT buyer_id FROM purchase_order WHERE id = :id", id=order_id)
    argued, owed = Place(Account.CHARGEBACKS, buyer_id, order_id), Place(Account.RECEIVABLE, buyer_id, order_id)

    def book(kind, **sides):
        with scene.database.unit_of_work() as session:
            money.book(session, kind, 1, carry(69_900, **sides))

    book(Kind.CHARGEBACK, to=argued, out_of=Place(Account.ONLINE, None, order_id))
    scene.later(20)
    assert scene.held() == [("not_received", "699.00")]
    scene.run()
    assert scene.rows("SELECT count(*) FROM settlement") == [(0,)]
    book(Kind.CHARGEBACK_CLOSED, to=owed, out_of=argued)
    assert scene.held() == [("unpaid", "699.00")]


def test_a_charge_that_is_lost_after_the_settlement_is_listed(scene, made):
    delivered, _ = made
    order_id = delivered.order_id
    [(buyer_id,)] = scene.rows("SELECT buyer_id FROM purchase_order WHERE id = :id", id=order_id)
    with scene.database.unit_of_work() as session:
        argued = Place(Account.CHARGEBACKS, buyer_id, order_id)
        money.book(session, Kind.CHARGEBACK, 1, carry(69_900, to=argued, out_of=Place(Account.ONLINE, None, order_id)))
    assert [each["missing"] for each in listed(scene)] == ["699.00"]
    with scene.database.unit_of_work() as session:
        won = Place(Account.ONLINE, None, order_id)
        money.book(session, Kind.CHARGEBACK_CLOSED, 1, carry(69_900, to=won, out_of=argued))
    assert listed(scene) == []


def test_where_suppliers_are_paid_before_the_buyer_pays_nothing_stops_the_release(scene, made):
    delivered, row = made
    take_back(scene, delivered.order_id)
    with scene.database.unit_of_work() as session:
        session.execute(
            text("UPDATE programme SET config = jsonb_set(config, '{settlement}', '{\"when_paid\": false}'::jsonb, true)")
        )
    assert scene.release(row["payout_id"]).status_code == 200


def test_who_sees_the_list(scene, made):
    delivered, _ = made
    take_back(scene, delivered.order_id)
    assert scene.farm.get("/v1/settlements/uncovered").status_code == 403
    with scene.database.unit_of_work() as session:
        elsewhere = make_user(session, Role.PLATFORM_FINANCE, region_code="500229")
    assert scene.api.as_(elsewhere).get("/v1/settlements/uncovered").json()["items"] == []
    assert scene.cashier.get("/v1/settlements/uncovered", params={"after": "?"}).status_code == 422
