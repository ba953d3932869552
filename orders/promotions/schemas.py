"""What callers send and get about campaigns."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from orders.promotions.states import PromotionAction, PromotionStatus
from orders.statistics.tables import TableOut
from shop.core.errors import BadValue
from shop.core.money import PositiveYuanIn, YuanOut
from shop.core.quantities import Day, Id, LongText, Name, OneLine, each_once
from shop.regions.schemas import DistrictCode


class LineIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sku_id: Id
    online_price: PositiveYuanIn
    offline_price: PositiveYuanIn


def _each_sku_once(lines: list[LineIn]) -> list[LineIn]:
    each_once([line.sku_id for line in lines])
    return lines


class PromotionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name
    region_code: DistrictCode
    starts_on: Day
    ends_on: Day
    online_place: OneLine = Field(description="where on the net, such as the address of a shop")
    outlets: Annotated[list[Id], AfterValidator(each_once)] = Field(default=[], max_length=2000)
    lines: Annotated[list[LineIn], AfterValidator(_each_sku_once)] = Field(default=[], max_length=500)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.starts_on > self.ends_on:
            raise BadValue("结束日期早于开始日期", "it ends before it begins", "ends_on")
        return self


class ReasonIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: LongText


class PromotionRow(BaseModel):
    id: int
    name: str
    region_code: str
    region_name: str
    starts_on: date
    ends_on: date
    online_place: str
    status: PromotionStatus
    outlet_count: int
    line_count: int
    version: int


class LineOut(BaseModel):
    sku_id: int
    product_id: int
    product_name: str
    pack: str
    supplier_name: str
    list_price: YuanOut | None
    online_price: YuanOut
    offline_price: YuanOut


class OutletOut(BaseModel):
    id: int
    number: str
    name: str
    region_code: str


class PromotionOut(PromotionRow):
    reason: str | None
    created_by: int
    created_at: datetime
    published_at: datetime | None
    lines: list[LineOut]
    outlets: list[OutletOut]
    possible_actions: list[PromotionAction]


class OtherOut(BaseModel):
    """Another campaign of the same products in the weeks that this one is compared with: what was sold then is no measure of usual days."""

    id: int | None = Field(description="null, as the name: it is of a region out of reach")
    name: str | None
    products: list[int] = Field(description="those that both have")
    first: date = Field(description="its first day within these weeks")
    last: date
    shares_outlets: bool = Field(description="whether it sells at an outlet of this one, too; on the net it always does")


class EffectOut(TableOut):
    others: list[OtherOut] = Field(description="other campaigns of the same products in the weeks before, the first 100")
