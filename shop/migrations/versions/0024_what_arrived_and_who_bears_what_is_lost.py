"""Dues tell what arrived apart from what is only announced; what suppliers bear of payments that buyers' banks took back; disputes lost, then won; no
payment is taken back on which released refunds rest."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_KINDS = (
    "'sale','freight','allowance','reassignment','payment','payment_undone','credit_moved','refund','refund_paid','refund_failed',{refund}'receipt',"
    "'receipt_matched','receipt_undone','bank_entry','fee','chargeback','chargeback_closed',{reinstated}'online_payout','online_found',"
    "'online_transfer','settlement',{borne}'payout','payout_paid','payout_failed',{payout}'payout_returned','advance','advance_used'"
)
_REINSTATED = {"reinstated": "chargeback", "refund": "refund", "payout": "payout"}
_ACCOUNTS = (
    "'receivable','payable','settled','advances','payouts',{borne}'announced','bank','online','unallocated','refunds','chargebacks',"
    "'commission','fees'"
)
_OF_PARTY = "'advances','announced',{borne}'payable','payouts','receivable','refunds','settled'"
_CASH = "'payment', 'payment_undone', 'credit_moved', 'refund', 'refund_failed', 'chargeback', 'chargeback_closed'"
# As it was made with the payment terms; what counts as paid grows by what a bank gave back after all. It looked whenever more was taken, and not when
# less was there: a payment that is found to be something else's leaves enough for the refunds that are released and have not left.
_HOLD_CREDIT = """
    CREATE OR REPLACE FUNCTION hold_credit() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        of_order bigint := coalesce(to_jsonb(NEW) ->> 'from_order_id', to_jsonb(NEW) ->> 'purchase_order_id')::bigint;
        of_payment bigint := (to_jsonb(NEW) ->> 'payment_id')::bigint;
    BEGIN
        PERFORM FROM payment_plan WHERE purchase_order_id = of_order FOR NO KEY UPDATE;
        {resting}IF (SELECT -coalesce(sum(p.amount_fen), 0) FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id
            WHERE p.purchase_order_id = of_order AND p.account = 'receivable' AND t.kind IN ({cash}))
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
_RESTING = """IF TG_TABLE_NAME = 'payment' AND NOT EXISTS (
               SELECT FROM refund WHERE purchase_order_id = of_order AND status IN ('approved', 'sent')) THEN
            RETURN NULL;
        END IF;
        """
#: Taken back; or shown by the bank no more, and so only announced again. An announcement that is taken back was never there.
_TAKEN_BACK = "OLD.undone_at IS NULL AND NEW.undone_at IS NOT NULL AND NEW.source <> 'announced' OR OLD.shown_at IS NOT NULL AND NEW.shown_at IS NULL"
_RELEASED = "NEW.status IN ('approved', 'sent', 'paid') AND NEW.approved_by IS NOT NULL"
# What arrived covers the oldest dues first, as what was paid does.
_ARRIVED = f"""
    UPDATE payment_due d SET arrived_fen = w.fen
    FROM (SELECT d.id, greatest(least(d.paid_fen, there.fen - sum(d.paid_fen) OVER (PARTITION BY d.purchase_order_id ORDER BY d.position)
                                      + d.paid_fen), 0) AS fen
          FROM payment_due d CROSS JOIN LATERAL (
              SELECT (SELECT -coalesce(sum(p.amount_fen), 0) FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id
                      WHERE p.purchase_order_id = d.purchase_order_id AND p.account = 'receivable' AND t.kind IN ({_CASH}))
                     - (SELECT greatest(coalesce(sum(a.amount_fen), 0), 0) FROM money_posting a
                        WHERE a.purchase_order_id = d.purchase_order_id AND a.account IN ('announced', 'chargebacks')) AS fen) there
          WHERE d.paid_fen > 0) w
    WHERE d.id = w.id AND w.fen > 0
"""  # noqa: S608


