"""Call-offs, instalments, and where an agreement stands."""

from datetime import date, datetime
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from orders.agreements.schemas.terms import MAX_LINES, In, PercentOut
from orders.agreements.states import AgreementState, DraftStatus
from shop.core.errors import BadValue
from shop.core.money import YuanOut
from shop.core.quantities import Day, Id, Name, OneLine, ProperName, Quantity, QuantityOut
from shop.identity.schemas import Phone


class CallOffLineIn(In):
    agreement_line_id: Id
    quantity: Quantity


class CallOffIn(In):
    """An order under the agreement, to one of its places or to an address of the unit."""

    lines: list[CallOffLineIn] = Field(min_length=1, max_length=MAX_LINES)
    delivery_place_id: Id | None = None
    delivery_address: OneLine | None = None
    delivery_contact: ProperName | None = None
    delivery_phone: Phone | None = None
    deliver_by: Day | None = None
    buyer_reference: Name | None = None
    cost_centre: Name | None = None


class InstalmentOut(BaseModel):
    id: int
    agreement_id: int
    agreement_line_id: int
    line_no: int
    product_name: str
    pack: str
    unit: str
    delivery_place_id: int
    place_name: str
    due_on: date
    planned_quantity: QuantityOut
    quantity: QuantityOut = Field(description="what is to come by now")
    lost_grams: int
    status: Literal["planned", "drafted", "ordered", "skipped"]
    skip_reason: str | None
    skip_note: str | None
    call_off_draft_id: int | None
    purchase_order_id: int | None
    purchase_request_id: int | None


class LateInstalmentOut(InstalmentOut):
    agreement_number: str
    buyer_name: str
    supplier_name: str
    days_late: int
    waits_for: Literal["order", "approval", "new_order", "shipment", "acceptance"]
    accepted_quantity: QuantityOut


class DraftRow(BaseModel):
    id: int
    agreement_id: int
    agreement_number: str
    supplier_name: str
    buyer_name: str
    delivery_place_id: int
    place_name: str
    due_on: date
    status: DraftStatus
    drafted_at: datetime
    lines: int
    purchase_order_id: int | None
    purchase_request_id: int | None
    problem: str | None
    version: int


class DraftOut(DraftRow):
    instalments: list[InstalmentOut]


class PositionLineOut(BaseModel):
    """What became of a line: by quantity and by amount. ``drawn`` counts against the caps: what is ordered or waits for approval, less what was
    rejected at acceptance or given back since."""

    agreement_line_id: int
    line_no: int
    sku_id: int
    sku_code: str
    product_name: str
    pack: str
    unit: str
    quantity_cap: QuantityOut | None
    amount_cap: YuanOut | None
    waiting_quantity: QuantityOut
    ordered_quantity: QuantityOut
    shipped_quantity: QuantityOut
    accepted_quantity: QuantityOut = Field(description="as both sides hold for true by now")
    rejected_quantity: QuantityOut = Field(description="rejected, or not arrived")
    returned_quantity: QuantityOut = Field(description="of what was accepted, given back")
    drawn_quantity: QuantityOut
    drawn_amount: YuanOut
    accepted_amount: YuanOut = Field(description="less what was given back")
    remaining_quantity: QuantityOut | None = Field(
        description="below the cap, without its tolerance; negative within the tolerance"
    )
    remaining_amount: YuanOut | None
    percent: PercentOut | None = Field(description="drawn of the cap by quantity, else by amount")
    minimum_quantity: QuantityOut | None
    minimum_open: QuantityOut | None = Field(description="still to be ordered to meet the minimum")


class PositionOut(BaseModel):
    agreement_id: int
    number: str
    state: AgreementState
    amount_cap: YuanOut | None
    tolerance_percent: PercentOut
    drawn_amount: YuanOut
    accepted_amount: YuanOut
    remaining_amount: YuanOut | None
    percent: PercentOut | None
    minimum_amount: YuanOut | None
    minimum_open: YuanOut | None
    late_instalments: int
    lines: list[PositionLineOut]


class ClosureIn(In):
    name: Name
    starts_on: Day
    ends_on: Day
    organisation_id: Id | None = Field(default=None, description="the unit that is closed; default: the caller's own")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not 0 <= (self.ends_on - self.starts_on).days <= 366:
            raise BadValue("日期须有先后，最长一年", "from a day to a later one, a year at most", "ends_on")
        return self


class ClosureOut(BaseModel):
    id: int
    organisation_id: int
    organisation_name: str
    name: str
    starts_on: date
    ends_on: date
