"""Sales at outlets whose quantity cannot be are held."""

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

_REASONS = (
    "'document_seen','suspected_duplicate','not_certified','over_capacity','broken_chain','clock','outlet_closed','late','refund'"
    ",'corrects_nothing'"
)


def upgrade() -> None:
    op.drop_constraint(op.f("ck_counting_hold_reason_code"), "counting_hold", type_="check")
    op.create_check_constraint(op.f("ck_counting_hold_reason_code"), "counting_hold", f"reason_code IN ({_REASONS},'implausible')")


def downgrade() -> None:
    op.execute("UPDATE counting_hold SET reason_code = 'over_capacity' WHERE reason_code = 'implausible'")
    op.drop_constraint(op.f("ck_counting_hold_reason_code"), "counting_hold", type_="check")
    op.create_check_constraint(op.f("ck_counting_hold_reason_code"), "counting_hold", f"reason_code IN ({_REASONS})")
