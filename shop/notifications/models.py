"""What an organisation, or the officers of a region, are told; who of them read it, and what goes to whom by mail."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


class Notification(SQLModel, table=True):
    """One message to an organisation, to a region's officers or to one person. ``origin`` makes telling it twice impossible."""

    __tablename__ = "notification"
    __table_args__ = (
        CheckConstraint("num_nonnulls(organisation_id, region_code, user_id) = 1", name="addressee"),
        UniqueConstraint("origin"),
        Index(None, "organisation_id", "id"),
        Index(None, "region_code", "id"),
        Index(None, "user_id", "id", postgresql_where=text("user_id IS NOT NULL")),
    )

    id: int = key()
    origin: str
    organisation_id: int | None = ref("organisation.id", nullable=True)
    region_code: str | None = Field(default=None, foreign_key="region.code")
    #: Somebody by whom alone it can be done, such as the second of two persons.
    user_id: int | None = ref("app_user.id", nullable=True)
    kind: str
    subject_type: str
    subject_id: int
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    #: A file that goes along with the mails: {"storage_key", "name", "content_type"}.
    attachment: dict[str, str] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    at: datetime = moment()


class NotificationReading(SQLModel, table=True):
    """One person read one notification; it stays unread for the others."""

    __tablename__ = "notification_reading"

    user_id: int = ref("app_user.id", primary_key=True)
    notification_id: int = ref("notification.id", primary_key=True)
    read_at: datetime = moment()


class NotificationPreference(SQLModel, table=True):
    """What one person wants of one kind. Without a row both are on."""

    __tablename__ = "notification_preference"

    user_id: int = ref("app_user.id", primary_key=True)
    kind: str = Field(primary_key=True)
    inbox: bool
    email: bool


class NotificationMail(SQLModel, table=True):
    """One notification to one person by mail. A sender claims the row by moving ``next_attempt_at`` behind its lease."""

    __tablename__ = "notification_mail"
    __table_args__ = (
        CheckConstraint("status IN ('pending','sent','failed')", name="status"),
        CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        UniqueConstraint("notification_id", "user_id"),
        Index("ix_notification_mail_due", "next_attempt_at", postgresql_where=text("status = 'pending'")),
    )

    id: int = key()
    notification_id: int = ref("notification.id")
    user_id: int = ref("app_user.id")
    status: str = "pending"
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    next_attempt_at: datetime = moment()
    last_error: str | None = None
    sent_at: datetime | None = moment(nullable=True)
