"""Periods, growth and weights of figures: pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from shop.core.months import month_end, month_start

_HUNDREDTH = Decimal("0.01")
#: All of something, in hundredths of a percent.
_ALL = 10_000
_GRAMS_IN_KILOGRAM = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """Days from ``first`` to ``last``, both included; ``whole`` when they are whole months, ``years`` when they are whole years."""

    first: date
    last: date
    whole: bool
    years: bool = False


def parts(first: date, last: date, today: date) -> list[Part]:
    """Split a period into whole months and the days before and after them.

    No sale is dated after today, so the present month is whole from its first day on: a period up to today needs no single days.
    """
    if last >= today:
        last = month_end(last)
    whole_first = first if first.day == 1 else month_end(first) + timedelta(days=1)
    whole_last = last if last == month_end(last) else month_start(last) - timedelta(days=1)
    if whole_first > whole_last:
        return [Part(first, last, False)]
    found = [Part(whole_first, whole_last, True)]
    if first < whole_first:
        found.insert(0, Part(first, whole_first - timedelta(days=1), False))
    if whole_last < last:
        found.append(Part(whole_last + timedelta(days=1), last, False))
    return found


def rest_of_month(part: Part) -> list[Part]:
    """The days of a month that some days of it leave, where these are fewer; none where they are more, or where the days lie in several months."""
    start, end = month_start(part.first), month_end(part.first)
    if part.last > end or 2 * ((part.last - part.first).days + 1) <= end.day:
        return []
    before = Part(start, part.first - timedelta(days=1), False)
    after = Part(part.last + timedelta(days=1), end, False)
    return [rest for rest in (before, after) if rest.first <= rest.last]


def by_years(part: Part, today: date) -> list[Part]:
    """Split whole months into whole years and the months before and after them; as no sale is dated after today, this year is whole from its
    first month on."""
    last = part.last.replace(month=12, day=31) if part.last >= month_end(today) else part.last
    first_year = part.first.year + (part.first.month > 1)
    last_year = last.year - (last.month < 12)  # a month's last day: the 31st of December ends a year
    if not part.whole or first_year > last_year:
        return [part]
    begin, end = date(first_year, 1, 1), date(last_year, 12, 31)
    found = [Part(begin, end, whole=True, years=True)]
    if part.first < begin:
        found.insert(0, Part(part.first, begin - timedelta(days=1), whole=True))
    if end < last:
        found.append(Part(end + timedelta(days=1), last, whole=True))
    return found


def year_before(day: date) -> date:
    """The same date a year earlier; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def same_period_last_year(first: date, last: date) -> tuple[date, date]:
    """The same days a year earlier; a period that ends with February ends with February."""
    before = year_before(last)
    return year_before(first), month_end(before) if last == month_end(last) and last.month == 2 else before


@dataclass(frozen=True, slots=True)
class Shift:
    """So many months and days later."""

    months: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True)
class Before:
    """The period before another one, of the same length, and by how much it lies before it."""

    first: date
    last: date
    shift: Shift


def previous_period(first: date, last: date) -> Before:
    """As many whole months before whole months, else as many days: May 2026 comes after April, 5 to 11 May after 28 April to 4 May."""
    if first == month_start(first) and last == month_end(last):
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        year, month = divmod(first.year * 12 + first.month - 1 - months, 12)
        return Before(date(year, month + 1, 1), first - timedelta(days=1), Shift(months=months))
    days = (last - first).days + 1
    return Before(first - timedelta(days=days), first - timedelta(days=1), Shift(days=days))


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier, or the last of that month if it is shorter; of a month's last day the last."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = month_end(date(year, month + 1, 1))
    return last if day == month_end(day) else last.replace(day=min(day.day, last.day))


