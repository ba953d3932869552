"""Lists that buyers upload and order from, what their columns were said to be, and lists that they keep."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "column_mapping",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("columns", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("saved_by", sa.BigInteger(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_column_mapping_organisation_id")),
        sa.ForeignKeyConstraint(["saved_by"], ["app_user.id"], name=op.f("fk_column_mapping_saved_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_column_mapping")),
        sa.UniqueConstraint("organisation_id", "fingerprint", name=op.f("uq_column_mapping_organisation_id_fingerprint")),
    )
    op.create_table(
        "saved_list",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("line_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_saved_list_organisation_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_saved_list_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_list")),
        sa.UniqueConstraint("organisation_id", "owner_id", "name", name=op.f("uq_saved_list_organisation_id_owner_id_name")),
    )
    op.create_index(op.f("ix_saved_list_owner_id"), "saved_list", ["owner_id"], unique=False)
    op.create_table(
        "order_import",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_by", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="reading", nullable=False),
        sa.Column("fault", sa.String(), nullable=True, comment="code of why it could not be read"),
        sa.Column("rows_total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rows_done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sheet", sa.String(), nullable=True),
        sa.Column("sheets", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("header_row", sa.Integer(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("columns", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("undecided", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sample", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("keep_columns", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=True),
        sa.Column("purchase_request_id", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status = 'failed') = (fault IS NOT NULL)", name=op.f("ck_order_import_fault")),
        sa.CheckConstraint("status IN ('reading','checking','ready','failed','ordered')", name=op.f("ck_order_import_status")),
        sa.CheckConstraint("header_row >= 1", name=op.f("ck_order_import_header_row")),
        sa.ForeignKeyConstraint(["buyer_id"], ["organisation.id"], name=op.f("fk_order_import_buyer_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_order_import_file_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_order_import_organisation_id")),
        sa.ForeignKeyConstraint(["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_order_import_purchase_order_id")),
        sa.ForeignKeyConstraint(["uploaded_by"], ["app_user.id"], name=op.f("fk_order_import_uploaded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_import")),
    )
    op.create_index(op.f("ix_order_import_organisation_id_id"), "order_import", ["organisation_id", "id"], unique=False)
    op.create_index(op.f("ix_order_import_organisation_id_sha256"), "order_import", ["organisation_id", "sha256"], unique=False)
    op.create_table(
        "saved_list_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.CheckConstraint("quantity > 0 AND quantity <= 1000000000", name=op.f("ck_saved_list_line_quantity")),
        sa.ForeignKeyConstraint(["list_id"], ["saved_list.id"], name=op.f("fk_saved_list_line_list_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_saved_list_line_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_list_line")),
        sa.UniqueConstraint("list_id", "sku_id", name=op.f("uq_saved_list_line_list_id_sku_id")),
    )
    op.create_table(
        "order_import_row",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("row_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cells", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("district", sa.String(), nullable=False),
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.Column("sku_id", sa.BigInteger(), nullable=True),
        sa.Column("ordered_quantity", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("skipped", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("faults", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("candidates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("substitutes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("grams", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('line','blank','total','remark')", name=op.f("ck_order_import_row_kind")),
        sa.CheckConstraint(
            "state IN ('waiting','matched','warning','ambiguous','faulty','skipped','not_a_line')",
            name=op.f("ck_order_import_row_state"),
        ),
        sa.CheckConstraint("NOT chosen OR sku_id IS NOT NULL", name=op.f("ck_order_import_row_chosen")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_import_row_quantity")),
        sa.ForeignKeyConstraint(["import_id"], ["order_import.id"], name=op.f("fk_order_import_row_import_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_order_import_row_sku_id")),
        sa.PrimaryKeyConstraint("import_id", "row_no", name=op.f("pk_order_import_row")),
    )
    op.create_index(
        "ix_product_plain_name",
        "product",
        [sa.literal_column("lower(regexp_replace(normalize(name, NFKC), '\\s', '', 'g'))")],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("ix_product_plain_name", table_name="product")
    op.drop_table("order_import_row")
    op.drop_table("saved_list_line")
    op.drop_index(op.f("ix_order_import_organisation_id_sha256"), table_name="order_import")
    op.drop_index(op.f("ix_order_import_organisation_id_id"), table_name="order_import")
    op.drop_table("order_import")
    op.drop_index(op.f("ix_saved_list_owner_id"), table_name="saved_list")
    op.drop_table("saved_list")
    op.drop_table("column_mapping")
