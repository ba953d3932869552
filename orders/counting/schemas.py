"""How doubts and books look from outside."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.products.schemas import DistrictCode
from orders.counting.rules import HoldStatus, Reason, Subject
from shop.core.money import YuanOut
from shop.core.quantities import Day, Id, ShortText


class DocumentOut(BaseModel):
    kind: str
    number: str


class SideOut(BaseModel):
    """One of the two that collide."""

    kind: Subject
    id: int
    number: str | None
    status: str | None
    name: str | None = Field(description="who sold")
    sold_on: date | None
    amount: YuanOut | None
    documents: list[DocumentOut]


class HoldRow(BaseModel):
    id: int
    reason_code: Reason
    status: HoldStatus
    district_code: str
    subject: SideOut
    other: SideOut | None
    amount: YuanOut
    opened_at: datetime
    decided_at: datetime | None
    decision: str | None


class CollisionOut(BaseModel):
    reason_code: Reason
    other_kind: Subject | None
    other_id: int | None


class HeldOut(CollisionOut):
    hold_id: int


class OpenDoubts(BaseModel):
    """What has to be decided before a claim is free. Of many that it collides with it is held against one after another."""

    holds: list[HeldOut] = Field(description="that are open")
    to_come: list[CollisionOut] = Field(
        description="against what it is held as well, one after another, as often as it is decided to be another sale; the first 50"
    )
    decisions_left: int = Field(description="how many both are; one that voids the claim ends all of them")


class HoldOut(OpenDoubts, HoldRow):
    """``holds``, ``to_come`` and ``decisions_left``: of the claim that it is, or was, about."""

    evidence: dict[str, Any]
    other_hold_id: int | None = Field(description="the doubt that the other claim has against this one; both are decided together")
    would_give_back: YuanOut | None = Field(
        description="of a refund at an outlet that is held: what counting it takes out of the figures, the sale's share, whatever its till said; of a whole "
        "batch the sum of its refunds, and of what stands in the figures of the batch that it corrects or withdraws; none of anything else, or where it cannot count"
    )


class HoldFilter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason | None = None
    district: DistrictCode | None = None
    status: HoldStatus | None = None
    subject: Subject | None = None
    subject_id: Id | None = None
    whole_batches: bool | None = Field(default=None, description="whether whole batches of outlets are held, or anything else")
    sold_to: Day | None = Field(default=None, description="of sales up to this day (of a batch: its first one)")


class HoldSearch(HoldFilter):
    limit: int = Field(default=50, ge=1, le=200, description="rows in a page")
    after: str | None = Field(default=None, max_length=500, description="cursor: `next` of the page before")
    format: Literal["json", "csv", "xlsx"] = Field(default="json", description="a file holds every row")


class BookFilter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sold_from: Day | None = Field(default=None, description="default: the first day of this year")
    sold_to: Day | None = Field(default=None, description="default: today")
    district: DistrictCode | None = None
    supplier_id: Id | None = None
    buyer_id: Id | None = None


class BookSearch(BookFilter):
    limit: int = Field(default=50, ge=1, le=200, description="rows in a page")
    after: str | None = Field(default=None, max_length=500, description="cursor: `next` of the page before")
    format: Literal["json", "csv", "xlsx"] = Field(
        default="json", description="a file holds every pair; a workbook all that is unmatched, too, on a sheet of its own"
    )


class PairOut(BaseModel):
    """What one supplier sold to one buyer, by either's book; amounts less what was taken back."""

    supplier_id: int
    supplier_name: str
    buyer_id: int
    buyer_name: str
    orders: YuanOut = Field(description="ordered here and accepted; it stands in both books")
    seller_claims: YuanOut = Field(description="made elsewhere, accepted, as the seller claimed it")
    seller_book: YuanOut
    buyer_claims: YuanOut = Field(description="the same as the buyer claimed it; what is an order here is not told twice")
    buyer_book: YuanOut
    matched: YuanOut = Field(description="claims of the buyer that are known to be a sale of the seller's book")
    difference: YuanOut = Field(description="buyer's book less seller's")


class UnmatchedRow(BaseModel):
    side: Literal["seller", "buyer"]
    sale_id: int
    number: str
    supplier_id: int
    supplier_name: str
    buyer_id: int | None
    buyer_name: str
    sold_on: date
    amount: YuanOut
    reason_code: Literal["no_counterpart", "amount_differs", "not_yet_accepted", "seller_not_listed", "buyer_not_registered"]


class UnmatchedSearch(BookFilter):
    side: Literal["seller", "buyer"] | None = None
    limit: int = Field(default=50, ge=1, le=200, description="rows in a page")
    after: str | None = Field(default=None, max_length=500, description="cursor: `next` of the page before")


class MatchIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    buyer_sale_id: Id
    seller_kind: Literal["external_sale", "purchase_order"]
    seller_id: Id
    reason: ShortText


class UnmatchIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class MatchOut(BaseModel):
    buyer_sale_id: int
    seller_kind: Literal["external_sale", "purchase_order"]
    seller_id: int
    basis: Literal["invoice", "order_number", "amount_and_day", "by_hand"]
    difference: YuanOut
    matched_at: datetime
