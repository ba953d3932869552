"""Regions, what they were designated as and when, and who supports whom."""

from datetime import date

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from shop.core.db import key, ref

PERIOD = "valid_to IS NULL OR valid_from IS NULL OR valid_from < valid_to"


class Region(SQLModel, table=True):
    """A reporting unit. ``code`` is GB/T 2260 where there is one; a township's begins with its district's, so a prefix tells containment."""

    __tablename__ = "region"
    __table_args__ = (
        CheckConstraint(PERIOD, name="period"),
        CheckConstraint(
            "kind IN ('province','city','district','county','autonomous_county','functional_zone','township','village')",
            name="kind",
        ),
    )

    code: str = Field(primary_key=True)
    name_zh: str
    name_en: str
    kind: str
    parent_code: str | None = Field(default=None, foreign_key="region.code", index=True)
    valid_from: date | None = None
    valid_to: date | None = Field(default=None, sa_column_kwargs={"comment": "first day on which the code is no longer in force"})
    successor_code: str | None = Field(default=None, foreign_key="region.code")
    note: str | None = None


class RegionDesignation(SQLModel, table=True):
    """A dated status: national_key, municipal_key, county_832, deep_township, revitalisation_key, poverty_task."""

    __tablename__ = "region_designation"
    __table_args__ = (
        CheckConstraint(PERIOD, name="period"),
        UniqueConstraint("region_code", "designation", "valid_from", postgresql_nulls_not_distinct=True),
    )

    id: int = key()
    region_code: str = Field(foreign_key="region.code")
    designation: str
    valid_from: date | None = None
    valid_to: date | None = None


class Supporter(SQLModel, table=True):
    """A supporting body: a Shandong city, a central unit, a municipal group, a district."""

    __tablename__ = "supporter"

    id: int = key()
    name: str = Field(unique=True)
    region_code: str | None = Field(default=None, foreign_key="region.code")


class SupportRelation(SQLModel, table=True):
    """Who supports which region, from when to when. Attribution uses the relation in force on the sale date."""

    __tablename__ = "support_relation"
    __table_args__ = (
        CheckConstraint(PERIOD, name="period"),
        CheckConstraint("kind IN ('east_west','central_unit','municipal_group','district_pair')", name="kind"),
        CheckConstraint("confidence IN ('source','recalled_high','recalled_med','assumed')", name="confidence"),
        UniqueConstraint("region_code", "kind", "supporter_id", "valid_from", postgresql_nulls_not_distinct=True),
    )

    id: int = key()
    kind: str
    supporter_id: int = ref("supporter.id", index=True)
    region_code: str = Field(foreign_key="region.code")
    valid_from: date | None = None
    valid_to: date | None = None
    #: How well the pair is known; shown wherever the pair is shown.
    confidence: str
    note: str | None = None
