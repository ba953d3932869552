"""What is there to sell, and every movement that made it so."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, quantity, ref


class Stock(SQLModel, table=True):
    """``on_hand`` lies in the supplier's store; ``reserved`` of it is promised to orders. The database refuses to promise more."""

    __tablename__ = "stock"
    __table_args__ = (CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="not_oversold"),)

    sku_id: int = ref("sku.id", primary_key=True)
    on_hand: Decimal = quantity()
    reserved: Decimal = quantity(default=Decimal(0))


class StockMovement(SQLModel, table=True):
    """One change of a stock. Append-only; the stock is the sum of its movements (checked by ``shop reconcile``).

    Kinds: receive, adjust (on hand), reserve, release (reserved), ship (both down), return (came back from a buyer), replace (sent in exchange).
    """

    __tablename__ = "stock_movement"
    __table_args__ = (
        CheckConstraint("kind IN ('receive','adjust','reserve','release','ship','return','replace')", name="kind"),
        CheckConstraint(
            "CASE kind WHEN 'receive' THEN on_hand > 0 AND reserved = 0 WHEN 'adjust' THEN reserved = 0"
            " WHEN 'reserve' THEN on_hand = 0 AND reserved > 0 WHEN 'release' THEN on_hand = 0 AND reserved < 0"
            " WHEN 'return' THEN on_hand > 0 AND reserved = 0 WHEN 'replace' THEN on_hand < 0 AND reserved = 0"
            " ELSE on_hand < 0 AND reserved = on_hand END",
            name="deltas",
        ),
        Index(None, "sku_id", "id"),
        Index(None, "order_line_id"),
    )

    id: int = key()
    sku_id: int = ref("sku.id")
    kind: str
    on_hand: Decimal = quantity()
    reserved: Decimal = quantity()
    #: The order line that caused it; no foreign key, because orders lie above the catalogue.
    order_line_id: int | None = Field(default=None, sa_type=BigInteger)
    #: Who received or adjusted, and why; the order line tells it for the other kinds.
    actor_id: int | None = ref("app_user.id", nullable=True)
    reason: str | None = None
    at: datetime = moment()
