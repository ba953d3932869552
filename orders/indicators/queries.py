"""Reading reported figures: single ones within the own region, and their growth by county."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.indicators import rules
from orders.indicators.rules import Base, Basis, Grain, Period, Stated
from orders.indicators.schemas import FigureOut, ReportedOut
from orders.indicators.states import REPORTED_VALUE, ValueAction, ValueStatus
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.regions import queries as regions

_FIGURE = (
    *("number", "value", "source", "method", "base_value", "base_method", "reason", "reported_by", "reported_at"),
    *("decision", "decision_reason", "decided_by", "decided_at"),
)
_REPORTED = f"""
SELECT v.*, coalesce(CASE :language WHEN 'en' THEN r.name_en END, r.name_zh) AS region_name,
       {", ".join(f"latest.{name} AS latest_{name}, holds.{name} AS holds_{name}" for name in _FIGURE)}
FROM reported_value v JOIN region r ON r.code = v.region_code
JOIN reported_value_revision latest ON latest.reported_value_id = v.id AND latest.number = v.number
LEFT JOIN reported_value_revision holds ON holds.reported_value_id = v.id AND holds.number = v.accepted_number
WHERE v.region_code LIKE ANY (CAST(:regions AS text[]))
"""
_PAGE = text(
    _REPORTED
    + """
  AND (CAST(:indicator AS text) IS NULL OR v.indicator = :indicator) AND (CAST(:region AS text) IS NULL OR v.region_code = :region)
  AND (CAST(:grain AS text) IS NULL OR v.grain = :grain) AND (CAST(:status AS text) IS NULL OR v.status = :status)
  AND (CAST(:first AS date) IS NULL OR v.first_on >= :first) AND (CAST(:last AS date) IS NULL OR v.last_on <= :last)
  AND (CAST(:start AS bigint) IS NULL OR v.id < :start)
ORDER BY v.id DESC LIMIT :rows
"""
)
_ONE = text(_REPORTED + " AND v.id = :id")
_LOCK = text("SELECT * FROM reported_value v WHERE v.id = :id AND v.region_code LIKE ANY (CAST(:regions AS text[])) FOR UPDATE")
_REVISIONS = text(
    f"SELECT id, {', '.join(_FIGURE)} FROM reported_value_revision WHERE reported_value_id = :id"
    " AND (CAST(:start AS int) IS NULL OR number < :start) ORDER BY number DESC LIMIT :rows"
)
#: What holds of an indicator in two periods.
_ACCEPTED = text(
    """
    SELECT v.region_code, v.first_on, x.value, x.method, x.base_value, x.base_method
    FROM reported_value v JOIN reported_value_revision x ON x.reported_value_id = v.id AND x.number = v.accepted_number
    WHERE v.indicator = :indicator AND v.grain = :grain AND v.first_on = ANY (CAST(:firsts AS date[]))
    """
)


@dataclass(frozen=True, slots=True)
class Filters:
    indicator: str | None = None
    region: str | None = None
    grain: Grain | None = None
    status: ValueStatus | None = None
    first: date | None = None
    last: date | None = None


def locked(session: Session, actor: Actor, value_id: int, permission: Permission) -> Row[Any]:
    """A value of the caller's region, locked until the transaction ends.

    Raises:
        NotFound: none within reach.
    """
    row = session.execute(_LOCK, {"id": value_id, "regions": actor.region_patterns(permission)}).first()
    if row is None:
        raise NotFound
    return row


def value(session: Session, actor: Actor, value_id: int, language: Language) -> ReportedOut:
    """One value with its latest revision and the one that holds.

    Raises:
        NotFound: none within reach.
    """
    row = session.execute(
        _ONE, {"id": value_id, "regions": actor.region_patterns(Permission.MONITORING_READ), "language": language}
    ).first()
    if row is None:
        raise NotFound
    return _Teller(session, language).out(actor, row)


def values(
    session: Session, actor: Actor, filters: Filters, language: Language, *, limit: int | None, after: str | None
) -> Page[ReportedOut]:
    """Values of the caller's region, the last reported first; ``limit`` None: all."""
    start = paging.position(after, int)
    asked = {
        **{name: getattr(filters, name) for name in ("indicator", "region", "grain", "status", "first", "last")},
        "regions": actor.region_patterns(Permission.MONITORING_READ),
        "language": language,
        "start": start[0] if start else None,
        "rows": None if limit is None else limit + 1,
    }
    rows = session.execute(_PAGE, asked).all()
    teller = _Teller(session, language)
    return paging.page(rows, len(rows) if limit is None else limit, lambda row: teller.out(actor, row), lambda row: [row.id])


