"""Long-term agreements: terms, delivery schedules, call-offs, and what a supplier's harvest can bear."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, quantity, ref
from shop.core.db import grams as weight


class Agreement(SQLModel, table=True):
    """What a buyer and a supplier agreed on for a time. Both sign it; from the proposal on its terms are frozen by a hash."""

    __tablename__ = "agreement"
    __table_args__ = (
        CheckConstraint("status IN ('draft','proposed','active','declined','withdrawn')", name="status"),
        CheckConstraint("fund_source IN ('canteen','union','welfare','other')", name="fund_source"),
        CheckConstraint("valid_from <= valid_until", name="validity"),
        CheckConstraint("terminated_on BETWEEN valid_from - 1 AND valid_until", name="terminated_on"),
        CheckConstraint("tolerance_percent BETWEEN 0 AND 20", name="tolerance_percent"),
        CheckConstraint("amount_cap_fen > 0", name="amount_cap_fen"),
        CheckConstraint("call_off_lead_days BETWEEN 0 AND 60", name="call_off_lead_days"),
        CheckConstraint(
            "status <> 'active' OR (buyer_signed_at IS NOT NULL AND supplier_signed_at IS NOT NULL AND terms_hash IS NOT NULL)",
            name="signed_by_both",
        ),
        CheckConstraint("buyer_id <> supplier_id", name="two_sides"),
        Index(None, "buyer_id", "id"),
        Index(None, "supplier_id", "id"),
    )

    id: int = key()
    #: 'AG' + Shanghai date + id.
    number: str = Field(unique=True)
    title: str
    buyer_id: int = ref("organisation.id")
    supplier_id: int = ref("organisation.id")
    fund_source: str
    #: First and last day on which it holds, both inclusive.
    valid_from: date
    valid_until: date
    #: The last day, where both agreed to end it sooner.
    terminated_on: date | None = None
    amount_cap_fen: int | None = fen(nullable=True)
    #: By how much caps may be passed.
    tolerance_percent: Decimal = Field(default=Decimal(0), sa_type=Numeric(5, 2))
    minimum_amount_fen: int | None = fen(nullable=True)
    #: How many days ahead of an instalment its order is drafted, and whether it is placed without a click.
    call_off_lead_days: int = 3
    auto_order: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    terms: str = ""
    #: By when orders are paid; null: as their unit usually does.
    payment_terms: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    status: str = "draft"
    #: The quotation request that it was awarded by; no foreign key, because sourcing lies above.
    quotation_request_id: int | None = Field(default=None, sa_type=BigInteger, index=True)
    renews_id: int | None = ref("agreement.id", nullable=True)
    created_by: int = ref("app_user.id")
    created_at: datetime = moment()
    proposed_at: datetime | None = moment(nullable=True)
    buyer_signed_by: int | None = ref("app_user.id", nullable=True)
    buyer_signed_at: datetime | None = moment(nullable=True)
    supplier_signed_by: int | None = ref("app_user.id", nullable=True)
    supplier_signed_at: datetime | None = moment(nullable=True)
    #: The terms as canonical JSON, and their SHA-256.
    terms_document: str | None = None
    terms_hash: str | None = None
    #: Why it was declined or withdrawn.
    reason: str | None = None
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class AgreementLine(SQLModel, table=True):
    """One SKU of an agreement with its price and caps."""

    __tablename__ = "agreement_line"
    __table_args__ = (
        CheckConstraint(
            "CASE price_kind WHEN 'fixed' THEN unit_price_fen > 0 AND percent_off IS NULL"
            " WHEN 'list_minus' THEN unit_price_fen IS NULL AND percent_off >= 0 AND percent_off < 100"
            " WHEN 'tiers' THEN unit_price_fen IS NULL AND percent_off IS NULL ELSE false END",
            name="price",
        ),
        CheckConstraint("quantity_cap > 0", name="quantity_cap"),
        CheckConstraint("amount_cap_fen > 0", name="amount_cap_fen"),
        CheckConstraint("minimum_quantity > 0", name="minimum_quantity"),
        UniqueConstraint("agreement_id", "line_no"),
        UniqueConstraint("agreement_id", "sku_id"),
        Index(None, "sku_id"),
    )

    id: int = key()
    agreement_id: int = ref("agreement.id")
    line_no: int
    sku_id: int = ref("sku.id")
    price_kind: str
    unit_price_fen: int | None = fen(nullable=True)
    percent_off: Decimal | None = Field(default=None, sa_type=Numeric(5, 2))
    quantity_cap: Decimal | None = quantity(nullable=True)
    amount_cap_fen: int | None = fen(nullable=True)
    minimum_quantity: Decimal | None = quantity(nullable=True)


class AgreementPriceTier(SQLModel, table=True):
    """From ``min_quantity`` of one call-off on, a unit of the line costs ``unit_price_fen``."""

    __tablename__ = "agreement_price_tier"
    __table_args__ = (
        CheckConstraint("min_quantity > 0", name="min_quantity"),
        CheckConstraint("unit_price_fen > 0", name="unit_price_fen"),
    )

    agreement_line_id: int = ref("agreement_line.id", primary_key=True)
    min_quantity: Decimal = Field(sa_column=Column(Numeric(14, 3), primary_key=True))
    unit_price_fen: int = fen()


class DeliveryPlace(SQLModel, table=True):
    """Where an agreement delivers to; ``unit_id``: the unit of the buyer's branch that is there."""

    __tablename__ = "delivery_place"
    __table_args__ = (UniqueConstraint("agreement_id", "name"), Index(None, "unit_id"))

    id: int = key()
    agreement_id: int = ref("agreement.id")
    name: str
    address: str
    contact: str | None = None
    phone: str | None = None
    unit_id: int | None = ref("organisation.id", nullable=True)


