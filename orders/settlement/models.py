"""Commission rules, settlements with suppliers, payouts, suppliers' bank accounts and what was paid ahead."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, ref


class CommissionRule(SQLModel, table=True):
    """One version of what the marketplace keeps of sales: by supplier, by category, by both, or of everything. Rows are never changed; of one
    scope the latest that has begun holds."""

    __tablename__ = "commission_rule"
    __table_args__ = (
        CheckConstraint("kind IN ('rate','fixed','none')", name="kind"),
        CheckConstraint("(kind = 'rate') = (rate_bp IS NOT NULL) AND rate_bp BETWEEN 0 AND 10000", name="rate"),
        CheckConstraint("(kind = 'fixed') = (fixed_fen IS NOT NULL) AND fixed_fen >= 0", name="fixed"),
        Index(
            "uq_commission_rule_version",
            "programme_code",
            "supplier_id",
            "category",
            "version",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: int = key()
    programme_code: str = Field(foreign_key="programme.code")
    supplier_id: int | None = ref("organisation.id", nullable=True)
    category: str | None = None
    kind: str
    #: Basis points: 150 is 1.5 %.
    rate_bp: int | None = None
    fixed_fen: int | None = fen(nullable=True)
    #: Orders placed from this Shanghai date on.
    valid_from: date
    #: 1, 2, … of one scope.
    version: int
    reason: str
    set_by: int = ref("app_user.id")
    set_at: datetime = moment()


class SettlementRun(SQLModel, table=True):
    """One run over a period: everything that it took up was taken up at once."""

    __tablename__ = "settlement_run"
    __table_args__ = (Index("uq_settlement_run_automatic", "period_end", unique=True, postgresql_where=text("run_by IS NULL")),)

    id: int = key()
    period_start: date
    period_end: date
    #: Null: by the clock.
    run_by: int | None = ref("app_user.id", nullable=True)
    run_at: datetime = moment()


class Settlement(SQLModel, table=True):
    """What a supplier gets for a period. Amounts never change; what was wrong is put right in the next one."""

    __tablename__ = "settlement"
    __table_args__ = (
        # once for each supplier and period, whoever asks how often
        UniqueConstraint("supplier_id", "period_end"),
        CheckConstraint("status IN ('open','confirmed','objected','answered')", name="status"),
        CheckConstraint("period_start <= period_end", name="period"),
        CheckConstraint("net_fen = sales_fen + returns_fen + freight_fen + other_fen - commission_fen", name="net_fen"),
        CheckConstraint("carried_fen <= 0", name="carried_fen"),
        CheckConstraint("due_fen = greatest(carried_fen + net_fen, 0) - advance_used_fen AND due_fen >= 0", name="due_fen"),
        CheckConstraint("advance_used_fen >= 0", name="advance_used_fen"),
        Index(None, "run_id"),
        Index(None, "period_end", "id"),
    )

    id: int = key()
    #: JS2026-000001, without gaps.
    number: str = Field(unique=True)
    run_id: int = ref("settlement_run.id")
    supplier_id: int = ref("organisation.id")
    period_start: date
    period_end: date
    line_count: int
    sales_fen: int = fen()
    #: Returns and corrections, at most zero.
    returns_fen: int = fen()
    freight_fen: int = fen()
    #: What disputes gave back without goods, and what the supplier bears of lost payments (above zero: gets back of that).
    other_fen: int = fen()
    commission_fen: int = fen()
    net_fen: int = fen()
    #: What the settlement before left over, at most zero.
    carried_fen: int = fen()
    #: What was paid ahead and is used up by it.
    advance_used_fen: int = fen()
    due_fen: int = fen()
    #: Owed, and not taken up for the reasons that :class:`SettlementHeld` tells.
    held_fen: int = fen()
    status: str = Field(default="open", sa_column_kwargs={"server_default": "open"})
    #: The last day on which the supplier may object.
    objections_until: date
    made_at: datetime = moment()
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class SettlementLine(SQLModel, table=True):
    """One thing that was owed and is taken up. The key is the posting's: nothing is taken up twice. Rows are never changed."""

    __tablename__ = "settlement_line"
    __table_args__ = (Index(None, "settlement_id", "posting_id"), Index(None, "supplier_order_id", "rule_id"))

    posting_id: int = ref("money_posting.id", primary_key=True)
    settlement_id: int = ref("settlement.id")
    supplier_order_id: int = ref("supplier_order.id")
    #: The rule whose whole it counts to; null: no commission.
    rule_id: int | None = ref("commission_rule.id", nullable=True)
    #: Above zero: owed to the supplier.
    amount_fen: int = fen()
    commission_fen: int = fen()


