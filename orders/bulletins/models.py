"""Closed months, what was explained before, and the bulletins that are made of them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shop.core.db import fen, grams, key, moment, ref

_FIRST_DAY = "month = date_trunc('month', month::timestamp)::date"


class MonthClose(SQLModel, table=True):
    """A month as a county, or the city (500000), closed it. Append-only."""

    __tablename__ = "month_close"
    __table_args__ = (
        CheckConstraint(_FIRST_DAY, name="month"),
        CheckConstraint("(cardinality(lacking) = 0) = (reason IS NULL)", name="reason"),
        PrimaryKeyConstraint("month", "region_code"),
    )

    month: date
    region_code: str = Field(foreign_key="region.code")
    closed_by: int = ref("app_user.id")
    closed_at: datetime = moment()
    #: What was open then: item -> count.
    items: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))
    #: The counties that had not closed when the city did, and why it did so all the same.
    lacking: list[str] = Field(sa_column=Column(ARRAY(Text()), nullable=False))
    reason: str | None = None


class CloseExplanation(SQLModel, table=True):
    """Why a month may be closed though something is open: it holds for as much as was open then. Append-only."""

    __tablename__ = "close_explanation"
    __table_args__ = (
        CheckConstraint(_FIRST_DAY, name="month"),
        CheckConstraint("open_count > 0", name="open_count"),
        CheckConstraint("explanation <> ''", name="explanation"),
        Index(None, "month", "region_code", "id"),
    )

    id: int = key()
    month: date
    region_code: str = Field(foreign_key="region.code")
    item: str
    open_count: int
    explanation: str
    by: int = ref("app_user.id")
    at: datetime = moment()


class FigureExplanation(SQLModel, table=True):
    """Why a district's figure is published though its grade is low; printed in the bulletin's notes. Append-only."""

    __tablename__ = "figure_explanation"
    __table_args__ = (
        CheckConstraint(_FIRST_DAY, name="month"),
        CheckConstraint("explanation <> ''", name="explanation"),
        Index(None, "month", "district_code", "id"),
    )

    id: int = key()
    month: date
    district_code: str = Field(foreign_key="region.code")
    explanation: str
    by: int = ref("app_user.id")
    at: datetime = moment()


class Bulletin(SQLModel, table=True):
    """One edition: the bulletin of a month (``edition`` 0), or a revision of it. What was published is never changed; a trigger refuses it."""

    __tablename__ = "bulletin"
    __table_args__ = (
        CheckConstraint(_FIRST_DAY, name="month"),
        CheckConstraint("edition >= 0", name="edition"),
        CheckConstraint("status IN ('draft','published','superseded')", name="status"),
        CheckConstraint("(status = 'draft') = (published_at IS NULL)", name="published"),
        CheckConstraint("(status <> 'draft' OR edition > 0) = (number IS NOT NULL)", name="number"),
        CheckConstraint("(edition > 0) = (reason IS NOT NULL)", name="reason"),
        CheckConstraint("drafted_by <> published_by", name="two_persons"),
        UniqueConstraint("month", "edition"),
        UniqueConstraint("year", "number", "edition"),
        Index("uq_bulletin_draft", "month", unique=True, postgresql_where=text("status = 'draft'")),
        Index("uq_bulletin_in_force", "month", unique=True, postgresql_where=text("status = 'published'")),
    )

    id: int = key()
    month: date
    #: The year of the month; the bulletin's number within it, without gaps, given when it is published.
    year: int
    number: int | None = None
    edition: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    status: str = Field(default="draft", sa_column_kwargs={"server_default": "draft"})
    #: JSON of :class:`orders.bulletins.content.Content`, and its hash (hex SHA-256).
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sha256: str
    #: Why there is a revision.
    reason: str | None = None
    drafted_by: int = ref("app_user.id")
    drafted_at: datetime = moment()
    published_by: int | None = ref("app_user.id", nullable=True)
    published_at: datetime | None = moment(nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class BulletinFile(SQLModel, table=True):
    """A published edition as a file, made of its content when it was published. Append-only."""

    __tablename__ = "bulletin_file"
    __table_args__ = (
        CheckConstraint("format IN ('html','pdf','xlsx')", name="format"),
        PrimaryKeyConstraint("bulletin_id", "format"),
    )

    bulletin_id: int = ref("bulletin.id")
    format: str
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sha256: str


class BulletinChange(SQLModel, table=True):
    """One line of a revision's difference table: what an entry of the ledger changes in the figures of the month. Each is told once."""

    __tablename__ = "bulletin_change"
    __table_args__ = (
        CheckConstraint("kind IN ('late','reversal','again','revoked','verified')", name="kind"),
        PrimaryKeyConstraint("month", "kind", "entry_id"),
        Index(None, "bulletin_id", "kind", "entry_id"),
    )

    month: date
    kind: str
    entry_id: int = ref("sale_entry.id")
    bulletin_id: int = ref("bulletin.id")
    direction: str
    #: The district as it stands in the bulletin: one that was merged by then in its successor.
    district_code: str
    township_code: str | None = None
    channel: str
    source: str
    category: str
    amount_fen: int = fen()
    grams: int = grams()
    #: Of certified products.
    certified_fen: int = fen()
    #: 1, or 0 where an entry is counted already and only its certificate fell away.
    entries: int
