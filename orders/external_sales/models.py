"""Sales that were made elsewhere and are claimed with evidence: on other platforms, by contract, or with somebody's help."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shop.core.db import fen, grams, key, moment, quantity, ref


class ExternalSale(SQLModel, table=True):
    """One claim: one deal with its papers. What sellers claim makes the figures; what buyers claim is held against it."""

    __tablename__ = "external_sale"
    __table_args__ = (
        CheckConstraint("side IN ('seller','buyer')", name="side"),
        CheckConstraint("direction IN ('purchase','helped_sale')", name="direction"),
        CheckConstraint("(direction = 'helped_sale') = (helper_id IS NOT NULL)", name="helper"),
        CheckConstraint("platform IN ('832','social_network','other_platform','contract','offline')", name="platform"),
        CheckConstraint("fund_source IN ('canteen','union','welfare','other')", name="fund_source"),
        CheckConstraint("status IN ('draft','submitted','returned','held','accepted','refused','withdrawn','void')", name="status"),
        # one that was accepted keeps its decision while it is held, and when it is voided
        CheckConstraint("status NOT IN ('accepted','refused') OR decided_at IS NOT NULL", name="decided"),
        CheckConstraint("status NOT IN ('draft','submitted','returned','withdrawn') OR decided_at IS NULL", name="undecided"),
        CheckConstraint("status IN ('draft','withdrawn') OR submitted_at IS NOT NULL", name="submitted"),
        CheckConstraint("decided_by <> submitted_by", name="two_persons"),
        CheckConstraint("side = 'seller' OR buyer_id IS NOT NULL", name="buyer"),
        CheckConstraint("total_fen >= 0 AND total_grams >= 0", name="totals"),
        Index(None, "claimant_id", "id"),
        Index(None, "supplier_id", "sold_on", "id"),
        Index(None, "buyer_id", "sold_on", "id", postgresql_where=text("buyer_id IS NOT NULL")),
        Index(None, "status", "id", postgresql_where=text("status IN ('submitted','held')")),
    )

    id: int = key()
    #: ``WX`` with year and number.
    number: str = Field(unique=True)
    #: Whose book it comes from, and the organisation that claims it.
    side: str
    claimant_id: int = ref("organisation.id")
    direction: str = "purchase"
    #: Who helped to sell.
    helper_id: int | None = ref("organisation.id", nullable=True)
    platform: str
    #: The supplier on the list; who wrote the invoice may be another.
    supplier_id: int = ref("organisation.id")
    invoice_seller: str | None = None
    invoice_seller_uscc: str | None = None
    #: The buyer, by its registration here or by name, kind and place.
    buyer_id: int | None = ref("organisation.id", nullable=True)
    buyer_name: str
    buyer_kind: str
    buyer_region_code: str = Field(foreign_key="region.code")
    #: The region whose officers review it: the supplier's district.
    district_code: str = Field(foreign_key="region.code")
    #: What the order is called where it was made.
    order_number: str | None = None
    #: Shanghai date.
    sold_on: date
    fund_source: str = "other"
    declared_relation_id: int | None = ref("support_relation.id", nullable=True)
    total_fen: int = fen(default=0)
    total_grams: int = grams(default=0)
    note: str = ""
    status: str = Field(default="draft", sa_column_kwargs={"server_default": "draft"})
    reason: str | None = Field(default=None, sa_column_kwargs={"comment": "why it was returned, refused or voided"})
    created_by: int = ref("app_user.id")
    created_at: datetime = moment()
    submitted_by: int | None = ref("app_user.id", nullable=True)
    submitted_at: datetime | None = moment(nullable=True)
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class ExternalSaleLine(SQLModel, table=True):
    """Goods of one product, tax included."""

    __tablename__ = "external_sale_line"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND grams >= 0 AND amount_fen > 0", name="figures"),
        UniqueConstraint("sale_id", "line_no"),
        Index(None, "product_id", "amount_fen"),
    )

    id: int = key()
    sale_id: int = ref("external_sale.id")
    line_no: int
    product_id: int = ref("product.id")
    sku_id: int | None = ref("sku.id", nullable=True)
    #: The product as it was called when it was claimed.
    product_name: str
    quantity: Decimal = quantity()
    unit: str
    grams: int = grams()
    amount_fen: int = fen()


class ExternalSaleDocument(SQLModel, table=True):
    """Evidence: an invoice, a bank receipt, a waybill, a contract, a platform's list, a photograph, a letter."""

    __tablename__ = "external_sale_document"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('invoice','bank_receipt','waybill','contract','platform_list','photo','letter','other')", name="kind"
        ),
        CheckConstraint("kind NOT IN ('invoice','bank_receipt','waybill') OR number IS NOT NULL", name="number"),
        CheckConstraint("kind <> 'waybill' OR issuer IS NOT NULL", name="carrier"),
        Index(None, "sale_id"),
    )

    id: int = key()
    sale_id: int = ref("external_sale.id")
    kind: str
    #: Of an invoice its code (of older ones) and number, of a bank receipt its serial, of a waybill carrier and number.
    number: str | None = None
    issuer: str | None = None
    dated_on: date | None = None
    amount_fen: int | None = fen(nullable=True)
    file_id: int | None = ref("stored_file.id", nullable=True)
