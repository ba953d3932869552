"""No entry counts on a day after that on which it was recorded."""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # what tills whose clock was ahead told before, and nobody has decided about yet, is dated as it is now
    op.execute(
        """
        UPDATE sales_batch_line l SET sold_on = (b.received_at AT TIME ZONE 'Asia/Shanghai')::date FROM sales_batch b
        WHERE b.id = l.batch_id AND l.status IN ('held', 'waiting') AND l.sold_on > (b.received_at AT TIME ZONE 'Asia/Shanghai')::date
        """
    )
    # entries that stand already are shown by `shop reconcile`: the ledger is not rewritten
    op.execute(
        "ALTER TABLE sale_entry ADD CONSTRAINT ck_sale_entry_not_to_come"
        " CHECK (sold_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date) NOT VALID"
    )
    op.execute(
        """
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM sale_entry WHERE sold_on > (recorded_at AT TIME ZONE 'Asia/Shanghai')::date) THEN
                ALTER TABLE sale_entry VALIDATE CONSTRAINT ck_sale_entry_not_to_come;
            END IF;
        END $$
        """
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_sale_entry_not_to_come"), "sale_entry", type_="check")
