"""How a buying unit buys: where its goods go and whose budget they belong to."""

from typing import Any

from sqlalchemy import Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import key, ref


class DeliveryAddress(SQLModel, table=True):
    """A place to which a unit has goods delivered, with who takes them there. Orders keep a copy."""

    __tablename__ = "delivery_address"
    __table_args__ = (
        Index(None, "organisation_id", "id"),
        Index("uq_delivery_address_default", "organisation_id", unique=True, postgresql_where=text("is_default AND active")),
    )

    id: int = key()
    organisation_id: int = ref("organisation.id")
    #: What the unit calls it: canteen of the north campus.
    name: str
    address: str
    contact: str | None = None
    phone: str | None = None
    is_default: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    active: bool = Field(default=True, sa_column_kwargs={"server_default": "true"})
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class BuyingSettings(SQLModel, table=True):
    """What holds for the orders of a unit."""

    __tablename__ = "buying_settings"

    organisation_id: int = ref("organisation.id", primary_key=True)
    #: The unit whose budget and statistics the orders belong to, unless an order names another: one above it. Null: the unit itself.
    budget_unit_id: int | None = ref("organisation.id", nullable=True)
    #: Orders without a budget for their year and fund source are refused. Null: as the unit above says.
    budget_required: bool | None = None
    #: The payment terms of orders that name none. Null: as the unit above says, or else the programme.
    payment_terms: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
