"""What callers send and get about reserved shares."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from orders.reserved_share.rules import Content, Exemption, Method, percent
from orders.reserved_share.states import ShareAction, ShareStatus
from shop.core.money import YuanIn, YuanOut
from shop.core.paging import Page
from shop.core.quantities import Id, Name, QuantityOrZero, ShortText, whole
from shop.core.sheets import IgnoredColumns

#: Basis points that speak percent.
PercentOut = Annotated[
    int,
    PlainSerializer(percent, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d{1,2})?$", "examples": ["12.5"], "title": "percent"}),
]
NonNegativeYuanIn = Annotated[YuanIn, Field(ge=0)]


class ViewStatus(StrEnum):
    """The status of a filing, and ``missing`` where there is none."""

    MISSING = "missing"
    DRAFT = "draft"
    FILED = "filed"
    RETURNED = "returned"
    ACCEPTED = "accepted"


class Lack(StrEnum):
    """Why a unit is to be reminded."""

    NOT_FILED = "not_filed"
    RETURNED = "returned"
    BEHIND = "behind"


class ReservedShareIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"base": "480000.00", "percent": "12"},
                {
                    "base": "0",
                    "percent": "0",
                    "exemption": "shared_canteen",
                    "exemption_reason": "与上级机关合用食堂",
                    "shared_with_id": 12,
                },
            ]
        },
    )

    base: NonNegativeYuanIn = Field(description="yearly purchases of canteen food")
    percent: Annotated[QuantityOrZero, Field(le=100, multiple_of=Decimal("0.01"))] | None = Field(
        default=None, description="of the base, at most two places; default: the programme's"
    )
    exemption: Exemption | None = None
    exemption_reason: ShortText | None = Field(default=None, description="needed with every exemption")
    shared_with_id: Id | None = Field(default=None, description="the unit that reports for a shared canteen")
    contractor: Name | None = Field(default=None, description="who runs an outsourced canteen")

    def content(self, default_percent: int) -> Content:
        percent = Decimal(default_percent) if self.percent is None else self.percent
        return Content(self.base, int(percent * 100), self.exemption, self.exemption_reason, self.shared_with_id, self.contractor)


class FilingIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText | None = Field(default=None, description="needed where figures that were accepted are to change")


class ReviewIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"number": 1, "accepted": False, "reason": "基数与去年决算不符"}]}
    )

    number: Annotated[int, Field(ge=1, le=100_000, description="the revision that was read"), whole]
    accepted: bool
    reason: ShortText | None = Field(default=None, description="needed when it is returned")


class ContentOut(BaseModel):
    base: YuanOut
    percent: PercentOut
    reserved: YuanOut
    exemption: Exemption | None
    exemption_reason: str | None
    shared_with_id: int | None
    shared_with_name: str | None
    contractor: str | None


class FundOut(BaseModel):
    """Eligible purchases with one fund, corrections included."""

    fund_source: str
    amount: YuanOut
    counted: bool = Field(description="whether it fills the share")


class ProgressOut(BaseModel):
    """Live: with every sale that is committed when it is read."""

    reserved: YuanOut | None = Field(description="of what was accepted; null before that")
    done: YuanOut = Field(description="eligible purchases that fill the share, of the unit and of those that it reports for")
    rate: PercentOut | None = Field(description="percent, rounded down; null without a share")
    missing: YuanOut | None
    behind: bool = Field(description="less of the share is done than of the year is over")
    by_fund: list[FundOut]
    certified_not_eligible: YuanOut = Field(
        description="certified, but its supplier is registered in no county that counts: fills no share"
    )
    other_purchases: YuanOut = Field(description="neither eligible nor certified")
    own_eligible: YuanOut = Field(description="what the unit itself bought, whoever reports it")
    forecast: YuanOut = Field(description="what will be done by the end of the year, open orders apart")
    forecast_method: Method


class ReservedShareOut(BaseModel):
    unit_id: int
    unit_name: str
    year: int
    status: ViewStatus
    due_on: date
    minimum_percent: int
    exemptions: list[Exemption] = Field(description="those that the programme knows")
    draft: ContentOut | None = Field(description="as it is being worked on, or was filed last")
    number: int = Field(description="of the last revision that was filed; 0: none")
    in_force: ContentOut | None = Field(description="what was accepted; it holds until a revision of it is accepted")
    in_force_number: int | None
    filed_by: int | None
    filed_at: datetime | None
    reviewed_by: int | None
    reviewed_at: datetime | None
    review_reason: str | None
    reports_for: list[int] = Field(description="units whose shared canteen this one reports")
    progress: ProgressOut
    open_orders: YuanOut = Field(description="ordered and eligible, not yet accepted; this year only")
    possible_actions: list[ShareAction] = Field(description="what the caller may do with it now")
    version: int


class ShareRow(BaseModel):
    """A unit in the view of its department or region."""

    unit_id: int
    unit_name: str
    uscc: str
    region_code: str
    parent_id: int | None
    status: ViewStatus
    filed_at: datetime | None
    in_force: bool = Field(description="whether the figures were accepted, or only filed")
    base: YuanOut | None
    percent: PercentOut | None
    exemption: Exemption | None
    shared_with_id: int | None
    rank: int | None = Field(description="by rate, among the units in reach that have a share")
    lacks: list[Lack]
    progress: ProgressOut


class TotalsOut(BaseModel):
    """Over all units of the list, not only those of the page."""

    units: int
    filed: int
    accepted: int
    exempt: int
    reserved: YuanOut
    done: YuanOut = Field(description="of all units, also those without a share")
    done_of_reserved: YuanOut = Field(description="of the units that have a share: what the rate is taken from")
    rate: PercentOut | None
    by_fund: list[FundOut]


class SharesOut(Page[ShareRow]):
    year: int
    due_on: date
    totals: TotalsOut


class RevisionOut(ContentOut):
    number: int
    reason: str | None
    filed_by: int
    filed_at: datetime
    decision: ShareStatus | None
    decision_reason: str | None
    decided_by: int | None
    decided_at: datetime | None


class ImportOut(BaseModel):
    year: int
    rows: int
    base: YuanOut
    reserved: YuanOut
    dry_run: bool
    ignored_columns: IgnoredColumns
