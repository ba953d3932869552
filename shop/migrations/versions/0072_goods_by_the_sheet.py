"""Goods are counted by the 张, too, such as vouchers for a box of fruit or mats; until now only services were."""

from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

_UNIT = """CASE WHEN unit = 'kg' THEN net_grams IS NOT DISTINCT FROM 1000
    WHEN unit IN ({}) THEN net_grams IS NULL ELSE true END"""


def upgrade() -> None:
    op.drop_constraint(op.f("ck_sku_unit"), "sku")
    op.create_check_constraint(op.f("ck_sku_unit"), "sku", _UNIT.format("'person','room_night'"))


def downgrade() -> None:
    op.execute("UPDATE sku SET unit = 'piece', version = version + 1 WHERE unit = 'ticket' AND net_grams IS NOT NULL")
    op.drop_constraint(op.f("ck_sku_unit"), "sku")
    op.create_check_constraint(op.f("ck_sku_unit"), "sku", _UNIT.format("'person','room_night','ticket'"))
