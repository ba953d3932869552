"""How far an order of the demo has come, and what its deliveries look like to the marketplace's own rules."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from orders.fulfilment.rules import Answer, ShippedLine
from orders.purchasing import rules as purchasing
from orders.purchasing.rules import LineFacts, PricedLine
from orders.purchasing.states import SupplierOrderStatus
from shop.core.quantities import weight_of
from shop.demo.market import Offer
from shop.demo.plan import Delivery
from shop.demo.store import ZERO


@dataclass(slots=True)
class Line:
    """An order line and how far it has come."""

    id: int
    priced: PricedLine
    net_grams: int
    step: Decimal
    unit: str
    shipped: Decimal = ZERO
    accepted: Decimal = ZERO
    rejected: Decimal = ZERO
    paid_fen: int = 0


@dataclass(slots=True)
class Progress:
    """A supplier order and how far it has come."""

    id: int
    purchase_order_id: int
    lines: dict[int, Line]
    status: SupplierOrderStatus = SupplierOrderStatus.PLACED
    version: int = 1
    reason: str | None = None
    last_at: datetime | None = None
    accepted_fen: int = 0
    shipment_ids: dict[int, int] = field(default_factory=dict)


def priced_line(number: int, offer: Offer, quantity: Decimal) -> PricedLine:
    price = next(price for least, price in reversed(offer.tiers) if least <= quantity)
    facts = LineFacts(
        line_no=number,
        sku_id=offer.sku_id,
        quantity=quantity,
        product_id=offer.product_id,
        supplier_id=offer.supplier_id,
        supplier_approved=True,
        active=True,
        certificate_id=offer.certificate_id,
        net_grams=offer.net_grams,
        step=offer.step,
        min_quantity=offer.tiers[0][0],
        vat_bp=offer.vat_bp,
        unit_price_fen=price,
        available=quantity,
    )
    assert purchasing.reason_against(facts, 0, quantity) is None, facts
    return purchasing.priced(facts)


def by_time(deliveries: Sequence[Delivery]) -> list[tuple[datetime, str, Delivery]]:
    sent = [(delivery.shipped_at, "ship", delivery) for delivery in deliveries]
    answered = [(delivery.accepted_at, "accept", delivery) for delivery in deliveries]
    return sorted(sent + answered, key=lambda event: event[0])


def shipped_lines(progress: Progress, delivery: Delivery) -> list[ShippedLine]:
    return [
        ShippedLine(
            order_line_id=line.id,
            quantity=quantity,
            grams=weight_of(quantity, line.net_grams),
            net_grams=line.net_grams,
            step=line.step,
            unit_price_fen=line.priced.unit_price_fen,
            ordered=line.priced.quantity,
            amount_fen=line.priced.amount_fen,
            accepted_before=line.accepted,
            paid_before_fen=line.paid_fen,
            unit=line.unit,
        )
        for number, quantity in delivery.portions.items()
        for line in [progress.lines[number]]
    ]


def answers(progress: Progress, delivery: Delivery) -> list[Answer]:
    answers = []
    for number, quantity in delivery.portions.items():
        refused, reason = delivery.rejected.get(number, (ZERO, None))
        answers.append(Answer(progress.lines[number].id, quantity - refused, refused, reason=reason))
    return answers
