"""Who bears a payment that the buyer's bank took back for good after suppliers were settled with, and who gets it back."""

import json

import pytest
from sqlalchemy import text

from orders.settlement.actions import losing
from tests.factories.after_sales import days_later, differences
from tests.factories.money import bank_shows
from tests.factories.racing import at_once
from tests.orders.online.test_refunding import dispute

# 10 boxes
PRICE = 69_900


class Story:
    """A farm that is settled with, and orders that are paid online."""

    def __init__(self, online, monkeypatch):
        self.online, self.monkeypatch, self.day = online, monkeypatch, 0

    @property
    def cashier(self):
        return self.online.api.as_(self.online.cashier)

    @property
    def farm(self):
        return self.online.api.as_(self.online.market.sellers[0])

    def programme_says(self, **settlement):
        change = "UPDATE programme SET config = jsonb_set(config, '{settlement}', config -> 'settlement' || CAST(:says AS jsonb))"
        with self.online.database.unit_of_work() as session:
            session.execute(text(change), {"says": json.dumps(settlement)})

    def sold(self, boxes=10):
        """An order that is paid, delivered and accepted; returns its online payment and the delivery."""
        order, payment = self.online.paid(boxes)
        part = order["supplier_orders"][0]["id"]
        assert self.farm.post(f"/v1/supplier-orders/{part}/confirm").status_code == 200
        shipment = self.farm.post(f"/v1/supplier-orders/{part}/shipments", json={}).json()
        assert self.online.buyer.post(f"/v1/shipments/{shipment['id']}/acceptance", json={}).status_code == 201
        return payment, shipment

    def settled(self):
        """The settlement with the farm of a period that is over by now, or None if there is none."""
        self.day += 20
        days_later(self.monkeypatch, self.day)
        answer = self.cashier.post("/v1/settlements/run", json={})
        assert answer.status_code == 201, answer.text
        if not answer.json()["settlements"]:
            return None
        return self.cashier.get("/v1/settlements", params={"limit": 1}).json()["items"][0]

    def lines(self, settlement):
        path = f"/v1/settlements/{settlement['id']}/lines"
        return [(line["kind"], line["amount"]) for line in self.farm.get(path).json()["items"]]

    def lost(self, payment):
        """The buyer's bank takes a payment back for good."""
        made = dispute(self.online, payment)
        self.online.reconcile()
        self.online.twin.tell(f"disputes/{made['id']}", outcome="lost")
        self.online.reconcile()
        return made

    def won_after_all(self, made):
        self.online.twin.tell(f"disputes/{made['id']}", outcome="won")
        self.online.reconcile()

    def stands(self):
        """What the farm is owed, what it bears, and what buyers owe, in fen."""
        return -self.online.account("payable"), -self.online.account("borne"), self.online.account("receivable")

    def uncovered(self):
        return [row["missing"] for row in self.cashier.get("/v1/settlements/uncovered").json()["items"]]

    def told(self, kind):
        return len(self.online.rows("SELECT 1 FROM notification WHERE kind = :kind", kind=kind))

    def agrees(self):
        assert differences(self.online.database) == {}
        assert self.online.at_provider() == self.online.account("online")


@pytest.fixture
def story(online, monkeypatch):
    return Story(online, monkeypatch)


def test_the_marketplace_bears_it_unless_the_programme_says_otherwise(story):
    payment, _ = story.sold()
    assert story.settled()["due"] == "699.00"
    made = story.lost(payment)
    assert (story.stands(), story.uncovered()) == ((0, 0, PRICE), ["699.00"])
    story.agrees()
    # and it has the money again when the bank gives it back
    story.won_after_all(made)
    assert (story.stands(), story.uncovered()) == ((0, 0, 0), [])
    shown = story.cashier.get("/v1/charge-disputes").json()["items"]
    assert [row["status"] for row in shown] == ["won"]
    order = story.online.buyer.get(f"/v1/purchase-orders/{payment['purchase_order_id']}").json()
    assert (order["paid"], order["announced"], order["due"]) == ("699.00", "0.00", "0.00")
    story.agrees()
    assert story.settled() is None


