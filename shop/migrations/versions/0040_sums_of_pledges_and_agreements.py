"""What counts towards pledges and what was due and delivered under agreements is kept, and said to be touched where something of it changes."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_OF_ORDERS = """
    CREATE FUNCTION touch_pledges(orders bigint[]) RETURNS void LANGUAGE sql AS $$
        INSERT INTO pledge_touched (pledge_id)
        SELECT pledge_id FROM pledge_order WHERE purchase_order_id = ANY (orders)
        UNION
        SELECT g.pledge_id FROM purchase_order po JOIN pledge_agreement g ON g.agreement_id = po.source_id
        WHERE po.id = ANY (orders) AND po.source_kind = 'agreement'
    $$
"""
#: Function, what it does; ``fresh`` and ``gone`` are the rows after and before.
_FUNCTIONS = {
    "touch_by_sales": """
        PERFORM touch_pledges(array_agg(DISTINCT order_id)) FROM fresh WHERE order_id IS NOT NULL;
        INSERT INTO agreement_touched (agreement_id)
        SELECT DISTINCT po.source_id FROM fresh JOIN purchase_order po ON po.id = fresh.order_id WHERE po.source_kind = 'agreement';
    """,
    "touch_by_lines_come": "PERFORM touch_pledges(array_agg(DISTINCT purchase_order_id)) FROM fresh;",
    "touch_by_lines_gone": "PERFORM touch_pledges(array_agg(DISTINCT purchase_order_id)) FROM gone;",
    "touch_by_order": """
        PERFORM touch_pledges(ARRAY[(to_jsonb(NEW) ->> (CASE TG_TABLE_NAME WHEN 'purchase_order' THEN 'id' ELSE 'purchase_order_id' END))::bigint]);
    """,
    "touch_pledge": "INSERT INTO pledge_touched (pledge_id) VALUES (NEW.id);",
    # an order that stands for a pledge by itself counts no more towards that of its agreement, and again once it does not
    "touch_by_part_of_pledge": """
        INSERT INTO pledge_touched (pledge_id)
        SELECT DISTINCT pledge_id FROM unnest(ARRAY[CASE WHEN TG_OP <> 'INSERT' THEN OLD.pledge_id END,
            CASE WHEN TG_OP <> 'DELETE' THEN NEW.pledge_id END]) AS p (pledge_id) WHERE pledge_id IS NOT NULL;
        IF TG_TABLE_NAME = 'pledge_order' THEN
            PERFORM touch_pledges(array_remove(ARRAY[CASE WHEN TG_OP <> 'INSERT' THEN (to_jsonb(OLD) ->> 'purchase_order_id')::bigint END,
                CASE WHEN TG_OP <> 'DELETE' THEN (to_jsonb(NEW) ->> 'purchase_order_id')::bigint END], NULL));
        END IF;
    """,
    "touch_agreement": "INSERT INTO agreement_touched (agreement_id) VALUES (NEW.id);",
    "touch_by_agreement_line": "INSERT INTO agreement_touched (agreement_id) VALUES (NEW.agreement_id);",
    "touch_by_agreement_tier": """
        INSERT INTO agreement_touched (agreement_id) SELECT DISTINCT agreement_id FROM agreement_line
        WHERE id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.agreement_line_id END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.agreement_line_id END);
    """,
    "touch_by_list_price": """
        INSERT INTO agreement_touched (agreement_id) SELECT DISTINCT agreement_id FROM agreement_line WHERE price_kind = 'list_minus'
        AND sku_id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.sku_id END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.sku_id END);
    """,
    "touch_by_sku": "INSERT INTO agreement_touched (agreement_id) SELECT DISTINCT agreement_id FROM agreement_line WHERE sku_id = NEW.id;",
    "touch_by_product": """
        INSERT INTO agreement_touched (agreement_id)
        SELECT DISTINCT l.agreement_id FROM sku s JOIN agreement_line l ON l.sku_id = s.id WHERE s.product_id = NEW.id;
    """,
    "touch_by_instalments_come": """
        INSERT INTO agreement_touched (agreement_id)
        SELECT DISTINCT l.agreement_id FROM fresh JOIN agreement_line l ON l.id = fresh.agreement_line_id;
    """,
    "touch_by_instalments_gone": """
        INSERT INTO agreement_touched (agreement_id)
        SELECT DISTINCT l.agreement_id FROM gone JOIN agreement_line l ON l.id = gone.agreement_line_id;
    """,
    "touch_by_instalments_changed": """
        INSERT INTO agreement_touched (agreement_id)
        SELECT DISTINCT l.agreement_id FROM fresh JOIN gone USING (id)
        JOIN agreement_line l ON l.id IN (fresh.agreement_line_id, gone.agreement_line_id)
        WHERE (fresh.agreement_line_id, fresh.due_on, fresh.quantity, fresh.status = 'skipped')
              <> (gone.agreement_line_id, gone.due_on, gone.quantity, gone.status = 'skipped');
    """,
}


def _changed(*columns: str) -> str:
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    return f"WHEN (({old}) IS DISTINCT FROM ({new}))"


_GIVEN_UP = "status IN ('cancelled', 'rejected')"
#: Name of the trigger, table, event, what follows ``FOR EACH``, function.
_TRIGGERS = [
    ("touch", "sale_entry", "INSERT", "REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT", "touch_by_sales"),
    ("touch_come", "order_line", "INSERT", "REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT", "touch_by_lines_come"),
    ("touch_gone", "order_line", "DELETE", "REFERENCING OLD TABLE AS gone FOR EACH STATEMENT", "touch_by_lines_gone"),
    (
        "touch_changed",
        "order_line",
        "UPDATE",
        f"FOR EACH ROW {_changed('amount_fen', 'certificate_id', 'supplier_order_id')}",
        "touch_by_order",
    ),
    ("touch", "supplier_order", "UPDATE", f"FOR EACH ROW WHEN ((OLD.{_GIVEN_UP}) <> (NEW.{_GIVEN_UP}))", "touch_by_order"),
    ("touch", "purchase_order", "UPDATE", f"FOR EACH ROW {_changed('buyer_id', 'placed_at')}", "touch_by_order"),
    (
        "touch",
        "pledge",
        "UPDATE",
        f"FOR EACH ROW {_changed('organisation_id', 'valid_from', 'valid_until', 'closed_at')}",
        "touch_pledge",
    ),
    *(
        ("touch", table, "INSERT OR UPDATE OR DELETE", "FOR EACH ROW", "touch_by_part_of_pledge")
        for table in ("pledge_region", "pledge_order", "pledge_agreement")
    ),
    ("touch", "agreement", "UPDATE", f"FOR EACH ROW {_changed('status', 'valid_until', 'terminated_on')}", "touch_agreement"),
    (
        "touch",
        "agreement_line",
        "UPDATE",
        f"FOR EACH ROW {_changed('sku_id', 'price_kind', 'unit_price_fen', 'percent_off')}",
        "touch_by_agreement_line",
    ),
    ("touch", "agreement_price_tier", "INSERT OR UPDATE OR DELETE", "FOR EACH ROW", "touch_by_agreement_tier"),
    ("touch", "price_tier", "INSERT OR UPDATE OR DELETE", "FOR EACH ROW", "touch_by_list_price"),
    ("touch", "sku", "UPDATE", f"FOR EACH ROW {_changed('net_grams', 'product_id')}", "touch_by_sku"),
    ("touch", "product", "UPDATE", f"FOR EACH ROW {_changed('district_code')}", "touch_by_product"),
    ("touch_come", "instalment", "INSERT", "REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT", "touch_by_instalments_come"),
    ("touch_gone", "instalment", "DELETE", "REFERENCING OLD TABLE AS gone FOR EACH STATEMENT", "touch_by_instalments_gone"),
    (
        "touch_changed",
        "instalment",
        "UPDATE",
        "REFERENCING NEW TABLE AS fresh OLD TABLE AS gone FOR EACH STATEMENT",
        "touch_by_instalments_changed",
    ),
]


def _figures(table: str, time: str) -> None:
    op.create_table(
        table,
        sa.Column("agreement_id", sa.BigInteger(), nullable=False),
        sa.Column("district_code", sa.String(), nullable=False),
        sa.Column("promised_fen", sa.BigInteger(), nullable=False),
        sa.Column("promised_grams", sa.BigInteger(), nullable=False),
        sa.Column("delivered_fen", sa.BigInteger(), nullable=False),
        sa.Column("delivered_grams", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column(time, sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreement.id"], name=op.f(f"fk_{table}_agreement_id")),
        sa.PrimaryKeyConstraint("agreement_id", time, "district_code", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_{time}"), table, [time], unique=False)


def upgrade() -> None:
    for subject in ("pledge", "agreement"):
        op.create_table(
            f"{subject}_touched",
            sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
            sa.Column(f"{subject}_id", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{subject}_touched")),
        )
    op.create_table(
        "pledge_sum",
        sa.Column("pledge_id", sa.BigInteger(), nullable=False),
        sa.Column("ordered_fen", sa.BigInteger(), nullable=False),
        sa.Column("accepted_fen", sa.BigInteger(), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["pledge_id"], ["pledge.id"], name=op.f("fk_pledge_sum_pledge_id")),
        sa.PrimaryKeyConstraint("pledge_id", name=op.f("pk_pledge_sum")),
    )
    _figures("agreement_day", "day")
    _figures("agreement_month", "month")
    op.execute(_OF_ORDERS)
    for name, body in _FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$")
    for name, table, event, how, function in _TRIGGERS:
        op.execute(f"CREATE TRIGGER {name} AFTER {event} ON {table} {how} EXECUTE FUNCTION {function}()")
    # what there is is counted by the workers; until then panels count it themselves, as they did before
    op.execute("INSERT INTO pledge_touched (pledge_id) SELECT id FROM pledge ORDER BY id")
    op.execute("INSERT INTO agreement_touched (agreement_id) SELECT id FROM agreement ORDER BY id")


def downgrade() -> None:
    for name, table, *_ in _TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for name in [*_FUNCTIONS, "touch_pledges(bigint[])"]:
        op.execute(f"DROP FUNCTION {name if '(' in name else f'{name}()'}")
    for table in ("agreement_month", "agreement_day", "pledge_sum", "agreement_touched", "pledge_touched"):
        op.drop_table(table)
