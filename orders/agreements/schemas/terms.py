"""Terms, signatures and changes of agreements."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator

from orders.agreements.rules import Side
from orders.agreements.states import AgreementMove, AgreementState, ChangeKind, ChangeStatus
from orders.budgets.schemas import FundSource
from orders.purchasing.rules import Reason
from orders.terms.schemas import PaymentTerms
from shop.core.errors import BadValue
from shop.core.money import PositiveYuanIn, YuanOut
from shop.core.quantities import (
    Day,
    Id,
    Name,
    OneLine,
    OptionalText,
    ProperName,
    Quantity,
    QuantityOut,
    ShortText,
    plain,
    plain_number,
    whole,
)
from shop.identity.schemas import Phone

MAX_LINES = 200
_percent_out = (
    PlainSerializer(plain, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d{1,2})?$", "examples": ["12.5"], "title": "percent"}),
)
Tolerance = Annotated[
    Decimal,
    BeforeValidator(plain_number),
    Field(ge=0, le=20, decimal_places=2, allow_inf_nan=False, description="percent by which caps may be passed"),
    *_percent_out,
]
PercentOff = Annotated[
    Decimal, BeforeValidator(plain_number), Field(ge=0, lt=100, decimal_places=2, allow_inf_nan=False), *_percent_out
]
PercentOut = Annotated[Decimal, *_percent_out]
LeadDays = Annotated[int, Field(ge=0, le=60, description="how many days ahead of an instalment its order is drafted"), whole]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FixedPrice(In):
    """Holds whatever the list says."""

    kind: Literal["fixed"]
    unit_price: PositiveYuanIn


class ListMinusPrice(In):
    """The list's price of the day and quantity of a call-off, less so many percent."""

    kind: Literal["list_minus"]
    percent_off: PercentOff


class AgreedTier(In):
    min_quantity: Quantity
    unit_price: PositiveYuanIn


class TierPrice(In):
    """By the quantity of each call-off."""

    kind: Literal["tiers"]
    tiers: list[AgreedTier] = Field(min_length=1, max_length=20)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        least = [tier.min_quantity for tier in self.tiers]
        if least != sorted(set(least)):
            raise BadValue("阶梯数量须递增", "the quantities of the tiers must rise", "tiers")
        return self


PriceIn = Annotated[FixedPrice | ListMinusPrice | TierPrice, Field(discriminator="kind")]


class AgreementLineIn(In):
    sku_id: Id
    price: PriceIn
    quantity_cap: Quantity | None = None
    amount_cap: PositiveYuanIn | None = None
    minimum_quantity: Quantity | None = None

    @model_validator(mode="after")
    def _minimum_below_cap(self) -> Self:
        if self.minimum_quantity is not None and self.quantity_cap is not None and self.minimum_quantity > self.quantity_cap:
            raise BadValue("最低数量不能高于上限", "the minimum lies above the cap", "minimum_quantity")
        return self


class AgreementIn(In):
    title: Name
    supplier_id: Id
    buyer_id: Id | None = Field(default=None, description="default: the caller's own unit")
    fund_source: FundSource
    valid_from: Day
    valid_until: Day = Field(description="the last day, inclusive")
    amount_cap: PositiveYuanIn | None = None
    tolerance_percent: Tolerance = Decimal(0)
    minimum_amount: PositiveYuanIn | None = Field(default=None, description="what the buyer commits itself to order")
    call_off_lead_days: LeadDays = 3
    auto_order: bool = Field(default=False, description="drafted call-offs are ordered without a click")
    terms: OptionalText = ""
    payment_terms: PaymentTerms | None = Field(
        default=None, description="of every order that draws from it; default: the unit's usual ones"
    )
    lines: list[AgreementLineIn] = Field(min_length=1, max_length=MAX_LINES)

    @model_validator(mode="after")
    def _plausible(self) -> Self:
        if self.valid_from > self.valid_until:
            raise BadValue("截止日早于起始日", "the last day lies before the first", "valid_until")
        if (self.valid_until - self.valid_from).days > 366 * 5:
            raise BadValue("协议期限不能超过五年", "an agreement holds for five years at most", "valid_until")
        if self.minimum_amount is not None and self.amount_cap is not None and self.minimum_amount > self.amount_cap:
            raise BadValue("最低金额不能高于上限", "the minimum lies above the cap", "minimum_amount")
        if len({line.sku_id for line in self.lines}) < len(self.lines):
            raise BadValue("每个规格只能出现一次", "each SKU once", "lines")
        return self


