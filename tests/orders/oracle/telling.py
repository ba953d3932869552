"""A second, simpler telling of what becomes of orders: whole units, fixed prices, one line for each supplier.

It knows nothing of the product's code. The oracle (``test_oracle.py``) tells every act to it and compares.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

ORANGES, HONEY = 0, 1
PRICE = {ORANGES: 6990, HONEY: 15000}
#: What the agreement says of oranges.
AGREED_PRICE = {ORANGES: 6000}
GRAMS = {ORANGES: 5000, HONEY: 500}
DISTRICT = {ORANGES: "500236", HONEY: "500240"}
SELLER = {ORANGES: "seller", HONEY: "honey_seller"}
LIMIT = 350_000
#: Forty with a tolerance of ten percent.
MOST_CALLED_OFF = 44

Wanted = dict[int, int]


def cost(wanted: Wanted, prices: dict[int, int]) -> int:
    return sum(prices[goods] * quantity for goods, quantity in wanted.items())


@dataclass
class Delivery:
    """A shipment that was answered. ``accepted`` is what both sides hold for true by now; ``held`` is asked back, ``returned`` given back."""

    shipped: int
    accepted: int
    held: int = 0
    returned: int = 0

    @property
    def sold(self) -> int:
        return self.accepted - self.returned


@dataclass
class Part:
    """What one supplier delivers of an order: one kind of goods."""

    id: int
    line_id: int
    goods: int
    quantity: int
    price: int
    fund: str
    agreed: bool
    status: str = "placed"
    freight: int = 0
    shipped: int = 0
    accepted: int = 0
    rejected: int = 0
    missing: int = 0
    #: Something of it was accepted at some time.
    was_sold: bool = False
    #: Given back by disputes, in fen.
    allowed: int = 0
    #: Shipments that nobody answered: id -> quantity.
    on_the_way: dict[int, int] = field(default_factory=dict)
    deliveries: dict[int, Delivery] = field(default_factory=dict)

    @property
    def district(self) -> str:
        return DISTRICT[self.goods]

    @property
    def open(self) -> bool:
        return self.status not in ("rejected", "cancelled")

    @property
    def freight_is_due(self) -> bool:
        return self.was_sold

    @property
    def freight_owed(self) -> int:
        """None for goods that were all rejected in the end."""
        return 0 if self.status == "accepted" and not self.was_sold else self.freight

    @property
    def sold(self) -> int:
        return sum(delivery.sold for delivery in self.deliveries.values())

    @property
    def wanted(self) -> int:
        """Ordered, less what was rejected or got lost."""
        return self.quantity - self.rejected - self.missing if self.open else 0

    @property
    def stands(self) -> int:
        """The same by what both sides hold for true of its acceptances, less what was given back."""
        return self.wanted - self.accepted + self.sold if self.open else 0

    @property
    def reserved_fen(self) -> int:
        if not self.open:
            return 0
        return (self.wanted - self.accepted) * self.price + (0 if self.freight_is_due else self.freight_owed)

    @property
    def consumed_fen(self) -> int:
        return self.sold * self.price + (self.freight_owed if self.freight_is_due else 0)

    @property
    def due_fen(self) -> int:
        return self.stands * self.price + self.freight_owed - self.allowed if self.open else 0

    @property
    def booked_fen(self) -> int:
        """What is owed for what was accepted by now."""
        return self.consumed_fen - self.allowed

    def nothing_more_comes(self) -> None:
        """The rest was taken off by agreement."""
        if self.status == "partly_shipped":
            self.status = "shipped"
        if self.status == "partly_accepted" and not self.on_the_way:
            self.status = "accepted"


@dataclass
class Order:
    id: int
    parts: list[Part]


@dataclass
class Request:
    id: int
    wanted: Wanted
    fund: str
    agreed: bool = False
    status: str = "waiting"

    @property
    def holds(self) -> int:
        """What it holds of the budget."""
        holding = self.fund == "canteen" and self.status in ("waiting", "approved")
        return cost(self.wanted, AGREED_PRICE if self.agreed else PRICE) if holding else 0


@dataclass
class Back:
    """Goods that the buyer asked to give back."""

    id: int
    line_id: int
    part: Part
    shipment: int
    quantity: int
    status: str = "requested"

    @property
    def delivery(self) -> Delivery:
        return self.part.deliveries[self.shipment]

    def end(self, status: str, returned: int = 0) -> None:
        self.status = status
        self.delivery.held -= self.quantity
        self.delivery.returned += returned


class Tale:
    """Everything that happened to one school, and what follows from it."""

    def __init__(self, stock: int) -> None:
        self.stock = {ORANGES: [stock, 0], HONEY: [stock, 0]}
        self.orders: list[Order] = []
        self.requests: list[Request] = []
        self.backs: list[Back] = []
        #: Called off and accepted after all, as both sides found later; that may pass a cap.
        self.found_since = 0

    @property
    def parts(self) -> Iterator[Part]:
        return (part for order in self.orders for part in order.parts)

    @property
    def drawn(self) -> tuple[int, int]:
        """Reserved and used up of the canteen's budget, in fen."""
        parts = [part for part in self.parts if part.fund == "canteen"]
        reserved = sum(part.reserved_fen for part in parts) + sum(request.holds for request in self.requests)
        return reserved, sum(part.consumed_fen for part in parts)

    def left(self, fund: str) -> int:
        return LIMIT - sum(self.drawn) if fund == "canteen" else 10**12

    @property
    def called_off(self) -> int:
        """What counts against the cap."""
        waiting = [each for each in self.requests if each.agreed and each.status in ("waiting", "returned", "approved")]
        return sum(part.stands for part in self.parts if part.agreed) + sum(each.wanted[ORANGES] for each in waiting)

    def short(self, wanted: Wanted) -> bool:
        return any(quantity > self.stock[goods][0] - self.stock[goods][1] for goods, quantity in wanted.items())

    def sums(self, key: str) -> dict[object, tuple[int, int, int]]:
        """Fen, grams and units sold by an attribute of the parts; what sums to nothing is left out."""
        sums: dict[object, tuple[int, int, int]] = {}
        for part in self.parts:
            fen, grams, units = sums.get(getattr(part, key), (0, 0, 0))
            sold = part.sold
            sums[getattr(part, key)] = (fen + sold * part.price, grams + sold * GRAMS[part.goods], units + sold)
        return {name: values for name, values in sums.items() if any(values)}

    def parts_in(self, *statuses: str) -> list[Part]:
        return [part for part in self.parts if part.status in statuses]

    def part(self, number: int, *statuses: str) -> Part | None:
        found = self.parts_in(*statuses)
        return found[number % len(found)] if found else None

    def request(self, number: int, *statuses: str) -> Request | None:
        found = [request for request in self.requests if request.status in statuses]
        return found[number % len(found)] if found else None

    def back(self, number: int, *statuses: str) -> Back | None:
        found = [back for back in self.backs if back.status in statuses]
        return found[number % len(found)] if found else None

    def delivery(self, number: int) -> tuple[Part, int] | None:
        found = [(part, shipment) for part in self.parts for shipment in part.deliveries]
        return found[number % len(found)] if found else None
