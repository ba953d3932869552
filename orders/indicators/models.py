"""Figures that others counted, as they were reported: never computed here, never overwritten."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref

Value = Numeric(20, 4)


class ReportedValue(SQLModel, table=True):
    """One indicator of one region in one period. What was reported of it stands in the revisions; ``accepted_number`` is the one that holds."""

    __tablename__ = "reported_value"
    __table_args__ = (
        CheckConstraint("grain IN ('month','quarter','year')", name="grain"),
        CheckConstraint("first_on <= last_on", name="period"),
        CheckConstraint("status IN ('reported','accepted','returned')", name="status"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("accepted_number <= number", name="accepted_number"),
        CheckConstraint("status <> 'accepted' OR accepted_number IS NOT DISTINCT FROM number", name="accepted"),
        UniqueConstraint("indicator", "region_code", "grain", "first_on"),
        Index(None, "indicator", "grain", "first_on"),
        Index(None, "region_code", "id"),
    )

    id: int = key()
    #: One of the programme's indicators.
    indicator: str
    #: A district, or the city where only its total is known.
    region_code: str = Field(foreign_key="region.code")
    grain: str
    first_on: date
    last_on: date
    status: str = Field(default="reported", sa_column_kwargs={"server_default": "reported"})
    number: int
    accepted_number: int | None = None
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class ReportedValueRevision(SQLModel, table=True):
    """What was reported once, with what became of it. Only the decision is ever added: a trigger refuses everything else."""

    __tablename__ = "reported_value_revision"
    __table_args__ = (
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("number = 1 OR reason IS NOT NULL", name="reason"),
        CheckConstraint("(base_value IS NULL) = (base_method IS NULL)", name="base"),
        CheckConstraint("decision IN ('accepted','returned')", name="decision"),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided"),
        # nobody accepts what they reported themselves
        CheckConstraint("decided_by <> reported_by", name="second_person"),
        UniqueConstraint("reported_value_id", "number"),
    )

    id: int = key()
    reported_value_id: int = ref("reported_value.id")
    #: 1, 2, 3 … of each value.
    number: int
    value: Decimal = Field(sa_type=Value)
    #: Whose figure it is, and how it was counted; two figures are comparable where the methods are the same.
    source: str
    method: str
    #: That of the year before as the source gives it beside the value.
    base_value: Decimal | None = Field(default=None, sa_type=Value)
    base_method: str | None = None
    #: Why it differs from what was reported before.
    reason: str | None = None
    reported_by: int = ref("app_user.id")
    reported_at: datetime = moment()
    decision: str | None = None
    decision_reason: str | None = None
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
