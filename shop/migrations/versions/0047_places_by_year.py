"""Sums of townships and villages by year."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

_TABLE = "sales_place_year"
_KEYS = "direction, district_code, township_code, village_code"
_SUMS = ("amount_fen", "gross_fen", "grams", "quantity", "entries")


def upgrade() -> None:
    op.create_table(
        _TABLE,
        *(sa.Column(name, sa.Numeric(20, 3) if name == "quantity" else sa.BigInteger(), nullable=False) for name in _SUMS),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("district_code", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("township_code", sa.String(), nullable=False),
        sa.Column("village_code", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("year", *_KEYS.split(", "), name=op.f(f"pk_{_TABLE}")),
    )
    # what the months hold, the years hold, too; entries that wait are taken over into both
    op.execute(
        f"""
        INSERT INTO {_TABLE} (year, {_KEYS}, {", ".join(_SUMS)})
        SELECT extract(year FROM month)::int, {_KEYS}, {", ".join(f"sum({name})" for name in _SUMS)}
        FROM sales_place_month GROUP BY 1, {_KEYS}
        """  # noqa: S608
    )
    op.execute(f"ANALYZE {_TABLE}")


def downgrade() -> None:
    op.drop_table(_TABLE)
