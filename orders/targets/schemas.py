"""What callers send and get about targets."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints

from orders.targets.rules import Light, Method
from shop.core.quantities import SPOKEN, Day, LongText, Name, plain_number, spoken_schema
from shop.programmes.rules import Channel
from shop.programmes.targets import Measure, Unit
from shop.regions.schemas import DistrictCode

TargetCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$"), Field(examples=["east_west_sales"])]
ProgrammeCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$"), Field(examples=["chongqing-2021"])]
_schema = spoken_schema("value", 2, "29000000")
ValueIn = Annotated[
    Decimal, BeforeValidator(plain_number), Field(gt=0, max_digits=16, decimal_places=2, allow_inf_nan=False), SPOKEN, _schema
]
#: With the decimals that :func:`orders.targets.rules.in_unit` gives it.
ValueOut = Annotated[
    Decimal,
    PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json"),
    spoken_schema("value", 3, "29000000.00"),
]


class RevisionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    value: ValueIn
    reason: LongText = Field(description="the paper that sets it, or why it changes")


class TargetIn(RevisionIn):
    code: TargetCode
    region_code: DistrictCode
    name: Name
    measure: Measure = Field(examples=["amount"])
    channel: Channel | None = None
    indicator: TargetCode | None = None
    first_on: Day
    due_on: Day
    source: Name = Field(description="the paper that sets it")


class WithdrawIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: LongText


class ProgressOut(BaseModel):
    """Where it stands: in the target's unit, rates in percent."""

    done: ValueOut | None = Field(description="null: nothing is known of it yet")
    rate: ValueOut | None
    expected: ValueOut = Field(description="by today")
    expected_method: Method
    forecast: ValueOut | None = Field(description="on the last day")
    forecast_method: Method | None
    counted: int | None = Field(
        description="of a reported indicator: the districts with both years accepted; of a reserved share: the units whose filing was accepted; "
        "the figures are of these"
    )
    counties: int | None = Field(
        description="of a reported indicator: the districts that the target is about; no light while some are missing"
    )
    units: int | None = Field(
        description="of a reserved share: the units that are to file for the year; no light while some are missing"
    )
    light: Light
    days_over: int
    days: int


class TargetOut(BaseModel):
    id: int
    programme: str
    code: str
    name: str
    region_code: str
    region_name: str
    measure: Measure
    unit: Unit
    channel: Channel | None
    designation: str | None
    indicator: str | None
    first: date
    due: date
    yearly: bool
    value: ValueOut
    number: int = Field(description="how often a value was set")
    origin: str
    source: str
    withdrawn_at: datetime | None
    withdraw_reason: str | None
    progress: ProgressOut
    version: int


class RevisionOut(BaseModel):
    number: int
    value: ValueOut
    reason: str
    set_by: int | None = Field(description="null: the programme's own file")
    set_at: datetime
