"""Sums of an outlet's months by year."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outlet_year",
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("certified_fen", sa.BigInteger(), nullable=False),
        sa.Column("other_fen", sa.BigInteger(), nullable=False),
        sa.Column("resale_fen", sa.BigInteger(), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_outlet_year_outlet_id")),
        sa.PrimaryKeyConstraint("year", "outlet_id", name=op.f("pk_outlet_year")),
    )
    op.execute(
        """
        INSERT INTO outlet_year (outlet_id, year, certified_fen, other_fen, resale_fen, grams, lines)
        SELECT outlet_id, extract(year FROM month)::int, sum(certified_fen), sum(other_fen), sum(resale_fen), sum(grams), sum(lines)
        FROM outlet_month GROUP BY 2, 1 ORDER BY 2, 1
        """
    )
    op.execute("ANALYZE outlet_year")


def downgrade() -> None:
    op.drop_table("outlet_year")
