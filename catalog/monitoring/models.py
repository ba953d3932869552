"""What is certified now, and was at the end of each day, kept by county.

Every committed change of a county's certificates, their measures, their products' categories or the lists of people behind them leaves a row in
``certified_stock_touched`` (triggers put it there). Who counts a county anew takes these rows away in the same transaction. So what is kept of a
county holds as long as none waits and the moment has not come at which a certificate begins or ends by itself; until then whoever reads counts that
county from its lists. ``catalog/monitoring/queries/stock.py`` and ``history.py`` read, ``catalog/monitoring/actions/recounting.py`` counts.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment


class Sums(SQLModel):
    """What adds up over counties, in each of which a household and a person count once."""

    certificates: int = Field(sa_type=BigInteger)
    products: int = Field(sa_type=BigInteger)
    households_stated: int = Field(sa_type=BigInteger)
    persons_stated: int = Field(sa_type=BigInteger)
    households_listed: int = Field(sa_type=BigInteger)
    persons_listed: int = Field(sa_type=BigInteger)
    # what the bands in which single certificates are told come to, see catalog/monitoring/queries/counting.py
    households_least: int = Field(sa_type=BigInteger)
    households_most: int = Field(sa_type=BigInteger)
    persons_least: int = Field(sa_type=BigInteger)
    persons_most: int = Field(sa_type=BigInteger)


class CertifiedStock(Sums, table=True):
    """Certificates of a county now, in groups by one key: of those in force by category, batch and kind and in all of them (``grouped_by`` is empty),
    of all by their state and in all (``any_state``). ``value``: of the key; empty where there is none."""

    __tablename__ = "certified_stock"
    __table_args__ = (PrimaryKeyConstraint("district_code", "grouped_by", "value"),)

    district_code: str = Field(foreign_key="region.code")
    grouped_by: str
    value: str
    #: Who has them: one may have some in several counties.
    supplier_ids: list[int] = Field(sa_column=Column(ARRAY(BIGINT), nullable=False))


class CertifiedStockDay(Sums, table=True):
    """Certificates in force in a county by the end of a day, and of those after it until the next row's: of a category, or of all of them where it is
    empty. Days to come stand in it too: as long as nobody changes anything, they will be so."""

    __tablename__ = "certified_stock_day"
    __table_args__ = (PrimaryKeyConstraint("district_code", "category", "day"),)

    district_code: str = Field(foreign_key="region.code")
    category: str
    day: date


class CertifiedSupplierDays(SQLModel, table=True):
    """Who has certificates in force in a county from a day until before another one, by category and in all of them (empty)."""

    __tablename__ = "certified_supplier_days"
    __table_args__ = (PrimaryKeyConstraint("district_code", "category", "supplier_id", "since"),)

    district_code: str = Field(foreign_key="region.code")
    category: str
    supplier_id: int = Field(sa_type=BigInteger)
    since: date
    until: date


class CertifiedStockCounty(SQLModel, table=True):
    """When a county was counted, and from which moment on that no longer holds, even if nobody changes anything; null: it always will."""

    __tablename__ = "certified_stock_county"

    district_code: str = Field(primary_key=True, foreign_key="region.code")
    counted_at: datetime = moment()
    holds_until: datetime | None = moment(nullable=True)


class CertifiedStockTouched(SQLModel, table=True):
    """A county of which something changed since it was counted."""

    __tablename__ = "certified_stock_touched"

    id: int = key()
    district_code: str
