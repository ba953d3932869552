"""Requests for quotation, the quotations that suppliers send, and what was awarded."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Numeric, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, quantity, ref


class QuotationRequest(SQLModel, table=True):
    """What a buyer asks prices for, of whom and until when. That its time is over is told by the clock, not by its status."""

    __tablename__ = "quotation_request"
    __table_args__ = (
        CheckConstraint("kind IN ('invited','published')", name="kind"),
        CheckConstraint("status IN ('draft','open','partly_awarded','awarded','cancelled')", name="status"),
        CheckConstraint("fund_source IN ('canteen','union','welfare','other')", name="fund_source"),
        CheckConstraint("questions_until <= closes_at", name="questions_until"),
        # nobody sees a price before the end, whatever the program does
        CheckConstraint("opened_at IS NULL OR opened_at >= closes_at", name="sealed"),
        CheckConstraint("status NOT IN ('partly_awarded','awarded') OR opened_at IS NOT NULL", name="awarded_when_opened"),
        CheckConstraint("(status = 'draft') = (published_at IS NULL) OR status = 'cancelled'", name="published"),
        CheckConstraint("districts = '{}' OR matching", name="districts"),
        Index(None, "buyer_id", "id"),
        Index("ix_quotation_request_open", "closes_at", postgresql_where=text("status = 'open'")),
    )

    id: int = key()
    #: 'RFQ' + Shanghai date + id: unique, readable on the phone; gaps are of no consequence.
    number: str = Field(unique=True)
    buyer_id: int = ref("organisation.id")
    created_by: int = ref("app_user.id")
    created_at: datetime = moment()
    #: The request that this one repeats.
    copied_from_id: int | None = ref("quotation_request.id", nullable=True)
    title: str
    note: str | None = None
    #: ``invited``: the suppliers who were asked answer; ``published`` (采购需求): every certified supplier may.
    kind: str
    #: Invited: all suppliers that match the lines are asked when it is published. Published: only those may answer.
    matching: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    #: Districts of origin that matching products come from; none: from anywhere.
    districts: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False, server_default="{}"))
    fund_source: str
    cost_centre: str | None = None
    #: By when orders are paid; null: as their unit usually does.
    payment_terms: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    delivery_address: str
    delivery_contact: str | None = None
    delivery_phone: str | None = None
    #: Whether suppliers see the target prices.
    target_shown: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    #: The first moment at which no quotation is taken any more, and that for questions.
    closes_at: datetime = moment()
    questions_until: datetime = moment()
    status: str = Field(default="draft", sa_column_kwargs={"server_default": "draft"})
    published_at: datetime | None = moment(nullable=True)
    #: When the quotations were opened, all at once. From then on none can come in, whatever a clock says.
    opened_at: datetime | None = moment(nullable=True)
    reason: str | None = Field(default=None, sa_column_kwargs={"comment": "why it was extended, cancelled or ended"})
    line_count: int
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class QuotationRequestLine(SQLModel, table=True):
    """One thing asked for: a SKU of the catalogue ("this or the like"), or what the buyer describes."""

    __tablename__ = "quotation_request_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("unit_grams > 0", name="unit_grams"),
        CheckConstraint("target_price_fen > 0", name="target_price_fen"),
        CheckConstraint("sku_id IS NOT NULL OR specification <> ''", name="asked"),
        CheckConstraint("awarded_quantity BETWEEN 0 AND quantity", name="not_awarded_twice"),
        UniqueConstraint("quotation_request_id", "line_no"),
    )

    id: int = key()
    quotation_request_id: int = ref("quotation_request.id")
    line_no: int
    sku_id: int | None = ref("sku.id", nullable=True)
    name: str
    specification: str = ""
    category: str | None = None
    unit: str
    #: Net grams of one unit asked for, so that packs of other sizes can be compared; null: units are counted.
    unit_grams: int | None = Field(default=None, sa_type=BigInteger)
    quantity: Decimal = quantity()
    target_price_fen: int | None = fen(nullable=True)
    deliver_by: date | None = None
    #: Where this line goes, if elsewhere than the others.
    delivery_place: str | None = None
    awarded_quantity: Decimal = Field(default=Decimal(0), sa_type=Numeric(14, 3), sa_column_kwargs={"server_default": "0"})


class QuotationRequestFile(SQLModel, table=True):
    """A specification that the buyer attached."""

    __tablename__ = "quotation_request_file"

    quotation_request_id: int = ref("quotation_request.id", primary_key=True)
    file_id: int = ref("stored_file.id", primary_key=True)


class QuotationInvitation(SQLModel, table=True):
    """A supplier who was asked."""

    __tablename__ = "quotation_invitation"
    __table_args__ = (
        CheckConstraint("(declined_at IS NULL) = (decline_reason IS NULL)", name="declined"),
        Index(None, "supplier_id", "quotation_request_id"),
    )

    quotation_request_id: int = ref("quotation_request.id", primary_key=True)
    supplier_id: int = ref("organisation.id", primary_key=True)
    #: Asked because its products match, not by name.
    matched: bool = False
    seen_at: datetime | None = moment(nullable=True)
    declined_at: datetime | None = moment(nullable=True)
    decline_reason: str | None = None


class QuotationQuestion(SQLModel, table=True):
    """A question of a supplier with its answer: all suppliers read both, none of them who asked."""

    __tablename__ = "quotation_question"
    __table_args__ = (
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered"),
        Index(None, "quotation_request_id", "id"),
    )

    id: int = key()
    quotation_request_id: int = ref("quotation_request.id")
    supplier_id: int = ref("organisation.id")
    asked_by: int = ref("app_user.id")
    asked_at: datetime = moment()
    question: str
    answer: str | None = None
    answered_by: int | None = ref("app_user.id", nullable=True)
    answered_at: datetime | None = moment(nullable=True)


class Quotation(SQLModel, table=True):
    """What a supplier offers. A newer one takes the place of an older one, which stays on record."""

    __tablename__ = "quotation"
    __table_args__ = (
        CheckConstraint("status IN ('submitted','replaced','withdrawn')", name="status"),
        # the end as it was then: it only ever moves to a later time
        CheckConstraint("submitted_at < closes_at", name="in_time"),
        UniqueConstraint("quotation_request_id", "supplier_id", "revision"),
        Index(
            "uq_quotation_in_force",
            "quotation_request_id",
            "supplier_id",
            unique=True,
            postgresql_where=text("status = 'submitted'"),
        ),
        Index(None, "supplier_id", "id"),
    )

    id: int = key()
    quotation_request_id: int = ref("quotation_request.id")
    supplier_id: int = ref("organisation.id")
    revision: int
    submitted_by: int = ref("app_user.id")
    submitted_at: datetime = moment()
    closes_at: datetime = moment()
    #: Last Shanghai date on which the supplier stands by it.
    valid_until: date
    note: str | None = None
    status: str = Field(default="submitted", sa_column_kwargs={"server_default": "submitted"})
    #: When it was withdrawn or replaced.
    ended_at: datetime | None = moment(nullable=True)


class QuotationLine(SQLModel, table=True):
    """The offer for one line asked for, or that there is none. Its quantities are packs of the SKU offered."""

    __tablename__ = "quotation_line"
    __table_args__ = (
        CheckConstraint("declined = (sku_id IS NULL) AND declined = (quantity IS NULL)", name="declined"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("awarded_quantity BETWEEN 0 AND coalesce(quantity, 0)", name="not_above_offered"),
        UniqueConstraint("quotation_id", "quotation_request_line_id"),
        Index(None, "quotation_request_line_id"),
    )

    id: int = key()
    quotation_id: int = ref("quotation.id")
    quotation_request_line_id: int = ref("quotation_request_line.id")
    declined: bool = False
    sku_id: int | None = ref("sku.id", nullable=True)
    #: The most that can be had.
    quantity: Decimal | None = quantity(nullable=True)
    #: What the list said when it was offered, for the quantity asked.
    list_price_fen: int | None = fen(nullable=True)
    deliver_on: date | None = None
    note: str | None = None
    awarded_quantity: Decimal = Field(default=Decimal(0), sa_type=Numeric(14, 3), sa_column_kwargs={"server_default": "0"})


class QuotationPrice(SQLModel, table=True):
    """From ``min_quantity`` packs of the line on, a pack costs ``unit_price_fen``."""

    __tablename__ = "quotation_price"
    __table_args__ = (
        CheckConstraint("min_quantity > 0", name="min_quantity"),
        CheckConstraint("unit_price_fen > 0 AND unit_price_fen <= 1000000000000", name="unit_price_fen"),
    )

    quotation_line_id: int = ref("quotation_line.id", primary_key=True)
    min_quantity: Decimal = Field(sa_column=Column(Numeric(14, 3), primary_key=True))
    unit_price_fen: int = fen()


class QuotationFile(SQLModel, table=True):
    """What a supplier attached to its quotation."""

    __tablename__ = "quotation_file"

    quotation_id: int = ref("quotation.id", primary_key=True)
    file_id: int = ref("stored_file.id", primary_key=True)


class QuotationAward(SQLModel, table=True):
    """One decision of the buyer, and what came of it."""

    __tablename__ = "quotation_award"
    __table_args__ = (
        CheckConstraint("result IN ('order','agreement')", name="result"),
        CheckConstraint("total_fen >= 0", name="total_fen"),
        Index(None, "quotation_request_id", "id"),
        Index("ix_quotation_award_agreement_id", "agreement_id", postgresql_where=text("agreement_id IS NOT NULL")),
        Index(
            "ix_quotation_award_purchase_request_id",
            "purchase_request_id",
            postgresql_where=text("purchase_request_id IS NOT NULL"),
        ),
    )

    id: int = key()
    quotation_request_id: int = ref("quotation_request.id")
    awarded_by: int = ref("app_user.id")
    awarded_at: datetime = moment()
    reason: str
    result: str
    purchase_order_id: int | None = ref("purchase_order.id", nullable=True)
    #: Of the purchase request that had to be approved; its order has the number of it.
    purchase_request_id: int | None = Field(default=None, sa_type=BigInteger)
    #: When the last of its lines was given back.
    voided_at: datetime | None = moment(nullable=True)
    agreement_id: int | None = Field(default=None, sa_type=BigInteger)
    total_fen: int = fen()


class QuotationAwardLine(SQLModel, table=True):
    """So much of a line goes to this offer at this price, which no list price changes any more."""

    __tablename__ = "quotation_award_line"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND packs > 0", name="quantity"),
        CheckConstraint("unit_price_fen > 0", name="unit_price_fen"),
        CheckConstraint("amount_fen = round(packs * unit_price_fen)", name="amount_fen"),
        CheckConstraint("lowest OR reason_code IS NOT NULL", name="reason_code"),
        Index(None, "quotation_line_id"),
    )

    quotation_award_id: int = ref("quotation_award.id", primary_key=True)
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    quotation_request_line_id: int = ref("quotation_request_line.id", index=True)
    quotation_line_id: int = ref("quotation_line.id")
    #: In units of the line asked for.
    quantity: Decimal = quantity()
    #: In packs of the SKU offered: what is ordered.
    packs: Decimal = Field(sa_type=Numeric(14, 3))
    unit_price_fen: int = fen()
    amount_fen: int = fen()
    #: Whether no valid offer for the line was cheaper.
    lowest: bool
    reason_code: str | None = None
    #: When it could be awarded again: the request for the order or the agreement was refused, or the supplier's part of the order fell through.
    given_back_at: datetime | None = moment(nullable=True)
