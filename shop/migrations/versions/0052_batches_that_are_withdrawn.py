"""Batches that should never have been sent are withdrawn: by a correction without lines, or with their file."""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

_STATUSES = "'accepted','waiting','held','replaced','void'"


def upgrade() -> None:
    for name in ("status", "line_count"):
        op.drop_constraint(op.f(f"ck_sales_batch_{name}"), "sales_batch", type_="check")
    for column in ("first_sold_at", "last_sold_at"):
        op.alter_column("sales_batch", column, nullable=True)
    op.create_check_constraint(op.f("ck_sales_batch_status"), "sales_batch", f"status IN ({_STATUSES},'withdrawn')")
    # what was taken back with its file was told as replaced, though nothing stands in its place
    op.execute(
        """
        UPDATE sales_batch b SET status = 'withdrawn'
        WHERE way = 'file' AND status = 'replaced' AND NOT EXISTS (SELECT FROM sales_batch c WHERE c.replaces_id = b.id AND c.status <> 'void')
        """
    )
    op.create_check_constraint(
        op.f("ck_sales_batch_line_count"), "sales_batch", "line_count > 0 OR line_count = 0 AND corrects IS NOT NULL"
    )
    op.create_check_constraint(
        op.f("ck_sales_batch_sold_at"),
        "sales_batch",
        "num_nulls(first_sold_at, last_sold_at) = CASE WHEN line_count > 0 THEN 0 ELSE 2 END",
    )


def downgrade() -> None:
    for name in ("sold_at", "line_count", "status"):
        op.drop_constraint(op.f(f"ck_sales_batch_{name}"), "sales_batch", type_="check")
    op.execute("UPDATE sales_batch SET status = 'replaced' WHERE status = 'withdrawn'")
    op.execute("UPDATE sales_batch SET first_sold_at = received_at, last_sold_at = received_at WHERE line_count = 0")
    op.create_check_constraint(op.f("ck_sales_batch_status"), "sales_batch", f"status IN ({_STATUSES})")
    # what has no lines stays in the chain of its device
    op.create_check_constraint(op.f("ck_sales_batch_line_count"), "sales_batch", "line_count > 0", postgresql_not_valid=True)
    for column in ("last_sold_at", "first_sold_at"):
        op.alter_column("sales_batch", column, nullable=False)
