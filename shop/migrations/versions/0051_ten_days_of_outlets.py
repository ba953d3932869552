"""Sums of an outlet's days by ten days."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outlet_ten_days",
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("certified_fen", sa.BigInteger(), nullable=False),
        sa.Column("other_fen", sa.BigInteger(), nullable=False),
        sa.Column("resale_fen", sa.BigInteger(), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("ten_days", sa.Date(), nullable=False),
        sa.CheckConstraint("extract(day FROM ten_days) IN (1, 11, 21)", name=op.f("ck_outlet_ten_days_first_day")),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_outlet_ten_days_outlet_id")),
        sa.PrimaryKeyConstraint("ten_days", "outlet_id", name=op.f("pk_outlet_ten_days")),
    )
    op.execute(
        """
        INSERT INTO outlet_ten_days (outlet_id, ten_days, certified_fen, other_fen, resale_fen, grams, lines)
        SELECT outlet_id, date_trunc('month', day::timestamp)::date + 10 * least((extract(day FROM day)::int - 1) / 10, 2), sum(certified_fen),
               sum(other_fen), sum(resale_fen), sum(grams), sum(lines)
        FROM outlet_day GROUP BY 2, 1 ORDER BY 2, 1
        """
    )
    op.execute("ANALYZE outlet_ten_days")


def downgrade() -> None:
    op.drop_table("outlet_ten_days")