class ScheduleEntry(SQLModel, table=True):
    """A delivery that comes back: these weekdays, every so many weeks, from a day to a day, both inclusive."""

    __tablename__ = "schedule_entry"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("starts_on <= ends_on", name="days"),
        CheckConstraint("every_weeks BETWEEN 1 AND 52", name="every_weeks"),
        CheckConstraint("cardinality(weekdays) BETWEEN 1 AND 7", name="weekdays"),
        Index(None, "agreement_line_id"),
    )

    id: int = key()
    agreement_line_id: int = ref("agreement_line.id")
    delivery_place_id: int = ref("delivery_place.id")
    #: 1 is Monday.
    weekdays: list[int] = Field(sa_column=Column(ARRAY(SmallInteger), nullable=False))
    every_weeks: int = 1
    quantity: Decimal = quantity()
    starts_on: date
    ends_on: date
    #: Nothing comes on days that the buyer or the place's unit is closed; on public holidays.
    in_term_only: bool
    skips_public_holidays: bool
    #: Replaced by a change of the agreement; its open instalments are gone.
    ended: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})


class ClosurePeriod(SQLModel, table=True):
    """Days on which a buyer takes nothing, such as school holidays; both inclusive. Public holidays are working-day data, not these."""

    __tablename__ = "closure_period"
    __table_args__ = (CheckConstraint("starts_on <= ends_on", name="days"), Index(None, "organisation_id", "starts_on"))

    id: int = key()
    organisation_id: int = ref("organisation.id")
    name: str
    starts_on: date
    ends_on: date
    created_by: int = ref("app_user.id")


class CallOffDraft(SQLModel, table=True):
    """The instalments of one day and place, as an order that waits for the buyer's click."""

    __tablename__ = "call_off_draft"
    __table_args__ = (
        CheckConstraint("status IN ('open','ordered','discarded')", name="status"),
        CheckConstraint(
            "(status = 'ordered') = (purchase_order_id IS NOT NULL OR purchase_request_id IS NOT NULL)", name="ordered"
        ),
        Index(
            "uq_call_off_draft_open",
            "agreement_id",
            "delivery_place_id",
            "due_on",
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
        Index(None, "agreement_id", "id"),
    )

    id: int = key()
    agreement_id: int = ref("agreement.id")
    delivery_place_id: int = ref("delivery_place.id")
    due_on: date
    status: str = Field(default="open", sa_column_kwargs={"server_default": "open"})
    drafted_at: datetime = moment()
    purchase_order_id: int | None = ref("purchase_order.id", nullable=True)
    purchase_request_id: int | None = ref("purchase_request.id", nullable=True)
    #: The code of what stood against placing it without a click.
    problem: str | None = None
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class Instalment(SQLModel, table=True):
    """One delivery of a schedule. ``quantity`` is what is to come by now; ``planned_quantity`` what the schedule says."""

    __tablename__ = "instalment"
    __table_args__ = (
        CheckConstraint("status IN ('planned','drafted','ordered','skipped')", name="status"),
        CheckConstraint(
            "skip_reason IN ('closure','public_holiday','crop_loss','discarded','ended','already_ordered')",
            name="skip_reason",
        ),
        CheckConstraint("(status = 'skipped') = (skip_reason IS NOT NULL)", name="skipped"),
        CheckConstraint("(status IN ('drafted','ordered')) <= (call_off_draft_id IS NOT NULL)", name="drafted"),
        CheckConstraint("quantity BETWEEN 0 AND planned_quantity", name="quantity"),
        CheckConstraint("lost_grams >= 0", name="lost_grams"),
        UniqueConstraint("schedule_entry_id", "due_on"),
        Index(None, "agreement_line_id", "due_on"),
        Index(None, "call_off_draft_id"),
        Index(None, "due_on"),
        Index("ix_instalment_unsettled", "due_on", postgresql_where=text("status <> 'skipped' AND NOT settled")),
    )

    id: int = key()
    schedule_entry_id: int = ref("schedule_entry.id")
    agreement_line_id: int = ref("agreement_line.id")
    delivery_place_id: int = ref("delivery_place.id")
    due_on: date
    planned_quantity: Decimal = quantity()
    quantity: Decimal = quantity()
    #: What crop losses took from it.
    lost_grams: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    status: str = "planned"
    skip_reason: str | None = None
    #: The name of the closure, or why somebody discarded it.
    skip_note: str | None = None
    call_off_draft_id: int | None = ref("call_off_draft.id", nullable=True)
    late_told_at: datetime | None = moment(nullable=True)
    #: Its day is over and all of it was answered for: it is never late again, and who looks for late ones need not look at it.
    settled: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})


