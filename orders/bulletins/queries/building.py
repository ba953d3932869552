"""Putting the content of an edition together."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlmodel import Session

from orders.bulletins import figures, words
from orders.bulletins.content import (
    Closed,
    Compared,
    Content,
    Counts,
    Difference,
    DistrictRow,
    Graded,
    Named,
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
from orders.bulletins.queries import changes, checklists, facts
from orders.bulletins.queries.changes import Changed
from orders.bulletins.queries.ground import Ground, published_codes
from orders.bulletins.rules import grading
from orders.bulletins.rules.grading import Grade, Signals
from orders.ledger.rules import Direction
from orders.ledger.selection import Dimension
from orders.statistics import labels
from orders.targets import queries as targets
from orders.targets.queries import SalesGoal
from shop.core import clock
from shop.core.errors import Language
from shop.identity.actor import CITY
from shop.regions import queries as regions
from shop.regions.rules import Designation

_TOTAL = ("全市", "The whole city")
_HELPED = ("帮助销售", "Helped sales")


def content(session: Session, found: Ground, withheld: set[str], revision: Revision | None = None) -> Content:
    """Everything that an edition says; ``withheld`` are the districts that stay out of it."""
    first, last = found.month.first, found.month.last
    codes = published_codes(session, found, withheld)
    scope = Scope(first, last, codes if withheld else None)
    told = changes.of_month(session, first)
    maker = _Maker(session, found, scope, told, withheld)
    districts = maker.districts()
    return Content(
        month=f"{first:%Y-%m}",
        first=first.isoformat(),
        last=last.isoformat(),
        exact_to=clock.now().isoformat(timespec="seconds"),
        definition=_said("general", labels.GENERAL) if revision is None else _said("restated", words.RESTATED),
        definitions=(
            _said("certified", words.CERTIFIED_IN_BULLETIN if revision is None else words.CERTIFIED_IN_REVISION),
            _said("districts", words.DISTRICTS),
            _said("outlets", words.OUTLETS),
        ),
        closed=maker.closed(),
        totals=maker.totals(),
        counts=Counts.model_validate(changes.counts(session, first, last, codes)._asdict()),
        of_earlier_months=changes.of_earlier_months(session, first, last, codes),
        helped=maker.helped(),
        districts=districts,
        channels=maker.rows(Dimension.CHANNEL, "channel", 2),
        sources=maker.rows(Dimension.SOURCE, "source", 3),
        categories=maker.rows(Dimension.CATEGORY, "category", 4),
        overlays=(*maker.townships(), *maker.designations(districts)),
        outlets=facts.outlets(session, found.month),
        certificates=facts.certificates(session, found.month),
        targets=maker.targets(codes),
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


def _said(code: str, said: Mapping[Language, str]) -> Reason:
    return Reason(code=code, zh=said["zh"], en=said["en"])


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
        self.counties = checklists.counties(session, found.month, found.config.closing)

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

    def closed(self) -> Closed:
        """How the city closed the month."""
        city = checklists.closed(self.session, self.scope.first)[CITY]
        names = self.found.names
        return Closed(
            counties=len(self.counties),
            without=tuple(Named(code=code, zh=names[code][0], en=names[code][1]) for code in city.lacking),
            reason=city.reason,
        )

    def districts(self) -> tuple[DistrictRow, ...]:
        """Those that close the month, whether they sold or not, and whoever else sold."""
        known = {**dict.fromkeys(self.counties, Compared()), **self.found.districts}
        published = {code: sums for code, sums in known.items() if code not in self.withheld}
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
        codes = sorted(code for code in self._designated(Designation.DEEP_TOWNSHIP) if len(code) > 6)
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
            codes = self._designated(designation)
            held = tuple(sorted({self.found.successors.get(code, code) for code in codes} - self.withheld))
            if held:
                sums = figures.together([row.figures for row in districts if row.code in held])
                row = figures.row(designation.value, self._designation(designation), sums)
                found.append(Overlay(**row, kind="designation", codes=held))
        return tuple(found)

    def targets(self, published: Collection[str]) -> tuple[TargetRow, ...]:
        """The city's goals with what was sold towards them; districts that are withheld count for none."""
        return tuple(
            TargetRow(
                code=goal.code,
                zh=goal.zh,
                en=goal.en,
                goal_fen=goal.goal_fen,
                done_fen=self._done(goal, published),
                due=goal.due.isoformat(),
                source=goal.source,
            )
            for goal in targets.sales_goals(self.session, self.scope.first, self.scope.last)
        )

    def _done(self, goal: SalesGoal, published: Collection[str]) -> int:
        districts = self.scope.districts
        if goal.designation is not None:
            held = {self.found.successors.get(code, code) for code in self._designated(goal.designation)}
            districts = tuple(sorted(set(regions.with_predecessors(self.session, sorted(held))) & set(published)))
            if not districts:
                return 0
        only = {} if goal.channel is None else {Dimension.CHANNEL: [goal.channel]}
        told = sum(
            change.sums.amount_fen
            for change in self.told
            if change.direction == Direction.PURCHASE
            and goal.channel in (None, change.channel)
            and (districts is None or change.district_code in districts)
        )
        return figures.sold(self.session, Scope(goal.first, self.scope.last, districts), only) + told

    def _designated(self, designation: Designation) -> set[str]:
        return regions.designated(self.session, [designation], self.scope.last)

    def _designation(self, designation: Designation) -> tuple[str, str]:
        term = self.found.config.term
        return term("designation", designation.value, "zh"), term("designation", designation.value, "en")


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
