"""Commission, settlements with suppliers, payouts, suppliers' bank accounts and advances."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

#: Rows are added and never changed.
_ADDED_ONLY = ("commission_rule", "settlement_line", "settlement_held")


def upgrade() -> None:
    op.create_table(
        "commission_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("programme_code", sa.String(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rate_bp", sa.Integer(), nullable=True),
        sa.Column("fixed_fen", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(kind = 'fixed') = (fixed_fen IS NOT NULL) AND fixed_fen >= 0", name=op.f("ck_commission_rule_fixed")),
        sa.CheckConstraint(
            "(kind = 'rate') = (rate_bp IS NOT NULL) AND rate_bp BETWEEN 0 AND 10000", name=op.f("ck_commission_rule_rate")
        ),
        sa.CheckConstraint("kind IN ('rate','fixed','none')", name=op.f("ck_commission_rule_kind")),
        sa.ForeignKeyConstraint(["programme_code"], ["programme.code"], name=op.f("fk_commission_rule_programme_code")),
        sa.ForeignKeyConstraint(["set_by"], ["app_user.id"], name=op.f("fk_commission_rule_set_by")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_commission_rule_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_rule")),
    )
    op.create_index(
        "uq_commission_rule_version",
        "commission_rule",
        ["programme_code", "supplier_id", "category", "version"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "payout_account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("bank", sa.String(), nullable=False),
        sa.Column("sealed_number", sa.LargeBinary(), nullable=False),
        sa.Column("tail", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="requested", nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.String(), nullable=True),
        sa.Column("usable_from", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(status = 'approved') = (usable_from IS NOT NULL AND decided_at IS NOT NULL)",
            name=op.f("ck_payout_account_usable_from"),
        ),
        sa.CheckConstraint("decided_by <> requested_by OR status = 'withdrawn'", name=op.f("ck_payout_account_two_persons")),
        sa.CheckConstraint("status IN ('requested','approved','refused','withdrawn')", name=op.f("ck_payout_account_status")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_payout_account_decided_by")),
        sa.ForeignKeyConstraint(["requested_by"], ["app_user.id"], name=op.f("fk_payout_account_requested_by")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_payout_account_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_account")),
    )
    op.create_index(
        op.f("ix_payout_account_supplier_id_usable_from_id"), "payout_account", ["supplier_id", "usable_from", "id"], unique=False
    )
    op.create_index(
        "uq_payout_account_requested",
        "payout_account",
        ["supplier_id"],
        unique=True,
        postgresql_where=sa.text("status = 'requested'"),
    )
    op.create_table(
        "payout_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("payout_count", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("payout_count > 0 AND amount_fen > 0", name=op.f("ck_payout_file_content")),
        sa.ForeignKeyConstraint(["made_by"], ["app_user.id"], name=op.f("fk_payout_file_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_file")),
        sa.UniqueConstraint("number", name=op.f("uq_payout_file_number")),
    )
    op.create_table(
        "settlement_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("run_by", sa.BigInteger(), nullable=True),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_by"], ["app_user.id"], name=op.f("fk_settlement_run_run_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_run")),
    )
    op.create_index(
        "uq_settlement_run_automatic", "settlement_run", ["period_end"], unique=True, postgresql_where=sa.text("run_by IS NULL")
    )
    op.create_table(
        "advance",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("agreement_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="requested", nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status IN ('requested','approved','paid','refused')", name=op.f("ck_advance_status")),
        sa.CheckConstraint("status NOT IN ('approved','paid') OR approved_by IS NOT NULL", name=op.f("ck_advance_approved")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_advance_amount_fen")),
        sa.CheckConstraint("approved_by <> requested_by", name=op.f("ck_advance_two_persons")),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name=op.f("fk_advance_agreement_id")),
        sa.ForeignKeyConstraint(["approved_by"], ["app_user.id"], name=op.f("fk_advance_approved_by")),
        sa.ForeignKeyConstraint(["requested_by"], ["app_user.id"], name=op.f("fk_advance_requested_by")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_advance_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_advance")),
        sa.UniqueConstraint("number", name=op.f("uq_advance_number")),
    )
    op.create_index(op.f("ix_advance_agreement_id"), "advance", ["agreement_id"], unique=False)
    op.create_index(op.f("ix_advance_supplier_id_id"), "advance", ["supplier_id", "id"], unique=False)
    op.create_table(
        "settlement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("sales_fen", sa.BigInteger(), nullable=False),
        sa.Column("returns_fen", sa.BigInteger(), nullable=False),
        sa.Column("freight_fen", sa.BigInteger(), nullable=False),
        sa.Column("other_fen", sa.BigInteger(), nullable=False),
        sa.Column("commission_fen", sa.BigInteger(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("carried_fen", sa.BigInteger(), nullable=False),
        sa.Column("advance_used_fen", sa.BigInteger(), nullable=False),
        sa.Column("due_fen", sa.BigInteger(), nullable=False),
        sa.Column("held_fen", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), server_default="open", nullable=False),
        sa.Column("objections_until", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status IN ('open','confirmed','objected','answered')", name=op.f("ck_settlement_status")),
        sa.CheckConstraint("advance_used_fen >= 0", name=op.f("ck_settlement_advance_used_fen")),
        sa.CheckConstraint("carried_fen <= 0", name=op.f("ck_settlement_carried_fen")),
        sa.CheckConstraint(
            "due_fen = greatest(carried_fen + net_fen, 0) - advance_used_fen AND due_fen >= 0", name=op.f("ck_settlement_due_fen")
        ),
        sa.CheckConstraint(
            "net_fen = sales_fen + returns_fen + freight_fen + other_fen - commission_fen", name=op.f("ck_settlement_net_fen")
        ),
        sa.CheckConstraint("period_start <= period_end", name=op.f("ck_settlement_period")),
        sa.ForeignKeyConstraint(["run_id"], ["settlement_run.id"], name=op.f("fk_settlement_run_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_settlement_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement")),
        sa.UniqueConstraint("number", name=op.f("uq_settlement_number")),
        sa.UniqueConstraint("supplier_id", "period_end", name=op.f("uq_settlement_supplier_id_period_end")),
    )
    op.create_index(op.f("ix_settlement_period_end_id"), "settlement", ["period_end", "id"], unique=False)
    op.create_index(op.f("ix_settlement_run_id"), "settlement", ["run_id"], unique=False)
    op.create_table(
        "payout",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("settlement_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("again_for_id", sa.BigInteger(), nullable=True),
        sa.Column("method", sa.String(), server_default="bank", nullable=False),
        sa.Column("status", sa.String(), server_default="draft", nullable=False),
        sa.Column("drafted_by", sa.BigInteger(), nullable=True),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("method IN ('bank','stripe')", name=op.f("ck_payout_method")),
        sa.CheckConstraint("status = 'draft' OR approved_by IS NOT NULL", name=op.f("ck_payout_approved")),
        sa.CheckConstraint("status IN ('draft','approved') OR released_by IS NOT NULL", name=op.f("ck_payout_released")),
        sa.CheckConstraint("status IN ('draft','approved','released','sent','paid','failed')", name=op.f("ck_payout_status")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payout_amount_fen")),
        sa.CheckConstraint(
            "returned_fen = 0 OR (returned_fen BETWEEN 1 AND amount_fen AND status = 'paid')", name=op.f("ck_payout_returned_fen")
        ),
        sa.CheckConstraint("approved_by <> released_by", name=op.f("ck_payout_two_persons")),
        sa.CheckConstraint("drafted_by <> released_by", name=op.f("ck_payout_not_by_who_drafted")),
        sa.ForeignKeyConstraint(["again_for_id"], ["payout.id"], name=op.f("fk_payout_again_for_id")),
        sa.ForeignKeyConstraint(["approved_by"], ["app_user.id"], name=op.f("fk_payout_approved_by")),
        sa.ForeignKeyConstraint(["drafted_by"], ["app_user.id"], name=op.f("fk_payout_drafted_by")),
        sa.ForeignKeyConstraint(["released_by"], ["app_user.id"], name=op.f("fk_payout_released_by")),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"], name=op.f("fk_payout_settlement_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_payout_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout")),
    )
    op.create_index(
        "uq_payout_settlement", "payout", ["settlement_id"], unique=True, postgresql_where=sa.text("again_for_id IS NULL")
    )
    op.create_index(op.f("ix_payout_settlement_id"), "payout", ["settlement_id"], unique=False)
    op.create_index(op.f("ix_payout_status_id"), "payout", ["status", "id"], unique=False)
    op.create_index(op.f("ix_payout_supplier_id_id"), "payout", ["supplier_id", "id"], unique=False)
    op.create_table(
        "settlement_objection",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("settlement_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("raised_by", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(answered_at IS NULL) = (answer IS NULL)", name=op.f("ck_settlement_objection_answered")),
        sa.ForeignKeyConstraint(["answered_by"], ["app_user.id"], name=op.f("fk_settlement_objection_answered_by")),
        sa.ForeignKeyConstraint(["raised_by"], ["app_user.id"], name=op.f("fk_settlement_objection_raised_by")),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"], name=op.f("fk_settlement_objection_settlement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_objection")),
    )
    op.create_index(op.f("ix_settlement_objection_settlement_id_id"), "settlement_objection", ["settlement_id", "id"], unique=False)
    op.create_index(
        "uq_settlement_objection_open",
        "settlement_objection",
        ["settlement_id"],
        unique=True,
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_table(
        "hold_lift",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("hold", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("lifted_by", sa.BigInteger(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("hold IN ('supplier_blocked','certificate_stopped','no_invoice')", name=op.f("ck_hold_lift_hold")),
        sa.ForeignKeyConstraint(["lifted_by"], ["app_user.id"], name=op.f("fk_hold_lift_lifted_by")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_hold_lift_supplier_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold_lift")),
        sa.UniqueConstraint("supplier_order_id", "hold", name=op.f("uq_hold_lift_supplier_order_id_hold")),
    )
    op.create_table(
        "payout_attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("payout_id", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("released_by", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint("outcome IN ('paid','failed')", name=op.f("ck_payout_attempt_outcome")),
        sa.ForeignKeyConstraint(["account_id"], ["payout_account.id"], name=op.f("fk_payout_attempt_account_id")),
        sa.ForeignKeyConstraint(["file_id"], ["payout_file.id"], name=op.f("fk_payout_attempt_file_id")),
        sa.ForeignKeyConstraint(["payout_id"], ["payout.id"], name=op.f("fk_payout_attempt_payout_id")),
        sa.ForeignKeyConstraint(["released_by"], ["app_user.id"], name=op.f("fk_payout_attempt_released_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_attempt")),
    )
    op.create_index(
        op.f("ix_payout_attempt_file_id"),
        "payout_attempt",
        ["file_id"],
        unique=False,
        postgresql_where=sa.text("file_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_payout_attempt_payout_id_id"), "payout_attempt", ["payout_id", "id"], unique=False)
    op.create_index(
        "uq_payout_attempt_live",
        "payout_attempt",
        ["payout_id"],
        unique=True,
        postgresql_where=sa.text("outcome IS DISTINCT FROM 'failed'"),
    )
    op.create_table(
        "settlement_held",
        sa.Column("settlement_id", sa.BigInteger(), nullable=False),
        sa.Column("posting_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("hold", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["posting_id"], ["money_posting.id"], name=op.f("fk_settlement_held_posting_id")),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"], name=op.f("fk_settlement_held_settlement_id")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_settlement_held_supplier_order_id")),
        sa.PrimaryKeyConstraint("settlement_id", "posting_id", name=op.f("pk_settlement_held")),
    )
    op.create_table(
        "settlement_line",
        sa.Column("posting_id", sa.BigInteger(), nullable=False),
        sa.Column("settlement_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("commission_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["posting_id"], ["money_posting.id"], name=op.f("fk_settlement_line_posting_id")),
        sa.ForeignKeyConstraint(["rule_id"], ["commission_rule.id"], name=op.f("fk_settlement_line_rule_id")),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"], name=op.f("fk_settlement_line_settlement_id")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_settlement_line_supplier_order_id")),
        sa.PrimaryKeyConstraint("posting_id", name=op.f("pk_settlement_line")),
    )
    op.create_index(
        op.f("ix_settlement_line_settlement_id_posting_id"), "settlement_line", ["settlement_id", "posting_id"], unique=False
    )
    op.create_index(
        op.f("ix_settlement_line_supplier_order_id_rule_id"), "settlement_line", ["supplier_order_id", "rule_id"], unique=False
    )
    op.create_foreign_key(op.f("fk_bank_match_payout_id"), "bank_match", "payout", ["payout_id"], ["id"])
    for table in _ADDED_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_bank_match_payout_id"), "bank_match")
    op.drop_index(op.f("ix_settlement_line_supplier_order_id_rule_id"), table_name="settlement_line")
    op.drop_index(op.f("ix_settlement_line_settlement_id_posting_id"), table_name="settlement_line")
    op.drop_table("settlement_line")
    op.drop_table("settlement_held")
    op.drop_index(
        "uq_payout_attempt_live", table_name="payout_attempt", postgresql_where=sa.text("outcome IS DISTINCT FROM 'failed'")
    )
    op.drop_index(op.f("ix_payout_attempt_payout_id_id"), table_name="payout_attempt")
    op.drop_index(op.f("ix_payout_attempt_file_id"), table_name="payout_attempt", postgresql_where=sa.text("file_id IS NOT NULL"))
    op.drop_table("payout_attempt")
    op.drop_table("hold_lift")
    op.drop_index(
        "uq_settlement_objection_open", table_name="settlement_objection", postgresql_where=sa.text("answered_at IS NULL")
    )
    op.drop_index(op.f("ix_settlement_objection_settlement_id_id"), table_name="settlement_objection")
    op.drop_table("settlement_objection")
    op.drop_index(op.f("ix_payout_settlement_id"), table_name="payout")
    op.drop_index("uq_payout_settlement", table_name="payout", postgresql_where=sa.text("again_for_id IS NULL"))
    op.drop_index(op.f("ix_payout_supplier_id_id"), table_name="payout")
    op.drop_index(op.f("ix_payout_status_id"), table_name="payout")
    op.drop_table("payout")
    op.drop_index(op.f("ix_settlement_run_id"), table_name="settlement")
    op.drop_index(op.f("ix_settlement_period_end_id"), table_name="settlement")
    op.drop_table("settlement")
    op.drop_index(op.f("ix_advance_supplier_id_id"), table_name="advance")
    op.drop_index(op.f("ix_advance_agreement_id"), table_name="advance")
    op.drop_table("advance")
    op.drop_index("uq_settlement_run_automatic", table_name="settlement_run", postgresql_where=sa.text("run_by IS NULL"))
    op.drop_table("settlement_run")
    op.drop_table("payout_file")
    op.drop_index("uq_payout_account_requested", table_name="payout_account", postgresql_where=sa.text("status = 'requested'"))
    op.drop_index(op.f("ix_payout_account_supplier_id_usable_from_id"), table_name="payout_account")
    op.drop_table("payout_account")
    op.drop_index("uq_commission_rule_version", table_name="commission_rule", postgresql_nulls_not_distinct=True)
    op.drop_table("commission_rule")
