"""People who keep the marketplace's money, and orders with money on them."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import text

from orders.money.references import payment_reference
from orders.money.rules import Account
from shop.core import clock, outbox
from shop.core.db import Database
from shop.core.money import fen_from_yuan
from shop.identity.models import User
from tests.databases import step
from tests.factories.orders import Market, make_market_with_keepers
from tests.factories.statements import held_at_bank, statement
from workers.handlers import HANDLERS

T = TypeVar("T")

PAYEE = {"name": "沙坪坝中学", "account": "3100 0210 0901 4400 123", "bank": "工商银行"}
_references = itertools.count(1)


def bank_shows(cashier: Any, database: Database, order_id: int, fen: int) -> None:
    """Import a statement with one transfer of the school for an order, of so many fen. Rules match it."""
    line = (fen, "沙坪坝中学", payment_reference(order_id), f"T{next(_references)}")
    content = statement(line, opening=held_at_bank(cashier))
    imported = cashier.post("/v1/bank-statements", files={"file": ("流水.csv", content)})
    assert imported.status_code == 201, imported.text
    outbox.drain(database, HANDLERS)


@dataclass
class Till:
    """A market, and the two persons of the platform who keep its money."""

    api: Any
    database: Database
    market: Market
    people: dict[str, User]

    def __post_init__(self) -> None:
        self._clients: dict[str, Any] = {}

    def begun(self, name: str, make: Callable[[], T]) -> T:
        """What ``make`` makes; if a test begins with it, a copy, as of a scene."""
        return step(self.database, name, make)

    def as_(self, who: str) -> Any:
        if who not in self._clients:
            self._clients[who] = self.api.as_(self.people[who])
        return self._clients[who]

    def order(self, *quantities: Any) -> dict[str, Any]:
        return self.begun(f"order {quantities}", lambda: self._order(*quantities))

    def _order(self, *quantities: Any) -> dict[str, Any]:
        placed = self.as_("purchaser").post("/v1/purchase-orders", json=self.market.order(*quantities))
        assert placed.status_code == 201, placed.text
        made: dict[str, Any] = placed.json()
        return made

    def pay(self, order_id: int, amount: str, who: str = "finance", **more: Any) -> Any:
        body = {
            "amount": amount,
            "bank_reference": f"T{next(_references)}",
            "payer_name": "沙坪坝中学",
            "paid_on": str(clock.today()),
            **more,
        }
        return self.as_(who).post(f"/v1/purchase-orders/{order_id}/payments", json=body)

    def arrived(self, order_id: int, amount: str) -> None:
        """A transfer for an order that the bank's statement shows, and a rule matches."""
        fen = fen_from_yuan(amount)
        self.begun(f"arrived {order_id} {fen}", lambda: bank_shows(self.as_("cashier"), self.database, order_id, fen))

    def unmatched(self) -> None:
        """What the bank showed last was for something else."""
        undone = self.undo_last()
        assert undone.status_code == 200, undone.text

    def undo_last(self) -> Any:
        """Take back how the last line of the bank was matched."""
        cashier = self.as_("cashier")
        line_id = cashier.get("/v1/bank-lines").json()["items"][0]["id"]
        [match] = cashier.get(f"/v1/bank-lines/{line_id}").json()["matches"]
        return cashier.post(f"/v1/bank-matches/{match['id']}/undo", json={"reason": "另一单位的款"})

    def credit(self, *amounts: str) -> int:
        """An order that was paid, by so many transfers, and cancelled: the buyer has all of it to its credit. Returns the order's id."""
        return self.begun(f"credit {amounts}", lambda: self._credit(*amounts))

    def _credit(self, *amounts: str) -> int:
        order_id: int = self.order(10)["id"]
        for amount in amounts or ("69.90",):
            self.arrived(order_id, amount)
        cancelled = self.as_("purchaser").post(f"/v1/purchase-orders/{order_id}/cancel", json={"reason": "计划有变"})
        assert cancelled.status_code == 200, cancelled.text
        return order_id

    def ask_back(self, order_id: int, amount: str, who: str = "cashier", **more: Any) -> Any:
        body = {"amount": amount, "reason": "订单取消", "payee": PAYEE, **more}
        return self.as_(who).post(f"/v1/purchase-orders/{order_id}/refunds", json=body)

    def move(self, refund_id: int, move: str, who: str = "treasurer") -> Any:
        body = {"send": {"reference": "HK-1"}, "confirm": {"reference": "HK-1"}, "approve": None}.get(move, {"reason": "理由"})
        return self.as_(who).post(f"/v1/refunds/{refund_id}/{move}", json=body)

    def fails(self, refund_id: int) -> Any:
        """The cashier says that it failed; of what was paid the treasurer confirms it. Returns the refund."""
        said = self.move(refund_id, "fail", "cashier")
        assert said.status_code == 200, said.text
        if report := said.json()["failure_report_id"]:
            confirmed = self.as_("treasurer").post(f"/v1/failure-reports/{report}/approve", json={})
            assert confirmed.status_code == 200, confirmed.text
        return self.as_("cashier").get(f"/v1/refunds/{refund_id}").json()

    def due(self, order_id: int) -> str:
        return str(self.as_("finance").get(f"/v1/purchase-orders/{order_id}/payments").json()[0]["order_due"])

    def refundable(self, order_id: int) -> str:
        return str(self.as_("finance").get(f"/v1/purchase-orders/{order_id}").json()["refundable"])

    def held(self) -> dict[str, int]:
        """What every account holds, in fen; even ones are left out."""
        with self.database.unit_of_work() as session:
            rows = session.execute(
                text("SELECT account, sum(amount_fen)::bigint FROM money_posting GROUP BY 1 HAVING sum(amount_fen) <> 0")
            )
            return {Account(account): int(fen) for account, fen in rows}


def make_till(api: Any, database: Database) -> Till:
    market, keepers = make_market_with_keepers(database)
    people = {
        "purchaser": market.purchaser,
        "finance": market.finance,
        "seller": market.sellers[0],
        "honey_seller": market.sellers[1],
    }
    return Till(api, database, market, people | keepers)
