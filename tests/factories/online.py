"""A market whose buyers pay online, against the stand-in of the provider."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from orders.money.queries import balance
from orders.online.actions.reconciling import Report, reconcile
from orders.online.actions.sending import send_due
from orders.online.provider import Provider
from orders.online.seen import CURRENCY
from shop.core import outbox
from shop.core.db import Database
from shop.identity.actor import CITY
from shop.identity.models import User
from shop.identity.permissions import Role
from tests.conftest import Api
from tests.databases import begin_with
from tests.factories.identity import make_user
from tests.factories.orders import Market, make_market
from tests.stripe_twin.fixture import Twin
from workers.handlers import HANDLERS


@dataclass
class Online:
    """Everybody who takes part, and what the background does, done here and now."""

    api: Api
    database: Database
    twin: Twin
    market: Market
    provider: Provider
    cashier: User
    treasurer: User

    @property
    def buyer(self) -> Api:
        return self.api.as_(self.market.purchaser)

    def order(self, *quantities: Any) -> dict[str, Any]:
        answer = self.buyer.post("/v1/purchase-orders", json=self.market.order(*(quantities or (10,))))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def begin(self, order_id: int, method: str = "card", **body: Any) -> dict[str, Any]:
        answer = self.buyer.post(f"/v1/purchase-orders/{order_id}/online-payments", json={"method": method, **body})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def work(self) -> None:
        """Events and calls, until nothing is due."""
        while outbox.drain(self.database, HANDLERS) + send_due(self.database, self.provider):
            pass

    def read(self, online_payment_id: int) -> dict[str, Any]:
        return dict(self.buyer.get(f"/v1/online-payments/{online_payment_id}").json())

    def intent(self, online_payment_id: int) -> str:
        return str(self.sql("SELECT intent_id FROM online_payment WHERE id = :id", id=online_payment_id))

    def confirm(self, intent: str, card: str = "pm_card_visa") -> Any:
        """The payer's browser sends the card to the provider."""
        return self.twin.client().v1.payment_intents.confirm(intent, {"payment_method": card})

    def paid(self, *quantities: Any, card: str = "pm_card_visa", **body: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """An order that was paid by card, and the online payment."""
        order = self.order(*quantities)
        payment = self.begin(order["id"], **body)
        self.work()
        self.confirm(self.intent(payment["id"]), card)
        self.reconcile()
        payment = self.read(payment["id"])
        assert payment["status"] == "succeeded", payment
        return order, payment

    def refund(self, order_id: int, payment_id: int, amount: str) -> int:
        """Ask for a refund and release it, by two persons."""
        path = f"/v1/purchase-orders/{order_id}/refunds"
        asked = self.api.as_(self.cashier).post(path, json={"amount": amount, "reason": "退货", "payment_id": payment_id})
        assert asked.status_code == 201, asked.text
        released = self.api.as_(self.treasurer).post(f"/v1/refunds/{asked.json()['id']}/approve")
        assert released.status_code == 200, released.text
        return int(asked.json()["id"])

    def reconcile(self, patience: timedelta = timedelta(0)) -> Report:
        self.twin.advance(5)  # the lines of charges come a second later than the charges
        report = reconcile(self.database, self.provider, patience=patience)
        outbox.drain(self.database, HANDLERS)
        return report

    def sql(self, statement: str, **values: Any) -> Any:
        with self.database.unit_of_work() as session:
            return session.execute(text(statement), values).scalar()

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.database.unit_of_work() as session:
            return list(session.execute(text(statement), values).all())

    def account(self, name: str) -> int:
        with self.database.unit_of_work() as session:
            return balance(session, name)

    def at_provider(self) -> int:
        balance = self.twin.client().v1.balance.retrieve()
        return sum(each.amount for part in (balance.available, balance.pending) for each in part if each.currency == CURRENCY)


def _made(database: Database) -> tuple[Market, User, User]:
    market = make_market(database, stock=100_000)
    with database.unit_of_work() as session:
        cashier, treasurer = (make_user(session, Role.PLATFORM_FINANCE, region_code=CITY) for _ in range(2))
        return market, cashier, treasurer


def make_online(api: Api, database: Database, twin: Twin) -> Online:
    market, cashier, treasurer = begin_with(database, "online", lambda: _made(database))
    provider = Provider(twin.key, twin.url, timeout=(1, 2), retries=1)
    return Online(api, database, twin, market, provider, cashier, treasurer)
