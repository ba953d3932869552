"""Runs of the reconciliation that somebody asks for."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reconciliation_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), server_default="waiting", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("checks_done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reconciliation_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(status = 'done') = (reconciliation_id IS NOT NULL)", name=op.f("ck_reconciliation_request_done")),
        sa.CheckConstraint("checks_done >= 0", name=op.f("ck_reconciliation_request_checks_done")),
        sa.CheckConstraint(
            "(status IN ('done','failed')) = (finished_at IS NOT NULL)", name=op.f("ck_reconciliation_request_finished")
        ),
        sa.CheckConstraint("status IN ('waiting','running','done','failed')", name=op.f("ck_reconciliation_request_status")),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["reconciliation.id"],
            name=op.f("fk_reconciliation_request_reconciliation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["requested_by"], ["app_user.id"], name=op.f("fk_reconciliation_request_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_request")),
    )
    op.create_index(
        "uq_reconciliation_request_open",
        "reconciliation_request",
        ["finished_at"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("reconciliation_request")
