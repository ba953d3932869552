"""What was paid for orders, by whatever way, and what was paid too much and counts for another order."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, ref


class Payment(SQLModel, table=True):
    """Money for one purchase order; one transfer for several orders is one payment for each. What was booked wrongly is undone, not deleted."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("method IN ('bank_transfer','card','alipay','wechat_pay')", name="method"),
        CheckConstraint("source IN ('announced','unallocated','online')", name="source"),
        CheckConstraint("(method = 'bank_transfer') = (source <> 'online')", name="source_of_method"),
        CheckConstraint("(undone_at IS NULL) = (undo_reason IS NULL)", name="undone"),
        CheckConstraint("shown_at IS NULL OR (source = 'announced' AND undone_at IS NULL)", name="shown"),
        Index(
            "uq_payment_bank_reference",
            "bank_reference",
            unique=True,
            postgresql_where=text("source = 'announced' AND undone_at IS NULL"),
        ),
        Index(None, "purchase_order_id"),
        Index(
            "ix_payment_announced_open",
            "purchase_order_id",
            postgresql_where=text("source = 'announced' AND undone_at IS NULL AND shown_at IS NULL"),
        ),
    )

    id: int = key()
    purchase_order_id: int = ref("purchase_order.id")
    method: str = "bank_transfer"
    #: The account of the money ledger that it came out of: a transfer that the buyer says it made, one that the bank's statement shows, or an
    #: online payment.
    source: str = Field(default="announced", sa_column_kwargs={"server_default": "announced"})
    amount_fen: int = fen()
    #: The bank's reference of the transfer, or the provider's of an online payment. A buyer cannot announce the same one twice.
    bank_reference: str
    payer_name: str
    paid_on: date
    #: None: the marketplace itself.
    recorded_by: int | None = ref("app_user.id", nullable=True)
    recorded_at: datetime = moment()
    #: When the bank's statement showed what the buyer had announced; from then on it is not taken back.
    shown_at: datetime | None = moment(nullable=True)
    undone_at: datetime | None = moment(nullable=True)
    undone_by: int | None = ref("app_user.id", nullable=True)
    undo_reason: str | None = None


class CreditMove(SQLModel, table=True):
    """What was paid too much for one order and counts for another of the same buyer."""

    __tablename__ = "credit_move"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("from_order_id <> to_order_id", name="orders"),
        Index(None, "from_order_id"),
        Index(None, "to_order_id"),
    )

    id: int = key()
    from_order_id: int = ref("purchase_order.id")
    to_order_id: int = ref("purchase_order.id")
    amount_fen: int = fen()
    reason: str
    moved_by: int = ref("app_user.id")
    moved_at: datetime = moment()
