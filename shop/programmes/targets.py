"""What a programme sets out to reach, what it has reported from outside, and how far its campaigns look back."""

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from shop.programmes.parts import Part
from shop.programmes.rules import Channel
from shop.regions.rules import Designation

#: What is measured, each in one unit.
Measure = Literal["amount", "tonnes", "lane_tonnes", "sales_growth", "cabinets", "coverage", "reserved_share", "indicator_growth"]
Unit = Literal["yuan", "tonnes", "percent", "count"]

#: The unit of each measure.
UNITS: dict[str, Unit] = {
    "amount": "yuan",
    "tonnes": "tonnes",
    "lane_tonnes": "tonnes",
    "sales_growth": "percent",
    "cabinets": "count",
    "coverage": "percent",
    "reserved_share": "percent",
    "indicator_growth": "percent",
}
#: Parts of a whole: none is more than all of it.
OF_A_WHOLE = frozenset({"coverage", "reserved_share"})


class Target(Part):
    """A goal with its source: so much of a measure in the whole city, or in the regions with a designation, from a day until a day."""

    code: str = Field(pattern=r"^[a-z0-9_]{1,64}$")
    measure: Measure
    value: int = Field(gt=0)
    unit: Unit
    channel: Channel | None = None
    #: Only regions with this designation count.
    designation: Designation | None = None
    #: Whose growth it is.
    indicator: str | None = None
    #: First day of what is counted; none: 1 January of the year of ``due``.
    first: date | None = None
    #: Last day; none: every year anew, from 1 January to 31 December.
    due: date | None = None
    zh: str
    en: str
    source: str

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.indicator is not None) != (self.measure == "indicator_growth"):
            raise ValueError("an indicator goes with its growth, and with nothing else")
        if self.channel is not None and self.measure not in ("amount", "tonnes", "sales_growth"):
            raise ValueError("only sales have a channel")
        if self.unit != UNITS[self.measure]:
            raise ValueError(f"{self.measure} is measured in {UNITS[self.measure]}")
        if self.measure in OF_A_WHOLE and self.value > 100:
            raise ValueError(f"{self.measure} is 100 % at most")
        if self.first and not (self.due and self.first <= self.due):
            raise ValueError("first goes with a later day that it is due on")
        return self


class TargetRules(Part):
    """When a light is green or yellow: percent of what was to be expected by the day. Neither was published; each is a default."""

    green_percent: int = Field(default=100, ge=1, le=1000)
    yellow_percent: int = Field(default=80, ge=0, le=1000)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.yellow_percent > self.green_percent:
            raise ValueError("yellow begins above green")
        return self


class Indicator(Part):
    """A figure that others count and that is only reported here, never computed from the orders of the marketplace."""

    code: str = Field(pattern=r"^[a-z0-9_]{1,64}$")
    unit: Literal["yuan", "tonnes", "count", "percent"]
    zh: str
    en: str


class PromotionRules(Part):
    """A campaign is compared with the same weekdays of so many weeks before it."""

    baseline_weeks: int = Field(default=4, ge=1, le=26)
