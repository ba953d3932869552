"""Rollups of the sales ledger.

Every committed entry is either in ``sale_entry_pending`` (a trigger puts it there) or in all rollups; moving it from the one to the others is
one transaction, so any snapshot sees each entry exactly once: figures = rollups + pending entries.

``sales_…`` tables hold sums. ``presence_…`` tables hold who took part in a month or on a day, as bitmaps: bit ``id % 4096`` of chunk ``id / 4096`` is set for every
order, buyer, product and supplier with a sale in the cell. The union of bitmaps counts nobody twice, over any choice of cells and months.
``orders_…`` tables hold how many orders a district has in a month, by the set of cells (categories, say) in which an order has sales there:
the orders with fruit or tea are those of all sets that hold one of the two. So a panel by district and month costs the same however many
orders there are.
``orders/statistics/cubes.py`` says which table answers which question.
"""

from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, Index, Numeric, PrimaryKeyConstraint, Text
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
    #: Before returns and corrections.
    gross_fen: int = Field(sa_type=BigInteger)
    grams: int = Field(sa_type=BigInteger)
    quantity: Decimal = Field(sa_type=Numeric(20, 3))
    entries: int = Field(sa_type=BigInteger)


class _Directed(_Sums):
    #: purchase or helped_sale.
    direction: str


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


class _Means(SQLModel):
    """By what goods were sold, and by what they were paid."""

    source: str
    certified: bool
    kind: str
    fund_source: str


class SalesDistrictMonth(_Directed, _Channel, table=True):
    """Small enough for every dashboard panel."""

    __tablename__ = "sales_district_month"
    __table_args__ = (PrimaryKeyConstraint("month", "direction", "district_code", "mode", "relation", "channel"),)

    month: date


class SalesCategoryMonth(_Directed, _District, table=True):
    __tablename__ = "sales_category_month"
    __table_args__ = (PrimaryKeyConstraint("month", "direction", "district_code", "category"),)

    month: date
    category: str


class SalesBuyerKindMonth(_Directed, _District, table=True):
    __tablename__ = "sales_buyer_kind_month"
    __table_args__ = (PrimaryKeyConstraint("month", "direction", "district_code", "buyer_kind"),)

    month: date
    buyer_kind: str


class SalesSourceMonth(_Directed, _District, _Means, table=True):
    __tablename__ = "sales_source_month"
    __table_args__ = (PrimaryKeyConstraint("month", "direction", "district_code", "source", "certified", "kind", "fund_source"),)

    month: date


class SalesPlaceMonth(_Directed, _District, table=True):
    """Townships and villages of origin; empty where none is known."""

    __tablename__ = "sales_place_month"
    __table_args__ = (PrimaryKeyConstraint("month", "direction", "district_code", "township_code", "village_code", "certified"),)

    month: date
    township_code: str
    village_code: str
    certified: bool


class SalesPlaceYear(_Directed, _District, table=True):
    """The same by year: a village has many months."""

    __tablename__ = "sales_place_year"
    __table_args__ = (PrimaryKeyConstraint("year", "direction", "district_code", "township_code", "village_code"),)

    year: int
    township_code: str
    village_code: str


class SalesRegionMonth(_Directed, _District, table=True):
    """From where to where: districts of origin, and regions of those who bought."""

    __tablename__ = "sales_region_month"
    __table_args__ = (
        PrimaryKeyConstraint("month", "direction", "district_code", "buyer_region_code", "kind"),
        Index(None, "buyer_region_code", "month"),
    )

    month: date
    buyer_region_code: str
    kind: str


class SalesBuyerMonth(_Directed, table=True):
    __tablename__ = "sales_buyer_month"
    __table_args__ = (PrimaryKeyConstraint("month", "direction", "buyer_id", "buyer_kind", "buyer_region_code"),)

    month: date
    buyer_id: int = Field(sa_type=BigInteger)
    buyer_kind: str
    buyer_region_code: str


class SalesOutletMonth(_Directed, _District, table=True):
    """0: sold elsewhere than at an outlet."""

    __tablename__ = "sales_outlet_month"
    __table_args__ = (PrimaryKeyConstraint("month", "direction", "outlet_id", "district_code"),)

    month: date
    outlet_id: int = Field(sa_type=BigInteger)


