"""Public notices and objections, as they look from outside."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from catalog.certificates.schemas import PeopleOut
from catalog.certification.schemas.cases import PricedPackOut
from catalog.certification.states import CaseKind
from catalog.objections.states import ObjectionMove, ObjectionState
from catalog.products.rules import Category, Kind
from shop.core.money import YuanOut
from shop.core.quantities import LongText
from shop.identity.public import ContactIn, ContactOut
from shop.identity.schemas import In


class NoticeRow(PeopleOut):
    """A public notice, as everybody may read it."""

    case_id: int
    kind: CaseKind
    product_name: str
    product_kind: Kind
    category: Category
    supplier_name: str
    supplier_uscc: str
    district_code: str
    district_name: str
    township_name: str | None
    village: str | None
    specification: str
    grade: str
    producer: str
    annual_capacity_kg: int | None
    linkage_modes: list[str]
    linkage: str
    comparable_price: YuanOut | None = Field(description="of the same kind and quality elsewhere")
    comparable_pack_grams: int | None
    comparable_price_source: str | None
    comparable_price_on: date | None
    comparable_price_per_kg: YuanOut | None = Field(description="of goods, rounded")
    packs: list[PricedPackOut] = Field(description="all that the product is sold in today, at the highest price of each")
    notice_from: date
    notice_last_day: date
    running: bool = Field(description="objections are taken today")
    objections: int = Field(description="raised against this notice so far")


class NoticeOut(NoticeRow):
    statement: str
    monthly_capacity_kg: list[int] | None
    proposed: dict[str, Any] | None = Field(description="of a change: what it would change")
    how_to_object: str


class ObjectionIn(ContactIn):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "冉先生", "phone": "13900000000", "text": "听说原料来自外地，请核实产地。"}]},
    )

    text: LongText


class ReceiptOut(BaseModel):
    """Keep the receipt: with it the objection is followed up, and evidence is added."""

    receipt: str
    state: ObjectionState
    received_at: datetime
    due_on: date = Field(description="the last working day for the answer")


class PublicObjectionOut(ReceiptOut):
    """What became of an objection, for who has its receipt."""

    case_id: int
    product_name: str
    supplier_name: str
    text: str
    files: int
    answer: str | None
    decided_at: datetime | None


class CaseObjectionOut(BaseModel):
    """What was objected to an application, and how that was decided; never who objected."""

    id: int
    status: ObjectionState
    notice_from: date
    text: str
    received_at: datetime
    due_on: date = Field(description="the last working day for the answer")
    answer: str | None
    decided_at: datetime | None


class FindingsIn(In):
    findings: LongText = Field(description="for the record; shown neither to the person nor to the applicant")
    answer: LongText = Field(description="what the person who objected reads, and the applicant; it names nobody")


class FileOut(BaseModel):
    id: int
    name: str
    content_type: str
    size: int
    sha256: str
    uploaded_at: datetime


class ObjectionRow(BaseModel):
    id: int
    status: ObjectionState
    case_id: int
    case_kind: CaseKind
    product_name: str
    supplier_id: int
    supplier_name: str
    district_code: str
    district_name: str
    notice_from: date
    text: str
    received_at: datetime
    due_on: date = Field(description="the last working day for the answer")
    overdue: bool
    investigator_id: int | None
    investigator_name: str | None
    decided_at: datetime | None
    version: int


class ObjectionOut(ObjectionRow):
    findings: str | None
    answer: str | None
    decided_by: int | None
    files: list[FileOut]
    possible_actions: list[ObjectionMove]


class ObjectionWithContactOut(ObjectionOut):
    contact: ContactOut = Field(description="each reading is on record")
