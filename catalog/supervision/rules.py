"""What is found too much, too dear or risky: pure functions."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from shop.core.workdays import Calendar

# --- capacity -------------------------------------------------------------------------------------------------------


def last_day_to_hold(today: date, working_days: int, workdays: Calendar) -> date:
    """Flags raised on this day or before have had so many working days to be explained, all of them over."""
    day = today - timedelta(days=1)
    while workdays.add(day, working_days) >= today:
        day -= timedelta(days=1)
    return day


def percent_of(committed_grams: int, capacity_grams: int) -> int:
    """How much of a capacity is sold and promised, in whole percent, rounded down; of no capacity at all, everything is 100 percent more."""
    return committed_grams * 100 // capacity_grams if capacity_grams else (200 if committed_grams else 0)


# --- prices ---------------------------------------------------------------------------------------------------------


def above_bp(own_fen: int, own_grams: int | None, found_fen: int, found_grams: int | None) -> int:
    """How far a price lies above one found elsewhere, in basis points (negative: below), gram for gram; of a service, unit for unit. Rounded
    half up."""
    if own_grams is None or found_grams is None:
        own, found = own_fen, found_fen
    else:
        own, found = own_fen * found_grams, found_fen * own_grams
    return ((own - found) * 20_000 + found) // (2 * found)


#: A price that lies further above another (ten thousand times) was mistyped.
MOST_ABOVE_BP = 100_000_000

# --- random checks --------------------------------------------------------------------------------------------------


def population_digest(numbers: Sequence[str]) -> str:
    """SHA-256 over the numbers of all certificates that could have been drawn, in the order of their ids."""
    return hashlib.sha256("\n".join(numbers).encode()).hexdigest()


def drawn(numbers: Sequence[str], seed: str, size: int) -> list[str]:
    """The draw: the numbers whose hash with the seed is smallest. Nobody who does not know the seed can foresee it, and everybody who knows it
    can repeat it."""
    return sorted(numbers, key=lambda number: hashlib.sha256(f"{seed}:{number}".encode()).hexdigest())[:size]


class CheckKind(StrEnum):
    QUALITY = "quality"
    PRICE = "price"
    LINKAGE = "linkage"
    SITE = "site"
    PAPERS = "papers"


#: What a check of each kind found, where it failed: a code of the programme's terms ``reason``.
REASONS = {
    CheckKind.QUALITY: "quality_failure",
    CheckKind.PRICE: "price_above",
    CheckKind.LINKAGE: "linkage_untrue",
    CheckKind.SITE: "relabelled",
    CheckKind.PAPERS: "papers_expired",
}

# --- risk -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Risk:
    """A reason to look at a certificate. ``weight`` adds to its score."""

    weight: int
    zh: str
    en: str


#: What makes a product risky. The weights order a county's list; they are ours, no rule names any.
RISKS: dict[str, Risk] = {
    "inspection_failed": Risk(40, "近一年检查不合格", "a check failed within a year"),
    "over_capacity": Risk(40, "销量超过认定产能且未解除", "more was sold than certified, and that stands"),
    "complaint_upheld": Risk(35, "近一年投诉属实", "a complaint was upheld within a year"),
    "objection_upheld": Risk(30, "公示异议成立", "an objection against its notice was upheld"),
    "price_above": Risk(25, "最近比价高于容许幅度", "the latest comparison found the price too high"),
    "low_ratings": Risk(25, "多次低分评价且未处理", "buyers rated it low several times, and that stands"),
    "papers_ending": Risk(20, "30 天内证照到期或已到期", "papers end within 30 days, or have ended"),
    "warned": Risk(20, "近一年被警示", "it was warned within a year"),
    "complaint_open": Risk(15, "有未处理投诉", "a complaint is open"),
    "few_households": Risk(10, "带动农户少于 3 户", "fewer than 3 households take part"),
    "never_inspected": Risk(5, "从未检查", "it was never checked"),
}
FEW_HOUSEHOLDS, PAPERS_ENDING_DAYS = 3, 30
