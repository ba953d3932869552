"""Lists of goods that buyers keep to order them again."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, quantity, ref


class SavedList(SQLModel, table=True):
    """A list of one user, or shared with the units of the organisation's branch."""

    __tablename__ = "saved_list"
    __table_args__ = (UniqueConstraint("organisation_id", "owner_id", "name"),)

    id: int = key()
    organisation_id: int = ref("organisation.id")
    owner_id: int = ref("app_user.id", index=True)
    name: str
    shared: bool
    line_count: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    created_at: datetime = moment()
    updated_at: datetime = moment()
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class SavedListLine(SQLModel, table=True):
    """How much of a SKU is usually ordered; each SKU stands in a list once."""

    __tablename__ = "saved_list_line"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND quantity <= 1000000000", name="quantity"),
        UniqueConstraint("list_id", "sku_id"),
    )

    id: int = key()
    list_id: int = ref("saved_list.id")
    sku_id: int = ref("sku.id")
    quantity: Decimal = quantity()
