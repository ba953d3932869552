"""What callers send and get about bulletins, their changes and the grades of figures."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from orders.bulletins.content import Content, Graded
from orders.bulletins.states import BulletinMove, BulletinStatus
from orders.ledger.filters import RegionCode
from shop.core.money import YuanOut
from shop.core.months import Month
from shop.core.paging import Page
from shop.core.quantities import ShortText

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DraftIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"month": "2026-10"}]})

    month: Month


class RevisionIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"month": "2026-10", "reason": "补报与冲销"}]})

    month: Month
    reason: ShortText


class PublishIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sha256: Sha256 = Field(description="of the content that was read")


class FigureExplainIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"district": "500236", "explanation": "脐橙集中上市"}]}
    )

    district: RegionCode
    explanation: ShortText


class PublicBulletinRow(BaseModel):
    number: str = Field(description="as addresses have it: `2026-03` is the third bulletin of 2026, not that of March")
    title: str = Field(description="the number as it is printed: 〔2026〕第3号（修订1）")
    month: str
    edition: int = Field(description="0: the bulletin; 1, 2 …: its revisions")
    status: BulletinStatus
    sha256: str = Field(description="of the JSON file")
    published_at: datetime
    newest: str = Field(description="the number of the edition that holds now")


class PublicBulletinOut(PublicBulletinRow):
    content: Content


class BulletinRow(BaseModel):
    id: int
    number: str | None
    title: str | None = Field(description="the number as it is printed: 〔2026〕第3号（修订1）")
    month: str
    edition: int
    status: BulletinStatus
    sha256: str
    reason: str | None
    drafted_by: str
    drafted_at: datetime
    published_by: str | None
    published_at: datetime | None
    version: int


class BulletinOut(BulletinRow):
    content: Content
    possible_actions: list[BulletinMove] = Field(description="what the caller may do with it now")


class _Change(BaseModel):
    cause: str
    cause_label: str
    direction: str
    district: str
    district_name: str
    amount: YuanOut
    grams: int
    certified: YuanOut


class ChangeOut(_Change):
    """One line of a revision's difference table, with the papers that it rests on."""

    entry_id: int
    reverses_id: int | None
    sold_on: str = Field(description="the day on which it counts")
    occurred_on: str = Field(description="the day of the sale; of what takes one back, or books it again, the day of that sale")
    channel: str
    channel_label: str
    source: str
    source_label: str
    category: str
    category_label: str
    product: str
    documents: list[str] = Field(description="numbers of order, batch, claim, invoices, credit notes and certificate of the sale")


class ElsewhereOut(_Change):
    """The lines of a district that the caller does not cover, added up by cause."""

    lines: int


class ChangesOut(Page[ChangeOut]):
    elsewhere: list[ElsewhereOut] = Field(description="districts of which the caller sees totals only")


class CopiedDayOut(BaseModel):
    """A day of an outlet with the same lines as others of its days."""

    outlet_id: int
    outlet_name: str
    day: date
    same_as: list[date]
    batches: list[str] = Field(description="where the lines of the day are read; the first 20")


class GradeOut(BaseModel):
    district: str
    district_name: str
    amount: YuanOut
    grade: Graded | None
    published: bool = Field(description="whether the figure is published as things stand")
    explanation: str | None
    copied_days: list[CopiedDayOut] = Field(
        description="the days of outlets that repeat another day's lines, of the first 20; of the caller's own regions"
    )


class GradesOut(BaseModel):
    month: str
    districts: list[GradeOut]
