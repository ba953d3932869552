"""Periods of reported figures, and how one is compared with that of the year before: pure functions."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from orders.statistics.rules import rise

_CODE = re.compile(r"(20[0-9]{2})(?:-(?:(0[1-9]|1[0-2])|Q([1-4])))?")

#: A month as people write it, or the first of it, which spreadsheet programs make of one; a quarter; a year.
_MONTH = re.compile(r"(\d{4})(?:[-/](\d{1,2})(?:[-/]0?1(?:00:00:00)?)?|年(\d{1,2})月(?:0?1日)?)", re.ASCII)
_QUARTER = re.compile(r"(\d{4})(?:[-/]?Q([1-4])|年第?([1-4一二三四])季度?)", re.ASCII | re.IGNORECASE)
_YEAR = re.compile(r"(\d{4})年", re.ASCII)
_DIGITS = str.maketrans("一二三四", "1234")


class Grain(StrEnum):
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_MONTHS = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Period:
    """A whole month, quarter or year."""

    grain: Grain
    first: date

    @property
    def last(self) -> date:
        months = self.first.year * 12 + self.first.month - 1 + _MONTHS[self.grain]
        return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)

    @property
    def code(self) -> str:
        """``2026-05``, ``2026-Q2`` or ``2026``."""
        match self.grain:
            case Grain.MONTH:
                return f"{self.first:%Y-%m}"
            case Grain.QUARTER:
                return f"{self.first.year}-Q{(self.first.month + 2) // 3}"
            case Grain.YEAR:
                return f"{self.first.year}"

    @property
    def year_before(self) -> "Period":
        return Period(self.grain, self.first.replace(year=self.first.year - 1))


def period_of(code: str) -> Period | None:
    """The period that a code names; None: it names none."""
    found = _CODE.fullmatch(code)
    if found is None:
        return None
    year, month, quarter = int(found[1]), found[2], found[3]
    if month:
        return Period(Grain.MONTH, date(year, int(month), 1))
    if quarter:
        return Period(Grain.QUARTER, date(year, int(quarter) * 3 - 2, 1))
    return Period(Grain.YEAR, date(year, 1, 1))


def code_of(written: str) -> str:
    """The code of the period that a cell tells in whatever way: 2026年10月 and 2026-10-01 are 2026-10, 2026q3 is 2026-Q3. What tells none stays as it is."""
    plain = "".join(unicodedata.normalize("NFKC", written).split())
    if found := _MONTH.fullmatch(plain):
        return f"{found[1]}-{found[2] or found[3]:>02}"
    if found := _QUARTER.fullmatch(plain):
        return f"{found[1]}-Q{(found[2] or found[3]).translate(_DIGITS)}"
    return found[1] if (found := _YEAR.fullmatch(plain)) else plain


@dataclass(frozen=True, slots=True)
class Stated:
    """A figure with the way in which it was counted."""

    value: Decimal
    method: str


class Basis(StrEnum):
    """What a growth is reckoned from."""

    #: What was published of the year before.
    PUBLISHED = "published"
    #: What the source gives beside the value, in the same method: the base was restated, or was never reported here.
    RESTATED = "restated"
    #: There is a base, but it was counted in another way: the two are not compared.
    OTHER_METHOD = "other_method"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Base:
    basis: Basis
    value: Decimal | None = None


def base_of(method: str, published: Stated | None, stated: Stated | None) -> Base:
    """The base of a value that was counted by ``method``: never one that was counted in another way.

    ``published`` is the accepted value of the year before, ``stated`` what the report itself gives as such. Where the method changed, the
    source has to restate the year before in the new one (rebasing); without that there is no growth.
    """
    if stated is not None and stated.method == method:
        same = published is not None and published == stated
        return Base(Basis.PUBLISHED if same else Basis.RESTATED, stated.value)
    if published is not None and published.method == method:
        return Base(Basis.PUBLISHED, published.value)
    return Base(Basis.NONE if published is None and stated is None else Basis.OTHER_METHOD)


def growth(value: Decimal | None, base: Decimal | None) -> Decimal | None:
    """(this − base) ÷ base in percent, with two decimals; None without a value or a positive base."""
    return None if value is None or base is None else rise(value, base)


@dataclass(frozen=True, slots=True)
class Together:
    """Several regions as one: the sums of those that have both years, how many these are, and of how many."""

    counties: int
    counted: int = 0
    value: Decimal | None = None
    base: Decimal | None = None

    @property
    def complete(self) -> bool:
        return self.counted == self.counties

    @property
    def growth(self) -> Decimal | None:
        return growth(self.value, self.base)


def together(parts: Iterable[tuple[Decimal | None, Decimal | None]]) -> Together:
    """The sums of values and bases over those that have both: what has no base does not make the rest grow."""
    asked = list(parts)
    both = [(this, before) for this, before in asked if this is not None and before is not None]
    if not both:
        return Together(len(asked))
    values, bases = zip(*both, strict=True)
    return Together(len(asked), len(both), sum(values, Decimal(0)), sum(bases, Decimal(0)))


def joined(parts: Iterable[Stated]) -> Stated | None:
    """The figure of a region that others were merged into; None where they were not all counted in the same way."""
    found = list(parts)
    methods = {each.method for each in found}
    if len(methods) != 1:
        return None
    return Stated(sum((each.value for each in found), Decimal(0)), methods.pop())
