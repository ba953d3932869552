"""Contracts, as they were when both sides were bound."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


class Contract(SQLModel, table=True):
    """The contract of a supplier order (``supplement_no`` 0), or a supplement to it. Append-only: a trigger refuses any change."""

    __tablename__ = "contract"
    __table_args__ = (
        CheckConstraint("supplement_no >= 0", name="supplement_no"),
        CheckConstraint("(supplement_no = 0) = (amendment_id IS NULL)", name="amendment"),
        UniqueConstraint("supplier_order_id", "supplement_no"),
    )

    id: int = key()
    supplier_order_id: int = ref("supplier_order.id")
    supplement_no: int = 0
    #: 'HT' + year + supplier + a number without gaps; a supplement's has its own number at the end.
    number: str = Field(unique=True)
    #: The agreed change that a supplement is about; no foreign key, because amendments lie above contracts.
    amendment_id: int | None = Field(default=None, sa_type=BigInteger)
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    sha256: str = Field(sa_column_kwargs={"comment": "of the content as canonical JSON"})
    made_at: datetime = moment()
