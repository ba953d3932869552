"""Reserved shares with their revisions; evaluations of accepted orders; signals of low ratings; complaints that name an order."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sales_fund_year",
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=20, scale=3), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("fund_source", sa.String(), nullable=False),
        sa.Column("certified", sa.Boolean(), nullable=False),
        sa.Column("reserved_share_eligible", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "year", "buyer_id", "fund_source", "certified", "reserved_share_eligible", name=op.f("pk_sales_fund_year")
        ),
    )
    op.create_table(
        "reserved_share",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("base_fen", sa.BigInteger(), nullable=False),
        sa.Column("percent_bp", sa.Integer(), nullable=False),
        sa.Column("reserved_fen", sa.BigInteger(), nullable=False),
        sa.Column("exemption", sa.String(), nullable=True),
        sa.Column("exemption_reason", sa.String(), nullable=True),
        sa.Column("shared_with_id", sa.BigInteger(), nullable=True),
        sa.Column("contractor", sa.String(), nullable=True),
        sa.Column("status", sa.String(), server_default="draft", nullable=False),
        sa.Column("number", sa.Integer(), server_default="0", nullable=False),
        sa.Column("accepted_number", sa.Integer(), nullable=True),
        sa.Column("filed_by", sa.BigInteger(), nullable=True),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.BigInteger(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(exemption IS NOT DISTINCT FROM 'outsourced_canteen') = (contractor IS NOT NULL)",
            name=op.f("ck_reserved_share_contractor"),
        ),
        sa.CheckConstraint(
            "(exemption IS NOT DISTINCT FROM 'shared_canteen') = (shared_with_id IS NOT NULL)",
            name=op.f("ck_reserved_share_shared_with"),
        ),
        sa.CheckConstraint("(status = 'draft') OR number > 0", name=op.f("ck_reserved_share_number")),
        sa.CheckConstraint(
            "exemption IN ('no_canteen','shared_canteen','outsourced_canteen')", name=op.f("ck_reserved_share_exemption")
        ),
        sa.CheckConstraint("status IN ('draft','filed','returned','accepted')", name=op.f("ck_reserved_share_status")),
        sa.CheckConstraint("(exemption IS NULL) = (exemption_reason IS NULL)", name=op.f("ck_reserved_share_exemption_reason")),
        sa.CheckConstraint("accepted_number <= number", name=op.f("ck_reserved_share_accepted_number")),
        sa.CheckConstraint(
            "status <> 'accepted' OR accepted_number IS NOT DISTINCT FROM number", name=op.f("ck_reserved_share_accepted")
        ),
        sa.CheckConstraint("base_fen >= 0", name=op.f("ck_reserved_share_base_fen")),
        sa.CheckConstraint("percent_bp BETWEEN 0 AND 10000", name=op.f("ck_reserved_share_percent_bp")),
        sa.CheckConstraint(
            "reserved_fen = CASE WHEN exemption IS NULL THEN round(base_fen::numeric * percent_bp / 10000)::bigint ELSE 0 END",
            name=op.f("ck_reserved_share_reserved_fen"),
        ),
        sa.CheckConstraint("shared_with_id <> organisation_id", name=op.f("ck_reserved_share_shared_with_other")),
        sa.ForeignKeyConstraint(["filed_by"], ["app_user.id"], name=op.f("fk_reserved_share_filed_by")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_reserved_share_organisation_id")),
        sa.ForeignKeyConstraint(["reviewed_by"], ["app_user.id"], name=op.f("fk_reserved_share_reviewed_by")),
        sa.ForeignKeyConstraint(["shared_with_id"], ["organisation.id"], name=op.f("fk_reserved_share_shared_with_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reserved_share")),
        sa.UniqueConstraint("organisation_id", "year", name=op.f("uq_reserved_share_organisation_id_year")),
    )
    op.create_index(op.f("ix_reserved_share_year_status"), "reserved_share", ["year", "status"], unique=False)
    op.create_table(
        "reserved_share_revision",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("reserved_share_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("base_fen", sa.BigInteger(), nullable=False),
        sa.Column("percent_bp", sa.Integer(), nullable=False),
        sa.Column("reserved_fen", sa.BigInteger(), nullable=False),
        sa.Column("exemption", sa.String(), nullable=True),
        sa.Column("exemption_reason", sa.String(), nullable=True),
        sa.Column("shared_with_id", sa.BigInteger(), nullable=True),
        sa.Column("contractor", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("filed_by", sa.BigInteger(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(exemption IS NOT DISTINCT FROM 'outsourced_canteen') = (contractor IS NOT NULL)",
            name=op.f("ck_reserved_share_revision_contractor"),
        ),
        sa.CheckConstraint(
            "(exemption IS NOT DISTINCT FROM 'shared_canteen') = (shared_with_id IS NOT NULL)",
            name=op.f("ck_reserved_share_revision_shared_with"),
        ),
        sa.CheckConstraint("decision IN ('accepted','returned')", name=op.f("ck_reserved_share_revision_decision")),
        sa.CheckConstraint(
            "exemption IN ('no_canteen','shared_canteen','outsourced_canteen')", name=op.f("ck_reserved_share_revision_exemption")
        ),
        sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_reserved_share_revision_decided")),
        sa.CheckConstraint(
            "(exemption IS NULL) = (exemption_reason IS NULL)", name=op.f("ck_reserved_share_revision_exemption_reason")
        ),
        sa.CheckConstraint("base_fen >= 0", name=op.f("ck_reserved_share_revision_base_fen")),
        sa.CheckConstraint("number > 0", name=op.f("ck_reserved_share_revision_number")),
        sa.CheckConstraint("percent_bp BETWEEN 0 AND 10000", name=op.f("ck_reserved_share_revision_percent_bp")),
        sa.CheckConstraint(
            "reserved_fen = CASE WHEN exemption IS NULL THEN round(base_fen::numeric * percent_bp / 10000)::bigint ELSE 0 END",
            name=op.f("ck_reserved_share_revision_reserved_fen"),
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_reserved_share_revision_decided_by")),
        sa.ForeignKeyConstraint(["filed_by"], ["app_user.id"], name=op.f("fk_reserved_share_revision_filed_by")),
        sa.ForeignKeyConstraint(
            ["reserved_share_id"], ["reserved_share.id"], name=op.f("fk_reserved_share_revision_reserved_share_id")
        ),
        sa.ForeignKeyConstraint(["shared_with_id"], ["organisation.id"], name=op.f("fk_reserved_share_revision_shared_with_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reserved_share_revision")),
        sa.UniqueConstraint("reserved_share_id", "number", name=op.f("uq_reserved_share_revision_reserved_share_id_number")),
    )
    op.create_index(
        op.f("ix_reserved_share_revision_shared_with_id"),
        "reserved_share_revision",
        ["shared_with_id"],
        unique=False,
        postgresql_where=sa.text("shared_with_id IS NOT NULL"),
    )
    op.create_table(
        "evaluation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("quality", sa.Integer(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("delivery", sa.Integer(), nullable=False),
        sa.Column("packaging", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("rated_by", sa.BigInteger(), nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name=op.f("ck_evaluation_answered")),
        sa.CheckConstraint(
            "quality BETWEEN 1 AND 5 AND price BETWEEN 1 AND 5 AND delivery BETWEEN 1 AND 5 AND packaging BETWEEN 1 AND 5",
            name=op.f("ck_evaluation_ratings"),
        ),
        sa.ForeignKeyConstraint(["answered_by"], ["app_user.id"], name=op.f("fk_evaluation_answered_by")),
        sa.ForeignKeyConstraint(["buyer_id"], ["organisation.id"], name=op.f("fk_evaluation_buyer_id")),
        sa.ForeignKeyConstraint(["rated_by"], ["app_user.id"], name=op.f("fk_evaluation_rated_by")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_evaluation_supplier_id")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_evaluation_supplier_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation")),
        sa.UniqueConstraint("supplier_order_id", name=op.f("uq_evaluation_supplier_order_id")),
    )
    op.create_index(op.f("ix_evaluation_buyer_id_id"), "evaluation", ["buyer_id", "id"], unique=False)
    op.create_index(op.f("ix_evaluation_supplier_id_id"), "evaluation", ["supplier_id", "id"], unique=False)
    op.create_table(
        "evaluation_file",
        sa.Column("evaluation_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["evaluation_id"], ["evaluation.id"], name=op.f("fk_evaluation_file_evaluation_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_evaluation_file_file_id")),
        sa.PrimaryKeyConstraint("evaluation_id", "file_id", name=op.f("pk_evaluation_file")),
    )
    op.create_table(
        "evaluation_product",
        sa.Column("evaluation_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_evaluation_product_certificate_id")),
        sa.ForeignKeyConstraint(["evaluation_id"], ["evaluation.id"], name=op.f("fk_evaluation_product_evaluation_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_evaluation_product_product_id")),
        sa.PrimaryKeyConstraint("evaluation_id", "product_id", name=op.f("pk_evaluation_product")),
    )
    op.create_index(
        op.f("ix_evaluation_product_certificate_id_evaluation_id"),
        "evaluation_product",
        ["certificate_id", "evaluation_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_evaluation_product_product_id_evaluation_id"), "evaluation_product", ["product_id", "evaluation_id"], unique=False
    )
    op.create_table(
        "quality_signal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("ratings", sa.Integer(), nullable=False),
        sa.Column("buyers", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cleared_by", sa.BigInteger(), nullable=True),
        sa.Column("clearing_reason", sa.String(), nullable=True),
        sa.CheckConstraint("(cleared_at IS NULL) = (clearing_reason IS NULL)", name=op.f("ck_quality_signal_cleared")),
        sa.CheckConstraint("ratings > 0 AND buyers > 0 AND buyers <= ratings", name=op.f("ck_quality_signal_counts")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_quality_signal_certificate_id")),
        sa.ForeignKeyConstraint(["cleared_by"], ["app_user.id"], name=op.f("fk_quality_signal_cleared_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_signal")),
    )
    op.create_index(op.f("ix_quality_signal_certificate_id_id"), "quality_signal", ["certificate_id", "id"], unique=False)
    op.create_index(
        "uq_quality_signal_open", "quality_signal", ["certificate_id"], unique=True, postgresql_where=sa.text("cleared_at IS NULL")
    )
    op.add_column("complaint", sa.Column("supplier_order_id", sa.BigInteger(), nullable=True))
    op.create_index(
        op.f("ix_complaint_supplier_order_id"),
        "complaint",
        ["supplier_order_id"],
        unique=False,
        postgresql_where=sa.text("supplier_order_id IS NOT NULL"),
    )
    # the same index, from which alone a unit's year is summed
    op.drop_index("ix_sale_entry_buyer_id_sold_on_id", table_name="sale_entry")
    op.create_index(
        op.f("ix_sale_entry_buyer_id_sold_on_id"),
        "sale_entry",
        ["buyer_id", "sold_on", "id"],
        unique=False,
        postgresql_include=["fund_source", "reserved_share_eligible", "certified", "amount_fen"],
    )


def downgrade() -> None:
    op.drop_index("ix_sale_entry_buyer_id_sold_on_id", table_name="sale_entry")
    op.create_index(op.f("ix_sale_entry_buyer_id_sold_on_id"), "sale_entry", ["buyer_id", "sold_on", "id"], unique=False)
    op.drop_index(
        op.f("ix_complaint_supplier_order_id"), table_name="complaint", postgresql_where=sa.text("supplier_order_id IS NOT NULL")
    )
    op.drop_column("complaint", "supplier_order_id")
    op.drop_index("uq_quality_signal_open", table_name="quality_signal", postgresql_where=sa.text("cleared_at IS NULL"))
    op.drop_index(op.f("ix_quality_signal_certificate_id_id"), table_name="quality_signal")
    op.drop_table("quality_signal")
    op.drop_index(op.f("ix_evaluation_product_product_id_evaluation_id"), table_name="evaluation_product")
    op.drop_index(op.f("ix_evaluation_product_certificate_id_evaluation_id"), table_name="evaluation_product")
    op.drop_table("evaluation_product")
    op.drop_table("evaluation_file")
    op.drop_index(op.f("ix_evaluation_supplier_id_id"), table_name="evaluation")
    op.drop_index(op.f("ix_evaluation_buyer_id_id"), table_name="evaluation")
    op.drop_table("evaluation")
    op.drop_index(
        op.f("ix_reserved_share_revision_shared_with_id"),
        table_name="reserved_share_revision",
        postgresql_where=sa.text("shared_with_id IS NOT NULL"),
    )
    op.drop_table("reserved_share_revision")
    op.drop_index(op.f("ix_reserved_share_year_status"), table_name="reserved_share")
    op.drop_table("reserved_share")
    op.drop_table("sales_fund_year")
