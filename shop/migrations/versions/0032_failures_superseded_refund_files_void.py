"""Reports of failures that a line of the bank superseded; another person makes a refund file void."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_DECIDED = "num_nulls(decided_by, decided_at) = CASE status WHEN 'requested' THEN 2 {more}ELSE 0 END"


def upgrade() -> None:
    _checks("status IN ('requested','approved','refused','withdrawn','superseded')", "WHEN 'superseded' THEN 1 ")
    # what is said of a release that has failed since would fail a later one
    op.execute(
        """
        UPDATE failure_report f SET status = 'superseded', decided_at = now(), version = f.version + 1
        WHERE f.status = 'requested' AND (EXISTS (SELECT FROM payout_attempt a WHERE a.id = f.attempt_id AND a.outcome = 'failed')
              OR EXISTS (SELECT FROM refund r WHERE r.id = f.refund_id AND r.status = 'failed'))
        """
    )
    op.add_column("refund_file", sa.Column("voided_by", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_refund_file_voided_by"), "refund_file", "app_user", ["voided_by"], ["id"])
    op.create_check_constraint(
        op.f("ck_refund_file_two_persons"), "refund_file", "voided_by IS NULL OR (status = 'void' AND voided_by <> made_by)"
    )


def downgrade() -> None:
    op.drop_column("refund_file", "voided_by")
    op.execute("UPDATE failure_report SET status = 'withdrawn', decided_by = requested_by WHERE status = 'superseded'")
    _checks("status IN ('requested','approved','refused','withdrawn')", "")


def _checks(statuses: str, more: str) -> None:
    for name in ("status", "decided"):
        op.drop_constraint(op.f(f"ck_failure_report_{name}"), "failure_report", type_="check")
    op.create_check_constraint(op.f("ck_failure_report_status"), "failure_report", statuses)
    op.create_check_constraint(op.f("ck_failure_report_decided"), "failure_report", _DECIDED.format(more=more))
