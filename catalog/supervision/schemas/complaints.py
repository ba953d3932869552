"""Complaints about certified products, as they look from outside."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from catalog.supervision.states import ComplaintMove, ComplaintState
from shop.core.errors import BadValue
from shop.core.quantities import Code, Id, LongText, ShortText
from shop.identity.public import ContactIn, ContactOut
from shop.identity.schemas import In

CertificateNumber = Annotated[Code, Field(examples=["CQ-2026-500236-000123"])]


class ComplaintKind(StrEnum):
    """What is complained about."""

    QUALITY = "quality"
    PRICE = "price"
    ORIGIN = "origin"
    DELIVERY = "delivery"
    LINKAGE = "linkage"
    OTHER = "other"


class Measure(StrEnum):
    """What becomes of the certificate when a complaint is decided."""

    NONE = "none"
    WARN = "warn"
    SUSPEND = "suspend"


class Side(StrEnum):
    """Who brought a file."""

    BUYER = "buyer"
    SUPPLIER = "supplier"


class PublicComplaintIn(ContactIn):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "certificate_number": "CQ-2026-500236-000123",
                    "kind": "quality",
                    "text": "到货产品与描述不符，请核实。",
                    "name": "冉先生",
                    "phone": "13900000000",
                }
            ]
        },
    )

    certificate_number: CertificateNumber
    kind: ComplaintKind
    text: LongText


class ComplaintIn(In):
    """The certificate is named by its id or by its number."""

    certificate_id: Id | None = None
    certificate_number: CertificateNumber | None = None
    kind: ComplaintKind
    text: LongText
    supplier_order_id: Id | None = Field(default=None, description="the part of an order that it is about")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.certificate_id is None) == (self.certificate_number is None):
            raise BadValue("请用 id 或编号指明证书", "name the certificate by its id or by its number")
        return self


class StatementIn(In):
    text: LongText


class DecisionIn(In):
    upheld: bool
    answer: LongText = Field(description="what the complainant and the supplier read")
    measure: Measure | None = Field(
        default=None,
        description="left out: an upheld complaint about what the certificate vouches for (quality, price, origin, linkage) suspends it at once",
    )
    reason: ShortText | None = Field(
        default=None,
        description="of the measure, for its record; needed when such a complaint is upheld and the certificate stays in force",
    )


class ComplaintReceiptOut(BaseModel):
    """Keep the receipt: with it the complaint is followed up."""

    receipt: str
    state: ComplaintState
    received_at: datetime
    due_on: date = Field(description="the last working day for the decision")


class PublicComplaintOut(ComplaintReceiptOut):
    """What became of a complaint, for who has its receipt."""

    certificate_number: str
    product_name: str
    kind: ComplaintKind
    text: str
    answer: str | None
    decided_at: datetime | None


class ComplaintFileOut(BaseModel):
    id: int
    side: Side
    name: str
    content_type: str
    size: int
    sha256: str
    uploaded_at: datetime


class ComplaintRow(BaseModel):
    id: int
    status: ComplaintState
    kind: ComplaintKind
    certificate_id: int
    certificate_number: str
    product_name: str
    supplier_id: int
    supplier_name: str
    supplier_order_id: int | None = Field(description="the part of an order that it is about")
    organisation_id: int | None = Field(description="the buyer who complains; none: somebody of the public")
    organisation_name: str | None
    district_code: str
    district_name: str
    text: str
    received_at: datetime
    statement_due_on: date = Field(description="the last working day for the supplier's statement")
    statement_overdue: bool = Field(description="its day has passed; true for good once it came late")
    decision_due_on: date = Field(description="the last working day for the decision")
    overdue: bool
    stated_at: datetime | None
    decided_at: datetime | None
    version: int


class ComplaintOut(ComplaintRow):
    statement: str | None
    answer: str | None
    decided_by: int | None
    files: list[ComplaintFileOut]
    possible_actions: list[ComplaintMove] = Field(description="what the caller may do with it now")


class ComplaintWithContactOut(ComplaintOut):
    contact: ContactOut | None = Field(
        description="of somebody of the public, for the officers who decide; each reading is on record"
    )
