"""How long a certificate runs, how it is numbered, and the price up to which its product needs no review: pure functions."""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from catalog.certificates.states import SuspendedBy


def last_day(valid_from: date, months: int) -> date:
    """The last day of so many months that begin on ``valid_from``: 36 months from 2026-03-15 end on 2029-03-14.

    Where the month has no such day its last day stands in: 1 month from 31 January ends on 27 (28) February.
    """
    month = valid_from.month - 1 + months
    year, month = valid_from.year + month // 12, month % 12 + 1
    return date(year, month, min(valid_from.day, calendar.monthrange(year, month)[1])) - timedelta(days=1)


def months_after(day: date, months: int) -> date:
    """The first day on which so many months are over: a ban of 12 months from 2026-03-15 ends with 2027-03-14."""
    return last_day(day, months) + timedelta(days=1)


def certificate_series(year: int, district_code: str) -> str:
    """Certificates are counted per year and county."""
    return f"certificate:{year}:{district_code}"


def certificate_number(year: int, district_code: str, count: int) -> str:
    """``CQ-2026-500236-000123``."""
    return f"CQ-{year}-{district_code}-{count:06d}"


def ceiling(comparable_fen: int, tolerance_percent: int) -> int:
    """The highest price in fen that needs no review: that of comparable goods and the programme's tolerance, rounded half up."""
    return (comparable_fen * (100 + tolerance_percent) + 50) // 100


def above_comparable_sql(price: str, certificate: str, sku: str) -> str:
    """SQL: whether a price in fen lies further above that of the comparable goods of a product's certificate than ``:tolerance`` percent, gram for gram;
    of a service, unit for unit. What a price review raised is the ceiling, not this."""
    highest = f"(({certificate}.comparable_price_fen * (100 + CAST(:tolerance AS bigint)) + 50) / 100)"  # as :func:`ceiling`
    return f"""(CASE WHEN {certificate}.comparable_price_fen IS NULL THEN false
        WHEN {certificate}.comparable_pack_grams IS NULL OR {sku}.net_grams IS NULL THEN {price} > {highest}
        ELSE {price} * {certificate}.comparable_pack_grams > {highest} * {sku}.net_grams END)"""


@dataclass(frozen=True)
class Paper:
    """A paper behind a certificate; ``order`` rises with the time at which it was brought. ``valid_until``: its last day; None: no end."""

    kind: str
    number: str | None
    valid_until: date | None
    order: int


#: A product may have several of these at once; of every other kind the newest takes the place of those before.
SEVERAL = frozenset({"quality_certificate", "trademark", "other"})


def newest_papers(papers: Iterable[Paper]) -> list[Paper]:
    """Those that count: the newest of each kind, or of each number where a product may have several."""
    counting: dict[tuple[str, str | None], Paper] = {}
    for paper in sorted(papers, key=lambda each: each.order):
        counting[paper.kind, paper.number if paper.kind in SEVERAL else None] = paper
    return list(counting.values())


def papers_end(papers: Iterable[Paper]) -> date | None:
    """The last day on which all papers that count are valid; None: none of them ends."""
    return min((paper.valid_until for paper in newest_papers(papers) if paper.valid_until), default=None)


def ended_by(level: SuspendedBy, standing: Iterable[SuspendedBy]) -> SuspendedBy:
    """Which measure an officer's reinstatement ends: the own level's, and where that suspends nothing the lower one's. Each level answers for what it
    said itself, so lifting the own measure lifts no other along."""
    return level if level in standing else SuspendedBy.COUNTY
