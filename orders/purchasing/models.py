"""Purchase orders: what a buyer ordered, split into one order per supplier."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Index, Numeric, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shop.core.db import fen, grams, key, moment, quantity, ref


class PurchaseOrder(SQLModel, table=True):
    """A buyer's order. Its state is that of its supplier orders."""

    __tablename__ = "purchase_order"
    __table_args__ = (
        CheckConstraint("total_fen >= 0", name="total_fen"),
        CheckConstraint("fund_source IN ('canteen','union','welfare','other')", name="fund_source"),
        CheckConstraint("platform IN ('marketplace','social_network')", name="platform"),
        CheckConstraint("source_kind IN ('direct','import','quotation','agreement')", name="source_kind"),
        CheckConstraint("(source_kind = 'direct') = (source_id IS NULL)", name="source"),
        Index(None, "buyer_id", "id"),
        Index(None, "ordering_unit_id", "id"),
        Index(None, "source_kind", "source_id", postgresql_where=text("source_id IS NOT NULL")),
    )

    id: int = key()
    #: 'PO' + Shanghai date + id: unique, readable on the phone; gaps are of no consequence.
    number: str = Field(unique=True)
    #: The unit whose budget and statistics the order belongs to.
    buyer_id: int = ref("organisation.id")
    #: The unit that ordered; another than the buyer where a branch buys on the budget of the unit above it.
    ordering_unit_id: int = ref("organisation.id")
    #: The approved request that it carries out.
    purchase_request_id: int | None = Field(
        default=None, foreign_key="purchase_request.id", sa_type=BigInteger, nullable=True, unique=True
    )
    placed_by: int = ref("app_user.id")
    programme_code: str = Field(foreign_key="programme.code")
    fund_source: str
    platform: str = "marketplace"
    #: The support relation that the buyer claims; checked against the relations in force when the sale is booked.
    declared_relation_id: int | None = ref("support_relation.id", nullable=True)
    buyer_reference: str | None = Field(default=None, sa_column_kwargs={"comment": "the buyer's own order number"})
    cost_centre: str | None = None
    #: Shanghai date by which the goods are wanted.
    deliver_by: date | None = None
    delivery_address: str
    delivery_contact: str | None = None
    delivery_phone: str | None = None
    #: By what way it came, and the id of the import, quotation request or agreement.
    source_kind: str = Field(default="direct", sa_column_kwargs={"server_default": "direct"})
    source_id: int | None = Field(default=None, sa_type=BigInteger)
    line_count: int
    total_fen: int = fen()
    total_grams: int = grams()
    placed_at: datetime = moment()


