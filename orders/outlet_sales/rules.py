"""Chains of batches, when a batch is doubted, resale and refunds: pure decisions."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from orders.ledger.rules import Part, part_to_reverse
from orders.outlets.rules import Term
from shop.core.clock import shanghai_date
from shop.core.money import half_up


class BatchStatus(StrEnum):
    ACCEPTED = "accepted"
    #: A batch before it in the chain has not come yet.
    WAITING = "waiting"
    HELD = "held"
    #: Another batch stands in its place.
    REPLACED = "replaced"
    #: It should never have been sent: its till withdrew it by a correction without lines, or its file was taken back.
    WITHDRAWN = "withdrawn"
    VOID = "void"


class LineStatus(StrEnum):
    COUNTED = "counted"
    OTHER = "other"
    RESALE = "resale"
    HELD = "held"
    WAITING = "waiting"
    #: Its batch is, or was withdrawn.
    REPLACED = "replaced"
    VOID = "void"


class TrialStatus(StrEnum):
    """How far the trial of a file is."""

    READING = "reading"
    TRYING = "trying"
    DONE = "done"
    REFUSED = "refused"


class Doubt(StrEnum):
    """Why a batch or line is held; a ``reason_code`` of ``counting_hold``."""

    BROKEN_CHAIN = "broken_chain"
    #: What it corrects is not here, or was corrected before.
    CORRECTS_NOTHING = "corrects_nothing"
    OUTLET_CLOSED = "outlet_closed"
    CLOCK = "clock"
    LATE = "late"
    SUSPECTED_DUPLICATE = "suspected_duplicate"
    REFUND = "refund"
    #: The quantity does not go with the amount, or weighs too much.
    IMPLAUSIBLE = "implausible"
    #: It takes more out of what counts than one person, or a device, may.
    WITHDRAWAL = "withdrawal"
    #: A refund has waited for its sale as long as it may.
    NO_SALE = "no_sale"


def canonical(batch: Mapping[str, Any]) -> bytes:
    """A batch as its hash is taken of it: JSON of everything but ``hash``, keys sorted by code point at every level, no blanks, characters as
    they are (UTF-8, only what JSON must escape is escaped), numbers as they were sent."""
    said = {name: value for name, value in batch.items() if name != "hash"}
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")


def batch_hash(batch: Mapping[str, Any]) -> str:
    """SHA-256 of :func:`canonical`, in hex."""
    return hashlib.sha256(canonical(batch)).hexdigest()


@dataclass(frozen=True, slots=True)
class Link:
    """A batch in its place of a device's chain."""

    id: int
    sequence: int
    previous_hash: str | None
    hash: str


@dataclass(frozen=True, slots=True)
class Walked:
    """What can be taken of a chain, in order; those of it that do not name the batch before them by its hash; and the chain's new end."""

    taken: list[int]
    broken: set[int]
    last_sequence: int
    last_hash: str | None


def walk(last_sequence: int, last_hash: str | None, waiting: Sequence[Link]) -> Walked:
    """Go on from the end of a chain over the batches that wait, as far as there is no gap.

    A batch with a wrong previous hash takes its place all the same: it is held, and those after it are chained to it.
    """
    walked = Walked([], set(), last_sequence, last_hash)
    for link in sorted(waiting, key=lambda link: link.sequence):
        if link.sequence != last_sequence + 1:
            break
        walked.taken.append(link.id)
        if link.previous_hash != last_hash:
            walked.broken.add(link.id)
        last_sequence, last_hash = link.sequence, link.hash
    return Walked(walked.taken, walked.broken, last_sequence, last_hash)


@dataclass(frozen=True, slots=True)
class Told:
    """When a batch was sent (by the till's clock) and received, and when its first and last sale were made. One without lines tells of no sale of its
    own: ``first_sold_at`` is then that of what it takes out of the figures, if it takes anything."""

    sent_at: datetime | None
    received_at: datetime
    first_sold_at: datetime | None
    last_sold_at: datetime | None


