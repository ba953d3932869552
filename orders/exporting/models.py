"""Files that somebody asked for, made in the background, and what is to be made and delivered again and again."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref

_KINDS = "kind IN ('sales','entries','orders','dues','payments','certified','ties')"
_FORMATS = "format IN ('csv','xlsx','json','parquet')"
_LANGUAGES = "language IN ('zh','en')"


class Export(SQLModel, table=True):
    """One file, or what came in its way."""

    __tablename__ = "export"
    __table_args__ = (
        CheckConstraint(_KINDS, name="kind"),
        CheckConstraint(_FORMATS, name="format"),
        CheckConstraint(_LANGUAGES, name="language"),
        CheckConstraint("status IN ('waiting','running','done','failed','cancelled','expired')", name="status"),
        CheckConstraint("(status = 'failed') = (fault IS NOT NULL)", name="fault"),
        CheckConstraint("status <> 'done' OR num_nulls(storage_key, sha256, size, expires_at, rows_total) = 0", name="done"),
        CheckConstraint("rows_done >= 0 AND rows_total >= 0 AND size >= 0", name="counts"),
        Index(None, "user_id", "id"),
        Index("ix_export_expiring", "expires_at", postgresql_where=text("storage_key IS NOT NULL")),
        Index("ix_export_open", "user_id", postgresql_where=text("status IN ('waiting','running')")),
    )

    id: int = key()
    user_id: int = ref("app_user.id")
    #: To what a key that asked for it is narrowed; null: somebody who signed in.
    scopes: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))
    kind: str
    parameters: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    format: str
    language: str
    status: str = Field(default="waiting", sa_column_kwargs={"server_default": "waiting"})
    fault: str | None = Field(default=None, sa_column_kwargs={"comment": "code of why it failed"})
    #: Known once it is counted.
    rows_total: int | None = Field(default=None, sa_type=BigInteger)
    rows_done: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    #: The permissions that it took, and the grants and branch by which its rows were chosen: who has less by now may not have the file.
    rights: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    storage_key: str | None = None
    name: str | None = None
    size: int | None = Field(default=None, sa_type=BigInteger)
    sha256: str | None = None
    requested_at: datetime = moment()
    started_at: datetime | None = moment(nullable=True)
    finished_at: datetime | None = moment(nullable=True)
    #: The moment of which its rows are.
    snapshot_at: datetime | None = moment(nullable=True)
    expires_at: datetime | None = moment(nullable=True)


class ExportSchedule(SQLModel, table=True):
    """A question that is answered anew every day, week or month, and where the answer goes."""

    __tablename__ = "export_schedule"
    __table_args__ = (
        CheckConstraint(_KINDS, name="kind"),
        CheckConstraint(_FORMATS, name="format"),
        CheckConstraint(_LANGUAGES, name="language"),
        CheckConstraint("rhythm IN ('daily','weekly','monthly')", name="rhythm"),
        CheckConstraint("hour BETWEEN 0 AND 23", name="hour"),
        CheckConstraint("(rhythm = 'weekly') = (weekday IS NOT NULL) AND weekday BETWEEN 1 AND 7", name="weekday"),
        CheckConstraint("(rhythm = 'monthly') = (month_day IS NOT NULL) AND month_day BETWEEN 1 AND 28", name="month_day"),
        CheckConstraint("way IN ('email','webhook')", name="way"),
        CheckConstraint("way <> 'webhook' OR organisation_id IS NOT NULL", name="webhook"),
        CheckConstraint("status IN ('active','paused','deleted')", name="status"),
        Index(None, "user_id", "id"),
        Index("ix_export_schedule_due", "next_at", postgresql_where=text("status = 'active'")),
    )

    id: int = key()
    user_id: int = ref("app_user.id")
    #: Whose webhooks are told.
    organisation_id: int | None = ref("organisation.id", nullable=True)
    title: str
    kind: str
    parameters: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    format: str
    language: str
    #: The period that each answer is about, seen from the day on which it is made.
    period: str
    rhythm: str
    #: Shanghai time; of a week the day from 1 (Monday), of a month its day up to the 28th, which every month has.
    hour: int
    weekday: int | None = None
    month_day: int | None = None
    way: str
    status: str = Field(default="active", sa_column_kwargs={"server_default": "active"})
    next_at: datetime = moment()
    created_at: datetime = moment()
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class ExportDelivery(SQLModel, table=True):
    """One answer of a schedule. A moment that was due is answered once."""

    __tablename__ = "export_delivery"
    __table_args__ = (
        UniqueConstraint("schedule_id", "due_at"),
        UniqueConstraint("export_id"),
    )

    id: int = key()
    schedule_id: int = ref("export_schedule.id")
    due_at: datetime = moment()
    export_id: int = ref("export.id")
    #: When it was handed to the mail or to the webhooks; null still: see why.
    delivered_at: datetime | None = moment(nullable=True)
    #: Code of why it was made and reached nobody.
    fault: str | None = None
