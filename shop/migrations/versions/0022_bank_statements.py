"""Bank statements, what their lines are matched with, who else may pay, files of refunds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_columns",
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("columns", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("saved_by", sa.BigInteger(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["saved_by"], ["app_user.id"], name=op.f("fk_bank_columns_saved_by")),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_bank_columns")),
    )
    op.create_table(
        "bank_statement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("layout", sa.String(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("new_count", sa.Integer(), nullable=False),
        sa.Column("opening_fen", sa.BigInteger(), nullable=False),
        sa.Column("closing_fen", sa.BigInteger(), nullable=False),
        sa.Column("balance_fen", sa.BigInteger(), nullable=False),
        sa.Column("imported_by", sa.BigInteger(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("format IN ('csv','xlsx','camt053','mt940')", name=op.f("ck_bank_statement_format")),
        sa.CheckConstraint("from_on <= to_on", name=op.f("ck_bank_statement_period")),
        sa.CheckConstraint("new_count BETWEEN 0 AND line_count", name=op.f("ck_bank_statement_new_count")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_bank_statement_file_id")),
        sa.ForeignKeyConstraint(["imported_by"], ["app_user.id"], name=op.f("fk_bank_statement_imported_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement")),
        sa.UniqueConstraint("account", "sha256", name=op.f("uq_bank_statement_account_sha256")),
    )
    op.create_index(op.f("ix_bank_statement_account_id"), "bank_statement", ["account", "id"], unique=False)
    op.create_table(
        "refund_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("layout", sa.String(), nullable=False),
        sa.Column("refund_count", sa.Integer(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), server_default="made", nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status = 'sent') = (reference IS NOT NULL)", name=op.f("ck_refund_file_sent")),
        sa.CheckConstraint("(status = 'void') = (void_reason IS NOT NULL)", name=op.f("ck_refund_file_void")),
        sa.CheckConstraint("status IN ('made','sent','void')", name=op.f("ck_refund_file_status")),
        sa.CheckConstraint("refund_count > 0 AND total_fen > 0", name=op.f("ck_refund_file_content")),
        sa.ForeignKeyConstraint(["made_by"], ["app_user.id"], name=op.f("fk_refund_file_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_file")),
        sa.UniqueConstraint("number", name=op.f("uq_refund_file_number")),
    )
    op.create_table(
        "bank_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("statement_id", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("balance_fen", sa.BigInteger(), nullable=True),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("payer_name", sa.String(), nullable=False),
        sa.Column("payer_account", sa.String(), nullable=False),
        sa.Column("payer_bank", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("matched_fen", sa.BigInteger(), nullable=False),
        sa.Column("automatic", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("assigned_to", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_bank_line_amount_fen")),
        sa.CheckConstraint("matched_fen BETWEEN 0 AND abs(amount_fen)", name=op.f("ck_bank_line_not_matched_twice")),
        sa.ForeignKeyConstraint(["assigned_to"], ["app_user.id"], name=op.f("fk_bank_line_assigned_to")),
        sa.ForeignKeyConstraint(["statement_id"], ["bank_statement.id"], name=op.f("fk_bank_line_statement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_line")),
        sa.UniqueConstraint("account", "key", name=op.f("uq_bank_line_account_key")),
    )
    op.create_index(op.f("ix_bank_line_booked_on_id"), "bank_line", ["booked_on", "id"], unique=False)
    op.create_index(
        "ix_bank_line_open", "bank_line", ["id"], unique=False, postgresql_where=sa.text("matched_fen < abs(amount_fen)")
    )
    op.create_index(
        op.f("ix_bank_line_payer_account"),
        "bank_line",
        ["payer_account"],
        unique=False,
        postgresql_where=sa.text("payer_account <> ''"),
    )
    op.create_index(op.f("ix_bank_line_statement_id_id"), "bank_line", ["statement_id", "id"], unique=False)
    op.create_table(
        "bank_line_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("written_by", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["line_id"], ["bank_line.id"], name=op.f("fk_bank_line_note_line_id")),
        sa.ForeignKeyConstraint(["written_by"], ["app_user.id"], name=op.f("fk_bank_line_note_written_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_line_note")),
    )
    op.create_index(op.f("ix_bank_line_note_line_id_id"), "bank_line_note", ["line_id", "id"], unique=False)
    op.create_table(
        "payer_declaration",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=True),
        sa.Column("payer_name", sa.String(), nullable=False),
        sa.Column("payer", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="declared", nullable=False),
        sa.Column("declared_by", sa.BigInteger(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "status NOT IN ('approved','refused') OR decided_at IS NOT NULL", name=op.f("ck_payer_declaration_decided")
        ),
        sa.CheckConstraint(
            "reason_code IN ('treasury','parent_unit','former_name','personal','other')",
            name=op.f("ck_payer_declaration_reason_code"),
        ),
        sa.CheckConstraint("status IN ('declared','approved','refused','withdrawn')", name=op.f("ck_payer_declaration_status")),
        sa.CheckConstraint("decided_by <> declared_by", name=op.f("ck_payer_declaration_two_persons")),
        sa.ForeignKeyConstraint(["buyer_id"], ["organisation.id"], name=op.f("fk_payer_declaration_buyer_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_payer_declaration_decided_by")),
        sa.ForeignKeyConstraint(["declared_by"], ["app_user.id"], name=op.f("fk_payer_declaration_declared_by")),
        sa.ForeignKeyConstraint(["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_payer_declaration_purchase_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payer_declaration")),
    )
    op.create_index(op.f("ix_payer_declaration_purchase_order_id"), "payer_declaration", ["purchase_order_id"], unique=False)
    op.create_index(
        "uq_payer_declaration_open",
        "payer_declaration",
        ["buyer_id", "payer", sa.literal_column("coalesce(purchase_order_id, 0)")],
        unique=True,
        postgresql_where=sa.text("status IN ('declared','approved')"),
    )
    op.create_table(
        "bank_match",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=True),
        sa.Column("payment_id", sa.BigInteger(), nullable=True),
        sa.Column("refund_id", sa.BigInteger(), nullable=True),
        sa.Column("payout_id", sa.BigInteger(), nullable=True),
        sa.Column("transaction_id", sa.BigInteger(), nullable=True),
        sa.Column("entry", sa.String(), nullable=True),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("matched_by", sa.BigInteger(), nullable=True),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.BigInteger(), nullable=True),
        sa.Column("undo_reason", sa.String(), nullable=True),
        sa.CheckConstraint("(kind = 'bank_entry') = (entry IS NOT NULL)", name=op.f("ck_bank_match_entry_of_kind")),
        sa.CheckConstraint("(kind IN ('order','announced')) = (payment_id IS NOT NULL)", name=op.f("ck_bank_match_payment")),
        sa.CheckConstraint("(kind IN ('refund','refund_returned')) = (refund_id IS NOT NULL)", name=op.f("ck_bank_match_refund")),
        sa.CheckConstraint("(kind IN ('payout','payout_returned')) = (payout_id IS NOT NULL)", name=op.f("ck_bank_match_payout")),
        sa.CheckConstraint(
            "(kind IN ('refund','refund_returned','payout','payout_returned','booked')) = (transaction_id IS NOT NULL)",
            name=op.f("ck_bank_match_transaction"),
        ),
        sa.CheckConstraint("entry IN ('fee','interest','other')", name=op.f("ck_bank_match_entry")),
        sa.CheckConstraint(
            "kind IN ('order','announced','refund','refund_returned','payout','payout_returned','bank_entry','booked')",
            name=op.f("ck_bank_match_kind"),
        ),
        sa.CheckConstraint("(undone_at IS NULL) = (undo_reason IS NULL)", name=op.f("ck_bank_match_undone")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_bank_match_amount_fen")),
        sa.ForeignKeyConstraint(["line_id"], ["bank_line.id"], name=op.f("fk_bank_match_line_id")),
        sa.ForeignKeyConstraint(["matched_by"], ["app_user.id"], name=op.f("fk_bank_match_matched_by")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_bank_match_payment_id")),
        sa.ForeignKeyConstraint(["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_bank_match_purchase_order_id")),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name=op.f("fk_bank_match_refund_id")),
        sa.ForeignKeyConstraint(["transaction_id"], ["money_transaction.id"], name=op.f("fk_bank_match_transaction_id")),
        sa.ForeignKeyConstraint(["undone_by"], ["app_user.id"], name=op.f("fk_bank_match_undone_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_match")),
    )
    op.create_index(op.f("ix_bank_match_line_id"), "bank_match", ["line_id"], unique=False)
    op.create_index(op.f("ix_bank_match_purchase_order_id"), "bank_match", ["purchase_order_id"], unique=False)
    op.create_index(op.f("ix_bank_match_refund_id"), "bank_match", ["refund_id"], unique=False)
    op.create_index(
        op.f("ix_bank_match_payout_id"),
        "bank_match",
        ["payout_id"],
        unique=False,
        postgresql_where=sa.text("payout_id IS NOT NULL"),
    )
    op.create_index(
        "uq_bank_match_payment", "bank_match", ["payment_id"], unique=True, postgresql_where=sa.text("undone_at IS NULL")
    )
    op.create_index(
        "uq_bank_match_transaction", "bank_match", ["transaction_id"], unique=True, postgresql_where=sa.text("undone_at IS NULL")
    )
    op.create_table(
        "refund_file_line",
        sa.Column("refund_file_id", sa.BigInteger(), nullable=False),
        sa.Column("refund_id", sa.BigInteger(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("void", sa.Boolean(), server_default="false", nullable=False),
        sa.ForeignKeyConstraint(["refund_file_id"], ["refund_file.id"], name=op.f("fk_refund_file_line_refund_file_id")),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name=op.f("fk_refund_file_line_refund_id")),
        sa.PrimaryKeyConstraint("refund_file_id", "refund_id", name=op.f("pk_refund_file_line")),
        sa.UniqueConstraint("refund_file_id", "line_no", name=op.f("uq_refund_file_line_refund_file_id_line_no")),
    )
    op.create_index(
        "uq_refund_file_line_refund", "refund_file_line", ["refund_id"], unique=True, postgresql_where=sa.text("NOT void")
    )
    op.add_column("payment", sa.Column("shown_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_payment_announced_open",
        "payment",
        ["purchase_order_id"],
        unique=False,
        postgresql_where=sa.text("source = 'announced' AND undone_at IS NULL AND shown_at IS NULL"),
    )
    op.create_check_constraint(
        op.f("ck_payment_shown"), "payment", "shown_at IS NULL OR (source = 'announced' AND undone_at IS NULL)"
    )
    # what the bank says stays as it said it
    op.execute(
        "CREATE TRIGGER as_the_bank_says BEFORE UPDATE OF statement_id, account, key, row_no, booked_on, amount_fen, balance_fen, serial, payer_name,"
        " payer_account, payer_bank, text OR DELETE OR TRUNCATE ON bank_line FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_payment_shown"), "payment")
    op.drop_index(
        "ix_payment_announced_open",
        table_name="payment",
        postgresql_where=sa.text("source = 'announced' AND undone_at IS NULL AND shown_at IS NULL"),
    )
    op.drop_column("payment", "shown_at")
    op.drop_index("uq_refund_file_line_refund", table_name="refund_file_line", postgresql_where=sa.text("NOT void"))
    op.drop_table("refund_file_line")
    op.drop_index("uq_bank_match_transaction", table_name="bank_match", postgresql_where=sa.text("undone_at IS NULL"))
    op.drop_index("uq_bank_match_payment", table_name="bank_match", postgresql_where=sa.text("undone_at IS NULL"))
    op.drop_index(op.f("ix_bank_match_payout_id"), table_name="bank_match", postgresql_where=sa.text("payout_id IS NOT NULL"))
    op.drop_index(op.f("ix_bank_match_refund_id"), table_name="bank_match")
    op.drop_index(op.f("ix_bank_match_purchase_order_id"), table_name="bank_match")
    op.drop_index(op.f("ix_bank_match_line_id"), table_name="bank_match")
    op.drop_table("bank_match")
    op.drop_index(
        "uq_payer_declaration_open", table_name="payer_declaration", postgresql_where=sa.text("status IN ('declared','approved')")
    )
    op.drop_index(op.f("ix_payer_declaration_purchase_order_id"), table_name="payer_declaration")
    op.drop_table("payer_declaration")
    op.drop_index(op.f("ix_bank_line_note_line_id_id"), table_name="bank_line_note")
    op.drop_table("bank_line_note")
    op.drop_index(op.f("ix_bank_line_statement_id_id"), table_name="bank_line")
    op.drop_index(op.f("ix_bank_line_payer_account"), table_name="bank_line", postgresql_where=sa.text("payer_account <> ''"))
    op.drop_index("ix_bank_line_open", table_name="bank_line", postgresql_where=sa.text("matched_fen < abs(amount_fen)"))
    op.drop_index(op.f("ix_bank_line_booked_on_id"), table_name="bank_line")
    op.drop_table("bank_line")
    op.drop_table("refund_file")
    op.drop_index(op.f("ix_bank_statement_account_id"), table_name="bank_statement")
    op.drop_table("bank_statement")
    op.drop_table("bank_columns")