class SettlementHeld(SQLModel, table=True):
    """What was owed when a settlement was made and had to wait, and why. Rows are never changed."""

    __tablename__ = "settlement_held"

    settlement_id: int = ref("settlement.id", primary_key=True)
    posting_id: int = ref("money_posting.id", primary_key=True)
    supplier_order_id: int = ref("supplier_order.id")
    amount_fen: int = fen()
    hold: str


class LossShare(SQLModel, table=True):
    """What a supplier bears of a payment that the buyer's bank took back for good after settlements had taken it up; below zero: what it gets back of
    that. Rows are never changed."""

    __tablename__ = "loss_share"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="amount_fen"),
        CheckConstraint("reason IN ('lost','won','covered')", name="reason"),
        CheckConstraint("(reason = 'lost') = (amount_fen > 0)", name="sign"),
        CheckConstraint("(reason = 'covered') = (charge_dispute_id IS NULL)", name="dispute"),
        # a dispute is lost, and won after all, once
        Index("uq_loss_share_dispute", "charge_dispute_id", "supplier_order_id", "reason", unique=True),
        Index(None, "supplier_order_id"),
    )

    id: int = key()
    supplier_order_id: int = ref("supplier_order.id")
    #: Null: the buyer paid after all, or owes less by now.
    charge_dispute_id: int | None = ref("charge_dispute.id", nullable=True)
    amount_fen: int = fen()
    reason: str
    booked_at: datetime = moment()


class SettlementObjection(SQLModel, table=True):
    """What a supplier has against a statement, and the answer."""

    __tablename__ = "settlement_objection"
    __table_args__ = (
        CheckConstraint("(answered_at IS NULL) = (answer IS NULL)", name="answered"),
        Index("uq_settlement_objection_open", "settlement_id", unique=True, postgresql_where=text("answered_at IS NULL")),
        Index(None, "settlement_id", "id"),
    )

    id: int = key()
    settlement_id: int = ref("settlement.id")
    reason: str
    raised_by: int = ref("app_user.id")
    raised_at: datetime = moment()
    answer: str | None = None
    answered_by: int | None = ref("app_user.id", nullable=True)
    answered_at: datetime | None = moment(nullable=True)


class HoldLift(SQLModel, table=True):
    """A hold that platform finance lifted for one part of an order."""

    __tablename__ = "hold_lift"
    __table_args__ = (
        CheckConstraint("hold IN ('supplier_blocked','certificate_stopped','no_invoice')", name="hold"),
        UniqueConstraint("supplier_order_id", "hold"),
    )

    id: int = key()
    supplier_order_id: int = ref("supplier_order.id")
    hold: str
    reason: str
    lifted_by: int = ref("app_user.id")
    lifted_at: datetime = moment()


class PayoutAccount(SQLModel, table=True):
    """A supplier's bank account. Content is never changed: a change is another row, approved by a second person, used after some days."""

    __tablename__ = "payout_account"
    __table_args__ = (
        CheckConstraint("status IN ('requested','approved','refused','withdrawn')", name="status"),
        CheckConstraint("(status = 'approved') = (usable_from IS NOT NULL AND decided_at IS NOT NULL)", name="usable_from"),
        CheckConstraint("decided_by <> requested_by OR status = 'withdrawn'", name="two_persons"),
        Index("uq_payout_account_requested", "supplier_id", unique=True, postgresql_where=text("status = 'requested'")),
        Index(None, "supplier_id", "usable_from", "id"),
    )

    id: int = key()
    supplier_id: int = ref("organisation.id")
    holder: str
    bank: str
    #: The number, encrypted; and its last four digits for people to know it by.
    sealed_number: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    tail: str
    status: str = Field(default="requested", sa_column_kwargs={"server_default": "requested"})
    reason: str
    requested_by: int = ref("app_user.id")
    requested_at: datetime = moment()
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    decision_note: str | None = None
    #: From this Shanghai date on it is paid to.
    usable_from: date | None = None