def doubt(told: Told, term: Term, *, clock_minutes: int, late_days: int) -> Doubt | None:
    """Why a batch is not counted before somebody has looked, whoever sent it and in whatever order it came."""
    first, last = told.first_sold_at, told.last_sold_at
    if first and last and not term.holds(shanghai_date(first), shanghai_date(last)):
        return Doubt.OUTLET_CLOSED
    if max(filter(None, (last, told.sent_at, told.received_at))) > told.received_at + timedelta(minutes=clock_minutes):
        return Doubt.CLOCK
    if first and first < told.received_at - timedelta(days=late_days):
        return Doubt.LATE
    return None


#: How far apart two may tell the moment of one sale.
APART = timedelta(minutes=1)


class Rung(Protocol):
    """A sale as it was rung up: what of it two ways of telling say alike."""

    @property
    def id(self) -> int: ...
    @property
    def outlet_id(self) -> int: ...
    @property
    def goods_id(self) -> str: ...
    @property
    def product_id(self) -> int | None: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def amount_fen(self) -> int: ...
    @property
    def sold_at(self) -> datetime: ...


def alike(told: Iterable[Rung], counted: Iterable[Rung]) -> dict[int, int]:
    """Which sales look like one that counts: the same goods by their number or as a product, quantity and amount at one outlet, no more than a
    minute apart. Of several the first by its id."""
    known: dict[tuple[Any, ...], list[Rung]] = defaultdict(list)
    for sale in counted:
        for goods in _goods(sale):
            known[sale.outlet_id, goods, sale.quantity, sale.amount_fen, _minute(sale)].append(sale)
    found: dict[int, int] = {}
    for line in told:
        near = (
            sale.id
            for goods in _goods(line)
            for minute in range(_minute(line) - 1, _minute(line) + 2)
            for sale in known.get((line.outlet_id, goods, line.quantity, line.amount_fen, minute), ())
            if abs(sale.sold_at - line.sold_at) <= APART
        )
        if (first := min(near, default=None)) is not None:
            found[line.id] = first
    return found


def _goods(sale: Rung) -> Iterator[str | int]:
    yield sale.goods_id
    if sale.product_id is not None:
        yield sale.product_id


def _minute(sale: Rung) -> int:
    return int(sale.sold_at.timestamp() // APART.total_seconds())


def split_resale(bought: Decimal, resold: Decimal, sold: Sequence[Decimal]) -> list[bool]:
    """Which sales are resale of what the operator has bought here, in their order; all figures of one product in one measure.

    Sales are not cut in two: as long as anything that was bought is left, a whole line is resale. So no sale counts twice; of one line for
    each purchase that was used up, a part may not count at all. What has no measure is resale as long as anything is left, and uses up nothing.
    """
    left = bought - resold
    found = []
    for each in sold:
        found.append(left > 0)
        if left > 0:
            left -= each
    return found


def refund(sale: Part, given_back: Part, quantity: Decimal, told_fen: int | None) -> Part | None:
    """What giving back ``quantity`` of a sale is: its share of the sale, rounded so that parts sum to the whole. None: it is more than there is,
    or the till, which knows nothing of other refunds, says another amount than the share of this quantity alone (more than a fen apart; ``told_fen``
    None: whatever it says)."""
    if given_back.quantity + quantity > sale.quantity:
        return None
    if told_fen is not None and abs(half_up(sale.amount_fen * quantity / sale.quantity) - told_fen) > 1:
        return None
    return part_to_reverse(sale, given_back, quantity)


def refunds_of_none(told: Sequence[tuple[Hashable, Hashable | None]]) -> list[int]:
    """The places of lines that give back of themselves or of another refund, among lines by their number and that of the sale that they give back
    of: no sale could ever fit them."""
    refunds = {number for number, sale in told if sale is not None}
    return [place for place, (_, sale) in enumerate(told) if sale is not None and sale in refunds]


def allocate(entries: Sequence[tuple[int, Decimal]], quantity: Decimal) -> dict[int, Decimal]:
    """From which entries a quantity is taken back, the oldest first.

    Raises:
        ValueError: they hold less.
    """
    taken: dict[int, Decimal] = {}
    for entry_id, left in entries:
        part = min(left, quantity)
        if part > 0:
            taken[entry_id] = part
            quantity -= part
    if quantity > 0:
        raise ValueError("the entries hold less than is taken back")
    return taken
