"""Requests for quotation, the quotations that suppliers send, what was awarded, and who was asked."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quotation_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("copied_from_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("matching", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("districts", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("fund_source", sa.String(), nullable=False),
        sa.Column("cost_centre", sa.String(), nullable=True),
        sa.Column("delivery_address", sa.String(), nullable=False),
        sa.Column("delivery_contact", sa.String(), nullable=True),
        sa.Column("delivery_phone", sa.String(), nullable=True),
        sa.Column("target_shown", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("questions_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), server_default="draft", nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True, comment="why it was extended, cancelled or ended"),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(status = 'draft') = (published_at IS NULL) OR status = 'cancelled'", name=op.f("ck_quotation_request_published")
        ),
        sa.CheckConstraint("districts = '{}' OR matching", name=op.f("ck_quotation_request_districts")),
        sa.CheckConstraint("fund_source IN ('canteen','union','welfare','other')", name=op.f("ck_quotation_request_fund_source")),
        sa.CheckConstraint("kind IN ('invited','published')", name=op.f("ck_quotation_request_kind")),
        sa.CheckConstraint(
            "status IN ('draft','open','partly_awarded','awarded','cancelled')", name=op.f("ck_quotation_request_status")
        ),
        sa.CheckConstraint(
            "status NOT IN ('partly_awarded','awarded') OR opened_at IS NOT NULL",
            name=op.f("ck_quotation_request_awarded_when_opened"),
        ),
        sa.CheckConstraint("opened_at IS NULL OR opened_at >= closes_at", name=op.f("ck_quotation_request_sealed")),
        sa.CheckConstraint("questions_until <= closes_at", name=op.f("ck_quotation_request_questions_until")),
        sa.ForeignKeyConstraint(["buyer_id"], ["organisation.id"], name=op.f("fk_quotation_request_buyer_id")),
        sa.ForeignKeyConstraint(["copied_from_id"], ["quotation_request.id"], name=op.f("fk_quotation_request_copied_from_id")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_quotation_request_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotation_request")),
        sa.UniqueConstraint("number", name=op.f("uq_quotation_request_number")),
    )
    op.create_index(op.f("ix_quotation_request_buyer_id_id"), "quotation_request", ["buyer_id", "id"], unique=False)
    op.create_index(
        "ix_quotation_request_open", "quotation_request", ["closes_at"], unique=False, postgresql_where=sa.text("status = 'open'")
    )
    op.create_table(
        "quotation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("quotation_request_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("submitted_by", sa.BigInteger(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("status", sa.String(), server_default="submitted", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('submitted','replaced','withdrawn')", name=op.f("ck_quotation_status")),
        sa.CheckConstraint("submitted_at < closes_at", name=op.f("ck_quotation_in_time")),
        sa.ForeignKeyConstraint(["quotation_request_id"], ["quotation_request.id"], name=op.f("fk_quotation_quotation_request_id")),
        sa.ForeignKeyConstraint(["submitted_by"], ["app_user.id"], name=op.f("fk_quotation_submitted_by")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_quotation_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotation")),
        sa.UniqueConstraint(
            "quotation_request_id", "supplier_id", "revision", name=op.f("uq_quotation_quotation_request_id_supplier_id_revision")
        ),
    )
    op.create_index(op.f("ix_quotation_supplier_id_id"), "quotation", ["supplier_id", "id"], unique=False)
    op.create_index(
        "uq_quotation_in_force",
        "quotation",
        ["quotation_request_id", "supplier_id"],
        unique=True,
        postgresql_where=sa.text("status = 'submitted'"),
    )
    op.create_table(
        "quotation_award",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("quotation_request_id", sa.BigInteger(), nullable=False),
        sa.Column("awarded_by", sa.BigInteger(), nullable=False),
        sa.Column("awarded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=True),
        sa.Column("purchase_request_id", sa.BigInteger(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreement_id", sa.BigInteger(), nullable=True),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("result IN ('order','agreement')", name=op.f("ck_quotation_award_result")),
        sa.CheckConstraint("total_fen >= 0", name=op.f("ck_quotation_award_total_fen")),
        sa.ForeignKeyConstraint(["awarded_by"], ["app_user.id"], name=op.f("fk_quotation_award_awarded_by")),
        sa.ForeignKeyConstraint(["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_quotation_award_purchase_order_id")),
        sa.ForeignKeyConstraint(
            ["quotation_request_id"], ["quotation_request.id"], name=op.f("fk_quotation_award_quotation_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotation_award")),
    )
    op.create_index(
        op.f("ix_quotation_award_quotation_request_id_id"), "quotation_award", ["quotation_request_id", "id"], unique=False
    )
    op.create_index(
        "ix_quotation_award_agreement_id",
        "quotation_award",
        ["agreement_id"],
        unique=False,
        postgresql_where=sa.text("agreement_id IS NOT NULL"),
    )
    op.create_index(
        "ix_quotation_award_purchase_request_id",
        "quotation_award",
        ["purchase_request_id"],
        unique=False,
        postgresql_where=sa.text("purchase_request_id IS NOT NULL"),
    )
    op.create_table(
        "quotation_invitation",
        sa.Column("quotation_request_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("matched", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decline_reason", sa.String(), nullable=True),
        sa.CheckConstraint("(declined_at IS NULL) = (decline_reason IS NULL)", name=op.f("ck_quotation_invitation_declined")),
        sa.ForeignKeyConstraint(
            ["quotation_request_id"], ["quotation_request.id"], name=op.f("fk_quotation_invitation_quotation_request_id")
        ),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_quotation_invitation_supplier_id")),
        sa.PrimaryKeyConstraint("quotation_request_id", "supplier_id", name=op.f("pk_quotation_invitation")),
    )
    op.create_index(
        op.f("ix_quotation_invitation_supplier_id_quotation_request_id"),
        "quotation_invitation",
        ["supplier_id", "quotation_request_id"],
        unique=False,
    )
    op.create_table(
        "quotation_question",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("quotation_request_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name=op.f("ck_quotation_question_answered")),
        sa.ForeignKeyConstraint(["answered_by"], ["app_user.id"], name=op.f("fk_quotation_question_answered_by")),
        sa.ForeignKeyConstraint(["asked_by"], ["app_user.id"], name=op.f("fk_quotation_question_asked_by")),
        sa.ForeignKeyConstraint(
            ["quotation_request_id"], ["quotation_request.id"], name=op.f("fk_quotation_question_quotation_request_id")
        ),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_quotation_question_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotation_question")),
    )
    op.create_index(
        op.f("ix_quotation_question_quotation_request_id_id"), "quotation_question", ["quotation_request_id", "id"], unique=False
    )
    op.create_table(
        "quotation_request_file",
        sa.Column("quotation_request_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_quotation_request_file_file_id")),
        sa.ForeignKeyConstraint(
            ["quotation_request_id"], ["quotation_request.id"], name=op.f("fk_quotation_request_file_quotation_request_id")
        ),
        sa.PrimaryKeyConstraint("quotation_request_id", "file_id", name=op.f("pk_quotation_request_file")),
    )
    op.create_table(
        "quotation_request_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("quotation_request_id", sa.BigInteger(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("specification", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("unit_grams", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("target_price_fen", sa.BigInteger(), nullable=True),
        sa.Column("deliver_by", sa.Date(), nullable=True),
        sa.Column("delivery_place", sa.String(), nullable=True),
        sa.Column("awarded_quantity", sa.Numeric(precision=14, scale=3), server_default="0", nullable=False),
        sa.CheckConstraint("sku_id IS NOT NULL OR specification <> ''", name=op.f("ck_quotation_request_line_asked")),
        sa.CheckConstraint("awarded_quantity BETWEEN 0 AND quantity", name=op.f("ck_quotation_request_line_not_awarded_twice")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_quotation_request_line_quantity")),
        sa.CheckConstraint("target_price_fen > 0", name=op.f("ck_quotation_request_line_target_price_fen")),
        sa.CheckConstraint("unit_grams > 0", name=op.f("ck_quotation_request_line_unit_grams")),
        sa.ForeignKeyConstraint(
            ["quotation_request_id"], ["quotation_request.id"], name=op.f("fk_quotation_request_line_quotation_request_id")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_quotation_request_line_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotation_request_line")),
        sa.UniqueConstraint("quotation_request_id", "line_no", name=op.f("uq_quotation_request_line_quotation_request_id_line_no")),
    )
    op.create_table(
        "quotation_file",
        sa.Column("quotation_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_quotation_file_file_id")),
        sa.ForeignKeyConstraint(["quotation_id"], ["quotation.id"], name=op.f("fk_quotation_file_quotation_id")),
        sa.PrimaryKeyConstraint("quotation_id", "file_id", name=op.f("pk_quotation_file")),
    )
    op.create_table(
        "quotation_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("quotation_id", sa.BigInteger(), nullable=False),
        sa.Column("quotation_request_line_id", sa.BigInteger(), nullable=False),
        sa.Column("declined", sa.Boolean(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("list_price_fen", sa.BigInteger(), nullable=True),
        sa.Column("deliver_on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("awarded_quantity", sa.Numeric(precision=14, scale=3), server_default="0", nullable=False),
        sa.CheckConstraint(
            "awarded_quantity BETWEEN 0 AND coalesce(quantity, 0)", name=op.f("ck_quotation_line_not_above_offered")
        ),
        sa.CheckConstraint(
            "declined = (sku_id IS NULL) AND declined = (quantity IS NULL)", name=op.f("ck_quotation_line_declined")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_quotation_line_quantity")),
        sa.ForeignKeyConstraint(["quotation_id"], ["quotation.id"], name=op.f("fk_quotation_line_quotation_id")),
        sa.ForeignKeyConstraint(
            ["quotation_request_line_id"], ["quotation_request_line.id"], name=op.f("fk_quotation_line_quotation_request_line_id")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_quotation_line_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotation_line")),
        sa.UniqueConstraint(
            "quotation_id", "quotation_request_line_id", name=op.f("uq_quotation_line_quotation_id_quotation_request_line_id")
        ),
    )
    op.create_index(
        op.f("ix_quotation_line_quotation_request_line_id"), "quotation_line", ["quotation_request_line_id"], unique=False
    )
    op.create_table(
        "quotation_award_line",
        sa.Column("quotation_award_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("quotation_request_line_id", sa.BigInteger(), nullable=False),
        sa.Column("quotation_line_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("packs", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("lowest", sa.Boolean(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=True),
        sa.Column("given_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_fen = round(packs * unit_price_fen)", name=op.f("ck_quotation_award_line_amount_fen")),
        sa.CheckConstraint("lowest OR reason_code IS NOT NULL", name=op.f("ck_quotation_award_line_reason_code")),
        sa.CheckConstraint("quantity > 0 AND packs > 0", name=op.f("ck_quotation_award_line_quantity")),
        sa.CheckConstraint("unit_price_fen > 0", name=op.f("ck_quotation_award_line_unit_price_fen")),
        sa.ForeignKeyConstraint(
            ["quotation_award_id"], ["quotation_award.id"], name=op.f("fk_quotation_award_line_quotation_award_id")
        ),
        sa.ForeignKeyConstraint(
            ["quotation_line_id"], ["quotation_line.id"], name=op.f("fk_quotation_award_line_quotation_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["quotation_request_line_id"],
            ["quotation_request_line.id"],
            name=op.f("fk_quotation_award_line_quotation_request_line_id"),
        ),
        sa.PrimaryKeyConstraint("quotation_award_id", "position", name=op.f("pk_quotation_award_line")),
    )
    op.create_index(op.f("ix_quotation_award_line_quotation_line_id"), "quotation_award_line", ["quotation_line_id"], unique=False)
    op.create_index(
        op.f("ix_quotation_award_line_quotation_request_line_id"),
        "quotation_award_line",
        ["quotation_request_line_id"],
        unique=False,
    )
    op.create_table(
        "quotation_price",
        sa.Column("quotation_line_id", sa.BigInteger(), nullable=False),
        sa.Column("min_quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("min_quantity > 0", name=op.f("ck_quotation_price_min_quantity")),
        sa.CheckConstraint(
            "unit_price_fen > 0 AND unit_price_fen <= 1000000000000", name=op.f("ck_quotation_price_unit_price_fen")
        ),
        sa.ForeignKeyConstraint(["quotation_line_id"], ["quotation_line.id"], name=op.f("fk_quotation_price_quotation_line_id")),
        sa.PrimaryKeyConstraint("quotation_line_id", "min_quantity", name=op.f("pk_quotation_price")),
    )


def downgrade() -> None:
    op.drop_table("quotation_price")
    op.drop_index(op.f("ix_quotation_award_line_quotation_request_line_id"), table_name="quotation_award_line")
    op.drop_index(op.f("ix_quotation_award_line_quotation_line_id"), table_name="quotation_award_line")
    op.drop_table("quotation_award_line")
    op.drop_index(op.f("ix_quotation_line_quotation_request_line_id"), table_name="quotation_line")
    op.drop_table("quotation_line")
    op.drop_table("quotation_file")
    op.drop_table("quotation_request_line")
    op.drop_table("quotation_request_file")
    op.drop_index(op.f("ix_quotation_question_quotation_request_id_id"), table_name="quotation_question")
    op.drop_table("quotation_question")
    op.drop_index(op.f("ix_quotation_invitation_supplier_id_quotation_request_id"), table_name="quotation_invitation")
    op.drop_table("quotation_invitation")
    op.drop_index(
        "ix_quotation_award_agreement_id",
        table_name="quotation_award",
        postgresql_where=sa.text("agreement_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_quotation_award_purchase_request_id",
        table_name="quotation_award",
        postgresql_where=sa.text("purchase_request_id IS NOT NULL"),
    )
    op.drop_index(op.f("ix_quotation_award_quotation_request_id_id"), table_name="quotation_award")
    op.drop_table("quotation_award")
    op.drop_index("uq_quotation_in_force", table_name="quotation", postgresql_where=sa.text("status = 'submitted'"))
    op.drop_index(op.f("ix_quotation_supplier_id_id"), table_name="quotation")
    op.drop_table("quotation")
    op.drop_index("ix_quotation_request_open", table_name="quotation_request", postgresql_where=sa.text("status = 'open'"))
    op.drop_index(op.f("ix_quotation_request_buyer_id_id"), table_name="quotation_request")
    op.drop_table("quotation_request")
