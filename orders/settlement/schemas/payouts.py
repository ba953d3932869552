"""What callers send and get about payouts, bank accounts and advances."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orders.agreements.states import AgreementState
from orders.money.names import AccountNumber
from orders.settlement.states import (
    AccountStatus,
    AdvanceMove,
    AdvanceStatus,
    PayoutFileMove,
    PayoutFileStatus,
    PayoutMove,
    PayoutStatus,
)
from shop.core.money import PositiveYuanIn, YuanOut
from shop.core.quantities import Code, Id, Name, ProperName, ShortText

Method = Literal["bank", "stripe"]


class ApproveIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    method: Method = "bank"
    despite: ShortText | None = Field(
        default=None,
        description="why it is paid again though a line of the bank shows that it may have left, which was said to have failed",
    )


class ReleaseIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    despite: ShortText | None = Field(
        default=None,
        description="why it is paid though, since it was settled, the supplier was barred, a certificate stopped or payments for its orders were taken back; "
        "or though a line of the bank shows that an earlier release, which was said to have failed, may have left",
    )


class SentIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reference: Code
    despite: ShortText | None = Field(
        default=None,
        description="why it goes though a line of the bank, new since its release, shows that an earlier release may have left",
    )


class ConfirmIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reference: Code
    despite: ShortText | None = Field(
        default=None,
        description="why it was paid though a line of the bank, new since its release, shows that an earlier release may have left",
    )


class PayoutFileIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    despite: ShortText | None = Field(
        default=None,
        description="why payouts go on it though a line of the bank, new since their release, shows that an earlier release may have left",
    )


class FileSentIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reference: Code
    despite: ShortText | None = Field(
        default=None,
        description="why it goes though a line of the bank, new since the releases on it, shows that an earlier release of one may have left",
    )


class AttemptOut(BaseModel):
    """One release, and what became of it."""

    id: int
    method: Method
    account_tail: str | None = Field(description="the last digits of the bank account")
    released_by: int
    released_by_name: str
    released_at: datetime
    sent_at: datetime | None
    file_number: str | None
    reference: str | None
    outcome: Literal["paid", "failed"] | None
    ended_at: datetime | None
    reason: str | None


class PayoutRow(BaseModel):
    id: int
    settlement_id: int
    settlement_number: str
    supplier_id: int
    supplier_name: str
    period_end: date
    amount: YuanOut
    returned: YuanOut = Field(description="what came back of it in parts; another payout owes it again")
    again_for_id: int | None = Field(description="the payout of which it is what came back")
    method: Method
    status: PayoutStatus
    drafted_by: int | None = Field(description="who ran the settlement; none: it ran by itself")
    drafted_by_name: str | None
    drafted_at: datetime
    approved_by: int | None = Field(description="none: not approved, or it failed since and has to be approved again")
    approved_by_name: str | None
    approved_at: datetime | None
    released_by: int | None = Field(description="of the release that stands; none: not released, or it failed (see its attempts)")
    released_by_name: str | None
    released_at: datetime | None
    reference: str | None
    version: int


class PayoutOut(PayoutRow):
    attempts: list[AttemptOut]
    failure_report_id: int | None = Field(
        description="one person says that it failed after it was paid or listed for the bank, and another has to confirm it"
    )
    possible_actions: list[PayoutMove]


class PayoutFileOut(BaseModel):
    id: int
    number: str
    payout_count: int
    amount: YuanOut
    made_by: int
    made_by_name: str
    made_at: datetime
    status: PayoutFileStatus
    content_count: int = Field(
        description="payouts in its content: without those that failed; before it is sent, without those that were paid, too"
    )
    content_amount: YuanOut
    sent_by: int | None
    sent_by_name: str | None
    sent_at: datetime | None
    reference: str | None = Field(description="the bank's number of the upload")
    possible_actions: list[PayoutFileMove]
    voided_by: int | None
    voided_by_name: str | None
    voided_at: datetime | None
    void_reason: str | None


class AccountIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    holder: ProperName
    bank: Name
    number: AccountNumber
    reason: ShortText


class NoteIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: ShortText


class OptionalNoteIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: ShortText | None = None


class AccountOut(BaseModel):
    id: int
    supplier_id: int
    supplier_name: str
    holder: str
    bank: str
    number: str = Field(description="its last four digits; the whole number for who decides about it", examples=["****4123"])
    holder_is_supplier: bool = Field(
        description="whether the holder is the supplier by the name in the register; if not, find out why before it is approved"
    )
    status: AccountStatus
    in_use: bool
    reason: str
    requested_by: int
    requested_by_name: str
    requested_at: datetime
    decided_by: int | None
    decided_by_name: str | None
    decided_at: datetime | None
    decision_note: str | None
    usable_from: date | None = Field(description="from this day on it is paid to")


class AdvanceIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    agreement_id: Id
    amount: PositiveYuanIn
    reason: ShortText


class AdvanceReturnIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: PositiveYuanIn | None = Field(
        default=None, description="what came back of it; without it, all that had not come back before"
    )
    reason: ShortText


class AdvanceAgreementOut(BaseModel):
    """As much of an agreement as an advance for it needs."""

    id: int
    number: str
    title: str
    supplier_id: int
    supplier_name: str
    buyer_id: int
    buyer_name: str
    state: Literal[AgreementState.UPCOMING, AgreementState.ACTIVE]
    valid_from: date
    valid_until: date
    advances: YuanOut = Field(description="asked for, approved or paid ahead for it so far")


class AdvanceOut(BaseModel):
    id: int
    number: str
    agreement_id: int
    agreement_number: str
    supplier_id: int
    supplier_name: str
    amount: YuanOut
    reason: str
    status: AdvanceStatus
    requested_by: int
    requested_by_name: str
    requested_at: datetime
    approved_by: int | None
    approved_by_name: str | None
    approved_at: datetime | None
    paid_at: datetime | None
    reference: str | None
    end_reason: str | None
    returned: YuanOut = Field(description="what came back of it in all, as was confirmed; of what is left more may come back")
    return_amount: YuanOut | None = Field(description="what came back by the last time, as was said")
    return_reason: str | None
    return_asked_by: int | None
    return_asked_by_name: str | None
    return_asked_at: datetime | None
    return_confirmed_by: int | None
    return_confirmed_by_name: str | None
    returned_at: datetime | None
    version: int
    possible_actions: list[AdvanceMove]
