"""The stores of the demo's suppliers: every movement of stock, and what is left."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import Session

from shop.core import clock
from shop.demo.market import Offer
from shop.demo.rows import Table, write_all

ZERO = Decimal(0)
#: Of packs that nobody could order yet there was no movement.
_EMPTY = text(
    "INSERT INTO stock (sku_id, on_hand, reserved) SELECT id, 0, 0 FROM sku ON CONFLICT (sku_id) DO NOTHING RETURNING sku_id"
)


class Store:
    """Gathers movements; goods come in at the start of each month in which they are ordered."""

    def __init__(self, session: Session) -> None:
        self.movements = Table(session, "stock_movement", "sku_id kind on_hand reserved order_line_id at")
        self.stock = Table(session, "stock", "sku_id on_hand reserved", numbered=False)
        self._on_hand: dict[int, Decimal] = defaultdict(Decimal)
        self._reserved: dict[int, Decimal] = defaultdict(Decimal)
        self._needed: dict[tuple[int, date], Decimal] = defaultdict(Decimal)

    def reserve(self, sku_id: int, quantity: Decimal, line_id: int, at: datetime) -> None:
        self._needed[sku_id, clock.shanghai_date(at).replace(day=1)] += quantity
        self._move(sku_id, "reserve", ZERO, quantity, line_id, at)

    def release(self, sku_id: int, quantity: Decimal, line_id: int, at: datetime) -> None:
        self._move(sku_id, "release", ZERO, -quantity, line_id, at)

    def ship(self, sku_id: int, quantity: Decimal, line_id: int, at: datetime) -> None:
        self._move(sku_id, "ship", -quantity, -quantity, line_id, at)

    def write(self, session: Session, offers: Sequence[Offer], until: date) -> int:
        """Bring in what was needed and what is left today, then write everything in the order of its time."""
        for (sku_id, month), quantity in sorted(self._needed.items()):
            self._receive(sku_id, quantity, month)
        for offer in offers:
            missing = offer.stock - (self._on_hand[offer.sku_id] - self._reserved[offer.sku_id])
            if missing > 0:
                self._receive(offer.sku_id, missing, until - timedelta(days=1))
        for offer in offers:
            self.stock.add(offer.sku_id, self._on_hand[offer.sku_id], self._reserved[offer.sku_id])
        self.movements.rows.sort(key=lambda row: row[-1])
        written = write_all(session, [self.stock, self.movements])
        return written + len(session.execute(_EMPTY).all())

    def _receive(self, sku_id: int, quantity: Decimal, day: date) -> None:
        self._move(sku_id, "receive", quantity, ZERO, None, clock.start_of_day(day) + timedelta(hours=7))

    def _move(self, sku_id: int, kind: str, on_hand: Decimal, reserved: Decimal, line_id: int | None, at: datetime) -> None:
        self._on_hand[sku_id] += on_hand
        self._reserved[sku_id] += reserved
        self.movements.add(sku_id, kind, on_hand, reserved, line_id, at)
