"""The life of orders against an oracle: everybody does everything in any order, and after each act stock, budget, states, sales and what is due
are what a second, simpler telling of the rules says they are."""

import os
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from orders.budgets.actions import create as create_budget
from orders.budgets.schemas import BudgetIn
from orders.fulfilment import actions as fulfilment
from orders.fulfilment.schemas import AcceptanceIn, ShipmentIn
from orders.purchasing import actions as purchasing
from orders.purchasing.queries import PAYABLE_AND_PAID
from orders.purchasing.schemas import OrderHeadIn, OrderLineIn
from orders.reconcile import report
from orders.requests import actions as requests
from orders.requests.states import RequestMove
from shop.core import clock
from shop.core.errors import Problem
from shop.identity import tokens
from tests.factories.buying import make_bureau

RUNS = int(os.environ.get("SHOP_ORACLE_RUNS", "12"))
ORANGES, HONEY = 0, 1
PRICE = {ORANGES: 6990, HONEY: 15000}
SELLER = {ORANGES: "seller", HONEY: "honey_seller"}
STOCK = 60
LIMIT = 600_000
APPROVAL_FROM = 100_000

some = st.integers(0, 9)
index = st.integers(0, 50)


@dataclass
class Part:
    """What one supplier delivers: one kind of goods, in this market."""

    id: int
    goods: int
    quantity: int
    line_id: int
    status: str = "placed"
    shipped: int = 0
    accepted: int = 0
    rejected: int = 0
    #: Shipments that nobody answered: id -> quantity.
    on_the_way: dict[int, int] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.status not in ("rejected", "cancelled")

    @property
    def reserved_fen(self) -> int:
        return (self.quantity - self.accepted - self.rejected) * PRICE[self.goods] if self.open else 0


@dataclass
class Order:
    id: int
    parts: list[Part]


@dataclass
class Request:
    id: int
    wanted: dict[int, int]
    status: str = "waiting"

    @property
    def total(self) -> int:
        return cost(self.wanted)

    @property
    def holds(self) -> int:
        return self.total if self.status in ("waiting", "approved") else 0


def cost(wanted: dict[int, int]) -> int:
    return sum(PRICE[goods] * quantity for goods, quantity in wanted.items())


