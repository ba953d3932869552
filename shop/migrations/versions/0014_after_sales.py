"""Returns, exchanges and corrections of acceptances; vouchers for services; disputes."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


#: What kinds there were before, and what each kind of stock movement moves.
_ORIGINS = "origin_kind IN ('acceptance_line','history','correction','reassignment')"
_KINDS = "kind IN ('receive','adjust','reserve','release','ship')"
_DELTAS = (
    "CASE kind WHEN 'receive' THEN on_hand > 0 AND reserved = 0 WHEN 'adjust' THEN reserved = 0"
    " WHEN 'reserve' THEN on_hand = 0 AND reserved > 0 WHEN 'release' THEN on_hand = 0 AND reserved < 0{more}"
    " ELSE on_hand < 0 AND reserved = on_hand END"
)
_MORE = " WHEN 'return' THEN on_hand > 0 AND reserved = 0 WHEN 'replace' THEN on_hand < 0 AND reserved = 0"


def _check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def upgrade() -> None:
    _check("sale_entry", "origin_kind", _ORIGINS.replace("'history'", "'acceptance_correction','history'"))
    _check("stock_movement", "kind", _KINDS.replace("'ship'", "'ship','return','replace'"))
    _check("stock_movement", "deltas", _DELTAS.format(more=_MORE))
    op.create_table(
        "service_capacity",
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("booked", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("booked >= 0 AND booked <= units", name=op.f("ck_service_capacity_not_overbooked")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_service_capacity_sku_id")),
        sa.PrimaryKeyConstraint("sku_id", "day", name=op.f("pk_service_capacity")),
    )
    op.create_table(
        "acceptance_correction",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("acceptance_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="proposed", nullable=False),
        sa.Column("proposed_side", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.BigInteger(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("proposed_side IN ('buyer','supplier')", name=op.f("ck_acceptance_correction_proposed_side")),
        sa.CheckConstraint("status IN ('proposed','agreed','declined','withdrawn')", name=op.f("ck_acceptance_correction_status")),
        sa.ForeignKeyConstraint(["acceptance_id"], ["acceptance.id"], name=op.f("fk_acceptance_correction_acceptance_id")),
        sa.ForeignKeyConstraint(["answered_by"], ["app_user.id"], name=op.f("fk_acceptance_correction_answered_by")),
        sa.ForeignKeyConstraint(["proposed_by"], ["app_user.id"], name=op.f("fk_acceptance_correction_proposed_by")),
        sa.ForeignKeyConstraint(
            ["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_acceptance_correction_supplier_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptance_correction")),
        sa.UniqueConstraint("number", name=op.f("uq_acceptance_correction_number")),
    )
    op.create_index(
        op.f("ix_acceptance_correction_supplier_order_id_id"), "acceptance_correction", ["supplier_order_id", "id"], unique=False
    )
    op.create_index(
        "uq_acceptance_correction_proposed",
        "acceptance_correction",
        ["acceptance_id"],
        unique=True,
        postgresql_where=sa.text("status = 'proposed'"),
    )
    op.create_table(
        "goods_return",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("acceptance_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="requested", nullable=False),
        sa.Column("without_goods", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.String(), nullable=True),
        sa.Column("carrier", sa.String(), nullable=True),
        sa.Column("waybill", sa.String(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replacement_carrier", sa.String(), nullable=True),
        sa.Column("replacement_waybill", sa.String(), nullable=True),
        sa.Column("refund_fen", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind IN ('return','exchange')", name=op.f("ck_goods_return_kind")),
        sa.CheckConstraint("status <> 'refused' OR decision_note IS NOT NULL", name=op.f("ck_goods_return_decision_note")),
        sa.CheckConstraint(
            "status IN ('requested','approved','refused','sent','received','replaced','closed','cancelled')",
            name=op.f("ck_goods_return_status"),
        ),
        sa.CheckConstraint("refund_fen >= 0", name=op.f("ck_goods_return_refund_fen")),
        sa.ForeignKeyConstraint(["acceptance_id"], ["acceptance.id"], name=op.f("fk_goods_return_acceptance_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_goods_return_decided_by")),
        sa.ForeignKeyConstraint(["requested_by"], ["app_user.id"], name=op.f("fk_goods_return_requested_by")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_goods_return_supplier_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goods_return")),
        sa.UniqueConstraint("number", name=op.f("uq_goods_return_number")),
    )
    op.create_index(op.f("ix_goods_return_acceptance_id"), "goods_return", ["acceptance_id"], unique=False)
    op.create_index(op.f("ix_goods_return_status_id"), "goods_return", ["status", "id"], unique=False)
    op.create_index(op.f("ix_goods_return_supplier_order_id_id"), "goods_return", ["supplier_order_id", "id"], unique=False)
    op.create_table(
        "voucher",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_no", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), server_default="issued", nullable=False),
        sa.Column("booked_for", sa.Date(), nullable=True),
        sa.Column("guest", sa.String(), nullable=True),
        sa.Column("issued_by", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("redeemed_by", sa.BigInteger(), nullable=True),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acceptance_id", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status = 'redeemed') = (redeemed_at IS NOT NULL)", name=op.f("ck_voucher_redeemed")),
        sa.CheckConstraint("status <> 'booked' OR booked_for IS NOT NULL", name=op.f("ck_voucher_booked_for")),
        sa.CheckConstraint("status IN ('issued','booked','redeemed','expired','cancelled')", name=op.f("ck_voucher_status")),
        sa.CheckConstraint("status NOT IN ('redeemed','expired') OR acceptance_id IS NOT NULL", name=op.f("ck_voucher_acceptance")),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_voucher_validity")),
        sa.ForeignKeyConstraint(["acceptance_id"], ["acceptance.id"], name=op.f("fk_voucher_acceptance_id")),
        sa.ForeignKeyConstraint(["issued_by"], ["app_user.id"], name=op.f("fk_voucher_issued_by")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_voucher_order_line_id")),
        sa.ForeignKeyConstraint(["redeemed_by"], ["app_user.id"], name=op.f("fk_voucher_redeemed_by")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_voucher_sku_id")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_voucher_supplier_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("code", name=op.f("uq_voucher_code")),
        sa.UniqueConstraint("number", name=op.f("uq_voucher_number")),
        sa.UniqueConstraint("order_line_id", "unit_no", name=op.f("uq_voucher_order_line_id_unit_no")),
    )
    op.create_index(op.f("ix_voucher_acceptance_id"), "voucher", ["acceptance_id"], unique=False)
    op.create_index(
        op.f("ix_voucher_sku_id_booked_for"),
        "voucher",
        ["sku_id", "booked_for"],
        unique=False,
        postgresql_where=sa.text("status = 'booked'"),
    )
    op.create_index(op.f("ix_voucher_supplier_order_id_id"), "voucher", ["supplier_order_id", "id"], unique=False)
    op.create_index(
        op.f("ix_voucher_valid_until"),
        "voucher",
        ["valid_until"],
        unique=False,
        postgresql_where=sa.text("status IN ('issued','booked')"),
    )
    op.create_table(
        "acceptance_balance",
        sa.Column("acceptance_line_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("held", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("returned", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.CheckConstraint(
            "held >= 0 AND returned >= 0 AND held + returned <= accepted", name=op.f("ck_acceptance_balance_not_above_accepted")
        ),
        sa.ForeignKeyConstraint(
            ["acceptance_line_id"], ["acceptance_line.id"], name=op.f("fk_acceptance_balance_acceptance_line_id")
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["sale_entry.id"], name=op.f("fk_acceptance_balance_entry_id")),
        sa.PrimaryKeyConstraint("acceptance_line_id", name=op.f("pk_acceptance_balance")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_acceptance_balance_entry_id")),
    )
    op.create_table(
        "acceptance_correction_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("acceptance_correction_id", sa.BigInteger(), nullable=False),
        sa.Column("acceptance_line_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("accepted_quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("accepted_grams", sa.BigInteger(), nullable=False),
        sa.Column("before_quantity", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("before_grams", sa.BigInteger(), nullable=True),
        sa.Column("before_fen", sa.BigInteger(), nullable=True),
        sa.Column("after_quantity", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("after_grams", sa.BigInteger(), nullable=True),
        sa.Column("after_fen", sa.BigInteger(), nullable=True),
        sa.Column("reversal_id", sa.BigInteger(), nullable=True),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("accepted_quantity >= 0 AND accepted_grams >= 0", name=op.f("ck_acceptance_correction_line_accepted")),
        sa.ForeignKeyConstraint(
            ["acceptance_correction_id"],
            ["acceptance_correction.id"],
            name=op.f("fk_acceptance_correction_line_acceptance_correction_id"),
        ),
        sa.ForeignKeyConstraint(
            ["acceptance_line_id"], ["acceptance_line.id"], name=op.f("fk_acceptance_correction_line_acceptance_line_id")
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["sale_entry.id"], name=op.f("fk_acceptance_correction_line_entry_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_acceptance_correction_line_order_line_id")),
        sa.ForeignKeyConstraint(["reversal_id"], ["sale_entry.id"], name=op.f("fk_acceptance_correction_line_reversal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptance_correction_line")),
        sa.UniqueConstraint("acceptance_correction_id", "acceptance_line_id", name="uq_acceptance_correction_line_once"),
        sa.UniqueConstraint("entry_id", name=op.f("uq_acceptance_correction_line_entry_id")),
        sa.UniqueConstraint("reversal_id", name=op.f("uq_acceptance_correction_line_reversal_id")),
    )
    op.create_index(
        op.f("ix_acceptance_correction_line_acceptance_line_id"), "acceptance_correction_line", ["acceptance_line_id"], unique=False
    )
    op.create_table(
        "dispute",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("shipment_id", sa.BigInteger(), nullable=True),
        sa.Column("goods_return_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("opened_side", sa.String(), nullable=False),
        sa.Column("opened_by", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claim", sa.String(), nullable=False),
        sa.Column("claimed_fen", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), server_default="open", nullable=False),
        sa.Column("answer_due_on", sa.Date(), nullable=False),
        sa.Column("decision_due_on", sa.Date(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mediator_id", sa.BigInteger(), nullable=True),
        sa.Column("proposal", sa.String(), nullable=True),
        sa.Column("proposed_fen", sa.BigInteger(), nullable=False),
        sa.Column("buyer_agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("supplier_agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("refund_fen", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(status = 'decided') = (decided_at IS NOT NULL AND outcome IS NOT NULL AND decision IS NOT NULL)",
            name=op.f("ck_dispute_decided"),
        ),
        sa.CheckConstraint(
            "kind IN ('quality','quantity','weight','delay','return','payment','service','other')", name=op.f("ck_dispute_kind")
        ),
        sa.CheckConstraint("opened_side IN ('buyer','supplier')", name=op.f("ck_dispute_opened_side")),
        sa.CheckConstraint("outcome IN ('full','partial','none')", name=op.f("ck_dispute_outcome")),
        sa.CheckConstraint(
            "status IN ('open','answered','mediating','settled','decided','withdrawn')", name=op.f("ck_dispute_status")
        ),
        sa.CheckConstraint("claimed_fen >= 0 AND proposed_fen >= 0 AND refund_fen >= 0", name=op.f("ck_dispute_amounts")),
        sa.ForeignKeyConstraint(["answered_by"], ["app_user.id"], name=op.f("fk_dispute_answered_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_dispute_decided_by")),
        sa.ForeignKeyConstraint(["goods_return_id"], ["goods_return.id"], name=op.f("fk_dispute_goods_return_id")),
        sa.ForeignKeyConstraint(["mediator_id"], ["app_user.id"], name=op.f("fk_dispute_mediator_id")),
        sa.ForeignKeyConstraint(["opened_by"], ["app_user.id"], name=op.f("fk_dispute_opened_by")),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.id"], name=op.f("fk_dispute_shipment_id")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_dispute_supplier_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sa.UniqueConstraint("number", name=op.f("uq_dispute_number")),
    )
    op.create_index(op.f("ix_dispute_status_id"), "dispute", ["status", "id"], unique=False)
    op.create_index(op.f("ix_dispute_supplier_order_id_id"), "dispute", ["supplier_order_id", "id"], unique=False)
    op.create_index(
        "uq_dispute_open",
        "dispute",
        ["supplier_order_id", "kind", "shipment_id", "goods_return_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("status IN ('open','answered','mediating')"),
    )
    op.create_table(
        "goods_return_file",
        sa.Column("goods_return_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_goods_return_file_file_id")),
        sa.ForeignKeyConstraint(["goods_return_id"], ["goods_return.id"], name=op.f("fk_goods_return_file_goods_return_id")),
        sa.PrimaryKeyConstraint("goods_return_id", "file_id", name=op.f("pk_goods_return_file")),
    )
    op.create_table(
        "goods_return_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("goods_return_id", sa.BigInteger(), nullable=False),
        sa.Column("acceptance_line_id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("received_quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("restocked_quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("replaced_quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("returned_quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reversal_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(reversal_id IS NOT NULL) = (returned_quantity > 0)", name=op.f("ck_goods_return_line_reversal")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_goods_return_line_quantity")),
        sa.CheckConstraint("received_quantity BETWEEN 0 AND quantity", name=op.f("ck_goods_return_line_received_quantity")),
        sa.CheckConstraint("replaced_quantity BETWEEN 0 AND quantity", name=op.f("ck_goods_return_line_replaced_quantity")),
        sa.CheckConstraint(
            "restocked_quantity BETWEEN 0 AND received_quantity", name=op.f("ck_goods_return_line_restocked_quantity")
        ),
        sa.CheckConstraint(
            "returned_quantity BETWEEN 0 AND quantity AND grams >= 0 AND amount_fen >= 0", name=op.f("ck_goods_return_line_booked")
        ),
        sa.ForeignKeyConstraint(
            ["acceptance_line_id"], ["acceptance_line.id"], name=op.f("fk_goods_return_line_acceptance_line_id")
        ),
        sa.ForeignKeyConstraint(["goods_return_id"], ["goods_return.id"], name=op.f("fk_goods_return_line_goods_return_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"], name=op.f("fk_goods_return_line_order_line_id")),
        sa.ForeignKeyConstraint(["reversal_id"], ["sale_entry.id"], name=op.f("fk_goods_return_line_reversal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goods_return_line")),
        sa.UniqueConstraint(
            "goods_return_id", "acceptance_line_id", name=op.f("uq_goods_return_line_goods_return_id_acceptance_line_id")
        ),
        sa.UniqueConstraint("reversal_id", name=op.f("uq_goods_return_line_reversal_id")),
    )
    op.create_index(op.f("ix_goods_return_line_acceptance_line_id"), "goods_return_line", ["acceptance_line_id"], unique=False)
    op.create_table(
        "dispute_file",
        sa.Column("dispute_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name=op.f("fk_dispute_file_dispute_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_dispute_file_file_id")),
        sa.PrimaryKeyConstraint("dispute_id", "file_id", name=op.f("pk_dispute_file")),
    )


def downgrade() -> None:
    op.drop_table("dispute_file")
    op.drop_table("goods_return_line")
    op.drop_table("goods_return_file")
    op.drop_table("dispute")
    op.drop_table("acceptance_correction_line")
    op.drop_table("acceptance_balance")
    op.drop_table("voucher")
    op.drop_table("goods_return")
    op.drop_table("acceptance_correction")
    op.drop_table("service_capacity")
    _check("stock_movement", "deltas", _DELTAS.format(more=""))
    _check("stock_movement", "kind", _KINDS)
    _check("sale_entry", "origin_kind", _ORIGINS)
