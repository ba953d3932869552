"""Goods of outlets are called alike in any width, as outlets are."""

from alembic import op

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # where two of one outlet would be called the same, both stay: what is told from now on is told of the one whose number is in one width already
    for table in ("outlet_goods", "outlet_stock"):
        op.execute(
            f"""
            UPDATE {table} g SET goods_id = normalize(g.goods_id, NFKC)
            WHERE NOT g.goods_id IS NFKC NORMALIZED AND NOT EXISTS (
                SELECT FROM {table} e WHERE e.outlet_id = g.outlet_id AND e.goods_id <> g.goods_id
                  AND normalize(e.goods_id, NFKC) = normalize(g.goods_id, NFKC))
            """  # noqa: S608
        )


def downgrade() -> None:
    pass
