"""What callers send and get about statements, lines and what they are matched with."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orders.banking.matching import Reason
from orders.banking.rules import BankEntryKind, Column, MatchKind, PayerReason, complete
from shop.core.errors import BadValue
from shop.core.money import PositiveYuanIn, YuanIn, YuanOut
from shop.core.quantities import Code, Day, Id, Name, ShortText
from shop.core.sheet_reader import MAX_COLUMNS, MAX_ROWS

LineStatus = Literal["open", "partly", "matched"]
Direction = Literal["in", "out"]
_Number = Annotated[int, Field(ge=1, le=MAX_COLUMNS)]


class BankColumnsIn(BaseModel):
    """Where the header is and what its columns are, as a spreadsheet program counts them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"header_row": 3, "columns": {"date": [1], "debit": [2], "credit": [3], "balance": [4], "text": [5, 6]}}]
        },
    )

    header_row: int = Field(ge=1, le=MAX_ROWS)
    columns: dict[Column, Annotated[list[_Number], Field(min_length=1, max_length=10)]]
    save: bool = Field(default=False, description="use it whenever the same header comes again")

    @model_validator(mode="after")
    def _tell_enough(self) -> "BankColumnsIn":
        if not complete(self.columns):
            raise BadValue(
                "须指定日期列，以及金额列或借贷两列", "name the column of the date, and of the amount or of both debit and credit"
            )
        return self


class HowRead(BaseModel):
    """How a file is to be read, where it does not tell itself."""

    layout: str | None = None
    columns: BankColumnsIn | None = None
    #: In fen.
    closing_balance: int | None = None


class LayoutOut(BaseModel):
    code: str
    bank: str
    columns: dict[Column, list[str]] = Field(description="the headers of each role; the first one counts")


class EntryOut(BaseModel):
    row_no: int
    booked_on: date
    amount: YuanOut = Field(description="above zero came in, below zero went out")
    balance: YuanOut | None
    serial: str
    payer_name: str
    payer_account: str
    text: str


class ProblemOut(BaseModel):
    code: str
    message: str
    errors: list[dict[str, Any]]


class StatementPreviewOut(BaseModel):
    """What would be imported. Nothing was."""

    format: str
    layout: str | None
    header_row: int | None
    headers: list[str]
    columns: dict[Column, list[int]] = Field(description="as a spreadsheet program counts them")
    sample: list[list[str]] = Field(description="the first rows as they are")
    line_count: int
    new_count: int = Field(description="lines that no statement has shown before")
    came_in: YuanOut
    went_out: YuanOut
    opening: YuanOut
    closing: YuanOut
    entries: list[EntryOut] = Field(description="the first twenty")
    problem: ProblemOut | None = Field(description="why it cannot be imported")


class BankStatementOut(BaseModel):
    id: int
    account: str
    name: str
    format: str
    layout: str | None
    from_on: date
    to_on: date = Field(description="included")
    line_count: int
    new_count: int
    open_count: int = Field(description="new lines of which something is not explained yet")
    opening: YuanOut
    closing: YuanOut
    balance: YuanOut = Field(description="what the account held after this import")
    imported_at: datetime
    imported_by_name: str


class ProposalOut(BaseModel):
    kind: MatchKind
    amount: YuanOut
    score: int = Field(ge=0, le=100)
    certain: bool = Field(description="made without asking, unless a match of the line was undone")
    reasons: list[Reason]
    reasons_told: list[str]
    purchase_order_id: int | None
    purchase_order_number: str | None
    buyer_name: str | None
    due: YuanOut | None
    payment_id: int | None
    refund_id: int | None
    refund_number: str | None
    transaction_id: int | None
    entry: BankEntryKind | None


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
    assigned_to: int | None
    assigned_to_name: str | None
    notes: int = Field(description="how many")
    version: int


class BankLineOut(BankLineRow):
    matches: list[BankMatchOut]
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
    q: Name | None = Field(default=None, description="part of name, account, text or serial number")


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


