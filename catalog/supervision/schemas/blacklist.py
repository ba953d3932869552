"""What is sent and told of suppliers that are barred."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from catalog.certificates.schemas import ReasonCode
from shop.core.quantities import AnyDay, Id, ShortText


class BarIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    organisation_id: Id
    until_on: AnyDay = Field(description="the last day of it")
    reason_code: ReasonCode
    reason: ShortText


class LiftIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class BarOut(BaseModel):
    id: int
    organisation_id: int
    organisation_name: str
    organisation_uscc: str
    region_code: str
    from_on: date
    until_on: date
    active: bool
    reason_code: str
    reason: str
    decided_at: datetime
    lifted_at: datetime | None
    lifting_reason: str | None
