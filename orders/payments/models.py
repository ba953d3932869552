"""Payments that finance recorded."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import SQLModel

from shop.core.db import fen, key, moment, ref


class Payment(SQLModel, table=True):
    """Money received for a purchase order by bank transfer."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("method IN ('bank_transfer')", name="method"),
        UniqueConstraint("bank_reference"),
        Index(None, "purchase_order_id"),
    )

    id: int = key()
    purchase_order_id: int = ref("purchase_order.id")
    method: str = "bank_transfer"
    amount_fen: int = fen()
    #: The bank's reference of the transfer; the same one twice is refused.
    bank_reference: str
    payer_name: str
    paid_on: date
    recorded_by: int = ref("app_user.id")
    recorded_at: datetime = moment()
