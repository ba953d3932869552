"""What callers send and get about settlements."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from orders.settlement.rules import LIFTABLE, Hold
from orders.settlement.states import PayoutStatus, SettlementMove, SettlementStatus
from shop.core.money import YuanOut
from shop.core.quantities import Day, ShortText

Format = Annotated[Literal["json", "csv", "xlsx"], Query(description="a file holds every row, whatever the limit")]
LineKind = Literal["sale", "return", "freight", "allowance", "loss_borne", "loss_returned"]


class RunIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"period_end": "2026-11-15"}]})

    period_end: Day | None = Field(default=None, description="the last day of a period; none: of the latest that is over")


class RunOut(BaseModel):
    period_start: date
    period_end: date
    settlements: int = Field(description="made by this run; 0: there was nothing, or all of it was settled before")
    due: YuanOut


class ReasonIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class AnswerIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    answer: ShortText


class LiftIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hold: Literal[Hold.SUPPLIER_BLOCKED, Hold.CERTIFICATE_STOPPED, Hold.NO_INVOICE]
    reason: ShortText


assert set(LIFTABLE) == set(LiftIn.model_fields["hold"].annotation.__args__)  # type: ignore[union-attr]


class LiftOut(BaseModel):
    id: int
    supplier_order_id: int
    hold: Hold
    reason: str
    lifted_by: int
    lifted_at: datetime


class ObjectionOut(BaseModel):
    id: int
    reason: str
    raised_at: datetime
    answer: str | None
    answered_at: datetime | None


class SettlementRow(BaseModel):
    id: int
    number: str
    supplier_id: int
    supplier_name: str
    period_start: date
    period_end: date
    line_count: int
    sales: YuanOut
    returns: YuanOut = Field(description="returns and corrections, at most zero")
    freight: YuanOut
    other: YuanOut = Field(
        description="what disputes gave back without goods, and what the supplier bears of lost payments, or gets back of that"
    )
    commission: YuanOut
    net: YuanOut
    carried: YuanOut = Field(description="what the settlement before left over, at most zero")
    advance_used: YuanOut = Field(description="what was paid ahead and is used up")
    due: YuanOut = Field(description="what is paid out; below zero nothing is, and the rest is carried to the next settlement")
    held: YuanOut = Field(description="owed when it was made, and not taken up yet")
    status: SettlementStatus
    objections_until: date
    made_at: datetime
    payout_id: int | None
    payout_status: PayoutStatus | None
    version: int


class SettlementOut(SettlementRow):
    objections: list[ObjectionOut]
    possible_actions: list[SettlementMove]


class HeldOut(BaseModel):
    """Something that a supplier is owed and that no settlement takes up yet."""

    posting_id: int
    supplier_id: int
    supplier_name: str
    purchase_order_id: int
    purchase_order_number: str
    supplier_order_id: int
    product_name: str | None = Field(description="none: freight, money that a dispute gave back, or a lost payment")
    booked_on: date
    kind: LineKind
    amount: YuanOut
    hold: Hold
    why: str
    waits_until: date | None = Field(description="the last day of it, where that is known")


class UncoveredOut(BaseModel):
    """An order of which suppliers were settled with more than is there of what its buyer paid."""

    purchase_order_id: int
    purchase_order_number: str
    buyer_id: int
    buyer_name: str
    supplier_names: list[str]
    lost_on: date = Field(description="when a payment for it was last undone or charged back")
    settled: YuanOut = Field(description="taken up by settlements, as far as the order still costs it")
    received: YuanOut
    missing: YuanOut = Field(description="the marketplace bears it until the buyer pays again")


class LineOut(BaseModel):
    """A line of a statement: taken up, or (with ``hold``) held when it was made."""

    posting_id: int
    purchase_order_id: int
    purchase_order_number: str
    supplier_order_id: int
    shipment_id: int | None
    waybill: str | None
    order_line_no: int | None
    product_name: str | None
    booked_on: date
    kind: LineKind
    amount: YuanOut
    rule_id: int | None = Field(description="the commission rule")
    commission: YuanOut
    net: YuanOut
    hold: Hold | None
    why: str | None


class PeriodOut(BaseModel):
    """All settlements of one period."""

    period_start: date
    period_end: date
    settlements: int
    sales: YuanOut
    returns: YuanOut
    freight: YuanOut
    other: YuanOut
    commission: YuanOut
    net: YuanOut
    advance_used: YuanOut
    due: YuanOut
    paid: YuanOut
    objected: int


class HeldSum(BaseModel):
    hold: Hold
    why: str
    lines: int
    amount: YuanOut


class BalanceOut(BaseModel):
    """Where a supplier's money stands."""

    supplier_id: int
    supplier_name: str
    owed: YuanOut = Field(description="accepted and not settled yet, held or not")
    settled: YuanOut = Field(description="settled and not released for payment yet; below zero: more was paid than is owed by now")
    on_its_way: YuanOut
    paid: YuanOut = Field(description="paid out of settlements")
    advances: YuanOut = Field(description="paid ahead and not used up")
    commission: YuanOut


class DashboardOut(BalanceOut):
    """A supplier's own view."""

    next_period_start: date
    next_period_end: date
    next_due: YuanOut = Field(description="what a settlement of today would take up, before commission")
    held: list[HeldSum]
    latest: list[SettlementRow]
