"""Targets and how far they are: totals, so open to every officer of the city."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.indicators.rules import Together
from orders.statistics.rules import ranks, reached, rise, same_period_last_year
from orders.targets import rules
from orders.targets.facts import Facts
from orders.targets.rules import NATURES, Course, Nature, in_unit
from orders.targets.schemas import ProgressOut, RevisionOut, TargetOut
from shop.core import clock, paging
from shop.core.errors import Invalid, Language, NotFound, unknown_code
from shop.core.paging import Page
from shop.identity.actor import CITY, Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.programmes.targets import TargetRules, Unit
from shop.regions import queries as regions
from shop.regions.rules import Designation

_TARGET = """
SELECT t.*, v.value, coalesce(CASE :language WHEN 'en' THEN r.name_en END, r.name_zh) AS region_name
FROM target t JOIN target_revision v ON v.target_id = t.id AND v.number = t.number JOIN region r ON r.code = t.region_code
"""
_PAGE = text(
    _TARGET
    + """
WHERE (CAST(:programme AS text) IS NULL OR t.programme_code = :programme) AND (CAST(:region AS text) IS NULL OR t.region_code = :region)
  AND (CAST(:measure AS text) IS NULL OR t.measure = :measure) AND (CAST(:code AS text) IS NULL OR t.code = :code)
  AND (:withdrawn OR t.withdrawn_at IS NULL)
  AND (CAST(:start AS bigint) IS NULL OR t.id > :start) ORDER BY t.id LIMIT :rows
"""
)
_KNOWN = text(
    "SELECT EXISTS (SELECT FROM target WHERE code = :code AND (CAST(:programme AS text) IS NULL OR programme_code = :programme))"
)
_ONE = text(_TARGET + " WHERE t.id = :id")
#: What the city is to reach by a measure, or in the growth of an indicator.
_GOAL = text(
    "SELECT v.value FROM target t JOIN target_revision v ON v.target_id = t.id AND v.number = t.number"
    " WHERE t.programme_code = :programme AND t.region_code = :city AND t.measure = :measure"
    " AND t.indicator IS NOT DISTINCT FROM CAST(:indicator AS text) AND t.withdrawn_at IS NULL ORDER BY t.id LIMIT 1"
)
_LOCK = text("SELECT * FROM target t WHERE t.id = :id AND t.region_code LIKE ANY (CAST(:regions AS text[])) FOR UPDATE")
_REVISIONS = text(
    "SELECT * FROM target_revision WHERE target_id = :id AND (CAST(:start AS int) IS NULL OR number < :start)"
    " ORDER BY number DESC LIMIT :rows"
)
_SALES_GOALS = text(
    """
    SELECT t.code, t.name_zh, t.name_en, t.channel, t.designation, t.first_on, t.due_on, t.source, v.value
    FROM target t JOIN target_revision v ON v.target_id = t.id AND v.number = t.number
    WHERE t.programme_code = :programme AND t.region_code = :city AND t.measure = 'amount' AND t.withdrawn_at IS NULL
      AND t.first_on <= :first AND (t.due_on IS NULL OR t.due_on >= :last) ORDER BY t.id
    """
)
_KILOGRAMS = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Filters:
    programme: str | None = None
    region: str | None = None
    measure: str | None = None
    code: str | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class SalesGoal:
    """So much is to be sold in the city from ``first`` to ``due``: through a channel (none: any), from regions with a designation (none: all)."""

    code: str
    zh: str
    en: str
    first: date
    due: date
    channel: str | None
    designation: Designation | None
    goal_fen: int
    source: str


def locked(session: Session, actor: Actor, target_id: int) -> Row[Any]:
    """A target that the caller sets, locked until the transaction ends.

    Raises:
        NotFound: none within reach.
    """
    row = session.execute(_LOCK, {"id": target_id, "regions": actor.region_patterns(Permission.TARGETS_SET)}).first()
    if row is None:
        raise NotFound
    return row


def target(session: Session, target_id: int, language: Language, on: date) -> TargetOut:
    """One target with its progress.

    Raises:
        NotFound: there is none.
    """
    row = session.execute(_ONE, {"id": target_id, "language": language}).first()
    if row is None:
        raise NotFound
    return _Reader(session, on, language).out(row)


def targets(
    session: Session, filters: Filters, language: Language, *, on: date, limit: int | None, after: str | None
) -> Page[TargetOut]:
    """Targets with their progress as of a day, in the order in which they were set; ``limit`` None: all.

    What the targets of a page are held against is read once for all of them.
    """
    start = paging.position(after, int)
    asked = {
        **{name: getattr(filters, name) for name in ("programme", "region", "measure", "code", "withdrawn")},
        "language": language,
        "start": start[0] if start else None,
        "rows": None if limit is None else limit + 1,
    }
    rows = session.execute(_PAGE, asked).all()
    reader = _Reader(session, on, language)
    return paging.page(rows, len(rows) if limit is None else limit, reader.out, lambda row: [row.id])


def revisions(session: Session, target_id: int, *, limit: int, after: str | None) -> Page[RevisionOut]:
    """Every value that was set, the latest first.

    Raises:
        NotFound: there is no such target.
    """
    target = session.execute(_ONE, {"id": target_id, "language": "zh"}).first()
    if target is None:
        raise NotFound
    start = paging.position(after, int)
    rows = session.execute(_REVISIONS, {"id": target_id, "start": start[0] if start else None, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: _revision(row, target.unit), lambda row: [row.number])


def _revision(row: Row[Any], unit: Unit) -> RevisionOut:
    return RevisionOut(
        value=in_unit(row.value, unit), **{name: getattr(row, name) for name in ("number", "reason", "set_by", "set_at")}
    )


def goal(session: Session, programme: str, measure: str, indicator: str | None = None) -> Decimal | None:
    """The value that a programme's first target of a measure (and indicator) has for the city now; None: it has none."""
    asked = {"programme": programme, "city": CITY, "measure": measure, "indicator": indicator}
    found: Decimal | None = session.execute(_GOAL, asked).scalar()
    return found


