"""Certification in full: configured steps, objections, households, supervision, batches."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blacklist_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifting_reason", sa.String(), nullable=True),
        sa.CheckConstraint("from_on <= until_on", name=op.f("ck_blacklist_entry_period")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_blacklist_entry_decided_by")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_blacklist_entry_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blacklist_entry")),
    )
    op.create_index(
        op.f("ix_blacklist_entry_organisation_id_until_on"), "blacklist_entry", ["organisation_id", "until_on"], unique=False
    )
    op.create_table(
        "catalogue_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True, comment="why it was withdrawn"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status = 'draft') = (number IS NULL)", name=op.f("ck_catalogue_batch_number")),
        sa.CheckConstraint("level IN ('national','city')", name=op.f("ck_catalogue_batch_level")),
        sa.CheckConstraint("status IN ('draft','published','withdrawn')", name=op.f("ck_catalogue_batch_status")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_catalogue_batch_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_batch")),
        sa.UniqueConstraint("number", name=op.f("uq_catalogue_batch_number")),
    )
    op.create_table(
        "check_plan",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("district_code", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("least_risk", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="what is checked: quality, price, linkage, site, papers"),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("population_sha256", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("drawn_by", sa.BigInteger(), nullable=True),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("size > 0 AND size <= population", name=op.f("ck_check_plan_size")),
        sa.ForeignKeyConstraint(["district_code"], ["region.code"], name=op.f("fk_check_plan_district_code")),
        sa.ForeignKeyConstraint(["drawn_by"], ["app_user.id"], name=op.f("fk_check_plan_drawn_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_plan")),
        sa.UniqueConstraint("number", name=op.f("uq_check_plan_number")),
    )
    op.create_table(
        "certification_opinion",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("opinion", sa.String(), nullable=False),
        sa.Column("documents", postgresql.ARRAY(sa.BIGINT()), server_default="{}", nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("author_role", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("verdict IN ('support','oppose','no_objection')", name=op.f("ck_certification_opinion_verdict")),
        sa.ForeignKeyConstraint(["author_id"], ["app_user.id"], name=op.f("fk_certification_opinion_author_id")),
        sa.ForeignKeyConstraint(["case_id"], ["certification_case.id"], name=op.f("fk_certification_opinion_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certification_opinion")),
    )
    op.create_index(op.f("ix_certification_opinion_case_id_id"), "certification_opinion", ["case_id", "id"], unique=False)
    op.create_table(
        "household_member",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("person_hash", sa.LargeBinary(), nullable=False),
        sa.Column("household_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False, comment="how this person takes part"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "octet_length(person_hash) = 32 AND octet_length(household_hash) = 32", name=op.f("ck_household_member_hashes")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["certification_case.id"], name=op.f("fk_household_member_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_member")),
        sa.UniqueConstraint("case_id", "person_hash", name=op.f("uq_household_member_case_id_person_hash")),
    )
    op.create_index(op.f("ix_household_member_person_hash"), "household_member", ["person_hash"], unique=False)
    op.create_table(
        "objection",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("notice_from", sa.Date(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("sealed_contact", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("investigator_id", sa.BigInteger(), nullable=True),
        sa.Column("findings", sa.String(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status IN ('upheld','dismissed')) = (decided_at IS NOT NULL)", name=op.f("ck_objection_decided")),
        sa.CheckConstraint("decided_at IS NULL OR answer <> ''", name=op.f("ck_objection_answer")),
        sa.CheckConstraint("status IN ('received','investigating','upheld','dismissed')", name=op.f("ck_objection_status")),
        sa.ForeignKeyConstraint(["case_id"], ["certification_case.id"], name=op.f("fk_objection_case_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_objection_decided_by")),
        sa.ForeignKeyConstraint(["investigator_id"], ["app_user.id"], name=op.f("fk_objection_investigator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection")),
        sa.UniqueConstraint("receipt", name=op.f("uq_objection_receipt")),
    )
    op.create_index(op.f("ix_objection_case_id"), "objection", ["case_id"], unique=False)
    op.create_index(op.f("ix_objection_status_due_on"), "objection", ["status", "due_on"], unique=False)
    op.create_table(
        "capacity_flag",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("capacity_grams", sa.BigInteger(), nullable=False),
        sa.Column("committed_grams", sa.BigInteger(), nullable=False),
        sa.Column("flagged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("explanation", sa.String(), nullable=True),
        sa.Column("explained_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cleared_by", sa.BigInteger(), nullable=True),
        sa.Column("clearing_reason", sa.String(), nullable=True),
        sa.Column("cleared_grams", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("month BETWEEN 0 AND 12", name=op.f("ck_capacity_flag_month")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_capacity_flag_certificate_id")),
        sa.ForeignKeyConstraint(["cleared_by"], ["app_user.id"], name=op.f("fk_capacity_flag_cleared_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capacity_flag")),
        sa.UniqueConstraint("certificate_id", "year", "month", name=op.f("uq_capacity_flag_certificate_id_year_month")),
    )
    op.create_table(
        "certificate_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason_code", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_role", sa.String(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('issued','warned','suspended','suspension_changed','reinstated','held','released','revocation_opened','revocation_stated','revocation_dropped','revoked','changed','papers_renewed','renewed')",
            name=op.f("ck_certificate_event_kind"),
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_certificate_event_actor_id")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_certificate_event_certificate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_event")),
    )
    op.create_index(op.f("ix_certificate_event_certificate_id_id"), "certificate_event", ["certificate_id", "id"], unique=False)
    op.create_table(
        "complaint",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("sealed_contact", sa.LargeBinary(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("statement_due_on", sa.Date(), nullable=False),
        sa.Column("decision_due_on", sa.Date(), nullable=False),
        sa.Column("statement", sa.String(), nullable=True),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status IN ('upheld','dismissed')) = (decided_at IS NOT NULL)", name=op.f("ck_complaint_decided")),
        sa.CheckConstraint("kind IN ('quality','price','origin','delivery','linkage','other')", name=op.f("ck_complaint_kind")),
        sa.CheckConstraint("status IN ('received','stated','upheld','dismissed','withdrawn')", name=op.f("ck_complaint_status")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_complaint_certificate_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_complaint_decided_by")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_complaint_organisation_id")),
        sa.ForeignKeyConstraint(["supplier_id"], ["organisation.id"], name=op.f("fk_complaint_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
        sa.UniqueConstraint("receipt", name=op.f("uq_complaint_receipt")),
    )
    op.create_index(op.f("ix_complaint_certificate_id_id"), "complaint", ["certificate_id", "id"], unique=False)
    op.create_index(op.f("ix_complaint_status_decision_due_on"), "complaint", ["status", "decision_due_on"], unique=False)
    op.create_index(op.f("ix_complaint_supplier_id_id"), "complaint", ["supplier_id", "id"], unique=False)
    op.create_table(
        "inspection",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=True),
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("opened_by", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("findings", sa.String(), nullable=True),
        sa.Column("measured", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("done_by", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("kind IN ('quality','price','linkage','site','papers')", name=op.f("ck_inspection_kind")),
        sa.CheckConstraint("status IN ('open','passed','failed','cancelled')", name=op.f("ck_inspection_status")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_inspection_certificate_id")),
        sa.ForeignKeyConstraint(["done_by"], ["app_user.id"], name=op.f("fk_inspection_done_by")),
        sa.ForeignKeyConstraint(["opened_by"], ["app_user.id"], name=op.f("fk_inspection_opened_by")),
        sa.ForeignKeyConstraint(["plan_id"], ["check_plan.id"], name=op.f("fk_inspection_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection")),
        sa.UniqueConstraint("plan_id", "certificate_id", name=op.f("uq_inspection_plan_id_certificate_id")),
    )
    op.create_index(op.f("ix_inspection_certificate_id_id"), "inspection", ["certificate_id", "id"], unique=False)
    op.create_index(op.f("ix_inspection_status_due_on"), "inspection", ["status", "due_on"], unique=False)
    op.create_table(
        "objection_file",
        sa.Column("objection_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_objection_file_file_id")),
        sa.ForeignKeyConstraint(["objection_id"], ["objection.id"], name=op.f("fk_objection_file_objection_id")),
        sa.PrimaryKeyConstraint("objection_id", "file_id", name=op.f("pk_objection_file")),
    )
    op.create_table(
        "price_check",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("found_fen", sa.BigInteger(), nullable=False),
        sa.Column("found_grams", sa.BigInteger(), nullable=True),
        sa.Column("own_fen", sa.BigInteger(), nullable=False),
        sa.Column("own_grams", sa.BigInteger(), nullable=True),
        sa.Column("above_bp", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.Column("recorded_by", sa.BigInteger(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("found_fen > 0 AND own_fen > 0", name=op.f("ck_price_check_prices")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_price_check_certificate_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_price_check_file_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["app_user.id"], name=op.f("fk_price_check_recorded_by")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_price_check_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_check")),
    )
    op.create_index(op.f("ix_price_check_certificate_id_id"), "price_check", ["certificate_id", "id"], unique=False)
    op.create_table(
        "revocation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("opened_by", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("statement_due_on", sa.Date(), nullable=False),
        sa.Column("statement", sa.String(), nullable=True),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=True),
        sa.CheckConstraint("status IN ('open','revoked','dropped')", name=op.f("ck_revocation_status")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_revocation_certificate_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_revocation_decided_by")),
        sa.ForeignKeyConstraint(["opened_by"], ["app_user.id"], name=op.f("fk_revocation_opened_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocation")),
    )
    op.create_index(op.f("ix_revocation_certificate_id"), "revocation", ["certificate_id"], unique=False)
    op.create_index("uq_revocation_open", "revocation", ["certificate_id"], unique=True, postgresql_where="status = 'open'")
    op.create_table(
        "complaint_file",
        sa.Column("complaint_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=op.f("fk_complaint_file_complaint_id")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_complaint_file_file_id")),
        sa.PrimaryKeyConstraint("complaint_id", "file_id", name=op.f("pk_complaint_file")),
    )
    op.create_table(
        "inspection_file",
        sa.Column("inspection_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["stored_file.id"], name=op.f("fk_inspection_file_file_id")),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name=op.f("fk_inspection_file_inspection_id")),
        sa.PrimaryKeyConstraint("inspection_id", "file_id", name=op.f("pk_inspection_file")),
    )
    op.add_column("certificate", sa.Column("batch_id", sa.BigInteger(), nullable=True))
    op.add_column("certificate", sa.Column("renews_id", sa.BigInteger(), nullable=True))
    op.add_column("certificate", sa.Column("township_code", sa.String(), nullable=True))
    op.add_column("certificate", sa.Column("village", sa.String(), nullable=True))
    op.add_column("certificate", sa.Column("producer", sa.String(), server_default="", nullable=False))
    op.add_column("certificate", sa.Column("grade", sa.String(), server_default="", nullable=False))
    op.add_column("certificate", sa.Column("specification", sa.String(), server_default="", nullable=False))
    op.add_column("certificate", sa.Column("monthly_capacity_kg", postgresql.ARRAY(sa.BIGINT()), nullable=True))
    op.add_column("certificate", sa.Column("comparable_price_fen", sa.BigInteger(), nullable=True))
    op.add_column("certificate", sa.Column("comparable_pack_grams", sa.BigInteger(), nullable=True))
    op.add_column("certificate", sa.Column("papers_valid_until", sa.Date(), nullable=True))
    op.add_column("certificate", sa.Column("suspended_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("certificate", sa.Column("held_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("certificate", sa.Column("reason_code", sa.String(), nullable=True))
    op.create_index(op.f("ix_certificate_batch_id"), "certificate", ["batch_id"], unique=False)
    op.create_index(op.f("ix_certificate_district_code_id"), "certificate", ["district_code", "id"], unique=False)
    op.create_foreign_key(op.f("fk_certificate_batch_id"), "certificate", "catalogue_batch", ["batch_id"], ["id"])
    op.create_foreign_key(op.f("fk_certificate_renews_id"), "certificate", "certificate", ["renews_id"], ["id"])
    op.create_foreign_key(op.f("fk_certificate_township_code"), "certificate", "region", ["township_code"], ["code"])
    op.add_column("certification_case", sa.Column("kind", sa.String(), server_default="initial", nullable=False))
    op.add_column("certification_case", sa.Column("township_code", sa.String(), nullable=True))
    op.add_column("certification_case", sa.Column("certificate_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "certification_case", sa.Column("proposed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True)
    )
    op.add_column("certification_case", sa.Column("batch_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "certification_case", sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False)
    )
    op.add_column("certification_case", sa.Column("level", sa.Text(), sa.Computed(_LEVEL, persisted=True), nullable=True))
    op.add_column("certification_case", sa.Column("entered_on", sa.Date(), nullable=True))
    op.add_column("certification_case", sa.Column("due_on", sa.Date(), nullable=True))
    op.add_column("certification_case", sa.Column("remaining_days", sa.Integer(), nullable=True))
    op.add_column("certification_case", sa.Column("sent_back_from", sa.String(), nullable=True))
    op.add_column("certification_case", sa.Column("appealed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("certification_case", sa.Column("claimed_by", sa.BigInteger(), nullable=True))
    op.add_column("certification_case", sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("certification_case", sa.Column("monthly_capacity_kg", postgresql.ARRAY(sa.BIGINT()), nullable=True))
    op.add_column(
        "certification_case",
        sa.Column(
            "linkage_modes", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False, comment="how households take part"
        ),
    )
    op.add_column("certification_case", sa.Column("comparable_pack_grams", sa.BigInteger(), nullable=True))
    op.add_column("certification_case", sa.Column("comparable_price_on", sa.Date(), nullable=True))
    op.add_column(
        "certification_case", sa.Column("corrections", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False)
    )
    op.alter_column(
        "certification_case",
        "linkage",
        existing_type=sa.VARCHAR(),
        comment="how households take part, in words",
        existing_comment="how households take part: employment, purchase, land rent, dividend, …",
        existing_nullable=False,
    )
    op.drop_index(op.f("ix_certification_case_district_code_status_id"), table_name="certification_case")
    op.create_index(op.f("ix_certification_case_batch_id"), "certification_case", ["batch_id"], unique=False)
    op.create_index(
        op.f("ix_certification_case_district_code_status_due_on_id"),
        "certification_case",
        ["district_code", "status", "due_on", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_certification_case_status_notice_until"), "certification_case", ["status", "notice_until"], unique=False
    )
    op.create_index(op.f("ix_certification_case_due_on_id"), "certification_case", ["due_on", "id"], unique=False)
    op.create_foreign_key(op.f("fk_certification_case_batch_id"), "certification_case", "catalogue_batch", ["batch_id"], ["id"])
    op.create_foreign_key("fk_certification_case_certificate_id", "certification_case", "certificate", ["certificate_id"], ["id"])
    op.create_foreign_key(op.f("fk_certification_case_township_code"), "certification_case", "region", ["township_code"], ["code"])
    op.create_foreign_key(op.f("fk_certification_case_claimed_by"), "certification_case", "app_user", ["claimed_by"], ["id"])
    op.add_column("certification_document", sa.Column("side", sa.String(), server_default="supplier", nullable=False))
    op.add_column("certification_document", sa.Column("number", sa.String(), nullable=True))
    op.add_column("certification_document", sa.Column("issuer", sa.String(), nullable=True))
    op.add_column("certification_document", sa.Column("issued_on", sa.Date(), nullable=True))
    op.add_column(
        "certification_document",
        sa.Column("valid_until", sa.Date(), nullable=True, comment="last day of its validity; null: no end"),
    )
    op.add_column("certification_step", sa.Column("level", sa.String(), server_default="county", nullable=False))
    op.add_column("certification_step", sa.Column("documents", postgresql.ARRAY(sa.BIGINT()), server_default="{}", nullable=False))
    op.add_column("certification_step", sa.Column("working_days", sa.Integer(), nullable=True))
    op.add_column("certification_step", sa.Column("late", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("product", sa.Column("producer", sa.String(), server_default="", nullable=False))
    op.add_column("product", sa.Column("grade", sa.String(), server_default="", nullable=False))
    op.add_column("product", sa.Column("specification", sa.String(), server_default="", nullable=False))
    op.add_column("product", sa.Column("ceiling_fen", sa.BigInteger(), nullable=True))
    op.add_column("product", sa.Column("ceiling_grams", sa.BigInteger(), nullable=True))
    _checks_and_rows()


#: The level that has a case before it, by the steps that the case carries.
_LEVEL = """(jsonb_path_query_first(steps, ((('$[*]?(@.step == "'::text || (status)::text) || '").level'::text))::jsonpath) #>> '{}'::text[])"""
_STEPS = """[{"step": "county_review", "level": "county", "working_days": 3, "departments": [], "min_opinions": 0},
 {"step": "public_notice", "level": "county", "working_days": 3, "departments": [], "min_opinions": 0},
 {"step": "city_review", "level": "city", "working_days": 3, "departments": [], "min_opinions": 0},
 {"step": "filing", "level": "city", "working_days": 10, "departments": [], "min_opinions": 0}]"""


def _checks_and_rows() -> None:
    """What the comparison of tables does not see; and the cases on record get the words and the steps of the new course."""
    op.execute("ALTER TABLE certification_case DROP CONSTRAINT ck_certification_case_status")
    op.execute("DROP INDEX uq_certification_case_open")
    op.execute(
        sa.text("UPDATE certification_case SET steps = CAST(:steps AS jsonb) WHERE status <> 'draft'").bindparams(steps=_STEPS)
    )
    op.execute(
        "UPDATE certification_case SET entered_on = (submitted_at AT TIME ZONE 'Asia/Shanghai')::date, sent_back_from = CASE"
        " WHEN status IN ('returned','rejected') THEN 'county_review' END, status = CASE status WHEN 'submitted' THEN 'county_review'"
        " WHEN 'certified' THEN 'approved' ELSE status END"
    )
    op.execute("ALTER TABLE certification_step DISABLE TRIGGER append_only")
    op.execute(
        "UPDATE certification_step SET level = CASE WHEN action IN ('submit','resubmit','withdraw') THEN 'supplier'"
        " WHEN from_status = 'city_review' THEN 'city' ELSE 'county' END,"
        " action = CASE WHEN action = 'take_up' THEN 'claim' WHEN action IN ('publish_notice','close_notice') THEN 'approve'"
        " WHEN action = 'certify' THEN 'publish' ELSE action END,"
        " from_status = CASE from_status WHEN 'submitted' THEN 'county_review' WHEN 'certified' THEN 'approved' ELSE from_status END,"
        " to_status = CASE to_status WHEN 'submitted' THEN 'county_review' WHEN 'certified' THEN 'approved' ELSE to_status END"
    )
    op.execute("ALTER TABLE certification_step ENABLE TRIGGER append_only")
    op.execute("ALTER TABLE certification_step ALTER COLUMN level DROP DEFAULT")
    op.execute(
        "UPDATE certificate c SET township_code = p.township_code, village = p.village FROM product p WHERE p.id = c.product_id"
    )
    op.execute("UPDATE certification_case c SET township_code = p.township_code FROM product p WHERE p.id = c.product_id")
    for table, name, condition in _CHECKS:
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition})")
    op.execute("ALTER TABLE user_role DROP CONSTRAINT ck_user_role_region")
    op.execute(
        "ALTER TABLE user_role ADD CONSTRAINT ck_user_role_region CHECK ((region_code IS NOT NULL) = (role IN"
        " ('township_officer','department_officer','county_officer','city_officer','monitor')))"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_certification_case_open ON certification_case (product_id)"
        " WHERE status NOT IN ('approved','rejected','withdrawn')"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


APPEND_ONLY = ["certificate_event", "certification_opinion"]
_CHECKS = [
    ("certification_case", "kind", "kind IN ('initial','renewal','change','price')"),
    (
        "certification_case",
        "status",
        "status IN ('draft','township_review','county_review','public_notice','city_review','filing','approved','returned','rejected',"
        "'appealed','withdrawn')",
    ),
    ("certification_case", "proposed", "(kind IN ('change','price')) = (proposed IS NOT NULL)"),
    ("certification_case", "certificate", "(kind = 'initial') = (certificate_id IS NULL)"),
    ("certification_case", "months", "monthly_capacity_kg IS NULL OR cardinality(monthly_capacity_kg) = 12"),
    ("certification_document", "side", "side IN ('supplier','officer')"),
    ("certification_document", "validity", "issued_on IS NULL OR valid_until IS NULL OR issued_on <= valid_until"),
    ("certificate", "suspension", "suspended_until IS NULL OR suspended_at < suspended_until"),
]


def downgrade() -> None:
    raise NotImplementedError("the words of the old course cannot be told from the new ones; go back by restoring a backup")
