"""Goods that go back after their acceptance, and acceptances that are put right."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shop.core import db
from shop.core.db import key, moment, ref


class AcceptanceBalance(SQLModel, table=True):
    """What an accepted line still can give back; written with the first return or correction of the line. The database refuses to give back
    more than was accepted."""

    __tablename__ = "acceptance_balance"
    __table_args__ = (
        CheckConstraint("held >= 0 AND returned >= 0 AND held + returned <= accepted", name="not_above_accepted"),
        UniqueConstraint("entry_id"),
    )

    acceptance_line_id: int = ref("acceptance_line.id", primary_key=True)
    #: The entry of the ledger in which the accepted quantity stands; another one after each correction.
    entry_id: int = ref("sale_entry.id")
    #: Accepted, as corrected since; asked back by returns and exchanges that are open; taken back in the ledger.
    accepted: Decimal = db.quantity()
    held: Decimal = db.quantity(default=Decimal(0))
    returned: Decimal = db.quantity(default=Decimal(0))


class GoodsReturn(SQLModel, table=True):
    """Goods of one accepted shipment that go back for their money, or in exchange for the same goods."""

    __tablename__ = "goods_return"
    __table_args__ = (
        CheckConstraint("kind IN ('return','exchange')", name="kind"),
        CheckConstraint(
            "status IN ('requested','approved','refused','sent','received','replaced','closed','cancelled')", name="status"
        ),
        CheckConstraint("refund_fen >= 0", name="refund_fen"),
        CheckConstraint("status <> 'refused' OR decision_note IS NOT NULL", name="decision_note"),
        Index(None, "supplier_order_id", "id"),
        Index(None, "acceptance_id"),
        Index(None, "status", "id"),
    )

    id: int = key()
    #: TH2026-000001, without gaps.
    number: str = Field(unique=True)
    supplier_order_id: int = ref("supplier_order.id")
    acceptance_id: int = ref("acceptance.id")
    kind: str
    reason_code: str
    reason: str
    status: str = Field(default="requested", sa_column_kwargs={"server_default": "requested"})
    #: Nothing came back, because there was no point (spoiled food).
    without_goods: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    requested_by: int = ref("app_user.id")
    requested_at: datetime = moment()
    #: The supplier's answer; or, where it refused and a dispute overruled it, the officer's.
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    decision_note: str | None = None
    carrier: str | None = None
    waybill: str | None = None
    received_at: datetime | None = moment(nullable=True)
    #: What is sent in exchange.
    replacement_carrier: str | None = None
    replacement_waybill: str | None = None
    #: What the buyer is no longer owing, or gets back: the sum of the lines.
    refund_fen: int = db.fen(default=0)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class GoodsReturnLine(SQLModel, table=True):
    """One accepted line of it. Grams and fen are those that the ledger took back."""

    __tablename__ = "goods_return_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("received_quantity BETWEEN 0 AND quantity", name="received_quantity"),
        CheckConstraint("restocked_quantity BETWEEN 0 AND received_quantity", name="restocked_quantity"),
        CheckConstraint("replaced_quantity BETWEEN 0 AND quantity", name="replaced_quantity"),
        CheckConstraint("(reversal_id IS NOT NULL) = (returned_quantity > 0)", name="reversal"),
        CheckConstraint("returned_quantity BETWEEN 0 AND quantity AND grams >= 0 AND amount_fen >= 0", name="booked"),
        UniqueConstraint("goods_return_id", "acceptance_line_id"),
        UniqueConstraint("reversal_id"),
        Index(None, "acceptance_line_id"),
    )

    id: int = key()
    goods_return_id: int = ref("goods_return.id")
    acceptance_line_id: int = ref("acceptance_line.id")
    order_line_id: int = ref("order_line.id")
    quantity: Decimal = db.quantity()
    received_quantity: Decimal = db.quantity(default=Decimal(0))
    #: Went back into the supplier's stock.
    restocked_quantity: Decimal = db.quantity(default=Decimal(0))
    #: Sent again, in exchange.
    replaced_quantity: Decimal = db.quantity(default=Decimal(0))
    #: Taken back in the ledger, by the entry ``reversal_id``.
    returned_quantity: Decimal = db.quantity(default=Decimal(0))
    grams: int = db.grams(default=0)
    amount_fen: int = db.fen(default=0)
    reversal_id: int | None = ref("sale_entry.id", nullable=True)


class GoodsReturnFile(SQLModel, table=True):
    """Photographs and papers of either side."""

    __tablename__ = "goods_return_file"

    goods_return_id: int = ref("goods_return.id", primary_key=True)
    file_id: int = ref("stored_file.id", primary_key=True)


class AcceptanceCorrection(SQLModel, table=True):
    """One side's proposal to put an acceptance right; it counts once the other side agrees."""

    __tablename__ = "acceptance_correction"
    __table_args__ = (
        CheckConstraint("status IN ('proposed','agreed','declined','withdrawn')", name="status"),
        CheckConstraint("proposed_side IN ('buyer','supplier')", name="proposed_side"),
        Index("uq_acceptance_correction_proposed", "acceptance_id", unique=True, postgresql_where=text("status = 'proposed'")),
        Index(None, "supplier_order_id", "id"),
    )

    id: int = key()
    #: JZ2026-000001, without gaps.
    number: str = Field(unique=True)
    acceptance_id: int = ref("acceptance.id")
    supplier_order_id: int = ref("supplier_order.id")
    reason: str
    status: str = Field(default="proposed", sa_column_kwargs={"server_default": "proposed"})
    proposed_side: str
    proposed_by: int = ref("app_user.id")
    proposed_at: datetime = moment()
    answered_by: int | None = ref("app_user.id", nullable=True)
    answered_at: datetime | None = moment(nullable=True)
    note: str | None = None
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class AcceptanceCorrectionLine(SQLModel, table=True):
    """What was accepted of one line in truth. ``before`` and ``after`` are what stood in the ledger, returns left out."""

    __tablename__ = "acceptance_correction_line"
    __table_args__ = (
        CheckConstraint("accepted_quantity >= 0 AND accepted_grams >= 0", name="accepted"),
        UniqueConstraint("acceptance_correction_id", "acceptance_line_id", name="uq_acceptance_correction_line_once"),
        Index(None, "acceptance_line_id"),
        UniqueConstraint("reversal_id"),
        UniqueConstraint("entry_id"),
    )

    id: int = key()
    acceptance_correction_id: int = ref("acceptance_correction.id")
    acceptance_line_id: int = ref("acceptance_line.id")
    order_line_id: int = ref("order_line.id")
    accepted_quantity: Decimal = db.quantity()
    accepted_grams: int = db.grams()
    before_quantity: Decimal | None = db.quantity(nullable=True)
    before_grams: int | None = db.grams(nullable=True)
    before_fen: int | None = db.fen(nullable=True)
    after_quantity: Decimal | None = db.quantity(nullable=True)
    after_grams: int | None = db.grams(nullable=True)
    after_fen: int | None = db.fen(nullable=True)
    #: The entry that took back what stood, and the one that says what is true (none, if nothing was accepted).
    reversal_id: int | None = ref("sale_entry.id", nullable=True)
    entry_id: int | None = ref("sale_entry.id", nullable=True)
