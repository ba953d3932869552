"""Pledges to buy instead of donating, what counts towards them, baskets proposed for them, and the proofs of what was bought."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import fen, grams, key, moment, quantity, ref


class Pledge(SQLModel, table=True):
    """An organisation undertakes to buy for an amount from chosen regions. Its figures are never stored: they are what the orders and the
    ledger say."""

    __tablename__ = "pledge"
    __table_args__ = (
        CheckConstraint("kind IN ('donate_by_purchase','buy_to_help')", name="kind"),
        CheckConstraint("status IN ('draft','open','closed','cancelled')", name="status"),
        CheckConstraint("fund_source IN ('canteen','union','welfare','other')", name="fund_source"),
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("per_head_cap_fen > 0", name="per_head_cap_fen"),
        CheckConstraint("valid_from <= valid_until", name="period"),
        CheckConstraint("status IN ('draft','cancelled') OR number IS NOT NULL", name="number"),
        Index(None, "organisation_id", "id"),
        Index(None, "valid_until", postgresql_where=text("status = 'open'")),
    )

    id: int = key()
    #: 'YG-' + year + '-' + a number without gaps in that year; given when the pledge is opened.
    number: str | None = Field(default=None, unique=True)
    organisation_id: int = ref("organisation.id")
    title: str
    kind: str
    amount_fen: int = fen()
    purpose: str
    #: Shanghai dates, both included: orders placed between them count.
    valid_from: date
    valid_until: date
    per_head_cap_fen: int | None = fen(nullable=True)
    fund_source: str
    status: str = Field(default="draft", sa_column_kwargs={"server_default": "draft"})
    reason: str | None = Field(default=None, sa_column_kwargs={"comment": "why it was cancelled"})
    created_by: int = ref("app_user.id")
    created_at: datetime = moment()
    opened_at: datetime | None = moment(nullable=True)
    closed_at: datetime | None = moment(nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class PledgeRegion(SQLModel, table=True):
    """A district or township that benefits; a district's code holds its townships."""

    __tablename__ = "pledge_region"
    __table_args__ = (Index("ix_pledge_region_code", "region_code", postgresql_ops={"region_code": "text_pattern_ops"}),)

    pledge_id: int = ref("pledge.id", primary_key=True)
    region_code: str = Field(primary_key=True, foreign_key="region.code")


class PledgeRecipient(SQLModel, table=True):
    """A group or body that gets the goods, such as 一线医护人员; no list of persons."""

    __tablename__ = "pledge_recipient"
    __table_args__ = (CheckConstraint("heads > 0", name="heads"), UniqueConstraint("pledge_id", "name"))

    id: int = key()
    pledge_id: int = ref("pledge.id")
    name: str
    heads: int
    delivery_address: str
    delivery_contact: str | None = None
    delivery_phone: str | None = None


class PledgeOrder(SQLModel, table=True):
    """An order that counts towards a pledge. An order counts once."""

    __tablename__ = "pledge_order"
    __table_args__ = (UniqueConstraint("purchase_order_id"), Index(None, "pledge_id"))

    id: int = key()
    pledge_id: int = ref("pledge.id")
    purchase_order_id: int = ref("purchase_order.id")
    recipient_id: int | None = ref("pledge_recipient.id", nullable=True)
    added_by: int = ref("app_user.id")
    added_at: datetime = moment()


class PledgeAgreement(SQLModel, table=True):
    """A long-term agreement whose orders count towards a pledge, but for those that stand for another pledge by themselves."""

    __tablename__ = "pledge_agreement"
    __table_args__ = (UniqueConstraint("agreement_id"), Index(None, "pledge_id"))

    id: int = key()
    pledge_id: int = ref("pledge.id")
    agreement_id: int = ref("agreement.id")
    added_by: int = ref("app_user.id")
    added_at: datetime = moment()


