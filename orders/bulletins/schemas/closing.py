"""What callers send and get about closing a month."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from orders.ledger.filters import RegionCode
from shop.core.quantities import ShortText
from shop.programmes.reporting import CloseItem


class ExplainIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"item": "holds_open", "explanation": "两笔待法院判决，金额不计入"}]}
    )

    item: CloseItem
    explanation: ShortText


class CloseIn(BaseModel):
    """``without`` and ``reason``: of the city only, where counties have not closed; the bulletin of the month prints both."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})

    without: Annotated[list[RegionCode], Field(max_length=60)] = []
    reason: ShortText | None = None


class ExplanationOut(BaseModel):
    open_count: int = Field(description="how much was open then; it holds for no more")
    explanation: str
    by: str
    at: datetime


class CloseItemOut(BaseModel):
    item: CloseItem
    label: str
    count: int
    blocking: bool = Field(description="whether it keeps the month open until it is cleared or explained")
    link: str = Field(description="where to look at it")
    hint: str | None = Field(description="how it is cleared, where that is not plain from the link")
    explanation: ExplanationOut | None = Field(description="of a region within reach")


class CountyOut(BaseModel):
    code: str
    name: str
    closed_at: datetime | None


class CloseOut(BaseModel):
    month: str
    region: str = Field(description="a county, or 500000")
    closed_at: datetime | None
    closed_with: str | None = Field(
        description="the month with which the city closed this one, that the region had not closed by itself"
    )
    closed_by: str | None = Field(description="of a region within reach")
    reason: str | None
    without: list[str] = Field(description="counties that had not closed when the city did")
    items: list[CloseItemOut] = Field(description="as it was when it was closed, or as it is now")
    standing: list[CloseItem] = Field(description="what keeps the month open")
    counties: list[CountyOut] = Field(description="of the city's close")
