"""Orders that somebody has to approve before they are placed."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, quantity, ref


class PurchaseRequest(SQLModel, table=True):
    """What is to be ordered, for which unit, and how far its approval is. The fields of the order are those of ``purchase_order``."""

    __tablename__ = "purchase_request"
    __table_args__ = (
        CheckConstraint("status IN ('waiting','returned','approved','ordered','rejected','withdrawn')", name="status"),
        CheckConstraint("fund_source IN ('canteen','union','welfare','other')", name="fund_source"),
        CheckConstraint("platform IN ('marketplace','social_network')", name="platform"),
        CheckConstraint("total_fen >= 0", name="total_fen"),
        Index(None, "buyer_id", "id"),
        Index(None, "ordering_unit_id", "id"),
        Index("ix_purchase_request_waiting", "id", postgresql_where=text("status = 'waiting'")),
    )

    id: int = key()
    #: 'PR' + Shanghai date + id.
    number: str = Field(unique=True)
    buyer_id: int = ref("organisation.id")
    ordering_unit_id: int = ref("organisation.id")
    requested_by: int = ref("app_user.id", index=True)
    requested_at: datetime = moment()
    status: str = Field(default="waiting", sa_column_kwargs={"server_default": "waiting"})
    #: Why it is wanted.
    reason: str | None = None
    fund_source: str
    platform: str = "marketplace"
    declared_relation_id: int | None = ref("support_relation.id", nullable=True)
    buyer_reference: str | None = None
    cost_centre: str | None = None
    deliver_by: date | None = None
    delivery_address: str
    delivery_contact: str | None = None
    delivery_phone: str | None = None
    #: As they would be agreed on: what an approval is given in view of.
    payment_terms: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    source_kind: str = "direct"
    source_id: int | None = Field(default=None, sa_type=BigInteger)
    line_count: int
    #: What it costs at the prices of when it was handed in: an approval covers no more than that.
    total_fen: int = fen()
    #: Counts how often it was handed in.
    round: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    decided_at: datetime | None = moment(nullable=True)
    #: Why the order could not be placed after the last approval.
    faults: list[dict[str, Any]] | None = Field(default=None, sa_column=Column(JSONB, nullable=True))
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class PurchaseRequestLine(SQLModel, table=True):
    """One line at the price of when it was handed in; ``agreed``: both sides agreed on the price, it is not that of the list."""

    __tablename__ = "purchase_request_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("amount_fen = round(quantity * unit_price_fen)", name="amount_fen"),
        UniqueConstraint("purchase_request_id", "line_no"),
        Index(None, "agreement_line_id", postgresql_where=text("agreement_line_id IS NOT NULL")),
    )

    id: int = key()
    purchase_request_id: int = ref("purchase_request.id")
    line_no: int
    sku_id: int = ref("sku.id")
    quantity: Decimal = quantity()
    unit_price_fen: int = fen()
    amount_fen: int = fen()
    agreed: bool = False
    agreement_line_id: int | None = ref("agreement_line.id", nullable=True)


class PurchaseRequestStep(SQLModel, table=True):
    """One approval of a request, as the rules said when it was handed in (``round``)."""

    __tablename__ = "purchase_request_step"
    __table_args__ = (
        CheckConstraint("status IN ('waiting','approved','rejected','returned')", name="status"),
        CheckConstraint("(status = 'waiting') = (decided_at IS NULL)", name="decided"),
        UniqueConstraint("purchase_request_id", "round", "position"),
        # nobody takes two steps of one request
        UniqueConstraint("purchase_request_id", "round", "decided_by"),
    )

    id: int = key()
    purchase_request_id: int = ref("purchase_request.id")
    round: int
    position: int
    name: str
    organisation_id: int = ref("organisation.id")
    role: str | None = None
    user_ids: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    status: str = "waiting"
    decided_by: int | None = ref("app_user.id", nullable=True)
    #: In whose place, when that is somebody else.
    decided_for: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    reason: str | None = None


class PurchaseFile(SQLModel, table=True):
    """A paper of a request or an order: a meeting's minutes, a list of who gets what. For the buyer's side alone."""

    __tablename__ = "purchase_file"
    __table_args__ = (
        CheckConstraint("(purchase_request_id IS NULL) <> (purchase_order_id IS NULL)", name="subject"),
        Index(None, "purchase_request_id"),
        Index(None, "purchase_order_id"),
    )

    id: int = key()
    purchase_request_id: int | None = ref("purchase_request.id", nullable=True)
    purchase_order_id: int | None = ref("purchase_order.id", nullable=True)
    file_id: int = ref("stored_file.id")
    title: str | None = Field(default=None, sa_type=Text)
    uploaded_by: int = ref("app_user.id")
    uploaded_at: datetime = moment()
