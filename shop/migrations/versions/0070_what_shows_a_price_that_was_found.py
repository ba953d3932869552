"""Papers that show the price of a price check, in the place of a single one that nobody could hand in."""

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "price_check_file",
        sa.Column("price_check_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_price_check_file_file_id")),
        sa.ForeignKeyConstraint(["price_check_id"], ["price_check.id"], name=op.f("fk_price_check_file_price_check_id")),
        sa.PrimaryKeyConstraint("price_check_id", "file_id", name=op.f("pk_price_check_file")),
    )
    op.drop_column("price_check", "file_id")


def downgrade() -> None:
    op.add_column("price_check", sa.Column("file_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_price_check_file_id"), "price_check", "stored_file", ["file_id"], ["id"])
    op.drop_table("price_check_file")
