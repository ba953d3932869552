"""Payment terms of orders, what is due when, and how much a buyer may owe."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_REASONS = (
    "'not_needed','wrong_details','wrong_unit','freight','out_of_stock','cannot_deliver','price','other',"
    "'not_confirmed_in_time','agreed','certificate'"
)
# Looks when everything of the transaction is written. Whoever changes what an order costs or what was paid for it counts its dues, which sum to
# what it costs, and holds its plan for that: so of two transactions the later one sees what the earlier one left, whatever both had read before.
_HOLD_CREDIT = """
    CREATE FUNCTION hold_credit() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        of_order bigint := coalesce(to_jsonb(NEW) ->> 'from_order_id', to_jsonb(NEW) ->> 'purchase_order_id')::bigint;
        of_payment bigint := (to_jsonb(NEW) ->> 'payment_id')::bigint;
    BEGIN
        PERFORM FROM payment_plan WHERE purchase_order_id = of_order FOR NO KEY UPDATE;
        IF (SELECT -coalesce(sum(p.amount_fen), 0) FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id
            WHERE p.purchase_order_id = of_order AND p.account = 'receivable' AND t.kind IN
                  ('payment', 'payment_undone', 'credit_moved', 'refund', 'refund_failed', 'chargeback', 'chargeback_closed'))
           -- what is only announced, or argued over with the buyer's bank, is not there
           - (SELECT greatest(coalesce(sum(amount_fen), 0), 0) FROM money_posting
              WHERE purchase_order_id = of_order AND account IN ('announced', 'chargebacks'))
           < (SELECT coalesce(sum(amount_fen), 0) FROM payment_due WHERE purchase_order_id = of_order) THEN
            RAISE EXCEPTION 'more is taken from order % than was paid too much for it', of_order
                USING ERRCODE = 'check_violation', CONSTRAINT = format('ck_%s_credit', TG_TABLE_NAME);
        END IF;
        IF (SELECT sum(amount_fen) FROM refund WHERE payment_id = of_payment AND status IN ('approved', 'sent', 'paid'))
           > (SELECT amount_fen FROM payment WHERE id = of_payment) THEN
            RAISE EXCEPTION 'more goes back than payment %', of_payment
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_refund_payment_left';
        END IF;
        RETURN NULL;
    END $$
