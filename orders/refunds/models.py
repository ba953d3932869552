"""Refunds: what was paid too much for an order goes back to the buyer, released by two persons."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, ref


class Refund(SQLModel, table=True):
    """Money that goes back for one order, by a bank transfer or by the way of the online payment that it was paid by."""

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("method IN ('bank_transfer','online')", name="method"),
        CheckConstraint("status IN ('requested','approved','sent','paid','refused','cancelled','failed')", name="status"),
        CheckConstraint("(method = 'online') = (payment_id IS NOT NULL)", name="payment"),
        CheckConstraint("(method = 'bank_transfer') = (payee_name IS NOT NULL AND payee_account IS NOT NULL)", name="payee"),
        # four eyes
        CheckConstraint("approved_by <> requested_by", name="two_persons"),
        CheckConstraint("status NOT IN ('approved','sent','paid','failed') OR approved_at IS NOT NULL", name="approved"),
        Index(None, "purchase_order_id"),
        Index(None, "payment_id", postgresql_where=text("payment_id IS NOT NULL")),
        Index(None, "status", "id"),
        Index(None, "amount_fen", postgresql_where=text("method = 'bank_transfer'")),
    )

    id: int = key()
    number: str = Field(unique=True)
    purchase_order_id: int = ref("purchase_order.id")
    #: Whom the money belongs to: the buyer of the order when it was approved.
    buyer_id: int = ref("organisation.id")
    method: str
    #: The online payment that it is taken from.
    payment_id: int | None = ref("payment.id", nullable=True)
    payee_name: str | None = None
    payee_account: str | None = None
    payee_bank: str | None = None
    amount_fen: int = fen()
    reason: str
    status: str = Field(default="requested", sa_column_kwargs={"server_default": "requested"})
    #: None: the provider shows it, and the request was lost when the database was restored; or the bank paid another one once more.
    requested_by: int | None = ref("app_user.id", nullable=True)
    requested_at: datetime = moment()
    approved_by: int | None = ref("app_user.id", nullable=True)
    approved_at: datetime | None = moment(nullable=True)
    #: The bank's or the provider's reference.
    reference: str | None = None
    sent_at: datetime | None = moment(nullable=True)
    ended_at: datetime | None = moment(nullable=True)
    end_reason: str | None = None
    #: The latest line that looked like a refund of the order which had been said to have failed, when this one was released despite of it.
    passed_line_id: int | None = ref("bank_line.id", nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
