"""What callers send and get about certification."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from catalog.certification.rules import DocumentKind
from catalog.certification.states import CaseMove, CaseStatus, CertificateMove, CertificateState
from catalog.products.rules import Category, Kind
from shop.core.money import PositiveYuanIn, YuanOut
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


class StepOut(BaseModel):
    action: CaseMove
    from_status: CaseStatus
    to_status: CaseStatus
    actor_id: int | None
    actor_role: str
    reason: str | None
    at: datetime


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


class CertificateOut(BaseModel):
    id: int
    number: str
    case_id: int
    product_id: int
    product_name: str
    supplier_id: int
    supplier_name: str
    district_code: str
    programme_code: str
    annual_capacity_kg: int | None
    households: int
    persons: int
    valid_from: date
    valid_until: date
    state: CertificateState
    reason: str | None = Field(description="why it is suspended or revoked")
    issued_at: datetime
    possible_actions: list[CertificateMove]


class CaseRow(BaseModel):
    id: int
    product_id: int
    product_name: str
    kind: Kind
    category: Category
    supplier_id: int
    supplier_name: str
    district_code: str
    district_name: str
    programme_code: str
    status: CaseStatus
    submitted_at: datetime | None
    notice_from: date | None
    notice_until: date | None = Field(description="the first day on which the county may decide")
    decided_at: datetime | None
    created_at: datetime
    version: int


class CaseOut(CaseRow):
    statement: str
    annual_capacity_kg: int | None
    households: int
    persons: int
    linkage: str
    comparable_price: YuanOut | None
    comparable_price_source: str | None
    decision_reason: str | None
    steps: list[StepOut]
    documents: list[DocumentOut]
    missing_items: list[MissingItem]
    possible_actions: list[CaseMove] = Field(description="what the caller may do with it now")
    certificate: CertificateOut | None


class NoticeOut(BaseModel):
    """A public notice, as everybody may read it."""

    case_id: int
    product_name: str
    kind: Kind
    category: Category
    supplier_name: str
    supplier_uscc: str
    district_code: str
    district_name: str
    annual_capacity_kg: int | None
    households: int
    persons: int
    linkage: str
    comparable_price: YuanOut | None
    comparable_price_source: str | None
    notice_from: date
    notice_last_day: date


class PublicCertificateOut(BaseModel):
    """What the number on a certificate stands for."""

    number: str
    product_name: str
    supplier_name: str
    district_code: str
    district_name: str
    valid_from: date
    valid_until: date
    state: CertificateState
