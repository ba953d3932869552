"""Rollups of the sales ledger.

Every committed entry is either in ``sale_entry_pending`` (a trigger puts it there) or in all rollups; moving it from the one to the others is
one transaction, so any snapshot sees each entry exactly once: figures = rollups + pending entries.
"""

from datetime import date

from sqlalchemy import BigInteger, Index, PrimaryKeyConstraint
from sqlmodel import Field, SQLModel

from shop.core.db import ref


class SaleEntryPending(SQLModel, table=True):
    """Entries that no rollup holds yet."""

    __tablename__ = "sale_entry_pending"

    entry_id: int = ref("sale_entry.id", primary_key=True)


class _Sums(SQLModel):
    amount_fen: int = Field(sa_type=BigInteger)
    grams: int = Field(sa_type=BigInteger)
    entries: int = Field(sa_type=BigInteger)


class _Channel(SQLModel):
    district_code: str
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


class SalesMonth(_Sums, _Detail, table=True):
    __tablename__ = "sales_month"
    __table_args__ = (PrimaryKeyConstraint("month", "district_code", "mode", "relation", "channel", "category", "buyer_kind"),)

    month: date


class SalesDay(_Sums, _Detail, table=True):
    """For the days of a month that a period does not hold whole."""

    __tablename__ = "sales_day"
    __table_args__ = (PrimaryKeyConstraint("day", "district_code", "mode", "relation", "channel", "category", "buyer_kind"),)

    day: date


class SalesSupplierMonth(_Sums, _Detail, table=True):
    __tablename__ = "sales_supplier_month"
    __table_args__ = (
        PrimaryKeyConstraint("month", "supplier_id", "district_code", "mode", "relation", "channel", "category", "buyer_kind"),
        Index(None, "supplier_id", "month"),
    )

    month: date
    supplier_id: int = ref("organisation.id")
