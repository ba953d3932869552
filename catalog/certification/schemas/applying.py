"""What suppliers send with an application, and what they are told of it."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from catalog.certification.rules import DocumentKind
from shop.core.money import PositiveYuanIn
from shop.core.quantities import Id, OptionalText, ShortText

Kilograms = Annotated[int, Field(ge=1, le=2_000_000_000, description="kilograms a year; none for services")]
Count = Annotated[int, Field(ge=0, le=10_000_000)]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CaseData(In):
    """What the supplier states. All of it may come later; what is missing is told with the case."""

    statement: OptionalText = ""
    annual_capacity_kg: Kilograms | None = None
    households: Count = 0
    persons: Count = 0
    linkage: Annotated[OptionalText, Field(description="how households take part: jobs, purchase, land rent, dividend …")] = ""
    comparable_price: Annotated[PositiveYuanIn | None, Field(description="of the same kind, quality and pack elsewhere")] = None
    comparable_price_source: ShortText | None = None


class CaseIn(CaseData):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "product_id": 1,
                    "statement": "奉节县草堂镇脐橙，自有基地 800 亩，质量合格，价格合理。",
                    "annual_capacity_kg": 600000,
                    "households": 126,
                    "persons": 410,
                    "linkage": "订单收购、基地务工、土地流转",
                    "comparable_price": "72.00",
                    "comparable_price_source": "2026 年 11 月主城三家超市均价",
                }
            ]
        },
    )

    product_id: Id


class CasePatch(CaseData):
    """Fields that are left out stay as they are."""


class ReasonIn(In):
    reason: ShortText


class RemarkIn(In):
    reason: ShortText | None = Field(default=None, description="a remark for the record")


class DocumentOut(BaseModel):
    id: int
    kind: DocumentKind
    label: str
    name: str
    content_type: str
    size: int
    sha256: str
    uploaded_at: datetime


class MissingItem(BaseModel):
    field: str
    code: str
    message: str
