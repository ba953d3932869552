"""Dated programme configuration."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Column, Computed, Text, func, literal_column
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlmodel import Field, SQLModel


class Programme(SQLModel, table=True):
    """One programme; exactly one is in force on any date (an exclusion constraint refuses overlap)."""

    __tablename__ = "programme"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_from < valid_to", name="period"),
        ExcludeConstraint(
            (func.daterange(literal_column("valid_from"), literal_column("valid_to")), "&&"), name="ex_programme_period"
        ),
    )

    code: str = Field(primary_key=True)
    name_zh: str
    name_en: str
    valid_from: date
    valid_to: date | None = None
    config: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    #: Changes with ``config``, so that a process can keep the parsed form and still notice a change.
    fingerprint: str | None = Field(default=None, sa_column=Column(Text, Computed("md5((config)::text)", persisted=True)))
