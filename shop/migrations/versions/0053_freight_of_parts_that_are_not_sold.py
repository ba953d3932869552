"""Freight of parts of which nothing was accepted yet is reserved, not used up: nobody owes it."""

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

_MOVE = """
    WITH unsold AS (
        SELECT so.purchase_order_id AS id, sum(so.freight_fen) AS fen FROM supplier_order so
        WHERE so.status = 'partly_accepted' AND so.freight_fen > 0 AND NOT EXISTS (
            SELECT FROM sale_entry e WHERE e.order_id = so.purchase_order_id AND e.supplier_order_id = so.id AND e.reverses_id IS NULL)
        GROUP BY 1
    ), moved AS (
        UPDATE budget_draw d SET reserved_fen = d.reserved_fen + f.fen, consumed_fen = d.consumed_fen - f.fen
        FROM (SELECT d.id, {to_reserved} AS fen FROM budget_draw d JOIN unsold ON unsold.id = d.holder_id WHERE d.holder_kind = 'purchase_order') f
        WHERE d.id = f.id RETURNING d.budget_id, f.fen
    )
    UPDATE budget b SET reserved_fen = b.reserved_fen + m.fen, consumed_fen = b.consumed_fen - m.fen
    FROM (SELECT budget_id, sum(fen) AS fen FROM moved GROUP BY 1) m WHERE b.id = m.budget_id
"""


def upgrade() -> None:
    op.execute(_MOVE.format(to_reserved="least(unsold.fen, d.consumed_fen)"))


def downgrade() -> None:
    op.execute(_MOVE.format(to_reserved="(-least(unsold.fen, d.reserved_fen))"))
