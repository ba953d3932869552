"""Notifications to one person, lists of payouts made void or shown as one line, written-off lines of the bank, credit limits taken back, payouts
that failed approved again, failures of what was paid said by two persons."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notification", sa.Column("user_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_notification_user_id"), "notification", "app_user", ["user_id"], ["id"])
    op.create_index(
        op.f("ix_notification_user_id_id"), "notification", ["user_id", "id"], postgresql_where=sa.text("user_id IS NOT NULL")
    )
    op.drop_constraint(op.f("ck_notification_addressee"), "notification", type_="check")
    op.create_check_constraint(
        op.f("ck_notification_addressee"), "notification", "num_nonnulls(organisation_id, region_code, user_id) = 1"
    )

    op.alter_column("credit_limit", "limit_fen", nullable=True)

    op.add_column("payout_file", sa.Column("status", sa.String(), server_default="made", nullable=False))
    op.add_column("payout_file", sa.Column("voided_by", sa.BigInteger(), nullable=True))
    op.add_column("payout_file", sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("payout_file", sa.Column("void_reason", sa.String(), nullable=True))
    op.create_foreign_key(op.f("fk_payout_file_voided_by"), "payout_file", "app_user", ["voided_by"], ["id"])
    op.create_check_constraint(op.f("ck_payout_file_status"), "payout_file", "status IN ('made','void')")
    op.create_check_constraint(
        op.f("ck_payout_file_void"),
        "payout_file",
        "num_nulls(voided_by, voided_at, void_reason) = CASE status WHEN 'void' THEN 0 ELSE 3 END",
    )
    op.create_check_constraint(op.f("ck_payout_file_two_persons"), "payout_file", "voided_by <> made_by")
    op.create_index(op.f("ix_payout_file_amount_fen"), "payout_file", ["amount_fen"])
    op.create_table(
        "payout_file_line",
        sa.Column("payout_file_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("void", sa.Boolean(), server_default="false", nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["payout_attempt.id"], name=op.f("fk_payout_file_line_attempt_id")),
        sa.ForeignKeyConstraint(["payout_file_id"], ["payout_file.id"], name=op.f("fk_payout_file_line_payout_file_id")),
        sa.PrimaryKeyConstraint("payout_file_id", "attempt_id", name=op.f("pk_payout_file_line")),
    )
    op.create_index(
        "uq_payout_file_line_attempt", "payout_file_line", ["attempt_id"], unique=True, postgresql_where=sa.text("NOT void")
    )
    op.execute(
        "INSERT INTO payout_file_line (payout_file_id, attempt_id) SELECT file_id, id FROM payout_attempt WHERE file_id IS NOT NULL"
    )
    op.drop_column("payout_attempt", "file_id")

    op.add_column("bank_line", sa.Column("reversal", sa.Boolean(), server_default="false", nullable=False))
    op.execute(
        "CREATE TRIGGER reversal_as_the_bank_says BEFORE UPDATE OF reversal ON bank_line FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.add_column("bank_match", sa.Column("payout_file_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_bank_match_payout_file_id"), "bank_match", "payout_file", ["payout_file_id"], ["id"])
    op.create_check_constraint(op.f("ck_bank_match_payout_file"), "bank_match", "payout_file_id IS NULL OR kind = 'payout'")
    op.create_table(
        "bank_write_off",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="requested", nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=True),
        sa.Column("match_id", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status IN ('requested','approved','refused','withdrawn')", name=op.f("ck_bank_write_off_status")),
        sa.CheckConstraint("entry IN ('fee','interest','other')", name=op.f("ck_bank_write_off_entry")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_bank_write_off_amount_fen")),
        sa.CheckConstraint("decided_by <> requested_by OR status = 'withdrawn'", name=op.f("ck_bank_write_off_two_persons")),
        sa.CheckConstraint(
            "num_nulls(decided_by, decided_at) = CASE status WHEN 'requested' THEN 2 ELSE 0 END",
            name=op.f("ck_bank_write_off_decided"),
        ),
        sa.CheckConstraint("(status = 'approved') = (match_id IS NOT NULL)", name=op.f("ck_bank_write_off_matched")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_bank_write_off_decided_by")),
        sa.ForeignKeyConstraint(["line_id"], ["bank_line.id"], name=op.f("fk_bank_write_off_line_id")),
        sa.ForeignKeyConstraint(["match_id"], ["bank_match.id"], name=op.f("fk_bank_write_off_match_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["app_user.id"], name=op.f("fk_bank_write_off_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_write_off")),
    )
    op.create_index(
        "uq_bank_write_off_requested",
        "bank_write_off",
        ["line_id"],
        unique=True,
        postgresql_where=sa.text("status = 'requested'"),
    )
    op.create_index(op.f("ix_bank_write_off_line_id_id"), "bank_write_off", ["line_id", "id"])
    op.create_index(op.f("ix_bank_write_off_status_id"), "bank_write_off", ["status", "id"])
    _failures()
    # who approved each release, in case the bank shows that one left which was said to have failed
    op.add_column("payout_attempt", sa.Column("approved_by", sa.BigInteger(), nullable=True))
    op.add_column("payout_attempt", sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE payout_attempt a SET approved_by = p.approved_by, approved_at = coalesce(p.approved_at, a.released_at)"
        " FROM payout p WHERE p.id = a.payout_id"
    )
    op.alter_column("payout_attempt", "approved_by", nullable=False)
    op.alter_column("payout_attempt", "approved_at", nullable=False)
    op.create_foreign_key(op.f("fk_payout_attempt_approved_by"), "payout_attempt", "app_user", ["approved_by"], ["id"])
    for table in ("payout_attempt", "refund"):
        op.add_column(table, sa.Column("passed_line_id", sa.BigInteger(), nullable=True))
        op.create_foreign_key(op.f(f"fk_{table}_passed_line_id"), table, "bank_line", ["passed_line_id"], ["id"])
    # whoever approved and released what failed says so again, or somebody else
    op.execute("UPDATE payout SET approved_by = NULL, approved_at = NULL, released_by = NULL WHERE status = 'failed'")
    _payout_persons(
        "(status IN ('draft','failed')) = (approved_by IS NULL)",
        "(status IN ('draft','approved','failed')) = (released_by IS NULL)",
    )


def _failures() -> None:
    op.create_table(
        "failure_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), nullable=True),
        sa.Column("refund_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="requested", nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status IN ('requested','approved','refused','withdrawn')", name=op.f("ck_failure_report_status")),
        sa.CheckConstraint("num_nonnulls(attempt_id, refund_id) = 1", name=op.f("ck_failure_report_of_one")),
        sa.CheckConstraint("decided_by <> requested_by OR status = 'withdrawn'", name=op.f("ck_failure_report_two_persons")),
        sa.CheckConstraint(
            "num_nulls(decided_by, decided_at) = CASE status WHEN 'requested' THEN 2 ELSE 0 END",
            name=op.f("ck_failure_report_decided"),
        ),
        sa.ForeignKeyConstraint(["attempt_id"], ["payout_attempt.id"], name=op.f("fk_failure_report_attempt_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["app_user.id"], name=op.f("fk_failure_report_decided_by")),
        sa.ForeignKeyConstraint(["refund_id"], ["refund.id"], name=op.f("fk_failure_report_refund_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["app_user.id"], name=op.f("fk_failure_report_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failure_report")),
    )
    for column in ("attempt_id", "refund_id"):
        op.create_index(
            f"uq_failure_report_{column}",
            "failure_report",
            [column],
            unique=True,
            postgresql_where=sa.text("status = 'requested'"),
        )
    op.create_index(op.f("ix_failure_report_status_id"), "failure_report", ["status", "id"])


def _payout_persons(approved: str, released: str) -> None:
    """In which states of a payout it is known who approved and who released it."""
    for name, condition in (("approved", approved), ("released", released)):
        op.drop_constraint(op.f(f"ck_payout_{name}"), "payout", type_="check")
        op.create_check_constraint(op.f(f"ck_payout_{name}"), "payout", condition)


def downgrade() -> None:
    # who approved it before is not known any more, and is asked again all the same
    op.execute("UPDATE payout SET status = 'draft' WHERE status = 'failed'")
    _payout_persons("status = 'draft' OR approved_by IS NOT NULL", "status IN ('draft','approved') OR released_by IS NOT NULL")

    for table in ("payout_attempt", "refund"):
        op.drop_column(table, "passed_line_id")
    op.drop_column("payout_attempt", "approved_at")
    op.drop_column("payout_attempt", "approved_by")
    op.drop_table("failure_report")
    op.drop_table("bank_write_off")
    op.drop_constraint(op.f("ck_bank_match_payout_file"), "bank_match", type_="check")
    op.drop_column("bank_match", "payout_file_id")
    op.execute("DROP TRIGGER reversal_as_the_bank_says ON bank_line")
    op.drop_column("bank_line", "reversal")

    op.add_column("payout_attempt", sa.Column("file_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_payout_attempt_file_id"), "payout_attempt", "payout_file", ["file_id"], ["id"])
    op.execute(
        "UPDATE payout_attempt a SET file_id = l.payout_file_id FROM payout_file_line l WHERE l.attempt_id = a.id AND NOT l.void"
    )
    op.create_index(
        op.f("ix_payout_attempt_file_id"), "payout_attempt", ["file_id"], postgresql_where=sa.text("file_id IS NOT NULL")
    )
    op.drop_table("payout_file_line")
    op.drop_index(op.f("ix_payout_file_amount_fen"), table_name="payout_file")
    op.drop_constraint(op.f("ck_payout_file_void"), "payout_file", type_="check")
    op.drop_constraint(op.f("ck_payout_file_status"), "payout_file", type_="check")
    op.drop_constraint(op.f("ck_payout_file_two_persons"), "payout_file", type_="check")
    for column in ("void_reason", "voided_at", "voided_by", "status"):
        op.drop_column("payout_file", column)

    # a row without a limit is none of the older form; what drew on it goes with it
    op.execute("DELETE FROM credit_draw d USING credit_limit l WHERE l.id = d.credit_limit_id AND l.limit_fen IS NULL")
    op.execute("DELETE FROM credit_limit WHERE limit_fen IS NULL")
    op.alter_column("credit_limit", "limit_fen", nullable=False)

    op.execute("DELETE FROM notification_mail m USING notification n WHERE n.id = m.notification_id AND n.user_id IS NOT NULL")
    op.execute("DELETE FROM notification_reading r USING notification n WHERE n.id = r.notification_id AND n.user_id IS NOT NULL")
    op.execute("DELETE FROM notification WHERE user_id IS NOT NULL")
    op.drop_constraint(op.f("ck_notification_addressee"), "notification", type_="check")
    op.create_check_constraint(
        op.f("ck_notification_addressee"), "notification", "(organisation_id IS NULL) <> (region_code IS NULL)"
    )
    op.drop_index(op.f("ix_notification_user_id_id"), table_name="notification")
    op.drop_column("notification", "user_id")
