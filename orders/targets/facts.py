"""What targets are held against, each fact read once for all targets that need it."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.coverage import queries as coverage
from orders.coverage.rules import Level
from orders.coverage.rules import coverage as covered
from orders.indicators import queries as indicators
from orders.indicators.rules import Grain, Period, Together, together
from orders.ledger.selection import EVERYWHERE, Dimension, Selection
from orders.outlets.queries import WORKING
from orders.reserved_share.queries.progress import ASKED
from orders.reserved_share.rules import first_and_last
from orders.statistics.queries import ask
from orders.statistics.question import Measure, Question
from orders.statistics.rules import reached
from shop.core import clock
from shop.regions import queries as regions

#: Codes of Shandong begin so.
SHANDONG = "37"

_CABINETS = text(
    f"SELECT left(region_code, 6) AS district, count(*) AS cabinets FROM outlet WHERE kind = 'cabinet' AND {WORKING} GROUP BY 1"  # noqa: S608
)
_SHANDONG = text("SELECT code FROM region WHERE starts_with(code, :prefix) ORDER BY code")
#: The first month of which there are sales.
_BEGINS = text(
    "SELECT least((SELECT min(month) FROM sales_district_month), (SELECT min(e.month) FROM sale_entry_pending JOIN sale_entry e ON e.id = entry_id))"
)
#: By whom the platform knew first of cabinets: who verified one; of coverage: the station that was the first to serve a village.
_CABINETS_BEGIN = text("SELECT (min(verified_at) AT TIME ZONE 'Asia/Shanghai')::date FROM outlet WHERE kind = 'cabinet'")
_COVERAGE_BEGINS = text(
    "SELECT min(greatest(k.valid_from, s.opened_on)) FROM station_village k JOIN service_station s ON s.id = k.station_id"
)
#: A unit that was asked and one whose filing holds; who is exempt has filed, and reserves nothing of no base.
_SHARES = text(
    f"""
    SELECT left(o.region_code, 6) AS district, count(*) AS units, count(v.id) AS counted,
           coalesce(sum(v.base_fen) FILTER (WHERE v.exemption IS NULL), 0)::bigint AS base, coalesce(sum(v.reserved_fen), 0)::bigint AS reserved
    FROM organisation o LEFT JOIN reserved_share s ON s.organisation_id = o.id AND s.year = :year
    LEFT JOIN reserved_share_revision v ON v.reserved_share_id = s.id AND v.number = s.accepted_number
    WHERE v.id IS NOT NULL OR {ASKED} GROUP BY 1
    """  # noqa: S608
)
_REPORTED = text(
    """
    SELECT grain, max(first_on) AS first_on FROM reported_value
    WHERE indicator = :indicator AND accepted_number IS NOT NULL AND first_on >= :first AND last_on <= :last GROUP BY grain
    """
)


def lane(first: date, last: date, codes: Collection[str]) -> Selection:
    """Goods of Chongqing for buyers, and at outlets, in Shandong (十万吨渝货进山东)."""
    return Selection(first, last, {Dimension.BUYER_REGION: sorted(codes), Dimension.KIND: ["goods"]})


def shandong(session: Session) -> list[str]:
    return list(session.execute(_SHANDONG, {"prefix": SHANDONG}).scalars())


@dataclass(frozen=True, slots=True)
class Shares:
    """What budget units reserve: how many are to file for the year, of how many a filing holds, and the percent that these reserve of their bases
    (None where there is no base)."""

    units: int
    counted: int
    percent: Decimal | None

    @property
    def complete(self) -> bool:
        return self.counted == self.units


@dataclass
class Facts:
    """Facts by district. Districts are named as they stand on a day; what was merged by then stands in its successor, last year's sales too."""

    session: Session
    _sales: dict[tuple[date, date], dict[tuple[str, str], tuple[int, int]]] = field(default_factory=dict)
    _lane: dict[tuple[date, date], dict[str, int]] = field(default_factory=dict)
    _shares: dict[tuple[int, date], list[tuple[str, Row[Any]]]] = field(default_factory=dict)
    _cabinets: dict[date, Mapping[str, int]] = field(default_factory=dict)
    _coverage: dict[date, dict[str, tuple[int, int]]] = field(default_factory=dict)

    def stands(self, district: str, on: date) -> str:
        """The district that one is on a day: itself, or the one that it was merged into by then."""
        return regions.successors(self.session, min(on, clock.today())).get(district, district)

    @cached_property
    def shandong(self) -> list[str]:
        return shandong(self.session)

    @cached_property
    def begins(self) -> date | None:
        """The first month of the ledger; None: nothing was sold yet."""
        found: date | None = self.session.execute(_BEGINS).scalar_one()
        return found

    @cached_property
    def cabinets_begin(self) -> date | None:
        """The first day on which a cabinet was verified here; None: none ever was."""
        found: date | None = self.session.execute(_CABINETS_BEGIN).scalar_one()
        return found

    @cached_property
    def coverage_begins(self) -> date | None:
        """The first day on which a station is known to have served a village; None: none ever did."""
        found: date | None = self.session.execute(_COVERAGE_BEGINS).scalar_one()
        return found

    def sales(self, first: date, last: date, districts: Collection[str] | None, channel: str | None, on: date) -> tuple[int, int]:
        """Fen and grams sold from some districts (None: from all) of a day, through a channel (None: through any)."""
        if (first, last) not in self._sales:
            question = Question(
                Selection(first, last), (Dimension.DISTRICT, Dimension.CHANNEL), (Measure.AMOUNT, Measure.TONNES), EVERYWHERE
            )
            rows = ask(self.session, question).rows
            self._sales[first, last] = {(key[0], key[1]): (one.amount_fen, one.grams) for key, (one, *_) in rows.items()}
        found = [
            sums
            for (district, by), sums in self._sales[first, last].items()
            if (districts is None or self.stands(district, on) in districts) and (channel is None or by == channel)
        ]
        return sum(fen for fen, _ in found), sum(grams for _, grams in found)

    def lane_grams(self, first: date, last: date, districts: Collection[str] | None) -> int:
        if (first, last) not in self._lane:
            question = Question(lane(first, last, self.shandong), (Dimension.DISTRICT,), (Measure.TONNES,), EVERYWHERE)
            self._lane[first, last] = {key[0]: one.grams for key, (one, *_) in ask(self.session, question).rows.items()}
        return sum(grams for district, grams in self._lane[first, last].items() if districts is None or district in districts)

    def cabinets(self, on: date, districts: Collection[str] | None) -> int:
        if on not in self._cabinets:
            found: Counter[str] = Counter()
            for row in self.session.execute(_CABINETS, {"on": on, "end": clock.end_of_day(on)}):
                found[self.stands(row.district, on)] += row.cabinets
            self._cabinets[on] = found
        return sum(count for district, count in self._cabinets[on].items() if districts is None or district in districts)

    def coverage(self, on: date, districts: Collection[str] | None) -> Decimal | None:
        """Percent of poor villages that are served; None where none is listed."""
        if on not in self._coverage:
            found = covered(coverage.listed(self.session, on, Level.COUNTY), Level.COUNTY)
            self._coverage[on] = {district: (each.served, each.villages) for district, each in found.items()}
        return _percent(self._coverage[on], districts)

    def reserved_share(self, year: int, districts: Collection[str] | None, on: date) -> Shares:
        """What budget units set aside of a year, by what was accepted."""
        if (year, on) not in self._shares:
            first, last = first_and_last(year)
            rows = self.session.execute(_SHARES, {"year": year, "first": first, "last": last})
            self._shares[year, on] = [(self.stands(row.district or "", on), row) for row in rows]
        found = [row for district, row in self._shares[year, on] if districts is None or district in districts]
        return Shares(
            sum(row.units for row in found),
            sum(row.counted for row in found),
            reached(sum(row.reserved for row in found), sum(row.base for row in found)),
        )

    def reported(self, indicator: str, first: date, last: date, districts: Collection[str], on: date) -> Together:
        """A reported indicator by the widest period within the days that is there of all districts: the year, else the latest quarter, else the
        latest month; where none is, by the widest of which something is there."""
        asked = {"indicator": indicator, "first": first, "last": last}
        firsts = {row.grain: row.first_on for row in self.session.execute(_REPORTED, asked)}
        widest = Together(len(districts))
        for grain in (Grain.YEAR, Grain.QUARTER, Grain.MONTH):
            if grain not in firsts:
                continue
            found = indicators.grown(self.session, indicator, Period(grain, firsts[grain]), sorted(districts), on)
            each = together((one.value, one.base.value) for one in found.values())
            if each.complete:
                return each
            widest = widest if widest.counted else each
        return widest


def _percent(parts: Mapping[str, tuple[int, int]], districts: Collection[str] | None) -> Decimal | None:
    found = [sums for district, sums in parts.items() if districts is None or district in districts]
    # a village that is not served keeps it below a hundred
    return reached(sum(each for each, _ in found), sum(each for _, each in found))
