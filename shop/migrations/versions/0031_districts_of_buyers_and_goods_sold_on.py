"""Entries name the district of a buyer that is registered in a township; goods sold on are found by product."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_ADDED = {
    "amount_fen": "sum(e.amount_fen)",
    "gross_fen": "sum(CASE WHEN e.origin_kind IN ('acceptance_line','history','outlet_line','external_line') THEN e.amount_fen ELSE 0 END)",
    "grams": "sum(e.grams)",
    "quantity": "sum(e.quantity)",
    "entries": "count(*)",
}
_ROLLUPS = {
    "sales_region_month": ("month", "direction", "district_code", "buyer_region_code", "kind"),
    "sales_buyer_month": ("month", "direction", "buyer_id", "buyer_kind", "buyer_region_code"),
}


def upgrade() -> None:
    op.create_index(
        "ix_sales_batch_line_resale",
        "sales_batch_line",
        ["product_id", "outlet_id"],
        unique=False,
        postgresql_where=sa.text("status = 'resale'"),
    )
    _name_districts()
    op.create_check_constraint(op.f("ck_sale_entry_buyer_region_code"), "sale_entry", "length(buyer_region_code) = 6")
    _sum_batches()


def _name_districts() -> None:
    """What was booked for a buyer in a township stands in its district, or what that was merged into by the day of the sale, with all that was
    taken back or released of it; rollups follow."""
    op.execute(
        """
        CREATE TEMP TABLE moved AS
        WITH RECURSIVE chain AS (
            SELECT e.id, CASE WHEN r.valid_to <= coalesce(e.occurred_on, e.sold_on) THEN coalesce(r.successor_code, r.code) ELSE r.code END AS code
            FROM sale_entry e JOIN region r ON r.code = left(e.buyer_region_code, 6)
            WHERE length(e.buyer_region_code) > 6 AND e.reverses_id IS NULL AND e.origin_kind <> 'release'
            UNION ALL
            SELECT n.id, chain.code FROM chain CROSS JOIN LATERAL (
                SELECT id FROM sale_entry WHERE reverses_id = chain.id
                UNION ALL SELECT id FROM sale_entry WHERE origin_kind = 'release' AND origin_id = chain.id) n
        )
        SELECT id, code FROM chain
        """
    )
    op.execute("ALTER TABLE sale_entry DISABLE TRIGGER append_only")
    op.execute("UPDATE sale_entry e SET buyer_region_code = m.code FROM moved m WHERE m.id = e.id")
    op.execute("ALTER TABLE sale_entry ENABLE TRIGGER append_only")
    for table, keys in _ROLLUPS.items():
        columns = ", ".join(keys)
        sums = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in _ADDED)
        known = "AND buyer_id IS NOT NULL" if "buyer_id" in keys else ""
        op.execute(f"DELETE FROM {table} WHERE length(buyer_region_code) > 6")  # noqa: S608
        op.execute(
            f"INSERT INTO {table} AS t ({columns}, {', '.join(_ADDED)}) SELECT {columns}, {', '.join(_ADDED.values())}"  # noqa: S608
            f" FROM sale_entry e JOIN moved m USING (id) WHERE e.counted {known}"
            " AND NOT EXISTS (SELECT FROM sale_entry_pending p WHERE p.entry_id = e.id)"
            f" GROUP BY {columns} ON CONFLICT ({columns}) DO UPDATE SET {sums}"
        )
    op.execute("DROP TABLE moved")


def _sum_batches() -> None:
    """Batches of which a line was held and counted by an officer say what all of their lines sold."""
    op.execute(
        """
        UPDATE sales_batch b SET certified_fen = t.certified, other_fen = t.total - t.certified
        FROM (SELECT l.batch_id, sum(l.amount_fen) AS total, coalesce(sum(l.amount_fen) FILTER (WHERE l.status IN ('counted', 'resale')), 0) AS certified
              FROM sales_batch_line l
              WHERE l.refunds_line_id IS NULL AND l.batch_id IN (
                  SELECT held.batch_id FROM counting_hold h JOIN sales_batch_line held ON held.id = h.subject_id
                  WHERE h.subject_kind = 'sales_batch_line' AND h.status = 'counted')
              GROUP BY l.batch_id) t
        WHERE b.id = t.batch_id AND b.status = 'accepted'
        """
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_sale_entry_buyer_region_code"), "sale_entry", type_="check")
    op.drop_index("ix_sales_batch_line_resale", table_name="sales_batch_line", postgresql_where=sa.text("status = 'resale'"))
