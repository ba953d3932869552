"""Lists that buyers uploaded, row by row, and what organisations said about the columns of theirs."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import fen, grams, key, moment, quantity, ref


def _json(default: type = list) -> Any:
    return Field(default_factory=default, sa_column=Column(JSONB, nullable=False))


class OrderImport(SQLModel, table=True):
    """One uploaded list on its way to an order."""

    __tablename__ = "order_import"
    __table_args__ = (
        CheckConstraint("status IN ('reading','checking','ready','failed','ordered')", name="status"),
        CheckConstraint("(status = 'failed') = (fault IS NOT NULL)", name="fault"),
        CheckConstraint("header_row >= 1", name="header_row"),
        Index(None, "organisation_id", "id"),
        # the same file twice is found by its content
        Index(None, "organisation_id", "sha256"),
    )

    id: int = key()
    #: The unit that the order is for, and the one whose user uploaded the list.
    buyer_id: int = ref("organisation.id")
    organisation_id: int = ref("organisation.id")
    uploaded_by: int = ref("app_user.id")
    uploaded_at: datetime = moment()
    file_id: int = ref("stored_file.id")
    name: str
    sha256: str
    status: str = Field(default="reading", sa_column_kwargs={"server_default": "reading"})
    fault: str | None = Field(default=None, sa_column_kwargs={"comment": "code of why it could not be read"})
    rows_total: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    rows_done: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    #: The sheet that was read or is to be; null for a file without sheets, or before it was read. And all sheets with where their header
    #: stands: ``{"name": "10月", "rows": 63, "header_row": 3}``.
    sheet: str | None = None
    sheets: list[dict[str, Any]] = _json()
    #: Row of the header, counted from 1 as a spreadsheet program shows it, and its cells.
    header_row: int | None = None
    headers: list[str] = _json()
    #: What is told by which column (from 0) and why it is taken for that: ``{"product": {"at": 2, "basis": "header"}}``.
    columns: dict[str, Any] = _json(dict)
    #: Columns that stand there more than once, of which the user has to choose: ``{"district": [1, 3]}``.
    undecided: dict[str, Any] = _json(dict)
    #: The first rows as they are, so that a user can say where the header is.
    sample: list[list[str]] = _json()
    #: What the user said about the columns is kept for the organisation when the list is read.
    keep_columns: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    purchase_order_id: int | None = ref("purchase_order.id", nullable=True)
    #: Where the order has to be approved first; no foreign key, because requests keep their own tables.
    purchase_request_id: int | None = Field(default=None, sa_type=BigInteger)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class OrderImportRow(SQLModel, table=True):
    """One row below the header: as it was written, as it was understood, and what stands against it."""

    __tablename__ = "order_import_row"
    __table_args__ = (
        CheckConstraint("kind IN ('line','blank','total','remark')", name="kind"),
        CheckConstraint(
            "state IN ('waiting','matched','warning','ambiguous','faulty','skipped','not_a_line')",
            name="state",
        ),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("NOT chosen OR sku_id IS NOT NULL", name="chosen"),
    )

    import_id: int = ref("order_import.id", primary_key=True)
    row_no: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    kind: str
    cells: list[str] = _json()
    code: str = ""
    product: str = ""
    district: str = ""
    pack: str = ""
    unit: str = ""
    note: str = ""
    #: How much is wanted in the unit of the SKU, and as it is written: a weight such as 100斤 is converted.
    ordered_quantity: Decimal | None = quantity(nullable=True)
    quantity: Decimal | None = quantity(nullable=True)
    #: What the list says that a unit costs; it binds nobody.
    price_fen: int | None = fen(nullable=True)
    sku_id: int | None = ref("sku.id", nullable=True)
    #: A user said that this SKU is meant; or that the row is to be left out.
    chosen: bool = False
    skipped: bool = False
    state: str
    #: Each with the step that found it: ``{"step": "match", "column": "product", "code": …, "warning": false, "data": {…}}``.
    faults: list[dict[str, Any]] = _json()
    #: SKUs that may be meant, and SKUs that could take the place of one that cannot be had.
    candidates: list[dict[str, Any]] = _json()
    substitutes: list[dict[str, Any]] = _json()
    #: At the last check: price, amount and weight of what would be ordered.
    unit_price_fen: int | None = fen(nullable=True)
    amount_fen: int | None = fen(nullable=True)
    grams: int | None = grams(nullable=True)


class ColumnMapping(SQLModel, table=True):
    """What an organisation said about the columns of a header, used whenever the same header comes again."""

    __tablename__ = "column_mapping"
    __table_args__ = (UniqueConstraint("organisation_id", "fingerprint"),)

    id: int = key()
    organisation_id: int = ref("organisation.id")
    #: SHA-256 of the header's fingerprint (``orders.importing.rules.fingerprint``), which may be long.
    fingerprint: str
    #: ``{"product": 2}``; columns count from 0.
    columns: dict[str, Any] = _json(dict)
    saved_by: int = ref("app_user.id")
    saved_at: datetime = moment()
