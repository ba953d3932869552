"""When an order needs approval and by whom, and who stands in for whom."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, ref


class ApprovalRule(SQLModel, table=True):
    """For a unit and those below it: an order of at least so much, of these funds and categories (none named: all), takes these steps."""

    __tablename__ = "approval_rule"
    __table_args__ = (
        CheckConstraint("min_fen >= 0", name="min_fen"),
        CheckConstraint("jsonb_array_length(steps) BETWEEN 1 AND 10", name="steps"),
        Index(None, "organisation_id"),
    )

    id: int = key()
    organisation_id: int = ref("organisation.id")
    name: str
    min_fen: int = fen()
    #: The amount is that of everything the unit ordered in the Shanghai year, this order included.
    cumulative: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    fund_sources: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    categories: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    #: In order: ``{"name", "role"}`` or ``{"name", "user_ids"}``.
    steps: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    #: Among the rules of one unit, the lower one's steps come first.
    position: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    active: bool = Field(default=True, sa_column_kwargs={"server_default": "true"})
    #: The unit whose people set it up: nobody below it switches it.
    set_by_id: int = ref("organisation.id")
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class ApprovalDeputy(SQLModel, table=True):
    """Somebody who may approve in another's place from the first to the last day."""

    __tablename__ = "approval_deputy"
    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="days"),
        CheckConstraint("user_id <> deputy_id", name="other"),
        Index(None, "user_id", "last_day"),
        Index(None, "deputy_id", "last_day"),
    )

    id: int = key()
    user_id: int = ref("app_user.id")
    deputy_id: int = ref("app_user.id")
    first_day: date
    last_day: date
    reason: str | None = None
    revoked_at: datetime | None = moment(nullable=True)
