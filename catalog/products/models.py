"""Products (goods and services) and the packs in which they are sold."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Numeric, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field, SQLModel

from shop.core.db import fen, grams, key, moment, quantity, ref


def plain_name_sql(name: str) -> str:
    """SQL: a name in one width, without spaces and in lower case, as names are compared that somebody wrote by hand."""
    return f"lower(regexp_replace(normalize({name}, NFKC), '\\s', '', 'g'))"


class Product(SQLModel, table=True):
    """A good or service of one supplier, from one place of origin."""

    __tablename__ = "product"
    __table_args__ = (
        CheckConstraint("kind IN ('goods','service')", name="kind"),
        CheckConstraint("status IN ('active','withdrawn')", name="status"),
        UniqueConstraint("supplier_id", "name"),
        Index(None, "search", postgresql_using="gin"),
        Index(None, "category", "id"),
        Index(None, "district_code", "id"),
        Index(None, "pinyin", "id"),
        Index("ix_product_plain_name", text(plain_name_sql("name"))),
        # cheapest first and dearest first; what has no price stands last in both
        Index("ix_product_price", text("coalesce(price_fen, 9223372036854775807)"), "id"),
        Index("ix_product_price_desc", text("coalesce(price_fen, 0)"), "id"),
    )

    id: int = key()
    supplier_id: int = ref("organisation.id", index=True)
    name: str
    kind: str
    category: str
    #: Origin: district (or county), township and village.
    district_code: str = Field(foreign_key="region.code")
    township_code: str | None = Field(default=None, foreign_key="region.code")
    village: str | None = None
    description: str = ""
    #: Who makes it, in which grade, and what it is by which standard; a certificate speaks of these too.
    producer: str = Field(default="", sa_column_kwargs={"server_default": ""})
    grade: str = Field(default="", sa_column_kwargs={"server_default": ""})
    specification: str = Field(default="", sa_column_kwargs={"server_default": ""})
    status: str = "active"
    #: The highest price that needs no review: so many fen for so many grams (services: for one unit). Certification sets it.
    ceiling_fen: int | None = fen(nullable=True)
    ceiling_grams: int | None = grams(nullable=True)
    # What the catalogue is searched and sorted by, derived from the rows themselves. The actions of products and SKUs keep it; after a
    # bulk load ``catalog.products.listing.refresh`` writes it for every product.
    search: str | None = Field(
        default=None, sa_column=Column(TSVECTOR, comment="character grams, pinyin and initials (catalog.products.search)")
    )
    search_text: str = Field(
        default="",
        sa_column=Column(Text, nullable=False, server_default="", comment="normalised name; on a second line origin and supplier"),
    )
    pinyin: str = Field(
        default="", sa_column=Column(Text(collation="C"), nullable=False, server_default="", comment="sort key: the name's pinyin")
    )
    price_fen: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, comment="lowest price at which a minimum quantity is sold; null: nothing is on sale"),
    )
    created_at: datetime = moment()
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class Sku(SQLModel, table=True):
    """A pack of a product: what is counted, ordered, priced and stocked."""

    __tablename__ = "sku"
    __table_args__ = (
        CheckConstraint("step > 0", name="step"),
        CheckConstraint("min_quantity > 0", name="min_quantity"),
        CheckConstraint("net_grams > 0", name="net_grams"),
        CheckConstraint(
            "CASE WHEN unit = 'kg' THEN net_grams IS NOT DISTINCT FROM 1000"
            " WHEN unit IN ('person','room_night') THEN net_grams IS NULL ELSE true END",
            name="unit",
        ),
        CheckConstraint("vat_bp BETWEEN 0 AND 10000", name="vat_bp"),
        CheckConstraint("status IN ('active','withdrawn')", name="status"),
        CheckConstraint("(barcode IS NULL) = (barcode_of IS NULL)", name="barcode"),
        UniqueConstraint("barcode_of", "barcode"),
    )

    id: int = key()
    product_id: int = ref("product.id", index=True)
    #: 商品条码 (69码, GTIN), once among the packs of a supplier, whose id stands in ``barcode_of``.
    barcode: str | None = None
    barcode_of: int | None = ref("organisation.id", nullable=True)
    code: str = Field(unique=True)
    pack: str = Field(sa_column_kwargs={"comment": "as printed: 5kg/箱"})
    unit: str
    #: Net weight of one unit in grams; null for services.
    net_grams: int | None = grams(nullable=True)
    step: Decimal = quantity(default=Decimal(1))
    min_quantity: Decimal = quantity(default=Decimal(1))
    vat_bp: int = Field(default=0, sa_column_kwargs={"comment": "VAT rate in basis points, contained in the gross price"})
    status: str = "active"
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class PriceTier(SQLModel, table=True):
    """From ``min_quantity`` of one line on, a unit costs ``unit_price_fen``."""

    __tablename__ = "price_tier"
    __table_args__ = (
        CheckConstraint("min_quantity > 0", name="min_quantity"),
        CheckConstraint("unit_price_fen > 0 AND unit_price_fen <= 1000000000000", name="unit_price_fen"),
    )

    sku_id: int = ref("sku.id", primary_key=True)
    min_quantity: Decimal = Field(sa_column=Column(Numeric(14, 3), primary_key=True))
    unit_price_fen: int = fen()
