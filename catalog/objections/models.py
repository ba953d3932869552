"""Objections of the public against a notice."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


class Objection(SQLModel, table=True):
    """One objection. Who made it is encrypted and seen only by those who investigate."""

    __tablename__ = "objection"
    __table_args__ = (
        CheckConstraint("status IN ('received','investigating','upheld','dismissed')", name="status"),
        CheckConstraint("(status IN ('upheld','dismissed')) = (decided_at IS NOT NULL)", name="decided"),
        CheckConstraint("decided_at IS NULL OR answer <> ''", name="answer"),
        Index(None, "case_id"),
        Index(None, "status", "due_on"),
    )

    id: int = key()
    #: What the person who objected follows it up with; cannot be guessed.
    receipt: str = Field(unique=True)
    case_id: int = ref("certification_case.id")
    #: The notice against which it was raised: the day on which that was published.
    notice_from: date
    text: str
    #: Name, telephone and e-mail, encrypted.
    sealed_contact: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    status: str = "received"
    received_at: datetime = moment()
    #: The last working day for the answer.
    due_on: date
    investigator_id: int | None = ref("app_user.id", nullable=True)
    #: What was found, for the record; and the answer that the person gets.
    findings: str | None = None
    answer: str | None = None
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class ObjectionFile(SQLModel, table=True):
    """Evidence: brought with the objection, or found by who investigates."""

    __tablename__ = "objection_file"

    objection_id: int = ref("objection.id", primary_key=True)
    file_id: int = ref("stored_file.id", primary_key=True)