def lights(session: Session, programme: str, language: Language, on: date) -> list[TargetOut]:
    """The city's targets of a programme."""
    return targets(session, Filters(programme, region=CITY), language, on=on, limit=None, after=None).items


def sales_goals(session: Session, first: date, last: date) -> list[SalesGoal]:
    """The city's goals of sales in yuan, of the programme in force on ``last``, that count all days from ``first`` to ``last``."""
    asked = {"programme": programmes.in_force(session, last).code, "city": CITY, "first": first, "last": last}
    found = []
    for row in session.execute(_SALES_GOALS, asked):
        begins, due = rules.period_in(row.first_on, row.due_on, last)
        found.append(
            SalesGoal(
                code=row.code,
                zh=row.name_zh,
                en=row.name_en,
                first=begins,
                due=due,
                channel=row.channel,
                designation=Designation(row.designation) if row.designation else None,
                goal_fen=int(row.value * 100),
                source=row.source,
            )
        )
    return found


def ranked(session: Session, filters: Filters, language: Language, on: date) -> list[dict[str, Any]]:
    """The districts that have a target of this code, by how much of it they reached; those of which nothing is known stand last.

    Raises:
        Invalid: nobody ever had such a target (422).
    """
    if filters.code is not None and not session.execute(_KNOWN, {"programme": filters.programme, "code": filters.code}).scalar():
        raise Invalid(faults=[unknown_code("code", filters.code)])
    found = targets(session, filters, language, on=on, limit=None, after=None).items
    counties = [each for each in found if each.region_code != CITY]
    places = ranks([_rate(each) for each in counties])
    rows = [
        {
            "rank": place,
            "county": each.region_code,
            "county_name": each.region_name,
            "value": each.value,
            "done": each.progress.done,
            "rate": None if each.progress.rate is None else f"{each.progress.rate:.2f}",
            "expected": each.progress.expected,
            "forecast": each.progress.forecast,
            "light": each.progress.light.value,
        }
        for place, each in zip(places, counties, strict=True)
    ]
    return sorted(rows, key=lambda row: (row["rank"], row["county"]))


def _rate(of: TargetOut) -> Decimal:
    return Decimal("-Infinity") if of.progress.rate is None else of.progress.rate


