"""The sales ledger: one append-only row per sale, the source of every figure."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shop.core.db import fen, grams, key, moment, quantity, ref


class SaleEntry(SQLModel, table=True):
    """One sale as it was when it was booked.

    Triggers refuse UPDATE, DELETE and TRUNCATE; a correction is a row of the opposite sign.
    """

    __tablename__ = "sale_entry"
    __table_args__ = (
        CheckConstraint(
            "origin_kind IN ('acceptance_line','acceptance_correction','history','correction','reassignment','outlet_line','external_line',"
            "'release')",
            name="origin_kind",
        ),
        CheckConstraint("source IN ('platform','outlet','external')", name="source"),
        CheckConstraint("(source = 'outlet') = (outlet_id IS NOT NULL)", name="outlet"),
        # who buys at a till stays unknown
        CheckConstraint("source <> 'platform' OR buyer_id IS NOT NULL AND sku_id IS NOT NULL", name="known_buyer"),
        CheckConstraint("occurred_on < sold_on", name="occurred_on"),
        # figures up to today hold all there are
        CheckConstraint("sold_on <= (recorded_at AT TIME ZONE 'Asia/Shanghai')::date", name="not_to_come"),
        CheckConstraint("mode IN ('policy_procurement','east_west','market','social_network')", name="mode"),
        CheckConstraint("relation IN ('none','east_west','central_unit','municipal_group','district_pair')", name="relation"),
        CheckConstraint("kind IN ('goods','service')", name="kind"),
        CheckConstraint("direction IN ('purchase','helped_sale')", name="direction"),
        CheckConstraint("month = date_trunc('month', sold_on::timestamp)::date", name="month"),
        CheckConstraint("certified = (certificate_id IS NOT NULL)", name="certified"),
        # rollups and filters know districts; a township's code is longer
        CheckConstraint("length(buyer_region_code) = 6", name="buyer_region_code"),
        CheckConstraint("(origin_kind = 'correction') = (reverses_id IS NOT NULL)", name="reverses"),
        CheckConstraint(
            "CASE WHEN reverses_id IS NULL THEN quantity > 0 AND grams >= 0 AND amount_fen >= 0"
            " ELSE quantity < 0 AND grams <= 0 AND amount_fen <= 0 END",
            name="sign",
        ),
        # one sale, one count
        UniqueConstraint("origin_kind", "origin_id"),
        Index(None, "sold_on", "id"),
        Index(None, "order_id"),
        Index(None, "district_code", "sold_on", "id"),
        Index(None, "supplier_id", "sold_on", "id"),
        # what a unit bought in a year is summed from the index alone
        Index(
            None,
            "buyer_id",
            "sold_on",
            "id",
            postgresql_include=["fund_source", "reserved_share_eligible", "certified", "counted", "amount_fen"],
        ),
        Index(None, "outlet_id", "sold_on", "id", postgresql_where=text("outlet_id IS NOT NULL")),
        Index(None, "reverses_id", postgresql_where=text("reverses_id IS NOT NULL")),
        # what was told after its month had been closed
        Index(None, "occurred_on", "id", postgresql_where=text("occurred_on IS NOT NULL")),
    )

    id: int = key()
    #: Where it comes from: the id of the acceptance line, of its correction, of the line of an outlet's batch or of an external sale; a number of
    #: the history; (a reversal) the entry's own id; (booked for another buyer, or again after it had been held) that of the reversal.
    origin_kind: str
    origin_id: int = Field(sa_type=BigInteger)
    reverses_id: int | None = ref("sale_entry.id", nullable=True)
    recorded_at: datetime = moment()
    #: Whether it was ordered here, sold at an outlet, or made elsewhere and claimed.
    source: str = Field(default="platform", sa_column_kwargs={"server_default": "platform"})
    #: Shanghai date on which it counts (acceptance), and the first day of its month.
    sold_on: date
    month: date
    #: The day on which it was made, where that lies in a month that had been closed before it was told.
    occurred_on: date | None = None
    programme_code: str = Field(foreign_key="programme.code")
    direction: str = "purchase"
    #: Whether figures hold it. What an operator of outlets buys to sell on does not count where the last sale counts; it is owed all the same.
    counted: bool = Field(default=True, sa_column_kwargs={"server_default": "true"})

    order_id: int | None = ref("purchase_order.id", nullable=True)
    supplier_order_id: int | None = ref("supplier_order.id", nullable=True)
    outlet_id: int | None = ref("outlet.id", nullable=True)
    sku_id: int | None = ref("sku.id", nullable=True)
    product_id: int = ref("product.id")
    kind: str
    category: str
    supplier_id: int = ref("organisation.id")
    #: Origin of the product.
    district_code: str = Field(foreign_key="region.code")
    township_code: str | None = Field(default=None, foreign_key="region.code")
    village: str | None = None
    certificate_id: int | None = ref("certificate.id", nullable=True)
    certified: bool
    reserved_share_eligible: bool

    buyer_id: int | None = ref("organisation.id", nullable=True)
    #: What the buyer is; ``consumer`` for everybody who buys at a till.
    buyer_kind: str
    #: Its district, or what is of that rank elsewhere.
    buyer_region_code: str = Field(foreign_key="region.code")
    fund_source: str

    mode: str
    relation: str = "none"
    relation_id: int | None = ref("support_relation.id", nullable=True)
    #: The one primary channel, and why it is that one.
    channel: str
    channel_basis: str

    quantity: Decimal = quantity()
    grams: int = grams()
    amount_fen: int = fen()


class ClosedMonth(SQLModel, table=True):
    """A month whose figures were published. Nothing is booked into it any more: the trigger of the ledger refuses it."""

    __tablename__ = "closed_month"
    __table_args__ = (CheckConstraint("month = date_trunc('month', month::timestamp)::date", name="month"),)

    month: date = Field(primary_key=True)
    closed_at: datetime = moment()
    closed_by: int = ref("app_user.id")
