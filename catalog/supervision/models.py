"""Checks of certified products, complaints about them, and who is barred."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import fen, grams, key, moment, ref


class CheckPlan(SQLModel, table=True):
    """A random draw of certificates to be checked. With its seed and its population anybody can draw it again."""

    __tablename__ = "check_plan"
    __table_args__ = (CheckConstraint("size > 0 AND size <= population", name="size"),)

    id: int = key()
    number: str = Field(unique=True)
    title: str
    #: County, category and least risk score among which it was drawn; null: any.
    district_code: str | None = Field(default=None, foreign_key="region.code")
    category: str | None = None
    least_risk: int = 0
    kind: str = Field(sa_column_kwargs={"comment": "what is checked: quality, price, linkage, site, papers"})
    size: int
    #: The seed of the draw and how many there were to draw from; SHA-256 over their numbers in order.
    seed: str
    population: int
    population_sha256: str
    due_on: date
    drawn_by: int | None = ref("app_user.id", nullable=True)
    drawn_at: datetime = moment()


class Inspection(SQLModel, table=True):
    """One check of one certificate, drawn by a plan or ordered by itself."""

    __tablename__ = "inspection"
    __table_args__ = (
        CheckConstraint("kind IN ('quality','price','linkage','site','papers')", name="kind"),
        CheckConstraint("status IN ('open','passed','failed','cancelled')", name="status"),
        UniqueConstraint("plan_id", "certificate_id"),
        Index(None, "certificate_id", "id"),
        Index(None, "status", "due_on"),
    )

    id: int = key()
    plan_id: int | None = ref("check_plan.id", nullable=True)
    certificate_id: int = ref("certificate.id")
    kind: str
    status: str = "open"
    due_on: date
    opened_by: int | None = ref("app_user.id", nullable=True)
    opened_at: datetime = moment()
    #: What was found, in words and as figures (such as a test's values).
    findings: str | None = None
    measured: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default="{}"))
    done_on: date | None = None
    done_by: int | None = ref("app_user.id", nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class InspectionFile(SQLModel, table=True):
    __tablename__ = "inspection_file"

    inspection_id: int = ref("inspection.id", primary_key=True)
    file_id: int = ref("stored_file.id", primary_key=True)


class PriceCheck(SQLModel, table=True):
    """A price of comparable goods found elsewhere, against the product's own price on that day."""

    __tablename__ = "price_check"
    __table_args__ = (CheckConstraint("found_fen > 0 AND own_fen > 0", name="prices"), Index(None, "certificate_id", "id"))

    id: int = key()
    certificate_id: int = ref("certificate.id")
    sku_id: int = ref("sku.id")
    #: Found: so many fen for so many grams (services: for one unit, grams null); own: the SKU's price and net weight.
    found_fen: int = fen()
    found_grams: int | None = grams(nullable=True)
    own_fen: int = fen()
    own_grams: int | None = grams(nullable=True)
    #: How far the own price lies above the one found, in basis points (negative: below).
    above_bp: int
    source: str
    found_on: date
    recorded_by: int | None = ref("app_user.id", nullable=True)
    recorded_at: datetime = moment()


class PriceCheckFile(SQLModel, table=True):
    __tablename__ = "price_check_file"

    price_check_id: int = ref("price_check.id", primary_key=True)
    file_id: int = ref("stored_file.id", primary_key=True)


class CapacityFlag(SQLModel, table=True):
    """More was sold and promised than a certificate was given for: in a year, or in a month of it (贴牌 is suspected)."""

    __tablename__ = "capacity_flag"
    __table_args__ = (
        CheckConstraint("month BETWEEN 0 AND 12", name="month"),
        UniqueConstraint("certificate_id", "year", "month"),
    )

    id: int = key()
    certificate_id: int = ref("certificate.id")
    year: int
    #: 1 to 12; 0: the whole year.
    month: int = 0
    capacity_grams: int = grams()
    #: Sold and promised when it was last counted.
    committed_grams: int = grams()
    flagged_at: datetime = moment()
    #: The supplier's explanation, and the officer's answer to it.
    explanation: str | None = None
    explained_at: datetime | None = moment(nullable=True)
    cleared_at: datetime | None = moment(nullable=True)
    cleared_by: int | None = ref("app_user.id", nullable=True)
    clearing_reason: str | None = None
    #: Above what the officer cleared it flags again.
    cleared_grams: int | None = grams(nullable=True)


class Complaint(SQLModel, table=True):
    """A complaint about a certified product, by a buyer or by anybody."""

    __tablename__ = "complaint"
    __table_args__ = (
        CheckConstraint("status IN ('received','stated','upheld','dismissed','withdrawn')", name="status"),
        CheckConstraint("kind IN ('quality','price','origin','delivery','linkage','other')", name="kind"),
        CheckConstraint("(status IN ('upheld','dismissed')) = (decided_at IS NOT NULL)", name="decided"),
        Index(None, "certificate_id", "id"),
        Index(None, "supplier_id", "id"),
        Index(None, "supplier_order_id", postgresql_where=text("supplier_order_id IS NOT NULL")),
        Index(None, "status", "decision_due_on"),
    )

    id: int = key()
    receipt: str = Field(unique=True)
    certificate_id: int = ref("certificate.id")
    supplier_id: int = ref("organisation.id")
    #: The part of an order that it is about, where a buyer names one.
    supplier_order_id: int | None = Field(default=None, sa_type=BigInteger)
    #: The buyer who complains; null: somebody of the public, whose contact is encrypted.
    organisation_id: int | None = ref("organisation.id", nullable=True)
    sealed_contact: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    kind: str
    text: str
    status: str = "received"
    received_at: datetime = moment()
    #: Last working days for the supplier's statement and for the decision.
    statement_due_on: date
    decision_due_on: date
    statement: str | None = None
    stated_at: datetime | None = moment(nullable=True)
    answer: str | None = None
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class ComplaintFile(SQLModel, table=True):
    __tablename__ = "complaint_file"

    complaint_id: int = ref("complaint.id", primary_key=True)
    file_id: int = ref("stored_file.id", primary_key=True)


class QualitySignal(SQLModel, table=True):
    """Buyers rated what was sold under a certificate low, several times within a short while. One is open at a time."""

    __tablename__ = "quality_signal"
    __table_args__ = (
        CheckConstraint("ratings > 0 AND buyers > 0 AND buyers <= ratings", name="counts"),
        CheckConstraint("(cleared_at IS NULL) = (clearing_reason IS NULL)", name="cleared"),
        Index("uq_quality_signal_open", "certificate_id", unique=True, postgresql_where=text("cleared_at IS NULL")),
        Index(None, "certificate_id", "id"),
    )

    id: int = key()
    certificate_id: int = ref("certificate.id")
    #: Low ratings when it was raised, and of how many buyers.
    ratings: int
    buyers: int
    raised_at: datetime = moment()
    cleared_at: datetime | None = moment(nullable=True)
    cleared_by: int | None = ref("app_user.id", nullable=True)
    clearing_reason: str | None = None


class BlacklistEntry(SQLModel, table=True):
    """A supplier that may not apply, from a day to a day."""

    __tablename__ = "blacklist_entry"
    __table_args__ = (
        CheckConstraint("from_on <= until_on", name="period"),
        Index(None, "organisation_id", "until_on"),
    )

    id: int = key()
    organisation_id: int = ref("organisation.id")
    from_on: date
    until_on: date
    reason_code: str
    reason: str
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime = moment()
    lifted_at: datetime | None = moment(nullable=True)
    lifting_reason: str | None = None