class Life(RuleBasedStateMachine):
    api = database = None  # given by the test
    seen: Counter[str] = Counter()

    @initialize()
    def begin(self):
        bureau = make_bureau(self.api, self.database, stock=STOCK)
        self.skus = [product.sku_id for product in bureau.market.products]
        self.actors = {}
        with self.database.unit_of_work() as session:
            for name, user in bureau.people.items():
                self.actors[name] = tokens.actor_of_user(session, user.id)
            year = clock.today().year
            budget = BudgetIn(organisation_id=bureau.school.id, year=year, fund_source="canteen", limit="6000.00")
            self.budget_id = create_budget(session, self.actors["bureau_finance"], budget)
        bureau.rule({"name": "领导", "role": "approver"}, who="school_buyer_admin", min_amount="1000.00")
        self.stock = {ORANGES: [STOCK, 0], HONEY: [STOCK, 0]}
        self.orders: list[Order] = []
        self.requests: list[Request] = []

    # --- helpers of the telling ---------------------------------------------------------------------------------------

    def act(self, verb, *arguments, who="school_purchaser", **named):
        """One act in a transaction of its own; the code of the refusal, or None and what it returned."""
        try:
            with self.database.unit_of_work() as session:
                done = verb(session, self.actors[who], *arguments, **named)
        except Problem as problem:
            self.seen[f"{verb.__name__}: {problem.code}"] += 1
            return problem.code, None
        self.seen[verb.__name__] += 1
        return None, done

    def ask(self, wanted):
        head = OrderHeadIn(fund_source="canteen", delivery_address="大学城")
        return head, [OrderLineIn(sku_id=self.skus[goods], quantity=str(number)) for goods, number in wanted.items()]

    def short(self, wanted):
        return any(quantity > self.stock[goods][0] - self.stock[goods][1] for goods, quantity in wanted.items())

    @property
    def drawn(self):
        reserved = sum(part.reserved_fen for order in self.orders for part in order.parts)
        reserved += sum(request.holds for request in self.requests)
        consumed = sum(part.accepted * PRICE[part.goods] for order in self.orders for part in order.parts)
        return reserved, consumed

    def left(self):
        return LIMIT - sum(self.drawn)

    def note(self, placed, wanted):
        """An order that was placed: its stock is promised."""
        with self.database.unit_of_work() as session:
            rows = session.execute(
                text(
                    "SELECT so.id, l.id AS line_id, l.sku_id FROM supplier_order so JOIN order_line l ON l.supplier_order_id = so.id"
                    " WHERE so.purchase_order_id = :id ORDER BY so.id"
                ),
                {"id": placed},
            ).all()
        parts = [Part(row.id, self.skus.index(row.sku_id), wanted[self.skus.index(row.sku_id)], row.line_id) for row in rows]
        for goods, quantity in wanted.items():
            self.stock[goods][1] += quantity
        self.orders.append(Order(placed, parts))

    def part(self, number, *statuses):
        found = [part for order in self.orders for part in order.parts if part.status in statuses]
        return found[number % len(found)] if found else None

    def waiting(self, number, *statuses):
        found = [request for request in self.requests if request.status in statuses]
        return found[number % len(found)] if found else None

    # --- what people do -----------------------------------------------------------------------------------------------

    @rule(oranges=some, honey=some)
    def order(self, oranges, honey):
        wanted = {goods: n for goods, n in ((ORANGES, oranges), (HONEY, honey)) if n}
        if not wanted:
            return
        code, placed = self.act(purchasing.place, *self.ask(wanted))
        if self.short(wanted):
            assert code == "lines_refused"
        elif cost(wanted) >= APPROVAL_FROM:
            assert code == "approval_needed"
        elif cost(wanted) > self.left():
            assert code == "budget_exceeded"
        else:
            assert code is None
            self.note(placed.id, wanted)

    @rule(oranges=some, honey=some)
    def request(self, oranges, honey):
        wanted = {goods: n for goods, n in ((ORANGES, oranges), (HONEY, honey)) if n}
        if not wanted:
            return
        code, submitted = self.act(requests.submit, *self.ask(wanted))
        if self.short(wanted):
            assert code == "lines_refused"
        elif cost(wanted) > self.left():
            assert code == "budget_exceeded"
        elif cost(wanted) >= APPROVAL_FROM:
            assert submitted.purchase_order is None
            self.requests.append(Request(submitted.purchase_request_id, wanted))
        else:
            self.note(submitted.purchase_order.id, wanted)

    def settle(self, request):
        """What the last approval, or a later try, makes of a request."""
        if self.short(request.wanted):
            request.status = "approved"
            return
        request.status = "ordered"
        with self.database.unit_of_work() as session:
            placed = session.execute(
                text("SELECT id FROM purchase_order WHERE purchase_request_id = :id"), {"id": request.id}
            ).scalar_one()
        self.note(placed, request.wanted)

    @rule(number=index, answer=st.sampled_from([RequestMove.APPROVE, RequestMove.APPROVE, RequestMove.REJECT, RequestMove.RETURN]))
    def decide(self, number, answer):
        if not (request := self.waiting(number, "waiting")):
            return
        assert self.act(requests.decide, request.id, answer, "理由", who="bureau_approver")[0] == "not_yours_to_decide"
        assert self.act(requests.decide, request.id, answer, "理由", who="school_approver")[0] is None
        if answer is RequestMove.APPROVE:
            self.settle(request)
        else:
            request.status = "rejected" if answer is RequestMove.REJECT else "returned"

    @rule(number=index)
    def try_again(self, number):
        if request := self.waiting(number, "approved"):
            assert self.act(requests.order, request.id)[0] is None
            self.settle(request)

    @rule(number=index)
    def take_back(self, number):
        if request := self.waiting(number, "waiting", "approved", "returned"):
            assert self.act(requests.withdraw, request.id, None)[0] is None
            request.status = "withdrawn"

    @rule(number=index, oranges=st.integers(1, 12))
    def hand_in_again(self, number, oranges):
        if not (request := self.waiting(number, "returned", "approved")):
            return
        from orders.requests.schemas import PurchaseRequestIn

        wanted = {ORANGES: oranges}
        head, lines = self.ask(wanted)
        body = PurchaseRequestIn(**head.model_dump(exclude_none=True), lines=lines)
        code, _ = self.act(requests.resubmit, request.id, body)
        if self.short(wanted):
            assert code == "lines_refused"
        elif cost(wanted) > self.left() + request.holds:
            assert code == "budget_exceeded"
        else:
            assert code is None
            request.wanted = wanted
            if cost(wanted) >= APPROVAL_FROM:
                request.status = "waiting"
            else:
                self.settle(request)

    @rule(number=index, answer=st.sampled_from([True, True, True, False]))
    def supplier_answers(self, number, answer):
        if not (part := self.part(number, "placed")):
            return
        if answer:
            assert self.act(purchasing.confirm, part.id, who=SELLER[part.goods])[0] is None
            part.status = "confirmed"
        else:
            assert self.act(purchasing.reject, part.id, "缺货", who=SELLER[part.goods])[0] is None
            part.status = "rejected"
            self.stock[part.goods][1] -= part.quantity

    @rule(number=index)
    def cancel(self, number):
        if not self.orders:
            return
        order = self.orders[number % len(self.orders)]
        free = [part for part in order.parts if part.status in ("placed", "confirmed")]
        code, _ = self.act(purchasing.cancel, order.id, "计划有变")
        assert (code is None) == bool(free)
        for part in free:
            part.status = "cancelled"
            self.stock[part.goods][1] -= part.quantity

    @rule(number=index, share=st.one_of(st.none(), st.integers(1, 12)))
    def ship(self, number, share):
        """So many, or everything that is open."""
        if not (part := self.part(number, "confirmed", "partly_shipped", "partly_accepted")):
            return
        quantity = part.quantity - part.shipped
        if share is None and quantity:
            share, body = quantity, ShipmentIn()
        else:
            share = share or 1
            body = ShipmentIn(lines=[{"order_line_id": part.line_id, "quantity": str(share)}])
        code, shipment = self.act(fulfilment.ship, part.id, body, who=SELLER[part.goods])
        if share > quantity:
            assert code == "lines_wrong"
            return
        assert code is None
        part.shipped += share
        part.on_the_way[shipment] = share
        self.stock[part.goods][0] -= share
        self.stock[part.goods][1] -= share
        if part.status != "partly_accepted":
            part.status = "shipped" if part.shipped == part.quantity else "partly_shipped"

    @rule(number=index, rejects=st.sampled_from([0, 0, 1, 3]))
    def accept(self, number, rejects):
        found = [(part, sent) for order in self.orders for part in order.parts for sent in part.on_the_way]
        if not found:
            return
        part, shipment = found[number % len(found)]
        came = part.on_the_way.pop(shipment)
        rejects = min(rejects, came)
        line = {"order_line_id": part.line_id, "accepted_quantity": str(came - rejects), "rejected_quantity": str(rejects)}
        body = AcceptanceIn(lines=[line | ({"reason": "破损"} if rejects else {})])
        assert self.act(fulfilment.accept, shipment, body)[0] is None
        assert self.act(fulfilment.accept, shipment, body)[0] in ("already_accepted", "illegal_move")
        part.accepted += came - rejects
        part.rejected += rejects
        part.status = "accepted" if part.accepted + part.rejected == part.quantity else "partly_accepted"

    @rule(goods=st.sampled_from([ORANGES, HONEY]), more=st.integers(1, 20))
    def goods_come_in(self, goods, more):
        with self.database.unit_of_work() as session:
            session.execute(
                text("UPDATE stock SET on_hand = on_hand + :n WHERE sku_id = :sku"), {"n": more, "sku": self.skus[goods]}
            )
            session.execute(
                text("INSERT INTO stock_movement (sku_id, kind, on_hand, reserved, at) VALUES (:sku, 'receive', :n, 0, now())"),
                {"n": more, "sku": self.skus[goods]},
            )
        self.stock[goods][0] += more

    # --- what holds after every act -----------------------------------------------------------------------------------

    @invariant()
    def everything_is_as_told(self):
        if not hasattr(self, "orders"):
            return
        parts = {part.id: part for order in self.orders for part in order.parts}
        with self.database.unit_of_work() as session:
            for goods, (on_hand, reserved) in self.stock.items():
                row = session.execute(text("SELECT on_hand, reserved FROM stock WHERE sku_id = :s"), {"s": self.skus[goods]}).one()
                assert tuple(row) == (on_hand, reserved)
            row = session.execute(
                text("SELECT reserved_fen, consumed_fen FROM budget WHERE id = :id"), {"id": self.budget_id}
            ).one()
            assert tuple(row) == self.drawn
            assert sum(row) <= LIMIT
            found = session.execute(
                text(
                    "SELECT so.id, so.status, l.quantity, l.shipped_quantity, l.accepted_quantity, l.rejected_quantity"
                    " FROM supplier_order so JOIN order_line l ON l.supplier_order_id = so.id WHERE so.id = ANY (:ids)"
                ),
                {"ids": list(parts)},
            ).all()
            assert len(found) == len(parts)
            for row in found:
                part = parts[row.id]
                assert tuple(row)[1:] == (part.status, part.quantity, part.shipped, part.accepted, part.rejected)
            sold = session.execute(
                text(
                    "SELECT supplier_order_id AS id, sum(quantity), sum(amount_fen) FROM sale_entry WHERE supplier_order_id = ANY (:ids)"
                    " GROUP BY 1"
                ),
                {"ids": list(parts)},
            )
            assert {row[0]: (row[1], row[2]) for row in sold if row[1]} == {
                part.id: (Decimal(part.accepted), part.accepted * PRICE[part.goods]) for part in parts.values() if part.accepted
            }
            for order in self.orders:
                due = sum((part.quantity - part.rejected) * PRICE[part.goods] for part in order.parts if part.open)
                assert session.execute(PAYABLE_AND_PAID, {"id": order.id}).one().payable == due
            statuses = session.execute(
                text("SELECT id, status FROM purchase_request WHERE id = ANY (:ids)"), {"ids": [r.id for r in self.requests]}
            )
            assert dict(map(tuple, statuses)) == {request.id: request.status for request in self.requests}


def test_the_life_of_orders_is_what_the_rules_say(api, database):
    """Twelve runs of fifty acts; ``SHOP_ORACLE_RUNS=200`` is the long form (``make thorough``)."""
    Life.api, Life.database = api, database
    Life.seen.clear()
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=50,
            # a failing run is printed as it is: to shorten it takes many minutes of real transactions
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    with database.unit_of_work() as session:
        wrong = [(found.name, found.first) for found in report.findings(session) if found.count]
    assert wrong == []
    assert sum(Life.seen.values()) > 100
    if RUNS >= 200:  # enough that everything was done, and everything refused
        print(*sorted(Life.seen.items()), sep="\n")
        done = {"place", "submit", "decide", "order", "withdraw", "resubmit", "confirm", "reject", "cancel", "ship", "accept"}
        refused = {"place: approval_needed", "place: budget_exceeded", "place: lines_refused", "submit: budget_exceeded"}
        assert done | refused <= Life.seen.keys()
