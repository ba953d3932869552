"""``sum_bigint``: a sum of whole numbers that is one.

PostgreSQL adds ``bigint`` up as ``numeric``: a state of its own for each group, and a number to be printed and read again. Where there are thousands of
groups that costs more than the adding. This one adds in place; what would not fit into 64 bits is refused, never cut off.
"""

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE AGGREGATE sum_bigint(bigint) (SFUNC = int8pl, STYPE = bigint, COMBINEFUNC = int8pl, PARALLEL = SAFE)")


def downgrade() -> None:
    op.execute("DROP AGGREGATE sum_bigint(bigint)")
