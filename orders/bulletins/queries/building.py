"""Putting the content of an edition together."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.bulletins import figures
from orders.bulletins.content import (
    Compared,
    Content,
    Counts,
    Difference,
    DistrictRow,
    Graded,
    Note,
    Overlay,
    Reason,
    Revision,
    Row,
    Sums,
    TargetRow,
    Withheld,
)
from orders.bulletins.figures import Scope
from orders.bulletins.queries import changes, facts
from orders.bulletins.queries.changes import Changed
from orders.bulletins.queries.facts import MonthDays
from orders.bulletins.rules import grading
from orders.bulletins.rules.grading import Evidence, Grade, Signals
from orders.ledger.rules import Direction
from orders.ledger.selection import Dimension
from orders.statistics.labels import GENERAL
from shop.core import clock
from shop.programmes import queries as programmes
from shop.programmes.schemas import ProgrammeConfig
from shop.regions import queries as regions
from shop.regions.rules import Designation

_REGIONS = text("SELECT code, name_zh, name_en FROM region")
_EXPLAINED = text(
    "SELECT DISTINCT ON (district_code) district_code, explanation, at FROM figure_explanation WHERE month = :month"
    " ORDER BY district_code, id DESC"
)
_TOTAL = ("全市", "The whole city")
_HELPED = ("帮助销售", "Helped sales")


@dataclass
class Ground:
    """What the content of a month rests on, read once."""

    month: MonthDays
    config: ProgrammeConfig
    successors: dict[str, str]
    names: dict[str, tuple[str, str]]
    evidence: dict[facts.Cell, Evidence]
    signals: dict[str, Signals]
    #: Of all districts, whether they are published or not.
    districts: dict[str, Compared]
    explained: dict[str, tuple[str, date]]
    grades: dict[str, Grade] = field(default_factory=dict)

    def __post_init__(self) -> None:
        proven: dict[str, Evidence] = defaultdict(Evidence)
        for (direction, district, *_), found in self.evidence.items():
            if direction == Direction.PURCHASE:
                proven[district] += found
        for code, compared in self.districts.items():
            moved = Signals(now_fen=compared.now.amount_fen, before_fen=compared.last_period.amount_fen)
            grade = grading.grade(proven[code], self.signals.get(code, Signals()) + moved, self.config.grading)
            if grade is not None:
                self.grades[code] = grade

    @property
    def doubtful(self) -> set[str]:
        """Districts whose figure is not published before a named person explains it."""
        rules = self.config.grading
        low = {code for code, grade in self.grades.items() if not grading.publishable(grade.letter, rules)}
        return low - set(self.explained)


def ground(session: Session, month: str) -> Ground:
    """What is known of a month's figures: their papers, what makes them doubtful, what was explained."""
    of = MonthDays.of(month)
    config = programmes.config_of(session, of.last)
    successors = regions.successors(session, of.last)
    return Ground(
        month=of,
        config=config,
        successors=successors,
        names={row.code: (row.name_zh, row.name_en) for row in session.execute(_REGIONS)},
        evidence=facts.evidence(session, of, successors),
        signals=facts.signals(session, of, successors, config.grading),
        districts=figures.by(session, Scope(of.first, of.last, None), Dimension.DISTRICT),
        explained={
            row.district_code: (row.explanation, clock.shanghai_date(row.at))
            for row in session.execute(_EXPLAINED, {"month": of.first})
        },
    )


def published_codes(session: Session, found: Ground, withheld: set[str]) -> tuple[str, ...]:
    """The codes of all districts but those withheld, and those that were merged into them."""
    out = set(regions.with_predecessors(session, sorted(withheld)))
    return tuple(sorted(code for code in found.names if len(code) == 6 and code not in out))


