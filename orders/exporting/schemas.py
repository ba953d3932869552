"""How exports and schedules are asked for, and how they look from outside."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Body
from pydantic import BaseModel, Field, model_validator

from orders.exporting.kinds import KINDS
from orders.exporting.kinds.certified import CertifiedIn
from orders.exporting.kinds.entries import EntriesIn
from orders.exporting.kinds.money import DuesIn, PaymentsIn
from orders.exporting.kinds.parts import OrdersIn
from orders.exporting.kinds.sales import SalesIn
from orders.exporting.kinds.ties import TiesIn
from orders.exporting.rules import Format, Period, Rhythm
from orders.exporting.states import ExportStatus, ScheduleStatus
from shop.core.errors import BadValue
from shop.core.quantities import Name, whole
from shop.identity.schemas import In


class _Asked(In):
    format: Format = Format.CSV


class SalesExportIn(_Asked):
    """Any question of `/v1/statistics/sales`."""

    kind: Literal["sales"]
    parameters: SalesIn = Field(default_factory=SalesIn)


class EntriesExportIn(_Asked):
    """Single sales, as in `/v1/sale-entries`."""

    kind: Literal["entries"]
    parameters: EntriesIn = Field(default_factory=EntriesIn)


class OrdersExportIn(_Asked):
    """Orders, part by part."""

    kind: Literal["orders"]
    parameters: OrdersIn = Field(default_factory=OrdersIn)


class DuesExportIn(_Asked):
    """What is due, as in `/v1/dues`."""

    kind: Literal["dues"]
    parameters: DuesIn = Field(default_factory=DuesIn)


class PaymentsExportIn(_Asked):
    """What was paid for orders."""

    kind: Literal["payments"]
    parameters: PaymentsIn = Field(default_factory=PaymentsIn)


class CertifiedExportIn(_Asked):
    """What is certified, with households and persons; small numbers of them only for those who may read the lists of households."""

    kind: Literal["certified"]
    parameters: CertifiedIn = Field(default_factory=CertifiedIn)


class TiesExportIn(_Asked):
    """Whether accounts tie, as in `/v1/ties`."""

    kind: Literal["ties"]
    parameters: TiesIn = Field(default_factory=TiesIn)


ExportIn = SalesExportIn | EntriesExportIn | OrdersExportIn | DuesExportIn | PaymentsExportIn | CertifiedExportIn | TiesExportIn
ExportBody = Annotated[ExportIn, Body(discriminator="kind")]


class ScheduleIn(In):
    """A question, the period that each answer is about, and when and how it comes."""

    title: Name
    export: Annotated[ExportIn, Field(discriminator="kind")]
    period: Period = Field(
        description="seen from the day on which the answer is made; the parameters of `export` name no days then"
    )
    rhythm: Rhythm
    hour: Annotated[int, Field(ge=0, le=23, description="Shanghai time"), whole]
    weekday: Annotated[int | None, Field(ge=1, le=7, description="weekly: from 1, Monday"), whole] = None
    month_day: Annotated[int | None, Field(ge=1, le=28, description="monthly"), whole] = None
    way: Literal["email", "webhook"]

    @model_validator(mode="before")
    @classmethod
    def _of_its_rhythm(cls, given: Any) -> Any:
        if isinstance(given, dict):
            needed = {"weekly": "weekday", "monthly": "month_day"}
            for rhythm, name in needed.items():
                if (given.get("rhythm") == rhythm) != (given.get(name) is not None):
                    raise BadValue(
                        "每周报送须给出 weekday，每月报送须给出 month_day",
                        "weekly takes `weekday`, monthly takes `month_day`",
                        name,
                    )
        return given

    @model_validator(mode="after")
    def _of_one_period(self) -> Self:
        days = KINDS[self.export.kind].period
        for name, day in self.export.parameters.model_dump(by_alias=True).items():
            if name in days and day is not None:
                raise BadValue(
                    "期间由 period 给出，参数中不能再写日期",
                    "`period` says which days; the parameters name none",
                    f"export.parameters.{name}",
                )
        return self


class FaultOut(BaseModel):
    code: str
    message: str
    field: str | None = Field(
        description="what to change of the question, such as `parameters.group_by` or `format`, where that helps"
    )


class ExportOut(BaseModel):
    """A file, or how far it is."""

    id: int
    kind: str
    parameters: dict[str, Any]
    format: Format
    status: ExportStatus
    #: Why it failed.
    fault: FaultOut | None
    #: Known once they are counted.
    rows_total: int | None
    rows_done: int
    name: str | None
    size: int | None
    sha256: str | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    #: The moment of which its rows are.
    snapshot_at: datetime | None
    #: When the file is deleted.
    expires_at: datetime | None
    schedule_id: int | None = Field(description="of an answer of a schedule, with that one's title; null: asked for by hand")
    title: str | None
    due_at: datetime | None = Field(description="of an answer of a schedule")
    delivered_at: datetime | None = Field(
        description="when it was handed to the mail or to the webhooks; null: it was asked for by hand, or reached nobody"
    )
    #: Where the file is, once it is made.
    file: str | None


class DeliveryOut(BaseModel):
    due_at: datetime
    export_id: int
    status: ExportStatus
    #: Why there is no file, or why nobody was told of it.
    fault: FaultOut | None
    rows_total: int | None
    #: When it was handed to the mail or to the webhooks; null where it was to nobody.
    delivered_at: datetime | None
    name: str | None
    size: int | None = Field(description="bytes")
    expires_at: datetime | None = Field(description="when the file is deleted")
    file: str | None = Field(description="where it is; null: not made yet, or deleted")


class ScheduleOut(BaseModel):
    id: int
    title: str
    kind: str
    parameters: dict[str, Any]
    format: Format
    period: Period
    rhythm: Rhythm
    hour: int
    weekday: int | None
    month_day: int | None
    way: Literal["email", "webhook"]
    status: ScheduleStatus
    #: Null while it is paused.
    next_at: datetime | None
    #: The last ten answers, the newest first.
    deliveries: list[DeliveryOut]
    version: int
