"""What outlets sold: batches as devices and operators send them, and their lines."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import fen, grams, key, moment, quantity, ref


class SalesBatch(SQLModel, table=True):
    """Some sales of one outlet. Whoever sends it gives its id before sending, so that it counts once however often it comes."""

    __tablename__ = "sales_batch"
    __table_args__ = (
        CheckConstraint("way IN ('device','file')", name="way"),
        CheckConstraint("(way = 'device') = (device_id IS NOT NULL AND sequence IS NOT NULL)", name="device"),
        CheckConstraint("status IN ('accepted','waiting','held','replaced','withdrawn','void')", name="status"),
        CheckConstraint("status NOT IN ('held','void') OR reason_code IS NOT NULL", name="reason"),
        # one without lines says that another should never have been sent
        CheckConstraint("line_count > 0 OR line_count = 0 AND corrects IS NOT NULL", name="line_count"),
        CheckConstraint("num_nulls(first_sold_at, last_sold_at) = CASE WHEN line_count > 0 THEN 0 ELSE 2 END", name="sold_at"),
        UniqueConstraint("outlet_id", "batch_id"),
        # a place of a chain is taken once; who comes second to it stands beside the chain
        Index("uq_sales_batch_place", "device_id", "sequence", unique=True, postgresql_where=text("in_chain")),
        Index(None, "device_id", "sequence", postgresql_where=text("status = 'waiting'")),
        Index(
            "uq_sales_batch_replaces",
            "replaces_id",
            unique=True,
            postgresql_where=text("replaces_id IS NOT NULL AND status <> 'void'"),
        ),
        Index(None, "outlet_id", "id"),
        Index("ix_sales_batch_file", "outlet_id", postgresql_where=text("way = 'file'")),
        Index(None, "status", "id", postgresql_where=text("status IN ('waiting','held')")),
        CheckConstraint("num_nulls(taken_out_fen, taken_out_on) <> 1 AND taken_out_fen > 0", name="taken_out"),
        Index(None, "outlet_id", "taken_out_on", postgresql_where=text("taken_out_on IS NOT NULL")),
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
    in_chain: bool = Field(default=True, sa_column_kwargs={"server_default": "true"})
    #: The id that whoever sent it gives to the batch that it corrects, and that batch once it was found: what it booked is taken back.
    corrects: str | None = None
    replaces_id: int | None = ref("sales_batch.id", nullable=True)
    #: ``waiting``: a batch before it in the chain has not come yet.
    status: str
    #: Why it is held or void; of one that counts, the doubt that an officer has resolved.
    reason_code: str | None = None
    line_count: int
    #: What it says was sold, refunds apart: certified goods of the list, and all others, in fen. Until it is taken all of it is other.
    certified_fen: int = fen()
    other_fen: int = fen()
    #: What less counts since another took its place, or it was taken back, and the day on which that was done, if nobody else was asked; in fen.
    taken_out_fen: int | None = fen(nullable=True)
    taken_out_on: date | None = None
    #: Of the first and last sale in it; none of one without lines.
    first_sold_at: datetime | None = moment(nullable=True)
    last_sold_at: datetime | None = moment(nullable=True)
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
        CheckConstraint("status NOT IN ('held','void') OR reason_code IS NOT NULL", name="reason"),
        CheckConstraint("quantity > 0 AND grams >= 0 AND amount_fen >= 0", name="figures"),
        CheckConstraint("status NOT IN ('counted','resale') OR product_id IS NOT NULL", name="product"),
        UniqueConstraint("batch_id", "line_no"),
        # one sale, one count: what the till calls by one number counts once, unless an officer found that it is two
        Index(
            "uq_sales_batch_line_line_id",
            "outlet_id",
            "line_id",
            unique=True,
            postgresql_where=text("status IN ('counted','other','resale') AND reason_code IS NULL"),
        ),
        # refunds that wait for their sale, by their number, and those of a sale
        Index(None, "outlet_id", postgresql_where=text("status IN ('waiting','held') AND refunds_line_id IS NOT NULL")),
        Index("ix_sales_batch_line_refund", "outlet_id", "line_id", postgresql_where=text("refunds_line_id IS NOT NULL")),
        Index(None, "refunded_id", postgresql_where=text("refunded_id IS NOT NULL")),
        Index(None, "product_id", "sold_on", postgresql_where=text("product_id IS NOT NULL")),
        # what of a product was sold on before
        Index("ix_sales_batch_line_resale", "product_id", "outlet_id", postgresql_where=text("status = 'resale'")),
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
    #: Shanghai date; not after that on which it was told, whatever the till's clock says.
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
    #: ``other``: no goods of the list; ``resale``: its first sale counts already; ``waiting``: its batch waits, or (a refund) the sale that it
    #: gives back has not come yet. See ``docs/outlets.md``.
    status: str
    reason_code: str | None = None
    #: Of a refund: what its till said, once it gave back (``amount_fen`` is then the sale's share), the line that it gave back of, and the entries that
    #: took it back in the ledger.
    told_fen: int | None = fen(nullable=True)
    refunded_id: int | None = ref("sales_batch_line.id", nullable=True)
    correction_ids: list[int] = Field(
        default_factory=list, sa_column=Column(ARRAY(BigInteger), nullable=False, server_default="{}")
    )


class SalesTrial(SQLModel, table=True):
    """A file of sales that is tried in the background, and not kept."""

    __tablename__ = "sales_trial"
    __table_args__ = (
        CheckConstraint("status IN ('reading','trying','done','refused')", name="status"),
        CheckConstraint("(status = 'done') = (result IS NOT NULL)", name="result"),
        CheckConstraint("(status = 'refused') = (problem IS NOT NULL)", name="problem"),
        Index(None, "user_id", "id"),
        Index(None, "asked_at"),
    )

    id: int = key()
    #: Who asked for it, and with what scopes of an API key; null: all.
    user_id: int = ref("app_user.id")
    scopes: list[str] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    file_id: int = ref("stored_file.id")
    name: str
    #: Of a workbook, where somebody named one.
    sheet: str | None = None
    asked_at: datetime = moment()
    status: str = Field(default="reading", sa_column_kwargs={"server_default": "reading"})
    #: Of the file, once it was read.
    rows: int | None = None
    #: What an import would answer, amounts in fen; or why it would be refused, by language.
    result: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    problem: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    done_at: datetime | None = moment(nullable=True)


class _Sums(SQLModel):
    certified_fen: int = fen()
    other_fen: int = fen()
    resale_fen: int = fen()
    grams: int = grams()
    lines: int


class _Sold(_Sums):
    outlet_id: int = ref("outlet.id")


class OutletDay(_Sold, table=True):
    """What an outlet sold on a day, less what was given back on it, in fen; written with its batches. Certified goods are those that count, as in
    the ledger; ``resale`` are certified goods whose first sale counts already. ``grams`` are of what counts, ``lines`` of all sales."""

    __tablename__ = "outlet_day"
    __table_args__ = (PrimaryKeyConstraint("outlet_id", "day"), Index(None, "day", "outlet_id"))

    day: date


class OutletYear(_Sold, table=True):
    """The sums of an outlet's days by year, written with them, so that figures of a year need not read each of its months."""

    __tablename__ = "outlet_year"
    __table_args__ = (PrimaryKeyConstraint("year", "outlet_id"),)

    year: int


