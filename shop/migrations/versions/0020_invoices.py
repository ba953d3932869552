"""Invoices and credit notes of the own books, and the register of tax invoices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


# What counts what was credited beside what the invoice says.
COUNTED = {
    "invoice": ["status", "sent_at", "sent_by", "credited_fen", "version"],
    "invoice_line": ["returned_quantity", "returned_fen", "reduced_fen"],
}
APPEND_ONLY = ["credit_note", "credit_note_line"]


def upgrade() -> None:
    op.create_table(
        "tax_invoice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("red", sa.Boolean(), nullable=False),
        sa.Column("red_letter_of_id", sa.BigInteger(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("gross_fen", sa.BigInteger(), nullable=False),
        sa.Column("vat_fen", sa.BigInteger(), nullable=True),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("ordering_unit_id", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("registered_by", sa.BigInteger(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "CASE WHEN code IS NULL THEN number ~ '^[0-9]{20}$' ELSE code ~ '^([0-9]{10}|[0-9]{12})$' AND number ~ '^[0-9]{8}$' END",
            name=op.f("ck_tax_invoice_number"),
        ),
        sa.CheckConstraint("status IN ('registered','held','cleared','refused','void')", name=op.f("ck_tax_invoice_status")),
        sa.CheckConstraint(
            "status NOT IN ('cleared','refused','void') OR decision IS NOT NULL", name=op.f("ck_tax_invoice_decision")
        ),
        sa.CheckConstraint("type IN ('special','ordinary')", name=op.f("ck_tax_invoice_type")),
        sa.CheckConstraint("gross_fen > 0 AND vat_fen BETWEEN 0 AND gross_fen", name=op.f("ck_tax_invoice_amounts")),
        sa.CheckConstraint("red OR red_letter_of_id IS NULL", name=op.f("ck_tax_invoice_red")),
        sa.ForeignKeyConstraint(["buyer_id"], ["organisation.id"], name=op.f("fk_tax_invoice_buyer_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_tax_invoice_decided_by")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_tax_invoice_file_id")),
        sa.ForeignKeyConstraint(["ordering_unit_id"], ["organisation.id"], name=op.f("fk_tax_invoice_ordering_unit_id")),
        sa.ForeignKeyConstraint(["red_letter_of_id"], ["tax_invoice.id"], name=op.f("fk_tax_invoice_red_letter_of_id")),
        sa.ForeignKeyConstraint(["registered_by"], ["app_user.id"], name=op.f("fk_tax_invoice_registered_by")),
        sa.ForeignKeyConstraint(["seller_id"], ["organisation.id"], name=op.f("fk_tax_invoice_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_invoice")),
    )
    op.create_index(op.f("ix_tax_invoice_buyer_id_id"), "tax_invoice", ["buyer_id", "id"], unique=False)
    op.create_index(op.f("ix_tax_invoice_number"), "tax_invoice", ["number"], unique=False)
    op.create_index(op.f("ix_tax_invoice_ordering_unit_id_id"), "tax_invoice", ["ordering_unit_id", "id"], unique=False)
    op.create_index(
        op.f("ix_tax_invoice_red_letter_of_id"),
        "tax_invoice",
        ["red_letter_of_id"],
        unique=False,
        postgresql_where=sa.text("red_letter_of_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_tax_invoice_seller_id_id"), "tax_invoice", ["seller_id", "id"], unique=False)
    op.create_index(
        op.f("ix_tax_invoice_status_id"), "tax_invoice", ["status", "id"], unique=False, postgresql_where=sa.text("status = 'held'")
    )
    op.create_index(
        "uq_tax_invoice_number",
        "tax_invoice",
        [sa.literal_column("coalesce(code, '')"), "number"],
        unique=True,
        postgresql_where=sa.text("status IN ('registered','cleared')"),
    )
    op.create_table(
        "invoice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("ordering_unit_id", sa.BigInteger(), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("seller", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("buyer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("gross_fen", sa.BigInteger(), nullable=False),
        sa.Column("vat_fen", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), server_default="issued", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_by", sa.BigInteger(), nullable=True),
        sa.Column("credited_fen", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status = 'credited') = (credited_fen = gross_fen)", name=op.f("ck_invoice_credited")),
        sa.CheckConstraint("status IN ('issued','sent','partly_credited','credited')", name=op.f("ck_invoice_status")),
        sa.CheckConstraint("year = date_part('year', issued_on)", name=op.f("ck_invoice_year")),
        sa.CheckConstraint("credited_fen BETWEEN 0 AND gross_fen", name=op.f("ck_invoice_credited_fen")),
        sa.CheckConstraint("gross_fen > 0 AND vat_fen BETWEEN 0 AND gross_fen", name=op.f("ck_invoice_amounts")),
        sa.ForeignKeyConstraint(["buyer_id"], ["organisation.id"], name=op.f("fk_invoice_buyer_id")),
        sa.ForeignKeyConstraint(["issued_by"], ["app_user.id"], name=op.f("fk_invoice_issued_by")),
        sa.ForeignKeyConstraint(["ordering_unit_id"], ["organisation.id"], name=op.f("fk_invoice_ordering_unit_id")),
        sa.ForeignKeyConstraint(["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_invoice_purchase_order_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["organisation.id"], name=op.f("fk_invoice_seller_id")),
        sa.ForeignKeyConstraint(["sent_by"], ["app_user.id"], name=op.f("fk_invoice_sent_by")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_invoice_supplier_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("number", name=op.f("uq_invoice_number")),
        sa.UniqueConstraint("seller_id", "year", "serial", name=op.f("uq_invoice_seller_id_year_serial")),
    )
    op.create_index(op.f("ix_invoice_buyer_id_id"), "invoice", ["buyer_id", "id"], unique=False)
    op.create_index(op.f("ix_invoice_ordering_unit_id_id"), "invoice", ["ordering_unit_id", "id"], unique=False)
    op.create_index(op.f("ix_invoice_seller_id_id"), "invoice", ["seller_id", "id"], unique=False)
    op.create_index(op.f("ix_invoice_supplier_order_id"), "invoice", ["supplier_order_id"], unique=False)
    op.create_table(
        "credit_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("ordering_unit_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.BigInteger(), nullable=True),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("gross_fen", sa.BigInteger(), nullable=False),
        sa.Column("vat_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "reason_code IN ('return','correction','price_reduction','reassignment','issued_in_error')",
            name=op.f("ck_credit_note_reason_code"),
        ),
        sa.CheckConstraint("year = date_part('year', issued_on)", name=op.f("ck_credit_note_year")),
        sa.CheckConstraint("gross_fen >= 0 AND vat_fen BETWEEN 0 AND gross_fen", name=op.f("ck_credit_note_amounts")),
        sa.ForeignKeyConstraint(["buyer_id"], ["organisation.id"], name=op.f("fk_credit_note_buyer_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_credit_note_invoice_id")),
        sa.ForeignKeyConstraint(["issued_by"], ["app_user.id"], name=op.f("fk_credit_note_issued_by")),
        sa.ForeignKeyConstraint(["ordering_unit_id"], ["organisation.id"], name=op.f("fk_credit_note_ordering_unit_id")),
        sa.ForeignKeyConstraint(["seller_id"], ["organisation.id"], name=op.f("fk_credit_note_seller_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_note")),
        sa.UniqueConstraint("number", name=op.f("uq_credit_note_number")),
        sa.UniqueConstraint("seller_id", "year", "serial", name=op.f("uq_credit_note_seller_id_year_serial")),
    )
    op.create_index(op.f("ix_credit_note_buyer_id_id"), "credit_note", ["buyer_id", "id"], unique=False)
    op.create_index(op.f("ix_credit_note_invoice_id"), "credit_note", ["invoice_id"], unique=False)
    op.create_index(op.f("ix_credit_note_ordering_unit_id_id"), "credit_note", ["ordering_unit_id", "id"], unique=False)
    op.create_index(op.f("ix_credit_note_seller_id_id"), "credit_note", ["seller_id", "id"], unique=False)
    op.create_table(
        "invoice_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("sale_entry_id", sa.BigInteger(), nullable=True),
        sa.Column("acceptance_id", sa.BigInteger(), nullable=True),
        sa.Column("order_line_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sku_code", sa.String(), nullable=True),
        sa.Column("pack", sa.String(), nullable=True),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("vat_bp", sa.Integer(), nullable=False),
        sa.Column("vat_fen", sa.BigInteger(), nullable=False),
        sa.Column("exemption", sa.String(), nullable=True),
        sa.Column("returned_quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("reduced_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "CASE kind WHEN 'goods' THEN sale_entry_id IS NOT NULL AND order_line_id IS NOT NULL AND acceptance_id IS NOT NULL ELSE sale_entry_id IS NULL AND order_line_id IS NULL AND acceptance_id IS NULL END",
            name=op.f("ck_invoice_line_place"),
        ),
        sa.CheckConstraint(
            "exemption IN ('self_produced','cooperative','vegetables','meat_and_eggs','small_scale')",
            name=op.f("ck_invoice_line_exemption"),
        ),
        sa.CheckConstraint("kind IN ('goods','freight')", name=op.f("ck_invoice_line_kind")),
        sa.CheckConstraint("(vat_bp = 0) = (exemption IS NOT NULL)", name=op.f("ck_invoice_line_exempt")),
        sa.CheckConstraint("quantity > 0 AND amount_fen > 0", name=op.f("ck_invoice_line_amount_fen")),
        sa.CheckConstraint(
            "returned_fen >= 0 AND reduced_fen >= 0 AND returned_fen + reduced_fen <= amount_fen",
            name=op.f("ck_invoice_line_credited"),
        ),
        sa.CheckConstraint("returned_quantity BETWEEN 0 AND quantity", name=op.f("ck_invoice_line_returned_quantity")),
        sa.CheckConstraint("vat_bp BETWEEN 0 AND 10000", name=op.f("ck_invoice_line_vat_bp")),
        sa.CheckConstraint(
            "vat_fen = round(amount_fen::numeric * vat_bp / (10000 + vat_bp))", name=op.f("ck_invoice_line_vat_fen")
        ),
        sa.ForeignKeyConstraint(["acceptance_id"], ["acceptance.id"], name=op.f("fk_invoice_line_acceptance_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_invoice_line_invoice_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_invoice_line_order_line_id")),
        sa.ForeignKeyConstraint(["sale_entry_id"], ["sale_entry.id"], name=op.f("fk_invoice_line_sale_entry_id")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_invoice_line_supplier_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_line")),
        sa.UniqueConstraint("invoice_id", "line_no", name=op.f("uq_invoice_line_invoice_id_line_no")),
    )
    op.create_index(
        op.f("ix_invoice_line_sale_entry_id"),
        "invoice_line",
        ["sale_entry_id"],
        unique=False,
        postgresql_where=sa.text("sale_entry_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_invoice_line_supplier_order_id"), "invoice_line", ["supplier_order_id"], unique=False)
    op.create_index(
        "uq_invoice_line_freight",
        "invoice_line",
        ["supplier_order_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'freight' AND returned_fen < amount_fen"),
    )
    op.create_index(
        "uq_invoice_line_sale",
        "invoice_line",
        ["sale_entry_id"],
        unique=True,
        postgresql_where=sa.text("sale_entry_id IS NOT NULL AND returned_fen < amount_fen"),
    )
    op.create_table(
        "tax_invoice_cover",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tax_invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=True),
        sa.Column("credit_note_id", sa.BigInteger(), nullable=True),
        sa.Column("acceptance_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("num_nonnulls(invoice_id, credit_note_id, acceptance_id) <= 1", name=op.f("ck_tax_invoice_cover_what")),
        sa.ForeignKeyConstraint(["acceptance_id"], ["acceptance.id"], name=op.f("fk_tax_invoice_cover_acceptance_id")),
        sa.ForeignKeyConstraint(["credit_note_id"], ["credit_note.id"], name=op.f("fk_tax_invoice_cover_credit_note_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_tax_invoice_cover_invoice_id")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_tax_invoice_cover_supplier_order_id")),
        sa.ForeignKeyConstraint(["tax_invoice_id"], ["tax_invoice.id"], name=op.f("fk_tax_invoice_cover_tax_invoice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_invoice_cover")),
    )
    op.create_index(
        op.f("ix_tax_invoice_cover_acceptance_id"),
        "tax_invoice_cover",
        ["acceptance_id"],
        unique=False,
        postgresql_where=sa.text("acceptance_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_tax_invoice_cover_credit_note_id"),
        "tax_invoice_cover",
        ["credit_note_id"],
        unique=False,
        postgresql_where=sa.text("credit_note_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_tax_invoice_cover_invoice_id"),
        "tax_invoice_cover",
        ["invoice_id"],
        unique=False,
        postgresql_where=sa.text("invoice_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_tax_invoice_cover_supplier_order_id"), "tax_invoice_cover", ["supplier_order_id"], unique=False)
    op.create_index(
        "uq_tax_invoice_cover_once",
        "tax_invoice_cover",
        ["tax_invoice_id", "supplier_order_id", "invoice_id", "credit_note_id", "acceptance_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "credit_note_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("credit_note_id", sa.BigInteger(), nullable=False),
        sa.Column("invoice_line_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("reduced_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("vat_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "amount_fen = returned_fen + reduced_fen AND amount_fen >= 0", name=op.f("ck_credit_note_line_amount_fen")
        ),
        sa.CheckConstraint("quantity >= 0 AND returned_fen >= 0", name=op.f("ck_credit_note_line_returned")),
        sa.CheckConstraint("vat_fen BETWEEN 0 AND amount_fen", name=op.f("ck_credit_note_line_vat_fen")),
        sa.ForeignKeyConstraint(["credit_note_id"], ["credit_note.id"], name=op.f("fk_credit_note_line_credit_note_id")),
        sa.ForeignKeyConstraint(["invoice_line_id"], ["invoice_line.id"], name=op.f("fk_credit_note_line_invoice_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_note_line")),
        sa.UniqueConstraint("credit_note_id", "invoice_line_id", name=op.f("uq_credit_note_line_credit_note_id_invoice_line_id")),
    )
    op.create_index(op.f("ix_credit_note_line_invoice_line_id"), "credit_note_line", ["invoice_line_id"], unique=False)
    _papers()
    _guard()


# Invoices that were uploaded as papers of orders and have the digits of a fully digitalised one; a number that two suppliers named is held.
_ENTER_PAPERS = """
    WITH paper AS (
        SELECT p.*, po.buyer_id, po.ordering_unit_id, count(*) OVER (PARTITION BY p.number) AS same
        FROM order_paper p JOIN supplier_order so ON so.id = p.supplier_order_id JOIN purchase_order po ON po.id = so.purchase_order_id
        WHERE p.kind = 'invoice' AND p.voided_at IS NULL AND p.number ~ '^[0-9]{20}$'
    ), entered AS (
        INSERT INTO tax_invoice (number, type, red, issued_on, gross_fen, seller_id, buyer_id, ordering_unit_id, note, file_id, status,
            registered_by, registered_at)
        SELECT number, 'ordinary', false, issued_on, amount_fen, supplier_id, buyer_id, ordering_unit_id, note, file_id,
               CASE same WHEN 1 THEN 'registered' ELSE 'held' END, uploaded_by, uploaded_at
        FROM paper ORDER BY id RETURNING id, number, seller_id
    ), known AS (
        SELECT e.id AS tax_invoice_id, p.id, p.supplier_order_id
        FROM entered e JOIN paper p ON p.number = e.number AND p.supplier_id = e.seller_id
    ), covered AS (
        INSERT INTO tax_invoice_cover (tax_invoice_id, supplier_order_id) SELECT tax_invoice_id, supplier_order_id FROM known
    )
    UPDATE order_paper SET tax_invoice_id = known.tax_invoice_id FROM known WHERE known.id = order_paper.id
