"""The money ledger: double entry, append-only, in fen."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from orders.money.rules import OF_PARTY, Account, Kind
from shop.core.db import fen, key, moment, ref


def _list(codes: object) -> str:
    return ",".join(f"'{code}'" for code in codes)  # type: ignore[attr-defined]


class MoneyTransaction(SQLModel, table=True):
    """One event that moved money or changed what is owed. Its postings sum to zero: the database checks that with every statement that writes
    some, and once more at the commit, where a transaction without postings is refused too.

    Triggers refuse UPDATE, DELETE and TRUNCATE, and postings that come later; what was wrong is put right by another transaction.
    """

    __tablename__ = "money_transaction"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_list(Kind)})", name="kind"),
        # what caused it causes it once
        Index(
            "uq_money_transaction_origin",
            "kind",
            "origin_id",
            "turn",
            unique=True,
            postgresql_where=text("kind <> 'reassignment'"),  # an order may go to another buyer more than once
        ),
        Index(None, "booked_on", "id"),
    )

    id: int = key()
    kind: str
    #: The id of what caused it: a payment, a refund, a settlement; of sales, the first entry of the sales ledger.
    origin_id: int = Field(sa_type=BigInteger)
    #: How often the same was taken back before: what failed, and left after all as the bank shows, may still come back.
    turn: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    #: Shanghai date from which the accounts hold it: the day of ``recorded_at``; of what a line of the bank shows, the bank's.
    booked_on: date
    recorded_at: datetime = moment()
    #: The database's own number of the transaction that wrote it.
    written_in: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": text("pg_current_xact_id()::text::bigint")})


class MoneyPosting(SQLModel, table=True):
    """One side of a transaction; above zero is a debit, below zero a credit."""

    __tablename__ = "money_posting"
    __table_args__ = (
        CheckConstraint(f"account IN ({_list(Account)})", name="account"),
        CheckConstraint("amount_fen <> 0", name="amount_fen"),
        CheckConstraint(f"account NOT IN ({_list(sorted(OF_PARTY))}) OR party_id IS NOT NULL", name="party_id"),
        Index(None, "transaction_id"),
        Index(None, "party_id", "account", "id", postgresql_include=["amount_fen"]),
        Index(None, "purchase_order_id", "account", postgresql_include=["transaction_id", "amount_fen"]),
        Index(None, "supplier_order_id", "account", postgresql_include=["transaction_id", "amount_fen"]),
        Index(
            None,
            "account",
            "id",
            postgresql_include=["amount_fen"],
            postgresql_where=text("account NOT IN ('receivable','payable')"),
        ),
        # what a line of the bank may be for is looked up by its amount
        Index(
            "ix_money_posting_bank", "amount_fen", postgresql_include=["transaction_id"], postgresql_where=text("account = 'bank'")
        ),
        # every sale is owed once and due once
        Index("uq_money_posting_sale", "sale_entry_id", "account", unique=True, postgresql_where=text("sale_entry_id IS NOT NULL")),
    )

    id: int = key()
    transaction_id: int = ref("money_transaction.id")
    account: str
    amount_fen: int = fen()
    party_id: int | None = ref("organisation.id", nullable=True)
    purchase_order_id: int | None = ref("purchase_order.id", nullable=True)
    supplier_order_id: int | None = ref("supplier_order.id", nullable=True)
    sale_entry_id: int | None = ref("sale_entry.id", nullable=True)
