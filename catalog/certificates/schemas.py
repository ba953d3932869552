"""How certificates look from outside."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from catalog.certificates.states import CertificateMove, CertificateState
from shop.core.money import YuanOut


class CertificateOut(BaseModel):
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
    households: int
    persons: int
    valid_from: date
    valid_until: date
    papers_valid_until: date | None
    suspended_until: datetime | None
    state: CertificateState
    reason_code: str | None
    reason: str | None = Field(description="why it is suspended or revoked")
    issued_at: datetime
    possible_actions: list[CertificateMove]
