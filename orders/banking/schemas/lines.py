"""Lines of the bank, and what they are matched with."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from orders.banking.reasons import Reason
from orders.banking.rules import BankEntryKind, MatchKind
from orders.banking.schemas.statements import Direction
from orders.banking.states import WriteOffMove, WriteOffStatus
from shop.core.money import PositiveYuanIn, YuanIn, YuanOut
from shop.core.quantities import Day, Id, Name, ShortText, each_once

LineStatus = Literal["open", "partly", "matched"]


class OrderShareOut(BaseModel):
    """What of a line one of several orders would get: the part that a match names."""

    purchase_order_id: int
    purchase_order_number: str
    amount: YuanOut


class AnnouncedOut(BaseModel):
    """A transfer that was announced for an order and that no line has shown."""

    payment_id: int
    amount: YuanOut
    reference: str


class ProposalOut(BaseModel):
    kind: MatchKind
    amount: YuanOut
    difference: YuanOut = Field(description="by how much what is left of the line is more than this; below zero: less")
    score: int = Field(ge=0, le=100)
    certain: bool = Field(description="made without asking, unless a match of the line was undone")
    reasons: list[Reason]
    reasons_told: list[str]
    purchase_order_id: int | None
    purchase_order_number: str | None
    buyer_name: str | None
    due: YuanOut | None = Field(description="for the order, once what was announced for it has arrived; 0.00 when nothing is")
    credit: YuanOut | None = Field(description="what was paid and announced beyond what the order costs by now")
    announced: list[AnnouncedOut] = Field(
        description="of `announced_waits`: what is announced for the order and has not arrived; none else"
    )
    orders: list[OrderShareOut] = Field(description="of `orders`: what is due for each; match them as parts of the kind `order`")
    payment_id: int | None
    refund_id: int | None
    refund_number: str | None
    payout_id: int | None
    settlement_number: str | None = Field(description="of the payout")
    payout_file_id: int | None
    payout_file_number: str | None
    refund_file_id: int | None
    refund_file_number: str | None
    transaction_id: int | None
    entry: BankEntryKind | None
    match_id: int | None = Field(description="of `receipt_reversed`: the match of the receipt, which is to be undone")


class BankMatchOut(BaseModel):
    id: int
    line_id: int
    kind: MatchKind
    amount: YuanOut
    purchase_order_id: int | None
    purchase_order_number: str | None
    payment_id: int | None
    refund_id: int | None
    refund_number: str | None
    payout_id: int | None
    settlement_number: str | None = Field(description="of the payout")
    payout_file_id: int | None = Field(description="the list that was matched as a whole; undone as a whole, too")
    payout_file_number: str | None
    refund_file_id: int | None = Field(description="the file that was matched as a whole; undone as a whole, too")
    refund_file_number: str | None
    transaction_id: int | None
    entry: BankEntryKind | None
    reasons: list[Reason] = Field(description="of a match by rule; empty for one by hand")
    score: int
    note: str | None
    matched_at: datetime
    matched_by_name: str | None = Field(description="none: by rule")
    undone_at: datetime | None
    undo_reason: str | None


class NoteOut(BaseModel):
    note: str
    written_by_name: str
    written_at: datetime


class BankLineRow(BaseModel):
    id: int
    statement_id: int
    row_no: int
    booked_on: date
    age_days: int
    amount: YuanOut = Field(description="above zero came in, below zero went out")
    open: YuanOut = Field(description="what is not explained yet, without a sign")
    status: LineStatus
    balance: YuanOut | None
    serial: str
    payer_name: str = Field(description="the other side")
    payer_account: str
    payer_bank: str
    text: str
    reversal: bool = Field(description="红字冲正: the bank takes back a line of the other direction")
    assigned_to: int | None
    assigned_to_name: str | None
    notes: int = Field(description="how many")
    version: int


class WriteOffOut(BaseModel):
    """What is to be, or was, written off of a line as the bank's own, or as a payout, refund or advance that left once more."""

    id: int
    line_id: int
    entry: BankEntryKind
    payout_id: int | None
    refund_id: int | None
    advance_id: int | None
    number: str | None = Field(description="of what left once more: the payout's settlement, the refund, or the advance")
    party_name: str | None = Field(description="of what left once more: the supplier or buyer that has the money")
    paid_before: YuanOut | None = Field(description="what the payout, refund or advance came to")
    amount: YuanOut
    reason: str
    despite: str | None = Field(
        description="why it is this one, or the bank's own, although the line names another payee or number"
    )
    line_amount: YuanOut = Field(description="below zero: it went out")
    line_payer_name: str = Field(description="the line's other side")
    line_text: str
    status: WriteOffStatus
    requested_by: int
    requested_by_name: str
    requested_at: datetime
    decided_by: int | None
    decided_by_name: str | None
    decided_at: datetime | None
    decision_reason: str | None
    match_id: int | None = Field(description="what it became")
    version: int
    possible_actions: list[WriteOffMove]


