"""Certification cases with their papers, opinions and steps."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Computed, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import fen, grams, key, moment, ref
from shop.core.quantities import none_asked


class CertificationCase(SQLModel, table=True):
    """One application: to certify a product, to renew its certificate, or to change what a certificate says."""

    __tablename__ = "certification_case"
    __table_args__ = (
        CheckConstraint("kind IN ('initial','renewal','change','price')", name="kind"),
        CheckConstraint(
            "status IN ('draft','township_review','county_review','public_notice','city_review','filing','approved','returned',"
            "'rejected','appealed','withdrawn')",
            name="status",
        ),
        CheckConstraint("notice_from IS NULL OR notice_from < notice_until", name="notice"),
        CheckConstraint("(kind IN ('change','price')) = (proposed IS NOT NULL)", name="proposed"),
        CheckConstraint("(kind = 'initial') = (certificate_id IS NULL)", name="certificate"),
        CheckConstraint("monthly_capacity_kg IS NULL OR cardinality(monthly_capacity_kg) = 12", name="months"),
        # one application at a time for a product
        Index(
            "uq_certification_case_open",
            "product_id",
            unique=True,
            postgresql_where=text("status NOT IN ('approved','rejected','withdrawn')"),
        ),
        Index(None, "district_code", "status", "due_on", "id"),
        Index(None, "supplier_id", "id"),
        Index(None, "batch_id"),
        Index(None, "status", "notice_until"),
        # what is due first, as the queue asks for it; what has no date stands last
        Index(None, "due_on", "id"),
    )

    id: int = key()
    kind: str = Field(default="initial", sa_column_kwargs={"server_default": "initial"})
    product_id: int = ref("product.id")
    supplier_id: int = ref("organisation.id")
    programme_code: str = Field(foreign_key="programme.code")
    #: Where the product comes from: the county and the township that review.
    district_code: str = Field(foreign_key="region.code")
    township_code: str | None = Field(default=None, foreign_key="region.code")
    #: What is renewed or changed.
    certificate_id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, ForeignKey("certificate.id", use_alter=True, name="fk_certification_case_certificate_id")),
    )
    #: What a change proposes: field -> new value; of a price: the SKU and its tiers.
    proposed: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    batch_id: int | None = ref("catalogue_batch.id", nullable=True)

    status: str = "draft"
    #: The steps that it passes, as the programme had them when it was handed in.
    steps: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False, server_default="[]"))
    #: When it came to its present step, and the last working day for it; none while the clock stands still.
    entered_on: date | None = None
    due_on: date | None = None
    #: Working days that are left of a step whose clock stands still.
    remaining_days: int | None = None
    #: The step that returned or rejected it.
    sent_back_from: str | None = None
    appealed: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    claimed_by: int | None = ref("app_user.id", nullable=True)
    claimed_at: datetime | None = moment(nullable=True)

    #: What the supplier states.
    statement: str = ""
    annual_capacity_kg: int | None = None
    monthly_capacity_kg: list[int] | None = Field(default=None, sa_column=Column(ARRAY(BIGINT)))
    households: int = Field(default=0, sa_column_kwargs={"comment": "named households that the product carries; persons likewise"})
    persons: int = 0
    linkage_modes: list[str] = Field(
        default_factory=list,
        sa_column=Column(ARRAY(Text), nullable=False, server_default="{}", comment="how households take part"),
    )
    linkage: str = Field(default="", sa_column_kwargs={"comment": "how households take part, in words"})
    #: What comparable goods cost: so many fen for a pack of so many grams (of a service: for one unit).
    comparable_price_fen: int | None = fen(nullable=True)
    comparable_pack_grams: int | None = grams(nullable=True)
    comparable_price_source: str | None = None
    comparable_price_on: date | None = None

    #: The highest price of each pack (SKU -> fen) as the application was last handed in: what its first offices have seen.
    prices_shown: dict[str, int] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))

    #: Reasons of the latest return or rejection, and what is to be corrected.
    decision_reason: str | None = None
    corrections: list[dict[str, Any]] = Field(
        default_factory=none_asked, sa_column=Column(JSONB, nullable=False, server_default="[]")
    )
    submitted_at: datetime | None = moment(nullable=True)
    #: The day on which the notice was published, and the day after its last; a decision is possible from the start of ``notice_until``.
    notice_from: date | None = None
    notice_until: date | None = None
    decided_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


# The level that has a case before it, by the steps that the case carries. The database works it out; statements read it, rows never hold it.
SQLModel.metadata.tables["certification_case"].append_column(
    Column(
        "level",
        Text,
        Computed(
            """(jsonb_path_query_first(steps, ((('$[*]?(@.step == "'::text || (status)::text) || '").level'::text))::jsonpath) #>> '{}'::text[])""",
            persisted=True,
        ),
    )
)


class CertificationDocument(SQLModel, table=True):
    """A paper of a case, brought by the supplier or, as an attachment of a step, by an officer."""

    __tablename__ = "certification_document"
    __table_args__ = (
        CheckConstraint("side IN ('supplier','officer')", name="side"),
        CheckConstraint("issued_on IS NULL OR valid_until IS NULL OR issued_on <= valid_until", name="validity"),
        Index(None, "case_id"),
    )

    id: int = key()
    case_id: int = ref("certification_case.id")
    side: str = Field(default="supplier", sa_column_kwargs={"server_default": "supplier"})
    kind: str
    file_id: int = ref("stored_file.id")
    #: Number, issuer and dates as printed on it.
    number: str | None = None
    issuer: str | None = None
    issued_on: date | None = None
    valid_until: date | None = Field(default=None, sa_column_kwargs={"comment": "last day of its validity; null: no end"})


class CertificationStep(SQLModel, table=True):
    """One move of a case, on record for good."""

    __tablename__ = "certification_step"
    __table_args__ = (Index(None, "case_id", "id"),)

    id: int = key()
    case_id: int = ref("certification_case.id")
    action: str
    from_status: str
    to_status: str
    #: The level at which it was done: supplier, township, county, city.
    level: str
    actor_id: int | None = ref("app_user.id", nullable=True)
    actor_role: str
    reason: str | None = None
    #: Papers that an officer attached.
    documents: list[int] = Field(default_factory=list, sa_column=Column(ARRAY(BIGINT), nullable=False, server_default="{}"))
    #: Working days that the case had been at the step which it left; none for the supplier's own moves.
    working_days: int | None = None
    #: Whether it left that step after its last day; of a correction: whether it came after its own.
    late: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    at: datetime = moment()


class CertificationOpinion(SQLModel, table=True):
    """What a department, or a township, thinks of a case. Append-only: a later opinion of the same department counts."""

    __tablename__ = "certification_opinion"
    __table_args__ = (
        CheckConstraint("verdict IN ('support','oppose','no_objection')", name="verdict"),
        Index(None, "case_id", "id"),
    )

    id: int = key()
    case_id: int = ref("certification_case.id")
    step: str
    department: str
    verdict: str
    opinion: str
    documents: list[int] = Field(default_factory=list, sa_column=Column(ARRAY(BIGINT), nullable=False, server_default="{}"))
    author_id: int | None = ref("app_user.id", nullable=True)
    author_role: str
    at: datetime = moment()