class _Reader:
    """Holds targets against the facts of a day."""

    def __init__(self, session: Session, on: date, language: Language) -> None:
        self.session, self.on, self.language = session, on, language
        self.facts = Facts(session)
        self._rules: dict[str, TargetRules] = {}
        self._designated: dict[tuple[str, date], frozenset[str]] = {}

    def out(self, row: Row[Any]) -> TargetOut:
        first, due = rules.period_in(row.first_on, row.due_on, self.on)
        return TargetOut(
            **{
                name: getattr(row, name)
                for name in ("id", "code", "region_code", "region_name", "measure", "unit", "channel", "designation")
            },
            **{name: getattr(row, name) for name in ("indicator", "number", "origin", "source", "withdrawn_at", "withdraw_reason")},
            value=in_unit(row.value, row.unit),
            programme=row.programme_code,
            name=row.name_zh if self.language == "zh" else row.name_en,
            first=first,
            due=due,
            yearly=row.due_on is None,
            progress=self._progress(row, first, due),
            version=row.version,
        )

    def _progress(self, row: Row[Any], first: date, due: date) -> ProgressOut:
        nature = NATURES[row.measure]
        over, days = rules.elapsed(first, due, self.on)
        day = min(due, self.on)
        districts = self._districts(row, day)
        reported = self._reported(row, first, day, due, districts) if over and row.measure == "indicator_growth" else None
        shares = self.facts.reserved_share(due.year, districts, day) if over and row.measure == "reserved_share" else None
        done: Decimal | None = None
        if reported:
            done = reported.growth
        elif shares:
            done = shares.percent
        elif over:
            done = self._done(row, first, day, districts)
        told = reported or shares
        complete = told is None or told.complete
        course = self._course(row, first, due, over, days, districts) if nature is Nature.FLOW else Course(over, days)
        expected = rules.expected(row.value, nature, course)
        foreseen = None if done is None else rules.forecast(done, nature, course, complete=complete)
        rate = None if done is None else reached(done, row.value)
        return ProgressOut(
            done=None if done is None else in_unit(done, row.unit),
            rate=None if rate is None else in_unit(rate, "percent"),
            expected=in_unit(expected.value, row.unit),
            expected_method=expected.method,
            forecast=None if foreseen is None else in_unit(foreseen.value, row.unit),
            forecast_method=foreseen and foreseen.method,
            counted=told and told.counted,
            counties=reported and reported.counties,
            units=shares and shares.units,
            light=rules.light(done, row.value, expected.value, course, self._rules_of(row.programme_code), complete=complete),
            days_over=over,
            days=days,
        )

    def _rules_of(self, code: str) -> TargetRules:
        if code not in self._rules:
            self._rules[code] = programmes.parsed(programmes.programme(self.session, code)).target_rules
        return self._rules[code]

    def _districts(self, row: Row[Any], on: date) -> frozenset[str] | None:
        """The districts that count towards a target, as they stand on the day; None: the whole city."""
        if row.region_code != CITY:
            return frozenset({self.facts.stands(row.region_code, on)})
        if row.designation is None:
            return None
        if (row.designation, on) not in self._designated:
            found = regions.designated(self.session, [Designation(row.designation)], on)
            self._designated[row.designation, on] = frozenset(found)
        return self._designated[row.designation, on]

    def _done(self, row: Row[Any], first: date, last: date, districts: frozenset[str] | None) -> Decimal | None:
        if last < clock.today() and self._before_anything(row.measure, last):
            return None
        match row.measure:
            case "amount" | "tonnes":
                return self._sold(row, first, last, districts, last)
            case "lane_tonnes":
                return _tonnes(self.facts.lane_grams(first, last, districts))
            case "sales_growth":
                before = self._sold(row, *same_period_last_year(first, last), districts, last)
                now = self._sold(row, first, last, districts, last)
                return rise(now, before)
            case "cabinets":
                return Decimal(self.facts.cabinets(last, districts))
            case _:
                return self.facts.coverage(last, districts)

    def _before_anything(self, measure: str, last: date) -> bool:
        """Whether a day lies before the first of which the platform knows anything of a measure: nobody counted it then."""
        if measure in rules.OF_SALES:
            return self.facts.begins is not None and last < self.facts.begins
        begins = self.facts.cabinets_begin if measure == "cabinets" else self.facts.coverage_begins
        return begins is None or last < begins

    def _reported(self, row: Row[Any], first: date, last: date, due: date, districts: frozenset[str] | None) -> Together:
        if districts is None:
            districts = frozenset(each.code for each in regions.regions(self.session, last, parent=CITY))
        return self.facts.reported(row.indicator, first, due, districts, last)

    def _sold(self, row: Row[Any], first: date, last: date, districts: frozenset[str] | None, on: date) -> Decimal:
        """Yuan or, of a target in tonnes, tonnes, sold from districts as they stand on a day."""
        fen, grams = self.facts.sales(first, last, districts, row.channel, on)
        return _tonnes(grams) if row.measure == "tonnes" else Decimal(fen) / 100

    def _course(self, row: Row[Any], first: date, due: date, over: int, days: int, districts: frozenset[str] | None) -> Course:
        # of the lane no days are kept, so that it goes by the days alone
        if row.measure == "lane_tonnes" or not 0 < over < days:
            return Course(over, days)
        whole = self._sold(row, *same_period_last_year(first, due), districts, self.on)
        part = self._sold(row, *same_period_last_year(first, self.on), districts, self.on)
        return Course(over, days, whole, part)


def _tonnes(grams: int) -> Decimal:
    return (Decimal(grams) / 1_000_000).quantize(_KILOGRAMS)
