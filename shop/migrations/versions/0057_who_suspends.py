"""Who suspends a certificate: the county, the city, and a bar of its supplier side by side."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

#: What is suspended now, by whoever last did it: the history tells. A bar is known by its reason.
_STANDING = """
    INSERT INTO suspension (certificate_id, level, since, until, reason_code, reason)
    SELECT c.id,
           CASE WHEN c.reason_code = 'blacklisted' THEN 'bar' WHEN e.actor_role ~ 'city_officer|platform_admin' THEN 'city' ELSE 'county' END,
           c.suspended_at, c.suspended_until, coalesce(c.reason_code, 'other'), coalesce(c.reason, '')
    FROM certificate c
    LEFT JOIN LATERAL (
        SELECT actor_role FROM certificate_event e WHERE e.certificate_id = c.id AND e.kind IN ('suspended', 'suspension_changed')
        ORDER BY e.id DESC LIMIT 1
    ) e ON true
    WHERE c.suspended_at IS NOT NULL AND c.revoked_at IS NULL
"""


def upgrade() -> None:
    op.create_table(
        "suspension",
        sa.Column("certificate_id", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("level IN ('county','city','bar')", name=op.f("ck_suspension_level")),
        sa.CheckConstraint("until IS NULL OR since < until", name=op.f("ck_suspension_period")),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_suspension_certificate_id")),
        sa.PrimaryKeyConstraint("certificate_id", "level", name=op.f("pk_suspension")),
    )
    op.execute(_STANDING)


def downgrade() -> None:
    op.drop_table("suspension")