class OutletMonth(_Sold, table=True):
    """The same by month."""

    __tablename__ = "outlet_month"
    __table_args__ = (PrimaryKeyConstraint("month", "outlet_id"),)

    month: date


class OutletTenDays(_Sold, table=True):
    """The same by ten days (旬), named by their first day: the 1st, 11th or 21st of a month."""

    __tablename__ = "outlet_ten_days"
    __table_args__ = (
        PrimaryKeyConstraint("ten_days", "outlet_id"),
        CheckConstraint("extract(day FROM ten_days) IN (1, 11, 21)", name="first_day"),
    )

    ten_days: date


class _SoldInCounty(_Sums):
    #: Where the outlets stand, and of what kind they are. Neither changes of an outlet that has sold.
    region_code: str = Field(foreign_key="region.code")
    kind: str
    #: How many of them sold, whose ``lines`` are more than none.
    outlets: int


class CountyDay(_SoldInCounty, table=True):
    """What the outlets of a kind sold on a day in a county, so that figures by day need not read each of them. Sales that ``CountyPendingDay`` holds
    are not in it yet: whoever reads adds them."""

    __tablename__ = "county_day"
    __table_args__ = (PrimaryKeyConstraint("day", "region_code", "kind"),)

    day: date


class CountyMonth(_SoldInCounty, table=True):
    """The same by month; an outlet that sold on several of its days is one."""

    __tablename__ = "county_month"
    __table_args__ = (PrimaryKeyConstraint("month", "region_code", "kind"),)

    month: date


class _Pending(_Sums):
    """What sales change of a county's sums, written with them and soon taken over: rows are only added and removed, so that no sale waits for another
    of its county. Without a foreign key: each sale would pay for the check."""

    region_code: str
    kind: str
    #: By how many more, or fewer, outlets sold.
    outlets: int


class CountyPendingDay(_Pending, table=True):
    __tablename__ = "county_pending_day"

    id: int = key()
    day: date


class CountyPendingMonth(_Pending, table=True):
    __tablename__ = "county_pending_month"

    id: int = key()
    month: date
