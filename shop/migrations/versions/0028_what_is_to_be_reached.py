"""Figures reported from outside, poor villages and their stations, linked campaigns, targets, and sales from district to region."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

#: From where to where: what the ledger counts already and does not wait.
_FILL = """
    INSERT INTO sales_region_month (month, direction, district_code, buyer_region_code, kind, amount_fen, gross_fen, grams, quantity, entries)
    SELECT month, direction, district_code, buyer_region_code, kind, sum(amount_fen),
           sum(CASE WHEN origin_kind IN ('acceptance_line','history','outlet_line','external_line') THEN amount_fen ELSE 0 END), sum(grams),
           sum(quantity), count(*)
    FROM sale_entry e WHERE counted AND NOT EXISTS (SELECT FROM sale_entry_pending p WHERE p.entry_id = e.id)
    GROUP BY month, direction, district_code, buyer_region_code, kind
"""
# Of a revision only the decision is added, and only once.
_DECIDED_ONCE = """
    CREATE FUNCTION refuse_revision_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.decision IS NULL
           AND (to_jsonb(OLD) - '{decision,decision_reason,decided_by,decided_at}'::text[])
             = (to_jsonb(NEW) - '{decision,decision_reason,decided_by,decided_at}'::text[]) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "sales_region_month",
        sa.Column("district_code", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("gross_fen", sa.BigInteger(), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=20, scale=3), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("buyer_region_code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint(
            "month", "direction", "district_code", "buyer_region_code", "kind", name=op.f("pk_sales_region_month")
        ),
    )
    op.create_table(
        "poor_village",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("township_code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("name <> '' AND strpos(name, '/') = 0", name=op.f("ck_poor_village_name")),
        sa.CheckConstraint("valid_from < valid_to", name=op.f("ck_poor_village_period")),
        sa.ForeignKeyConstraint(["township_code"], ["region.code"], name=op.f("fk_poor_village_township_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poor_village")),
        sa.UniqueConstraint("township_code", "name", name=op.f("uq_poor_village_township_code_name")),
    )
    op.create_table(
        "reported_value",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("indicator", sa.String(), nullable=False),
        sa.Column("region_code", sa.String(), nullable=False),
        sa.Column("grain", sa.String(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(), server_default="reported", nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("accepted_number", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("grain IN ('month','quarter','year')", name=op.f("ck_reported_value_grain")),
        sa.CheckConstraint(
            "status <> 'accepted' OR accepted_number IS NOT DISTINCT FROM number", name=op.f("ck_reported_value_accepted")
        ),
        sa.CheckConstraint("status IN ('reported','accepted','returned')", name=op.f("ck_reported_value_status")),
        sa.CheckConstraint("accepted_number <= number", name=op.f("ck_reported_value_accepted_number")),
        sa.CheckConstraint("first_on <= last_on", name=op.f("ck_reported_value_period")),
        sa.CheckConstraint("number > 0", name=op.f("ck_reported_value_number")),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_reported_value_region_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reported_value")),
        sa.UniqueConstraint(
            "indicator", "region_code", "grain", "first_on", name=op.f("uq_reported_value_indicator_region_code_grain_first_on")
        ),
    )
    op.create_index(
        op.f("ix_reported_value_indicator_grain_first_on"), "reported_value", ["indicator", "grain", "first_on"], unique=False
    )
    op.create_index(op.f("ix_reported_value_region_code_id"), "reported_value", ["region_code", "id"], unique=False)
    op.create_table(
        "target",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("programme_code", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("region_code", sa.String(), nullable=False),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("designation", sa.String(), nullable=True),
        sa.Column("indicator", sa.String(), nullable=True),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), server_default="1", nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdraw_reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(measure = 'indicator_growth') = (indicator IS NOT NULL)", name=op.f("ck_target_indicator")),
        sa.CheckConstraint("channel IS NULL OR measure IN ('amount','tonnes','sales_growth')", name=op.f("ck_target_channel")),
        sa.CheckConstraint(
            "measure IN ('amount','tonnes','lane_tonnes','sales_growth','cabinets','coverage','reserved_share','indicator_growth')",
            name=op.f("ck_target_measure"),
        ),
        sa.CheckConstraint("origin IN ('programme','officer')", name=op.f("ck_target_origin")),
        sa.CheckConstraint("unit IN ('yuan','tonnes','percent','count')", name=op.f("ck_target_unit")),
        sa.CheckConstraint("(withdrawn_at IS NULL) = (withdraw_reason IS NULL)", name=op.f("ck_target_withdrawn")),
        sa.CheckConstraint("first_on <= due_on", name=op.f("ck_target_period")),
        sa.CheckConstraint("number > 0", name=op.f("ck_target_number")),
        sa.ForeignKeyConstraint(["programme_code"], ["programme.code"], name=op.f("fk_target_programme_code")),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_target_region_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_target")),
        sa.UniqueConstraint("programme_code", "code", "region_code", name=op.f("uq_target_programme_code_code_region_code")),
    )
    op.create_index(op.f("ix_target_region_code_id"), "target", ["region_code", "id"], unique=False)
    op.create_table(
        "promotion",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("region_code", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("online_place", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="draft", nullable=False),
        sa.Column("reason", sa.String(), nullable=True, comment="why it was ended early or cancelled"),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status IN ('ended','cancelled')) = (reason IS NOT NULL)", name=op.f("ck_promotion_reason")),
        sa.CheckConstraint("status <> 'published' OR published_at IS NOT NULL", name=op.f("ck_promotion_published")),
        sa.CheckConstraint("status IN ('draft','published','ended','cancelled')", name=op.f("ck_promotion_status")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_promotion_period")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_promotion_created_by")),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_promotion_region_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion")),
    )
    op.create_index(op.f("ix_promotion_region_code_id"), "promotion", ["region_code", "id"], unique=False)
    op.create_table(
        "reported_value_revision",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("reported_value_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("value", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("base_value", sa.Numeric(precision=20, scale=4), nullable=True),
        sa.Column("base_method", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("reported_by", sa.BigInteger(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("decision IN ('accepted','returned')", name=op.f("ck_reported_value_revision_decision")),
        sa.CheckConstraint("(base_value IS NULL) = (base_method IS NULL)", name=op.f("ck_reported_value_revision_base")),
        sa.CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_reported_value_revision_decided")),
        sa.CheckConstraint("decided_by <> reported_by", name=op.f("ck_reported_value_revision_second_person")),
        sa.CheckConstraint("number = 1 OR reason IS NOT NULL", name=op.f("ck_reported_value_revision_reason")),
        sa.CheckConstraint("number > 0", name=op.f("ck_reported_value_revision_number")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_reported_value_revision_decided_by")),
        sa.ForeignKeyConstraint(["reported_by"], ["app_user.id"], name=op.f("fk_reported_value_revision_reported_by")),
        sa.ForeignKeyConstraint(
            ["reported_value_id"], ["reported_value.id"], name=op.f("fk_reported_value_revision_reported_value_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reported_value_revision")),
        sa.UniqueConstraint("reported_value_id", "number", name=op.f("uq_reported_value_revision_reported_value_id_number")),
    )
    op.create_table(
        "service_station",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("region_code", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("close_reason", sa.String(), nullable=True),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("evidence_file_id", sa.BigInteger(), nullable=True),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "kind IN ('county_centre','town_station','village_station','logistics_point')", name=op.f("ck_service_station_kind")
        ),
        sa.CheckConstraint("(closed_on IS NULL) = (close_reason IS NULL)", name=op.f("ck_service_station_closed")),
        sa.CheckConstraint("opened_on <= closed_on", name=op.f("ck_service_station_period")),
        sa.ForeignKeyConstraint(["evidence_file_id"], ["stored_file.id"], name=op.f("fk_service_station_evidence_file_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["app_user.id"], name=op.f("fk_service_station_recorded_by")),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_service_station_region_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_station")),
        sa.UniqueConstraint("region_code", "name", name=op.f("uq_service_station_region_code_name")),
    )
    op.create_index(op.f("ix_service_station_region_code_id"), "service_station", ["region_code", "id"], unique=False)
    op.create_table(
        "target_revision",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("value", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_target_revision_number")),
        sa.CheckConstraint("value > 0", name=op.f("ck_target_revision_value")),
        sa.ForeignKeyConstraint(["set_by"], ["app_user.id"], name=op.f("fk_target_revision_set_by")),
        sa.ForeignKeyConstraint(["target_id"], ["target.id"], name=op.f("fk_target_revision_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_target_revision")),
        sa.UniqueConstraint("target_id", "number", name=op.f("uq_target_revision_target_id_number")),
    )
    op.create_table(
        "promotion_line",
        sa.Column("promotion_id", sa.BigInteger(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("online_fen", sa.BigInteger(), nullable=False),
        sa.Column("offline_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("online_fen > 0 AND offline_fen > 0", name=op.f("ck_promotion_line_prices")),
        sa.ForeignKeyConstraint(["promotion_id"], ["promotion.id"], name=op.f("fk_promotion_line_promotion_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_promotion_line_sku_id")),
        sa.PrimaryKeyConstraint("promotion_id", "sku_id", name=op.f("pk_promotion_line")),
    )
    op.create_index(op.f("ix_promotion_line_sku_id"), "promotion_line", ["sku_id"], unique=False)
    op.create_table(
        "promotion_outlet",
        sa.Column("promotion_id", sa.BigInteger(), nullable=False),
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_promotion_outlet_outlet_id")),
        sa.ForeignKeyConstraint(["promotion_id"], ["promotion.id"], name=op.f("fk_promotion_outlet_promotion_id")),
        sa.PrimaryKeyConstraint("promotion_id", "outlet_id", name=op.f("pk_promotion_outlet")),
    )
    op.create_index(op.f("ix_promotion_outlet_outlet_id"), "promotion_outlet", ["outlet_id"], unique=False)
    op.create_table(
        "station_village",
        sa.Column("station_id", sa.BigInteger(), nullable=False),
        sa.Column("village_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("valid_from < valid_to", name=op.f("ck_station_village_period")),
        sa.ForeignKeyConstraint(["station_id"], ["service_station.id"], name=op.f("fk_station_village_station_id")),
        sa.ForeignKeyConstraint(["village_id"], ["poor_village.id"], name=op.f("fk_station_village_village_id")),
        sa.PrimaryKeyConstraint("station_id", "village_id", "valid_from", name=op.f("pk_station_village")),
    )
    op.create_index(op.f("ix_station_village_village_id"), "station_village", ["village_id"], unique=False)
    op.create_index(
        "uq_station_village_open",
        "station_village",
        ["station_id", "village_id"],
        unique=True,
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.execute(_FILL)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON target_revision"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(_DECIDED_ONCE)
    op.execute(
        "CREATE TRIGGER decided_once BEFORE UPDATE OR DELETE ON reported_value_revision"
        " FOR EACH ROW EXECUTE FUNCTION refuse_revision_change()"
    )


def downgrade() -> None:
    for table in (
        "station_village",
        "promotion_outlet",
        "promotion_line",
        "target_revision",
        "service_station",
        "reported_value_revision",
        "promotion",
        "target",
        "reported_value",
        "poor_village",
        "sales_region_month",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_revision_change()")
