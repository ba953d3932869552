"""From the supplier's answer to the last return: amendments, shipments, acceptances, returns, corrections."""

from sqlalchemy import text

from orders.amendments import actions as amendments
from orders.amendments.schemas import AmendmentIn
from orders.fulfilment import actions as fulfilment
from orders.fulfilment.schemas import AcceptanceIn, ShipmentIn
from orders.returns.actions import answering, correcting, requesting
from orders.returns.schemas import ApproveIn, CorrectionIn, ReceiptIn, ReturnIn, SendIn
from orders.statistics import actions as statistics
from tests.orders.oracle.buying import Buying
from tests.orders.oracle.life import BUYER, INDEX, SOME, act, when
from tests.orders.oracle.telling import (
    HONEY,
    ORANGES,
    SELLER,
    Back,
    Delivery,
)


class Delivering(Buying):
    @act(
        3,
        when("part", "confirmed", "partly_shipped", "partly_accepted"),
        number=INDEX,
        keep=SOME,
        by_buyer=[True, False],
        agrees=[True, True, False],
    )
    def less(self, number, keep, by_buyer, agrees):
        """One side proposes that less comes of what is open, and the other side answers."""
        part = self.tale.part(number, "confirmed", "partly_shipped", "partly_accepted")
        one, other = (BUYER, SELLER[part.goods]) if by_buyer else (SELLER[part.goods], BUYER)
        body = AmendmentIn(reason="减量", lines=[{"order_line_id": part.line_id, "quantity": str(keep)}])
        code, amendment = self.do(amendments.propose, part.id, body, who=one)
        still_open = part.quantity - part.shipped
        if keep >= still_open or not part.shipped + keep:
            assert code == "changes_wrong"
            return
        assert self.do(amendments.accept, amendment, who=one)[0] == "other_side_answers"
        if not agrees:
            assert self.do(amendments.refuse, amendment, "按合同", who=other)[0] is None
            return
        assert self.do(amendments.accept, amendment, who=other)[0] is None
        self.tale.stock[part.goods][1] -= still_open - keep
        part.quantity -= still_open - keep
        if not keep:
            part.nothing_more_comes()

    @act(4, when("part", "confirmed", "partly_shipped", "partly_accepted"), number=INDEX, share=[None, *range(1, 13)])
    def ship(self, number, share):
        """So many, or everything that is open."""
        part = self.tale.part(number, "confirmed", "partly_shipped", "partly_accepted")
        quantity = part.quantity - part.shipped
        if share is None and quantity:
            share, body = quantity, ShipmentIn()
        else:
            share = share or 1
            body = ShipmentIn(lines=[{"order_line_id": part.line_id, "quantity": str(share)}])
        code, shipment = self.do(fulfilment.ship, part.id, body, who=SELLER[part.goods])
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

    @act(5, lambda life: any(part.on_the_way for part in life.tale.parts), number=INDEX, rejects=[0, 0, 1, 3], loss=[0, 0, 0, 1])
    def accept(self, number, rejects, loss):
        found = [(part, sent) for part in self.tale.parts for sent in part.on_the_way]
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
        assert self.do(fulfilment.accept, shipment, body)[0] is None
        assert self.do(fulfilment.accept, shipment, body)[0] in ("already_accepted", "illegal_move")
        part.deliveries[shipment] = Delivery(came, accepted)
        part.accepted += accepted
        part.was_sold = part.was_sold or accepted > 0
        part.rejected += rejects
        part.missing += loss
        part.status = "accepted" if part.accepted + part.rejected + part.missing == part.quantity else "partly_accepted"

    @act(5, lambda life: life.tale.delivery(0), number=INDEX, quantity=[1, 1, 2, 3, 6])
    def ask_back(self, number, quantity):
        part, shipment = self.tale.delivery(number)
        delivery = part.deliveries[shipment]
        line = {"order_line_id": part.line_id, "quantity": str(quantity)}
        body = ReturnIn(reason_code="quality", reason="冻伤", lines=[line])
        code, made = self.do(requesting.request, shipment, body)
        if quantity > delivery.sold - delivery.held:
            assert code == "return_lines_wrong"
            return
        assert code is None
        delivery.held += quantity
        [(line_id,)] = self.rows("SELECT id FROM goods_return_line WHERE goods_return_id = :id", id=made)
        self.tale.backs.append(Back(made, line_id, part, shipment, quantity))

    @act(4, when("back", "requested"), number=INDEX, answer=["approve", "approve", "approve", "keep it", "refuse", "cancel"])
    def answer_return(self, number, answer):
        back = self.tale.back(number, "requested")
        seller = SELLER[back.part.goods]
        if answer == "refuse":
            assert self.do(answering.refuse, back.id, "完好", who=seller)[0] is None
            back.end("refused")
        elif answer == "cancel":
            assert self.do(requesting.cancel, back.id, None)[0] is None
            back.end("cancelled")
        elif answer == "approve":
            assert self.do(answering.approve, back.id, ApproveIn(), who=seller)[0] is None
            back.status = "approved"
        else:
            assert self.do(answering.approve, back.id, ApproveIn(without_goods=True), who=seller)[0] is None
            back.end("closed", back.quantity)

    @act(4, when("back", "approved"), number=INDEX)
    def send_back(self, number):
        back = self.tale.back(number, "approved")
        assert self.do(requesting.send, back.id, SendIn())[0] is None
        back.status = "sent"

    @act(4, when("back", "sent"), number=INDEX, came=[0, 1, 1, 2, 3], restocked=[0, 0, 1, 2])
    def receive_back(self, number, came, restocked):
        back = self.tale.back(number, "sent")
        line = {"id": back.line_id, "received_quantity": str(came), "restock_quantity": str(restocked)}
        code, _ = self.do(answering.receive, back.id, ReceiptIn(lines=[line]), who=SELLER[back.part.goods])
        if came > back.quantity or restocked > came:
            assert code == "receipt_lines_wrong"
            return
        assert code is None
        self.tale.stock[back.part.goods][0] += restocked
        back.end("closed", came)

    @act(4, lambda life: life.tale.delivery(0), number=INDEX, truth=SOME, by_buyer=[True, False], agrees=[True, True, False])
    def put_right(self, number, truth, by_buyer, agrees):
        """One side says what was accepted in truth, and the other side answers."""
        part, shipment = self.tale.delivery(number)
        delivery = part.deliveries[shipment]
        one, other = (BUYER, SELLER[part.goods]) if by_buyer else (SELLER[part.goods], BUYER)
        body = CorrectionIn(reason="复点", lines=[{"order_line_id": part.line_id, "accepted_quantity": str(truth)}])
        code, correction = self.do(correcting.propose, shipment, body, who=one)
        if not delivery.held + delivery.returned <= truth <= delivery.shipped or truth == delivery.accepted:
            assert code == "correction_lines_wrong"
            return
        assert self.do(correcting.agree, correction, None, who=one)[0] == "own_proposal"
        more = (truth - delivery.accepted) * part.price
        if agrees:
            code, _ = self.do(correcting.agree, correction, None, who=other)
            if 0 < more > self.tale.left(part.fund):
                assert code == "buyers_budget_short"
            else:
                assert code is None
                self.tale.found_since += max(truth - delivery.accepted, 0) if part.agreed else 0
                delivery.accepted = truth
                part.was_sold = part.was_sold or truth > 0
                return
        assert self.do(correcting.decline, correction, None, who=other)[0] is None

    @act(4, when("part", "placed"), number=INDEX, first=[None, *range(1, 5)], rejects=[0, 1])
    def deliver(self, number, first, rejects):
        """As it mostly goes: confirmed, sent in one or two parts, accepted."""
        part = self.tale.part(number, "placed")
        at = self.tale.parts_in("placed").index(part)
        self.supplier_answers(at, True)
        for share in (first, None):
            if part.shipped < part.quantity:
                at = self.tale.parts_in("confirmed", "partly_shipped", "partly_accepted").index(part)
                self.ship(at, min(share, part.quantity) if share else None)
                self.everything_is_as_told()
        for _ in range(len(part.on_the_way)):
            at = [each for each in self.tale.parts for _ in each.on_the_way].index(part)
            self.accept(at, rejects, 0)

    @act(1, None, goods=[ORANGES, HONEY], more=range(1, 21))
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

    @act(1, None, entries=range(1, 21))
    def figures_are_stored(self, entries):
        with self.database.unit_of_work() as session:
            statistics.refresh(session, entries)
