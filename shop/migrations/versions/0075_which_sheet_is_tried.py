"""Which sheet of a file of sales is tried."""

import sqlalchemy as sa
from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sales_trial", sa.Column("sheet", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("sales_trial", "sheet")
