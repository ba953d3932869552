"""Certification cases, their documents and steps, public notices and certificates."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, ref


class CertificationCase(SQLModel, table=True):
    """One application to certify one product of one supplier."""

    __tablename__ = "certification_case"
    __table_args__ = (
        CheckConstraint(
            "status IN ('draft','submitted','county_review','public_notice','city_review','certified','returned','rejected','withdrawn')",
            name="status",
        ),
        CheckConstraint("notice_from IS NULL OR notice_from < notice_until", name="notice"),
        # one application at a time for a product
        Index(
            "uq_certification_case_open",
            "product_id",
            unique=True,
            postgresql_where=text("status NOT IN ('certified','rejected','withdrawn')"),
        ),
        Index(None, "district_code", "status", "id"),
        Index(None, "supplier_id", "id"),
    )

    id: int = key()
    product_id: int = ref("product.id")
    supplier_id: int = ref("organisation.id")
    programme_code: str = Field(foreign_key="programme.code")
    #: The county that reviews: the product's origin.
    district_code: str = Field(foreign_key="region.code")
    status: str = "draft"
    #: What the supplier states.
    statement: str = ""
    annual_capacity_kg: int | None = None
    households: int = Field(default=0, sa_column_kwargs={"comment": "named households that the product carries; persons likewise"})
    persons: int = 0
    linkage: str = Field(
        default="", sa_column_kwargs={"comment": "how households take part: employment, purchase, land rent, dividend, …"}
    )
    comparable_price_fen: int | None = fen(nullable=True)
    comparable_price_source: str | None = None
    #: Reasons of the latest return or rejection.
    decision_reason: str | None = None
    submitted_at: datetime | None = moment(nullable=True)
    #: The day on which the notice was published, and the day after its last; a decision is possible from the start of ``notice_until``.
    notice_from: date | None = None
    notice_until: date | None = None
    decided_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class CertificationDocument(SQLModel, table=True):
    __tablename__ = "certification_document"
    __table_args__ = (Index(None, "case_id"),)

    id: int = key()
    case_id: int = ref("certification_case.id")
    kind: str
    file_id: int = ref("stored_file.id")


class CertificationStep(SQLModel, table=True):
    """One move of a case, on record for good."""

    __tablename__ = "certification_step"
    __table_args__ = (Index(None, "case_id", "id"),)

    id: int = key()
    case_id: int = ref("certification_case.id")
    action: str
    from_status: str
    to_status: str
    actor_id: int | None = ref("app_user.id", nullable=True)
    actor_role: str
    reason: str | None = None
    at: datetime = moment()


class Certificate(SQLModel, table=True):
    """A numbered certificate for one product of one supplier. Whether it is in force is derived from its dates when read."""

    __tablename__ = "certificate"
    __table_args__ = (
        CheckConstraint("valid_from <= valid_until", name="validity"),
        Index(None, "product_id", "valid_until"),
        # a case ends in one certificate
        UniqueConstraint("case_id"),
        Index(None, "supplier_id", "id"),
    )

    id: int = key()
    number: str = Field(unique=True)
    case_id: int = ref("certification_case.id")
    product_id: int = ref("product.id")
    supplier_id: int = ref("organisation.id")
    programme_code: str = Field(foreign_key="programme.code")
    district_code: str = Field(foreign_key="region.code")
    product_name: str
    supplier_name: str
    annual_capacity_kg: int | None = None
    households: int
    persons: int
    #: First and last day on which it is in force.
    valid_from: date
    valid_until: date
    suspended_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)
    reason: str | None = Field(default=None, sa_column_kwargs={"comment": "why it was suspended or revoked"})
    issued_at: datetime = moment()
