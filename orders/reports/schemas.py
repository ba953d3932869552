"""What callers send and get about monthly reports."""

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from orders.ledger.filters import RegionCode
from orders.reports.forms import Scope, Unit
from orders.reports.states import ReportMove, ReportStatus
from shop.core.months import Month
from shop.core.paging import Page
from shop.core.quantities import Id, LongText, OptionalText, ShortText, plain_number

FormCode = Annotated[str, Field(pattern=r"^[a-z_]{1,64}$", examples=["unit_monthly"])]
FieldCode = Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]
Written = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=20),
    AfterValidator(plain_number),
    Field(json_schema_extra={"pattern": r"^-?[0-9]+(\.[0-9]+)?$"}, examples=["1234.50"]),
]


class ReportIn(BaseModel):
    """Whose report: of the own unit or one below it; with ``district`` of a county."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"form": "unit_monthly", "month": "2026-10"}]})

    form: FormCode
    month: Month
    unit_id: Id | None = Field(default=None, description="default: the own unit")
    district: RegionCode | None = Field(default=None, description="of a county's form; default: the own county")


class ValueIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    value: Written | None = Field(default=None, description="in the unit of the field; none: nothing yet")
    explanation: LongText | None = Field(default=None, description="needed where it differs from the ledger")


class ReportEdit(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"values": {"purchases": {"value": "1234.50", "explanation": "平台外另有一笔采购"}}, "note": ""}]
        },
    )

    values: dict[FieldCode, ValueIn] = Field(max_length=100, description="fields that are not named stay as they are")
    note: OptionalText | None = None


class ReturnIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "采购金额与发票不符，请核对"}]})

    reason: ShortText


class FieldOut(BaseModel):
    code: str
    label: str
    unit: Unit
    prefilled: bool
    required: bool
    minimum: str | None = Field(
        description="the least that is taken, in `unit`, or the ledger's figure where that is less; null: anything"
    )


class FormOut(BaseModel):
    code: str
    version: int
    scope: Scope
    label: str
    valid_from: date
    valid_to: date | None
    fields: list[FieldOut]


class ValueOut(BaseModel):
    field: str
    label: str
    unit: Unit
    ledger: str | None = Field(
        description="what the ledger said when it was asked last (`filled_at`); null where it knows nothing of it"
    )
    ledger_now: str | None = Field(description="what the ledger says now")
    ledger_moved: str | None = Field(description="by how much it has moved since; null where it has not")
    value: str | None
    difference: str | None = Field(description="the unit's own value less the ledger's")
    explanation: str | None


class StepValueOut(BaseModel):
    field: str
    ledger: str | None = Field(description="what the ledger said then")
    value: str | None
    explanation: str | None
    changed: bool = Field(description="other than at the step before, by the ledger, the unit, or its explanation")


class StepOut(BaseModel):
    move: ReportMove
    at: datetime
    by: int
    by_name: str
    reason: str | None
    values: list[StepValueOut] = Field(description="as they were submitted, accepted or returned")


class ReportRow(BaseModel):
    id: int
    form: str
    form_version: int
    month: str
    unit_id: int | None
    unit_name: str | None
    district: str
    district_name: str
    status: ReportStatus
    submitted_at: datetime | None
    decided_at: datetime | None
    version: int


class ReportOut(ReportRow):
    label: str
    due_on: date
    late: bool = Field(description="submitted after the day on which it was due, or not yet though that day is over")
    filled_at: datetime = Field(description="when the ledger was asked")
    note: str
    reason: str | None
    values: list[ValueOut]
    steps: list[StepOut]
    possible_actions: list[ReportMove] = Field(description="what the caller may do with it now")


class UnreportedRow(BaseModel):
    """Somebody whose report is not accepted yet."""

    unit_id: int | None
    unit_name: str | None
    district: str
    district_name: str
    report_id: int | None
    status: str = Field(description="`missing` where nothing was begun")


class UnreportedOut(Page[UnreportedRow]):
    form: str
    month: str
    due_on: date
    overdue: bool
    expected: int = Field(description="how many have to report, within reach")
    accepted: int
