"""What callers send and get about budgets."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from orders.ledger.rules import FundSource as FundSource
from shop.core.money import PositiveYuanIn, YuanOut
from shop.core.quantities import Id, ShortText, whole

Year = Annotated[int, Field(ge=2000, le=2100), whole]


class BudgetIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"year": 2026, "fund_source": "canteen", "limit": "200000.00"}]}
    )

    organisation_id: Id | None = Field(default=None, description="the unit; default: the caller's own")
    year: Year
    fund_source: FundSource
    limit: PositiveYuanIn


class BudgetPatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: PositiveYuanIn
    reason: ShortText


class BudgetOut(BaseModel):
    id: int
    organisation_id: int
    organisation_name: str
    year: int
    fund_source: FundSource
    limit: YuanOut
    reserved: YuanOut = Field(description="ordered and not accepted yet, and requests that wait")
    consumed: YuanOut = Field(description="accepted and not given back")
    available: YuanOut
    set_by_id: int = Field(description="the unit whose people set the limit last; units below it do not change it")
    version: int


class BudgetDrawOut(BaseModel):
    id: int
    holder_kind: Literal["purchase_request", "purchase_order"]
    holder_id: int
    number: str
    ordering_unit: str
    reserved: YuanOut
    consumed: YuanOut