def upgrade() -> None:
    op.add_column("payment_due", sa.Column("arrived_fen", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(_ARRIVED)
    op.create_check_constraint(op.f("ck_payment_due_arrived_fen"), "payment_due", "arrived_fen BETWEEN 0 AND paid_fen")
    _index("arrived_fen < amount_fen")
    op.add_column("charge_dispute", sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE charge_dispute SET lost_at = coalesce(ended_at, opened_at) WHERE status = 'lost'")
    op.create_check_constraint(
        op.f("ck_charge_dispute_lost_at"),
        "charge_dispute",
        "CASE status WHEN 'lost' THEN lost_at IS NOT NULL WHEN 'won' THEN true ELSE lost_at IS NULL END",
    )
    op.create_table(
        "loss_share",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("supplier_order_id", sa.BigInteger(), nullable=False),
        sa.Column("charge_dispute_id", sa.BigInteger(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_loss_share_amount_fen")),
        sa.CheckConstraint("reason IN ('lost','won','covered')", name=op.f("ck_loss_share_reason")),
        sa.CheckConstraint("(reason = 'lost') = (amount_fen > 0)", name=op.f("ck_loss_share_sign")),
        sa.CheckConstraint("(reason = 'covered') = (charge_dispute_id IS NULL)", name=op.f("ck_loss_share_dispute")),
        sa.ForeignKeyConstraint(["charge_dispute_id"], ["charge_dispute.id"], name=op.f("fk_loss_share_charge_dispute_id")),
        sa.ForeignKeyConstraint(["supplier_order_id"], ["supplier_order.id"], name=op.f("fk_loss_share_supplier_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loss_share")),
    )
    op.create_index(
        "uq_loss_share_dispute",
        "loss_share",
        ["charge_dispute_id", "supplier_order_id", "reason"],
        unique=True,
    )
    op.create_index(op.f("ix_loss_share_supplier_order_id"), "loss_share", ["supplier_order_id"], unique=False)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON loss_share FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    _ledger(reinstated=True, borne_kind="'loss_borne',", borne="'borne',")
    op.execute(_HOLD_CREDIT.format(cash=f"{_CASH}, 'chargeback_reinstated', 'refund_reinstated'", resting=_RESTING))
    op.execute(
        "CREATE CONSTRAINT TRIGGER hold_credit_on_undo AFTER UPDATE OF undone_at, shown_at ON payment DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW WHEN ({_TAKEN_BACK}) EXECUTE FUNCTION hold_credit()"
    )
    # of one that was said to have failed the bank may show that it left: a fact, which nothing refuses
    _look_at_release("'approved', 'sent', 'paid', 'failed'")


def _look_at_release(unless_from: str) -> None:
    """Look at the credit of an order when a refund of it is released from another state than these."""
    op.execute("DROP TRIGGER hold_credit_on_release ON refund")
    op.execute(
        "CREATE CONSTRAINT TRIGGER hold_credit_on_release AFTER UPDATE OF status ON refund DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW WHEN (OLD.status NOT IN ({unless_from}) AND {_RELEASED}) EXECUTE FUNCTION hold_credit()"
    )


def _index(where: str) -> None:
    """Of the dues that somebody still waits for."""
    op.drop_index(op.f("ix_payment_due_due_on_id"), table_name="payment_due")
    op.create_index(
        op.f("ix_payment_due_due_on_id"), "payment_due", ["due_on", "id"], unique=False, postgresql_where=sa.text(where)
    )


def _ledger(*, reinstated: bool, borne_kind: str, borne: str) -> None:
    """The kinds and accounts of the money ledger; a failure may be taken back, and come again."""
    again = {name: f"'{of}_reinstated'," * reinstated for name, of in _REINSTATED.items()}
    for table, name, condition in (
        ("money_transaction", "kind", f"kind IN ({_KINDS.format(**again, borne=borne_kind)})"),
        ("money_posting", "account", f"account IN ({_ACCOUNTS.format(borne=borne)})"),
        ("money_posting", "party_id", f"account NOT IN ({_OF_PARTY.format(borne=borne)}) OR party_id IS NOT NULL"),
    ):
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    op.drop_index("uq_money_transaction_origin", table_name="money_transaction")
    if reinstated:
        op.add_column("money_transaction", sa.Column("turn", sa.Integer(), server_default="0", nullable=False))
    else:
        op.drop_column("money_transaction", "turn")
    op.create_index(
        "uq_money_transaction_origin",
        "money_transaction",
        ["kind", "origin_id", "turn"] if reinstated else ["kind", "origin_id"],
        unique=True,
        postgresql_where=sa.text("kind <> 'reassignment'"),
    )


def downgrade() -> None:
    _look_at_release("'approved', 'sent', 'paid'")
    op.execute("DROP TRIGGER hold_credit_on_undo ON payment")
    op.execute(_HOLD_CREDIT.format(cash=_CASH, resting=""))
    _ledger(reinstated=False, borne_kind="", borne="")
    op.drop_index(op.f("ix_loss_share_supplier_order_id"), table_name="loss_share")
    op.drop_index("uq_loss_share_dispute", table_name="loss_share")
    op.drop_table("loss_share")
    op.drop_constraint(op.f("ck_charge_dispute_lost_at"), "charge_dispute")
    op.drop_column("charge_dispute", "lost_at")
    _index("paid_fen < amount_fen")
    op.drop_constraint(op.f("ck_payment_due_arrived_fen"), "payment_due")
    op.drop_column("payment_due", "arrived_fen")
