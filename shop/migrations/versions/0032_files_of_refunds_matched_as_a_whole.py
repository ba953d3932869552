"""A file of refunds that a line of the bank shows as a whole."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bank_match", sa.Column("refund_file_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_bank_match_refund_file_id"), "bank_match", "refund_file", ["refund_file_id"], ["id"])
    op.create_check_constraint(op.f("ck_bank_match_refund_file"), "bank_match", "refund_file_id IS NULL OR kind = 'refund'")


def downgrade() -> None:
    op.drop_column("bank_match", "refund_file_id")
