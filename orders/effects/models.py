"""What buyers chose for orders that were open when a certificate was stopped."""

from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import SQLModel

from shop.core.db import key, moment, ref


class OrderDisposition(SQLModel, table=True):
    """The latest choice for the lines of one certificate in one supplier order. It counts for the measure that stood at that moment; after a
    later one the buyer chooses again."""

    __tablename__ = "order_disposition"
    __table_args__ = (
        CheckConstraint("choice IN ('deliver','cancel')", name="choice"),
        UniqueConstraint("supplier_order_id", "certificate_id"),
    )

    id: int = key()
    supplier_order_id: int = ref("supplier_order.id")
    certificate_id: int = ref("certificate.id")
    choice: str
    reason: str
    by: int | None = ref("app_user.id", nullable=True)
    at: datetime = moment()