def span_before(first: date, last: date, span: Shift) -> Before:
    """A period moved by one span of time, so that each span in it stands beside the one before (环比): January to 15 March beside December to
    15 February. A month, quarter or year that is not over is held against as much of the one before; days up to a month's end against as many up
    to the end of the one before: 30 and 31 March against 27 and 28 February."""
    if span.months == 1 and first != month_start(first):
        return Before(_tail_before(first, last), months_before(last, 1), span)
    if span.months:
        return Before(months_before(first, span.months), months_before(last, span.months), span)
    days = timedelta(days=span.days)
    return Before(first - days, last - days, span)


def _tail_before(first: date, last: date) -> date:
    """Where days that begin within a month begin in the month before: on the same date, or, where they go up to an end of either month, as many
    days before that end; never before that month itself."""
    until = min(last, month_end(first))
    end = months_before(until, 1)
    if until != month_end(until) and end.day == until.day:
        return months_before(first, 1)
    return max(month_start(end), end - (until - first))


def span_of(day: date, length: Shift) -> tuple[date, date]:
    """First and last day of the span of time, as long as that, which begins on a day."""
    if not length.months:
        return day, day + timedelta(days=length.days - 1)
    year, month = divmod(day.year * 12 + day.month - 1 + length.months - 1, 12)
    return day, month_end(date(year, month + 1, 1))


def share(part: int | Decimal, whole: int | Decimal) -> str | None:
    """How many percent of the whole, with two decimals; None where there is no positive whole."""
    if whole <= 0:
        return None
    return str((Decimal(part) * 100 / Decimal(whole)).quantize(_HUNDREDTH, rounding=ROUND_HALF_UP))


def reached(part: int | Decimal, whole: int | Decimal) -> Decimal | None:
    """How many percent of what is to be reached there are, with two decimals, rounded down: 99.999 is not all of it. None where there is nothing to
    reach."""
    if whole <= 0:
        return None
    return (Decimal(part) * 100 / Decimal(whole)).quantize(_HUNDREDTH, rounding=ROUND_FLOOR)


def shares(parts: Sequence[int | Decimal]) -> list[str | None]:
    """How many percent of all of them each part is, with two decimals that come to 100.00 together, also where one is below zero: none is off by a whole
    hundredth (largest remainder; ties go to the earlier part). None where there is no positive whole. Parts have three decimals at most."""
    thousandths = [int(part * 1000) for part in parts]
    whole = sum(thousandths)
    if whole <= 0:
        return [None] * len(parts)
    found = [part * _ALL // whole for part in thousandths]
    by_remainder = sorted(range(len(parts)), key=lambda n: -(thousandths[n] * _ALL % whole))
    for n in by_remainder[: _ALL - sum(found)]:
        found[n] += 1
    return [str(Decimal(hundredths).scaleb(-2)) for hundredths in found]


def ranks(values: Sequence[int | Decimal]) -> list[int]:
    """The rank of each value, the highest first; equal values share a rank, and the next one counts them: 1, 2, 2, 4."""
    above = sorted(values, reverse=True)
    first = {value: position for position, value in reversed(list(enumerate(above, 1)))}
    return [first[value] for value in values]


def rise(now: int | Decimal, before: int | Decimal) -> Decimal | None:
    """By how many percent ``now`` is above ``before``, with two decimals; None where there is no positive base to compare with."""
    if before <= 0:
        return None
    return (Decimal(now - before) * 100 / Decimal(before)).quantize(_HUNDREDTH, rounding=ROUND_HALF_UP)


def growth(now: int | Decimal, before: int | Decimal) -> str | None:
    """:func:`rise` as it is shown."""
    found = rise(now, before)
    return None if found is None else str(found)


def tonnes(grams: int) -> str:
    """Grams as tonnes with three decimals, that is to the kilogram: 1234567 -> ``"1.235"``."""
    kilograms = (abs(grams) + _GRAMS_IN_KILOGRAM // 2) // _GRAMS_IN_KILOGRAM
    sign = "-" if grams < 0 and kilograms else ""
    return f"{sign}{kilograms // 1000}.{kilograms % 1000:03d}"
