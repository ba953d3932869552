"""Asking for an order: it is placed at once where nobody has to approve it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from orders.purchasing.actions import place
from orders.purchasing.actions.placing import Wanted
from orders.purchasing.rules import DIRECT, Source
from orders.purchasing.schemas import OrderHeadIn, PurchaseOrderOut
from shop.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of it: an order, or a request that waits for approval."""

    purchase_order: PurchaseOrderOut | None = None
    purchase_request_id: int | None = None


def submit(session: Session, actor: Actor, head: OrderHeadIn, lines: Sequence[Wanted], source: Source = DIRECT) -> Submitted:
    """Place the order.

    Raises:
        Whatever :func:`orders.purchasing.actions.place` raises.
    """
    return Submitted(place(session, actor, head, lines, source))
