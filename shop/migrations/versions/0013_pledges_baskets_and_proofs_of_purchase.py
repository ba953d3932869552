"""Pledges to buy instead of donating, what counts towards them, baskets proposed for them, and proofs of purchase, which stay as they are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

#: What a proof says never changes; only that it was replaced or revoked is added.
_GUARD = """
CREATE FUNCTION purchase_proof_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.number, NEW.pledge_id, NEW.issued_at, NEW.amount_fen, NEW.snapshot, NEW.sha256)
        IS DISTINCT FROM (OLD.number, OLD.pledge_id, OLD.issued_at, OLD.amount_fen, OLD.snapshot, OLD.sha256) THEN
        RAISE EXCEPTION 'a proof of purchase stays as it was issued';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER purchase_proof_stays BEFORE UPDATE OR DELETE ON purchase_proof FOR EACH ROW EXECUTE FUNCTION purchase_proof_stays();
"""


def upgrade() -> None:
    op.create_table(
        "pledge",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("per_head_cap_fen", sa.BigInteger(), nullable=True),
        sa.Column("fund_source", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="draft", nullable=False),
        sa.Column("reason", sa.String(), nullable=True, comment="why it was cancelled"),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("fund_source IN ('canteen','union','welfare','other')", name=op.f("ck_pledge_fund_source")),
        sa.CheckConstraint("kind IN ('donate_by_purchase','buy_to_help')", name=op.f("ck_pledge_kind")),
        sa.CheckConstraint("status IN ('draft','cancelled') OR number IS NOT NULL", name=op.f("ck_pledge_number")),
        sa.CheckConstraint("status IN ('draft','open','closed','cancelled')", name=op.f("ck_pledge_status")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_pledge_amount_fen")),
        sa.CheckConstraint("per_head_cap_fen > 0", name=op.f("ck_pledge_per_head_cap_fen")),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_pledge_period")),
        sa.ForeignKeyConstraint(["created_by"], ["app_user.id"], name=op.f("fk_pledge_created_by")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_pledge_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pledge")),
        sa.UniqueConstraint("number", name=op.f("uq_pledge_number")),
    )
    op.create_index(op.f("ix_pledge_organisation_id_id"), "pledge", ["organisation_id", "id"], unique=False)
    op.create_index(
        op.f("ix_pledge_valid_until"), "pledge", ["valid_until"], unique=False, postgresql_where=sa.text("status = 'open'")
    )
    op.create_table(
        "pledge_agreement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("pledge_id", sa.BigInteger(), nullable=False),
        sa.Column("agreement_id", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["app_user.id"], name=op.f("fk_pledge_agreement_added_by")),
        sa.ForeignKeyConstraint(["pledge_id"], ["pledge.id"], name=op.f("fk_pledge_agreement_pledge_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pledge_agreement")),
        sa.UniqueConstraint("agreement_id", name=op.f("uq_pledge_agreement_agreement_id")),
    )
    op.create_index(op.f("ix_pledge_agreement_pledge_id"), "pledge_agreement", ["pledge_id"], unique=False)
    op.create_table(
        "pledge_recipient",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("pledge_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("delivery_address", sa.String(), nullable=False),
        sa.Column("delivery_contact", sa.String(), nullable=True),
        sa.Column("delivery_phone", sa.String(), nullable=True),
        sa.CheckConstraint("heads > 0", name=op.f("ck_pledge_recipient_heads")),
        sa.ForeignKeyConstraint(["pledge_id"], ["pledge.id"], name=op.f("fk_pledge_recipient_pledge_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pledge_recipient")),
        sa.UniqueConstraint("pledge_id", "name", name=op.f("uq_pledge_recipient_pledge_id_name")),
    )
    op.create_table(
        "pledge_region",
        sa.Column("pledge_id", sa.BigInteger(), nullable=False),
        sa.Column("region_code", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["pledge_id"], ["pledge.id"], name=op.f("fk_pledge_region_pledge_id")),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_pledge_region_region_code")),
        sa.PrimaryKeyConstraint("pledge_id", "region_code", name=op.f("pk_pledge_region")),
    )
    op.create_index(
        "ix_pledge_region_code", "pledge_region", ["region_code"], unique=False, postgresql_ops={"region_code": "text_pattern_ops"}
    )
    op.create_table(
        "purchase_proof",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("pledge_id", sa.BigInteger(), nullable=False),
        sa.Column("issued_by", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoke_reason", sa.String(), nullable=True),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoke_reason IS NULL)", name=op.f("ck_purchase_proof_revoked")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_purchase_proof_amount_fen")),
        sa.ForeignKeyConstraint(["issued_by"], ["app_user.id"], name=op.f("fk_purchase_proof_issued_by")),
        sa.ForeignKeyConstraint(["pledge_id"], ["pledge.id"], name=op.f("fk_purchase_proof_pledge_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_proof")),
        sa.UniqueConstraint("number", name=op.f("uq_purchase_proof_number")),
    )
    op.create_index(op.f("ix_purchase_proof_pledge_id_id"), "purchase_proof", ["pledge_id", "id"], unique=False)
    op.create_index(
        "uq_purchase_proof_standing",
        "purchase_proof",
        ["pledge_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL AND revoked_at IS NULL"),
    )
    op.create_table(
        "basket_proposal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("pledge_id", sa.BigInteger(), nullable=False),
        sa.Column("asked", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("budget_fen", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), server_default="waiting", nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=True),
        sa.Column("result", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("baseline", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("obstacles", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("proven", sa.Boolean(), nullable=True),
        sa.Column("recipient_id", sa.BigInteger(), nullable=True),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=True),
        sa.Column("purchase_request_id", sa.BigInteger(), nullable=True),
        sa.Column("requested_by", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'ordered') = (purchase_order_id IS NOT NULL OR purchase_request_id IS NOT NULL)",
            name=op.f("ck_basket_proposal_ordered"),
        ),
        sa.CheckConstraint(
            "status IN ('waiting','explaining','ready','infeasible','failed','ordered')", name=op.f("ck_basket_proposal_status")
        ),
        sa.CheckConstraint("budget_fen > 0", name=op.f("ck_basket_proposal_budget_fen")),
        sa.ForeignKeyConstraint(["pledge_id"], ["pledge.id"], name=op.f("fk_basket_proposal_pledge_id")),
        sa.ForeignKeyConstraint(["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_basket_proposal_purchase_order_id")),
        sa.ForeignKeyConstraint(["recipient_id"], ["pledge_recipient.id"], name=op.f("fk_basket_proposal_recipient_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["app_user.id"], name=op.f("fk_basket_proposal_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_basket_proposal")),
        sa.UniqueConstraint("purchase_order_id", name=op.f("uq_basket_proposal_purchase_order_id")),
        sa.UniqueConstraint("purchase_request_id", name=op.f("uq_basket_proposal_purchase_request_id")),
    )
    op.create_index(op.f("ix_basket_proposal_pledge_id_id"), "basket_proposal", ["pledge_id", "id"], unique=False)
    op.create_index(
        "ix_basket_proposal_unfinished",
        "basket_proposal",
        ["requested_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('waiting','explaining')"),
    )
    op.create_table(
        "pledge_order",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("pledge_id", sa.BigInteger(), nullable=False),
        sa.Column("purchase_order_id", sa.BigInteger(), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=True),
        sa.Column("added_by", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["app_user.id"], name=op.f("fk_pledge_order_added_by")),
        sa.ForeignKeyConstraint(["pledge_id"], ["pledge.id"], name=op.f("fk_pledge_order_pledge_id")),
        sa.ForeignKeyConstraint(["purchase_order_id"], ["purchase_order.id"], name=op.f("fk_pledge_order_purchase_order_id")),
        sa.ForeignKeyConstraint(["recipient_id"], ["pledge_recipient.id"], name=op.f("fk_pledge_order_recipient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pledge_order")),
        sa.UniqueConstraint("purchase_order_id", name=op.f("uq_pledge_order_purchase_order_id")),
    )
    op.create_index(op.f("ix_pledge_order_pledge_id"), "pledge_order", ["pledge_id"], unique=False)
    op.create_table(
        "basket_proposal_line",
        sa.Column("proposal_id", sa.BigInteger(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("sku_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("deep", sa.Boolean(), nullable=False),
        sa.Column("new_village", sa.Boolean(), nullable=False),
        sa.CheckConstraint("amount_fen = quantity * unit_price_fen", name=op.f("ck_basket_proposal_line_amount_fen")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_basket_proposal_line_quantity")),
        sa.ForeignKeyConstraint(["proposal_id"], ["basket_proposal.id"], name=op.f("fk_basket_proposal_line_proposal_id")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_basket_proposal_line_sku_id")),
        sa.PrimaryKeyConstraint("proposal_id", "line_no", name=op.f("pk_basket_proposal_line")),
    )
    op.execute(_GUARD)


def downgrade() -> None:
    for table in (
        "basket_proposal_line",
        "pledge_order",
        "basket_proposal",
        "purchase_proof",
        "pledge_region",
        "pledge_recipient",
        "pledge_agreement",
        "pledge",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION purchase_proof_stays")
