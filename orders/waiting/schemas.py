"""What waits for a second person, as callers get it."""

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from shop.core.money import YuanOut


class WaitingKind(StrEnum):
    """What waits, by what is to be approved; of a payout its release, or a new approval after it failed. ``failure_report``: what was paid, or
    listed for the bank, is said to have failed."""

    ADVANCE = "advance"
    BANK_WRITE_OFF = "bank_write_off"
    FAILURE_REPORT = "failure_report"
    PAYER_DECLARATION = "payer_declaration"
    PAYOUT = "payout"
    PAYOUT_ACCOUNT = "payout_account"
    REFUND = "refund"


class WaitingOut(BaseModel):
    kind: WaitingKind
    id: int
    link: str = Field(examples=["/v1/refunds/7"])
    number: str | None = Field(
        description="of a payout that of its settlement; of a line of the bank that of what left once more; none: it has no number"
    )
    party_name: str | None = Field(
        description="the buyer or supplier that it concerns; of a line of the bank whoever got the money twice, else its other side"
    )
    amount: YuanOut | None = Field(description="none: a payer or an account, which have no amount")
    asked_by: int | None = Field(
        description="the first person; of a payout who approved it, none: it failed and is to be approved again"
    )
    asked_by_name: str | None
    since: datetime
    not_before: date | None = Field(
        description="of a payout: the supplier has not confirmed, and may object until the day before this one"
    )
    own: bool = Field(description="the caller was the first person, so somebody else decides")
    blocked_by: str | None = Field(
        description="the code by which approving it is refused, because the bank has settled it: refuse it, or take it back; a payout or refund goes if `despite`"
        " says why",
        examples=["shown_by_bank"],
    )
