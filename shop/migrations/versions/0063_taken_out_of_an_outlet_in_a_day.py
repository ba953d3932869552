"""What was taken out of an outlet's figures on a day without a second person: many small withdrawals are one large one."""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

_SOME = sa.text("taken_out_on IS NOT NULL")


def upgrade() -> None:
    op.add_column("sales_batch", sa.Column("taken_out_fen", sa.BigInteger(), nullable=True))
    op.add_column("sales_batch", sa.Column("taken_out_on", sa.Date(), nullable=True))
    told = "num_nulls(taken_out_fen, taken_out_on) <> 1 AND taken_out_fen > 0"
    op.create_check_constraint(op.f("ck_sales_batch_taken_out"), "sales_batch", told)
    op.create_index(
        op.f("ix_sales_batch_outlet_id_taken_out_on"), "sales_batch", ["outlet_id", "taken_out_on"], postgresql_where=_SOME
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_sales_batch_outlet_id_taken_out_on"), "sales_batch")
    op.drop_constraint(op.f("ck_sales_batch_taken_out"), "sales_batch")
    op.drop_column("sales_batch", "taken_out_on")
    op.drop_column("sales_batch", "taken_out_fen")
