"""What is told of signals of low ratings."""

from datetime import datetime

from pydantic import BaseModel, Field


class QualitySignalOut(BaseModel):
    """Buyers rated low, several times within a short while, what is sold under a certificate."""

    id: int
    certificate_id: int
    certificate_number: str
    product_id: int
    product_name: str
    supplier_id: int
    supplier_name: str
    district_code: str
    ratings: int = Field(description="low ratings when it was raised")
    buyers: int = Field(description="of so many buyers")
    raised_at: datetime
    cleared_at: datetime | None
    clearing_reason: str | None
