"""What callers send and get about changes of the budget unit."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from orders.reassignments.states import ApplicationMove, ApplicationStatus
from shop.core.quantities import Id, ShortText


class BudgetUnitIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    unit_id: Id
    reason: ShortText


class DecisionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class ApplicationOut(BaseModel):
    id: int
    purchase_order_id: int
    purchase_order_number: str
    from_unit_id: int
    from_unit_name: str
    to_unit_id: int
    to_unit_name: str
    reason: str
    status: ApplicationStatus
    filed_by_name: str
    filed_at: datetime
    decided_at: datetime | None
    decision_reason: str | None
    possible_actions: list[ApplicationMove]
    version: int
