"""Tables of the shared ground."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


class AuditEvent(SQLModel, table=True):
    """One recorded act. Append-only: a trigger refuses UPDATE, DELETE and TRUNCATE."""

    __tablename__ = "audit_event"
    __table_args__ = (Index(None, "subject_type", "subject_id"),)

    id: int = key()
    at: datetime = moment()
    actor_id: int | None = Field(default=None, sa_column_kwargs={"comment": "user id; null: the system itself"})
    actor_role: str
    action: str
    subject_type: str
    subject_id: int
    reason: str | None = None
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))


class AuditSeal(SQLModel, table=True):
    """The hash chain over the audit events, in the order in which they were sealed."""

    __tablename__ = "audit_seal"

    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    event_id: int = ref("audit_event.id")
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sealed_at: datetime = moment()

    __table_args__ = (Index("uq_audit_seal_event_id", "event_id", unique=True),)


class IdempotencyKey(SQLModel, table=True):
    """The answer to a request that a caller may send again. Written in the transaction of the request itself."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index(None, "created_at"),)

    principal: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    operation: str
    request_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    status: int
    headers: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = moment()


class OutboxEvent(SQLModel, table=True):
    """A thing that happened and that others must hear of; the record of the work, Celery only carries the wake-up."""

    __tablename__ = "outbox_event"
    __table_args__ = (
        Index(
            "ix_outbox_event_due",
            "next_attempt_at",
            postgresql_where=text("done_at IS NULL AND parked_at IS NULL"),
        ),
    )

    id: int = key()
    name: str
    payload: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = moment()
    next_attempt_at: datetime = moment()
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    done_at: datetime | None = moment(nullable=True)
    parked_at: datetime | None = moment(nullable=True)
    last_error: str | None = None


class NumberSeries(SQLModel, table=True):
    """The last number given out of each gapless series."""

    __tablename__ = "number_series"

    series: str = Field(primary_key=True)
    last: int


class Workday(SQLModel, table=True):
    """Whether a date is a working day, where the State Council has published it, or the law gives the day off."""

    __tablename__ = "workday"

    day: date = Field(primary_key=True)
    working: bool
    source: str


class ClockShift(SQLModel, table=True):
    """How far the demo moved the clock; at most one row."""

    __tablename__ = "clock_shift"
    __table_args__ = (CheckConstraint("one", name="one"),)

    one: bool = Field(default=True, primary_key=True)
    seconds: int


class WorkerHeartbeat(SQLModel, table=True):
    """The last sign of life of each background process."""

    __tablename__ = "worker_heartbeat"

    name: str = Field(primary_key=True)
    beat_at: datetime = moment()


class StoredFile(SQLModel, table=True):
    """An uploaded file. Its bytes lie in the file store under ``storage_key``."""

    __tablename__ = "stored_file"

    id: int = key()
    storage_key: str
    name: str
    content_type: str
    size: int
    sha256: str
    uploaded_by: int
    uploaded_at: datetime = moment()
