"""Outlets and what they sell, sales claimed from elsewhere, one sale one count, months that are closed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_ORIGINS = "origin_kind IN ('acceptance_line','acceptance_correction','history','correction','reassignment'{more})"
_NEW_ORIGINS = ",'outlet_line','external_line','release'"
_CHECKS = {
    "source": "source IN ('platform','outlet','external')",
    "outlet": "(source = 'outlet') = (outlet_id IS NOT NULL)",
    "known_buyer": "source <> 'platform' OR buyer_id IS NOT NULL AND sku_id IS NOT NULL",
    "occurred_on": "occurred_on < sold_on",
}
# Who closes a month waits for all who are booking, and who books after that sees it closed.
_CLOSING = """
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(hashtext('closed_month'));
        IF EXISTS (SELECT FROM fresh JOIN closed_month USING (month)) THEN
            RAISE EXCEPTION 'the month is closed' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
    END
"""
# Figures wait for entries that count, and for no other.
_QUEUE = """
    CREATE OR REPLACE FUNCTION queue_for_rollup() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO sale_entry_pending (entry_id) SELECT id FROM fresh {which};
        RETURN NULL;
    END $$
"""
# Names of carriers, by their beginning, as documents know them.
_CARRIERS = {
    "顺丰": "SF",
    "中国邮政": "EMS",
    "邮政": "EMS",
    "圆通": "YTO",
    "中通": "ZTO",
    "申通": "STO",
    "韵达": "YUNDA",
    "极兔": "JT",
    "京东": "JD",
    "德邦": "DEPPON",
    **{code: code for code in ("SF", "EMS", "YTO", "ZTO", "STO", "YUNDA", "JD", "DEPPON")},
}
_KNOWN = " ".join(f"WHEN starts_with(w.carrier, '{name}') THEN '{code}'" for name, code in _CARRIERS.items())
# The documents of orders that were made here before: invoices that count or may count yet, and waybills.
_USES = f"""
    INSERT INTO document_use (kind, number, subject_kind, subject_id, used_at)
    SELECT 'invoice', concat(t.code, t.number), 'purchase_order', so.purchase_order_id, min(t.registered_at)
    FROM tax_invoice t JOIN tax_invoice_cover c ON c.tax_invoice_id = t.id JOIN supplier_order so ON so.id = c.supplier_order_id
    WHERE NOT t.red AND t.status IN ('registered', 'held', 'cleared') GROUP BY 2, 4
    UNION ALL
    SELECT 'waybill', concat(CASE {_KNOWN} ELSE w.carrier END, ':', w.number), 'purchase_order', so.purchase_order_id, min(s.shipped_at)
    FROM shipment s JOIN supplier_order so ON so.id = s.supplier_order_id
    CROSS JOIN LATERAL (
        SELECT upper(regexp_replace(normalize(coalesce(s.carrier, ''), NFKC), '[[:space:][:punct:]]', '', 'g')) AS carrier,
               upper(regexp_replace(normalize(s.waybill, NFKC), '[[:space:][:punct:]]', '', 'g')) AS number
    ) w
    WHERE w.number <> '' GROUP BY 2, 4
"""  # noqa: S608
_CLOSE = """
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('closed_month'));
        RETURN NEW;
    END
