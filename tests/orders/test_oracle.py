"""The life of orders against an oracle: everybody does everything in any order, and after each act stock, budget, states, sales, what is drawn
from the agreement and what is due are what a second, simpler telling of the rules says they are."""

import os
from collections import Counter

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from orders.agreements.actions import drafting, signing
from orders.agreements.actions.calling_off import call_off
from orders.agreements.schemas.calling import CallOffIn
from orders.agreements.schemas.terms import AgreementIn
from orders.amendments import actions as amendments
from orders.amendments.schemas import AmendmentIn
from orders.budgets.actions import create as create_budget
from orders.budgets.schemas import BudgetIn
from orders.contracts import actions as contracts
from orders.fulfilment import actions as fulfilment
from orders.fulfilment.schemas import AcceptanceIn, ShipmentIn
from orders.ledger.selection import Dimension, Reach, Selection
from orders.purchasing import actions as purchasing
from orders.purchasing.queries import PAYABLE_AND_PAID
from orders.purchasing.schemas import OrderHeadIn, OrderLineIn
from orders.reconcile import report
from orders.requests import actions as requests
from orders.requests.schemas import PurchaseRequestIn
from orders.requests.states import RequestMove
from orders.returns.actions import answering, correcting, requesting
from orders.returns.schemas import ApproveIn, CorrectionIn, ReceiptIn, ReturnIn, SendIn
from orders.statistics import actions as statistics
from orders.statistics.queries import ask
from orders.statistics.question import Measure, Question
from shop.core import clock
from shop.core.errors import Problem
from shop.identity import tokens
from tests.factories.buying import make_bureau
from tests.orders.agreements.scene import YEAR
from tests.orders.telling import (
    AGREED_PRICE,
    HONEY,
    LIMIT,
    MOST_CALLED_OFF,
    ORANGES,
    PRICE,
    SELLER,
    Back,
    Delivery,
    Order,
    Part,
    Request,
    Tale,
    cost,
)

RUNS = int(os.environ.get("SHOP_ORACLE_RUNS", "12"))
STOCK = 60
APPROVAL_FROM = 100_000
BUYER = "school_purchaser"

some = st.integers(0, 9)
index = st.integers(0, 50)
fund = st.sampled_from(["canteen", "canteen", "welfare"])

#: What the long form must have seen done, and refused.
DONE = {
    "agreements.call_off", "amendments.accept", "amendments.refuse", "contracts.confirm", "fulfilment.accept", "fulfilment.ship",
    "purchasing.cancel", "purchasing.place", "purchasing.reject", "purchasing.set_freight", "requests.decide", "requests.order",
    "requests.resubmit", "requests.submit", "requests.withdraw", "returns.agree", "returns.approve", "returns.cancel", "returns.decline",
    "returns.receive", "returns.refuse", "returns.request", "returns.send",
}  # fmt: skip
REFUSED = {
    "agreements.call_off: budget_exceeded", "agreements.call_off: cap_exceeded", "agreements.call_off: lines_refused",
    "amendments.propose: changes_wrong", "fulfilment.ship: lines_wrong", "purchasing.place: approval_needed",
    "purchasing.place: budget_exceeded", "purchasing.place: lines_refused", "purchasing.set_freight: budget_exceeded",
    "requests.submit: budget_exceeded", "returns.agree: budget_exceeded", "returns.propose: correction_lines_wrong",
    "returns.receive: receipt_lines_wrong", "returns.request: return_lines_wrong",
}  # fmt: skip


