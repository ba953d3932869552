"""What the packs of a product cost when its application was handed in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("certification_case", sa.Column("prices_shown", JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("certification_case", "prices_shown")
