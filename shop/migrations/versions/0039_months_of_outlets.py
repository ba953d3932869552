"""Sums of an outlet's days by month."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outlet_month",
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("certified_fen", sa.BigInteger(), nullable=False),
        sa.Column("other_fen", sa.BigInteger(), nullable=False),
        sa.Column("resale_fen", sa.BigInteger(), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_outlet_month_outlet_id")),
        sa.PrimaryKeyConstraint("month", "outlet_id", name=op.f("pk_outlet_month")),
    )
    op.execute(
        """
        INSERT INTO outlet_month (outlet_id, month, certified_fen, other_fen, resale_fen, grams, lines)
        SELECT outlet_id, date_trunc('month', day::timestamp)::date, sum(certified_fen), sum(other_fen), sum(resale_fen), sum(grams), sum(lines)
        FROM outlet_day GROUP BY 2, 1 ORDER BY 2, 1
        """
    )


def downgrade() -> None:
    op.drop_table("outlet_month")
