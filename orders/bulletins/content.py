"""What a bulletin says: frozen as JSON when it is drafted, and the only source of all its files.

Amounts are fen, weights grams, percentages texts with two decimals. ``schema_version`` changes with the meaning of a member.
"""

import hashlib
import json
from typing import Any, Literal

from pydantic import Field

from shop.programmes.parts import Part
from shop.programmes.reporting import Letter

SCHEMA_VERSION = 1


class Sums(Part):
    """Sales, corrections taken off; of them those of certified products."""

    amount_fen: int = 0
    grams: int = 0
    certified_fen: int = 0
    entries: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            amount_fen=self.amount_fen + other.amount_fen,
            grams=self.grams + other.grams,
            certified_fen=self.certified_fen + other.certified_fen,
            entries=self.entries + other.entries,
        )

    def __neg__(self) -> "Sums":
        return Sums(amount_fen=-self.amount_fen, grams=-self.grams, certified_fen=-self.certified_fen, entries=-self.entries)

    def __sub__(self, other: "Sums") -> "Sums":
        return self + -other


class Compared(Part):
    """The month, the same month of last year, the month before, and the year up to the month's end."""

    now: Sums = Sums()
    last_year: Sums = Sums()
    last_period: Sums = Sums()
    to_date: Sums = Sums()

    def plus(self, change: Sums) -> "Compared":
        """The same with what was told later of the month."""
        return self.model_copy(update={"now": self.now + change, "to_date": self.to_date + change})


class Named(Part):
    code: str
    zh: str
    en: str


class Reason(Part):
    code: str
    zh: str
    en: str


class Graded(Part):
    """How far papers prove a figure, and what makes it doubtful."""

    letter: Letter
    points: int
    reasons: tuple[Reason, ...] = ()


class Row(Named):
    """A figure with its growth, in percent: against last year and against the month before."""

    figures: Compared
    growth_year: str | None
    growth_period: str | None
    grade: Graded | None = None


class DistrictRow(Row):
    #: In force on the month's last day.
    certificates: int = 0


class Overlay(Row):
    """A view across the districts. It overlaps with others and is never added to the total."""

    kind: Literal["township", "designation"]
    #: Townships or districts that it holds.
    codes: tuple[str, ...]


class Withheld(Named):
    """A district whose figure is not published, and is in no total of the bulletin: under verification."""

    grade: Graded


class Note(Named):
    """Why a district's figure is published all the same."""

    explanation: str
    on: str


class Counts(Part):
    """Each once in the month."""

    orders: int
    buyers: int
    products: int
    suppliers: int


class Outlets(Part):
    """Places of sale that were open on the month's last day, and those that sold in it."""

    cabinets: int
    halls: int
    zones: int
    sold: int
    #: Of those that sold, how many are in none of the three: verified later, or closed by then. None: the edition does not tell.
    sold_besides: int | None = None


class Closed(Part):
    """How the month was closed: how many counties had to close it, those without which the city did, and why it did so all the same."""

    counties: int
    without: tuple[Named, ...] = ()
    reason: str | None = None


class Certificates(Part):
    """In force on the month's last day."""

    certificates: int
    products: int
    suppliers: int


class TargetRow(Named):
    """A goal of sales in yuan, and what was sold towards it from its first day up to the month's end."""

    goal_fen: int
    done_fen: int
    due: str
    source: str


class Difference(Named):
    """What changed in a district against the edition before, by cause."""

    late: Sums = Sums()
    reversal: Sums = Sums()
    again: Sums = Sums()
    revoked: Sums = Sums()
    verified: Sums = Sums()
    total: Sums = Sums()


class Revision(Part):
    """Of a revision: what it revises, why, and what changed; ``lines_sha256`` is the hash of the difference table's lines."""

    of: str
    reason: str
    before: Sums
    districts: tuple[Difference, ...]
    total: Difference
    helped: Difference
    lines: int
    lines_sha256: str


class Content(Part):
    schema_version: int = SCHEMA_VERSION
    #: None while it is a draft.
    number: str | None = None
    issued_on: str | None = None
    month: str
    first: str
    last: str
    #: When the ledger was asked; districts stand as on ``last``.
    exact_to: str
    #: By what days sales count: a bulletin as the ledger does (``general``), a revision by the day of the sale (``restated``).
    definition: Reason
    #: What else a reader has to know of single figures: ``certified``, ``outlets``, ``districts``.
    definitions: tuple[Reason, ...] = ()
    #: None: the edition does not tell.
    closed: Closed | None = None
    totals: Row
    counts: Counts
    #: Of the totals: what was made in earlier, closed months and told in this one, or taken back in it.
    of_earlier_months: Sums
    #: Sold with somebody's help: a book of its own, never added to the totals.
    helped: Row
    districts: tuple[DistrictRow, ...]
    channels: tuple[Row, ...]
    sources: tuple[Row, ...]
    categories: tuple[Row, ...]
    overlays: tuple[Overlay, ...]
    outlets: Outlets
    certificates: Certificates
    targets: tuple[TargetRow, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    notes: tuple[Note, ...] = ()
    revision: Revision | None = Field(default=None)


def frozen(content: Content) -> bytes:
    """The bytes that are kept: one way of writing, so that the same content has the same hash."""
    return canonical(content.model_dump(mode="json"))


def canonical(value: Any) -> bytes:
    """JSON with sorted members and no spaces."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def read(content: bytes) -> Content:
    """What :func:`frozen` wrote."""
    return Content.model_validate_json(content)


def digest(content: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(content).hexdigest()
