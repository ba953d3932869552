"""A file of refunds that a line of the bank shows as a whole; a payout that left once more."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bank_match", sa.Column("refund_file_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_bank_match_refund_file_id"), "bank_match", "refund_file", ["refund_file_id"], ["id"])
    op.create_check_constraint(op.f("ck_bank_match_refund_file"), "bank_match", "refund_file_id IS NULL OR kind = 'refund'")
    op.add_column("bank_write_off", sa.Column("payout_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_bank_write_off_payout_id"), "bank_write_off", "payout", ["payout_id"], ["id"])
    op.create_check_constraint(
        op.f("ck_bank_write_off_payout"), "bank_write_off", "(entry = 'paid_twice') = (payout_id IS NOT NULL)"
    )
    _entries("entry IN ('fee','interest','other','paid_twice')")


def downgrade() -> None:
    op.drop_column("bank_write_off", "payout_id")
    for table in ("bank_match", "bank_write_off"):
        op.execute(f"UPDATE {table} SET entry = 'other' WHERE entry = 'paid_twice'")  # noqa: S608
    _entries("entry IN ('fee','interest','other')")
    op.drop_column("bank_match", "refund_file_id")


def _entries(condition: str) -> None:
    for table in ("bank_match", "bank_write_off"):
        op.drop_constraint(op.f(f"ck_{table}_entry"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_entry"), table, condition)