"""


def _papers() -> None:
    """Invoices among the papers of orders are in the register, where their number counts once."""
    op.drop_index(
        "uq_order_paper_invoice", table_name="order_paper", postgresql_where=sa.text("kind = 'invoice' AND voided_at IS NULL")
    )
    op.add_column("order_paper", sa.Column("tax_invoice_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_order_paper_tax_invoice_id"), "order_paper", "tax_invoice", ["tax_invoice_id"], ["id"])
    op.create_check_constraint(op.f("ck_order_paper_tax_invoice"), "order_paper", "kind = 'invoice' OR tax_invoice_id IS NULL")
    op.create_index(
        op.f("ix_order_paper_tax_invoice_id"),
        "order_paper",
        ["tax_invoice_id"],
        unique=False,
        postgresql_where=sa.text("tax_invoice_id IS NOT NULL"),
    )
    op.execute(_ENTER_PAPERS)


def _guard() -> None:
    """Invoices are never changed: what is wrong is credited."""
    op.execute(
        """
        CREATE FUNCTION refuse_other_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF to_jsonb(NEW) - TG_ARGV <> to_jsonb(OLD) - TG_ARGV THEN
                RAISE EXCEPTION 'what a row of % says is never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    for table, columns in COUNTED.items():
        names = ", ".join(f"'{column}'" for column in columns)
        op.execute(f"CREATE TRIGGER keep_words BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_other_change({names})")
        op.execute(
            f"CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.drop_index(
        op.f("ix_order_paper_tax_invoice_id"), table_name="order_paper", postgresql_where=sa.text("tax_invoice_id IS NOT NULL")
    )
    op.drop_constraint(op.f("ck_order_paper_tax_invoice"), "order_paper")
    op.drop_column("order_paper", "tax_invoice_id")
    op.create_index(
        "uq_order_paper_invoice",
        "order_paper",
        ["supplier_id", "number"],
        unique=True,
        postgresql_where=sa.text("kind = 'invoice' AND voided_at IS NULL"),
    )
    op.drop_index(op.f("ix_credit_note_line_invoice_line_id"), table_name="credit_note_line")
    op.drop_table("credit_note_line")
    op.drop_index(op.f("ix_tax_invoice_cover_supplier_order_id"), table_name="tax_invoice_cover")
    op.drop_index("uq_tax_invoice_cover_once", table_name="tax_invoice_cover", postgresql_nulls_not_distinct=True)
    op.drop_index(
        op.f("ix_tax_invoice_cover_invoice_id"), table_name="tax_invoice_cover", postgresql_where=sa.text("invoice_id IS NOT NULL")
    )
    op.drop_index(
        op.f("ix_tax_invoice_cover_credit_note_id"),
        table_name="tax_invoice_cover",
        postgresql_where=sa.text("credit_note_id IS NOT NULL"),
    )
    op.drop_index(
        op.f("ix_tax_invoice_cover_acceptance_id"),
        table_name="tax_invoice_cover",
        postgresql_where=sa.text("acceptance_id IS NOT NULL"),
    )
    op.drop_table("tax_invoice_cover")
    op.drop_index(
        "uq_invoice_line_sale",
        table_name="invoice_line",
        postgresql_where=sa.text("sale_entry_id IS NOT NULL AND returned_fen < amount_fen"),
    )
    op.drop_index(
        "uq_invoice_line_freight",
        table_name="invoice_line",
        postgresql_where=sa.text("kind = 'freight' AND returned_fen < amount_fen"),
    )
    op.drop_index(op.f("ix_invoice_line_supplier_order_id"), table_name="invoice_line")
    op.drop_index(
        op.f("ix_invoice_line_sale_entry_id"), table_name="invoice_line", postgresql_where=sa.text("sale_entry_id IS NOT NULL")
    )
    op.drop_table("invoice_line")
    op.drop_index(op.f("ix_credit_note_seller_id_id"), table_name="credit_note")
    op.drop_index(op.f("ix_credit_note_ordering_unit_id_id"), table_name="credit_note")
    op.drop_index(op.f("ix_credit_note_invoice_id"), table_name="credit_note")
    op.drop_index(op.f("ix_credit_note_buyer_id_id"), table_name="credit_note")
    op.drop_table("credit_note")
    op.drop_index(op.f("ix_invoice_supplier_order_id"), table_name="invoice")
    op.drop_index(op.f("ix_invoice_seller_id_id"), table_name="invoice")
    op.drop_index(op.f("ix_invoice_ordering_unit_id_id"), table_name="invoice")
    op.drop_index(op.f("ix_invoice_buyer_id_id"), table_name="invoice")
    op.drop_table("invoice")
    op.drop_index("uq_tax_invoice_number", table_name="tax_invoice", postgresql_where=sa.text("status IN ('registered','cleared')"))
    op.drop_index(op.f("ix_tax_invoice_status_id"), table_name="tax_invoice", postgresql_where=sa.text("status = 'held'"))
    op.drop_index(op.f("ix_tax_invoice_seller_id_id"), table_name="tax_invoice")
    op.drop_index(op.f("ix_tax_invoice_ordering_unit_id_id"), table_name="tax_invoice")
    op.drop_index(op.f("ix_tax_invoice_number"), table_name="tax_invoice")
    op.drop_index(op.f("ix_tax_invoice_buyer_id_id"), table_name="tax_invoice")
    op.drop_table("tax_invoice")
    op.execute("DROP FUNCTION refuse_other_change()")
