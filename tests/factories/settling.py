"""A market whose suppliers are settled with: two who keep its money, orders that are delivered and paid."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import text

from orders.payments import actions as payments
from orders.payments.schemas import Taken
from shop.core import clock, outbox
from shop.core.audit import SYSTEM
from shop.core.db import Database
from shop.core.money import yuan_from_fen
from shop.identity.models import User
from shop.identity.permissions import Role
from tests.databases import step
from tests.factories.after_sales import Delivered, days_later, deliver
from tests.factories.identity import make_user
from tests.factories.orders import Market, make_market_with_keepers
from tests.factories.statements import held_at_bank
from workers.handlers import HANDLERS

T = TypeVar("T")


@dataclass
class Settling:
    """``cashier`` and ``treasurer`` are clients; amounts are fen."""

    api: Any
    database: Database
    market: Market
    monkeypatch: Any
    people: dict[str, User]

    def __post_init__(self) -> None:
        self.cashier = self.api.as_(self.people["cashier"])
        self.treasurer = self.api.as_(self.people["treasurer"])
        self.buyer = self.api.as_(self.market.purchaser)
        self.farm, self.bees = (self.api.as_(seller) for seller in self.market.sellers)
        self._shift = 0
        self._payments = 0

    def begun(self, name: str, make: Callable[[], T]) -> T:
        """What ``make`` makes; if a test begins with it, a copy, as of a scene."""

        def told() -> tuple[T, int, int]:
            return make(), self._shift, self._payments

        made, shift, self._payments = step(self.database, name, told)
        if shift != self._shift:
            self.later(shift - self._shift)
        return made

    def later(self, days: int) -> None:
        """So many days after where the clock stands."""
        self._shift += days
        days_later(self.monkeypatch, self._shift)

    def delivered(self, *quantities: Any, of: int = 0, paid: bool = True) -> Delivered:
        """An order of which one supplier's part is accepted; paid for in full by the bank, unless it is not."""

        def make() -> Delivered:
            made = deliver(self.api, self.market, *quantities, of=of)
            if paid:
                self.pay(made.order_id)
            return made

        return self.begun(f"delivered {quantities} {of} {paid}", make)

    def pay(self, order_id: int, fen: int | None = None, source: str = "unallocated") -> None:
        """The bank shows money for an order, or its buyer says so: so much, or all that is due."""
        self._payments += 1
        with self.database.unit_of_work() as session:
            payments.locked(session, [order_id])
            amount = payments.due_fen(session, order_id) if fen is None else fen
            if source == "announced":
                reference = f"BANK-{order_id}-{self._payments}"
                taken = Taken(order_id, amount, "bank_transfer", source, reference, "沙坪坝中学", clock.today())
                payments.take(session, SYSTEM, taken)
                return
        shown = [
            str(clock.today()),
            "",
            yuan_from_fen(amount),
            yuan_from_fen(held_at_bank(self.cashier) + amount),
            "沙坪坝中学",
            f"S{self._payments}",
        ]
        rows = f"日期,借方,贷方,余额,对方户名,流水号\n{','.join(shown)}\n"
        sent = self.cashier.post("/v1/bank-statements", files={"file": ("a.csv", rows.encode())})
        assert sent.status_code == 201, sent.text
        [line, *_] = self.cashier.get("/v1/bank-lines", params={"unmatched": "true"}).json()["items"]
        part = {"kind": "order", "purchase_order_id": order_id, "amount": yuan_from_fen(amount)}
        matched = self.cashier.post(f"/v1/bank-lines/{line['id']}/matches", json={"parts": [part], "allow_credit": True})
        assert matched.status_code == 201, matched.text

    def shows(self, *lines: Any) -> list[Any]:
        """The bank shows lines (fen, other side, text[, its account[, whether red]]); rules match what they can. Returns the lines."""
        rows = ["日期,借方,贷方,余额,对方户名,对方账号,附言,流水号"]
        held = held_at_bank(self.cashier)
        for fen, name, written, *more in lines:
            account, red = [*more, *("", False)[len(more) :]]
            held += fen
            self._payments += 1
            # a reversal stands on the side of what it takes back, below zero
            sides = ["", yuan_from_fen(fen)] if (fen > 0) != red else [yuan_from_fen(-fen), ""]
            rows.append(",".join([str(clock.today()), *sides, yuan_from_fen(held), name, account, written, f"S{self._payments}"]))
        sent = self.cashier.post("/v1/bank-statements", files={"file": ("a.csv", ("\n".join(rows) + "\n").encode())})
        assert sent.status_code == 201, sent.text
        outbox.drain(self.database, HANDLERS)
        found = self.cashier.get("/v1/bank-lines", params={"statement_id": sent.json()["id"]}).json()["items"][::-1]
        return [self.cashier.get(f"/v1/bank-lines/{each['id']}").json() for each in found]

    def run(self, client: Any = None, **body: Any) -> Any:
        answer = (client or self.cashier).post("/v1/settlements/run", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def settlement(self, of: int = 0) -> Any:
        """The latest settlement of a supplier."""
        found = self.cashier.get("/v1/settlements", params={"supplier_id": self.market.suppliers[of].id, "limit": 1})
        return found.json()["items"][0]

    def settled(self) -> Any:
        """A settlement with the farm over an order of 699.00, confirmed by it."""

        def make() -> Any:
            self.delivered(10)
            self.later(20)
            self.run()
            row = self.settlement()
            confirmed = self.farm.post(f"/v1/settlements/{row['id']}/confirm")
            assert confirmed.status_code == 200, confirmed.text
            return row

        return self.begun("settled", make)

    def held(self, client: Any = None, **filters: Any) -> list[tuple[str, str]]:
        """(reason, amount) of everything that waits."""
        answer = (client or self.cashier).get("/v1/settlements/held", params=filters)
        assert answer.status_code == 200, answer.text
        return [(row["hold"], row["amount"]) for row in answer.json()["items"]]

    def account(self, of: int = 0, number: str = "3100021009014400123") -> int:
        """A bank account of a supplier, approved."""
        return self.begun(f"account {of} {number}", lambda: self._account(of, number))

    def _account(self, of: int, number: str) -> int:
        body = {"holder": self.market.suppliers[of].name, "bank": "重庆农村商业银行", "number": number, "reason": "首次登记"}
        asked = (self.farm, self.bees)[of].post("/v1/payout-accounts", json=body)
        assert asked.status_code == 201, asked.text
        approved = self.cashier.post(f"/v1/payout-accounts/{asked.json()['id']}/approve", json={})
        assert approved.status_code == 200, approved.text
        return int(asked.json()["id"])

    def online_account(self, of: int = 0) -> None:
        """An account of a supplier at the provider of online payments, which may be sent money."""
        self.rows(
            "INSERT INTO connected_account (supplier_id, reference, country, account_id, enabled, created_at)"
            " VALUES (:id, 'r' || :id, 'HK', 'acct_' || :id, true, now()) RETURNING id",
            id=self.market.suppliers[of].id,
        )

    def release(self, payout_id: int) -> Any:
        """Approved by the cashier, released by the treasurer."""
        approved = self.cashier.post(f"/v1/payouts/{payout_id}/approve", json={})
        assert approved.status_code == 200, approved.text
        return self.treasurer.post(f"/v1/payouts/{payout_id}/release")

    def paid_out(self) -> Any:
        """The settlement of 699.00 with a released payout."""

        def make() -> Any:
            self.account()
            made = self.settled()
            assert self.release(made["payout_id"]).status_code == 200
            return made

        return self.begun("paid out", make)

    def third(self) -> Any:
        """The client of another who keeps the money of the city."""
        with self.database.unit_of_work() as session:
            other = make_user(session, Role.PLATFORM_FINANCE)
        return self.api.as_(other)

    def fails(self, payout_id: int, reason: str = "户名不符") -> Any:
        """The cashier says that a payout failed; of what was paid the treasurer confirms it. Returns the payout."""
        said = self.cashier.post(f"/v1/payouts/{payout_id}/fail", json={"reason": reason})
        assert said.status_code == 200, said.text
        if report := said.json()["failure_report_id"]:
            confirmed = self.treasurer.post(f"/v1/failure-reports/{report}/approve", json={})
            assert confirmed.status_code == 200, confirmed.text
        return self.cashier.get(f"/v1/payouts/{payout_id}").json()

    def listed(self) -> tuple[Any, list[Any]]:
        """A list for the bank with released payouts to both suppliers, by the cashier; and the settlements."""
        return self.begun("listed", self._listed)

    def _listed(self) -> tuple[Any, list[Any]]:
        self.account()
        self.account(1, "6222021009014400777")
        first = self.settled()
        assert self.release(first["payout_id"]).status_code == 200
        self.delivered(None, 1, of=1)
        self.later(20)
        self.run()
        second = self.settlement(1)
        self.bees.post(f"/v1/settlements/{second['id']}/confirm")
        assert self.release(second["payout_id"]).status_code == 200
        made = self.cashier.post("/v1/payout-files")
        assert made.status_code == 201, made.text
        return made.json(), [first, second]

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.database.unit_of_work() as session:
            return [tuple(row) for row in session.execute(text(statement), values)]

    def balance(self, account: str, of: int = 0) -> int:
        """What an account of a supplier holds, in fen; below zero: it is owed."""
        statement = "SELECT coalesce(sum(amount_fen), 0)::bigint FROM money_posting WHERE account = :account AND party_id = :id"
        return int(self.rows(statement, account=account, id=self.market.suppliers[of].id)[0][0])


def make_settling(api: Any, database: Database, monkeypatch: Any) -> Settling:
    market, people = make_market_with_keepers(database)
    return Settling(api, database, market, monkeypatch, people)
