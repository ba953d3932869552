"""What callers send and get about commission."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from catalog.products.rules import Category
from orders.settlement.rules import CommissionKind
from shop.core.money import YuanIn, YuanOut
from shop.core.quantities import Code, Day, Id, ShortText, whole

BasisPoints = Annotated[int, Field(ge=0, le=10_000, description="hundredths of a per cent: 150 is 1.5 %"), whole]


class CommissionRuleIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "programme_code": "chongqing-2021",
                    "supplier_id": 12,
                    "kind": "rate",
                    "rate_bp": 150,
                    "valid_from": "2026-12-01",
                    "reason": "年度合作协议",
                }
            ]
        },
    )

    programme_code: Code
    supplier_id: Id | None = Field(default=None, description="none: of all suppliers")
    category: Category | None = Field(default=None, description="none: of all categories")
    kind: CommissionKind = Field(description="none: from then on this scope has no rule, and the next wider one holds")
    rate_bp: BasisPoints | None = None
    fixed: Annotated[YuanIn, Field(ge=0)] | None = Field(default=None, description="for each part of an order")
    valid_from: Day = Field(description="orders placed from this day on")
    reason: ShortText


class CommissionRuleOut(BaseModel):
    id: int
    programme_code: str
    supplier_id: int | None
    supplier_name: str | None
    category: Category | None
    kind: CommissionKind
    rate_bp: int | None
    fixed: YuanOut | None
    valid_from: date
    version: int = Field(description="1, 2, … of the same supplier and category")
    in_force: bool = Field(description="the version of its scope that orders placed today go by")
    reason: str
    set_by: int
    set_at: datetime


class CommissionOut(BaseModel):
    """What goods of one category bear."""

    category: Category
    rule_id: int | None = Field(description="none: nothing is kept")
    kind: CommissionKind
    rate_bp: int
    fixed: YuanOut