class PayoutFile(SQLModel, table=True):
    """A list of payouts for the bank; what is on it is what was sent by it. One that was never handed over is made void by another person."""

    __tablename__ = "payout_file"
    __table_args__ = (
        CheckConstraint("payout_count > 0 AND amount_fen > 0", name="content"),
        CheckConstraint("status IN ('made','sent','void')", name="status"),
        # who handed those over that are older than this rule, or that a line showed as a whole, nobody wrote down
        CheckConstraint("(status = 'sent') = (reference IS NOT NULL)", name="sent"),
        CheckConstraint("(sent_by IS NULL) = (sent_at IS NULL) AND (sent_by IS NULL OR status = 'sent')", name="sent_by"),
        CheckConstraint("num_nulls(voided_by, voided_at, void_reason) = CASE status WHEN 'void' THEN 0 ELSE 3 END", name="void"),
        CheckConstraint("voided_by <> made_by", name="two_persons"),
        Index(None, "amount_fen"),
    )

    id: int = key()
    #: FK2026-000001, without gaps.
    number: str = Field(unique=True)
    payout_count: int
    amount_fen: int = fen()
    made_by: int = ref("app_user.id")
    made_at: datetime = moment()
    status: str = Field(default="made", sa_column_kwargs={"server_default": "made"})
    sent_by: int | None = ref("app_user.id", nullable=True)
    sent_at: datetime | None = moment(nullable=True)
    #: The bank's number of the upload, or of the line that showed it.
    reference: str | None = None
    voided_by: int | None = ref("app_user.id", nullable=True)
    voided_at: datetime | None = moment(nullable=True)
    void_reason: str | None = None


class PayoutFileLine(SQLModel, table=True):
    """A release of a payout on a list; on one list only, unless that one is void."""

    __tablename__ = "payout_file_line"
    __table_args__ = (Index("uq_payout_file_line_attempt", "attempt_id", unique=True, postgresql_where=text("NOT void")),)

    payout_file_id: int = ref("payout_file.id", primary_key=True)
    attempt_id: int = ref("payout_attempt.id", primary_key=True)
    void: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})


class Payout(SQLModel, table=True):
    """The payment of one settlement, or of the part of another payout that came back. Whoever releases it neither drafted nor approved it. One that
    failed is approved and released again, so nobody's word of before counts."""

    __tablename__ = "payout"
    __table_args__ = (
        Index("uq_payout_settlement", "settlement_id", unique=True, postgresql_where=text("again_for_id IS NULL")),
        Index(None, "settlement_id"),
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        # what came back as a whole has failed; a part is owed again by another payout
        CheckConstraint("returned_fen = 0 OR (returned_fen BETWEEN 1 AND amount_fen AND status = 'paid')", name="returned_fen"),
        CheckConstraint("method IN ('bank','stripe')", name="method"),
        CheckConstraint("status IN ('draft','approved','released','sent','paid','failed')", name="status"),
        CheckConstraint("(status IN ('draft','failed')) = (approved_by IS NULL)", name="approved"),
        CheckConstraint("(status IN ('draft','approved','failed')) = (released_by IS NULL)", name="released"),
        CheckConstraint("approved_by <> released_by", name="two_persons"),
        CheckConstraint("drafted_by <> released_by", name="not_by_who_drafted"),
        Index(None, "amount_fen"),
        Index(None, "status", "id"),
        Index(None, "supplier_id", "id"),
    )

    id: int = key()
    settlement_id: int = ref("settlement.id")
    supplier_id: int = ref("organisation.id")
    amount_fen: int = fen()
    #: What came back of it after it was paid, in parts.
    returned_fen: int = fen(default=0)
    #: The payout of which it is the part that came back.
    again_for_id: int | None = ref("payout.id", nullable=True)
    method: str = Field(default="bank", sa_column_kwargs={"server_default": "bank"})
    status: str = Field(default="draft", sa_column_kwargs={"server_default": "draft"})
    #: Who ran the settlement; null: the clock.
    drafted_by: int | None = ref("app_user.id", nullable=True)
    drafted_at: datetime = moment()
    approved_by: int | None = ref("app_user.id", nullable=True)
    approved_at: datetime | None = moment(nullable=True)
    #: Who let the release go that stands; every release is an attempt of its own.
    released_by: int | None = ref("app_user.id", nullable=True)
    #: The bank's or the provider's.
    reference: str | None = None
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class PayoutAttempt(SQLModel, table=True):
    """One release of a payout and what became of it. Its id is what the money ledger books by."""

    __tablename__ = "payout_attempt"
    __table_args__ = (
        CheckConstraint("outcome IN ('paid','failed')", name="outcome"),
        Index("uq_payout_attempt_live", "payout_id", unique=True, postgresql_where=text("outcome IS DISTINCT FROM 'failed'")),
        Index(None, "payout_id", "id"),
    )

    id: int = key()
    payout_id: int = ref("payout.id")
    method: str
    #: The bank account that it goes to.
    account_id: int | None = ref("payout_account.id", nullable=True)
    #: Kept here besides, because a payout that failed has nobody who approved it: the bank may show that this one left all the same.
    approved_by: int = ref("app_user.id")
    approved_at: datetime = moment()
    released_by: int = ref("app_user.id")
    released_at: datetime = moment()
    sent_at: datetime | None = moment(nullable=True)
    reference: str | None = None
    outcome: str | None = None
    ended_at: datetime | None = moment(nullable=True)
    reason: str | None = None
    #: The latest line that looked like an earlier release, which had been said to have failed, or like this one by a list that is void, when it went on
    #: despite of it.
    passed_line_id: int | None = ref("bank_line.id", nullable=True)


