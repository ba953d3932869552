"""What the last reconciliations found."""

from datetime import datetime

from sqlalchemy import Column, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment


class Reconciliation(SQLModel, table=True):
    """One run of all checks: by the hourly job, or because somebody asked for it."""

    __tablename__ = "reconciliation"
    __table_args__ = (Index(None, "ran_at"),)

    id: int = key()
    ran_at: datetime = moment()
    #: How long it took.
    seconds: float
    differences: int
    #: Differences by check, of those that found some.
    checks: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))
