"""What callers send and get about reported figures."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from orders.indicators.rules import Grain
from orders.indicators.states import ValueAction, ValueStatus
from shop.core.quantities import SPOKEN, LongText, Name, ShortText, plain_number, spoken_schema, whole
from shop.core.sheets import IgnoredColumns
from shop.regions.schemas import DistrictCode

IndicatorCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$")]
PeriodCode = Annotated[
    str, StringConstraints(pattern=r"^20[0-9]{2}(-(0[1-9]|1[0-2])|-Q[1-4])?$"), Field(examples=["2026-05", "2026-Q2", "2026"])
]
_schema = spoken_schema("value", 4, "1234.5")
ValueIn = Annotated[
    Decimal, BeforeValidator(plain_number), Field(ge=0, max_digits=18, decimal_places=4, allow_inf_nan=False), SPOKEN, _schema
]
ValueOut = Annotated[Decimal, SPOKEN, _schema]


class FigureIn(BaseModel):
    """A figure with its source and method, and that of the year before as the source gives it."""

    model_config = ConfigDict(extra="forbid")

    value: ValueIn
    source: Name
    method: Name
    base_value: ValueIn | None = None
    base_method: Name | None = Field(default=None, description="default, with a base: the method of the value")


class ReportIn(FigureIn):
    indicator: IndicatorCode = Field(examples=["rural_online_retail"])
    region_code: DistrictCode
    period: PeriodCode


class ReviseIn(FigureIn):
    reason: LongText


class ReviewIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: Annotated[int, Field(ge=1, le=1_000_000, description="the revision that was looked at"), whole]
    decision: Literal["accept", "return"]
    reason: ShortText | None = Field(default=None, description="needed to return it")


class FigureOut(BaseModel):
    number: int
    value: ValueOut
    source: str
    method: str
    base_value: ValueOut | None
    base_method: str | None
    reason: str | None
    reported_by: int
    reported_at: datetime
    decision: ValueStatus | None
    decision_reason: str | None
    decided_by: int | None
    decided_at: datetime | None


class ReportedOut(BaseModel):
    id: int
    indicator: str
    indicator_name: str
    unit: str
    region_code: str
    region_name: str
    grain: Grain
    period: str
    first: date
    last: date
    status: ValueStatus
    #: The latest revision, and the one that holds.
    latest: FigureOut
    accepted: FigureOut | None
    possible_actions: list[ValueAction]
    version: int


class ImportedOut(BaseModel):
    rows: int
    revised: int = Field(description="of them: revisions of what was reported before")
    dry_run: bool
    ignored_columns: IgnoredColumns
