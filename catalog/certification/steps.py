"""The steps that a case passes, their clocks, and the words of those who decide: pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any

from catalog.certification.states import CaseKind
from shop.core.workdays import Calendar
from shop.programmes.schemas import CertificationRules


class Decision(StrEnum):
    APPROVE = "approve"
    RETURN = "return"
    REJECT = "reject"


class Verdict(StrEnum):
    """What a department thinks of a case."""

    SUPPORT = "support"
    NO_OBJECTION = "no_objection"
    OPPOSE = "oppose"


@dataclass(frozen=True)
class Correction:
    """One item that the supplier is asked to correct (补正)."""

    field: str
    message: str

    def stored(self) -> dict[str, str]:
        return asdict(self)


def snapshot(rules: CertificationRules, kind: CaseKind | str, *, has_township: bool) -> list[dict[str, Any]]:
    """The steps of a case that is handed in now. They stay with the case, whatever the programme says later. Without a township on record
    there is nobody to take the township's step."""
    return [
        {"step": code, **rules.steps[code].model_dump(mode="json")}
        for code in rules.pipelines[CaseKind(kind).value]
        if has_township or rules.steps[code].level != "township"
    ]


def step_of(steps: Sequence[Mapping[str, Any]], status: str) -> Mapping[str, Any] | None:
    """The step at which a case in this status is; None where nobody has to decide."""
    return next((step for step in steps if step["step"] == status), None)


def passed(steps: Sequence[Mapping[str, Any]], status: str) -> list[Mapping[str, Any]]:
    """The steps before the one at which a case in this status is."""
    return list(takewhile(lambda step: step["step"] != status, steps))


def codes(steps: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(step["step"] for step in steps)


def notice_end(published: date, working_days: int, workdays: Calendar) -> date:
    """The first day on which the county may decide: the day after the last of so many working days, the first of which is the
    first working day after the day of publishing."""
    return workdays.add(published, working_days) + timedelta(days=1)


def notice_last_day(notice_until: date | None) -> date:
    """The last day of a notice that was published."""
    if notice_until is None:
        raise ValueError("no notice was published")
    return notice_until - timedelta(days=1)
