"""What outlets sold: batches as devices and operators send them, and their lines."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shop.core.db import fen, grams, key, moment, quantity, ref


class SalesBatch(SQLModel, table=True):
    """Some sales of one outlet. Whoever sends it gives its id before sending, so that it counts once however often it comes."""

    __tablename__ = "sales_batch"
    __table_args__ = (
        CheckConstraint("way IN ('device','file')", name="way"),
        CheckConstraint("(way = 'device') = (device_id IS NOT NULL AND sequence IS NOT NULL)", name="device"),
        CheckConstraint("status IN ('accepted','waiting','held','replaced','void')", name="status"),
        CheckConstraint("(status IN ('held','void')) = (reason_code IS NOT NULL)", name="reason"),
        CheckConstraint("line_count > 0", name="line_count"),
        UniqueConstraint("outlet_id", "batch_id"),
        UniqueConstraint("device_id", "sequence"),
        Index(
            "uq_sales_batch_replaces",
            "replaces_id",
            unique=True,
            postgresql_where=text("replaces_id IS NOT NULL AND status <> 'void'"),
        ),
        Index(None, "outlet_id", "id"),
        Index(None, "status", "id", postgresql_where=text("status IN ('waiting','held')")),
    )

    id: int = key()
    outlet_id: int = ref("outlet.id")
    batch_id: str
    way: str
    device_id: int | None = ref("outlet_device.id", nullable=True)
    #: Its place in the device's chain, from 1 on, and the hashes (hex SHA-256) of the batch before it and of its own content.
    sequence: int | None = Field(default=None, sa_type=BigInteger)
    previous_hash: str | None = None
    hash: str
    #: The batch that this one corrects: what that one booked is taken back.
    replaces_id: int | None = ref("sales_batch.id", nullable=True)
    #: ``waiting``: a batch before it in the chain has not come yet.
    status: str
    reason_code: str | None = None
    line_count: int
    #: Certified goods of the list, and all others, in fen.
    certified_fen: int = fen()
    other_fen: int = fen()
    #: Of the first and last sale in it.
    first_sold_at: datetime = moment()
    last_sold_at: datetime = moment()
    #: By the device's clock.
    sent_at: datetime | None = moment(nullable=True)
    received_at: datetime = moment()
    received_from: int | None = ref("app_user.id", nullable=True)
    file_id: int | None = ref("stored_file.id", nullable=True)


class SalesBatchLine(SQLModel, table=True):
    """One sale at an outlet, or (``refunds_line_id``) what was given back of an earlier one. Figures are positive."""

    __tablename__ = "sales_batch_line"
    __table_args__ = (
        CheckConstraint("status IN ('counted','other','resale','held','waiting','replaced','void')", name="status"),
        CheckConstraint("(status IN ('held','void')) = (reason_code IS NOT NULL)", name="reason"),
        CheckConstraint("quantity > 0 AND grams >= 0 AND amount_fen >= 0", name="figures"),
        CheckConstraint("status NOT IN ('counted','resale') OR product_id IS NOT NULL", name="product"),
        UniqueConstraint("batch_id", "line_no"),
        # one sale, one count: the till's own number of a sale is told once
        Index(
            "uq_sales_batch_line_line_id",
            "outlet_id",
            "line_id",
            unique=True,
            postgresql_where=text("status NOT IN ('replaced','void')"),
        ),
        Index(None, "product_id", "sold_on", postgresql_where=text("product_id IS NOT NULL")),
        Index(None, "status", "id", postgresql_where=text("status IN ('held','waiting')")),
    )

    id: int = key()
    batch_id: int = ref("sales_batch.id")
    outlet_id: int = ref("outlet.id")
    line_no: int
    #: The till's number of the sale's line.
    line_id: str
    refunds_line_id: str | None = None
    receipt_number: str | None = None
    sold_at: datetime = moment()
    #: Shanghai date.
    sold_on: date
    #: As the operator reports the goods.
    goods_id: str
    goods_name: str
    barcode: str | None = None
    certified: bool
    supplier_uscc: str | None = None
    #: What it is in the catalogue.
    product_id: int | None = ref("product.id", nullable=True)
    sku_id: int | None = ref("sku.id", nullable=True)
    quantity: Decimal = quantity()
    grams: int = grams()
    amount_fen: int = fen()
    #: ``other``: no goods of the list; ``resale``: its first sale counts already (see ``docs/counting.md``).
    status: str
    reason_code: str | None = None


class OutletDay(SQLModel, table=True):
    """What an outlet sold on a day, in fen; written with its batches."""

    __tablename__ = "outlet_day"
    __table_args__ = (PrimaryKeyConstraint("outlet_id", "day"), Index(None, "day", "outlet_id"))

    outlet_id: int = ref("outlet.id")
    day: date
    certified_fen: int = fen()
    other_fen: int = fen()
    grams: int = grams()
    lines: int
