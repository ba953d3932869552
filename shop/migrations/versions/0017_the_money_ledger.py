"""The money ledger with its guards, payments by any way, and refunds."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


# One transaction for each part of an order that the entries are of; every entry is owed by its buyer and due to its supplier.
_BOOK_SALES = """
    WITH fresh_sales AS (
        SELECT id, order_id, supplier_order_id, supplier_id, buyer_id, amount_fen, recorded_at,
               min(id) OVER (PARTITION BY supplier_order_id) AS first_id
        FROM {entries} WHERE supplier_order_id IS NOT NULL AND amount_fen <> 0
    ), booked AS (
        INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at)
        SELECT 'sale', first_id, (max(recorded_at) AT TIME ZONE 'Asia/Shanghai')::date, max(recorded_at) FROM fresh_sales GROUP BY first_id
        RETURNING id, origin_id
    )
    INSERT INTO money_posting (transaction_id, account, amount_fen, party_id, purchase_order_id, supplier_order_id, sale_entry_id)
    SELECT b.id, side.account, side.amount_fen, side.party_id, e.order_id, e.supplier_order_id, e.id
    FROM booked b JOIN fresh_sales e ON e.first_id = b.origin_id
    CROSS JOIN LATERAL (VALUES ('receivable', e.amount_fen, e.buyer_id), ('payable', -e.amount_fen, e.supplier_id))
      AS side (account, amount_fen, party_id)
    ORDER BY e.id, side.account
"""
# With the first sale of a part its freight is owed, once, by whom the order belongs to.
_BOOK_FREIGHT = """
    WITH due AS (
        SELECT so.id, so.purchase_order_id, so.supplier_id, so.freight_fen, po.buyer_id, sold.recorded_at
        FROM (SELECT supplier_order_id AS id, max(recorded_at) AS recorded_at FROM {entries} WHERE supplier_order_id IS NOT NULL GROUP BY 1) sold
        JOIN supplier_order so ON so.id = sold.id AND so.freight_fen > 0 JOIN purchase_order po ON po.id = so.purchase_order_id
        WHERE NOT EXISTS (SELECT FROM money_transaction t WHERE t.kind = 'freight' AND t.origin_id = so.id)
    ), booked AS (
        INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at)
        SELECT 'freight', id, (recorded_at AT TIME ZONE 'Asia/Shanghai')::date, recorded_at FROM due RETURNING id, origin_id
    )
    INSERT INTO money_posting (transaction_id, account, amount_fen, party_id, purchase_order_id, supplier_order_id)
    SELECT b.id, side.account, side.amount_fen, side.party_id, due.purchase_order_id, due.id
    FROM booked b JOIN due ON due.id = b.origin_id
    CROSS JOIN LATERAL (VALUES ('receivable', due.freight_fen, due.buyer_id), ('payable', -due.freight_fen, due.supplier_id))
      AS side (account, amount_fen, party_id)
"""
_FUNCTIONS = {
    "book_sales": f"""
        BEGIN
            {_BOOK_SALES.format(entries="fresh")};
            {_BOOK_FREIGHT.format(entries="fresh")};
            RETURN NULL;
        END
    """,
    "require_balance": """
        BEGIN
            IF (SELECT coalesce(sum(amount_fen), 1) FROM money_posting WHERE transaction_id = NEW.id) <> 0 THEN
                RAISE EXCEPTION 'money transaction % does not sum to zero', NEW.id USING ERRCODE = 'check_violation';
            END IF;
            RETURN NULL;
        END
    """,
    # Every statement writes whole transactions: so none is ever without its balance, not even between the commit's check and the commit.
    "refuse_late_posting": """
        BEGIN
            IF EXISTS (SELECT FROM fresh GROUP BY transaction_id HAVING sum(amount_fen) <> 0) THEN
                RAISE EXCEPTION 'postings of a money transaction that do not sum to zero' USING ERRCODE = 'check_violation';
            END IF;
            IF EXISTS (
                SELECT FROM (SELECT DISTINCT transaction_id FROM fresh) f JOIN money_transaction t ON t.id = f.transaction_id
                WHERE t.written_in <> pg_current_xact_id()::text::bigint
            ) THEN
                RAISE EXCEPTION 'a posting to a money transaction that stands already' USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NULL;
        END
    """,
}
_BOOK_PAYMENTS = """
    WITH booked AS (
        INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at)
        SELECT 'payment', id, (recorded_at AT TIME ZONE 'Asia/Shanghai')::date, recorded_at FROM payment RETURNING id, origin_id
    )
    INSERT INTO money_posting (transaction_id, account, amount_fen, party_id, purchase_order_id)
    SELECT b.id, side.account, side.amount_fen, po.buyer_id, po.id
    FROM booked b JOIN payment p ON p.id = b.origin_id JOIN purchase_order po ON po.id = p.purchase_order_id
    CROSS JOIN LATERAL (VALUES ('announced', p.amount_fen), ('receivable', -p.amount_fen)) AS side (account, amount_fen)
