"""What is certified now, kept by county.

Every committed change of a county's certificates, their measures, their products' categories or the lists of people behind them leaves a row in
``certified_stock_touched`` (triggers put it there). Who counts a county anew takes these rows away in the same transaction. So what is kept of a
county holds as long as none waits and the moment has not come at which a certificate begins or ends by itself; until then whoever reads counts that
county from its lists. ``catalog/monitoring/queries/stock.py`` reads, ``catalog/monitoring/actions/recounting.py`` counts.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment


class CertifiedStock(SQLModel, table=True):
    """Certificates in force in a county, of a category; of all of them where it is empty: there each household and person counts once."""

    __tablename__ = "certified_stock"
    __table_args__ = (PrimaryKeyConstraint("district_code", "category"),)

    district_code: str = Field(foreign_key="region.code")
    category: str
    certificates: int = Field(sa_type=BigInteger)
    products: int = Field(sa_type=BigInteger)
    #: Who has them: one may have some in several counties.
    supplier_ids: list[int] = Field(sa_column=Column(ARRAY(BIGINT), nullable=False))
    households_stated: int = Field(sa_type=BigInteger)
    persons_stated: int = Field(sa_type=BigInteger)
    households_listed: int = Field(sa_type=BigInteger)
    persons_listed: int = Field(sa_type=BigInteger)
    # what the bands in which single certificates are told come to, see catalog/monitoring/queries/stock.py
    households_least: int = Field(sa_type=BigInteger)
    households_most: int = Field(sa_type=BigInteger)
    persons_least: int = Field(sa_type=BigInteger)
    persons_most: int = Field(sa_type=BigInteger)


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
