"""What callers send and get about requests for quotation."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from catalog.products.rules import Category, Unit
from catalog.products.schemas import DistrictCode
from orders.purchasing.schemas import FundSource
from orders.sourcing.rules import Kind
from orders.sourcing.states import RequestAction, RequestStatus
from orders.terms.schemas import PaymentTerms
from shop.core.errors import BadValue
from shop.core.money import PositiveYuanIn, YuanOut
from shop.core.quantities import (
    Day,
    Id,
    LongText,
    Moment,
    Name,
    OneLine,
    ProperName,
    Quantity,
    QuantityOut,
    ShortText,
    each_once,
    whole,
)
from shop.identity.schemas import Phone

MAX_LINES = 1_000
MAX_SUPPLIERS = 200

Side = Literal["buyer", "officer", "supplier"]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RequestLineIn(In):
    """By SKU (this or the like of it), or by what is described."""

    sku_id: Id | None = None
    name: Name | None = Field(default=None, description="what it is called; default: the product's name")
    specification: LongText | None = Field(default=None, description="what it has to be; needed without a SKU")
    category: Category | None = Field(default=None, description="default: that of the SKU; without any, all suppliers match")
    unit: Unit | None = Field(default=None, description="what is counted; needed without a SKU, otherwise that of the SKU")
    unit_grams: Annotated[int, Field(ge=1, le=10**9), whole] | None = Field(
        default=None, description="net weight of one unit; then packs of other sizes are compared gram for gram. A kg has 1000"
    )
    quantity: Quantity
    target_price: PositiveYuanIn | None = Field(default=None, description="what one unit should cost")
    deliver_by: Day | None = None
    delivery_place: OneLine | None = Field(default=None, description="if it goes elsewhere than the others")

    @model_validator(mode="after")
    def _describes(self) -> Self:
        lacking = [name for name in ("name", "specification", "unit") if not getattr(self, name)]
        if self.sku_id is None and lacking:
            told = "未指定规格编号时须填写名称、规格要求和单位", "without a SKU a line needs name, specification and unit"
            raise BadValue(*told, lacking[0])
        beside = [name for name in ("unit", "unit_grams", "category") if getattr(self, name)]
        if self.sku_id is not None and beside:
            told = "指定规格编号时不得另填单位、净重或品类", "unit, weight and category of a SKU are those of the catalogue"
            raise BadValue(*told, beside[0])
        if self.unit is Unit.KG and self.unit_grams not in (None, 1000):
            raise BadValue("一公斤为 1000 克", "a kg has 1000 g", "unit_grams")
        return self


class EndIn(In):
    """When quotations and questions are no longer taken."""

    closes_at: Moment = Field(description="the moment from which no quotation is taken; until then all are sealed")
    questions_until: Moment | None = Field(default=None, description="default: as long as quotations are taken")

    @model_validator(mode="after")
    def _asked_before_the_end(self) -> Self:
        if self.questions_until and self.questions_until > self.closes_at:
            raise BadValue("提问截止不得晚于报价截止", "questions cannot be asked after the closing time", "questions_until")
        return self


class QuotationRequestIn(EndIn):
    title: Name
    note: LongText | None = None
    kind: Kind = Kind.INVITED
    supplier_ids: Annotated[list[Id], Field(max_length=MAX_SUPPLIERS), AfterValidator(each_once)] = Field(
        default=[], description="whom to invite by name"
    )
    matching: bool = Field(
        default=False,
        description="invited: all suppliers with certified products of the lines' categories are invited too; published: only these may answer",
    )
    districts: Annotated[list[DistrictCode], Field(max_length=50), AfterValidator(each_once)] = Field(
        default=[], description="districts of origin that matching products come from; none: from anywhere"
    )
    buyer_id: Id | None = Field(default=None, description="the budget unit; default: the caller's own")
    fund_source: FundSource
    cost_centre: Name | None = None
    payment_terms: PaymentTerms | None = Field(default=None, description="of what is awarded; default: the unit's usual ones")
    delivery_address: OneLine
    delivery_contact: ProperName | None = None
    delivery_phone: Phone | None = None
    target_shown: bool = Field(default=False, description="whether suppliers see the target prices")
    lines: list[RequestLineIn] = Field(min_length=1, max_length=MAX_LINES)

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": "食堂冬季水果",
                    "kind": "invited",
                    "matching": True,
                    "districts": ["500236"],
                    "fund_source": "canteen",
                    "delivery_address": "重庆市沙坪坝区大学城中路 1 号食堂",
                    "closes_at": "2026-12-01T09:00:00+08:00",
                    "lines": [
                        {"sku_id": 1, "quantity": "200", "target_price": "65.00"},
                        {
                            "name": "脐橙",
                            "specification": "一级果，单果 200 克以上",
                            "category": "fruit",
                            "unit": "kg",
                            "quantity": "500",
                        },
                    ],
                }
            ]
        },
    )

    @model_validator(mode="after")
    def _asks_somebody(self) -> Self:
        if self.kind is Kind.INVITED and not (self.supplier_ids or self.matching):
            raise BadValue(
                "须指定供应商或邀请全部符合条件的供应商", "name suppliers, or have all matching ones invited", "supplier_ids"
            )
        if self.kind is Kind.PUBLISHED and self.supplier_ids:
            raise BadValue("公开需求不指定供应商", "published demand names no suppliers", "supplier_ids")
        if self.districts and not self.matching:
            raise BadValue("产地仅用于匹配供应商", "districts only serve to match suppliers", "districts")
        return self


class CopyIn(EndIn):
    """A new draft with the same lines, suppliers and files; days of delivery that lie before the new end are left out."""


class ExtensionIn(EndIn):
    questions_until: Moment | None = Field(
        default=None, description="default: as it was; where questions were taken to the end, to the new one"
    )
    reason: ShortText


class ReasonIn(In):
    reason: ShortText


class TextIn(In):
    text: LongText


class FileOut(BaseModel):
    id: int
    name: str
    content_type: str
    size: int
    sha256: str
    uploaded_at: datetime


class RequestRow(BaseModel):
    id: int
    number: str
    title: str
    kind: Kind
    status: RequestStatus
    buyer_id: int
    buyer_name: str
    line_count: int
    published_at: datetime | None
    closes_at: datetime
    quotations: int | None = Field(description="how many are in force; not for suppliers")
    own_quotation_id: int | None = Field(description="the caller's own quotation in force")
    version: int


class QuotationRequestOut(RequestRow):
    seen_as: Side
    note: str | None
    matching: bool
    districts: list[str]
    fund_source: FundSource
    cost_centre: str | None
    payment_terms: PaymentTerms | None
    delivery_address: str
    delivery_contact: str | None
    delivery_phone: str | None
    target_shown: bool
    questions_until: datetime
    opened_at: datetime | None
    reason: str | None = Field(description="why it was extended, cancelled or ended")
    failed: bool = Field(description="it closed without a quotation")
    copied_from_id: int | None
    created_at: datetime
    files: list[FileOut]
    possible_actions: list[RequestAction]


class RequestLineOut(BaseModel):
    id: int
    line_no: int
    sku_id: int | None
    sku_code: str | None
    pack: str | None
    name: str
    specification: str
    category: Category | None
    unit: Unit
    unit_grams: int | None
    quantity: QuantityOut
    target_price: YuanOut | None
    deliver_by: date | None
    delivery_place: str | None
    awarded_quantity: QuantityOut | None = Field(description="not for suppliers")


class InvitationOut(BaseModel):
    supplier_id: int
    supplier_name: str
    matched: bool = Field(description="invited because its products match, not by name")
    seen_at: datetime | None
    declined_at: datetime | None
    decline_reason: str | None


class QuestionOut(BaseModel):
    id: int
    question: str
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None
    mine: bool
    supplier_id: int | None = Field(description="who asked: for the buyer's side once the quotations are open")
