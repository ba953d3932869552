"""What is booked again in the place of what was taken back makes nobody a participant of its month or day."""

from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

_EVERYBODY = ("order", "buyer", "product", "supplier")
_WAYS = ("mode", "relation", "channel")
#: Tables of bitmaps: the time, the columns beside it, whom they hold.
_PRESENCE = {
    "presence_month": ("month", (), ("order",)),
    "presence_buyer_kind_city_month": ("month", ("buyer_kind",), ("order",)),
    "presence_channel_city_month": ("month", _WAYS, ("order",)),
    "presence_category_city_month": ("month", ("category",), ("order",)),
    "presence_district_month": ("month", ("district_code",), _EVERYBODY),
    "presence_buyer_kind_month": ("month", ("district_code", "buyer_kind"), _EVERYBODY),
    "presence_channel_month": ("month", ("district_code", *_WAYS), _EVERYBODY),
    "presence_category_month": ("month", ("district_code", "category"), _EVERYBODY),
    "presence_day": ("day", (), ("order",)),
    "presence_district_day": ("day", ("district_code",), _EVERYBODY),
}
#: Tables of orders by their sets of cells: the columns of a cell.
_ORDERS = {
    "orders_district_month": (),
    "orders_buyer_kind_month": ("buyer_kind",),
    "orders_channel_month": _WAYS,
    "orders_category_month": ("category",),
}
#: Which entries are corrections, after this migration and before it.
_AFTER = "('correction', 'release', 'acceptance_correction')"
_BEFORE = "('correction')"


def upgrade() -> None:
    _make_anew(_AFTER)


def downgrade() -> None:
    _make_anew(_BEFORE)


def _make_anew(corrections: str) -> None:
    """The rollups of the months in which anything was booked again, from the entries that the rollups hold; those that wait come with the others."""
    op.execute(
        """
        CREATE TEMP TABLE month_anew ON COMMIT DROP AS
        SELECT DISTINCT month FROM sale_entry WHERE origin_kind IN ('release', 'acceptance_correction')
        """
    )
    op.execute(
        f"""
        CREATE TEMP TABLE participant ON COMMIT DROP AS
        SELECT month, sold_on AS day, district_code, buyer_kind, category, mode, relation, channel,
               order_id AS "order", buyer_id AS buyer, product_id AS product, supplier_id AS supplier
        FROM sale_entry e JOIN month_anew USING (month)
        WHERE counted AND direction = 'purchase' AND origin_kind NOT IN {corrections}
          AND NOT EXISTS (SELECT FROM sale_entry_pending p WHERE p.entry_id = e.id)
        """  # noqa: S608
    )
    for table, (time, columns, members) in _PRESENCE.items():
        keys = ", ".join((time, *columns))
        each = ", ".join(f"""('{member}', "{member}")""" for member in members)
        op.execute(f"DELETE FROM {table} WHERE date_trunc('month', {time}::timestamp)::date IN (SELECT month FROM month_anew)")  # noqa: S608
        op.execute(
            f"""
            INSERT INTO {table} ({keys}, member, chunk, bits)
            SELECT {keys}, m.member, m.id / 4096, bit_or(set_bit(B'0'::bit(4096), (m.id % 4096)::int, 1))
            FROM participant CROSS JOIN LATERAL (VALUES {each}) AS m (member, id)
            WHERE m.id IS NOT NULL GROUP BY {keys}, m.member, m.id / 4096
            """  # noqa: S608
        )
    for table, columns in _ORDERS.items():
        cell = (f"concat_ws('/', {', '.join(columns)})" if columns else "CAST('' AS text)") + ' COLLATE "C"'
        op.execute(f"DELETE FROM {table} WHERE month IN (SELECT month FROM month_anew)")  # noqa: S608
        op.execute(
            f"""
            INSERT INTO {table} (month, district_code, cells, orders)
            SELECT month, district_code, cells, count(*) FROM (
                SELECT month, district_code, array_agg(DISTINCT {cell} ORDER BY {cell}) AS cells
                FROM participant WHERE "order" IS NOT NULL GROUP BY "order", month, district_code) AS one
            GROUP BY month, district_code, cells
            """  # noqa: S608
        )
