"""What a harvest bears, and what was lost of it. Weights in grams."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from orders.agreements.schemas.terms import In
from shop.core.errors import BadValue
from shop.core.quantities import Day, Id, ShortText, whole


def _first_day(month: date) -> date:
    if month.day != 1:
        raise BadValue("须为当月第一天，如 2026-09-01", "a month is written as its first day, such as 2026-09-01")
    return month


Month = Annotated[Day, AfterValidator(_first_day), Field(description="the first day of the month", examples=["2026-09-01"])]
HarvestGrams = Annotated[int, Field(ge=0, le=10**13, description="grams"), whole]


class MonthlyCapacityIn(In):
    month: Month
    grams: HarvestGrams


class CapacityIn(In):
    product_id: Id
    months: list[MonthlyCapacityIn] = Field(min_length=1, max_length=60)

    @model_validator(mode="after")
    def _months_once(self) -> Self:
        if len({each.month for each in self.months}) < len(self.months):
            raise BadValue("每月只能出现一次", "each month once", "months")
        return self


class CapacityOut(BaseModel):
    """One month of one product, in grams."""

    product_id: int
    product_name: str
    supplier_id: int
    supplier_name: str
    month: date
    declared_grams: int
    lost_grams: int
    schedule_grams: int = Field(description="instalments of signed agreements")
    cap_grams: int = Field(description="caps of signed agreements without a schedule, spread evenly over their months")
    order_grams: int = Field(description="orders that are under no agreement")
    free_grams: int


class CropLossIn(In):
    product_id: Id
    months: list[MonthlyCapacityIn] = Field(min_length=1, max_length=24)
    reason: ShortText

    @model_validator(mode="after")
    def _months_once(self) -> Self:
        if len({each.month for each in self.months}) < len(self.months):
            raise BadValue("每月只能出现一次", "each month once", "months")
        if any(each.grams < 1 for each in self.months):
            raise BadValue("损失须大于零", "a loss is more than nothing", "months")
        return self


class LossShareOut(BaseModel):
    agreement_id: int
    agreement_number: str
    buyer_id: int
    buyer_name: str
    agreement_line_id: int
    planned_grams: int
    cut_grams: int


class CropLossOut(BaseModel):
    """``cut_grams`` is the sum of all shares: the loss, or all that was planned. A buyer sees its own shares."""

    id: int
    supplier_id: int
    supplier_name: str
    product_id: int
    product_name: str
    month: date
    grams: int
    cut_grams: int
    reason: str
    evidence_file_id: int | None
    declared_at: datetime
    shares: list[LossShareOut]


class CropLossesOut(BaseModel):
    items: list[CropLossOut]
