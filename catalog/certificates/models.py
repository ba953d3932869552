"""Certificates and what happened to them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
from sqlmodel import Field, SQLModel

from shop.core.db import fen, grams, key, moment, ref


class Certificate(SQLModel, table=True):
    """A numbered certificate for one product of one supplier. Whether it is in force is derived from its dates when read."""

    __tablename__ = "certificate"
    __table_args__ = (
        CheckConstraint("valid_from <= valid_until", name="validity"),
        CheckConstraint("suspended_until IS NULL OR suspended_at < suspended_until", name="suspension"),
        Index(None, "product_id", "valid_until"),
        # a case ends in one certificate
        UniqueConstraint("case_id"),
        Index(None, "supplier_id", "id"),
        Index(None, "district_code", "id"),
        Index(None, "batch_id"),
    )

    id: int = key()
    number: str = Field(unique=True)
    case_id: int = ref("certification_case.id")
    batch_id: int | None = ref("catalogue_batch.id", nullable=True)
    #: The certificate that this one continues.
    renews_id: int | None = ref("certificate.id", nullable=True)
    product_id: int = ref("product.id")
    supplier_id: int = ref("organisation.id")
    programme_code: str = Field(foreign_key="programme.code")
    # its scope: what it was given for
    district_code: str = Field(foreign_key="region.code")
    township_code: str | None = Field(default=None, foreign_key="region.code")
    village: str | None = None
    product_name: str
    supplier_name: str
    producer: str = Field(default="", sa_column_kwargs={"server_default": ""})
    grade: str = Field(default="", sa_column_kwargs={"server_default": ""})
    specification: str = Field(default="", sa_column_kwargs={"server_default": ""})
    annual_capacity_kg: int | None = None
    #: Twelve numbers that add up to the yearly capacity; none: it may be sold at any time of the year.
    monthly_capacity_kg: list[int] | None = Field(default=None, sa_column=Column(ARRAY(BIGINT)))
    #: What comparable goods cost: so many fen for a pack of so many grams (of a service: for one unit).
    comparable_price_fen: int | None = fen(nullable=True)
    comparable_pack_grams: int | None = grams(nullable=True)
    households: int
    persons: int
    #: First and last day on which it is in force.
    valid_from: date
    valid_until: date
    #: Last day on which all the papers behind it are valid; it does not hold without them. Null: none of them ends.
    papers_valid_until: date | None = None
    #: Suspended from a moment until a moment (null: until it is reinstated).
    suspended_at: datetime | None = moment(nullable=True)
    suspended_until: datetime | None = moment(nullable=True)
    #: Held, because more was sold than it was given for.
    held_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)
    reason_code: str | None = None
    reason: str | None = Field(default=None, sa_column_kwargs={"comment": "why it was suspended or revoked"})
    issued_at: datetime = moment()


class Suspension(SQLModel, table=True):
    """What holds a certificate suspended: one of each level at most, so that none shortens or replaces what another said. The certificate's own
    columns tell what they come to: until the last of them ends."""

    __tablename__ = "suspension"
    __table_args__ = (
        CheckConstraint("level IN ('county','city','bar')", name="level"),
        CheckConstraint("until IS NULL OR since < until", name="period"),
    )

    certificate_id: int = ref("certificate.id", primary_key=True)
    level: str = Field(primary_key=True)
    #: When its cause came: another reason of the same level is another cause, another end is none.
    since: datetime = moment()
    until: datetime | None = moment(nullable=True)
    reason_code: str
    reason: str


class CertificateEvent(SQLModel, table=True):
    """One thing that happened to a certificate, on record for good. Append-only."""

    __tablename__ = "certificate_event"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('issued','warned','suspended','suspension_changed','reinstated','held','released','revocation_opened',"
            "'revocation_stated','revocation_dropped','revoked','changed','papers_renewed','renewed')",
            name="kind",
        ),
        Index(None, "certificate_id", "id"),
    )

    id: int = key()
    certificate_id: int = ref("certificate.id")
    kind: str
    at: datetime = moment()
    until: datetime | None = moment(nullable=True)
    reason_code: str | None = None
    reason: str | None = None
    actor_id: int | None = ref("app_user.id", nullable=True)
    actor_role: str


class Revocation(SQLModel, table=True):
    """A revocation that was opened: the supplier may make a statement before it is decided."""

    __tablename__ = "revocation"
    __table_args__ = (
        CheckConstraint("status IN ('open','revoked','dropped')", name="status"),
        Index("uq_revocation_open", "certificate_id", unique=True, postgresql_where="status = 'open'"),
    )

    id: int = key()
    certificate_id: int = ref("certificate.id", index=True)
    status: str = "open"
    reason_code: str
    reason: str
    opened_by: int | None = ref("app_user.id", nullable=True)
    opened_at: datetime = moment()
    #: The last day for the supplier's statement.
    statement_due_on: date
    statement: str | None = None
    stated_at: datetime | None = moment(nullable=True)
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    decision_reason: str | None = None
