"""Lists of payouts that were handed over."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payout_file", sa.Column("sent_by", sa.BigInteger(), nullable=True))
    op.add_column("payout_file", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("payout_file", sa.Column("reference", sa.String(), nullable=True))
    op.create_foreign_key(op.f("fk_payout_file_sent_by"), "payout_file", "app_user", ["sent_by"], ["id"])
    op.drop_constraint(op.f("ck_payout_file_status"), "payout_file", type_="check")
    # of what was ever paid the list had been handed over, though nobody could say so
    op.execute(
        """
        UPDATE payout_file f SET status = 'sent', reference = number WHERE status = 'made' AND EXISTS (
            SELECT FROM payout_file_line l JOIN money_transaction t ON t.kind = 'payout_paid' AND t.origin_id = l.attempt_id
            WHERE l.payout_file_id = f.id)
        """
    )
    op.create_check_constraint(op.f("ck_payout_file_status"), "payout_file", "status IN ('made','sent','void')")
    op.create_check_constraint(op.f("ck_payout_file_sent"), "payout_file", "(status = 'sent') = (reference IS NOT NULL)")
    op.create_check_constraint(
        op.f("ck_payout_file_sent_by"),
        "payout_file",
        "(sent_by IS NULL) = (sent_at IS NULL) AND (sent_by IS NULL OR status = 'sent')",
    )


def downgrade() -> None:
    for name in ("sent_by", "sent", "status"):
        op.drop_constraint(op.f(f"ck_payout_file_{name}"), "payout_file", type_="check")
    op.execute("UPDATE payout_file SET status = 'made' WHERE status = 'sent'")
    op.create_check_constraint(op.f("ck_payout_file_status"), "payout_file", "status IN ('made','void')")
    op.drop_constraint(op.f("fk_payout_file_sent_by"), "payout_file", type_="foreignkey")
    for name in ("reference", "sent_at", "sent_by"):
        op.drop_column("payout_file", name)
