"""What a programme says on monthly reports, on closing a month, and on the grade of a figure."""

from typing import Literal, Self

from pydantic import Field, model_validator

from shop.programmes.parts import Part

#: What may be open when a month is to be closed.
CloseItem = Literal[
    "batches_waiting",
    "batches_held",
    "holds_open",
    "claims_undecided",
    "reports_missing",
    "reports_moved",
    "differences",
    "entries_waiting",
]
Letter = Literal["A", "B", "C", "D"]


class ReportingRules(Part):
    """When units and counties report. No deadline was published (domain §6)."""

    #: Calendar days after the month's end, and so many days before that day a reminder.
    due_days: int = Field(default=5, ge=1, le=28)
    reminder_days: tuple[int, ...] = (2,)


class ClosingRules(Part):
    """What a month's close asks for."""

    #: The districts that close before the city does.
    designation: str = "poverty_task"
    #: What keeps a month open until it is cleared or a named person has explained it, and what is only shown.
    blocking: tuple[CloseItem, ...] = (
        "batches_held",
        "holds_open",
        "claims_undecided",
        "reports_missing",
        "reports_moved",
        "differences",
    )
    warning: tuple[CloseItem, ...] = ("batches_waiting", "entries_waiting")

    @model_validator(mode="after")
    def _either(self) -> Self:
        if set(self.blocking) & set(self.warning):
            raise ValueError("an item either keeps a month open or is only shown")
        return self


class GradingRules(Part):
    """How well a figure is proven, and when it is doubted. None of the numbers was published; each is a default that a programme may change."""

    #: Points of a sale whose whole chain of papers is there, of one with a part of it, and of one with none.
    strong_points: int = Field(default=100, ge=0, le=100)
    partial_points: int = Field(default=70, ge=0, le=100)
    weak_points: int = Field(default=20, ge=0, le=100)
    #: The least points, weighted by amount, of an A, a B and a C.
    a_points: int = Field(default=90, ge=0, le=100)
    b_points: int = Field(default=65, ge=0, le=100)
    c_points: int = Field(default=40, ge=0, le=100)
    #: The lowest grade with which a district's figure is published without an explanation.
    published: Letter = "C"
    #: More sold of a certified product in the year, in percent of its yearly capacity.
    capacity_percent: int = Field(default=100, ge=1, le=1000)
    #: An outlet's day with the very lines of another day, so many at least; compared with the days of the month, and so many before it.
    copied_lines: int = Field(default=3, ge=1, le=1000)
    copied_days: int = Field(default=92, ge=0, le=366)
    #: So many percent above or below the month before, where one of the two is so large.
    growth_percent: int = Field(default=300, ge=1, le=100_000)
    growth_floor_yuan: int = Field(default=50_000, ge=0)
    #: Of so many claimed sales at least, the percent whose amounts are whole multiples of so many yuan.
    round_yuan: int = Field(default=100, ge=1)
    round_percent: int = Field(default=60, ge=1, le=100)
    round_entries: int = Field(default=20, ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.a_points >= self.b_points >= self.c_points:
            raise ValueError("a better grade asks for no fewer points")
        if not self.strong_points >= self.partial_points >= self.weak_points:
            raise ValueError("more papers give no fewer points")
        return self
