"""What takes much out of the figures of an outlet waits for a second person, and a refund whose sale does not come for somebody to decide."""

from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

_REASONS = (
    "'document_seen','suspected_duplicate','not_certified','over_capacity','broken_chain','clock','outlet_closed','late','refund'"
    ",'corrects_nothing','implausible'"
)


def upgrade() -> None:
    op.drop_constraint(op.f("ck_counting_hold_reason_code"), "counting_hold", type_="check")
    op.create_check_constraint(
        op.f("ck_counting_hold_reason_code"), "counting_hold", f"reason_code IN ({_REASONS},'withdrawal','no_sale')"
    )


def downgrade() -> None:
    op.execute("UPDATE counting_hold SET reason_code = 'late' WHERE reason_code = 'withdrawal'")
    op.execute("UPDATE counting_hold SET reason_code = 'refund' WHERE reason_code = 'no_sale'")
    op.drop_constraint(op.f("ck_counting_hold_reason_code"), "counting_hold", type_="check")
    op.create_check_constraint(op.f("ck_counting_hold_reason_code"), "counting_hold", f"reason_code IN ({_REASONS})")
