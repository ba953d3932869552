"""What monitoring staff are told about certification."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field


class StockKey(StrEnum):
    """By what certified products are grouped."""

    COUNTY = "county"
    CATEGORY = "category"
    BATCH = "batch"
    STATE = "state"
    KIND = "kind"


class Grain(StrEnum):
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class StepKey(StrEnum):
    COUNTY = "county"
    KIND = "kind"
    MONTH = "month"


class FiguresOut(BaseModel):
    """One table of figures. ``columns`` names what each row holds, in the caller's language."""

    columns: dict[str, str]
    rows: list[dict[str, Any]]
    totals: dict[str, Any] = Field(description="over all rows, where a sum means something")
    definition: str = Field(description="what is counted, and how")
    exact_to: datetime = Field(description="includes everything committed up to this moment")
    on: date | None = Field(default=None, description="the day of a stock")
