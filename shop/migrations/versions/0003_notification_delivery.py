"""Notifications become personal: who read what, who wants what, and the mails to send."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("app_user", sa.Column("email", sa.String(), nullable=True))
    op.add_column("app_user", sa.Column("language", sa.String(), server_default="zh", nullable=False))
    op.create_check_constraint(op.f("ck_app_user_language"), "app_user", "language IN ('zh','en')")
    op.create_table(
        "notification_preference",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("inbox", sa.Boolean(), nullable=False),
        sa.Column("email", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_notification_preference_user_id")),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_notification_preference")),
    )
    op.create_table(
        "notification_reading",
        sa.Column("notification_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["notification_id"], ["notification.id"], name=op.f("fk_notification_reading_notification_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_notification_reading_user_id")),
        sa.PrimaryKeyConstraint("user_id", "notification_id", name=op.f("pk_notification_reading")),
    )
    op.create_table(
        "notification_mail",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("notification_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('pending','sent','failed')", name=op.f("ck_notification_mail_status")),
        sa.CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_notification_mail_sent")),
        sa.ForeignKeyConstraint(["notification_id"], ["notification.id"], name=op.f("fk_notification_mail_notification_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_notification_mail_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_mail")),
        sa.UniqueConstraint("notification_id", "user_id", name=op.f("uq_notification_mail_notification_id_user_id")),
    )
    op.create_index(
        "ix_notification_mail_due",
        "notification_mail",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    # what somebody read for all stays read for all who were addressed
    op.execute(
        """
        INSERT INTO notification_reading (notification_id, user_id, read_at)
        SELECT n.id, u.id, n.read_at FROM notification n JOIN app_user u
          ON u.organisation_id = n.organisation_id
          OR EXISTS (SELECT FROM user_role r WHERE r.user_id = u.id AND r.region_code = n.region_code)
        WHERE n.read_at IS NOT NULL
        """
    )
    op.drop_column("notification", "read_at")


def downgrade() -> None:
    op.add_column("notification", sa.Column("read_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        """
        UPDATE notification n SET read_at = r.read_at
        FROM (SELECT notification_id, min(read_at) AS read_at FROM notification_reading GROUP BY notification_id) r
        WHERE r.notification_id = n.id
        """
    )
    op.drop_index("ix_notification_mail_due", table_name="notification_mail")
    op.drop_table("notification_mail")
    op.drop_table("notification_reading")
    op.drop_table("notification_preference")
    op.drop_constraint(op.f("ck_app_user_language"), "app_user", type_="check")
    op.drop_column("app_user", "language")
    op.drop_column("app_user", "email")