class EntryPart(BaseModel):
    """The bank's own fees or interest."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["bank_entry"]
    entry: BankEntryKind
    amount: PositiveYuanIn


class BookedPart(BaseModel):
    """Is a movement that the books hold already, such as a payout."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["booked"]
    transaction_id: Id


Part = Annotated[OrderPart | AnnouncedPart | RefundPart | EntryPart | BookedPart, Field(discriminator="kind")]


class MatchIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"parts": [{"kind": "order", "purchase_order_id": 1, "amount": "849.00"}]}]},
    )

    parts: list[Part] = Field(min_length=1, max_length=100)
    allow_credit: bool = Field(default=False, description="the buyer did pay more than is due")
    note: ShortText | None = None


class UndoMatchIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class NoteIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: ShortText


class AssignIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    user_id: Id | None = Field(description="null: nobody")


class AgeOut(BaseModel):
    direction: Direction
    age: Literal["0-7", "8-30", "31-90", "90+"]
    lines: int
    open: YuanOut


class OutstandingOut(BaseModel):
    """A movement of the bank account in the books that no statement has shown."""

    transaction_id: int
    kind: str
    origin_id: int
    booked_on: date
    amount: YuanOut
    purchase_order_id: int | None


class ReconciliationStatementOut(BaseModel):
    """银行存款余额调节表: the bank's balance and that of the books, and what lies between them."""

    account: str
    statement_to: date | None
    statement_balance: YuanOut
    book_balance: YuanOut = Field(description="what the books say that the account holds")
    outstanding: list[OutstandingOut] = Field(description="in the books, not on a statement yet; the first two hundred")
    outstanding_total: YuanOut
    difference: YuanOut = Field(description="book balance − outstanding − statement balance; anything but zero is an error")
    unmatched_in: YuanOut
    unmatched_out: YuanOut
    announced: YuanOut = Field(description="announced by buyers, not shown by the bank yet")
    by_age: list[AgeOut]


class TransferInstructionsOut(BaseModel):
    """What a bank transfer for an order has to say."""

    purchase_order_id: int
    purchase_order_number: str
    payee_name: str
    payee_account: str
    payee_bank: str | None
    payee_bank_code: str | None = Field(description="联行号")
    amount: YuanOut = Field(description="what is due; 0.00 when nothing is")
    payment_reference: str = Field(description="to be written into the text of the transfer (附言), nothing else is needed")
    payment_reference_printed: str
    payer_name: str = Field(description="the transfer has to come from an account of this name")
    approved_payers: list[str] = Field(description="others that were approved to pay")
    announced: YuanOut = Field(description="announced by the buyer, not shown by the bank yet")


class PayerDeclarationIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "payer_name": "沙坪坝区财政局国库集中支付中心",
                    "reason_code": "treasury",
                    "reason": "国库集中支付",
                    "all_orders": True,
                }
            ]
        },
    )

    payer_name: Name
    reason_code: PayerReason
    reason: ShortText
    all_orders: bool = Field(default=False, description="for all orders of the buyer, not this one only")


class DecisionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText | None = None


class PayerDeclarationOut(BaseModel):
    id: int
    buyer_id: int
    buyer_name: str
    purchase_order_id: int | None = Field(description="none: all orders of the buyer")
    payer_name: str
    reason_code: PayerReason
    reason: str
    status: Literal["declared", "approved", "refused", "withdrawn"]
    declared_at: datetime
    declared_by_name: str
    decided_at: datetime | None
    decision_reason: str | None
    version: int


class RefundFileIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    layout: Literal["icbc", "ccb", "cmb", "generic"] = "generic"
    refund_ids: list[Id] | None = Field(
        default=None, min_length=1, max_length=1000, description="default: all released ones that are in no file, at most 1,000"
    )


class RefundFileSentIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reference: Code


class RefundFileOut(BaseModel):
    id: int
    number: str
    layout: str
    status: Literal["made", "sent", "void"]
    refund_count: int
    total: YuanOut
    refund_ids: list[int]
    made_at: datetime
    made_by_name: str
    reference: str | None
    ended_at: datetime | None
    void_reason: str | None
    version: int
