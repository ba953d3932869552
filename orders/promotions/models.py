"""Campaigns that sell the same goods on the net and at outlets (线上线下联动促销)."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, moment, ref


class Promotion(SQLModel, table=True):
    """One campaign. After its last day a published one has ended, without anybody's doing."""

    __tablename__ = "promotion"
    __table_args__ = (
        CheckConstraint("status IN ('draft','published','ended','cancelled')", name="status"),
        CheckConstraint("starts_on <= ends_on", name="period"),
        CheckConstraint("status <> 'published' OR published_at IS NOT NULL", name="published"),
        CheckConstraint("(status IN ('ended','cancelled')) = (reason IS NOT NULL)", name="reason"),
        Index(None, "region_code", "id"),
    )

    id: int = key()
    name: str
    #: The district, or the city, that runs it.
    region_code: str = Field(foreign_key="region.code")
    #: First and last day; when it was ended early, the day of that.
    starts_on: date
    ends_on: date
    #: Where on the net, such as the address of a shop.
    online_place: str
    status: str = Field(default="draft", sa_column_kwargs={"server_default": "draft"})
    reason: str | None = Field(default=None, sa_column_kwargs={"comment": "why it was ended early or cancelled"})
    created_by: int = ref("app_user.id")
    created_at: datetime = moment()
    published_at: datetime | None = moment(nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class PromotionLine(SQLModel, table=True):
    """What a pack costs in the campaign, on the net and at outlets."""

    __tablename__ = "promotion_line"
    __table_args__ = (
        CheckConstraint("online_fen > 0 AND offline_fen > 0", name="prices"),
        Index(None, "sku_id"),
    )

    promotion_id: int = ref("promotion.id", primary_key=True)
    sku_id: int = ref("sku.id", primary_key=True)
    online_fen: int = fen()
    offline_fen: int = fen()


class PromotionOutlet(SQLModel, table=True):
    __tablename__ = "promotion_outlet"
    __table_args__ = (Index(None, "outlet_id"),)

    promotion_id: int = ref("promotion.id", primary_key=True)
    outlet_id: int = ref("outlet.id", primary_key=True)
