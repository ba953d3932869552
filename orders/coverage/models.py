"""Poor villages, the stations of rural e-commerce, and which of them serves which."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from catalog.products.models import plain_name_sql
from shop.core.db import key, moment, ref


class PoorVillage(SQLModel, table=True):
    """A village on the list of poor villages (贫困村, later 脱贫村), from a day until a day."""

    __tablename__ = "poor_village"
    __table_args__ = (
        CheckConstraint("valid_from < valid_to", name="period"),
        CheckConstraint("name <> '' AND strpos(name, '/') = 0", name="name"),
        # by these two the ledger names it, too; however it is written it stands there once
        Index("uq_poor_village_plain_name", "township_code", text(plain_name_sql("name")), unique=True),
    )

    id: int = key()
    township_code: str = Field(foreign_key="region.code")
    name: str
    valid_from: date
    #: First day on which it is no longer listed.
    valid_to: date | None = None


class ServiceStation(SQLModel, table=True):
    """A station of rural e-commerce (电商服务站点). It is active from its first to its last day."""

    __tablename__ = "service_station"
    __table_args__ = (
        CheckConstraint("kind IN ('county_centre','town_station','village_station','logistics_point')", name="kind"),
        CheckConstraint("opened_on <= closed_on", name="period"),
        CheckConstraint("(closed_on IS NULL) = (close_reason IS NULL)", name="closed"),
        UniqueConstraint("region_code", "name"),
        Index(None, "region_code", "id"),
    )

    id: int = key()
    kind: str
    name: str
    #: The district or township in which it stands, and where exactly.
    region_code: str = Field(foreign_key="region.code")
    address: str = ""
    opened_on: date
    closed_on: date | None = None
    close_reason: str | None = None
    #: What proves it: a contract, a record of its acceptance; and that paper itself.
    evidence: str
    evidence_file_id: int | None = ref("stored_file.id", nullable=True)
    recorded_by: int = ref("app_user.id")
    recorded_at: datetime = moment()
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class StationVillage(SQLModel, table=True):
    """A village that a station serves, from a day until a day."""

    __tablename__ = "station_village"
    __table_args__ = (
        CheckConstraint("valid_from < valid_to", name="period"),
        Index(None, "village_id"),
        # it is served once at a time
        Index("uq_station_village_open", "station_id", "village_id", unique=True, postgresql_where="valid_to IS NULL"),
    )

    station_id: int = ref("service_station.id", primary_key=True)
    village_id: int = ref("poor_village.id", primary_key=True)
    valid_from: date = Field(primary_key=True)
    #: First day on which it is not served any more.
    valid_to: date | None = None
