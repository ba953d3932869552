"""Applications for another budget unit of an order, and sales booked for it"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KINDS = "origin_kind IN ('acceptance_line','history','correction'{more})"


def upgrade() -> None:
    op.create_table(
        "budget_unit_application",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=False),
        sa.Column("from_unit_id", sa.BigInteger(), nullable=False),
        sa.Column("to_unit_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="filed", nullable=False),
        sa.Column("filed_by", sa.BigInteger(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("from_unit_id <> to_unit_id", name=op.f("ck_budget_unit_application_units")),
        sa.CheckConstraint(
            "(status IN ('approved','refused')) = (decided_at IS NOT NULL)", name=op.f("ck_budget_unit_application_decided")
        ),
        sa.CheckConstraint("status IN ('filed','approved','refused','withdrawn')", name=op.f("ck_budget_unit_application_status")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_budget_unit_application_decided_by")),
        sa.ForeignKeyConstraint(["filed_by"], ["app_user.id"], name=op.f("fk_budget_unit_application_filed_by")),
        sa.ForeignKeyConstraint(["from_unit_id"], ["organisation.id"], name=op.f("fk_budget_unit_application_from_unit_id")),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_budget_unit_application_purchase_order_id")
        ),
        sa.ForeignKeyConstraint(["to_unit_id"], ["organisation.id"], name=op.f("fk_budget_unit_application_to_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_unit_application")),
    )
    op.create_index(
        "uq_budget_unit_application_open",
        "budget_unit_application",
        ["purchase_order_id"],
        unique=True,
        postgresql_where=sa.text("status = 'filed'"),
    )
    op.create_index("ix_budget_unit_application_purchase_order_id_id", "budget_unit_application", ["purchase_order_id", "id"])
    _origin_kinds(",'reassignment'")


def downgrade() -> None:
    op.drop_table("budget_unit_application")
    _origin_kinds("")


def _origin_kinds(more: str) -> None:
    op.drop_constraint(op.f("ck_sale_entry_origin_kind"), "sale_entry", type_="check")
    op.create_check_constraint(op.f("ck_sale_entry_origin_kind"), "sale_entry", _KINDS.format(more=more))
