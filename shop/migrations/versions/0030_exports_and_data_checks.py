"""Exports and their schedules, files that go along with mails, daily checks of the figures."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_KINDS = "kind IN ('sales','entries','orders','dues','payments','certified','ties')"
_FORMATS = "format IN ('csv','xlsx','json','parquet')"
_LANGUAGES = "language IN ('zh','en')"


def upgrade() -> None:
    op.add_column(
        "notification", sa.Column("attachment", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True)
    )
    op.create_table(
        "data_check",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("cells", sa.Integer(), server_default="0", nullable=False),
        sa.Column("differing_cells", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("reconciliation", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("differences", sa.Integer(), nullable=True),
        sa.CheckConstraint("cells >= 0 AND differences >= 0", name=op.f("ck_data_check_counts")),
        sa.CheckConstraint("(finished_at IS NULL) = (differences IS NULL)", name=op.f("ck_data_check_finished")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_data_check")),
    )
    op.create_table(
        "export",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="waiting", nullable=False),
        sa.Column("fault", sa.String(), nullable=True, comment="code of why it failed"),
        sa.Column("rows_total", sa.BigInteger(), nullable=True),
        sa.Column("rows_done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rights", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("storage_key", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snapshot_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(_KINDS, name=op.f("ck_export_kind")),
        sa.CheckConstraint(_FORMATS, name=op.f("ck_export_format")),
        sa.CheckConstraint(_LANGUAGES, name=op.f("ck_export_language")),
        sa.CheckConstraint("status IN ('waiting','running','done','failed','cancelled','expired')", name=op.f("ck_export_status")),
        sa.CheckConstraint("(status = 'failed') = (fault IS NOT NULL)", name=op.f("ck_export_fault")),
        sa.CheckConstraint(
            "status <> 'done' OR num_nulls(storage_key, sha256, size, expires_at, rows_total) = 0", name=op.f("ck_export_done")
        ),
        sa.CheckConstraint("rows_done >= 0 AND rows_total >= 0 AND size >= 0", name=op.f("ck_export_counts")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_export_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
    )
    op.create_index(op.f("ix_export_user_id_id"), "export", ["user_id", "id"], unique=False)
    op.create_index(
        "ix_export_expiring", "export", ["expires_at"], unique=False, postgresql_where=sa.text("storage_key IS NOT NULL")
    )
    op.create_index(
        "ix_export_open", "export", ["user_id"], unique=False, postgresql_where=sa.text("status IN ('waiting','running')")
    )
    op.create_table(
        "export_schedule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("rhythm", sa.String(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=True),
        sa.Column("month_day", sa.Integer(), nullable=True),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="active", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(_KINDS, name=op.f("ck_export_schedule_kind")),
        sa.CheckConstraint(_FORMATS, name=op.f("ck_export_schedule_format")),
        sa.CheckConstraint(_LANGUAGES, name=op.f("ck_export_schedule_language")),
        sa.CheckConstraint("rhythm IN ('daily','weekly','monthly')", name=op.f("ck_export_schedule_rhythm")),
        sa.CheckConstraint("hour BETWEEN 0 AND 23", name=op.f("ck_export_schedule_hour")),
        sa.CheckConstraint(
            "(rhythm = 'weekly') = (weekday IS NOT NULL) AND weekday BETWEEN 1 AND 7", name=op.f("ck_export_schedule_weekday")
        ),
        sa.CheckConstraint(
            "(rhythm = 'monthly') = (month_day IS NOT NULL) AND month_day BETWEEN 1 AND 28",
            name=op.f("ck_export_schedule_month_day"),
        ),
        sa.CheckConstraint("way IN ('email','webhook')", name=op.f("ck_export_schedule_way")),
        sa.CheckConstraint("way <> 'webhook' OR organisation_id IS NOT NULL", name=op.f("ck_export_schedule_webhook")),
        sa.CheckConstraint("status IN ('active','paused','deleted')", name=op.f("ck_export_schedule_status")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_export_schedule_organisation_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_export_schedule_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_schedule")),
    )
    op.create_index(op.f("ix_export_schedule_user_id_id"), "export_schedule", ["user_id", "id"], unique=False)
    op.create_index(
        "ix_export_schedule_due", "export_schedule", ["next_at"], unique=False, postgresql_where=sa.text("status = 'active'")
    )
    op.create_table(
        "export_delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("schedule_id", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("export_id", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["export_id"], ["export.id"], name=op.f("fk_export_delivery_export_id")),
        sa.ForeignKeyConstraint(["schedule_id"], ["export_schedule.id"], name=op.f("fk_export_delivery_schedule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_delivery")),
        sa.UniqueConstraint("export_id", name=op.f("uq_export_delivery_export_id")),
        sa.UniqueConstraint("schedule_id", "due_at", name=op.f("uq_export_delivery_schedule_id_due_at")),
    )


def downgrade() -> None:
    op.drop_table("export_delivery")
    op.drop_table("export_schedule")
    op.drop_table("export")
    op.drop_table("data_check")
    op.drop_column("notification", "attachment")