class BasketProposal(SQLModel, table=True):
    """A basket that fits a budget, computed in the background."""

    __tablename__ = "basket_proposal"
    __table_args__ = (
        CheckConstraint("status IN ('waiting','explaining','ready','infeasible','failed','ordered')", name="status"),
        CheckConstraint("budget_fen > 0", name="budget_fen"),
        CheckConstraint(
            "(status = 'ordered') = (purchase_order_id IS NOT NULL OR purchase_request_id IS NOT NULL)", name="ordered"
        ),
        UniqueConstraint("purchase_order_id"),
        UniqueConstraint("purchase_request_id"),
        Index(None, "pledge_id", "id"),
        Index("ix_basket_proposal_unfinished", "requested_at", postgresql_where=text("status IN ('waiting','explaining')")),
    )

    id: int = key()
    pledge_id: int = ref("pledge.id")
    #: What was asked, as it was asked (schemas.ProposalIn), heads and cap filled in.
    asked: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    budget_fen: int = fen()
    status: str = Field(default="waiting", sa_column_kwargs={"server_default": "waiting"})
    candidates: int | None = None
    #: The figures of the basket, and those of the greedy one beside it (rules.choosing.Totals).
    result: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    baseline: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    #: Where there is no basket: what stands in the way, and whether it is proven that there is none.
    obstacles: list[dict[str, Any]] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    proven: bool | None = None
    recipient_id: int | None = ref("pledge_recipient.id", nullable=True)
    purchase_order_id: int | None = ref("purchase_order.id", nullable=True)
    #: The request that waits for approval; its order is counted when it is placed.
    purchase_request_id: int | None = Field(default=None, sa_type=BigInteger)
    requested_by: int = ref("app_user.id")
    requested_at: datetime = moment()
    finished_at: datetime | None = moment(nullable=True)


class BasketProposalLine(SQLModel, table=True):
    """One line of a proposed basket, as it can be ordered."""

    __tablename__ = "basket_proposal_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("amount_fen = quantity * unit_price_fen", name="amount_fen"),
    )

    proposal_id: int = ref("basket_proposal.id", primary_key=True)
    line_no: int = Field(primary_key=True)
    sku_id: int = ref("sku.id")
    quantity: Decimal = quantity()
    unit_price_fen: int = fen()
    amount_fen: int = fen()
    deep: bool
    new_village: bool


class PurchaseProof(SQLModel, table=True):
    """A numbered proof of what was accepted up to a moment. Its content is frozen; of a pledge, one proof stands."""

    __tablename__ = "purchase_proof"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("(revoked_at IS NULL) = (revoke_reason IS NULL)", name="revoked"),
        Index(
            "uq_purchase_proof_standing",
            "pledge_id",
            unique=True,
            postgresql_where=text("superseded_at IS NULL AND revoked_at IS NULL"),
        ),
        Index(None, "pledge_id", "id"),
    )

    id: int = key()
    #: 'XM-' + year + '-' + a number without gaps in that year.
    number: str = Field(unique=True)
    pledge_id: int = ref("pledge.id")
    issued_by: int = ref("app_user.id")
    issued_at: datetime = moment()
    amount_fen: int = fen()
    #: Everything that the paper says, without personal data, and its SHA-256 over the canonical JSON.
    snapshot: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    sha256: str
    superseded_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)
    revoke_reason: str | None = None


class PledgeTouched(SQLModel, table=True):
    """A pledge of whose orders something changed since its sums were made; triggers say so, in the transaction that changes it. Rows are only added
    and, once counted again, removed, so that nobody waits: one pledge may have many."""

    __tablename__ = "pledge_touched"

    id: int = key()
    pledge_id: int = Field(sa_type=BigInteger)


class PledgeSum(SQLModel, table=True):
    """What counts towards a pledge, in fen and grams, as of when nothing had touched it any more. Without a row: nothing does."""

    __tablename__ = "pledge_sum"

    pledge_id: int = ref("pledge.id", primary_key=True)
    ordered_fen: int = fen()
    accepted_fen: int = fen()
    grams: int = grams()
