"""Contracts, freight and times to confirm; deliveries with batches, short weights, holds and photos; agreed changes; papers of orders."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

#: What holds from now on, and what held before where a check took the place of another.
CHECKS = [
    ("supplier_order", "freight_fen", "freight_fen >= 0"),
    ("supplier_order", "freight_asked_fen", "freight_asked_fen > freight_fen"),
    (
        "supplier_order",
        "reason_code",
        "reason_code IN ('not_needed','wrong_details','wrong_unit','freight','out_of_stock','cannot_deliver','price','other',"
        "'not_confirmed_in_time','agreed','certificate')",
    ),
    ("order_line", "quantity", "quantity >= 0"),
    ("order_line", "shipped_quantity", "shipped_quantity BETWEEN 0 AND quantity - closed_quantity"),
    ("order_line", "closed_quantity", "closed_quantity >= 0"),
    ("order_line", "answered_quantity", "accepted_quantity >= 0 AND rejected_quantity >= 0 AND difference_quantity >= 0"),
    (
        "order_line",
        "answered_not_above_shipped",
        "accepted_quantity + rejected_quantity + difference_quantity <= shipped_quantity",
    ),
    ("shipment", "hold", "(held_at IS NULL) = (hold_reason IS NULL)"),
    ("shipment_line", "closed_quantity", "closed_quantity >= 0"),
    ("shipment_line", "best_before", "produced_on <= best_before"),
    ("acceptance_line", "quantity", "accepted_quantity >= 0 AND rejected_quantity >= 0 AND difference_quantity >= 0"),
    ("acceptance_line", "reason", "rejected_quantity + difference_quantity = 0 OR reason_code IS NOT NULL OR reason IS NOT NULL"),
    (
        "acceptance_line",
        "reason_code",
        "reason_code IN ('damaged','spoiled','wrong_goods','short_weight','quality','late','other')",
    ),
]
REPLACED = {
    ("order_line", "quantity"): "quantity > 0",
    ("order_line", "shipped_quantity"): "shipped_quantity BETWEEN 0 AND quantity",
    ("order_line", "answered_quantity"): "accepted_quantity >= 0 AND rejected_quantity >= 0",
    ("order_line", "answered_not_above_shipped"): "accepted_quantity + rejected_quantity <= shipped_quantity",
    ("acceptance_line", "quantity"): "accepted_quantity >= 0 AND rejected_quantity >= 0",
    ("acceptance_line", "reason"): "rejected_quantity = 0 OR reason IS NOT NULL",
}


def upgrade() -> None:
    op.create_table(
        "amendment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), server_default="proposed", nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("cancels", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("deliver_by", sa.Date(), nullable=True),
        sa.Column("proposed_by", sa.BigInteger(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(), nullable=True, comment="why it was refused"),
        sa.Column("change_fen", sa.BigInteger(), nullable=True),
        sa.Column("changes", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status = 'accepted') = (change_fen IS NOT NULL)", name=op.f("ck_amendment_change_fen")),
        sa.CheckConstraint("side IN ('supplier','buyer')", name=op.f("ck_amendment_side")),
        sa.CheckConstraint("status IN ('proposed','accepted','refused','withdrawn','expired')", name=op.f("ck_amendment_status")),
        sa.CheckConstraint("NOT cancels OR deliver_by IS NULL", name=op.f("ck_amendment_cancels")),
        sa.ForeignKeyConstraint(["answered_by"], ["app_user.id"], name=op.f("fk_amendment_answered_by")),
        sa.ForeignKeyConstraint(["proposed_by"], ["app_user.id"], name=op.f("fk_amendment_proposed_by")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_amendment_supplier_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment")),
    )
    op.create_index(
        op.f("ix_amendment_expires_at"), "amendment", ["expires_at"], unique=False, postgresql_where=sa.text("status = 'proposed'")
    )
    op.create_index(op.f("ix_amendment_supplier_order_id_id"), "amendment", ["supplier_order_id", "id"], unique=False)
    op.create_index(
        "uq_amendment_open", "amendment", ["supplier_order_id"], unique=True, postgresql_where=sa.text("status = 'proposed'")
    )
    op.create_table(
        "contract",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("supplement_no", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("amendment_id", sa.BigInteger(), nullable=True),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False, comment="of the content as canonical JSON"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(supplement_no = 0) = (amendment_id IS NULL)", name=op.f("ck_contract_amendment")),
        sa.CheckConstraint("supplement_no >= 0", name=op.f("ck_contract_supplement_no")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_contract_supplier_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("number", name=op.f("uq_contract_number")),
        sa.UniqueConstraint("supplier_order_id", "supplement_no", name=op.f("uq_contract_supplier_order_id_supplement_no")),
    )
    op.create_table(
        "order_paper",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_by", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_by", sa.BigInteger(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "kind <> 'invoice' OR (number IS NOT NULL AND issued_on IS NOT NULL AND amount_fen IS NOT NULL)",
            name=op.f("ck_order_paper_invoice"),
        ),
        sa.CheckConstraint("kind IN ('invoice','acceptance_report','delivery_proof','other')", name=op.f("ck_order_paper_kind")),
        sa.CheckConstraint("(voided_at IS NULL) = (void_reason IS NULL)", name=op.f("ck_order_paper_void")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_order_paper_amount_fen")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_order_paper_file_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_order_paper_supplier_id")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_order_paper_supplier_order_id")),
        sa.ForeignKeyConstraint(["uploaded_by"], ["app_user.id"], name=op.f("fk_order_paper_uploaded_by")),
        sa.ForeignKeyConstraint(["voided_by"], ["app_user.id"], name=op.f("fk_order_paper_voided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_paper")),
    )
    op.create_index(op.f("ix_order_paper_supplier_order_id_id"), "order_paper", ["supplier_order_id", "id"], unique=False)
    op.create_index(
        "uq_order_paper_invoice",
        "order_paper",
        ["supplier_id", "number"],
        unique=True,
        postgresql_where=sa.text("kind = 'invoice' AND voided_at IS NULL"),
    )
    op.create_table(
        "shipment_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("shipment_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["recorded_by"], ["app_user.id"], name=op.f("fk_shipment_event_recorded_by")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_shipment_event_shipment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_event")),
    )
    op.create_index(op.f("ix_shipment_event_shipment_id_id"), "shipment_event", ["shipment_id", "id"], unique=False)
    op.create_table(
        "shipment_photo",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("shipment_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_by", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_shipment_photo_file_id")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_shipment_photo_shipment_id")),
        sa.ForeignKeyConstraint(["uploaded_by"], ["app_user.id"], name=op.f("fk_shipment_photo_uploaded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_photo")),
    )
    op.create_index(op.f("ix_shipment_photo_shipment_id"), "shipment_photo", ["shipment_id"], unique=False)
    op.create_table(
        "amendment_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("amendment_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("open_quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=True),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=True),
        sa.Column("new_line_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("open_quantity > 0 AND quantity >= 0", name=op.f("ck_amendment_line_quantity")),
        sa.CheckConstraint("unit_price_fen > 0", name=op.f("ck_amendment_line_unit_price_fen")),
        sa.ForeignKeyConstraint(["amendment_id"], ["amendment.id"], name=op.f("fk_amendment_line_amendment_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_amendment_line_order_line_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_amendment_line_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment_line")),
        sa.UniqueConstraint("amendment_id", "order_line_id", name=op.f("uq_amendment_line_amendment_id_order_line_id")),
    )
    op.create_index(op.f("ix_amendment_line_order_line_id"), "amendment_line", ["order_line_id"], unique=False)
    op.alter_column("acceptance", "accepted_by", existing_type=sa.BIGINT(), nullable=True)
    op.add_column(
        "acceptance_line", sa.Column("difference_quantity", sa.Numeric(precision=14, scale=3), server_default="0", nullable=False)
    )
    op.add_column("acceptance_line", sa.Column("reason_code", sa.String(), nullable=True))
    op.add_column("acceptance_line", sa.Column("photo_ids", postgresql.ARRAY(sa.BIGINT()), nullable=True))
    op.add_column("order_line", sa.Column("closed_quantity", sa.Numeric(precision=14, scale=3), server_default="0", nullable=False))
    op.add_column(
        "order_line", sa.Column("difference_quantity", sa.Numeric(precision=14, scale=3), server_default="0", nullable=False)
    )
    op.add_column("order_line", sa.Column("replaces_id", sa.BigInteger(), nullable=True))
    op.add_column("order_line", sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(op.f("fk_order_line_replaces_id"), "order_line", "order_line", ["replaces_id"], ["id"])
    op.add_column("shipment", sa.Column("expected_on", sa.Date(), nullable=True))
    op.add_column("shipment", sa.Column("accept_by", sa.DateTime(timezone=True), nullable=True))
    op.add_column("shipment", sa.Column("held_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("shipment", sa.Column("hold_reason", sa.String(), nullable=True))
    op.create_index(
        "ix_shipment_accept_by",
        "shipment",
        ["accept_by"],
        unique=False,
        postgresql_where=sa.text("accept_by IS NOT NULL AND held_at IS NULL"),
    )
    op.add_column(
        "shipment_line", sa.Column("closed_quantity", sa.Numeric(precision=14, scale=3), server_default="0", nullable=False)
    )
    op.add_column("shipment_line", sa.Column("lot", sa.String(), nullable=True))
    op.add_column("shipment_line", sa.Column("origin", sa.String(), nullable=True))
    op.add_column("shipment_line", sa.Column("produced_on", sa.Date(), nullable=True))
    op.add_column("shipment_line", sa.Column("best_before", sa.Date(), nullable=True))
    op.add_column("supplier_order", sa.Column("reason_code", sa.String(), nullable=True))
    op.add_column("supplier_order", sa.Column("freight_fen", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("supplier_order", sa.Column("freight_asked_fen", sa.BigInteger(), nullable=True))
    op.add_column("supplier_order", sa.Column("confirm_by", sa.DateTime(timezone=True), nullable=True))
    op.add_column("supplier_order", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("supplier_order", sa.Column("deliver_by", sa.Date(), nullable=True))
    op.create_index(
        op.f("ix_supplier_order_confirm_by"),
        "supplier_order",
        ["confirm_by"],
        unique=False,
        postgresql_where=sa.text("status = 'placed'"),
    )
    for table, name, condition in CHECKS:
        if (table, name) in REPLACED:
            op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON contract FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    for table, name, _ in CHECKS:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.drop_index(op.f("ix_supplier_order_confirm_by"), table_name="supplier_order", postgresql_where=sa.text("status = 'placed'"))
    op.drop_column("supplier_order", "deliver_by")
    op.drop_column("supplier_order", "confirmed_at")
    op.drop_column("supplier_order", "confirm_by")
    op.drop_column("supplier_order", "freight_asked_fen")
    op.drop_column("supplier_order", "freight_fen")
    op.drop_column("supplier_order", "reason_code")
    op.drop_column("shipment_line", "best_before")
    op.drop_column("shipment_line", "produced_on")
    op.drop_column("shipment_line", "origin")
    op.drop_column("shipment_line", "lot")
    op.drop_column("shipment_line", "closed_quantity")
    op.drop_index(
        "ix_shipment_accept_by", table_name="shipment", postgresql_where=sa.text("accept_by IS NOT NULL AND held_at IS NULL")
    )
    op.drop_column("shipment", "hold_reason")
    op.drop_column("shipment", "held_at")
    op.drop_column("shipment", "accept_by")
    op.drop_column("shipment", "expected_on")
    op.drop_constraint(op.f("fk_order_line_replaces_id"), "order_line", type_="foreignkey")
    op.drop_column("order_line", "agreed_at")
    op.drop_column("order_line", "replaces_id")
    op.drop_column("order_line", "difference_quantity")
    op.drop_column("order_line", "closed_quantity")
    op.drop_column("acceptance_line", "photo_ids")
    op.drop_column("acceptance_line", "reason_code")
    op.drop_column("acceptance_line", "difference_quantity")
    op.alter_column("acceptance", "accepted_by", existing_type=sa.BIGINT(), nullable=False)
    op.drop_index(op.f("ix_amendment_line_order_line_id"), table_name="amendment_line")
    op.drop_table("amendment_line")
    op.drop_index(op.f("ix_shipment_photo_shipment_id"), table_name="shipment_photo")
    op.drop_table("shipment_photo")
    op.drop_index(op.f("ix_shipment_event_shipment_id_id"), table_name="shipment_event")
    op.drop_table("shipment_event")
    op.drop_index(
        "uq_order_paper_invoice", table_name="order_paper", postgresql_where=sa.text("kind = 'invoice' AND voided_at IS NULL")
    )
    op.drop_index(op.f("ix_order_paper_supplier_order_id_id"), table_name="order_paper")
    op.drop_table("order_paper")
    op.drop_table("contract")
    op.drop_index("uq_amendment_open", table_name="amendment", postgresql_where=sa.text("status = 'proposed'"))
    op.drop_index(op.f("ix_amendment_supplier_order_id_id"), table_name="amendment")
    op.drop_index(op.f("ix_amendment_expires_at"), table_name="amendment", postgresql_where=sa.text("status = 'proposed'"))
    op.drop_table("amendment")
    for (table, name), condition in REPLACED.items():
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
