"""Failures of what was paid or stands on a list for the bank, as people say them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orders.banking.states import FailureMove, FailureStatus
from shop.core.money import YuanOut
from shop.core.quantities import ShortText


class FailIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class FailureReportOut(BaseModel):
    """One person says that a payout or refund which was paid, or a payout that stands on a list for the bank, has failed; another confirms it."""

    id: int
    kind: Literal["payout", "refund"]
    payout_id: int | None
    refund_id: int | None
    number: str = Field(description="of the refund; of a payout that of its settlement")
    party_name: str = Field(description="the supplier, or the buyer")
    amount: YuanOut
    list_number: str | None = Field(description="of the payout: the list for the bank that it stands on, which may pay it still")
    reason: str
    status: FailureStatus
    requested_by: int
    requested_by_name: str
    requested_at: datetime
    decided_by: int | None
    decided_by_name: str | None
    decided_at: datetime | None
    decision_reason: str | None
    version: int
    possible_actions: list[FailureMove]
