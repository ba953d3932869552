"""What budget units reserve of a year's purchases, and every version that they filed."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, ref

#: What both tables hold to: the share is the percent of the base, rounded half up; who is exempt has none.
_CONTENT = (
    ("exemption", "exemption IN ('no_canteen','shared_canteen','outsourced_canteen')"),
    ("base_fen", "base_fen >= 0"),
    ("percent_bp", "percent_bp BETWEEN 0 AND 10000"),
    (
        "reserved_fen",
        "reserved_fen = CASE WHEN exemption IS NULL THEN round(base_fen::numeric * percent_bp / 10000)::bigint ELSE 0 END",
    ),
    ("shared_with", "(exemption IS NOT DISTINCT FROM 'shared_canteen') = (shared_with_id IS NOT NULL)"),
    ("contractor", "(exemption IS NOT DISTINCT FROM 'outsourced_canteen') = (contractor IS NOT NULL)"),
    ("exemption_reason", "(exemption IS NULL) = (exemption_reason IS NULL)"),
)


class ReservedShare(SQLModel, table=True):
    """A unit's share of one year as it is being worked on. What was filed stands in the revisions."""

    __tablename__ = "reserved_share"
    __table_args__ = (
        *(CheckConstraint(condition, name=name) for name, condition in _CONTENT),
        CheckConstraint("status IN ('draft','filed','returned','accepted')", name="status"),
        CheckConstraint("(status = 'draft') OR number > 0", name="number"),
        CheckConstraint("accepted_number <= number", name="accepted_number"),
        CheckConstraint("status <> 'accepted' OR accepted_number IS NOT DISTINCT FROM number", name="accepted"),
        CheckConstraint("shared_with_id <> organisation_id", name="shared_with_other"),
        UniqueConstraint("organisation_id", "year"),
        Index(None, "year", "status"),
    )

    id: int = key()
    organisation_id: int = ref("organisation.id")
    year: int
    #: Yearly purchases of canteen food, and the share of them: basis points (1000 = 10 %) and fen.
    base_fen: int = fen()
    percent_bp: int
    reserved_fen: int = fen()
    exemption: str | None = None
    exemption_reason: str | None = None
    #: The unit that reports for a shared canteen; who runs an outsourced one.
    shared_with_id: int | None = ref("organisation.id", nullable=True)
    contractor: str | None = None
    status: str = Field(default="draft", sa_column_kwargs={"server_default": "draft"})
    #: Numbers of the last revision filed (0: none) and of the one that holds.
    number: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    accepted_number: int | None = None
    filed_by: int | None = ref("app_user.id", nullable=True)
    filed_at: datetime | None = moment(nullable=True)
    reviewed_by: int | None = ref("app_user.id", nullable=True)
    reviewed_at: datetime | None = moment(nullable=True)
    review_reason: str | None = None
    version: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class ReservedShareRevision(SQLModel, table=True):
    """One version as it was filed, with what became of it. Only the decision is ever added."""

    __tablename__ = "reserved_share_revision"
    __table_args__ = (
        *(CheckConstraint(condition, name=name) for name, condition in _CONTENT),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("decision IN ('accepted','returned')", name="decision"),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided"),
        UniqueConstraint("reserved_share_id", "number"),
        Index(None, "shared_with_id", postgresql_where=text("shared_with_id IS NOT NULL")),
    )

    id: int = key()
    reserved_share_id: int = ref("reserved_share.id")
    #: 1, 2, 3 … for each unit and year.
    number: int
    base_fen: int = fen()
    percent_bp: int
    reserved_fen: int = fen()
    exemption: str | None = None
    exemption_reason: str | None = None
    shared_with_id: int | None = ref("organisation.id", nullable=True)
    contractor: str | None = None
    #: Why figures that were accepted are to change.
    reason: str | None = None
    filed_by: int = ref("app_user.id")
    filed_at: datetime = moment()
    decision: str | None = None
    decision_reason: str | None = None
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
