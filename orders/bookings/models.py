"""Services: what a supplier can take on each day, and the vouchers with which guests come."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


class ServiceCapacity(SQLModel, table=True):
    """Units of a service that its supplier takes on one day. The database refuses to book more."""

    __tablename__ = "service_capacity"
    __table_args__ = (CheckConstraint("booked >= 0 AND booked <= units", name="not_overbooked"),)

    sku_id: int = ref("sku.id", primary_key=True)
    day: date = Field(primary_key=True)
    units: int
    booked: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class Voucher(SQLModel, table=True):
    """One unit of a service: booked for a day, and redeemed once."""

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint("status IN ('issued','booked','redeemed','expired','cancelled')", name="status"),
        CheckConstraint("valid_from <= valid_until", name="validity"),
        CheckConstraint("status <> 'booked' OR booked_for IS NOT NULL", name="booked_for"),
        CheckConstraint("(status = 'redeemed') = (redeemed_at IS NOT NULL)", name="redeemed"),
        # redeemed, or closed after its time: what it was is written once
        CheckConstraint("status NOT IN ('redeemed','expired') OR acceptance_id IS NOT NULL", name="acceptance"),
        UniqueConstraint("order_line_id", "unit_no"),
        Index(None, "supplier_order_id", "id"),
        Index(None, "sku_id", "booked_for", postgresql_where=text("status = 'booked'")),
        Index(None, "valid_until", postgresql_where=text("status IN ('issued','booked')")),
    )

    id: int = key()
    #: FW2026-000001, without gaps; everybody may see it.
    number: str = Field(unique=True)
    #: What the guest shows; only the buyer sees it, and it cannot be guessed.
    code: str = Field(unique=True)
    supplier_order_id: int = ref("supplier_order.id")
    order_line_id: int = ref("order_line.id")
    sku_id: int = ref("sku.id")
    unit_no: int
    #: Shanghai dates, both included.
    valid_from: date
    valid_until: date
    status: str = Field(default="issued", sa_column_kwargs={"server_default": "issued"})
    booked_for: date | None = None
    guest: str | None = None
    issued_by: int = ref("app_user.id")
    issued_at: datetime = moment()
    redeemed_by: int | None = ref("app_user.id", nullable=True)
    redeemed_at: datetime | None = moment(nullable=True)
    acceptance_id: int | None = ref("acceptance.id", nullable=True, index=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