def content(session: Session, found: Ground, withheld: set[str], revision: Revision | None = None) -> Content:
    """Everything that an edition says; ``withheld`` are the districts that stay out of it."""
    first, last = found.month.first, found.month.last
    codes = published_codes(session, found, withheld)
    scope = Scope(first, last, codes if withheld else None)
    told = changes.of_month(session, first)
    maker = _Maker(session, found, scope, told, withheld)
    districts = maker.districts()
    channels = maker.rows(Dimension.CHANNEL, "channel", 2)
    totals = maker.totals()
    return Content(
        month=f"{first:%Y-%m}",
        first=first.isoformat(),
        last=last.isoformat(),
        exact_to=clock.now().isoformat(timespec="seconds"),
        definition=Reason(code="general", zh=GENERAL["zh"], en=GENERAL["en"]),
        totals=totals,
        counts=Counts.model_validate(changes.counts(session, first, last, codes)._asdict()),
        of_earlier_months=changes.of_earlier_months(session, first, last, codes),
        helped=maker.helped(),
        districts=districts,
        channels=channels,
        sources=maker.rows(Dimension.SOURCE, "source", 3),
        categories=maker.rows(Dimension.CATEGORY, "category", 4),
        overlays=(*maker.townships(), *maker.designations(districts)),
        outlets=facts.outlets(session, found.month),
        certificates=facts.certificates(session, found.month),
        targets=_targets(found, totals, channels),
        withheld=tuple(
            Withheld(code=code, zh=found.names[code][0], en=found.names[code][1], grade=graded(found.grades[code]))
            for code in sorted(withheld)
        ),
        notes=tuple(
            Note(code=code, zh=found.names[code][0], en=found.names[code][1], explanation=why, on=on.isoformat())
            for code, (why, on) in sorted(found.explained.items())
        ),
        revision=revision,
    )


def graded(grade: Grade) -> Graded:
    """A grade as a bulletin shows it."""
    return Graded(
        letter=grade.letter,
        points=grade.points,
        reasons=tuple(Reason(code=each.code, zh=each.zh, en=each.en) for each in grade.reasons),
    )


