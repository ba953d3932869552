"""Disputes between the two sides of a supplier order."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, ref


class Dispute(SQLModel, table=True):
    """What one side claims, what the other says to it, what a county proposed, and what the city decided."""

    __tablename__ = "dispute"
    __table_args__ = (
        CheckConstraint("kind IN ('quality','quantity','weight','delay','return','payment','service','other')", name="kind"),
        CheckConstraint("status IN ('open','answered','mediating','settled','decided','withdrawn')", name="status"),
        CheckConstraint("opened_side IN ('buyer','supplier')", name="opened_side"),
        CheckConstraint("claimed_fen >= 0 AND proposed_fen >= 0 AND refund_fen >= 0", name="amounts"),
        CheckConstraint("outcome IN ('full','partial','none')", name="outcome"),
        CheckConstraint("(status = 'decided') = (decided_at IS NOT NULL AND outcome IS NOT NULL AND decision IS NOT NULL)", name="decided"),
        # the same thing is disputed once at a time
        Index("uq_dispute_open", "supplier_order_id", "kind", "shipment_id", "goods_return_id", unique=True,
              postgresql_nulls_not_distinct=True, postgresql_where=text("status IN ('open','answered','mediating')")),
        Index(None, "supplier_order_id", "id"),
        Index(None, "status", "id"),
    )  # fmt: skip

    id: int = key()
    #: ZY2026-000001, without gaps.
    number: str = Field(unique=True)
    supplier_order_id: int = ref("supplier_order.id")
    shipment_id: int | None = ref("shipment.id", nullable=True)
    goods_return_id: int | None = ref("goods_return.id", nullable=True)
    kind: str
    opened_side: str
    opened_by: int = ref("app_user.id")
    opened_at: datetime = moment()
    claim: str
    claimed_fen: int = fen(default=0)
    status: str = Field(default="open", sa_column_kwargs={"server_default": "open"})
    #: The last working day for the other side's answer, and for the decision after it.
    answer_due_on: date
    decision_due_on: date
    answer: str | None = None
    answered_by: int | None = ref("app_user.id", nullable=True)
    answered_at: datetime | None = moment(nullable=True)
    #: A county's proposal; settled when both sides agree to it.
    mediator_id: int | None = ref("app_user.id", nullable=True)
    proposal: str | None = None
    proposed_fen: int = fen(default=0)
    buyer_agreed_at: datetime | None = moment(nullable=True)
    supplier_agreed_at: datetime | None = moment(nullable=True)
    outcome: str | None = None
    decision: str | None = None
    #: What the supplier owes the buyer by the decision or the settlement, besides what the ledger takes back.
    refund_fen: int = fen(default=0)
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class DisputeFile(SQLModel, table=True):
    """Evidence of either side."""

    __tablename__ = "dispute_file"

    dispute_id: int = ref("dispute.id", primary_key=True)
    file_id: int = ref("stored_file.id", primary_key=True)
