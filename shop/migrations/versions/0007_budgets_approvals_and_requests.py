"""Delivery addresses and settings of units, budgets, approval rules and purchase requests"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approval_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("min_fen", sa.BigInteger(), nullable=False),
        sa.Column("cumulative", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("fund_sources", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("set_by_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("jsonb_array_length(steps) BETWEEN 1 AND 10", name=op.f("ck_approval_rule_steps")),
        sa.CheckConstraint("min_fen >= 0", name=op.f("ck_approval_rule_min_fen")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_approval_rule_organisation_id")),
        sa.ForeignKeyConstraint(["set_by_id"], ["organisation.id"], name=op.f("fk_approval_rule_set_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_rule")),
    )
    op.create_index(op.f("ix_approval_rule_organisation_id"), "approval_rule", ["organisation_id"])
    op.create_table(
        "budget",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("fund_source", sa.String(), nullable=False),
        sa.Column("limit_fen", sa.BigInteger(), nullable=False),
        sa.Column("set_by_id", sa.BigInteger(), nullable=False),
        sa.Column("reserved_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("consumed_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("fund_source IN ('canteen','union','welfare','other')", name=op.f("ck_budget_fund_source")),
        sa.CheckConstraint("reserved_fen + consumed_fen <= limit_fen", name=op.f("ck_budget_limit")),
        sa.CheckConstraint("reserved_fen >= 0 AND consumed_fen >= 0", name=op.f("ck_budget_drawn")),
        sa.CheckConstraint("year BETWEEN 2000 AND 2100", name=op.f("ck_budget_year")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_budget_organisation_id")),
        sa.ForeignKeyConstraint(["set_by_id"], ["organisation.id"], name=op.f("fk_budget_set_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget")),
        sa.UniqueConstraint("organisation_id", "year", "fund_source", name=op.f("uq_budget_organisation_id_year_fund_source")),
    )
    op.create_table(
        "buying_settings",
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("budget_unit_id", sa.BigInteger(), nullable=True),
        sa.Column("budget_required", sa.Boolean(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["budget_unit_id"], ["organisation.id"], name=op.f("fk_buying_settings_budget_unit_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_buying_settings_organisation_id")),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_buying_settings")),
    )
    op.create_table(
        "delivery_address",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("is_default", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_delivery_address_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_address")),
    )
    op.create_index(op.f("ix_delivery_address_organisation_id_id"), "delivery_address", ["organisation_id", "id"])
    op.create_index(
        "uq_delivery_address_default",
        "delivery_address",
        ["organisation_id"],
        unique=True,
        postgresql_where=sa.text("is_default AND active"),
    )
    op.create_table(
        "approval_deputy",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("deputy_id", sa.BigInteger(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_approval_deputy_days")),
        sa.CheckConstraint("user_id <> deputy_id", name=op.f("ck_approval_deputy_other")),
        sa.ForeignKeyConstraint(["deputy_id"], ["app_user.id"], name=op.f("fk_approval_deputy_deputy_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_approval_deputy_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_deputy")),
    )
    op.create_index(op.f("ix_approval_deputy_deputy_id_last_day"), "approval_deputy", ["deputy_id", "last_day"])
    op.create_index(op.f("ix_approval_deputy_user_id_last_day"), "approval_deputy", ["user_id", "last_day"])
    op.create_table(
        "budget_draw",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("budget_id", sa.BigInteger(), nullable=False),
        sa.Column("holder_kind", sa.String(), nullable=False),
        sa.Column("holder_id", sa.BigInteger(), nullable=False),
        sa.Column("reserved_fen", sa.BigInteger(), nullable=False),
        sa.Column("consumed_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("holder_kind IN ('purchase_request','purchase_order')", name=op.f("ck_budget_draw_holder_kind")),
        sa.CheckConstraint("reserved_fen >= 0 AND consumed_fen >= 0", name=op.f("ck_budget_draw_amounts")),
        sa.ForeignKeyConstraint(["budget_id"], ["budget.id"], name=op.f("fk_budget_draw_budget_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_draw")),
        sa.UniqueConstraint("holder_kind", "holder_id", name=op.f("uq_budget_draw_holder_kind_holder_id")),
    )
    op.create_index(op.f("ix_budget_draw_budget_id_id"), "budget_draw", ["budget_id", "id"])
    op.create_table(
        "purchase_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("ordering_unit_id", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), server_default="waiting", nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("fund_source", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("declared_relation_id", sa.BigInteger(), nullable=True),
        sa.Column("buyer_reference", sa.String(), nullable=True),
        sa.Column("cost_centre", sa.String(), nullable=True),
        sa.Column("deliver_by", sa.Date(), nullable=True),
        sa.Column("delivery_address", sa.String(), nullable=False),
        sa.Column("delivery_contact", sa.String(), nullable=True),
        sa.Column("delivery_phone", sa.String(), nullable=True),
        sa.Column("source_kind", sa.String(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), server_default="1", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("faults", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("fund_source IN ('canteen','union','welfare','other')", name=op.f("ck_purchase_request_fund_source")),
        sa.CheckConstraint("platform IN ('marketplace','social_network')", name=op.f("ck_purchase_request_platform")),
        sa.CheckConstraint(
            "status IN ('waiting','returned','approved','ordered','rejected','withdrawn')", name=op.f("ck_purchase_request_status")
        ),
        sa.CheckConstraint("total_fen >= 0", name=op.f("ck_purchase_request_total_fen")),
        sa.ForeignKeyConstraint(["buyer_id"], ["organisation.id"], name=op.f("fk_purchase_request_buyer_id")),
        sa.ForeignKeyConstraint(
            ["declared_relation_id"], ["support_relation.id"], name=op.f("fk_purchase_request_declared_relation_id")
        ),
        sa.ForeignKeyConstraint(["ordering_unit_id"], ["organisation.id"], name=op.f("fk_purchase_request_ordering_unit_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["app_user.id"], name=op.f("fk_purchase_request_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_request")),
        sa.UniqueConstraint("number", name=op.f("uq_purchase_request_number")),
    )
    op.create_index(op.f("ix_purchase_request_buyer_id_id"), "purchase_request", ["buyer_id", "id"])
    op.create_index(op.f("ix_purchase_request_ordering_unit_id_id"), "purchase_request", ["ordering_unit_id", "id"])
    op.create_index(op.f("ix_purchase_request_requested_by"), "purchase_request", ["requested_by"])
    op.create_index("ix_purchase_request_waiting", "purchase_request", ["id"], postgresql_where=sa.text("status = 'waiting'"))
    op.create_table(
        "purchase_request_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("purchase_request_id", sa.BigInteger(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("agreement_line_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("amount_fen = round(quantity * unit_price_fen)", name=op.f("ck_purchase_request_line_amount_fen")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_purchase_request_line_quantity")),
        sa.ForeignKeyConstraint(
            ["purchase_request_id"], ["purchase_request.id"], name=op.f("fk_purchase_request_line_purchase_request_id")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_purchase_request_line_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_request_line")),
        sa.UniqueConstraint("purchase_request_id", "line_no", name=op.f("uq_purchase_request_line_purchase_request_id_line_no")),
    )
    op.create_index(
        op.f("ix_purchase_request_line_agreement_line_id"),
        "purchase_request_line",
        ["agreement_line_id"],
        postgresql_where=sa.text("agreement_line_id IS NOT NULL"),
    )
    op.create_table(
        "purchase_request_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("purchase_request_id", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("user_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_for", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint("(status = 'waiting') = (decided_at IS NULL)", name=op.f("ck_purchase_request_step_decided")),
        sa.CheckConstraint("status IN ('waiting','approved','rejected','returned')", name=op.f("ck_purchase_request_step_status")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_purchase_request_step_decided_by")),
        sa.ForeignKeyConstraint(["decided_for"], ["app_user.id"], name=op.f("fk_purchase_request_step_decided_for")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_purchase_request_step_organisation_id")),
        sa.ForeignKeyConstraint(
            ["purchase_request_id"], ["purchase_request.id"], name=op.f("fk_purchase_request_step_purchase_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_request_step")),
        sa.UniqueConstraint(
            "purchase_request_id", "round", "decided_by", name=op.f("uq_purchase_request_step_purchase_request_id_round_decided_by")
        ),
        sa.UniqueConstraint(
            "purchase_request_id", "round", "position", name=op.f("uq_purchase_request_step_purchase_request_id_round_position")
        ),
    )
    op.create_table(
        "purchase_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("purchase_request_id", sa.BigInteger(), nullable=True),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=True),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("uploaded_by", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(purchase_request_id IS NULL) <> (purchase_order_id IS NULL)", name=op.f("ck_purchase_file_subject")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_purchase_file_file_id")),
        sa.ForeignKeyConstraint(["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_purchase_file_purchase_order_id")),
        sa.ForeignKeyConstraint(
            ["purchase_request_id"], ["purchase_request.id"], name=op.f("fk_purchase_file_purchase_request_id")
        ),
        sa.ForeignKeyConstraint(["uploaded_by"], ["app_user.id"], name=op.f("fk_purchase_file_uploaded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_file")),
    )
    op.create_index(op.f("ix_purchase_file_purchase_order_id"), "purchase_file", ["purchase_order_id"])
    op.create_index(op.f("ix_purchase_file_purchase_request_id"), "purchase_file", ["purchase_request_id"])
    op.add_column("purchase_order", sa.Column("purchase_request_id", sa.BigInteger(), nullable=True))
    op.create_unique_constraint(op.f("uq_purchase_order_purchase_request_id"), "purchase_order", ["purchase_request_id"])
    op.create_foreign_key(
        op.f("fk_purchase_order_purchase_request_id"), "purchase_order", "purchase_request", ["purchase_request_id"], ["id"]
    )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_purchase_order_purchase_request_id"), "purchase_order", type_="foreignkey")
    op.drop_constraint(op.f("uq_purchase_order_purchase_request_id"), "purchase_order", type_="unique")
    op.drop_column("purchase_order", "purchase_request_id")
    op.drop_index(op.f("ix_purchase_file_purchase_request_id"), table_name="purchase_file")
    op.drop_index(op.f("ix_purchase_file_purchase_order_id"), table_name="purchase_file")
    op.drop_table("purchase_file")
    op.drop_table("purchase_request_step")
    op.drop_index(
        op.f("ix_purchase_request_line_agreement_line_id"),
        table_name="purchase_request_line",
        postgresql_where=sa.text("agreement_line_id IS NOT NULL"),
    )
    op.drop_table("purchase_request_line")
    op.drop_index("ix_purchase_request_waiting", table_name="purchase_request", postgresql_where=sa.text("status = 'waiting'"))
    op.drop_index(op.f("ix_purchase_request_requested_by"), table_name="purchase_request")
    op.drop_index(op.f("ix_purchase_request_ordering_unit_id_id"), table_name="purchase_request")
    op.drop_index(op.f("ix_purchase_request_buyer_id_id"), table_name="purchase_request")
    op.drop_table("purchase_request")
    op.drop_index(op.f("ix_budget_draw_budget_id_id"), table_name="budget_draw")
    op.drop_table("budget_draw")
    op.drop_index(op.f("ix_approval_deputy_user_id_last_day"), table_name="approval_deputy")
    op.drop_index(op.f("ix_approval_deputy_deputy_id_last_day"), table_name="approval_deputy")
    op.drop_table("approval_deputy")
    op.drop_index("uq_delivery_address_default", table_name="delivery_address", postgresql_where=sa.text("is_default AND active"))
    op.drop_index(op.f("ix_delivery_address_organisation_id_id"), table_name="delivery_address")
    op.drop_table("delivery_address")
    op.drop_table("buying_settings")
    op.drop_table("budget")
    op.drop_index(op.f("ix_approval_rule_organisation_id"), table_name="approval_rule")
    op.drop_table("approval_rule")
