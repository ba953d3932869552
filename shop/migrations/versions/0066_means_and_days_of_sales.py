"""Rollups of how sales were made and paid by who took part, of channels by kind of buyer, and of days by source, category and kind of buyer."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shop.core import locks

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None

_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "month": sa.Date(),
    "day": sa.Date(),
    "chunk": sa.BigInteger(),
    "certified": sa.Boolean(),
}
_MEANS = ("source", "certified", "kind", "fund_source")
_WAYS = ("mode", "relation", "channel")
_SUMS = ("amount_fen", "gross_fen", "grams", "quantity", "entries")
_OF_MONTHS = "sales_channel_buyer_kind_month"
#: Sums by their primary keys.
_ADDED = {
    _OF_MONTHS: ("month", "direction", "district_code", *_WAYS, "buyer_kind"),
    "sales_buyer_kind_day": ("day", "direction", "district_code", "buyer_kind"),
    "sales_source_day": ("day", "direction", "district_code", *_MEANS),
    "sales_category_day": ("day", "direction", "district_code", "category"),
}
#: Who took part: the columns beside the month, and whom the table holds.
_PRESENCE = {
    "presence_source_month": (("district_code", *_MEANS), ("order", "buyer", "product", "supplier")),
    "presence_source_city_month": (_MEANS, ("order",)),
}
_TAKEN = "counted AND NOT EXISTS (SELECT FROM sale_entry_pending p WHERE p.entry_id = e.id)"


def upgrade() -> None:
    # of what the rollups hold, which nobody adds to meanwhile; entries that wait come with the others
    op.execute(sa.text("SELECT pg_advisory_xact_lock(:key)").bindparams(key=locks.number("statistics.refresh")))
    op.execute("SET LOCAL work_mem = '512MB'")
    for table, keys in _ADDED.items():
        op.create_table(
            table,
            *(sa.Column(key, _TYPES.get(key, sa.String()), nullable=False) for key in keys),
            *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("amount_fen", "gross_fen", "grams")),
            sa.Column("quantity", sa.Numeric(20, 3), nullable=False),
            sa.Column("entries", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{table}")),
        )
        _add_up(table, keys)
        op.execute(f"ANALYZE {table}")
    for table, (columns, members) in _PRESENCE.items():
        keys = ("member", "month", *columns, "chunk")
        op.create_table(
            table,
            *(sa.Column(key, _TYPES.get(key, sa.String()), nullable=False) for key in keys),
            sa.Column("bits", postgresql.BIT(4096), nullable=False),
            sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{table}")),
        )
        for member in members:
            _take_part(table, columns, member)
        op.execute(f"ANALYZE {table}")
    op.create_index(op.f("ix_sales_region_month_buyer_region_code_month"), "sales_region_month", ["buyer_region_code", "month"])


def _add_up(table: str, keys: tuple[str, ...]) -> None:
    names, sums = ", ".join(keys), ", ".join(f"sum({name})" for name in _SUMS)
    if table == _OF_MONTHS:
        source = "sales_month"
    else:
        gross = "CASE WHEN origin_kind IN ('acceptance_line', 'history', 'outlet_line', 'external_line') THEN amount_fen ELSE 0 END"
        source = f"(SELECT *, sold_on AS day, {gross} AS gross_fen, 1 AS entries FROM sale_entry e WHERE {_TAKEN}) AS entry"  # noqa: S608
    op.execute(
        f"""
        INSERT INTO {table} ({names}, {", ".join(_SUMS)})
        SELECT {names}, {sums} FROM {source} GROUP BY {names} ORDER BY {names}
        """  # noqa: S608
    )


def _take_part(table: str, columns: tuple[str, ...], member: str) -> None:
    """Members as bits of words first: whole numbers are united in a tenth of the time of bitmaps."""
    names = ", ".join(("month", *columns))
    op.execute(
        f"""
        INSERT INTO {table} (member, {names}, chunk, bits)
        SELECT '{member}', {names}, word / 64, bit_or(bits::bit(64)::bit(4096) >> (64 * (word % 64))::int) FROM (
            SELECT {names}, {member}_id / 64 AS word, bit_or(1::bigint << (63 - {member}_id % 64)::int) AS bits FROM sale_entry e
            WHERE {_TAKEN} AND direction = 'purchase' AND origin_kind NOT IN ('correction', 'release', 'acceptance_correction')
              AND {member}_id IS NOT NULL
            GROUP BY {names}, {member}_id / 64) AS words
        GROUP BY {names}, word / 64
        """  # noqa: S608
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_sales_region_month_buyer_region_code_month"), table_name="sales_region_month")
    for table in (*_ADDED, *_PRESENCE):
        op.drop_table(table)