class _Maker:
    """Makes the rows of the sections."""

    def __init__(self, session: Session, found: Ground, scope: Scope, told: list[Changed], withheld: set[str]) -> None:
        self.session, self.found, self.scope, self.told, self.withheld = session, found, scope, told, withheld

    def _grade(self, position: int | None, code: str = "", direction: Direction = Direction.PURCHASE) -> Graded | None:
        """The grade of a row of a section that goes across districts: by the papers alone."""
        proven = grading.together(
            [
                each
                for cell, each in self.found.evidence.items()
                if cell[0] == direction and cell[1] not in self.withheld and (position is None or cell[position] == code)
            ]
        )
        grade = grading.grade(proven, Signals(), self.found.config.grading)
        return None if grade is None else graded(grade)

    def totals(self) -> Row:
        all_of_it = figures.changed(figures.by(self.session, self.scope, None), self.told, lambda _: "")
        return Row(**figures.row("", _TOTAL, all_of_it.get("", Compared())), grade=self._grade(None))

    def helped(self) -> Row:
        direction = Direction.HELPED_SALE
        found = figures.by(self.session, self.scope, None, direction=direction)
        sums = figures.changed(found, self.told, lambda _: "", direction).get("", Compared())
        return Row(**figures.row("", _HELPED, sums), grade=self._grade(None, direction=direction))

    def districts(self) -> tuple[DistrictRow, ...]:
        published = {code: sums for code, sums in self.found.districts.items() if code not in self.withheld}
        certificates = facts.certificates_by_district(self.session, self.found.month, self.found.successors)
        grades = self.found.grades
        return tuple(
            DistrictRow(
                **figures.row(code, self.found.names[code], sums),
                grade=graded(grades[code]) if code in grades else None,
                certificates=certificates.get(code, 0),
            )
            for code, sums in sorted(figures.changed(published, self.told, lambda change: change.district_code).items())
        )

    def rows(self, dimension: Dimension, group: str, position: int) -> tuple[Row, ...]:
        found = figures.changed(
            figures.by(self.session, self.scope, dimension), self.told, lambda change: str(getattr(change, dimension.value))
        )
        term = self.found.config.term
        return tuple(
            Row(**figures.row(code, (term(group, code, "zh"), term(group, code, "en")), sums), grade=self._grade(position, code))
            for code, sums in sorted(found.items())
        )

    def townships(self) -> tuple[Overlay, ...]:
        """The townships that were designated as deep in poverty, one by one and together."""
        last = self.scope.last
        codes = sorted(code for code in regions.designated(self.session, [Designation.DEEP_TOWNSHIP], last) if len(code) > 6)
        if not codes:
            return ()
        found = figures.changed(
            figures.by(self.session, self.scope, Dimension.TOWNSHIP, only={Dimension.TOWNSHIP: codes}),
            self.told,
            lambda change: change.township_code if change.township_code in codes else None,
        )
        each = tuple(
            Overlay(**figures.row(code, self.found.names[code], found.get(code, Compared())), kind="township", codes=(code,))
            for code in codes
        )
        names = self._designation(Designation.DEEP_TOWNSHIP)
        whole = figures.together([overlay.figures for overlay in each])
        row = figures.row(Designation.DEEP_TOWNSHIP.value, names, whole)
        return (Overlay(**row, kind="designation", codes=tuple(codes)), *each)

    def designations(self, districts: tuple[DistrictRow, ...]) -> tuple[Overlay, ...]:
        """The districts that were designated so on the month's last day, together."""
        found = []
        for designation in Designation:
            if designation is Designation.DEEP_TOWNSHIP:
                continue
            codes = regions.designated(self.session, [designation], self.scope.last)
            held = tuple(sorted({self.found.successors.get(code, code) for code in codes} - self.withheld))
            if held:
                sums = figures.together([row.figures for row in districts if row.code in held])
                row = figures.row(designation.value, self._designation(designation), sums)
                found.append(Overlay(**row, kind="designation", codes=held))
        return tuple(found)

    def _designation(self, designation: Designation) -> tuple[str, str]:
        term = self.found.config.term
        return term("designation", designation.value, "zh"), term("designation", designation.value, "en")


def _targets(found: Ground, totals: Row, channels: tuple[Row, ...]) -> tuple[TargetRow, ...]:
    """The programme's goals in yuan with the year's sales up to the month's end."""
    done: Mapping[str, int] = {row.code: row.figures.to_date.amount_fen for row in channels}
    return tuple(
        TargetRow(
            code=target.code,
            zh=target.zh,
            en=target.en,
            goal_fen=target.value * 100,
            done_fen=totals.figures.to_date.amount_fen if target.channel is None else done.get(target.channel, 0),
            due=target.due.isoformat() if target.due else None,
            source=target.source,
        )
        for target in found.config.targets
        if target.unit == "yuan"
    )


def difference(found: Ground, told: Mapping[tuple[str, str], Mapping[str, Sums]]) -> dict[str, Any]:
    """The difference table of a revision: by district and cause, all together, and that of helped sales."""

    def line(code: str, names: tuple[str, str], causes: Mapping[str, Sums]) -> Difference:
        return Difference(code=code, zh=names[0], en=names[1], **causes, total=sum(causes.values(), Sums()))

    def gathered(direction: Direction) -> dict[str, Sums]:
        causes: dict[str, Sums] = defaultdict(Sums)
        for (of, _), each in told.items():
            for kind, sums in each.items():
                causes[kind] += sums if of == direction else Sums()
        return causes

    return {
        "districts": tuple(
            line(code, found.names[code], causes)
            for (direction, code), causes in sorted(told.items())
            if direction == Direction.PURCHASE
        ),
        "total": line("", _TOTAL, gathered(Direction.PURCHASE)),
        "helped": line("", _HELPED, gathered(Direction.HELPED_SALE)),
    }