class BankLineOut(BankLineRow):
    matches: list[BankMatchOut]
    write_offs: list[WriteOffOut]
    proposals: list[ProposalOut] = Field(description="what is left may be for, the likeliest first")
    notes_written: list[NoteOut]


class BankLineSearch(BaseModel):
    """Which lines a list shows."""

    status: LineStatus | None = None
    unmatched: bool | None = Field(default=None, description="open or partly matched")
    direction: Direction | None = None
    statement_id: Id | None = None
    booked_from: Day | None = None
    booked_to: Day | None = Field(default=None, description="included")
    older_than_days: int | None = Field(default=None, ge=0, le=10_000)
    amount_from: YuanIn | None = Field(default=None, description="without a sign")
    amount_to: YuanIn | None = None
    assigned_to: Id | None = None
    q: Name | None = Field(
        default=None,
        description="part of name, account, text or serial number, however spaced; an amount; or the number or payment reference of an order",
    )


class OrderPart(BaseModel):
    """Pays an order; what is above its due stays as the buyer's credit."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["order"]
    purchase_order_id: Id
    amount: PositiveYuanIn


class AnnouncedPart(BaseModel):
    """Is the transfer that the buyer announced, of the same amount."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["announced"]
    payment_id: Id


class RefundPart(BaseModel):
    """Is a released refund that left, or one that came back."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["refund", "refund_returned"]
    refund_id: Id


class PayoutPart(BaseModel):
    """Is a released payout to a supplier that left, or one that came back."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["payout", "payout_returned"]
    payout_id: Id


class PayoutFilePart(BaseModel):
    """Is a whole list of payouts that left: every payout of it that no line has shown, but what was said to have failed."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["payout_file"]
    payout_file_id: Id


class RefundFilePart(BaseModel):
    """Is a whole file of refunds that left: every refund of it that no line has shown, but what was said to have failed."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["refund_file"]
    refund_file_id: Id


class BookedPart(BaseModel):
    """Is a movement that the books hold already, such as an advance."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["booked"]
    transaction_id: Id


Part = Annotated[
    OrderPart | AnnouncedPart | RefundPart | PayoutPart | PayoutFilePart | RefundFilePart | BookedPart, Field(discriminator="kind")
]


def _each_once(parts: list[Part]) -> list[Part]:
    """What a line is matched with stands in its parts once; two amounts for one order are a slip, or their sum."""
    each_once([tuple(part.model_dump(exclude={"amount"}).values()) for part in parts])
    return parts


class MatchIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"parts": [{"kind": "order", "purchase_order_id": 1, "amount": "849.00"}]}]},
    )

    parts: Annotated[list[Part], AfterValidator(_each_once)] = Field(min_length=1, max_length=100)
    allow_credit: bool = Field(default=False, description="the buyer did pay more than is due")
    note: ShortText | None = None


class WriteOffIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"entry": "fee", "amount": "15.00", "reason": "账户管理费"}]}
    )

    entry: BankEntryKind
    payout_id: Id | None = Field(default=None, description="of `paid_twice`: which left once more; or `refund_id`, or `advance_id`")
    refund_id: Id | None = None
    advance_id: Id | None = None
    amount: PositiveYuanIn
    reason: ShortText
    despite: ShortText | None = Field(
        default=None,
        description="of `paid_twice`: why it is this one although the line names another payee or number; of another: why it is the bank's own although"
        " the line names a refund, payout or advance",
    )


class UndoMatchIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class NoteIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: ShortText


class AssignIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    user_id: Id | None = Field(description="null: nobody")
