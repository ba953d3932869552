"""What money is looked up by, and how dues are sorted."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_money_posting_bank",
        "money_posting",
        ["amount_fen"],
        unique=False,
        postgresql_include=["transaction_id"],
        postgresql_where=sa.text("account = 'bank'"),
    )
    op.create_index(
        op.f("ix_online_payment_payment_id"),
        "online_payment",
        ["payment_id"],
        unique=False,
        postgresql_where=sa.text("payment_id IS NOT NULL"),
    )
    op.create_index(
        "ix_payment_due_sorted", "payment_due", [sa.literal_column("coalesce(due_on, '9999-12-31'::date)"), "id"], unique=False
    )
    op.create_index(
        "ix_payment_due_sorted_open",
        "payment_due",
        [sa.literal_column("coalesce(due_on, '9999-12-31'::date)"), "id"],
        unique=False,
        postgresql_where=sa.text("arrived_fen < amount_fen"),
    )
    op.create_index(op.f("ix_payout_amount_fen"), "payout", ["amount_fen"], unique=False)
    op.create_index(
        op.f("ix_refund_amount_fen"), "refund", ["amount_fen"], unique=False, postgresql_where=sa.text("method = 'bank_transfer'")
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_refund_amount_fen"), table_name="refund", postgresql_where=sa.text("method = 'bank_transfer'"))
    op.drop_index(op.f("ix_payout_amount_fen"), table_name="payout")
    op.drop_index("ix_payment_due_sorted_open", table_name="payment_due", postgresql_where=sa.text("arrived_fen < amount_fen"))
    op.drop_index("ix_payment_due_sorted", table_name="payment_due")
    op.drop_index(
        op.f("ix_online_payment_payment_id"), table_name="online_payment", postgresql_where=sa.text("payment_id IS NOT NULL")
    )
    op.drop_index(
        "ix_money_posting_bank",
        table_name="money_posting",
        postgresql_include=["transaction_id"],
        postgresql_where=sa.text("account = 'bank'"),
    )
