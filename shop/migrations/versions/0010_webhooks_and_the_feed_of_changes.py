"""The feed of changes, webhooks, and which system uses a key from where."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "change_feed",
        sa.Column("one", sa.Boolean(), nullable=False),
        sa.Column("last_position", sa.BigInteger(), nullable=False),
        sa.Column("removed_position", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_change_feed_one")),
        sa.CheckConstraint("removed_position <= last_position", name=op.f("ck_change_feed_removed")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_change_feed")),
    )
    # the one row that counts the positions
    op.execute("INSERT INTO change_feed (one, last_position, removed_position) VALUES (true, 0, 0)")
    op.create_table(
        "change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("subject_type", sa.String(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_change_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        sa.UniqueConstraint("event_id", "organisation_id", name=op.f("uq_change_event_id_organisation_id")),
        sa.UniqueConstraint("position", name=op.f("uq_change_position")),
    )
    op.create_index(op.f("ix_change_at"), "change", ["at"])
    op.create_index(op.f("ix_change_organisation_id_position"), "change", ["organisation_id", "position"])
    op.create_index("ix_change_waiting", "change", ["id"], postgresql_where=sa.text("position IS NULL"))
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("types", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("disabled_reason", sa.String(), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("previous_secret", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rest_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("(status = 'disabled') = (disabled_reason IS NOT NULL)", name=op.f("ck_webhook_endpoint_disabled")),
        sa.CheckConstraint("disabled_reason IN ('owner','gone','failing')", name=op.f("ck_webhook_endpoint_disabled_reason")),
        sa.CheckConstraint("status IN ('enabled','disabled','deleted')", name=op.f("ck_webhook_endpoint_status")),
        sa.CheckConstraint("(failures = 0) = (failing_since IS NULL)", name=op.f("ck_webhook_endpoint_failing")),
        sa.CheckConstraint("(previous_secret IS NULL) = (previous_until IS NULL)", name=op.f("ck_webhook_endpoint_previous")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_webhook_endpoint_created_by")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_webhook_endpoint_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
    )
    op.create_index(
        op.f("ix_webhook_endpoint_organisation_id"),
        "webhook_endpoint",
        ["organisation_id"],
        postgresql_where=sa.text("status <> 'deleted'"),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("endpoint_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("change_id", sa.BigInteger(), nullable=True),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("request_headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("body_sha256", sa.String(), nullable=True),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("response_text", sa.String(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.CheckConstraint("(status = 'pending') = (finished_at IS NULL)", name=op.f("ck_webhook_delivery_finished")),
        sa.CheckConstraint("kind IN ('change','replay','ping')", name=op.f("ck_webhook_delivery_kind")),
        sa.CheckConstraint("slot IS NULL OR status = 'pending'", name=op.f("ck_webhook_delivery_slot")),
        sa.CheckConstraint("status IN ('pending','delivered','failed','cancelled')", name=op.f("ck_webhook_delivery_status")),
        sa.ForeignKeyConstraint(["change_id"], ["change.id"], name=op.f("fk_webhook_delivery_change_id")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_webhook_delivery_created_by")),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoint.id"], name=op.f("fk_webhook_delivery_endpoint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
    )
    op.create_index(op.f("ix_webhook_delivery_change_id"), "webhook_delivery", ["change_id"])
    op.create_index(
        "ix_webhook_delivery_due",
        "webhook_delivery",
        ["endpoint_id", "next_attempt_at"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(op.f("ix_webhook_delivery_endpoint_id_id"), "webhook_delivery", ["endpoint_id", "id"])
    op.create_index(
        "uq_webhook_delivery_event",
        "webhook_delivery",
        ["endpoint_id", "event_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'change'"),
    )
    op.create_index(
        "uq_webhook_delivery_slot",
        "webhook_delivery",
        ["endpoint_id", "slot"],
        unique=True,
        postgresql_where=sa.text("slot IS NOT NULL"),
    )
    op.add_column("api_key", sa.Column("system", sa.String(), nullable=True))
    op.add_column("api_key", sa.Column("networks", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("api_key", "networks")
    op.drop_column("api_key", "system")
    for table in ("webhook_delivery", "webhook_endpoint", "change", "change_feed"):
        op.drop_table(table)
