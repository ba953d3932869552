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

    amount_fen: int = Field(default=0, description="fen (1/100 yuan)")
    grams: int = 0
    certified_fen: int = Field(default=0, description="of that, of certified products")
    entries: int = Field(default=0, description="entries of the sales ledger")

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

    now: Sums = Field(default=Sums(), description="the month")
    last_year: Sums = Field(default=Sums(), description="the same month of last year")
    last_period: Sums = Field(default=Sums(), description="the month before")
    to_date: Sums = Field(default=Sums(), description="the year up to the month's end")

    def plus(self, change: Sums) -> "Compared":
        """The same with what was told later of the month."""
        return self.model_copy(update={"now": self.now + change, "to_date": self.to_date + change})


class Named(Part):
    """Something with its names of the day on which the edition was drafted."""

    code: str
    zh: str
    en: str


class Reason(Part):
    """Words with their code."""

    code: str
    zh: str
    en: str


class Graded(Part):
    """How far papers prove a figure, and what makes it doubtful."""

    letter: Letter
    points: int = Field(description="0 to 100, weighted by amount")
    reasons: tuple[Reason, ...] = ()


class Row(Named):
    """A figure with its growth, in percent: against last year and against the month before."""

    figures: Compared
    growth_year: str | None = Field(description="percent with two decimals; null: nothing was sold then")
    growth_period: str | None = Field(description="percent with two decimals; null: nothing was sold then")
    grade: Graded | None = Field(default=None, description="null: nothing was sold")


class DistrictRow(Row):
    """A district as it stood on the month's last day."""

    certificates: int = Field(default=0, description="in force on the month's last day")


class Overlay(Row):
    """A view across the districts. It overlaps with others and is never added to the total."""

    kind: Literal["township", "designation"]
    codes: tuple[str, ...] = Field(description="townships or districts that it holds")


class Withheld(Named):
    """A district whose figure is not published, and is in no total of the bulletin: under verification."""

    grade: Graded


class Note(Named):
    """Why a district's figure is published all the same."""

    explanation: str
    on: str = Field(description="the day on which it was given")


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
    sold: int = Field(description="places that sold in the month")
    sold_besides: int | None = Field(
        default=None,
        description="of those that sold, how many are in none of the three: verified later, or closed by then; null: the edition does not tell",
    )


class Closed(Part):
    """How the month was closed: how many counties had to close it, those without which the city did, and why it did so all the same."""

    counties: int = Field(description="that had to close it")
    without: tuple[Named, ...] = Field(default=(), description="those that had not")
    reason: str | None = Field(default=None, description="why the city closed it all the same")


class Certificates(Part):
    """In force on the month's last day."""

    certificates: int
    products: int
    suppliers: int


class TargetRow(Named):
    """A goal of sales in yuan, and what was sold towards it from its first day up to the month's end."""

    goal_fen: int
    done_fen: int
    due: str = Field(description="its last day")
    source: str = Field(description="the paper that sets it")


class Difference(Named):
    """What changed in a district against the edition before, by cause."""

    late: Sums = Field(default=Sums(), description="told after the close")
    reversal: Sums = Field(default=Sums(), description="taken back after the month's end")
    again: Sums = Field(default=Sums(), description="booked again after it had been taken back")
    revoked: Sums = Field(default=Sums(), description="of certificates that were revoked since: certified no more")
    verified: Sums = Field(default=Sums(), description="of a district that was withheld before")
    total: Sums = Sums()


class Revision(Part):
    """Of a revision: what it revises, why, and what changed."""

    of: str = Field(description="the number of the edition before")
    reason: str
    before: Sums = Field(description="the totals of the edition before")
    districts: tuple[Difference, ...]
    total: Difference
    helped: Difference
    lines: int = Field(description="of the difference table")
    lines_sha256: str = Field(description="hex SHA-256 of these lines")


class Content(Part):
    """A bulletin, or a revision of one, as it was frozen."""

    schema_version: int = Field(default=SCHEMA_VERSION, description="changes with the meaning of a member")
    number: str | None = Field(default=None, description="as addresses have it, `2026-03-R1`; null while it is a draft")
    issued_on: str | None = Field(default=None, description="day of Shanghai; null while it is a draft")
    month: str = Field(description="`2026-10`")
    first: str = Field(description="its first day")
    last: str = Field(description="its last day; districts stand as on it")
    exact_to: str = Field(description="when the ledger was asked")
    definition: Reason = Field(
        description="by what days sales count: a bulletin as the ledger does (`general`), a revision by the day of the sale (`restated`)"
    )
    definitions: tuple[Reason, ...] = Field(
        default=(), description="what else a reader has to know of single figures: `certified`, `outlets`, `districts`"
    )
    closed: Closed | None = Field(default=None, description="null: the edition does not tell")
    totals: Row
    counts: Counts
    of_earlier_months: Sums = Field(
        description="of the totals: what was made in earlier, closed months and told in this one, or taken back in it"
    )
    helped: Row = Field(description="sold with somebody's help: a book of its own, never added to the totals")
    districts: tuple[DistrictRow, ...]
    channels: tuple[Row, ...]
    sources: tuple[Row, ...]
    categories: tuple[Row, ...]
    overlays: tuple[Overlay, ...] = Field(description="views across the districts, never added")
    outlets: Outlets
    certificates: Certificates
    targets: tuple[TargetRow, ...] = ()
    withheld: tuple[Withheld, ...] = Field(default=(), description="districts that are in no figure of the edition")
    notes: tuple[Note, ...] = ()
    revision: Revision | None = Field(default=None, description="null: it is no revision")


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
