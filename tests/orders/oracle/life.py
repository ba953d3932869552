"""One school with its people, and how they come to act; what they do is in ``buying`` and ``delivering``."""

import random

from orders.agreements.actions import drafting, signing
from orders.agreements.schemas.terms import AgreementIn
from orders.budgets.actions import create as create_budget
from orders.budgets.schemas import BudgetIn
from orders.purchasing.schemas import OrderHeadIn, OrderLineIn
from shop.core import clock
from shop.core.errors import Problem
from shop.identity import tokens
from tests.factories.buying import make_bureau
from tests.orders.agreements.scene import YEAR
from tests.orders.oracle.comparing import Compared, rows
from tests.orders.oracle.telling import (
    AGREED_PRICE,
    MOST_CALLED_OFF,
    ORANGES,
    PRICE,
    Order,
    Part,
    Request,
    Tale,
    cost,
)

STOCK = 40
APPROVAL_FROM = 80_000
BUYER = "school_purchaser"

SOME, INDEX = range(10), range(51)
FUND = ["canteen", "canteen", "welfare"]

#: Everything that people can do: how often, when it is possible, with which arguments.
ACTS = []


def act(weight, possible, **arguments):
    def noted(verb):
        ACTS.append((weight, possible, arguments, verb))
        return verb

    return noted


def when(kind, *statuses):
    """There is a part, request or return in one of these states."""
    return lambda life: getattr(life.tale, kind)(0, *statuses)


class Life:
    def __init__(self, api, database, seed, seen):
        self.api, self.database, self.seen = api, database, seen
        self.chance = random.Random(seed)
        bureau = make_bureau(self.api, self.database, stock=STOCK)
        self.skus = [product.sku_id for product in bureau.market.products]
        self.actors = {}
        with self.database.unit_of_work() as session:
            for name, user in bureau.people.items():
                self.actors[name] = tokens.actor_of_user(session, user.id)
            year = clock.today().year
            budget = BudgetIn(organisation_id=bureau.school.id, year=year, fund_source="canteen", limit="3500.00")
            budget_id = create_budget(session, self.actors["bureau_finance"], budget)
        bureau.rule({"name": "领导", "role": "approver"}, who="school_buyer_admin", min_amount="800.00")
        suppliers = [supplier.id for supplier in bureau.market.suppliers]
        self.agree_on_oranges(suppliers[ORANGES])
        self.compared = Compared(self.skus, suppliers, budget_id, self.agreement_line)
        self.tale = Tale(STOCK)

    def agree_on_oranges(self, supplier_id):
        line = {"sku_id": self.skus[ORANGES], "price": {"kind": "fixed", "unit_price": "60.00"}, "quantity_cap": "40"}
        terms = AgreementIn(
            title="脐橙长期供货",
            supplier_id=supplier_id,
            fund_source="canteen",
            valid_from=clock.today(),
            valid_until=clock.today() + YEAR,
            tolerance_percent="10",
            lines=[line],
        )
        _, self.agreement_id = self.do(drafting.create, terms)
        self.do(drafting.propose, self.agreement_id)
        found = "SELECT a.terms_hash, l.id FROM agreement a JOIN agreement_line l ON l.agreement_id = a.id WHERE a.id = :id"
        [(terms_hash, self.agreement_line)] = self.rows(found, id=self.agreement_id)
        for who in ("seller", "school_buyer_admin"):
            assert self.do(signing.sign, self.agreement_id, terms_hash, who=who)[0] is None

    def go_on(self):
        """Somebody does something that is possible, and everything is as told."""
        possible = [(each, verb) for weight, needs, each, verb in ACTS for _ in range(weight) if needs is None or needs(self)]
        arguments, verb = self.chance.choice(possible)
        chosen = {name: self.chance.choice(values) for name, values in arguments.items()}
        try:
            verb(self, **chosen)
            self.everything_is_as_told()
        except Exception as error:
            error.add_note(f"{verb.__name__}({chosen})")
            raise

    def do(self, verb, *arguments, who=BUYER):
        """One act in a transaction of its own; the code of the refusal, or None and what it returned."""
        name = f"{verb.__module__.split('.')[1]}.{verb.__name__}"
        try:
            with self.database.unit_of_work() as session:
                done = verb(session, self.actors[who], *arguments)
        except Problem as problem:
            self.seen[f"{name}: {problem.code}"] += 1
            return problem.code, None
        self.seen[name] += 1
        return None, done

    def rows(self, statement, **values):
        with self.database.unit_of_work() as session:
            return rows(session, statement, **values)

    def ask(self, wanted, fund="canteen"):
        head = OrderHeadIn(fund_source=fund, delivery_address="大学城")
        return head, [OrderLineIn(sku_id=self.skus[goods], quantity=str(number)) for goods, number in wanted.items()]

    def note(self, placed, wanted, fund, agreed=False):
        """An order that was placed: its stock is promised."""
        found = self.rows(
            "SELECT so.id, l.id, l.sku_id FROM supplier_order so JOIN order_line l ON l.supplier_order_id = so.id"
            " WHERE so.purchase_order_id = :id ORDER BY so.id",
            id=placed,
        )
        prices, parts = AGREED_PRICE if agreed else PRICE, []
        for part_id, line_id, sku_id in found:
            goods = self.skus.index(sku_id)
            parts.append(Part(part_id, line_id, goods, wanted[goods], prices[goods], fund, agreed))
            self.tale.stock[goods][1] += wanted[goods]
        self.tale.orders.append(Order(placed, parts))

    def submitted(self, code, submitted, wanted, fund, agreed=False):
        """What must have become of what was handed in."""
        total = cost(wanted, AGREED_PRICE if agreed else PRICE)
        if agreed and wanted[ORANGES] > MOST_CALLED_OFF - self.tale.called_off:
            assert code == "cap_exceeded"
        elif self.tale.short(wanted):
            assert code == "lines_refused"
        elif total > self.tale.left(fund):
            assert code == "budget_exceeded"
        elif total >= APPROVAL_FROM:
            assert submitted.purchase_order is None
            self.tale.requests.append(Request(submitted.purchase_request_id, wanted, fund, agreed))
        else:
            self.note(submitted.purchase_order.id, wanted, fund, agreed)

    def everything_is_as_told(self):
        with self.database.unit_of_work() as session:
            self.compared.counters(session, self.tale)
            self.compared.records(session, self.tale)
            self.compared.ledger(session, self.tale, "e.supplier_order_id", "id")

    def figures_are_as_told(self):
        """Figures follow acceptances, returns and corrections to the fen and the gram."""
        with self.database.unit_of_work() as session:
            self.compared.ledger(session, self.tale, "po.fund_source", "fund")
            self.compared.ledger(session, self.tale, "e.district_code", "district")
            self.compared.figures(session, self.tale)
