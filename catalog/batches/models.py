"""The batches in which certificates are published."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


class CatalogueBatch(SQLModel, table=True):
    """A batch of the national or the city catalogue: cases are gathered while it is a draft, certificates issued when it is published."""

    __tablename__ = "catalogue_batch"
    __table_args__ = (
        CheckConstraint("level IN ('national','city')", name="level"),
        CheckConstraint("status IN ('draft','published','withdrawn')", name="status"),
        CheckConstraint("(status = 'draft') = (number IS NULL)", name="number"),
    )

    id: int = key()
    #: Given when published: ``2026-03``, the third of its year and level.
    number: str | None = Field(default=None, unique=True)
    level: str
    title: str
    status: str = "draft"
    created_by: int | None = ref("app_user.id", nullable=True)
    created_at: datetime = moment()
    published_at: datetime | None = moment(nullable=True)
    withdrawn_at: datetime | None = moment(nullable=True)
    reason: str | None = Field(default=None, sa_column_kwargs={"comment": "why it was withdrawn"})
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
