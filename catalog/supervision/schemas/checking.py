"""What is sent and told of random checks, inspections, price checks and risks."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, field_validator

from catalog.certificates.states import CertificateState
from catalog.products.rules import Category
from catalog.products.schemas import ComparableGrams, DistrictCode
from catalog.supervision.rules import CheckKind
from shop.core.errors import BadValue
from shop.core.money import PositiveYuanIn, YuanOut
from shop.core.quantities import AnyDay, Day, Id, LongText, Name, OneLine, ShortText, storable, whole


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PlanIn(In):
    title: Name
    kind: CheckKind
    size: Annotated[int, Field(ge=1, le=500, description="how many are drawn"), whole]
    district: DistrictCode | None = Field(
        default=None, description="among which they are drawn; left out: everywhere, for the city"
    )
    category: Category | None = None
    least_risk: Annotated[int, Field(ge=0, le=1000, description="of the score of the risk list"), whole] = 0


class PlanRow(BaseModel):
    id: int
    number: str
    title: str
    kind: CheckKind
    district_code: str | None
    category: Category | None
    least_risk: int
    size: int
    population: int
    population_sha256: str = Field(description="over the numbers of all that could be drawn, in the order of their issue")
    seed: str
    due_on: date
    open: int = Field(description="checks that are still to be done")
    failed: int
    drawn_at: datetime


class VerifiedOut(BaseModel):
    """The draw, repeated from its seed."""

    same: bool
    population: int
    population_sha256: str
    drawn: list[str]
    missing: list[str] = Field(description="drawn then, and not now")
    added: list[str] = Field(description="drawn now, and not then")


class InspectionStatus(StrEnum):
    OPEN = "open"
    PASSED = "passed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Measure(StrEnum):
    NONE = "none"
    WARN = "warn"
    SUSPEND = "suspend"


class InspectionIn(In):
    certificate_id: Id
    kind: CheckKind
    due_on: Day | None = Field(default=None, description="left out: the working days that the programme gives")


class ResultIn(In):
    passed: bool
    findings: LongText
    measured: Annotated[
        dict[str, str | StrictInt | StrictFloat], Field(max_length=50, description="figures that were measured, by their names")
    ] = {}
    done_on: AnyDay
    measure: Measure = Measure.NONE
    reason: ShortText | None = Field(default=None, description="of the measure; left out: the findings")

    @field_validator("measured")
    @classmethod
    def _short(cls, measured: dict[str, str | int | float]) -> dict[str, str | int | float]:
        for name, value in measured.items():
            if len(name) > 100 or len(str(value)) > 200 or str(value) in ("nan", "inf", "-inf"):
                raise BadValue("名称和取值须简短，数字须有限", "names and values are short, and numbers finite")
            storable(name + str(value))
        return measured


class CancelIn(In):
    reason: ShortText


class CheckFileOut(BaseModel):
    id: int
    name: str
    content_type: str
    size: int
    sha256: str
    uploaded_at: datetime


class InspectionRow(BaseModel):
    id: int
    plan_id: int | None
    certificate_id: int
    certificate_number: str
    product_name: str
    supplier_id: int
    supplier_name: str
    district_code: str
    kind: CheckKind
    status: InspectionStatus
    due_on: date
    overdue: bool
    done_on: date | None
    version: int


class InspectionOut(InspectionRow):
    findings: str | None
    measured: dict[str, Any]
    done_by: str | None
    files: list[CheckFileOut]


class PriceCheckIn(In):
    certificate_id: Id
    sku_id: Id
    found_price: Annotated[PositiveYuanIn, Field(description="of comparable goods, for one pack")]
    found_grams: ComparableGrams | None = None
    source: OneLine
    found_on: Day


class PriceCheckOut(BaseModel):
    id: int
    certificate_id: int
    certificate_number: str
    product_name: str
    sku_id: int
    found_price: YuanOut
    found_grams: int | None
    found_per_kg: YuanOut | None = Field(description="of goods, rounded; exact prices are compared")
    own_price: YuanOut
    own_grams: int | None
    own_per_kg: YuanOut | None
    above_percent: str = Field(description="how far the own price lies above the one found, gram for gram", examples=["7.53"])
    above: bool = Field(description="further above than the programme tolerates")
    source: str
    found_on: date
    recorded_at: datetime
    files: list[CheckFileOut] = Field(description="what shows the price that was found")


class FlagOut(BaseModel):
    code: str
    weight: int
    label: str
    evidence: dict[str, Any]


class RiskOut(BaseModel):
    """A certificate and why to look at it."""

    certificate_id: int
    certificate_number: str
    product_name: str
    category: Category
    supplier_id: int
    supplier_name: str
    district_code: str
    state: CertificateState
    score: int
    flags: list[FlagOut]
