"""The number of a device whose key was revoked may be given again."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

_NAME = "uq_outlet_device_outlet_id_number"


def upgrade() -> None:
    op.drop_constraint(_NAME, "outlet_device", type_="unique")
    op.create_index(_NAME, "outlet_device", ["outlet_id", "number"], unique=True, postgresql_where=sa.text("revoked_at IS NULL"))


def downgrade() -> None:
    op.drop_index(_NAME, "outlet_device")
    op.execute(
        "UPDATE outlet_device d SET number = d.number || '-' || d.id WHERE d.revoked_at IS NOT NULL AND EXISTS"
        " (SELECT FROM outlet_device o WHERE o.outlet_id = d.outlet_id AND o.number = d.number AND o.id <> d.id)"
    )
    op.create_unique_constraint(_NAME, "outlet_device", ["outlet_id", "number"])
