"""A proposed change of an agreement says which caps its schedule would pass; of those that were proposed before nobody looked."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    warnings = sa.Column("schedule_warnings", postgresql.JSONB(), nullable=False, server_default="[]")
    op.add_column("agreement_change", warnings)


def downgrade() -> None:
    op.drop_column("agreement_change", "schedule_warnings")