"""
# What nobody released is a fact that the provider shows: nothing refuses it.
_RELEASED = "NEW.status IN ('approved', 'sent', 'paid') AND NEW.approved_by IS NOT NULL"
#: Trigger, when it fires, and for which rows.
_CREDIT_HELD = (
    ("hold_credit", "INSERT ON credit_move", "true"),
    ("hold_credit_on_insert", "INSERT ON refund", _RELEASED),
    ("hold_credit_on_release", "UPDATE OF status ON refund", f"OLD.status NOT IN ('approved', 'sent', 'paid') AND {_RELEASED}"),
)
#: What may fix the terms of orders ahead of them, and requests that wait.
_FIXING = ("agreement", "buying_settings", "purchase_request", "quotation_request")


def upgrade() -> None:
    op.create_table(
        "payment_plan",
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("extended_days", sa.Integer(), server_default="0", nullable=False),
        sa.Column("extended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("extended_by", sa.BigInteger(), nullable=True),
        sa.Column("extension_reason", sa.String(), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('prepayment','net','instalments','deposit')", name=op.f("ck_payment_plan_kind")),
        sa.CheckConstraint("terms ->> 'kind' = kind", name=op.f("ck_payment_plan_terms")),
        sa.CheckConstraint("(extended_days = 0) = (extended_at IS NULL)", name=op.f("ck_payment_plan_extended")),
        sa.CheckConstraint("extended_days = 0 OR kind = 'prepayment'", name=op.f("ck_payment_plan_extended_kind")),
        sa.ForeignKeyConstraint(["extended_by"], ["app_user.id"], name=op.f("fk_payment_plan_extended_by")),
        sa.ForeignKeyConstraint(["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_payment_plan_purchase_order_id")),
        sa.PrimaryKeyConstraint("purchase_order_id", name=op.f("pk_payment_plan")),
    )
    op.create_index(
        op.f("ix_payment_plan_purchase_order_id"),
        "payment_plan",
        ["purchase_order_id"],
        unique=False,
        postgresql_where=sa.text("counted_at IS NULL"),
    )
    op.create_table(
        "payment_due",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("counted_from", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("counted_from IN ('order','confirmation','acceptance')", name=op.f("ck_payment_due_counted_from")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_due_amount_fen")),
        sa.CheckConstraint("paid_fen BETWEEN 0 AND amount_fen", name=op.f("ck_payment_due_paid_fen")),
        sa.ForeignKeyConstraint(
            ["purchase_order_id"], ["payment_plan.purchase_order_id"], name=op.f("fk_payment_due_purchase_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_due")),
        sa.UniqueConstraint("purchase_order_id", "position", name=op.f("uq_payment_due_purchase_order_id_position")),
    )
    op.create_index(op.f("ix_payment_due_supplier_order_id"), "payment_due", ["supplier_order_id"], unique=False)
    op.create_index(
        op.f("ix_payment_due_due_on_id"),
        "payment_due",
        ["due_on", "id"],
        unique=False,
        postgresql_where=sa.text("paid_fen < amount_fen"),
    )
    op.create_table(
        "credit_limit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("limit_fen", sa.BigInteger(), nullable=False),
        sa.Column("used_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("over_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("limit_fen >= 0 AND used_fen >= 0 AND over_fen >= 0", name=op.f("ck_credit_limit_amounts")),
        sa.CheckConstraint("used_fen <= limit_fen", name=op.f("ck_credit_limit_limit")),
        sa.CheckConstraint("over_fen = 0 OR used_fen = limit_fen", name=op.f("ck_credit_limit_over")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_credit_limit_organisation_id")),
        sa.ForeignKeyConstraint(["set_by"], ["app_user.id"], name=op.f("fk_credit_limit_set_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_limit")),
        sa.UniqueConstraint("organisation_id", name=op.f("uq_credit_limit_organisation_id")),
    )
    op.create_table(
        "credit_draw",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("credit_limit_id", sa.BigInteger(), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_credit_draw_amount_fen")),
        sa.ForeignKeyConstraint(["credit_limit_id"], ["credit_limit.id"], name=op.f("fk_credit_draw_credit_limit_id")),
        sa.ForeignKeyConstraint(["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_credit_draw_purchase_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_draw")),
        sa.UniqueConstraint("purchase_order_id", name=op.f("uq_credit_draw_purchase_order_id")),
    )
    op.create_index(op.f("ix_credit_draw_credit_limit_id_id"), "credit_draw", ["credit_limit_id", "id"], unique=False)
    for table in _FIXING:
        op.add_column(table, sa.Column("payment_terms", postgresql.JSONB(), nullable=True))
    _reasons(_REASONS + ",'not_paid_in_time'")
    # what contracts said so far; their dues are counted by the program, which finds them by this
    op.execute(
        "INSERT INTO payment_plan (purchase_order_id, kind, terms)"
        " SELECT id, 'net', jsonb_build_object('kind', 'net', 'days', 30) FROM purchase_order"
    )
    op.execute(_HOLD_CREDIT)
    for name, event, condition in _CREDIT_HELD:
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {name} AFTER {event} DEFERRABLE INITIALLY DEFERRED"
            f" FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION hold_credit()"
        )


def downgrade() -> None:
    for name, event, _ in _CREDIT_HELD:
        op.execute(f"DROP TRIGGER {name} ON {event.split()[-1]}")
    op.execute("DROP FUNCTION hold_credit()")
    _reasons(_REASONS)
    for table in reversed(_FIXING):
        op.drop_column(table, "payment_terms")
    op.drop_index(op.f("ix_credit_draw_credit_limit_id_id"), table_name="credit_draw")
    op.drop_table("credit_draw")
    op.drop_table("credit_limit")
    op.drop_index(op.f("ix_payment_due_due_on_id"), table_name="payment_due", postgresql_where=sa.text("paid_fen < amount_fen"))
    op.drop_index(op.f("ix_payment_due_supplier_order_id"), table_name="payment_due")
    op.drop_table("payment_due")
    op.drop_index(
        op.f("ix_payment_plan_purchase_order_id"), table_name="payment_plan", postgresql_where=sa.text("counted_at IS NULL")
    )
    op.drop_table("payment_plan")


def _reasons(codes: str) -> None:
    op.drop_constraint(op.f("ck_supplier_order_reason_code"), "supplier_order")
    op.create_check_constraint(op.f("ck_supplier_order_reason_code"), "supplier_order", f"reason_code IN ({codes})")
