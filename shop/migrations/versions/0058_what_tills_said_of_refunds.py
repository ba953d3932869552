"""What tills said of refunds beside what was booked of them, and refunds by their number. What waits for batches of revoked devices is held."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sales_batch_line", sa.Column("told_fen", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_sales_batch_line_refund",
        "sales_batch_line",
        ["outlet_id", "line_id"],
        postgresql_where=sa.text("refunds_line_id IS NOT NULL"),
    )
    op.execute(
        "INSERT INTO outbox_event (name, payload, created_at, next_attempt_at)"
        " SELECT 'outlet_device.revoked', jsonb_build_object('device_id', d.id), now(), now() FROM outlet_device d"
        " WHERE d.revoked_at IS NOT NULL AND EXISTS (SELECT FROM sales_batch b WHERE b.device_id = d.id AND b.status = 'waiting')"
    )


def downgrade() -> None:
    op.drop_index("ix_sales_batch_line_refund", table_name="sales_batch_line")
    op.drop_column("sales_batch_line", "told_fen")
