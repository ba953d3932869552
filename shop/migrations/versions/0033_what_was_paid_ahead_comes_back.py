"""What was paid ahead comes back."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_KINDS_BEFORE = (
    "'sale','freight','allowance','reassignment','payment','payment_undone','credit_moved','refund',"
    "'refund_paid','refund_failed','refund_reinstated','receipt','receipt_matched','receipt_undone',"
    "'bank_entry','fee','chargeback','chargeback_closed','chargeback_reinstated','online_payout',"
    "'online_found','online_transfer','settlement','loss_borne','payout','payout_paid','payout_failed',"
    "'payout_reinstated','payout_returned','advance','advance_used'"
)
_KINDS = f"{_KINDS_BEFORE},'advance_returned'"
_CHECKS = {
    "return_asked": "(status IN ('returning','returned')) = (return_fen IS NOT NULL AND return_asked_by IS NOT NULL)",
    "return_fen": "return_fen > 0 AND return_fen <= amount_fen",
    "return_confirmed": "(status = 'returned') = (return_confirmed_by IS NOT NULL)",
    "return_two_persons": "return_confirmed_by <> return_asked_by",
}


def _check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def upgrade() -> None:
    op.add_column("advance", sa.Column("return_fen", sa.BigInteger(), nullable=True))
    op.add_column("advance", sa.Column("return_reason", sa.String(), nullable=True))
    op.add_column("advance", sa.Column("return_asked_by", sa.BigInteger(), nullable=True))
    op.add_column("advance", sa.Column("return_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("advance", sa.Column("return_confirmed_by", sa.BigInteger(), nullable=True))
    op.add_column("advance", sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(op.f("fk_advance_return_asked_by"), "advance", "app_user", ["return_asked_by"], ["id"])
    op.create_foreign_key(op.f("fk_advance_return_confirmed_by"), "advance", "app_user", ["return_confirmed_by"], ["id"])
    _check("advance", "status", "status IN ('requested','approved','paid','returning','returned','refused')")
    _check("advance", "approved", "status IN ('requested','refused') OR approved_by IS NOT NULL")
    for name, condition in _CHECKS.items():
        op.create_check_constraint(op.f(f"ck_advance_{name}"), "advance", condition)
    _check("money_transaction", "kind", f"kind IN ({_KINDS})")


def downgrade() -> None:
    _check("money_transaction", "kind", f"kind IN ({_KINDS_BEFORE})")
    for name in _CHECKS:
        op.drop_constraint(op.f(f"ck_advance_{name}"), "advance", type_="check")
    _check("advance", "status", "status IN ('requested','approved','paid','refused')")
    _check("advance", "approved", "status NOT IN ('approved','paid') OR approved_by IS NOT NULL")
    for name in ("return_confirmed_by", "return_asked_by"):
        op.drop_constraint(op.f(f"fk_advance_{name}"), "advance", type_="foreignkey")
    for name in ("returned_at", "return_confirmed_by", "return_asked_at", "return_asked_by", "return_reason", "return_fen"):
        op.drop_column("advance", name)
