"""Rollups of the sales ledger.

Every committed entry is either in ``sale_entry_pending`` (a trigger puts it there) or in all rollups; moving it from the one to the others is
one transaction, so any snapshot sees each entry exactly once: figures = rollups + pending entries.

``sales_…`` tables hold sums. ``presence_…`` tables hold who took part, as bitmaps: bit ``id % 4096`` of chunk ``id / 4096`` is set for every
order, buyer, product and supplier with a sale in the cell. The union of bitmaps counts nobody twice, over any choice of cells and months.
``orders_…`` tables hold how many orders a district has in a month, by the set of cells (categories, say) in which an order has sales there:
the orders with fruit or tea are those of all sets that hold one of the two. So a panel by district and month costs the same however many
orders there are.
``orders/statistics/cubes.py`` says which table answers which question.
"""

from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, Numeric, PrimaryKeyConstraint, Text
from sqlalchemy.dialects.postgresql import ARRAY, BIT
from sqlmodel import Field, SQLModel

#: Members in one bitmap.
CHUNK = 4096


class SaleEntryPending(SQLModel, table=True):
    """Entries that no rollup holds yet. Without a foreign key: entries are never deleted, and each sale would pay for the check."""

    __tablename__ = "sale_entry_pending"

    entry_id: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})


class _Sums(SQLModel):
    amount_fen: int = Field(sa_type=BigInteger)
    grams: int = Field(sa_type=BigInteger)
    quantity: Decimal = Field(sa_type=Numeric(20, 3))
    entries: int = Field(sa_type=BigInteger)


class _Present(SQLModel):
    #: order, buyer, product or supplier.
    member: str
    chunk: int = Field(sa_type=BigInteger)
    bits: str = Field(sa_type=BIT(CHUNK))


class _District(SQLModel):
    district_code: str


class _Channel(_District):
    mode: str
    relation: str
    channel: str


class _Detail(_Channel):
    category: str
    buyer_kind: str


class SalesDistrictMonth(_Sums, _Channel, table=True):
    """Small enough for every dashboard panel."""

    __tablename__ = "sales_district_month"
    __table_args__ = (PrimaryKeyConstraint("month", "district_code", "mode", "relation", "channel"),)

    month: date


class SalesCategoryMonth(_Sums, _District, table=True):
    __tablename__ = "sales_category_month"
    __table_args__ = (PrimaryKeyConstraint("month", "district_code", "category"),)

    month: date
    category: str


class SalesBuyerKindMonth(_Sums, _District, table=True):
    __tablename__ = "sales_buyer_kind_month"
    __table_args__ = (PrimaryKeyConstraint("month", "district_code", "buyer_kind"),)

    month: date
    buyer_kind: str


class SalesSupplierMonth(_Sums, _District, table=True):
    __tablename__ = "sales_supplier_month"
    __table_args__ = (PrimaryKeyConstraint("month", "supplier_id", "district_code", "category"),)

    month: date
    supplier_id: int = Field(sa_type=BigInteger)
    category: str


class SalesMonth(_Sums, _Detail, table=True):
    """Any combination of dimensions but the supplier."""

    __tablename__ = "sales_month"
    __table_args__ = (PrimaryKeyConstraint("month", "district_code", "mode", "relation", "channel", "category", "buyer_kind"),)

    month: date


class SalesDay(_Sums, _Channel, table=True):
    """For the days of a month that a period does not hold whole."""

    __tablename__ = "sales_day"
    __table_args__ = (PrimaryKeyConstraint("day", "district_code", "mode", "relation", "channel"),)

    day: date


class SalesFundYear(_Sums, table=True):
    """What each buyer bought in a year, by fund and by what counts: how far its reserved share is filled."""

    __tablename__ = "sales_fund_year"
    __table_args__ = (PrimaryKeyConstraint("year", "buyer_id", "fund_source", "certified", "reserved_share_eligible"),)

    year: int
    buyer_id: int = Field(sa_type=BigInteger)
    fund_source: str
    certified: bool
    reserved_share_eligible: bool


class PresenceMonth(_Present, table=True):
    __tablename__ = "presence_month"
    __table_args__ = (PrimaryKeyConstraint("member", "month", "chunk"),)

    month: date


class PresenceBuyerKindCityMonth(_Present, table=True):
    __tablename__ = "presence_buyer_kind_city_month"
    __table_args__ = (PrimaryKeyConstraint("member", "month", "buyer_kind", "chunk"),)

    month: date
    buyer_kind: str


class PresenceChannelCityMonth(_Present, table=True):
    __tablename__ = "presence_channel_city_month"
    __table_args__ = (PrimaryKeyConstraint("member", "month", "mode", "relation", "channel", "chunk"),)

    month: date
    mode: str
    relation: str
    channel: str


class PresenceCategoryCityMonth(_Present, table=True):
    __tablename__ = "presence_category_city_month"
    __table_args__ = (PrimaryKeyConstraint("member", "month", "category", "chunk"),)

    month: date
    category: str


class PresenceDistrictMonth(_Present, _District, table=True):
    __tablename__ = "presence_district_month"
    __table_args__ = (PrimaryKeyConstraint("member", "month", "district_code", "chunk"),)

    month: date


class PresenceChannelMonth(_Present, _Channel, table=True):
    __tablename__ = "presence_channel_month"
    __table_args__ = (PrimaryKeyConstraint("member", "month", "district_code", "mode", "relation", "channel", "chunk"),)

    month: date


class PresenceCategoryMonth(_Present, _District, table=True):
    __tablename__ = "presence_category_month"
    __table_args__ = (PrimaryKeyConstraint("member", "month", "district_code", "category", "chunk"),)

    month: date
    category: str


class PresenceBuyerKindMonth(_Present, _District, table=True):
    __tablename__ = "presence_buyer_kind_month"
    __table_args__ = (PrimaryKeyConstraint("member", "month", "district_code", "buyer_kind", "chunk"),)

    month: date
    buyer_kind: str


class _Orders(_District):
    month: date
    #: The cells in which the orders have sales in this district and month, in order; such as {fruit,tea}.
    cells: list[str] = Field(sa_type=ARRAY(Text))
    orders: int = Field(sa_type=BigInteger)


class OrdersDistrictMonth(_Orders, table=True):
    __tablename__ = "orders_district_month"
    __table_args__ = (PrimaryKeyConstraint("month", "district_code", "cells"),)


class OrdersBuyerKindMonth(_Orders, table=True):
    __tablename__ = "orders_buyer_kind_month"
    __table_args__ = (PrimaryKeyConstraint("month", "district_code", "cells"),)


class OrdersChannelMonth(_Orders, table=True):
    __tablename__ = "orders_channel_month"
    __table_args__ = (PrimaryKeyConstraint("month", "district_code", "cells"),)


class OrdersCategoryMonth(_Orders, table=True):
    __tablename__ = "orders_category_month"
    __table_args__ = (PrimaryKeyConstraint("month", "district_code", "cells"),)