class SalesSupplierMonth(_Directed, _District, table=True):
    __tablename__ = "sales_supplier_month"
    __table_args__ = (PrimaryKeyConstraint("month", "direction", "supplier_id", "district_code", "category"),)

    month: date
    supplier_id: int = Field(sa_type=BigInteger)
    category: str


class SalesProductMonth(_Directed, _District, table=True):
    __tablename__ = "sales_product_month"
    __table_args__ = (PrimaryKeyConstraint("month", "direction", "product_id", "supplier_id", "district_code", "category", "kind"),)

    month: date
    product_id: int = Field(sa_type=BigInteger)
    supplier_id: int = Field(sa_type=BigInteger)
    category: str
    kind: str


class SalesChannelBuyerKindMonth(_Directed, _Channel, table=True):
    """Ways by who bought: the two that are most often asked for together."""

    __tablename__ = "sales_channel_buyer_kind_month"
    __table_args__ = (PrimaryKeyConstraint("month", "direction", "district_code", "mode", "relation", "channel", "buyer_kind"),)

    month: date
    buyer_kind: str


class SalesMonth(_Directed, _Channel, table=True):
    """Any combination of dimensions that does not name anybody."""

    __tablename__ = "sales_month"
    __table_args__ = (
        PrimaryKeyConstraint(
            *("month", "direction", "district_code", "mode", "relation", "channel", "source", "kind", "category"),
            *("certified", "buyer_kind", "fund_source"),
        ),
    )

    month: date
    source: str
    kind: str
    category: str
    certified: bool
    buyer_kind: str
    fund_source: str


class SalesDay(_Directed, _Channel, table=True):
    """For the days of a month that a period does not hold whole."""

    __tablename__ = "sales_day"
    __table_args__ = (PrimaryKeyConstraint("day", "direction", "district_code", "mode", "relation", "channel"),)

    day: date


class SalesBuyerKindDay(_Directed, _District, table=True):
    __tablename__ = "sales_buyer_kind_day"
    __table_args__ = (PrimaryKeyConstraint("day", "direction", "district_code", "buyer_kind"),)

    day: date
    buyer_kind: str


class SalesSourceDay(_Directed, _District, _Means, table=True):
    __tablename__ = "sales_source_day"
    __table_args__ = (PrimaryKeyConstraint("day", "direction", "district_code", "source", "certified", "kind", "fund_source"),)

    day: date


class SalesCategoryDay(_Directed, _District, table=True):
    __tablename__ = "sales_category_day"
    __table_args__ = (PrimaryKeyConstraint("day", "direction", "district_code", "category"),)

    day: date
    category: str


class SalesKnown(_Directed, _Channel, table=True):
    """What became known on a day, by the month in which it counts: figures as they were known at the end of any day."""

    __tablename__ = "sales_known"
    __table_args__ = (PrimaryKeyConstraint("known_on", "month", "direction", "district_code", "mode", "relation", "channel"),)

    known_on: date
    month: date


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


class PresenceSourceCityMonth(_Present, _Means, table=True):
    __tablename__ = "presence_source_city_month"
    __table_args__ = (PrimaryKeyConstraint("member", "month", "source", "certified", "kind", "fund_source", "chunk"),)

    month: date


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


class PresenceSourceMonth(_Present, _District, _Means, table=True):
    __tablename__ = "presence_source_month"
    __table_args__ = (
        PrimaryKeyConstraint("member", "month", "district_code", "source", "certified", "kind", "fund_source", "chunk"),
    )

    month: date


class PresenceBuyerKindMonth(_Present, _District, table=True):
    __tablename__ = "presence_buyer_kind_month"
    __table_args__ = (PrimaryKeyConstraint("member", "month", "district_code", "buyer_kind", "chunk"),)

    month: date
    buyer_kind: str


class PresenceDay(_Present, table=True):
    __tablename__ = "presence_day"
    __table_args__ = (PrimaryKeyConstraint("member", "day", "chunk"),)

    day: date


class PresenceDistrictDay(_Present, _District, table=True):
    __tablename__ = "presence_district_day"
    __table_args__ = (PrimaryKeyConstraint("member", "day", "district_code", "chunk"),)

    day: date


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
    # there are many sets of categories, and few that hold a certain one
    __table_args__ = (PrimaryKeyConstraint("month", "district_code", "cells"), Index(None, "cells", postgresql_using="gin"))