def revisions(session: Session, actor: Actor, value_id: int, *, limit: int, after: str | None) -> Page[FigureOut]:
    """Everything that was reported of a value, the newest first. Raises as :func:`value`."""
    value(session, actor, value_id, "zh")
    start = paging.position(after, int)
    asked = {"id": value_id, "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_REVISIONS, asked).all()
    return paging.page(rows, limit, lambda row: FigureOut.model_validate(row, from_attributes=True), lambda row: [row.number])


class _Teller:
    def __init__(self, session: Session, language: Language) -> None:
        self.language = language
        self.known = {each.code: each for each in programmes.config_of(session, clock.today()).indicators}

    def out(self, actor: Actor, row: Row[Any]) -> ReportedOut:
        known = self.known.get(row.indicator)
        return ReportedOut(
            id=row.id,
            indicator=row.indicator,
            indicator_name=row.indicator if known is None else known.zh if self.language == "zh" else known.en,
            unit=known.unit if known else "count",
            region_code=row.region_code,
            region_name=row.region_name,
            grain=row.grain,
            period=Period(Grain(row.grain), row.first_on).code,
            first=row.first_on,
            last=row.last_on,
            status=row.status,
            latest=_figure(row, "latest"),
            accepted=_figure(row, "holds") if row.holds_number else None,
            possible_actions=[action for action in REPORTED_VALUE.possible(row.status) if _may(actor, row, action)],
            version=row.version,
        )


def _figure(row: Row[Any], which: str) -> FigureOut:
    return FigureOut.model_validate({name: getattr(row, f"{which}_{name}") for name in _FIGURE})


def _may(actor: Actor, row: Row[Any], action: ValueAction) -> bool:
    if action is ValueAction.REVISE:
        return actor.may(Permission.INDICATORS_REPORT) and actor.covers_region(Permission.INDICATORS_REPORT, row.region_code)
    reviews = actor.may(Permission.INDICATORS_REVIEW) and actor.covers_region(Permission.INDICATORS_REVIEW, row.region_code)
    return reviews and row.latest_reported_by != actor.user_id


# --- growth ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Grown:
    """One county's accepted value beside its base."""

    value: Decimal | None
    base: Base

    @property
    def growth(self) -> Decimal | None:
        return rules.growth(self.value, self.base.value)


def grown(session: Session, indicator: str, period: Period, codes: Sequence[str], on: date) -> dict[str, Grown]:
    """For each of some regions of a day its accepted value with its base. A region that others were merged into has their sum as its base."""
    before = period.year_before
    asked = {"indicator": indicator, "grain": period.grain, "firsts": [period.first, before.first]}
    successors = regions.successors(session, min(on, clock.today()))
    now: dict[str, list[Row[Any]]] = defaultdict(list)
    then: dict[str, list[Stated]] = defaultdict(list)
    for row in session.execute(_ACCEPTED, asked):
        code = successors.get(row.region_code, row.region_code)
        if row.first_on == period.first:
            now[code].append(row)
        else:
            then[code].append(Stated(row.value, row.method))
    return {code: _grown(now.get(code, []), rules.joined(then.get(code, []))) for code in codes}


def _grown(rows: Sequence[Row[Any]], published: Stated | None) -> Grown:
    this = rules.joined([Stated(row.value, row.method) for row in rows])
    if this is None:
        return Grown(
            sum((row.value for row in rows), Decimal(0)) if rows else None, Base(Basis.OTHER_METHOD if rows else Basis.NONE)
        )
    bases = [Stated(row.base_value, row.base_method) for row in rows if row.base_value is not None]
    stated = rules.joined(bases) if len(bases) == len(rows) else None
    return Grown(this.value, rules.base_of(this.method, published, stated))
