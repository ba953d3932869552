"""Applications to move an order to another budget unit after goods were sent."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


class BudgetUnitApplication(SQLModel, table=True):
    """Once goods are on their way, an order changes its budget unit only by a recorded application that an officer decides on."""

    __tablename__ = "budget_unit_application"
    __table_args__ = (
        CheckConstraint("status IN ('filed','approved','refused','withdrawn')", name="status"),
        CheckConstraint("from_unit_id <> to_unit_id", name="units"),
        CheckConstraint("(status IN ('approved','refused')) = (decided_at IS NOT NULL)", name="decided"),
        Index("uq_budget_unit_application_open", "purchase_order_id", unique=True, postgresql_where=text("status = 'filed'")),
        Index(None, "purchase_order_id", "id"),
    )

    id: int = key()
    purchase_order_id: int = ref("purchase_order.id")
    from_unit_id: int = ref("organisation.id")
    to_unit_id: int = ref("organisation.id")
    reason: str
    status: str = Field(default="filed", sa_column_kwargs={"server_default": "filed"})
    filed_by: int = ref("app_user.id")
    filed_at: datetime = moment()
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    decision_reason: str | None = None
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
