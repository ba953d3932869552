"""Credit is freed by what has arrived, not by what is announced."""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

#: What of an order's dues is taken off what it draws: with what has arrived, or with what is announced too.
_REDRAW = """
    UPDATE credit_draw d SET amount_fen = o.fen
    FROM (SELECT u.purchase_order_id, sum(u.amount_fen - u.{covered})::bigint AS fen FROM payment_due u GROUP BY 1) o
    WHERE o.purchase_order_id = d.purchase_order_id AND d.amount_fen <> o.fen
"""
#: Money that is not there is a fact: it stands above the limit where the limit does not bear it.
_USED = """
    UPDATE credit_limit l SET used_fen = least(d.fen, l.limit_fen), over_fen = greatest(d.fen - l.limit_fen, 0)
    FROM (SELECT credit_limit_id AS id, sum(amount_fen)::bigint AS fen FROM credit_draw GROUP BY 1) d
    WHERE d.id = l.id AND l.used_fen + l.over_fen <> d.fen
"""


def upgrade() -> None:
    op.execute(_REDRAW.format(covered="arrived_fen"))
    op.execute(_USED)


def downgrade() -> None:
    op.execute(_REDRAW.format(covered="paid_fen"))
    op.execute(_USED)
