"""Files of sales that are tried in the background."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sales_trial",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("scopes", postgresql.JSONB(), nullable=True),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), server_default="reading", nullable=False),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.Column("problem", postgresql.JSONB(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('reading','trying','done','refused')", name=op.f("ck_sales_trial_status")),
        sa.CheckConstraint("(status = 'done') = (result IS NOT NULL)", name=op.f("ck_sales_trial_result")),
        sa.CheckConstraint("(status = 'refused') = (problem IS NOT NULL)", name=op.f("ck_sales_trial_problem")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_sales_trial_file_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_sales_trial_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_trial")),
    )
    op.create_index(op.f("ix_sales_trial_user_id_id"), "sales_trial", ["user_id", "id"])
    op.create_index(op.f("ix_sales_trial_asked_at"), "sales_trial", ["asked_at"])


def downgrade() -> None:
    op.drop_table("sales_trial")