class PlaceIn(In):
    name: Name
    address: OneLine
    contact: ProperName | None = None
    phone: Phone | None = None
    unit_id: Id | None = Field(default=None, description="the unit of the buyer's branch that is there; its closures count too")


class EntryIn(In):
    line_no: Annotated[int, Field(ge=1, le=MAX_LINES), whole]
    place: Name = Field(description="the name of one of the places")
    weekdays: list[Annotated[int, Field(ge=1, le=7, description="1 is Monday"), whole]] = Field(min_length=1, max_length=7)
    every_weeks: Annotated[int, Field(ge=1, le=52), whole] = 1
    quantity: Quantity
    starts_on: Day | None = Field(default=None, description="default: the first day of the agreement")
    ends_on: Day | None = Field(default=None, description="default: its last day")
    in_term_only: bool = Field(default=True, description="nothing comes while the buyer or the place's unit is closed")
    skips_public_holidays: bool = True


class ScheduleIn(In):
    places: list[PlaceIn] = Field(min_length=1, max_length=100)
    entries: list[EntryIn] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        if len({place.name for place in self.places}) < len(self.places):
            raise BadValue("地点名称不能重复", "each name of a place once", "places")
        return self


class SignIn(In):
    terms_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="of the terms that were read")]


class ReasonIn(In):
    reason: ShortText


class LineChangeIn(In):
    """What changes of a line; a field that is left out stays."""

    line_no: Annotated[int, Field(ge=1, le=MAX_LINES), whole]
    price: PriceIn | None = None
    quantity_cap: Quantity | None = None
    amount_cap: PositiveYuanIn | None = None
    minimum_quantity: Quantity | None = None


class ChangeIn(In):
    """What changes; a field that is left out stays. A schedule takes the place of the present one from tomorrow on."""

    reason: ShortText
    valid_until: Day | None = None
    amount_cap: PositiveYuanIn | None = None
    tolerance_percent: Tolerance | None = None
    minimum_amount: PositiveYuanIn | None = None
    call_off_lead_days: LeadDays | None = None
    auto_order: bool | None = None
    terms: OptionalText | None = None
    lines: list[LineChangeIn] = Field(default=[], max_length=MAX_LINES)
    schedule: ScheduleIn | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not any(getattr(self, name) not in (None, []) for name in self.model_fields_set - {"reason"}):
            raise BadValue("没有任何变更", "nothing changes")
        if len({line.line_no for line in self.lines}) < len(self.lines):
            raise BadValue("每行只能出现一次", "each line once", "lines")
        return self


class TerminationIn(In):
    reason: ShortText
    last_day: Day = Field(description="the last day on which the agreement holds")


class RenewalIn(In):
    reason: ShortText
    valid_from: Day | None = Field(default=None, description="default: the day after the present last day")
    valid_until: Day


class AnswerIn(In):
    answer: ShortText | None = None


class PartyOut(BaseModel):
    id: int
    name: str
    signed_at: datetime | None
    signed_by_name: str | None


class AgreementRow(BaseModel):
    id: int
    number: str
    title: str
    state: AgreementState
    buyer_id: int
    buyer_name: str
    supplier_id: int
    supplier_name: str
    fund_source: FundSource
    valid_from: date
    valid_until: date
    terminated_on: date | None
    amount_cap: YuanOut | None
    version: int


