"""Rollups by direction, source, place, product, buyer and outlet, before returns too, and by the day on which sales became known; who took part by day."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "month": sa.Date(),
    "day": sa.Date(),
    "known_on": sa.Date(),
    "year": sa.Integer(),
    "buyer_id": sa.BigInteger(),
    "outlet_id": sa.BigInteger(),
    "product_id": sa.BigInteger(),
    "supplier_id": sa.BigInteger(),
    "chunk": sa.BigInteger(),
    "certified": sa.Boolean(),
    "reserved_share_eligible": sa.Boolean(),
}
_WAYS = ("mode", "relation", "channel")
_FUNDS = ("year", "buyer_id", "fund_source", "certified", "reserved_share_eligible")
#: Rollups of sums by their primary keys.
_BEFORE = {
    "sales_buyer_kind_month": ("month", "district_code", "buyer_kind"),
    "sales_category_month": ("month", "district_code", "category"),
    "sales_district_month": ("month", "district_code", *_WAYS),
    "sales_supplier_month": ("month", "supplier_id", "district_code", "category"),
    "sales_month": ("month", "district_code", *_WAYS, "category", "buyer_kind"),
    "sales_day": ("day", "district_code", *_WAYS),
    "sales_fund_year": _FUNDS,
}
_AFTER = {
    "sales_buyer_kind_month": ("month", "direction", "district_code", "buyer_kind"),
    "sales_category_month": ("month", "direction", "district_code", "category"),
    "sales_district_month": ("month", "direction", "district_code", *_WAYS),
    "sales_source_month": ("month", "direction", "district_code", "source", "certified", "kind", "fund_source"),
    "sales_place_month": ("month", "direction", "district_code", "township_code", "village_code", "certified"),
    "sales_buyer_month": ("month", "direction", "buyer_id", "buyer_kind", "buyer_region_code"),
    "sales_outlet_month": ("month", "direction", "outlet_id", "district_code"),
    "sales_supplier_month": ("month", "direction", "supplier_id", "district_code", "category"),
    "sales_product_month": ("month", "direction", "product_id", "supplier_id", "district_code", "category", "kind"),
    "sales_month": (
        *("month", "direction", "district_code", *_WAYS, "source", "kind", "category", "certified", "buyer_kind", "fund_source"),
    ),
    "sales_day": ("day", "direction", "district_code", *_WAYS),
    "sales_known": ("known_on", "month", "direction", "district_code", *_WAYS),
    "sales_fund_year": _FUNDS,
}
#: Who took part by day.
_DAYS = {"presence_day": ("member", "day", "chunk"), "presence_district_day": ("member", "day", "district_code", "chunk")}
_COUNTED = (
    *("presence_month", "presence_buyer_kind_city_month", "presence_channel_city_month", "presence_category_city_month"),
    *("presence_district_month", "presence_buyer_kind_month", "presence_channel_month", "presence_category_month"),
    *("orders_district_month", "orders_buyer_kind_month", "orders_channel_month", "orders_category_month"),
)


def _replace(old: dict[str, tuple[str, ...]], new: dict[str, tuple[str, ...]], sums: tuple[str, ...]) -> None:
    """Rollups are made again from the ledger: all its entries that count wait from now on, and figures stay exact meanwhile."""
    for table in old:
        op.drop_table(table)
    for table, keys in new.items():
        op.create_table(
            table,
            *(sa.Column(key, _TYPES.get(key, sa.String()), nullable=False) for key in keys),
            *(sa.Column(name, sa.BigInteger(), nullable=False) for name in sums),
            sa.Column("quantity", sa.Numeric(20, 3), nullable=False),
            sa.Column("entries", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{table}")),
        )
    op.execute(f"TRUNCATE {', '.join(_COUNTED)}")
    op.execute("INSERT INTO sale_entry_pending (entry_id) SELECT id FROM sale_entry WHERE counted ON CONFLICT DO NOTHING")


def upgrade() -> None:
    for table, keys in _DAYS.items():
        op.create_table(
            table,
            *(sa.Column(key, _TYPES.get(key, sa.String()), nullable=False) for key in keys),
            sa.Column("bits", postgresql.BIT(4096), nullable=False),
            sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{table}")),
        )
    op.create_index(op.f("ix_orders_category_month_cells"), "orders_category_month", ["cells"], postgresql_using="gin")
    _replace(_BEFORE, _AFTER, ("amount_fen", "gross_fen", "grams"))


def downgrade() -> None:
    op.drop_index(op.f("ix_orders_category_month_cells"), table_name="orders_category_month")
    for table in _DAYS:
        op.drop_table(table)
    _replace(_AFTER, _BEFORE, ("amount_fen", "grams"))
