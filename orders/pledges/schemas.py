"""What callers send and get about pledges, baskets and proofs."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from catalog.products.rules import Category
from orders.pledges.rules.asking import Aim, Limit
from orders.pledges.states import PledgeAction, PledgeStatus, ProofState, ProposalStatus
from orders.purchasing.schemas import FundSource, PurchaseOrderOut
from shop.core.errors import BadValue
from shop.core.money import PositiveYuanIn, YuanOut
from shop.core.quantities import Day, Id, Name, OneLine, ProperName, QuantityOut, ShortText, plain_number, whole
from shop.identity.schemas import Phone

RegionCode = Annotated[str, StringConstraints(pattern=r"^50[0-9]{4}([0-9A-Z]{1,6})?$"), Field(examples=["500236", "500236T01"])]
MAX_HEADS = 1_000_000
MAX_RECIPIENTS = 200
Heads = Annotated[int, Field(ge=1, le=MAX_HEADS), whole]
Share = Annotated[
    Decimal,
    BeforeValidator(plain_number),
    Field(ge=0, le=100, max_digits=5, decimal_places=2, description="per cent of the amount"),
]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PledgeKind(StrEnum):
    #: 以购代捐: money for gifts or welfare spent on goods, which may go to others.
    DONATE_BY_PURCHASE = "donate_by_purchase"
    #: 以买代帮: what is needed anyway, bought there.
    BUY_TO_HELP = "buy_to_help"


class RecipientIn(In):
    """A group or body that gets goods. No names of private persons."""

    name: Annotated[Name, Field(examples=["一线医护人员"])]
    heads: Heads
    delivery_address: OneLine
    delivery_contact: Annotated[ProperName | None, Field(description="the office that takes delivery")] = None
    delivery_phone: Phone | None = None


class RecipientOut(BaseModel):
    id: int
    name: str
    heads: int
    delivery_address: str | None = Field(description="for the organisation's own people")
    delivery_contact: str | None
    delivery_phone: str | None


class PledgeFields(In):
    """What is pledged. ``valid_until`` is the last day on which orders count."""

    title: Name
    kind: PledgeKind
    amount: PositiveYuanIn
    regions: Annotated[list[RegionCode], Field(min_length=1, max_length=100, description="districts or townships that benefit")]
    purpose: ShortText
    valid_from: Day
    valid_until: Day
    per_head_cap: PositiveYuanIn | None = None
    fund_source: FundSource
    recipients: Annotated[list[RecipientIn], Field(max_length=MAX_RECIPIENTS)] = []


class PledgeIn(PledgeFields):
    organisation_id: Id | None = Field(default=None, description="who pledges; default: the caller's own organisation")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": "以购代捐慰问一线医护人员",
                    "kind": "donate_by_purchase",
                    "amount": "200000.00",
                    "regions": ["500236", "500240"],
                    "purpose": "采购奉节、石柱农产品慰问医护人员",
                    "valid_from": "2026-01-01",
                    "valid_until": "2026-12-31",
                    "per_head_cap": "500.00",
                    "fund_source": "welfare",
                    "recipients": [{"name": "市第一医院", "heads": 400, "delivery_address": "重庆市渝中区健康路1号"}],
                }
            ]
        },
    )


class PledgePatch(In):
    """Of a draft, anything; of an open pledge the title, the purpose, a higher amount and a later end."""

    title: Name | None = None
    kind: PledgeKind | None = None
    amount: PositiveYuanIn | None = None
    regions: Annotated[list[RegionCode], Field(min_length=1, max_length=100)] | None = None
    purpose: ShortText | None = None
    valid_from: Day | None = None
    valid_until: Day | None = None
    per_head_cap: PositiveYuanIn | None = None
    fund_source: FundSource | None = None
    recipients: Annotated[list[RecipientIn], Field(max_length=MAX_RECIPIENTS)] | None = None


class ReasonIn(In):
    reason: ShortText


class PartOut(BaseModel):
    """What a part of the figures comes to; districts, categories and funds each add up to the whole."""

    code: str
    name: str
    ordered: YuanOut
    accepted: YuanOut


class FiguresOut(BaseModel):
    """Live: what is ordered in parts that stand, and what the ledger holds as accepted, returns taken off."""

    ordered: YuanOut
    accepted: YuanOut
    ordered_percent: str = Field(examples=["93.25"])
    accepted_percent: str
    outside_ordered: YuanOut = Field(description="ordered from elsewhere in the same orders; counts for nothing")
    outside_accepted: YuanOut
    orders: int = Field(description="of which something was ordered or accepted from the pledged regions")
    accepted_grams: int
    heads: int
    per_head: YuanOut | None = Field(description="accepted for each head")
    above_cap: bool
    by_district: list[PartOut]
    by_township: list[PartOut] = Field(description="goods that name no township are not among them")
    by_category: list[PartOut]
    by_fund: list[PartOut]


class PledgeRow(BaseModel):
    id: int
    number: str | None
    organisation_id: int
    organisation_name: str
    title: str
    kind: PledgeKind
    status: PledgeStatus
    amount: YuanOut
    ordered: YuanOut
    accepted: YuanOut
    accepted_percent: str
    regions: list[str]
    valid_from: date
    valid_until: date
    version: int


class RegionOut(BaseModel):
    code: str
    name: str


class PledgeOut(BaseModel):
    id: int
    number: str | None
    organisation_id: int
    organisation_name: str
    title: str
    kind: PledgeKind
    status: PledgeStatus
    reason: str | None
    amount: YuanOut
    purpose: str
    valid_from: date
    valid_until: date
    per_head_cap: YuanOut | None
    fund_source: FundSource
    regions: list[RegionOut]
    recipients: list[RecipientOut]
    agreements: list[int]
    figures: FiguresOut
    possible_actions: list[PledgeAction]
    opened_at: datetime | None
    closed_at: datetime | None
    version: int


class OrderLinkIn(In):
    purchase_order_id: Id
    recipient_id: Id | None = Field(default=None, description="who of the pledge gets the goods")


class AgreementLinkIn(In):
    agreement_id: Id


class CountedOrderOut(BaseModel):
    purchase_order_id: int
    number: str
    placed_at: datetime
    fund_source: FundSource
    agreement_id: int | None = Field(description="the agreement by which it counts; null: it was added by itself")
    recipient: str | None
    ordered: YuanOut
    accepted: YuanOut
    outside_accepted: YuanOut


class ProposalIn(In):
    """What a basket shall be. Heads and cap default to those of the pledge."""

    budget: PositiveYuanIn
    hard: Annotated[bool, Field(description="never above the budget; else within 2 % of it")] = False
    heads: Heads | None = None
    identical: Annotated[bool, Field(description="the same basket for each head")] = False
    per_head_cap: PositiveYuanIn | None = None
    include_categories: Annotated[list[Category], Field(max_length=20)] = []
    exclude_categories: Annotated[list[Category], Field(max_length=20)] = []
    deep_township_share: Share = Decimal(0)
    new_village_share: Annotated[Share, Field(description="at least from villages that sold nothing this year")] = Decimal(0)
    supplier_share: Annotated[Share | None, Field(description="at most from one supplier")] = None
    max_products: Annotated[int | None, Field(ge=1, le=1000), whole] = None
    reserved_share_only: bool = False
    aim: Aim = Aim.CLOSEST

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if set(self.include_categories) & set(self.exclude_categories):
            raise BadValue("同一品类不能既包含又排除", "a category is included and excluded at once")
        return self


class BasketFigures(BaseModel):
    amount: YuanOut
    deep_townships: YuanOut
    new_villages: YuanOut
    largest_supplier: YuanOut
    products: int
    suppliers: int
    per_head: YuanOut | None
    missed: list[Limit] = Field(description="what is asked and not met; none for a basket that is proposed")


class ObstacleOut(BaseModel):
    """``attainable``: given up alone, this limit leaves a basket, that comes at least so far at it (yuan, per cent of the amount, a number; of a
    filter, the share from outside); it was looked for some seconds only. Null: giving it up alone is not enough."""

    limit: Limit
    attainable: str | None


class ProposalLineOut(BaseModel):
    line_no: int
    sku_id: int
    sku_code: str
    product_name: str
    pack: str
    unit: str
    supplier_id: int
    supplier_name: str
    quantity: QuantityOut
    per_head_quantity: QuantityOut | None
    unit_price: YuanOut
    amount: YuanOut
    deep_township: bool
    new_village: bool


class ProposalRow(BaseModel):
    id: int
    pledge_id: int
    status: ProposalStatus
    progress: int = Field(description="per cent of the work done")
    budget: YuanOut
    amount: YuanOut | None
    requested_at: datetime
    finished_at: datetime | None


class ProposalOut(ProposalRow):
    asked: ProposalIn
    candidates: int | None = Field(description="packs that could have been taken")
    result: BasketFigures | None
    baseline: BasketFigures | None = Field(description="a basket put together greedily, to compare with; it may miss what is asked")
    obstacles: list[ObstacleOut] | None
    proven: bool | None = Field(description="without a basket: whether there is certainly none")
    lines: list[ProposalLineOut]
    purchase_order_id: int | None
    purchase_request_id: int | None


class ProposalOrderIn(In):
    """Where the goods go: to a recipient of the pledge, or to an address."""

    recipient_id: Id | None = None
    delivery_address: OneLine | None = None
    delivery_contact: ProperName | None = None
    delivery_phone: Phone | None = None
    deliver_by: Day | None = None
    buyer_reference: Name | None = None
    cost_centre: Name | None = None


class OrderedOut(BaseModel):
    """An order, or the request for it that waits for approval; the order counts when it is placed."""

    purchase_order: PurchaseOrderOut | None
    purchase_request_id: int | None


class ProofOut(BaseModel):
    """``amount_now``: what the ledger holds by now for the same pledge."""

    number: str
    pledge_id: int
    pledge_number: str
    organisation_name: str
    state: ProofState
    issued_at: datetime
    amount: YuanOut
    amount_now: YuanOut
    taken_back: YuanOut = Field(description="returned, corrected or taken out of the pledge since it was issued")
    sha256: str
    superseded_by: str | None
    revoke_reason: str | None


class ProofPartOut(BaseModel):
    code: str
    name: str
    amount: YuanOut


class PublicProofOut(BaseModel):
    """What everybody may know of a proof: no persons, no addresses."""

    number: str
    state: ProofState
    state_label: str
    statement: str = Field(description="it is no donation receipt")
    organisation_name: str
    organisation_uscc: str
    pledge_number: str
    title: str
    kind_label: str
    valid_from: date
    valid_until: date
    issued_on: date
    amount: YuanOut
    amount_now: YuanOut
    taken_back: YuanOut
    orders: int
    accepted_grams: int
    districts: list[ProofPartOut]
    sha256: str
    superseded_by: str | None


class SaleLineOut(BaseModel):
    """One line of the list for 万企帮万村. ``households`` and ``persons`` are a stock of the certificate: they must not be added up."""

    pledge_number: str
    organisation_name: str
    organisation_uscc: str
    district_name: str
    township_name: str | None
    village: str | None
    mode: Literal["消费"] = "消费"
    product_name: str
    category: str
    quantity: QuantityOut
    unit: str
    grams: int
    amount: YuanOut
    sold_on: date
    households: int | None = Field(description="exactly only for who may read the list of households")
    households_band: str | None
    persons: int | None
    persons_band: str | None
    purchase_order_number: str
    proof_number: str | None
