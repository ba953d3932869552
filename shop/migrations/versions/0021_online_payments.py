"""Online payments, what the provider is asked and tells, charge disputes, and suppliers' accounts with transfers to them."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_call",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="1", nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("object_id", sa.String(), nullable=True),
        sa.Column("status", sa.String(), server_default="due", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("spent", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(operation = 'look') = (key IS NULL)", name=op.f("ck_provider_call_key")),
        sa.CheckConstraint("(operation = 'look') = (subject_id IS NULL)", name=op.f("ck_provider_call_subject")),
        sa.CheckConstraint("operation <> 'look' OR object_id IS NOT NULL", name=op.f("ck_provider_call_object")),
        sa.CheckConstraint(
            "operation IN ('pay','cancel','refund','transfer','account','link','look')", name=op.f("ck_provider_call_operation")
        ),
        sa.CheckConstraint("status IN ('due','sending','unknown','done','refused','parked')", name=op.f("ck_provider_call_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_call")),
        sa.UniqueConstraint("key", name=op.f("uq_provider_call_key")),
    )
    op.create_index(
        "ix_provider_call_open",
        "provider_call",
        ["next_attempt_at", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('due','sending','unknown','parked')"),
    )
    op.create_index(op.f("ix_provider_call_operation_subject_id"), "provider_call", ["operation", "subject_id"], unique=False)
    op.create_index(
        "uq_provider_call_look",
        "provider_call",
        ["object_id"],
        unique=True,
        postgresql_where=sa.text("operation = 'look' AND status = 'due'"),
    )
    op.create_table(
        "provider_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=True),
        sa.Column("behind", sa.String(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unexplained", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("failed", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("net_fen = amount_fen - fee_fen", name=op.f("ck_provider_entry_net_fen")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_entry")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_provider_entry_entry_id")),
    )
    op.create_index(op.f("ix_provider_entry_created_at"), "provider_entry", ["created_at"], unique=False)
    op.create_index("ix_provider_entry_failed", "provider_entry", ["created_at"], unique=False, postgresql_where=sa.text("failed"))
    op.create_index(op.f("ix_provider_entry_source_id"), "provider_entry", ["source_id"], unique=False)
    op.create_table(
        "provider_event",
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_provider_event")),
    )
    op.create_index(op.f("ix_provider_event_received_at"), "provider_event", ["received_at"], unique=False)
    op.create_table(
        "connected_account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=True),
        sa.Column("enabled", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("details_submitted", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("still_due", sa.String(), server_default="", nullable=False),
        sa.Column("return_url", sa.String(), nullable=True),
        sa.Column("link_url", sa.String(), nullable=True),
        sa.Column("link_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_connected_account_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connected_account")),
        sa.UniqueConstraint("account_id", name=op.f("uq_connected_account_account_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_connected_account_reference")),
    )
    op.create_index("uq_connected_account_supplier_id", "connected_account", ["supplier_id"], unique=True)
    op.create_table(
        "online_transfer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("payout_id", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reversed_fen", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="created", nullable=False),
        sa.Column("transfer_id", sa.String(), nullable=True),
        sa.Column("error_text", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('created','unknown','paid','failed','reversed')", name=op.f("ck_online_transfer_status")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_online_transfer_amount_fen")),
        sa.CheckConstraint("reversed_fen BETWEEN 0 AND amount_fen", name=op.f("ck_online_transfer_reversed_fen")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_online_transfer_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_online_transfer")),
        sa.UniqueConstraint("reference", name=op.f("uq_online_transfer_reference")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_online_transfer_transfer_id")),
    )
    op.create_index(op.f("ix_online_transfer_payout_id"), "online_transfer", ["payout_id"], unique=False)
    op.create_index(op.f("ix_online_transfer_status_id"), "online_transfer", ["status", "id"], unique=False)
    op.create_index(op.f("ix_online_transfer_supplier_id"), "online_transfer", ["supplier_id"], unique=False)
    op.create_table(
        "online_payment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("return_url", sa.String(), nullable=True),
        sa.Column("status", sa.String(), server_default="created", nullable=False),
        sa.Column("intent_id", sa.String(), nullable=True),
        sa.Column("charge_id", sa.String(), nullable=True),
        sa.Column("client_secret", sa.String(), nullable=True),
        sa.Column("action_url", sa.String(), nullable=True),
        sa.Column("qr_code", sa.String(), nullable=True),
        sa.Column("received_fen", sa.BigInteger(), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("error_text", sa.String(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status = 'succeeded') = (payment_id IS NOT NULL)", name=op.f("ck_online_payment_booked")),
        sa.CheckConstraint("method IN ('card','alipay','wechat_pay')", name=op.f("ck_online_payment_method")),
        sa.CheckConstraint(
            "status IN ('created','requires_action','processing','succeeded','failed','cancelled','unknown')",
            name=op.f("ck_online_payment_status"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_online_payment_amount_fen")),
        sa.CheckConstraint("received_fen >= 0", name=op.f("ck_online_payment_received_fen")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_online_payment_created_by")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_online_payment_payment_id")),
        sa.ForeignKeyConstraint(["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_online_payment_purchase_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_online_payment")),
        sa.UniqueConstraint("charge_id", name=op.f("uq_online_payment_charge_id")),
        sa.UniqueConstraint("intent_id", name=op.f("uq_online_payment_intent_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_online_payment_reference")),
    )
    op.create_index(op.f("ix_online_payment_purchase_order_id"), "online_payment", ["purchase_order_id"], unique=False)
    op.create_index(op.f("ix_online_payment_status_id"), "online_payment", ["status", "id"], unique=False)
    op.create_index(
        "uq_online_payment_open",
        "online_payment",
        ["purchase_order_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('created','requires_action','processing','unknown')"),
    )
    op.create_table(
        "charge_dispute",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dispute_id", sa.String(), nullable=False),
        sa.Column("online_payment_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("evidence_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('inquiry','open','won','lost','closed')", name=op.f("ck_charge_dispute_status")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_charge_dispute_amount_fen")),
        sa.ForeignKeyConstraint(["online_payment_id"], ["online_payment.id"], name=op.f("fk_charge_dispute_online_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charge_dispute")),
        sa.UniqueConstraint("dispute_id", name=op.f("uq_charge_dispute_dispute_id")),
    )
    op.create_index(op.f("ix_charge_dispute_online_payment_id"), "charge_dispute", ["online_payment_id"], unique=False)
    op.create_index(op.f("ix_charge_dispute_status_id"), "charge_dispute", ["status", "id"], unique=False)
    op.alter_column("refund", "requested_by", existing_type=sa.BIGINT(), nullable=True)


def downgrade() -> None:
    op.alter_column("refund", "requested_by", existing_type=sa.BIGINT(), nullable=False)
    op.drop_index(op.f("ix_charge_dispute_status_id"), table_name="charge_dispute")
    op.drop_index(op.f("ix_charge_dispute_online_payment_id"), table_name="charge_dispute")
    op.drop_table("charge_dispute")
    op.drop_index(
        "uq_online_payment_open",
        table_name="online_payment",
        postgresql_where=sa.text("status IN ('created','requires_action','processing','unknown')"),
    )
    op.drop_index(op.f("ix_online_payment_status_id"), table_name="online_payment")
    op.drop_index(op.f("ix_online_payment_purchase_order_id"), table_name="online_payment")
    op.drop_table("online_payment")
    op.drop_index(op.f("ix_online_transfer_supplier_id"), table_name="online_transfer")
    op.drop_index(op.f("ix_online_transfer_status_id"), table_name="online_transfer")
    op.drop_index(op.f("ix_online_transfer_payout_id"), table_name="online_transfer")
    op.drop_table("online_transfer")
    op.drop_index("uq_connected_account_supplier_id", table_name="connected_account")
    op.drop_table("connected_account")
    op.drop_index(op.f("ix_provider_event_received_at"), table_name="provider_event")
    op.drop_table("provider_event")
    op.drop_index(op.f("ix_provider_entry_source_id"), table_name="provider_entry")
    op.drop_index(op.f("ix_provider_entry_created_at"), table_name="provider_entry")
    op.drop_table("provider_entry")
    op.drop_index(
        "uq_provider_call_look", table_name="provider_call", postgresql_where=sa.text("operation = 'look' AND status = 'due'")
    )
    op.drop_index(op.f("ix_provider_call_operation_subject_id"), table_name="provider_call")
    op.drop_index(
        "ix_provider_call_open", table_name="provider_call", postgresql_where=sa.text("status IN ('due','sending','unknown')")
    )
    op.drop_table("provider_call")
