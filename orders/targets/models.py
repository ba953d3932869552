"""What is to be reached, where and by when, with every value that was ever set."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


class Target(SQLModel, table=True):
    """A goal of a programme for the city, a district, or all regions with a designation. Its value stands in the revisions."""

    __tablename__ = "target"
    __table_args__ = (
        CheckConstraint(
            "measure IN ('amount','tonnes','lane_tonnes','sales_growth','cabinets','coverage','reserved_share','indicator_growth')",
            name="measure",
        ),
        CheckConstraint("unit IN ('yuan','tonnes','percent','count')", name="unit"),
        CheckConstraint("(measure = 'indicator_growth') = (indicator IS NOT NULL)", name="indicator"),
        CheckConstraint("channel IS NULL OR measure IN ('amount','tonnes','sales_growth')", name="channel"),
        CheckConstraint("first_on <= due_on", name="period"),
        CheckConstraint("origin IN ('programme','officer')", name="origin"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdraw_reason IS NULL)", name="withdrawn"),
        CheckConstraint("number > 0", name="number"),
        UniqueConstraint("programme_code", "code", "region_code"),
        Index(None, "region_code", "id"),
    )

    id: int = key()
    programme_code: str = Field(foreign_key="programme.code")
    #: The same in every region that has a part of it: by it regions are ranked.
    code: str
    #: A district, or the city.
    region_code: str = Field(foreign_key="region.code")
    name_zh: str
    name_en: str
    measure: str
    unit: str
    channel: str | None = None
    #: Of a goal for the city: only regions with this designation count.
    designation: str | None = None
    indicator: str | None = None
    first_on: date
    #: None: every year anew, from ``first_on`` on.
    due_on: date | None = None
    source: str
    origin: str
    #: The revision that holds.
    number: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    withdrawn_at: datetime | None = moment(nullable=True)
    withdraw_reason: str | None = None
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class TargetRevision(SQLModel, table=True):
    """One value of a target, for good: a trigger refuses every change."""

    __tablename__ = "target_revision"
    __table_args__ = (
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("value > 0", name="value"),
        UniqueConstraint("target_id", "number"),
    )

    id: int = key()
    target_id: int = ref("target.id")
    number: int
    #: Yuan, tonnes, percent or a number.
    value: Decimal = Field(sa_type=Numeric(18, 2))
    reason: str
    #: None: the programme's own file.
    set_by: int | None = ref("app_user.id", nullable=True)
    set_at: datetime = moment()
