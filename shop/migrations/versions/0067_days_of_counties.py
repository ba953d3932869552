"""What the outlets of a county sold, by day and month and their kind; and what waits to be added."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

_FIGURES = ("certified_fen", "other_fen", "resale_fen", "grams")


def _sums(unit: str) -> list[sa.Column[Any]]:
    return [
        sa.Column("region_code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _FIGURES),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("outlets", sa.Integer(), nullable=False),
        sa.Column(unit, sa.Date(), nullable=False),
    ]


def upgrade() -> None:
    for unit in ("day", "month"):
        op.create_table(
            f"county_{unit}",
            *_sums(unit),
            sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f(f"fk_county_{unit}_region_code")),
            sa.PrimaryKeyConstraint(unit, "region_code", "kind", name=op.f(f"pk_county_{unit}")),
        )
        op.create_table(
            f"county_pending_{unit}",
            sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
            *_sums(unit),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_county_pending_{unit}")),
        )
        op.execute(
            f"""
            INSERT INTO county_{unit} ({unit}, region_code, kind, certified_fen, other_fen, resale_fen, grams, lines, outlets)
            SELECT d.{unit}, o.region_code, o.kind, sum(d.certified_fen), sum(d.other_fen), sum(d.resale_fen), sum(d.grams), sum(d.lines),
                   count(*) FILTER (WHERE d.lines > 0)
            FROM outlet_{unit} d JOIN outlet o ON o.id = d.outlet_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            """  # noqa: S608
        )
        op.execute(f"ANALYZE county_{unit}")


def downgrade() -> None:
    for unit in ("month", "day"):
        op.drop_table(f"county_pending_{unit}")
        op.drop_table(f"county_{unit}")
