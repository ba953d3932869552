"""What callers send and get about evaluations."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shop.core.paging import Page
from shop.core.quantities import LongText, ShortText

Rating = Annotated[int, Field(ge=1, le=5, strict=True)]


class EvaluationIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"quality": 5, "price": 4, "delivery": 5, "packaging": 3, "text": "果子新鲜，有两箱压坏"}]},
    )

    quality: Rating
    price: Rating
    delivery: Rating
    packaging: Rating
    text: LongText | None = None


class AnswerIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: ShortText


class PhotoOut(BaseModel):
    id: int
    name: str
    content_type: str
    size: int


class EvaluationRow(BaseModel):
    """As everybody reads it: of the buyer only what kind of organisation it is and in which district."""

    id: int
    quality: int
    price: int
    delivery: int
    packaging: int
    text: str | None
    rated_at: datetime
    changed_at: datetime | None
    buyer_kind: str
    buyer_district_code: str
    buyer_district_name: str
    photos: list[PhotoOut]
    answer: str | None
    answered_at: datetime | None


class EvaluationOut(EvaluationRow):
    """As the two sides of the order and their officers read it."""

    supplier_order_id: int
    buyer_id: int
    supplier_id: int
    product_ids: list[int] = Field(description="of which something was accepted")
    changeable_until: datetime
    version: int


class AveragesOut(BaseModel):
    """Over all evaluations of the product or supplier; null while there are none."""

    count: int
    quality: Decimal | None
    price: Decimal | None
    delivery: Decimal | None
    packaging: Decimal | None
    overall: Decimal | None


class EvaluationsOut(Page[EvaluationRow]):
    averages: AveragesOut
