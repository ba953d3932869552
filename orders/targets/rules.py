"""How far a target is, what was to be expected by now, what will come, and which light that gives: pure functions."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from shop.core.quantities import plain
from shop.programmes.targets import TargetRules, Unit

_HUNDREDTH = Decimal("0.01")
#: Below this part of last year's whole by the same day, last year tells nothing about how this one goes.
_TELLING = Decimal("0.05")


class Nature(StrEnum):
    """How a measure comes to its value."""

    #: It adds up over the period.
    FLOW = "flow"
    #: It is there on a day, and is built up until the last one.
    BUILD_UP = "build_up"
    #: A rate that is to hold at any time.
    LEVEL = "level"


NATURES = {
    "amount": Nature.FLOW,
    "tonnes": Nature.FLOW,
    "lane_tonnes": Nature.FLOW,
    "cabinets": Nature.BUILD_UP,
    "coverage": Nature.BUILD_UP,
    "sales_growth": Nature.LEVEL,
    "reserved_share": Nature.LEVEL,
    "indicator_growth": Nature.LEVEL,
}


#: Measures that the sales ledger tells.
OF_SALES = frozenset({"amount", "tonnes", "lane_tonnes", "sales_growth"})


class Method(StrEnum):
    #: Nothing is left of the period, or none of it has come.
    FINAL = "final"
    #: As last year's same period went.
    LAST_YEAR = "last_year"
    #: By the days that are over.
    LINEAR = "linear"
    #: A rate is expected, and foreseen, as it stands.
    LEVEL = "level"
    #: The same, but of those that reported only: others are missing.
    COUNTED = "counted"


class Light(StrEnum):
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    #: Its first day has not come, or too little is known of it yet.
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Course:
    """How much of a period is over, and how last year's same period went: in all, and by the same day."""

    days_over: int
    days: int
    last_year: Decimal = Decimal(0)
    last_year_to_date: Decimal = Decimal(0)

    @property
    def begun(self) -> bool:
        return self.days_over > 0

    @property
    def over(self) -> bool:
        return self.days_over >= self.days

    @property
    def telling(self) -> bool:
        """Whether last year says how such a period goes on."""
        return self.last_year > 0 and self.last_year_to_date >= self.last_year * _TELLING


@dataclass(frozen=True, slots=True)
class Reckoned:
    value: Decimal
    method: Method


def period_in(first_on: date, due_on: date | None, on: date) -> tuple[date, date]:
    """The first and last day of a target; of a yearly one in the year of a day, but not before it begins."""
    if due_on is not None:
        return first_on, due_on
    year = max(on.year, first_on.year)
    return max(date(year, 1, 1), first_on), date(year, 12, 31)


def elapsed(first: date, last: date, on: date) -> tuple[int, int]:
    """How many days of a period are over, the day itself among them, and how many it has."""
    days = (last - first) // timedelta(days=1) + 1
    return min(max((on - first) // timedelta(days=1) + 1, 0), days), days


def expected(value: Decimal, nature: Nature, course: Course) -> Reckoned:
    """What was to be reached by now. A flow follows the shape of last year's same period where that tells one, else the days."""
    if nature is Nature.LEVEL:
        return Reckoned(value if course.begun else Decimal(0), Method.LEVEL)
    if course.over:
        return Reckoned(value, Method.FINAL)
    if not course.begun:
        return Reckoned(Decimal(0), Method.FINAL)
    if nature is Nature.FLOW and course.telling:
        return Reckoned(_cents(value * min(course.last_year_to_date, course.last_year) / course.last_year), Method.LAST_YEAR)
    return Reckoned(_cents(value * course.days_over / course.days), Method.LINEAR)


def forecast(done: Decimal, nature: Nature, course: Course, *, complete: bool = True) -> Reckoned:
    """What will be there on the last day: never less than a flow or a build-up has now. ``complete``: as for :func:`light`."""
    if nature is Nature.LEVEL:
        return Reckoned(done, Method.LEVEL if complete else Method.COUNTED)
    if not course.begun or course.over or done <= 0:
        return Reckoned(done, Method.FINAL)
    if nature is Nature.FLOW and course.telling:
        return Reckoned(max(done, _cents(done * course.last_year / course.last_year_to_date)), Method.LAST_YEAR)
    return Reckoned(max(done, _cents(done * course.days / course.days_over)), Method.LINEAR)


def light(
    done: Decimal | None, value: Decimal, due: Decimal, course: Course, rules: TargetRules, *, complete: bool = True
) -> Light:
    """Green: reached, or as much as the programme asks of what was to be expected by now (``due``). Once the period is over, what was not
    reached is never green. ``complete``: everybody whom the target is about has reported; what some of them say lights nothing."""
    if done is None or not course.begun or not complete:
        return Light.NONE
    if done >= value or (not course.over and done * 100 >= due * rules.green_percent):
        return Light.GREEN
    return Light.YELLOW if done * 100 >= due * rules.yellow_percent else Light.RED


def in_unit(value: Decimal, unit: Unit) -> Decimal:
    """A value as people write it: yuan with both decimals, anything else with those that say something."""
    return _cents(value) if unit == "yuan" else Decimal(plain(value))


def _cents(value: Decimal) -> Decimal:
    return value.quantize(_HUNDREDTH, rounding=ROUND_HALF_UP)
