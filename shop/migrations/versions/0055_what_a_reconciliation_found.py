"""What each check of a reconciliation found, beside how much."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reconciliation", sa.Column("findings", JSONB(), server_default="[]", nullable=False))


def downgrade() -> None:
    op.drop_column("reconciliation", "findings")
