"""Monthly reports of units and counties, months as counties and the city close them, and bulletins with their revisions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

#: Rows that are only ever added.
_APPEND_ONLY = ("month_close", "close_explanation", "figure_explanation", "bulletin_file", "report_step")
# Of what was published nothing changes but that a revision has superseded it.
_FROZEN = """
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.status = 'published' AND NEW.status = 'superseded'
           AND to_jsonb(NEW) - ARRAY['status', 'version'] = to_jsonb(OLD) - ARRAY['status', 'version'] THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'a published bulletin is never changed' USING ERRCODE = 'restrict_violation';
    END
"""
_FROZEN_LINES = """
    BEGIN
        IF EXISTS (SELECT FROM bulletin WHERE id IN (OLD.bulletin_id, NEW.bulletin_id) AND status <> 'draft') THEN
            RAISE EXCEPTION 'the lines of a published revision are never changed' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END
"""


def upgrade() -> None:
    op.create_table(
        "bulletin",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("edition", sa.Integer(), server_default="0", nullable=False),
        sa.Column("status", sa.String(), server_default="draft", nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("drafted_by", sa.BigInteger(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.BigInteger(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status <> 'draft' OR edition > 0) = (number IS NOT NULL)", name=op.f("ck_bulletin_number")),
        sa.CheckConstraint("(status = 'draft') = (published_at IS NULL)", name=op.f("ck_bulletin_published")),
        sa.CheckConstraint("month = date_trunc('month', month::timestamp)::date", name=op.f("ck_bulletin_month")),
        sa.CheckConstraint("status IN ('draft','published','superseded')", name=op.f("ck_bulletin_status")),
        sa.CheckConstraint("(edition > 0) = (reason IS NOT NULL)", name=op.f("ck_bulletin_reason")),
        sa.CheckConstraint("drafted_by <> published_by", name=op.f("ck_bulletin_two_persons")),
        sa.CheckConstraint("edition >= 0", name=op.f("ck_bulletin_edition")),
        sa.ForeignKeyConstraint(["drafted_by"], ["app_user.id"], name=op.f("fk_bulletin_drafted_by")),
        sa.ForeignKeyConstraint(["published_by"], ["app_user.id"], name=op.f("fk_bulletin_published_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulletin")),
        sa.UniqueConstraint("month", "edition", name=op.f("uq_bulletin_month_edition")),
        sa.UniqueConstraint("year", "number", "edition", name=op.f("uq_bulletin_year_number_edition")),
    )
    op.create_index("uq_bulletin_draft", "bulletin", ["month"], unique=True, postgresql_where=sa.text("status = 'draft'"))
    op.create_index("uq_bulletin_in_force", "bulletin", ["month"], unique=True, postgresql_where=sa.text("status = 'published'"))
    op.create_table(
        "close_explanation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("region_code", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("open_count", sa.Integer(), nullable=False),
        sa.Column("explanation", sa.String(), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("explanation <> ''", name=op.f("ck_close_explanation_explanation")),
        sa.CheckConstraint("month = date_trunc('month', month::timestamp)::date", name=op.f("ck_close_explanation_month")),
        sa.CheckConstraint("open_count > 0", name=op.f("ck_close_explanation_open_count")),
        sa.ForeignKeyConstraint(["by"], ["app_user.id"], name=op.f("fk_close_explanation_by")),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_close_explanation_region_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_close_explanation")),
    )
    op.create_index(
        op.f("ix_close_explanation_month_region_code_id"), "close_explanation", ["month", "region_code", "id"], unique=False
    )
    op.create_table(
        "figure_explanation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("district_code", sa.String(), nullable=False),
        sa.Column("explanation", sa.String(), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("explanation <> ''", name=op.f("ck_figure_explanation_explanation")),
        sa.CheckConstraint("month = date_trunc('month', month::timestamp)::date", name=op.f("ck_figure_explanation_month")),
        sa.ForeignKeyConstraint(["by"], ["app_user.id"], name=op.f("fk_figure_explanation_by")),
        sa.ForeignKeyConstraint(["district_code"], ["region.code"], name=op.f("fk_figure_explanation_district_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_explanation")),
    )
    op.create_index(
        op.f("ix_figure_explanation_month_district_code_id"), "figure_explanation", ["month", "district_code", "id"], unique=False
    )
    op.create_table(
        "month_close",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("region_code", sa.String(), nullable=False),
        sa.Column("closed_by", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lacking", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint("month = date_trunc('month', month::timestamp)::date", name=op.f("ck_month_close_month")),
        sa.CheckConstraint("(cardinality(lacking) = 0) = (reason IS NULL)", name=op.f("ck_month_close_reason")),
        sa.ForeignKeyConstraint(["closed_by"], ["app_user.id"], name=op.f("fk_month_close_closed_by")),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_month_close_region_code")),
        sa.PrimaryKeyConstraint("month", "region_code", name=op.f("pk_month_close")),
    )
    op.create_table(
        "report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("form_code", sa.String(), nullable=False),
        sa.Column("form_version", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("region_code", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="draft", nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("filled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.BigInteger(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True, comment="why it was returned"),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("month = date_trunc('month', month::timestamp)::date", name=op.f("ck_report_month")),
        sa.CheckConstraint("status <> 'returned' OR reason IS NOT NULL", name=op.f("ck_report_reason")),
        sa.CheckConstraint("status IN ('draft','submitted','returned','accepted')", name=op.f("ck_report_status")),
        sa.CheckConstraint("status NOT IN ('returned','accepted') OR decided_at IS NOT NULL", name=op.f("ck_report_decided")),
        sa.CheckConstraint("decided_by <> submitted_by", name=op.f("ck_report_two_persons")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_report_created_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_report_decided_by")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_report_organisation_id")),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_report_region_code")),
        sa.ForeignKeyConstraint(["submitted_by"], ["app_user.id"], name=op.f("fk_report_submitted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
    )
    op.create_index(op.f("ix_report_month_region_code_id"), "report", ["month", "region_code", "id"], unique=False)
    op.create_index(
        "uq_report_county",
        "report",
        ["region_code", "month", "form_code"],
        unique=True,
        postgresql_where=sa.text("organisation_id IS NULL"),
    )
    op.create_index(
        "uq_report_unit",
        "report",
        ["organisation_id", "month", "form_code"],
        unique=True,
        postgresql_where=sa.text("organisation_id IS NOT NULL"),
    )
    op.create_table(
        "bulletin_file",
        sa.Column("bulletin_id", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.CheckConstraint("format IN ('html','pdf','xlsx')", name=op.f("ck_bulletin_file_format")),
        sa.ForeignKeyConstraint(["bulletin_id"], ["bulletin.id"], name=op.f("fk_bulletin_file_bulletin_id")),
        sa.PrimaryKeyConstraint("bulletin_id", "format", name=op.f("pk_bulletin_file")),
    )
    op.create_table(
        "report_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("report_id", sa.BigInteger(), nullable=False),
        sa.Column("move", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("(move = 'return') = (reason IS NOT NULL)", name=op.f("ck_report_step_reason")),
        sa.CheckConstraint("move IN ('submit','accept','return')", name=op.f("ck_report_step_move")),
        sa.ForeignKeyConstraint(["by"], ["app_user.id"], name=op.f("fk_report_step_by")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_report_step_report_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_step")),
    )
    op.create_index(op.f("ix_report_step_report_id_id"), "report_step", ["report_id", "id"], unique=False)
    op.create_table(
        "report_value",
        sa.Column("report_id", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("ledger", sa.BigInteger(), nullable=True),
        sa.Column("own", sa.BigInteger(), nullable=True),
        sa.Column("explanation", sa.String(), nullable=True),
        sa.CheckConstraint("explanation <> ''", name=op.f("ck_report_value_explanation")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_report_value_report_id")),
        sa.PrimaryKeyConstraint("report_id", "field", name=op.f("pk_report_value")),
    )
    op.create_table(
        "bulletin_change",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("bulletin_id", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("district_code", sa.String(), nullable=False),
        sa.Column("township_code", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("certified_fen", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('late','reversal','again','revoked','verified')", name=op.f("ck_bulletin_change_kind")),
        sa.ForeignKeyConstraint(["bulletin_id"], ["bulletin.id"], name=op.f("fk_bulletin_change_bulletin_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["sale_entry.id"], name=op.f("fk_bulletin_change_entry_id")),
        sa.PrimaryKeyConstraint("month", "kind", "entry_id", name=op.f("pk_bulletin_change")),
    )
    op.create_index(
        op.f("ix_bulletin_change_bulletin_id_kind_entry_id"), "bulletin_change", ["bulletin_id", "kind", "entry_id"], unique=False
    )
    op.create_index(
        op.f("ix_sale_entry_occurred_on_id"),
        "sale_entry",
        ["occurred_on", "id"],
        unique=False,
        postgresql_where=sa.text("occurred_on IS NOT NULL"),
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for table, body, name, which in (
        ("bulletin", _FROZEN, "keep_bulletin", "UPDATE OR DELETE"),
        ("bulletin_change", _FROZEN_LINES, "keep_bulletin_change", "INSERT OR UPDATE OR DELETE"),
    ):
        condition = " WHEN (OLD.status <> 'draft')" if table == "bulletin" else ""
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
        op.execute(f"CREATE TRIGGER frozen BEFORE {which} ON {table} FOR EACH ROW{condition} EXECUTE FUNCTION {name}()")
        op.execute(f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    op.drop_index(
        op.f("ix_sale_entry_occurred_on_id"), table_name="sale_entry", postgresql_where=sa.text("occurred_on IS NOT NULL")
    )
    op.drop_index(op.f("ix_bulletin_change_bulletin_id_kind_entry_id"), table_name="bulletin_change")
    op.drop_table("bulletin_change")
    op.drop_table("report_value")
    op.drop_index(op.f("ix_report_step_report_id_id"), table_name="report_step")
    op.drop_table("report_step")
    op.drop_table("bulletin_file")
    op.drop_index("uq_report_unit", table_name="report", postgresql_where=sa.text("organisation_id IS NOT NULL"))
    op.drop_index("uq_report_county", table_name="report", postgresql_where=sa.text("organisation_id IS NULL"))
    op.drop_index(op.f("ix_report_month_region_code_id"), table_name="report")
    op.drop_table("report")
    op.drop_table("month_close")
    op.drop_index(op.f("ix_figure_explanation_month_district_code_id"), table_name="figure_explanation")
    op.drop_table("figure_explanation")
    op.drop_index(op.f("ix_close_explanation_month_region_code_id"), table_name="close_explanation")
    op.drop_table("close_explanation")
    op.drop_index("uq_bulletin_in_force", table_name="bulletin", postgresql_where=sa.text("status = 'published'"))
    op.drop_index("uq_bulletin_draft", table_name="bulletin", postgresql_where=sa.text("status = 'draft'"))
    op.drop_table("bulletin")
    op.execute("DROP FUNCTION keep_bulletin_change()")
    op.execute("DROP FUNCTION keep_bulletin()")