@pytest.mark.slow
def test_what_the_supplier_bears_comes_off_the_next_settlement_and_comes_back_when_the_bank_gives_it_back(story):
    story.programme_says(lost_payments="supplier")
    payment, _ = story.sold()
    assert story.settled()["due"] == "699.00"
    made = story.lost(payment)
    assert (story.stands(), story.uncovered()) == ((-PRICE, PRICE, PRICE), [])
    assert (story.told("loss_share.borne"), story.told("loss_share.returned")) == (1, 0)
    story.agrees()
    story.sold(15)
    row = story.settled()
    assert sorted(story.lines(row)) == [("loss_borne", "-699.00"), ("sale", "1048.50")]
    assert (row["other"], row["commission"], row["due"]) == ("-699.00", "0.00", "349.50")
    sheet = story.farm.get(f"/v1/settlements/{row['id']}/statement", params={"format": "csv"})
    assert "taken back by the buyer's bank, borne by the supplier" in sheet.text
    story.agrees()
    story.won_after_all(made)
    story.online.reconcile()  # once more changes nothing
    assert (story.stands(), story.uncovered(), story.told("loss_share.returned")) == ((PRICE, 0, 0), [], 1)
    row = story.settled()
    assert (story.lines(row), row["due"]) == ([("loss_returned", "699.00")], "699.00")
    story.agrees()


@pytest.mark.slow
def test_what_the_supplier_bears_is_its_own_again_when_the_buyer_pays_after_all(story):
    story.programme_says(lost_payments="supplier")
    payment, _ = story.sold()
    story.settled()
    made = story.lost(payment)
    order_id = payment["purchase_order_id"]
    bank_shows(story.cashier, story.online.database, order_id, 20_000)
    assert story.stands() == (20_000 - PRICE, PRICE - 20_000, PRICE - 20_000)
    bank_shows(story.cashier, story.online.database, order_id, PRICE - 20_000)
    assert story.stands() == (0, 0, 0)
    story.agrees()
    # the bank gives it back on top of that: it was the buyer who bore it in the end
    story.won_after_all(made)
    assert story.stands() == (0, 0, -PRICE)
    story.agrees()


@pytest.mark.slow
def test_nothing_is_borne_of_what_no_settlement_took_up(story):
    story.programme_says(lost_payments="supplier")
    payment, _ = story.sold()
    story.lost(payment)
    assert story.stands() == (PRICE, 0, PRICE)
    assert story.settled() is None
    held = story.cashier.get("/v1/settlements/held").json()["items"]
    assert [(row["hold"], row["amount"]) for row in held] == [("unpaid", "699.00")]
    story.agrees()


@pytest.mark.slow
def test_goods_that_go_back_are_not_borne_twice(story):
    story.programme_says(lost_payments="supplier", hold_days=0)
    payment, shipment = story.sold()
    story.settled()
    story.lost(payment)
    line = shipment["lines"][0]["order_line_id"]
    back = {"reason_code": "quality", "reason": "冻伤", "lines": [{"order_line_id": line, "quantity": "3"}]}
    asked = story.online.buyer.post(f"/v1/shipments/{shipment['id']}/returns", json=back)
    assert asked.status_code == 201, asked.text
    assert story.farm.post(f"/v1/returns/{asked.json()['id']}/approve", json={"without_goods": True}).status_code == 200
    assert story.stands() == (-PRICE - 20_970, PRICE, PRICE - 20_970)
    assert story.settled() is not None
    # three boxes are the farm's own again, and the buyer owes seven, which the farm bears
    assert story.online.account("borne") == -(PRICE - 20_970)
    story.agrees()


@pytest.mark.slow
def test_the_same_loss_told_by_many_at_once_is_borne_once(story):
    payment, _ = story.sold()
    story.settled()
    story.lost(payment)
    story.programme_says(lost_payments="supplier")
    dispute_id = story.online.sql("SELECT id FROM charge_dispute")

    def bear():
        with story.online.database.unit_of_work() as session:
            losing.bear(session, dispute_id)

    at_once([bear] * 8)
    assert story.stands() == (-PRICE, PRICE, PRICE)
    story.agrees()
