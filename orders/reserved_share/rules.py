"""What a reserved share comes to, and how far it is filled: pure functions. Amounts are fen."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from shop.core.errors import Fault
from shop.core.money import half_up
from shop.core.quantities import plain
from shop.programmes.schemas import ReservedShare as Config

#: Below this part of last year's purchases by the same day, last year tells nothing about how this one goes on.
_TELLING = Decimal("0.05")


class Exemption(StrEnum):
    """Why a unit has no share of its own (the practice of 2023: domain notes on reserved shares)."""

    NO_CANTEEN = "no_canteen"
    SHARED_CANTEEN = "shared_canteen"
    OUTSOURCED_CANTEEN = "outsourced_canteen"


class Method(StrEnum):
    """By what the rest of a year is foreseen."""

    #: Nothing is left of it, or nothing of it has come.
    FINAL = "final"
    #: As last year went on after the same day.
    LAST_YEAR = "last_year"
    #: As it went so far, day by day.
    LINEAR = "linear"


@dataclass(frozen=True, slots=True)
class Content:
    """What a unit files. ``percent_bp`` is in basis points: 1000 is 10 %."""

    base_fen: int
    percent_bp: int
    exemption: Exemption | None = None
    exemption_reason: str | None = None
    shared_with_id: int | None = None
    contractor: str | None = None

    @property
    def reserved_fen(self) -> int:
        """The share in fen, rounded half up; none for who is exempt."""
        return 0 if self.exemption else half_up(Decimal(self.base_fen) * self.percent_bp / 10_000)


def faults(content: Content, config: Config, own_id: int) -> list[Fault]:
    """What keeps a unit from filing this, by field."""
    found = []
    exemption = content.exemption
    least = config.minimum_percent
    if exemption is None:
        if content.base_fen <= 0:
            found.append(Fault("base", "base_missing", "未填报采购基数", "The base must be above zero, unless the unit is exempt"))
        if content.percent_bp < least * 100:
            said = plain(Decimal(content.percent_bp) / 100)
            found.append(
                Fault(
                    "percent",
                    "below_minimum",
                    f"预留比例不得低于 {least}%（所填为 {said}%）",
                    f"At least {least} % must be reserved, not {said} %",
                    {"minimum": least},
                )
            )
    elif exemption not in config.exemptions:
        found.append(Fault("exemption", "not_in_programme", "当前方案没有此项豁免", "The programme knows no such exemption"))
    elif exemption is Exemption.NO_CANTEEN and content.base_fen:
        found.append(Fault("base", "base_without_canteen", "无食堂单位的基数须为 0", "Without a canteen the base is 0"))
    needed = {
        "exemption_reason": (content.exemption_reason, exemption is not None),
        "shared_with_id": (content.shared_with_id, exemption is Exemption.SHARED_CANTEEN),
        "contractor": (content.contractor, exemption is Exemption.OUTSOURCED_CANTEEN),
    }
    for field, (value, wanted) in needed.items():
        if wanted and value is None:
            found.append(Fault(field, "missing", "此项豁免须填写", "This exemption needs it"))
        elif not wanted and value is not None:
            found.append(Fault(field, "not_wanted", "此情形不应填写", "This does not go with the exemption given"))
    if content.shared_with_id == own_id:
        found.append(Fault("shared_with_id", "own_unit", "不能与本单位合用", "A canteen is shared with another unit"))
    return found


def percent(bp: int) -> str:
    """1250 basis points -> ``"12.5"``."""
    return plain(Decimal(bp) / 100)


# --- the course of a year -------------------------------------------------------------------------------------------


def first_and_last(year: int) -> tuple[date, date]:
    return date(year, 1, 1), date(year, 12, 31)


def same_day_last_year(today: date) -> date:
    """29 February answers to the 28th."""
    return today.replace(year=today.year - 1, day=28) if (today.month, today.day) == (2, 29) else today.replace(year=today.year - 1)


def elapsed(year: int, today: date) -> tuple[int, int]:
    """How many days of a year are over, today among them, and how many it has."""
    first, last = first_and_last(year)
    days = (last - first).days + 1
    return min(max((today - first) // timedelta(days=1) + 1, 0), days), days


def rate_bp(done_fen: int, reserved_fen: int) -> int | None:
    """How much of a share is filled, in basis points, rounded down: 9999 is not done. None where nothing is reserved."""
    return done_fen * 10_000 // reserved_fen if reserved_fen else None


def is_behind(done_fen: int, reserved_fen: int, days_over: int, days: int) -> bool:
    """Whether less of a share is filled than of the year is over."""
    return done_fen * days < reserved_fen * days_over


@dataclass(frozen=True, slots=True)
class Forecast:
    done_fen: int
    method: Method


def forecast(done_fen: int, days_over: int, days: int, last_year_fen: int, last_year_to_date_fen: int) -> Forecast:
    """What will be done by the end of the year, rounded half up.

    Where last year's purchases by the same day were at least a twentieth of its whole, the rest of this year is taken to stand to what is
    done as last year's rest stood; else the days to come are taken to be as those that are over. It is never less than what is done, and at
    the end of the year it is what is done.
    """
    if days_over <= 0 or days_over >= days or done_fen <= 0:
        return Forecast(done_fen, Method.FINAL)
    telling = last_year_to_date_fen > 0 and last_year_to_date_fen >= last_year_fen * _TELLING
    whole, part, method = (last_year_fen, last_year_to_date_fen, Method.LAST_YEAR) if telling else (days, days_over, Method.LINEAR)
    return Forecast(max(done_fen, half_up(Decimal(done_fen * whole) / part)), method)
