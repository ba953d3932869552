"""The last results of the reconciliation, a lock on entries that the program's role may not change, and a region for who keeps the money."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# A row lock needs the right to UPDATE, which the program's role does not have on the ledger: so the owner of the ledger takes the lock for it.
_LOCK_SALE_ENTRIES = """
    CREATE FUNCTION lock_sale_entries(ids bigint[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        BEGIN
            PERFORM id FROM sale_entry WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
        END
    $$
"""


def upgrade() -> None:
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("differences", sa.Integer(), nullable=False),
        sa.Column("checks", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation")),
    )
    op.create_index(op.f("ix_reconciliation_ran_at"), "reconciliation", ["ran_at"], unique=False)
    op.execute(_LOCK_SALE_ENTRIES)
    _regional("'platform_finance',")


def _regional(more: str) -> None:
    """Whose role holds in a region."""
    op.drop_constraint(op.f("ck_user_role_region"), "user_role")
    op.create_check_constraint(
        op.f("ck_user_role_region"),
        "user_role",
        f"(region_code IS NOT NULL) = (role IN ({more}'township_officer','department_officer','county_officer','city_officer','monitor'))",
    )


def downgrade() -> None:
    _regional("")
    op.execute("DROP FUNCTION lock_sale_entries(bigint[])")
    op.drop_index(op.f("ix_reconciliation_ran_at"), table_name="reconciliation")
    op.drop_table("reconciliation")
