"""What tables cannot say by themselves: append-only rows, and the queue that keeps the figures exact."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ["audit_event", "audit_seal", "certification_step", "sale_entry", "stock_movement"]


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
        END $$
        """
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        """
        CREATE FUNCTION queue_for_rollup() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO sale_entry_pending (entry_id) SELECT id FROM fresh;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER queue_for_rollup AFTER INSERT ON sale_entry"
        " REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION queue_for_rollup()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER queue_for_rollup ON sale_entry")
    op.execute("DROP FUNCTION queue_for_rollup()")
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER append_only ON {table}")
    op.execute("DROP FUNCTION refuse_change()")
