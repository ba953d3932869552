"""What callers send and get about quotations and awards."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from catalog.products.rules import Category, Unit
from catalog.products.schemas import TierOut, Tiers
from orders.purchasing.schemas import PurchaseOrderOut
from orders.sourcing.rules import Bar, ReasonCode, Result
from orders.sourcing.schemas.requests import MAX_LINES, FileOut, In
from orders.sourcing.states import QuotationStatus
from shop.core.errors import BadValue
from shop.core.money import YuanOut
from shop.core.quantities import Day, Id, LongText, OptionalText, Quantity, QuantityOut, ShortText, whole

LineNo = Annotated[int, Field(ge=1, le=MAX_LINES), whole]


class QuotationLineIn(In):
    """The offer for one line: an own certified SKU, how many packs there are at most, and what a pack costs."""

    line_no: LineNo
    declined: bool = Field(default=False, description="nothing is offered for this line")
    sku_id: Id | None = None
    quantity: Quantity | None = Field(default=None, description="packs that can be had; default: as many as the line needs")
    tiers: Tiers | None = None
    deliver_on: Day | None = Field(default=None, description="Shanghai date by which it is delivered; default: as asked")
    note: ShortText | None = None

    @model_validator(mode="after")
    def _offers(self) -> Self:
        given = [name for name in ("sku_id", "tiers", "quantity", "deliver_on") if getattr(self, name) is not None]
        lacking = [name for name in ("sku_id", "tiers") if name not in given]
        if self.declined and given:
            raise BadValue("不报价的行不得填写规格、数量和价格", "a declined line has no SKU, quantity or price", given[0])
        if not self.declined and lacking:
            raise BadValue("须填写规格编号和价格", "an offer needs a SKU and its prices", lacking[0])
        return self


class QuotationIn(In):
    valid_until: Day = Field(description="last Shanghai date on which the supplier stands by it")
    note: LongText | None = None
    lines: list[QuotationLineIn] = Field(min_length=1, max_length=MAX_LINES, description="lines left out are not offered")


class QuotationRow(BaseModel):
    id: int
    quotation_request_id: int
    supplier_id: int
    supplier_name: str
    revision: int
    status: QuotationStatus
    submitted_at: datetime
    ended_at: datetime | None
    valid_until: date
    note: str | None


class QuotationLineOut(BaseModel):
    id: int
    line_no: int
    name: str
    asked_quantity: QuantityOut
    asked_unit: Unit
    declined: bool
    sku_id: int | None
    sku_code: str | None
    product_name: str | None
    pack: str | None
    net_grams: int | None
    quantity: QuantityOut | None
    tiers: list[TierOut]
    list_price: YuanOut | None = Field(description="what the list said then for the quantity asked")
    deliver_on: date | None
    note: str | None
    awarded_quantity: QuantityOut | None = Field(description="packs; not for suppliers, and null before an award")


class QuotationOut(QuotationRow):
    lines: list[QuotationLineOut]
    files: list[FileOut]


# --- comparison -----------------------------------------------------------------------------------------------------


class OfferOut(BaseModel):
    """An offer for a line, at the quantity asked or as much of it as there is."""

    quotation_id: int
    supplier_id: int
    supplier_name: str
    sku_id: int
    product_name: str
    pack: str
    net_grams: int | None
    covered_quantity: QuantityOut | None = Field(description="units asked for that it covers; null: it sells no quantity so small")
    packs: QuantityOut | None
    unit_price: YuanOut | None = Field(description="of one pack")
    price_per_unit: YuanOut | None = Field(
        description="what one unit asked for comes to at whole packs, rounded; exact ones are compared"
    )
    amount: YuanOut | None
    over_target: YuanOut | None = Field(description="amount above the target price; negative: below")
    over_list: YuanOut | None = Field(description="amount above the list price of the day it was offered; negative: below")
    deliver_on: date | None
    in_time: bool | None = Field(description="whether it comes by the day asked")
    complete: bool
    lowest: bool = Field(description="nobody who can be awarded covers the line, or what of it is offered, for less a unit")
    certified_until: date | None
    reserved_share_eligible: bool
    bar: Bar | None = Field(description="why it cannot be awarded now")
    note: str | None


class ComparedLineOut(BaseModel):
    line_no: int
    name: str
    category: Category | None
    unit: Unit
    quantity: QuantityOut
    awarded_quantity: QuantityOut
    target_price: YuanOut | None
    deliver_by: date | None
    offers: list[OfferOut] = Field(description="the cheapest first")


class ComparedSupplierOut(BaseModel):
    quotation_id: int
    supplier_id: int
    supplier_name: str
    submitted_at: datetime
    valid_until: date
    lines_offered: int
    complete: bool = Field(description="it covers all lines in full")
    total: YuanOut = Field(description="of what it covers")
    lowest: bool = Field(description="the lowest total among those that are complete and can be awarded")


class ComparisonOut(BaseModel):
    quotation_request_id: int
    number: str
    title: str
    lines: list[ComparedLineOut]
    suppliers: list[ComparedSupplierOut]
    lowest_total: YuanOut | None = Field(
        description="every line from whoever has all of it for the least; null where a line cannot be had in full from one supplier"
    )


# --- awards ---------------------------------------------------------------------------------------------------------


class AwardLineIn(In):
    line_no: LineNo
    supplier_id: Id
    quantity: Quantity | None = Field(default=None, description="units asked for; default: what is left and offered")
    reason_code: ReasonCode | None = Field(default=None, description="needed where it is not the lowest price")


class AgreedTermsIn(In):
    """What an agreement needs besides its lines, whose prices are those awarded and whose caps are the quantities awarded."""

    valid_from: Day
    valid_until: Day = Field(description="the last day, inclusive")
    terms: OptionalText = ""


class AwardIn(In):
    """Either ``supplier_id``, which gives one supplier all that it offers, or ``lines``."""

    reason: ShortText
    result: Result = Result.ORDER
    agreement: AgreedTermsIn | None = Field(default=None, description="with the result `agreement`")
    supplier_id: Id | None = None
    reason_code: ReasonCode | None = Field(default=None, description="with supplier_id: for lines where it is not the lowest")
    lines: Annotated[list[AwardLineIn], Field(min_length=1, max_length=MAX_LINES)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.supplier_id is None) == (self.lines is None):
            raise BadValue("须在 supplier_id 和 lines 中二选一", "either supplier_id or lines")
        if self.lines is not None and self.reason_code is not None:
            raise BadValue("按行定标时原因代码写在各行", "by line, each line has its own reason code", "reason_code")
        if (self.result is Result.AGREEMENT) != (self.agreement is not None):
            raise BadValue(
                "签订协议时须填写协议期限", "the terms of an agreement go with the result agreement, and with no other", "agreement"
            )
        if self.agreement is not None and not 0 <= (self.agreement.valid_until - self.agreement.valid_from).days <= 366 * 5:
            raise BadValue(
                "协议期限须在一天至五年之间",
                "an agreement holds for a day at least and five years at most",
                "agreement.valid_until",
            )
        return self


class AwardedOut(BaseModel):
    """What an award came to: an order; a request for one that waits for approval; or an agreement."""

    award_id: int
    total: YuanOut
    purchase_order: PurchaseOrderOut | None = None
    purchase_request_id: int | None = None
    agreement_id: int | None = None


class AwardLineOut(BaseModel):
    line_no: int
    name: str
    supplier_id: int
    supplier_name: str
    quotation_id: int
    sku_id: int
    quantity: QuantityOut = Field(description="units asked for")
    packs: QuantityOut
    unit_price: YuanOut
    amount: YuanOut
    lowest: bool
    reason_code: ReasonCode | None
    given_back_at: datetime | None = Field(description="when it could be awarded again, since no order came of it")


class AwardOut(BaseModel):
    id: int
    awarded_at: datetime
    reason: str | None = Field(description="not for suppliers")
    result: Result
    purchase_order_id: int | None
    purchase_request_id: int | None
    voided_at: datetime | None = Field(description="when all of it was given back to be awarded again")
    agreement_id: int | None
    total: YuanOut = Field(description="for a supplier: of its own lines")
    lines: list[AwardLineOut] = Field(description="for a supplier: its own")