"""


def upgrade() -> None:
    op.create_table(
        "money_transaction",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("origin_id", sa.BigInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_in", sa.BigInteger(), server_default=sa.text("pg_current_xact_id()::text::bigint"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('sale','freight','allowance','reassignment','payment','payment_undone','credit_moved','refund','refund_paid','refund_failed','receipt','receipt_matched','receipt_undone','bank_entry','fee','chargeback','chargeback_closed','online_payout','online_found','online_transfer','settlement','payout','payout_paid','payout_failed','payout_returned','advance','advance_used')",
            name=op.f("ck_money_transaction_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_money_transaction")),
    )
    op.create_index(op.f("ix_money_transaction_booked_on_id"), "money_transaction", ["booked_on", "id"], unique=False)
    op.create_index(
        "uq_money_transaction_origin",
        "money_transaction",
        ["kind", "origin_id"],
        unique=True,
        postgresql_where=sa.text("kind <> 'reassignment'"),
    )
    op.create_table(
        "credit_move",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("from_order_id", sa.BigInteger(), nullable=False),
        sa.Column("to_order_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("moved_by", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_credit_move_amount_fen")),
        sa.CheckConstraint("from_order_id <> to_order_id", name=op.f("ck_credit_move_orders")),
        sa.ForeignKeyConstraint(["from_order_id"], ["purchase_order.id"], name=op.f("fk_credit_move_from_order_id")),
        sa.ForeignKeyConstraint(["moved_by"], ["app_user.id"], name=op.f("fk_credit_move_moved_by")),
        sa.ForeignKeyConstraint(["to_order_id"], ["purchase_order.id"], name=op.f("fk_credit_move_to_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_move")),
    )
    op.create_index(op.f("ix_credit_move_from_order_id"), "credit_move", ["from_order_id"], unique=False)
    op.create_index(op.f("ix_credit_move_to_order_id"), "credit_move", ["to_order_id"], unique=False)
    op.create_table(
        "refund",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=False),
        sa.Column("buyer_id", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=True),
        sa.Column("payee_name", sa.String(), nullable=True),
        sa.Column("payee_account", sa.String(), nullable=True),
        sa.Column("payee_bank", sa.String(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="requested", nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(method = 'bank_transfer') = (payee_name IS NOT NULL AND payee_account IS NOT NULL)", name=op.f("ck_refund_payee")
        ),
        sa.CheckConstraint("(method = 'online') = (payment_id IS NOT NULL)", name=op.f("ck_refund_payment")),
        sa.CheckConstraint("method IN ('bank_transfer','online')", name=op.f("ck_refund_method")),
        sa.CheckConstraint(
            "status IN ('requested','approved','sent','paid','refused','cancelled','failed')", name=op.f("ck_refund_status")
        ),
        sa.CheckConstraint(
            "status NOT IN ('approved','sent','paid','failed') OR approved_at IS NOT NULL", name=op.f("ck_refund_approved")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_refund_amount_fen")),
        sa.CheckConstraint("approved_by <> requested_by", name=op.f("ck_refund_two_persons")),
        sa.ForeignKeyConstraint(["approved_by"], ["app_user.id"], name=op.f("fk_refund_approved_by")),
        sa.ForeignKeyConstraint(["buyer_id"], ["organisation.id"], name=op.f("fk_refund_buyer_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_refund_payment_id")),
        sa.ForeignKeyConstraint(["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_refund_purchase_order_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["app_user.id"], name=op.f("fk_refund_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("number", name=op.f("uq_refund_number")),
    )
    op.create_index(
        op.f("ix_refund_payment_id"), "refund", ["payment_id"], unique=False, postgresql_where=sa.text("payment_id IS NOT NULL")
    )
    op.create_index(op.f("ix_refund_purchase_order_id"), "refund", ["purchase_order_id"], unique=False)
    op.create_index(op.f("ix_refund_status_id"), "refund", ["status", "id"], unique=False)
    op.create_table(
        "money_posting",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("party_id", sa.BigInteger(), nullable=True),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=True),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=True),
        sa.Column("sale_entry_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "account IN ('receivable','payable','settled','advances','payouts','announced','bank','online','unallocated','refunds','chargebacks','commission','fees')",
            name=op.f("ck_money_posting_account"),
        ),
        sa.CheckConstraint(
            "account NOT IN ('advances','announced','payable','payouts','receivable','refunds','settled') OR party_id IS NOT NULL",
            name=op.f("ck_money_posting_party_id"),
        ),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_money_posting_amount_fen")),
        sa.ForeignKeyConstraint(["party_id"], ["organisation.id"], name=op.f("fk_money_posting_party_id")),
        sa.ForeignKeyConstraint(["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_money_posting_purchase_order_id")),
        sa.ForeignKeyConstraint(["sale_entry_id"], ["sale_entry.id"], name=op.f("fk_money_posting_sale_entry_id")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_money_posting_supplier_order_id")),
        sa.ForeignKeyConstraint(["transaction_id"], ["money_transaction.id"], name=op.f("fk_money_posting_transaction_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_money_posting")),
    )
    op.create_index(
        op.f("ix_money_posting_account_id"),
        "money_posting",
        ["account", "id"],
        unique=False,
        postgresql_include=["amount_fen"],
        postgresql_where=sa.text("account NOT IN ('receivable','payable')"),
    )
    op.create_index(
        op.f("ix_money_posting_party_id_account_id"),
        "money_posting",
        ["party_id", "account", "id"],
        unique=False,
        postgresql_include=["amount_fen"],
    )
    op.create_index(
        op.f("ix_money_posting_purchase_order_id_account"),
        "money_posting",
        ["purchase_order_id", "account"],
        unique=False,
        postgresql_include=["transaction_id", "amount_fen"],
    )
    op.create_index(
        op.f("ix_money_posting_supplier_order_id_account"),
        "money_posting",
        ["supplier_order_id", "account"],
        unique=False,
        postgresql_include=["transaction_id", "amount_fen"],
    )
    op.create_index(op.f("ix_money_posting_transaction_id"), "money_posting", ["transaction_id"], unique=False)
    op.create_index(
        "uq_money_posting_sale",
        "money_posting",
        ["sale_entry_id", "account"],
        unique=True,
        postgresql_where=sa.text("sale_entry_id IS NOT NULL"),
    )
    op.add_column("payment", sa.Column("source", sa.String(), server_default="announced", nullable=False))
    op.add_column("payment", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("payment", sa.Column("undone_by", sa.BigInteger(), nullable=True))
    op.add_column("payment", sa.Column("undo_reason", sa.String(), nullable=True))
    op.alter_column("payment", "recorded_by", existing_type=sa.BIGINT(), nullable=True)
    op.drop_constraint(op.f("uq_payment_bank_reference"), "payment", type_="unique")
    op.create_index(
        "uq_payment_bank_reference",
        "payment",
        ["bank_reference"],
        unique=True,
        postgresql_where=sa.text("source = 'announced' AND undone_at IS NULL"),
    )
    op.create_foreign_key(op.f("fk_payment_undone_by"), "payment", "app_user", ["undone_by"], ["id"])
    op.drop_constraint(op.f("ck_payment_method"), "payment")
    op.create_check_constraint(op.f("ck_payment_method"), "payment", "method IN ('bank_transfer','card','alipay','wechat_pay')")
    for name, condition in _CHECKS.items():
        op.create_check_constraint(op.f(f"ck_payment_{name}"), "payment", condition)
    _guard()


_CHECKS = {
    "source": "source IN ('announced','unallocated','online')",
    "source_of_method": "(method = 'bank_transfer') = (source <> 'online')",
    "undone": "(undone_at IS NULL) = (undo_reason IS NULL)",
}


def _guard() -> None:
    """What stands is booked; from now on the database books sales itself, and refuses what is no transaction."""
    for name, body in _FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    op.execute(
        "CREATE CONSTRAINT TRIGGER require_balance AFTER INSERT ON money_transaction DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION require_balance()"
    )
    op.execute(
        "CREATE TRIGGER refuse_late_posting AFTER INSERT ON money_posting REFERENCING NEW TABLE AS fresh"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_late_posting()"
    )
    for table in ("money_transaction", "money_posting"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(_BOOK_SALES.format(entries="sale_entry"))
    op.execute(_BOOK_FREIGHT.format(entries="sale_entry"))
    op.execute(_BOOK_PAYMENTS)
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(
        "CREATE TRIGGER book_sales AFTER INSERT ON sale_entry REFERENCING NEW TABLE AS fresh"
        " FOR EACH STATEMENT EXECUTE FUNCTION book_sales()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER book_sales ON sale_entry")
    for name in _CHECKS:
        op.drop_constraint(op.f(f"ck_payment_{name}"), "payment")
    op.drop_constraint(op.f("ck_payment_method"), "payment")
    op.create_check_constraint(op.f("ck_payment_method"), "payment", "method IN ('bank_transfer')")
    op.drop_constraint(op.f("fk_payment_undone_by"), "payment", type_="foreignkey")
    op.drop_index(
        "uq_payment_bank_reference", table_name="payment", postgresql_where=sa.text("source = 'announced' AND undone_at IS NULL")
    )
    op.create_unique_constraint(
        op.f("uq_payment_bank_reference"), "payment", ["bank_reference"], postgresql_nulls_not_distinct=False
    )
    op.alter_column("payment", "recorded_by", existing_type=sa.BIGINT(), nullable=False)
    op.drop_column("payment", "undo_reason")
    op.drop_column("payment", "undone_by")
    op.drop_column("payment", "undone_at")
    op.drop_column("payment", "source")
    op.drop_index("uq_money_posting_sale", table_name="money_posting", postgresql_where=sa.text("sale_entry_id IS NOT NULL"))
    op.drop_index(op.f("ix_money_posting_transaction_id"), table_name="money_posting")
    op.drop_index(
        op.f("ix_money_posting_supplier_order_id_account"),
        table_name="money_posting",
        postgresql_include=["transaction_id", "amount_fen"],
    )
    op.drop_index(
        op.f("ix_money_posting_purchase_order_id_account"),
        table_name="money_posting",
        postgresql_include=["transaction_id", "amount_fen"],
    )
    op.drop_index(op.f("ix_money_posting_party_id_account_id"), table_name="money_posting", postgresql_include=["amount_fen"])
    op.drop_index(
        op.f("ix_money_posting_account_id"),
        table_name="money_posting",
        postgresql_include=["amount_fen"],
        postgresql_where=sa.text("account NOT IN ('receivable','payable')"),
    )
    op.drop_table("money_posting")
    op.drop_index(op.f("ix_refund_status_id"), table_name="refund")
    op.drop_index(op.f("ix_refund_purchase_order_id"), table_name="refund")
    op.drop_index(op.f("ix_refund_payment_id"), table_name="refund", postgresql_where=sa.text("payment_id IS NOT NULL"))
    op.drop_table("refund")
    op.drop_index(op.f("ix_credit_move_to_order_id"), table_name="credit_move")
    op.drop_index(op.f("ix_credit_move_from_order_id"), table_name="credit_move")
    op.drop_table("credit_move")
    op.drop_index("uq_money_transaction_origin", table_name="money_transaction", postgresql_where=sa.text("kind <> 'reassignment'"))
    op.drop_index(op.f("ix_money_transaction_booked_on_id"), table_name="money_transaction")
    op.drop_table("money_transaction")
    for name in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
