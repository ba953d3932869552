"""What callers send and get about approval rules and deputies."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from catalog.products.rules import Category
from orders.budgets.schemas import FundSource
from shop.core.errors import BadValue
from shop.core.money import YuanIn, YuanOut
from shop.core.quantities import Day, Id, Name, ShortText, each_once, whole

ApprovingRole = Literal["approver", "finance", "buyer_admin"]


class ApprovalStepIn(BaseModel):
    """By anybody with the role in the rule's unit, or by one of the people named."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    role: ApprovingRole | None = None
    user_ids: Annotated[list[Id], Field(max_length=50), AfterValidator(each_once)] = []

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.role is None) == (not self.user_ids):
            raise BadValue("须指定角色或人员之一", "name either a role or people")
        return self


class ApprovalRuleIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "一万元以上", "min_amount": "10000.00", "steps": [{"name": "分管领导", "role": "approver"}]},
            ]
        },
    )

    organisation_id: Id | None = Field(
        default=None, description="the unit; default: the caller's own. It holds for the units below too"
    )
    name: Name
    min_amount: YuanIn = Field(ge=0, description="from this amount on")
    cumulative: bool = Field(default=False, description="the amount is that of the whole year, this order included")
    fund_sources: Annotated[list[FundSource], Field(max_length=4)] = Field(default=[], description="none: all")
    categories: Annotated[list[Category], Field(max_length=30)] = Field(default=[], description="none: all")
    steps: list[ApprovalStepIn] = Field(min_length=1, max_length=10)
    position: Annotated[int, Field(ge=0, le=1000), whole] = 0


class ApprovalRulePatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    active: bool


class ApprovalRuleOut(BaseModel):
    id: int
    organisation_id: int
    organisation_name: str
    name: str
    min_amount: YuanOut
    cumulative: bool
    fund_sources: list[str]
    categories: list[str]
    steps: list[ApprovalStepIn]
    position: int
    active: bool
    set_by_id: int = Field(description="the unit whose people set it up; units below it do not switch it")
    version: int


class DeputyIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    user_id: Id | None = Field(
        default=None,
        description="in whose place; default: the caller's own. Administrators: somebody of the own branch, who fell ill",
    )
    deputy_id: Id
    first_day: Day
    last_day: Day
    reason: ShortText | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last_day < self.first_day:
            raise BadValue("结束日期不能早于开始日期", "it ends before it begins", "last_day")
        return self


class DeputyOut(BaseModel):
    id: int
    user_id: int
    user_name: str
    deputy_id: int
    deputy_name: str
    first_day: date
    last_day: date
    reason: str | None
    revoked_at: datetime | None
