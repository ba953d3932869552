"""Bank statements as they were imported, what their lines are matched with, who else may pay for a buyer, and files of refunds for the bank."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from orders.banking.rules import BankEntryKind, MatchKind, PayerReason
from shop.core.db import codes, fen, key, moment, ref

_PROPOSED = (MatchKind.ORDERS, MatchKind.PAYOUT_FILE, MatchKind.REFUND_FILE, MatchKind.RECEIPT_REVERSED)


def _json(default: type = list) -> Any:
    return Field(default_factory=default, sa_column=Column(JSONB, nullable=False))


class BankStatement(SQLModel, table=True):
    """One imported file; the statements of an account follow on one another without a gap."""

    __tablename__ = "bank_statement"
    __table_args__ = (
        CheckConstraint("format IN ('csv','xlsx','camt053','mt940')", name="format"),
        CheckConstraint("from_on <= to_on", name="period"),
        CheckConstraint("new_count BETWEEN 0 AND line_count", name="new_count"),
        # the same file twice is the same statement
        UniqueConstraint("account", "sha256"),
        Index(None, "account", "id"),
    )

    id: int = key()
    #: The marketplace's own account.
    account: str
    file_id: int = ref("stored_file.id")
    name: str
    sha256: str
    format: str
    #: Whose layout it was read by; null for the formats that have but one, and for columns that a user named.
    layout: str | None = None
    #: Shanghai dates of its first and last line, both included.
    from_on: date
    to_on: date
    line_count: int
    #: Lines that no statement had shown before.
    new_count: int
    opening_fen: int = fen()
    closing_fen: int = fen()
    #: What the account holds after this import, with all lines that are known by then.
    balance_fen: int = fen()
    imported_by: int = ref("app_user.id")
    imported_at: datetime = moment()


class BankLine(SQLModel, table=True):
    """One line of the account. What the bank says never changes (a trigger refuses it); ``matched_fen`` is how much of it is explained."""

    __tablename__ = "bank_line"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="amount_fen"),
        # two who explain the same money at once meet here
        CheckConstraint("matched_fen BETWEEN 0 AND abs(amount_fen)", name="not_matched_twice"),
        UniqueConstraint("account", "key"),
        Index(None, "statement_id", "id"),
        Index("ix_bank_line_open", "id", postgresql_where=text("matched_fen < abs(amount_fen)")),
        Index(None, "booked_on", "id"),
        Index(None, "payer_account", postgresql_where=text("payer_account <> ''")),
    )

    id: int = key()
    statement_id: int = ref("bank_statement.id")
    account: str
    #: By what the line is known again (``rules.keys``).
    key: str
    #: The row of the file, as a spreadsheet program shows it.
    row_no: int
    #: Shanghai date.
    booked_on: date
    #: Above zero came in, below zero went out.
    amount_fen: int = fen()
    balance_fen: int | None = fen(nullable=True)
    #: The bank's own number of the transfer.
    serial: str = ""
    #: The other side: whoever paid, or was paid.
    payer_name: str = ""
    payer_account: str = ""
    payer_bank: str = ""
    #: What the other side wrote.
    text: str = ""
    #: 红字冲正: the bank takes back a line of the other direction.
    reversal: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    matched_fen: int = fen(default=0)
    #: Matched by rule; off for a line whose match somebody has undone.
    automatic: bool = Field(default=True, sa_column_kwargs={"server_default": "true"})
    assigned_to: int | None = ref("app_user.id", nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class BankMatch(SQLModel, table=True):
    """What a line, or a part of it, was for. What was wrong is undone, not deleted."""

    __tablename__ = "bank_match"
    __table_args__ = (
        # a list as a whole is kept as a match for each payout on it, and orders together as one for each of them
        CheckConstraint(f"kind IN ({codes(kind for kind in MatchKind if kind not in _PROPOSED)})", name="kind"),
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("(kind IN ('order','announced')) = (payment_id IS NOT NULL)", name="payment"),
        CheckConstraint("(kind IN ('refund','refund_returned')) = (refund_id IS NOT NULL)", name="refund"),
        CheckConstraint("(kind IN ('payout','payout_returned')) = (payout_id IS NOT NULL)", name="payout"),
        CheckConstraint(
            "(kind IN ('refund','refund_returned','payout','payout_returned','booked')) = (transaction_id IS NOT NULL)",
            name="transaction",
        ),
        CheckConstraint("payout_file_id IS NULL OR kind = 'payout'", name="payout_file"),
        CheckConstraint("refund_file_id IS NULL OR kind = 'refund'", name="refund_file"),
        CheckConstraint(f"entry IN ({codes(BankEntryKind)})", name="entry"),
        CheckConstraint("(kind = 'bank_entry') = (entry IS NOT NULL)", name="entry_of_kind"),
        CheckConstraint("(undone_at IS NULL) = (undo_reason IS NULL)", name="undone"),
        Index(None, "line_id"),
        # a payment, and a movement of the books, is shown by one line
        Index("uq_bank_match_payment", "payment_id", unique=True, postgresql_where=text("undone_at IS NULL")),
        Index("uq_bank_match_transaction", "transaction_id", unique=True, postgresql_where=text("undone_at IS NULL")),
        Index(None, "purchase_order_id"),
        Index(None, "refund_id"),
        Index(None, "payout_id", postgresql_where=text("payout_id IS NOT NULL")),
    )

    id: int = key()
    line_id: int = ref("bank_line.id")
    kind: str
    amount_fen: int = fen()
    purchase_order_id: int | None = ref("purchase_order.id", nullable=True)
    payment_id: int | None = ref("payment.id", nullable=True)
    refund_id: int | None = ref("refund.id", nullable=True)
    payout_id: int | None = ref("payout.id", nullable=True)
    #: The list that was matched as a whole, of which this is one payout.
    payout_file_id: int | None = ref("payout_file.id", nullable=True)
    #: The file that was matched as a whole, of which this is one refund.
    refund_file_id: int | None = ref("refund_file.id", nullable=True)
    #: The transaction of the money ledger that moved the bank account and that the line shows.
    transaction_id: int | None = ref("money_transaction.id", nullable=True)
    entry: str | None = None
    #: By rule, with its reasons and their weight; by hand without.
    reasons: list[str] = _json()
    score: int = 0
    note: str | None = None
    #: None: the marketplace itself.
    matched_by: int | None = ref("app_user.id", nullable=True)
    matched_at: datetime = moment()
    undone_at: datetime | None = moment(nullable=True)
    undone_by: int | None = ref("app_user.id", nullable=True)
    undo_reason: str | None = None


class BankWriteOff(SQLModel, table=True):
    """A line, or a part of it, that nothing in the books explains: said to be the bank's own, or something that left once more, by one person, approved by
    another."""

    __tablename__ = "bank_write_off"
    __table_args__ = (
        CheckConstraint("status IN ('requested','approved','refused','withdrawn','undone')", name="status"),
        CheckConstraint(f"entry IN ({codes(BankEntryKind)})", name="entry"),
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint(
            "num_nonnulls(payout_id, refund_id, advance_id) = CASE entry WHEN 'paid_twice' THEN 1 ELSE 0 END", name="of_one"
        ),
        # four eyes
        CheckConstraint("decided_by <> requested_by OR status = 'withdrawn'", name="two_persons"),
        CheckConstraint("num_nulls(decided_by, decided_at) = CASE status WHEN 'requested' THEN 2 ELSE 0 END", name="decided"),
        CheckConstraint("(status IN ('approved','undone')) = (match_id IS NOT NULL)", name="matched"),
        Index("uq_bank_write_off_requested", "line_id", unique=True, postgresql_where=text("status = 'requested'")),
        Index(None, "line_id", "id"),
        Index(None, "status", "id"),
    )

    id: int = key()
    line_id: int = ref("bank_line.id")
    entry: str
    #: Which left once more.
    payout_id: int | None = ref("payout.id", nullable=True)
    refund_id: int | None = ref("refund.id", nullable=True)
    advance_id: int | None = ref("advance.id", nullable=True)
    amount_fen: int = fen()
    reason: str
    #: Why it is this one although the line names another payee or number.
    despite: str | None = None
    status: str = Field(default="requested", sa_column_kwargs={"server_default": "requested"})
    requested_by: int = ref("app_user.id")
    requested_at: datetime = moment()
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    decision_reason: str | None = None
    #: What it became.
    match_id: int | None = ref("bank_match.id", nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class FailureReport(SQLModel, table=True):
    """One person says that a payout or refund which was paid, or listed for the bank, has failed, another confirms it, where no line of the bank shows either."""

    __tablename__ = "failure_report"
    __table_args__ = (
        CheckConstraint("status IN ('requested','approved','refused','withdrawn','superseded')", name="status"),
        CheckConstraint("num_nonnulls(attempt_id, refund_id) = 1", name="of_one"),
        # four eyes
        CheckConstraint("decided_by <> requested_by OR status = 'withdrawn'", name="two_persons"),
        # nobody decides what failed without it
        CheckConstraint(
            "num_nulls(decided_by, decided_at) = CASE status WHEN 'requested' THEN 2 WHEN 'superseded' THEN 1 ELSE 0 END",
            name="decided",
        ),
        Index("uq_failure_report_attempt_id", "attempt_id", unique=True, postgresql_where=text("status = 'requested'")),
        Index("uq_failure_report_refund_id", "refund_id", unique=True, postgresql_where=text("status = 'requested'")),
        Index(None, "status", "id"),
    )

    id: int = key()
    #: Which release of a payout; or the refund.
    attempt_id: int | None = ref("payout_attempt.id", nullable=True)
    refund_id: int | None = ref("refund.id", nullable=True)
    reason: str
    status: str = Field(default="requested", sa_column_kwargs={"server_default": "requested"})
    requested_by: int = ref("app_user.id")
    requested_at: datetime = moment()
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    decision_reason: str | None = None
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class BankLineNote(SQLModel, table=True):
    """What somebody found out about a line."""

    __tablename__ = "bank_line_note"
    __table_args__ = (Index(None, "line_id", "id"),)

    id: int = key()
    line_id: int = ref("bank_line.id")
    note: str
    written_by: int = ref("app_user.id")
    written_at: datetime = moment()


class BankColumns(SQLModel, table=True):
    """What somebody said about the columns of a header, used whenever the same header comes again."""

    __tablename__ = "bank_columns"

    #: SHA-256 of the header.
    fingerprint: str = Field(primary_key=True)
    #: ``{"date": [0], "text": [7, 8]}``; columns count from 0.
    columns: dict[str, Any] = _json(dict)
    saved_by: int = ref("app_user.id")
    saved_at: datetime = moment()


class PayerDeclaration(SQLModel, table=True):
    """Somebody else pays for a buyer: said with a reason by one person, approved by another."""

    __tablename__ = "payer_declaration"
    __table_args__ = (
        CheckConstraint("status IN ('declared','approved','refused','withdrawn')", name="status"),
        CheckConstraint(f"reason_code IN ({codes(PayerReason)})", name="reason_code"),
        # four eyes
        CheckConstraint("decided_by <> declared_by", name="two_persons"),
        CheckConstraint("status NOT IN ('approved','refused') OR decided_at IS NOT NULL", name="decided"),
        Index(None, "purchase_order_id"),
        Index(
            "uq_payer_declaration_open",
            "buyer_id",
            "payer",
            text("coalesce(purchase_order_id, 0)"),
            unique=True,
            postgresql_where=text("status IN ('declared','approved')"),
        ),
    )

    id: int = key()
    buyer_id: int = ref("organisation.id")
    #: The order that it is for; none: all orders of the buyer.
    purchase_order_id: int | None = ref("purchase_order.id", nullable=True)
    payer_name: str
    #: The name as names are compared (``orders.money.names.plain_name``).
    payer: str
    reason_code: str
    reason: str
    status: str = Field(default="declared", sa_column_kwargs={"server_default": "declared"})
    declared_by: int = ref("app_user.id")
    declared_at: datetime = moment()
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    decision_reason: str | None = None
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class RefundFile(SQLModel, table=True):
    """A file of released refunds that is uploaded to the online bank."""

    __tablename__ = "refund_file"
    __table_args__ = (
        CheckConstraint("status IN ('made','sent','void')", name="status"),
        CheckConstraint("refund_count > 0 AND total_fen > 0", name="content"),
        CheckConstraint("(status = 'void') = (void_reason IS NOT NULL)", name="void"),
        CheckConstraint("(status = 'sent') = (reference IS NOT NULL)", name="sent"),
        # four eyes; who made those void that are older than this rule the audit knows
        CheckConstraint("voided_by IS NULL OR (status = 'void' AND voided_by <> made_by)", name="two_persons"),
    )

    id: int = key()
    number: str = Field(unique=True)
    layout: str
    refund_count: int
    total_fen: int = fen()
    status: str = Field(default="made", sa_column_kwargs={"server_default": "made"})
    made_by: int = ref("app_user.id")
    made_at: datetime = moment()
    #: The bank's number of the upload.
    reference: str | None = None
    ended_at: datetime | None = moment(nullable=True)
    void_reason: str | None = None
    voided_by: int | None = ref("app_user.id", nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class RefundFileLine(SQLModel, table=True):
    """A refund in a file; in one file only, unless that one is void."""

    __tablename__ = "refund_file_line"
    __table_args__ = (
        Index("uq_refund_file_line_refund", "refund_id", unique=True, postgresql_where=text("NOT void")),
        UniqueConstraint("refund_file_id", "line_no"),
    )

    refund_file_id: int = ref("refund_file.id", primary_key=True)
    refund_id: int = ref("refund.id", primary_key=True)
    line_no: int
    void: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
