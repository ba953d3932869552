"""The feed of changes, and who is called about them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


class Change(SQLModel, table=True):
    """One thing that happened, as one organisation may know it: what it was and about what, never its content.

    Written without a position; a sweep gives the positions, in one transaction at a time. So whoever reads up to a position has seen
    everything below it: no transaction that commits later can put a row there.
    """

    __tablename__ = "change"
    __table_args__ = (
        UniqueConstraint("event_id", "organisation_id"),
        UniqueConstraint("position"),
        Index(None, "organisation_id", "position"),
        Index(None, "at"),
        Index("ix_change_waiting", "id", postgresql_where=text("position IS NULL")),
    )

    id: int = key()
    #: The same for all organisations that the event concerns; random enough to be told from one of a restored database.
    event_id: str
    organisation_id: int = ref("organisation.id")
    type: str
    subject_type: str
    subject_id: int = Field(sa_type=BigInteger)
    at: datetime = moment()
    position: int | None = Field(default=None, sa_type=BigInteger)


class ChangeFeed(SQLModel, table=True):
    """The one row that counts positions, and knows up to which changes were removed."""

    __tablename__ = "change_feed"
    __table_args__ = (CheckConstraint("one", name="one"), CheckConstraint("removed_position <= last_position", name="removed"))

    one: bool = Field(default=True, primary_key=True)
    last_position: int = Field(default=0, sa_type=BigInteger)
    removed_position: int = Field(default=0, sa_type=BigInteger)


class WebhookEndpoint(SQLModel, table=True):
    """An address of a customer's system that is called about changes."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = (
        CheckConstraint("status IN ('enabled','disabled','deleted')", name="status"),
        CheckConstraint("(status = 'disabled') = (disabled_reason IS NOT NULL)", name="disabled"),
        CheckConstraint("disabled_reason IN ('owner','gone','failing')", name="disabled_reason"),
        CheckConstraint("(previous_secret IS NULL) = (previous_until IS NULL)", name="previous"),
        CheckConstraint("(failures = 0) = (failing_since IS NULL)", name="failing"),
        Index(None, "organisation_id", postgresql_where=text("status <> 'deleted'")),
    )

    id: int = key()
    organisation_id: int = ref("organisation.id")
    url: str
    description: str | None = None
    #: Types of changes, ``supplier_order.*`` for all of one subject, ``*`` for all.
    types: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    status: str = "enabled"
    disabled_reason: str | None = None
    #: Sealed. During a rotation the one before signs too.
    secret: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    previous_secret: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    previous_until: datetime | None = moment(nullable=True)
    #: Attempts that failed since the last one that did not, the moment of the first, and until when none is made.
    failures: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    failing_since: datetime | None = moment(nullable=True)
    rest_until: datetime | None = moment(nullable=True)
    #: So that all endpoints have their turn.
    claimed_at: datetime | None = moment(nullable=True)
    created_by: int | None = ref("app_user.id", nullable=True)
    created_at: datetime = moment()
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class WebhookDelivery(SQLModel, table=True):
    """One change on its way to one endpoint. A sender claims it by moving ``next_attempt_at`` behind its lease and taking a slot."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        CheckConstraint("kind IN ('change','replay','ping')", name="kind"),
        CheckConstraint("status IN ('pending','delivered','failed','cancelled')", name="status"),
        CheckConstraint("(status = 'pending') = (finished_at IS NULL)", name="finished"),
        CheckConstraint("slot IS NULL OR status = 'pending'", name="slot"),
        # a change goes to an endpoint once by itself, and as often as somebody asks for
        Index("uq_webhook_delivery_event", "endpoint_id", "event_id", unique=True, postgresql_where=text("kind = 'change'")),
        # never more at once than there are slots
        Index("uq_webhook_delivery_slot", "endpoint_id", "slot", unique=True, postgresql_where=text("slot IS NOT NULL")),
        Index("ix_webhook_delivery_due", "endpoint_id", "next_attempt_at", postgresql_where=text("status = 'pending'")),
        Index(None, "endpoint_id", "id"),
        Index(None, "change_id"),
    )

    id: int = key()
    endpoint_id: int = ref("webhook_endpoint.id")
    kind: str
    change_id: int | None = ref("change.id", nullable=True)
    event_id: str
    type: str
    event_at: datetime = moment()
    status: str = "pending"
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    next_attempt_at: datetime = moment()
    slot: int | None = None
    created_by: int | None = ref("app_user.id", nullable=True)
    created_at: datetime = moment()
    finished_at: datetime | None = moment(nullable=True)
    #: Of the last attempt.
    attempted_at: datetime | None = moment(nullable=True)
    duration_ms: int | None = None
    request_headers: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    body_sha256: str | None = None
    response_status: int | None = None
    response_text: str | None = None
    last_error: str | None = None
