"""Advances come back in parts."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_BEFORE = {
    "return_asked": "(status IN ('returning','returned')) = (return_fen IS NOT NULL AND return_asked_by IS NOT NULL)",
    "return_fen": "return_fen > 0 AND return_fen <= amount_fen",
    "return_confirmed": "(status = 'returned') = (return_confirmed_by IS NOT NULL)",
}
_AFTER = {
    "return_asked": "num_nulls(return_fen, return_asked_by) = 0"
    " OR status NOT IN ('returning','returned') AND num_nonnulls(return_fen, return_asked_by) = 0",
    "return_fen": "return_fen > 0"
    " AND CASE status WHEN 'returning' THEN returned_fen + return_fen <= amount_fen ELSE return_fen <= returned_fen END",
    "return_confirmed": "(return_fen IS NOT NULL AND status <> 'returning') = (return_confirmed_by IS NOT NULL)",
    "returned_fen": "returned_fen BETWEEN 0 AND amount_fen AND (status = 'returned') = (returned_fen = amount_fen)"
    " AND (returned_fen = 0 OR status IN ('paid','returning','returned'))",
}


def _drop(names: dict[str, str]) -> None:
    for name in names:
        op.drop_constraint(op.f(f"ck_advance_{name}"), "advance", type_="check")


def _create(conditions: dict[str, str]) -> None:
    for name, condition in conditions.items():
        op.create_check_constraint(op.f(f"ck_advance_{name}"), "advance", condition)


def upgrade() -> None:
    op.add_column("advance", sa.Column("returned_fen", sa.BigInteger(), server_default="0", nullable=False))
    _drop(_BEFORE)
    # of one that came back in part the rest is still with its supplier
    op.execute(
        """
        UPDATE advance SET returned_fen = return_fen, status = CASE WHEN return_fen < amount_fen THEN 'paid' ELSE status END
        WHERE status = 'returned'
        """
    )
    _create(_AFTER)


def downgrade() -> None:
    _drop(_AFTER)
    # one of the two persons that it needs is known to be another than who says that more of it came back
    op.execute(
        """
        UPDATE advance SET return_fen = CASE WHEN returned_fen > 0 THEN returned_fen ELSE return_fen END,
            return_asked_by = CASE WHEN returned_fen > 0 THEN coalesce(return_asked_by, requested_by) ELSE return_asked_by END,
            return_confirmed_by = CASE WHEN returned_fen > 0 THEN coalesce(
                return_confirmed_by, CASE approved_by WHEN return_asked_by THEN requested_by ELSE approved_by END) END,
            status = CASE WHEN returned_fen > 0 THEN 'returned' ELSE status END
        """
    )
    _create(_BEFORE)
    op.drop_column("advance", "returned_fen")
