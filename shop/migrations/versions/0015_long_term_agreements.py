"""Long-term agreements: terms, schedules, call-offs, changes, harvests. What is drawn is one view; a trigger holds the caps."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# What counts against the caps: orders less what was rejected, did not arrive, will not come or was given back, as acceptances stand by now, and
# requests that may still become orders.
_DRAWN = """
    CREATE VIEW agreement_drawn AS
    SELECT l.agreement_line_id, left_of.quantity, round(left_of.quantity * l.unit_price_fen)::bigint AS amount_fen
    FROM order_line l JOIN supplier_order so ON so.id = l.supplier_order_id
    CROSS JOIN LATERAL (
        SELECT l.quantity - l.rejected_quantity - l.difference_quantity - l.closed_quantity
               + coalesce(sum(b.accepted - al.accepted_quantity - b.returned), 0) AS quantity
        FROM acceptance_line al JOIN acceptance_balance b ON b.acceptance_line_id = al.id WHERE al.order_line_id = l.id
    ) left_of
    WHERE l.agreement_line_id IS NOT NULL AND so.status NOT IN ('rejected', 'cancelled')
    UNION ALL
    SELECT l.agreement_line_id, l.quantity, l.amount_fen
    FROM purchase_request_line l JOIN purchase_request r ON r.id = l.purchase_request_id
    WHERE l.agreement_line_id IS NOT NULL AND r.status IN ('waiting', 'returned', 'approved')
"""
# Looks when everything of the transaction is written. The order of an approved request was counted while it waited: nothing grows by it.
_HOLD_CAPS = """
    CREATE FUNCTION hold_agreement_caps() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        line agreement_line;
        whole agreement;
        quantity_drawn numeric;
        fen_drawn numeric;
        fen_of_all numeric;
    BEGIN
        IF TG_TABLE_NAME = 'order_line' AND to_jsonb(NEW) ->> 'replaces_id' IS NULL AND EXISTS (
            SELECT FROM purchase_order WHERE id = (to_jsonb(NEW) ->> 'purchase_order_id')::bigint AND purchase_request_id IS NOT NULL
        ) THEN
            RETURN NULL;
        END IF;
        SELECT * INTO line FROM agreement_line WHERE id = NEW.agreement_line_id;
        SELECT * INTO whole FROM agreement WHERE id = line.agreement_id FOR NO KEY UPDATE;
        SELECT coalesce(sum(quantity), 0), coalesce(sum(amount_fen), 0) INTO quantity_drawn, fen_drawn
        FROM agreement_drawn WHERE agreement_line_id = line.id;
        IF whole.amount_cap_fen IS NOT NULL THEN
            SELECT coalesce(sum(d.fen), 0) INTO fen_of_all
            FROM agreement_line l
            CROSS JOIN LATERAL (SELECT sum(amount_fen) AS fen FROM agreement_drawn WHERE agreement_line_id = l.id) d
            WHERE l.agreement_id = whole.id;
        END IF;
        IF quantity_drawn > trunc(line.quantity_cap * (100 + whole.tolerance_percent) / 100, 3)
           OR fen_drawn > trunc(line.amount_cap_fen * (100 + whole.tolerance_percent) / 100)
           OR fen_of_all > trunc(whole.amount_cap_fen * (100 + whole.tolerance_percent) / 100) THEN
            RAISE EXCEPTION 'agreement % would be passed', whole.number USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_agreement_caps';
        END IF;
        RETURN NULL;
    END $$
