"""How certificates look from outside, and what officers send about them."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from catalog.certificates.states import CertificateMove, CertificateState, SuspendedBy
from shop.core.money import YuanOut
from shop.core.quantities import LongText, Moment, ShortText


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


ReasonCode = Annotated[
    str, Field(min_length=1, max_length=50, description="a code of the terms `reason`", examples=["quality_failure"])
]


class MeasureIn(In):
    reason_code: ReasonCode
    reason: ShortText


class SuspensionIn(MeasureIn):
    until: Moment | None = Field(
        default=None, description="when it ends by itself, with its time zone; left out: until it is reinstated"
    )


class ReasonIn(In):
    reason: ShortText


class StatementIn(In):
    statement: LongText


class PeopleOut(BaseModel):
    """How many take part, as a case or certificate states it. Exactly to its own supplier and to who may read its list of households."""

    households: int | None = Field(description="null to all others")
    households_band: str = Field(description="the band in which it lies", examples=["10–19"])
    persons: int | None
    persons_band: str = Field(examples=["30–39"])


class CertificateOut(PeopleOut):
    id: int
    number: str
    case_id: int
    batch_id: int | None
    renews_id: int | None
    product_id: int
    product_name: str
    supplier_id: int
    supplier_name: str
    district_code: str
    district_name: str
    township_code: str | None
    village: str | None
    producer: str
    grade: str
    specification: str
    programme_code: str
    annual_capacity_kg: int | None
    monthly_capacity_kg: list[int] | None
    comparable_price: YuanOut | None = Field(validation_alias="comparable_price_fen")
    comparable_pack_grams: int | None
    valid_from: date
    valid_until: date
    papers_valid_until: date | None
    suspended_until: datetime | None = Field(description="the last end of what suspends it; null: none has an end")
    suspended_by: list[SuspendedBy] = Field(description="who suspends it now; none shortens what another said")
    state: CertificateState
    reason_code: str | None
    reason: str | None = Field(description="why it is suspended or revoked")
    issued_at: datetime
    possible_actions: list[CertificateMove]


class EventOut(BaseModel):
    """One thing that happened to a certificate."""

    kind: str
    label: str
    at: datetime
    until: datetime | None
    reason_code: str | None
    reason: str | None
    actor_role: str
    actor: str | None = Field(description="who did it; for officers")


class RevocationOut(BaseModel):
    id: int
    certificate_id: int
    status: str
    reason_code: str
    reason: str
    opened_at: datetime
    statement_due_on: date = Field(description="the last day for the supplier's statement")
    statement: str | None
    stated_at: datetime | None
    decided_at: datetime | None
    decision_reason: str | None


class PublicEventOut(BaseModel):
    kind: str
    label: str
    on: date
    reason: str | None = Field(description="why, in the programme's words")


class PublicCertificateOut(BaseModel):
    """What the number on a certificate stands for."""

    number: str
    state: CertificateState
    state_label: str
    product_name: str
    supplier_name: str
    supplier_uscc: str
    producer: str
    grade: str
    specification: str
    district_code: str
    district_name: str
    township_name: str | None
    village: str | None
    valid_from: date
    valid_until: date
    batch_number: str | None
    history: list[PublicEventOut]
