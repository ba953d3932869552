"""Notices of payments name the amount, also those that were told before."""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_KINDS = "'payment.announced', 'payment.arrived', 'payment.recorded', 'payment.undone'"
#: What is told of one payment has its id there; what is told of several together names its amount anyway.
_PAYMENT = "substring(n.origin FROM '^[^:]+:([0-9]+)(?::|$)')::bigint"


def upgrade() -> None:
    op.execute(
        f"""
        UPDATE notification n SET data = n.data || jsonb_build_object('amount', to_char(p.amount_fen / 100.0, 'FM99999999999999990.00'), 'count', 1)
        FROM payment p
        WHERE n.kind IN ({_KINDS}) AND NOT n.data ? 'amount' AND n.origin LIKE n.kind || ':%' AND p.id = {_PAYMENT}
        """  # noqa: S608
    )


def downgrade() -> None:
    op.execute(f"UPDATE notification n SET data = data - 'amount' - 'count' WHERE kind IN ({_KINDS}) AND {_PAYMENT} IS NOT NULL")  # noqa: S608
