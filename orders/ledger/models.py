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
            "origin_kind IN ('acceptance_line','acceptance_correction','history','correction','reassignment')", name="origin_kind"
        ),
        CheckConstraint("mode IN ('policy_procurement','east_west','market','social_network')", name="mode"),
        CheckConstraint("relation IN ('none','east_west','central_unit','municipal_group','district_pair')", name="relation"),
        CheckConstraint("kind IN ('goods','service')", name="kind"),
        CheckConstraint("direction IN ('purchase','helped_sale')", name="direction"),
        CheckConstraint("month = date_trunc('month', sold_on::timestamp)::date", name="month"),
        CheckConstraint("certified = (certificate_id IS NOT NULL)", name="certified"),
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
            postgresql_include=["fund_source", "reserved_share_eligible", "certified", "amount_fen"],
        ),
        Index(None, "reverses_id", postgresql_where=text("reverses_id IS NOT NULL")),
    )

    id: int = key()
    #: Where it comes from: the acceptance line's id, that of its correction, a number of the history, (a reversal) the entry's own id, or
    #: (booked for another buyer) the id of the reversal that took it back.
    origin_kind: str
    origin_id: int = Field(sa_type=BigInteger)
    reverses_id: int | None = ref("sale_entry.id", nullable=True)
    recorded_at: datetime = moment()
    #: Shanghai date of the sale (acceptance), and the first day of the month in which it is booked.
    sold_on: date
    month: date
    programme_code: str = Field(foreign_key="programme.code")
    direction: str = "purchase"

    order_id: int | None = ref("purchase_order.id", nullable=True)
    supplier_order_id: int | None = ref("supplier_order.id", nullable=True)
    sku_id: int = ref("sku.id")
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

    buyer_id: int = ref("organisation.id")
    buyer_kind: str
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
