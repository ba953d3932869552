"""What an organisation, or the officers of a region, are told."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


class Notification(SQLModel, table=True):
    """One message to an organisation or to a region's officers. ``origin`` makes telling it twice impossible."""

    __tablename__ = "notification"
    __table_args__ = (
        CheckConstraint("(organisation_id IS NULL) <> (region_code IS NULL)", name="addressee"),
        UniqueConstraint("origin"),
        Index(None, "organisation_id", "id"),
        Index(None, "region_code", "id"),
    )

    id: int = key()
    origin: str
    organisation_id: int | None = ref("organisation.id", nullable=True)
    region_code: str | None = Field(default=None, foreign_key="region.code")
    kind: str
    subject_type: str
    subject_id: int
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    at: datetime = moment()
    read_at: datetime | None = moment(nullable=True)
