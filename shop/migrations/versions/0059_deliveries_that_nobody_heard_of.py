"""Why an answer of a schedule reached nobody."""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("export_delivery", sa.Column("fault", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("export_delivery", "fault")