class Advance(SQLModel, table=True):
    """Money that a supplier gets for a signed agreement before it is owed anything (预付款); later settlements use it up."""

    __tablename__ = "advance"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("status IN ('requested','approved','paid','returning','returned','refused')", name="status"),
        CheckConstraint("status IN ('requested','refused') OR approved_by IS NOT NULL", name="approved"),
        CheckConstraint("approved_by <> requested_by", name="two_persons"),
        CheckConstraint(
            "num_nulls(return_fen, return_asked_by) = 0 OR status NOT IN ('returning','returned') AND num_nonnulls(return_fen, return_asked_by) = 0",
            name="return_asked",
        ),
        CheckConstraint(
            "return_fen > 0 AND CASE status WHEN 'returning' THEN returned_fen + return_fen <= amount_fen ELSE return_fen <= returned_fen END",
            name="return_fen",
        ),
        CheckConstraint(
            "(return_fen IS NOT NULL AND status <> 'returning') = (return_confirmed_by IS NOT NULL)", name="return_confirmed"
        ),
        CheckConstraint(
            "returned_fen BETWEEN 0 AND amount_fen AND (status = 'returned') = (returned_fen = amount_fen)"
            " AND (returned_fen = 0 OR status IN ('paid','returning','returned'))",
            name="returned_fen",
        ),
        CheckConstraint("return_confirmed_by <> return_asked_by", name="return_two_persons"),
        Index(None, "agreement_id"),
        Index(None, "supplier_id", "id"),
    )

    id: int = key()
    #: YF2026-000001, without gaps.
    number: str = Field(unique=True)
    agreement_id: int = ref("agreement.id")
    supplier_id: int = ref("organisation.id")
    amount_fen: int = fen()
    reason: str
    status: str = Field(default="requested", sa_column_kwargs={"server_default": "requested"})
    requested_by: int = ref("app_user.id")
    requested_at: datetime = moment()
    approved_by: int | None = ref("app_user.id", nullable=True)
    approved_at: datetime | None = moment(nullable=True)
    paid_at: datetime | None = moment(nullable=True)
    reference: str | None = None
    end_reason: str | None = None
    #: What came back of it in all, as was confirmed.
    returned_fen: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    #: What came back by the last time, as one person says and another confirms.
    return_fen: int | None = fen(nullable=True)
    return_reason: str | None = None
    return_asked_by: int | None = ref("app_user.id", nullable=True)
    return_asked_at: datetime | None = moment(nullable=True)
    return_confirmed_by: int | None = ref("app_user.id", nullable=True)
    returned_at: datetime | None = moment(nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
