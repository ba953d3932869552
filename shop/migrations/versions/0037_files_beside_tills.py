"""What a till and a file tell of one sale is found; corrections that correct nothing are called so; outlets are called alike in any width."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_REASONS = (
    "'document_seen','suspected_duplicate','not_certified','over_capacity','broken_chain','clock','outlet_closed','late','refund'"
)


def upgrade() -> None:
    op.create_index("ix_sales_batch_file", "sales_batch", ["outlet_id"], unique=False, postgresql_where=sa.text("way = 'file'"))
    op.drop_constraint(op.f("ck_counting_hold_reason_code"), "counting_hold", type_="check")
    op.create_check_constraint(
        op.f("ck_counting_hold_reason_code"), "counting_hold", f"reason_code IN ({_REASONS},'corrects_nothing')"
    )
    # where two of one operator would be called the same, both stay: whoever means one of them uses its number here
    op.execute(
        """
        UPDATE outlet o SET external_number = normalize(o.external_number, NFKC)
        WHERE NOT o.external_number IS NFKC NORMALIZED AND NOT EXISTS (
            SELECT FROM outlet e WHERE e.operator_id = o.operator_id AND e.id <> o.id
              AND normalize(e.external_number, NFKC) = normalize(o.external_number, NFKC))
        """
    )


def downgrade() -> None:
    op.execute("UPDATE counting_hold SET reason_code = 'broken_chain' WHERE reason_code = 'corrects_nothing'")
    op.drop_constraint(op.f("ck_counting_hold_reason_code"), "counting_hold", type_="check")
    op.create_check_constraint(op.f("ck_counting_hold_reason_code"), "counting_hold", f"reason_code IN ({_REASONS})")
    op.drop_index("ix_sales_batch_file", table_name="sales_batch", postgresql_where=sa.text("way = 'file'"))