class LineWarningOut(BaseModel):
    code: Reason
    message: str
    ceiling: YuanOut | None = Field(default=None, description="of `above_ceiling`: the highest price that is possible")


class WarnedLineOut(LineWarningOut):
    line_no: int
    product_name: str


class ScheduleWarningOut(BaseModel):
    """A cap that the schedule passes: quantities in units of sale, amounts in yuan."""

    code: Literal["quantity_cap", "line_amount_cap", "amount_cap"]
    message: str
    line_no: int | None = Field(description="none of the cap of the whole agreement")
    cap: str
    drawn: str = Field(description="what was ordered or waits for approval")
    left: str = Field(description="what may still be ordered, with the tolerance")
    planned: str = Field(description="what the schedule asks for beside what was ordered")


class ListedAgreementOut(AgreementRow):
    warnings: list[WarnedLineOut] = Field(
        description="lines of which nothing could be ordered today, or not at every price of theirs, with why; of an agreement that is over none"
    )
    schedule_warnings: list[ScheduleWarningOut] = Field(
        description="caps that keep the schedule from being ordered to its end; of an agreement that is over none"
    )


class PriceOut(BaseModel):
    kind: Literal["fixed", "list_minus", "tiers"]
    unit_price: YuanOut | None = None
    percent_off: PercentOut | None = None
    tiers: list[dict[str, str]] | None = None


class AgreementLineOut(BaseModel):
    id: int
    line_no: int
    sku_id: int
    sku_code: str
    product_id: int
    product_name: str
    pack: str
    unit: str
    price: PriceOut
    quantity_cap: QuantityOut | None
    amount_cap: YuanOut | None
    minimum_quantity: QuantityOut | None
    warning: LineWarningOut | None = Field(
        description="why it could not be ordered today: it was withdrawn, its supplier is not approved, its certificate is suspended, or it has none in"
        " force, or a price lies above the ceiling of the certification by now; of an agreement that is over none"
    )


class PlaceOut(BaseModel):
    id: int
    name: str
    address: str
    contact: str | None
    phone: str | None
    unit_id: int | None


class EntryOut(BaseModel):
    id: int
    line_no: int
    delivery_place_id: int
    weekdays: list[int]
    every_weeks: int
    quantity: QuantityOut
    starts_on: date
    ends_on: date
    in_term_only: bool
    skips_public_holidays: bool


class AgreementOut(AgreementRow):
    tolerance_percent: PercentOut
    minimum_amount: YuanOut | None
    call_off_lead_days: int
    auto_order: bool
    terms: str
    payment_terms: PaymentTerms | None
    quotation_request_id: int | None
    renews_id: int | None
    renewed_as_id: int | None
    proposed_at: datetime | None
    terms_hash: str | None = Field(description="SHA-256 of the terms as both sides sign them")
    reason: str | None
    buyer: PartyOut
    supplier: PartyOut
    lines: list[AgreementLineOut]
    places: list[PlaceOut]
    schedule: list[EntryOut]
    schedule_warnings: list[ScheduleWarningOut] = Field(
        description="caps that keep the schedule from being ordered to its end; of an agreement that is over none"
    )
    possible_actions: list[AgreementMove]
    harvest: str | None = Field(default=None, description="after signing: what the supplier's declared harvest says to it")


class TermsOut(BaseModel):
    """The frozen terms: ``sha256(document)``, as UTF-8, is ``terms_hash``."""

    terms_hash: str
    document: str


class ChangeOut(BaseModel):
    id: int
    agreement_id: int
    kind: ChangeKind
    side: Side
    status: ChangeStatus
    reason: str
    content: dict[str, Any]
    schedule_warnings: list[ScheduleWarningOut] = Field(
        description="caps that the schedule would pass once it is accepted, as it was found when it was proposed"
    )
    proposed_at: datetime
    proposed_by_name: str
    answered_at: datetime | None
    answered_by_name: str | None
    answer: str | None
    hash_before: str
    hash_after: str | None
    renewed_as_id: int | None
