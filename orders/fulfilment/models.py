"""Deliveries and what the buyer accepted of them."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, quantity, ref


class Shipment(SQLModel, table=True):
    """One delivery of (a part of) a supplier order."""

    __tablename__ = "shipment"
    __table_args__ = (
        CheckConstraint("(held_at IS NULL) = (hold_reason IS NULL)", name="hold"),
        Index(None, "supplier_order_id"),
        # what the sweep looks for; a delivery that was answered leaves it
        Index("ix_shipment_accept_by", "accept_by", postgresql_where=text("accept_by IS NOT NULL AND held_at IS NULL")),
    )

    id: int = key()
    supplier_order_id: int = ref("supplier_order.id")
    carrier: str | None = None
    waybill: str | None = None
    #: Shanghai date on which it should arrive.
    expected_on: date | None = None
    shipped_by: int = ref("app_user.id")
    shipped_at: datetime = moment()
    #: When it is accepted by itself unless the buyer answers; null: never, or it was answered.
    accept_by: datetime | None = moment(nullable=True)
    #: The buyer has something against it: it is not accepted by itself.
    held_at: datetime | None = moment(nullable=True)
    hold_reason: str | None = None


class ShipmentLine(SQLModel, table=True):
    __tablename__ = "shipment_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("closed_quantity >= 0", name="closed_quantity"),
        CheckConstraint("grams >= 0", name="grams"),
        CheckConstraint("produced_on <= best_before", name="best_before"),
        UniqueConstraint("shipment_id", "order_line_id"),
        Index(None, "order_line_id"),
    )

    id: int = key()
    shipment_id: int = ref("shipment.id")
    order_line_id: int = ref("order_line.id")
    quantity: Decimal = quantity()
    #: What was still open of the line and will not come, because this delivery is the whole.
    closed_quantity: Decimal = Field(default=Decimal(0), sa_type=Numeric(14, 3), sa_column_kwargs={"server_default": "0"})
    grams: int = Field(sa_type=BigInteger)
    #: The producer's batch, the village or producer it comes from, and its dates (Shanghai).
    lot: str | None = None
    origin: str | None = None
    produced_on: date | None = None
    best_before: date | None = None


class ShipmentEvent(SQLModel, table=True):
    """Where a delivery was when, as its supplier reported."""

    __tablename__ = "shipment_event"
    __table_args__ = (Index(None, "shipment_id", "id"),)

    id: int = key()
    shipment_id: int = ref("shipment.id")
    text: str
    happened_at: datetime = moment()
    recorded_by: int = ref("app_user.id")
    recorded_at: datetime = moment()


class ShipmentPhoto(SQLModel, table=True):
    """A photo of what arrived."""

    __tablename__ = "shipment_photo"
    __table_args__ = (Index(None, "shipment_id"),)

    id: int = key()
    shipment_id: int = ref("shipment.id")
    file_id: int = ref("stored_file.id")
    uploaded_by: int = ref("app_user.id")
    uploaded_at: datetime = moment()


class Acceptance(SQLModel, table=True):
    """The buyer's answer to one shipment. A shipment is answered once."""

    __tablename__ = "acceptance"
    __table_args__ = (UniqueConstraint("shipment_id"), Index(None, "supplier_order_id"))

    id: int = key()
    shipment_id: int = ref("shipment.id")
    supplier_order_id: int = ref("supplier_order.id")
    #: Null: its time was over, and nobody had answered.
    accepted_by: int | None = ref("app_user.id", nullable=True)
    accepted_at: datetime = moment()


class AcceptanceLine(SQLModel, table=True):
    """Accepted, rejected and missing quantity of one shipped line; together they are what was shipped."""

    __tablename__ = "acceptance_line"
    __table_args__ = (
        CheckConstraint("accepted_quantity >= 0 AND rejected_quantity >= 0 AND difference_quantity >= 0", name="quantity"),
        CheckConstraint("accepted_grams >= 0 AND rejected_grams >= 0", name="grams"),
        CheckConstraint(
            "rejected_quantity + difference_quantity = 0 OR reason_code IS NOT NULL OR reason IS NOT NULL", name="reason"
        ),
        CheckConstraint(
            "reason_code IN ('damaged','spoiled','wrong_goods','short_weight','quality','late','other')", name="reason_code"
        ),
        UniqueConstraint("acceptance_id", "order_line_id"),
        Index(None, "order_line_id"),
    )

    id: int = key()
    acceptance_id: int = ref("acceptance.id")
    order_line_id: int = ref("order_line.id")
    accepted_quantity: Decimal = quantity()
    accepted_grams: int = Field(sa_type=BigInteger)
    rejected_quantity: Decimal = quantity()
    rejected_grams: int = Field(sa_type=BigInteger)
    #: Shipped and not arrived, such as weight lost on the way.
    difference_quantity: Decimal = Field(default=Decimal(0), sa_type=Numeric(14, 3), sa_column_kwargs={"server_default": "0"})
    #: What the accepted quantity costs at the ordered unit price, in fen; without freight.
    amount_fen: int = Field(sa_type=BigInteger)
    reason_code: str | None = None
    reason: str | None = None
    #: Ids of the shipment's photos that show it.
    photo_ids: list[int] | None = Field(default=None, sa_column=Column(ARRAY(BIGINT)))
