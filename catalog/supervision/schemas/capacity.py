"""What is told of sales against certified capacity."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from shop.core.quantities import LongText, ShortText


class ExplanationIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: LongText


class ClearingIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class CapacityFlagOut(BaseModel):
    """More was sold and promised than a certificate was given for."""

    id: int
    certificate_id: int
    certificate_number: str
    product_name: str
    supplier_id: int
    supplier_name: str
    district_code: str
    year: int
    month: int = Field(description="1 to 12; 0: the whole year")
    capacity_grams: int
    committed_grams: int = Field(description="sold and promised when it was last counted")
    percent: int
    flagged_at: datetime
    explanation: str | None = Field(description="of the supplier")
    explained_at: datetime | None
    cleared_at: datetime | None
    clearing_reason: str | None
    held: bool = Field(description="whether the certificate is held now")


class MonthOut(BaseModel):
    month: int
    capacity_grams: int | None = Field(description="none: the certificate names no months")
    committed_grams: int
    percent: int | None


class CapacityOut(BaseModel):
    """What was sold and promised of a certificate in a year, beside what it was given for."""

    certificate_id: int
    year: int
    capacity_grams: int | None
    committed_grams: int
    percent: int | None
    months: list[MonthOut]
