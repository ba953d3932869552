"""What is sold by a unit of weight weighs that unit, and only services are sold by units of services.

Packs that say otherwise are counted by the piece from now on. Their weight stays: quantities, prices, tonnes and ceilings went by it, so nothing
that was ordered or booked moves.
"""

from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

_UNIT = """CASE WHEN unit = 'kg' THEN net_grams IS NOT DISTINCT FROM 1000
    WHEN unit IN ('person','room_night','ticket') THEN net_grams IS NULL ELSE true END"""


def upgrade() -> None:
    unit = "CASE WHEN net_grams IS NULL THEN 'portion' ELSE 'piece' END"
    op.execute(f"UPDATE sku SET unit = {unit}, version = version + 1 WHERE NOT ({_UNIT})")  # noqa: S608
    op.create_check_constraint(op.f("ck_sku_unit"), "sku", _UNIT)


def downgrade() -> None:
    op.drop_constraint(op.f("ck_sku_unit"), "sku")
