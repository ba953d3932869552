"""Whole lives of orders with their money: everybody does everything in any order, and after each act every account, order by order and part by
part, is what a simple telling says: what was accepted, less what was given back, less what was paid."""

import os
from collections import Counter
from dataclasses import dataclass

import pytest

from orders.banking.actions import importing
from orders.banking.handlers import match_open
from orders.banking.schemas.statements import HowRead
from orders.disputes.actions import arguing, deciding
from orders.disputes.schemas import DecisionIn, DisputeIn
from orders.payments import actions as payments
from orders.payments.schemas import CreditMoveIn, PaymentIn
from orders.reassignments import actions as reassignments
from orders.reassignments.schemas import BudgetUnitIn
from orders.reassignments.states import ApplicationMove
from orders.reconcile import report
from orders.refunds import actions as refunds
from orders.refunds.schemas import RefundIn
from shop.core import clock
from shop.core.money import yuan_from_fen
from shop.identity import tokens
from shop.identity.permissions import Role
from tests.factories.identity import make_user
from tests.factories.money import PAYEE
from tests.factories.statements import statement
from tests.orders.oracle.delivering import Delivering
from tests.orders.oracle.telling import SELLER

#: ``SHOP_ORACLE_RUNS=200`` is the long form (``make thorough``).
RUNS = int(os.environ.get("SHOP_ORACLE_RUNS", "4")) // 2
ACTS_EACH = 90

#: What the run must have seen done, and refused.
DONE = {
    "payments.record", "payments.withdraw", "payments.move_credit", "refunds.request", "refunds.approve", "refunds.cancel", "refunds.refuse",
    "refunds.send", "refunds.confirm", "refunds.report_failure", "disputes.decide", "reassignments.change", "reassignments.decide",
}  # fmt: skip
REFUSED = {
    "payments.record: payment_above_due", "payments.move_credit: amount_above_credit", "payments.move_credit: not_same_buyer",
    "refunds.request: refund_above_credit", "refunds.approve: own_refund", "refunds.approve: refund_above_credit",
}  # fmt: skip


@dataclass
class Payment:
    id: int
    fen: int
    #: On whose account it was announced.
    by: int
    reference: str
    stands: bool = True
    #: The bank's statement has shown it.
    arrived: bool = False


@dataclass
class Refund:
    id: int
    order: int
    fen: int
    to: int
    status: str = "requested"
    by: str = ""


class Money:
    """What was paid for one order, and whose it is."""

    def __init__(self, buyer: int) -> None:
        self.buyer = buyer
        self.payments: list[Payment] = []
        self.moved_in = 0


#: How much of an amount somebody tries: nothing of it is more than there is, one fen is too much.
SHARES = [0.25, 0.5, 1, 1, 1.01, "one fen", "one fen too much"]


def share_of(fen, share):
    if share == "one fen":
        return 1
    return max(fen, 0) + 1 if share == "one fen too much" else max(int(fen * share), 1)


