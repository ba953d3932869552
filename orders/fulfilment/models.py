"""Deliveries and what the buyer accepted of them."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, quantity, ref


class Shipment(SQLModel, table=True):
    """One delivery of (a part of) a supplier order."""

    __tablename__ = "shipment"
    __table_args__ = (Index(None, "supplier_order_id"),)

    id: int = key()
    supplier_order_id: int = ref("supplier_order.id")
    carrier: str | None = None
    waybill: str | None = None
    shipped_by: int = ref("app_user.id")
    shipped_at: datetime = moment()


class ShipmentLine(SQLModel, table=True):
    __tablename__ = "shipment_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("grams >= 0", name="grams"),
        UniqueConstraint("shipment_id", "order_line_id"),
        Index(None, "order_line_id"),
    )

    id: int = key()
    shipment_id: int = ref("shipment.id")
    order_line_id: int = ref("order_line.id")
    quantity: Decimal = quantity()
    grams: int = Field(sa_type=BigInteger)


class Acceptance(SQLModel, table=True):
    """The buyer's answer to one shipment. A shipment is answered once."""

    __tablename__ = "acceptance"
    __table_args__ = (UniqueConstraint("shipment_id"), Index(None, "supplier_order_id"))

    id: int = key()
    shipment_id: int = ref("shipment.id")
    supplier_order_id: int = ref("supplier_order.id")
    accepted_by: int = ref("app_user.id")
    accepted_at: datetime = moment()


class AcceptanceLine(SQLModel, table=True):
    """Accepted and rejected quantity and weight of one shipped line; together they are what was shipped."""

    __tablename__ = "acceptance_line"
    __table_args__ = (
        CheckConstraint("accepted_quantity >= 0 AND rejected_quantity >= 0", name="quantity"),
        CheckConstraint("accepted_grams >= 0 AND rejected_grams >= 0", name="grams"),
        CheckConstraint("rejected_quantity = 0 OR reason IS NOT NULL", name="reason"),
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
    #: What the accepted quantity costs at the ordered unit price, in fen.
    amount_fen: int = Field(sa_type=BigInteger)
    reason: str | None = None
