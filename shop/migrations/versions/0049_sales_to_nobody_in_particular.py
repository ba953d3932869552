"""Sums by buyer hold what was sold to nobody in particular, too."""

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # of the entries that the rollups hold; those that wait come with the others
    op.execute(
        """
        INSERT INTO sales_buyer_month (month, direction, buyer_id, buyer_kind, buyer_region_code, amount_fen, gross_fen, grams, quantity, entries)
        SELECT month, direction, 0, buyer_kind, buyer_region_code, sum(amount_fen),
               sum(CASE WHEN origin_kind IN ('acceptance_line', 'history', 'outlet_line', 'external_line') THEN amount_fen ELSE 0 END),
               sum(grams), sum(quantity), count(*)
        FROM sale_entry e
        WHERE counted AND buyer_id IS NULL AND NOT EXISTS (SELECT FROM sale_entry_pending p WHERE p.entry_id = e.id)
        GROUP BY month, direction, buyer_kind, buyer_region_code
        """
    )


def downgrade() -> None:
    op.execute("DELETE FROM sales_buyer_month WHERE buyer_id = 0")