class Paying(Delivering):
    """The oracle of orders, and beside it the money."""

    def __init__(self, api, database, seed, seen):
        super().__init__(api, database, seed, seen)
        self.money, self.refunds = {}, []
        with database.unit_of_work() as session:
            for name, role in (
                ("cashier", Role.PLATFORM_FINANCE),
                ("treasurer", Role.PLATFORM_FINANCE),
                ("city", Role.CITY_OFFICER),
            ):
                self.actors[name] = tokens.actor_of_user(session, make_user(session, role).id)
        self.school = self.actors["school_purchaser"].organisation_id
        self.other = self.actors["other_purchaser"].organisation_id
        self.acts = [
            (3, self.has_orders, self.pay),
            (4, self.is_owed, self.pay),
            (5, self.may_be_cancelled, self.pay_and_think_again),
            (2, self.has_payments, self.take_back),
            (4, self.has_announced, self.arrive),
            (4, self.has_credit, self.move_credit),
            (4, self.has_credit, self.ask_back),
            (8, lambda: self.waiting("requested"), self.decide_refund),
            (4, lambda: self.waiting("approved", "sent"), self.go_on_with_refund),
            (1, lambda: self.waiting("paid"), self.refund_comes_back),
            (3, self.is_free, self.move_to_another_unit),
            (3, self.may_be_disputed, self.dispute),
        ]

    # the telling

    def of(self, order):
        return self.money.setdefault(order.id, Money(self.school))

    def paid(self, order):
        back = sum(
            refund.fen for refund in self.refunds if refund.order == order.id and refund.status in ("approved", "sent", "paid")
        )
        money = self.of(order)
        return sum(payment.fen for payment in money.payments if payment.stands) + money.moved_in - back

    def credit(self, order):
        """What arrived above what the order costs, in fen; never more than arrived."""
        coming = sum(payment.fen for payment in self.of(order).payments if payment.stands and not payment.arrived)
        return self.paid(order) - coming - max(self.due(order) + self.paid(order), 0)

    def due(self, order):
        return sum(part.due_fen for part in order.parts) - self.paid(order)

    def is_paid_beyond(self, part, less):
        [order] = [order for order in self.tale.orders if part in order.parts]
        return self.due(order) < less

    def asked(self, order):
        return sum(refund.fen for refund in self.refunds if refund.order == order.id and refund.status == "requested")

    def accounts(self):
        """Every account: (account, party, order) -> fen."""
        told = Counter()
        for order in self.tale.orders:
            money = self.of(order)
            told["receivable", money.buyer, order.id] += sum(part.booked_fen for part in order.parts) - self.paid(order)
            for part in order.parts:
                told["payable", self.compared.suppliers[part.goods], order.id] -= part.booked_fen
            for payment in money.payments:
                told["announced", payment.by, order.id] += payment.fen * (payment.stands and not payment.arrived)
        for refund in self.refunds:
            told["refunds", refund.to, refund.order] -= refund.fen * (refund.status in ("approved", "sent"))
            told["bank", None, refund.order] -= refund.fen * (refund.status == "paid")
        return {place: fen for place, fen in told.items() if fen}

    def everything_is_as_told(self):
        super().everything_is_as_told()
        statement = "SELECT account, party_id, purchase_order_id, sum(amount_fen)::bigint FROM money_posting"
        found = self.rows(
            f"{statement} WHERE purchase_order_id = ANY (:ids) GROUP BY 1, 2, 3 HAVING sum(amount_fen) <> 0", ids=list(self.ids)
        )
        assert {tuple(place): fen for *place, fen in found} == self.accounts()
        with self.database.unit_of_work() as session:
            for order in self.tale.orders:
                assert payments.due_fen(session, order.id) == self.due(order)

    @property
    def ids(self):
        return {order.id for order in self.tale.orders}

    # what is possible

    def has_orders(self):
        return self.tale.orders

    def is_owed(self):
        return [order for order in self.tale.orders if self.due(order) > 0]

    def may_be_cancelled(self):
        return [order for order in self.is_owed() if any(part.status in ("placed", "confirmed") for part in order.parts)]

    def has_payments(self):
        return [(order, payment) for order in self.tale.orders for payment in self.of(order).payments]

    def has_announced(self):
        return [payment for _, payment in self.has_payments() if payment.stands and not payment.arrived]

    def has_credit(self):
        return [order for order in self.tale.orders if self.due(order) < 0]

    def waiting(self, *statuses):
        return [refund for refund in self.refunds if refund.status in statuses]

    def is_free(self):
        """Orders of which no budget holds anything."""
        return [order for order in self.tale.orders if order.parts[0].fund == "welfare"]

    def may_be_disputed(self):
        return [part for order in self.is_free() for part in order.parts if part.accepted]

    # the acts

    def go_on(self):
        """An act of the goods or of the money."""
        possible = [(verb, found) for weight, needs, verb in self.acts if (found := needs()) for _ in range(weight)]
        if not possible or self.chance.random() < 0.5:
            return super().go_on()
        verb, found = self.chance.choice(possible)
        try:
            verb(self.chance.choice(found))
            self.everything_is_as_told()
        except Exception as error:
            error.add_note(verb.__name__)
            raise

    def pay(self, order, share=None):
        due = self.due(order)
        fen = share_of(due, share or self.chance.choice(SHARES))
        self.references = getattr(self, "references", 0) + 1
        reference = f"{id(self)}-{self.references}"
        body = PaymentIn(amount=yuan_from_fen(fen), bank_reference=reference, payer_name="第一中学", paid_on=clock.today())
        code, made = self.do(payments.record, order.id, body, who="school_finance")
        if fen > due:
            assert code == "payment_above_due"
        else:
            assert code is None
            self.of(order).payments.append(Payment(made, fen, self.of(order).buyer, reference))

    def pay_and_think_again(self, order):
        """Where credit comes from, besides what goes back."""
        self.pay(order, share=1)
        if self.chance.random() < 0.7:
            self.arrive(self.of(order).payments[-1])
        self.cancel(self.tale.orders.index(order))

    def arrive(self, payment):
        """The bank's statement shows it, and the rules know it by its reference."""
        held = self.rows("SELECT closing_fen FROM bank_statement ORDER BY id DESC LIMIT 1")
        content = statement((payment.fen, "第一中学", "", payment.reference), opening=held[0][0] if held else 0)
        assert self.do(importing.import_statement, "流水.csv", content, HowRead(), who="cashier")[0] is None
        with self.database.unit_of_work() as session:
            assert match_open(session) == 1
        payment.arrived = True

    def take_back(self, found):
        _, payment = found
        code, _ = self.do(payments.withdraw, payment.id, "未汇出", who="school_finance")
        assert code == ("payment_not_announced" if payment.arrived else None if payment.stands else "payment_undone")
        payment.stands = payment.arrived

    def move_credit(self, giver):
        taker = self.chance.choice(self.tale.orders)
        credit, due = self.credit(giver) - self.asked(giver), self.due(taker)
        fen = share_of(min(credit, due) if due > 0 else credit, self.chance.choice(SHARES))
        body = CreditMoveIn(to_order_id=taker.id, amount=yuan_from_fen(fen), reason="转入")
        code, _ = self.do(payments.move_credit, giver.id, body, who=self.chance.choice(["school_finance", "cashier"]))
        if giver is taker or self.of(giver).buyer != self.of(taker).buyer:
            assert code == "not_same_buyer"
        elif fen > credit:
            assert code == "amount_above_credit"
        elif fen > due:
            assert code == "payment_above_due"
        else:
            assert code is None
            self.of(giver).moved_in -= fen
            self.of(taker).moved_in += fen

    def ask_back(self, order):
        credit = self.credit(order) - self.asked(order)
        fen, who = share_of(credit, self.chance.choice(SHARES)), self.chance.choice(["school_finance", "cashier", "treasurer"])
        code, made = self.do(refunds.request, order.id, RefundIn(amount=yuan_from_fen(fen), reason="多付", payee=PAYEE), who=who)
        if fen > credit:
            assert code == "refund_above_credit"
        else:
            assert code is None
            self.refunds.append(Refund(made, order.id, fen, self.of(order).buyer, by=who))

    def decide_refund(self, refund):
        who, verb = self.chance.choice(["cashier", "treasurer"]), self.chance.choice(["approve"] * 6 + ["refuse", "cancel"])
        [order] = [order for order in self.tale.orders if order.id == refund.order]
        if verb == "approve":
            code, _ = self.do(refunds.approve, refund.id, who=who)
            if who == refund.by:
                assert code == "own_refund"
            elif refund.fen > self.credit(order):
                assert code == "refund_above_credit"
            else:
                assert code is None
                refund.status, refund.to = "approved", self.of(order).buyer
        elif verb == "refuse":
            assert self.do(refunds.refuse, refund.id, "材料不全", who=who)[0] is None
            refund.status = "refused"
        else:
            assert self.do(refunds.cancel, refund.id, "不退了", who="school_finance")[0] is None
            refund.status = "cancelled"

    def go_on_with_refund(self, refund):
        verb = self.chance.choice(["send", "confirm", "confirm", "fail"])
        if verb == "send":
            code, _ = self.do(refunds.send, refund.id, "HK-1", who="cashier")
            assert code == ("illegal_move" if refund.status == "sent" else None)
            refund.status = "sent"
        elif verb == "confirm":
            assert self.do(refunds.confirm, refund.id, "HK-1", who="cashier")[0] is None
            refund.status = "paid"
        else:
            self.refund_comes_back(refund)

    def refund_comes_back(self, refund):
        assert self.do(refunds.report_failure, refund.id, "退汇", who="cashier")[0] is None
        refund.status = "failed"

    def move_to_another_unit(self, order):
        """At once before anything is sent; by an application afterwards."""
        money = self.of(order)
        to = self.other if money.buyer == self.school else self.school
        body = BudgetUnitIn(unit_id=to, reason="选错单位")
        code, _ = self.do(reassignments.change, order.id, body, who="bureau_purchaser")
        if code == "dispatched":
            code, application = self.do(reassignments.apply, order.id, body, who="bureau_purchaser")
            assert code is None
            code, _ = self.do(reassignments.decide, application, ApplicationMove.APPROVE, "属实", who="city")
        if code is None:
            money.buyer = to
        else:
            assert code in ("nothing_left", "approval_needed")

    def dispute(self, part):
        """Opened, answered and decided; the buyer gets money back without goods."""
        code, dispute = self.do(arguing.open_, part.id, DisputeIn(kind="quality", claim="部分腐烂", claimed="1.00"))
        assert code is None
        assert self.do(arguing.answer, dispute, "属实", who=SELLER[part.goods])[0] is None
        fen = self.chance.choice([1, 100, max(part.booked_fen // 3, 1)])
        body = DecisionIn(outcome="partial", refund=yuan_from_fen(fen), reason="各担一半")
        code, _ = self.do(deciding.decide, dispute, body, who="city")
        if code is None:
            part.allowed += fen
        else:
            assert code == "above_order"
            assert (
                self.do(deciding.decide, dispute, DecisionIn(outcome="partial", refund="0.00", reason="酌情"), who="city")[0]
                is None
            )


@pytest.mark.slow
def test_the_money_of_any_life_is_what_the_telling_says(api, database):
    """Two lives of ninety acts; `make thorough` lives a hundred."""

    seen = Counter()
    for seed in range(RUNS):
        life = Paying(api, database, 1_000 + seed, seen)
        try:
            for _ in range(ACTS_EACH):
                life.go_on()
        except Exception as error:
            error.add_note(f"seed {1_000 + seed}")
            raise
    with database.unit_of_work() as session:
        assert [(found.name, found.first) for found in report.findings(session) if found.count] == []
    print(*sorted(seen.items()), sep="\n")
    if RUNS >= 50:
        assert seen.keys() >= DONE | REFUSED
