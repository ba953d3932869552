"""What the last reconciliations found."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


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
    #: Every check that was made, with how many differences it found and the first of them; none of runs from before these were kept.
    findings: list[dict[str, Any]] = Field(default=[], sa_column=Column(JSONB, nullable=False, server_default="[]"))


class ReconciliationRequest(SQLModel, table=True):
    """A run that somebody asked for, and how far it is; one is open at a time."""

    __tablename__ = "reconciliation_request"
    __table_args__ = (
        CheckConstraint("status IN ('waiting','running','done','failed')", name="status"),
        CheckConstraint("(status = 'done') = (reconciliation_id IS NOT NULL)", name="done"),
        CheckConstraint("checks_done >= 0", name="checks_done"),
        CheckConstraint("(status IN ('done','failed')) = (finished_at IS NOT NULL)", name="finished"),
        Index(
            "uq_reconciliation_request_open",
            "finished_at",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("finished_at IS NULL"),
        ),
    )

    id: int = key()
    requested_by: int = ref("app_user.id")
    requested_at: datetime = moment()
    status: str = Field(default="waiting", sa_column_kwargs={"server_default": "waiting"})
    started_at: datetime | None = moment(nullable=True)
    finished_at: datetime | None = moment(nullable=True)
    #: How often it was begun: whose worker is killed is begun again.
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    #: Of all checks, how many have come to an end.
    checks_done: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    #: What it found; forgotten with it.
    reconciliation_id: int | None = Field(default=None, foreign_key="reconciliation.id", sa_type=BigInteger, ondelete="CASCADE")
