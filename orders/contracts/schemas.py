"""How contracts look from outside."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class SupplementOut(BaseModel):
    number: str
    supplement_no: int
    made_at: datetime
    sha256: str = Field(description="of `content` as JSON with sorted keys, without spaces, in UTF-8")
    intact: bool = Field(description="whether the content still has that digest")
    content: dict[str, Any] = Field(
        description="parties, lines, freight, delivery and terms, as they were when it was made; without addresses, contact and phone for those who "
        "only follow a sale to it, so that the digest is not of what they read"
    )


class ContractOut(SupplementOut):
    supplier_order_id: int
    supplements: list[SupplementOut]
