"""From the order to the supplier's answer: orders, requests, call-offs, freight."""

from orders.agreements.actions.calling_off import call_off
from orders.agreements.schemas.calling import CallOffIn
from orders.contracts import actions as contracts
from orders.purchasing import actions as purchasing
from orders.requests import actions as requests
from orders.requests.schemas import PurchaseRequestIn
from orders.requests.states import RequestMove
from tests.orders.oracle.life import APPROVAL_FROM, FUND, INDEX, SOME, Life, act, when
from tests.orders.oracle.telling import (
    HONEY,
    ORANGES,
    PRICE,
    SELLER,
    cost,
)


class Buying(Life):
    @act(3, None, oranges=SOME, honey=range(5), fund=FUND)
    def order(self, oranges, honey, fund):
        wanted = {goods: n for goods, n in ((ORANGES, oranges), (HONEY, honey)) if n}
        if not wanted:
            return
        code, placed = self.do(purchasing.place, *self.ask(wanted, fund))
        if self.tale.short(wanted):
            assert code == "lines_refused"
        elif cost(wanted, PRICE) >= APPROVAL_FROM:
            assert code == "approval_needed"
        elif cost(wanted, PRICE) > self.tale.left(fund):
            assert code == "budget_exceeded"
        else:
            assert code is None
            self.note(placed.id, wanted, fund)

    @act(2, None, oranges=SOME, honey=SOME, fund=FUND)
    def request(self, oranges, honey, fund):
        wanted = {goods: n for goods, n in ((ORANGES, oranges), (HONEY, honey)) if n}
        if wanted:
            self.submitted(*self.do(requests.submit, *self.ask(wanted, fund)), wanted, fund)

    @act(2, None, oranges=range(1, 21))
    def call_off(self, oranges):
        line = {"agreement_line_id": self.agreement_line, "quantity": str(oranges)}
        answer = self.do(call_off, self.agreement_id, CallOffIn(lines=[line], delivery_address="大学城"))
        self.submitted(*answer, {ORANGES: oranges}, "canteen", agreed=True)

    def settle(self, request):
        """What the last approval, or a later try, makes of a request."""
        if self.tale.short(request.wanted):
            request.status = "approved"
            return
        request.status = "ordered"
        [(placed,)] = self.rows("SELECT id FROM purchase_order WHERE purchase_request_id = :id", id=request.id)
        self.note(placed, request.wanted, request.fund, request.agreed)

    @act(
        3,
        when("request", "waiting"),
        number=INDEX,
        answer=[RequestMove.APPROVE, RequestMove.APPROVE, RequestMove.REJECT, RequestMove.RETURN],
    )
    def decide(self, number, answer):
        request = self.tale.request(number, "waiting")
        assert self.do(requests.decide, request.id, answer, "理由", who="bureau_approver")[0] == "not_yours_to_decide"
        assert self.do(requests.decide, request.id, answer, "理由", who="school_approver")[0] is None
        if answer is RequestMove.APPROVE:
            self.settle(request)
        else:
            request.status = "rejected" if answer is RequestMove.REJECT else "returned"

    @act(4, when("request", "approved"), number=INDEX)
    def try_again(self, number):
        request = self.tale.request(number, "approved")
        assert self.do(requests.order, request.id)[0] is None
        self.settle(request)

    @act(1, when("request", "waiting", "approved", "returned"), number=INDEX)
    def take_back(self, number):
        request = self.tale.request(number, "waiting", "approved", "returned")
        assert self.do(requests.withdraw, request.id, None)[0] is None
        request.status = "withdrawn"

    @act(2, when("request", "returned", "approved"), number=INDEX, oranges=range(1, 13))
    def hand_in_again(self, number, oranges):
        request = self.tale.request(number, "returned", "approved")
        wanted = {ORANGES: oranges}
        head, lines = self.ask(wanted, request.fund)
        body = PurchaseRequestIn(**head.model_dump(exclude_none=True), lines=lines)
        code, _ = self.do(requests.resubmit, request.id, body)
        if request.agreed:
            assert code == "fixed_lines"
        elif self.tale.short(wanted):
            assert code == "lines_refused"
        elif cost(wanted, PRICE) > self.tale.left(request.fund) + request.holds:
            assert code == "budget_exceeded"
        else:
            assert code is None
            request.wanted = wanted
            if cost(wanted, PRICE) >= APPROVAL_FROM:
                request.status = "waiting"
            else:
                self.settle(request)

    @act(2, when("part", "placed"), number=INDEX, fen=[0, 1, 1234, 5000, 100_000])
    def set_freight(self, number, fen):
        part = self.tale.part(number, "placed")
        code, _ = self.do(purchasing.set_freight, part.id, fen, lambda version: None, who=SELLER[part.goods])
        if fen > part.freight and fen * 5 > part.quantity * part.price:  # asked for, and given up again
            assert code is None
            assert self.do(contracts.confirm, part.id, who=SELLER[part.goods])[0] == "freight_not_agreed"
            assert self.do(purchasing.set_freight, part.id, part.freight, lambda version: None, who=SELLER[part.goods])[0] is None
        elif fen > part.freight and fen - part.freight > self.tale.left(part.fund):
            assert code == "buyers_budget_short"
        elif fen < part.freight and self.is_paid_beyond(part, part.freight - fen):
            assert code == "paid_more_than_that"
        else:
            assert code is None
            part.freight = fen

    def is_paid_beyond(self, part, less):
        """Whether more was paid for its order than that costs when it costs so much less; where money is told of."""
        return False

    @act(3, when("part", "placed"), number=INDEX, answer=[True, True, True, True, False])
    def supplier_answers(self, number, answer):
        part = self.tale.part(number, "placed")
        if answer:
            assert self.do(contracts.confirm, part.id, who=SELLER[part.goods])[0] is None
            assert self.do(purchasing.set_freight, part.id, 1, lambda version: None, who=SELLER[part.goods])[0] == "freight_fixed"
            part.status = "confirmed"
        else:
            assert self.do(purchasing.reject, part.id, "缺货", who=SELLER[part.goods])[0] is None
            part.status = "rejected"
            self.tale.stock[part.goods][1] -= part.quantity

    @act(1, lambda life: life.tale.orders, number=INDEX)
    def cancel(self, number):
        order = self.tale.orders[number % len(self.tale.orders)]
        free = [part for part in order.parts if part.status in ("placed", "confirmed")]
        code, _ = self.do(purchasing.cancel, order.id, "计划有变")
        assert (code is None) == bool(free)
        for part in free:
            part.status = "cancelled"
            self.tale.stock[part.goods][1] -= part.quantity