"""
GUARDED = ("order_line", "purchase_request_line")


def upgrade() -> None:
    op.create_table(
        "agreement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("fund_source", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("terminated_on", sa.Date(), nullable=True),
        sa.Column("amount_cap_fen", sa.BigInteger(), nullable=True),
        sa.Column("tolerance_percent", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("minimum_amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("call_off_lead_days", sa.Integer(), nullable=False),
        sa.Column("auto_order", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("terms", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("quotation_request_id", sa.BigInteger(), nullable=True),
        sa.Column("renews_id", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("buyer_signed_by", sa.BigInteger(), nullable=True),
        sa.Column("buyer_signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("supplier_signed_by", sa.BigInteger(), nullable=True),
        sa.Column("supplier_signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("terms_document", sa.String(), nullable=True),
        sa.Column("terms_hash", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("fund_source IN ('canteen','union','welfare','other')", name=op.f("ck_agreement_fund_source")),
        sa.CheckConstraint(
            "status <> 'active' OR (buyer_signed_at IS NOT NULL AND supplier_signed_at IS NOT NULL AND terms_hash IS NOT NULL)",
            name=op.f("ck_agreement_signed_by_both"),
        ),
        sa.CheckConstraint("status IN ('draft','proposed','active','declined','withdrawn')", name=op.f("ck_agreement_status")),
        sa.CheckConstraint("amount_cap_fen > 0", name=op.f("ck_agreement_amount_cap_fen")),
        sa.CheckConstraint("buyer_id <> supplier_id", name=op.f("ck_agreement_two_sides")),
        sa.CheckConstraint("call_off_lead_days BETWEEN 0 AND 60", name=op.f("ck_agreement_call_off_lead_days")),
        sa.CheckConstraint("terminated_on BETWEEN valid_from - 1 AND valid_until", name=op.f("ck_agreement_terminated_on")),
        sa.CheckConstraint("tolerance_percent BETWEEN 0 AND 20", name=op.f("ck_agreement_tolerance_percent")),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_agreement_validity")),
        sa.ForeignKeyConstraint(["buyer_id"], ["organisation.id"], name=op.f("fk_agreement_buyer_id")),
        sa.ForeignKeyConstraint(["buyer_signed_by"], ["app_user.id"], name=op.f("fk_agreement_buyer_signed_by")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_agreement_created_by")),
        sa.ForeignKeyConstraint(["renews_id"], ["agreement.id"], name=op.f("fk_agreement_renews_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_agreement_supplier_id")),
        sa.ForeignKeyConstraint(["supplier_signed_by"], ["app_user.id"], name=op.f("fk_agreement_supplier_signed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
        sa.UniqueConstraint("number", name=op.f("uq_agreement_number")),
    )
    op.create_index(op.f("ix_agreement_buyer_id_id"), "agreement", ["buyer_id", "id"], unique=False)
    op.create_index(op.f("ix_agreement_quotation_request_id"), "agreement", ["quotation_request_id"], unique=False)
    op.create_index(op.f("ix_agreement_supplier_id_id"), "agreement", ["supplier_id", "id"], unique=False)
    op.create_table(
        "closure_period",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_closure_period_days")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_closure_period_created_by")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_closure_period_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closure_period")),
    )
    op.create_index(
        op.f("ix_closure_period_organisation_id_starts_on"), "closure_period", ["organisation_id", "starts_on"], unique=False
    )
    op.create_table(
        "crop_loss",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("cut_grams", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("evidence_file_id", sa.BigInteger(), nullable=True),
        sa.Column("declared_by", sa.BigInteger(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cut_grams BETWEEN 0 AND grams", name=op.f("ck_crop_loss_cut_grams")),
        sa.CheckConstraint("grams > 0", name=op.f("ck_crop_loss_grams")),
        sa.ForeignKeyConstraint(["declared_by"], ["app_user.id"], name=op.f("fk_crop_loss_declared_by")),
        sa.ForeignKeyConstraint(["evidence_file_id"], ["stored_file.id"], name=op.f("fk_crop_loss_evidence_file_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_crop_loss_product_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_crop_loss_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crop_loss")),
    )
    op.create_index(op.f("ix_crop_loss_product_id_month"), "crop_loss", ["product_id", "month"], unique=False)
    op.create_index(op.f("ix_crop_loss_supplier_id_id"), "crop_loss", ["supplier_id", "id"], unique=False)
    op.create_table(
        "harvest_capacity",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("declared_by", sa.BigInteger(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("EXTRACT(day FROM month) = 1", name=op.f("ck_harvest_capacity_month")),
        sa.CheckConstraint("grams >= 0", name=op.f("ck_harvest_capacity_grams")),
        sa.ForeignKeyConstraint(["declared_by"], ["app_user.id"], name=op.f("fk_harvest_capacity_declared_by")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_harvest_capacity_product_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_harvest_capacity_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_harvest_capacity")),
        sa.UniqueConstraint("product_id", "month", name=op.f("uq_harvest_capacity_product_id_month")),
    )
    op.create_index(op.f("ix_harvest_capacity_supplier_id"), "harvest_capacity", ["supplier_id"], unique=False)
    op.create_table(
        "agreement_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agreement_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.BigInteger(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("hash_before", sa.String(), nullable=False),
        sa.Column("hash_after", sa.String(), nullable=True),
        sa.Column("renewed_as_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(status = 'proposed') = (answered_at IS NULL)", name=op.f("ck_agreement_change_answered")),
        sa.CheckConstraint("kind IN ('change','termination','renewal')", name=op.f("ck_agreement_change_kind")),
        sa.CheckConstraint("side IN ('buyer','supplier')", name=op.f("ck_agreement_change_side")),
        sa.CheckConstraint("status IN ('proposed','accepted','declined','withdrawn')", name=op.f("ck_agreement_change_status")),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name=op.f("fk_agreement_change_agreement_id")),
        sa.ForeignKeyConstraint(["answered_by"], ["app_user.id"], name=op.f("fk_agreement_change_answered_by")),
        sa.ForeignKeyConstraint(["proposed_by"], ["app_user.id"], name=op.f("fk_agreement_change_proposed_by")),
        sa.ForeignKeyConstraint(["renewed_as_id"], ["agreement.id"], name=op.f("fk_agreement_change_renewed_as_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_change")),
    )
    op.create_index(op.f("ix_agreement_change_agreement_id_id"), "agreement_change", ["agreement_id", "id"], unique=False)
    op.create_index(
        "uq_agreement_change_open",
        "agreement_change",
        ["agreement_id"],
        unique=True,
        postgresql_where=sa.text("status = 'proposed'"),
    )
    op.create_table(
        "agreement_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agreement_id", sa.BigInteger(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("price_kind", sa.String(), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=True),
        sa.Column("percent_off", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("quantity_cap", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.Column("amount_cap_fen", sa.BigInteger(), nullable=True),
        sa.Column("minimum_quantity", sa.Numeric(precision=14, scale=3), nullable=True),
        sa.CheckConstraint(
            "CASE price_kind WHEN 'fixed' THEN unit_price_fen > 0 AND percent_off IS NULL WHEN 'list_minus' THEN unit_price_fen IS NULL AND percent_off >= 0 AND percent_off < 100 WHEN 'tiers' THEN unit_price_fen IS NULL AND percent_off IS NULL ELSE false END",
            name=op.f("ck_agreement_line_price"),
        ),
        sa.CheckConstraint("amount_cap_fen > 0", name=op.f("ck_agreement_line_amount_cap_fen")),
        sa.CheckConstraint("minimum_quantity > 0", name=op.f("ck_agreement_line_minimum_quantity")),
        sa.CheckConstraint("quantity_cap > 0", name=op.f("ck_agreement_line_quantity_cap")),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name=op.f("fk_agreement_line_agreement_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_agreement_line_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_line")),
        sa.UniqueConstraint("agreement_id", "line_no", name=op.f("uq_agreement_line_agreement_id_line_no")),
        sa.UniqueConstraint("agreement_id", "sku_id", name=op.f("uq_agreement_line_agreement_id_sku_id")),
    )
    op.create_index(op.f("ix_agreement_line_sku_id"), "agreement_line", ["sku_id"], unique=False)
    op.create_table(
        "delivery_place",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agreement_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name=op.f("fk_delivery_place_agreement_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["organisation.id"], name=op.f("fk_delivery_place_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_place")),
        sa.UniqueConstraint("agreement_id", "name", name=op.f("uq_delivery_place_agreement_id_name")),
    )
    op.create_index(op.f("ix_delivery_place_unit_id"), "delivery_place", ["unit_id"], unique=False)
    op.create_table(
        "agreement_price_tier",
        sa.Column("agreement_line_id", sa.BigInteger(), nullable=False),
        sa.Column("min_quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("min_quantity > 0", name=op.f("ck_agreement_price_tier_min_quantity")),
        sa.CheckConstraint("unit_price_fen > 0", name=op.f("ck_agreement_price_tier_unit_price_fen")),
        sa.ForeignKeyConstraint(
            ["agreement_line_id"], ["agreement_line.id"], name=op.f("fk_agreement_price_tier_agreement_line_id")
        ),
        sa.PrimaryKeyConstraint("agreement_line_id", "min_quantity", name=op.f("pk_agreement_price_tier")),
    )
    op.create_table(
        "call_off_draft",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agreement_id", sa.BigInteger(), nullable=False),
        sa.Column("delivery_place_id", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), server_default="open", nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=True),
        sa.Column("purchase_request_id", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(status = 'ordered') = (purchase_order_id IS NOT NULL OR purchase_request_id IS NOT NULL)",
            name=op.f("ck_call_off_draft_ordered"),
        ),
        sa.CheckConstraint("status IN ('open','ordered','discarded')", name=op.f("ck_call_off_draft_status")),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name=op.f("fk_call_off_draft_agreement_id")),
        sa.ForeignKeyConstraint(["delivery_place_id"], ["delivery_place.id"], name=op.f("fk_call_off_draft_delivery_place_id")),
        sa.ForeignKeyConstraint(["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_call_off_draft_purchase_order_id")),
        sa.ForeignKeyConstraint(
            ["purchase_request_id"], ["purchase_request.id"], name=op.f("fk_call_off_draft_purchase_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_off_draft")),
    )
    op.create_index(op.f("ix_call_off_draft_agreement_id_id"), "call_off_draft", ["agreement_id", "id"], unique=False)
    op.create_index(
        "uq_call_off_draft_open",
        "call_off_draft",
        ["agreement_id", "delivery_place_id", "due_on"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "crop_loss_share",
        sa.Column("crop_loss_id", sa.BigInteger(), nullable=False),
        sa.Column("agreement_line_id", sa.BigInteger(), nullable=False),
        sa.Column("planned_grams", sa.BigInteger(), nullable=False),
        sa.Column("cut_grams", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("cut_grams BETWEEN 0 AND planned_grams", name=op.f("ck_crop_loss_share_cut_grams")),
        sa.ForeignKeyConstraint(["agreement_line_id"], ["agreement_line.id"], name=op.f("fk_crop_loss_share_agreement_line_id")),
        sa.ForeignKeyConstraint(["crop_loss_id"], ["crop_loss.id"], name=op.f("fk_crop_loss_share_crop_loss_id")),
        sa.PrimaryKeyConstraint("crop_loss_id", "agreement_line_id", name=op.f("pk_crop_loss_share")),
    )
    op.create_index(op.f("ix_crop_loss_share_agreement_line_id"), "crop_loss_share", ["agreement_line_id"], unique=False)
    op.create_table(
        "schedule_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("agreement_line_id", sa.BigInteger(), nullable=False),
        sa.Column("delivery_place_id", sa.BigInteger(), nullable=False),
        sa.Column("weekdays", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("every_weeks", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("in_term_only", sa.Boolean(), nullable=False),
        sa.Column("skips_public_holidays", sa.Boolean(), nullable=False),
        sa.Column("ended", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("cardinality(weekdays) BETWEEN 1 AND 7", name=op.f("ck_schedule_entry_weekdays")),
        sa.CheckConstraint("every_weeks BETWEEN 1 AND 52", name=op.f("ck_schedule_entry_every_weeks")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_schedule_entry_quantity")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_schedule_entry_days")),
        sa.ForeignKeyConstraint(["agreement_line_id"], ["agreement_line.id"], name=op.f("fk_schedule_entry_agreement_line_id")),
        sa.ForeignKeyConstraint(["delivery_place_id"], ["delivery_place.id"], name=op.f("fk_schedule_entry_delivery_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_entry")),
    )
    op.create_index(op.f("ix_schedule_entry_agreement_line_id"), "schedule_entry", ["agreement_line_id"], unique=False)
    op.create_table(
        "instalment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("schedule_entry_id", sa.BigInteger(), nullable=False),
        sa.Column("agreement_line_id", sa.BigInteger(), nullable=False),
        sa.Column("delivery_place_id", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("planned_quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("lost_grams", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("skip_reason", sa.String(), nullable=True),
        sa.Column("skip_note", sa.String(), nullable=True),
        sa.Column("call_off_draft_id", sa.BigInteger(), nullable=True),
        sa.Column("late_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("(status = 'skipped') = (skip_reason IS NOT NULL)", name=op.f("ck_instalment_skipped")),
        sa.CheckConstraint(
            "(status IN ('drafted','ordered')) <= (call_off_draft_id IS NOT NULL)", name=op.f("ck_instalment_drafted")
        ),
        sa.CheckConstraint(
            "skip_reason IN ('closure','public_holiday','crop_loss','discarded','ended','already_ordered')",
            name=op.f("ck_instalment_skip_reason"),
        ),
        sa.CheckConstraint("status IN ('planned','drafted','ordered','skipped')", name=op.f("ck_instalment_status")),
        sa.CheckConstraint("lost_grams >= 0", name=op.f("ck_instalment_lost_grams")),
        sa.CheckConstraint("quantity BETWEEN 0 AND planned_quantity", name=op.f("ck_instalment_quantity")),
        sa.ForeignKeyConstraint(["agreement_line_id"], ["agreement_line.id"], name=op.f("fk_instalment_agreement_line_id")),
        sa.ForeignKeyConstraint(["call_off_draft_id"], ["call_off_draft.id"], name=op.f("fk_instalment_call_off_draft_id")),
        sa.ForeignKeyConstraint(["delivery_place_id"], ["delivery_place.id"], name=op.f("fk_instalment_delivery_place_id")),
        sa.ForeignKeyConstraint(["schedule_entry_id"], ["schedule_entry.id"], name=op.f("fk_instalment_schedule_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instalment")),
        sa.UniqueConstraint("schedule_entry_id", "due_on", name=op.f("uq_instalment_schedule_entry_id_due_on")),
    )
    op.create_index(op.f("ix_instalment_agreement_line_id_due_on"), "instalment", ["agreement_line_id", "due_on"], unique=False)
    op.create_index(op.f("ix_instalment_call_off_draft_id"), "instalment", ["call_off_draft_id"], unique=False)
    op.create_index(op.f("ix_instalment_due_on"), "instalment", ["due_on"], unique=False)
    op.create_index(
        "ix_instalment_unsettled",
        "instalment",
        ["due_on"],
        unique=False,
        postgresql_where=sa.text("status <> 'skipped' AND NOT settled"),
    )
    op.create_foreign_key(op.f("fk_order_line_agreement_line_id"), "order_line", "agreement_line", ["agreement_line_id"], ["id"])
    op.create_foreign_key(
        op.f("fk_purchase_request_line_agreement_line_id"), "purchase_request_line", "agreement_line", ["agreement_line_id"], ["id"]
    )
    op.execute(_DRAWN)
    op.execute(_HOLD_CAPS)
    for table in GUARDED:
        op.execute(
            f"CREATE CONSTRAINT TRIGGER hold_agreement_caps AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW WHEN (NEW.agreement_line_id IS NOT NULL) EXECUTE FUNCTION hold_agreement_caps()"
        )
    op.create_foreign_key(op.f("fk_pledge_agreement_agreement_id"), "pledge_agreement", "agreement", ["agreement_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint(op.f("fk_pledge_agreement_agreement_id"), "pledge_agreement")
    for table in GUARDED:
        op.execute(f"DROP TRIGGER hold_agreement_caps ON {table}")
    op.execute("DROP FUNCTION hold_agreement_caps()")
    op.execute("DROP VIEW agreement_drawn")
    op.drop_constraint(op.f("fk_purchase_request_line_agreement_line_id"), "purchase_request_line", type_="foreignkey")
    op.drop_constraint(op.f("fk_order_line_agreement_line_id"), "order_line", type_="foreignkey")
    op.drop_index(
        "ix_instalment_unsettled", table_name="instalment", postgresql_where=sa.text("status <> 'skipped' AND NOT settled")
    )
    op.drop_index(op.f("ix_instalment_due_on"), table_name="instalment")
    op.drop_index(op.f("ix_instalment_call_off_draft_id"), table_name="instalment")
    op.drop_index(op.f("ix_instalment_agreement_line_id_due_on"), table_name="instalment")
    op.drop_table("instalment")
    op.drop_index(op.f("ix_schedule_entry_agreement_line_id"), table_name="schedule_entry")
    op.drop_table("schedule_entry")
    op.drop_index(op.f("ix_crop_loss_share_agreement_line_id"), table_name="crop_loss_share")
    op.drop_table("crop_loss_share")
    op.drop_index("uq_call_off_draft_open", table_name="call_off_draft", postgresql_where=sa.text("status = 'open'"))
    op.drop_index(op.f("ix_call_off_draft_agreement_id_id"), table_name="call_off_draft")
    op.drop_table("call_off_draft")
    op.drop_table("agreement_price_tier")
    op.drop_index(op.f("ix_delivery_place_unit_id"), table_name="delivery_place")
    op.drop_table("delivery_place")
    op.drop_index(op.f("ix_agreement_line_sku_id"), table_name="agreement_line")
    op.drop_table("agreement_line")
    op.drop_index("uq_agreement_change_open", table_name="agreement_change", postgresql_where=sa.text("status = 'proposed'"))
    op.drop_index(op.f("ix_agreement_change_agreement_id_id"), table_name="agreement_change")
    op.drop_table("agreement_change")
    op.drop_index(op.f("ix_harvest_capacity_supplier_id"), table_name="harvest_capacity")
    op.drop_table("harvest_capacity")
    op.drop_index(op.f("ix_crop_loss_supplier_id_id"), table_name="crop_loss")
    op.drop_index(op.f("ix_crop_loss_product_id_month"), table_name="crop_loss")
    op.drop_table("crop_loss")
    op.drop_index(op.f("ix_closure_period_organisation_id_starts_on"), table_name="closure_period")
    op.drop_table("closure_period")
    op.drop_index(op.f("ix_agreement_supplier_id_id"), table_name="agreement")
    op.drop_index(op.f("ix_agreement_quotation_request_id"), table_name="agreement")
    op.drop_index(op.f("ix_agreement_buyer_id_id"), table_name="agreement")
    op.drop_table("agreement")
