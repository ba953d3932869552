"""What is certified is kept by county."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

#: What changes a county's stock, and how the county follows from the rows that changed.
_TOUCHES = {
    "certificate": ("FROM changed", ("INSERT", "UPDATE")),
    "certificate_event": ("FROM changed JOIN certificate c ON c.id = changed.certificate_id", ("INSERT",)),
    "household_member": ("FROM changed JOIN certificate c ON c.case_id = changed.case_id", ("INSERT", "UPDATE", "DELETE")),
}


def upgrade() -> None:
    op.create_table(
        "certified_stock_touched",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("district_code", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certified_stock_touched")),
    )
    op.create_table(
        "certified_stock",
        sa.Column("district_code", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("certificates", sa.BigInteger(), nullable=False),
        sa.Column("products", sa.BigInteger(), nullable=False),
        sa.Column("supplier_ids", postgresql.ARRAY(sa.BIGINT()), nullable=False),
        sa.Column("households_stated", sa.BigInteger(), nullable=False),
        sa.Column("persons_stated", sa.BigInteger(), nullable=False),
        sa.Column("households_listed", sa.BigInteger(), nullable=False),
        sa.Column("persons_listed", sa.BigInteger(), nullable=False),
        sa.Column("households_least", sa.BigInteger(), nullable=False),
        sa.Column("households_most", sa.BigInteger(), nullable=False),
        sa.Column("persons_least", sa.BigInteger(), nullable=False),
        sa.Column("persons_most", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["district_code"], ["region.code"], name=op.f("fk_certified_stock_district_code")),
        sa.PrimaryKeyConstraint("district_code", "category", name=op.f("pk_certified_stock")),
    )
    op.create_table(
        "certified_stock_county",
        sa.Column("district_code", sa.String(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holds_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["district_code"], ["region.code"], name=op.f("fk_certified_stock_county_district_code")),
        sa.PrimaryKeyConstraint("district_code", name=op.f("pk_certified_stock_county")),
    )
    for table, (source, actions) in _TOUCHES.items():
        op.execute(
            f"""
            CREATE FUNCTION touch_stock_by_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO certified_stock_touched (district_code) SELECT DISTINCT district_code {source};
                RETURN NULL;
            END $$
            """
        )
        for action in actions:
            rows = "OLD" if action == "DELETE" else "NEW"
            op.execute(
                f"CREATE TRIGGER touch_stock_{action.lower()} AFTER {action} ON {table} REFERENCING {rows} TABLE AS changed"
                f" FOR EACH STATEMENT EXECUTE FUNCTION touch_stock_by_{table}()"
            )
    op.execute(
        """
        CREATE FUNCTION touch_stock_by_product() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO certified_stock_touched (district_code) SELECT DISTINCT district_code FROM certificate WHERE product_id = NEW.id;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER touch_stock_update AFTER UPDATE OF category ON product FOR EACH ROW"
        " WHEN (OLD.category IS DISTINCT FROM NEW.category) EXECUTE FUNCTION touch_stock_by_product()"
    )
    op.execute("INSERT INTO certified_stock_touched (district_code) SELECT DISTINCT district_code FROM certificate")


def downgrade() -> None:
    op.execute("DROP TRIGGER touch_stock_update ON product")
    op.execute("DROP FUNCTION touch_stock_by_product()")
    for table, (_, actions) in _TOUCHES.items():
        for action in actions:
            op.execute(f"DROP TRIGGER touch_stock_{action.lower()} ON {table}")
        op.execute(f"DROP FUNCTION touch_stock_by_{table}()")
    op.drop_table("certified_stock_county")
    op.drop_table("certified_stock")
    op.drop_table("certified_stock_touched")
