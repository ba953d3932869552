"""What buyers choose for orders that are open when a certificate is suspended, held or revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_disposition",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("choice", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("choice IN ('deliver','cancel')", name=op.f("ck_order_disposition_choice")),
        sa.ForeignKeyConstraint(["by"], ["app_user.id"], name=op.f("fk_order_disposition_by")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_order_disposition_certificate_id")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_order_disposition_supplier_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_disposition")),
        sa.UniqueConstraint(
            "supplier_order_id", "certificate_id", name=op.f("uq_order_disposition_supplier_order_id_certificate_id")
        ),
    )


def downgrade() -> None:
    op.drop_table("order_disposition")
