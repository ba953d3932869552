"""What the figures of a month rest on, and which of them are published."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from orders.bulletins import figures
from orders.bulletins.content import Compared
from orders.bulletins.figures import Scope
from orders.bulletins.queries import facts
from orders.bulletins.queries.facts import MonthDays
from orders.bulletins.rules import grading
from orders.bulletins.rules.grading import Evidence, Grade, Signals
from orders.ledger.rules import Direction
from orders.ledger.selection import Dimension
from shop.core import clock
from shop.programmes import queries as programmes
from shop.programmes.schemas import ProgrammeConfig
from shop.regions import queries as regions

_REGIONS = text("SELECT code, name_zh, name_en FROM region")
_EXPLAINED = text(
    "SELECT DISTINCT ON (district_code) district_code, explanation, at FROM figure_explanation WHERE month = :month"
    " ORDER BY district_code, id DESC"
)


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


def of_month(session: Session, month: str) -> Ground:
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