class AgreementChange(SQLModel, table=True):
    """A change, an early end or a renewal that one side proposes and the other answers."""

    __tablename__ = "agreement_change"
    __table_args__ = (
        CheckConstraint("kind IN ('change','termination','renewal')", name="kind"),
        CheckConstraint("side IN ('buyer','supplier')", name="side"),
        CheckConstraint("status IN ('proposed','accepted','declined','withdrawn')", name="status"),
        CheckConstraint("(status = 'proposed') = (answered_at IS NULL)", name="answered"),
        Index("uq_agreement_change_open", "agreement_id", unique=True, postgresql_where=text("status = 'proposed'")),
        Index(None, "agreement_id", "id"),
    )

    id: int = key()
    agreement_id: int = ref("agreement.id")
    kind: str
    side: str
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    reason: str
    #: The caps that the schedule would pass with it, as :func:`orders.agreements.rules.beyond_cap` tells them.
    schedule_warnings: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default="[]")
    )
    status: str = "proposed"
    proposed_by: int = ref("app_user.id")
    proposed_at: datetime = moment()
    answered_by: int | None = ref("app_user.id", nullable=True)
    answered_at: datetime | None = moment(nullable=True)
    answer: str | None = None
    #: The hash of the terms before and after.
    hash_before: str
    hash_after: str | None = None
    #: The agreement that a renewal made.
    renewed_as_id: int | None = ref("agreement.id", nullable=True)


class HarvestCapacity(SQLModel, table=True):
    """What a supplier can deliver of a product in a month, as it declares it. Months without a row know no limit."""

    __tablename__ = "harvest_capacity"
    __table_args__ = (
        CheckConstraint("grams >= 0", name="grams"),
        CheckConstraint("EXTRACT(day FROM month) = 1", name="month"),
        UniqueConstraint("product_id", "month"),
        Index(None, "supplier_id"),
    )

    id: int = key()
    supplier_id: int = ref("organisation.id")
    product_id: int = ref("product.id")
    #: Its first day.
    month: date
    grams: int = weight()
    declared_by: int = ref("app_user.id")
    declared_at: datetime = moment()


class CropLoss(SQLModel, table=True):
    """What a supplier lost of a product for a month; ``cut_grams`` of it were taken from instalments, by ``crop_loss_share``."""

    __tablename__ = "crop_loss"
    __table_args__ = (
        CheckConstraint("grams > 0", name="grams"),
        CheckConstraint("cut_grams BETWEEN 0 AND grams", name="cut_grams"),
        Index(None, "supplier_id", "id"),
        Index(None, "product_id", "month"),
    )

    id: int = key()
    supplier_id: int = ref("organisation.id")
    product_id: int = ref("product.id")
    month: date
    grams: int = weight()
    cut_grams: int = weight()
    reason: str
    evidence_file_id: int | None = ref("stored_file.id", nullable=True)
    declared_by: int = ref("app_user.id")
    declared_at: datetime = moment()


class CropLossShare(SQLModel, table=True):
    """The part of a crop loss that one agreement line bears: planned before, and cut, in grams."""

    __tablename__ = "crop_loss_share"
    __table_args__ = (CheckConstraint("cut_grams BETWEEN 0 AND planned_grams", name="cut_grams"), Index(None, "agreement_line_id"))

    crop_loss_id: int = ref("crop_loss.id", primary_key=True)
    agreement_line_id: int = ref("agreement_line.id", primary_key=True)
    planned_grams: int = weight()
    cut_grams: int = weight()


class AgreementTouched(SQLModel, table=True):
    """An agreement of whose instalments, prices or sales something changed since its days were counted; triggers say so, in the transaction that
    changes it. Rows are only added and, once counted again, removed, so that nobody waits: one agreement may have many."""

    __tablename__ = "agreement_touched"

    id: int = key()
    agreement_id: int = Field(sa_type=BigInteger)


class _Kept(SQLModel):
    agreement_id: int = ref("agreement.id")
    #: Origin of the goods.
    district_code: str
    #: At the prices agreed on; of goods at a price off the list, of the list as it is.
    promised_fen: int = fen()
    promised_grams: int = weight()
    delivered_fen: int = fen()
    delivered_grams: int = weight()
    #: How many instalments and entries of the ledger it is the sum of.
    entries: int


class AgreementDay(_Kept, table=True):
    """What was due under an agreement on a day and what the ledger has of its orders, as of when nothing had touched it any more."""

    __tablename__ = "agreement_day"
    __table_args__ = (PrimaryKeyConstraint("agreement_id", "day", "district_code"), Index(None, "day"))

    day: date


class AgreementMonth(_Kept, table=True):
    """The sums of an agreement's days, counted with them."""

    __tablename__ = "agreement_month"
    __table_args__ = (PrimaryKeyConstraint("agreement_id", "month", "district_code"), Index(None, "month"))

    month: date
