"""By when an order is paid, what is due of it, and how much a buyer may owe."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, ref

#: SQL: by what dues are sorted: what has no date stands behind all that has one.
SORTED_ON = "coalesce(due_on, '9999-12-31'::date)"


class PaymentPlan(SQLModel, table=True):
    """The payment terms of one order, with every number as it was when the order was placed. Its row is the lock of the order's dues."""

    __tablename__ = "payment_plan"
    __table_args__ = (
        CheckConstraint("kind IN ('prepayment','net','instalments','deposit')", name="kind"),
        CheckConstraint("terms ->> 'kind' = kind", name="terms"),
        # once, and only what is paid ahead is put off
        CheckConstraint("(extended_days = 0) = (extended_at IS NULL)", name="extended"),
        CheckConstraint("extended_days = 0 OR kind = 'prepayment'", name="extended_kind"),
        Index(None, "purchase_order_id", postgresql_where=text("counted_at IS NULL")),
    )

    purchase_order_id: int = ref("purchase_order.id", primary_key=True)
    kind: str
    terms: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    extended_days: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    extended_at: datetime | None = moment(nullable=True)
    extended_by: int | None = ref("app_user.id", nullable=True)
    extension_reason: str | None = None
    #: When its dues were counted first. Null: never, for it was placed before there were dues.
    counted_at: datetime | None = moment(nullable=True)


class PaymentDue(SQLModel, table=True):
    """An amount of one part of an order with its date. Counted anew from :mod:`orders.terms.rules` by whatever changes what the order costs, what was
    accepted or what was paid, in its transaction; all of an order sum to what it costs."""

    __tablename__ = "payment_due"
    __table_args__ = (
        CheckConstraint("counted_from IN ('order','confirmation','acceptance')", name="counted_from"),
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("paid_fen BETWEEN 0 AND amount_fen", name="paid_fen"),
        CheckConstraint("arrived_fen BETWEEN 0 AND paid_fen", name="arrived_fen"),
        UniqueConstraint("purchase_order_id", "position"),
        Index(None, "supplier_order_id"),
        Index(None, "due_on", "id", postgresql_where=text("arrived_fen < amount_fen")),
        # lists are by date, what has none last; those of what is not paid need not pass all that was
        Index("ix_payment_due_sorted", text(SORTED_ON), "id"),
        Index("ix_payment_due_sorted_open", text(SORTED_ON), "id", postgresql_where=text("arrived_fen < amount_fen")),
    )

    id: int = key()
    # Who pays holds the order, who accepts holds its part, and both write dues: to check a foreign key to either they would wait for one
    # another in a ring. The plan is locked by both.
    purchase_order_id: int = ref("payment_plan.purchase_order_id")
    supplier_order_id: int = Field(sa_type=BigInteger)
    #: Oldest first; what was paid covers them in this order.
    position: int
    counted_from: str
    #: Shanghai date, the last day on which it is paid in time. Null: not before something that has not happened yet.
    due_on: date | None = None
    amount_fen: int = fen()
    paid_fen: int = fen(default=0)
    #: Of what is paid, so much is there; the rest is only announced, or argued over with the buyer's bank.
    arrived_fen: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})


class CreditLimit(SQLModel, table=True):
    """How much a buyer may owe for orders that are not paid ahead. The database refuses to pass it, whoever comes at once."""

    __tablename__ = "credit_limit"
    __table_args__ = (
        CheckConstraint("limit_fen >= 0 AND used_fen >= 0 AND over_fen >= 0", name="amounts"),
        CheckConstraint("used_fen <= limit_fen", name="limit"),
        CheckConstraint("over_fen = 0 OR used_fen = limit_fen", name="over"),
    )

    id: int = key()
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInteger, unique=True)
    #: Null: no limit of its own. What its orders draw is counted on.
    limit_fen: int | None = fen(nullable=True)
    #: What its orders draw, up to the limit.
    used_fen: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    #: What they draw above it: a payment that was taken back, or that came back, is a fact that no limit refuses. Nothing is ordered meanwhile.
    over_fen: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    reason: str
    set_by: int = ref("app_user.id")
    set_at: datetime = moment()
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class CreditDraw(SQLModel, table=True):
    """What one order draws of its buyer's credit: what it costs by now and has not arrived."""

    __tablename__ = "credit_draw"
    __table_args__ = (CheckConstraint("amount_fen >= 0", name="amount_fen"), Index(None, "credit_limit_id", "id"))

    id: int = key()
    credit_limit_id: int = ref("credit_limit.id")
    purchase_order_id: int = Field(foreign_key="purchase_order.id", sa_type=BigInteger, unique=True)
    amount_fen: int = fen()
