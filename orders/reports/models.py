"""Monthly reports of units and counties: what the ledger says, what they say, and why the two differ."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


class Report(SQLModel, table=True):
    """One form of one month, of an organisation or (``organisation_id`` null) of a county."""

    __tablename__ = "report"
    __table_args__ = (
        CheckConstraint("month = date_trunc('month', month::timestamp)::date", name="month"),
        CheckConstraint("status IN ('draft','submitted','returned','accepted')", name="status"),
        CheckConstraint("status <> 'returned' OR reason IS NOT NULL", name="reason"),
        CheckConstraint("status NOT IN ('returned','accepted') OR decided_at IS NOT NULL", name="decided"),
        CheckConstraint("decided_by <> submitted_by", name="two_persons"),
        Index(
            "uq_report_unit",
            "organisation_id",
            "month",
            "form_code",
            unique=True,
            postgresql_where=text("organisation_id IS NOT NULL"),
        ),
        Index(
            "uq_report_county", "region_code", "month", "form_code", unique=True, postgresql_where=text("organisation_id IS NULL")
        ),
        Index(None, "month", "region_code", "id"),
    )

    id: int = key()
    form_code: str
    form_version: int
    #: The month's first day.
    month: date
    organisation_id: int | None = ref("organisation.id", nullable=True)
    #: The county: that reviews it, or that reports.
    region_code: str = Field(foreign_key="region.code")
    status: str = Field(default="draft", sa_column_kwargs={"server_default": "draft"})
    note: str = ""
    #: When the ledger was asked last.
    filled_at: datetime = moment()
    created_by: int = ref("app_user.id")
    created_at: datetime = moment()
    submitted_by: int | None = ref("app_user.id", nullable=True)
    submitted_at: datetime | None = moment(nullable=True)
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    reason: str | None = Field(default=None, sa_column_kwargs={"comment": "why it was returned"})
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class ReportValue(SQLModel, table=True):
    """One line of a report, in fen, grams or as a number."""

    __tablename__ = "report_value"
    __table_args__ = (CheckConstraint("explanation <> ''", name="explanation"),)

    report_id: int = ref("report.id", primary_key=True)
    field: str = Field(primary_key=True)
    #: What the ledger says; null where it knows nothing of it.
    ledger: int | None = Field(default=None, sa_type=BigInteger)
    #: What the unit says; null: nothing yet.
    own: int | None = Field(default=None, sa_type=BigInteger)
    explanation: str | None = None


class ReportStep(SQLModel, table=True):
    """What was submitted, accepted or returned, with the values as they were then. Append-only."""

    __tablename__ = "report_step"
    __table_args__ = (
        CheckConstraint("move IN ('submit','accept','return')", name="move"),
        CheckConstraint("(move = 'return') = (reason IS NOT NULL)", name="reason"),
        Index(None, "report_id", "id"),
    )

    id: int = key()
    report_id: int = ref("report.id")
    move: str
    at: datetime = moment()
    by: int = ref("app_user.id")
    reason: str | None = None
    #: Field -> [ledger, own, explanation].
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
