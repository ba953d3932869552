"""What a programme's configuration holds, and how programmes look from outside."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from shop.core.errors import Language
from shop.programmes.counting import CountingRules
from shop.programmes.invoicing import InvoicingRules
from shop.programmes.parts import Part
from shop.programmes.payment import PaymentRules
from shop.programmes.reporting import ClosingRules, GradingRules, ReportingRules
from shop.programmes.rules import Channel, Mode, Relation
from shop.programmes.targets import Indicator, PromotionRules, Target, TargetRules, Unit
from shop.programmes.targets import Measure as TargetMeasure


class Label(Part):
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def in_(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


Days = Annotated[int, Field(ge=1, le=250)]
Percent = Annotated[int, Field(ge=1, le=1000)]


class Step(Part):
    """One step of a case: who takes it and in how many working days."""

    level: Literal["township", "county", "city"]
    working_days: Days
    #: Departments that may give their opinion at this step, and how many must have done so before it is passed.
    departments: tuple[str, ...] = ()
    min_opinions: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _enough_departments(self) -> Self:
        if self.min_opinions > len(self.departments):
            raise ValueError("more opinions are asked for than there are departments")
        return self


class Checklist(Part):
    """What an application must bring: kinds of papers, and items that the supplier states."""

    documents: tuple[str, ...]
    items: tuple[str, ...]


class CertificationRules(Part):
    """How a product becomes certified and is watched over; ``data/certification.toml`` says what each number means."""

    eligible_designation: str
    public_notice_working_days: int = Field(ge=1, le=60)
    validity_months: int = Field(ge=1, le=120)
    min_households: int = Field(ge=0)
    correction_working_days: Days
    appeal_working_days: Days
    objection_working_days: Days
    test_report_max_months: int = Field(ge=1, le=120)
    price_tolerance_percent: int = Field(ge=0, le=1000)
    renewal_opens_days: int = Field(ge=1, le=730)
    reminder_days: tuple[int, ...]
    reapplication_ban_months: int = Field(ge=0, le=120)
    capacity_flag_percent: Percent
    capacity_hold_percent: Percent
    capacity_month_percent: Percent
    capacity_explanation_working_days: Days
    complaint_statement_working_days: Days
    complaint_decision_working_days: Days
    revocation_statement_working_days: Days
    inspection_working_days: Days
    choices_when_suspended: tuple[Literal["deliver", "cancel"], ...] = Field(min_length=1)
    choices_when_revoked: tuple[Literal["deliver", "cancel"], ...] = Field(min_length=1)
    pipelines: Mapping[Literal["initial", "renewal", "change", "price"], tuple[str, ...]]
    steps: Mapping[str, Step]
    checklist: Mapping[Literal["primary_produce", "livestock", "processed_food", "handicraft", "service"], Checklist]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for kind in ("initial", "renewal", "change", "price"):
            way = self.pipelines.get(kind, ())
            if not way or len(set(way)) < len(way) or not set(way) <= set(self.steps):
                raise ValueError(f"the pipeline {kind} must name steps, each once")
            if "filing" in way[:-1] or ("filing" in way and kind in ("change", "price")):
                raise ValueError("filing is the last step, of what ends in a certificate")
        if len(self.checklist) < 5:
            raise ValueError("checklist lacks a kind of product")
        return self


class ReservedShare(Part):
    """The share of a budget unit's yearly purchases that it sets aside for produce of the designated counties."""

    #: What a unit is offered, and the least that it may file.
    percent: int = Field(ge=0, le=100)
    minimum_percent: int = Field(default=10, ge=0, le=100)
    #: The funds whose purchases are the base of the share.
    fund_source: str
    #: The funds whose purchases fill it; purchases with others are shown apart.
    counted_funds: tuple[str, ...] = Field(default=("canteen",), min_length=1)
    #: Goods of suppliers registered in regions with this designation count.
    eligible_designation: str
    #: Month and day by which the share of a year is filed in that year, and so many days before it a unit is reminded.
    deadline: str = Field(default="03-24", pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$")
    reminder_days: tuple[int, ...] = (14, 3)
    #: From this month on a unit is told that it is behind.
    behind_from_month: int = Field(default=10, ge=1, le=12)
    #: Why a unit may have no share.
    exemptions: tuple[Literal["no_canteen", "shared_canteen", "outsourced_canteen"], ...] = (
        "no_canteen",
        "shared_canteen",
        "outsourced_canteen",
    )

    @model_validator(mode="after")
    def _offers_what_is_allowed(self) -> Self:
        if self.percent < self.minimum_percent:
            raise ValueError("percent lies below minimum_percent")
        return self

    def due_on(self, year: int) -> date:
        """The last day on which the share of a year is filed in time."""
        return date.fromisoformat(f"{year}-{self.deadline}")


class OrderingRules(Part):
    """How an order runs from its placing to its acceptance. Days are working days; none of the numbers was published (see ``docs``)."""

    #: Time for the supplier to confirm; after it the order is released.
    confirm_working_days: Days = 3
    #: Hours after its confirmation in which the buyer may cancel alone; none: until it is shipped. Later the supplier has to agree.
    cancel_confirmed_hours: int | None = Field(default=None, ge=0, le=8760)
    #: Time to answer a delivery after it is due to arrive; then it is accepted. The buyer is told so many days before.
    acceptance_working_days: Days = 7
    acceptance_notice_working_days: Days = 2
    #: Up to so much of its goods a supplier sets the freight of a part alone; for more it asks the buyer.
    freight_percent: int = Field(default=20, ge=0, le=100)
    #: How much of an ordered weight a supplier may leave out without asking.
    short_percent: int = Field(default=20, ge=0, le=100)
    #: Time to answer a proposed change of a confirmed order.
    amendment_working_days: Days = 5
    #: What a contract says besides its lines, delivery and payment.
    contract_terms: tuple[str, ...] = (
        "供方按合同约定的产品、规格、数量、产地和期限交货，产品须持有有效的消费帮扶产品认定证书。",
        "运费以供方确认订单时所列金额为准，确认后不得变更。",
        "按重量计价的产品以需方验收的实际重量结算，不超过供方发货的重量。",
        "更换产品、变更价格、减少数量或延期交货，须经对方同意并签订补充协议；未经同意的，原合同不变。",
        "需方应在货物到达后{acceptance}个工作日内验收；逾期未验收且未提出异议的，视为验收合格。",
        "拒收的货物由供方负责取回，不计货款。",
    )


class ReturnRules(Part):
    """Until how many days after the acceptance a buyer may ask to give goods back."""

    days: int = Field(default=7, ge=0, le=365)
    #: Where the goods are bad, which shows later.
    quality_days: int = Field(default=30, ge=0, le=365)


class DisputeRules(Part):
    """Working days for the other side's answer to a dispute, and for the city's decision after it."""

    answer_working_days: Days = 3
    decision_working_days: Days = 7


class VoucherRules(Part):
    """Vouchers for services."""

    #: A booking is changed or given up until so many days before its day.
    change_days: int = Field(default=3, ge=0, le=90)
    #: What becomes of a voucher that nobody redeemed in its time: not owed, or owed as if it had been redeemed.
    unredeemed: Literal["cancelled", "forfeited"] = "cancelled"


class SettlementRules(Part):
    """How suppliers are settled with and paid; ``docs/settlement.md`` says why. Days are calendar days."""

    #: Periods end on Sundays; on the 15th and the last day of a month; on the last day of a month. Shanghai dates.
    period: Literal["weekly", "half_monthly", "monthly"] = "half_monthly"
    #: What was accepted waits so many days, in which it may be given back.
    hold_days: int = Field(default=7, ge=0, le=365)
    #: Only what the buyer paid for is settled; and what counts as paid: what arrived, or also what the buyer says it sent.
    when_paid: bool = True
    paid_means: Literal["received", "announced"] = "received"
    #: Who bears a payment that the buyer's bank takes back for good after it was settled, until the buyer pays again.
    lost_payments: Literal["platform", "supplier"] = "platform"
    #: Only what the supplier's invoice is there for is settled.
    needs_invoice: bool = False
    #: The supplier may object so many days after a statement was made.
    objection_days: int = Field(default=3, ge=0, le=60)
    #: A changed bank account is paid to so many days after the change was approved.
    account_days: int = Field(default=3, ge=0, le=60)


class ProgrammeConfig(Part):
    """The rules and words of one programme."""

    code: str
    modes: tuple[Mode, ...] = Field(min_length=1)
    relations: tuple[Relation, ...] = Field(min_length=1)
    #: From the most to the least specific; a sale is credited to the first that applies. ``market`` always applies and stands last.
    channel_priority: tuple[Channel, ...] = Field(min_length=1)
    #: The event that makes an order a counted sale.
    counting_rule: Literal["acceptance"]
    certification: CertificationRules
    reserved_share: ReservedShare
    ordering: OrderingRules = OrderingRules()
    payment: PaymentRules = PaymentRules()
    returns: ReturnRules = ReturnRules()
    invoicing: InvoicingRules = InvoicingRules()
    counting: CountingRules = CountingRules()
    disputes: DisputeRules = DisputeRules()
    vouchers: VoucherRules = VoucherRules()
    settlement: SettlementRules = SettlementRules()
    reporting: ReportingRules = ReportingRules()
    closing: ClosingRules = ClosingRules()
    grading: GradingRules = GradingRules()
    targets: tuple[Target, ...] = ()
    target_rules: TargetRules = TargetRules()
    indicators: tuple[Indicator, ...] = ()
    promotions: PromotionRules = PromotionRules()
    #: Group of codes -> code -> label.
    terms: Mapping[str, Mapping[str, Label]]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if sorted(self.channel_priority) != sorted(Channel):
            raise ValueError("channel_priority must name every channel once")
        if self.channel_priority[-1] is not Channel.MARKET:
            raise ValueError("market applies to every sale and must stand last in channel_priority")
        used = {"mode": self.modes, "relation": self.relations, "channel": self.channel_priority}
        missing = [f"{group}.{code}" for group, codes in used.items() for code in codes if not self._named(group, code)]
        if missing:
            raise ValueError(f"terms lack {', '.join(missing)}")
        return self

    def _named(self, group: str, code: str) -> bool:
        return code in self.terms.get(group, {})

    def term(self, group: str, code: str, language: Language) -> str:
        """The label of a code, such as ``term("channel", "market", "zh")``; the code itself where there is none."""
        label = self.terms.get(group, {}).get(code)
        return label.in_(language) if label else code


class ProgrammeFile(ProgrammeConfig):
    """A file in ``data``: a configuration with its names and its time."""

    name_zh: str
    name_en: str
    valid_from: date
    #: The first day on which it is no longer in force.
    valid_to: date | None = None


class TargetOut(BaseModel):
    code: str
    label: str
    measure: TargetMeasure
    value: int
    unit: Unit
    channel: Channel | None
    designation: str | None
    indicator: str | None
    first: date | None
    due: date | None
    source: str


class ProgrammeSummaryOut(BaseModel):
    code: str
    name: str
    valid_from: date
    valid_to: date | None
    in_force: bool


class ProgrammeOut(ProgrammeSummaryOut):
    modes: list[Mode]
    relations: list[Relation]
    channel_priority: list[Channel]
    counting_rule: str
    certification: CertificationRules
    reserved_share: ReservedShare
    ordering: OrderingRules
    payment: PaymentRules
    returns: ReturnRules
    invoicing: InvoicingRules
    counting: CountingRules
    disputes: DisputeRules
    vouchers: VoucherRules
    settlement: SettlementRules
    reporting: ReportingRules
    closing: ClosingRules
    grading: GradingRules
    targets: list[TargetOut]
    target_rules: TargetRules
    indicators: list[Indicator]
    promotions: PromotionRules


class TermsOut(BaseModel):
    programme: str
    language: Language
    #: Group of codes -> code -> label in the caller's language.
    terms: dict[str, dict[str, str]]
