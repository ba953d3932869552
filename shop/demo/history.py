"""Planned orders become rows, by the same pure rules by which the marketplace itself prices, ships and accepts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from orders.contracts import actions as contracts
from orders.fulfilment import rules as fulfilment
from orders.purchasing.rules import PricedLine
from orders.purchasing.states import SUPPLIER_ORDER, SupplierOrderAction
from shop.core import clock
from shop.core.quantities import weight_of
from shop.demo.market import Offer
from shop.demo.people import Buyer
from shop.demo.plan import Delivery, Order, Part
from shop.demo.progress import Line, Progress, answers, by_time, priced_line, shipped_lines
from shop.demo.rows import Table, write_all
from shop.demo.store import Store
from shop.demo.trail import Trail
from shop.identity.permissions import Role

SELLER = str(Role.SUPPLIER_ADMIN)
#: As many ids of orders, and of their parts, are left free on each of so many days.
ROOM, ROOM_SINCE = 20, timedelta(days=100)


@dataclass(frozen=True, slots=True)
class Bill:
    """What an order that is done came to, in fen, and the Shanghai day on which its buyer paid it; None: it has not."""

    order_id: int
    buyer: Buyer
    amount_fen: int
    paid_on: date | None


class History:
    """Writes down orders up to ``now``; what was planned for later has not happened."""

    def __init__(self, session: Session, trail: Trail, now: datetime, programmes: Sequence[tuple[date, str]]) -> None:
        self.session, self.trail, self.now = session, trail, now
        self.programmes = sorted(programmes, reverse=True)
        self.store = Store(session)
        self.orders = Table(
            session,
            "purchase_order",
            "number buyer_id ordering_unit_id placed_by programme_code fund_source platform declared_relation_id buyer_reference delivery_address"
            " line_count total_fen total_grams placed_at",
        )
        self.plans = Table(session, "payment_plan", "purchase_order_id kind terms", numbered=False)
        self.parts = Table(session, "supplier_order", "purchase_order_id supplier_id status reason total_fen total_grams version")
        self.lines = Table(
            session,
            "order_line",
            "purchase_order_id supplier_order_id line_no sku_id product_id certificate_id quantity unit_price_fen amount_fen vat_bp"
            " vat_fen grams shipped_quantity accepted_quantity rejected_quantity",
        )
        self.shipments = Table(session, "shipment", "supplier_order_id carrier waybill shipped_by shipped_at")
        self.shipment_lines = Table(session, "shipment_line", "shipment_id order_line_id quantity grams")
        self.acceptances = Table(session, "acceptance", "shipment_id supplier_order_id accepted_by accepted_at")
        self.acceptance_lines = Table(
            session,
            "acceptance_line",
            "acceptance_id order_line_id accepted_quantity accepted_grams rejected_quantity rejected_grams amount_fen reason",
        )
        #: Of every order that is done and was not cancelled, in the order of ids.
        self.bills: list[Bill] = []
        #: When parts were confirmed.
        self.confirmed: dict[int, datetime] = {}
        #: Acceptances by buyer.
        self.accepted_by: dict[int, list[int]] = defaultdict(list)
        #: By day, the ids of orders and their parts that are left free at its end for what the domains themselves place later.
        self.room: dict[date, dict[str, range]] = {}
        self._day = clock.shanghai_date(now) - ROOM_SINCE

    def record(self, order: Order) -> int:
        """One order with everything that happened to it so far; returns its id."""
        self._leave_room(clock.shanghai_date(order.placed_at))
        priced = [priced_line(number, offer, quantity) for number, (offer, quantity) in enumerate(order.lines, start=1)]
        order_id = self._place(order, priced)
        progresses = [self._carry_out(order, part, order_id, priced) for part in order.parts]
        self._bill(order, order_id, progresses)
        return order_id

    def _leave_room(self, until: date) -> None:
        """Lists show what has the highest id first: what the domains place on the days that end before ``until`` is to have one of its day."""
        while self._day < until:
            self.room[self._day] = {table.name: table.leave(ROOM) for table in (self.orders, self.parts)}
            self._day += timedelta(days=1)

    def write(self, offers: Sequence[Offer], until: date) -> int:
        """Copy everything into the database; returns the number of rows."""
        self._leave_room(until)
        tables = [
            self.orders,
            self.plans,
            self.parts,
            self.lines,
            self.shipments,
            self.shipment_lines,
            self.acceptances,
            self.acceptance_lines,
        ]
        written = write_all(self.session, tables) + self.store.write(self.session, offers, until)
        contracts.make(self.session, self.confirmed)
        return written + len(self.confirmed)

    # --- the buyer orders -------------------------------------------------------------------------------------------

    def _place(self, order: Order, priced: Sequence[PricedLine]) -> int:
        order_id, day = self.orders.next_id, clock.shanghai_date(order.placed_at)
        total_fen = sum(line.amount_fen for line in priced)
        self.orders.add(
            f"PO{day:%Y%m%d}{order_id:06}",
            order.buyer.id,
            order.buyer.id,
            order.buyer.user_id,
            next(code for since, code in self.programmes if since <= day),
            order.fund_source,
            order.platform,
            order.declared_relation_id,
            None,
            order.buyer.address,
            len(priced),
            total_fen,
            sum(line.grams for line in priced),
            order.placed_at,
        )
        self.plans.add(order_id, "net", '{"kind": "net", "days": 30}')
        self.trail.add(
            order.placed_at,
            order.buyer.user_id,
            order.buyer.user_role,
            "purchase_order.placed",
            "purchase_order",
            order_id,
            buyer_id=order.buyer.id,
            lines=len(priced),
            total_fen=total_fen,
        )
        self.trail.tell(order.placed_at, "purchase_order.placed", purchase_order_id=order_id)
        return order_id

    # --- a supplier answers and delivers, the buyer accepts ---------------------------------------------------------

    def _carry_out(self, order: Order, part: Part, order_id: int, priced: Sequence[PricedLine]) -> Progress:
        mine = [line for line in priced if line.supplier_id == part.supplier_id]
        first_id = self.lines.next_id
        lines = {}
        for n, line in enumerate(mine):
            offer = order.lines[line.line_no - 1][0]
            lines[line.line_no] = Line(first_id + n, line, offer.net_grams or 0, offer.step, offer.unit)
        progress = Progress(self.parts.next_id, order_id, lines)
        for each in lines.values():
            self.store.reserve(each.priced.sku_id, each.priced.quantity, each.id, order.placed_at)
        if part.answered_at < self.now:
            self._answer(order, part, progress)
        for at, act, delivery in by_time(part.deliveries):
            if at < self.now and act == "ship":
                self._ship(part, progress, delivery)
            elif at < self.now:
                self._accept(order, progress, delivery)
        self._write_part(part, progress)
        return progress

    def _answer(self, order: Order, part: Part, progress: Progress) -> None:
        by_buyer = part.answer == SupplierOrderAction.CANCEL
        actor = (order.buyer.user_id, order.buyer.user_role) if by_buyer else (part.supplier_user_id, SELLER)
        self._step(progress, SupplierOrderAction(part.answer), part.answered_at, actor, part.reason)
        if part.answer == SupplierOrderAction.CONFIRM:
            self.trail.tell(part.answered_at, "supplier_order.confirmed", supplier_order_id=progress.id)
            self.confirmed[progress.id] = part.answered_at
        if part.answer != SupplierOrderAction.CONFIRM:
            progress.reason = part.reason
            for line in progress.lines.values():
                self.store.release(line.priced.sku_id, line.priced.quantity, line.id, part.answered_at)

    def _ship(self, part: Part, progress: Progress, delivery: Delivery) -> None:
        shipment_id = self.shipments.add(
            progress.id, delivery.carrier, delivery.waybill, part.supplier_user_id, delivery.shipped_at
        )
        progress.shipment_ids[id(delivery)] = shipment_id
        for number, quantity in delivery.portions.items():
            line = progress.lines[number]
            self.shipment_lines.add(shipment_id, line.id, quantity, weight_of(quantity, line.net_grams))
            self.store.ship(line.priced.sku_id, quantity, line.id, delivery.shipped_at)
            line.shipped += quantity
        left = any(line.shipped < line.priced.quantity for line in progress.lines.values())
        action = SupplierOrderAction.SHIP_PART if left else SupplierOrderAction.SHIP_REST
        self._step(progress, action, delivery.shipped_at, (part.supplier_user_id, SELLER))
        self.trail.tell(delivery.shipped_at, "shipment.sent", shipment_id=shipment_id)

    def _accept(self, order: Order, progress: Progress, delivery: Delivery) -> None:
        acceptance_id = self.acceptances.add(
            progress.shipment_ids[id(delivery)], progress.id, order.buyer.user_id, delivery.accepted_at
        )
        self.accepted_by[order.buyer.id].append(acceptance_id)
        lines = {progress.lines[number].id: progress.lines[number] for number in delivery.portions}
        accepted, faults = fulfilment.answer(shipped_lines(progress, delivery), answers(progress, delivery))
        assert not faults, faults
        for one in accepted:
            line = lines[one.order_line_id]
            line.accepted += one.accepted_quantity
            line.rejected += one.rejected_quantity
            line.paid_fen += one.amount_fen
            progress.accepted_fen += one.amount_fen
            self.acceptance_lines.add(
                acceptance_id,
                one.order_line_id,
                one.accepted_quantity,
                one.accepted_grams,
                one.rejected_quantity,
                one.rejected_grams,
                one.amount_fen,
                one.reason,
            )
        left = any(line.accepted + line.rejected < line.priced.quantity for line in progress.lines.values())
        action = SupplierOrderAction.ACCEPT_PART if left else SupplierOrderAction.ACCEPT_REST
        self._step(progress, action, delivery.accepted_at, (order.buyer.user_id, order.buyer.user_role))

    def _step(
        self,
        progress: Progress,
        action: SupplierOrderAction,
        at: datetime,
        actor: tuple[int, str],
        reason: str | None = None,
    ) -> None:
        before, progress.status = progress.status, SUPPLIER_ORDER.after(progress.status, action)
        progress.version += 1
        progress.last_at = at
        self.trail.add(
            at,
            *actor,
            f"supplier_order.{action}",
            "supplier_order",
            progress.id,
            reason,
            from_status=str(before),
            to_status=str(progress.status),
        )

    def _write_part(self, part: Part, progress: Progress) -> None:
        priced = [line.priced for line in progress.lines.values()]
        part_id = self.parts.add(
            progress.purchase_order_id,
            part.supplier_id,
            str(progress.status),
            progress.reason,
            sum(line.amount_fen for line in priced),
            sum(line.grams for line in priced),
            progress.version,
        )
        for line in progress.lines.values():
            one = line.priced
            self.lines.add(
                progress.purchase_order_id,
                part_id,
                one.line_no,
                one.sku_id,
                one.product_id,
                one.certificate_id,
                one.quantity,
                one.unit_price_fen,
                one.amount_fen,
                one.vat_bp,
                one.vat_fen,
                one.grams,
                line.shipped,
                line.accepted,
                line.rejected,
            )

    # --- the buyer pays ---------------------------------------------------------------------------------------------

    def _bill(self, order: Order, order_id: int, progresses: Sequence[Progress]) -> None:
        done = all(not SUPPLIER_ORDER.possible(progress.status) for progress in progresses)
        amount = sum(progress.accepted_fen for progress in progresses)
        if not done or not amount:
            return
        accepted_on = clock.shanghai_date(max(progress.last_at for progress in progresses if progress.last_at))
        paid_on = None if order.days_to_pay is None else accepted_on + timedelta(days=order.days_to_pay)
        if paid_on and paid_on >= clock.shanghai_date(self.now):
            paid_on = None
        self.bills.append(Bill(order_id, order.buyer, amount, paid_on))
