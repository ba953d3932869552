"""What is told of cases, and what officers send when they decide."""

from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from catalog.certificates.schemas import CertificateOut, PeopleOut
from catalog.certification.rules import DocumentKind
from catalog.certification.schemas.applying import CaseData, DocumentOut, In, Kilograms, MissingItem, Months
from catalog.certification.states import CaseKind, CaseMove, CaseStatus, Level
from catalog.certification.steps import Correction, Verdict
from catalog.products.rules import MAX_TIERS, Category, Kind
from catalog.products.schemas import ProductPatch, TierIn, refuse_null
from shop.core.errors import BadValue
from shop.core.money import YuanOut
from shop.core.quantities import Id, PaperLine, ProperName, ShortText

Attachments = Annotated[list[Id], Field(max_length=20, description="papers attached to the case before, by their ids")]


def _correctable(field: str) -> str:
    if field not in CORRECTABLE:
        raise BadValue("申请没有此项内容", "an application has no such field", code="unknown_field")
    return field


class CorrectionIn(In):
    """One item to be corrected: a field or paper by its code, and what is wrong with it."""

    field: Annotated[ShortText, AfterValidator(_correctable), Field(examples=["documents.test_report"])]
    message: Annotated[ShortText, Field(examples=["检测报告已超过 12 个月，请补充近期报告"])]

    def correction(self) -> Correction:
        return Correction(self.field, self.message)


class ApprovalIn(In):
    reason: ShortText | None = Field(default=None, description="a remark for the record; needed when a department opposes")
    attachment_ids: Attachments = []


class ReasonIn(In):
    reason: ShortText
    attachment_ids: Attachments = []


class ReturnIn(ReasonIn):
    corrections: Annotated[list[CorrectionIn], Field(max_length=50)] = []


class ClaimIn(In):
    take_over: bool = Field(default=False, description="take it from the desk of a colleague")


class OpinionIn(In):
    department: Annotated[ShortText, Field(examples=["agriculture"])]
    verdict: Verdict
    opinion: ShortText
    attachment_ids: Attachments = []


class AppealIn(In):
    reason: ShortText


class AppealDecisionIn(ReasonIn):
    granted: bool


class ChangeIn(In):
    """What a certificate says and shall say otherwise. Fields that are left out stay; new papers come with the case."""

    township_code: Annotated[str | None, Field(max_length=20)] = None
    village: ProperName | None = None
    producer: PaperLine | None = None
    grade: PaperLine | None = None
    specification: PaperLine | None = None
    annual_capacity_kg: Kilograms | None = None
    monthly_capacity_kg: Months | None = None
    statement: ShortText = Field(description="why")

    @model_validator(mode="after")
    def _kept(self) -> Self:
        refuse_null(self, "producer", "grade", "specification", "annual_capacity_kg")
        return self


class PriceReviewIn(In):
    tiers: Annotated[list[TierIn], Field(min_length=1, max_length=MAX_TIERS)]
    statement: ShortText = Field(description="why the price lies above that of comparable goods")
    draft: bool = Field(
        default=False, description="true: not handed in yet, so that papers can be added, such as receipts of what it costs"
    )


#: What an application holds that can be corrected: what is stated, the list of households, the papers by their kind, the facts and packs of the product.
CORRECTABLE = frozenset(
    {
        *CaseData.model_fields,
        *ChangeIn.model_fields,
        *PriceReviewIn.model_fields,
        "households",
        "documents",
        *(f"documents.{kind}" for kind in DocumentKind),
        "product",
        "product.skus",
        *(f"product.{name}" for name in ProductPatch.model_fields),
    }
)


class StepOut(BaseModel):
    """One move of the case."""

    action: str
    from_status: CaseStatus
    to_status: CaseStatus
    level: Level
    actor_id: int | None
    actor_role: str
    reason: str | None
    documents: list[int]
    working_days: int | None = Field(description="working days that it had been at the step it left")
    late: bool
    at: datetime


class OpinionOut(BaseModel):
    id: int
    step: CaseStatus
    department: str
    verdict: Verdict
    opinion: str
    documents: list[int]
    author_id: int | None
    author: str | None
    author_role: str
    at: datetime


class WayOut(BaseModel):
    """One step that the case passes."""

    step: CaseStatus
    level: Level
    label: str
    working_days: int = Field(description="for the decision; of a public notice those after its last day")
    current: bool


class QueueRow(BaseModel):
    """How many cases are in one state."""

    status: CaseStatus
    cases: int
    overdue: int
    unclaimed: int
    oldest_since: date | None


class CaseRow(BaseModel):
    id: int
    kind: CaseKind
    product_id: int
    product_name: str
    product_kind: Kind
    category: Category
    supplier_id: int
    supplier_name: str
    district_code: str
    district_name: str
    township_code: str | None
    programme_code: str
    certificate_id: int | None = Field(description="the certificate that is renewed or changed")
    batch_id: int | None
    status: CaseStatus
    entered_on: date | None = Field(description="when it came to its present state")
    due_on: date | None = Field(description="the last working day for it; while it is returned, for the supplier")
    overdue: bool
    claimed_by: int | None
    claimed_by_name: str | None
    submitted_at: datetime | None
    notice_from: date | None
    notice_last_day: date | None = Field(description="the county may decide from the day after it on")
    decided_at: datetime | None
    created_at: datetime
    version: int


class PricedPackOut(BaseModel):
    """A pack that is on sale, as it is weighed against comparable goods."""

    pack: str
    net_grams: int | None
    highest_price: YuanOut
    price_per_kg: YuanOut | None = Field(description="of goods, at the highest price, rounded; exact prices are compared")
    above_comparable: bool = Field(description="further above the comparable price, gram for gram, than the programme tolerates")


class PackOut(PricedPackOut):
    sku_id: int
    code: str


class CaseOut(CaseRow, PeopleOut):
    working_days_left: int | None
    due_on_provisional: bool = Field(description="it lies in a year whose working days the State Council has not told yet")
    way: list[WayOut]
    proposed: dict[str, Any] | None = Field(description="what a change would change")
    statement: str
    specification: str
    village: str | None
    producer: str
    grade: str
    annual_capacity_kg: int | None
    monthly_capacity_kg: list[int] | None
    linkage_modes: list[str]
    linkage: str
    comparable_price: YuanOut | None
    comparable_pack_grams: int | None
    comparable_price_source: str | None
    comparable_price_on: date | None
    packs: list[PackOut]
    decision_reason: str | None
    corrections: list[dict[str, str]] = Field(description="what the supplier is asked to correct")
    appealed: bool
    steps: list[StepOut]
    opinions: list[OpinionOut] = Field(description="of departments; for officers")
    documents: list[DocumentOut]
    missing_items: list[MissingItem]
    objections_open: int
    objections_upheld: int
    possible_actions: list[CaseMove] = Field(description="what the caller may do with it now")
    certificate: CertificateOut | None
