"""Statements, and how the bank's balance and the books' agree."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orders.banking.rules import Column, complete, named_twice
from shop.core.errors import BadValue
from shop.core.money import YuanOut
from shop.core.quantities import whole
from shop.core.sheet_reader import MAX_COLUMNS, MAX_ROWS

Direction = Literal["in", "out"]
_Number = Annotated[int, Field(ge=1, le=MAX_COLUMNS), whole]


class BankColumnsIn(BaseModel):
    """Where the header is and what its columns are, as a spreadsheet program counts them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"header_row": 3, "columns": {"date": [1], "debit": [2], "credit": [3], "balance": [4], "text": [5, 6]}}]
        },
    )

    header_row: Annotated[int, Field(ge=1, le=MAX_ROWS), whole]
    columns: dict[Column, Annotated[list[_Number], Field(min_length=1, max_length=10)]]
    save: bool = Field(default=False, description="use it whenever the same header comes again")

    @model_validator(mode="after")
    def _tell_enough(self) -> "BankColumnsIn":
        if not complete(self.columns):
            raise BadValue(
                "须指定日期列，以及金额列或借贷两列",
                "name the column of the date, and of the amount or of both debit and credit",
                "columns",
            )
        if twice := named_twice(self.columns):
            raise BadValue(f"第 {twice} 列被指定了两种含义", f"column {twice} is named as two things", "columns")
        return self


class HowRead(BaseModel):
    """How a file is to be read, where it does not tell itself."""

    layout: str | None = None
    #: Of a workbook.
    sheet: str | None = None
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
    reversal: bool = Field(description="红字冲正: the bank takes back a line of the other direction")


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
    reversal_rows: list[int] = Field(description="rows of the file that the bank wrote in red (红字冲正); the first hundred")
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
    new_count: int = Field(description="lines that no statement had shown before; 0: all were known, and nothing was booked")
    open_count: int = Field(description="new lines of which something is not explained yet")
    matching_left: int = Field(
        description="new lines that the rules have not looked at yet; 0: they have seen all, and see what is open every ten minutes"
    )
    matching_goes_on_at: datetime | None = Field(description="when they look at the next thousand of these, at the latest")
    opening: YuanOut
    closing: YuanOut
    balance: YuanOut = Field(description="what the account held after this import")
    imported_at: datetime
    imported_by_name: str


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
    as_of: date = Field(description="everything is told as it was at the end of this day")
    statement_to: date | None = Field(description="the latest day up to it that a statement reached")
    statement_balance: YuanOut
    booked: YuanOut = Field(description="what stands on the account `bank` of the ledger, as /v1/money/balances says")
    before_books: YuanOut = Field(description="what the account held before its first statement, which the ledger does not hold")
    book_balance: YuanOut = Field(description="booked + before_books: what the books say that the account holds")
    outstanding: list[OutstandingOut] = Field(
        description="in the books, not on a statement yet; the first two hundred. Of the kind `receipt`: on a statement of that day, booked later"
    )
    outstanding_total: YuanOut
    difference: YuanOut = Field(description="book balance − outstanding − statement balance; anything but zero is an error")
    unmatched_in: YuanOut
    unmatched_out: YuanOut
    announced: YuanOut = Field(description="announced by buyers, not shown by the bank yet")
    by_age: list[AgeOut]
