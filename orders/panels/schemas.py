"""The dashboard's answer."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from orders.targets.rules import Light
from orders.targets.schemas import ValueOut
from shop.core.money import YuanOut
from shop.programmes.rules import Channel
from shop.programmes.targets import Unit


class SpanOut(BaseModel):
    first: date
    last: date
    amount: YuanOut
    tonnes: str = Field(description="`grams` to the kilogram")
    grams: int
    last_year: YuanOut = Field(description="the same days a year earlier")
    growth: str | None


class ChannelOut(BaseModel):
    """One channel of credit. Channels exclude each other and add up to the total."""

    code: Channel
    label: str
    month: YuanOut
    year: YuanOut
    tonnes: str = Field(
        description="of the year: `grams` to the kilogram; those of the channels may miss their sum by the last kilograms"
    )
    grams: int = Field(description="of the year; they add up to the total")
    share: str | None = Field(description="of the year, in percent; rounded so that they come to 100.00")
    last_year: YuanOut
    growth: str | None


class OverlayOut(BaseModel):
    """A view that cuts across the channels: the total holds it already, and it is never added."""

    code: str
    label: str
    places: int
    month: YuanOut
    year: YuanOut
    tonnes: str
    grams: int


class LightOut(BaseModel):
    id: int
    code: str
    name: str
    unit: Unit
    value: ValueOut
    due: date
    done: ValueOut | None
    rate: ValueOut | None
    expected: ValueOut
    forecast: ValueOut | None
    counted: int | None = Field(
        description="of a reported indicator: the districts with both years accepted; of a reserved share: the units whose filing was accepted"
    )
    counties: int | None = Field(description="of a reported indicator: the districts that the target is about")
    units: int | None = Field(description="of a reserved share: the units that are to file for the year")
    light: Light


class OverviewOut(BaseModel):
    programme: str
    month: SpanOut
    year: SpanOut
    channels: list[ChannelOut]
    overlays: list[OverlayOut]
    targets: list[LightOut]
    definition: str
    exact_to: datetime
