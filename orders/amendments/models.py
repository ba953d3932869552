"""Changes of confirmed orders that one side proposes and the other agrees to, or does not."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, quantity, ref


class Amendment(SQLModel, table=True):
    """A proposed change of a supplier order. Nothing changes before the other side has agreed."""

    __tablename__ = "amendment"
    __table_args__ = (
        CheckConstraint("status IN ('proposed','accepted','refused','withdrawn','expired')", name="status"),
        CheckConstraint("side IN ('supplier','buyer')", name="side"),
        CheckConstraint("NOT cancels OR deliver_by IS NULL", name="cancels"),
        CheckConstraint("(status = 'accepted') = (change_fen IS NOT NULL)", name="change_fen"),
        # one at a time: two changes of one order would not know of each other
        Index("uq_amendment_open", "supplier_order_id", unique=True, postgresql_where=text("status = 'proposed'")),
        Index(None, "supplier_order_id", "id"),
        Index(None, "expires_at", postgresql_where=text("status = 'proposed'")),
    )

    id: int = key()
    supplier_order_id: int = ref("supplier_order.id")
    status: str = Field(default="proposed", sa_column_kwargs={"server_default": "proposed"})
    #: Who proposed it; the other side answers.
    side: str
    reason: str
    #: The whole order is to be cancelled.
    cancels: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    deliver_by: date | None = None
    proposed_by: int = ref("app_user.id")
    proposed_at: datetime = moment()
    expires_at: datetime = moment()
    answered_by: int | None = ref("app_user.id", nullable=True)
    answered_at: datetime | None = moment(nullable=True)
    answer: str | None = Field(default=None, sa_column_kwargs={"comment": "why it was refused"})
    #: By how much the order's total changed, in fen.
    change_fen: int | None = fen(nullable=True)
    #: What the supplement to the contract says, in Chinese.
    changes: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text)))
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class AmendmentLine(SQLModel, table=True):
    """What is to become of the quantity of one line that is not shipped yet."""

    __tablename__ = "amendment_line"
    __table_args__ = (
        CheckConstraint("open_quantity > 0 AND quantity >= 0", name="quantity"),
        CheckConstraint("unit_price_fen > 0", name="unit_price_fen"),
        UniqueConstraint("amendment_id", "order_line_id"),
        Index(None, "order_line_id"),
    )

    id: int = key()
    amendment_id: int = ref("amendment.id")
    order_line_id: int = ref("order_line.id")
    #: What was open when it was proposed; agreed to only while that holds.
    open_quantity: Decimal = quantity()
    #: What shall come in its place: so much, of this pack, at this price. Null: as before.
    quantity: Decimal = quantity()
    sku_id: int | None = ref("sku.id", nullable=True)
    unit_price_fen: int | None = fen(nullable=True)
    #: The line that it became.
    new_line_id: int | None = Field(default=None, sa_type=BigInteger)
