"""What left once more: payouts, refunds and advances; and what was written off and is not any more."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_TABLE = "bank_write_off"


def _check(name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{_TABLE}_{name}"), _TABLE, type_="check")
    op.create_check_constraint(op.f(f"ck_{_TABLE}_{name}"), _TABLE, condition)


def upgrade() -> None:
    op.add_column(_TABLE, sa.Column("despite", sa.String(), nullable=True))
    for name in ("refund", "advance"):
        op.add_column(_TABLE, sa.Column(f"{name}_id", sa.BigInteger(), nullable=True))
        op.create_foreign_key(op.f(f"fk_{_TABLE}_{name}_id"), _TABLE, name, [f"{name}_id"], ["id"])
    op.drop_constraint(op.f(f"ck_{_TABLE}_payout"), _TABLE, type_="check")
    op.create_check_constraint(
        op.f(f"ck_{_TABLE}_of_one"),
        _TABLE,
        "num_nonnulls(payout_id, refund_id, advance_id) = CASE entry WHEN 'paid_twice' THEN 1 ELSE 0 END",
    )
    _check("status", "status IN ('requested','approved','refused','withdrawn','undone')")
    _check("matched", "(status IN ('approved','undone')) = (match_id IS NOT NULL)")
    op.execute(
        "UPDATE bank_write_off w SET status = 'undone' FROM bank_match m WHERE m.id = w.match_id AND m.undone_at IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("UPDATE bank_write_off SET status = 'approved' WHERE status = 'undone'")
    op.execute(
        "UPDATE bank_write_off SET entry = 'other', refund_id = NULL, advance_id = NULL WHERE entry = 'paid_twice' AND payout_id IS NULL"
    )
    _check("status", "status IN ('requested','approved','refused','withdrawn')")
    _check("matched", "(status = 'approved') = (match_id IS NOT NULL)")
    op.drop_constraint(op.f(f"ck_{_TABLE}_of_one"), _TABLE, type_="check")
    op.create_check_constraint(op.f(f"ck_{_TABLE}_payout"), _TABLE, "(entry = 'paid_twice') = (payout_id IS NOT NULL)")
    for name in ("advance", "refund"):
        op.drop_constraint(op.f(f"fk_{_TABLE}_{name}_id"), _TABLE, type_="foreignkey")
        op.drop_column(_TABLE, f"{name}_id")
    op.drop_column(_TABLE, "despite")
