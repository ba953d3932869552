"""orders say where they came from, by when they are wanted and which unit ordered"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("order_line", sa.Column("agreement_line_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_order_line_agreement_line_id",
        "order_line",
        ["agreement_line_id"],
        postgresql_where=sa.text("agreement_line_id IS NOT NULL"),
    )
    op.add_column("purchase_order", sa.Column("ordering_unit_id", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE purchase_order po SET ordering_unit_id = coalesce((SELECT organisation_id FROM app_user WHERE id = po.placed_by), po.buyer_id)"
    )
    op.alter_column("purchase_order", "ordering_unit_id", nullable=False)
    op.add_column("purchase_order", sa.Column("cost_centre", sa.String(), nullable=True))
    op.add_column("purchase_order", sa.Column("deliver_by", sa.Date(), nullable=True))
    op.add_column("purchase_order", sa.Column("source_kind", sa.String(), server_default="direct", nullable=False))
    op.add_column("purchase_order", sa.Column("source_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_purchase_order_ordering_unit_id_id", "purchase_order", ["ordering_unit_id", "id"])
    op.create_index(
        "ix_purchase_order_source_kind_source_id",
        "purchase_order",
        ["source_kind", "source_id"],
        postgresql_where=sa.text("source_id IS NOT NULL"),
    )
    op.create_foreign_key("fk_purchase_order_ordering_unit_id", "purchase_order", "organisation", ["ordering_unit_id"], ["id"])
    op.create_check_constraint(
        op.f("ck_purchase_order_source_kind"),
        "purchase_order",
        "source_kind IN ('direct','import','quotation','agreement')",
    )
    op.create_check_constraint(op.f("ck_purchase_order_source"), "purchase_order", "(source_kind = 'direct') = (source_id IS NULL)")


def downgrade() -> None:
    op.drop_index("ix_purchase_order_source_kind_source_id", table_name="purchase_order")
    op.drop_index("ix_purchase_order_ordering_unit_id_id", table_name="purchase_order")
    for column in ("source_id", "source_kind", "deliver_by", "cost_centre", "ordering_unit_id"):
        op.drop_column("purchase_order", column)
    op.drop_index("ix_order_line_agreement_line_id", table_name="order_line")
    op.drop_column("order_line", "agreement_line_id")