class SupplierOrder(SQLModel, table=True):
    """The part of a purchase order that one supplier delivers."""

    __tablename__ = "supplier_order"
    __table_args__ = (
        CheckConstraint(
            "status IN ('placed','confirmed','rejected','cancelled','partly_shipped','shipped','partly_accepted','accepted')",
            name="status",
        ),
        CheckConstraint("total_fen >= 0", name="total_fen"),
        CheckConstraint("freight_fen >= 0", name="freight_fen"),
        CheckConstraint("freight_asked_fen > freight_fen", name="freight_asked_fen"),
        CheckConstraint(
            "reason_code IN ('not_needed','wrong_details','wrong_unit','freight','out_of_stock','cannot_deliver','price','other',"
            "'not_confirmed_in_time','agreed','certificate','not_paid_in_time')",
            name="reason_code",
        ),
        UniqueConstraint("purchase_order_id", "supplier_id"),
        Index(None, "supplier_id", "status", "id"),
        Index(None, "supplier_id", "id"),
        Index(None, "confirm_by", postgresql_where=text("status = 'placed'")),
    )

    id: int = key()
    purchase_order_id: int = ref("purchase_order.id")
    supplier_id: int = ref("organisation.id")
    status: str = Field(default="placed", sa_column_kwargs={"server_default": "placed"})
    reason: str | None = Field(default=None, sa_column_kwargs={"comment": "why it was rejected or cancelled"})
    reason_code: str | None = None
    #: The goods; what their transport costs comes on top.
    total_fen: int = fen()
    freight_fen: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    #: More than the supplier may set alone, while the buyer has not agreed to it.
    freight_asked_fen: int | None = Field(default=None, sa_type=BigInteger)
    total_grams: int = grams()
    #: Until when the supplier has to confirm; then the part is released. Null: whenever it likes.
    confirm_by: datetime | None = moment(nullable=True)
    confirmed_at: datetime | None = moment(nullable=True)
    #: A later date than the order's, that both sides agreed on.
    deliver_by: date | None = None
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class OrderLine(SQLModel, table=True):
    """One line: price, tax and weight as they were when it was ordered.

    What is left to ship is ``quantity - shipped_quantity - closed_quantity``; what the buyer has to answer for is
    ``quantity - closed_quantity``. A line that was replaced before anything was shipped keeps its place with the quantity 0.
    """

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint("quantity >= 0", name="quantity"),
        CheckConstraint("unit_price_fen > 0", name="unit_price_fen"),
        CheckConstraint("amount_fen = round(quantity * unit_price_fen)", name="amount_fen"),
        CheckConstraint("vat_fen >= 0 AND vat_fen <= amount_fen", name="vat_fen"),
        CheckConstraint("shipped_quantity BETWEEN 0 AND quantity - closed_quantity", name="shipped_quantity"),
        CheckConstraint("closed_quantity >= 0", name="closed_quantity"),
        CheckConstraint("accepted_quantity >= 0 AND rejected_quantity >= 0 AND difference_quantity >= 0", name="answered_quantity"),
        CheckConstraint(
            "accepted_quantity + rejected_quantity + difference_quantity <= shipped_quantity", name="answered_not_above_shipped"
        ),
        UniqueConstraint("purchase_order_id", "line_no"),
        Index(None, "supplier_order_id"),
        Index(None, "sku_id"),
        Index(None, "agreement_line_id", postgresql_where=text("agreement_line_id IS NOT NULL")),
    )

    id: int = key()
    purchase_order_id: int = ref("purchase_order.id")
    supplier_order_id: int = ref("supplier_order.id")
    line_no: int
    sku_id: int = ref("sku.id")
    product_id: int = ref("product.id")
    certificate_id: int = ref("certificate.id")
    #: The line of a long-term agreement that this one draws from.
    agreement_line_id: int | None = ref("agreement_line.id", nullable=True)
    quantity: Decimal = quantity()
    unit_price_fen: int = fen()
    #: Gross: quantity times unit price, rounded half up once.
    amount_fen: int = fen()
    vat_bp: int
    vat_fen: int = fen()
    grams: int = Field(sa_type=BigInteger, sa_column_kwargs={"comment": "ordered net weight; 0 for services"})
    shipped_quantity: Decimal = Field(default=Decimal(0), sa_type=Numeric(14, 3), sa_column_kwargs={"server_default": "0"})
    accepted_quantity: Decimal = Field(default=Decimal(0), sa_type=Numeric(14, 3), sa_column_kwargs={"server_default": "0"})
    rejected_quantity: Decimal = Field(default=Decimal(0), sa_type=Numeric(14, 3), sa_column_kwargs={"server_default": "0"})
    #: What will not come, because the supplier delivered the whole by a lower weight.
    closed_quantity: Decimal = Field(default=Decimal(0), sa_type=Numeric(14, 3), sa_column_kwargs={"server_default": "0"})
    #: What was sent and did not arrive: neither accepted nor rejected.
    difference_quantity: Decimal = Field(default=Decimal(0), sa_type=Numeric(14, 3), sa_column_kwargs={"server_default": "0"})
    #: The line in whose place an agreed change put this one, and when its product was chosen if that was after the order.
    replaces_id: int | None = ref("order_line.id", nullable=True)
    agreed_at: datetime | None = moment(nullable=True)
