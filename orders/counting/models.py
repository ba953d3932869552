"""One sale, one count: which documents were seen in which claims, and what is held until somebody has looked."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, PrimaryKeyConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, ref

_SUBJECTS = "('external_sale','sales_batch','sales_batch_line','purchase_order')"


class DocumentUse(SQLModel, table=True):
    """A document that a claim rests on. ``number`` as ``rules.document_key`` writes it, so that one document reads the same everywhere."""

    __tablename__ = "document_use"
    __table_args__ = (
        CheckConstraint("kind IN ('invoice','bank_receipt','waybill')", name="kind"),
        CheckConstraint(f"subject_kind IN {_SUBJECTS}", name="subject_kind"),
        CheckConstraint("side IN ('seller','buyer')", name="side"),
        PrimaryKeyConstraint("kind", "number", "subject_kind", "subject_id"),
        Index(None, "subject_kind", "subject_id"),
    )

    kind: str
    number: str
    subject_kind: str
    subject_id: int = Field(sa_type=BigInteger)
    #: In whose book the claim stands; None: in both. One document stands in a seller's and in its buyer's book, and that is as it should be.
    side: str | None = None
    #: What the claim says that the document is of.
    amount_fen: int | None = fen(nullable=True)
    used_at: datetime = moment()
    #: The claim was withdrawn or refused: the document is free again.
    released_at: datetime | None = moment(nullable=True)


class CountingHold(SQLModel, table=True):
    """A claim that does not count until a person has decided, and what speaks against it."""

    __tablename__ = "counting_hold"
    __table_args__ = (
        CheckConstraint(
            "reason_code IN ('document_seen','suspected_duplicate','not_certified','over_capacity','broken_chain','clock','outlet_closed'"
            ",'late','refund','corrects_nothing','implausible','withdrawal','no_sale')",
            name="reason_code",
        ),
        CheckConstraint(f"subject_kind IN {_SUBJECTS} AND other_kind IN {_SUBJECTS}", name="kinds"),
        CheckConstraint("(other_kind IS NULL) = (other_id IS NULL)", name="other"),
        CheckConstraint("status IN ('open','counted','void')", name="status"),
        CheckConstraint("(status = 'open') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("status = 'open' OR decision <> ''", name="decision"),
        Index(
            "uq_counting_hold_open",
            "subject_kind",
            "subject_id",
            "reason_code",
            text("coalesce(other_kind, '')"),
            text("coalesce(other_id, 0)"),
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
        Index(None, "status", "id"),
        Index(None, "district_code", "status", "id"),
        Index(None, "other_kind", "other_id", postgresql_where=text("other_id IS NOT NULL")),
    )

    id: int = key()
    subject_kind: str
    subject_id: int = Field(sa_type=BigInteger)
    reason_code: str
    #: The claim that it is held against.
    other_kind: str | None = None
    other_id: int | None = Field(default=None, sa_type=BigInteger)
    #: What was found: documents, amounts, days. No personal data.
    evidence: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    #: Whose officers decide: the district of origin.
    district_code: str = Field(foreign_key="region.code")
    amount_fen: int = fen()
    status: str = Field(default="open", sa_column_kwargs={"server_default": "open"})
    opened_at: datetime = moment()
    decided_by: int | None = ref("app_user.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    decision: str | None = None


class BookMatch(SQLModel, table=True):
    """A purchase in a buyer's book and the sale in the seller's book that it is."""

    __tablename__ = "book_match"
    __table_args__ = (
        CheckConstraint("seller_kind IN ('external_sale','purchase_order')", name="seller_kind"),
        CheckConstraint("basis IN ('invoice','order_number','amount_and_day','by_hand')", name="basis"),
        # an order may be of several suppliers, each with a claim of its own
        Index("uq_book_match_seller", "seller_kind", "seller_id", "supplier_id", unique=True),
    )

    #: The buyer's claim.
    buyer_sale_id: int = ref("external_sale.id", primary_key=True)
    seller_kind: str
    seller_id: int = Field(sa_type=BigInteger)
    supplier_id: int = ref("organisation.id")
    basis: str
    #: Buyer's amount less seller's.
    difference_fen: int = fen()
    matched_by: int | None = ref("app_user.id", nullable=True)
    matched_at: datetime = moment()


class BookParting(SQLModel, table=True):
    """Two that a person took apart: the job does not match them again."""

    __tablename__ = "book_parting"

    buyer_sale_id: int = ref("external_sale.id", primary_key=True)
    seller_kind: str = Field(primary_key=True)
    seller_id: int = Field(sa_type=BigInteger, primary_key=True)
