"""A market whose money goes through one bank account, and the people who keep it."""

import pytest
from sqlalchemy import text

from orders.money.references import payment_reference
from orders.reconcile import report
from shop.core import clock, outbox
from shop.core.money import fen_from_yuan
from shop.identity.permissions import Role
from tests.databases import begin_with, step
from tests.factories.identity import make_user
from tests.factories.orders import make_market
from tests.factories.settling import make_settling
from workers.handlers import HANDLERS


class Desk:
    """Platform finance at its desk."""

    def __init__(self, api, database, market):
        self.api, self.database, self.market = api, database, market
        self.cashier, self.treasurer, self.district = begin_with(database, "desk", self._people)
        self.client = api.as_(self.cashier)
        self.second = api.as_(self.treasurer)

    def _people(self):
        with self.database.unit_of_work() as session:
            return [make_user(session, Role.PLATFORM_FINANCE, region_code=code) for code in (None, None, "500236")]

    def order(self, *quantities):
        return step(self.database, f"order {quantities}", lambda: self._order(*quantities))

    def _order(self, *quantities):
        placed = self.api.as_(self.market.purchaser).post("/v1/purchase-orders", json=self.market.order(*quantities))
        assert placed.status_code == 201, placed.text
        return placed.json()

    def due(self, order):
        shown = self.api.as_(self.market.finance).get(f"/v1/purchase-orders/{order['id']}").json()
        return fen_from_yuan(shown["due"])

    def announce(self, order, amount, reference, payer="沙坪坝中学"):
        body = {"amount": amount, "bank_reference": reference, "payer_name": payer, "paid_on": str(clock.today())}
        answer = self.api.as_(self.market.finance).post(f"/v1/purchase-orders/{order['id']}/payments", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def upload(self, content, name="流水.csv", path="/v1/bank-statements", **form):
        return self.client.post(path, files={"file": (name, content)}, data=form)

    def imported(self, content, **form):
        """A statement, imported and matched by rule."""
        answer = self.upload(content, **form)
        assert answer.status_code == 201, answer.text
        self.drain()
        return self.client.get(f"/v1/bank-statements/{answer.json()['id']}").json()

    def drain(self):
        outbox.drain(self.database, HANDLERS)

    def lines(self, **asked):
        return self.client.get("/v1/bank-lines", params=asked).json()["items"][::-1]

    def line(self, line_id):
        return self.client.get(f"/v1/bank-lines/{line_id}").json()

    def match(self, line_id, *parts, client=None, headers=None, **more):
        return (client or self.client).post(
            f"/v1/bank-lines/{line_id}/matches", json={"parts": list(parts), **more}, headers=headers
        )

    def pay_order(self, line_id, order, amount, **more):
        return self.match(line_id, {"kind": "order", "purchase_order_id": order["id"], "amount": amount}, **more)

    def write_off(self, line_id, entry, amount, client=None):
        """Asked for by the cashier, unless somebody else does; it waits for the second person."""
        body = {"entry": entry, "amount": amount, "reason": "银行自身收支"}
        return (client or self.client).post(f"/v1/bank-lines/{line_id}/write-offs", json=body)

    def written_off(self, line_id, entry, amount):
        """Asked for by the cashier and approved by the treasurer; returns the line."""
        asked = self.write_off(line_id, entry, amount)
        assert asked.status_code == 201, asked.text
        approved = self.second.post(f"/v1/bank-write-offs/{asked.json()['id']}/approve", json={})
        assert approved.status_code == 200, approved.text
        return self.line(line_id)

    def balance(self, account):
        with self.database.unit_of_work() as session:
            statement = text("SELECT coalesce(sum(amount_fen), 0)::bigint FROM money_posting WHERE account = :account")
            return session.execute(statement, {"account": account}).scalar_one()

    def agrees(self):
        """Reconciliation finds nothing, and the bank's balance is that of the books."""
        with self.database.unit_of_work() as session:
            found = [finding for finding in report.findings(session) if finding.count]
        assert found == []
        shown = self.client.get("/v1/bank-reconciliation").json()
        assert shown["difference"] == "0.00", shown
        return shown


@pytest.fixture
def market(database):
    return make_market(database)


@pytest.fixture
def desk(api, database, market):
    return Desk(api, database, market)


@pytest.fixture
def scene(api, database, monkeypatch):
    return make_settling(api, database, monkeypatch)


@pytest.fixture
def row(scene):
    """The settlement of 699.00 with a released payout."""
    return scene.paid_out()


def reference_of(order):
    assert order["payment_reference"] == payment_reference(order["id"])
    return order["payment_reference"]
