"""Where goods are sold away from the marketplace: cabinets (专柜), halls (专馆) and zones (专区), their devices, and what they are to hold."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, quantity, ref


class Outlet(SQLModel, table=True):
    """One place of sale. It counts from the day on which an officer of its county verified it."""

    __tablename__ = "outlet"
    __table_args__ = (
        CheckConstraint("kind IN ('cabinet','hall','zone')", name="kind"),
        CheckConstraint("NOT online OR kind <> 'cabinet' AND url IS NOT NULL", name="online"),
        CheckConstraint("online OR address <> ''", name="address"),
        CheckConstraint("status IN ('registered','verified','refused','closed')", name="status"),
        CheckConstraint("(status = 'closed') = (closed_on IS NOT NULL)", name="closed"),
        CheckConstraint("closed_on >= opened_on", name="period"),
        CheckConstraint("status <> 'verified' OR verified_at IS NOT NULL", name="verified"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="position"),
        # what the operator calls it; the public field list asks for it (设备或渠道编号)
        UniqueConstraint("operator_id", "external_number"),
        Index(None, "region_code", "status", "id"),
        Index(None, "operator_id", "id"),
        Index(None, "status", "id"),
    )

    id: int = key()
    #: Such as ``ZG-500236-000012``: kind (专柜 ZG, 专馆 GG, 专区 ZQ), region, number within the series.
    number: str = Field(unique=True)
    external_number: str
    kind: str
    #: A hall or zone on a platform of the net, at ``url``.
    online: bool = False
    url: str | None = None
    name: str
    operator_id: int = ref("organisation.id")
    #: District or county in which it stands; for one on the net that of its operator.
    region_code: str = Field(foreign_key="region.code")
    township_code: str | None = Field(default=None, foreign_key="region.code")
    address: str = ""
    #: What kind of place it stands in: station, campus, hospital, office, service_area, community, scenic_spot, market, factory, other.
    venue: str = "other"
    latitude: Decimal | None = Field(default=None, sa_type=Numeric(8, 5))
    longitude: Decimal | None = Field(default=None, sa_type=Numeric(8, 5))
    #: First and last day (Shanghai dates).
    opened_on: date
    closed_on: date | None = None
    close_reason: str | None = None
    status: str = Field(default="registered", sa_column_kwargs={"server_default": "registered"})
    registered_by: int = ref("app_user.id")
    registered_at: datetime = moment()
    verified_by: int | None = ref("app_user.id", nullable=True)
    verified_at: datetime | None = moment(nullable=True)
    reason: str | None = Field(default=None, sa_column_kwargs={"comment": "why it was refused"})
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class OutletPulse(SQLModel, table=True):
    """When an outlet was last heard of; apart from the outlet, because it changes all the time."""

    __tablename__ = "outlet_pulse"

    outlet_id: int = ref("outlet.id", primary_key=True)
    seen_at: datetime = moment()
    #: Last moment of a sale, and of a batch received.
    sold_at: datetime | None = moment(nullable=True)
    batch_at: datetime | None = moment(nullable=True)
    #: Since when it is silent and its operator was told; none: it is heard of.
    silent_since: datetime | None = moment(nullable=True)
    #: What the device said of itself.
    software: str | None = None


class OutletStock(SQLModel, table=True):
    """What an outlet holds of its goods, as its device last said."""

    __tablename__ = "outlet_stock"
    __table_args__ = (CheckConstraint("quantity >= 0", name="quantity"), PrimaryKeyConstraint("outlet_id", "goods_id"))

    outlet_id: int = ref("outlet.id")
    goods_id: str
    quantity: Decimal = quantity()
    told_at: datetime = moment()


class OutletDevice(SQLModel, table=True):
    """A till or cabinet that sends sales. Its key is kept as SHA-256 and shown once; it may do nothing but report for its outlet."""

    __tablename__ = "outlet_device"
    __table_args__ = (
        CheckConstraint("last_sequence >= 0", name="last_sequence"),
        # of those that hold: whoever takes the place of a lost till is called as it was
        Index("uq_outlet_device_outlet_id_number", "outlet_id", "number", unique=True, postgresql_where=text("revoked_at IS NULL")),
    )

    id: int = key()
    outlet_id: int = ref("outlet.id")
    number: str
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    prefix: str
    #: The end of the chain of batches that was received without a gap, and its hash (hex SHA-256).
    last_sequence: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    last_hash: str | None = None
    created_by: int = ref("app_user.id")
    created_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)


class OutletPlanLine(SQLModel, table=True):
    """How much of a pack an outlet is to hold."""

    __tablename__ = "outlet_plan_line"
    __table_args__ = (CheckConstraint("planned_quantity > 0", name="planned_quantity"),)

    outlet_id: int = ref("outlet.id", primary_key=True)
    sku_id: int = ref("sku.id", primary_key=True)
    planned_quantity: Decimal = quantity()


class OutletGoods(SQLModel, table=True):
    """What an outlet offers, as its operator reports it (field list of the national platform)."""

    __tablename__ = "outlet_goods"
    __table_args__ = (
        CheckConstraint("NOT certified OR supplier_uscc IS NOT NULL AND certified_name IS NOT NULL", name="certified"),
        CheckConstraint("price_fen >= 0", name="price_fen"),
        UniqueConstraint("outlet_id", "goods_id"),
        Index(None, "barcode", postgresql_where=text("barcode IS NOT NULL")),
        Index(None, "product_id", postgresql_where=text("product_id IS NOT NULL")),
    )

    id: int = key()
    outlet_id: int = ref("outlet.id")
    #: The operator's number of the goods.
    goods_id: str
    name: str
    #: 是否扶贫商品, and if so the name on the list and the supplier's code.
    certified: bool
    certified_name: str | None = None
    supplier_name: str | None = None
    supplier_uscc: str | None = None
    price_fen: int = fen()
    #: 69码.
    barcode: str | None = None
    sku: str | None = None
    spu: str | None = None
    brand: str | None = None
    #: Three levels, separated by '/'.
    category_codes: str | None = None
    invoice: bool = False
    on_shelf: bool = True
    #: What it is in the catalogue, where it was found there.
    product_id: int | None = ref("product.id", nullable=True)
    sku_id: int | None = ref("sku.id", nullable=True)
    changed_at: datetime = moment()
    deleted_at: datetime | None = moment(nullable=True)
