"""The API may have the statistics of what outlets sold made anew, though it does not own the table."""

from alembic import op

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None

_ANALYZE = """
    CREATE FUNCTION analyze_sales_batch_line() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
        ANALYZE public.sales_batch_line;
    END $$
"""


def upgrade() -> None:
    op.execute(_ANALYZE)


def downgrade() -> None:
    op.execute("DROP FUNCTION analyze_sales_batch_line()")