"""


# What a unit bought in a year is summed from the index alone.
_BOUGHT = ["fund_source", "reserved_share_eligible", "certified", "amount_fen"]


def _buyers_index(included: list[str]) -> None:
    name = op.f("ix_sale_entry_buyer_id_sold_on_id")
    op.drop_index(name, table_name="sale_entry")
    op.create_index(name, "sale_entry", ["buyer_id", "sold_on", "id"], unique=False, postgresql_include=included)


def _origins(more: str) -> None:
    op.drop_constraint(op.f("ck_sale_entry_origin_kind"), "sale_entry")
    op.create_check_constraint(op.f("ck_sale_entry_origin_kind"), "sale_entry", _ORIGINS.format(more=more))


def upgrade() -> None:
    op.create_table(
        "document_use",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.String(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('invoice','bank_receipt','waybill')", name=op.f("ck_document_use_kind")),
        sa.CheckConstraint(
            "subject_kind IN ('external_sale','sales_batch','sales_batch_line','purchase_order')",
            name=op.f("ck_document_use_subject_kind"),
        ),
        sa.CheckConstraint("side IN ('seller','buyer')", name=op.f("ck_document_use_side")),
        sa.PrimaryKeyConstraint("kind", "number", "subject_kind", "subject_id", name=op.f("pk_document_use")),
    )
    op.create_index(op.f("ix_document_use_subject_kind_subject_id"), "document_use", ["subject_kind", "subject_id"], unique=False)
    op.create_table(
        "closed_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("month = date_trunc('month', month::timestamp)::date", name=op.f("ck_closed_month_month")),
        sa.ForeignKeyConstraint(["closed_by"], ["app_user.id"], name=op.f("fk_closed_month_closed_by")),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_closed_month")),
    )
    op.create_table(
        "counting_hold",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("other_kind", sa.String(), nullable=True),
        sa.Column("other_id", sa.BigInteger(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("district_code", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), server_default="open", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.CheckConstraint("(status = 'open') = (decided_at IS NULL)", name=op.f("ck_counting_hold_decided")),
        sa.CheckConstraint(
            "reason_code IN ('document_seen','suspected_duplicate','not_certified','over_capacity','broken_chain','clock','outlet_closed','late','refund')",
            name=op.f("ck_counting_hold_reason_code"),
        ),
        sa.CheckConstraint("status = 'open' OR decision <> ''", name=op.f("ck_counting_hold_decision")),
        sa.CheckConstraint("status IN ('open','counted','void')", name=op.f("ck_counting_hold_status")),
        sa.CheckConstraint(
            "subject_kind IN ('external_sale','sales_batch','sales_batch_line','purchase_order') AND other_kind IN ('external_sale','sales_batch','sales_batch_line','purchase_order')",
            name=op.f("ck_counting_hold_kinds"),
        ),
        sa.CheckConstraint("(other_kind IS NULL) = (other_id IS NULL)", name=op.f("ck_counting_hold_other")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_counting_hold_decided_by")),
        sa.ForeignKeyConstraint(["district_code"], ["region.code"], name=op.f("fk_counting_hold_district_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counting_hold")),
    )
    op.create_index(
        op.f("ix_counting_hold_district_code_status_id"), "counting_hold", ["district_code", "status", "id"], unique=False
    )
    op.create_index(
        op.f("ix_counting_hold_other_kind_other_id"),
        "counting_hold",
        ["other_kind", "other_id"],
        unique=False,
        postgresql_where=sa.text("other_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_counting_hold_status_id"), "counting_hold", ["status", "id"], unique=False)
    op.create_index(
        "uq_counting_hold_open",
        "counting_hold",
        [
            "subject_kind",
            "subject_id",
            "reason_code",
            sa.literal_column("coalesce(other_kind, '')"),
            sa.literal_column("coalesce(other_id, 0)"),
        ],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "external_sale",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("claimant_id", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("helper_id", sa.BigInteger(), nullable=True),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("invoice_seller", sa.String(), nullable=True),
        sa.Column("invoice_seller_uscc", sa.String(), nullable=True),
        sa.Column("buyer_id", sa.BigInteger(), nullable=True),
        sa.Column("buyer_name", sa.String(), nullable=False),
        sa.Column("buyer_kind", sa.String(), nullable=False),
        sa.Column("buyer_region_code", sa.String(), nullable=False),
        sa.Column("district_code", sa.String(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=True),
        sa.Column("sold_on", sa.Date(), nullable=False),
        sa.Column("fund_source", sa.String(), nullable=False),
        sa.Column("declared_relation_id", sa.BigInteger(), nullable=True),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("total_grams", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="draft", nullable=False),
        sa.Column("reason", sa.String(), nullable=True, comment="why it was returned, refused or voided"),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.BigInteger(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(direction = 'helped_sale') = (helper_id IS NOT NULL)", name=op.f("ck_external_sale_helper")),
        sa.CheckConstraint("status NOT IN ('accepted','refused') OR decided_at IS NOT NULL", name=op.f("ck_external_sale_decided")),
        sa.CheckConstraint(
            "status NOT IN ('draft','submitted','returned','withdrawn') OR decided_at IS NULL",
            name=op.f("ck_external_sale_undecided"),
        ),
        sa.CheckConstraint("status IN ('draft','withdrawn') OR submitted_at IS NOT NULL", name=op.f("ck_external_sale_submitted")),
        sa.CheckConstraint("direction IN ('purchase','helped_sale')", name=op.f("ck_external_sale_direction")),
        sa.CheckConstraint("fund_source IN ('canteen','union','welfare','other')", name=op.f("ck_external_sale_fund_source")),
        sa.CheckConstraint(
            "platform IN ('832','social_network','other_platform','contract','offline')", name=op.f("ck_external_sale_platform")
        ),
        sa.CheckConstraint("side = 'seller' OR buyer_id IS NOT NULL", name=op.f("ck_external_sale_buyer")),
        sa.CheckConstraint("side IN ('seller','buyer')", name=op.f("ck_external_sale_side")),
        sa.CheckConstraint(
            "status IN ('draft','submitted','returned','held','accepted','refused','withdrawn','void')",
            name=op.f("ck_external_sale_status"),
        ),
        sa.CheckConstraint("decided_by <> submitted_by", name=op.f("ck_external_sale_two_persons")),
        sa.CheckConstraint("total_fen >= 0 AND total_grams >= 0", name=op.f("ck_external_sale_totals")),
        sa.ForeignKeyConstraint(["buyer_id"], ["organisation.id"], name=op.f("fk_external_sale_buyer_id")),
        sa.ForeignKeyConstraint(["buyer_region_code"], ["region.code"], name=op.f("fk_external_sale_buyer_region_code")),
        sa.ForeignKeyConstraint(["claimant_id"], ["organisation.id"], name=op.f("fk_external_sale_claimant_id")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_external_sale_created_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_external_sale_decided_by")),
        sa.ForeignKeyConstraint(
            ["declared_relation_id"], ["support_relation.id"], name=op.f("fk_external_sale_declared_relation_id")
        ),
        sa.ForeignKeyConstraint(["district_code"], ["region.code"], name=op.f("fk_external_sale_district_code")),
        sa.ForeignKeyConstraint(["helper_id"], ["organisation.id"], name=op.f("fk_external_sale_helper_id")),
        sa.ForeignKeyConstraint(["submitted_by"], ["app_user.id"], name=op.f("fk_external_sale_submitted_by")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_external_sale_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_sale")),
        sa.UniqueConstraint("number", name=op.f("uq_external_sale_number")),
    )
    op.create_index(
        op.f("ix_external_sale_buyer_id_sold_on_id"),
        "external_sale",
        ["buyer_id", "sold_on", "id"],
        unique=False,
        postgresql_where=sa.text("buyer_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_external_sale_claimant_id_id"), "external_sale", ["claimant_id", "id"], unique=False)
    op.create_index(
        op.f("ix_external_sale_status_id"),
        "external_sale",
        ["status", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('submitted','held')"),
    )
    op.create_index(
        op.f("ix_external_sale_supplier_id_sold_on_id"), "external_sale", ["supplier_id", "sold_on", "id"], unique=False
    )
    op.create_table(
        "outlet",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("external_number", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("operator_id", sa.BigInteger(), nullable=False),
        sa.Column("region_code", sa.String(), nullable=False),
        sa.Column("township_code", sa.String(), nullable=True),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("venue", sa.String(), nullable=False),
        sa.Column("latitude", sa.Numeric(precision=8, scale=5), nullable=True),
        sa.Column("longitude", sa.Numeric(precision=8, scale=5), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("close_reason", sa.String(), nullable=True),
        sa.Column("status", sa.String(), server_default="registered", nullable=False),
        sa.Column("registered_by", sa.BigInteger(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_by", sa.BigInteger(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True, comment="why it was refused"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status = 'closed') = (closed_on IS NOT NULL)", name=op.f("ck_outlet_closed")),
        sa.CheckConstraint("NOT online OR kind <> 'cabinet' AND url IS NOT NULL", name=op.f("ck_outlet_online")),
        sa.CheckConstraint("kind IN ('cabinet','hall','zone')", name=op.f("ck_outlet_kind")),
        sa.CheckConstraint("online OR address <> ''", name=op.f("ck_outlet_address")),
        sa.CheckConstraint("status <> 'verified' OR verified_at IS NOT NULL", name=op.f("ck_outlet_verified")),
        sa.CheckConstraint("status IN ('registered','verified','refused','closed')", name=op.f("ck_outlet_status")),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_outlet_position")),
        sa.CheckConstraint("closed_on >= opened_on", name=op.f("ck_outlet_period")),
        sa.ForeignKeyConstraint(["operator_id"], ["organisation.id"], name=op.f("fk_outlet_operator_id")),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_outlet_region_code")),
        sa.ForeignKeyConstraint(["registered_by"], ["app_user.id"], name=op.f("fk_outlet_registered_by")),
        sa.ForeignKeyConstraint(["township_code"], ["region.code"], name=op.f("fk_outlet_township_code")),
        sa.ForeignKeyConstraint(["verified_by"], ["app_user.id"], name=op.f("fk_outlet_verified_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outlet")),
        sa.UniqueConstraint("number", name=op.f("uq_outlet_number")),
        sa.UniqueConstraint("operator_id", "external_number", name=op.f("uq_outlet_operator_id_external_number")),
    )
    op.create_index(op.f("ix_outlet_operator_id_id"), "outlet", ["operator_id", "id"], unique=False)
    op.create_index(op.f("ix_outlet_region_code_status_id"), "outlet", ["region_code", "status", "id"], unique=False)
    op.create_index(op.f("ix_outlet_status_id"), "outlet", ["status", "id"], unique=False)
    op.create_table(
        "book_match",
        sa.Column("buyer_sale_id", sa.BigInteger(), nullable=False),
        sa.Column("seller_kind", sa.String(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("difference_fen", sa.BigInteger(), nullable=False),
        sa.Column("matched_by", sa.BigInteger(), nullable=True),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("basis IN ('invoice','order_number','amount_and_day','by_hand')", name=op.f("ck_book_match_basis")),
        sa.CheckConstraint("seller_kind IN ('external_sale','purchase_order')", name=op.f("ck_book_match_seller_kind")),
        sa.ForeignKeyConstraint(["buyer_sale_id"], ["external_sale.id"], name=op.f("fk_book_match_buyer_sale_id")),
        sa.ForeignKeyConstraint(["matched_by"], ["app_user.id"], name=op.f("fk_book_match_matched_by")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_book_match_supplier_id")),
        sa.PrimaryKeyConstraint("buyer_sale_id", name=op.f("pk_book_match")),
    )
    op.create_index("uq_book_match_seller", "book_match", ["seller_kind", "seller_id", "supplier_id"], unique=True)
    op.create_table(
        "book_parting",
        sa.Column("buyer_sale_id", sa.BigInteger(), nullable=False),
        sa.Column("seller_kind", sa.String(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["buyer_sale_id"], ["external_sale.id"], name=op.f("fk_book_parting_buyer_sale_id")),
        sa.PrimaryKeyConstraint("buyer_sale_id", "seller_kind", "seller_id", name=op.f("pk_book_parting")),
    )
    op.create_table(
        "external_sale_document",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sale_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("issuer", sa.String(), nullable=True),
        sa.Column("dated_on", sa.Date(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('invoice','bank_receipt','waybill','contract','platform_list','photo','letter','other')",
            name=op.f("ck_external_sale_document_kind"),
        ),
        sa.CheckConstraint(
            "kind NOT IN ('invoice','bank_receipt','waybill') OR number IS NOT NULL", name=op.f("ck_external_sale_document_number")
        ),
        sa.CheckConstraint("kind <> 'waybill' OR issuer IS NOT NULL", name=op.f("ck_external_sale_document_carrier")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_external_sale_document_file_id")),
        sa.ForeignKeyConstraint(["sale_id"], ["external_sale.id"], name=op.f("fk_external_sale_document_sale_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_sale_document")),
    )
    op.create_index(op.f("ix_external_sale_document_sale_id"), "external_sale_document", ["sale_id"], unique=False)
    op.create_table(
        "external_sale_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sale_id", sa.BigInteger(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=True),
        sa.Column("product_name", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0 AND grams >= 0 AND amount_fen > 0", name=op.f("ck_external_sale_line_figures")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_external_sale_line_product_id")),
        sa.ForeignKeyConstraint(["sale_id"], ["external_sale.id"], name=op.f("fk_external_sale_line_sale_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_external_sale_line_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_sale_line")),
        sa.UniqueConstraint("sale_id", "line_no", name=op.f("uq_external_sale_line_sale_id_line_no")),
    )
    op.create_index(
        op.f("ix_external_sale_line_product_id_amount_fen"), "external_sale_line", ["product_id", "amount_fen"], unique=False
    )
    op.create_table(
        "outlet_day",
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("certified_fen", sa.BigInteger(), nullable=False),
        sa.Column("other_fen", sa.BigInteger(), nullable=False),
        sa.Column("resale_fen", sa.BigInteger(), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_outlet_day_outlet_id")),
        sa.PrimaryKeyConstraint("outlet_id", "day", name=op.f("pk_outlet_day")),
    )
    op.create_index(op.f("ix_outlet_day_day_outlet_id"), "outlet_day", ["day", "outlet_id"], unique=False)
    op.create_table(
        "outlet_device",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_hash", sa.String(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("last_sequence >= 0", name=op.f("ck_outlet_device_last_sequence")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_outlet_device_created_by")),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_outlet_device_outlet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outlet_device")),
        sa.UniqueConstraint("hash", name=op.f("uq_outlet_device_hash")),
        sa.UniqueConstraint("outlet_id", "number", name=op.f("uq_outlet_device_outlet_id_number")),
    )
    op.create_table(
        "outlet_goods",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("goods_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("certified", sa.Boolean(), nullable=False),
        sa.Column("certified_name", sa.String(), nullable=True),
        sa.Column("supplier_name", sa.String(), nullable=True),
        sa.Column("supplier_uscc", sa.String(), nullable=True),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("barcode", sa.String(), nullable=True),
        sa.Column("sku", sa.String(), nullable=True),
        sa.Column("spu", sa.String(), nullable=True),
        sa.Column("brand", sa.String(), nullable=True),
        sa.Column("category_codes", sa.String(), nullable=True),
        sa.Column("invoice", sa.Boolean(), nullable=False),
        sa.Column("on_shelf", sa.Boolean(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("sku_id", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "NOT certified OR supplier_uscc IS NOT NULL AND certified_name IS NOT NULL", name=op.f("ck_outlet_goods_certified")
        ),
        sa.CheckConstraint("price_fen >= 0", name=op.f("ck_outlet_goods_price_fen")),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_outlet_goods_outlet_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_outlet_goods_product_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_outlet_goods_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outlet_goods")),
        sa.UniqueConstraint("outlet_id", "goods_id", name=op.f("uq_outlet_goods_outlet_id_goods_id")),
    )
    op.create_index(
        op.f("ix_outlet_goods_barcode"), "outlet_goods", ["barcode"], unique=False, postgresql_where=sa.text("barcode IS NOT NULL")
    )
    op.create_index(
        op.f("ix_outlet_goods_product_id"),
        "outlet_goods",
        ["product_id"],
        unique=False,
        postgresql_where=sa.text("product_id IS NOT NULL"),
    )
    op.create_table(
        "outlet_plan_line",
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("planned_quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.CheckConstraint("planned_quantity > 0", name=op.f("ck_outlet_plan_line_planned_quantity")),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_outlet_plan_line_outlet_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_outlet_plan_line_sku_id")),
        sa.PrimaryKeyConstraint("outlet_id", "sku_id", name=op.f("pk_outlet_plan_line")),
    )
    op.create_table(
        "outlet_pulse",
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sold_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("batch_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("silent_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("software", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_outlet_pulse_outlet_id")),
        sa.PrimaryKeyConstraint("outlet_id", name=op.f("pk_outlet_pulse")),
    )
    op.create_table(
        "outlet_stock",
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("goods_id", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_outlet_stock_quantity")),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_outlet_stock_outlet_id")),
        sa.PrimaryKeyConstraint("outlet_id", "goods_id", name=op.f("pk_outlet_stock")),
    )
    op.create_table(
        "sales_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("previous_hash", sa.String(), nullable=True),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("in_chain", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("corrects", sa.String(), nullable=True),
        sa.Column("replaces_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=True),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.Column("certified_fen", sa.BigInteger(), nullable=False),
        sa.Column("other_fen", sa.BigInteger(), nullable=False),
        sa.Column("first_sold_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_sold_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_from", sa.BigInteger(), nullable=True),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("status NOT IN ('held','void') OR reason_code IS NOT NULL", name=op.f("ck_sales_batch_reason")),
        sa.CheckConstraint(
            "(way = 'device') = (device_id IS NOT NULL AND sequence IS NOT NULL)", name=op.f("ck_sales_batch_device")
        ),
        sa.CheckConstraint("status IN ('accepted','waiting','held','replaced','void')", name=op.f("ck_sales_batch_status")),
        sa.CheckConstraint("way IN ('device','file')", name=op.f("ck_sales_batch_way")),
        sa.CheckConstraint("line_count > 0", name=op.f("ck_sales_batch_line_count")),
        sa.ForeignKeyConstraint(["device_id"], ["outlet_device.id"], name=op.f("fk_sales_batch_device_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_sales_batch_file_id")),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_sales_batch_outlet_id")),
        sa.ForeignKeyConstraint(["received_from"], ["app_user.id"], name=op.f("fk_sales_batch_received_from")),
        sa.ForeignKeyConstraint(["replaces_id"], ["sales_batch.id"], name=op.f("fk_sales_batch_replaces_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_batch")),
        sa.UniqueConstraint("outlet_id", "batch_id", name=op.f("uq_sales_batch_outlet_id_batch_id")),
    )
    op.create_index(op.f("ix_sales_batch_outlet_id_id"), "sales_batch", ["outlet_id", "id"], unique=False)
    op.create_index(
        "uq_sales_batch_place", "sales_batch", ["device_id", "sequence"], unique=True, postgresql_where=sa.text("in_chain")
    )
    op.create_index(
        op.f("ix_sales_batch_device_id_sequence"),
        "sales_batch",
        ["device_id", "sequence"],
        unique=False,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index(
        op.f("ix_sales_batch_status_id"),
        "sales_batch",
        ["status", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('waiting','held')"),
    )
    op.create_index(
        "uq_sales_batch_replaces",
        "sales_batch",
        ["replaces_id"],
        unique=True,
        postgresql_where=sa.text("replaces_id IS NOT NULL AND status <> 'void'"),
    )
    op.create_table(
        "sales_batch_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.String(), nullable=False),
        sa.Column("refunds_line_id", sa.String(), nullable=True),
        sa.Column("receipt_number", sa.String(), nullable=True),
        sa.Column("sold_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sold_on", sa.Date(), nullable=False),
        sa.Column("goods_id", sa.String(), nullable=False),
        sa.Column("goods_name", sa.String(), nullable=False),
        sa.Column("barcode", sa.String(), nullable=True),
        sa.Column("certified", sa.Boolean(), nullable=False),
        sa.Column("supplier_uscc", sa.String(), nullable=True),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("sku_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=True),
        sa.Column("refunded_id", sa.BigInteger(), nullable=True),
        sa.Column("correction_ids", postgresql.ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
        sa.CheckConstraint("status NOT IN ('held','void') OR reason_code IS NOT NULL", name=op.f("ck_sales_batch_line_reason")),
        sa.ForeignKeyConstraint(["refunded_id"], ["sales_batch_line.id"], name=op.f("fk_sales_batch_line_refunded_id")),
        sa.CheckConstraint(
            "status IN ('counted','other','resale','held','waiting','replaced','void')", name=op.f("ck_sales_batch_line_status")
        ),
        sa.CheckConstraint(
            "status NOT IN ('counted','resale') OR product_id IS NOT NULL", name=op.f("ck_sales_batch_line_product")
        ),
        sa.CheckConstraint("quantity > 0 AND grams >= 0 AND amount_fen >= 0", name=op.f("ck_sales_batch_line_figures")),
        sa.ForeignKeyConstraint(["batch_id"], ["sales_batch.id"], name=op.f("fk_sales_batch_line_batch_id")),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_sales_batch_line_outlet_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_sales_batch_line_product_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_sales_batch_line_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_batch_line")),
        sa.UniqueConstraint("batch_id", "line_no", name=op.f("uq_sales_batch_line_batch_id_line_no")),
    )
    op.create_index(
        op.f("ix_sales_batch_line_product_id_sold_on"),
        "sales_batch_line",
        ["product_id", "sold_on"],
        unique=False,
        postgresql_where=sa.text("product_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_sales_batch_line_status_id"),
        "sales_batch_line",
        ["status", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('held','waiting')"),
    )
    op.create_index(
        "uq_sales_batch_line_line_id",
        "sales_batch_line",
        ["outlet_id", "line_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('counted','other','resale') AND reason_code IS NULL"),
    )
    op.create_index(
        op.f("ix_sales_batch_line_outlet_id"),
        "sales_batch_line",
        ["outlet_id"],
        unique=False,
        postgresql_where=sa.text("status IN ('waiting','held') AND refunds_line_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_sales_batch_line_refunded_id"),
        "sales_batch_line",
        ["refunded_id"],
        unique=False,
        postgresql_where=sa.text("refunded_id IS NOT NULL"),
    )
    op.add_column("sale_entry", sa.Column("source", sa.String(), server_default="platform", nullable=False))
    op.add_column("sale_entry", sa.Column("counted", sa.Boolean(), server_default="true", nullable=False))
    op.add_column("sale_entry", sa.Column("occurred_on", sa.Date(), nullable=True))
    op.add_column("sale_entry", sa.Column("outlet_id", sa.BigInteger(), nullable=True))
    op.alter_column("sale_entry", "sku_id", existing_type=sa.BIGINT(), nullable=True)
    op.alter_column("sale_entry", "buyer_id", existing_type=sa.BIGINT(), nullable=True)
    op.create_index(
        op.f("ix_sale_entry_outlet_id_sold_on_id"),
        "sale_entry",
        ["outlet_id", "sold_on", "id"],
        unique=False,
        postgresql_where=sa.text("outlet_id IS NOT NULL"),
    )
    op.create_foreign_key(op.f("fk_sale_entry_outlet_id"), "sale_entry", "outlet", ["outlet_id"], ["id"])
    _origins(_NEW_ORIGINS)
    for name, condition in _CHECKS.items():
        op.create_check_constraint(op.f(f"ck_sale_entry_{name}"), "sale_entry", condition)
    _buyers_index([*_BOUGHT[:-1], "counted", _BOUGHT[-1]])
    op.execute(_QUEUE.format(which="WHERE counted"))
    op.execute(_USES)
    op.execute(f"CREATE FUNCTION refuse_closed_month() RETURNS trigger LANGUAGE plpgsql AS $$ {_CLOSING} $$")
    op.execute(f"CREATE FUNCTION close_month() RETURNS trigger LANGUAGE plpgsql AS $$ {_CLOSE} $$")
    op.execute(
        "CREATE TRIGGER refuse_closed_month AFTER INSERT ON sale_entry REFERENCING NEW TABLE AS fresh"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_closed_month()"
    )
    op.execute("CREATE TRIGGER close_month BEFORE INSERT ON closed_month FOR EACH ROW EXECUTE FUNCTION close_month()")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON closed_month"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.add_column("sku", sa.Column("barcode", sa.String(), nullable=True))
    op.add_column("sku", sa.Column("barcode_of", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_sku_barcode_of"), "sku", "organisation", ["barcode_of"], ["id"])
    op.create_check_constraint(op.f("ck_sku_barcode"), "sku", "(barcode IS NULL) = (barcode_of IS NULL)")
    op.create_unique_constraint(op.f("uq_sku_barcode_of_barcode"), "sku", ["barcode_of", "barcode"])


def downgrade() -> None:
    op.drop_constraint(op.f("uq_sku_barcode_of_barcode"), "sku")
    op.drop_constraint(op.f("ck_sku_barcode"), "sku")
    op.drop_column("sku", "barcode_of")
    op.drop_column("sku", "barcode")
    op.execute("DROP TRIGGER refuse_closed_month ON sale_entry")
    op.execute(_QUEUE.format(which=""))
    _buyers_index(_BOUGHT)
    for name in _CHECKS:
        op.drop_constraint(op.f(f"ck_sale_entry_{name}"), "sale_entry")
    _origins("")
    op.drop_constraint(op.f("fk_sale_entry_outlet_id"), "sale_entry", type_="foreignkey")
    op.drop_index(
        op.f("ix_sale_entry_outlet_id_sold_on_id"), table_name="sale_entry", postgresql_where=sa.text("outlet_id IS NOT NULL")
    )
    op.alter_column("sale_entry", "buyer_id", existing_type=sa.BIGINT(), nullable=False)
    op.alter_column("sale_entry", "sku_id", existing_type=sa.BIGINT(), nullable=False)
    op.drop_column("sale_entry", "outlet_id")
    op.drop_column("sale_entry", "occurred_on")
    op.drop_column("sale_entry", "counted")
    op.drop_column("sale_entry", "source")
    op.drop_index(
        op.f("ix_sales_batch_line_refunded_id"),
        table_name="sales_batch_line",
        postgresql_where=sa.text("refunded_id IS NOT NULL"),
    )
    op.drop_index(
        op.f("ix_sales_batch_line_outlet_id"),
        table_name="sales_batch_line",
        postgresql_where=sa.text("status IN ('waiting','held') AND refunds_line_id IS NOT NULL"),
    )
    op.drop_index(
        "uq_sales_batch_line_line_id",
        table_name="sales_batch_line",
        postgresql_where=sa.text("status IN ('counted','other','resale') AND reason_code IS NULL"),
    )
    op.drop_index(
        op.f("ix_sales_batch_line_status_id"),
        table_name="sales_batch_line",
        postgresql_where=sa.text("status IN ('held','waiting')"),
    )
    op.drop_index(
        op.f("ix_sales_batch_line_product_id_sold_on"),
        table_name="sales_batch_line",
        postgresql_where=sa.text("product_id IS NOT NULL"),
    )
    op.drop_table("sales_batch_line")
    op.drop_index(
        "uq_sales_batch_replaces",
        table_name="sales_batch",
        postgresql_where=sa.text("replaces_id IS NOT NULL AND status <> 'void'"),
    )
    op.drop_index(
        op.f("ix_sales_batch_status_id"), table_name="sales_batch", postgresql_where=sa.text("status IN ('waiting','held')")
    )
    op.drop_index(
        op.f("ix_sales_batch_device_id_sequence"), table_name="sales_batch", postgresql_where=sa.text("status = 'waiting'")
    )
    op.drop_index("uq_sales_batch_place", table_name="sales_batch", postgresql_where=sa.text("in_chain"))
    op.drop_index(op.f("ix_sales_batch_outlet_id_id"), table_name="sales_batch")
    op.drop_table("sales_batch")
    op.drop_table("outlet_stock")
    op.drop_table("outlet_pulse")
    op.drop_table("outlet_plan_line")
    op.drop_index(op.f("ix_outlet_goods_product_id"), table_name="outlet_goods", postgresql_where=sa.text("product_id IS NOT NULL"))
    op.drop_index(op.f("ix_outlet_goods_barcode"), table_name="outlet_goods", postgresql_where=sa.text("barcode IS NOT NULL"))
    op.drop_table("outlet_goods")
    op.drop_table("outlet_device")
    op.drop_index(op.f("ix_outlet_day_day_outlet_id"), table_name="outlet_day")
    op.drop_table("outlet_day")
    op.drop_index(op.f("ix_external_sale_line_product_id_amount_fen"), table_name="external_sale_line")
    op.drop_table("external_sale_line")
    op.drop_index(op.f("ix_external_sale_document_sale_id"), table_name="external_sale_document")
    op.drop_table("external_sale_document")
    op.drop_table("book_parting")
    op.drop_index("uq_book_match_seller", table_name="book_match")
    op.drop_table("book_match")
    op.drop_index(op.f("ix_outlet_status_id"), table_name="outlet")
    op.drop_index(op.f("ix_outlet_region_code_status_id"), table_name="outlet")
    op.drop_index(op.f("ix_outlet_operator_id_id"), table_name="outlet")
    op.drop_table("outlet")
    op.drop_index(op.f("ix_external_sale_supplier_id_sold_on_id"), table_name="external_sale")
    op.drop_index(
        op.f("ix_external_sale_status_id"), table_name="external_sale", postgresql_where=sa.text("status IN ('submitted','held')")
    )
    op.drop_index(op.f("ix_external_sale_claimant_id_id"), table_name="external_sale")
    op.drop_index(
        op.f("ix_external_sale_buyer_id_sold_on_id"), table_name="external_sale", postgresql_where=sa.text("buyer_id IS NOT NULL")
    )
    op.drop_table("external_sale")
    op.drop_index("uq_counting_hold_open", table_name="counting_hold", postgresql_where=sa.text("status = 'open'"))
    op.drop_index(op.f("ix_counting_hold_status_id"), table_name="counting_hold")
    op.drop_index(
        op.f("ix_counting_hold_other_kind_other_id"), table_name="counting_hold", postgresql_where=sa.text("other_id IS NOT NULL")
    )
    op.drop_index(op.f("ix_counting_hold_district_code_status_id"), table_name="counting_hold")
    op.drop_table("counting_hold")
    op.drop_table("closed_month")
    op.execute("DROP FUNCTION refuse_closed_month()")
    op.execute("DROP FUNCTION close_month()")
    op.drop_index(op.f("ix_document_use_subject_kind_subject_id"), table_name="document_use")
    op.drop_table("document_use")
