"""What happens to the demo's orders and when: pure planning, nothing is written here."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from shop.core import clock
from shop.core.workdays import Calendar
from shop.demo.market import Market, Offer
from shop.demo.people import Buyer

REJECTED_GOODS = ["运输途中破损", "部分果品腐烂", "规格与订单不符", "保质期不足", "数量短少"]
REFUSALS = ["本季产量不足，无法按期供货", "所需规格已停产", "道路中断，暂不能发货"]
CANCELLATIONS = ["采购计划调整", "重复下单", "预算科目变更"]
OWN_CAR = "本社自送"
CARRIERS = ["邮政快递", "顺丰冷运", "京东物流", OWN_CAR]
#: Of so many deliveries by the own car one has no waybill.
_NO_WAYBILL = 50

#: How far an order of the last days has come: what it does after so many days, and what it has not done yet (None).
Pace = tuple[float | None, float | None, float | None]


@dataclass(slots=True)
class Delivery:
    """One shipment. ``portions``: line number -> shipped; ``rejected``: line number -> (refused, why)."""

    shipped_at: datetime
    accepted_at: datetime
    portions: dict[int, Decimal]
    rejected: dict[int, tuple[Decimal, str]] = field(default_factory=dict)
    carrier: str = ""
    #: None: who delivers with a car of its own sometimes writes none.
    waybill: str | None = None


@dataclass(slots=True)
class Part:
    """What one supplier does. ``answer`` is confirm, reject or cancel."""

    supplier_id: int
    supplier_user_id: int
    answer: str
    answered_at: datetime
    reason: str | None
    deliveries: list[Delivery]


@dataclass(slots=True)
class Order:
    """One order; line numbers count from 1. ``days_to_pay`` after the last acceptance; None: not paid yet."""

    buyer: Buyer
    placed_at: datetime
    fund_source: str
    platform: str
    declared_relation_id: int | None
    lines: list[tuple[Offer, Decimal]]
    parts: list[Part]
    days_to_pay: int | None


class Planner:
    """Plans orders day by day, in the order of their time."""

    def __init__(self, chance: random.Random, market: Market, workdays: Calendar) -> None:
        self.chance, self.market, self.workdays = chance, market, workdays

    def orders(self, start: date, until: date) -> Iterator[Order]:
        """Everything ordered from ``start`` to the day before ``until``."""
        for n in range((until - start).days):
            day = start + timedelta(days=n)
            moments = sorted(self._moment(day) for _ in range(self.market.orders_on(day, self.workdays.is_working(day))))
            for moment in moments:
                buyer = self.market.buyer_on(day)
                lines = self.market.basket(buyer, day)
                if lines:
                    yield self.order(buyer, moment, lines)

    def order(self, buyer: Buyer, placed_at: datetime, lines: list[tuple[Offer, Decimal]], pace: Pace | None = None) -> Order:
        """One order of these lines, and what becomes of it; at a given pace nothing goes wrong with it."""
        cancelled = pace is None and self.chance.random() < 0.012
        by_supplier: dict[int, list[int]] = {}
        for number, (offer, _) in enumerate(lines, start=1):
            by_supplier.setdefault(offer.supplier_id, []).append(number)
        parts = [self._part(lines, numbers, placed_at, cancelled, pace) for _, numbers in sorted(by_supplier.items())]
        if cancelled:
            at, reason = min(part.answered_at for part in parts), self.chance.choice(CANCELLATIONS)
            for part in parts:
                part.answered_at, part.reason = at, reason
        day = clock.shanghai_date(placed_at)
        social = "east_partner" not in buyer.roles and self.chance.random() < 0.05
        return Order(
            buyer=buyer,
            placed_at=placed_at,
            fund_source=self.market.fund_source(buyer),
            platform="social_network" if social else "marketplace",
            declared_relation_id=self.market.declared(buyer, [offer for offer, _ in lines], day),
            lines=lines,
            parts=parts,
            days_to_pay=self.chance.randint(2, 28) if self.chance.random() < 0.985 else None,
        )

    def _part(
        self, lines: list[tuple[Offer, Decimal]], numbers: list[int], placed_at: datetime, cancelled: bool, pace: Pace | None
    ) -> Part:
        offer = lines[numbers[0] - 1][0]
        answer, reason = "cancel" if cancelled else "confirm", None
        if pace is None and not cancelled and self.chance.random() < 0.008:
            answer, reason = "reject", self.chance.choice(REFUSALS)
        answered_at = self._after(placed_at, 0.3, 2) if pace is None else _at_pace(placed_at, pace[0])
        part = Part(offer.supplier_id, offer.supplier_user_id, answer, answered_at, reason, [])
        if answer == "confirm":
            part.deliveries = self._deliveries({n: lines[n - 1] for n in numbers}, placed_at, answered_at, pace)
        return part

    def _deliveries(
        self, lines: dict[int, tuple[Offer, Decimal]], placed_at: datetime, confirmed_at: datetime, pace: Pace | None
    ) -> list[Delivery]:
        whole = {number: quantity for number, (_, quantity) in lines.items()}
        if pace is not None:
            return [self._delivery(lines, whole, _at_pace(placed_at, pace[1]), _at_pace(placed_at, pace[2]), perfect=True)]
        shipped = self._after(confirmed_at, 0.5, 3)
        first = {n: half for n, (offer, quantity) in lines.items() if (half := (quantity / offer.step // 2) * offer.step)}
        if self.chance.random() > 0.06 or not first:
            return [self._delivery(lines, whole, shipped, self._after(shipped, 1, 4))]
        rest = {n: left for n, quantity in whole.items() if (left := quantity - first.get(n, Decimal(0)))}
        later = self._after(shipped, 3, 8)
        return [
            self._delivery(lines, first, shipped, self._after(shipped, 1, 4)),
            self._delivery(lines, rest, later, self._after(later, 5, 8)),
        ]

    def _delivery(
        self,
        lines: dict[int, tuple[Offer, Decimal]],
        portions: dict[int, Decimal],
        shipped_at: datetime,
        accepted_at: datetime,
        *,
        perfect: bool = False,
    ) -> Delivery:
        delivery = Delivery(shipped_at, accepted_at, portions, carrier=self.chance.choice(CARRIERS))
        number = self.chance.randrange(10**11)
        if delivery.carrier != OWN_CAR or number % _NO_WAYBILL:
            delivery.waybill = f"YD{number:011}"
        for number, quantity in portions.items():
            if not perfect and self.chance.random() < 0.025:
                step = lines[number][0].step
                refused = min(quantity, max(step, (quantity * Decimal("0.08") // step) * step))
                delivery.rejected[number] = (refused, self.chance.choice(REJECTED_GOODS))
        return delivery

    def _moment(self, day: date) -> datetime:
        return clock.start_of_day(day) + timedelta(minutes=self.chance.randint(8 * 60 + 30, 17 * 60 + 30))

    def _after(self, moment: datetime, least: float, most: float) -> datetime:
        """Some days later, at office hours of a working day."""
        later = moment + timedelta(days=self.chance.uniform(least, most))
        day = clock.shanghai_date(later)
        if day == clock.shanghai_date(moment):
            return moment + timedelta(hours=1)
        return self._moment(day if self.workdays.is_working(day) else self.workdays.add(day, 1))


def _at_pace(placed_at: datetime, days: float | None) -> datetime:
    """What is not done yet lies in the far future."""
    return placed_at + timedelta(days=days if days is not None else 3650)