class Life(RuleBasedStateMachine):
    api = database = None  # given by the test
    seen: Counter[str] = Counter()

    @initialize()
    def begin(self):
        bureau = make_bureau(self.api, self.database, stock=STOCK)
        self.skus = [product.sku_id for product in bureau.market.products]
        self.suppliers = [supplier.id for supplier in bureau.market.suppliers]
        self.actors = {}
        with self.database.unit_of_work() as session:
            for name, user in bureau.people.items():
                self.actors[name] = tokens.actor_of_user(session, user.id)
            year = clock.today().year
            budget = BudgetIn(organisation_id=bureau.school.id, year=year, fund_source="canteen", limit="6000.00")
            self.budget_id = create_budget(session, self.actors["bureau_finance"], budget)
        bureau.rule({"name": "领导", "role": "approver"}, who="school_buyer_admin", min_amount="1000.00")
        self.agree_on_oranges()
        self.tale = Tale(STOCK)

    def agree_on_oranges(self):
        line = {"sku_id": self.skus[ORANGES], "price": {"kind": "fixed", "unit_price": "60.00"}, "quantity_cap": "40"}
        terms = AgreementIn(
            title="脐橙长期供货",
            supplier_id=self.suppliers[ORANGES],
            fund_source="canteen",
            valid_from=clock.today(),
            valid_until=clock.today() + YEAR,
            tolerance_percent="10",
            lines=[line],
        )
        _, self.agreement_id = self.act(drafting.create, terms)
        self.act(drafting.propose, self.agreement_id)
        with self.database.unit_of_work() as session:
            found = "SELECT a.terms_hash, l.id FROM agreement a JOIN agreement_line l ON l.agreement_id = a.id WHERE a.id = :id"
            terms_hash, self.agreement_line = session.execute(text(found), {"id": self.agreement_id}).one()
        for who in ("seller", "school_buyer_admin"):
            assert self.act(signing.sign, self.agreement_id, terms_hash, who=who)[0] is None

    # --- helpers of the telling ---------------------------------------------------------------------------------------

    def act(self, verb, *arguments, who=BUYER):
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
            return [tuple(row) for row in session.execute(text(statement), values)]

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

    # --- what people do -----------------------------------------------------------------------------------------------

    @rule(oranges=some, honey=some, fund=fund)
    def order(self, oranges, honey, fund):
        wanted = {goods: n for goods, n in ((ORANGES, oranges), (HONEY, honey)) if n}
        if not wanted:
            return
        code, placed = self.act(purchasing.place, *self.ask(wanted, fund))
        if self.tale.short(wanted):
            assert code == "lines_refused"
        elif cost(wanted, PRICE) >= APPROVAL_FROM:
            assert code == "approval_needed"
        elif cost(wanted, PRICE) > self.tale.left(fund):
            assert code == "budget_exceeded"
        else:
            assert code is None
            self.note(placed.id, wanted, fund)

    @rule(oranges=some, honey=some, fund=fund)
    def request(self, oranges, honey, fund):
        wanted = {goods: n for goods, n in ((ORANGES, oranges), (HONEY, honey)) if n}
        if wanted:
            self.submitted(*self.act(requests.submit, *self.ask(wanted, fund)), wanted, fund)

    @rule(oranges=st.integers(1, 20))
    def call_off(self, oranges):
        line = {"agreement_line_id": self.agreement_line, "quantity": str(oranges)}
        answer = self.act(call_off, self.agreement_id, CallOffIn(lines=[line], delivery_address="大学城"))
        self.submitted(*answer, {ORANGES: oranges}, "canteen", agreed=True)

    def settle(self, request):
        """What the last approval, or a later try, makes of a request."""
        if self.tale.short(request.wanted):
            request.status = "approved"
            return
        request.status = "ordered"
        [(placed,)] = self.rows("SELECT id FROM purchase_order WHERE purchase_request_id = :id", id=request.id)
        self.note(placed, request.wanted, request.fund, request.agreed)

    @rule(number=index, answer=st.sampled_from([RequestMove.APPROVE, RequestMove.APPROVE, RequestMove.REJECT, RequestMove.RETURN]))
    def decide(self, number, answer):
        if not (request := self.tale.request(number, "waiting")):
            return
        assert self.act(requests.decide, request.id, answer, "理由", who="bureau_approver")[0] == "not_yours_to_decide"
        assert self.act(requests.decide, request.id, answer, "理由", who="school_approver")[0] is None
        if answer is RequestMove.APPROVE:
            self.settle(request)
        else:
            request.status = "rejected" if answer is RequestMove.REJECT else "returned"

    @rule(number=index)
    def try_again(self, number):
        if request := self.tale.request(number, "approved"):
            assert self.act(requests.order, request.id)[0] is None
            self.settle(request)

    @rule(number=index)
    def take_back(self, number):
        if request := self.tale.request(number, "waiting", "approved", "returned"):
            assert self.act(requests.withdraw, request.id, None)[0] is None
            request.status = "withdrawn"

    @rule(number=index, oranges=st.integers(1, 12))
    def hand_in_again(self, number, oranges):
        if not (request := self.tale.request(number, "returned", "approved")):
            return
        wanted = {ORANGES: oranges}
        head, lines = self.ask(wanted, request.fund)
        body = PurchaseRequestIn(**head.model_dump(exclude_none=True), lines=lines)
        code, _ = self.act(requests.resubmit, request.id, body)
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

    @rule(number=index, fen=st.sampled_from([0, 1, 1234, 5000, 100_000]))
    def set_freight(self, number, fen):
        if not (part := self.tale.part(number, "placed")):
            return
        code, _ = self.act(purchasing.set_freight, part.id, fen, lambda version: None, who=SELLER[part.goods])
        if fen > part.freight and fen - part.freight > self.tale.left(part.fund):
            assert code == "budget_exceeded"
        else:
            assert code is None
            part.freight = fen

    @rule(number=index, answer=st.sampled_from([True, True, True, True, False]))
    def supplier_answers(self, number, answer):
        if not (part := self.tale.part(number, "placed")):
            return
        if answer:
            assert self.act(contracts.confirm, part.id, who=SELLER[part.goods])[0] is None
            assert self.act(purchasing.set_freight, part.id, 1, lambda version: None, who=SELLER[part.goods])[0] == "freight_fixed"
            part.status = "confirmed"
        else:
            assert self.act(purchasing.reject, part.id, "缺货", who=SELLER[part.goods])[0] is None
            part.status = "rejected"
            self.tale.stock[part.goods][1] -= part.quantity

    @rule(number=index)
    def cancel(self, number):
        if not self.tale.orders:
            return
        order = self.tale.orders[number % len(self.tale.orders)]
        free = [part for part in order.parts if part.status in ("placed", "confirmed")]
        code, _ = self.act(purchasing.cancel, order.id, "计划有变")
        assert (code is None) == bool(free)
        for part in free:
            part.status = "cancelled"
            self.tale.stock[part.goods][1] -= part.quantity

    @rule(number=index, keep=some, by_buyer=st.booleans(), agrees=st.sampled_from([True, True, False]))
    def less(self, number, keep, by_buyer, agrees):
        """One side proposes that less comes of what is open, and the other side answers."""
        if not (part := self.tale.part(number, "confirmed", "partly_shipped", "partly_accepted")):
            return
        one, other = (BUYER, SELLER[part.goods]) if by_buyer else (SELLER[part.goods], BUYER)
        body = AmendmentIn(reason="减量", lines=[{"order_line_id": part.line_id, "quantity": str(keep)}])
        code, amendment = self.act(amendments.propose, part.id, body, who=one)
        still_open = part.quantity - part.shipped
        if keep >= still_open or not part.shipped + keep:
            assert code == "changes_wrong"
            return
        assert self.act(amendments.accept, amendment, who=one)[0] == "other_side_answers"
        if not agrees:
            assert self.act(amendments.refuse, amendment, "按合同", who=other)[0] is None
            return
        assert self.act(amendments.accept, amendment, who=other)[0] is None
        self.tale.stock[part.goods][1] -= still_open - keep
        part.quantity -= still_open - keep
        if not keep:
            part.nothing_more_comes()

    @rule(number=index, share=st.one_of(st.none(), st.integers(1, 12)))
    def ship(self, number, share):
        """So many, or everything that is open."""
        if not (part := self.tale.part(number, "confirmed", "partly_shipped", "partly_accepted")):
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
        self.tale.stock[part.goods][0] -= share
        self.tale.stock[part.goods][1] -= share
        if part.status != "partly_accepted":
            part.status = "shipped" if part.shipped == part.quantity else "partly_shipped"

    @rule(number=index, rejects=st.sampled_from([0, 0, 1, 3]), loss=st.sampled_from([0, 0, 0, 1]))
    def accept(self, number, rejects, loss):
        found = [(part, sent) for part in self.tale.parts for sent in part.on_the_way]
        if not found:
            return
        part, shipment = found[number % len(found)]
        came = part.on_the_way.pop(shipment)
        rejects = min(rejects, came)
        loss = min(loss, came - rejects)
        accepted = came - rejects - loss
        line = {
            "order_line_id": part.line_id,
            "accepted_quantity": str(accepted),
            "rejected_quantity": str(rejects),
            "difference_quantity": str(loss),
            "reason": "破损" if rejects + loss else None,
        }
        body = AcceptanceIn(lines=[line])
        assert self.act(fulfilment.accept, shipment, body)[0] is None
        assert self.act(fulfilment.accept, shipment, body)[0] in ("already_accepted", "illegal_move")
        part.deliveries[shipment] = Delivery(came, accepted, bool(accepted))
        part.accepted += accepted
        part.rejected += rejects
        part.missing += loss
        part.status = "accepted" if part.accepted + part.rejected + part.missing == part.quantity else "partly_accepted"

    @rule(number=index, quantity=st.integers(1, 6))
    def ask_back(self, number, quantity):
        if not (found := self.tale.delivery(number)):
            return
        part, shipment = found
        delivery = part.deliveries[shipment]
        line = {"order_line_id": part.line_id, "quantity": str(quantity)}
        body = ReturnIn(reason_code="quality", reason="冻伤", lines=[line])
        code, made = self.act(requesting.request, shipment, body)
        if quantity > delivery.sold - delivery.held:
            assert code == "return_lines_wrong"
            return
        assert code is None
        delivery.held += quantity
        [(line_id,)] = self.rows("SELECT id FROM goods_return_line WHERE goods_return_id = :id", id=made)
        self.tale.backs.append(Back(made, line_id, part, shipment, quantity))

    @rule(number=index, answer=st.sampled_from(["approve", "approve", "approve", "keep it", "refuse", "cancel"]))
    def answer_return(self, number, answer):
        if not (back := self.tale.back(number, "requested")):
            return
        seller = SELLER[back.part.goods]
        if answer == "refuse":
            assert self.act(answering.refuse, back.id, "完好", who=seller)[0] is None
            back.end("refused")
        elif answer == "cancel":
            assert self.act(requesting.cancel, back.id, None)[0] is None
            back.end("cancelled")
        elif answer == "approve":
            assert self.act(answering.approve, back.id, ApproveIn(), who=seller)[0] is None
            back.status = "approved"
        else:
            assert self.act(answering.approve, back.id, ApproveIn(without_goods=True), who=seller)[0] is None
            back.end("closed", back.quantity)

    @rule(number=index)
    def send_back(self, number):
        if back := self.tale.back(number, "approved"):
            assert self.act(requesting.send, back.id, SendIn())[0] is None
            back.status = "sent"

    @rule(number=index, came=st.integers(0, 6), restocked=st.integers(0, 6))
    def receive_back(self, number, came, restocked):
        if not (back := self.tale.back(number, "sent")):
            return
        line = {"id": back.line_id, "received_quantity": str(came), "restock_quantity": str(restocked)}
        code, _ = self.act(answering.receive, back.id, ReceiptIn(lines=[line]), who=SELLER[back.part.goods])
        if came > back.quantity or restocked > came:
            assert code == "receipt_lines_wrong"
            return
        assert code is None
        self.tale.stock[back.part.goods][0] += restocked
        back.end("closed", came)

    @rule(number=index, truth=some, by_buyer=st.booleans(), agrees=st.sampled_from([True, True, False]))
    def put_right(self, number, truth, by_buyer, agrees):
        """One side says what was accepted in truth, and the other side answers."""
        if not (found := self.tale.delivery(number)):
            return
        part, shipment = found
        delivery = part.deliveries[shipment]
        one, other = (BUYER, SELLER[part.goods]) if by_buyer else (SELLER[part.goods], BUYER)
        body = CorrectionIn(reason="复点", lines=[{"order_line_id": part.line_id, "accepted_quantity": str(truth)}])
        code, correction = self.act(correcting.propose, shipment, body, who=one)
        if not delivery.booked or not delivery.held + delivery.returned <= truth <= delivery.shipped:
            assert code == "correction_lines_wrong"
            return
        assert self.act(correcting.agree, correction, None, who=one)[0] == "own_proposal"
        more = (truth - delivery.accepted) * part.price
        if agrees:
            code, _ = self.act(correcting.agree, correction, None, who=other)
            if 0 < more > self.tale.left(part.fund):
                assert code == "budget_exceeded"
            else:
                assert code is None
                delivery.accepted = truth
                return
        assert self.act(correcting.decline, correction, None, who=other)[0] is None

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
        self.tale.stock[goods][0] += more

    @rule(entries=st.integers(1, 20))
    def figures_are_stored(self, entries):
        with self.database.unit_of_work() as session:
            statistics.refresh(session, entries)

    # --- what holds after every act -----------------------------------------------------------------------------------

    @invariant()
    def everything_is_as_told(self):
        if not hasattr(self, "tale"):
            return
        tale = self.tale
        parts = {part.id: part for part in tale.parts}
        for goods, held in tale.stock.items():
            assert self.rows("SELECT on_hand, reserved FROM stock WHERE sku_id = :s", s=self.skus[goods]) == [tuple(held)]
        [drawn] = self.rows("SELECT reserved_fen, consumed_fen FROM budget WHERE id = :id", id=self.budget_id)
        assert drawn == tale.drawn
        assert sum(drawn) <= LIMIT
        [(called_off, fen)] = self.rows(
            "SELECT coalesce(sum(quantity), 0), coalesce(sum(amount_fen), 0) FROM agreement_drawn WHERE agreement_line_id = :id",
            id=self.agreement_line,
        )
        assert (called_off, fen) == (tale.called_off, tale.called_off * AGREED_PRICE[ORANGES])
        assert called_off <= MOST_CALLED_OFF
        found = self.rows(
            "SELECT so.id, so.status, so.freight_fen, l.quantity, l.shipped_quantity, l.accepted_quantity, l.rejected_quantity,"
            " l.difference_quantity FROM supplier_order so JOIN order_line l ON l.supplier_order_id = so.id WHERE so.id = ANY (:ids)",
            ids=list(parts),
        )
        names = ("id", "status", "freight", "quantity", "shipped", "accepted", "rejected", "missing")
        assert sorted(found) == sorted(tuple(getattr(part, name) for name in names) for part in parts.values())
        assert self.sold("e.supplier_order_id") == tale.sums("id")
        for order in tale.orders:
            with self.database.unit_of_work() as session:
                payable = session.execute(PAYABLE_AND_PAID, {"id": order.id}).one().payable
            assert payable == sum(part.due_fen for part in order.parts)
        for table, told in (("purchase_request", tale.requests), ("goods_return", tale.backs)):
            statuses = self.rows(f"SELECT id, status FROM {table} WHERE id = ANY (:ids)", ids=[each.id for each in told])
            assert dict(statuses) == {each.id: each.status for each in told}

    def sold(self, column):
        """What the ledger says of this market's suppliers: fen, grams and units by a column; what sums to nothing is left out."""
        found = self.rows(
            f"SELECT {column}, sum(e.amount_fen), sum(e.grams), sum(e.quantity)"
            " FROM sale_entry e JOIN purchase_order po ON po.id = e.order_id WHERE e.supplier_id = ANY (:ids) GROUP BY 1",
            ids=self.suppliers,
        )
        return {key: tuple(sums) for key, *sums in found if any(sums)}

    def teardown(self):
        """Figures follow acceptances, returns and corrections to the fen, whatever part of them is stored by now."""
        if not hasattr(self, "tale"):
            return
        assert self.sold("po.fund_source") == self.tale.sums("fund")
        assert self.sold("e.district_code") == self.tale.sums("district")
        today, only = clock.today(), {Dimension.SUPPLIER: self.suppliers}
        measures = (Measure.AMOUNT, Measure.TONNES, Measure.QUANTITY)
        with self.database.unit_of_work() as session:
            for group in ((Dimension.DISTRICT,), (Dimension.DISTRICT, Dimension.MONTH)):
                answer = ask(session, Question(Selection(today, today, only), group, measures, Reach(("",))))
                figures = {key[0]: tuple(row[0].value(measure) for measure in measures) for key, row in answer.rows.items()}
                assert {key: sums for key, sums in figures.items() if any(sums)} == self.tale.sums("district")


def test_the_life_of_orders_is_what_the_rules_say(api, database):
    """Twelve runs of sixty acts; ``SHOP_ORACLE_RUNS=200`` is the long form (``make thorough``)."""
    Life.api, Life.database = api, database
    Life.seen.clear()
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=60,
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
    print(*sorted(Life.seen.items()), sep="\n")
    if RUNS >= 200:  # enough that everything was done, and everything refused
        assert Life.seen.keys() >= DONE | REFUSED
