"""What suppliers send with an application, and what they are told of it."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.certification.rules import DocumentKind
from catalog.products.schemas import ComparableGrams
from shop.core.money import PositiveYuanIn
from shop.core.quantities import Id, OneLine, OptionalText, PastDay, ShortText, whole

Kilograms = Annotated[int, Field(ge=1, le=2_000_000_000, description="kilograms a year; none for services"), whole]
MonthKilograms = Annotated[int, Field(ge=0, le=2_000_000_000), whole]
Months = Annotated[
    list[MonthKilograms],
    Field(min_length=12, max_length=12, description="kilograms in each month from January on; they add up to the year"),
]
Mode = Annotated[
    str, Field(min_length=1, max_length=50, description="a code of the terms `linkage_mode`", examples=["purchase_contract"])
]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CaseData(In):
    """What the supplier states. All of it may come later; what is missing is told with the case. Households and persons are counted from the
    list that is uploaded apart."""

    statement: OptionalText = ""
    annual_capacity_kg: Kilograms | None = None
    monthly_capacity_kg: Months | None = None
    linkage_modes: Annotated[list[Mode], Field(max_length=20)] = []
    linkage: Annotated[OptionalText, Field(description="how households take part, in words")] = ""
    comparable_price: Annotated[
        PositiveYuanIn | None, Field(description="of the same kind and quality elsewhere, for one pack")
    ] = None
    comparable_pack_grams: ComparableGrams | None = None
    comparable_price_source: OneLine | None = None
    comparable_price_on: Annotated[PastDay | None, Field(description="the day on which it was found")] = None


class CaseIn(CaseData):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "product_id": 1,
                    "statement": "奉节县草堂镇脐橙，自有基地 800 亩，质量合格，价格合理。",
                    "annual_capacity_kg": 600000,
                    "linkage_modes": ["purchase_contract", "employment"],
                    "linkage": "订单收购、基地务工、土地流转",
                    "comparable_price": "72.00",
                    "comparable_pack_grams": 5000,
                    "comparable_price_source": "主城三家超市均价",
                    "comparable_price_on": "2026-11-02",
                }
            ]
        },
    )

    product_id: Id


class CasePatch(CaseData):
    """Fields that are left out stay as they are."""


class RemarkIn(In):
    reason: ShortText | None = Field(default=None, description="a remark for the record")


class RenewalIn(In):
    statement: ShortText = Field(default="申请续期", description="why, and what has changed since")


class DocumentOut(BaseModel):
    id: int
    side: Literal["supplier", "officer"] = Field(description="who brought it; what officers attach is for officers")
    kind: DocumentKind
    label: str
    name: str
    content_type: str
    size: int
    sha256: str
    number: str | None
    issuer: str | None
    issued_on: date | None
    valid_until: date | None = Field(description="last day of its validity; null: no end")
    uploaded_at: datetime


class MissingItem(BaseModel):
    field: str
    code: str
    message: str
